"""FlyteTerminateOperator: end an execution, whoever launched it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_flyte_provider.links.flyte import CONSOLE_URL_KEY, FlyteExecutionLink
from airflow_flyte_provider.operators.arguments import as_interval, as_seconds
from airflow_flyte_provider.operators.base import FlyteOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class FlyteTerminateOperator(FlyteOperator):
    """Terminates an execution and waits until it is over. Returns whether it was there to be terminated.

    An execution that is over already is no error: the task returns False.

    :param execution: its name, or "project/domain/name" (templated).
    :param cause: why, for those who find it aborted (templated). Default: names the DAG run.
    :param wait_for_completion: wait until it is ABORTED; Flyte takes some seconds for it.
    :param poll_interval: time between two polls, in seconds or as a timedelta.
    :param timeout: how long to wait at most, likewise.
    :raises FlyteNotFoundError: when there is no such execution.
    :raises FlyteWaitTimeoutError: when it is still not over after `timeout`.

    Example::

        FlyteTerminateOperator(task_id="stop", execution=launched.output, cause="the source is not ready")
    """

    template_fields: Sequence[str] = ("execution", "cause", *FlyteOperator.template_fields)
    operator_extra_links = (FlyteExecutionLink(),)

    def __init__(
        self,
        *,
        execution: str,
        cause: str = "Airflow task {{ ti.dag_id }}.{{ ti.task_id }} of run {{ run_id }} terminated it",
        wait_for_completion: bool = True,
        poll_interval: float | timedelta = 2.0,
        timeout: float | timedelta = 300.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.execution = execution
        self.cause = cause
        self.wait_for_completion = wait_for_completion
        self.poll_interval = poll_interval
        self.timeout = timeout

    def execute(self, context: Context) -> bool:
        """Terminate it; called by Airflow."""
        limit = as_seconds("timeout", self.timeout)
        interval = as_interval("poll_interval", self.poll_interval)
        execution = self.hook.execution_id(self.execution)
        context["ti"].xcom_push(key=CONSOLE_URL_KEY, value=self.hook.console_url(execution))
        terminated = self.hook.terminate(execution, self.cause)
        if terminated and self.wait_for_completion:
            done = self.hook.wait(execution, timeout=limit, poll_interval=interval)
            self.log.info("Execution %s is %s.", execution, done.phase)
        elif not terminated:
            self.log.info("Execution %s was over already.", execution)
        return terminated
