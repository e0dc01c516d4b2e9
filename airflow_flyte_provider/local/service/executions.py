"""AdminService, the part about executions, their nodes and their task attempts."""
# ruff: noqa: N802 - the methods are named as the gRPC service names them

from __future__ import annotations

from typing import Any

from flyteidl.admin import common_pb2, execution_pb2, node_execution_pb2, task_execution_pb2
from flyteidl.core import identifier_pb2

from airflow_flyte_provider.local import clock
from airflow_flyte_provider.local.engine.dynamic import compiled_workflow
from airflow_flyte_provider.local.files.folder import DataFolder, read_literals
from airflow_flyte_provider.local.refusal import missing, no_dynamic_workflow
from airflow_flyte_provider.local.service import checks
from airflow_flyte_provider.local.service.launching import Launching
from airflow_flyte_provider.local.service.metrics import execution_span
from airflow_flyte_provider.local.store.entities import EntityStore
from airflow_flyte_provider.local.store.executions import ExecutionStore
from airflow_flyte_provider.local.store.listing import page_of


class ExecutionCalls:
    """Calls about executions.

    :param executions: where they are stored.
    :param entities: registered entities, for metrics.
    :param folder: the data directory.
    :param launching: launches and ends them.
    """

    def __init__(
        self, executions: ExecutionStore, entities: EntityStore, folder: DataFolder, launching: Launching
    ) -> None:
        self._executions = executions
        self._entities = entities
        self._folder = folder
        self._launching = launching

    def CreateExecution(self, request: Any, context: Any) -> Any:
        """Launch an execution."""
        return execution_pb2.ExecutionCreateResponse(id=self._launching.create(request))

    def RelaunchExecution(self, request: Any, context: Any) -> Any:
        """Launch an execution once more."""
        return execution_pb2.ExecutionCreateResponse(id=self._launching.relaunch(request))

    def RecoverExecution(self, request: Any, context: Any) -> Any:
        """Launch an execution that takes over what another one finished."""
        return execution_pb2.ExecutionCreateResponse(id=self._launching.recover(request))

    def TerminateExecution(self, request: Any, context: Any) -> Any:
        """End an execution."""
        self._launching.terminate(request)
        return execution_pb2.ExecutionTerminateResponse()

    def GetExecution(self, request: Any, context: Any) -> Any:
        """Return an execution."""
        return self._executions.get(checks.check_execution_id(request))

    def UpdateExecution(self, request: Any, context: Any) -> Any:
        """Archive an execution or bring it back."""
        execution = self._executions.get(checks.check_execution_id(request))
        execution.closure.state_change_details.state = request.state
        execution.closure.state_change_details.occurred_at.CopyFrom(clock.now())
        self._executions.write(execution=execution)
        return execution_pb2.ExecutionUpdateResponse()

    def GetExecutionData(self, request: Any, context: Any) -> Any:
        """Return the inputs and, once it has succeeded, the outputs of an execution."""
        execution = self._executions.get(checks.check_execution_id(request))
        response = execution_pb2.WorkflowExecutionGetDataResponse(
            full_inputs=self._executions.inputs(execution.id),
            full_outputs=self._read(execution.closure.outputs.uri),
        )
        return _with_empty_addresses(response)

    def ListExecutions(self, request: Any, context: Any) -> Any:
        """Return a page of executions, archived ones only when a filter asks for their state."""
        if not request.HasField("id"):
            raise missing("id")
        checks.require(request.id, "project", "domain")
        conditions = self._executions.conditions(request.id.project, request.id.domain, request.id.name)
        page = page_of(
            request,
            "ListExecutions",
            conditions=conditions,
            unsorted=("updated_at", "id"),
            hide_archived=True,
        )
        found, token = self._executions.list(page)
        return execution_pb2.ExecutionList(executions=found, token=token)

    def GetExecutionMetrics(self, request: Any, context: Any) -> Any:
        """Return where the time of an execution went."""
        execution = self._executions.get(checks.check_execution_id(request))
        span = execution_span(self._executions, self._entities, self._folder, execution, request.depth)
        return execution_pb2.WorkflowExecutionGetMetricsResponse(span=span)

    def GetNodeExecution(self, request: Any, context: Any) -> Any:
        """Return a node execution."""
        checks.check_node_id(request.id, given=request.HasField("id"))
        return self._executions.node(request.id)

    def ListNodeExecutions(self, request: Any, context: Any) -> Any:
        """Return a page of an execution's nodes: those of its workflow, or those inside one node."""
        execution_id = _execution_of(request)
        parent = request.unique_parent_id
        conditions = self._executions.node_conditions(execution_id, parent)
        # without an order of the client's own, Flyte's comes from whichever index answers
        unsorted = ("id",) if parent else ("node_id",)
        page = page_of(request, "ListNodeExecutions", conditions=conditions, unsorted=unsorted)
        found, token = self._executions.list_nodes(page)
        return node_execution_pb2.NodeExecutionList(node_executions=found, token=token)

    def GetNodeExecutionData(self, request: Any, context: Any) -> Any:
        """Return the inputs and outputs of a node execution."""
        checks.check_node_id(request.id, given=request.HasField("id"))
        return self.node_data(request.id)

    def GetDynamicNodeWorkflow(self, request: Any, context: Any) -> Any:
        """Return the workflow that a node made as it ran."""
        checks.check_node_id(request.id, given=request.HasField("id"))
        closure = compiled_workflow(self._folder, self._executions.node(request.id))
        if closure is None:
            raise no_dynamic_workflow()
        return node_execution_pb2.DynamicNodeWorkflowResponse(compiled_workflow=closure)

    def ListTaskExecutions(self, request: Any, context: Any) -> Any:
        """Return a page of the task attempts of a node."""
        given = request.HasField("node_execution_id")
        checks.check_node_id(request.node_execution_id, given=given)
        conditions = self._executions.task_conditions(request.node_execution_id)
        page = page_of(request, "ListTaskExecutions", conditions=conditions)
        found, token = self._executions.list_tasks(page)
        return task_execution_pb2.TaskExecutionList(task_executions=found, token=token)

    def GetTaskExecution(self, request: Any, context: Any) -> Any:
        """Return a task attempt."""
        return self._executions.task(_task_id(request))

    def GetTaskExecutionData(self, request: Any, context: Any) -> Any:
        """Return the inputs and outputs of a task attempt."""
        return self.task_data(_task_id(request))

    def node_data(self, identifier: identifier_pb2.NodeExecutionIdentifier) -> Any:
        """Return the inputs and outputs of a node execution.

        :raises Refusal: NOT_FOUND when there is no such node execution.
        """
        node = self._executions.node(identifier)
        response = node_execution_pb2.NodeExecutionGetDataResponse(
            full_inputs=self._read(node.input_uri),
            full_outputs=self._read(node.closure.output_uri),
            flyte_urls=_flyte_urls(node.id),
        )
        if node.closure.deck_uri:
            response.flyte_urls.deck = f"{response.flyte_urls.inputs.removesuffix('i')}d"
        closure = compiled_workflow(self._folder, node)
        if closure is not None:
            response.dynamic_workflow.id.CopyFrom(closure.primary.template.id)
            response.dynamic_workflow.compiled_workflow.CopyFrom(closure)
            response.dynamic_workflow.dynamic_job_spec_uri = node.closure.dynamic_job_spec_uri
        return _with_empty_addresses(response)

    def task_data(self, identifier: identifier_pb2.TaskExecutionIdentifier) -> Any:
        """Return the inputs and outputs of a task attempt.

        :raises Refusal: NOT_FOUND when there is no such attempt.
        """
        task = self._executions.task(identifier)
        response = task_execution_pb2.TaskExecutionGetDataResponse(
            full_inputs=self._read(task.input_uri),
            full_outputs=self._read(task.closure.output_uri),
            flyte_urls=_flyte_urls(task.id.node_execution_id, f"/{task.id.retry_attempt}"),
        )
        return _with_empty_addresses(response)

    def _read(self, address: str) -> Any:
        return read_literals(self._folder.path(address)) if address else None


def _execution_of(request: Any) -> identifier_pb2.WorkflowExecutionIdentifier:
    identifier = request.workflow_execution_id
    if not (identifier.project and identifier.domain and identifier.name):
        raise missing("execution_id")
    return identifier  # type: ignore[no-any-return]


def _task_id(request: Any) -> identifier_pb2.TaskExecutionIdentifier:
    if not request.HasField("id"):
        raise missing("id")
    given = request.id.HasField("node_execution_id")
    checks.check_node_id(request.id.node_execution_id, given=given)
    return request.id  # type: ignore[no-any-return]


def _flyte_urls(node: identifier_pb2.NodeExecutionIdentifier, attempt: str = "") -> common_pb2.FlyteURLs:
    execution = node.execution_id
    base = f"flyte://v1/{execution.project}/{execution.domain}/{execution.name}/{node.node_id}{attempt}"
    return common_pb2.FlyteURLs(inputs=f"{base}/i", outputs=f"{base}/o")


def _with_empty_addresses(response: Any) -> Any:
    """Return a data response whose deprecated signed addresses are there but empty, as Flyte leaves them."""
    for field in ("inputs", "outputs", "full_inputs", "full_outputs"):
        getattr(response, field).SetInParent()
    return response
