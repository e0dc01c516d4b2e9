"""Attempts at a node's task as Flyte told of them: what became of each, and the pages with their logs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from airflow_flyte_provider.model.identifiers import (
    EntityId,
    EntityKind,
    ExecutionId,
    NodeExecutionId,
    TaskExecutionId,
)
from airflow_flyte_provider.model.phases import TaskPhase
from airflow_flyte_provider.model.views.executions import ExecutionError
from airflow_flyte_provider.model.views.messages import enum_name, length, moment

if TYPE_CHECKING:
    from flyteidl.admin.task_execution_pb2 import TaskExecution as TaskExecutionProto
    from flyteidl.core.execution_pb2 import TaskLog
    from flyteidl.event.event_pb2 import ExternalResourceInfo


@dataclass(frozen=True, slots=True)
class LogLink:
    """A page with the log of a task, after `flyteidl.core.TaskLog`.

    :param name: what the page is, as the cluster calls it.
    :param uri: its address.
    """

    name: str
    uri: str


@dataclass(frozen=True, slots=True)
class ArrayElement:
    """One attempt at one element of an array node, after `flyteidl.event.ExternalResourceInfo`.

    :param index: which element, counted from 0.
    :param attempt: which attempt at it, counted from 0.
    :param name: what the cluster calls it, such as its pod's name.
    :param phase: its phase.
    :param cache_status: see `NodeExecution`.
    :param logs: pages with its log.
    :param launched: the execution that it launched, for an array of launch plans.
    """

    index: int
    attempt: int
    name: str
    phase: TaskPhase
    cache_status: str
    logs: tuple[LogLink, ...]
    launched: ExecutionId | None

    @classmethod
    def from_proto(cls, proto: ExternalResourceInfo) -> ArrayElement:
        """Return the view of one of a task attempt's external resources."""
        launched = (
            proto.workflow_node_metadata.execution_id if proto.HasField("workflow_node_metadata") else None
        )
        return cls(
            index=proto.index,
            attempt=proto.retry_attempt,
            name=proto.external_id,
            phase=TaskPhase.from_number(proto.phase),
            cache_status=enum_name(proto, "cache_status"),
            logs=_links(proto.logs),
            launched=ExecutionId.from_proto(launched) if launched is not None else None,
        )


@dataclass(frozen=True, slots=True)
class TaskExecution:
    """One attempt of a node at its task, after `flyteidl.admin.TaskExecution`.

    :param id: its node, the task, and which attempt it is, counted from 0.
    :param phase: its phase.
    :param created_at: when Flyte first heard of it, in UTC.
    :param started_at: when it began to run, in UTC.
    :param updated_at: when Flyte last heard of it, in UTC.
    :param duration: how long it ran; None before its end.
    :param error: why it failed, None unless it did.
    :param reason: what the cluster last said of it, such as why a pod waits.
    :param logs: pages with its log.
    :param task_type: what kind of task it is, such as `python-task`.
    :param plugin: the part of Flyte that ran it.
    :param input_uri: where its inputs lie.
    :param output_uri: where its outputs lie, empty before it has succeeded.
    :param elements: the elements of an array node, every attempt at each.
    """

    id: TaskExecutionId
    phase: TaskPhase
    created_at: datetime | None
    started_at: datetime | None
    updated_at: datetime | None
    duration: timedelta | None
    error: ExecutionError | None
    reason: str
    logs: tuple[LogLink, ...]
    task_type: str
    plugin: str
    input_uri: str
    output_uri: str
    elements: tuple[ArrayElement, ...]

    @property
    def attempt(self) -> int:
        """Which attempt it is, counted from 0."""
        return self.id.attempt

    @property
    def is_done(self) -> bool:
        """Whether it has come to its end, well or badly."""
        return self.phase.is_final

    @property
    def is_successful(self) -> bool:
        """Whether it has come to its end well, so that its outputs can be read."""
        return self.phase is TaskPhase.SUCCEEDED

    @classmethod
    def from_proto(cls, proto: TaskExecutionProto) -> TaskExecution:
        """Return the view of what GetTaskExecution or ListTaskExecutions answered."""
        closure = proto.closure
        return cls(
            id=TaskExecutionId(
                NodeExecutionId.from_proto(proto.id.node_execution_id),
                EntityId.from_proto(EntityKind.TASK, proto.id.task_id),
                proto.id.retry_attempt,
            ),
            phase=TaskPhase.from_number(closure.phase),
            created_at=moment(closure, "created_at"),
            started_at=moment(closure, "started_at"),
            updated_at=moment(closure, "updated_at"),
            duration=length(closure, "duration"),
            error=ExecutionError.from_proto(closure.error) if closure.HasField("error") else None,
            reason=closure.reason,
            logs=_links(closure.logs),
            task_type=closure.task_type,
            plugin=closure.metadata.plugin_identifier,
            input_uri=proto.input_uri,
            output_uri=closure.output_uri,
            elements=tuple(map(ArrayElement.from_proto, closure.metadata.external_resources)),
        )


def _links(logs: Iterable[TaskLog]) -> tuple[LogLink, ...]:
    return tuple(LogLink(log.name, log.uri) for log in logs)
