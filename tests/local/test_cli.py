"""The command line: what it says and what it refuses."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from airflow_flyte_provider.local import LocalFlyte, LocalFlyteError


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "airflow_flyte_provider.local", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_other_machines_are_kept_out(tmp_path: Path) -> None:
    done = _run("--host", "0.0.0.0", "--data-dir", str(tmp_path))
    assert done.returncode == 1
    assert "--allow-remote" in done.stderr


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = _run("--port", str(port), "--data-dir", str(tmp_path))
    assert done.returncode == 1
    assert f"gRPC port {port}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["--port", "99999"], 2, "a number from 0 to 65535"),
        (["--http-port", "-1"], 2, "a number from 0 to 65535"),
        (["--echo-seconds", "-1"], 2, "0 seconds or more"),
        (["--start-seconds", "nan"], 2, "0 seconds or more"),
        (["--project", "My Project"], 2, "'My Project' is no id of a project"),
        (["--port", "0", "--database-url", "nonsense"], 1, "the database: Could not parse SQLAlchemy URL"),
        (["--port", "0", "--database-url", "nosuch://x"], 1, "the database: Can't load plugin"),
    ],
)
def test_wrong_words_are_told_in_a_line(tmp_path: Path, words: list[str], code: int, told: str) -> None:
    done = _run(*words, "--data-dir", str(tmp_path))
    assert done.returncode == code
    assert told in done.stderr.splitlines()[-1]


def test_a_second_server_on_the_same_data_is_refused(tmp_path: Path) -> None:
    with LocalFlyte(tmp_path):
        done = _run("--port", "0", "--data-dir", str(tmp_path))
        assert done.returncode == 1
        assert "another server is running" in done.stderr
        with pytest.raises(LocalFlyteError, match="another server is running"):
            LocalFlyte(tmp_path).start()


def test_the_lock_is_given_back_by_a_crash(tmp_path: Path) -> None:
    flyte = LocalFlyte(tmp_path).start()
    flyte.kill()
    with LocalFlyte(tmp_path) as second:
        assert second.endpoint


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_when_asked_and_says_where_it_listens(tmp_path: Path, number: signal.Signals) -> None:
    command = [
        sys.executable,
        "-m",
        "airflow_flyte_provider.local",
        "--port",
        "0",
        "--data-dir",
        str(tmp_path),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(5)]
        with urllib.request.urlopen(lines[2].split()[1], timeout=20) as page:
            assert page.status == 200
        process.send_signal(number)
        assert process.wait(timeout=20) == 0
    assert lines[0].startswith("gRPC endpoint:  127.0.0.1:")
    assert lines[1].startswith("HTTP:           http://127.0.0.1:")
    assert lines[2].startswith("console:        http://127.0.0.1:")
    assert str(tmp_path) in lines[3]
    assert lines[4] == "local Flyte is ready\n"


def test_a_temporary_data_directory_is_removed() -> None:
    with LocalFlyte() as flyte:
        folder = flyte.data_dir
        assert folder.is_dir()
    assert not folder.exists()


def test_it_is_ready_soon(tmp_path: Path) -> None:
    begin = time.monotonic()
    with LocalFlyte(tmp_path):
        taken = time.monotonic() - begin
    assert taken < 1.5 * 4  # 1.5 s on a machine with nothing else to do
