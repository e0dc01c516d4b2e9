"""What options do to an execution on the local Flyte, and which it refuses."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from flyteidl.admin import execution_pb2, launch_plan_pb2
from flyteidl.core import catalog_pb2, identifier_pb2, tasks_pb2
from google.protobuf.json_format import ParseDict

from tests.local.client import INTEGER, Client, identifier, integers, interface, task_node

FAILED = "FAILED"


def _launch(client: Client, plan: str, **spec: Any) -> Any:
    """Launch an execution with input `a` and these parts of its spec."""
    request = execution_pb2.ExecutionCreateRequest(project="flytesnacks", domain="development")
    ParseDict(spec, request.spec)
    request.spec.launch_plan.CopyFrom(identifier(identifier_pb2.LAUNCH_PLAN, plan))
    request.inputs.CopyFrom(integers(a=5))
    return client.admin.CreateExecution(request).id


def _plan(client: Client, name: str, workflow: str, **spec: Any) -> str:
    """Register a launch plan of a workflow with these settings of its own."""
    made = launch_plan_pb2.LaunchPlanSpec()
    ParseDict(spec, made)
    made.workflow_id.CopyFrom(identifier(identifier_pb2.WORKFLOW, workflow))
    identity = identifier(identifier_pb2.LAUNCH_PLAN, name)
    client.admin.CreateLaunchPlan(launch_plan_pb2.LaunchPlanCreateRequest(id=identity, spec=made))
    return name


def _script(client: Client, name: str, script: str) -> Any:
    """Register a shell script as a task that takes `a`; `$0` is the folder for its raw data."""
    words = ["sh", "-c", script, "{{.rawOutputDataPrefix}}"]
    container = tasks_pb2.Container(image="none", args=words)
    return client.task(name, type="python-task", container=container, interface=_only_input())


def _only_input() -> Any:
    made = interface(a=INTEGER)
    made.ClearField("outputs")
    return made


@pytest.mark.parametrize(
    ("own", "wanted"),
    [({}, "plan"), ({"envs": {"values": [{"key": "MODE", "value": "execution"}]}}, "execution")],
)
def test_envs_reach_the_task_and_replace_those_of_the_launch_plan(
    client: Client, unique, tmp_path, own, wanted
) -> None:
    task = _script(client, unique("show"), f'echo "$MODE" > {tmp_path}/said')
    client.workflow(unique("wf"), [task_node("n0", task)])
    envs = {"values": [{"key": "MODE", "value": "plan"}]}
    execution = _launch(client, _plan(client, unique("lp"), unique("wf"), envs=envs), **own)
    assert client.end(execution) == "SUCCEEDED"
    assert (tmp_path / "said").read_text().strip() == wanted


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_the_tasks_own_data_lie_below_the_raw_output_prefix(client: Client, unique, tmp_path, scheme) -> None:
    client.workflow(unique("wf"), [task_node("n0", _script(client, unique("write"), "echo x > $0/file"))])
    prefix = {"output_location_prefix": f"{scheme}{tmp_path}/raw"}
    execution = _launch(client, unique("wf"), raw_output_data_config=prefix)
    assert client.end(execution) == "SUCCEEDED"
    assert [path.read_text() for path in (tmp_path / "raw").glob("*/*/file")] == ["x\n"]
    checkpoint = client.node(execution, "n0").closure.task_node_metadata.checkpoint_uri
    assert checkpoint.startswith(f"file://{tmp_path}/raw/")


def test_data_for_another_store_stay_in_its_own(client: Client, unique, flyte) -> None:
    client.workflow(unique("wf"), [task_node("n0", _script(client, unique("write"), "echo x > $0/file"))])
    prefix = {"output_location_prefix": "s3://bucket/raw"}
    execution = _launch(client, unique("wf"), raw_output_data_config=prefix)
    assert client.end(execution) == "SUCCEEDED"
    assert client.execution(execution).spec.raw_output_data_config.output_location_prefix == "s3://bucket/raw"


@pytest.mark.parametrize(("plan_has", "own"), [(1, 0), (0, 1), (3, 1), (1, -1)])
def test_no_more_nodes_run_at_once_than_they_may(client: Client, unique, tmp_path, plan_has, own) -> None:
    # each says when it begins and ends; with room for one, no other begins in between
    script = f"echo b >> {tmp_path}/log; sleep 0.2; echo e >> {tmp_path}/log"
    task = _script(client, unique("slow"), script)
    client.workflow(unique("wf"), [task_node(f"n{number}", task) for number in range(3)])
    plan = _plan(client, unique("lp"), unique("wf"), max_parallelism=plan_has)
    execution = _launch(client, plan, max_parallelism=own)
    assert client.end(execution) == "SUCCEEDED"
    assert (tmp_path / "log").read_text().split() == ["b", "e"] * 3
    assert client.execution(execution).spec.max_parallelism == 1


@pytest.mark.parametrize(
    ("plan_has", "own", "wanted"),
    [(True, None, "INTERRUPTIBLE"), (True, False, "DEFAULT"), (None, True, "INTERRUPTIBLE")],
)
def test_an_execution_is_interruptible_when_it_or_its_launch_plan_says_so(
    client: Client, unique, plan_has, own, wanted
) -> None:
    client.workflow(unique("wf"), [task_node("n0", client.task(unique("echo")))])
    settings = {} if plan_has is None else {"interruptible": plan_has}
    plan = _plan(client, unique("lp"), unique("wf"), **settings)
    execution = _launch(client, plan, **({} if own is None else {"interruptible": own}))
    assert client.end(execution) == "SUCCEEDED"
    metadata = client.attempts(execution, "n0")[0].closure.metadata
    assert metadata.InstanceClass.Name(metadata.instance_class) == wanted


def test_a_launch_plan_may_overwrite_the_cache(client: Client, unique) -> None:
    cached = tasks_pb2.TaskMetadata(discoverable=True, discovery_version="1")
    client.workflow(unique("wf"), [task_node("n0", client.task(unique("echo"), metadata=cached))])
    plan = _plan(client, unique("lp"), unique("wf"), overwrite_cache=True)
    for _ in range(2):
        execution = _launch(client, plan)
        assert client.end(execution) == "SUCCEEDED"
        status = client.node(execution, "n0").closure.task_node_metadata.cache_status
        assert status == catalog_pb2.CACHE_POPULATED
        assert not client.execution(execution).spec.overwrite_cache


def _mail(to: str) -> dict[str, Any]:
    return {"phases": [FAILED], "email": {"recipients_email": [to]}}


@pytest.mark.parametrize(
    ("own", "wanted"),
    [
        ({}, ["plan"]),
        ({"notifications": {}}, ["plan"]),
        ({"notifications": {"notifications": [_mail("own")]}}, ["own"]),
        ({"disable_all": True}, []),
        ({"disable_all": False}, ["plan"]),
    ],
)
def test_notifications_are_the_executions_or_none_or_the_launch_plans(
    client: Client, unique, own, wanted
) -> None:
    client.workflow(unique("wf"), [task_node("n0", client.task(unique("echo")))])
    plan = _plan(client, unique("lp"), unique("wf"), entity_metadata={"notifications": [_mail("plan")]})
    closure = client.execution(_launch(client, plan, **own)).closure
    assert [one.email.recipients_email[0] for one in closure.notifications] == wanted


@pytest.mark.parametrize(
    ("notification", "details"),
    [
        ({"phases": [FAILED]}, "invalid value for notification type"),
        ({"phases": [FAILED], "slack": {}}, "missing recipients"),
        ({"phases": [FAILED], "pager_duty": {"recipients_email": [""]}}, "missing recipient"),
        ({"phases": ["RUNNING"], "email": {"recipients_email": ["a"]}}, "invalid value for phase"),
    ],
)
def test_notifications_that_cannot_be_sent_are_refused(client: Client, unique, notification, details) -> None:
    client.workflow(unique("wf"), [task_node("n0", client.task(unique("echo")))])
    with pytest.raises(grpc.RpcError) as refused:
        _launch(client, unique("wf"), notifications={"notifications": [notification]})
    assert (refused.value.code().name, refused.value.details()) == ("INVALID_ARGUMENT", details)
    with pytest.raises(grpc.RpcError) as refused:
        _plan(client, unique("lp"), unique("wf"), entity_metadata={"notifications": [notification]})
    assert (refused.value.code().name, refused.value.details()) == ("INVALID_ARGUMENT", details)


def test_a_security_context_that_names_nobody_is_replaced_whole(client: Client, unique) -> None:
    client.workflow(unique("wf"), [task_node("n0", client.task(unique("echo")))])
    theirs = {"run_as": {"k8s_service_account": "robot"}, "secrets": [{"group": "plan"}]}
    plan = _plan(client, unique("lp"), unique("wf"), security_context=theirs)
    context = client.execution(_launch(client, plan, security_context={"secrets": [{"group": "own"}]})).spec
    assert context.security_context.run_as.k8s_service_account == "robot"
    assert [one.group for one in context.security_context.secrets] == ["plan"]
