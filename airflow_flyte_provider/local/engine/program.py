"""A compiled workflow with everything it refers to: what a walk over its nodes looks things up in."""

from __future__ import annotations

from flyteidl.core import compiler_pb2, identifier_pb2, workflow_pb2

from airflow_flyte_provider.local.compiler.interfaces import branch_nodes
from airflow_flyte_provider.local.wording import go_text


class Program:
    """Finds the tasks and sub-workflows of one compiled closure.

    :param closure: the compiled closure.
    """

    def __init__(self, closure: compiler_pb2.CompiledWorkflowClosure) -> None:
        self._tasks = {go_text(task.template.id): task for task in closure.tasks}
        self._sub_workflows = {go_text(sub.template.id): sub for sub in closure.sub_workflows}

    def task(self, node: workflow_pb2.Node) -> compiler_pb2.CompiledTask | None:
        """Return the task of a node, or of the elements of an array node; None when it has none."""
        inner = node.array_node.node if node.WhichOneof("target") == "array_node" else node
        return self._tasks.get(go_text(inner.task_node.reference_id))

    def sub_workflow(self, reference: identifier_pb2.Identifier) -> compiler_pb2.CompiledWorkflow:
        """Return a sub-workflow.

        :raises KeyError: when the closure has none of this id, which the compiler rules out.
        """
        return self._sub_workflows[go_text(reference)]


def dependencies(node: workflow_pb2.Node, workflow: compiler_pb2.CompiledWorkflow) -> set[str]:
    """Return the nodes that must be over before this one begins, with those that the nodes inside it wait for."""
    found: set[str] = set()
    pending = [node]
    while pending:
        one = pending.pop()
        found.update(workflow.connections.upstream[one.id].ids)
        pending.extend(branch_nodes(one))
    return found - {node.id}
