"""Tasks that wait for an execution which something else launched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
    PokeReturnValue,
    conf,
)

from airflow_flyte_provider.exceptions import FlyteConnectionError, FlyteExecutionError
from airflow_flyte_provider.hooks.owner import HookOwner
from airflow_flyte_provider.links.flyte import CONSOLE_URL_KEY, FlyteExecutionLink
from airflow_flyte_provider.model.files import XCOM_LIMIT_BYTES
from airflow_flyte_provider.model.identifiers import ExecutionId
from airflow_flyte_provider.triggers.events import ExecutionEvent, deadline
from airflow_flyte_provider.triggers.flyte import FlyteExecutionTrigger

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class FlyteExecutionSensor(HookOwner, BaseSensorOperator):
    """Waits until an execution is over and returns its outputs; fails when it did not succeed.

    :param execution: the execution's name, or "project/domain/name" as `FlyteExecuteOperator` returns it with
        `wait_for_completion=False` (templated).
    :param project: Flyte project of a name alone; default: the connection's (templated).
    :param domain: Flyte domain of a name alone; default: the connection's (templated).
    :param flyte_conn_id: the Airflow connection (templated).
    :param deferrable: wait in the triggerer; default: `[operators] default_deferrable`.
    :param xcom_limit_bytes: bytes of JSON that the outputs may have at most; no limit with `do_xcom_push=False`.
    :raises FlyteNotFoundError: at once, when there is no such execution.
    :raises FlyteExecutionError: when the execution failed, was aborted or timed out.

    `poke_interval`, `timeout` and `soft_fail` of every sensor hold in both modes. Example::

        launched = FlyteExecuteOperator(task_id="launch", launch_plan="ml.train", wait_for_completion=False)
        FlyteExecutionSensor(task_id="wait", execution=launched.output)
    """

    template_fields: Sequence[str] = ("execution", "project", "domain", "flyte_conn_id")
    operator_extra_links = (FlyteExecutionLink(),)
    ui_color = "#7652a2"
    ui_fgcolor = "#fff"

    def __init__(
        self,
        *,
        execution: str,
        project: str | None = None,
        domain: str | None = None,
        flyte_conn_id: str = "flyte_default",
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        xcom_limit_bytes: int = XCOM_LIMIT_BYTES,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.execution = execution
        self.project = project
        self.domain = domain
        self.flyte_conn_id = flyte_conn_id
        self.deferrable = deferrable
        self.xcom_limit_bytes = xcom_limit_bytes

    def execute(self, context: Context) -> Any:
        """Poke until the execution is over, or defer; called by Airflow."""
        execution = self.hook.execution_id(self.execution)
        context["ti"].xcom_push(key=CONSOLE_URL_KEY, value=self.hook.console_url(execution))
        if not self.deferrable:
            return super().execute(context)
        # A name that does not exist is told now, and one that is over already needs no triggerer.
        result = self.poke(context)
        if not result.is_done:
            self._defer(execution, context)
        return result.xcom_value

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once; called by Airflow. A Flyte that cannot be reached is no end: the next poke asks again."""
        try:
            return self._look(self.hook.execution_id(self.execution))
        except FlyteConnectionError as fault:
            self.log.warning("This poke found out nothing. %s", fault)
            return PokeReturnValue(is_done=False)

    def _look(self, execution: ExecutionId) -> PokeReturnValue:
        found = self.hook.get_execution(execution)
        self.log.info("Execution %s is %s", found.id, found.phase)
        if not found.is_done:
            return PokeReturnValue(is_done=False)
        if not found.is_successful:
            raise FlyteExecutionError.of(self.hook.look_back(found), self.hook.console_url(found.id))
        return PokeReturnValue(is_done=True, xcom_value=self._outputs(found.id))

    def _outputs(self, execution: ExecutionId) -> dict[str, Any]:
        return self.hook.get_xcom(execution, self.xcom_limit_bytes if self.do_xcom_push else None)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Take up again after the trigger has fired; called by Airflow.

        :param event: what `FlyteExecutionTrigger` yielded.
        """
        fired = ExecutionEvent.read(event)
        if fired.timed_out:
            told = f"Execution {fired.execution} was not over within timeout={self.timeout:g} s; it goes on."
            raise AirflowSkipException(told) if self.soft_fail else AirflowSensorTimeout(told)
        return self._look(fired.execution).xcom_value

    def _defer(self, execution: ExecutionId, context: Context) -> None:
        trigger = FlyteExecutionTrigger(
            flyte_conn_id=self.flyte_conn_id,
            execution=str(execution),
            poll_interval=self.poke_interval,
            deadline=deadline(context["ti"], self.timeout),
        )
        self.defer(trigger=trigger, method_name="execute_complete", timeout=None)
