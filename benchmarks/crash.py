"""What kill -9 does to running executions: `python -m benchmarks.crash --kills 50`.

The local Flyte is killed at random moments while a client launches executions and answers their gates, and is
started again on the same data each time. In the end every execution must have ended as it should (else it is
`lost` or `wrong`), and nothing may have been done twice (`doubled`): no task attempt that had ended before a kill
may have run again after it, and no execution may have had more children than it has nodes for them.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import grpc
from flyteidl.admin import common_pb2
from sqlalchemy import select

from airflow_flyte_provider.local import LocalFlyte
from airflow_flyte_provider.local.store.database import open_database
from airflow_flyte_provider.local.store.tables import task_executions
from benchmarks.crash_load import Launch, Load, launches, register
from tests.local.client import DOMAIN, FINAL, PROJECT, Client

_LONGEST_LIFE = 1.0  # seconds a server lives after it was ready
_PATIENCE = 90.0  # seconds for everything to end after the last kill
_ARGUMENTS = ("--echo-seconds", "0.2")

Attempt = tuple[str, str, int]
"""Names of execution and task, and the number of the attempt."""


@dataclass(frozen=True)
class Kill:
    """One kill: its time in nanoseconds, and the task attempts that had ended by then, as the store tells."""

    moment: int
    ended: frozenset[Attempt]


@dataclass
class Verdict:
    """The faults found, each in words."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, kill, and print what was found.

    :param arguments: command line without the program's name, None for the process's own.
    :return: 1 when anything was lost, doubled or wrong.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--executions", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1, help="for the moments (default %(default)s)")
    chosen = parser.parse_args(arguments)
    verdict = run(chosen.kills, chosen.executions, chosen.seed)
    faults = {name: getattr(verdict, name) for name in ("lost", "doubled", "wrong")}
    for name, found in faults.items():
        for text in found:
            print(f"{name}: {text}")
    counts = {name: len(found) for name, found in faults.items()}
    print(json.dumps({"kills": chosen.kills, "executions": chosen.executions, **counts}))
    return 1 if any(faults.values()) else 0


def run(kills: int, executions: int, seed: int) -> Verdict:
    """Launch executions while the server is killed again and again, and return what was wrong in the end."""
    work = launches(executions)
    with tempfile.TemporaryDirectory(prefix="crash-") as folder:
        ledger = Path(folder, "ledger")
        ledger.touch()
        with LocalFlyte(Path(folder, "data"), arguments=_ARGUMENTS) as flyte:
            client = Client(flyte.endpoint)
            register(client, ledger)
            client.close()
            done = _killed_while_working(flyte, work, kills, seed)
            return judge(flyte.endpoint, work, done, ledger.read_text())


