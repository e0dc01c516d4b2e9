"""FlyteBackfillOperator: real Airflow (`dag.test`), real local Flyte."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from airflow_flyte_provider.operators.flyte import BACKFILL_KEY, EXECUTION_ID_KEY
from tests.dag_runs import AIRFLOW_2, run_dag, run_file
from tests.operators.scheduled import Scheduled

EXAMPLES = Path(__file__).parents[2] / "example_dags"

pytestmark = pytest.mark.usefixtures("airflow_db", "flyte_conn")


def run_backfill(plan, arguments):
    return run_dag(f"""
    FlyteBackfillOperator(task_id="work", launch_plan={plan!r}, poll_interval=0.2, {arguments})
    """)


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_retry_runs_the_date_that_failed_and_no_other(registered, hook, tmp_path, deferrable):
    scheduled = Scheduled(registered.endpoint, tmp_path, fails="2026-01-08")
    run = run_dag(f"""
    def mend(context):
        open({str(scheduled.flag)!r}, "w").close()

    FlyteBackfillOperator(
        task_id="work",
        launch_plan={scheduled.plan!r},
        start="2026-01-01",
        end="2026-01-31",
        max_active=6,
        failure_policy="FAIL_AFTER_EXECUTABLE_NODES_COMPLETE",
        retries=1,
        retry_delay=timedelta(0),
        on_retry_callback=mend,
        deferrable={deferrable},
        poll_interval=0.2,
    )
    """)
    assert run.state("work") == "success", run.log
    days = [f"2026-01-{day:02}" for day in range(1, 31)]
    assert sorted(scheduled.ran) == days
    assert sorted(scheduled.checked) == sorted(
        [*days, "2026-01-08"]
    )  # the retry has run what failed, and no more
    result = run.xcom("work")
    assert [one["date"][:10] for one in result] == days
    assert {one["phase"] for one in result} == {"SUCCEEDED"}
    assert all(one["url"].endswith(one["execution"].rpartition("/")[2]) for one in result)
    assert hook.get_execution(hook.execution_id(run.xcom("work", EXECUTION_ID_KEY))).mode == "RECOVERED"
    assert "n7 (b-2026-01-08 02:00:00)" in run.log
    assert "ended FAILED: recovering it" in run.log


def test_each_date_has_its_own_inputs(hook):
    plan = hook.register_launch_plan(
        f"greeting-{os.getpid()}",
        hook.fetch_workflow("demo.greet", "v1c"),
        version="v1",
        default_inputs={"s": "nobody"},
        schedule="0 2 * * *",
    )
    run = run_backfill(
        plan.id.name,
        "version='v1', start='2026-01-01', end='2026-01-03', inputs_of=lambda date: {'s': f'{date:%A}'}",
    )
    assert run.state("work") == "success", run.log
    said = [hook.get_outputs(hook.execution_id(one["execution"])).as_dict() for one in run.xcom("work")]
    assert [list(each.values()) for each in said] == [["Thursday"], ["Friday"]]


def test_a_failed_backfill_tells_of_each_date(registered, tmp_path):
    scheduled = Scheduled(registered.endpoint, tmp_path, fails="2026-01-02")
    run = run_backfill(scheduled.plan, "start='2026-01-01', end='2026-01-03 02:00'")
    assert run.state("work") == "failed"
    result = run.xcom("work", BACKFILL_KEY)
    assert [(one["date"], one["phase"]) for one in result] == [
        ("2026-01-01T02:00:00+00:00", "SUCCEEDED"),
        ("2026-01-02T02:00:00+00:00", "FAILED"),
        ("2026-01-03T02:00:00+00:00", "NOT_STARTED"),
    ]
    assert result[1]["error"]
    assert not result[2]["execution"]
    assert "3 dates: 1 FAILED, 1 NOT_STARTED, 1 SUCCEEDED" in run.log


def test_one_date_after_the_other(registered, tmp_path):
    scheduled = Scheduled(registered.endpoint, tmp_path)
    run = run_backfill(scheduled.plan, "window=timedelta(days=3), end='2026-01-04'")
    assert run.state("work") == "success", run.log
    assert scheduled.ran == ["2026-01-01", "2026-01-02", "2026-01-03"]


def test_many_dates_are_one_execution_of_parts(registered, tmp_path):
    scheduled = Scheduled(registered.endpoint, tmp_path, fails="2026-01-03")
    run = run_backfill(scheduled.plan, "start='2026-01-01', end='2026-01-06', max_nodes=3, max_active=2")
    assert run.state("work") == "failed"
    phases = [one["phase"] for one in run.xcom("work", BACKFILL_KEY)]
    assert phases == ["SUCCEEDED", "SUCCEEDED", "FAILED", "NOT_STARTED", "NOT_STARTED"], run.log
    scheduled.flag.touch()
    again = run_backfill(
        scheduled.plan, "start='2026-01-01', end='2026-01-06', max_nodes=3, parallel=True, skip_existing=True"
    )
    assert [one["date"][:10] for one in again.xcom("work")] == ["2026-01-03", "2026-01-04", "2026-01-05"]
    assert "2 left out" in again.log
    assert sorted(scheduled.ran) == sorted(
        ["2026-01-01", "2026-01-02", "2026-01-03", "2026-01-03", "2026-01-04", "2026-01-05"]
    )
    nothing = run_backfill(scheduled.plan, "start='2026-01-01', end='2026-01-06', skip_existing='True'")
    assert nothing.xcom("work") == []
    assert "there is nothing to launch" in nothing.log


def test_a_dry_run_changes_nothing(hook, registered, tmp_path):
    scheduled = Scheduled(registered.endpoint, tmp_path)
    run = run_backfill(scheduled.plan, "start='2026-01-01', end='2026-01-02 03:00+01:00', dry_run=True")
    assert run.xcom("work") == ["2026-01-01T02:00:00+00:00", "2026-01-02T02:00:00+00:00"], run.log
    assert not hook.list_workflows(f"backfill-{scheduled.plan}")
    assert scheduled.ran == []


def test_what_is_registered_is_registered_once(hook, registered, tmp_path):
    scheduled = Scheduled(registered.endpoint, tmp_path)
    found = [
        run_backfill(scheduled.plan, "start='2026-01-01', end='2026-01-03', register_only=True").xcom("work")
        for _ in range(2)
    ]
    assert found[0] == found[1]
    assert found[0]["name"] == f"backfill-{scheduled.plan}"
    (workflow,) = hook.list_workflows(f"backfill-{scheduled.plan}")
    assert workflow.id.version == found[0]["version"]
    assert not hook.list_executions(launch_plan=f"backfill-{scheduled.plan}")


def test_the_window_is_templated():
    run = run_dag("""
    FlyteBackfillOperator(
        task_id="work", launch_plan="demo.sched_daily", dry_run=True,
        start="{{ dag.start_date }}", end="{{ dag.start_date + macros.timedelta(days=2) }}",
    )
    """)
    assert [one[:10] for one in run.xcom("work")] == ["2026-01-01", "2026-01-02"], run.log


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("launch_plan='demo.add_one', start='2026-01-01', end='2026-01-03'", "has no schedule"),
        ("launch_plan='demo.sched_daily', start='2026-01-05', end='2026-01-03'", "must come after its start"),
        ("launch_plan='demo.sched_daily', start='soon', end='2026-01-03'", "start is 'soon'"),
        ("launch_plan='demo.sched_daily', window='soon', end='2026-01-03'", "window"),
        (
            "launch_plan='demo.sched_daily', start='2026-01-01', end='2026-01-03', max_active='none'",
            "backfill.max_active",
        ),
        (
            "launch_plan='demo.sched_daily', start='2026-01-01', end='2026-01-03', inputs={'n': 1}",
            "n: no such input",
        ),
        (
            "launch_plan='demo.sched_daily', start='2026-01-01', end='2026-02-03', max_nodes=5",
            "Split it into 2 windows",
        ),
    ],
)
def test_what_cannot_be_backfilled_is_told(arguments, told):
    run = run_dag(f"FlyteBackfillOperator(task_id='work', {arguments})")
    assert run.state("work") == "failed"
    assert told in run.log


def test_without_an_input_for_the_time_nothing_tells_what_has_run(registered, tmp_path):
    scheduled = Scheduled(registered.endpoint, tmp_path, kickoff="")
    run = run_backfill(scheduled.plan, "start='2026-01-01', end='2026-01-03', skip_existing=True")
    assert "gives no input the time" in run.log
    run = run_backfill(scheduled.plan, "start='2026-01-01', end='2026-01-03'")
    assert scheduled.ran == ["2000-01-01", "2000-01-01"], run.log


def test_start_and_window_are_two_ways_to_say_one_thing():
    from airflow_flyte_provider.exceptions import FlyteConfigError
    from airflow_flyte_provider.operators.flyte import FlyteBackfillOperator

    for arguments in ({}, {"start": "2026-01-01", "window": 5}):
        with pytest.raises(FlyteConfigError, match="either start or window"):
            FlyteBackfillOperator(task_id="work", launch_plan="a", end="2026-01-01", **arguments)


@pytest.fixture
def example(registered, tmp_path):
    """The example DAG in Airflow's DAGs folder, and its workflows registered as a user registers them."""
    config = tmp_path / "config.yaml"
    config.write_text(f"admin:\n  endpoint: dns:///{registered.endpoint}\n  insecure: true\n")
    pyflyte = [Path(sys.executable).with_name("pyflyte"), "--config", config, "register"]
    target = ["--project", "flytesnacks", "--domain", "development", "--version", "backfill"]
    command = [*pyflyte, *target, EXAMPLES / "flyte_workflows"]
    done = subprocess.run(command, cwd=EXAMPLES, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    path = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"], "flyte_backfill.py")
    shutil.copy(EXAMPLES / path.name, path)
    yield path
    path.unlink()


#: A run has no logical date, nor a data interval, where nobody gives it one: by REST, or by `airflow dags trigger`.
NO_DATE = pytest.param(
    {"logical_date": None}, marks=pytest.mark.skipif(AIRFLOW_2, reason="every run has a date")
)


@pytest.mark.parametrize("how", [{}, NO_DATE])
def test_the_example_runs_as_it_is(example, how):
    run = run_file(example, "flyte_backfill", **how)
    assert run.state("announce") == "success", run.log
    assert [one["phase"] for one in run.xcom("last_week")] == ["SUCCEEDED"] * 7
