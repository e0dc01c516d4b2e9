"""Random workflows built in Python: what the local Flyte makes of their bindings is what Python makes of them."""

import operator
import uuid
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from airflow_flyte_provider.model.building.imperative import ImperativeWorkflow
from airflow_flyte_provider.model.building.python_types import literal_type_of
from airflow_flyte_provider.model.phases import ExecutionPhase
from tests.conftest import VERSION
from tests.local.client import Client

NUMBER, NUMBERS, NAMED, MAYBE = int, list[int], dict[str, list[int]], int | None
KINDS = (NUMBER, NUMBERS, NAMED, MAYBE)
COMPARISONS = (operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne)


@pytest.fixture(scope="module")
def entities(registered):
    """Ids of echo tasks from `a` to `a`, by type."""
    client = Client(registered.endpoint)
    found = {}
    for kind in KINDS:
        found[kind] = f"random.t{uuid.uuid4().hex[:8]}"
        client.task(found[kind], literal_type_of(kind))
    client.close()
    return found


class Known:
    """A workflow under way, with the value that each of its promises will have."""

    def __init__(self, draw, hook, entities):
        self.draw = draw
        self.hook = hook
        self.tasks = {kind: hook.fetch_task(name, "v1") for kind, name in entities.items()}
        self.flow = ImperativeWorkflow(f"random.w{uuid.uuid4().hex[:8]}")
        self.inputs = {"n": draw(_numbers), "m": draw(st.dictionaries(_keys, _lists, max_size=2))}
        self.promises = [
            (NUMBER, self.flow.add_input("n", NUMBER), self.inputs["n"]),
            (NAMED, self.flow.add_input("m", NAMED), self.inputs["m"]),
        ]
        self.expected = {}

    def expression(self, kind, depth=2):
        """Draw something of a type to bind, and return it with the value it will have."""
        choices = [(promise, value) for promise_kind, promise, value in self.promises if promise_kind == kind]
        choices += list(self._parts(kind))
        if kind is MAYBE:
            return self.draw(st.sampled_from([*self._of(NUMBER), (None, None), (3, 3)]))
        if choices and (not depth or self.draw(st.booleans())):
            return self.draw(st.sampled_from(choices))
        if kind is NUMBER:
            return (self.draw(_numbers),) * 2
        if kind == NUMBERS:
            items = [self.expression(NUMBER, depth - 1) for _ in range(self.draw(st.integers(0, 3)))]
            return [item for item, _ in items], [value for _, value in items]
        keys = self.draw(st.lists(_keys, unique=True, max_size=2))
        items = {key: self.expression(NUMBERS, depth - 1) for key in keys}
        return {key: one for key, (one, _) in items.items()}, {key: one for key, (_, one) in items.items()}

    def _of(self, kind):
        return [(promise, value) for other, promise, value in self.promises if other == kind]

    def _parts(self, kind):
        lists = self._of(NUMBERS) + [
            (promise[key], value[key]) for promise, value in self._of(NAMED) for key in value
        ]
        if kind == NUMBERS:
            yield from lists[len(self._of(NUMBERS)) :]
        if kind is NUMBER:
            for promise, value in lists:
                yield from ((promise[at], one) for at, one in enumerate(value))

    def add(self):
        """Draw one more node."""
        at = len(self.flow.nodes)
        how = self.draw(st.sampled_from(["task"] * 4 + ["plan", "part", "branch", "sleep"]))
        if how == "sleep":
            node = self.flow.add_sleep(timedelta(milliseconds=5))
        elif how == "branch":
            node = self._branch()
        elif how == "task":
            kind = self.draw(st.sampled_from(KINDS))
            bound, value = self.expression(kind)
            node = self.flow.add_node(self.tasks[kind], a=bound)
            self._gives(kind, node.outputs["a"], value)
        else:
            fetch = self.hook.fetch_launch_plan if how == "plan" else self.hook.fetch_workflow
            bound, value = self.expression(NUMBER)
            node = self.flow.add_node(fetch("demo.add_one", VERSION), a=bound)
            self._gives(NUMBER, node.outputs["o0"], value)
        for before in self.draw(st.sets(st.integers(0, at - 1), max_size=2)) if at else ():
            self.flow.nodes[before] >> node

    def _branch(self):
        whole = self._of(NUMBER)
        (left, one), (right, other) = (self.draw(st.sampled_from(whole)) for _ in range(2))
        if self.draw(st.booleans()):
            right = other = self.draw(_numbers)
        compare = self.draw(st.sampled_from(COMPARISONS))
        (then, then_value), (rest, rest_value) = self.expression(NUMBER), self.expression(NUMBER)
        task = self.tasks[NUMBER]
        node = self.flow.add_branch("b").when(compare(left, right), task, a=then).otherwise(task, a=rest)
        self._gives(NUMBER, node.outputs["a"], then_value if compare(one, other) else rest_value)
        return node

    def _gives(self, kind, promise, value):
        self.promises.append((kind, promise, value))
        self.expected[f"o{len(self.expected)}"] = value
        self.flow.add_output(f"o{len(self.expected) - 1}", promise)


_numbers = st.integers(0, 3)  # few, so that comparisons often meet equal ones
_keys = st.sampled_from(["x", "y", "a b"])
_lists = st.lists(_numbers, max_size=3)


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],  # shrinking would cost hundreds of executions
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_random_workflows_give_what_python_gives(hook, entities, data):
    known = Known(data.draw, hook, entities)
    for _ in range(data.draw(st.integers(1, 7))):
        known.add()
    launched = hook.execute(hook.register_workflow(known.flow), known.inputs)
    done = hook.wait(launched.id, timeout=30, poll_interval=0.05)
    assert done.phase is ExecutionPhase.SUCCEEDED, done.error
    assert hook.get_outputs(done.id) == known.expected
