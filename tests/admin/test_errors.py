"""What a fault on the wire becomes: a typed error that says what was asked, of whom, and what to do."""

import socket
import threading
import time

import pytest

from airflow_flyte_provider.admin.client import AsyncClient, Client
from airflow_flyte_provider.admin.executions import get_execution
from airflow_flyte_provider.admin.registry import get_version
from airflow_flyte_provider.admin.settings import Settings
from airflow_flyte_provider.exceptions import FlyteConnectionError, FlyteNotFoundError
from airflow_flyte_provider.model.identifiers import ExecutionId


@pytest.fixture
def closed_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.fixture
def silent_port():
    """A port that accepts connections and then says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        kept = []

        def accept():
            while True:
                try:
                    kept.append(server.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.close()
        for connection in kept:
            connection.close()


def test_a_server_that_is_down_is_named_within_ten_seconds(closed_port):
    client = Client(Settings(f"127.0.0.1:{closed_port}", insecure=True))
    started = time.monotonic()
    with pytest.raises(FlyteConnectionError) as caught:
        client.run(get_version())
    assert time.monotonic() - started < 10
    assert f"127.0.0.1:{closed_port}" in str(caught.value)
    assert "Check that FlyteAdmin is up" in str(caught.value)


async def test_the_asynchronous_face_says_the_same(closed_port):
    settings = Settings(f"127.0.0.1:{closed_port}", insecure=True)
    with pytest.raises(FlyteConnectionError, match="Asking for the version of Flyte failed"):
        await AsyncClient(settings).run(get_version())


def test_a_server_that_never_answers_meets_the_deadline(silent_port):
    client = Client(Settings(f"127.0.0.1:{silent_port}", insecure=True, call_timeout=1))
    with pytest.raises(FlyteConnectionError, match=r"within 1 s|UNAVAILABLE"):
        client.run(get_version())


def test_tls_to_a_plaintext_server_names_the_handshake(local_flyte):
    client = Client(Settings(local_flyte.endpoint, call_timeout=5))
    with pytest.raises(FlyteConnectionError, match="TLS"):
        client.run(get_version())


def test_what_does_not_exist_is_told_with_its_name(local_flyte):
    client = Client(Settings(local_flyte.endpoint, insecure=True))
    with pytest.raises(FlyteNotFoundError, match="Fetching execution flytesnacks/development/nope failed"):
        client.run(get_execution(ExecutionId("flytesnacks", "development", "nope")))


def test_run_aside_gives_up_in_time(silent_port):
    client = Client(Settings(f"127.0.0.1:{silent_port}", insecure=True, call_timeout=30))
    started = time.monotonic()
    with pytest.raises(FlyteConnectionError, match=r"within 0\.5 s"):
        client.run_aside(get_version(), timeout=0.5)
    assert time.monotonic() - started < 4
