"""Waiting for Flyte in the triggerer, where a thousand waits cost one process.

Imported wherever a DAG file is parsed, so gRPC and flyteidl load in `run` only.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_flyte_provider.model.identifiers import ExecutionId


class FlyteExecutionTrigger(BaseTrigger):
    """Fires once an execution is over.

    All triggers of one connection in one triggerer share a poller, which asks for every waiting execution by
    one call. The event holds `execution` ("project/domain/name") and one of: `phase`, the final phase's name;
    `timeout`, true when the deadline has passed; `error`, why the wait cannot go on. Outputs are not in it: the
    worker that resumes fetches them.

    :param flyte_conn_id: the Airflow connection.
    :param execution: the execution as "project/domain/name".
    :param poll_interval: seconds between two polls.
    :param deadline: when to give up, in seconds since 1970 (UTC); None never gives up. It is absolute, so a
        triggerer that is restarted keeps to it.
    """

    def __init__(
        self,
        *,
        flyte_conn_id: str,
        execution: str,
        poll_interval: float = 10.0,
        deadline: float | None = None,
    ) -> None:
        super().__init__()
        self.flyte_conn_id = flyte_conn_id
        self.execution = execution
        self.poll_interval = poll_interval
        self.deadline = deadline

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments, all plain JSON and none of them secret."""
        return (
            "airflow_flyte_provider.triggers.flyte.FlyteExecutionTrigger",
            {
                "flyte_conn_id": self.flyte_conn_id,
                "execution": self.execution,
                "poll_interval": self.poll_interval,
                "deadline": self.deadline,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, and yield the one event."""
        yield TriggerEvent({"execution": self.execution, **await self._outcome()})

    async def _outcome(self) -> dict[str, Any]:
        from airflow_flyte_provider.exceptions import FlyteError
        from airflow_flyte_provider.triggers.poller import wait_for_end

        execution = ExecutionId.parse(self.execution)
        left = None if self.deadline is None else max(self.deadline - time.time(), 0)
        try:
            phase = await asyncio.wait_for(
                wait_for_end(self.flyte_conn_id, execution, self.poll_interval), left
            )
        except asyncio.TimeoutError:
            return await self._last_look(execution)
        except FlyteError as fault:
            return {"error": str(fault)}
        return {"phase": phase.value}

    async def _last_look(self, execution: ExecutionId) -> dict[str, Any]:
        """Ask once more after the deadline: a triggerer that was away may have missed the end."""
        from airflow_flyte_provider.admin.executions import get_execution
        from airflow_flyte_provider.exceptions import FlyteError
        from airflow_flyte_provider.hooks.flyte import FlyteHook

        hook = FlyteHook(self.flyte_conn_id)
        try:
            await hook.load_settings()
            found = await hook.arun(get_execution(execution))
        except FlyteError:
            return {"timeout": True}
        return {"phase": found.phase.value} if found.is_done else {"timeout": True}
