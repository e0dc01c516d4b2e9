"""flytekit's command line and FlyteRemote against the local Flyte, as a user types and writes them."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from flyteidl.core.execution_pb2 import NodeExecution, WorkflowExecution
from flyteidl.core.identifier_pb2 import WorkflowExecutionIdentifier

from airflow_flyte_provider.local import LocalFlyte
from tests.conftest import VERSION, register_demo
from tests.local.client import DOMAIN, PROJECT, Client, until

_SOON = timedelta(milliseconds=200)
_FLOW = Path(__file__).with_name("demo_flow.py")


@pytest.fixture(scope="module")
def demo(flyte: LocalFlyte) -> LocalFlyte:
    """The local Flyte with the workflows of the recordings, which need no Python to run."""
    register_demo(flyte.endpoint)
    return flyte


@pytest.fixture(scope="module")
def remote(demo: LocalFlyte):
    from flytekit.configuration import Config, PlatformConfig
    from flytekit.remote import FlyteRemote

    platform = PlatformConfig(endpoint=demo.endpoint, insecure=True)
    return FlyteRemote(Config(platform=platform), default_project=PROJECT, default_domain=DOMAIN)


@pytest.fixture
def pyflyte(demo: LocalFlyte, tmp_path: Path):
    """Runs `pyflyte` in a folder with a user's code and configuration. Returns what it prints."""
    (tmp_path / "flow.py").write_text(_FLOW.read_text())
    (tmp_path / "config.yaml").write_text(f"admin:\n  endpoint: dns:///{demo.endpoint}\n  insecure: true\n")

    def run(*words: str) -> str:
        command = [Path(sys.executable).with_name("pyflyte"), "--config", "config.yaml", *words]
        environment = {**os.environ, "COLUMNS": "500", "NO_COLOR": "1"}
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def _workflow(remote, name: str):
    return remote.fetch_workflow(name=name, version=VERSION)


def _at_its_gates(remote):
    """Launch `demo.gated`, and return the execution once it waits for its approval and its title."""
    execution = remote.execute(_workflow(remote, "demo.gated"), inputs={"a": 1})
    until(lambda: len(remote.list_signals(execution.id.name)) == 2)
    return execution


def test_register_uploads_the_code_that_an_execution_runs(pyflyte, remote) -> None:
    told = pyflyte("register", "-p", PROJECT, "-d", DOMAIN, "--version", "cli-1", "flow.py")
    assert "flow.doubled" in told
    workflow = remote.fetch_workflow(name="flow.doubled", version="cli-1")
    execution = remote.wait(remote.execute(workflow, inputs={"a": 4}), 120, poll_interval=_SOON)
    assert execution.outputs == {"o0": 8}


def test_run_remote_launches_and_waits(pyflyte, demo: LocalFlyte, tmp_path: Path) -> None:
    options = ["-p", PROJECT, "-d", DOMAIN, "--name", "from-cli", "--wait-execution", "--poll-interval", "1"]
    told = pyflyte("run", "--remote", *options, "flow.py", "doubled", "--a", "3")
    assert "from-cli" in told
    client = Client(demo.endpoint)
    execution = WorkflowExecutionIdentifier(project=PROJECT, domain=DOMAIN, name="from-cli")
    assert client.phase(execution) == "SUCCEEDED"
    assert client.outputs(execution).literals["o0"].scalar.primitive.integer == 6
    client.close()


def test_backfill_runs_the_days_asked_for(pyflyte, remote) -> None:
    days = ["--from-date", "2026-01-01", "--to-date", "2026-01-03"]
    where = ["-p", PROJECT, "-d", DOMAIN, "-v", VERSION, "--execution-name", "back-cli"]
    pyflyte("backfill", *where, *days, "demo.sched_daily")
    execution = remote.fetch_execution(name="back-cli")
    execution = remote.wait(execution, 60, poll_interval=_SOON)
    assert execution.closure.phase == WorkflowExecution.SUCCEEDED, execution.error
    nodes = sorted(name for name in execution.node_executions if name.startswith("n"))
    assert nodes == ["n0", "n1"]
    begun = [execution.node_executions[name].inputs["kickoff"] for name in nodes]
    assert begun == [datetime(2026, 1, day, 2, tzinfo=timezone.utc) for day in (1, 2)]


