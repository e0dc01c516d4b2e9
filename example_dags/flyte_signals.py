"""Launch a workflow that waits for signals, and answer them from tasks downstream.

The workflow is `flyte_workflows/release.py`.
"""

from __future__ import annotations

from datetime import datetime

from airflow.providers.common.compat.sdk import dag, task

from airflow_flyte_provider.operators.flyte import (
    FlyteApproveOperator,
    FlyteExecuteOperator,
    FlyteSetSignalOperator,
)
from airflow_flyte_provider.sensors.flyte import FlyteExecutionSensor, FlyteSignalSensor


@dag(schedule=None, start_date=datetime(2026, 1, 1), catchup=False, tags=["flyte", "example"])
def flyte_signals():
    @task
    def choose_title() -> str:
        """Choose a title."""
        return "Report of May"

    # [START howto_flyte_signals]
    launched = FlyteExecuteOperator(
        task_id="launch", launch_plan="flyte_workflows.release.release", wait_for_completion=False
    )
    asked = FlyteSignalSensor(
        task_id="asked_for_title",
        execution=launched.output,
        signal_id="title",
        wait_for="waiting",
        deferrable=True,
        poke_interval=1,
    )
    titled = FlyteSetSignalOperator(
        task_id="set_title", execution=launched.output, signal_id="title", value=choose_title()
    )
    approved = FlyteApproveOperator(task_id="approve", execution=launched.output, signal_id="publish")
    published = FlyteExecutionSensor(
        task_id="published", execution=launched.output, deferrable=True, poke_interval=1
    )
    asked >> titled >> approved >> published
    # [END howto_flyte_signals]


flyte_signals_dag = flyte_signals()
