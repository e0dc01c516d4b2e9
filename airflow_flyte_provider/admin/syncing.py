"""The verb that fetches an execution with all that is in it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from airflow_flyte_provider.admin.client import Verb
from airflow_flyte_provider.admin.executions import get_execution
from airflow_flyte_provider.admin.nodes import list_nodes, list_tasks
from airflow_flyte_provider.admin.registry import get_entity
from airflow_flyte_provider.exceptions import FlyteError, FlyteNotFoundError
from airflow_flyte_provider.model.entities import Workflow
from airflow_flyte_provider.model.executions import Execution
from airflow_flyte_provider.model.identifiers import EntityId, ExecutionId
from airflow_flyte_provider.model.nodes import NodeExecution
from airflow_flyte_provider.model.workflows import WorkflowNode


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
    return (yield from _with_nodes(view, {})) if nodes else view


def _with_nodes(view: Execution, plans: dict[EntityId, _Plan]) -> Verb[Execution]:
    plan = yield from _plan_of(view, plans)
    return replace(view, nodes=(yield from _level(view.id, "", plan, plans)))


def _plan_of(view: Execution, plans: dict[EntityId, _Plan]) -> Verb[_Plan]:
    if view.workflow is None:
        return _Plan()
    if view.workflow not in plans:
        plans[view.workflow] = _Plan()
        # Names are a help, and no reason to fail.
        with suppress(FlyteError):
            plans[view.workflow] = _Plan.of((yield from get_entity(view.workflow)))
    return plans[view.workflow]


def _level(
    execution: ExecutionId, parent: str, plan: _Plan, plans: dict[EntityId, _Plan]
) -> Verb[tuple[NodeExecution, ...]]:
    found = []
    for node in (yield from list_nodes(execution, parent)):
        found.append((yield from _with_all(node, plan, plans)))
    return tuple(found)


def _with_all(node: NodeExecution, plan: _Plan, plans: dict[EntityId, _Plan]) -> Verb[NodeExecution]:
    planned = plan.nodes.get(node.spec_id)
    if planned is not None:
        node = replace(node, title=planned.name)
    if node.has_tasks:
        node = replace(node, tasks=tuple((yield from list_tasks(node.id))))
    if node.is_parent:
        children = yield from _level(node.id.execution, node.id.node_id, plan.inside(planned), plans)
        node = replace(node, children=children)
    if node.launched is not None:
        # Flyte names a child before it is there.
        with suppress(FlyteNotFoundError):
            child = yield from get_execution(node.launched)
            node = replace(node, execution=(yield from _with_nodes(child, plans)))
    return node


def _flat(nodes: Iterable[WorkflowNode]) -> Iterable[WorkflowNode]:
    for node in nodes:
        yield node
        yield from _flat(node.nodes)
