"""Real flytekit against the local Flyte: register, execute, read back."""

from __future__ import annotations

import urllib.request
from datetime import timedelta

import pytest

from tests.local.client import until


@pytest.fixture(scope="module")
def workflow(remote, user_code):
    """The demo workflow, registered with its code (fast registration)."""
    module, folder = user_code("demo_flow")
    return remote.register_script(
        module.doubled, source_path=str(folder), module_name="demo_flow", version="script-1"
    )


def _finished(remote, execution):
    until(lambda: remote.sync_execution(execution).is_done, 90)
    return remote.sync_execution(execution, sync_nodes=True)


def test_a_workflow_of_python_tasks_runs(remote, workflow) -> None:
    execution = _finished(remote, remote.execute(workflow, inputs={"a": 3}))
    assert execution.outputs == {"o0": 6}
    attempt = execution.node_executions["n1"].task_executions[0]
    with urllib.request.urlopen(attempt.closure.logs[0].uri) as log:
        assert b"doubling 3" in log.read()
    assert attempt.closure.duration > timedelta(0)


def test_a_task_that_raises_fails_the_execution(remote, workflow) -> None:
    execution = _finished(remote, remote.execute(workflow, inputs={"a": 9}))
    assert "9 is too much" in execution.error.message
    assert "n1" not in execution.node_executions
    assert execution.node_executions["n0"].closure.error.message == execution.error.message
