"""What registration checks: every fault in one answer, and honest refusals of what can't run here."""

from __future__ import annotations

import grpc
import pytest
from flyteidl.admin import common_pb2, description_entity_pb2, launch_plan_pb2, task_pb2
from flyteidl.core import identifier_pb2, tasks_pb2
from flyteidl.core import workflow_pb2 as core_workflow

from tests.local.client import STRING, Client, identifier, task_node


def _refusal(call, *arguments, **keywords) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call(*arguments, **keywords)
    return caught.value.code(), caught.value.details()


def test_all_faults_are_told_at_once(client: Client, unique) -> None:
    number, text = client.task(unique("number")), client.task(unique("text"), STRING)
    unbound = task_node("n1", number, None)
    unknown = task_node("n2", number)
    unknown.inputs.add(var="zzz").binding.promise.var = "a"
    nodes = [task_node("n0", text), unbound, unknown, task_node("n3", number, ("n9", "a"))]
    code, details = _refusal(client.workflow, unique("wf"), nodes)
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert details.startswith("failed to compile workflow for [resource_type:WORKFLOW project:")
    assert details.split("err: ", 1)[1] == (
        "Collected Errors: 5\n"
        "\tError 0: Code: MismatchingTypes, Node Id: n0, Description: The output variable 'a' has type "
        "[simple:INTEGER], but it's assigned to the input variable 'n0.a' which has type type "
        "[simple:STRING].\n"
        "\tError 1: Code: NodeReferenceNotFound, Node Id: n9, Description: Referenced node [n9] not found.\n"
        "\tError 2: Code: ParameterNotBound, Node Id: n1, Description: Parameter not bound [a].\n"
        "\tError 3: Code: ParameterNotBound, Node Id: n3, Description: Parameter not bound [a].\n"
        "\tError 4: Code: VariableNameNotFound, Node Id: n2, Description: "
        "Variable [zzz] not found on node [n2].\n"
    )


def test_a_cycle_of_several_nodes_is_found(client: Client, unique) -> None:
    task = client.task(unique("echo"))
    nodes = [
        task_node("n0", task),
        task_node("n1", task, ("n0", "a"), ["n2"]),
        task_node("n2", task, ("n1", "a")),
    ]
    code, details = _refusal(client.workflow, unique("wf"), nodes)
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert "Code: CycleDetected" in details
    assert "[start-node>n0>n1>n2>n1]" in details


def test_of_two_nodes_with_one_id_the_first_counts(client: Client, unique) -> None:
    first, second = client.task(unique("first")), client.task(unique("second"))
    client.workflow(unique("wf"), [task_node("n0", first), task_node("n0", second)], output=("n0", "a"))
    request = common_pb2.ObjectGetRequest(id=identifier(identifier_pb2.WORKFLOW, unique("wf")))
    compiled = client.admin.GetWorkflow(request).closure.compiled_workflow.primary.template
    assert [node.id for node in compiled.nodes] == ["start-node", "end-node", "n0"]
    assert compiled.nodes[2].task_node.reference_id == first


def test_what_cannot_run_here_is_refused_with_the_reason(client: Client, unique) -> None:
    code, details = _refusal(client.task, unique("t"), type="spark")
    assert code == grpc.StatusCode.UNIMPLEMENTED
    assert "spark" in details
    container = tasks_pb2.Container(image="x", args=["no-such-program-anywhere"])
    code, details = _refusal(client.task, unique("t"), type="python-task", container=container)
    assert code == grpc.StatusCode.UNIMPLEMENTED
    assert "no-such-program-anywhere" in details
    mapped = core_workflow.Node(id="n0")
    mapped.array_node.SetInParent()
    code, details = _refusal(client.workflow, unique("wf"), [mapped])
    assert code == grpc.StatusCode.UNIMPLEMENTED
    assert "array nodes of tasks only" in details


