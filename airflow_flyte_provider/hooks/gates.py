"""What FlyteHook finds out about a gate: what kind of answer it wants, and what it lets through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from airflow_flyte_provider.admin.levels import Levels
from airflow_flyte_provider.hooks.executions import ExecutionVerbs
from airflow_flyte_provider.hooks.views import ViewVerbs
from airflow_flyte_provider.model.identifiers import ExecutionId
from airflow_flyte_provider.model.values.outputs import Outputs
from airflow_flyte_provider.model.views.entities import Workflow
from airflow_flyte_provider.model.views.executions import Execution
from airflow_flyte_provider.model.views.nodes import NodeExecution
from airflow_flyte_provider.model.views.workflows import WorkflowNode


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate that an execution waits at.

    :param kind: `"approve"` or `"signal"`; empty when the workflow as it was registered does not tell: the gate is
        in a dynamic workflow.
    :param inputs: the values that it lets through once it is approved; None when they are not to be had.
    """

    kind: str
    inputs: Outputs | None

    @property
    def asks_approval(self) -> bool:
        """Whether False ends the execution. Of a gate that is not known, so it is taken for a bool."""
        return self.kind != "signal"


class GateVerbs(ExecutionVerbs, ViewVerbs):
    """The part of FlyteHook that looks at gates."""

    def get_gate(self, execution: Execution, signal_id: str) -> Gate:
        """Find the gate that waits for a signal, in the workflow of an execution or a sub-workflow of it.

        :param execution: the execution, which waits at the gate.
        :param signal_id: the signal that the gate waits for.
        """
        if execution.workflow is None:
            return Gate("", None)
        found = [node for node in _all_nodes(self._entity(execution.workflow)) if node.signal == signal_id]
        if not found:
            return Gate("", None)
        gate = found[0]
        if gate.kind != "approve":
            return Gate(gate.kind, None)
        # Nodes of other sub-workflows may have the same id there: rather no value than a wrong one.
        running = [node for node in self._running(execution.id, "", Levels()) if node.spec_id == gate.id]
        return Gate(gate.kind, self.get_node_inputs(running[0].id) if len(running) == 1 else None)

    def _running(self, execution: ExecutionId, parent: str, levels: Levels) -> Iterator[NodeExecution]:
        """Yield the nodes that are not over and have no others in them, at any depth."""
        with levels.inside(execution, parent):
            for node in self.get_nodes(execution, parent):
                if node.phase.is_final:
                    continue
                if node.is_parent:
                    yield from self._running(execution, node.id.node_id, levels)
                else:
                    yield node


def _all_nodes(workflow: Workflow) -> Iterator[WorkflowNode]:
    for part in (workflow, *workflow.sub_workflows):
        for node in part.nodes:
            yield node
            yield from node.nodes
