"""Waiting for whoever answers a gate first: a person on Airflow's page, or somebody in Flyte.

Imported wherever a DAG file is parsed, so gRPC and flyteidl load in `run` only.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_flyte_provider.exceptions import FlyteError
from airflow_flyte_provider.hooks.supervisor import ask_airflow
from airflow_flyte_provider.model.identifiers import ExecutionId


class FlyteApprovalTrigger(BaseTrigger):
    """Fires once the question about a gate is answered, in Airflow or in Flyte, or the execution is over.

    The event holds `execution`, `signal` and `question`, and one of: `chosen_options` and `params_input`, with
    `responded_by_user`, when a person answered in Airflow, or with `timedout` for the default; `settled`, true when the
    signal has a value in Flyte or the execution is over; `timeout`, true when the deadline has passed; `error`, why the
    wait cannot go on. A question that was answered in Flyte is closed in Airflow with that answer.

    :param flyte_conn_id: the Airflow connection.
    :param execution: the execution as "project/domain/name".
    :param signal_id: the signal that the gate waits for.
    :param question: id of the task instance that asks.
    :param options: what there is to choose from.
    :param default: the answer once the deadline has passed, with `chosen_options` and `params_input`; None for none.
    :param deadline: when to give up, in seconds since 1970 (UTC); None never gives up.
    :param poll_interval: seconds between two looks at Flyte, and at the question.
    """

    def __init__(
        self,
        *,
        flyte_conn_id: str,
        execution: str,
        signal_id: str,
        question: str,
        options: Sequence[str],
        default: Mapping[str, Any] | None = None,
        deadline: float | None = None,
        poll_interval: float = 10.0,
    ) -> None:
        super().__init__()
        self.flyte_conn_id = flyte_conn_id
        self.execution = execution
        self.signal_id = signal_id
        self.question = question
        self.options = list(options)
        self.default = None if default is None else dict(default)
        self.deadline = deadline
        self.poll_interval = poll_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Return the class path and the arguments, all plain JSON and none of them secret."""
        return (
            "airflow_flyte_provider.triggers.approval.FlyteApprovalTrigger",
            {
                "flyte_conn_id": self.flyte_conn_id,
                "execution": self.execution,
                "signal_id": self.signal_id,
                "question": self.question,
                "options": self.options,
                "default": self.default,
                "deadline": self.deadline,
                "poll_interval": self.poll_interval,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, and yield the one event."""
        about = {"execution": self.execution, "signal": self.signal_id, "question": self.question}
        yield TriggerEvent({**about, **await self._outcome()})

    async def _outcome(self) -> dict[str, Any]:
        flyte = asyncio.create_task(self._in_flyte())
        airflow = asyncio.create_task(self._in_airflow())
        left = None if self.deadline is None else max(self.deadline - time.time(), 0)
        try:
            await asyncio.wait({flyte, airflow}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            # Flyte first: what is settled there stays settled.
            for each in (flyte, airflow):
                if each.done():
                    return each.result()
        except FlyteError as fault:
            return {"error": str(fault)}
        finally:
            flyte.cancel()
            airflow.cancel()
        return await self._at_last()

    async def _in_flyte(self) -> dict[str, Any]:
        """Wait until the signal has a value or the execution is over; close the question in Airflow."""
        from airflow_flyte_provider.admin.signals import list_signals
        from airflow_flyte_provider.hooks.flyte import FlyteHook
        from airflow_flyte_provider.model.views.questions import Question
        from airflow_flyte_provider.triggers.signal_watch import SignalWatch

        execution = ExecutionId.parse(self.execution)
        await SignalWatch(self.flyte_conn_id, execution, self.signal_id, "value").wait(self.poll_interval)
        hook = FlyteHook(self.flyte_conn_id)
        await hook.load_settings()
        for signal in await hook.arun(list_signals(execution)):
            if signal.id == self.signal_id and signal.is_set:
                answer = Question(signal, tuple(self.options)).answer_of(signal.value)
                await ask_airflow(self._close, *answer)
        return {"settled": True}

    async def _in_airflow(self) -> dict[str, Any]:
        """Wait for a person's answer. Airflow 3.3 resumes the task by itself then; older ones leave it to us."""
        while True:
            if answer := await ask_airflow(self._answer):
                return answer
            await asyncio.sleep(self.poll_interval)

    async def _at_last(self) -> dict[str, Any]:
        """Return what holds when the deadline has passed."""
        if self.default is None:
            return {"timeout": True}
        chosen, filled = self.default["chosen_options"], self.default["params_input"]
        closed = await ask_airflow(self._close, chosen, filled)
        late = None if closed else await ask_airflow(self._answer)
        return late or {**self.default, "timedout": True}

    def _answer(self) -> dict[str, Any] | None:
        from airflow.sdk.execution_time.hitl import get_hitl_detail_content_detail

        try:
            told = get_hitl_detail_content_detail(ti_id=UUID(self.question))
        except Exception as fault:  # an API server that restarts is asked again
            self.log.warning("Airflow did not tell whether the question is answered: %r", fault)
            return None
        if not (told.response_received and told.chosen_options):
            return None
        user = told.responded_by_user
        return {
            "chosen_options": list(told.chosen_options),
            "params_input": dict(told.params_input or {}),
            "responded_by_user": user and {"id": user.id, "name": user.name},
        }

    def _close(self, chosen: list[str], filled: dict[str, Any]) -> bool:
        """Answer the question, so that nobody is asked any more; tell whether nobody else was first."""
        from airflow.sdk.execution_time.hitl import update_hitl_detail_response

        try:
            update_hitl_detail_response(ti_id=UUID(self.question), chosen_options=chosen, params_input=filled)
        except Exception as fault:  # somebody has answered at this very moment
            self.log.warning("The question in Airflow could not be closed: %r", fault)
            return False
        return True
