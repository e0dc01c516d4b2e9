"""When a launch plan runs of itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flyteidl.admin.schedule_pb2 import Schedule as ScheduleProto

_UNITS = (timedelta(minutes=1), timedelta(hours=1), timedelta(days=1))  # in the order of FixedRateUnit


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a launch plan runs of itself, after `flyteidl.admin.Schedule`. It does so only while it is ACTIVE.

    :param cron: the cron expression, or an alias such as `@hourly`; empty for a fixed rate.
    :param offset: ISO 8601 duration that a cron schedule is late by, empty for none.
    :param rate: the time from one execution to the next; None for a cron schedule.
    :param kickoff_argument: the input that gets the time an execution was meant for, empty for none.

    >>> str(Schedule(cron="0 2 * * *", kickoff_argument="day"))
    'cron 0 2 * * *, day is the time'
    """

    cron: str = ""
    offset: str = ""
    rate: timedelta | None = None
    kickoff_argument: str = ""

    def __str__(self) -> str:
        when = f"every {self.rate}" if self.rate is not None else f"cron {self.cron}"
        late = f" late by {self.offset}" if self.offset else ""
        return f"{when}{late}" + (f", {self.kickoff_argument} is the time" if self.kickoff_argument else "")

    @classmethod
    def from_proto(cls, proto: ScheduleProto) -> Schedule | None:
        """Return the view of a schedule, None for one that says nothing: the launch plan has none then."""
        kind = proto.WhichOneof("ScheduleExpression")
        if kind == "rate":
            return cls(
                rate=proto.rate.value * _UNITS[proto.rate.unit], kickoff_argument=proto.kickoff_time_input_arg
            )
        cron = proto.cron_schedule.schedule or proto.cron_expression
        if not cron:
            return None
        return cls(cron, proto.cron_schedule.offset, None, proto.kickoff_time_input_arg)
