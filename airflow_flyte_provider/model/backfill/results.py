"""What became of the dates of a backfill."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from airflow_flyte_provider.model.backfill.dates import as_utc
from airflow_flyte_provider.model.identifiers import ExecutionId
from airflow_flyte_provider.model.views.reports import aligned, end_of

_PREFIX = "b-"
_ERROR_CHARACTERS = 1000
_CELL_CHARACTERS = 100
#: The phase of a date that was never begun.
NOT_STARTED = "NOT_STARTED"


@dataclass(frozen=True, slots=True)
class DateResult:
    """What became of one date of a backfill.

    :param date: the date, in UTC.
    :param phase: the phase of its execution, or of its node when there is no execution, or `NOT_STARTED`.
    :param execution: the execution of the launch plan for this date, None when there is none.
    :param error: why it failed, empty unless it did.
    :param url: the execution in the Flyte console.
    """

    date: datetime
    phase: str
    execution: ExecutionId | None = None
    error: str = ""
    url: str = ""

    @property
    def is_successful(self) -> bool:
        """Whether its execution came to its end well."""
        return self.phase in ("SUCCEEDED", "RECOVERED")

    def to_dict(self) -> dict[str, str | None]:
        """Return it as plain JSON values, for XCom."""
        return {
            "date": self.date.isoformat(),
            "phase": self.phase,
            "execution": str(self.execution) if self.execution else None,
            "error": end_of(self.error, _ERROR_CHARACTERS),
            "url": self.url,
        }


def node_name(date: datetime) -> str:
    """Return what the node of a date is called, as flytekit calls it.

    >>> node_name(datetime.fromisoformat("2026-01-01T02:00:00+00:00"))
    'b-2026-01-01 02:00:00'
    """
    return f"{_PREFIX}{_text(date)}"


def node_date(name: str) -> datetime | None:
    """Return the date that a node is named after; None when it is not the node of one."""
    try:
        found = datetime.fromisoformat(name.removeprefix(_PREFIX))
    except ValueError:
        return None
    return as_utc(found)


def results_table(results: Sequence[DateResult]) -> str:
    """Return a table of dates: phase, execution, error; with a line that counts them. Ends without a newline."""
    rows: list[tuple[str, ...]] = [("date", "phase", "execution", "error")]
    for one in results:
        lines = one.error.strip().splitlines() or [""]
        name = one.execution.name if one.execution else ""
        rows.append((_text(one.date), one.phase, name, end_of(lines[-1], _CELL_CHARACTERS)))
    counted = Counter(one.phase for one in results)
    told = ", ".join(f"{count} {phase}" for phase, count in sorted(counted.items()))
    return "\n".join([*aligned(rows), f"{len(results)} dates: {told}"])


def dates_table(dates: Sequence[datetime], skipped: dict[datetime, ExecutionId] | None = None) -> str:
    """Return a table of the dates that a backfill would run, and of those that it leaves out."""
    done = skipped or {}
    rows: list[tuple[str, ...]] = [("date", "")]
    for date in sorted({*dates, *done}):
        rows.append((_text(date), f"left out, {done[date].name} has succeeded" if date in done else "to run"))
    return "\n".join([*aligned(rows), f"{len(dates)} dates to run, {len(done)} left out"])


def _text(date: datetime) -> str:
    return date.isoformat(" ").removesuffix("+00:00")
