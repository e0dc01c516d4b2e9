"""Execute a workflow on Flyte, wait for it without holding a worker, and use its outputs.

`make demo` registers the workflow of `flyte_workflows/sales.py` on a Flyte on this machine and runs this DAG.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from airflow.providers.common.compat.sdk import dag, task

from airflow_flyte_provider.operators.flyte import FlyteExecuteOperator

ORDERS = Path(__file__).parent / "data" / "orders.csv"


@dag(schedule=None, start_date=datetime(2026, 1, 1), catchup=False, tags=["flyte", "example"])
def flyte_execute():
    # [START howto_flyte_execute]
    report = FlyteExecuteOperator(
        task_id="sales_report",
        launch_plan="flyte_workflows.sales.sales_report",
        inputs={"orders": str(ORDERS), "since": "{{ params.since }}"},
        deferrable=True,
        poll_interval=1,
        params={"since": "2026-02-01"},
    )
    # [END howto_flyte_execute]

    @task
    def announce(outputs: dict[str, Any]) -> str:
        """Use the outputs: they are plain Python values, a float stays a float and a day a datetime."""
        for region, amount in sorted(outputs["revenue"].items()):
            print(f"{region}: {amount:,.2f}")
        print(f"best day {outputs['best_day']:%Y-%m-%d}")
        return outputs["summary"]

    announce(report.output)


flyte_execute()
