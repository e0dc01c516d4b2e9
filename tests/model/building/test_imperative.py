"""What is told of workflows that do not hold together, and that the same workflow comes to the same spec."""

import pickle
from dataclasses import dataclass
from datetime import timedelta

import pytest
from flyteidl.admin import launch_plan_pb2, task_pb2, workflow_pb2
from flyteidl.core.literals_pb2 import Literal, LiteralOffloadedMetadata
from flyteidl.core.types_pb2 import LiteralType, SimpleType, TypeStructure, UnionType

from airflow_flyte_provider.model.building.errors import BuildError
from airflow_flyte_provider.model.building.imperative import ImperativeWorkflow
from airflow_flyte_provider.model.building.python_types import literal_type_of
from airflow_flyte_provider.model.files import FlyteFile
from airflow_flyte_provider.model.views.entities import LaunchPlan, Task, Workflow

INTEGER = literal_type_of(int)
POINT = LiteralType(
    simple=SimpleType.STRUCT,
    structure=TypeStructure(dataclass_type={"x": INTEGER, "tags": literal_type_of(list[str])}),
)


def task(name="demo.add", outputs=None, **inputs):
    """Return a task that takes these types and gives `o0`, an int."""
    proto = task_pb2.Task()
    proto.id.name, proto.id.version, proto.id.project, proto.id.domain = name, "v", "p", "d"
    interface = proto.closure.compiled_task.template.interface
    interface.SetInParent()
    for var, kind in inputs.items():
        interface.inputs.variables[var].type.CopyFrom(literal_type_of(kind))
    for var, kind in (outputs or {"o0": int}).items():
        interface.outputs.variables[var].type.CopyFrom(literal_type_of(kind))
    return Task.from_proto(proto)


ADD = task(a=int, b=int)


@pytest.fixture
def flow():
    return ImperativeWorkflow("my.flow")


def told(call, *args, **kwargs):
    with pytest.raises(BuildError) as caught:
        call(*args, **kwargs)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.node) == (str(caught.value), caught.value.node)
    return str(caught.value)


def test_every_faulty_input_is_told_with_its_node(flow):
    text = flow.add_input("text", str)
    numbers = flow.add_node(task(outputs={"o0": list[int]}))
    assert told(flow.add_node, ADD, a=text, bb=1) == (
        "Workflow my.flow, node n1: task p/d/demo.add version v has 3 faulty inputs:\n"
        "  a: expected int, got str from input.text\n"
        "  b: missing, expected int\n"
        "  bb: no such input, did you mean b? (the inputs are a, b)\n"
        "expected: (a: int, b: int) -> (o0: int)"
    )
    assert "b: expected int, got list[int] from n0.o0" in told(
        flow.add_node, ADD, a=1, b=numbers.outputs["o0"]
    )
    assert "a: expected int, got str 'five'" in told(flow.add_node, ADD, a="five", b=1)
    lists = task(a=list[int], b=dict[str, list[int]])
    faults = told(flow.add_node, lists, a=[1, text, numbers.outputs["o0"][0]], b={"k": [text]})
    assert "a[1]: expected int, got str from input.text" in faults
    assert "b.k[0]: expected int, got str from input.text" in faults
    assert len(flow.nodes) == 1


def test_parts_of_promises(flow):
    point = flow.add_node(task(outputs={"o0": POINT, "o1": dict[str, int], "o2": list[int]}))
    x, tag = point.outputs["o0"]["x"], point.outputs["o0"]["tags"][0]
    assert (repr(x), repr(tag)) == ("n0.o0['x']", "n0.o0['tags'][0]")
    assert told(flow.add_node, task(a=int), a=tag).count("a: expected int, got str from n0.o0['tags'][0]")
    assert flow.add_node(task(a=int), a=point.outputs["o1"]["k"]).upstream == {"n0"}
    assert "n0.o0 is struct: it has no part 'tag'. did you mean 'tags'?" in told(
        lambda: point.outputs["o0"]["tag"]
    )
    assert "n0.o2 is list[int]: it has no part 'k'" in told(lambda: point.outputs["o2"]["k"])
    assert "n0.o0['x'] is int: it has no part 0" in told(lambda: x[0])
    assert "node n0: there is no output 'o9': its outputs are o0, o1, o2" in told(lambda: point.outputs["o9"])
    with pytest.raises(TypeError, match="not iterable"):
        list(point.outputs["o2"])
    with pytest.raises(TypeError, match="no value before the workflow runs"):
        bool(x)


