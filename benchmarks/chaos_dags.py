"""The DAGs of `benchmarks.chaos`, which puts this file into its Airflow's DAGs folder.

Each task executes a workflow that gives the number it is given: a hundred times the run's, and the task's own.
"""

from datetime import datetime, timedelta, timezone

from airflow.providers.common.compat.sdk import DAG

from airflow_flyte_provider.operators.flyte import FlyteExecuteOperator

BEGIN = datetime(2026, 1, 1, tzinfo=timezone.utc)
COMMON = {"poll_interval": 1.0, "retries": 3, "retry_delay": timedelta(seconds=1)}


def number(part: int) -> dict[str, str]:
    """Return the input of a task."""
    return {"a": f"{{{{ dag_run.conf['number'] * 100 + {part} }}}}"}


with DAG("usual", schedule=None, start_date=BEGIN, max_active_runs=4) as usual:
    FlyteExecuteOperator(task_id="waits", launch_plan="chaos.middle", inputs=number(1), **COMMON)
    defers = FlyteExecuteOperator(
        task_id="defers", launch_plan="chaos.middle", inputs=number(2), deferrable=True, **COMMON
    )
    after = FlyteExecuteOperator(task_id="after", launch_plan="chaos.short", inputs=number(3), **COMMON)
    defers >> after
    FlyteExecuteOperator.partial(
        task_id="mapped", launch_plan="chaos.short", deferrable=True, **COMMON
    ).expand(inputs=[number(10), number(11), number(12)])

with DAG("stopped", schedule=None, start_date=BEGIN) as stopped:
    FlyteExecuteOperator(task_id="waits", launch_plan="chaos.long", inputs=number(1), **COMMON)
    FlyteExecuteOperator(
        task_id="defers", launch_plan="chaos.long", inputs=number(2), deferrable=True, **COMMON
    )
