"""What follows a failure: failure nodes, policies, timeouts and values that can't be had."""

from __future__ import annotations

import pytest
from flyteidl.admin import execution_pb2, workflow_pb2
from flyteidl.core import execution_pb2 as core_execution
from flyteidl.core import identifier_pb2, literals_pb2, tasks_pb2, types_pb2
from flyteidl.core import workflow_pb2 as core_workflow

from airflow_flyte_provider.local.engine.outcome import SYSTEM, USER, ExecutionError, NodeFailed
from airflow_flyte_provider.local.engine.retries import Retries
from airflow_flyte_provider.local.engine.runner import Outcome
from tests.local.client import INTEGER, Client, identifier, integers, interface, task_node, until

POLICY = core_workflow.WorkflowMetadata
OPTIONAL_ERROR = types_pb2.LiteralType(
    union_type=types_pb2.UnionType(
        variants=[
            types_pb2.LiteralType(
                simple=types_pb2.ERROR, structure=types_pb2.TypeStructure(tag="FlyteError")
            ),
            types_pb2.LiteralType(simple=types_pb2.NONE, structure=types_pb2.TypeStructure(tag="none")),
        ]
    )
)


def _register(
    client: Client,
    name: str,
    nodes: list[core_workflow.Node],
    policy: int = POLICY.FAIL_IMMEDIATELY,
    failure_node: core_workflow.Node | None = None,
) -> None:
    template = core_workflow.WorkflowTemplate(
        id=identifier(identifier_pb2.WORKFLOW, name), nodes=nodes, failure_node=failure_node
    )
    template.interface.inputs.variables["a"].type.CopyFrom(INTEGER)
    template.metadata.on_failure = policy
    spec = workflow_pb2.WorkflowSpec(template=template)
    client.admin.CreateWorkflow(workflow_pb2.WorkflowCreateRequest(id=template.id, spec=spec))
    client.launch_plan(name, template.id)


def test_a_failure_node_runs_with_the_error_and_the_execution_still_fails(client: Client, unique) -> None:
    wrong = client.command(unique("wrong"), "sh", "-c", "echo it went wrong; exit 3")
    task = client.task(unique("handler"), interface=interface(err=OPTIONAL_ERROR))
    handler = core_workflow.Node(id="efn")
    handler.task_node.reference_id.CopyFrom(task)
    handler.inputs.add(var="err").binding.scalar.union.CopyFrom(
        literals_pb2.Union(
            value=literals_pb2.Literal(scalar=literals_pb2.Scalar(none_type=literals_pb2.Void())),
            type=OPTIONAL_ERROR.union_type.variants[1],
        )
    )
    _register(client, unique("wf"), [task_node("n0", wrong, None)], failure_node=handler)
    execution = client.launch(unique("wf"))
    assert client.end(execution) == "FAILED"
    error = client.execution(execution).closure.error
    assert error.code == "RetriesExhausted|TaskProcessFailed"
    assert client.node_phases(execution) == {"start-node": "SUCCEEDED", "n0": "FAILED", "efn": "SUCCEEDED"}
    told = client.node_data(execution, "efn").full_inputs.literals["err"].scalar.union
    assert told.type.structure.tag == "FlyteError"
    assert told.value.scalar.error.message == error.message
    assert told.value.scalar.error.failed_node_id == "efn"


def test_the_execution_is_failing_while_its_failure_node_runs(client: Client, unique, tmp_path) -> None:
    wrong = client.command(unique("wrong"), "false")
    wait = client.command(unique("wait"), "sh", "-c", f"while [ ! -e {tmp_path}/go ]; do sleep 0.05; done")
    _register(
        client,
        unique("wf"),
        [task_node("n0", wrong, None)],
        failure_node=task_node("efn", wait, None),
    )
    execution = client.launch(unique("wf"))
    until(lambda: client.node_phases(execution).get("efn") == "RUNNING")
    assert client.phase(execution) == "FAILING"
    (tmp_path / "go").touch()
    assert client.end(execution) == "FAILED"


@pytest.mark.parametrize(
    ("policy", "after"),
    [(POLICY.FAIL_IMMEDIATELY, None), (POLICY.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE, "SUCCEEDED")],
)
def test_the_policy_says_what_becomes_of_other_nodes(client: Client, unique, policy: int, after) -> None:
    wrong = client.command(unique("wrong"), "false")
    slow = client.command(unique("slow"), "sleep", "0.4")
    nodes = [
        task_node("n0", wrong, None),
        task_node("n1", slow, None),
        task_node("n2", slow, None, ["n1"]),
        task_node("n3", slow, None, ["n0"]),
    ]
    _register(client, unique("wf"), nodes, policy)
    execution = client.launch(unique("wf"))
    assert client.end(execution) == "FAILED"
    phases = client.node_phases(execution)
    assert phases.get("n2") == after
    assert phases["n1"] == (after or "ABORTED")
    assert "n3" not in phases