def test_promises_of_another_workflow(flow):
    other = ImperativeWorkflow("other.flow")
    theirs = other.add_node(ADD, a=1, b=2)
    ours = flow.add_node(ADD, a=1, b=2)
    for call in (
        lambda: flow.add_node(ADD, a=theirs.outputs["o0"], b=1),
        lambda: flow.add_node(task(a=list[int]), a=[1, theirs.outputs["o0"]]),
        lambda: flow.add_output("o", theirs.outputs["o0"]),
        lambda: flow.add_approval(theirs.outputs["o0"]),
        lambda: flow.add_branch("b").when(theirs.outputs["o0"] > 1, ADD, a=1, b=1).otherwise_fail("no"),
    ):
        assert "n0.o0 is of workflow other.flow" in told(call)
    assert told(lambda: theirs >> ours) == (
        "Workflow my.flow, node n0: it cannot wait for node n0 of workflow other.flow"
    )


def test_names_ids_and_order(flow):
    flow.add_input("a", int)
    assert "input 'a' is there already" in told(flow.add_input, "a", int)
    assert "input 'b': <class 'set'> is no type" in told(flow.add_input, "b", set)
    first = flow.add_node(ADD, node_id="n1", a=1, b=1)
    second, third = flow.add_node(ADD, a=1, b=1), flow.add_node(ADD, a=1, b=1)
    assert [node.id for node in flow.nodes] == ["n1", "n2", "n3"]
    assert "node n1: there is a node of this id" in told(flow.add_node, ADD, node_id="n1", a=1, b=1)
    for bad in ("start-node", "efn", "N1", "", "a_b", "1a"):
        assert "an id is lower-case letters" in told(flow.add_node, ADD, node_id=bad, a=1, b=1)
    flow.add_output("o", first.outputs["o0"])
    assert "output 'o' is there already" in told(flow.add_output, "o", 1, int)
    [first] >> second >> [third]
    assert (third.upstream, second.upstream) == ({"n2"}, {"n1"})
    flow.compile()
    third >> first
    assert told(flow.compile).startswith("Workflow my.flow: nodes wait for one another: n")
    assert "it has no nodes" in told(ImperativeWorkflow("empty").compile)


def test_outputs(flow):
    a, s = flow.add_input("a", int), flow.add_input("s", str)
    assert "output o: expected int, got str from input.s" in told(flow.add_output, "o", s, int)
    for mixed in ([a, s], [], {"k": 1}, [a, 1]):
        assert "give the output's type" in told(flow.add_output, "o", mixed)
    flow.add_output("o", [a, 1], list[int])
    flow.add_output("p", {"k": [s]})
    flow.add_node(ADD, a=a, b=1)
    outputs = flow.compile().template.interface.outputs.variables
    assert outputs["p"].type == literal_type_of(dict[str, list[str]])


def test_conditions(flow):
    a, s = flow.add_input("a", int), flow.add_input("s", str)
    parts = flow.add_input("parts", list[int])
    assert "input.a is int and input.s is str: Flyte compares values of one type" in told(lambda: a == s)
    assert "input.a: expected int, got str 'x'" in told(lambda: a < "x")
    assert "input.parts is list[int]: Flyte compares" in told(lambda: parts == 1)
    assert "input.parts[0] is a part" in told(lambda: parts[0] >= 1)
    with pytest.raises(TypeError, match="join conditions by & and"):
        1 < a < 3  # noqa: B015
    with pytest.raises(TypeError, match="put each comparison in brackets"):
        (a > 1) & 3
    assert "node n0: a condition compares promises" in told(flow.add_branch("b").when, True, ADD, a=1, b=1)
    assert "node n1: there is nothing to choose from" in told(flow.add_branch("b").otherwise_fail, "x")
    assert "node n2-n0: task p/d/demo.add" in told(flow.add_branch("b").when, a > 1, ADD, a=s, b=1)
    branch = flow.add_branch("b").when(a > 1, ADD, a=1, b=1)
    assert "node n3: output 'o0' is int by one choice and str by another" in told(
        branch.otherwise, task(outputs={"o0": str})
    )
    chosen = flow.add_branch("b").when(a > 1, ADD, a=1, b=1).otherwise(task(outputs={"o1": int}))
    assert chosen.outputs == {}


