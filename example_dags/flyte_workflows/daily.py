"""The Flyte side of `flyte_backfill.py`: a workflow that Flyte runs every night by itself."""

from datetime import datetime

from flytekit import CronSchedule, LaunchPlan, task, workflow


@task
def count_visits(day: datetime) -> int:
    """Count the visits of a day; here they are made up."""
    return day.day * 100


@workflow
def visits(day: datetime) -> int:
    """Tell the visits of a day."""
    return count_visits(day=day)


nightly = LaunchPlan.get_or_create(
    workflow=visits,
    name="flyte_workflows.daily.visits_nightly",
    schedule=CronSchedule(schedule="0 2 * * *", kickoff_time_input_arg="day"),
)
