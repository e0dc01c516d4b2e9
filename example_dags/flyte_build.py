"""Put a workflow together when the task runs, from tasks that are registered, and execute it.

The tasks are those of `flyte_workflows/sales.py`: register them first, as `flyte_register.py` does. How many nodes the
workflow has depends on a parameter of the DAG run, which no workflow written in advance can do.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import dag, get_current_context, task

from airflow_flyte_provider.model.files import FlyteFile
from airflow_flyte_provider.operators.flyte import FlyteExecuteOperator

if TYPE_CHECKING:
    from airflow_flyte_provider.hooks.flyte import FlyteHook
    from airflow_flyte_provider.model.building.imperative import ImperativeWorkflow

ORDERS = Path(__file__).parent / "data" / "orders.csv"


# [START howto_flyte_build]
def build(hook: FlyteHook) -> ImperativeWorkflow:
    """Sum up the same orders once, and tell of them in every currency."""
    from airflow_flyte_provider.model.building.imperative import (
        ImperativeWorkflow,  # loads gRPC's messages: not above
    )

    flow = ImperativeWorkflow("sales.in_currencies")
    orders, since = flow.add_input("orders", FlyteFile), flow.add_input("since", datetime)
    revenue = flow.add_node(
        hook.fetch_task("flyte_workflows.sales.revenue_by_region"), retries=2, orders=orders, since=since
    )
    best = flow.add_node(hook.fetch_task("flyte_workflows.sales.best_day"), orders=orders, since=since)
    summarise = hook.fetch_task("flyte_workflows.sales.summarise")
    summaries = {}
    for currency in get_current_context()["params"]["currencies"]:
        told = flow.add_node(
            summarise,
            name=f"in {currency}",
            revenue=revenue.outputs["o0"],
            best=best.outputs["o0"],
            currency=currency,
        )
        summaries[currency] = told.outputs["o0"]
    flow.add_output("summaries", summaries)
    return flow


@dag(schedule=None, start_date=datetime(2026, 1, 1), catchup=False, tags=["flyte", "example"])
def flyte_build():
    report = FlyteExecuteOperator(
        task_id="report",
        workflow=build,
        inputs={"orders": FlyteFile(str(ORDERS)), "since": "2026-02-01"},
        params={"currencies": ["EUR", "USD", "GBP"]},
        poll_interval=1,
    )
    # [END howto_flyte_build]

    @task
    def announce(outputs: dict[str, Any]) -> None:
        """Print what was found."""
        for summary in outputs["summaries"].values():
            print(summary)

    announce(report.output)


flyte_build_dag = flyte_build()
