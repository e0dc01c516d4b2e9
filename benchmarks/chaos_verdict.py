"""What `benchmarks.chaos` calls a fault, told from what Airflow and Flyte say when all is over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

from airflow_flyte_provider.model.phases import ExecutionPhase
from airflow_flyte_provider.model.views.executions import Execution

#: How long a stopped task's execution may take to end.
_ABORTED_WITHIN = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Work:
    """One piece of work: a task instance, whatever its tries. Its ids are plain, so labels hold them as they are."""

    dag_id: str
    run_id: str
    task_id: str
    map_index: int = -1

    def __str__(self) -> str:
        index = f"[{self.map_index}]" if self.map_index >= 0 else ""
        return f"{self.run_id}.{self.task_id}{index}"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a piece of work, as Airflow tells.

    :param work: the work.
    :param state: the task instance's state.
    :param output: its XCom.
    :param expected: the XCom it should have when it succeeded.
    """

    work: Work
    state: str
    output: Any
    expected: Any


@dataclass(frozen=True, slots=True)
class Stop:
    """A task stopped on purpose.

    :param work: the work.
    :param moment: when, in UTC.
    :param is_cleared: whether it was cleared, and so is to be done again; else it was marked as failed.
    """

    work: Work
    moment: datetime
    is_cleared: bool


@dataclass
class Verdict:
    """The faults found, each in words.

    `lost`: succeeded for Airflow and not for Flyte, with an output that is not its own, never ended, or done by
    Flyte for a task that failed. `doubled`: done twice from the start, or twice at a time. `false_failures`: failed
    for Airflow, though nothing in the work fails. `left_running_after_kill`: stopped on purpose in Airflow, and its
    execution was not terminated soon, or not in the run's name.
    """

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    false_failures: list[str] = field(default_factory=list)
    left_running_after_kill: list[str] = field(default_factory=list)


def judge(results: Iterable[Result], executions: Iterable[Execution], stops: Iterable[Stop]) -> Verdict:
    """Return what is wrong.

    :param results: what became of all work, as Airflow tells.
    :param executions: all executions, as Flyte tells.
    :param stops: what was stopped on purpose.
    """
    verdict = Verdict()
    by_work: dict[Work, list[Execution]] = {}
    for execution in executions:
        by_work.setdefault(work_behind(execution), []).append(execution)
    stopped = {stop.work: stop for stop in stops}
    for result in results:
        own = by_work.get(result.work, [])
        stop = stopped.get(result.work)
        if stop is not None:
            ended_by_it = [one for one in own if not stop.is_cleared or _created(one) < stop.moment]
            verdict.left_running_after_kill += _left_running(stop, result, ended_by_it)
            own = [one for one in own if one not in ended_by_it]
        if stop is None or stop.is_cleared:
            _judge_work(verdict, result, own)
    return verdict


def work_behind(execution: Execution) -> Work:
    """Return the work that an execution was launched for, as its labels tell."""
    told = [execution.labels.get(f"airflow-{key}", "") for key in ("dag", "run", "task")]
    return Work(*told, int(execution.labels.get("airflow-map-index", -1)))


def _judge_work(verdict: Verdict, result: Result, own: Sequence[Execution]) -> None:
    """Add what is wrong with work that should have been done."""
    done = [one.id.name for one in own if one.is_successful]
    if result.state == "success":
        if not done:
            verdict.lost.append(f"{result.work} succeeded, its executions did not: {_told(own)}")
        elif result.output != result.expected:
            verdict.lost.append(f"{result.work} gave {result.output}, not {result.expected}")
    elif result.state == "failed":
        verdict.false_failures.append(f"{result.work} failed; its executions: {_told(own)}")
        if done:
            verdict.lost.append(f"{result.work} failed, and nobody took what {', '.join(done)} gave")
    elif result.state != "upstream_failed":
        verdict.lost.append(f"{result.work} is {result.state} still; its executions: {_told(own)}")
    anew = [one for one in own if one.is_successful and one.mode != "RECOVERED"]
    if len(anew) > 1 or any(_overlap(*pair) for pair in combinations(own, 2)):
        verdict.doubled.append(f"{result.work} was executed by {_told(own)}")


def _left_running(stop: Stop, result: Result, own: Sequence[Execution]) -> list[str]:
    found = []
    for one in own:
        ended = _ended(one)
        if ended is not None and ended <= stop.moment:
            continue
        is_aborted = one.phase is ExecutionPhase.ABORTED and stop.work.run_id in (one.abort_cause or "")
        if not is_aborted or ended is None or ended - max(stop.moment, _created(one)) > _ABORTED_WITHIN:
            how = "cleared" if stop.is_cleared else "marked as failed"
            what = f"{stop.work} was {how} at {stop.moment:%H:%M:%S} and is {result.state} now"
            found.append(f"{what}; its execution: {_told([one])}")
    return found


def _overlap(one: Execution, other: Execution) -> bool:
    first, second = sorted((one, other), key=_created)
    ended = _ended(first)
    return ended is None or ended > _created(second)


def _created(execution: Execution) -> datetime:
    assert execution.created_at is not None, f"Flyte does not tell when {execution.id} was created"
    return execution.created_at


def _ended(execution: Execution) -> datetime | None:
    return execution.updated_at if execution.is_done else None


def _told(executions: Sequence[Execution]) -> str:
    return ", ".join(_told_one(one) for one in sorted(executions, key=_created)) or "none"


def _told_one(one: Execution) -> str:
    ended = _ended(one)
    until = f"{ended:%H:%M:%S}" if ended else "now"
    cause = f", {one.abort_cause!r}" if one.abort_cause else ""
    tried = one.labels.get("airflow-try")
    return f"{one.id.name} ({one.mode} of try {tried}: {one.phase.value}, {_created(one):%H:%M:%S} to {until}{cause})"
