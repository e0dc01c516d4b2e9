"""The nodes that a workflow is made of, as it was registered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_flyte_provider.model.identifiers import EntityId, EntityKind

if TYPE_CHECKING:
    from flyteidl.core.compiler_pb2 import CompiledWorkflow
    from flyteidl.core.identifier_pb2 import Identifier
    from flyteidl.core.workflow_pb2 import BranchNode, GateNode
    from flyteidl.core.workflow_pb2 import Node as NodeProto

#: The nodes that Flyte adds to a compiled workflow.
EDGES = ("start-node", "end-node")


@dataclass(frozen=True, slots=True)
class WorkflowNode:
    """A node of a registered workflow, after `flyteidl.core.Node`.

    :param id: its id in the workflow, such as `n0`.
    :param name: what its author or flytekit calls it, such as `add_one`; its id where nobody named it.
    :param kind: `"task"`, `"workflow"`, `"launch plan"`, `"branch"`, `"array"`, or for a gate what it waits for:
        `"approve"`, `"signal"` or `"sleep"`.
    :param target: the task, workflow or launch plan that it runs (an array node: for each element); None for others.
    :param upstream: ids of the nodes that it waits for, sorted.
    :param signal: the id of the signal that a gate waits for, empty for others.
    :param nodes: the nodes that a branch chooses from.
    """

    id: str
    name: str
    kind: str
    target: EntityId | None
    upstream: tuple[str, ...]
    signal: str = ""
    nodes: tuple[WorkflowNode, ...] = ()


def workflow_nodes(compiled: CompiledWorkflow) -> tuple[WorkflowNode, ...]:
    """Return the nodes of a workflow in the order they were registered, without start and end."""
    upstream = {
        key: tuple(sorted(set(ids.ids) - {*EDGES})) for key, ids in compiled.connections.upstream.items()
    }
    return tuple(_node(node, upstream) for node in compiled.template.nodes if node.id not in EDGES)


def failure_node(compiled: CompiledWorkflow) -> WorkflowNode | None:
    """Return the node that runs when the workflow fails, None when it has none."""
    template = compiled.template
    return _node(template.failure_node, {}) if template.HasField("failure_node") else None


def _node(proto: NodeProto, upstream: dict[str, tuple[str, ...]]) -> WorkflowNode:
    kind, target, signal = _target(proto)
    inner = choices(proto.branch_node) if kind == "branch" else ()
    return WorkflowNode(
        id=proto.id,
        name=proto.metadata.name or proto.id,
        kind=kind,
        target=target,
        upstream=upstream.get(proto.id, ()),
        signal=signal,
        nodes=tuple(_node(node, upstream) for node in inner),
    )


def _target(proto: NodeProto) -> tuple[str, EntityId | None, str]:
    """Return a node's kind, what it runs, and the signal it waits for."""
    kind = proto.WhichOneof("target") or ""
    if kind == "task_node":
        return "task", _id(EntityKind.TASK, proto.task_node.reference_id), ""
    if kind == "workflow_node" and proto.workflow_node.HasField("launchplan_ref"):
        return "launch plan", _id(EntityKind.LAUNCH_PLAN, proto.workflow_node.launchplan_ref), ""
    if kind == "workflow_node":
        return "workflow", _id(EntityKind.WORKFLOW, proto.workflow_node.sub_workflow_ref), ""
    if kind == "array_node":
        return "array", _target(proto.array_node.node)[1], ""
    if kind == "gate_node":
        return _gate(proto.gate_node)
    return kind.removesuffix("_node"), None, ""


def _gate(proto: GateNode) -> tuple[str, EntityId | None, str]:
    kind = proto.WhichOneof("condition") or "gate"
    return kind, None, getattr(proto, kind).signal_id if kind in ("approve", "signal") else ""


def choices(branch: BranchNode) -> Iterator[NodeProto]:
    """Yield the nodes that a branch chooses from, the last resort last."""
    block = branch.if_else
    yield block.case.then_node
    for other in block.other:
        yield other.then_node
    if block.HasField("else_node"):
        yield block.else_node


def _id(kind: EntityKind, proto: Identifier) -> EntityId:
    return EntityId(kind, proto.project, proto.domain, proto.name, proto.version)
