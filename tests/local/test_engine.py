"""What executions do on their way: order, failure, gates, children, parallelism, termination."""

from __future__ import annotations

import time

import grpc
import pytest
from flyteidl.admin import execution_pb2, node_execution_pb2, signal_pb2, task_execution_pb2
from flyteidl.core import identifier_pb2
from flyteidl.core import workflow_pb2 as core_workflow

from tests.local.client import Client, identifier, task_node, until


def test_sixty_echo_executions_are_done_in_three_seconds(client: Client, unique) -> None:
    task = client.task(unique("echo"))
    client.workflow(unique("wf"), [task_node("n0", task)], output=("n0", "a"))
    begin = time.monotonic()
    started = [client.launch(unique("wf"), a=number) for number in range(60)]
    assert {client.end(one) for one in started} == {"SUCCEEDED"}
    assert time.monotonic() - begin < 3 * 2  # the machine that tests may be busy with other tests
    results = [client.outputs(one).literals["o0"].scalar.primitive.integer for one in started]
    assert results == list(range(60))


def test_nodes_without_dependencies_run_at_once(client: Client, unique, tmp_path) -> None:
    # each waits until the other is there, so that one after the other would never end
    script = f"touch {tmp_path}/$1; while [ ! -e {tmp_path}/$2 ]; do sleep 0.05; done"
    first = client.command(unique("first"), "sh", "-c", script, "sh", "x", "y")
    second = client.command(unique("second"), "sh", "-c", script, "sh", "y", "x")
    client.workflow(unique("wf"), [task_node("n0", first, None), task_node("n1", second, None)])
    assert client.end(client.launch(unique("wf"))) == "SUCCEEDED"


def test_max_parallelism_holds_back_the_rest(client: Client, unique, tmp_path) -> None:
    script = f"ls {tmp_path} | wc -l >> {tmp_path}/../seen; touch {tmp_path}/$$; sleep 0.3; rm {tmp_path}/$$"
    task = client.command(unique("busy"), "sh", "-c", script)
    client.workflow(unique("wf"), [task_node(f"n{number}", task, None) for number in range(3)])
    request = execution_pb2.ExecutionCreateRequest(project="flytesnacks", domain="development")
    request.spec.launch_plan.CopyFrom(identifier(identifier_pb2.LAUNCH_PLAN, unique("wf")))
    request.spec.max_parallelism = 1
    request.inputs.literals["a"].scalar.primitive.integer = 1
    assert client.end(client.admin.CreateExecution(request).id) == "SUCCEEDED"
    assert (tmp_path / ".." / "seen").read_text().split() == ["0", "0", "0"]


def test_a_failure_stops_the_other_nodes(client: Client, unique) -> None:
    slow = client.command(unique("slow"), "sleep", "600")
    wrong = client.command(unique("wrong"), "sh", "-c", "echo it went wrong; exit 3")
    client.workflow(unique("wf"), [task_node("n0", slow, None), task_node("n1", wrong, None)])
    execution = client.launch(unique("wf"))
    assert client.end(execution) == "FAILED"
    error = client.execution(execution).closure.error
    assert error.code == "RetriesExhausted|TaskProcessFailed"
    assert "exit code 3" in error.message
    assert "it went wrong" in error.message
    assert client.node_phases(execution) == {"start-node": "SUCCEEDED", "n0": "ABORTED", "n1": "FAILED"}


def test_retries_are_used_and_told(client: Client, unique, tmp_path) -> None:
    script = f"echo try >> {tmp_path}/tries; [ $(wc -l < {tmp_path}/tries) -ge 3 ]"
    flaky = client.command(unique("flaky"), "sh", "-c", script, retries=2)
    client.workflow(unique("wf"), [task_node("n0", flaky, None)])
    execution = client.launch(unique("wf"))
    assert client.end(execution) == "SUCCEEDED"
    node = identifier_pb2.NodeExecutionIdentifier(node_id="n0", execution_id=execution)
    request = task_execution_pb2.TaskExecutionListRequest(node_execution_id=node, limit=10)
    attempts = client.admin.ListTaskExecutions(request).task_executions
    assert [one.id.retry_attempt for one in attempts] == [0, 1, 2]
    assert [one.closure.error.code for one in attempts] == ["TaskProcessFailed", "TaskProcessFailed", ""]


def test_terminating_ends_the_process_too(client: Client, unique, tmp_path) -> None:
    script = f"echo $$ > {tmp_path}/pid; exec sleep 600"
    slow = client.command(unique("slow"), "sh", "-c", script)
    client.workflow(unique("wf"), [task_node("n0", slow, None)])
    execution = client.launch(unique("wf"))
    pid_file = tmp_path / "pid"
    until(lambda: pid_file.exists() and pid_file.read_text().strip() != "")
    client.terminate(execution, "no longer wanted")
    assert client.phase(execution) == "ABORTING"
    assert client.end(execution) == "ABORTED"
    assert client.execution(execution).closure.abort_metadata.cause == "no longer wanted"
    assert client.node_phases(execution)["n0"] == "ABORTED"
    until(lambda: not _alive(int(pid_file.read_text())))


