"""The chaos benchmark finds what it is there to find, and nothing where all is well."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime, timedelta, timezone

import pytest

from airflow_flyte_provider.model.identifiers import EntityId, EntityKind, ExecutionId
from airflow_flyte_provider.model.phases import ExecutionPhase
from airflow_flyte_provider.model.tries.identity import identity_labels
from airflow_flyte_provider.model.views.executions import Execution
from benchmarks.chaos_load import DAGS, STOPPED, USUAL, runs
from benchmarks.chaos_verdict import Result, Stop, judge

WORK, NUMBER = next(runs(1)[-1].work())
BEGIN = datetime(2026, 1, 1, tzinfo=timezone.utc)
SUCCESS = Result(WORK, "success", {"o0": NUMBER}, {"o0": NUMBER})
FAILED = Result(WORK, "failed", None, {"o0": NUMBER})
CAUSE = f"Airflow stopped task {WORK.dag_id}.{WORK.task_id} of run {WORK.run_id}"


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def execution(
    begin: float, end: float, phase: str = "SUCCEEDED", *, mode: str = "MANUAL", cause: str | None = None
) -> Execution:
    """Return an execution of `WORK` that ran from one second to another; `end` is not looked at while it runs."""
    labels = identity_labels(
        dag_id=WORK.dag_id, task_id=WORK.task_id, run_id=WORK.run_id, map_index=-1, try_number=1
    )
    return Execution(
        id=ExecutionId("p", "d", f"e{begin:g}"),
        phase=ExecutionPhase(phase),
        launch_plan=EntityId(EntityKind.LAUNCH_PLAN, "p", "d", "plan", "v1"),
        workflow=None,
        created_at=at(begin),
        started_at=at(begin),
        updated_at=at(end),
        duration=None,
        error=None,
        abort_cause=cause,
        labels=labels,
        mode=mode,
        reference_execution=None,
    )


def faults(result: Result, *executions: Execution, stop: Stop | None = None) -> dict[str, int]:
    """Return how many faults of each kind there are, kinds without any left out."""
    verdict = judge([result], executions, [stop] if stop else [])
    return {name: len(found) for name, found in asdict(verdict).items() if found}


def test_work_done_once_is_no_fault() -> None:
    assert faults(SUCCESS, execution(0, 5)) == {}


def test_a_try_that_failed_and_one_that_recovered_it_is_no_fault() -> None:
    assert faults(SUCCESS, execution(0, 5, "FAILED"), execution(6, 9, mode="RECOVERED")) == {}
    assert faults(SUCCESS, execution(0, 5), execution(6, 9, mode="RECOVERED")) == {}


@pytest.mark.parametrize(
    "executions",
    [[], [execution(0, 5, "FAILED")], [execution(0, 5, "RUNNING")]],
    ids=["none", "failed", "runs"],
)
def test_success_without_an_execution_that_succeeded_is_lost(executions: list[Execution]) -> None:
    assert faults(SUCCESS, *executions) == {"lost": 1}


def test_another_output_is_lost() -> None:
    assert faults(replace(SUCCESS, output={"o0": NUMBER + 1}), execution(0, 5)) == {"lost": 1}
    assert faults(replace(SUCCESS, output=None), execution(0, 5)) == {"lost": 1}


@pytest.mark.parametrize("state", ["running", "deferred", "none", "up_for_retry"])
def test_a_task_that_never_ends_is_lost(state: str) -> None:
    assert faults(replace(SUCCESS, state=state), execution(0, 5)) == {"lost": 1}


def test_a_task_that_failed_is_a_false_failure_and_lost_when_flyte_has_done_its_work() -> None:
    assert faults(FAILED, execution(0, 5, "ABORTED")) == {"false_failures": 1}
    assert faults(FAILED, execution(0, 5)) == {"false_failures": 1, "lost": 1}


def test_work_done_twice_is_doubled() -> None:
    assert faults(SUCCESS, execution(0, 5), execution(6, 9)) == {"doubled": 1}
    assert faults(SUCCESS, execution(0, 5), execution(6, 9, mode="RELAUNCH")) == {"doubled": 1}


def test_two_executions_at_a_time_are_doubled() -> None:
    assert faults(SUCCESS, execution(0, 5, "ABORTED"), execution(4, 9)) == {"doubled": 1}
    assert faults(SUCCESS, execution(0, 1, "RUNNING"), execution(4, 9)) == {"doubled": 1}
    assert faults(SUCCESS, execution(0, 5, "ABORTED"), execution(4, 9, mode="RECOVERED")) == {"doubled": 1}


def test_a_task_marked_as_failed_whose_execution_is_aborted_in_the_runs_name_is_no_fault() -> None:
    stop = Stop(WORK, at(5), is_cleared=False)
    assert faults(FAILED, execution(0, 7, "ABORTED", cause=CAUSE), stop=stop) == {}
    assert faults(FAILED, execution(0, 4), stop=stop) == {}


@pytest.mark.parametrize(
    "left",
    [
        execution(0, 9, "RUNNING"),
        execution(0, 9, "ABORTING", cause=CAUSE),
        execution(0, 9, "SUCCEEDED"),
        execution(0, 9, "ABORTED", cause="somebody else"),
        execution(0, 60, "ABORTED", cause=CAUSE),
        execution(6, 9, "SUCCEEDED"),
    ],
    ids=["runs", "aborting", "went on", "other cause", "late", "launched after it"],
)
def test_what_goes_on_after_a_task_was_marked_as_failed_is_left_running(left: Execution) -> None:
    assert faults(FAILED, left, stop=Stop(WORK, at(5), is_cleared=False)) == {"left_running_after_kill": 1}


def test_cleared_work_is_done_anew_and_its_old_execution_must_end() -> None:
    stop = Stop(WORK, at(5), is_cleared=True)
    ended, anew = execution(0, 7, "ABORTED", cause=CAUSE), execution(8, 20)
    assert faults(SUCCESS, ended, anew, stop=stop) == {}
    assert faults(SUCCESS, execution(0, 9), anew, stop=stop) == {"left_running_after_kill": 1}
    assert faults(SUCCESS, ended, stop=stop) == {"lost": 1}
    assert faults(SUCCESS, ended, anew, execution(21, 30), stop=stop) == {"doubled": 1}


@pytest.mark.parametrize("executions", [1, 30, 200])
def test_there_is_as_much_work_as_was_asked_for_and_some_is_stopped(executions: int) -> None:
    work = [piece for run in runs(executions) for piece in run.work()]
    assert len({piece for piece, _ in work}) == len(
        {number + (piece.dag_id == STOPPED) * 10**6 for piece, number in work}
    )
    assert executions <= len(work) < executions + 12
    assert {run.dag_id for run in runs(executions)} == {USUAL, STOPPED} if executions > 6 else {STOPPED}
    assert f'DAG("{STOPPED}"' in DAGS.read_text()
