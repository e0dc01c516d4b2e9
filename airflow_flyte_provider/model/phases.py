"""The phases of an execution, and which of them end it."""

from __future__ import annotations

from enum import Enum


class ExecutionPhase(str, Enum):
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

    def __str__(self) -> str:
        return self.value

    @classmethod
    def from_number(cls, number: int) -> ExecutionPhase:
        """Return the phase with a number of the protobuf enum.

        :param number: the number on the wire. One that this version does not know (of a newer Flyte) becomes
            UNDEFINED, which is not final: a wait goes on rather than end wrongly.

        >>> ExecutionPhase.from_number(4).is_final
        True
        """
        return _BY_NUMBER[number] if 0 <= number < len(_BY_NUMBER) else cls.UNDEFINED

    @property
    def number(self) -> int:
        """The phase's number in the protobuf enum."""
        return _BY_NUMBER.index(self)

    @property
    def is_final(self) -> bool:
        """Whether the execution is over, whatever its end."""
        return self in _FINAL


_BY_NUMBER = tuple(ExecutionPhase)  # declared in the order of the protobuf enum, from 0 without gaps
_FINAL = frozenset(
    {ExecutionPhase.SUCCEEDED, ExecutionPhase.FAILED, ExecutionPhase.ABORTED, ExecutionPhase.TIMED_OUT}
)
