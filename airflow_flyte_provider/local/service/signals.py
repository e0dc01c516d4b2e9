"""SignalService: what gates wait for."""
# ruff: noqa: N802 - the methods are named as the gRPC service names them

from __future__ import annotations

from typing import Any

from flyteidl.admin import signal_pb2
from flyteidl.service import signal_pb2_grpc

from airflow_flyte_provider.local.engine.notices import Notices, signal_key
from airflow_flyte_provider.local.refusal import invalid, missing
from airflow_flyte_provider.local.service import checks
from airflow_flyte_provider.local.store.executions import ExecutionStore
from airflow_flyte_provider.local.store.listing import page_of
from airflow_flyte_provider.local.wording import go_text
from airflow_flyte_provider.model.values.casting import castable


class SignalService(signal_pb2_grpc.SignalServiceServicer):
    """Flyte's signal service.

    :param executions: where signals are stored.
    :param notices: wakes the gates that wait for one.
    """

    def __init__(self, executions: ExecutionStore, notices: Notices) -> None:
        self._executions = executions
        self._notices = notices

    def GetOrCreateSignal(self, request: Any, context: Any) -> Any:
        """Return a signal, made when it isn't there."""
        _check_id(request)
        if not request.HasField("type"):
            raise missing("type")
        return self._executions.ask_for_signal(request.id, request.type)

    def ListSignals(self, request: Any, context: Any) -> Any:
        """Return a page of the signals that gates of an execution have asked for."""
        identifier = request.workflow_execution_id
        if not (identifier.project and identifier.domain and identifier.name):
            raise missing("execution_id")
        conditions = self._executions.signal_conditions(identifier)
        page = page_of(request, "ListSignals", conditions=conditions, unsorted=("signal_id",))
        found, token = self._executions.list_signals(page)
        return signal_pb2.SignalList(signals=found, token=token)

    def SetSignal(self, request: Any, context: Any) -> Any:
        """Give a signal its value."""
        _check_id(request)
        if not request.HasField("value"):
            raise missing("value")
        signal = self._executions.signal(request.id)
        if signal is None:
            execution = request.id.execution_id
            shown = f"{{{{{execution.project} {execution.domain} {execution.name}}} {request.id.signal_id}}}"
            raise invalid(f"failed to validate that signal [{shown}] exists, err: [signal does not exist]")
        if not castable(signal.type, checks.known_type("", request.value)):
            stored = " ".join(str(byte) for byte in signal.type.SerializeToString())
            raise invalid(
                f"requested signal value [{go_text(request.value)}] "
                f"is not castable to existing signal type [[{stored}]]"
            )
        signal.value.CopyFrom(request.value)
        self._executions.write_signal(signal)
        self._notices.notify(signal_key(request.id))
        return signal_pb2.SignalSetResponse()


def _check_id(request: Any) -> None:
    if not request.HasField("id"):
        raise missing("id")
    if not request.id.HasField("execution_id"):
        raise missing("execution_id")
    if not request.id.signal_id:
        raise missing("signal_id")
    checks.require(request.id.execution_id, "project", "domain", "name")
