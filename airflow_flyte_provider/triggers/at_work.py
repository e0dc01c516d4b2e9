"""What a trigger does besides waiting: tell of the nodes, look once more, terminate.

Imported when a trigger runs: it loads gRPC and flyteidl.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from airflow_flyte_provider.admin.executions import get_execution, terminate
from airflow_flyte_provider.admin.nodes import tell_nodes
from airflow_flyte_provider.exceptions import FlyteError
from airflow_flyte_provider.hooks.flyte import FlyteHook
from airflow_flyte_provider.hooks.supervisor import ask_airflow
from airflow_flyte_provider.model.identifiers import ExecutionId
from airflow_flyte_provider.model.views.executions import Execution
from airflow_flyte_provider.model.views.node_log import NodeLog
from airflow_flyte_provider.triggers.poller import count_waits

#: How often all triggers of a triggerer together look at the nodes of what they wait for. Unlike their phases, the
#: nodes of many executions are not to be had by one call.
_LOOKS_A_SECOND = 5

#: How often Airflow is asked, and seconds in between, before an execution is left alone because it does not answer.
_QUESTIONS, _PAUSE = 4, 3.0


async def keep_telling(
    flyte_conn_id: str, execution: ExecutionId, poll_interval: float, log: logging.Logger
) -> None:
    """Log each node of an execution that changes its phase, until this is cancelled."""
    hook, nodes = FlyteHook(flyte_conn_id), NodeLog()
    with suppress(FlyteError):  # a connection that cannot be read is told by the wait itself
        await hook.load_settings()
        while True:
            await asyncio.sleep(max(poll_interval, count_waits() / _LOOKS_A_SECOND))
            await hook.arun(tell_nodes(execution, nodes, lambda line: log.info("%s", line)))


async def look_once(flyte_conn_id: str, execution: ExecutionId) -> Execution | None:
    """Fetch an execution; None when Flyte does not answer."""
    hook = FlyteHook(flyte_conn_id)
    try:
        await hook.load_settings()
        return await hook.arun(get_execution(execution))
    except FlyteError:
        return None


async def end(
    flyte_conn_id: str,
    execution: ExecutionId,
    cause: str,
    *,
    is_awaited: Callable[[], bool],
    log: logging.Logger,
) -> None:
    """Terminate an execution whose trigger was cancelled, unless its task still waits for it.

    :param cause: why, for those who find it aborted.
    :param is_awaited: asks Airflow whether the task waits for this execution; it may block.
    """
    for question in range(_QUESTIONS):
        try:
            if await ask_airflow(is_awaited):
                log.info("Execution %s goes on: the task still waits for it.", execution)
                return
            break
        except Exception as fault:
            log.warning("Airflow did not say what became of the task of execution %s: %r", execution, fault)
            if question == _QUESTIONS - 1:
                log.error("Execution %s is left alone: the task may still wait for it.", execution)
                return
            await asyncio.sleep(_PAUSE)
    hook = FlyteHook(flyte_conn_id)
    try:
        await hook.load_settings()
        ended = await hook.arun(terminate(execution, cause))
    except FlyteError as fault:
        log.error("Execution %s could not be terminated: %s", execution, fault)
    else:
        log.info("Execution %s %s: %s", execution, "terminated" if ended else "was over already", cause)
