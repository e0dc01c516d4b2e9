"""Verbs about signals: what the gates of an execution wait for, and how they get it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from flyteidl.admin import common_pb2, signal_pb2
from flyteidl.core import identifier_pb2
from flyteidl.core.literals_pb2 import Literal
from flyteidl.core.types_pb2 import LiteralType

from airflow_flyte_provider.admin.client import Call, Service, Sleep, Verb
from airflow_flyte_provider.admin.executions import get_execution, to_proto
from airflow_flyte_provider.admin.paging import list_all
from airflow_flyte_provider.exceptions import (
    FlyteConnectionError,
    FlyteInvalidRequestError,
    FlyteSignalAnsweredError,
    FlyteSignalNotReadyError,
    FlyteSignalOverError,
    FlyteSignalValueError,
)
from airflow_flyte_provider.model.faults import ValueFaults, shown
from airflow_flyte_provider.model.identifiers import ExecutionId
from airflow_flyte_provider.model.suggestions import did_you_mean
from airflow_flyte_provider.model.values.literals import from_literal, to_literal
from airflow_flyte_provider.model.views.executions import Execution
from airflow_flyte_provider.model.views.reports import failure_report
from airflow_flyte_provider.model.views.signals import Signal

_PAGE = 100


@dataclass(frozen=True, slots=True)
class SignalLook:
    """What one look for a signal found.

    :param execution: the execution, as it was a moment before.
    :param signal_id: the name that was looked for.
    :param signals: all signals that its gates have asked for until now.
    """

    execution: Execution
    signal_id: str
    signals: Sequence[Signal]

    @property
    def signal(self) -> Signal | None:
        """The signal that was looked for, None as long as no gate has asked for it."""
        return next((signal for signal in self.signals if signal.id == self.signal_id), None)

    def reached(self, wait_for: str) -> Signal | None:
        """Return the signal once what is waited for has come about, None before.

        :param wait_for: `"waiting"`: the execution asks for the signal; `"value"`: the signal has a value.
        :raises FlyteSignalOverError: when the execution is over, and it will not.
        """
        signal = self.signal
        if signal is not None and signal.is_set:
            return signal
        self.require_open()
        return signal if wait_for == "waiting" else None

    def require_open(self) -> None:
        """Raise when the execution is over.

        :raises FlyteSignalOverError: telling how it ended.
        """
        if self.execution.is_done:
            signal = self.signal
            what = "was never asked for" if signal is None else "got no value"
            if signal is not None and signal.is_set:
                what = f"had its value, {shown(signal.value)}"
            raise FlyteSignalOverError(
                f"Signal {self.signal_id!r} {what}, and nothing waits for it any more. "
                f"{failure_report(self.execution)}",
                self.execution,
            )


def list_signals(execution: ExecutionId) -> Verb[list[Signal]]:
    """List the signals that the gates of an execution have asked for until now, by name.

    A gate asks when the engine reaches it. An execution that does not exist has none, says Flyte.
    """
    request = signal_pb2.SignalListRequest(
        workflow_execution_id=to_proto(execution),
        # Without an order of ours, pages may overlap.
        sort_by=common_pb2.Sort(key="signal_id", direction=common_pb2.Sort.ASCENDING),
    )
    asked = f"listing the signals of execution {execution}"
    found = yield from list_all(
        "ListSignals", request, asked, items="signals", page=_PAGE, service=Service.SIGNAL
    )
    return [Signal.from_proto(proto) for proto in found]


def look_for_signal(execution: ExecutionId, signal_id: str) -> Verb[SignalLook]:
    """Look once whether an execution asks for a signal, and whether it is over.

    The execution is looked at first: a signal that an execution does not have after its end, it never gets.

    :raises FlyteNotFoundError: when there is no such execution.
    """
    found = yield from get_execution(execution)
    return SignalLook(found, signal_id, (yield from list_signals(execution)))


def set_signal(
    execution: ExecutionId,
    signal_id: str,
    value: object,
    *,
    timeout: float | None,
    poll_interval: float,
    write: Callable[[object, LiteralType, str], Literal] = to_literal,
) -> Verb[Signal]:
    """Give a signal its value. One that has this value already is left as it is, so that a retry does no harm.

    Flyte takes a second value, and one for an execution that is over, but nothing ever reads them: both are refused
    here.

    :param value: a native value of the type that the signal takes, or a text of it.
    :param timeout: seconds to wait for the gate to be reached; None asks once.
    :param poll_interval: seconds between two looks meanwhile.
    :param write: makes a literal of the value; takes the declared type and what to call the value in a fault.
    :returns: the signal with its value.
    :raises FlyteSignalNotReadyError: when the execution does not ask for the signal in time.
    :raises FlyteSignalValueError: when the value does not fit.
    :raises FlyteSignalAnsweredError: when it has another value already.
    :raises FlyteSignalOverError: when the execution is over.
    """
    look = yield from _wait_for_gate(execution, signal_id, timeout, poll_interval)
    signal = look.signal
    if signal is None:
        raise _not_ready(look, timeout)
    try:
        literal = write(value, signal.literal_type, signal_id)
    except ValueFaults as faults:
        raise FlyteSignalValueError(
            f"Signal {signal_id!r} of execution {execution} takes {signal.type_name} and was not set: {faults}"
        ) from None
    answered = replace(signal, is_set=True, value=from_literal(literal, signal.literal_type, signal_id))
    if signal == answered:
        return signal
    look.require_open()
    if signal.is_set:
        raise FlyteSignalAnsweredError(
            f"Signal {signal_id!r} of execution {execution} has the value {shown(signal.value)} already, "
            f"and was not given {shown(answered.value)}: somebody else was first.",
            signal.value,
        )
    identifier = identifier_pb2.SignalIdentifier(signal_id=signal_id, execution_id=to_proto(execution))
    request = signal_pb2.SignalSetRequest(id=identifier, value=literal)
    asked = f"setting signal {signal} of execution {execution}"
    try:
        yield Call("SetSignal", request, asked, Service.SIGNAL)
    except FlyteInvalidRequestError as refusal:
        # FlyteAdmin wants the declared type to fit the value's, and a union fits none of its variants.
        is_union = signal.literal_type.WhichOneof("type") == "union_type"
        hint = " Flyte 1.16 takes no value for a signal of a union type." if is_union else ""
        raise FlyteSignalValueError(f"{refusal}{hint}") from None
    return answered


def _wait_for_gate(
    execution: ExecutionId, signal_id: str, timeout: float | None, poll_interval: float
) -> Verb[SignalLook]:
    """Look until the signal is there or the time is over; a Flyte that cannot be reached is asked again."""
    deadline = time.monotonic() + (timeout or 0)
    while True:
        try:
            look = yield from look_for_signal(execution, signal_id)
        except FlyteConnectionError:
            if time.monotonic() >= deadline:
                raise
        else:
            if look.signal is None:
                look.require_open()
            if look.signal is not None or time.monotonic() >= deadline:
                return look
        yield Sleep(max(0.0, min(poll_interval, deadline - time.monotonic())))


def _not_ready(look: SignalLook, timeout: float | None) -> FlyteSignalNotReadyError:
    waiting = [signal for signal in look.signals if not signal.is_set]
    instead = f"It waits for {', '.join(map(str, waiting))}." if waiting else "It waits for no signal."
    hint = did_you_mean(look.signal_id, [signal.id for signal in look.signals])
    within = f" within {timeout:g} s" if timeout else " yet"
    text = (
        f"Execution {look.execution.id} ({look.execution.phase}) did not ask for signal {look.signal_id!r}{within}. "
        f"{instead}{f' {hint.capitalize()}' if hint else ''} A signal can be set once its gate is reached."
    )
    return FlyteSignalNotReadyError(text)
