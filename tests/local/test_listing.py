"""Filters, orders and tokens of lists, and refusals beyond the recordings, as FlyteAdmin's rules have them."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest
from flyteidl.admin import common_pb2, execution_pb2, node_execution_pb2, task_execution_pb2, task_pb2
from flyteidl.core import identifier_pb2

from airflow_flyte_provider.local import LocalFlyte
from tests.local.client import DOMAIN, PROJECT, Client, identifier, integers, task_node

_WHOLE = common_pb2.NamedEntityIdentifier(project=PROJECT, domain=DOMAIN)


@pytest.fixture(scope="module")
def own() -> Iterator[Client]:
    """A server of its own, so that lists show what these tests made and nothing else."""
    with LocalFlyte() as flyte:
        client = Client(flyte.endpoint)
        client.workflow("Wf", [task_node("n0", client.task("Echo"))], output=("n0", "a"))
        for name in ("first", "second", "third"):
            client.end(client.launch("Wf", name, len(name)))
        yield client
        client.close()


def _names(
    client: Client, filters: str = "", sort: str = "execution_created_at", **more: object
) -> list[str]:
    request = common_pb2.ResourceListRequest(id=_WHOLE, filters=filters, **{"limit": 10, **more})
    request.sort_by.key, request.sort_by.direction = sort, common_pb2.Sort.ASCENDING
    return [one.id.name for one in client.admin.ListExecutions(request).executions]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ("eq(execution_name,first)", ["first"]),
        ("ne(execution_name,first)", ["second", "third"]),
        ("gt(execution_name,first)", ["second", "third"]),
        ("gte(execution_name,second)+lt(execution_name,third)", ["second"]),
        ("lte(execution_name,second)", ["first", "second"]),
        ("contains(execution_name,ir)", ["first", "third"]),
        ("contains(execution_name,IR)", []),
        ("value_in(execution_name,first;third;fourth)", ["first", "third"]),
        ("value_not_in(execution_name,first;third)", ["second"]),
        ("eq(workflow.name,Wf)+eq(phase,SUCCEEDED)", ["first", "second", "third"]),
        ("eq(launch_plan.name,wf)", []),
        ("eq(phase,4)", []),
    ],
)
def test_filters_choose_executions(own: Client, filters: str, found: list[str]) -> None:
    assert _names(own, filters) == found


def test_a_full_page_has_a_token_and_the_last_one_has_none(own: Client) -> None:
    request = common_pb2.ResourceListRequest(id=_WHOLE, limit=2)
    page = own.admin.ListExecutions(request)
    assert (len(page.executions), page.token) == (2, "2")
    request.token = page.token
    page = own.admin.ListExecutions(request)
    assert (len(page.executions), page.token) == (1, "")


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"filters": "eq(name,first)"}, "'e.name' is invalid filter"),
        ({"filters": "eq(node_execution.phase,FAILED)"}, "'ne' entity is not allowed in filters"),
        ({"filters": "like(execution_name,f)"}, "unrecognized filter function: like"),
        ({"filters": "eq(execution_name,a;b)"}, "invalid value for filters"),
        ({"sort": "name"}, "invalid sort key 'name'"),
        ({"token": "-1"}, "invalid pagination token -1 for ListExecutions"),
        ({"limit": 0}, "invalid value for limit"),
    ],
)
def test_lists_refuse_what_they_do_not_know(own: Client, more: dict[str, object], told: str) -> None:
    with pytest.raises(grpc.RpcError) as refusal:
        _names(own, **more)
    assert refusal.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert refusal.value.details() == told


def test_nodes_and_attempts_are_filtered_too(own: Client) -> None:
    execution = identifier_pb2.WorkflowExecutionIdentifier(project=PROJECT, domain=DOMAIN, name="first")
    nodes = node_execution_pb2.NodeExecutionListRequest(
        workflow_execution_id=execution, limit=10, filters="value_in(node_id,n0;n9)+eq(phase,SUCCEEDED)"
    )
    found = own.admin.ListNodeExecutions(nodes).node_executions
    assert [one.id.node_id for one in found] == ["n0"]
    for filters, count in (("eq(task.name,Echo)", 1), ("eq(retry_attempt,1)", 0), ("eq(phase,SUCCEEDED)", 1)):
        attempts = task_execution_pb2.TaskExecutionListRequest(
            node_execution_id=found[0].id, limit=10, filters=filters
        )
        assert len(own.admin.ListTaskExecutions(attempts).task_executions) == count


def test_a_label_is_found_by_its_key_with_its_own_value(own: Client) -> None:
    request = execution_pb2.ExecutionCreateRequest(project=PROJECT, domain=DOMAIN, name="labelled")
    request.spec.launch_plan.CopyFrom(identifier(identifier_pb2.LAUNCH_PLAN, "Wf"))
    request.spec.labels.values.update({"team": "sales", "size": "small"})
    request.inputs.CopyFrom(integers(a=1))
    own.end(own.admin.CreateExecution(request).id)
    for value, found in (("sales", ["labelled"]), ("small", [])):
        assert _names(own, f"eq(execution_tag.key,team)+eq(execution_tag.value,{value})") == found


def test_only_tasks_and_workflows_can_be_archived(own: Client) -> None:
    name = common_pb2.NamedEntityIdentifier(project=PROJECT, domain=DOMAIN, name="Wf")
    request = common_pb2.NamedEntityUpdateRequest(resource_type=identifier_pb2.LAUNCH_PLAN, id=name)
    request.metadata.state = common_pb2.NAMED_ENTITY_ARCHIVED
    with pytest.raises(grpc.RpcError, match=r"Resource \[LAUNCH_PLAN\] cannot have its state updated"):
        own.admin.UpdateNamedEntity(request)
    request.resource_type = identifier_pb2.WORKFLOW
    own.admin.UpdateNamedEntity(request)


@pytest.mark.parametrize("version", ["a/b", "a b", "a+b", "ä"])
def test_a_version_must_be_fit_for_a_url(own: Client, version: str) -> None:
    request = task_pb2.TaskCreateRequest(id=identifier(identifier_pb2.TASK, "Echo"))
    request.id.version = version
    with pytest.raises(grpc.RpcError, match="must be url safe") as refusal:
        own.admin.CreateTask(request)
    assert refusal.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_a_launch_plan_s_fixed_inputs_are_not_to_be_given(own: Client) -> None:
    from flyteidl.admin import launch_plan_pb2

    plan = identifier(identifier_pb2.LAUNCH_PLAN, "fixed")
    spec = launch_plan_pb2.LaunchPlanSpec(
        workflow_id=identifier(identifier_pb2.WORKFLOW, "Wf"), fixed_inputs=integers(a=7)
    )
    own.admin.CreateLaunchPlan(launch_plan_pb2.LaunchPlanCreateRequest(id=plan, spec=spec))
    with pytest.raises(grpc.RpcError, match="invalid input a"):
        own.launch("fixed", "never")
    execution = own.launch("fixed", "with-fixed", None)
    assert own.end(execution) == "SUCCEEDED"
    assert own.outputs(execution).literals["o0"].scalar.primitive.integer == 7
