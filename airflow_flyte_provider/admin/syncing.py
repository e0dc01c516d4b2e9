"""The verb that fetches an execution with all that is in it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from airflow_flyte_provider.admin.client import Verb
from airflow_flyte_provider.admin.executions import get_execution
from airflow_flyte_provider.admin.levels import Levels
from airflow_flyte_provider.admin.nodes import list_nodes, list_tasks
from airflow_flyte_provider.admin.registry import get_entity
from airflow_flyte_provider.exceptions import FlyteError, FlyteNotFoundError
from airflow_flyte_provider.model.identifiers import EntityId, ExecutionId
from airflow_flyte_provider.model.phases import NodePhase
from airflow_flyte_provider.model.views.entities import Workflow
from airflow_flyte_provider.model.views.executions import Execution
from airflow_flyte_provider.model.views.nodes import NodeExecution
from airflow_flyte_provider.model.views.workflows import WorkflowNode

#: What a report on a failure looks into, and how many nodes any report looks into at most.
_FAILED = (NodePhase.FAILED, NodePhase.FAILING, NodePhase.TIMED_OUT)
_LOOKED_INTO = 200


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is known of the nodes of one level: those of a workflow by their ids there, and its sub-workflows."""

    nodes: dict[str, WorkflowNode] = field(default_factory=dict)
    parts: dict[EntityId, Workflow] = field(default_factory=dict)

    @classmethod
    def of(cls, workflow: Workflow, parts: dict[EntityId, Workflow] | None = None) -> _Plan:
        handler = workflow.failure_node
        nodes = {node.id: node for node in _flat((*workflow.nodes, *([handler] if handler else [])))}
        return cls(nodes, {part.id: part for part in workflow.sub_workflows} if parts is None else parts)

    def inside(self, node: WorkflowNode | None) -> _Plan:
        """Return what is known of the nodes in a node."""
        if node is not None and node.kind == "branch":
            return self
        if node is not None and node.kind == "workflow" and node.target in self.parts:
            return _Plan.of(self.parts[node.target], self.parts)
        return _Plan()  # a dynamic node makes its own


def sync(execution: ExecutionId, *, nodes: bool = True) -> Verb[Execution]:
    """Fetch an execution with its nodes to any depth: sub-workflows, branches, dynamic nodes, child executions.

    That is one list of nodes for each execution and each node with others in it, one list of attempts for each node
    that may have some, and one workflow for each that runs, for the nodes' names.

    :param nodes: False fetches the execution alone.
    :raises FlyteNotFoundError: when there is none of that name.
    """
    view = yield from get_execution(execution)
    return (yield from _Sync().execution(view)) if nodes else view


def look_back(done: Execution) -> Verb[Execution]:
    """Fetch what a report on an execution that is over needs of its nodes.

    That is all of them, but no more than some hundred calls: of the nodes beyond, and of those that succeeded in an
    execution that did not, only their own state is told.
    """
    wanted = None if done.is_successful else _FAILED
    return (yield from _Sync(wanted, _LOOKED_INTO).execution(done))


class _Sync:
    """One fetch of an execution with its nodes.

    :param wanted: the phases of nodes that are looked into; None for all.
    :param limit: how many nodes are looked into at most; None for all.
    """

    def __init__(self, wanted: Collection[NodePhase] | None = None, limit: int | None = None) -> None:
        self._wanted = wanted
        self._left = limit
        self._plans: dict[EntityId, _Plan] = {}
        self._levels = Levels()

    def execution(self, view: Execution) -> Verb[Execution]:
        plan = yield from self._plan_of(view)
        return replace(view, nodes=(yield from self._level(view.id, "", plan)))

    def _plan_of(self, view: Execution) -> Verb[_Plan]:
        if view.workflow is None:
            return _Plan()
        if view.workflow not in self._plans:
            self._plans[view.workflow] = _Plan()
            # Names are a help, and no reason to fail.
            with suppress(FlyteError):
                self._plans[view.workflow] = _Plan.of((yield from get_entity(view.workflow)))
        return self._plans[view.workflow]

    def _level(self, execution: ExecutionId, parent: str, plan: _Plan) -> Verb[tuple[NodeExecution, ...]]:
        found = []
        with self._levels.inside(execution, parent):
            for node in (yield from list_nodes(execution, parent)):
                planned = plan.nodes.get(node.spec_id)
                named = node if planned is None else replace(node, title=planned.name)
                found.append(
                    (yield from self._inside(named, plan.inside(planned))) if self._takes(named) else named
                )
        return tuple(found)

    def _takes(self, node: NodeExecution) -> bool:
        if self._wanted is not None and node.phase not in self._wanted:
            return False
        if self._left is None:
            return True
        self._left -= 1
        return self._left >= 0

    def _inside(self, node: NodeExecution, plan: _Plan) -> Verb[NodeExecution]:
        if node.has_tasks:
            node = replace(node, tasks=tuple((yield from list_tasks(node.id))))
        if node.is_parent:
            children = yield from self._level(node.id.execution, node.id.node_id, plan)
            node = replace(node, children=children)
        if node.launched is not None:
            # Flyte names a child before it is there.
            with suppress(FlyteNotFoundError):
                child = yield from get_execution(node.launched)
                node = replace(node, execution=(yield from self.execution(child)))
        return node


def _flat(nodes: Iterable[WorkflowNode]) -> Iterable[WorkflowNode]:
    for node in nodes:
        yield node
        yield from _flat(node.nodes)
