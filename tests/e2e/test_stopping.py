"""What a user stops in a real Airflow ends in Flyte, and what is cleared begins anew."""

import pytest

from airflow_flyte_provider.model.phases import ExecutionPhase
from airflow_flyte_provider.model.views.executions import Execution
from tests.e2e.gates import executions_of, open_gates, wait_for

MODES = {"waiting": "running", "deferred": "deferred"}


def mark_task(rest, dag_id, run_id):
    rest.mark_task(dag_id, run_id, "gated", "failed")


def mark_run(rest, dag_id, run_id):
    rest.mark_run(dag_id, run_id, "failed")


def clear(rest, dag_id, run_id):
    rest.clear(dag_id, run_id, ["gated"])


@pytest.fixture(params=MODES)
def started(request, running_airflow, registered):
    """A function that starts a run and returns its execution, once the task waits in a worker or deferred."""
    dag_id = request.param

    def start(name):
        run_id = f"{dag_id}-{name}"
        running_airflow.rest.trigger(dag_id, run_id)
        running_airflow.until(
            lambda: (
                running_airflow.rest.task_state(dag_id, run_id, "gated") == MODES[dag_id]
                and executions_of(registered.endpoint, dag_id, run_id)
            ),
            60,
            "its execution runs",
        )
        if dag_id == "deferred":  # Airflow stops a trigger that has not begun without telling anybody
            running_airflow.until(
                lambda: "starting" in running_airflow.rest.log(dag_id, run_id, "gated"),
                60,
                "its trigger runs",
            )
        (execution,) = executions_of(registered.endpoint, dag_id, run_id)
        wait_for(lambda: executions_of(registered.endpoint, dag_id, run_id)[0].closure.phase == 2)  # RUNNING
        return dag_id, run_id, Execution.from_proto(execution).id

    return start


@pytest.mark.parametrize("stop", [mark_task, mark_run, clear])
def test_what_a_user_stops_ends_in_flyte(running_airflow, registered, hook, started, stop):
    dag_id, run_id, execution = started(stop.__name__.replace("_", "-"))
    stop(running_airflow.rest, dag_id, run_id)
    done = hook.wait(execution, timeout=30, poll_interval=0.2)
    assert done.phase is ExecutionPhase.ABORTED
    assert done.abort_cause == f"Airflow stopped task {dag_id}.gated of run {run_id}"
    if stop is not clear:
        return
    running_airflow.until(
        lambda: len(executions_of(registered.endpoint, dag_id, run_id)) == 2, 60, "the work begins anew"
    )
    latest = executions_of(registered.endpoint, dag_id, run_id)[0]
    assert Execution.from_proto(latest).mode == "MANUAL"
    open_gates(registered.endpoint, latest)
    assert running_airflow.end_of_run(dag_id, run_id) == "success"
    assert len(executions_of(registered.endpoint, dag_id, run_id)) == 2


@pytest.mark.parametrize("started", ["waiting"], indirect=True)
def test_a_worker_that_dies_leaves_its_execution_to_the_next_try(running_airflow, registered, started):
    dag_id, run_id, _ = started("dies")
    (task_instance,) = running_airflow.rest.task_instances(dag_id, run_id)
    running_airflow.worker_of(task_instance).kill_task()
    running_airflow.until(
        lambda: running_airflow.rest.task_instances(dag_id, run_id)[0].try_number == 2,
        90,
        "it is tried again",
    )
    (execution,) = executions_of(registered.endpoint, dag_id, run_id)
    open_gates(registered.endpoint, execution)
    assert running_airflow.end_of_run(dag_id, run_id) == "success"
    assert len(executions_of(registered.endpoint, dag_id, run_id)) == 1


@pytest.mark.parametrize("started", ["deferred"], indirect=True)
def test_a_clear_that_no_triggerer_saw_is_made_good_by_the_next_try(
    running_airflow, registered, hook, started
):
    dag_id, run_id, execution = started("unseen")
    running_airflow.kill("triggerer")
    clear(running_airflow.rest, dag_id, run_id)
    running_airflow.until(
        lambda: len(executions_of(registered.endpoint, dag_id, run_id)) == 2, 60, "the work begins anew"
    )
    running_airflow.restart("triggerer")
    assert hook.wait(execution, timeout=30, poll_interval=0.2).phase is ExecutionPhase.ABORTED
    latest = executions_of(registered.endpoint, dag_id, run_id)[0]
    open_gates(registered.endpoint, latest)
    assert running_airflow.end_of_run(dag_id, run_id) == "success"
