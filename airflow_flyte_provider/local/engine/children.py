"""Launch-plan nodes: executions of their own, launched, waited for, and ended with the execution around them."""

from __future__ import annotations

import asyncio
import hashlib

from flyteidl.admin import execution_pb2, node_execution_pb2
from flyteidl.core import identifier_pb2

from airflow_flyte_provider.local.engine.journal import WorkflowPhase
from airflow_flyte_provider.local.engine.nodes import NodeContext, Result
from airflow_flyte_provider.local.engine.notices import execution_key
from airflow_flyte_provider.local.engine.outcome import NodeFailed, failed
from airflow_flyte_provider.local.engine.places import attempt_name
from airflow_flyte_provider.local.engine.recovery import former_child
from airflow_flyte_provider.local.engine.world import ExecutionId, Executions, World
from airflow_flyte_provider.local.files.folder import read_literals
from airflow_flyte_provider.local.refusal import Refusal
from airflow_flyte_provider.local.store.executions import FINAL_PHASES

_MAX_NAME = 63


async def run_launch_plan(context: NodeContext) -> Result:
    """Launch an execution of its own, wait for its end and take over what it gave."""
    child = _child_of(context.place.identifier)
    if context.world.executions.find(child) is None:
        try:
            _launch(context, child)
        except Refusal as refusal:
            message = f"failed to launch workflow, caused by: {refusal.details}"
            raise failed("RuntimeExecutionError", message) from None
    metadata = node_execution_pb2.WorkflowNodeMetadata(executionId=child)
    context.journal.running(context.place, workflow_node_metadata=metadata)
    try:
        closure = await _end_of(context.world, child)
    except asyncio.CancelledError:
        if context.stop_reason():
            end_child(context.world, context.launcher, context.place.identifier, context.stop_reason())
        raise
    if closure.phase == WorkflowPhase.SUCCEEDED:
        return read_literals(context.world.folder.path(closure.outputs.uri)), 0
    if closure.phase == WorkflowPhase.FAILED:
        raise NodeFailed(closure.error)
    code = "RemoteChildWorkflowExecutionFailed"
    raise failed(
        code,
        f"failed at Node[{context.node.id}]. {code}: launchplan [{child.name}] aborted, "
        "caused by: launchplan execution aborted",
    )


def _launch(context: NodeContext, child: ExecutionId) -> None:
    parent, metadata = context.execution, context.execution.spec.metadata
    if metadata.mode == metadata.RECOVERED:
        former = former_child(context.world, parent, context.place)
        if former is not None:
            request = execution_pb2.ExecutionRecoverRequest(id=former, name=child.name)
            request.metadata.parent_node_execution.CopyFrom(context.place.identifier)
            context.launcher.recover(request)
            return
    request = execution_pb2.ExecutionCreateRequest(
        project=child.project, domain=child.domain, name=child.name, inputs=context.inputs
    )
    spec = request.spec
    spec.launch_plan.CopyFrom(context.node.workflow_node.launchplan_ref)
    spec.metadata.mode = execution_pb2.ExecutionMetadata.CHILD_WORKFLOW
    spec.metadata.nesting = metadata.nesting + 1
    spec.metadata.parent_node_execution.CopyFrom(context.place.identifier)
    spec.labels.values.update(_child_labels(parent))
    spec.annotations.values.update(parent.spec.annotations.values)
    spec.annotations.SetInParent()
    spec.envs.CopyFrom(parent.spec.envs)
    spec.security_context.CopyFrom(parent.spec.security_context)
    spec.max_parallelism = parent.spec.max_parallelism
    spec.overwrite_cache = parent.spec.overwrite_cache
    for name in ("raw_output_data_config", "interruptible"):
        if parent.spec.HasField(name):
            getattr(spec, name).CopyFrom(getattr(parent.spec, name))
    context.launcher.create(request)


def _child_labels(parent: execution_pb2.Execution) -> dict[str, str]:
    workflow_name = parent.closure.workflow_id.name.replace(".", "-").replace("_", "-").lower()
    return {
        **parent.spec.labels.values,
        "domain": parent.id.domain,
        "execution-id": parent.id.name,
        "project": parent.id.project,
        "workflow-name": workflow_name.strip("-")[:_MAX_NAME].rstrip("-"),
    }


def _child_of(node: identifier_pb2.NodeExecutionIdentifier) -> ExecutionId:
    """Return the id that the execution of a launch-plan node has, or is to have."""
    child = ExecutionId()
    child.CopyFrom(node.execution_id)
    child.name = attempt_name(node, 0)
    if len(child.name) > _MAX_NAME:
        child.name = f"a{hashlib.sha256(child.name.encode()).hexdigest()[:19]}"
    return child


async def _end_of(world: World, identifier: ExecutionId) -> execution_pb2.ExecutionClosure:
    while True:
        closure = world.executions.get(identifier).closure
        if closure.phase in FINAL_PHASES:
            return closure
        await world.notices.wait(execution_key(identifier))


def end_child(
    world: World, launcher: Executions, node: identifier_pb2.NodeExecutionIdentifier, reason: str
) -> None:
    """End the execution that a node has launched, when it did and that has not ended.

    :param reason: why the node is stopped.
    """
    child = world.executions.find(_child_of(node))
    # whoever has the name without being this node's is none of our business
    if child is None or child.spec.metadata.parent_node_execution != node:
        return
    if child.closure.phase not in FINAL_PHASES:
        cause = (
            f"cascading abort as parent execution id [{node.execution_id.name}] aborted, reason [{reason}]"
        )
        launcher.terminate(execution_pb2.ExecutionTerminateRequest(id=child.id, cause=cause))
