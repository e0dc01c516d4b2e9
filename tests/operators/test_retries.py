"""What a second try does about the execution of the first: real Airflow (`dag.test`), real local Flyte."""

import logging
import uuid

import pytest

from airflow_flyte_provider.admin.client import Call
from airflow_flyte_provider.model.phases import ExecutionPhase
from airflow_flyte_provider.model.tries import causes
from airflow_flyte_provider.model.tries.task_try import TaskTry
from airflow_flyte_provider.model.views.executions import Execution
from airflow_flyte_provider.operators.flyte import EXECUTION_ID_KEY
from airflow_flyte_provider.operators.retrying import earlier_executions
from tests.dag_runs import run_dag
from tests.operators.flaky import Flaky

pytestmark = pytest.mark.usefixtures("airflow_db", "flyte_conn")


@pytest.fixture
def flaky(registered, tmp_path):
    return Flaky(registered.endpoint, tmp_path)


@pytest.fixture
def executions_of(hook):
    """A function that returns the executions of a DAG run, the first first."""

    def find(run):
        from flyteidl.admin import common_pb2

        request = common_pb2.ResourceListRequest(
            id=common_pb2.NamedEntityIdentifier(project="flytesnacks", domain="development"), limit=10_000
        )

        def listing():
            found = (yield Call("ListExecutions", request, "listing")).executions
            views = [Execution.from_proto(each) for each in found]
            return [each for each in views if each.labels.get("airflow-dag") == run.run.dag_id]

        return sorted(hook.run(listing()), key=lambda each: each.created_at)

    return find


def run_flaky(flaky, arguments="", retries=1):
    """Run a task on the flaky workflow; Airflow mends it before the second try."""
    return run_dag(f"""
    def mend(context):
        open({str(flaky.flag)!r}, "w").close()

    FlyteExecuteOperator(
        task_id="work",
        launch_plan={flaky.name!r},
        inputs={{"a": 7}},
        retries={retries},
        retry_delay=timedelta(0),
        on_retry_callback=mend,
        poll_interval=0.2,
        {arguments}
    )
    """)


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_retry_recovers_what_failed(hook, flaky, deferrable):
    run = run_flaky(flaky, f"deferrable={deferrable},")
    assert run.state("work") == "success", run.log
    assert run.xcom("work") == {"o0": 7}
    assert flaky.done == 1  # the second try took over what the first had done
    execution = hook.get_execution(hook.execution_id(run.xcom("work", EXECUTION_ID_KEY)))
    assert execution.mode == "RECOVERED"
    assert "ended FAILED: recovering it" in run.log


@pytest.mark.parametrize(("on_retry", "mode"), [("relaunch", "RELAUNCH"), ("new", "MANUAL")])
def test_a_retry_starts_over_when_asked_to(executions_of, flaky, on_retry, mode):
    run = run_flaky(flaky, f"on_retry={on_retry!r},")
    assert run.state("work") == "success", run.log
    assert [each.mode for each in executions_of(run)] == ["MANUAL", mode]
    assert flaky.done == 2


def test_each_retry_recovers_the_latest(executions_of, flaky):
    run = run_dag(f"""
    def mend(context):
        if context["ti"].try_number == 2:
            open({str(flaky.flag)!r}, "w").close()

    FlyteExecuteOperator(
        task_id="work", launch_plan={flaky.name!r}, inputs={{"a": 7}}, retries=3, retry_delay=timedelta(0),
        on_retry_callback=mend, poll_interval=0.2,
    )
    """)
    assert run.state("work") == "success", run.log
    first, second, third = executions_of(run)
    assert (second.reference_execution, third.reference_execution) == (first.id, second.id)
    assert flaky.done == 1


def test_other_inputs_are_other_work(executions_of, flaky):
    run = run_dag(f"""
    def mend(context):
        open({str(flaky.flag)!r}, "w").close()

    FlyteExecuteOperator(
        task_id="work", launch_plan={flaky.name!r}, inputs={{"a": "{{{{ ti.try_number }}}}"}}, retries=1,
        retry_delay=timedelta(0), on_retry_callback=mend, poll_interval=0.2,
    )
    """)
    assert run.xcom("work") == {"o0": 2}, run.log
    assert [each.mode for each in executions_of(run)] == ["MANUAL", "MANUAL"]
    assert "it had other inputs than are asked for now: launching anew" in run.log


