"""What the log of a task tells of the nodes of its execution."""

import re

import pytest

from airflow_flyte_provider.operators.reporting import METRICS_KEY
from tests.dag_runs import AIRFLOW_2, run_dag
from tests.operators.flaky import Flaky

pytestmark = pytest.mark.usefixtures("airflow_db", "flyte_conn")


@pytest.fixture
def flaky(registered, tmp_path):
    return Flaky(registered.endpoint, tmp_path)


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_failure_names_the_node_its_error_and_its_log(flaky, deferrable):
    run = run_dag(f"""
    FlyteExecuteOperator(
        task_id="work", launch_plan={flaky.name!r}, inputs={{"a": 7}}, deferrable={deferrable}, poll_interval=0.2
    )
    """)
    assert run.state("work") == "failed"
    assert f"Failing node: n2 (check-{flaky.name})\n" in run.log
    assert re.search(r"(USER|SYSTEM) error \S+:", run.log)
    assert re.search(r"node +phase +took +attempts", run.log)
    assert re.search(r"n1 +SUCCEEDED", run.log)


def test_each_node_is_told_as_it_changes(flaky):
    flaky.flag.touch()
    flaky.slow()
    run = run_dag(f"""
    FlyteExecuteOperator(task_id="work", launch_plan={flaky.name!r}, inputs={{"a": 7}}, poll_interval=0.2)
    """)
    assert run.state("work") == "success", run.log
    before, _, _ = run.log.partition("Nodes of execution")
    told = re.findall(r"(n\d) \(\S+\)  (\w+)", before)
    assert ("n0", "SUCCEEDED") in told
    assert ("n2", "RUNNING") in told
    assert (
        AIRFLOW_2 or max(map(told.count, told)) == 1
    )  # dag.test() of Airflow 2 writes lines again and again


@pytest.mark.parametrize("deferrable", [False, True])
def test_metrics_on_demand(flaky, deferrable):
    flaky.flag.touch()
    run = run_dag(f"""
    FlyteExecuteOperator(
        task_id="work",
        launch_plan={flaky.name!r},
        inputs={{"a": 7}},
        push_metrics=True,
        deferrable={deferrable},
        poll_interval=0.2,
    )
    """)
    metrics = run.xcom("work", METRICS_KEY)
    assert metrics["total_s"] > 0, run.log
    assert metrics["by_kind"]["TASK_RUNTIME"]["sum_s"] > 0
