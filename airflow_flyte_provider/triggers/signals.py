"""Waiting for a signal in the triggerer.

Imported wherever a DAG file is parsed, so gRPC and flyteidl load in `run` only.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_flyte_provider.exceptions import FlyteError
from airflow_flyte_provider.model.identifiers import ExecutionId

#: What can be waited for: that a gate asks for the signal, or that the signal has a value.
WAITED_FOR = ("waiting", "value")


class FlyteSignalTrigger(BaseTrigger):
    """Fires once a signal is asked for, or set, or its execution is over.

    The end of the execution is looked for together with those of all others that wait in this triggerer; its signals
    are listed by a call of their own. The event holds `execution` ("project/domain/name") and one of: `signal`, the
    signal's name, when what was waited for has come about; `phase`, the final phase's name, when the execution is over
    before; `timeout`, true when the deadline has passed; `error`, why the wait cannot go on. The value is not in it:
    the worker that resumes fetches it.

    :param flyte_conn_id: the Airflow connection.
    :param execution: the execution as "project/domain/name".
    :param signal_id: the signal's name.
    :param wait_for: `"waiting"` or `"value"`, see `FlyteSignalSensor`.
    :param poll_interval: seconds between two polls.
    :param deadline: when to give up, in seconds since 1970 (UTC); None never gives up.
    """

    def __init__(
        self,
        *,
        flyte_conn_id: str,
        execution: str,
        signal_id: str,
        wait_for: str = "value",
        poll_interval: float = 10.0,
        deadline: float | None = None,
    ) -> None:
        super().__init__()
        self.flyte_conn_id = flyte_conn_id
        self.execution = execution
        self.signal_id = signal_id
        self.wait_for = wait_for
        self.poll_interval = poll_interval
        self.deadline = deadline

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments, all plain JSON and none of them secret."""
        return (
            "airflow_flyte_provider.triggers.signals.FlyteSignalTrigger",
            {
                "flyte_conn_id": self.flyte_conn_id,
                "execution": self.execution,
                "signal_id": self.signal_id,
                "wait_for": self.wait_for,
                "poll_interval": self.poll_interval,
                "deadline": self.deadline,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, and yield the one event."""
        yield TriggerEvent({"execution": self.execution, **await self._outcome()})

    async def _outcome(self) -> dict[str, Any]:
        from airflow_flyte_provider.triggers.signal_watch import SignalWatch

        watch = SignalWatch(
            self.flyte_conn_id, ExecutionId.parse(self.execution), self.signal_id, self.wait_for
        )
        left = None if self.deadline is None else max(self.deadline - time.time(), 0)
        reached = {"signal": self.signal_id}
        try:
            phase = await asyncio.wait_for(watch.wait(self.poll_interval), left)
        except asyncio.TimeoutError:
            # A triggerer that was away may have missed it.
            return reached if await watch.is_reached_now() else {"timeout": True}
        except FlyteError as fault:
            return {"error": str(fault)}
        return {"phase": phase.value} if phase else reached
