"""Values that do not fit the type they are declared with, told all at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType

_SHOWN_LENGTH = 100


@dataclass(frozen=True, slots=True)
class ValueFault:
    """One value that does not fit its declared type.

    :param path: where it stands, such as `table.columns[2].name`.
    :param expected: the declared type as an author would write it, such as `list[int]`.
    :param given: the name of the value's Python type; `nothing` where one is missing.
    :param shown: the value's `repr`, cut at 100 characters; empty where one is missing.
    :param hint: what to do about it; empty when the rest says it all.
    """

    path: str
    expected: str
    given: str
    shown: str = ""
    hint: str = ""

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        shown = f" {self.shown}" if self.shown else ""
        return f"{self.path}: expected {self.expected}, got {self.given}{shown}{hint}"


class ValueFaults(ValueError):  # noqa: N818 - it holds faults, as its name says
    """Raised for one or more values that do not fit; its text names each on a line of its own.

    :param faults: every fault that was found, in the order of the values.
    """

    def __init__(self, faults: Iterable[ValueFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))

    def __reduce__(self) -> tuple[type[ValueFaults], tuple[tuple[ValueFault, ...]]]:
        return type(self), (self.faults,)  # the text is not an argument, so pickle must be told what is

    @classmethod
    def of(cls, path: str, expected: str, value: object, hint: str = "") -> ValueFaults:
        """Return the error for a single value, ready to be raised.

        :param path: where the value stands.
        :param expected: the declared type as an author would write it.
        :param value: the value itself.
        :param hint: what to do about it.
        """
        return cls([ValueFault(path, expected, type(value).__name__, shown(value), hint)])


class FaultCollector:
    """Gathers the faults of many values, so that one bad value does not hide the next.

    >>> collector = FaultCollector()
    >>> for number in (1, "x", "y"):
    ...     with collector:
    ...         if not isinstance(number, int):
    ...             raise ValueFaults.of("n", "int", number)
    >>> len(collector.faults)
    2
    """

    def __init__(self) -> None:
        self.faults: list[ValueFault] = []

    def __enter__(self) -> FaultCollector:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if isinstance(error, ValueFaults):
            self.faults.extend(error.faults)
            return True
        return False

    def raise_any(self) -> None:
        """Raise `ValueFaults` with all that was gathered; do nothing when that is nothing."""
        if self.faults:
            raise ValueFaults(self.faults)


def shown(value: object) -> str:
    """Return a value's `repr`, cut at 100 characters, for a message.

    :param value: any value, also one whose `repr` fails.
    """
    try:
        text = " ".join(repr(value).split("\n"))  # a protobuf message has many lines
    except Exception as error:  # a user's own class may raise anything here; the fault must still be told
        text = f"<repr failed: {type(error).__name__}>"
    return text if len(text) <= _SHOWN_LENGTH else text[: _SHOWN_LENGTH - 1] + "…"
