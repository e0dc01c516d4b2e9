"""FlyteExecuteOperator, run by real Airflow (`dag.test`) against a real local Flyte."""

import pytest

from airflow_flyte_provider.admin.client import Call
from airflow_flyte_provider.exceptions import FlyteConfigError
from airflow_flyte_provider.model.phases import ExecutionPhase
from airflow_flyte_provider.operators.flyte import EXECUTION_ID_KEY, EXECUTION_NAME_KEY, FlyteExecuteOperator
from tests.dag_runs import run_dag

pytestmark = pytest.mark.usefixtures("airflow_db", "flyte_conn")

# The echo plugin takes one variable: a real Flyte fails this one too.
EVERYTHING = {
    "b": True,
    "c": "red",
    "d": "2026-01-01",
    "f": 1,
    "g": {"x": 1},
    "i": 1,
    "l": [1],
    "m": {"k": ["v"]},
    "s": "s",
    "t": "1:00:00",
    "u": 1,
}


@pytest.fixture
def executions(hook):
    """A function that counts the executions there are."""
    from flyteidl.admin import common_pb2

    request = common_pb2.ResourceListRequest(
        id=common_pb2.NamedEntityIdentifier(project="flytesnacks", domain="development"), limit=10_000
    )

    def count():
        return len((yield Call("ListExecutions", request, "counting executions")).executions)

    return lambda: hook.run(count())


@pytest.mark.parametrize("deferrable", [False, True])
def test_outputs_reach_the_next_task_as_native_values(hook, deferrable):
    run = run_dag(f"""
    add = FlyteExecuteOperator(
        task_id="add",
        launch_plan="demo.add_one",
        inputs={{"a": "{{{{ 2 + 3 }}}}"}},
        deferrable={deferrable},
        poll_interval=0.2,
    )

    @task
    def double(outputs):
        return outputs["o0"] * 2

    double(add.output)
    """)
    assert run.state("add") == "success", run.log
    assert run.xcom("double") == 10
    execution = hook.get_execution(hook.execution_id(run.xcom("add", EXECUTION_ID_KEY)))
    assert run.xcom("add", EXECUTION_NAME_KEY) == execution.id.name
    assert run.xcom("add", "flyte_console_url") == hook.console_url(execution.id)
    assert execution.labels["airflow-task"] == "add"
    assert execution.labels["airflow-dag"] == run.run.dag_id


@pytest.mark.parametrize("entity", ['workflow="demo.greet"', 'task="demo.echo_str", version="v1c"'])
def test_a_workflow_and_a_task(entity):
    run = run_dag(f"""
    FlyteExecuteOperator(task_id="greet", {entity}, inputs={{"s": "hello"}}, poll_interval=0.2)
    """)
    assert list(run.xcom("greet").values()) == ["hello"], run.log


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_failed_execution_fails_the_task_and_says_why(deferrable):
    run = run_dag(f"""
    FlyteExecuteOperator(
        task_id="everything",
        launch_plan="demo.everything",
        inputs={EVERYTHING!r},
        deferrable={deferrable},
        poll_interval=0.2,
    )
    """)
    assert run.state("everything") == "failed"
    assert "FlyteExecutionFailedError" in run.log
    assert "ended FAILED" in run.log
    assert "/console/projects/" in run.log


def test_without_waiting_the_id_is_returned(hook):
    run = run_dag("""
    FlyteExecuteOperator(task_id="go", launch_plan="demo.gated", inputs={"a": 1}, wait_for_completion=False)
    """)
    execution = hook.execution_id(run.xcom("go"))
    assert not hook.get_execution(execution).is_done
    hook.terminate(execution, "the test is over")


def test_a_deferred_task_past_its_execution_timeout_fails_and_terminates(hook):
    run = run_dag("""
    FlyteExecuteOperator(
        task_id="slow",
        launch_plan="demo.gated",
        inputs={"a": 1},
        deferrable=True,
        poll_interval=0.2,
        execution_timeout=timedelta(seconds=1),
    )
    """)
    assert run.state("slow") == "failed"
    assert "was not over within execution_timeout=0:00:01; it was terminated" in run.log
    execution = hook.execution_id(run.xcom("slow", EXECUTION_ID_KEY))
    done = hook.wait(execution, timeout=30, poll_interval=0.1)
    assert done.phase is ExecutionPhase.ABORTED
    assert run.run.run_id in done.abort_cause


@pytest.mark.parametrize(
    "given", [{}, {"launch_plan": "a", "task": "b"}, {"launch_plan": "a", "workflow": "b", "task": "c"}]
)
def test_exactly_one_entity(given):
    with pytest.raises(FlyteConfigError, match="exactly one of launch_plan, workflow and task"):
        FlyteExecuteOperator(task_id="x", **given)


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        ('launch_plan="demo.add_on"', "FlyteNotFoundError", "demo.add_one"),
        ('launch_plan="demo.add_one", version="v9"', "FlyteNotFoundError", "v1c"),
        ('launch_plan="demo.add_one", inputs={"a": "x", "b": 1}', "FlyteInvalidInputsError", "no such input"),
        ('launch_plan="demo.add_one", flyte_conn_id="nowhere"', "FlyteConfigError", "'nowhere'"),
    ],
)
def test_bad_input_fails_at_once_and_launches_nothing(executions, arguments, error, told):
    before = executions()
    run = run_dag(f"""
    FlyteExecuteOperator(task_id="bad", retries=2, {arguments})
    """)
    assert run.state("bad") == "failed"  # not up_for_retry: a retry would mend none of these
    assert error in run.log
    assert told in run.log
    assert executions() == before


def test_a_name_in_use_by_somebody_else(hook, executions, monkeypatch):
    taken = hook.execute(hook.fetch_launch_plan("demo.add_one"), {"a": 1})
    monkeypatch.setattr(
        "airflow_flyte_provider.model.tries.task_try.execution_name", lambda **_: taken.id.name
    )
    before = executions()
    run = run_dag("""
    FlyteExecuteOperator(task_id="add", launch_plan="demo.add_one")
    """)
    assert run.state("add") == "failed"
    assert "this task did not launch it" in run.log
    assert executions() == before


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ("poll_interval='5'", "poll_interval is '5'; it takes seconds, a number above 0"),
        ("poll_interval=0", "poll_interval is 0; it takes seconds"),
        ("on_retry='retry'", "on_retry is 'retry'; it takes one of 'recover', 'relaunch', 'new'"),
    ],
)
def test_a_wrong_argument_is_told_before_anything_is_launched(argument, told):
    run = run_dag(
        f"FlyteExecuteOperator(task_id='work', launch_plan='demo.add_one', inputs={{'a': 5}}, {argument})"
    )
    assert run.state("work") == "failed"
    assert told in run.log
    assert "Launched" not in run.log
    assert run.xcom("work", EXECUTION_ID_KEY) is None
