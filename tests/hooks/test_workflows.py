"""Workflows put together in Python, registered and executed on a real local Flyte."""

import time
import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from flyteidl.admin import signal_pb2
from flyteidl.core.literals_pb2 import Literal, Primitive, Scalar
from flyteidl.core.types_pb2 import LiteralType, SimpleType, TypeStructure, UnionType

from airflow_flyte_provider.admin.executions import to_proto
from airflow_flyte_provider.exceptions import (
    FlyteAlreadyExistsError,
    FlyteConfigError,
    FlyteError,
    FlyteInvalidRequestError,
    FlyteNotFoundError,
)
from airflow_flyte_provider.model.building.imperative import FailurePolicy, ImperativeWorkflow, NodeOptions
from airflow_flyte_provider.model.phases import ExecutionPhase
from tests.conftest import VERSION
from tests.local.client import INTEGER, interface

INTEGERS = LiteralType(collection_type=INTEGER)
NUMBERS = LiteralType(map_value_type=INTEGERS)
MAYBE = LiteralType(union_type=UnionType(variants=[INTEGER, LiteralType(simple=SimpleType.NONE)]))


@pytest.fixture
def echo(hook, client):
    """A function that returns a task from `a` to `a` of a type."""

    def make(kind):
        name = f"echo.t{uuid.uuid4().hex[:8]}"
        client.task(name, kind)
        return hook.fetch_task(name, "v1")

    return make


@pytest.fixture
def number(hook):
    return hook.fetch_task("demo.echo_int", VERSION)


def fresh(**settings):
    return ImperativeWorkflow(f"built.w{uuid.uuid4().hex[:8]}", **settings)


def run(hook, flow, inputs=None, answers=None, client=None):
    """Register a workflow, execute it, answer what it waits for, and return how it ended."""
    launched = hook.execute(hook.register_workflow(flow), inputs or {})
    waiting = dict(answers or {})
    deadline = time.monotonic() + 30
    while waiting:
        assert time.monotonic() < deadline, f"nobody asked for {waiting}"
        asked = signal_pb2.SignalListRequest(workflow_execution_id=to_proto(launched.id), limit=10)
        for signal in client.signals.ListSignals(asked).signals:
            if signal.id.signal_id in waiting:
                value = Literal(scalar=Scalar(primitive=waiting.pop(signal.id.signal_id)))
                client.signals.SetSignal(signal_pb2.SignalSetRequest(id=signal.id, value=value))
        time.sleep(0.05)
    return hook.wait(launched.id, timeout=30, poll_interval=0.05)


def outputs(hook, flow, inputs=None, **answers):
    done = run(hook, flow, inputs, **answers)
    assert done.phase is ExecutionPhase.SUCCEEDED, done.error
    return hook.get_outputs(done.id)


def test_every_kind_of_node_and_binding(hook, client, echo, number):
    flow = fresh(failure_policy=FailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE, interruptible=True)
    a, s = flow.add_input("a", int), flow.add_input("s", str)
    plan = flow.add_node(hook.fetch_launch_plan("demo.add_one", VERSION), a=a)
    sub = flow.add_node(hook.fetch_workflow("demo.add_one", VERSION), a=plan.outputs["o0"])
    constant = flow.add_node(number, name="seven", inputs={"a": 7}, retries=1, timeout=timedelta(minutes=5))
    listed = flow.add_node(echo(INTEGERS), a=[a, 2, constant.outputs["a"]])
    nested = flow.add_node(echo(NUMBERS), a={"x": listed.outputs["a"], "y": [a, 1], "z": []})
    part = flow.add_node(number, a=nested.outputs["a"]["x"][2])
    approved = flow.add_approval(part.outputs["a"], "look", timeout=timedelta(minutes=5))
    signalled = flow.add_signal("more", int, timeout=timedelta(minutes=5))
    pause = flow.add_sleep(timedelta(milliseconds=20))
    chosen = (
        flow.add_branch("size")
        .when((a > 100) | (s == "big"), number, a=100)
        .when((a > 3) & (a <= constant.outputs["a"]), number, a=signalled.outputs["o0"])
        .otherwise_fail("too small")
    )
    maybe = flow.add_node(echo(MAYBE), a=chosen.outputs["a"])
    [approved, plan] >> pause >> [chosen, sub]
    flow.add_output("plan", plan.outputs["o0"])
    flow.add_output("sub", sub.outputs["o0"])
    flow.add_output("listed", listed.outputs["a"])
    flow.add_output("nested", nested.outputs["a"])
    flow.add_output("approved", approved.outputs["a"])
    flow.add_output("chosen", chosen.outputs["a"])
    flow.add_output("maybe", maybe.outputs["a"])
    flow.add_output("several", [a, signalled.outputs["o0"]])
    flow.add_output("mixed", {"k": [s, "constant"]}, dict[str, list[str]])
    flow.on_failure(number, options=NodeOptions(name="clean up"), a=a)

    answers = {"look": Primitive(boolean=True), "more": Primitive(integer=40)}
    assert outputs(hook, flow, {"a": 5, "s": "small"}, answers=answers, client=client) == {
        "plan": 5,
        "sub": 5,
        "listed": [5, 2, 7],
        "nested": {"x": [5, 2, 7], "y": [5, 1], "z": []},
        "approved": 7,
        "chosen": 40,
        "maybe": 40,
        "several": [5, 40],
        "mixed": {"k": ["small", "constant"]},
    }
    registered = hook.fetch_workflow(flow.name, flow.version())
    assert [node.kind for node in registered.nodes] == [
        "launch plan", "workflow", "task", "task", "task", "task", "approve", "signal", "sleep", "branch", "task",
    ]  # fmt: skip
    assert registered.nodes[2].name == "seven"
    assert registered.failure_policy == "FAIL_AFTER_EXECUTABLE_NODES_COMPLETE"
    assert registered.failure_node.name == "clean up"
    pause_node = next(node for node in registered.nodes if node.id == pause.id)
    assert pause_node.upstream == tuple(sorted((approved.id, plan.id)))


