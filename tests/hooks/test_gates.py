"""What FlyteHook finds out about gates, in workflows on a real local Flyte."""

import pytest

from tests.e2e.gates import wait_for
from tests.gated_flows import approval, part, runs


@pytest.fixture
def waiting(hook):
    """A function that executes a workflow and returns the execution once it asks for some signals."""
    begun = []

    def begin(name, *signals):
        execution = hook.execute(hook.fetch_launch_plan(name), {"a": 4}).id
        begun.append(execution)
        wait_for(lambda: [signal.id for signal in hook.list_signals(execution)] == sorted(signals))
        return hook.get_execution(execution)

    yield begin
    for execution in begun:
        hook.terminate(execution, "the test is over")


def test_an_approval_is_found_with_the_value_to_be_approved(hook, waiting):
    gate = hook.get_gate(waiting("demo.gated", "approve-me", "title"), "approve-me")
    assert (gate.kind, gate.asks_approval, list(gate.inputs.values())) == ("approve", True, [4])


def test_a_gate_that_wants_a_value_is_no_approval(hook, waiting):
    execution = waiting("demo.gated", "approve-me", "title")
    gate = hook.get_gate(execution, "title")
    assert (gate.kind, gate.asks_approval, gate.inputs) == ("signal", False, None)


def test_a_gate_in_a_sub_workflow_is_found_with_its_value(hook, client, waiting):
    inner = part("gates.inner", approval("n0", "inner"))
    client.workflow("gates.outer", [runs("n0", inner)], subs=[inner])
    gate = hook.get_gate(waiting("gates.outer", "inner"), "inner")
    assert (gate.kind, list(gate.inputs.values())) == ("approve", [4])


def test_rather_no_value_than_that_of_another_node_of_the_same_id(hook, client, waiting):
    one, other = part("gates.one", approval("n0", "one")), part("gates.other", approval("n0", "other"))
    client.workflow("gates.both", [runs("n0", one), runs("n1", other)], subs=[one, other])
    gate = hook.get_gate(waiting("gates.both", "one", "other"), "one")
    assert (gate.kind, gate.inputs) == ("approve", None)


def test_of_a_gate_that_the_workflow_does_not_tell_of_nothing_is_known(hook, waiting):
    gate = hook.get_gate(waiting("demo.gated", "approve-me", "title"), "made-as-it-runs")
    assert (gate.kind, gate.asks_approval, gate.inputs) == ("", True, None)
