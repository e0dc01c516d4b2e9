"""The phases of an execution, of a node and of an attempt at a task, and which of them end it."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

_FINAL = frozenset(
    {"SUCCEEDED", "FAILED", "ABORTED", "TIMED_OUT", "SKIPPED", "RECOVERED", "RETRYABLE_FAILED"}
)


class _Phase(str, Enum):
    """What the three kinds of phases have in common. They are declared in the order of the protobuf enum."""

    def __str__(self) -> str:
        return str(self.value)

    @classmethod
    def from_number(cls, number: int) -> Self:
        """Return the phase with a number of the protobuf enum.

        :param number: the number on the wire. One that this version does not know (of a newer Flyte) becomes
            UNDEFINED, which is not final: a wait goes on rather than end wrongly.

        >>> ExecutionPhase.from_number(4).is_final
        True
        """
        known = list(cls)
        return known[number] if 0 <= number < len(known) else known[0]

    @property
    def number(self) -> int:
        """The phase's number in the protobuf enum."""
        return list(type(self)).index(self)

    @property
    def is_final(self) -> bool:
        """Whether it is over, whatever its end."""
        return self.value in _FINAL


class ExecutionPhase(_Phase):
    """The phase of an execution, after `flyteidl.core.WorkflowExecution.Phase`.

    Only SUCCEEDED, FAILED, ABORTED and TIMED_OUT are final. SUCCEEDING, FAILING and ABORTING are not: the
    engine is still at work, outputs and errors may be missing.
    """

    UNDEFINED = "UNDEFINED"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDING = "SUCCEEDING"
    SUCCEEDED = "SUCCEEDED"
    FAILING = "FAILING"
    FAILED = "FAILED"
    ABORTED = "ABORTED"
    TIMED_OUT = "TIMED_OUT"
    ABORTING = "ABORTING"


class NodePhase(_Phase):
    """The phase of a node execution, after `flyteidl.core.NodeExecution.Phase`.

    SUCCEEDED, FAILED, ABORTED, SKIPPED, TIMED_OUT and RECOVERED are final. RECOVERED took its outputs over from
    the execution that was recovered.
    """

    UNDEFINED = "UNDEFINED"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILING = "FAILING"
    FAILED = "FAILED"
    ABORTED = "ABORTED"
    SKIPPED = "SKIPPED"
    TIMED_OUT = "TIMED_OUT"
    DYNAMIC_RUNNING = "DYNAMIC_RUNNING"
    RECOVERED = "RECOVERED"


class TaskPhase(_Phase):
    """The phase of one attempt at a task, after `flyteidl.core.TaskExecution.Phase`.

    SUCCEEDED, ABORTED, FAILED and RETRYABLE_FAILED are final; after the last a further attempt may follow.
    """

    UNDEFINED = "UNDEFINED"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    ABORTED = "ABORTED"
    FAILED = "FAILED"
    INITIALIZING = "INITIALIZING"
    WAITING_FOR_RESOURCES = "WAITING_FOR_RESOURCES"
    RETRYABLE_FAILED = "RETRYABLE_FAILED"
