"""A real Airflow beside a local Flyte, started once for all tests of a module."""

import pytest

from tests.conftest import connection
from tests.running import RunningAirflow

#: One DAG for every test: a run's configuration says what it executes.
DAGS = """
from datetime import datetime, timedelta, timezone
from airflow.providers.common.compat.sdk import DAG
from airflow_flyte_provider.operators.flyte import FlyteExecuteOperator
from airflow_flyte_provider.sensors.flyte import FlyteSignalSensor

for dag_id, deferrable in (("waiting", False), ("deferred", True)):
    with DAG(dag_id, schedule=None, start_date=datetime(2026, 1, 1, tzinfo=timezone.utc)) as dag:
        FlyteExecuteOperator(
            task_id="gated",
            launch_plan="demo.gated",
            inputs={"a": 4},
            deferrable=deferrable,
            poll_interval=0.5,
            retries=2,
            retry_delay=timedelta(seconds=1),
        )
    globals()[dag_id] = dag

with DAG("sensing", schedule=None, start_date=datetime(2026, 1, 1, tzinfo=timezone.utc)) as sensing:
    FlyteSignalSensor(
        task_id="title",
        execution="{{ dag_run.conf['execution'] }}",
        signal_id="title",
        deferrable=True,
        poke_interval=0.5,
        timeout=300,
    )
"""


@pytest.fixture(scope="module")
def running_airflow(registered):
    """A real Airflow with the DAGs `waiting` and `deferred`: one task `gated`, which waits for two signals; and
    `sensing`: one task `title`, which is a deferred sensor of that signal of `dag_run.conf["execution"]`."""
    env = {"AIRFLOW_CONN_FLYTE_DEFAULT": connection(registered.endpoint)}
    with RunningAirflow({"gated.py": DAGS}, env) as airflow:
        yield airflow
