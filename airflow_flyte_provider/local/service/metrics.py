"""Where the time of an execution went, as nested spans. Follows `flyteidl.core.Span`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import grpc
from flyteidl.core import compiler_pb2, identifier_pb2, metrics_pb2, workflow_pb2
from google.protobuf.timestamp_pb2 import Timestamp

from airflow_flyte_provider.local import clock
from airflow_flyte_provider.local.compiler.graph import END, START
from airflow_flyte_provider.local.compiler.interfaces import branch_nodes
from airflow_flyte_provider.local.engine.dynamic import compiled_workflow
from airflow_flyte_provider.local.files.folder import DataFolder
from airflow_flyte_provider.local.refusal import Refusal
from airflow_flyte_provider.local.store.entities import EntityStore
from airflow_flyte_provider.local.store.executions import ExecutionStore
from airflow_flyte_provider.local.store.rows import parent_of
from airflow_flyte_provider.local.wording import go_text

Span = metrics_pb2.Span


def execution_span(
    executions: ExecutionStore, entities: EntityStore, folder: DataFolder, execution: Any, depth: int
) -> metrics_pb2.Span:
    """Return the span of an execution with those of what it consists of.

    :param executions: stored executions.
    :param entities: registered entities.
    :param folder: the data directory, for the workflows that dynamic nodes made.
    :param execution: the execution.
    :param depth: how many levels to show below it.
    :raises Refusal: for a node that is not among its workflow's, as a failure node is.
    """
    return _Spans(executions, entities, folder).of_execution(execution, depth)


class _Spans:
    def __init__(self, executions: ExecutionStore, entities: EntityStore, folder: DataFolder) -> None:
        self._executions = executions
        self._entities = entities
        self._folder = folder

    def of_execution(self, execution: Any, depth: int) -> Span:
        closure = execution.closure
        span = Span(start_time=closure.created_at, end_time=closure.updated_at, workflow_id=execution.id)
        if depth == 0:
            return span
        workflow = self._entities.get(closure.workflow_id).closure.compiled_workflow
        every = self._executions.nodes(execution.id)
        nodes = _below(every, "")
        if START not in nodes:
            span.spans.append(_operation("WORKFLOW_SETUP", closure.created_at, closure.updated_at))
            return span
        began = nodes[START].closure.updated_at
        span.spans.append(_operation("WORKFLOW_SETUP", closure.created_at, began))
        span.spans.extend(self._of_nodes(workflow, workflow.primary, every, "", depth - 1))
        span.spans.extend(
            _rest("WORKFLOW_TEARDOWN", _latest(END, workflow.primary, nodes), closure.updated_at)
        )
        return span

    def _of_nodes(
        self,
        closure: compiler_pb2.CompiledWorkflowClosure,
        workflow: compiler_pb2.CompiledWorkflow,
        every: Iterable[Any],
        parent: str,
        depth: int,
    ) -> list[Span]:
        nodes = _below(every, parent)
        specs = {node.id: node for node in workflow.template.nodes}
        spans = []
        for spec_id in sorted(nodes, key=lambda one: clock.nanoseconds(nodes[one].closure.created_at)):
            if spec_id in (START, END):
                continue
            if spec_id not in specs:
                raise _strange(spec_id, workflow.template.id)
            span = self._of_node(closure, nodes[spec_id], specs[spec_id], every, depth)
            before = _latest(spec_id, workflow, nodes)
            if before is not None:
                moved = _operation("NODE_TRANSITION", before, nodes[spec_id].closure.created_at)
                span.spans.insert(0, moved)
            spans.append(span)
        return spans

    def _of_node(
        self,
        closure: compiler_pb2.CompiledWorkflowClosure,
        execution: Any,
        node: workflow_pb2.Node,
        every: Iterable[Any],
        depth: int,
    ) -> Span:
        span = Span(
            start_time=execution.closure.created_at,
            end_time=execution.closure.updated_at,
            node_id=execution.id,
        )
        if depth == 0:
            return span
        target = node.WhichOneof("target")
        if target == "gate_node":
            span.spans.extend(_of_gate(execution.closure))
        elif target == "task_node":
            span.spans.extend(self._of_task_node(execution, every, depth - 1))
        elif target != "array_node":  # Flyte tells nothing of what is inside that one
            span.spans.extend(self._of_parent(closure, execution, node, every, depth - 1))
        return span

    def _of_parent(
        self,
        closure: compiler_pb2.CompiledWorkflowClosure,
        execution: Any,
        node: workflow_pb2.Node,
        every: Iterable[Any],
        depth: int,
    ) -> list[Span]:
        """Return the spans of a node with others inside it: a branch, a sub-workflow or an execution."""
        whole = execution.closure
        inside, first, last = self._inside(closure, execution, node, every, depth)
        if first is None:
            return [_operation("NODE_SETUP", whole.created_at, whole.updated_at)]
        spans = [_operation("NODE_SETUP", whole.created_at, first), *inside]
        return spans + _rest("NODE_TEARDOWN", last, whole.updated_at)

    def _inside(
        self,
        closure: compiler_pb2.CompiledWorkflowClosure,
        execution: Any,
        node: workflow_pb2.Node,
        every: Iterable[Any],
        depth: int,
    ) -> tuple[list[Span], Timestamp | None, Timestamp | None]:
        """Return the spans inside a node, and when the first began and the last ended."""
        if node.workflow_node.WhichOneof("reference") == "launchplan_ref":
            child = self._executions.find(execution.closure.workflow_node_metadata.executionId)
            if child is None:
                return [], None, None
            return [self.of_execution(child, depth)], child.closure.created_at, child.closure.updated_at
        inner = _below(every, execution.id.node_id)
        if node.WhichOneof("target") == "branch_node":
            for choice in branch_nodes(node):
                if choice.id in inner:
                    taken = inner[choice.id]
                    span = self._of_node(closure, taken, choice, every, depth)
                    return [span], taken.closure.created_at, taken.closure.updated_at
            return [], None, None
        workflow = next(
            sub for sub in closure.sub_workflows if sub.template.id == node.workflow_node.sub_workflow_ref
        )
        if START not in inner:
            return [], None, None
        spans = self._of_nodes(closure, workflow, every, execution.id.node_id, depth)
        return spans, inner[START].closure.updated_at, _latest(END, workflow, inner)

    def _of_task_node(self, execution: Any, every: Iterable[Any], depth: int) -> list[Span]:
        whole = execution.closure
        tasks = self._executions.tasks(execution.id)
        if not tasks:
            return [_operation("NODE_SETUP", whole.created_at, whole.updated_at)]
        spans = [_operation("NODE_SETUP", whole.created_at, tasks[0].closure.created_at)]
        for index, task in enumerate(tasks):
            if index:
                former = tasks[index - 1].closure.updated_at
                spans.append(_operation("NODE_RESET", former, task.closure.created_at))
            if depth:
                spans.append(_of_task(task))
        last = tasks[-1].closure.updated_at
        made = compiled_workflow(self._folder, execution)
        if made is not None:
            return spans + self._of_made(made, execution, every, last, depth)
        if execution.metadata.is_parent_node:
            return spans + _rest("NODE_RESET", last, whole.updated_at)
        return spans + _rest("NODE_TEARDOWN", last, whole.updated_at)

    def _of_made(
        self,
        made: compiler_pb2.CompiledWorkflowClosure,
        execution: Any,
        every: Iterable[Any],
        task_ended: Timestamp,
        depth: int,
    ) -> list[Span]:
        """Return the spans of the workflow that a dynamic node made, from the end of its task on."""
        whole, inner = execution.closure, _below(every, execution.id.node_id)
        if START not in inner:
            return _rest("NODE_RESET", task_ended, whole.updated_at)
        spans = [_operation("NODE_RESET", task_ended, inner[START].closure.updated_at)]
        spans += self._of_nodes(made, made.primary, every, execution.id.node_id, depth)
        last = _latest(END, made.primary, inner)
        return spans + _rest("NODE_TEARDOWN", last, whole.updated_at)


def _rest(name: str, last: Timestamp | None, end: Timestamp) -> list[Span]:
    """Return the span from the end of the last thing inside to the end of all, none while that is to come."""
    if last is None or clock.nanoseconds(last) > clock.nanoseconds(end):
        return []
    return [_operation(name, last, end)]


def _of_task(task: Any) -> Span:
    closure = task.closure
    span = Span(start_time=closure.created_at, end_time=closure.updated_at, task_id=task.id)
    if not closure.HasField("started_at"):
        span.spans.append(_operation("TASK_SETUP", closure.created_at, closure.updated_at))
        return span
    span.spans.append(_operation("TASK_SETUP", closure.created_at, closure.started_at))
    if not closure.HasField("duration"):
        span.spans.append(_operation("TASK_RUNTIME", closure.started_at, closure.updated_at))
        return span
    ended = _after(closure)
    span.spans.append(_operation("TASK_RUNTIME", closure.started_at, ended))
    span.spans.extend(_rest("TASK_TEARDOWN", ended, closure.updated_at))
    return span


def _of_gate(closure: Any) -> list[Span]:
    if not closure.HasField("started_at"):
        return [_operation("NODE_SETUP", closure.created_at, closure.updated_at)]
    setup = _operation("NODE_SETUP", closure.created_at, closure.started_at)
    if not closure.HasField("duration"):
        return [setup, _operation("NODE_IDLE", closure.started_at, closure.updated_at)]
    ended = _after(closure)
    idle = _operation("NODE_IDLE", closure.started_at, ended)
    return [setup, idle, _operation("NODE_TEARDOWN", ended, closure.updated_at)]


def _after(closure: Any) -> Timestamp:
    started = clock.nanoseconds(closure.started_at)
    return clock.timestamp(started + clock.duration_nanoseconds(closure.duration))


def _below(every: Iterable[Any], parent: str) -> dict[str, Any]:
    return {node.metadata.spec_node_id: node for node in every if parent_of(node) == parent}


def _latest(
    spec_id: str, workflow: compiler_pb2.CompiledWorkflow, nodes: Mapping[str, Any]
) -> Timestamp | None:
    """Return when the last of the nodes that this one waited for was over, None for none."""
    before = [
        nodes[one].closure.updated_at for one in workflow.connections.upstream[spec_id].ids if one in nodes
    ]
    return max(before, key=clock.nanoseconds, default=None)


def _strange(spec_id: str, workflow: identifier_pb2.Identifier) -> Refusal:
    """Return the refusal of a node that is not among its workflow's: Flyte has no place for a failure node."""
    text = f"failed to discover workflow node '{spec_id}' in workflow '{go_text(workflow)}'"
    return Refusal(grpc.StatusCode.INTERNAL, text)


def _operation(name: str, start: Timestamp, end: Timestamp) -> Span:
    return Span(operation_id=name, start_time=start, end_time=end)
