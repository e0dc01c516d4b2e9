"""Kills between two writes of the store, made by putting back what the later one would have written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flyteidl.admin import node_execution_pb2
from flyteidl.core import execution_pb2 as core_execution
from flyteidl.core import identifier_pb2, literals_pb2, tasks_pb2
from flyteidl.core import workflow_pb2 as core_workflow

from airflow_flyte_provider.local import LocalFlyte
from airflow_flyte_provider.local.files.folder import DataFolder
from airflow_flyte_provider.local.store.database import open_database
from airflow_flyte_provider.local.store.executions import ExecutionStore
from tests.local.client import INTEGER, Client, identifier, interface, task_node, until

NodePhase = core_execution.NodeExecution
WorkflowPhase = core_execution.WorkflowExecution


def _restarted_at(flyte: LocalFlyte, client: Client, change: Callable[[ExecutionStore], None]) -> Client:
    """Kill the server, change its store to what it was at an earlier instant, and start it again."""
    flyte.kill()
    client.close()
    database = open_database(DataFolder(flyte.data_dir).database_url)
    change(ExecutionStore(database))
    database.dispose()
    flyte.restart()
    return Client(flyte.endpoint)


def _put_back(store: ExecutionStore, execution_id: Any, *running: str) -> None:
    """Let an execution and some of its nodes run again, as if their end had not been noted."""
    execution = store.get(execution_id)
    execution.closure.phase = WorkflowPhase.RUNNING
    execution.closure.ClearField("error")
    nodes = [node for node in store.nodes(execution_id) if node.id.node_id in running]
    for node in nodes:
        _set_running(node)
    store.write(execution=execution, nodes=nodes)


def _set_running(node: node_execution_pb2.NodeExecution) -> None:
    node.closure.phase = NodePhase.RUNNING
    node.closure.ClearField("error")


def _fail(store: ExecutionStore, execution_id: Any, node_id: str) -> None:
    node = next(one for one in store.nodes(execution_id) if one.id.node_id == node_id)
    node.closure.phase = NodePhase.FAILED
    node.closure.error.code = "wrong"
    store.write(nodes=[node])


def _sub_workflow_node(node_id: str, sub: core_workflow.WorkflowTemplate) -> core_workflow.Node:
    node = core_workflow.Node(id=node_id)
    node.metadata.name = node_id
    node.workflow_node.sub_workflow_ref.CopyFrom(sub.id)
    node.inputs.add(var="a").binding.promise.var = "a"
    return node


def test_a_failure_for_good_is_not_tried_again(tmp_path: Path) -> None:
    with LocalFlyte(tmp_path / "data") as flyte:
        client = Client(flyte.endpoint)
        script = f"echo try >> {tmp_path}/tries"  # and no outputs, which trying again would not bring
        container = tasks_pb2.Container(image="none", args=["sh", "-c", script])
        metadata = tasks_pb2.TaskMetadata(retries=literals_pb2.RetryStrategy(retries=2))
        task = client.task("wrong", type="python-task", container=container, metadata=metadata)
        client.workflow("wf", [task_node("n0", task)])
        execution = client.launch("wf")
        assert client.end(execution) == "FAILED"
        error = client.execution(execution).closure.error
        client = _restarted_at(flyte, client, lambda store: _put_back(store, execution, "n0"))
        assert client.end(execution) == "FAILED"
        assert client.execution(execution).closure.error == error
        assert client.node(execution, "n0").closure.error == error
        assert (tmp_path / "tries").read_text() == "try\n"
        client.close()


def test_a_node_that_was_given_up_is_not_tried_again(tmp_path: Path) -> None:
    with LocalFlyte(tmp_path / "data") as flyte:
        client = Client(flyte.endpoint)
        task = client.task("echo", interface=interface(a=INTEGER, b=INTEGER))
        node = task_node("n0", task)
        node.inputs.add(var="b").binding.scalar.primitive.integer = 1
        client.workflow("wf", [node])
        execution = client.launch("wf")
        assert client.end(execution) == "FAILED"
        error = client.execution(execution).closure.error
        client = _restarted_at(flyte, client, lambda store: _put_back(store, execution, "n0"))
        assert client.end(execution) == "FAILED"
        assert client.execution(execution).closure.error == error
        assert len(client.attempts(execution, "n0")) == 1
        client.close()


@pytest.mark.parametrize("sibling_failed", [False, True])
def test_a_failure_inside_a_sub_workflow_fails_the_node_around_it(
    tmp_path: Path, sibling_failed: bool
) -> None:
    with LocalFlyte(tmp_path / "data") as flyte:
        client = Client(flyte.endpoint)
        wrong = client.command("wrong", "sh", "-c", f"echo try >> {tmp_path}/tries; exit 1")
        slow = client.command("slow", "sleep", "600")
        sub = client.workflow("sub", [task_node("n0", wrong, None)])
        client.workflow("wf", [_sub_workflow_node("n0", sub), task_node("n1", slow, None)], subs=[sub])
        execution = client.launch("wf")
        assert client.end(execution) == "FAILED"

        def before_the_end(store: ExecutionStore) -> None:
            _put_back(store, execution, "n0", "n1")
            if sibling_failed:
                _fail(store, execution, "n1")

        client = _restarted_at(flyte, client, before_the_end)
        assert client.end(execution) == "FAILED"
        phases = client.node_phases(execution)
        assert (phases["n0"], phases["n1"]) == ("FAILED", "FAILED" if sibling_failed else "ABORTED")
        assert client.node(execution, "n0").closure.error.code == "RetriesExhausted|TaskProcessFailed"
        assert (tmp_path / "tries").read_text() == "try\n"
        client.close()


def test_children_of_nodes_beside_a_failure_are_ended(tmp_path: Path) -> None:
    with LocalFlyte(tmp_path / "data") as flyte:
        client = Client(flyte.endpoint)
        client.workflow("child", [task_node("n0", client.command("slow", "sleep", "600"), None)])
        wait = f"while [ ! -e {tmp_path}/go ]; do sleep 0.05; done; exit 1"
        wrong = client.command("wrong", "sh", "-c", wait)
        launching = core_workflow.Node(id="n0")
        launching.metadata.name = "n0"
        launching.workflow_node.launchplan_ref.CopyFrom(identifier(identifier_pb2.LAUNCH_PLAN, "child"))
        launching.inputs.add(var="a").binding.promise.var = "a"
        client.workflow("wf", [launching, task_node("n1", wrong, None)])
        execution = client.launch("wf")
        until(lambda: client.node_phases(execution).get("n0") == "RUNNING")
        until(lambda: client.node_phases(execution).get("n1") == "RUNNING")
        child = client.node(execution, "n0").closure.workflow_node_metadata.executionId
        client = _restarted_at(flyte, client, lambda store: _fail(store, execution, "n1"))
        assert client.end(execution) == "FAILED"
        assert client.node_phases(execution)["n0"] == "ABORTED"
        assert client.end(child) == "ABORTED"
        assert "cascading abort" in client.execution(child).closure.abort_metadata.cause
        client.close()
