"""Nodes that wait: for an approval, for a signal, for a time. After `flyteidl.core.GateNode`."""

from __future__ import annotations

from datetime import timedelta

from flyteidl.core.literals_pb2 import Binding, BindingData
from flyteidl.core.types_pb2 import LiteralType
from flyteidl.core.workflow_pb2 import GateNode, NodeMetadata
from flyteidl.core.workflow_pb2 import Node as NodeProto

from airflow_flyte_provider.model.building.bindings import sources
from airflow_flyte_provider.model.building.errors import BuildError
from airflow_flyte_provider.model.building.nodes import Node, NodeOptions
from airflow_flyte_provider.model.building.promises import Promise, Scope

#: What a signal's value is called among the outputs of its node.
SIGNAL_OUTPUT = "o0"


def approval_node(scope: Scope, node_id: str, promise: Promise, name: str, timeout: timedelta | None) -> Node:
    """Return the node that hands on a value once somebody has approved of it."""
    if not isinstance(promise, Promise):
        raise BuildError(scope.workflow, f"somebody approves of a promise, not of {promise!r}", node_id)
    if promise.path:
        problem = f"an approval is about a whole output, and {promise!r} is a part of one: let a task give it"
        raise BuildError(scope.workflow, problem, node_id)
    gate = GateNode()
    gate.approve.signal_id = name
    message = NodeProto(
        id=node_id,
        metadata=_metadata(scope, node_id, name, timeout),
        inputs=[Binding(var=promise.var, binding=BindingData(promise=promise.to_proto()))],
        gate_node=gate,
    )
    return Node(scope, message, {promise.var: promise.type}, sources(scope, promise, node_id))


def signal_node(
    scope: Scope, node_id: str, name: str, literal_type: LiteralType, timeout: timedelta | None
) -> Node:
    """Return the node that waits for a value and gives it as `o0`."""
    gate = GateNode()
    gate.signal.signal_id, gate.signal.output_variable_name = name, SIGNAL_OUTPUT
    gate.signal.type.CopyFrom(literal_type)
    message = NodeProto(id=node_id, metadata=_metadata(scope, node_id, name, timeout), gate_node=gate)
    return Node(scope, message, {SIGNAL_OUTPUT: literal_type})


def sleep_node(scope: Scope, node_id: str, duration: timedelta, name: str) -> Node:
    """Return the node that waits for some time."""
    if duration <= timedelta():
        raise BuildError(scope.workflow, f"a sleep takes a positive duration, not {duration}", node_id)
    gate = GateNode()
    gate.sleep.duration.FromTimedelta(duration)
    message = NodeProto(id=node_id, metadata=NodeOptions().to_proto(name), gate_node=gate)
    return Node(scope, message, {})


def _metadata(scope: Scope, node_id: str, name: str, timeout: timedelta | None) -> NodeMetadata:
    try:
        return NodeOptions(timeout=timeout).to_proto(name)
    except ValueError as fault:
        raise BuildError(scope.workflow, str(fault), node_id) from None
