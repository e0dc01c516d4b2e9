"""Random workflows: what the local Flyte makes of them is what a plain evaluation of the same graph gives."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from airflow_flyte_provider.local import LocalFlyte
from tests.local.client import Client
from tests.local.graphs import INPUT, Branch, Echo, Failure, Gate, Graph, Step, Sub, evaluate
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
        steps.append(Step(source, after, draw(_kinds(depth))))
    return Graph(tuple(steps), draw(st.integers(-1, len(steps) - 1)))


def _kinds(depth: int) -> st.SearchStrategy[Echo | Branch | Gate | Sub]:
    # a further kind of node, such as a map over a list, is one more strategy here, one more class in
    # tests/local/graphs.py and one more way to write it in tests/local/graphs_on_flyte.py
    echoes = st.builds(Echo, st.one_of(st.none(), _NUMBERS))
    targets = st.one_of(echoes, graphs(depth - 1).map(Sub)) if depth else echoes
    otherwise = st.one_of(targets, targets, st.just(Failure("nothing fits")))
    cases = st.lists(st.tuples(_OPERATORS, _NUMBERS, targets), min_size=1, max_size=3).map(tuple)
    kinds: list[st.SearchStrategy[Echo | Branch | Gate | Sub]] = [
        echoes,
        st.builds(Branch, cases, otherwise),
        st.builds(Gate, st.one_of(_NUMBERS, st.sampled_from([None, True, True, False]))),
        st.builds(Branch, cases, otherwise),
    ]
    return st.one_of(*kinds, graphs(depth - 1).map(Sub)) if depth else st.one_of(*kinds)


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


@example(graph=_EVERY_COMPARISON)
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
