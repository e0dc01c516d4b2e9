"""Workflows as plain values, and what they come to: numbers along the edges, failures with their code."""

from __future__ import annotations

import operator
from dataclasses import dataclass

INPUT = -1  # the step number that stands for the workflow's own input
_COMPARE = {
    "EQ": operator.eq,
    "NEQ": operator.ne,
    "GT": operator.gt,
    "GTE": operator.ge,
    "LT": operator.lt,
    "LTE": operator.le,
}


@dataclass(frozen=True)
class Echo:
    """A task that gives what it was given.

    :param constant: what it is given in place of the step's value, None for that value.
    """

    constant: int | None = None


@dataclass(frozen=True)
class Each:
    """An array node: a task run for each number of a list, whose elements come out again in their order.

    :param numbers: the list; None stands for the step's value.
    :param pick: which element of the outcome is the value that others take.
    """

    numbers: tuple[int | None, ...]
    pick: int


@dataclass(frozen=True)
class Failure:
    """The end of a branch that fails with a message of the author."""

    message: str


@dataclass(frozen=True)
class Gate:
    """A wait for the client: for a number, or for an approval (True), or a rejection (False), or nothing at all.

    :param answer: what the client answers; None for a gate that sleeps for a moment and needs no answer.
    """

    answer: int | bool | None


@dataclass(frozen=True)
class Branch:
    """A choice: the target of the first comparison of the value that holds, or else the last."""

    cases: tuple[tuple[str, int, Echo | Sub], ...]
    otherwise: Echo | Sub | Failure


@dataclass(frozen=True)
class Sub:
    """A workflow inside a workflow."""

    graph: Graph


@dataclass(frozen=True)
class Step:
    """One node: where its value comes from, which steps must be over before it, and what it does."""

    source: int
    after: tuple[int, ...]
    does: Echo | Each | Branch | Gate | Sub


@dataclass(frozen=True)
class Graph:
    """A workflow of one number in and one out: the value of the step `output`."""

    steps: tuple[Step, ...]
    output: int


@dataclass(frozen=True)
class Ending:
    """How an execution ends.

    :param output: what it gives, None when it fails.
    :param steps: what each step gives, none when it fails.
    :param codes: codes of the errors it may fail with, none when it succeeds. Nodes that do not wait for one
        another run in an order of the engine's own, so that of several that fail any may be the first.
    """

    output: int | None
    codes: frozenset[str] = frozenset()
    steps: tuple[int | None, ...] = ()


def evaluate(graph: Graph, value: int) -> Ending:
    """Return how an execution of a graph ends."""
    endings: list[Ending] = []
    for step in graph.steps:
        before = [endings[one] for one in {step.source, *step.after} - {INPUT}]
        if any(one.output is None for one in before):
            endings.append(Ending(None))  # it is never reached, so it adds no failure of its own
        else:
            endings.append(_target(step.does, _of(endings, step.source, value)))
    codes = frozenset[str]().union(*(one.codes for one in endings))
    if codes:
        return Ending(None, codes)
    steps = tuple(one.output for one in endings)
    return Ending(_of(endings, graph.output, value), steps=steps)


def _of(endings: list[Ending], step: int, value: int) -> int:
    given = value if step == INPUT else endings[step].output
    assert given is not None
    return given


def _target(target: Echo | Each | Branch | Gate | Sub | Failure, value: int) -> Ending:
    if isinstance(target, Sub):
        return evaluate(target.graph, value)
    if isinstance(target, Branch):
        met = (then for name, other, then in target.cases if _COMPARE[name](value, other))
        return _target(next(met, target.otherwise), value)
    if isinstance(target, Each):
        picked = target.numbers[target.pick]
        return Ending(value if picked is None else picked)
    if isinstance(target, Failure):
        return Ending(None, frozenset({"UserProvidedError"}))
    if isinstance(target, Gate) and target.answer is False:
        return Ending(None, frozenset({"ReceivedRejectSignal"}))
    if isinstance(target, Gate) and target.answer is not None and target.answer is not True:
        return Ending(target.answer)
    if isinstance(target, Echo) and target.constant is not None:
        return Ending(target.constant)
    return Ending(value)
