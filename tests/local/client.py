"""A small client: registers workflows written as messages and waits for executions."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import grpc
from flyteidl.admin import (
    execution_pb2,
    launch_plan_pb2,
    node_execution_pb2,
    task_execution_pb2,
    task_pb2,
    workflow_pb2,
)
from flyteidl.core import execution_pb2 as core_execution
from flyteidl.core import identifier_pb2, interface_pb2, literals_pb2, types_pb2
from flyteidl.core import workflow_pb2 as core_workflow
from flyteidl.service import admin_pb2_grpc, dataproxy_pb2_grpc, signal_pb2_grpc

PROJECT, DOMAIN, VERSION = "flytesnacks", "development", "v1"
FINAL = ("SUCCEEDED", "FAILED", "ABORTED", "TIMED_OUT")
INTEGER = types_pb2.LiteralType(simple=types_pb2.INTEGER)
STRING = types_pb2.LiteralType(simple=types_pb2.STRING)


class Client:
    """Calls on one Flyte."""

    def __init__(self, endpoint: str) -> None:
        self.channel = grpc.insecure_channel(endpoint)
        self.admin = admin_pb2_grpc.AdminServiceStub(self.channel)
        self.signals = signal_pb2_grpc.SignalServiceStub(self.channel)
        self.proxy = dataproxy_pb2_grpc.DataProxyServiceStub(self.channel)

    def close(self) -> None:
        self.channel.close()

    def task(
        self, name: str, kind: types_pb2.LiteralType = INTEGER, **changes: Any
    ) -> identifier_pb2.Identifier:
        """Register an echo task from `a` to `a`, or another kind of task by `changes` to its template."""
        request = task_pb2.TaskCreateRequest(id=identifier(identifier_pb2.TASK, name))
        template = request.spec.template
        template.type = "echo"
        template.metadata.SetInParent()
        template.interface.inputs.variables["a"].type.CopyFrom(kind)
        template.interface.outputs.variables["a"].type.CopyFrom(kind)
        for field, value in changes.items():
            if isinstance(value, str):
                setattr(template, field, value)
            else:
                getattr(template, field).CopyFrom(value)
        self.admin.CreateTask(request)
        return request.id

    def command(
        self, name: str, *words: str, retries: int = 0, generates_deck: bool | None = None
    ) -> identifier_pb2.Identifier:
        """Register a task that runs a command instead of flytekit, with no inputs and no outputs."""
        request = task_pb2.TaskCreateRequest(id=identifier(identifier_pb2.TASK, name))
        template = request.spec.template
        template.type = "python-task"
        template.metadata.retries.retries = retries
        if generates_deck is not None:
            template.metadata.generates_deck.value = generates_deck
        template.interface.SetInParent()
        template.container.image = "none"
        template.container.args.extend(words)
        self.admin.CreateTask(request)
        return request.id

    def workflow(
        self,
        name: str,
        nodes: Sequence[core_workflow.Node],
        *,
        output: tuple[str, str] | None = None,
        inputs: dict[str, types_pb2.LiteralType] | None = None,
        subs: Sequence[core_workflow.WorkflowTemplate] = (),
        failure_node: core_workflow.Node | None = None,
    ) -> core_workflow.WorkflowTemplate:
        """Register a workflow and a launch plan of the same name. `output` is (node, variable) for `o0`."""
        template = core_workflow.WorkflowTemplate(
            id=identifier(identifier_pb2.WORKFLOW, name), nodes=nodes, failure_node=failure_node
        )
        template.interface.SetInParent()
        for var, kind in (inputs or {"a": INTEGER}).items():
            template.interface.inputs.variables[var].type.CopyFrom(kind)
        if output is not None:
            template.interface.outputs.variables["o0"].type.CopyFrom(INTEGER)
            promise = template.outputs.add(var="o0").binding.promise
            promise.node_id, promise.var = output
        self.register_workflow(template, subs)
        return template

    def register_workflow(
        self, template: core_workflow.WorkflowTemplate, subs: Sequence[core_workflow.WorkflowTemplate] = ()
    ) -> None:
        """Register a workflow and a launch plan of the same name."""
        spec = workflow_pb2.WorkflowSpec(template=template, sub_workflows=subs)
        self.admin.CreateWorkflow(workflow_pb2.WorkflowCreateRequest(id=template.id, spec=spec))
        self.launch_plan(template.id.name, template.id)

    def launch_plan(self, name: str, workflow_id: identifier_pb2.Identifier) -> None:
        """Register a launch plan that fixes nothing."""
        spec = launch_plan_pb2.LaunchPlanSpec(workflow_id=workflow_id)
        identity = identifier(identifier_pb2.LAUNCH_PLAN, name)
        self.admin.CreateLaunchPlan(launch_plan_pb2.LaunchPlanCreateRequest(id=identity, spec=spec))

    def launch(
        self, plan: str, name: str = "", a: int | None = 5
    ) -> identifier_pb2.WorkflowExecutionIdentifier:
        """Launch an execution of a launch plan with input `a`."""
        request = execution_pb2.ExecutionCreateRequest(project=PROJECT, domain=DOMAIN, name=name)
        request.spec.launch_plan.CopyFrom(identifier(identifier_pb2.LAUNCH_PLAN, plan))
        if a is not None:
            request.inputs.CopyFrom(integers(a=a))
        return self.admin.CreateExecution(request).id

    def execution(self, execution_id: Any) -> execution_pb2.Execution:
        return self.admin.GetExecution(execution_pb2.WorkflowExecutionGetRequest(id=execution_id))

    def phase(self, execution_id: Any) -> str:
        return core_execution.WorkflowExecution.Phase.Name(self.execution(execution_id).closure.phase)

    def end(self, execution_id: Any, seconds: float = 30.0) -> str:
        """Wait for an execution's end and return its phase."""
        until(lambda: self.phase(execution_id) in FINAL, seconds)
        return self.phase(execution_id)

    def outputs(self, execution_id: Any) -> literals_pb2.LiteralMap:
        request = execution_pb2.WorkflowExecutionGetDataRequest(id=execution_id)
        return self.admin.GetExecutionData(request).full_outputs

    def node_phases(self, execution_id: Any, parent: str = "") -> dict[str, str]:
        """Return the phases of an execution's nodes by id."""
        request = node_execution_pb2.NodeExecutionListRequest(
            workflow_execution_id=execution_id, limit=100, unique_parent_id=parent
        )
        found = self.admin.ListNodeExecutions(request).node_executions
        return {one.id.node_id: core_execution.NodeExecution.Phase.Name(one.closure.phase) for one in found}

    def node(self, execution_id: Any, node_id: str) -> node_execution_pb2.NodeExecution:
        request = node_execution_pb2.NodeExecutionGetRequest()
        request.id.node_id = node_id
        request.id.execution_id.CopyFrom(execution_id)
        return self.admin.GetNodeExecution(request)

    def node_data(self, execution_id: Any, node_id: str) -> node_execution_pb2.NodeExecutionGetDataResponse:
        request = node_execution_pb2.NodeExecutionGetDataRequest()
        request.id.node_id = node_id
        request.id.execution_id.CopyFrom(execution_id)
        return self.admin.GetNodeExecutionData(request)

    def attempts(self, execution_id: Any, node_id: str) -> list[task_execution_pb2.TaskExecution]:
        """Return the task executions of a node, first to last."""
        node = identifier_pb2.NodeExecutionIdentifier(node_id=node_id, execution_id=execution_id)
        request = task_execution_pb2.TaskExecutionListRequest(node_execution_id=node, limit=10)
        return list(self.admin.ListTaskExecutions(request).task_executions)

    def terminate(self, execution_id: Any, cause: str = "enough") -> None:
        self.admin.TerminateExecution(execution_pb2.ExecutionTerminateRequest(id=execution_id, cause=cause))


