"""The dates of a cron expression, in bulk: its fields are read once, and days are multiplied with times of day."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import product

from croniter import croniter
from croniter.croniter import CroniterBadDateError

#: Aliases that Flyte takes without their @.
_ALIASES = {
    "hourly": "@hourly",
    "hours": "@hourly",
    "daily": "@daily",
    "days": "@daily",
    "weekly": "@weekly",
    "weeks": "@weekly",
    "monthly": "@monthly",
    "months": "@monthly",
    "yearly": "@yearly",
    "years": "@yearly",
    "annually": "@annually",
}
_LAST = "l"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron expression of five fields, six (the last are seconds) or an alias such as `@hourly`, as croniter reads it.

    :param text: the expression, as croniter takes it.
    :param days: the days of the month, `"l"` for the last one; empty for any.
    :param months: the months; empty for any.
    :param weekdays: the days of the week, 0 for Sunday; empty for any.
    :param weekdays_of_month: pairs of a weekday and which of the month it is, `"l"` for the last one. They replace
        `weekdays`.
    :param times: the times of a day, in seconds since midnight, ascending; None when only croniter can tell.
    """

    text: str
    days: frozenset[int | str]
    months: frozenset[int | str]
    weekdays: frozenset[int | str]
    weekdays_of_month: frozenset[tuple[int, int | str]]
    times: tuple[int, ...] | None

    @classmethod
    def parse(cls, text: str) -> Cron:
        """Read an expression.

        :raises ValueError: when croniter does not take it.
        """
        known = _ALIASES.get(text.strip().lower(), text)
        try:
            fields, nth = croniter.expand(known)
        except (
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
        ) as fault:  # croniter's own errors, and its slips
            raise ValueError(f"the cron expression {text!r} cannot be read: {fault}") from None
        minutes, hours, days, months, weekdays = map(_values, fields[:5])
        seconds = _values(fields[5] if len(fields) > 5 else [0])
        # Years, nearest weekdays, every nth weekday, and nth weekdays beside days are too rare to be done twice.
        has_nearest = "w" in "".join(known.lower().split()[2:3])
        is_rare = len(fields) > 6 or has_nearest or "*" in nth or bool(nth and days)
        clock = product(_numbers(hours, 24), _numbers(minutes, 60), _numbers(seconds, 60))
        return cls(
            text=known,
            days=days,
            months=months,
            weekdays=weekdays,
            weekdays_of_month=frozenset((day, which) for day, all_of in nth.items() for which in all_of),
            times=None if is_rare else tuple(h * 3600 + m * 60 + s for h, m, s in clock),
        )

    def between(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """Yield the dates after `start` until `end`, the end itself included.

        :param start: a moment without a zone.
        :param end: likewise.
        """
        if self.times is None:
            yield from self._rare(start, end)
            return
        steps = [timedelta(seconds=each) for each in self.times]
        for day, first, last in self._days(start, end):
            midnight = datetime(day.year, day.month, day.day)
            for step in steps[first:last]:
                yield midnight + step

    def count(self, start: datetime, end: datetime) -> int:
        """Return how many dates `between` yields, without making them."""
        if self.times is None:
            return sum(1 for _ in self._rare(start, end))
        return sum(last - first for _, first, last in self._days(start, end))

    def next(self, after: datetime) -> datetime | None:
        """Return the first date after a moment, None when there is none within fifty years."""
        try:
            found: datetime = croniter(self.text, after).get_next(datetime)
        except CroniterBadDateError:
            return None
        return found

    def _rare(self, start: datetime, end: datetime) -> Iterator[datetime]:
        dates = croniter(self.text, start, ret_type=datetime)
        try:
            while (one := dates.get_next()) <= end:
                yield one
        except CroniterBadDateError:
            return

    def _days(self, start: datetime, end: datetime) -> Iterator[tuple[date, int, int]]:
        """Yield each day with dates, and which of its times are in the window: from the first to before the last."""
        times = self.times or ()
        for ordinal in range(start.toordinal(), end.toordinal() + 1):
            day = date.fromordinal(ordinal)
            if not self._has(day):
                continue
            first = bisect_right(times, _seconds(start)) if ordinal == start.toordinal() else 0
            last = bisect_right(times, _seconds(end)) if ordinal == end.toordinal() else len(times)
            if first < last:
                yield day, first, last

    def _has(self, day: date) -> bool:
        if self.months and day.month not in self.months:
            return False
        if self.weekdays_of_month:
            weekday, which = day.isoweekday() % 7, (day.day + 6) // 7
            is_last = (day + 7 * _DAY).month != day.month
            wanted = self.weekdays_of_month
            return (weekday, which) in wanted or (is_last and (weekday, _LAST) in wanted)
        by_day = bool(self.days) and (
            day.day in self.days or (_LAST in self.days and (day + _DAY).month != day.month)
        )
        by_weekday = bool(self.weekdays) and day.isoweekday() % 7 in self.weekdays
        # Given both, cron takes a day that is either.
        return by_day or by_weekday or not (self.days or self.weekdays)


def _values(field: list[int | str]) -> frozenset[int | str]:
    return frozenset() if "*" in field else frozenset(field)


def _numbers(values: frozenset[int | str], count: int) -> list[int]:
    """Return which of the first numbers are meant, ascending: all, where none are named."""
    return [number for number in range(count) if number in values or not values]


def _seconds(moment: datetime) -> float:
    return moment.hour * 3600 + moment.minute * 60 + moment.second + moment.microsecond / 1e6
