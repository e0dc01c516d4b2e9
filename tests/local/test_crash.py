"""kill -9 at a bad moment: everything goes on, once, on the same data."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from airflow_flyte_provider.local import LocalFlyte
from tests.local.client import Client, task_node, until


def test_executions_go_on_after_a_crash(tmp_path: Path) -> None:
    with LocalFlyte(tmp_path / "data") as flyte:
        client = Client(flyte.endpoint)
        first = client.command("first", "sh", "-c", f"echo first >> {tmp_path}/done")
        wait = f"while [ ! -e {tmp_path}/go ]; do sleep 0.05; done"
        script = f"echo $$ >> {tmp_path}/began; {wait}; echo second >> {tmp_path}/done"
        second = client.command("second", "sh", "-c", script)
        client.workflow("wf", [task_node("n0", first, None), task_node("n1", second, None, ["n0"])])
        execution = client.launch("wf")
        began = tmp_path / "began"
        until(lambda: began.exists())
        endpoint, http_url = flyte.endpoint, flyte.http_url
        flyte.kill()
        client.close()
        until(lambda: not Path(f"/proc/{began.read_text().split()[0]}").exists(), 5)
        flyte.restart()
        assert (flyte.endpoint, flyte.http_url) == (endpoint, http_url)
        client = Client(flyte.endpoint)
        until(lambda: len(began.read_text().split()) == 2)
        assert client.phase(execution) == "RUNNING"
        (tmp_path / "go").touch()
        assert client.end(execution) == "SUCCEEDED"
        assert (tmp_path / "done").read_text() == "first\nsecond\n"
        assert set(client.node_phases(execution).values()) == {"SUCCEEDED"}
        assert list((tmp_path / "data" / "attempts").iterdir()) == []
        client.close()


def test_many_executions_survive_repeated_crashes(tmp_path: Path) -> None:
    with LocalFlyte(tmp_path / "data", arguments=["--echo-seconds", "0.3"]) as flyte:
        client = Client(flyte.endpoint)
        task = client.task("echo")
        client.workflow("wf", [task_node("n0", task), task_node("n1", task, ("n0", "a"))], output=("n1", "a"))
        started = [client.launch("wf", a=number) for number in range(12)]
        for _ in range(2):
            flyte.kill()
            client.close()
            flyte.restart()
            client = Client(flyte.endpoint)
        assert {client.end(one) for one in started} == {"SUCCEEDED"}
        results = [client.outputs(one).literals["o0"].scalar.primitive.integer for one in started]
        assert results == list(range(12))
        client.close()


def test_an_abort_is_finished_after_a_crash(tmp_path: Path) -> None:
    with LocalFlyte(tmp_path / "data") as flyte:
        client = Client(flyte.endpoint)
        client.workflow("wf", [task_node("n0", client.command("slow", "sleep", "600"), None)])
        execution = client.launch("wf")
        until(lambda: client.node_phases(execution).get("n0") == "RUNNING")
        client.terminate(execution)
        flyte.kill()
        client.close()
        flyte.restart()
        client = Client(flyte.endpoint)
        assert client.end(execution) == "ABORTED"
        assert client.node_phases(execution)["n0"] == "ABORTED"
        client.close()


def test_the_server_ends_with_its_parent(tmp_path: Path) -> None:
    script = (
        "import os\nfrom airflow_flyte_provider.local import LocalFlyte\n"
        f"flyte = LocalFlyte({str(tmp_path / 'data')!r}).start()\n"
        "print(flyte.pid, flush=True)\nos.kill(os.getpid(), 9)\n"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    pid = int(told.stdout)
    until(
        lambda: not Path(f"/proc/{pid}").exists() or "(python) Z" in Path(f"/proc/{pid}/stat").read_text(), 10
    )


def test_attempts_that_failed_before_a_crash_are_not_run_again(tmp_path: Path) -> None:
    with LocalFlyte(tmp_path / "data") as flyte:
        client = Client(flyte.endpoint)
        wait = f"while [ ! -e {tmp_path}/go ]; do sleep 0.05; done"
        script = f"echo try >> {tmp_path}/tries; [ $(wc -l < {tmp_path}/tries) -ge 2 ] || exit 1; {wait}"
        client.workflow("wf", [task_node("n0", client.command("flaky", "sh", "-c", script, retries=1), None)])
        execution = client.launch("wf")
        tries = tmp_path / "tries"
        until(lambda: tries.exists() and len(tries.read_text().split()) == 2)
        flyte.kill()
        client.close()
        flyte.restart()
        client = Client(flyte.endpoint)
        (tmp_path / "go").touch()
        assert client.end(execution) == "SUCCEEDED"
        assert len(tries.read_text().split()) == 3
        client.close()


def test_a_failure_that_is_being_handled_goes_on_after_a_crash(tmp_path: Path) -> None:
    with LocalFlyte(tmp_path / "data") as flyte:
        client = Client(flyte.endpoint)
        wrong = client.command("wrong", "sh", "-c", f"echo wrong >> {tmp_path}/done; exit 1")
        wait = f"touch {tmp_path}/began; while [ ! -e {tmp_path}/go ]; do sleep 0.05; done"
        handler = task_node("efn", client.command("handler", "sh", "-c", wait), None)
        client.workflow("wf", [task_node("n0", wrong, None)], failure_node=handler)
        execution = client.launch("wf")
        until(lambda: (tmp_path / "began").exists())
        flyte.kill()
        client.close()
        flyte.restart()
        client = Client(flyte.endpoint)
        assert client.phase(execution) == "FAILING"
        (tmp_path / "go").touch()
        assert client.end(execution) == "FAILED"
        assert (tmp_path / "done").read_text() == "wrong\n"
        assert client.node_phases(execution)["efn"] == "SUCCEEDED"
        assert client.execution(execution).closure.error.code == "RetriesExhausted|TaskProcessFailed"
        client.close()
