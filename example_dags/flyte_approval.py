"""Train on Flyte, ask a person on Airflow's page whether the model is good enough, deploy on Flyte.

Needs Airflow 3.1 or newer, and the workflow of `flyte_workflows/training.py` registered.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from airflow.providers.common.compat.sdk import dag

from airflow_flyte_provider.operators.flyte import FlyteApprovalOperator, FlyteExecuteOperator
from airflow_flyte_provider.sensors.flyte import FlyteExecutionSensor


@dag(schedule=None, start_date=datetime(2026, 1, 1), catchup=False, tags=["flyte", "example"])
def flyte_approval():
    # [START howto_flyte_approval]
    train = FlyteExecuteOperator(
        task_id="train",
        launch_plan="flyte_workflows.training.train_and_deploy",
        inputs={"epochs": 9},
        wait_for_completion=False,  # it waits for a person, and so does the next task
    )
    approval = FlyteApprovalOperator(
        task_id="approval",
        execution=train.output,
        signal_id="deploy-model",
        subject="Is the model good enough to be deployed?",
        body="It replaces the one that is in use **at once**.",
        response_timeout=timedelta(days=2),
        default=False,
        poll_interval=2,
    )
    deploy = FlyteExecutionSensor(task_id="deploy", execution=train.output, deferrable=True, poke_interval=2)
    # [END howto_flyte_approval]
    approval >> deploy


flyte_approval()
