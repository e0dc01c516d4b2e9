"""Operators that answer what the gate of an execution asks for.

Imported wherever a DAG file is parsed: gRPC, protobuf and flyteidl load when a task runs, not here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_flyte_provider.links.flyte import CONSOLE_URL_KEY, FlyteExecutionLink
from airflow_flyte_provider.operators.arguments import as_interval, as_seconds
from airflow_flyte_provider.operators.base import FlyteOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class FlyteSetSignalOperator(FlyteOperator):
    """Gives a signal of an execution its value, so that the gate which waits for it opens. Returns the value.

    A signal exists from when the execution has reached the gate, which is waited for. One that has this value already
    is left as it is, so that a retry does no harm.

    :param execution: the execution's name, or "project/domain/name" (templated).
    :param signal_id: the signal's name in the workflow (templated).
    :param value: a native Python value of the type that the signal takes (templated). Text that a template made ("5",
        "true", "2026-01-01") becomes that type.
    :param timeout: how long to wait for the gate to be reached, in seconds or as a timedelta (templated). The task
        holds its worker meanwhile: wait with a `FlyteSignalSensor` before it where that may be long.
    :param poll_interval: seconds between two looks meanwhile (templated).
    :raises FlyteNotFoundError: when there is no such execution.
    :raises FlyteSignalNotReadyError: when the gate is not reached in time.
    :raises FlyteSignalValueError: when the value does not fit the type that the signal takes.
    :raises FlyteSignalAnsweredError: when it has another value already.
    :raises FlyteSignalOverError: when the execution is over, telling how it ended.

    Example::

        FlyteSetSignalOperator(
            task_id="title", execution=launched.output, signal_id="title", value="Report of {{ ds }}"
        )
    """

    template_fields: Sequence[str] = (
        "execution",
        "signal_id",
        "value",
        "timeout",
        "poll_interval",
        *FlyteOperator.template_fields,
    )
    operator_extra_links = (FlyteExecutionLink(),)

    def __init__(
        self,
        *,
        execution: str,
        signal_id: str,
        value: Any,
        timeout: float | timedelta | str = 300.0,
        poll_interval: float | str = 2.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.execution = execution
        self.signal_id = signal_id
        self.value = value
        self.timeout = timeout
        self.poll_interval = poll_interval

    def execute(self, context: Context) -> Any:
        """Set the signal; called by Airflow."""
        timeout = as_seconds("timeout", self.timeout)
        interval = as_interval("poll_interval", self.poll_interval)
        execution = self.hook.execution_id(self.execution)
        context["ti"].xcom_push(key=CONSOLE_URL_KEY, value=self.hook.console_url(execution))
        signal = self.hook.set_signal(
            execution, self.signal_id, self.value, timeout=timeout, poll_interval=interval
        )
        self.log.info("Signal %s of execution %s", signal, execution)
        return self.hook.signal_xcom(signal)


class FlyteApproveOperator(FlyteSetSignalOperator):
    """Approves at a gate: sets its signal to True, so that the execution goes on.

    Takes the parameters of `FlyteSetSignalOperator` but `value`. Example::

        FlyteApproveOperator(task_id="approve", execution=launched.output, signal_id="approve-me")
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(value=True, **kwargs)


class FlyteRejectOperator(FlyteSetSignalOperator):
    """Rejects at a gate: sets its signal to False.

    At a gate that asks for approval the execution then ends FAILED with the code `ReceivedRejectSignal`. Takes the
    parameters of `FlyteSetSignalOperator` but `value`. Example::

        FlyteRejectOperator(task_id="reject", execution=launched.output, signal_id="approve-me")
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(value=False, **kwargs)