def identifier(kind: int, name: str) -> identifier_pb2.Identifier:
    return identifier_pb2.Identifier(
        resource_type=kind, project=PROJECT, domain=DOMAIN, name=name, version=VERSION
    )


def interface(**variables: types_pb2.LiteralType) -> interface_pb2.TypedInterface:
    """Return an interface that takes these variables and gives them again."""
    result = interface_pb2.TypedInterface()
    for name, kind in variables.items():
        result.inputs.variables[name].type.CopyFrom(kind)
        result.outputs.variables[name].type.CopyFrom(kind)
    return result


def integers(**values: int) -> literals_pb2.LiteralMap:
    result = literals_pb2.LiteralMap()
    for name, value in values.items():
        result.literals[name].scalar.primitive.integer = value
    return result


def task_node(
    node_id: str,
    task_id: identifier_pb2.Identifier,
    source: tuple[str, str] | None = ("", "a"),
    after: Sequence[str] = (),
) -> core_workflow.Node:
    """Return a node that runs a task, its input `a` bound to (node, variable)."""
    node = core_workflow.Node(id=node_id, upstream_node_ids=after)
    node.metadata.name = node_id
    node.task_node.reference_id.CopyFrom(task_id)
    if source is not None:
        promise = node.inputs.add(var="a").binding.promise
        promise.node_id, promise.var = source
    return node


def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until a condition holds; fail when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.03)