def test_nodes_may_be_added_while_a_branch_is_under_way(flow):
    a = flow.add_input("a", int)
    branch = flow.add_branch("b").when(a > 1, ADD, a=1, b=1)
    other = flow.add_node(ADD, a=a, b=1)
    chosen = branch.otherwise(ADD, a=other.outputs["o0"], b=2)
    # in this order: Flyte's compiler wants what is bound inside a branch to come before it
    assert [node.id for node in flow.nodes] == [other.id, chosen.id] == ["n1", "n0"]
    assert flow.add_node(ADD, a=a, b=1).id == "n2"
    chosen >> other
    assert "nodes wait for one another" in told(flow.compile)


def test_gates_and_settings(flow):
    a, parts = flow.add_input("a", int), flow.add_input("parts", list[int])
    flow.add_approval(a, "look")
    assert "node n1: node n0 waits for the signal 'look' already" in told(flow.add_signal, "look", int)
    assert "an approval is about a whole output" in told(flow.add_approval, parts[0])
    assert "not of 3" in told(flow.add_approval, 3)
    assert "a sleep takes a positive duration" in told(flow.add_sleep, timedelta())
    assert "timeout: expected a positive" in told(flow.add_signal, "s", int, timeout=timedelta(-1))
    assert "retries: expected none or more, got -1" in told(flow.add_node, ADD, retries=-1, a=1, b=1)
    assert "not 'demo.add'" in told(flow.add_node, "demo.add", a=1)


def test_files_and_values_kept_apart_as_constants(flow):
    reads = task(a=FlyteFile, b=FlyteFile | None, c=list[int])
    apart = Literal(
        offloaded_metadata=LiteralOffloadedMetadata(
            uri="s3://b/big", inferred_type=literal_type_of(list[int])
        )
    )
    faults = told(flow.add_node, reads, a="/data/x.csv", b=FlyteFile("x.csv"), c=apart)
    assert "a: expected a URI, got a path /data/x.csv (local files are uploaded for executions" in faults
    assert "b: expected a URI, got a path x.csv" in faults
    assert "c: expected a constant, got a reference s3://b/big" in faults
    flow.add_node(reads, a="s3://b/x.csv", b=FlyteFile("s3://b/y.csv"), c=[])


def test_a_failure_node_takes_inputs_of_the_workflow(flow):
    a = flow.add_input("a", int)
    first = flow.add_node(ADD, a=a, b=1)
    text = told(flow.on_failure, ADD, a=a, b=first.outputs["o0"])
    assert "node efn: it is bound to what n0 gives, which may never run" in text
    error = LiteralType(union_type=UnionType(variants=[INTEGER, literal_type_of(None)]))
    flow.on_failure(task(a=int, err=error), a=a)
    assert flow.compile().template.failure_node.id == "efn"


def test_fixed_inputs_and_workflows_without_their_nodes(flow):
    plan = launch_plan_pb2.LaunchPlan()
    plan.spec.fixed_inputs.literals["a"].scalar.primitive.integer = 1
    plan.closure.expected_inputs.parameters["b"].var.type.CopyFrom(INTEGER)
    plan.closure.expected_inputs.parameters["b"].default.scalar.primitive.integer = 3
    view = LaunchPlan.from_proto(plan)
    assert "a: fixed by the launch plan" in told(flow.add_node, view, a=1)
    assert not flow.add_node(view).upstream
    listed = Workflow.from_proto(workflow_pb2.Workflow())
    assert "are not known: fetch it with its version" in told(flow.add_node, listed)


def test_the_same_workflow_has_the_same_version():
    @dataclass
    class Change:
        policy: str = "FAIL_IMMEDIATELY"
        constant: int = 1
        order: bool = False

    def version(change):
        flow = ImperativeWorkflow("my.flow", failure_policy=change.policy)
        a = flow.add_input("a", int)
        first = flow.add_node(task(a=dict[str, int]), a={"y": a, "x": change.constant})
        second = flow.add_node(ADD, b=a, a=2)
        if change.order:
            first >> second
        flow.add_output("o", {"q": second.outputs["o0"], "p": first.outputs["o0"]})
        return flow.version()

    same = version(Change())
    assert same == version(Change())
    others = {
        version(Change("FAIL_AFTER_EXECUTABLE_NODES_COMPLETE")),
        version(Change(constant=2)),
        version(Change(order=True)),
    }
    assert len(others | {same}) == 4
