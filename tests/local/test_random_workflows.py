"""Random workflows: what the local Flyte makes of them is what a plain evaluation of the same graph gives."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from airflow_flyte_provider.local import LocalFlyte
from tests.local.client import Client
from tests.local.graphs import INPUT, Branch, Each, Echo, Failure, Gate, Graph, Step, Sub, evaluate
from tests.local.graphs_on_flyte import outcomes

_NUMBERS = st.integers(0, 2)  # few, so that comparisons often meet equal ones
_OPERATORS = st.sampled_from(["EQ", "NEQ", "GT", "GTE", "LT", "LTE"])
_EXAMPLES = 25


@st.composite
def graphs(draw: st.DrawFn, depth: int = 2) -> Graph:
    """Return a graph whose every step takes the value of the input or of an earlier step."""
    steps: list[Step] = []
    for position in range(draw(st.integers(1, 5))):
        source = draw(st.integers(-1, position - 1))
        after = tuple(sorted(draw(st.sets(st.integers(0, position - 1), max_size=2)))) if position else ()
        does = draw(_kinds(depth))
        if isinstance(does, Gate | Branch) and _is_element(steps, source):
            does = (
                Echo()
            )  # Flyte's compiler gives a part of a value the type of the whole where a node has no types
        steps.append(Step(source, after, does))
    return Graph(tuple(steps), draw(st.integers(-1, len(steps) - 1)))


def _is_element(steps: list[Step], source: int) -> bool:
    """Whether a step's value is an element of an array node's outcome, perhaps by way of gates that sleep."""
    while source != INPUT and steps[source].does == Gate(None):
        source = steps[source].source
    return source != INPUT and isinstance(steps[source].does, Each)


def _kinds(depth: int) -> st.SearchStrategy[Echo | Each | Branch | Gate | Sub]:
    # a further kind of node is one more strategy here, one more class in tests/local/graphs.py and one more way to
    # write it in tests/local/graphs_on_flyte.py
    echoes = st.builds(Echo, st.one_of(st.none(), _NUMBERS))
    targets = st.one_of(echoes, graphs(depth - 1).map(Sub)) if depth else echoes
    otherwise = st.one_of(targets, targets, st.just(Failure("nothing fits")))
    cases = st.lists(st.tuples(_OPERATORS, _NUMBERS, targets), min_size=1, max_size=3).map(tuple)
    kinds: list[st.SearchStrategy[Echo | Each | Branch | Gate | Sub]] = [
        echoes,
        st.builds(Branch, cases, otherwise),
        st.builds(Gate, st.one_of(_NUMBERS, st.sampled_from([None, True, True, False]))),
        st.builds(Branch, cases, otherwise),
        _arrays(),
    ]
    return st.one_of(*kinds, graphs(depth - 1).map(Sub)) if depth else st.one_of(*kinds)


@st.composite
def _arrays(draw: st.DrawFn) -> Each:
    numbers = draw(st.lists(st.one_of(st.none(), _NUMBERS), min_size=1, max_size=3))
    return Each(tuple(numbers), draw(st.integers(0, len(numbers) - 1)))


@pytest.fixture(scope="module")
def client(flyte: LocalFlyte) -> Iterator[Client]:
    made = Client(flyte.endpoint)
    yield made
    made.close()


_EVERY_COMPARISON = Graph(
    tuple(
        Step(INPUT, (), Branch(((name, 1, Echo(2)),), Echo(0)))
        for name in ("EQ", "NEQ", "GT", "GTE", "LT", "LTE")
    ),
    output=INPUT,
)


_EVERY_ELEMENT = Graph(
    (*(Step(INPUT, (), Each((2, None, 0), pick)) for pick in range(3)), Step(1, (), Each((None, None), 1))),
    output=3,
)


@example(graph=_EVERY_COMPARISON)
@example(graph=_EVERY_ELEMENT)
@settings(
    max_examples=_EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[
        Phase.explicit,
        Phase.generate,
    ],  # each example costs an execution, and shrinking would cost hundreds
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(graph=graphs())
def test_random_workflows_end_as_a_plain_evaluation_does(client: Client, graph: Graph) -> None:
    values = (0, 1, 2)
    for value, found in zip(
        values, outcomes(client, f"random-{uuid.uuid4().hex}", graph, values), strict=True
    ):
        expected = evaluate(graph, value)
        assert (found.output, found.steps) == (expected.output, expected.steps)
        assert bool(found.codes) == bool(expected.codes)
        assert found.codes <= expected.codes
