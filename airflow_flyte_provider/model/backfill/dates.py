"""Which dates a backfill of a scheduled launch plan is about."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_flyte_provider.model.views.entities import LaunchPlan
    from airflow_flyte_provider.model.views.schedules import Schedule

#: FlyteAdmin's default for `registration.maxWorkflowNodes`: how many nodes one workflow may have.
MAX_WORKFLOW_NODES = 100

#: How many dates a backfill may have: with the default above, a workflow of 100 parts with 100 dates each.
MAX_DATES = MAX_WORKFLOW_NODES**2


class BackfillError(ValueError):
    """A backfill that cannot be: no schedule, a window that is empty or too wide."""


def plan_backfill(
    launch_plan: LaunchPlan, start: datetime, end: datetime, *, limit: int = MAX_DATES
) -> tuple[datetime, ...]:
    """Return the dates for which a launch plan's schedule would have run it, in UTC and ascending.

    Flyte's cron is UTC, whatever the zone of the window. A fixed rate is counted from `start`, for Flyte counts it from
    the moment of its activation, which it does not tell.

    :param launch_plan: a launch plan with a schedule; it need not be active.
    :param start: the window's begin, itself not in it. Without a zone it is UTC.
    :param end: the window's end, itself in it.
    :param limit: how many dates there may be at most.
    :raises BackfillError: when there is no schedule, the window is empty or upside down, or it holds too many dates.

    Example::

        plan_backfill(plan, datetime(2026, 1, 1), datetime(2026, 1, 3, 2))  # "0 2 * * *": 1 to 3 January, at 2:00
    """
    schedule = launch_plan.schedule
    if schedule is None:
        raise BackfillError(f"{launch_plan.id} has no schedule, and a backfill is about the dates of one.")
    first, last = as_utc(start), as_utc(end)
    if first >= last:
        raise BackfillError(f"The end of the window must come after its start: {start} to {end} was given.")
    window = f"the window from {first} (not in it) to {last} (in it)"
    try:
        dates = _Dates(schedule, first.replace(tzinfo=None), last.replace(tzinfo=None))
    except ValueError as fault:
        raise BackfillError(f"The schedule of {launch_plan.id} cannot be followed: {fault}") from None
    count = dates.count()
    if not count:
        following = dates.following()
        told = f"the first after it is {following} UTC" if following else "there is none later"
        raise BackfillError(f"{launch_plan.id} ({schedule}) has no date in {window}: {told}.")
    if count > limit:
        split = next(islice(iter(dates), limit - 1, None))
        raise BackfillError(
            f"{launch_plan.id} ({schedule}) has {count:,} dates in {window}, and a backfill takes {limit:,}. Split it "
            f"into {-(-count // limit)} windows, the first of which ends at {split} UTC, where the next one starts."
        )
    return tuple(one.replace(tzinfo=timezone.utc) for one in dates)


def as_utc(moment: datetime) -> datetime:
    """Return a moment in UTC; one without a zone is taken for UTC."""
    return moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment.astimezone(timezone.utc)


class _Dates:
    """The dates of a schedule in a window, counted without being made."""

    def __init__(self, schedule: Schedule, start: datetime, end: datetime) -> None:
        from airflow_flyte_provider.model.backfill.cron import Cron

        self._cron = Cron.parse(schedule.cron) if schedule.rate is None else None
        self._rate = schedule.rate or timedelta(0)
        self._start = start
        self._end = end
        if self._cron is None and self._rate <= timedelta(0):
            raise ValueError(f"its rate is {self._rate}")

    def count(self) -> int:
        if self._cron is not None:
            return self._cron.count(self._start, self._end)
        return (self._end - self._start) // self._rate

    def following(self) -> datetime | None:
        return self._cron.next(self._end) if self._cron is not None else self._start + self._rate

    def __iter__(self) -> Iterator[datetime]:
        if self._cron is not None:
            return self._cron.between(self._start, self._end)
        return (self._start + number * self._rate for number in range(1, self.count() + 1))