def test_the_same_again_is_there_already_and_another_is_not(hook, number):
    def build(constant):
        flow = ImperativeWorkflow(name)
        flow.add_output("o", flow.add_node(number, a=constant).outputs["a"])
        return flow

    name = fresh().name
    first = hook.register_workflow(build(1))
    assert first.id == hook.register_workflow(lambda hook: build(1)).id
    assert first.id != hook.register_workflow(build(2)).id
    assert hook.fetch_launch_plan(name, first.id.version).workflow == first.id
    named = hook.register_workflow(build(1), "v7")
    assert (named.id.version, hook.register_workflow(build(1), "v7").id) == ("v7", named.id)
    with pytest.raises(FlyteAlreadyExistsError, match="register as another version"):
        hook.register_workflow(build(2), "v7")


def test_faults_are_errors_of_the_hook_and_nothing_is_registered(hook, number):
    def build(hook):
        return flow.add_node(hook.fetch_task("demo.echo_int", VERSION), a="x")

    flow = fresh()
    with pytest.raises(
        FlyteInvalidRequestError, match=r"node n0: .*\n  a: expected int, got str 'x'"
    ) as told:
        hook.register_workflow(build)
    assert str(told.value).endswith("Nothing was registered.")
    with pytest.raises(FlyteInvalidRequestError, match="it has no nodes"):
        hook.register_workflow(flow)
    with pytest.raises(FlyteConfigError, match="must return an ImperativeWorkflow"):
        hook.register_workflow(lambda hook: None)
    with pytest.raises(FlyteNotFoundError, match="The nearest names are"):
        hook.register_workflow(lambda hook: hook.fetch_task("demo.echo_in"))
    flow.add_node(number, a=1)
    gone = fresh()
    gone.add_node(replace(number, id=replace(number.id, version="gone")), a=1)
    with pytest.raises(FlyteError, match="gone"):
        hook.register_workflow(gone)
    with pytest.raises(FlyteNotFoundError):
        hook.fetch_workflow(gone.name)


def test_a_failure_node_is_given_the_error(hook, client, number):
    error = LiteralType(simple=SimpleType.ERROR, structure=TypeStructure(tag="FlyteError"))
    none = LiteralType(simple=SimpleType.NONE, structure=TypeStructure(tag="none"))
    name = f"echo.t{uuid.uuid4().hex[:8]}"
    client.task(name, interface=interface(err=LiteralType(union_type=UnionType(variants=[error, none]))))
    flow = fresh()
    a = flow.add_input("a", int)
    flow.add_branch("size").when(a > 3, number, a=a).otherwise_fail("too small")
    flow.on_failure(hook.fetch_task(name, "v1"))
    done = run(hook, flow, {"a": 2})
    assert (done.phase, done.error.code) == (ExecutionPhase.FAILED, "UserProvidedError")
    told = client.node_data(to_proto(done.id), "efn").full_inputs.literals["err"].scalar.union
    assert "too small" in told.value.scalar.error.message


def test_a_registered_workflow_is_part_of_another_and_that_of_a_third(hook, number):
    def sized():
        inner = fresh()
        n = inner.add_input("n", int)
        size = inner.add_branch("size").when(n > 3, number, a=1).otherwise(number, a=n)
        inner.add_output("o", size.outputs["a"])
        return hook.register_workflow(inner)

    middle = fresh()
    n = middle.add_input("n", int)
    middle.add_output("o", middle.add_node(sized(), n=n).outputs["o"])
    flow = fresh()
    n = flow.add_input("n", int)
    registered = hook.register_workflow(middle)
    flow.add_output("once", flow.add_node(registered, n=n).outputs["o"])
    flow.add_output("twice", flow.add_node(registered, n=9).outputs["o"])
    assert outputs(hook, flow, {"n": 2}) == {"once": 2, "twice": 1}
    assert len(hook.fetch_workflow(flow.name, flow.version()).sub_workflows) == 2