def test_what_succeeded_and_was_not_collected_is_collected(executions_of, flaky):
    flaky.flag.touch()
    run = run_dag(f"""
    def trip(context, result):
        if context["ti"].try_number == 1:
            raise RuntimeError("after the execution")

    FlyteExecuteOperator(
        task_id="work", launch_plan={flaky.name!r}, inputs={{"a": 7}}, retries=1, retry_delay=timedelta(0),
        post_execute=trip, poll_interval=0.2,
    )
    """)
    assert run.xcom("work") == {"o0": 7}, run.log
    assert len(executions_of(run)) == 1
    assert "nobody took its outputs" in run.log


@pytest.mark.parametrize("deferrable", [False, True])
def test_what_still_runs_is_waited_for(hook, executions_of, deferrable):
    run = run_dag(f"""
    FlyteExecuteOperator(
        task_id="work", launch_plan="demo.gated", inputs={{"a": 7}}, retries=1, retry_delay=timedelta(0),
        timeout=timedelta(seconds=1), terminate_on_timeout=False, deferrable={deferrable}, poll_interval=0.2,
    )
    """)
    assert run.state("work") == "failed"
    (execution,) = executions_of(run)
    assert not execution.is_done
    assert "was not over within timeout=0:00:01; it goes on" in run.log
    assert "is still RUNNING: waiting for it" in run.log
    hook.terminate(execution.id, "the test is over")


def test_what_was_stopped_on_purpose_is_not_recovered(hook, executions_of, flaky):
    flaky.flag.touch()
    run = run_dag(f"""
    def stop(context):
        from airflow_flyte_provider.hooks.flyte import FlyteHook

        hook = FlyteHook()
        hook.terminate(hook.execution_id(context["ti"].xcom_pull(key={EXECUTION_ID_KEY!r}, task_ids="work")),
                       {causes.stopped("task d.t of run r")!r})

    FlyteExecuteOperator(
        task_id="work",
        launch_plan="demo.gated",
        inputs={{"a": 7}},
        retries=1,
        retry_delay=timedelta(0),
        on_retry_callback=stop,
        timeout=1,
        terminate_on_timeout=False,
        poll_interval=0.2,
    )
    """)
    first, second = executions_of(run)
    assert first.phase is ExecutionPhase.ABORTED
    assert second.mode == "MANUAL"
    assert "was stopped on purpose (Airflow stopped task d.t of run r): launching anew" in run.log
    hook.terminate(second.id, "the test is over")


def test_an_unknown_on_retry_is_told(flaky):
    run = run_flaky(flaky, "on_retry='recoverr',")
    assert "on_retry is 'recoverr'; it takes one of 'recover', 'relaunch', 'new'" in run.log


def id_of(hook):
    return lambda task_try: hook.execution_id(task_try.name())


def launch_try(hook, task_try):
    """Launch a gated execution as a try of a task would."""
    plan = hook.fetch_launch_plan("demo.gated")
    return hook.execute(plan, {"a": 1}, name=task_try.name(), labels=task_try.labels).id


@pytest.mark.parametrize("sweep", [True, False])
def test_what_a_clear_has_missed_is_terminated_and_not_adopted(hook, sweep):
    before = TaskTry("etl", "load", f"run-{uuid.uuid4().hex}", -1, try_number=1)
    missed = launch_try(hook, before)
    cleared = TaskTry("etl", "load", before.run_id, -1, try_number=2, first_try=2)
    log = logging.getLogger("test")
    assert earlier_executions(hook, cleared, id_of(hook), source=None, sweep=sweep, log=log) == []
    assert (hook.get_execution(missed).abort_cause is not None) == sweep
    hook.terminate(missed, "the test is over")


def test_executions_of_others_are_left_alone(hook):
    mine = TaskTry("etl", "load", f"run-{uuid.uuid4().hex}", -1, try_number=1)
    plan = hook.fetch_launch_plan("demo.gated")
    other = hook.execute(plan, {"a": 1}, name=mine.name(), labels={"airflow-dag": "another"}).id
    later = TaskTry("etl", "load", mine.run_id, -1, try_number=2)
    log = logging.getLogger("test")
    assert earlier_executions(hook, later, id_of(hook), source=None, sweep=True, log=log) == []
    assert hook.get_execution(other).abort_cause is None
    hook.terminate(other, "the test is over")
