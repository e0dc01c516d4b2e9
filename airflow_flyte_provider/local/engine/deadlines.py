"""Node timeouts: how long a node of any kind may take, one attempt and all of them together."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

from google.protobuf.duration_pb2 import Duration

from airflow_flyte_provider.local import clock
from airflow_flyte_provider.local.engine.nodes import Handler, NodeContext, Result, exhausted
from airflow_flyte_provider.local.engine.outcome import USER, ExecutionError, NodeFailed, NodeTimedOut

_SECOND = 1_000_000_000
_REASON = "node timed out"


async def within_deadline(context: NodeContext, handler: Handler) -> Result:
    """Run a node within its timeout, as FlytePropeller counts it.

    An attempt may take as long as the timeout says, and all attempts together twice as long, counted from the
    moment the node was queued. Task nodes watch over each attempt themselves; of every other kind of node a
    further attempt can only meet the second limit.

    :raises NodeFailed: when the node's only attempt took too long.
    :raises NodeTimedOut: when all attempts together took too long.
    """
    limit = context.node.metadata.timeout
    length = clock.duration_nanoseconds(limit)
    if not length:
        return await handler(context)
    is_only_attempt = not context.node.metadata.retries.retries
    is_task = context.node.WhichOneof("target") == "task_node"
    fails = is_only_attempt and not is_task
    deadline = _queued(context) + (length if fails else 2 * length)
    result = await _until(context, handler, deadline)
    if result is None:
        raise _too_long(limit) if fails else NodeTimedOut
    return result


async def _until(context: NodeContext, handler: Handler, deadline: int) -> Result | None:
    """Return the node's result, None when it had to be stopped at the deadline (nanoseconds since the epoch)."""
    expired = asyncio.Event()
    watched = replace(context, stop_reason=lambda: _REASON if expired.is_set() else context.stop_reason())
    work = asyncio.ensure_future(handler(watched))
    try:
        await asyncio.wait({work}, timeout=max(0.0, (deadline - time.time_ns()) / _SECOND))
        if work.done():
            return work.result()
        expired.set()
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
    context.journal.abort_inside(context.place, _REASON)
    return None


def _queued(context: NodeContext) -> int:
    node = context.journal.find(context.place)
    return time.time_ns() if node is None else clock.nanoseconds(node.closure.created_at)


def _too_long(limit: Duration) -> NodeFailed:
    text = f"task execution timeout [{clock.go_duration(limit)}] expired"
    return exhausted(ExecutionError(code="TimeoutExpired", message=text, kind=USER), 1, 1)
