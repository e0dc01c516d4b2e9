"""Verbs about the nodes of an execution and the tasks in them: what there is, and their data."""

from __future__ import annotations

from typing import Any

from flyteidl.admin import node_execution_pb2, task_execution_pb2
from flyteidl.core import identifier_pb2, literals_pb2

from airflow_flyte_provider.admin.client import Call, Verb
from airflow_flyte_provider.admin.executions import to_proto
from airflow_flyte_provider.model.identifiers import ExecutionId

_PAGE = 500

_Data = tuple[literals_pb2.LiteralMap, literals_pb2.LiteralMap]


def list_nodes(execution: ExecutionId, parent: str = "") -> Verb[list[node_execution_pb2.NodeExecution]]:
    """List the node executions of an execution, one level of them.

    :param parent: id of the node whose inner nodes are wanted; empty for the outermost.
    """
    found: list[node_execution_pb2.NodeExecution] = []
    token = ""
    while True:
        request = node_execution_pb2.NodeExecutionListRequest(
            workflow_execution_id=to_proto(execution), unique_parent_id=parent, limit=_PAGE, token=token
        )
        reply = yield Call("ListNodeExecutions", request, f"listing the nodes of execution {execution}")
        found.extend(reply.node_executions)
        token = reply.token
        # A full page has a token even when nothing follows it.
        if not token or len(reply.node_executions) < _PAGE:
            return found


def get_node_data(node: identifier_pb2.NodeExecutionIdentifier) -> Verb[_Data]:
    """Fetch the inputs and the outputs of a node execution; what is not there yet is empty."""
    request = node_execution_pb2.NodeExecutionGetDataRequest(id=node)
    reply = yield Call("GetNodeExecutionData", request, f"fetching the data of {_told(node)}")
    return reply.full_inputs, reply.full_outputs


def list_tasks(node: identifier_pb2.NodeExecutionIdentifier) -> Verb[list[task_execution_pb2.TaskExecution]]:
    """List the task executions of a node, one for each attempt."""
    request: Any = task_execution_pb2.TaskExecutionListRequest(node_execution_id=node, limit=_PAGE)
    reply = yield Call("ListTaskExecutions", request, f"listing the tasks of {_told(node)}")
    return list(reply.task_executions)


def get_task_data(task: identifier_pb2.TaskExecutionIdentifier) -> Verb[_Data]:
    """Fetch the inputs and the outputs of one attempt of a task."""
    request = task_execution_pb2.TaskExecutionGetDataRequest(id=task)
    asked = f"fetching the data of attempt {task.retry_attempt} of {_told(task.node_execution_id)}"
    reply = yield Call("GetTaskExecutionData", request, asked)
    return reply.full_inputs, reply.full_outputs


def _told(node: identifier_pb2.NodeExecutionIdentifier) -> str:
    return f"node {node.node_id} of execution {node.execution_id.name}"
