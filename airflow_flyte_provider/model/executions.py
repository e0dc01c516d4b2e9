"""An execution as Flyte told of it at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from airflow_flyte_provider.model.entities import entity_id
from airflow_flyte_provider.model.identifiers import EntityId, EntityKind, ExecutionId
from airflow_flyte_provider.model.phases import ExecutionPhase

if TYPE_CHECKING:
    from flyteidl.admin.execution_pb2 import Execution as ExecutionProto
    from flyteidl.admin.execution_pb2 import ExecutionClosure
    from flyteidl.core.execution_pb2 import ExecutionError as ExecutionErrorProto
    from flyteidl.core.identifier_pb2 import Identifier, WorkflowExecutionIdentifier
    from google.protobuf.message import Message


@dataclass(frozen=True, slots=True)
class ExecutionError:
    """Why an execution or a node failed, after `flyteidl.core.ExecutionError`.

    :param code: a word for the kind of fault, such as `RetriesExhausted` or `USER:ValueError`.
    :param message: the text, often many lines with a traceback.
    :param kind: `"USER"` when the user's code is at fault, `"SYSTEM"` when Flyte is, else `"UNKNOWN"`.
    :param uri: where the full error document lies; empty when there is none.
    """

    code: str
    message: str
    kind: str
    uri: str

    @classmethod
    def from_proto(cls, proto: ExecutionErrorProto) -> ExecutionError:
        """Return the view of a `flyteidl.core.ExecutionError`."""
        return cls(
            code=proto.code,
            message=proto.message,
            kind=_enum_name(proto, "kind") or "UNKNOWN",
            uri=proto.error_uri,
        )


@dataclass(frozen=True, slots=True)
class Execution:
    """An execution at one moment, after `flyteidl.admin.Execution`.

    :param id: its project, domain and name.
    :param phase: its phase.
    :param launch_plan: what was launched. Its kind tells whether a launch plan, a workflow or a task was.
    :param workflow: the workflow that runs, None as long as Flyte has not told.
    :param created_at: when it was created, in UTC.
    :param started_at: when the engine took it up, in UTC; None before that.
    :param updated_at: when Flyte last heard of it, in UTC.
    :param duration: how long it ran; None before its end.
    :param error: why it failed, None unless it did.
    :param abort_cause: why it was terminated, None unless it was.
    :param labels: the labels it was launched with.
    :param mode: how it came to be, such as `"MANUAL"`, `"RELAUNCH"`, `"RECOVERED"` or `"CHILD_WORKFLOW"`.
    :param reference_execution: the execution that it relaunches or recovers, if any.
    """

    id: ExecutionId
    phase: ExecutionPhase
    launch_plan: EntityId
    workflow: EntityId | None
    created_at: datetime | None
    started_at: datetime | None
    updated_at: datetime | None
    duration: timedelta | None
    error: ExecutionError | None
    abort_cause: str | None
    labels: dict[str, str]
    mode: str
    reference_execution: ExecutionId | None

    @property
    def is_done(self) -> bool:
        """Whether it has come to its end, well or badly."""
        return self.phase.is_final

    @property
    def is_successful(self) -> bool:
        """Whether it has come to its end well, so that its outputs can be read."""
        return self.phase is ExecutionPhase.SUCCEEDED

    @classmethod
    def from_proto(cls, proto: ExecutionProto) -> Execution:
        """Return the view of what GetExecution or ListExecutions answered."""
        metadata, closure = proto.spec.metadata, proto.closure
        return cls(
            id=execution_id(proto.id),
            phase=ExecutionPhase.from_number(closure.phase),
            launch_plan=_launched(proto.spec.launch_plan),
            workflow=entity_id(EntityKind.WORKFLOW, closure.workflow_id)
            if closure.HasField("workflow_id")
            else None,
            created_at=_moment(closure, "created_at"),
            started_at=_moment(closure, "started_at"),
            updated_at=_moment(closure, "updated_at"),
            duration=closure.duration.ToTimedelta() if closure.HasField("duration") else None,
            error=ExecutionError.from_proto(closure.error) if closure.HasField("error") else None,
            abort_cause=_abort_cause(closure),
            labels=dict(proto.spec.labels.values),
            mode=_enum_name(metadata, "mode") or "UNKNOWN",
            reference_execution=execution_id(metadata.reference_execution)
            if metadata.HasField("reference_execution")
            else None,
        )


def execution_id(proto: WorkflowExecutionIdentifier) -> ExecutionId:
    """Return the id in a `flyteidl.core.WorkflowExecutionIdentifier`."""
    return ExecutionId(project=proto.project, domain=proto.domain, name=proto.name)


def _launched(proto: Identifier) -> EntityId:
    """Return what an execution's spec says was launched: a launch plan unless it names another kind."""
    name = _enum_name(proto, "resource_type")
    kind = EntityKind(name) if name in EntityKind.__members__ else EntityKind.LAUNCH_PLAN
    return entity_id(kind, proto)


def _moment(closure: ExecutionClosure, field: str) -> datetime | None:
    """Return a timestamp of the closure in UTC, cut to microseconds, or None when it is not told."""
    return getattr(closure, field).ToDatetime(tzinfo=timezone.utc) if closure.HasField(field) else None


def _abort_cause(closure: ExecutionClosure) -> str | None:
    """Return the cause of a termination; servers before `abort_metadata` wrote `abort_cause`."""
    if closure.HasField("abort_metadata"):
        return str(closure.abort_metadata.cause)
    return str(closure.abort_cause) if closure.HasField("abort_cause") else None


def _enum_name(message: Message, field: str) -> str | None:
    """Return the name of an enum field's number, or None for a number that this flyteidl does not know."""
    # By way of the descriptor, so that this module needs no generated code when it is imported.
    enum = message.DESCRIPTOR.fields_by_name[field].enum_type
    value = enum.values_by_number.get(getattr(message, field)) if enum else None
    return value.name if value else None