def test_execute_with_wait_returns_the_outputs(remote, monkeypatch) -> None:
    """`execute(wait=True)` looks every 30 s and can't be told otherwise: only its pause is shortened here."""
    from flytekit.remote import remote as flytekit_remote

    sleep = flytekit_remote.time.sleep
    pauses = []
    monkeypatch.setattr(
        flytekit_remote.time, "sleep", lambda seconds: (pauses.append(seconds), sleep(min(seconds, 0.2)))
    )
    execution = remote.execute(_workflow(remote, "demo.add_one"), inputs={"a": 5}, wait=True)
    assert execution.is_done
    assert execution.outputs == {"o0": 5}
    assert 30 in pauses


def test_sync_reads_every_node(remote) -> None:
    execution = remote.execute(_workflow(remote, "demo.nested"), inputs={"a": 5})
    until(lambda: remote.sync(execution).is_done)
    execution = remote.sync(execution, sync_nodes=True)
    assert {"start-node", "end-node", "n0"} <= execution.node_executions.keys()
    assert execution.node_executions["n0"].outputs == {"o0": 5}
    assert execution.id.name in {one.id.name for one in remote.recent_executions(limit=100)}


def test_gates_take_what_they_are_given(remote) -> None:
    execution = _at_its_gates(remote)
    name = execution.id.name
    assert {one.id.signal_id for one in remote.list_signals(name)} == {"approve-me", "title"}
    remote.approve("approve-me", name)
    remote.set_input("title", name, "a title", python_type=str)
    execution = remote.wait(execution, 20, poll_interval=_SOON)
    assert execution.outputs == {"o0": 1}
    assert execution.node_executions["n3"].inputs == {"s": "a title"}
    again = _at_its_gates(remote)
    remote.set_signal("title", again.id.name, "another", python_type=str)
    remote.approve("approve-me", again.id.name)
    assert remote.wait(again, 20, poll_interval=_SOON).node_executions["n3"].inputs == {"s": "another"}


def test_terminate_aborts_with_the_cause(remote) -> None:
    execution = _at_its_gates(remote)
    remote.terminate(execution, "no longer wanted")
    execution = remote.wait(execution, 20, poll_interval=_SOON)
    assert execution.closure.abort_metadata.cause == "no longer wanted"


def test_recovering_runs_what_is_left(remote) -> None:
    """FlyteRemote has no call for it: users take the client below it."""
    execution = _at_its_gates(remote)
    remote.reject("approve-me", execution.id.name)
    failed = remote.wait(execution, 20, poll_interval=_SOON)
    assert failed.error.code == "ReceivedRejectSignal"
    name = remote.client.recover_execution(failed.id).name
    until(lambda: len(remote.list_signals(name)) == 2)
    remote.approve("approve-me", name)
    remote.set_input("title", name, "a title", python_type=str)
    recovered = remote.wait(remote.fetch_execution(name=name), 20, poll_interval=_SOON)
    assert recovered.outputs == {"o0": 1}
    assert recovered.node_executions["n0"].closure.phase == NodeExecution.RECOVERED
    again = remote.fetch_execution(name=remote.client.relaunch_execution(failed.id).name)
    assert again.spec.metadata.reference_execution == failed.id
    remote.terminate(again, "seen enough")


def test_values_are_got_and_downloaded_by_their_address(remote, tmp_path: Path) -> None:
    execution = remote.execute(_workflow(remote, "demo.greet"), inputs={"s": "hello"})
    remote.wait(execution, 20, poll_interval=_SOON)
    node = f"flyte://v1/{PROJECT}/{DOMAIN}/{execution.id.name}/n0"
    outputs = remote.get(f"{node}/o")
    assert outputs.get("s", str) == "hello"
    assert remote.get(f"{node}/i").get("s", str) == "hello"
    assert remote.get(f"{node}/0/o/s").scalar.primitive.string_value == "hello"


def test_a_file_is_uploaded_and_downloaded(remote, tmp_path: Path) -> None:
    from flytekit.models.core.types import BlobType
    from flytekit.models.literals import Blob, BlobMetadata, Literal, Scalar

    (tmp_path / "report.txt").write_text("all is well")
    _, address = remote.upload_file(tmp_path / "report.txt")
    blob = Blob(BlobMetadata(BlobType("", BlobType.BlobDimensionality.SINGLE)), address)
    remote.download(Literal(Scalar(blob=blob)), str(tmp_path / "got"))
    assert [one.read_text() for one in (tmp_path / "got").rglob("*") if one.is_file()] == ["all is well"]
