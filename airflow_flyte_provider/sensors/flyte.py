"""Tasks that wait for what something else launched.

Imported wherever a DAG file is parsed: gRPC, protobuf and flyteidl load when a task runs, not here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import PokeReturnValue

from airflow_flyte_provider.exceptions import FlyteExecutionError
from airflow_flyte_provider.links.flyte import FlyteExecutionLink, FlyteLogLink
from airflow_flyte_provider.model.files import XCOM_LIMIT_BYTES
from airflow_flyte_provider.model.identifiers import ExecutionId
from airflow_flyte_provider.sensors.base import FlyteSensor
from airflow_flyte_provider.sensors.signals import FlyteSignalSensor
from airflow_flyte_provider.triggers.flyte import FlyteExecutionTrigger

if TYPE_CHECKING:
    from airflow.triggers.base import BaseTrigger

__all__ = ["FlyteExecutionSensor", "FlyteSignalSensor"]


class FlyteExecutionSensor(FlyteSensor):
    """Waits until an execution is over and returns its outputs; fails when it did not succeed.

    Which execution, by which connection, and how it waits: see `FlyteSensor`, whose parameters it takes too.

    :param xcom_limit_bytes: bytes of JSON that the outputs may have at most; no limit with `do_xcom_push=False`.
    :raises FlyteNotFoundError: at once, when there is no such execution.
    :raises FlyteExecutionError: when the execution failed, was aborted or timed out.

    Example::

        launched = FlyteExecuteOperator(task_id="launch", launch_plan="ml.train", wait_for_completion=False)
        FlyteExecutionSensor(task_id="wait", execution=launched.output)
    """

    operator_extra_links = (FlyteExecutionLink(), FlyteLogLink())

    def __init__(self, *, xcom_limit_bytes: int = XCOM_LIMIT_BYTES, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.xcom_limit_bytes = xcom_limit_bytes

    def look(self, execution: ExecutionId) -> PokeReturnValue:
        """Look once whether it is over."""
        found = self.hook.get_execution(execution)
        self.log.info("Execution %s is %s", found.id, found.phase)
        if not found.is_done:
            return PokeReturnValue(is_done=False)
        if not found.is_successful:
            raise FlyteExecutionError.of(self.hook.look_back(found), self.hook.console_url(found.id))
        limit = self.xcom_limit_bytes if self.do_xcom_push else None
        return PokeReturnValue(is_done=True, xcom_value=self.hook.get_xcom(found.id, limit))

    def trigger(self, execution: ExecutionId, deadline: float | None) -> BaseTrigger:
        """Return the trigger that waits for its end."""
        return FlyteExecutionTrigger(
            flyte_conn_id=self.flyte_conn_id,
            execution=str(execution),
            poll_interval=self.poke_interval,
            deadline=deadline,
        )

    def told_late(self, execution: ExecutionId) -> str:
        """Return what to tell when it was not over within the timeout."""
        return f"Execution {execution} was not over within timeout={self.timeout:g} s; it goes on."
