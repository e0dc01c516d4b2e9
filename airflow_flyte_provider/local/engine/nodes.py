"""What sub-workflows, branches and gates do. The other kinds of node have modules of their own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from flyteidl.admin import execution_pb2
from flyteidl.core import compiler_pb2, identifier_pb2, types_pb2, workflow_pb2

from airflow_flyte_provider.local import clock
from airflow_flyte_provider.local.engine.journal import Journal
from airflow_flyte_provider.local.engine.notices import signal_key
from airflow_flyte_provider.local.engine.outcome import ExecutionError, NodeFailed, failed
from airflow_flyte_provider.local.engine.places import Place, Scope
from airflow_flyte_provider.local.engine.values import LiteralMap, holds
from airflow_flyte_provider.local.engine.world import Executions, World

_MAX_NAME = 63
_SECOND = 1_000_000_000

Result = tuple["LiteralMap | None", int]
"""Outputs of a node (None when it gives nothing) and the attempt that gave them."""


@dataclass(frozen=True)
class NodeContext:
    """A node that is to run, with all it needs.

    :param execution: the execution, with the spec that it is run with.
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
