"""Workflows made of gates that ask to approve an integer, and of sub-workflows with such gates."""

from __future__ import annotations

from flyteidl.core import identifier_pb2
from flyteidl.core import workflow_pb2 as core_workflow

from tests.local.client import INTEGER, identifier


def approval(node_id: str, signal: str, after: tuple[str, ...] = ()) -> core_workflow.Node:
    """Return a gate that asks to approve the workflow's input `a`.

    :param after: ids of the nodes that come before it.
    """
    node = core_workflow.Node(id=node_id, upstream_node_ids=after)
    node.gate_node.approve.signal_id = signal
    return _with_input(node)


def part(name: str, *nodes: core_workflow.Node) -> core_workflow.WorkflowTemplate:
    """Return a workflow with an input `a`, to be run as a part of another one."""
    template = core_workflow.WorkflowTemplate(id=identifier(identifier_pb2.WORKFLOW, name), nodes=nodes)
    template.interface.inputs.variables["a"].type.CopyFrom(INTEGER)
    return template


def runs(node_id: str, template: core_workflow.WorkflowTemplate) -> core_workflow.Node:
    """Return a node that runs a part with the workflow's input `a`."""
    node = core_workflow.Node(id=node_id)
    node.workflow_node.sub_workflow_ref.CopyFrom(template.id)
    return _with_input(node)


def _with_input(node: core_workflow.Node) -> core_workflow.Node:
    promise = node.inputs.add(var="a").binding.promise
    promise.node_id, promise.var = "", "a"
    return node
