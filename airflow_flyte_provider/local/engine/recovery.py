"""What an execution takes over from the one it recovers."""

from __future__ import annotations

from flyteidl.admin import execution_pb2
from flyteidl.core import workflow_pb2

from airflow_flyte_provider.local.engine.journal import GIVEN, NodeExecution
from airflow_flyte_provider.local.engine.places import Place
from airflow_flyte_provider.local.engine.world import ExecutionId, World

_TASK_OR_GATE = ("task_node", "gate_node")


def recovered_node(
    world: World, execution: execution_pb2.Execution, node: workflow_pb2.Node, place: Place
) -> NodeExecution | None:
    """Return a node as it ended well in the execution that this one recovers, None when it must run."""
    metadata = execution.spec.metadata
    if metadata.mode != metadata.RECOVERED or node.WhichOneof("target") not in _TASK_OR_GATE:
        return None
    former = _former(world, execution, place)
    return former if former is not None and former.closure.phase in GIVEN else None


def former_child(world: World, execution: execution_pb2.Execution, place: Place) -> ExecutionId | None:
    """Return the child that a node had in the execution that is being recovered, None when it had none."""
    former = _former(world, execution, place)
    if former is None:
        return None
    child = former.closure.workflow_node_metadata.executionId
    return child if world.executions.find(child) is not None else None


def _former(world: World, execution: execution_pb2.Execution, place: Place) -> NodeExecution | None:
    nodes = world.executions.nodes(execution.spec.metadata.reference_execution)
    return next((node for node in nodes if node.id.node_id == place.node_id), None)
