from datetime import timedelta, timezone

from flyteidl.admin import node_execution_pb2, task_execution_pb2

from airflow_flyte_provider.model.identifiers import EntityId, EntityKind, ExecutionId, NodeExecutionId
from airflow_flyte_provider.model.phases import NodePhase, TaskPhase
from airflow_flyte_provider.model.views.attempts import LogLink, TaskExecution
from airflow_flyte_provider.model.views.executions import Execution
from airflow_flyte_provider.model.views.nodes import NodeExecution, own
from tests.recordings import answers


def level(name, parent=""):
    """The nodes of a recorded execution, one level of them, by id."""
    for request, answer in answers("ListNodeExecutions"):
        same = request["workflow_execution_id"]["name"] == name
        if same and request.get("unique_parent_id", "") == parent:
            return {proto.id.node_id: NodeExecution.from_proto(proto) for proto in answer.node_executions}
    raise AssertionError(name)


def test_every_recorded_node_is_read_as_it_stands():
    protos = [proto for _, answer in answers("ListNodeExecutions") for proto in answer.node_executions]
    assert len(protos) > 20
    for proto in protos:
        view = NodeExecution.from_proto(proto)
        assert view.id.node_id == proto.id.node_id
        assert view.id.execution.name == proto.id.execution_id.name
        assert view.phase.number == proto.closure.phase
        assert view.created_at.tzinfo is view.updated_at.tzinfo is timezone.utc
        assert (view.error is not None) == (view.phase.name in ("FAILED", "ABORTED"))
        assert view.is_edge == (view.spec_id in ("start-node", "end-node"))
        assert view.output_uri == proto.closure.output_uri
        assert view.input_uri == proto.input_uri


def test_a_node_of_a_sub_workflow_has_its_id_there_and_one_of_its_own():
    outer = level("nstv1c")["n0"]
    assert (outer.is_parent, outer.has_tasks, outer.cache_status) == (True, False, "")
    inner = level("nstv1c", "n0")
    assert {node.spec_id for node in own(inner.values())} == {"n0"}
    node = inner["n0-0-n0"]
    assert (node.name, node.retry_group, node.is_successful, node.has_tasks) == ("n0", "0", True, True)
    assert node.cache_status == "CACHE_DISABLED"
    assert node.duration == timedelta(seconds=1, microseconds=880250)


def test_the_node_of_a_branch_that_was_taken():
    assert {node.spec_id for node in level("b1v2", "n0").values()} == {"n0-n0"}


def test_a_failed_node_tells_why():
    failed = level("gtov2")["n1"]
    assert failed.phase is NodePhase.FAILED
    assert failed.error.code == "RetriesExhausted|TimeoutExpired"


def test_an_attempt_at_a_task():
    [proto] = next(
        answer for _, answer in answers("ListTaskExecutions") if answer.task_executions
    ).task_executions
    task = TaskExecution.from_proto(proto)
    assert task.id.node == NodeExecutionId(ExecutionId("flytesnacks", "development", "ok1v1c"), "n0")
    assert task.id.task == EntityId(EntityKind.TASK, "flytesnacks", "development", "demo.echo_int", "v1c")
    assert (task.attempt, task.phase, task.is_done) == (0, TaskPhase.SUCCEEDED, True)
    assert (task.task_type, task.plugin, task.logs) == ("echo", "echo", ())
    assert task.output_uri.endswith("/n0/data/0/outputs.pb")
    assert str(task.id) == "attempt 0 of node n0 of flytesnacks/development/ok1v1c"


def test_the_elements_of_an_array_node():
    proto = task_execution_pb2.TaskExecution()
    first = proto.closure.metadata.external_resources.add(external_id="x-n0-0-n0-0", index=0, phase=3)
    first.logs.add(name="log", uri="http://log/0")
    proto.closure.metadata.external_resources.add(
        index=1, retry_attempt=2, phase=5
    ).workflow_node_metadata.execution_id.name = "c"
    done, failed = TaskExecution.from_proto(proto).elements
    assert (done.name, done.phase, done.logs) == (
        "x-n0-0-n0-0",
        TaskPhase.SUCCEEDED,
        (LogLink("log", "http://log/0"),),
    )
    assert (failed.index, failed.attempt, failed.phase) == (1, 2, TaskPhase.FAILED)
    assert (failed.launched.name, done.launched) == ("c", None)


def test_nothing_known_yet():
    view = NodeExecution.from_proto(node_execution_pb2.NodeExecution())
    assert view.phase is NodePhase.UNDEFINED
    assert view.error is view.launched is view.created_at is view.duration is None
    assert TaskExecution.from_proto(task_execution_pb2.TaskExecution()).phase is TaskPhase.UNDEFINED


def test_what_flyte_tells_of_a_child_execution():
    protos = [proto for _, answer in answers("ListExecutions") for proto in answer.executions]
    children = [view for view in map(Execution.from_proto, protos) if view.mode == "CHILD_WORKFLOW"]
    assert children
    for view in children:
        assert view.id.name.startswith(f"{view.parent_node.execution.name}-{view.parent_node.node_id}-")


def test_what_flyte_tells_of_any_execution():
    views = [Execution.from_proto(proto) for _, proto in answers("GetExecution", "engine")]
    assert {(view.namespace, view.max_parallelism, view.interruptible) for view in views} == {
        ("flytesnacks-development", 25, None)
    }
    assert {view.output_uri.rpartition("/")[2] for view in views if view.is_successful} == {"outputs.pb"}
