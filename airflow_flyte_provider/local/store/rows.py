"""Messages about executions as rows: the columns that filters look at, beside the message itself."""

from __future__ import annotations

from typing import Any

from flyteidl.admin import execution_pb2, node_execution_pb2, task_execution_pb2
from flyteidl.core import catalog_pb2, identifier_pb2
from flyteidl.core import execution_pb2 as core_execution

from airflow_flyte_provider.local import clock
from airflow_flyte_provider.local.store import tables

Execution = execution_pb2.Execution
NodeExecution = node_execution_pb2.NodeExecution
TaskExecution = task_execution_pb2.TaskExecution
ExecutionId = identifier_pb2.WorkflowExecutionIdentifier

_PHASES = core_execution.WorkflowExecution.Phase


def execution_key(identifier: ExecutionId) -> dict[str, str]:
    """Return the columns that identify an execution."""
    return {
        "execution_project": identifier.project,
        "execution_domain": identifier.domain,
        "execution_name": identifier.name,
    }


def task_key(identifier: identifier_pb2.TaskExecutionIdentifier) -> dict[str, Any]:
    """Return the columns that identify a task attempt."""
    return {
        **execution_key(identifier.node_execution_id.execution_id),
        "node_id": identifier.node_execution_id.node_id,
        **{name: getattr(identifier.task_id, name) for name in tables.ENTITY_KEY},
        "retry_attempt": identifier.retry_attempt,
    }


def _times(closure: Any, prefix: str) -> dict[str, Any]:
    return {
        f"{prefix}_created_at": clock.nanoseconds(closure.created_at),
        f"{prefix}_updated_at": clock.nanoseconds(closure.updated_at),
        "started_at": clock.nanoseconds(closure.started_at) if closure.HasField("started_at") else None,
        "duration": clock.duration_nanoseconds(closure.duration),
    }


def _error(closure: Any) -> dict[str, Any]:
    if closure.WhichOneof("output_result") != "error":
        return {"error_kind": None, "error_code": None}
    kind = core_execution.ExecutionError.ErrorKind.Name(closure.error.kind)
    return {"error_kind": kind, "error_code": closure.error.code}


def execution_row(execution: Execution) -> dict[str, Any]:
    """Return the columns of an execution, without its inputs and references."""
    closure = execution.closure
    return {
        **execution_key(execution.id),
        **_times(closure, "execution"),
        **_error(closure),
        "phase": _PHASES.Name(closure.phase),
        "mode": execution.spec.metadata.mode,
        "abort_cause": closure.abort_metadata.cause[:255],
        "state": closure.state_change_details.state,
        "launch_entity": identifier_pb2.ResourceType.Name(execution.spec.launch_plan.resource_type).lower(),
        "message": execution.SerializeToString(),
    }


def node_row(node: NodeExecution) -> dict[str, Any]:
    """Return the columns of a node execution."""
    return {
        **execution_key(node.id.execution_id),
        **_times(node.closure, "node_execution"),
        **_error(node.closure),
        "node_id": node.id.node_id,
        "parent_node_id": parent_of(node),
        "phase": core_execution.NodeExecution.Phase.Name(node.closure.phase),
        "input_uri": node.input_uri,
        "cache_status": _cache_status(node),
        "message": node.SerializeToString(),
    }


def _cache_status(node: NodeExecution) -> str | None:
    if not node.closure.HasField("task_node_metadata"):
        return None
    return catalog_pb2.CatalogCacheStatus.Name(node.closure.task_node_metadata.cache_status)


def parent_of(node: NodeExecution) -> str:
    """Return the id of the node that this one is a part of, empty for a node of the workflow itself.

    The id of a part is `<parent>-<attempt>-<id in its own workflow>`.
    """
    if not node.metadata.retry_group:
        return ""
    suffix = f"-{node.metadata.retry_group}-{node.metadata.spec_node_id}"
    return str(node.id.node_id[: -len(suffix)])


def task_row(task: TaskExecution) -> dict[str, Any]:
    """Return the columns of a task attempt."""
    return {
        **task_key(task.id),
        **_times(task.closure, "task_execution"),
        "phase": core_execution.TaskExecution.Phase.Name(task.closure.phase),
        "input_uri": task.input_uri,
        "message": task.SerializeToString(),
    }


def tags_of(execution: Execution) -> list[tuple[str, str]]:
    """Return the key and value of every label and tag that an execution can be found by."""
    if execution.spec.launch_plan.resource_type == identifier_pb2.TASK:
        return []
    labels = list(execution.spec.labels.values.items())
    return list(dict.fromkeys([*labels, *((tag, "") for tag in execution.spec.tags)]))
