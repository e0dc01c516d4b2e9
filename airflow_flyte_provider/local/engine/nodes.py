"""What each kind of node does: sub-workflows, launch plans, branches and gates. Tasks have their own module."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from flyteidl.admin import execution_pb2, node_execution_pb2
from flyteidl.core import compiler_pb2, identifier_pb2, types_pb2, workflow_pb2

from airflow_flyte_provider.local import clock
from airflow_flyte_provider.local.engine.journal import Journal, WorkflowPhase
from airflow_flyte_provider.local.engine.notices import execution_key, signal_key
from airflow_flyte_provider.local.engine.outcome import ExecutionError, NodeFailed, failed
from airflow_flyte_provider.local.engine.places import Place, Scope
from airflow_flyte_provider.local.engine.values import LiteralMap, holds
from airflow_flyte_provider.local.engine.world import Executions, World
from airflow_flyte_provider.local.files.folder import read_literals
from airflow_flyte_provider.local.refusal import Refusal
from airflow_flyte_provider.local.store.executions import FINAL_PHASES

_MAX_NAME = 63
_SECOND = 1_000_000_000

Result = tuple["LiteralMap | None", int]
"""Outputs of a node (None when it gives nothing) and the attempt that gave them."""


@dataclass(frozen=True)
class NodeContext:
    """A node that is to run, with all it needs.

    :param node: the compiled node.
    :param place: where it sits.
    :param inputs: its inputs.
    :param slots: room for tasks of this execution to run at once.
    :param task: the task of a task node.
    :param is_interruptible: whether it may run where it can be interrupted; shown, and without effect here.
    :param walk_workflow: runs a sub-workflow in a scope.
    :param walk_node: runs a node inside this one.
    :param walk_closure: runs a workflow that was compiled as this node ran.
    :param stop_reason: tells why the run was cancelled, empty when the server is stopping.
    """

    world: World
    launcher: Executions
    journal: Journal
    execution: execution_pb2.Execution
    node: workflow_pb2.Node
    place: Place
    inputs: LiteralMap
    slots: asyncio.Semaphore
    task: compiler_pb2.CompiledTask | None
    is_interruptible: bool
    walk_workflow: Callable[[identifier_pb2.Identifier, Scope, LiteralMap], Awaitable[LiteralMap]]
    walk_node: Callable[[workflow_pb2.Node], Awaitable[LiteralMap]]
    walk_closure: Callable[[compiler_pb2.CompiledWorkflowClosure, Scope, LiteralMap], Awaitable[LiteralMap]]
    stop_reason: Callable[[], str]


Handler = Callable[[NodeContext], Awaitable[Result]]


async def run_sub_workflow(context: NodeContext) -> Result:
    """Run a workflow inside the node."""
    context.journal.running(context.place)
    reference = context.node.workflow_node.sub_workflow_ref
    return await context.walk_workflow(reference, context.place.inside(), context.inputs), 0


async def run_branch(context: NodeContext) -> Result:
    """Run the first of the node's branches whose condition is met."""
    context.journal.running(context.place)
    if_else = context.node.branch_node.if_else
    for block in [if_else.case, *if_else.other]:
        if holds(block.condition, context.inputs):
            return await context.walk_node(block.then_node), 0
    if if_else.WhichOneof("default") == "else_node":
        return await context.walk_node(if_else.else_node), 0
    if if_else.WhichOneof("default") == "error":
        code = "UserProvidedError"
        raise failed(code, f"[{code}] {if_else.error.message}")
    code = "MalformedBranchUserError"
    raise failed(code, f"[{code}] No branch satisfied")


async def run_launch_plan(context: NodeContext) -> Result:
    """Launch an execution of its own, wait for its end and take over what it gave."""
    child = identifier_pb2.WorkflowExecutionIdentifier()
    child.CopyFrom(context.execution.id)
    child.name = _child_name(context.place.generated_name(0))
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
            _end_child(context, child)
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