def _killed_while_working(flyte: LocalFlyte, work: list[Launch], kills: int, seed: int) -> list[Kill]:
    """Let a client work while the server is killed. Returns the kills, once all executions should have ended."""
    done: list[Kill] = []
    moments = random.Random(seed)
    # launches are spread over the kills, so that some are in flight at each of them
    load = Load(flyte.endpoint, work, lambda: len(work) * (len(done) + 1) // max(1, kills))
    thread = threading.Thread(target=load.run, args=(seed,), daemon=True)
    thread.start()
    for _ in range(kills):
        time.sleep(moments.uniform(0, _LONGEST_LIFE))
        flyte.kill()
        ended = _ended_attempts(flyte.data_dir)
        # not before: a command that was starting when its server was killed may still write its line
        done.append(Kill(time.time_ns(), ended))
        flyte.restart()
    thread.join(_PATIENCE)
    load.stop()
    thread.join()
    _await_all(flyte.endpoint, work)
    return done


def _ended_attempts(data_dir: Path) -> frozenset[Attempt]:
    engine = open_database(f"sqlite:///{data_dir / 'flyte.db'}")
    table = task_executions
    columns = table.c.execution_name, table.c.name, table.c.retry_attempt
    with engine.connect() as connection:
        found = connection.execute(select(*columns).where(table.c.phase.in_(FINAL))).all()
    engine.dispose()
    return frozenset((execution, task, attempt) for execution, task, attempt in found)


def _await_all(endpoint: str, work: list[Launch]) -> None:
    client = Client(endpoint)
    deadline = time.monotonic() + _PATIENCE
    waiting = list(work)
    while waiting and time.monotonic() < deadline:
        waiting = [launch for launch in waiting if _phase(client, launch) not in FINAL]
        time.sleep(0.2)
    client.close()


def _phase(client: Client, launch: Launch) -> str:
    try:
        return client.phase(launch.identifier)
    except grpc.RpcError as error:
        if error.code() == grpc.StatusCode.NOT_FOUND:
            return "not there"
        raise


def judge(endpoint: str, work: list[Launch], kills: list[Kill], ledger: str) -> Verdict:
    """Return what is wrong with the executions of a run.

    :param endpoint: the server.
    :param work: what was launched.
    :param kills: when the server was killed.
    :param ledger: the side effects: a line for each start of a task, with execution, task, attempt and time.
    """
    verdict = Verdict()
    client = Client(endpoint)
    children = _children(client)
    ran = _ran(ledger)
    for launch in work:
        phase = _phase(client, launch)
        if phase not in FINAL:
            verdict.lost.append(f"{launch.name} ({launch.kind.plan}) is {phase}")
            continue
        verdict.wrong += _faults(client, launch, phase)
        own = children.get(launch.name, [])
        if len(own) != launch.kind.children:
            faults = verdict.doubled if len(own) > launch.kind.children else verdict.wrong
            faults.append(f"{launch.name} has {len(own)} children instead of {launch.kind.children}")
        runs_in = own[0] if own else launch.name
        for task, attempts in launch.kind.commands.items():
            if {one[2] for one in ran if one[:2] == (runs_in, task)} != set(range(attempts)):
                verdict.wrong.append(f"{launch.name}: {task} was not run {attempts} times")
    client.close()
    verdict.doubled += rerun(ran, kills)
    return verdict


def rerun(ran: dict[Attempt, list[int]], kills: list[Kill]) -> list[str]:
    """Return the task attempts that ran again without need, each in words.

    :param ran: when each attempt was begun.
    :param kills: when the server was killed, and which attempts had ended by then.
    """
    found = []
    for attempt, moments in ran.items():
        again = any(attempt in kill.ended and max(moments) > kill.moment for kill in kills)
        # one kill gives reason for one more run at most
        reasons = sum(min(moments) <= kill.moment <= max(moments) for kill in kills)
        if again or len(moments) > reasons + 1:
            found.append(f"{attempt[1]} of {attempt[0]}, attempt {attempt[2]}, ran {len(moments)} times")
    return found


def _ran(ledger: str) -> dict[Attempt, list[int]]:
    ran: dict[Attempt, list[int]] = {}
    for line in ledger.splitlines():
        execution, task, attempt, moment = line.split()
        ran.setdefault((execution, task, int(attempt)), []).append(int(moment))
    return ran


def _children(client: Client) -> dict[str, list[str]]:
    """Return the names of the executions that others launched, by the one that did."""
    request = common_pb2.ResourceListRequest(limit=10_000)
    request.id.project, request.id.domain = PROJECT, DOMAIN
    children: dict[str, list[str]] = {}
    for execution in client.admin.ListExecutions(request).executions:
        parent = execution.spec.metadata.parent_node_execution.execution_id.name
        if parent:
            children.setdefault(parent, []).append(execution.id.name)
    return children


def _faults(client: Client, launch: Launch, phase: str) -> list[str]:
    """Return what is wrong with an execution that ended: its phase, its output, or its nodes' phases."""
    faults = []
    if phase != launch.kind.phase:
        error = client.execution(launch.identifier).closure.error.message
        faults.append(f"{launch.name} ({launch.kind.plan}) is {phase}, not {launch.kind.phase}: {error}")
    elif launch.output is not None:
        found = client.outputs(launch.identifier).literals["o0"].scalar.primitive.integer
        if found != launch.output:
            faults.append(f"{launch.name} ({launch.kind.plan}) gave {found}, not {launch.output}")
    nodes = Counter(client.node_phases(launch.identifier).values())
    if phase == "SUCCEEDED" and set(nodes) != {"SUCCEEDED"}:
        faults.append(f"{launch.name} ({launch.kind.plan}) has nodes that are {dict(nodes)}")
    return faults


if __name__ == "__main__":
    sys.exit(main())
