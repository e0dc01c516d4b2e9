"""What all sensors share: they poke or defer, in the same way, and end alike in both modes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
    PokeReturnValue,
    conf,
)

from airflow_flyte_provider.exceptions import FlyteConnectionError, FlyteExecutionError
from airflow_flyte_provider.hooks.owner import HookOwner
from airflow_flyte_provider.links.flyte import CONSOLE_URL_KEY, FlyteExecutionLink, push_log_url
from airflow_flyte_provider.model.identifiers import ExecutionId
from airflow_flyte_provider.triggers.events import ExecutionEvent, deadline

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context
    from airflow.triggers.base import BaseTrigger


class FlyteSensor(HookOwner, BaseSensorOperator):
    """A sensor that waits for something of one execution.

    :param execution: the execution's name, or "project/domain/name" as `FlyteExecuteOperator` returns it with
        `wait_for_completion=False` (templated).
    :param project: Flyte project of a name alone; default: the connection's (templated).
    :param domain: Flyte domain of a name alone; default: the connection's (templated).
    :param flyte_conn_id: the Airflow connection (templated).
    :param deferrable: wait in the triggerer; default: `[operators] default_deferrable`.

    `poke_interval`, `timeout` and `soft_fail` of every sensor hold in both modes.
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
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.execution = execution
        self.project = project
        self.domain = domain
        self.flyte_conn_id = flyte_conn_id
        self.deferrable = deferrable

    @abstractmethod
    def look(self, execution: ExecutionId) -> PokeReturnValue:
        """Look once whether it has come about.

        :raises FlyteError: when it will not, or Flyte does not answer.
        """

    @abstractmethod
    def trigger(self, execution: ExecutionId, deadline: float | None) -> BaseTrigger:
        """Return the trigger that waits for it. Its event is one that `ExecutionEvent` reads.

        :param deadline: when it must give up, in seconds since 1970.
        """

    @abstractmethod
    def told_late(self, execution: ExecutionId) -> str:
        """Return what to tell when it did not come about within the timeout."""

    def execute(self, context: Context) -> Any:
        """Poke until it has come about, or defer; called by Airflow."""
        execution = self.hook.execution_id(self.execution)
        context["ti"].xcom_push(key=CONSOLE_URL_KEY, value=self.hook.console_url(execution))
        if not self.deferrable:
            return super().execute(context)
        # A name that does not exist is told now, and what has come about already needs no triggerer.
        result = self.poke(context)
        if not result.is_done:
            until = deadline(context["ti"], self.timeout)
            self.defer(trigger=self.trigger(execution, until), method_name="execute_complete", timeout=None)
        return result.xcom_value

    def poke(self, context: Context) -> PokeReturnValue:
        """Look once; called by Airflow. A Flyte that cannot be reached is no end: the next poke asks again."""
        try:
            return self._look(self.hook.execution_id(self.execution), context)
        except FlyteConnectionError as fault:
            self.log.warning("This poke found out nothing. %s", fault)
            return PokeReturnValue(is_done=False)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Take up again after the trigger has fired; called by Airflow.

        :param event: what the trigger yielded.
        """
        fired = ExecutionEvent.read(event)
        if fired.timed_out:
            told = self.told_late(fired.execution)
            raise AirflowSkipException(told) if self.soft_fail else AirflowSensorTimeout(told)
        return self._look(fired.execution, context).xcom_value

    def _look(self, execution: ExecutionId, context: Context) -> PokeReturnValue:
        try:
            return self.look(execution)
        except FlyteExecutionError as fault:
            push_log_url(fault.execution, context["ti"])
            raise
        except AirflowFailException as fault:
            if not self.soft_fail:
                raise
            self.log.warning("%s", fault)  # Airflow skips the task without telling why
            raise AirflowSkipException(str(fault)) from fault
