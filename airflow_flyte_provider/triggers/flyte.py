"""Waiting for Flyte in the triggerer, where a thousand waits cost one process.

Imported wherever a DAG file is parsed, so gRPC and flyteidl load in `run` only.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_flyte_provider.hooks.supervisor import ask_airflow, in_background, to_its_end
from airflow_flyte_provider.model.identifiers import ExecutionId
from airflow_flyte_provider.triggers.events import EXECUTION_ID_KEY

#: Whether Airflow has been asked in this process already.
_is_ready = False


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
    :param cause_on_kill: the cause to terminate the execution with when a user stops the task: clears or marks
        it, or stops its run. Empty leaves the execution alone.
    """

    def __init__(
        self,
        *,
        flyte_conn_id: str,
        execution: str,
        poll_interval: float = 10.0,
        deadline: float | None = None,
        cause_on_kill: str = "",
    ) -> None:
        super().__init__()
        self.flyte_conn_id = flyte_conn_id
        self.execution = execution
        self.poll_interval = poll_interval
        self.deadline = deadline
        self.cause_on_kill = cause_on_kill

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments, all plain JSON and none of them secret."""
        return (
            "airflow_flyte_provider.triggers.flyte.FlyteExecutionTrigger",
            {
                "flyte_conn_id": self.flyte_conn_id,
                "execution": self.execution,
                "poll_interval": self.poll_interval,
                "deadline": self.deadline,
                "cause_on_kill": self.cause_on_kill,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, and yield the one event."""
        try:
            outcome = await self._outcome()
        except asyncio.CancelledError:
            if not hasattr(
                BaseTrigger, "on_kill"
            ):  # Airflow before 3.3 tells nobody that a user stopped the task
                await self.on_kill()
            raise
        yield TriggerEvent({"execution": self.execution, **outcome})

    async def on_kill(self) -> None:
        """Terminate the execution of a task that a user has stopped; called by Airflow 3.3 and newer.

        A trigger is cancelled too when its triggerer ends, or when another one has taken it over. So Airflow is
        asked first: while the task is still deferred for this execution, the execution is left alone.
        """
        if not self.cause_on_kill:
            return
        from airflow_flyte_provider.triggers.at_work import end

        execution = ExecutionId.parse(self.execution)
        # A triggerer cancels a trigger again and again until it is gone, this call with it.
        await to_its_end(
            end(self.flyte_conn_id, execution, self.cause_on_kill, is_awaited=self._is_awaited, log=self.log)
        )

    def _get_ready_to_kill(self) -> None:
        """Ask Airflow once a process, in the background, what a kill asks it.

        The first question starts a server within the triggerer, which takes seconds: a kill is not to wait for it.
        """
        global _is_ready
        if _is_ready or not self.cause_on_kill or self.task_instance is None:
            return
        _is_ready = True
        in_background(ask_airflow(self._is_awaited))  # whatever becomes of it: a kill asks again

    def _is_awaited(self) -> bool:
        """Ask Airflow whether the task is deferred, and for this execution: a cleared one may have another by now."""
        from airflow_flyte_provider.triggers.task_states import get_xcom, is_in_state

        ti = self.task_instance
        return is_in_state(ti, "deferred") and get_xcom(ti, EXECUTION_ID_KEY) == self.execution

    async def _outcome(self) -> dict[str, Any]:
        from airflow_flyte_provider.triggers.at_work import keep_telling

        execution = ExecutionId.parse(self.execution)
        self._get_ready_to_kill()
        telling = asyncio.create_task(
            keep_telling(self.flyte_conn_id, execution, self.poll_interval, self.log)
        )
        try:
            return await self._end(execution)
        finally:
            telling.cancel()

    async def _end(self, execution: ExecutionId) -> dict[str, Any]:
        from airflow_flyte_provider.exceptions import FlyteError
        from airflow_flyte_provider.triggers.at_work import look_once
        from airflow_flyte_provider.triggers.poller import wait_for_end

        left = None if self.deadline is None else max(self.deadline - time.time(), 0)
        try:
            phase = await asyncio.wait_for(
                wait_for_end(self.flyte_conn_id, execution, self.poll_interval), left
            )
        except asyncio.TimeoutError:
            # A triggerer that was away may have missed the end.
            found = await look_once(self.flyte_conn_id, execution)
            return {"phase": found.phase.value} if found and found.is_done else {"timeout": True}
        except FlyteError as fault:
            return {"error": str(fault)}
        return {"phase": phase.value}
