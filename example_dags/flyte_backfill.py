"""Once a month, run a nightly launch plan again for the last week of the month, whose data has come in late.

The launch plan is the one of `flyte_workflows/daily.py`. On each run of the DAG the seven dates become one execution.
A run that somebody triggers without a logical date has no data interval: its week ends when it is to begin.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from airflow.providers.common.compat.sdk import dag, task

from airflow_flyte_provider.operators.flyte import FlyteBackfillOperator


@dag(schedule="@monthly", start_date=datetime(2026, 1, 1), catchup=False, tags=["flyte", "example"])
def flyte_backfill():
    # [START howto_flyte_backfill]
    last_week = FlyteBackfillOperator(
        task_id="last_week",
        launch_plan="flyte_workflows.daily.visits_nightly",
        end="{{ data_interval_end | default(dag_run.run_after) }}",
        window=timedelta(days=7),
        max_active=2,
        failure_policy="FAIL_AFTER_EXECUTABLE_NODES_COMPLETE",
        retries=1,  # runs the dates that failed, and no other
        deferrable=True,
        poll_interval=1,
    )
    # [END howto_flyte_backfill]

    @task
    def announce(dates: list[dict[str, Any]]) -> list[str]:
        """Use the result: what became of each date."""
        return [f"{one['date']} {one['phase']} {one['url']}" for one in dates]

    announce(last_week.output)


flyte_backfill_dag = flyte_backfill()
