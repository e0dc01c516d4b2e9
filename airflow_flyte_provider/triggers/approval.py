"""Waiting for whoever answers a gate first: a person on Airflow's page, or somebody in Flyte.

Imported wherever a DAG file is parsed, so gRPC and flyteidl load in `run` only.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_flyte_provider.model.identifiers import ExecutionId

if TYPE_CHECKING:
    from airflow_flyte_provider.admin.signals import SignalLook
    from airflow_flyte_provider.hooks.flyte import FlyteHook


class FlyteApprovalTrigger(BaseTrigger):
    """Fires once a gate is reached, or, when a question about it is open in Airflow, once it is answered.

    The event holds `execution`, `signal` and `question`, and one of: `waiting`, true when the gate is reached and
    nothing has been asked yet; `chosen_options` and `params_input`, with `responded_by_user`, when a person answered in
    Airflow, or with `timedout` for the default; `settled`, true when the signal has a value already or the execution is
    over; `timeout`, true when the deadline has passed; `error`, why the wait cannot go on. A question that is settled
    in Flyte is closed in Airflow with the answer that was given there.

    :param flyte_conn_id: the Airflow connection.
    :param execution: the execution as "project/domain/name".
    :param signal: the signal that the gate waits for.
    :param question: id of the task instance that asks; empty as long as it has not asked.
    :param options: what there is to choose from.
    :param default: the answer once the deadline has passed, with `chosen_options` and `params_input`; None for none.
    :param deadline: when to give up, in seconds since 1970 (UTC); None never gives up.
    :param poll_interval: seconds between two looks.
    """

    def __init__(
        self,
        *,
        flyte_conn_id: str,
        execution: str,
        signal: str,
        question: str = "",
        options: Sequence[str] = (),
        default: Mapping[str, Any] | None = None,
        deadline: float | None = None,
        poll_interval: float = 10.0,
    ) -> None:
        super().__init__()
        self.flyte_conn_id = flyte_conn_id
        self.execution = execution
        self.signal = signal
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
                "signal": self.signal,
                "question": self.question,
                "options": self.options,
                "default": self.default,
                "deadline": self.deadline,
                "poll_interval": self.poll_interval,
            },
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait, and yield the one event."""
        from airflow_flyte_provider.exceptions import FlyteConnectionError, FlyteError
        from airflow_flyte_provider.hooks.flyte import FlyteHook

        hook = FlyteHook(self.flyte_conn_id)
        about = {"execution": self.execution, "signal": self.signal, "question": self.question}
        while True:
            event: dict[str, Any] | None
            try:
                event = await self._look(hook)
            except FlyteConnectionError as fault:
                self.log.warning("This look found out nothing. %s", fault)
                event = None
            except FlyteError as fault:
                event = {"error": str(fault)}
            event = event or await self._look_at_time()
            if event:
                yield TriggerEvent({**about, **event})
                return
            await asyncio.sleep(self.poll_interval)

    async def _look(self, hook: FlyteHook) -> dict[str, Any] | None:
        """Look at both once, Flyte first: what is settled there stays settled."""
        from airflow_flyte_provider.admin.signals import look_for_signal

        if "settings" not in vars(hook):
            await hook.load_settings()
        look = await hook.arun(look_for_signal(ExecutionId.parse(self.execution), self.signal))
        if look.signal is not None and look.signal.is_set:
            await self._close(look)
            return {"settled": True}
        if look.execution.is_done:
            return {"settled": True}
        if not self.question:
            return {"waiting": True} if look.signal is not None else None
        return await asyncio.to_thread(self._answer)

    def _answer(self) -> dict[str, Any] | None:
        """Return what Airflow has as the answer. Airflow 3.3 resumes the task by itself; others leave it to us."""
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

    async def _look_at_time(self) -> dict[str, Any] | None:
        if self.deadline is None or time.time() < self.deadline:
            return None
        if self.default is None:
            return {"timeout": True}
        chosen, filled = self.default["chosen_options"], self.default["params_input"]
        if not await asyncio.to_thread(self._record, chosen, filled):
            answer = await asyncio.to_thread(self._answer)
            if answer:
                return answer
        return {**self.default, "timedout": True}

    async def _close(self, look: SignalLook) -> None:
        """Answer the open question as Flyte was answered, so that nobody is asked any more."""
        if not self.question or look.signal is None:
            return
        from airflow_flyte_provider.model.questions import Question

        answer = Question(look.signal, tuple(self.options)).answer_of(look.signal.value)
        await asyncio.to_thread(self._record, *answer)

    def _record(self, chosen: list[str], filled: dict[str, Any]) -> bool:
        from airflow.sdk.execution_time.hitl import update_hitl_detail_response

        try:
            update_hitl_detail_response(ti_id=UUID(self.question), chosen_options=chosen, params_input=filled)
        except Exception as fault:  # somebody has answered at this very moment
            self.log.warning("The question in Airflow could not be closed: %r", fault)
            return False
        return True
