"""The dates of a backfill: equal to flytekit's, and what flytekit cannot do."""

from datetime import datetime, timedelta, timezone
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from croniter import croniter
from flyteidl.admin.launch_plan_pb2 import LaunchPlan as LaunchPlanProto
from flyteidl.admin.schedule_pb2 import DAY, HOUR, MINUTE, FixedRate, Schedule
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_flyte_provider.model.backfill.cron import Cron
from airflow_flyte_provider.model.backfill.dates import BackfillError, plan_backfill
from airflow_flyte_provider.model.views.entities import LaunchPlan
from tests.model.backfill.schedules import CRONS, STARTS


def plan_with(cron="", rate=None):
    """Return a launch plan with a schedule."""
    proto = LaunchPlanProto()
    proto.id.name = "etl.daily"
    schedule = proto.spec.entity_metadata.schedule
    if cron:
        schedule.cron_schedule.schedule = cron
    if rate:
        schedule.CopyFrom(Schedule(rate=rate))
    return LaunchPlan.from_proto(proto)


def texts(dates):
    return [f"{date:%Y-%m-%d %H:%M}" for date in dates]


def by_croniter(cron, start, end):
    """Return the dates as croniter gives them, one by one: what flytekit does, but with the end."""
    dates = croniter(cron, start, ret_type=datetime)
    found = []
    while (one := dates.get_next()) <= end:
        found.append(one.replace(tzinfo=timezone.utc))
    return found


def test_the_start_is_not_in_the_window_and_the_end_is():
    dates = plan_backfill(plan_with("0 2 * * *"), datetime(2026, 1, 1, 2), datetime(2026, 1, 4, 2))
    assert texts(dates) == ["2026-01-02 02:00", "2026-01-03 02:00", "2026-01-04 02:00"]
    assert all(date.tzinfo is timezone.utc for date in dates)


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("@hourly", ["2026-01-01 01:00", "2026-01-01 02:00"]),
        ("@weekly", ["2026-01-04 00:00", "2026-01-11 00:00"]),
        ("monthly", ["2026-02-01 00:00", "2026-03-01 00:00"]),
        ("0 0 l * *", ["2026-01-31 00:00", "2026-02-28 00:00"]),
        ("30 6 * * 2#3", ["2026-01-20 06:30", "2026-02-17 06:30"]),
        ("0 0 * * l5", ["2026-01-30 00:00", "2026-02-27 00:00"]),
        ("0 9 1 * mon-wed", ["2026-01-01 09:00", "2026-01-05 09:00"]),
        ("0 0 1 jan-mar *", ["2026-02-01 00:00", "2026-03-01 00:00"]),
    ],
)
def test_what_croniter_takes_is_taken(cron, expected):
    dates = plan_backfill(plan_with(cron), datetime(2026, 1, 1), datetime(2027, 1, 1))
    assert texts(dates[:2]) == expected


def test_a_sixth_field_is_seconds():
    dates = plan_backfill(plan_with("0 0 * * * */20"), datetime(2026, 1, 1), datetime(2026, 1, 2))
    assert [date.second for date in dates] == [20, 40, 0]


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (FixedRate(value=90, unit=MINUTE), ["2026-01-01 01:30", "2026-01-01 03:00"]),
        (FixedRate(value=2, unit=HOUR), ["2026-01-01 02:00"]),
        (FixedRate(value=3, unit=HOUR), ["2026-01-01 03:00"]),
    ],
)
def test_a_fixed_rate_is_counted_from_the_start(rate, expected):
    dates = plan_backfill(plan_with(rate=rate), datetime(2026, 1, 1), datetime(2026, 1, 1, 3))
    assert texts(dates) == expected


def test_a_window_in_any_zone_is_about_dates_in_utc():
    berlin = ZoneInfo("Europe/Berlin")
    # The clocks go forward on 29 March 2026: the window is 47 hours long.
    start, end = datetime(2026, 3, 28, 3, tzinfo=berlin), datetime(2026, 3, 30, 3, tzinfo=berlin)
    dates = plan_backfill(plan_with("0 * * * *"), start, end)
    assert (len(dates), texts(dates[:1]), texts(dates[-1:])) == (
        47,
        ["2026-03-28 03:00"],
        ["2026-03-30 01:00"],
    )


def test_an_hour_that_comes_twice_is_two_hours():
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime(2026, 10, 25, 2, 30, tzinfo=berlin)  # first at +02:00, an hour later again at +01:00
    assert len(plan_backfill(plan_with("30 * * * *"), start, start.replace(hour=3))) == 2


@pytest.mark.parametrize(
    ("plan", "start", "end", "told"),
    [
        (plan_with(), datetime(2026, 1, 1), datetime(2026, 1, 2), "has no schedule"),
        (
            plan_with("@daily"),
            datetime(2026, 1, 2),
            datetime(2026, 1, 1),
            "2026-01-02 00:00:00 to 2026-01-01 00:00:00 was given",
        ),
        (plan_with("@daily"), datetime(2026, 1, 2), datetime(2026, 1, 2), "must come after its start"),
        (
            plan_with("@daily"),
            datetime(2026, 1, 2),
            datetime(2026, 1, 2, 23),
            "the first after it is 2026-01-03 00:00:00 UTC",
        ),
        (
            plan_with("0 0 30 2 *"),
            datetime(2026, 1, 2),
            datetime(2026, 1, 2, 23),
            "there is none later",
        ),
        (
            plan_with(rate=FixedRate(value=2, unit=DAY)),
            datetime(2026, 1, 2),
            datetime(2026, 1, 3),
            "the first after it is 2026-01-04 00:00:00 UTC",
        ),
        (
            plan_with("61 * * * *"),
            datetime(2026, 1, 2),
            datetime(2026, 1, 3),
            "the cron expression '61 * * * *' cannot be read",
        ),
        (
            plan_with("* * * * *"),
            datetime(2026, 1, 1),
            datetime(2026, 1, 15),
            "has 20,160 dates",
        ),
    ],
)
def test_what_cannot_be_backfilled_is_told(plan, start, end, told):
    with pytest.raises(BackfillError) as fault:
        plan_backfill(plan, start, end)
    assert told in str(fault.value)


def test_the_split_that_is_told_works():
    plan, start, end = plan_with("0 * * * *"), datetime(2026, 1, 1), datetime(2026, 1, 2)
    with pytest.raises(BackfillError, match="into 3 windows, the first of which ends at 2026-01-01 10:00:00"):
        plan_backfill(plan, start, end, limit=10)
    split = datetime(2026, 1, 1, 10)
    first, rest = plan_backfill(plan, start, split, limit=10), plan_backfill(plan, split, end)
    assert first + rest == plan_backfill(plan, start, end)


@settings(max_examples=500, deadline=None)
@given(cron=CRONS, start=STARTS, count=st.integers(1, 60), late=st.sampled_from([0, 0, 1, 59, 3600]))
def test_random_schedules_give_the_dates_of_croniter(cron, start, count, late):
    try:
        read = Cron.parse(cron)
    except ValueError:
        with pytest.raises(ValueError):  # noqa: PT011 - whatever croniter says
            croniter(cron, start)
        return
    try:
        dates = list(islice(croniter(cron, start, ret_type=datetime).all_next(), count))
    except ValueError:  # 30 February
        assert read.next(start) is None
        return
    end = dates[-1] + timedelta(seconds=late)
    assert list(read.between(start, end)) == [
        one.replace(tzinfo=None) for one in by_croniter(cron, start, end)
    ]
    assert read.count(start, end) >= count
