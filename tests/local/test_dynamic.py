"""Dynamic workflows: what a Python task makes as it runs is compiled, runs inside its node, and can be read."""

from __future__ import annotations

import grpc
import pytest
from flyteidl.admin import node_execution_pb2
from flyteidl.core import identifier_pb2

from tests.local.client import until


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


def test_what_fails_inside_fails_every_node_around_it(remote, squares, client) -> None:
    execution = remote.execute(squares, inputs={"n": 6})
    until(lambda: remote.sync_execution(execution).is_done, 60)
    identifier = execution.id.to_flyte_idl()
    assert "too many parts" in client.execution(identifier).closure.error.message
    assert client.node_phases(identifier)["n0"] == "FAILED"
    assert client.node_phases(identifier, "n0")["n0-0-dn0"] == "FAILED"
    assert client.node_phases(identifier, "n0-0-dn0")["n0-0-dn0-0-dn6"] == "FAILED"
