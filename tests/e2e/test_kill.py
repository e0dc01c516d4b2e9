"""A task that Airflow stops, stops its execution: a real `airflow dags test` process is sent SIGTERM."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from airflow_flyte_provider.admin.client import Call
from airflow_flyte_provider.model.phases import ExecutionPhase
from airflow_flyte_provider.model.views.executions import Execution
from tests.dag_runs import HEADER

BODY = """
    FlyteExecuteOperator(task_id="gated", launch_plan="demo.gated", inputs={"a": 1}, poll_interval=60)
"""


@pytest.fixture
def dag_process(airflow_db, flyte_conn):
    """`airflow dags test` on a DAG whose execution waits for a person for ever."""
    path = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"], "killed.py")
    path.write_text(HEADER.format(dag_id="killed") + BODY)
    process = subprocess.Popen(
        [Path(sys.executable).with_name("airflow"), "dags", "test", "killed"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    yield process
    process.kill()
    process.communicate()
    path.unlink()


def launched_by_killed():
    """A verb: the executions that the DAG `killed` has launched."""
    from flyteidl.admin import common_pb2

    request = common_pb2.ResourceListRequest(
        id=common_pb2.NamedEntityIdentifier(project="flytesnacks", domain="development"), limit=1000
    )
    found = (yield Call("ListExecutions", request, "listing")).executions
    return [view for view in map(Execution.from_proto, found) if view.labels.get("airflow-dag") == "killed"]


def test_sigterm_terminates_the_execution_within_five_seconds(hook, dag_process):
    deadline = time.monotonic() + 120
    while not (running := hook.run(launched_by_killed())):
        assert dag_process.poll() is None, dag_process.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.2)
    time.sleep(1)
    dag_process.send_signal(signal.SIGTERM)
    done = hook.wait(running[0].id, timeout=5, poll_interval=0.1)
    assert done.phase is ExecutionPhase.ABORTED
    assert done.abort_cause.startswith("Airflow stopped task killed.gated of run manual__")
