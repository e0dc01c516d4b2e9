"""The work that `benchmarks.crash` gives to the local Flyte: workflows, what each must end with, and its client."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from flyteidl.admin import signal_pb2
from flyteidl.core import identifier_pb2
from flyteidl.core import workflow_pb2 as core_workflow

from tests.local.client import DOMAIN, INTEGER, PROJECT, Client, identifier, task_node

_RETRY = 0.05  # seconds until a client asks again a server that is down
_SIGNAL = "number"
_ANSWER = 1000  # a gate's answer is this and the execution's number


@dataclass(frozen=True)
class Kind:
    """A kind of execution and what it must end with.

    :param plan: its launch plan.
    :param commands: how often each task with a side effect runs in it, by task name.
    :param children: executions it launches.
    :param phase: phase it ends with.
    """

    plan: str
    commands: dict[str, int]
    children: int = 0
    phase: str = "SUCCEEDED"


KINDS = (
    Kind("chain", {}),
    Kind("nested", {"in-sub": 1}),
    Kind("parent", {"in-child": 1}, children=1),
    Kind("gated", {"after-gate": 1}),
    Kind("effects", {"one": 1, "two": 1}),
    Kind("broken", {"fails": 2}, phase="FAILED"),
)


@dataclass(frozen=True)
class Launch:
    """One execution to be launched: its name, its number (also its input), and what it must end with."""

    number: int
    kind: Kind

    @property
    def name(self) -> str:
        """The execution's name, which makes launching it twice impossible."""
        return f"crash-{self.number}"

    @property
    def identifier(self) -> identifier_pb2.WorkflowExecutionIdentifier:
        """The execution's id."""
        return identifier_pb2.WorkflowExecutionIdentifier(project=PROJECT, domain=DOMAIN, name=self.name)

    @property
    def output(self) -> int | None:
        """The value of `o0` it must end with, None when it has none."""
        if self.kind.phase != "SUCCEEDED" or self.kind.plan == "effects":
            return None
        return self.number + _ANSWER if self.kind.plan == "gated" else self.number


def launches(count: int) -> list[Launch]:
    """Return so many executions, of every kind in turn."""
    return [Launch(number, KINDS[number % len(KINDS)]) for number in range(count)]


def register(client: Client, ledger: Path) -> None:
    """Register the workflows of `KINDS`. Tasks with a side effect add a line to `ledger` each time they run."""
    echo = client.task("echo")
    chain = [task_node(f"n{step}", echo, (f"n{step - 1}" if step else "", "a")) for step in range(3)]
    client.workflow("chain", chain, output=("n2", "a"))

    def effect(name: str, then: str = "", retries: int = 0) -> identifier_pb2.Identifier:
        line = f'"$FLYTE_INTERNAL_EXECUTION_ID {name} $FLYTE_ATTEMPT_NUMBER $(date +%s%N)"'
        return client.command(name, "sh", "-c", f"echo {line} >> {ledger}; sleep 0.1{then}", retries=retries)

    client.workflow("effects", [task_node("n0", effect("one"), None), task_node("n1", effect("two"), None)])
    inner = [task_node("n0", echo), task_node("n1", effect("in-sub"), None, ["n0"])]
    sub = client.workflow("sub", inner, output=("n0", "a"))
    client.workflow("nested", [_workflow_node(sub_workflow_ref=sub.id)], output=("n0", "o0"), subs=[sub])
    inner = [task_node("n0", echo), task_node("n1", effect("in-child"), None, ["n0"])]
    client.workflow("child", inner, output=("n0", "a"))
    plan = identifier(identifier_pb2.LAUNCH_PLAN, "child")
    client.workflow("parent", [_workflow_node(launchplan_ref=plan)], output=("n0", "o0"))
    gate = core_workflow.Node(id="n0")
    gate.metadata.name = "n0"
    gate.gate_node.signal.signal_id, gate.gate_node.signal.output_variable_name = _SIGNAL, "given"
    gate.gate_node.signal.type.CopyFrom(INTEGER)
    after = [task_node("n1", echo, ("n0", "given")), task_node("n2", effect("after-gate"), None, ["n1"])]
    client.workflow("gated", [gate, *after], output=("n1", "a"))
    fails = effect("fails", "; exit 1", retries=1)
    client.workflow("broken", [task_node("n0", fails, None)])


def _workflow_node(**reference: identifier_pb2.Identifier) -> core_workflow.Node:
    node = core_workflow.Node(id="n0", workflow_node=core_workflow.WorkflowNode(**reference))
    node.metadata.name = "n0"
    promise = node.inputs.add(var="a").binding.promise
    promise.var = "a"
    return node


class Load:
    """A client that launches everything and answers the gates, whatever becomes of the server meanwhile.

    :param endpoint: the server, which is killed and started again on the same port.
    :param work: what to launch.
    :param may_launch: how many may have been launched by now.
    """

    def __init__(self, endpoint: str, work: list[Launch], may_launch: Callable[[], int]) -> None:
        self._endpoint = endpoint
        self._work = work
        self._may_launch = may_launch
        self._launched: list[Launch] = []
        self._stopping = threading.Event()

    def run(self, seed: int) -> None:
        """Launch and answer until all is launched and answered, or `stop` is called.

        :param seed: for the pauses between launches.
        """
        with ThreadPoolExecutor(2) as threads:
            work = [threads.submit(self._launch_all, random.Random(seed)), threads.submit(self._answer_all)]
            for one in work:
                one.result()

    def stop(self) -> None:
        """Give up, because there is nothing left to wait for."""
        self._stopping.set()

    def _launch_all(self, pauses: random.Random) -> None:
        client = Client(self._endpoint)
        for launch in self._work:
            while len(self._launched) >= self._may_launch() and not self._stopping.is_set():
                time.sleep(_RETRY)
            time.sleep(pauses.uniform(0, 2 * _RETRY))
            for _ in self._tries():
                if _done(
                    lambda one=launch: client.launch(one.kind.plan, one.name, one.number), "ALREADY_EXISTS"
                ):
                    break
            self._launched.append(launch)
        client.close()

    def _answer_all(self) -> None:
        client = Client(self._endpoint)
        waiting = [launch for launch in self._work if launch.kind.plan == "gated"]
        for _ in self._tries():
            # SetSignal is refused until the engine has reached the gate, so it is asked for again and again
            launched = [one for one in waiting if one in self._launched]
            answered = [one for one in launched if _done(lambda one=one: _answer(client, one))]
            waiting = [one for one in waiting if one not in answered]
            if not waiting:
                break
        client.close()

    def _tries(self) -> Iterator[None]:
        while not self._stopping.is_set():
            yield
            time.sleep(_RETRY)


def _answer(client: Client, launch: Launch) -> None:
    request = signal_pb2.SignalSetRequest()
    request.id.execution_id.CopyFrom(launch.identifier)
    request.id.signal_id = _SIGNAL
    request.value.scalar.primitive.integer = launch.number + _ANSWER
    client.signals.SetSignal(request, timeout=10)


def _done(call: Callable[[], Any], *as_good: str) -> bool:
    """Make a call. Returns whether it worked; a server that is down, or a gate not yet reached, is no fault."""
    try:
        call()
    except grpc.RpcError as error:
        code = error.code().name
        if code in as_good:
            return True
        if code in ("UNAVAILABLE", "CANCELLED") or "signal does not exist" in (error.details() or ""):
            return False
        raise
    return True
