"""What the table and the chart of spans share: places in time, and names short enough to be shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from airflow_flyte_provider.model.metrics.spans import Span

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True)
class Timeline:
    """The time that all spans of a tree are in.

    :param start: the first moment of them.
    :param length: the time until the last.
    """

    start: datetime
    length: timedelta

    @classmethod
    def of(cls, span: Span) -> Timeline:
        """Return the time that a span and all inside it are in."""
        start, end = span.extent or (_EPOCH, _EPOCH)
        return cls(start, end - start)

    def offset(self, moment: datetime) -> timedelta:
        """Return the time from the first moment to this one."""
        return moment - self.start

    def place(self, span: Span) -> tuple[float, float]:
        """Return where a span begins and ends, from 0 for the first moment to 1 for the last.

        :param span: one whose start is known.
        """
        if not self.length or span.start is None:
            return 0.0, 0.0
        start = self.offset(span.start) / self.length
        return start, start + span.duration / self.length


def shortened(text: str, length: int) -> str:
    """Return a text of at most `length` characters; from a longer one the middle is taken, which tells least."""
    if len(text) <= length:
        return text
    tail = (length - 3) // 2
    return f"{text[: length - 3 - tail]}...{text[len(text) - tail :]}"
