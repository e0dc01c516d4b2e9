"""A Flyte that is killed and comes back: the DAG succeeds, and one execution has done it."""

import threading
import time

import pytest

from airflow_flyte_provider.local import LocalFlyte
from tests.conftest import connection, register_demo
from tests.dag_runs import run_dag
from tests.e2e.gates import SIGNALS, list_executions, open_gates, signals, wait_for


@pytest.fixture
def own_flyte():
    """A local Flyte that this test may kill."""
    with LocalFlyte() as flyte:
        register_demo(flyte.endpoint)
        yield flyte


def kill_restart_and_answer(flyte):
    """Kill Flyte once an execution waits at its gates, bring it back after a while, and open the gates."""
    wait_for(lambda: signals(flyte.endpoint, list_executions(flyte.endpoint)) == set(SIGNALS))
    flyte.kill()
    time.sleep(2)
    flyte.restart()
    (execution,) = list_executions(flyte.endpoint)
    open_gates(flyte.endpoint, execution)


@pytest.mark.usefixtures("airflow_db")
@pytest.mark.parametrize("deferrable", [False, True])
def test_flyte_killed_between_create_and_end(own_flyte, monkeypatch, deferrable):
    monkeypatch.setenv("AIRFLOW_CONN_FLYTE_DEFAULT", connection(own_flyte.endpoint))
    failures = []

    def meddle():
        try:
            kill_restart_and_answer(own_flyte)
        except BaseException as failure:
            failures.append(failure)
            raise

    meddler = threading.Thread(target=meddle, daemon=True)
    meddler.start()
    run = run_dag(f"""
    FlyteExecuteOperator(
        task_id="gated", launch_plan="demo.gated", inputs={{"a": 4}}, deferrable={deferrable}, poll_interval=0.2
    )
    """)
    meddler.join(60)
    assert not failures
    assert run.state("gated") == "success", run.log
    assert run.xcom("gated") == {"o0": 4}
    assert len(list_executions(own_flyte.endpoint)) == 1
