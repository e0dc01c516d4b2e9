"""Dynamic workflows: what a Python task makes as it runs is compiled, runs inside its node, and can be read."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest
from flyteidl.admin import common_pb2, execution_pb2, node_execution_pb2
from flyteidl.core import dynamic_job_pb2, identifier_pb2
from flyteidl.core import workflow_pb2 as core_workflow

from airflow_flyte_provider.local import LocalFlyte
from tests.local.client import Client, task_node, until


@pytest.fixture(scope="module")
def squares(remote, user_code):
    module, folder = user_code("dynamic_flow")
    return remote.register_script(
        module.squares, source_path=str(folder), module_name="dynamic_flow", version="d1"
    )


@pytest.fixture(scope="module")
def succeeded(remote, squares):
    execution = remote.execute(squares, inputs={"n": 3})
    until(lambda: remote.sync_execution(execution).is_done, 120)
    return remote.sync_execution(execution, sync_nodes=True)


def test_its_nodes_run_and_give_its_outputs(succeeded) -> None:
    assert succeeded.error is None
    assert succeeded.outputs == {"o0": 0 + 1 + 4, "o1": 81}


def test_flytekit_reads_its_nodes_at_every_depth(succeeded) -> None:
    outer = succeeded.node_executions["n0"]
    assert outer.metadata.is_dynamic
    assert outer.metadata.is_parent_node
    assert outer.outputs == succeeded.outputs
    inside = outer.subworkflow_node_executions
    assert set(inside) == {f"n0-0-{name}" for name in ("start-node", "dn0", "dn1", "end-node")}
    nested = inside["n0-0-dn0"].subworkflow_node_executions
    assert {"n0-0-dn0-0-dn0", "n0-0-dn0-0-dn3"} <= set(nested)
    assert nested["n0-0-dn0-0-dn2"].outputs == {"o0": 4}
    sub = inside["n0-0-dn1"].subworkflow_node_executions
    assert sub["n0-0-dn1-0-dn1"].outputs == {"o0": 81}


def test_the_workflow_it_made_can_be_read(succeeded, client) -> None:
    identifier = identifier_pb2.NodeExecutionIdentifier(
        node_id="n0", execution_id=succeeded.id.to_flyte_idl()
    )
    answer = client.admin.GetDynamicNodeWorkflow(
        node_execution_pb2.GetDynamicNodeWorkflowRequest(id=identifier)
    )
    primary = answer.compiled_workflow.primary
    assert {node.id for node in primary.template.nodes} == {"start-node", "end-node", "dn0", "dn1"}
    assert list(primary.connections.upstream["dn0"].ids) == ["start-node"]
    data = client.admin.GetNodeExecutionData(node_execution_pb2.NodeExecutionGetDataRequest(id=identifier))
    assert data.dynamic_workflow.compiled_workflow == answer.compiled_workflow
    assert data.dynamic_workflow.dynamic_job_spec_uri.endswith("/futures.pb")
    child = client.admin.GetNodeExecution(
        node_execution_pb2.NodeExecutionGetRequest(
            id=identifier_pb2.NodeExecutionIdentifier(
                node_id="n0-0-dn1", execution_id=identifier.execution_id
            )
        )
    )
    assert (child.metadata.retry_group, child.metadata.spec_node_id) == ("0", "dn1")
    assert not child.metadata.is_dynamic
    with pytest.raises(grpc.RpcError) as refused:
        client.admin.GetDynamicNodeWorkflow(node_execution_pb2.GetDynamicNodeWorkflowRequest(id=child.id))
    assert refused.value.code() == grpc.StatusCode.NOT_FOUND


def test_its_time_is_told_apart(succeeded, client) -> None:
    request = execution_pb2.WorkflowExecutionGetMetricsRequest(id=succeeded.id.to_flyte_idl(), depth=3)
    whole = client.admin.GetExecutionMetrics(request).span
    outer = next(span for span in whole.spans if span.node_id.node_id == "n0")
    kinds = [span.operation_id or span.node_id.node_id or "task" for span in outer.spans]
    assert kinds[:4] == ["NODE_TRANSITION", "NODE_SETUP", "task", "NODE_RESET"]
    assert sorted(kinds[4:6]) == ["n0-0-dn0", "n0-0-dn1"]
    assert kinds[6:] == ["NODE_TEARDOWN"]


def test_what_fails_inside_fails_every_node_around_it(remote, squares, client) -> None:
    execution = remote.execute(squares, inputs={"n": 6})
    until(lambda: remote.sync_execution(execution).is_done, 60)
    identifier = execution.id.to_flyte_idl()
    assert "too many parts" in client.execution(identifier).closure.error.message
    assert client.node_phases(identifier)["n0"] == "FAILED"
    assert client.node_phases(identifier, "n0")["n0-0-dn0"] == "FAILED"
    assert client.node_phases(identifier, "n0-0-dn0")["n0-0-dn0-0-dn6"] == "FAILED"


def _dynamic(client: Client, folder: Path, *nodes: core_workflow.Node, tasks: tuple = ()) -> None:
    """Register a workflow whose only task notes that it ran and gives these nodes to be run."""
    spec = dynamic_job_pb2.DynamicJobSpec(nodes=nodes)
    for task in tasks:
        found = client.admin.GetTask(common_pb2.ObjectGetRequest(id=task))
        spec.tasks.append(found.closure.compiled_task.template)
    (folder / "spec.pb").write_bytes(spec.SerializeToString())
    script = f"echo once >> {folder}/ran; cp {folder}/spec.pb {{{{.outputPrefix}}}}/futures.pb"
    client.workflow("wf", [task_node("n0", client.command("dynamic", "sh", "-c", script), None)])


def test_it_goes_on_after_a_crash_and_is_not_made_again(tmp_path: Path) -> None:
    with LocalFlyte(tmp_path / "data") as flyte:
        client = Client(flyte.endpoint)
        wait = client.command("wait", "sh", "-c", f"while [ ! -e {tmp_path}/go ]; do sleep 0.05; done")
        _dynamic(client, tmp_path, task_node("dn0", wait, None), tasks=(wait,))
        execution = client.launch("wf")
        until(lambda: client.node_phases(execution, "n0").get("n0-0-dn0") == "RUNNING")
        assert client.node_phases(execution)["n0"] == "DYNAMIC_RUNNING"
        flyte.kill()
        client.close()
        flyte.restart()
        client = Client(flyte.endpoint)
        (tmp_path / "go").touch()
        assert client.end(execution) == "SUCCEEDED"
        assert (tmp_path / "ran").read_text() == "once\n"
        client.close()


def test_what_cannot_be_compiled_or_is_stopped(tmp_path: Path) -> None:
    with LocalFlyte(tmp_path / "data") as flyte:
        client = Client(flyte.endpoint)
        slow = client.command("slow", "sleep", "600")
        _dynamic(client, tmp_path, task_node("dn0", slow, None))
        execution = client.launch("wf")
        assert client.end(execution) == "FAILED"
        error = client.execution(execution).closure.error
        assert error.code == "DynamicWorkflowBuildFailed"
        assert "Referenced Task" in error.message
        spec = dynamic_job_pb2.DynamicJobSpec.FromString((tmp_path / "spec.pb").read_bytes())
        spec.tasks.append(
            client.admin.GetTask(common_pb2.ObjectGetRequest(id=slow)).closure.compiled_task.template
        )
        (tmp_path / "spec.pb").write_bytes(spec.SerializeToString())
        execution = client.launch("wf")
        until(lambda: client.node_phases(execution, "n0").get("n0-0-dn0") == "RUNNING")
        client.terminate(execution)
        assert client.end(execution) == "ABORTED"
        assert client.node_phases(execution)["n0"] == "ABORTED"
        assert client.node_phases(execution, "n0")["n0-0-dn0"] == "ABORTED"
        client.close()
