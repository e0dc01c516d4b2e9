"""A whole DAG run by a connection that signs in: nothing secret is left anywhere."""

import json
from pathlib import Path

import pytest

from airflow_flyte_provider.admin.auth import credentials as of_credentials
from airflow_flyte_provider.local import LocalFlyte
from tests.conformance.sign_in import token
from tests.conftest import DOMAIN, PROJECT, register_demo
from tests.dag_runs import AIRFLOW_2, run_dag

PROXY_TOKEN = "pr0xy-t0ken-of-this-test"


@pytest.fixture(scope="module")
def guarded():
    with LocalFlyte(auth=True) as flyte:
        register_demo(flyte.endpoint, [("authorization", f"Bearer {token(flyte)}")])
        yield flyte


@pytest.fixture
def connect(guarded, monkeypatch, tmp_path):
    """A function that makes the connection, with a secret and a proxy's token in a file."""
    kept = tmp_path / "proxy-token"
    kept.write_text(PROXY_TOKEN)

    def made(secret):
        host, _, port = guarded.endpoint.rpartition(":")
        extra = {"project": PROJECT, "domain": DOMAIN, "insecure": True, "proxy_command": ["cat", str(kept)]}
        fields = {"conn_type": "flyte", "host": host, "port": int(port), "login": guarded.client_id}
        monkeypatch.setenv(
            "AIRFLOW_CONN_FLYTE_DEFAULT", json.dumps({**fields, "password": secret, "extra": extra})
        )

    return made


def everything_left(home):
    """Return all that Airflow has kept: its database, byte by byte and triggers decrypted, and its logs."""
    from airflow.models.trigger import Trigger
    from airflow.settings import Session

    files = [
        path for path in Path(home).rglob("*") if path.is_file() and path.suffix in (".db", ".log", ".db-wal")
    ]
    kept = b"".join(path.read_bytes() for path in files).decode(errors="replace")
    triggers = [repr(trigger.kwargs) for trigger in Session().query(Trigger)]
    return kept, triggers


BODY = """
execute = FlyteExecuteOperator(
    task_id="execute", launch_plan="demo.add_one", inputs={"a": "{{ 4 + 1 }}"}, deferrable=True, poll_interval=0.2
)
"""


@pytest.mark.parametrize("works", [True, False])
def test_nothing_secret_is_left_of_a_run(airflow_db, connect, guarded, works):
    secret = guarded.client_secret if works else "wr0ng-s3cret-of-this-test"
    connect(secret)
    done = run_dag(BODY)
    assert done.state("execute") == ("success" if works else "failed")
    assert ("invalid_client" in done.log) is not works
    tokens = [
        keeper.kept.value
        for made in of_credentials._made.values()
        for keeper in (made._flyte, made._proxy)
        if keeper and keeper.kept
    ]
    assert PROXY_TOKEN in tokens
    kept, triggers = everything_left(airflow_db)
    assert "flyte_default" in kept  # it is the right place to look
    for hidden in (secret, PROXY_TOKEN, *tokens):
        for place in (done.log, kept, *triggers):
            assert hidden not in place
    if works and not AIRFLOW_2:
        assert any("flyte_default" in trigger for trigger in triggers)
        assert done.xcom("execute") == {"o0": 5}
