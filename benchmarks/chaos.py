"""What kill -9 does to Airflow and Flyte together: `python -m benchmarks.chaos --executions 200`.

A real Airflow runs DAGs on the local Flyte, while its workers, its triggerer and the local Flyte are killed at random
moments and started again, and while some runs are stopped on purpose. In the end nothing may be lost, done twice,
or failed, and nothing that was stopped may have gone on: see `benchmarks.chaos_verdict` for what that means.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from flyteidl.admin import common_pb2

from airflow_flyte_provider.local import LocalFlyte
from airflow_flyte_provider.model.views.executions import Execution
from benchmarks.chaos_kills import KINDS, Killer, Stopper, work_of
from benchmarks.chaos_load import DAGS, STOPPED, USUAL, Run, register, runs
from benchmarks.chaos_verdict import Result, Verdict, judge
from tests.conftest import connection
from tests.local.client import DOMAIN, PROJECT, Client
from tests.running import RunningAirflow

_ENDED = ("success", "failed")
_ROW = 10.0  # seconds between two rows of the table
_PARALLELISM = 8
_STATES = ("success", "running", "deferred", "up_for_retry", "failed")


@dataclass(frozen=True)
class Outcome:
    """What a run of the benchmark gave: the faults, and how much there was that could have gone wrong."""

    verdict: Verdict
    work: int
    kills: dict[str, int]
    hits: dict[str, int]
    stops: int
    missed: list[str]

    @property
    def figures(self) -> dict[str, Any]:
        """The figures of the last line."""
        faults = {name: len(found) for name, found in asdict(self.verdict).items()}
        return {
            "executions": self.work,
            **faults,
            "kills": self.kills,
            "hits": self.hits,
            "stops": self.stops,
        }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, kill, and print what was found.

    :param arguments: command line without the program's name, None for the process's own.
    :return: 1 when anything was lost, doubled, failed for no reason, or left running.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.chaos", description=__doc__)
    parser.add_argument("--executions", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1, help="for the kills (default %(default)s)")
    parser.add_argument("--kill", choices=KINDS, nargs="*", default=KINDS, help="what to kill (default: all)")
    parser.add_argument("--keep", type=Path, help="folder to be made for Airflow's logs and database")
    chosen = parser.parse_args(arguments)
    outcome = run(chosen.executions, chosen.seed, chosen.kill, chosen.keep)
    for name, found in asdict(outcome.verdict).items():
        for text in found:
            print(f"{name}: {text}")
    for run_id in outcome.missed:
        print(f"not stopped: {run_id} was never where it could be")
    print(json.dumps(outcome.figures))
    return int(any(asdict(outcome.verdict).values()))


def run(executions: int, seed: int, kinds: Sequence[str] = KINDS, keep: Path | None = None) -> Outcome:
    """Let Airflow work while everything is killed again and again, and return what was wrong in the end.

    :param executions: how many executions there are to be at least.
    :param seed: for the kills.
    :param kinds: what to kill.
    :param keep: folder to be made for Airflow's home as it is in the end; None for none.
    """
    work = runs(executions)
    with (
        tempfile.TemporaryDirectory(prefix="chaos-") as folder,
        # a folder that is kept over its kills
        LocalFlyte(Path(folder, "flyte"), arguments=("--echo-seconds", "1")) as flyte,
    ):
        client = Client(flyte.endpoint)
        register(client)
        env = {"AIRFLOW_CONN_FLYTE_DEFAULT": connection(flyte.endpoint)}
        with RunningAirflow({DAGS.name: DAGS.read_text()}, env, _PARALLELISM) as airflow:
            killer = Killer(airflow, flyte, random.Random(seed), kinds)
            to_stop = [one for one in work if one.dag_id == STOPPED]
            stopper = Stopper(airflow, killer, to_stop, random.Random(seed), partial(_executions, client))
            try:
                _run_all(airflow, killer, stopper, work)
            finally:
                if keep is not None:
                    shutil.copytree(airflow.home, keep)
            results = _results(airflow, work)
        verdict = judge(results, _executions(client), stopper.stops)
        client.close()
    return Outcome(
        verdict, len(results), dict(killer.kills), dict(killer.hits), len(stopper.stops), stopper.missed
    )


def _run_all(airflow: RunningAirflow, killer: Killer, stopper: Stopper, work: list[Run]) -> None:
    """Begin all runs and return when they have ended, or will not end any more."""
    is_over = threading.Event()
    began = time.monotonic()
    patience = 180.0 + 4 * len(work) * 6
    for one in work:
        if one.dag_id == USUAL:
            airflow.rest.trigger(USUAL, one.run_id, {"number": one.number})
    print("seconds  runs ended  " + "  ".join(_STATES) + "  kills", flush=True)
    with ThreadPoolExecutor(2) as threads:
        both = [threads.submit(one.run, is_over) for one in (killer, stopper)]
        try:
            while time.monotonic() < began + patience and not _is_done(airflow, work, both):
                _print_row(airflow, killer, time.monotonic() - began)
                time.sleep(_ROW)
        finally:
            is_over.set()
        for thread in both:
            thread.result()


def _is_done(airflow: RunningAirflow, work: list[Run], threads: list[Future[None]]) -> bool:
    for thread in threads:
        if thread.done():
            thread.result()  # raises what has ended it
    states = airflow.rest.run_states(USUAL) | airflow.rest.run_states(STOPPED)
    return len(states) == len(work) and all(state in _ENDED for state in states.values())


def _print_row(airflow: RunningAirflow, killer: Killer, seconds: float) -> None:
    found = airflow.rest.task_instances()
    ended = [*airflow.rest.run_states(USUAL).values(), *airflow.rest.run_states(STOPPED).values()]
    states = Counter(one.state for one in found)
    columns = "  ".join(f"{states[state]:{len(state)}}" for state in _STATES)
    kills = ", ".join(f"{count} {kind}" for kind, count in killer.kills.items())
    print(f"{seconds:7.0f}  {sum(one in _ENDED for one in ended):10}  {columns}  {kills}", flush=True)


def _results(airflow: RunningAirflow, work: list[Run]) -> list[Result]:
    """Return what Airflow says about each piece of work."""
    states = {work_of(one): one.state for one in airflow.rest.task_instances()}
    found = []
    for one in work:
        for piece, number in one.work():
            state = states.get(piece, "none")
            output = None
            if state == "success":
                output = airflow.rest.xcom(
                    piece.dag_id, piece.run_id, piece.task_id, map_index=piece.map_index
                )
            found.append(Result(piece, state, output, {"o0": number}))
    return found


def _executions(client: Client) -> list[Execution]:
    request = common_pb2.ResourceListRequest(limit=10_000)
    request.id.project, request.id.domain = PROJECT, DOMAIN
    return [Execution.from_proto(one) for one in client.admin.ListExecutions(request).executions]


if __name__ == "__main__":
    sys.exit(main())
