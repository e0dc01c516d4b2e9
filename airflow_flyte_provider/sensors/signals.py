"""FlyteSignalSensor: wait until a gate asks for a signal, or until it has got it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import PokeReturnValue

from airflow_flyte_provider.exceptions import FlyteConfigError
from airflow_flyte_provider.model.identifiers import ExecutionId
from airflow_flyte_provider.sensors.base import FlyteSensor
from airflow_flyte_provider.triggers.signals import WAITED_FOR, FlyteSignalTrigger

if TYPE_CHECKING:
    from airflow.triggers.base import BaseTrigger


class FlyteSignalSensor(FlyteSensor):
    """Waits for a signal of an execution: until a gate asks for it, or until somebody has set it.

    Which execution, by which connection, and how it waits: see `FlyteSensor`, whose parameters it takes too. Fails at
    once, telling how, when the execution is over before. Returns the signal's value, as Flyte's outputs go to XCom;
    None as long as it has none.

    :param signal_id: the signal's name in the workflow (templated).
    :param wait_for: `"waiting"`: until the execution waits for the signal, so that it can be set; it is there too when
        somebody else was faster and has set it. `"value"`: until it has a value, whoever sets it.
    :raises FlyteNotFoundError: at once, when there is no such execution.
    :raises FlyteSignalOverError: when the execution is over before.

    Example::

        FlyteSignalSensor(task_id="asked", execution=launched.output, signal_id="title", wait_for="waiting")
    """

    template_fields: Sequence[str] = ("signal_id", *FlyteSensor.template_fields)

    def __init__(self, *, signal_id: str, wait_for: str = "value", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.signal_id = signal_id
        self.wait_for = wait_for
        if wait_for not in WAITED_FOR:
            raise FlyteConfigError(
                f"Task {self.task_id!r} has wait_for={wait_for!r}: give {' or '.join(map(repr, WAITED_FOR))}."
            )

    def look(self, execution: ExecutionId) -> PokeReturnValue:
        """Look once for the signal."""
        signal = self.hook.look_for_signal(execution, self.signal_id).reached(self.wait_for)
        if signal is None:
            self.log.info("Signal %r of execution %s: not yet", self.signal_id, execution)
            return PokeReturnValue(is_done=False)
        self.log.info("Signal %s of execution %s", signal, execution)
        return PokeReturnValue(is_done=True, xcom_value=self.hook.signal_xcom(signal))

    def trigger(self, execution: ExecutionId, deadline: float | None) -> BaseTrigger:
        """Return the trigger that waits for the signal."""
        return FlyteSignalTrigger(
            flyte_conn_id=self.flyte_conn_id,
            execution=str(execution),
            signal_id=self.signal_id,
            wait_for=self.wait_for,
            poll_interval=self.poke_interval,
            deadline=deadline,
        )

    def told_late(self, execution: ExecutionId) -> str:
        """Return what to tell when the signal did not come within the timeout."""
        what = "set" if self.wait_for == "value" else "asked for"
        return (
            f"Signal {self.signal_id!r} of execution {execution} was not {what} within timeout={self.timeout:g} s; "
            "the execution goes on."
        )