def test_fixed_inputs_are_given_and_can_not_be_overridden(client: Client, unique) -> None:
    task = client.task(unique("echo"))
    template = client.workflow(unique("wf"), [task_node("n0", task)], output=("n0", "a"))
    spec = launch_plan_pb2.LaunchPlanSpec(workflow_id=template.id)
    spec.fixed_inputs.literals["a"].scalar.primitive.integer = 42
    plan = identifier(identifier_pb2.LAUNCH_PLAN, unique("fixed"))
    client.admin.CreateLaunchPlan(launch_plan_pb2.LaunchPlanCreateRequest(id=plan, spec=spec))
    execution = client.launch(unique("fixed"), a=None)
    assert client.end(execution) == "SUCCEEDED"
    assert client.outputs(execution).literals["o0"].scalar.primitive.integer == 42
    assert _refusal(client.launch, unique("fixed"), a=1)[1] == "invalid input a"


def test_only_one_version_of_a_launch_plan_is_active(client: Client, unique) -> None:
    task = client.task(unique("echo"))
    template = client.workflow(unique("wf"), [task_node("n0", task)])
    second = identifier(identifier_pb2.LAUNCH_PLAN, unique("wf"))
    second.version = "v2"
    spec = launch_plan_pb2.LaunchPlanSpec(workflow_id=template.id)
    client.admin.CreateLaunchPlan(launch_plan_pb2.LaunchPlanCreateRequest(id=second, spec=spec))
    name = common_pb2.NamedEntityIdentifier(project=second.project, domain=second.domain, name=second.name)
    for version in ("v1", "v2", "v1"):
        second.version = version
        update = launch_plan_pb2.LaunchPlanUpdateRequest(id=second, state=launch_plan_pb2.ACTIVE)
        client.admin.UpdateLaunchPlan(update)
        active = client.admin.GetActiveLaunchPlan(launch_plan_pb2.ActiveLaunchPlanRequest(id=name))
        assert active.id.version == version


def test_names_can_be_described_and_listed(client: Client, unique) -> None:
    client.task(unique("echo"))
    name = common_pb2.NamedEntityIdentifier(project="flytesnacks", domain="development", name=unique("echo"))
    metadata = common_pb2.NamedEntityMetadata(description="copies", state=common_pb2.NAMED_ENTITY_ARCHIVED)
    client.admin.UpdateNamedEntity(
        common_pb2.NamedEntityUpdateRequest(resource_type=identifier_pb2.TASK, id=name, metadata=metadata)
    )
    request = common_pb2.NamedEntityGetRequest(resource_type=identifier_pb2.TASK, id=name)
    assert client.admin.GetNamedEntity(request).metadata == metadata
    for text, found in (("eq(state,1)", True), ("eq(state,0)", False), (f"contains(name,{name.name})", True)):
        listing = common_pb2.NamedEntityListRequest(
            resource_type=identifier_pb2.TASK,
            project="flytesnacks",
            domain="development",
            limit=1000,
            filters=text,
        )
        names = [one.id.name for one in client.admin.ListNamedEntities(listing).entities]
        assert (name.name in names) is found


def test_calls_that_are_not_there_say_so(client: Client) -> None:
    from flyteidl.admin import workflow_attributes_pb2

    code, details = _refusal(
        client.admin.GetWorkflowAttributes, workflow_attributes_pb2.WorkflowAttributesGetRequest()
    )
    assert code == grpc.StatusCode.UNIMPLEMENTED
    assert details == "GetWorkflowAttributes is not part of the local Flyte"


def test_descriptions_are_kept_by_version(client: Client, unique) -> None:
    name = unique("described")
    request = task_pb2.TaskCreateRequest(id=identifier(identifier_pb2.TASK, name))
    template = request.spec.template
    template.type = "echo"
    template.metadata.SetInParent()
    template.interface.SetInParent()
    request.spec.description.short_description = "adds"
    client.admin.CreateTask(request)
    found = client.admin.GetDescriptionEntity(common_pb2.ObjectGetRequest(id=request.id))
    assert (found.id, found.short_description) == (request.id, "adds")
    assert found.HasField("long_description")
    asked = description_entity_pb2.DescriptionEntityListRequest(resource_type=identifier_pb2.TASK, limit=5)
    asked.id.project, asked.id.domain, asked.id.name = request.id.project, request.id.domain, name
    assert list(client.admin.ListDescriptionEntities(asked).descriptionEntities) == [found]
    request.id.version = "other"
    code, _ = _refusal(client.admin.GetDescriptionEntity, common_pb2.ObjectGetRequest(id=request.id))
    assert code == grpc.StatusCode.NOT_FOUND
