"""The same workflow built by flytekit's ImperativeWorkflow and by ours comes to the same messages."""

from collections import OrderedDict
from datetime import date, datetime, timedelta
from enum import Enum

import pytest
from flyteidl.admin import launch_plan_pb2, task_pb2, workflow_pb2
from flytekit import LaunchPlan as FlytekitLaunchPlan
from flytekit import WorkflowFailurePolicy, conditional, task, workflow
from flytekit.configuration import Image, ImageConfig, SerializationSettings
from flytekit.core.gate import approve, sleep, wait_for_input
from flytekit.core.type_engine import TypeEngine
from flytekit.core.workflow import ImperativeWorkflow as FlytekitWorkflow
from flytekit.tools.translator import get_serializable
from flytekit.types.directory import FlyteDirectory as FlytekitDirectory
from flytekit.types.file import FlyteFile as FlytekitFile
from google.protobuf.json_format import MessageToDict

from airflow_flyte_provider.model.building.imperative import ImperativeWorkflow
from airflow_flyte_provider.model.building.nodes import NodeOptions
from airflow_flyte_provider.model.building.python_types import literal_type_of
from airflow_flyte_provider.model.files import FlyteDirectory, FlyteFile
from airflow_flyte_provider.model.identifiers import EntityId, EntityKind
from airflow_flyte_provider.model.views.entities import LaunchPlan, Task, Workflow

IMAGE = Image(name="default", fqn="example.org/flows", tag="1")
SETTINGS = SerializationSettings(
    project="p", domain="d", version="v", image_config=ImageConfig(default_image=IMAGE, images=[IMAGE])
)


class Colour(Enum):
    RED = "red"
    GREEN = "green"


@task
def double(a: int) -> int:
    return a * 2


@task
def everything(
    numbers: list[int], by_name: dict[str, list[int]], colour: Colour, maybe: int | None, day: datetime
) -> tuple[dict[str, list[int]], str]:
    return by_name, str(day)


@task
def clean_up(a: int, s: str):
    pass


@workflow
def inner(a: int) -> int:
    return double(a=a)


inner_plan = FlytekitLaunchPlan.get_or_create(workflow=inner, name="inner_plan")
fixed_plan = FlytekitLaunchPlan.get_or_create(workflow=inner, name="fixed_plan", fixed_inputs={"a": 3})


def serialised(entity):
    return get_serializable(OrderedDict(), SETTINGS, entity).to_flyte_idl()


def view(entity):
    """Return what the hook would fetch of something that flytekit has registered."""
    if isinstance(entity, FlytekitLaunchPlan):
        return plan_view(entity)
    spec = serialised(entity)
    if isinstance(spec, task_pb2.TaskSpec):
        proto = task_pb2.Task(id=spec.template.id)
        proto.closure.compiled_task.template.CopyFrom(spec.template)
        return Task.from_proto(proto)
    proto = workflow_pb2.Workflow(id=spec.template.id)
    proto.closure.compiled_workflow.primary.template.CopyFrom(spec.template)
    return Workflow.from_proto(proto)


def plan_view(plan):
    spec = serialised(plan).spec
    proto = launch_plan_pb2.LaunchPlan(id=serialised(plan).id, spec=spec)
    proto.closure.expected_inputs.CopyFrom(spec.default_inputs)
    for name in spec.fixed_inputs.literals:
        proto.closure.expected_inputs.parameters.pop(name, None)
    proto.closure.expected_outputs.CopyFrom(serialised(plan.workflow).template.interface.outputs)
    return LaunchPlan.from_proto(proto)


def settled(spec):
    """Return a spec as a dict, without what flytekit leaves to chance (the order of edges) or adds empty."""
    spec.ClearField("description")
    nodes = [one for node in spec.template.nodes for one in (node, *_choices(node))]
    if spec.template.HasField("failure_node"):
        nodes.append(spec.template.failure_node)
    for node in nodes:
        upstream = sorted(node.upstream_node_ids)
        del node.upstream_node_ids[:]
        node.upstream_node_ids.extend(upstream)
    for node in (*nodes, *(node for sub in spec.sub_workflows for node in sub.nodes)):
        if node.HasField("task_node"):
            node.task_node.ClearField("overrides")
        if node.gate_node.HasField("sleep"):
            node.metadata.ClearField("timeout")  # flytekit lets no sleep last more than an hour
    return MessageToDict(spec)


def _choices(node):
    if node.HasField("branch_node"):
        block = node.branch_node.if_else
        yield block.case.then_node
        yield from (other.then_node for other in block.other)
        if block.HasField("else_node"):
            yield block.else_node


def compare(theirs, ours):
    name = EntityId(EntityKind.WORKFLOW, "p", "d", theirs.name, "v")
    assert settled(ours.compile(name)) == settled(serialised(theirs))


