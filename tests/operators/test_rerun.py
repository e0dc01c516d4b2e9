"""Relaunch, recover and terminate, run by real Airflow (`dag.test`) against a real local Flyte."""

import pytest

from airflow_flyte_provider.operators.flyte import EXECUTION_ID_KEY
from tests.dag_runs import run_dag
from tests.operators.flaky import Flaky

pytestmark = pytest.mark.usefixtures("airflow_db", "flyte_conn")


@pytest.fixture
def failed(registered, hook, tmp_path):
    """A flaky workflow, and a failed execution of it that a recovery would mend."""
    flaky = Flaky(registered.endpoint, tmp_path)
    execution = hook.execute(hook.fetch_launch_plan(flaky.name), {"a": 7}, labels={"team": "x"}).id
    assert hook.wait(execution, timeout=60, poll_interval=0.1).phase.value == "FAILED"
    flaky.flag.touch()
    return flaky, execution


@pytest.mark.parametrize("deferrable", [False, True])
@pytest.mark.parametrize(
    ("operator", "mode", "done"), [("Recover", "RECOVERED", 1), ("Relaunch", "RELAUNCH", 2)]
)
def test_the_result_is_that_of_the_new_execution(hook, failed, operator, mode, done, deferrable):
    flaky, execution = failed
    run = run_dag(f"""
    Flyte{operator}Operator(
        task_id="again", execution={str(execution)!r}, deferrable={deferrable}, poll_interval=0.2
    )
    """)
    assert run.xcom("again") == {"o0": 7}, run.log
    made = hook.get_execution(hook.execution_id(run.xcom("again", EXECUTION_ID_KEY)))
    assert (made.mode, made.reference_execution) == (mode, execution)
    assert made.id != execution
    assert flaky.done == done


def test_a_retry_of_a_relaunch_goes_on_with_what_it_relaunched(hook, failed):
    flaky, execution = failed
    flaky.flag.unlink()
    run = run_dag(f"""
    def mend(context):
        open({str(flaky.flag)!r}, "w").close()

    FlyteRelaunchOperator(
        task_id="again",
        execution={execution.name!r},
        retries=1,
        retry_delay=timedelta(0),
        on_retry_callback=mend,
        poll_interval=0.2,
    )
    """)
    assert run.xcom("again") == {"o0": 7}, run.log
    last = hook.get_execution(hook.execution_id(run.xcom("again", EXECUTION_ID_KEY)))
    assert last.mode == "RECOVERED"
    assert hook.get_execution(last.reference_execution).reference_execution == execution
    assert flaky.done == 2


def test_what_succeeded_is_not_recovered(hook):
    execution = hook.execute(hook.fetch_launch_plan("demo.add_one"), {"a": 1}).id
    hook.wait(execution, timeout=30, poll_interval=0.1)
    run = run_dag(f"""
    FlyteRecoverOperator(task_id="again", execution={execution.name!r}, retries=2)
    """)
    assert run.state("again") == "failed"
    assert "cannot be recovered: it is SUCCEEDED" in run.log


@pytest.mark.parametrize("operator", ["Recover", "Relaunch", "Terminate"])
def test_an_execution_that_does_not_exist(operator):
    run = run_dag(f"""
    Flyte{operator}Operator(task_id="again", execution="nope", retries=2)
    """)
    assert run.state("again") == "failed"
    assert "FlyteNotFoundError" in run.log


def test_terminate_names_the_run_and_is_no_error_twice(hook):
    execution = hook.execute(hook.fetch_launch_plan("demo.gated"), {"a": 1}).id
    run = run_dag(f"""
    first = FlyteTerminateOperator(task_id="first", execution={execution.name!r}, poll_interval=0.2)
    second = FlyteTerminateOperator(task_id="second", execution={execution.name!r}, poll_interval=0.2)
    first >> second
    """)
    assert (run.xcom("first"), run.xcom("second")) == (True, False), run.log
    done = hook.get_execution(execution)
    assert done.phase.value == "ABORTED"
    assert run.run.run_id in done.abort_cause


def test_a_retry_finds_a_relaunch_in_another_domain(hook, failed):
    flaky, execution = failed
    flaky.flag.unlink()
    run = run_dag(f"""
    def mend(context):
        open({str(flaky.flag)!r}, "w").close()

    FlyteRelaunchOperator(
        task_id="again",
        execution={str(execution)!r},
        domain="staging",
        retries=1,
        retry_delay=timedelta(0),
        on_retry_callback=mend,
        poll_interval=0.2,
    )
    """)
    assert run.xcom("again") == {"o0": 7}, run.log
    last = hook.get_execution(hook.execution_id(run.xcom("again", EXECUTION_ID_KEY)))
    assert (last.mode, last.id.domain) == ("RECOVERED", execution.domain)
