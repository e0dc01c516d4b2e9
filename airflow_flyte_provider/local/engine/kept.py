"""How attempts ended, kept in their folders: what a restart of the server goes on from."""

from __future__ import annotations

from pathlib import Path

from flyteidl.core import dynamic_job_pb2, errors_pb2

from airflow_flyte_provider.local.engine.outcome import USER, ExecutionError
from airflow_flyte_provider.local.engine.places import Place
from airflow_flyte_provider.local.engine.runner import Outcome
from airflow_flyte_provider.local.files.folder import read_literals, write_message

FUTURES = "futures.pb"
"""The file that flytekit writes a dynamic task's workflow to."""
_ContainerError = errors_pb2.ContainerError


def keep(place: Place, attempt: int, outcome: Outcome) -> None:
    """Write how an attempt ended to where `kept` finds it.

    An error is kept with whether another attempt may do better, which the task execution does not tell.
    """
    if outcome.outputs is not None:
        write_message(place.outputs_path(attempt), outcome.outputs)
    elif outcome.futures is not None:
        write_message(futures_path(place, attempt), outcome.futures)
    else:
        kind = _ContainerError.RECOVERABLE if outcome.recoverable else _ContainerError.NON_RECOVERABLE
        error = outcome.error or ExecutionError()
        told = _ContainerError(code=error.code, message=error.message, kind=kind, origin=error.kind)
        if error.HasField("timestamp"):
            told.timestamp.CopyFrom(error.timestamp)
        write_message(place.error_path(attempt), errors_pb2.ErrorDocument(error=told))


def kept(place: Place, attempt: int) -> Outcome | None:
    """Return how an attempt ended, None when it had not ended by itself."""
    futures = futures_path(place, attempt)
    if futures.exists():  # before the outputs, which its nodes give once they are over
        return Outcome(futures=dynamic_job_pb2.DynamicJobSpec.FromString(futures.read_bytes()))
    if place.outputs_path(attempt).exists():
        return Outcome(outputs=read_literals(place.outputs_path(attempt)))
    return told_error(place.error_path(attempt)) if place.error_path(attempt).exists() else None


def told_error(path: Path) -> Outcome:
    """Return the failure that a file tells of, as tasks write it and as `keep` does."""
    told = errors_pb2.ErrorDocument.FromString(path.read_bytes()).error
    kind = told.origin if told.origin != ExecutionError.UNKNOWN else USER
    error = ExecutionError(code=told.code, message=told.message, kind=kind)
    if told.HasField("timestamp"):
        error.timestamp.CopyFrom(told.timestamp)
    return Outcome(error=error, recoverable=told.kind == _ContainerError.RECOVERABLE)


def futures_path(place: Place, attempt: int) -> Path:
    """Return the file of the workflow that an attempt gave instead of outputs."""
    return place.outputs_path(attempt).with_name(FUTURES)
