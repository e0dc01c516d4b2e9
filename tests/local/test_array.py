"""Array nodes: elements, how many may fail, how many run at once, and what clients see of them."""

from __future__ import annotations

from typing import Any

import pytest
from flyteidl.admin import execution_pb2, task_execution_pb2
from flyteidl.core import catalog_pb2, identifier_pb2, tasks_pb2, types_pb2
from flyteidl.core import execution_pb2 as core_execution
from flyteidl.core import workflow_pb2 as core_workflow

from airflow_flyte_provider.local import LocalFlyte
from tests.local.client import INTEGER, Client, identifier, interface, until

INTEGERS = types_pb2.LiteralType(collection_type=INTEGER)


def _map(client: Client, name: str, task: identifier_pb2.Identifier, **fields: Any) -> None:
    """Register a workflow that maps a task over its input `a`."""
    node = core_workflow.Node(id="n0", array_node=core_workflow.ArrayNode(**fields))
    node.array_node.node.id = "n0"
    node.array_node.node.task_node.reference_id.CopyFrom(task)
    for var in ("a", *node.array_node.bound_inputs):
        node.inputs.add(var=var).binding.promise.var = var
    inputs = {"a": INTEGERS, **dict.fromkeys(node.array_node.bound_inputs, INTEGER)}
    client.workflow(name, [node], inputs=inputs)


def _shell(client: Client, name: str, script: str, retries: int = 0) -> identifier_pb2.Identifier:
    """Register a task that runs a shell script for each element."""
    container = tasks_pb2.Container(image="none", args=["sh", "-c", script])
    metadata = tasks_pb2.TaskMetadata(retries={"retries": retries})
    taken = interface(a=INTEGERS)
    taken.ClearField("outputs")
    return client.task(name, type="python-task", interface=taken, container=container, metadata=metadata)


def _launch(client: Client, plan: str, size: int) -> Any:
    request = execution_pb2.ExecutionCreateRequest(project="flytesnacks", domain="development")
    request.spec.launch_plan.CopyFrom(identifier(identifier_pb2.LAUNCH_PLAN, plan))
    request.inputs.literals["a"].collection.SetInParent()
    for number in range(size):
        request.inputs.literals["a"].collection.literals.add().scalar.primitive.integer = number * 10
    return client.admin.CreateExecution(request).id


def _task_execution(client: Client, execution: Any) -> task_execution_pb2.TaskExecution:
    (found,) = client.attempts(execution, "n0")
    return found


def _phases(task: task_execution_pb2.TaskExecution) -> list[tuple[int, int, str]]:
    name = core_execution.TaskExecution.Phase.Name
    resources = task.closure.metadata.external_resources
    return [(one.index, one.retry_attempt, name(one.phase)) for one in resources]


def test_an_array_node_is_one_task_execution_with_its_elements(client: Client, unique) -> None:
    _map(client, unique("wf"), client.task(unique("echo"), INTEGERS))
    execution = _launch(client, unique("wf"), 3)
    assert client.end(execution) == "SUCCEEDED"
    node, task = client.node(execution, "n0"), _task_execution(client, execution)
    assert node.metadata.is_array
    assert not node.metadata.is_parent_node
    assert (task.closure.task_type, task.closure.metadata.plugin_identifier) == (
        "container_array",
        "k8s-array",
    )
    assert _phases(task) == [(index, 0, "SUCCEEDED") for index in range(3)]
    assert task.closure.metadata.external_resources[2].external_id == f"{execution.name}-n0-0-n2-0"
    given = client.node_data(execution, "n0").full_outputs.literals["a"].collection.literals
    assert [one.scalar.primitive.integer for one in given] == [0, 10, 20]


def test_an_empty_list_gives_an_empty_list(client: Client, unique) -> None:
    _map(client, unique("wf"), client.task(unique("echo"), INTEGERS))
    execution = _launch(client, unique("wf"), 0)
    assert client.end(execution) == "SUCCEEDED"
    given = client.node_data(execution, "n0").full_outputs.literals["a"]
    assert given.WhichOneof("value") == "collection"
    assert not given.collection.literals


def test_too_many_failures_fail_the_node_with_each_message_once(client: Client, unique) -> None:
    script = "[ $FLYTE_K8S_ARRAY_INDEX = 3 ] && exec sleep 600; sleep 0.3; exit 2"
    _map(client, unique("wf"), _shell(client, unique("wrong"), script), min_successes=2)
    execution = _launch(client, unique("wf"), 4)
    assert client.end(execution) == "FAILED"
    error = client.execution(execution).closure.error
    assert error.code == ""
    assert error.message.startswith("[0-2]: [1/1] currentAttempt done. Last Error: USER::")
    task = _task_execution(client, execution)
    assert [phase for *_, phase in _phases(task)] == ["FAILED", "FAILED", "FAILED", "ABORTED"]
    assert task.closure.error.message == error.message
    assert client.node(execution, "n0").closure.error.message == error.message


