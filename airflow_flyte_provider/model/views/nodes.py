"""The nodes of an execution, and the attempts at their tasks, as Flyte told of them at one moment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from airflow_flyte_provider.model.identifiers import (
    ExecutionId,
    NodeExecutionId,
)
from airflow_flyte_provider.model.phases import NodePhase, TaskPhase
from airflow_flyte_provider.model.views.attempts import LogLink, TaskExecution
from airflow_flyte_provider.model.views.executions import ExecutionError
from airflow_flyte_provider.model.views.messages import enum_name, length, moment

if TYPE_CHECKING:
    from flyteidl.admin.node_execution_pb2 import NodeExecution as NodeExecutionProto

    from airflow_flyte_provider.model.views.executions import Execution

#: The nodes that Flyte adds around a workflow's own; they do nothing, and their data is the workflow's.
_EDGES = ("start-node", "end-node")


@dataclass(frozen=True, slots=True)
class NodeExecution:
    """A node of an execution at one moment, after `flyteidl.admin.NodeExecution`.

    :param id: its execution, and its id there.
    :param spec_id: its id in the workflow, such as `n0` for the node `n0-0-n0` of a sub-workflow.
    :param phase: its phase.
    :param created_at: when Flyte first heard of it, in UTC.
    :param started_at: when it began to run, in UTC.
    :param updated_at: when Flyte last heard of it, in UTC.
    :param duration: how long it ran; None before its end, and for a node that did nothing.
    :param error: why it failed, None unless it did.
    :param cache_status: such as `CACHE_HIT`, after `flyteidl.core.CatalogCacheStatus`; empty when Flyte tells none.
    :param input_uri: where its inputs lie.
    :param output_uri: where its outputs lie, empty before it has succeeded.
    :param deck_uri: where its deck (an HTML page) lies, empty when there is none.
    :param launched: the child execution of a launch plan's node.
    :param is_parent: whether there are nodes in it: a branch, a sub-workflow, a dynamic node.
    :param is_dynamic: whether it makes its nodes as it runs.
    :param is_array: whether it runs one task or launch plan for each element of a list.
    :param retry_group: which attempt of the node around it this one belongs to; empty for the outermost.
    :param title: the name that the workflow gives it, empty when the workflow was not asked for it.
    :param children: the nodes in it, as `hook.sync` found them.
    :param tasks: the attempts at its task, first to last, as `hook.sync` found them.
    :param execution: the child execution with its nodes, as `hook.sync` found it.
    """

    id: NodeExecutionId
    spec_id: str
    phase: NodePhase
    created_at: datetime | None
    started_at: datetime | None
    updated_at: datetime | None
    duration: timedelta | None
    error: ExecutionError | None
    cache_status: str
    input_uri: str
    output_uri: str
    deck_uri: str
    launched: ExecutionId | None
    is_parent: bool
    is_dynamic: bool
    is_array: bool
    retry_group: str
    title: str = ""
    children: tuple[NodeExecution, ...] = ()
    tasks: tuple[TaskExecution, ...] = ()
    execution: Execution | None = None

    @property
    def name(self) -> str:
        """What to call it: its title, or else what it runs as far as that is known, or else its id there."""
        if self.title not in ("", self.spec_id):
            return self.title
        if self.tasks:
            return self.tasks[-1].id.task.name
        return self.execution.launch_plan.name if self.execution else self.spec_id or self.id.node_id

    @property
    def is_done(self) -> bool:
        """Whether it has come to its end, well or badly."""
        return self.phase.is_final

    @property
    def is_successful(self) -> bool:
        """Whether it has come to its end well, so that its outputs can be read."""
        return self.phase in (NodePhase.SUCCEEDED, NodePhase.RECOVERED)

    @property
    def is_edge(self) -> bool:
        """Whether Flyte added it around the workflow's own nodes, as start or end."""
        return self.spec_id in _EDGES or self.id.node_id.endswith(_EDGES)

    @property
    def has_tasks(self) -> bool:
        """Whether there may be task executions of it. Only asking tells whether there are."""
        inner = self.is_parent and not self.is_dynamic
        idle = self.phase in (NodePhase.UNDEFINED, NodePhase.SKIPPED)
        return not (self.is_edge or inner or idle or self.launched)

    @property
    def logs(self) -> tuple[LogLink, ...]:
        """The pages with the log of its last attempt; those of an array's elements that failed with them."""
        if not self.tasks:
            return ()
        last = self.tasks[-1]
        failed = (one for one in last.elements if one.phase is TaskPhase.FAILED)
        return (*last.logs, *(link for one in failed for link in one.logs))

    @property
    def inner(self) -> tuple[NodeExecution, ...]:
        """The nodes one level below: those in it, or those of its child execution. Start and end are left out."""
        below = self.children or (self.execution.nodes if self.execution else ())
        return own(below)

    @classmethod
    def from_proto(cls, proto: NodeExecutionProto) -> NodeExecution:
        """Return the view of what GetNodeExecution or ListNodeExecutions answered."""
        closure, metadata = proto.closure, proto.metadata
        target = closure.WhichOneof("target_metadata")
        return cls(
            id=NodeExecutionId.from_proto(proto.id),
            spec_id=metadata.spec_node_id,
            phase=NodePhase.from_number(closure.phase),
            created_at=moment(closure, "created_at"),
            started_at=moment(closure, "started_at"),
            updated_at=moment(closure, "updated_at"),
            duration=length(closure, "duration"),
            error=ExecutionError.from_proto(closure.error) if closure.HasField("error") else None,
            cache_status=enum_name(closure.task_node_metadata, "cache_status")
            if target == "task_node_metadata"
            else "",
            input_uri=proto.input_uri,
            output_uri=closure.output_uri,
            deck_uri=closure.deck_uri,
            launched=ExecutionId.from_proto(closure.workflow_node_metadata.executionId)
            if target == "workflow_node_metadata"
            else None,
            is_parent=metadata.is_parent_node,
            is_dynamic=metadata.is_dynamic,
            is_array=metadata.is_array,
            retry_group=metadata.retry_group,
        )


def own(nodes: Iterable[NodeExecution]) -> tuple[NodeExecution, ...]:
    """Return the workflow's own nodes in the order they began: without those that Flyte adds as start and end."""
    return tuple(sorted((node for node in nodes if not node.is_edge), key=_order))


def walk(nodes: Iterable[NodeExecution], depth: int = 0) -> Iterator[tuple[int, NodeExecution]]:
    """Yield every node of a tree with its depth, each before the nodes in it; start and end are left out."""
    for node in own(nodes):
        yield depth, node
        yield from walk(node.inner, depth + 1)


def _order(node: NodeExecution) -> tuple[float, str]:
    return (node.created_at.timestamp() if node.created_at else 0.0), node.id.node_id