def test_a_launch_plan_node_has_an_execution_of_its_own(client: Client, unique) -> None:
    task = client.task(unique("echo"))
    client.workflow(unique("inner"), [task_node("n0", task)], output=("n0", "a"))
    node = core_workflow.Node(id="n0")
    node.workflow_node.launchplan_ref.CopyFrom(identifier(identifier_pb2.LAUNCH_PLAN, unique("inner")))
    node.inputs.add(var="a").binding.promise.var = "a"
    client.workflow(unique("outer"), [node], output=("n0", "o0"))
    execution = client.launch(unique("outer"), a=8)
    assert client.end(execution) == "SUCCEEDED"
    assert client.outputs(execution).literals["o0"].scalar.primitive.integer == 8
    request = node_execution_pb2.NodeExecutionGetRequest()
    request.id.node_id = "n0"
    request.id.execution_id.CopyFrom(execution)
    child = client.admin.GetNodeExecution(request).closure.workflow_node_metadata.executionId
    assert child.name == f"{execution.name}-n0-0"
    metadata = client.execution(child).spec.metadata
    assert metadata.mode == metadata.CHILD_WORKFLOW
    assert metadata.parent_node_execution.execution_id == execution


def test_terminating_a_parent_ends_its_child(client: Client, unique) -> None:
    slow = client.command(unique("slow"), "sleep", "600")
    client.workflow(unique("inner"), [task_node("n0", slow, None)])
    node = core_workflow.Node(id="n0")
    node.workflow_node.launchplan_ref.CopyFrom(identifier(identifier_pb2.LAUNCH_PLAN, unique("inner")))
    node.inputs.add(var="a").binding.promise.var = "a"
    client.workflow(unique("outer"), [node])
    execution = client.launch(unique("outer"))
    child = identifier_pb2.WorkflowExecutionIdentifier()
    child.CopyFrom(execution)
    child.name += "-n0-0"
    until(lambda: client.node_phases(execution).get("n0") == "RUNNING")
    client.terminate(execution)
    assert client.end(execution) == "ABORTED"
    assert client.end(child) == "ABORTED"
    assert "cascading abort" in client.execution(child).closure.abort_metadata.cause


def test_a_gate_waits_for_its_signal(client: Client, unique) -> None:
    gate = core_workflow.Node(id="n0")
    gate.gate_node.approve.signal_id = "go"
    gate.inputs.add(var="a").binding.promise.var = "a"
    client.workflow(unique("wf"), [gate], output=("n0", "a"))
    execution = client.launch(unique("wf"), a=4)
    request = signal_pb2.SignalSetRequest()
    request.id.signal_id = "go"
    request.id.execution_id.CopyFrom(execution)
    request.value.scalar.primitive.boolean = True
    with pytest.raises(grpc.RpcError, match="signal does not exist"):
        client.signals.SetSignal(request)
    listing = signal_pb2.SignalListRequest(workflow_execution_id=execution, limit=5)
    until(lambda: len(client.signals.ListSignals(listing).signals) == 1)
    assert client.phase(execution) == "RUNNING"
    client.signals.SetSignal(request)
    assert client.end(execution) == "SUCCEEDED"
    assert client.outputs(execution).literals["o0"].scalar.primitive.integer == 4


def test_recovering_does_not_run_again_what_succeeded(client: Client, unique, tmp_path) -> None:
    once = client.command(unique("once"), "sh", "-c", f"echo ran >> {tmp_path}/once")
    flaky = client.command(unique("flaky"), "sh", "-c", f"[ -e {tmp_path}/mended ]")
    client.workflow(unique("wf"), [task_node("n0", once, None), task_node("n1", flaky, None, ["n0"])])
    failed = client.launch(unique("wf"))
    assert client.end(failed) == "FAILED"
    (tmp_path / "mended").touch()
    recovered = client.admin.RecoverExecution(execution_pb2.ExecutionRecoverRequest(id=failed)).id
    assert client.end(recovered) == "SUCCEEDED"
    assert (tmp_path / "once").read_text() == "ran\n"
    assert client.node_phases(recovered)["n0"] == "RECOVERED"


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_an_execution_can_be_terminated_before_it_begins(client: Client, unique) -> None:
    slow = client.command(unique("slow"), "sleep", "600")
    client.workflow(unique("wf"), [task_node("n0", slow, None)])
    execution = client.launch(unique("wf"))
    client.terminate(execution, "changed my mind")
    assert client.end(execution) == "ABORTED"
    assert client.execution(execution).closure.abort_metadata.cause == "changed my mind"
