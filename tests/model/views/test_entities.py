from datetime import timedelta

import pytest
from flyteidl.admin import launch_plan_pb2, task_pb2, workflow_pb2

from airflow_flyte_provider.model.identifiers import EntityKind
from airflow_flyte_provider.model.options import Notification
from airflow_flyte_provider.model.views.entities import LaunchPlan, Task, Workflow
from airflow_flyte_provider.model.views.schedules import Schedule
from tests.recordings import answers, requests


def workflow(name):
    return next(
        Workflow.from_proto(proto) for _, proto in answers("GetWorkflow", "engine") if proto.id.name == name
    )


def plan(name):
    """A launch plan as it was registered."""
    request = next(request for request in requests("CreateLaunchPlan", "register") if request.id.name == name)
    return LaunchPlan.from_proto(launch_plan_pb2.LaunchPlan(id=request.id, spec=request.spec))


def test_a_branch_and_what_it_chooses_from():
    view = workflow("demo2.branching")
    (node,) = view.nodes
    assert (node.id, node.name, node.kind, node.target, node.upstream) == ("n0", "size", "branch", None, ())
    assert [(one.id, one.name, one.target.name) for one in node.nodes] == [
        ("n0-n0", "echo_int", "demo.echo_int"),
        ("n0-n1", "echo_b", "demo2.echo_b"),
    ]
    assert (view.failure_policy, view.failure_node, view.sub_workflows) == ("FAIL_IMMEDIATELY", None, ())


def test_a_sub_workflow_and_who_waits_for_it():
    view = workflow("demo2.sub")
    first, second = view.nodes
    assert (first.kind, first.name, first.target.kind) == ("workflow", "add_one", EntityKind.WORKFLOW)
    assert (second.kind, second.upstream) == ("task", ("n0",))
    (part,) = view.sub_workflows
    assert part.id == first.target
    assert [node.target.name for node in part.nodes] == ["demo.echo_int"]
    assert str(part.signature) == "(a: int) -> (o0: int)"


def test_gates():
    kinds = {node.kind for name in ("demo2.gatetimeout", "demo2.sleeping") for node in workflow(name).nodes}
    assert kinds & {"approve", "signal"}
    assert "sleep" in kinds
    assert all(
        node.signal for node in workflow("demo2.gatetimeout").nodes if node.kind in ("approve", "signal")
    )


@pytest.mark.parametrize(
    ("name", "schedule", "text"),
    [
        (
            "demo.sched_daily",
            Schedule("0 2 * * *", kickoff_argument="kickoff"),
            "cron 0 2 * * *, kickoff is the time",
        ),
        ("demo.add_one_hourly", Schedule("@hourly"), "cron @hourly"),
        ("demo.add_one_10m", Schedule(rate=timedelta(minutes=10)), "every 0:10:00"),
        ("demo.add_one", None, "None"),
    ],
)
def test_schedules(name, schedule, text):
    assert plan(name).schedule == schedule
    assert str(schedule) == text


def test_the_inputs_of_a_launch_plan_as_python_values():
    request = next(each for each in requests("CreateLaunchPlan", "engine") if each.id.name == "demo2.lp_add")
    proto = launch_plan_pb2.LaunchPlan(id=request.id, spec=request.spec)
    proto.closure.expected_inputs.CopyFrom(request.spec.default_inputs)
    assert LaunchPlan.from_proto(proto).default_values == {"a": 3}
    proto.spec.fixed_inputs.literals["a"].scalar.primitive.integer = 7
    fixed = LaunchPlan.from_proto(proto)
    assert (fixed.default_values, fixed.fixed_values) == ({}, {"a": 7})


def test_what_else_a_launch_plan_says():
    proto = launch_plan_pb2.LaunchPlan()
    proto.closure.state = launch_plan_pb2.ACTIVE
    proto.spec.labels.values["team"] = "sales"
    proto.spec.annotations.values["note"] = "x"
    proto.spec.entity_metadata.notifications.add(phases=[6]).slack.recipients_email.append("a@example.com")
    proto.spec.entity_metadata.notifications.add()
    view = LaunchPlan.from_proto(proto)
    assert (view.is_active, view.labels, view.annotations) == (True, {"team": "sales"}, {"note": "x"})
    assert view.notifications == (
        Notification(phases=("FAILED",), slack=("a@example.com",)),
        Notification(phases=()),
    )
    assert "spec" not in repr(view)


def test_a_task():
    proto = task_pb2.Task()
    template = proto.closure.compiled_task.template
    template.type = "python-task"
    template.container.image = "repo/image:1"
    template.metadata.retries.retries = 3
    template.metadata.timeout.seconds = 60
    template.metadata.discovery_version = "1"
    view = Task.from_proto(proto)
    assert (view.image, view.retries, view.timeout, view.cache_version) == (
        "repo/image:1",
        3,
        timedelta(minutes=1),
        "",
    )
    template.metadata.discoverable = True
    assert Task.from_proto(proto).cache_version == "1"


def test_a_failure_handler():
    proto = workflow_pb2.Workflow()
    template = proto.closure.compiled_workflow.primary.template
    template.failure_node.id = "fn0"
    template.metadata.on_failure = 1
    view = Workflow.from_proto(proto)
    assert (view.failure_node.id, view.failure_policy) == ("fn0", "FAIL_AFTER_EXECUTABLE_NODES_COMPLETE")
