"""Who kills and who stops in `benchmarks.chaos`, each in a thread of its own."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta, timezone

from airflow_flyte_provider.local import LocalFlyte
from airflow_flyte_provider.model.views.executions import Execution
from benchmarks.chaos_load import STOPPED, Run
from benchmarks.chaos_verdict import Stop, Work, work_behind
from tests.running import RunningAirflow, TaskInstance
from tests.running.environment import TRIGGERER_DIES_AFTER

KINDS = ("worker", "task", "triggerer", "flyte")
"""What is killed: a worker with its task, the task alone, the triggerer, the local Flyte."""

_LIVES = (1.0, 5.0)  # seconds between a recovery and the next kill
_AWAY = (0.0, 2.0)  # seconds until somebody starts again what was killed
_LOOKS = 4  # how often, a second apart, a worker is looked for that runs a task
_SETTLING = (
    TRIGGERER_DIES_AFTER + 4
)  # seconds after which a new triggerer has taken up what the killed one had
_NEWS = 2.0  # seconds after which Airflow has heard of a task that was killed alone
_GRACE = 20.0  # seconds of peace after a stop at most, for Airflow to carry it out
_PATIENCE = 120.0  # seconds for a run that is to be stopped to be where it can be


class Killer:
    """Kills one after the other, each kind as often.

    :param airflow: whose workers and triggerer it kills.
    :param flyte: the local Flyte.
    :param moments: what chance says.
    :param kinds: which of `KINDS` it kills.
    """

    def __init__(
        self, airflow: RunningAirflow, flyte: LocalFlyte, moments: random.Random, kinds: Sequence[str] = KINDS
    ) -> None:
        self.kills: Counter[str] = Counter(dict.fromkeys(kinds, 0))
        self.hits: Counter[str] = Counter(dict.fromkeys(kinds, 0))
        self._kinds = list(kinds)
        self.peace = threading.RLock()
        """Held while something is down; whoever holds it has peace from kills."""
        self.triggerer_killed = 0.0
        self._airflow = airflow
        self._flyte = flyte
        self._moments = moments

    def run(self, is_over: threading.Event) -> None:
        """Kill until it is over."""
        for kind in self._turns():
            if is_over.wait(self._moments.uniform(*_LIVES)):
                return
            with self.peace:
                if not is_over.is_set():
                    self._kill(kind)

    def _turns(self) -> Iterator[str]:
        while self._kinds:
            yield from self._moments.sample(self._kinds, len(self._kinds))

    def _kill(self, kind: str) -> None:
        if kind in ("worker", "task"):
            self._kill_worker(kind)
            return
        concerned = ("deferred",) if kind == "triggerer" else ("running", "deferred")
        self.hits[kind] += any(one.state in concerned for one in self._airflow.rest.task_instances())
        self.kills[kind] += 1
        if kind == "triggerer":
            self._airflow.kill("triggerer")
            self.triggerer_killed = time.monotonic()
            time.sleep(self._moments.uniform(*_AWAY))
            self._airflow.restart("triggerer")
        else:
            self._flyte.kill()
            time.sleep(self._moments.uniform(*_AWAY))
            self._flyte.restart()

    def _kill_worker(self, kind: str) -> None:
        for _ in range(_LOOKS):
            found = self._airflow.rest.task_instances()
            # The last try is spared: a task that luck kills four times has failed rightly.
            running = [one for one in found if one.state == "running" and one.try_number <= one.max_tries]
            if workers := [worker for worker in self._airflow.workers() if any(map(worker.runs, running))]:
                worker = self._moments.choice(workers)
                worker.kill() if kind == "worker" else worker.kill_task()
                self.kills[kind] += 1
                self.hits[kind] += 1
                return
            time.sleep(1.0)


class Stopper:
    """Stops runs on purpose while their tasks run and are deferred, each way in turn.

    :param airflow: where the runs are.
    :param killer: who must keep peace meanwhile: what nobody hears of because it is dead cannot be carried out.
    :param runs: the runs to stop.
    :param moments: what chance says.
    :param executions: returns all executions.
    """

    def __init__(
        self,
        airflow: RunningAirflow,
        killer: Killer,
        runs: list[Run],
        moments: random.Random,
        executions: Callable[[], list[Execution]],
    ) -> None:
        self.stops: list[Stop] = []
        self.missed: list[str] = []
        self._airflow = airflow
        self._killer = killer
        self._runs = runs
        self._moments = moments
        self._executions = executions

    def run(self, is_over: threading.Event) -> None:
        """Begin and stop each run, one after the other, some seconds after its tasks are at work."""
        ways = (self._clear, self._mark_tasks, self._mark_run)
        for run in self._runs:
            self._airflow.rest.trigger(STOPPED, run.run_id, {"number": run.number})
            deadline = time.monotonic() + _PATIENCE
            while not self._stop(run, ways[run.number % len(ways)]):
                if time.monotonic() > deadline:
                    self.missed.append(run.run_id)
                    break
                if is_over.wait(self._moments.uniform(1.0, 4.0)):
                    return

    def _stop(self, run: Run, way: Callable[[Run], None]) -> bool:
        """Stop a run if its tasks are where they can be stopped. Returns whether they were."""
        if not self._is_at_work(run):
            return False
        with self._killer.peace:
            settled = self._killer.triggerer_killed + _SETTLING
            time.sleep(max(_NEWS, settled - time.monotonic()))
            if not self._is_at_work(run):
                return False
            moment = datetime.now(timezone.utc)
            way(run)
            self.stops += [Stop(work, moment, is_cleared=way == self._clear) for work, _ in run.work()]
            while datetime.now(timezone.utc) < moment + timedelta(seconds=_GRACE) and self._goes_on(
                run, moment
            ):
                time.sleep(0.5)
        return True

    def _goes_on(self, run: Run, moment: datetime) -> bool:
        """Tell whether an execution still runs that a run had launched before it was stopped."""
        works = {work for work, _ in run.work()}
        return any(
            work_behind(one) in works
            and one.created_at < moment
            and not one.is_done
            and one.phase.value != "ABORTING"
            for one in self._executions()
        )

    def _is_at_work(self, run: Run) -> bool:
        states = {one.task_id: one for one in self._airflow.rest.task_instances(STOPPED, run.run_id)}
        waits, defers = states.get("waits"), states.get("defers")
        if waits is None or defers is None or defers.state != "deferred" or waits.state != "running":
            return False
        return self._airflow.worker_of(waits) is not None

    def _clear(self, run: Run) -> None:
        self._airflow.rest.clear(STOPPED, run.run_id, [work.task_id for work, _ in run.work()])

    def _mark_tasks(self, run: Run) -> None:
        for work, _ in run.work():
            self._airflow.rest.mark_task(STOPPED, run.run_id, work.task_id)

    def _mark_run(self, run: Run) -> None:
        self._airflow.rest.mark_run(STOPPED, run.run_id)


def work_of(one: TaskInstance) -> Work:
    """Return the piece of work that a task instance is."""
    return Work(one.dag_id, one.run_id, one.task_id, one.map_index)
