"""What FlyteHook does with signals: it tells what the gates of an execution wait for, and answers them."""

from __future__ import annotations

from typing import Any

from flyteidl.core.literals_pb2 import Literal
from flyteidl.core.types_pb2 import LiteralType

from airflow_flyte_provider.admin import signals
from airflow_flyte_provider.admin.signals import SignalLook
from airflow_flyte_provider.exceptions import FlyteOutputsError
from airflow_flyte_provider.hooks.connection import FlyteConnection
from airflow_flyte_provider.hooks.uploads import Uploads
from airflow_flyte_provider.model.faults import ValueFaults
from airflow_flyte_provider.model.identifiers import ExecutionId
from airflow_flyte_provider.model.values.literals import to_literal
from airflow_flyte_provider.model.values.types import describe
from airflow_flyte_provider.model.values.xcom import xcom_value
from airflow_flyte_provider.model.views.signals import Signal


class SignalVerbs(FlyteConnection):
    """The part of FlyteHook that speaks to Flyte's SignalService."""

    def list_signals(self, execution: ExecutionId) -> list[Signal]:
        """List the signals that the gates of an execution have asked for until now, by name.

        A gate asks when the engine reaches it, so a signal of a later gate is not there yet. One that has its value
        stays in the list. Of an execution that does not exist Flyte says that it has none.

        Example::

            waiting = [signal for signal in hook.list_signals(execution) if not signal.is_set]
            print(*waiting)  # 'approve-me' (bool) 'title' (str)
        """
        return self.run(signals.list_signals(execution))

    def look_for_signal(self, execution: ExecutionId, signal_id: str) -> SignalLook:
        """Look once whether an execution asks for a signal, has its value, or is over.

        :param signal_id: its name in the workflow.
        :raises FlyteNotFoundError: when there is no such execution.

        Example::

            look = hook.look_for_signal(execution, "title")
            look.signal  # None as long as no gate has asked for it
            look.reached("value")  # the signal once it is set; raises when the execution is over without
        """
        return self.run(signals.look_for_signal(execution, signal_id))

    def signal_xcom(self, signal: Signal) -> Any:
        """Return the value of a signal as JSON for XCom, None as long as it has none; see `get_xcom`.

        :raises FlyteOutputsError: when XCom cannot hold it.
        """
        try:
            return xcom_value(signal.value)
        except ValueError as fault:
            raise FlyteOutputsError(
                f"Signal {signal.id!r} of execution {signal.execution}: {fault}"
            ) from None

    def set_signal(
        self,
        execution: ExecutionId,
        signal_id: str,
        value: Any,
        *,
        timeout: float | None = None,
        poll_interval: float = 2.0,
    ) -> Signal:
        """Give a signal its value, so that the execution goes on. One that has this value already is left as it is.

        :param signal_id: its name in the workflow.
        :param value: a native Python value of the type that the signal takes, or a text of it, as for inputs; files
            are given by the text of a URI that Flyte can read.
        :param timeout: seconds to wait for the execution to reach the gate; None does not wait.
        :param poll_interval: seconds between two looks meanwhile.
        :returns: the signal with its value.
        :raises FlyteNotFoundError: when there is no such execution.
        :raises FlyteSignalNotReadyError: when the execution does not ask for the signal in time.
        :raises FlyteSignalValueError: when the value does not fit the type that the signal takes.
        :raises FlyteSignalAnsweredError: when it has another value already. Flyte would take a second one, but
            nothing would read it.
        :raises FlyteSignalOverError: when the execution is over.

        Example::

            hook.set_signal(launched.id, "title", "Report of May", timeout=300)
        """
        verb = signals.set_signal(
            execution, signal_id, value, timeout=timeout, poll_interval=poll_interval, write=_write
        )
        return self.run(verb)

    def approve_signal(
        self,
        execution: ExecutionId,
        signal_id: str,
        *,
        timeout: float | None = None,
        poll_interval: float = 2.0,
    ) -> Signal:
        """Approve at a gate: set its signal to True. See `set_signal` for parameters and errors."""
        return self.set_signal(execution, signal_id, True, timeout=timeout, poll_interval=poll_interval)

    def reject_signal(
        self,
        execution: ExecutionId,
        signal_id: str,
        *,
        timeout: float | None = None,
        poll_interval: float = 2.0,
    ) -> Signal:
        """Reject at a gate: set its signal to False. See `set_signal` for parameters and errors.

        At a gate that asks for approval the execution then ends FAILED with the code `ReceivedRejectSignal`.
        """
        return self.set_signal(execution, signal_id, False, timeout=timeout, poll_interval=poll_interval)


def _write(value: object, literal_type: LiteralType, path: str) -> Literal:
    """Return a literal, unless Flyte could not read what it points to."""
    if Uploads().stage(value, literal_type, path) is not value:
        hint = "a file for a signal is not uploaded: give a URI that Flyte can read"
        raise ValueFaults.of(path, describe(literal_type), value, hint)
    return to_literal(value, literal_type, path)
