"""Verbs about the nodes of an execution and the tasks in them: what there is, and their data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from flyteidl.admin import common_pb2, node_execution_pb2, task_execution_pb2
from flyteidl.core import identifier_pb2, literals_pb2

from airflow_flyte_provider.admin.client import Call, Verb
from airflow_flyte_provider.admin.executions import to_proto
from airflow_flyte_provider.admin.filters import moment_text
from airflow_flyte_provider.admin.paging import list_all
from airflow_flyte_provider.admin.signals import list_signals
from airflow_flyte_provider.exceptions import FlyteError
from airflow_flyte_provider.model.identifiers import ExecutionId, NodeExecutionId, TaskExecutionId
from airflow_flyte_provider.model.phases import NodePhase
from airflow_flyte_provider.model.references import to_identifier
from airflow_flyte_provider.model.views.attempts import TaskExecution
from airflow_flyte_provider.model.views.node_log import NodeLog
from airflow_flyte_provider.model.views.nodes import NodeExecution

_Data = tuple[literals_pb2.LiteralMap, literals_pb2.LiteralMap]

#: How many nodes a poll asks for the pages with their logs at most.
_LOGS_A_POLL = 25


def list_nodes(
    execution: ExecutionId, parent: str = "", since: datetime | None = None
) -> Verb[list[NodeExecution]]:
    """List the node executions of an execution, one level of them, by id.

    :param parent: id of the node whose inner nodes are wanted; empty for the outermost.
    :param since: leaves out those that have not changed from this moment on; None for all.
    """
    request = node_execution_pb2.NodeExecutionListRequest(
        workflow_execution_id=to_proto(execution),
        unique_parent_id=parent,
        filters=f"gte(node_execution_updated_at,{moment_text(since)})" if since else "",
        # Without an order of ours, pages may overlap.
        sort_by=common_pb2.Sort(key="node_id", direction=common_pb2.Sort.ASCENDING),
    )
    asked = f"listing the nodes of execution {execution}"
    found = yield from list_all("ListNodeExecutions", request, asked, items="node_executions")
    return [NodeExecution.from_proto(proto) for proto in found]


def get_node(node: NodeExecutionId) -> Verb[NodeExecution]:
    """Fetch one node execution.

    :raises FlyteNotFoundError: when there is none of that id; a node that has not begun is not there yet.
    """
    request = node_execution_pb2.NodeExecutionGetRequest(id=to_node_proto(node))
    return NodeExecution.from_proto((yield Call("GetNodeExecution", request, f"fetching {node}")))


def list_tasks(node: NodeExecutionId) -> Verb[list[TaskExecution]]:
    """List the task executions of a node, one for each attempt, first to last."""
    request = task_execution_pb2.TaskExecutionListRequest(node_execution_id=to_node_proto(node))
    found = yield from list_all(
        "ListTaskExecutions", request, f"listing the tasks of {node}", items="task_executions"
    )
    return sorted(map(TaskExecution.from_proto, found), key=lambda task: task.attempt)


def get_node_data(node: NodeExecutionId) -> Verb[_Data]:
    """Fetch the inputs and the outputs of a node execution; what is not there yet is empty."""
    request = node_execution_pb2.NodeExecutionGetDataRequest(id=to_node_proto(node))
    reply = yield Call("GetNodeExecutionData", request, f"fetching the data of {node}")
    return reply.full_inputs, reply.full_outputs


def get_task_data(task: TaskExecutionId) -> Verb[_Data]:
    """Fetch the inputs and the outputs of one attempt of a task."""
    request = task_execution_pb2.TaskExecutionGetDataRequest(
        id=identifier_pb2.TaskExecutionIdentifier(
            task_id=to_identifier(task.task),
            node_execution_id=to_node_proto(task.node),
            retry_attempt=task.attempt,
        )
    )
    reply = yield Call("GetTaskExecutionData", request, f"fetching the data of {task}")
    return reply.full_inputs, reply.full_outputs


def watch_nodes(execution: ExecutionId, log: NodeLog, *, whole: bool = False) -> Verb[list[str]]:
    """Look once at the outermost nodes of an execution and return the lines to log since the last look.

    That is one list, of what changed since the last look with a margin, and a list of tasks for each of the few nodes
    that run or ended since, for the pages with their logs. Where a node has come to run that has no task, as a gate,
    the signals are listed too.

    :param log: what was told of this execution so far.
    :param whole: list all nodes, as the last look should: a change that Flyte heard of very late may be missing else.
    """
    found = yield from list_nodes(execution, since=None if whole else log.since)
    if log.would_be_brief(found):
        return log.lines(found)
    by_id = {node.id: node for node in found}
    asked = [node for node in log.changed(found) if node.has_tasks and (node.is_done or node.started_at)]
    asked.sort(key=lambda node: node.error is None)
    is_gated = False
    for node in asked[:_LOGS_A_POLL]:
        tasks = tuple((yield from list_tasks(node.id)))
        by_id[node.id] = replace(node, tasks=tasks)
        is_gated |= node.phase is NodePhase.RUNNING and not tasks
    signals = (yield from list_signals(execution)) if is_gated else []
    return [*log.lines(by_id.values()), *log.signal_lines(signals)]


def tell_nodes(execution: ExecutionId, log: NodeLog, tell: Callable[[str], object]) -> Verb[None]:
    """Look once at the outermost nodes and tell what is new; see `watch_nodes`.

    Flyte may fail to answer: news of nodes is a help, and no reason to end a wait. The next look makes up for it.

    :param tell: called with each line.
    """
    try:
        lines = yield from watch_nodes(execution, log)
    except FlyteError:
        return
    for line in lines:
        tell(line)


def to_node_proto(node: NodeExecutionId) -> identifier_pb2.NodeExecutionIdentifier:
    """Return the `flyteidl.core.NodeExecutionIdentifier` of a node."""
    return identifier_pb2.NodeExecutionIdentifier(node_id=node.node_id, execution_id=to_proto(node.execution))
