"""Workflows that become part of another: their templates as a client sends them."""

from __future__ import annotations

from collections.abc import Iterable

from flyteidl.core.compiler_pb2 import CompiledWorkflow
from flyteidl.core.workflow_pb2 import WorkflowTemplate

from airflow_flyte_provider.model.building.errors import BuildError
from airflow_flyte_provider.model.building.promises import Scope
from airflow_flyte_provider.model.views.entities import Workflow
from airflow_flyte_provider.model.views.workflows import EDGES, choices


def parts_of(scope: Scope, node_id: str, workflow: Workflow) -> list[WorkflowTemplate]:
    """Return the templates of a registered workflow and of all that are part of it.

    :raises BuildError: when the workflow comes from a list, which tells no nodes.
    """
    if not workflow.nodes:
        problem = f"the nodes of {workflow.id} are not known: fetch it with its version"
        raise BuildError(scope.workflow, problem, node_id)
    return [_sent(one) for one in (workflow.compiled, *workflow.compiled_parts)]


def distinct(templates: Iterable[WorkflowTemplate]) -> list[WorkflowTemplate]:
    """Return each template once, in the order of their ids."""
    by_id = {(one.id.project, one.id.domain, one.id.name, one.id.version): one for one in templates}
    return [by_id[key] for key in sorted(by_id)]


def _sent(compiled: CompiledWorkflow) -> WorkflowTemplate:
    """Return a template without what Flyte's compiler has added: start, end, and longer ids inside branches."""
    template = WorkflowTemplate()
    template.CopyFrom(compiled.template)
    del template.nodes[:]
    template.nodes.extend(node for node in compiled.template.nodes if node.id not in EDGES)
    for node in template.nodes:
        if node.HasField("branch_node"):
            for inner in choices(node.branch_node):
                inner.id = inner.id.removeprefix(f"{node.id}-")
    return template
