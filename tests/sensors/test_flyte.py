"""FlyteExecutionSensor, run by real Airflow (`dag.test`) against a real local Flyte."""

import pytest

from tests.dag_runs import run_dag

pytestmark = pytest.mark.usefixtures("airflow_db", "flyte_conn")

both_modes = pytest.mark.parametrize("deferrable", [False, True])


@both_modes
def test_it_returns_the_outputs_of_what_another_task_launched(hook, deferrable):
    run = run_dag(f"""
    launched = FlyteExecuteOperator(
        task_id="launch", launch_plan="demo.add_one", inputs={{"a": 6}}, wait_for_completion=False
    )
    FlyteExecutionSensor(
        task_id="wait", execution=launched.output, deferrable={deferrable}, poke_interval=0.3, mode="poke"
    )
    """)
    assert run.state("wait") == "success", run.log
    assert run.xcom("wait") == {"o0": 6}
    assert run.xcom("wait", "flyte_console_url") == run.xcom("launch", "flyte_console_url")


@both_modes
def test_an_execution_that_does_not_exist_fails_at_once(deferrable):
    run = run_dag(f"""
    FlyteExecutionSensor(task_id="wait", execution="nope", deferrable={deferrable}, retries=3)
    """)
    assert run.state("wait") == "failed"
    assert "FlyteNotFoundError" in run.log


@both_modes
def test_an_aborted_execution_fails_and_tells_the_cause(hook, deferrable):
    execution = hook.execute(hook.fetch_launch_plan("demo.gated"), {"a": 1}).id
    hook.terminate(execution, "not today")
    run = run_dag(f"""
    FlyteExecutionSensor(
        task_id="wait", execution={execution.name!r}, deferrable={deferrable}, poke_interval=0.3
    )
    """)
    assert run.state("wait") == "failed"
    assert "FlyteExecutionAbortedError" in run.log
    assert "not today" in run.log


@both_modes
@pytest.mark.parametrize(("soft_fail", "state"), [(False, "failed"), (True, "skipped")])
def test_its_timeout_holds_in_both_modes(hook, deferrable, soft_fail, state):
    execution = hook.execute(hook.fetch_launch_plan("demo.gated"), {"a": 1}).id
    run = run_dag(f"""
    FlyteExecutionSensor(
        task_id="wait",
        execution={execution.name!r},
        deferrable={deferrable},
        poke_interval=0.3,
        timeout=1,
        soft_fail={soft_fail},
    )
    """)
    assert run.state("wait") == state, run.log
    assert not hook.get_execution(execution).is_done
    hook.terminate(execution, "the test is over")