def _launch(context: NodeContext, child: identifier_pb2.WorkflowExecutionIdentifier) -> None:
    parent, metadata = context.execution, context.execution.spec.metadata
    if metadata.mode == metadata.RECOVERED:
        former = _former_child(context)
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


def _former_child(context: NodeContext) -> identifier_pb2.WorkflowExecutionIdentifier | None:
    """Return the child that this node had in the execution that is being recovered, None when it had none."""
    for former in context.world.executions.nodes(context.execution.spec.metadata.reference_execution):
        child = former.closure.workflow_node_metadata.executionId
        if former.id.node_id == context.place.node_id and context.world.executions.find(child) is not None:
            return child
    return None


def _child_labels(parent: execution_pb2.Execution) -> dict[str, str]:
    workflow_name = parent.closure.workflow_id.name.replace(".", "-").replace("_", "-").lower()
    return {
        **parent.spec.labels.values,
        "domain": parent.id.domain,
        "execution-id": parent.id.name,
        "project": parent.id.project,
        "workflow-name": workflow_name.strip("-")[:_MAX_NAME].rstrip("-"),
    }


def _child_name(name: str) -> str:
    if len(name) <= _MAX_NAME:
        return name
    return f"a{hashlib.sha256(name.encode()).hexdigest()[:19]}"


async def _end_of(world: World, identifier: Any) -> execution_pb2.ExecutionClosure:
    while True:
        closure = world.executions.get(identifier).closure
        if closure.phase in FINAL_PHASES:
            return closure
        await world.notices.wait(execution_key(identifier))


def _end_child(context: NodeContext, child: Any) -> None:
    cause = (
        f"cascading abort as parent execution id [{context.execution.id.name}] aborted, "
        f"reason [{context.stop_reason()}]"
    )
    if context.world.executions.get(child).closure.phase not in FINAL_PHASES:
        context.launcher.terminate(execution_pb2.ExecutionTerminateRequest(id=child, cause=cause))


async def run_gate(context: NodeContext) -> Result:
    """Wait for an approval, for a value, or for a while."""
    gate = context.node.gate_node
    node = context.journal.running(context.place)
    if gate.WhichOneof("condition") == "sleep":
        ends = clock.nanoseconds(node.closure.started_at) + clock.duration_nanoseconds(gate.sleep.duration)
        await asyncio.sleep(max(0.0, (ends - time.time_ns()) / _SECOND))
        return None, 0
    if gate.WhichOneof("condition") == "approve":
        boolean = types_pb2.LiteralType(simple=types_pb2.BOOLEAN)
        approved = await _signal(context, gate.approve.signal_id, boolean)
        if not approved.scalar.primitive.boolean:
            text = "received a reject signal to disapprove the node input values"
            raise failed("ReceivedRejectSignal", text)
        return context.inputs, 0
    value = await _signal(context, gate.signal.signal_id, gate.signal.type)
    result = LiteralMap()
    result.literals[gate.signal.output_variable_name].CopyFrom(value)
    return result, 0


async def _signal(context: NodeContext, name: str, signal_type: types_pb2.LiteralType) -> Any:
    identifier = identifier_pb2.SignalIdentifier(signal_id=name, execution_id=context.execution.id)
    while True:
        signal = context.world.executions.ask_for_signal(identifier, signal_type)
        if signal.value.WhichOneof("value") is not None:
            return signal.value
        await context.world.notices.wait(signal_key(identifier))


def exhausted(error: ExecutionError, attempt: int, attempts: int) -> NodeFailed:
    """Return the failure of a node that has no attempt left.

    :param error: what the last one failed with.
    :param attempt: number of the last attempt, from 1.
    :param attempts: how many there may be.
    """
    kind = ExecutionError.ErrorKind.Name(error.kind)
    message = f"[{attempt}/{attempts}] currentAttempt done. Last Error: {kind}::{error.message}"
    return failed(f"RetriesExhausted|{error.code}", message)
