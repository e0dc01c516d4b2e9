"""Where the time of an execution went: nested spans, after `flyteidl.core.Span`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from airflow_flyte_provider.model.identifiers import EntityId, EntityKind, ExecutionId

if TYPE_CHECKING:
    from flyteidl.core.metrics_pb2 import Span as SpanProto

#: The kinds of the spans that stand for something with spans of its own.
WORKFLOW, NODE, TASK = "WORKFLOW", "NODE", "TASK"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time in an execution, after `flyteidl.core.Span`.

    It stands either for something that ran, an execution, a node or one attempt of a task, with the spans inside
    it; or for an operation: what Flyte did in that time, with nothing inside.

    :param kind: `"WORKFLOW"`, `"NODE"` or `"TASK"`; or the operation as Flyte names it. FlyteAdmin 1.16 has
        WORKFLOW_SETUP, WORKFLOW_TEARDOWN, NODE_TRANSITION (from the end of the last node waited for until this one
        was made, so before its own start), NODE_SETUP, NODE_IDLE (a gate waits), NODE_RESET (between two attempts,
        or before the workflow that a dynamic task made), NODE_TEARDOWN, TASK_SETUP, TASK_RUNTIME, TASK_TEARDOWN.
    :param start: when it began, in UTC, cut to microseconds; None when Flyte does not tell.
    :param end: when it ended, or what Flyte last heard of it as long as it goes on; None when Flyte does not tell.
    :param execution: the execution it belongs to; None for an operation.
    :param node: id of the node it belongs to; empty for an execution or operation.
    :param task: the task of an attempt, else None.
    :param attempt: number of the attempt, from 0.
    :param spans: what is inside it, as Flyte orders it.
    """

    kind: str
    start: datetime | None
    end: datetime | None
    execution: ExecutionId | None = None
    node: str = ""
    task: EntityId | None = None
    attempt: int = 0
    spans: tuple[Span, ...] = ()

    @property
    def is_operation(self) -> bool:
        """Whether it is an operation of Flyte rather than something that ran."""
        return self.execution is None

    @property
    def name(self) -> str:
        """What it is of, in a word: the execution's name, the node's id, the task's name; empty for an operation."""
        if self.task is not None:
            return f"{self.task.name} (attempt {self.attempt + 1})" if self.attempt else self.task.name
        return self.node or (self.execution.name if self.execution else "")

    @property
    def duration(self) -> timedelta:
        """How long it took; zero when Flyte does not tell, or tells of an end before the start.

        It does: what it keeps in nanoseconds is compared with what it keeps in microseconds.
        """
        period = self.period
        return period[1] - period[0] if period else timedelta()

    @property
    def period(self) -> tuple[datetime, datetime] | None:
        """From when to when it was, None when it has no duration."""
        if self.start is None or self.end is None or self.end <= self.start:
            return None
        return self.start, self.end

    @property
    def extent(self) -> tuple[datetime, datetime] | None:
        """The first and the last moment of it and all inside it, None when Flyte tells no time at all.

        As long as an execution goes on, what is inside it may end after it.
        """
        told = [moment for _, span in self.walk() for moment in (span.start, span.end) if moment is not None]
        return (min(told), max(told)) if told else None

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Span]]:
        """Yield it and all spans inside it, each with its depth, from the outermost in.

        :param depth: the depth of this one.
        """
        yield depth, self
        for span in self.spans:
            yield from span.walk(depth + 1)

    @classmethod
    def from_proto(cls, proto: SpanProto) -> Span:
        """Return the view of what GetExecutionMetrics answered."""
        start, end = _moment(proto, "start_time"), _moment(proto, "end_time")
        spans = tuple(map(cls.from_proto, proto.spans))
        which = proto.WhichOneof("id")
        if which == "workflow_id":
            return cls(WORKFLOW, start, end, ExecutionId.from_proto(proto.workflow_id), spans=spans)
        if which == "node_id":
            node = proto.node_id
            return cls(NODE, start, end, ExecutionId.from_proto(node.execution_id), node.node_id, spans=spans)
        if which == "task_id":
            of, task = proto.task_id, EntityId.from_proto(EntityKind.TASK, proto.task_id.task_id)
            node = of.node_execution_id
            execution = ExecutionId.from_proto(node.execution_id)
            return cls(TASK, start, end, execution, node.node_id, task, of.retry_attempt, spans)
        return cls(proto.operation_id or "UNKNOWN", start, end, spans=spans)


def _moment(proto: SpanProto, field: str) -> datetime | None:
    # FlyteAdmin takes the epoch for "not yet", as it takes an absent field.
    if not proto.HasField(field) or not getattr(proto, field).seconds:
        return None
    moment: datetime = getattr(proto, field).ToDatetime(tzinfo=timezone.utc)
    return moment