def test_tasks_workflows_plans_and_every_binding():
    theirs = FlytekitWorkflow(
        name="flow",
        failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE,
        interruptible=True,
    )
    ours = ImperativeWorkflow(
        "flow", failure_policy="FAIL_AFTER_EXECUTABLE_NODES_COMPLETE", interruptible=True
    )
    day = datetime(2026, 1, 1)

    theirs.add_workflow_input("a", int)
    theirs.add_workflow_input("s", str)
    a = theirs.inputs["a"]
    n0 = theirs.add_entity(double, a=a)
    n1 = theirs.add_entity(inner, a=n0.outputs["o0"])
    n2 = theirs.add_entity(inner_plan, a=5)
    n3 = theirs.add_entity(
        everything,
        numbers=[a, 1, n1.outputs["o0"]],
        by_name={"x": [1, a], "y": []},
        colour=Colour.GREEN,
        maybe=7,
        day=day,
    )
    n4 = theirs.add_entity(fixed_plan)
    n5 = theirs.add_entity(
        everything, numbers=[], by_name={}, colour=Colour.RED, maybe=n2.outputs["o0"], day=day
    )
    n6 = theirs.add_entity(double, a=n3.outputs["o0"]["x"][1])
    n4 >> n5
    n6.with_overrides(name="last", timeout=timedelta(minutes=3), retries=2, interruptible=False)
    n6.with_overrides(cache=True, cache_version="7", cache_serialize=True)
    theirs.add_workflow_output("one", n6.outputs["o0"], int)
    theirs.add_workflow_output("two", [n0.outputs["o0"], a], list[int])
    theirs.add_workflow_output("three", {"k": n3.outputs["o1"]}, dict[str, str])
    theirs.add_on_failure_handler(clean_up)

    a, s = ours.add_input("a", int), ours.add_input("s", str)
    n0 = ours.add_node(view(double), a=a)
    # flytekit copies the settings of its own tasks and workflows to nodes, where we leave them to what is registered
    n1 = ours.add_node(view(inner), interruptible=False, a=n0.outputs["o0"])
    n2 = ours.add_node(view(inner_plan), name="inner", interruptible=False, a=5)
    n3 = ours.add_node(
        view(everything),
        numbers=[a, 1, n1.outputs["o0"]],
        by_name={"x": [1, a], "y": []},
        colour="green",
        maybe=7,
        day=day,
    )
    n4 = ours.add_node(view(fixed_plan), name="inner", interruptible=False)
    n5 = ours.add_node(
        view(everything), numbers=[], by_name={}, colour="red", maybe=n2.outputs["o0"], day=day
    )
    n6 = ours.add_node(
        view(double),
        name="last",
        timeout=timedelta(minutes=3),
        retries=2,
        interruptible=False,
        cacheable=True,
        cache_version="7",
        cache_serializable=True,
        a=n3.outputs["o0"]["x"][1],
    )
    n4 >> n5
    ours.add_output("one", n6.outputs["o0"])
    ours.add_output("two", [n0.outputs["o0"], a])
    ours.add_output("three", {"k": n3.outputs["o1"]})
    ours.on_failure(view(clean_up), a=a, s=s)
    compare(theirs, ours)


def test_gates_and_branches():
    hour = timedelta(hours=1)

    @workflow
    def flow(a: int, s: str) -> int:
        doubled = double(a=a)
        approved = approve(doubled, "look", timeout=hour)
        signalled = wait_for_input("more", timeout=hour, expected_type=int)
        sleep(timedelta(seconds=3))
        return (
            conditional("size")
            .if_((a > 10) & (s == "x"))
            .then(double(a=approved))
            .elif_((doubled <= 3) | (a != signalled))
            .then(inner(a=a))
            .else_()
            .fail("too small")
        )

    ours = ImperativeWorkflow(flow.name)
    a, s = ours.add_input("a", int), ours.add_input("s", str)
    doubled = ours.add_node(view(double), a=a)
    approved = ours.add_approval(doubled.outputs["o0"], "look", timeout=hour)
    signalled = ours.add_signal("more", int, timeout=hour)
    ours.add_sleep(timedelta(seconds=3), name="sleep-gate")
    chosen = (
        ours.add_branch("size")
        .when((a > 10) & (s == "x"), view(double), a=approved.outputs["o0"])
        .when(
            (doubled.outputs["o0"] <= 3) | (a != signalled.outputs["o0"]),
            view(inner),
            a=a,
            options=NodeOptions(interruptible=False),
        )
        .otherwise_fail("too small")
    )
    ours.add_output("o0", chosen.outputs["o0"])
    compare(flow, ours)


@pytest.mark.parametrize(
    "kind",
    [
        int, float, str, bool, datetime, date, timedelta, type(None), dict, list[int], dict[str, list[bool]],
        int | None, dict[str, int] | None, dict | None, int | list[str] | None, Colour, Colour | None,
        date | None, timedelta | None,
    ],
)  # fmt: skip
def test_python_types(kind):
    assert literal_type_of(kind) == TypeEngine.to_literal_type(kind).to_flyte_idl()


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (FlyteFile, FlytekitFile),
        (FlyteDirectory, FlytekitDirectory),
        (FlyteFile | None, FlytekitFile | None),
        (list[FlyteDirectory], list[FlytekitDirectory]),
    ],
)
def test_files(ours, theirs):
    assert literal_type_of(ours) == TypeEngine.to_literal_type(theirs).to_flyte_idl()
