"""What passes between a task and its trigger: the deadline on the way out, the event on the way back."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from airflow_flyte_provider.exceptions import FlyteError
from airflow_flyte_provider.model.identifiers import ExecutionId

#: XCom with the execution as "project/domain/name", pushed before a wait begins.
EXECUTION_ID_KEY = "flyte_execution_id"


@dataclass(frozen=True, slots=True)
class ExecutionEvent:
    """How a deferred wait for an execution ended.

    :param execution: the execution.
    :param phase: its final phase's name; empty when the wait ended before the execution did.
    :param timed_out: whether the deadline has passed first.
    """

    execution: ExecutionId
    phase: str = ""
    timed_out: bool = False

    @classmethod
    def read(cls, payload: dict[str, Any]) -> ExecutionEvent:
        """Read the payload of the event that `FlyteExecutionTrigger` fired.

        :raises FlyteError: when the trigger could not go on watching.
        """
        execution = ExecutionId.parse(payload["execution"])
        if payload.get("error"):
            raise FlyteError(f"Execution {execution} can no longer be watched: {payload['error']}")
        return cls(execution, payload.get("phase", ""), bool(payload.get("timeout")))


def deadline(task_instance: Any, seconds: float | None) -> float | None:
    """Return when a deferred wait must end, in seconds since 1970; None for never.

    :param task_instance: the task instance. The time counts from its start, however often it is deferred.
    :param seconds: how long it may take from then on; None for ever.
    """
    if seconds is None:
        return None
    started = getattr(task_instance, "start_date", None)
    return (started.timestamp() if started else time.time()) + seconds
