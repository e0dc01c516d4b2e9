"""The cache: who shares outputs with whom, and what clients see of it."""

from __future__ import annotations

from typing import Any

from flyteidl.admin import execution_pb2
from flyteidl.core import catalog_pb2, identifier_pb2, tasks_pb2

from tests.local.client import INTEGER, Client, identifier, integers, interface, task_node

CACHED = tasks_pb2.TaskMetadata(discoverable=True, discovery_version="1")


def _status(client: Client, execution: Any) -> str:
    metadata = client.node(execution, "n0").closure.task_node_metadata
    return catalog_pb2.CatalogCacheStatus.Name(metadata.cache_status)


def _run(client: Client, plan: str, a: int = 5) -> Any:
    execution = client.launch(plan, a=a)
    assert client.end(execution) == "SUCCEEDED"
    return execution


def test_outputs_are_kept_by_inputs_and_shown_with_their_source(client: Client, unique) -> None:
    task = client.task(unique("echo"), metadata=CACHED)
    client.workflow(unique("wf"), [task_node("n0", task)], output=("n0", "a"))
    first, second, other = (_run(client, unique("wf"), a) for a in (5, 5, 6))
    assert _status(client, first) == "CACHE_POPULATED"
    assert _status(client, other) == "CACHE_POPULATED"
    assert _status(client, second) == "CACHE_HIT"
    assert client.outputs(second) == integers(o0=5)
    node = client.node(second, "n0")
    assert not node.closure.HasField("started_at")
    key = node.closure.task_node_metadata.catalog_key
    assert key.dataset_id.resource_type == identifier_pb2.DATASET
    assert key.dataset_id.name == f"flyte_task-{task.name}"
    assert key.dataset_id.version.startswith("1-")
    assert key.artifact_tag.name.startswith("flyte_cached-")
    assert key.source_task_execution.node_execution_id.execution_id == first
    populated = client.node(first, "n0").closure.task_node_metadata
    assert populated.catalog_key.artifact_tag == key.artifact_tag
    assert populated.checkpoint_uri


def test_overwrite_cache_runs_and_replaces(client: Client, unique) -> None:
    client.workflow(unique("wf"), [task_node("n0", client.task(unique("echo"), metadata=CACHED))])
    _run(client, unique("wf"))
    request = execution_pb2.ExecutionCreateRequest(project="flytesnacks", domain="development")
    request.spec.launch_plan.CopyFrom(identifier(identifier_pb2.LAUNCH_PLAN, unique("wf")))
    request.spec.overwrite_cache = True
    request.inputs.CopyFrom(integers(a=5))
    again = client.admin.CreateExecution(request).id
    assert client.end(again) == "SUCCEEDED"
    assert _status(client, again) == "CACHE_POPULATED"
    key = client.node(_run(client, unique("wf")), "n0").closure.task_node_metadata.catalog_key
    assert key.source_task_execution.node_execution_id.execution_id == again


def test_ignored_inputs_do_not_count(client: Client, unique) -> None:
    metadata = tasks_pb2.TaskMetadata(discoverable=True, discovery_version="1", cache_ignore_input_vars=["a"])
    client.workflow(unique("wf"), [task_node("n0", client.task(unique("echo"), metadata=metadata))])
    _run(client, unique("wf"), 5)
    assert _status(client, _run(client, unique("wf"), 6)) == "CACHE_HIT"


def test_with_cache_serialisation_one_runs_and_the_others_wait(client: Client, unique, tmp_path) -> None:
    metadata = tasks_pb2.TaskMetadata(discoverable=True, discovery_version="1", cache_serializable=True)
    script = f"echo ran >> {tmp_path}/runs; sleep 0.5; cp $0 $1/outputs.pb"
    given = tmp_path / "given.pb"
    given.write_bytes(integers(a=9).SerializeToString())
    container = tasks_pb2.Container(image="none", args=["sh", "-c", script, str(given), "{{.outputPrefix}}"])
    task = client.task(
        unique("slow"),
        type="python-task",
        metadata=metadata,
        container=container,
        interface=interface(a=INTEGER),
    )
    client.workflow(unique("wf"), [task_node("n0", task)], output=("n0", "a"))
    started = [client.launch(unique("wf")) for _ in range(4)]
    assert {client.end(one) for one in started} == {"SUCCEEDED"}
    assert (tmp_path / "runs").read_text() == "ran\n"
    assert sorted(_status(client, one) for one in started) == ["CACHE_HIT"] * 3 + ["CACHE_POPULATED"]
    assert {client.outputs(one).literals["o0"].scalar.primitive.integer for one in started} == {9}
