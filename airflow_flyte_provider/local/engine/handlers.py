"""Which function runs which kind of node."""

from __future__ import annotations

from flyteidl.core import workflow_pb2

from airflow_flyte_provider.local.engine.array import run_array
from airflow_flyte_provider.local.engine.children import run_launch_plan
from airflow_flyte_provider.local.engine.nodes import (
    Handler,
    run_branch,
    run_gate,
    run_sub_workflow,
)
from airflow_flyte_provider.local.engine.outcome import failed
from airflow_flyte_provider.local.engine.tasks import run_task

_HANDLERS: dict[str, Handler] = {
    "array_node": run_array,
    "task_node": run_task,
    "branch_node": run_branch,
    "gate_node": run_gate,
    "launchplan_ref": run_launch_plan,
    "sub_workflow_ref": run_sub_workflow,
}


def handler_of(node: workflow_pb2.Node) -> Handler:
    """Return what runs a node of this kind.

    :raises NodeFailed: for a kind that the engine doesn't know.
    """
    target = node.WhichOneof("target")
    kind = node.workflow_node.WhichOneof("reference") if target == "workflow_node" else target
    if kind not in _HANDLERS:
        raise failed(
            "BadSpecificationError", f"node {node.id} is of a kind the local Flyte can't run: {kind}"
        )
    return _HANDLERS[kind]