@pytest.mark.parametrize("criterion", [{"min_success_ratio": 0.6}, {"min_successes": 2}])
def test_some_elements_may_fail(client: Client, unique, criterion: dict[str, Any]) -> None:
    _map(client, unique("wf"), _shell(client, unique("t"), "[ $FLYTE_K8S_ARRAY_INDEX != 1 ]"), **criterion)
    execution = _launch(client, unique("wf"), 3)
    assert client.end(execution) == "SUCCEEDED"
    phases = [phase for *_, phase in _phases(_task_execution(client, execution))]
    assert phases == ["SUCCEEDED", "FAILED", "SUCCEEDED"]


def test_each_element_has_its_own_retries(client: Client, unique, tmp_path) -> None:
    script = f'[ "$FLYTE_K8S_ARRAY_INDEX $FLYTE_ATTEMPT_NUMBER" != "1 0" ] || exit 1; touch {tmp_path}/x'
    _map(client, unique("wf"), _shell(client, unique("flaky"), script, retries=1))
    execution = _launch(client, unique("wf"), 2)
    assert client.end(execution) == "SUCCEEDED"
    assert _phases(_task_execution(client, execution)) == [
        (0, 0, "SUCCEEDED"),
        (1, 0, "FAILED"),
        (1, 1, "SUCCEEDED"),
    ]


def test_parallelism_holds_elements_back(client: Client, unique, tmp_path) -> None:
    (tmp_path / "busy").mkdir()
    script = "ls busy | wc -l >> seen; touch busy/$$; sleep 0.2; rm busy/$$"
    _map(client, unique("wf"), _shell(client, unique("busy"), f"cd {tmp_path}; {script}"), parallelism=1)
    assert client.end(_launch(client, unique("wf"), 3)) == "SUCCEEDED"
    assert (tmp_path / "seen").read_text().split() == ["0", "0", "0"]


def test_elements_are_cached_one_by_one(client: Client, unique) -> None:
    metadata = tasks_pb2.TaskMetadata(discoverable=True, discovery_version="1")
    _map(client, unique("wf"), client.task(unique("echo"), INTEGERS, metadata=metadata))
    assert client.end(_launch(client, unique("wf"), 2)) == "SUCCEEDED"
    execution = _launch(client, unique("wf"), 3)
    assert client.end(execution) == "SUCCEEDED"
    task = _task_execution(client, execution)
    statuses = [one.cache_status for one in task.closure.metadata.external_resources]
    hit, populated = catalog_pb2.CatalogCacheStatus.CACHE_HIT, catalog_pb2.CatalogCacheStatus.CACHE_POPULATED
    assert statuses == [hit, hit, populated]
    assert _phases(task) == [(index, 0, "SUCCEEDED") for index in range(3)]


def test_elements_that_are_over_are_not_run_again_after_a_crash(tmp_path) -> None:
    with LocalFlyte(tmp_path / "data") as flyte:
        client = Client(flyte.endpoint)
        script = (
            f"cd {tmp_path}; echo $FLYTE_K8S_ARRAY_INDEX >> ran; [ $FLYTE_K8S_ARRAY_INDEX != 0 ] || exit 1; "
            "[ $FLYTE_K8S_ARRAY_INDEX = 1 ] || while [ ! -e go ]; do sleep 0.05; done"
        )
        _map(client, "wf", _shell(client, "t", script), min_successes=2)
        execution = _launch(client, "wf", 3)
        over = [(0, 0, "FAILED"), (1, 0, "SUCCEEDED"), (2, 0, "RUNNING")]
        until(lambda: "n0" in client.node_phases(execution) and _is(client, execution, over))
        until(lambda: "2" in (tmp_path / "ran").read_text())  # a process begins a moment after it is told
        flyte.kill()
        client.close()
        flyte.restart()
        client = Client(flyte.endpoint)
        (tmp_path / "go").touch()
        assert client.end(execution) == "SUCCEEDED"
        assert sorted((tmp_path / "ran").read_text().split()) == ["0", "1", "2", "2"]
        assert _phases(_task_execution(client, execution)) == [*over[:2], (2, 0, "SUCCEEDED")]
        client.close()


def _is(client: Client, execution: Any, phases: list[tuple[int, int, str]]) -> bool:
    return [_phases(task) for task in client.attempts(execution, "n0")] == [phases]
