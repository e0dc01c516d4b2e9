"""FlyteApprovalOperator: a gate of an execution, answered by a person on Airflow's page.

Imported wherever a DAG file is parsed: gRPC, protobuf and flyteidl load when a task runs, not here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow import __version__ as airflow_version

from airflow_flyte_provider.exceptions import (
    FlyteConfigError,
    FlyteConnectionError,
    FlyteError,
    FlyteRejectedError,
    FlyteSignalAnsweredError,
    FlyteSignalValueError,
    FlyteWaitTimeoutError,
)
from airflow_flyte_provider.links.flyte import CONSOLE_URL_KEY, FlyteExecutionLink
from airflow_flyte_provider.operators.arguments import as_interval, as_limit
from airflow_flyte_provider.operators.asking import question_text
from airflow_flyte_provider.operators.base import FlyteOperator
from airflow_flyte_provider.triggers.approval import FlyteApprovalTrigger
from airflow_flyte_provider.triggers.events import deadline
from airflow_flyte_provider.triggers.signals import FlyteSignalTrigger

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context
    from airflow.triggers.base import BaseTrigger

    from airflow_flyte_provider.admin.signals import SignalLook
    from airflow_flyte_provider.hooks.gates import Gate
    from airflow_flyte_provider.model.identifiers import ExecutionId
    from airflow_flyte_provider.model.views.questions import Question
    from airflow_flyte_provider.model.views.signals import Signal

#: The first Airflow with a page on which people are asked.
_ASKS_SINCE = (3, 1)

#: Seconds for which a worker keeps an answer while Flyte cannot be reached.
_PATIENCE = 600.0


class FlyteApprovalOperator(FlyteOperator):
    """Waits until an execution reaches a gate, asks a person on Airflow's page "Required Actions", and tells Flyte.

    A gate made by flytekit's `approve` is approved or rejected; the value that it lets through is shown. For one made
    by `wait_for_input` the page shows buttons (bool) or a form made from the declared type. Whoever answers first
    counts: when it is somebody in Flyte, the question in Airflow closes with that answer. While it waits, the task
    holds no worker. An answer that does not fit the type is told in the log, and the question asked again.

    Returns a dict: `signal`, its id; `value`, the answer; `answered_in`, `"airflow"`, `"flyte"` or `"default"`; and
    `answered_by`, the id and name of who answered in Airflow, None otherwise: Flyte does not tell.

    Needs Airflow 3.1 or newer.

    :param execution: the execution's name, or "project/domain/name" as `FlyteExecuteOperator` returns it with
        `wait_for_completion=False` (templated).
    :param signal_id: the signal's name: the first argument of `wait_for_input`, the second of `approve` (templated).
    :param subject: the question's headline (templated). Default: names signal and execution.
    :param body: Markdown to be shown above what is known about the gate (templated).
    :param response_timeout: how long to wait for an answer, in seconds or as a timedelta; None waits for ever.
    :param default: the answer once that time is over, which the form suggests too: of the signal's type, for an
        approval True or False (templated). None for none: the task fails then.
    :param gate_timeout: how long the execution may take to reach the gate, from the task's start on, in seconds or as
        a timedelta; None waits as long as it runs.
    :param fail_on_reject: fail when an approval is rejected, whoever did it. Otherwise the task succeeds with
        `value` False.
    :param poll_interval: time between two looks at Flyte and at the question, in seconds or as a timedelta.
    :param assigned_users: who may answer, as Airflow's `HITLUser` dicts with `id` and `name`; None for everybody.
    :param notifiers: Airflow notifiers that are called when the question is asked.
    :raises FlyteConfigError: on an older Airflow, when the DAG is parsed.
    :raises FlyteSignalOverError: when the execution ends before the gate has its answer, telling how it ended.
    :raises FlyteRejectedError: see `fail_on_reject`.
    :raises FlyteWaitTimeoutError: when nobody answered in time and there is no default; when the gate was not reached
        in time.

    Example::

        launched = FlyteExecuteOperator(task_id="train", launch_plan="ml.train", wait_for_completion=False)
        FlyteApprovalOperator(task_id="approve", execution=launched.output, signal_id="deploy-model")
    """

    template_fields: Sequence[str] = (
        "execution",
        "signal_id",
        "subject",
        "body",
        "default",
        *FlyteOperator.template_fields,
    )
    operator_extra_links = (FlyteExecutionLink(),)

    def __init__(
        self,
        *,
        execution: str,
        signal_id: str,
        subject: str | None = None,
        body: str | None = None,
        response_timeout: timedelta | float | None = None,
        default: Any = None,
        gate_timeout: timedelta | float | None = None,
        fail_on_reject: bool = True,
        poll_interval: float | timedelta = 10.0,
        assigned_users: Sequence[Mapping[str, str]] | None = None,
        notifiers: Sequence[Callable[[Context], object]] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.execution = execution
        self.signal_id = signal_id
        self.subject = subject
        self.body = body
        self.response_timeout = response_timeout
        self.default = default
        self.gate_timeout = gate_timeout
        self.fail_on_reject = fail_on_reject
        self.poll_interval = poll_interval
        self.assigned_users = assigned_users
        self.notifiers = notifiers
        if tuple(int(part) for part in airflow_version.split(".")[:2]) < _ASKS_SINCE:
            raise FlyteConfigError(
                f"Task {self.task_id!r}: FlyteApprovalOperator needs Airflow 3.1 or newer, this is {airflow_version}: "
                "it asks on a page that older ones do not have. Answer by a FlyteSetSignalOperator, "
                "FlyteApproveOperator or FlyteRejectOperator, or in the Flyte console."
            )

    def execute(self, context: Context) -> dict[str, Any]:
        """Ask, or wait for the gate first; called by Airflow."""
        _ = self._interval, self._gate_limit, self._response_limit  # faults are told before anybody is asked
        context["ti"].xcom_push(key=CONSOLE_URL_KEY, value=self.hook.console_url(self._id))
        return self._go_on(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        """Take up again after the gate was reached or answered; called by Airflow.

        :param event: what `FlyteSignalTrigger` or `FlyteApprovalTrigger` yielded; on Airflow 3.3 the answer itself.
        """
        if not self._is_ours(event, context):
            return self._go_on(context)
        if event.get("error"):
            raise FlyteError(
                f"Signal {self.signal_id!r} of execution {self._id} cannot be watched: {event['error']}"
            )
        if event.get("chosen_options"):
            return self._tell_flyte_at_last(context, event)
        if event.get("timeout"):
            self._raise_timeout()
        return self._go_on(context)

    def _is_ours(self, event: dict[str, Any], context: Context) -> bool:
        """Tell whether an event is about this question.

        A trigger whose task Airflow itself has resumed still runs for a moment. On SQLite its id may be that of another
        task's trigger by then, and that task gets its event.
        """
        ours = {"execution": str(self._id), "signal": self.signal_id, "question": str(context["ti"].id)}
        return all(event.get(key) in (None, "", ours[key]) for key in ours)

    @property
    def _interval(self) -> float:
        return as_interval("poll_interval", self.poll_interval)

    @property
    def _gate_limit(self) -> float | None:
        return as_limit("gate_timeout", self.gate_timeout)

    @property
    def _response_limit(self) -> float | None:
        return as_limit("response_timeout", self.response_timeout)

    @property
    def _id(self) -> ExecutionId:
        return self.hook.execution_id(self.execution)

    def _look(self) -> SignalLook:
        return self.hook.look_for_signal(self._id, self.signal_id)

    def _go_on(self, context: Context) -> dict[str, Any]:
        """Take the answer that Flyte has, or ask; defer until there is something new."""
        look = self._look()
        if look.signal is not None and look.signal.is_set:
            self.log.info("Signal %s was answered in Flyte.", look.signal)
            gate = self.hook.get_gate(look.execution, self.signal_id)
            return self._result(look.signal, gate, "flyte")
        look.require_open()
        if look.signal is None:
            self.log.info("Execution %s has not reached the gate of signal %r yet.", self._id, self.signal_id)
            self._defer(
                FlyteSignalTrigger(
                    flyte_conn_id=self.flyte_conn_id,
                    execution=str(self._id),
                    signal_id=self.signal_id,
                    wait_for="waiting",
                    poll_interval=self._interval,
                    deadline=deadline(context["ti"], self._gate_limit),
                )
            )
        return self._ask(context, look, look.signal)

    def _ask(self, context: Context, look: SignalLook, signal: Signal) -> NoReturn:
        from airflow.sdk.execution_time.hitl import upsert_hitl_detail

        gate = self.hook.get_gate(look.execution, self.signal_id)
        question = self._question(signal, gate)
        default = suggested = None
        if self.default is not None:
            suggested = self._default_for(question)
            chosen, filled = question.answer_of(suggested)
            default = {"chosen_options": chosen, "params_input": filled}
        subject = self.subject or f"{question.verb} {self.signal_id!r} of execution {self._id.name}"
        upsert_hitl_detail(
            ti_id=context["ti"].id,
            subject=subject,
            body=question_text(self.body, look.execution, signal, gate, self.hook.console_url(self._id)),
            options=list(question.options),
            defaults=default and default["chosen_options"],
            params=question.form(suggested),
            assigned_users=list(self.assigned_users or ()),  # type: ignore[arg-type]
        )
        self.log.info("Asked in Airflow: %r. Execution %s waits for signal %s.", subject, self._id, signal)
        for notify in self.notifiers:
            notify(context)
        limit = self._response_limit
        self._defer(
            FlyteApprovalTrigger(
                flyte_conn_id=self.flyte_conn_id,
                execution=str(self._id),
                signal_id=self.signal_id,
                question=str(context["ti"].id),
                options=question.options,
                default=default,
                deadline=None if limit is None else time.time() + limit,
                poll_interval=self._interval,
            )
        )

    def _defer(self, trigger: BaseTrigger) -> NoReturn:
        # Deadlines are the triggers' own: Airflow's would fail the task without a word of what it waited for.
        self.defer(trigger=trigger, method_name="execute_complete", timeout=None)

    def _tell_flyte_at_last(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        """Give Flyte the answer, however often it cannot be reached: a retry would have to ask the person again."""
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                return self._tell_flyte(context, event)
            except FlyteConnectionError as fault:
                if time.monotonic() >= until:
                    raise
                self.log.warning("The answer could not be given yet. %s", fault)
                time.sleep(self._interval)

    def _tell_flyte(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        look = self._look()
        if look.signal is None:
            look.require_open()
            raise FlyteError(f"Execution {self._id} no longer asks for signal {self.signal_id!r}.")
        gate = self.hook.get_gate(look.execution, self.signal_id)
        user = event.get("responded_by_user")
        try:
            value = self._question(look.signal, gate).value_of(event["chosen_options"], event["params_input"])
            signal = self.hook.set_signal(self._id, self.signal_id, value)
        except (ValueError, FlyteSignalValueError) as fault:
            self.log.error("The answer cannot be used, and is asked for again: %s", fault)
            self._ask(context, look, look.signal)
        except FlyteSignalAnsweredError as fault:
            self.log.warning("The answer given in Airflow came too late: %s", fault)
            return self._go_on(context)
        if user:
            self.log.info("%s (id %s) answered in Airflow: signal %s.", user["name"], user["id"], signal)
            return self._result(signal, gate, "airflow", user)
        self.log.info("Nobody answered in time, and the default was taken: signal %s.", signal)
        return self._result(signal, gate, "default")

    def _question(self, signal: Signal, gate: Gate) -> Question:
        from airflow_flyte_provider.model.views.questions import Question

        return Question.about(signal, approval=gate.asks_approval)

    def _default_for(self, question: Question) -> Any:
        try:
            return question.read(self.default)
        except ValueError as fault:
            told = f"Task {self.task_id!r}: the default does not fit signal {question.signal}: {fault}"
            raise FlyteConfigError(told) from None

    def _result(
        self, signal: Signal, gate: Gate, answered_in: str, answered_by: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        if self.fail_on_reject and gate.asks_approval and signal.value is False:
            who = {"flyte": "somebody in Flyte", "default": "nobody in time, so the default"}
            told = answered_by["name"] if answered_by else who[answered_in]
            raise FlyteRejectedError(
                f"Signal {self.signal_id!r} of execution {self._id} was rejected by {told}."
            )
        return {
            "signal": self.signal_id,
            "value": self.hook.signal_xcom(signal),
            "answered_in": answered_in,
            "answered_by": answered_by,
        }

    def _raise_timeout(self) -> NoReturn:
        signal = self._look().signal
        if signal is None:
            told = (
                f"did not reach the gate of signal {self.signal_id!r} within gate_timeout={self.gate_timeout}"
            )
        else:
            told = f"still waits for signal {signal}: nobody answered within response_timeout={self.response_timeout}"
        raise FlyteWaitTimeoutError(f"Execution {self._id} {told}. It goes on.")