def _sleep(seconds: int, timeout: int, retries: int) -> core_workflow.Node:
    node = core_workflow.Node(id="n0")
    node.gate_node.sleep.duration.seconds = seconds
    node.metadata.timeout.seconds = timeout
    node.metadata.retries.retries = retries
    return node


@pytest.mark.parametrize(
    ("retries", "code", "phase"),
    [(0, "RetriesExhausted|TimeoutExpired", "FAILED"), (1, "Timeout", "TIMED_OUT")],
)
def test_a_node_times_out(client: Client, unique, retries: int, code: str, phase: str) -> None:
    client.workflow(unique("wf"), [_sleep(60, 1, retries)])
    execution = client.launch(unique("wf"))
    assert client.end(execution) == "FAILED"
    assert client.execution(execution).closure.error.code == code
    assert client.node_phases(execution)["n0"] == phase


def test_a_promise_that_leads_nowhere_fails_its_node(client: Client, unique) -> None:
    numbers = types_pb2.LiteralType(collection_type=INTEGER)
    node = task_node("n0", client.task(unique("echo")))
    node.inputs[0].binding.promise.attr_path.add(int_value=3)
    client.workflow(unique("wf"), [node], inputs={"a": numbers})
    request = execution_pb2.ExecutionCreateRequest(project="flytesnacks", domain="development")
    request.spec.launch_plan.CopyFrom(identifier(identifier_pb2.LAUNCH_PLAN, unique("wf")))
    request.inputs.literals["a"].collection.SetInParent()
    execution = client.admin.CreateExecution(request).id
    assert client.end(execution) == "FAILED"
    error = client.execution(execution).closure.error
    assert error.code == "BindingResolutionFailure"
    assert "PromiseAttributeResolveError: index [3] is out of range" in error.message
    assert client.node_phases(execution)["n0"] == "FAILED"


@pytest.mark.parametrize(
    ("of_execution", "of_node", "shown"),
    [(None, None, 0), (True, None, 1), (True, False, 0), (None, True, 1)],
)
def test_interruptible_is_recorded(client: Client, unique, of_execution, of_node, shown: int) -> None:
    node = task_node("n0", client.task(unique("echo")))
    if of_node is not None:
        node.metadata.interruptible = of_node
    client.workflow(unique("wf"), [node])
    request = execution_pb2.ExecutionCreateRequest(project="flytesnacks", domain="development")
    request.spec.launch_plan.CopyFrom(identifier(identifier_pb2.LAUNCH_PLAN, unique("wf")))
    if of_execution is not None:
        request.spec.interruptible.value = of_execution
    request.inputs.CopyFrom(integers(a=1))
    execution = client.admin.CreateExecution(request).id
    assert client.end(execution) == "SUCCEEDED"
    assert client.attempts(execution, "n0")[0].closure.metadata.instance_class == shown


def test_attempts_that_take_too_long_share_twice_the_timeout(client: Client, unique) -> None:
    node = task_node("n0", client.command(unique("slow"), "sleep", "600", retries=5), None)
    node.metadata.timeout.seconds = 1
    client.workflow(unique("wf"), [node])
    execution = client.launch(unique("wf"))
    assert client.end(execution) == "FAILED"
    error = client.execution(execution).closure.error
    assert (error.code, error.message) == ("Timeout", "Timeout in node")
    assert client.node_phases(execution)["n0"] == "TIMED_OUT"
    first, second = client.attempts(execution, "n0")
    assert first.closure.error.code == "TimeoutExpired"
    assert second.closure.phase == core_execution.TaskExecution.ABORTED


def test_failures_of_the_system_are_counted_apart() -> None:
    retries = Retries(core_workflow.Node(), tasks_pb2.TaskTemplate(metadata={"retries": {"retries": 1}}))
    by_system = Outcome(error=ExecutionError(code="Gone", message="gone", kind=SYSTEM), recoverable=True)
    by_user = Outcome(error=ExecutionError(code="Wrong", message="wrong", kind=USER), recoverable=True)
    for outcome in (by_system, by_user, by_system, by_system):
        retries.note(outcome)
    with pytest.raises(NodeFailed, match=r"\[3/3\] currentAttempt done. Last Error: SYSTEM::gone"):
        retries.note(by_system)
    with pytest.raises(NodeFailed, match=r"\[2/2\] currentAttempt done. Last Error: USER::wrong"):
        retries.note(by_user)
