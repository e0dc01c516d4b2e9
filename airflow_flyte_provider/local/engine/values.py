"""Literals on their way from node to node: bindings and promises resolved, conditions weighed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flyteidl.core import condition_pb2, literals_pb2, types_pb2, workflow_pb2

from airflow_flyte_provider.local import clock
from airflow_flyte_provider.local.engine.outcome import SYSTEM, ExecutionError, NodeFailed, failed
from airflow_flyte_provider.local.engine.promises import NONE, Unresolved, resolve_promise

Literal = literals_pb2.Literal
LiteralMap = literals_pb2.LiteralMap
Outputs = Mapping[str, LiteralMap]

_OPERATOR = condition_pb2.ComparisonExpression
_COMPARISONS: dict[int, Callable[[Any, Any], bool]] = {
    _OPERATOR.EQ: lambda left, right: left == right,
    _OPERATOR.NEQ: lambda left, right: left != right,
    _OPERATOR.GT: lambda left, right: left > right,
    _OPERATOR.GTE: lambda left, right: left >= right,
    _OPERATOR.LT: lambda left, right: left < right,
    _OPERATOR.LTE: lambda left, right: left <= right,
}


def bind(node: workflow_pb2.Node, outputs: Outputs) -> LiteralMap:
    """Return the inputs of a node.

    :param node: the compiled node.
    :param outputs: what the nodes before it gave, by node id; the start node gives the workflow's inputs.
    :raises NodeFailed: `BindingResolutionFailure` when a promise points at something that isn't there.
    """
    inputs = LiteralMap()
    for binding in node.inputs:
        try:
            inputs.literals[binding.var].CopyFrom(_resolve(binding.binding, outputs))
        except Unresolved as fault:
            text = (
                f"failed at Node[{node.id}]. BindingResolutionError: Error binding Var [wf].[{binding.var}]"
            )
            raise failed("BindingResolutionFailure", f"{text}, caused by: {fault}", SYSTEM) from None
    return inputs


def tell_error(inputs: LiteralMap, node_id: str, error: ExecutionError) -> None:
    """Put what a workflow failed with into the input `err` of its failure node, if the node takes it.

    :param inputs: the failure node's inputs, changed in place.
    :param node_id: the failure node; Flyte names it, not the node that failed, as the failed one.
    :param error: what the workflow failed with.
    """
    if "err" not in inputs.literals:
        return
    told = Literal(
        scalar=literals_pb2.Scalar(error=types_pb2.Error(message=error.message, failed_node_id=node_id))
    )
    kind = types_pb2.LiteralType(simple=types_pb2.ERROR, structure=types_pb2.TypeStructure(tag="FlyteError"))
    union = literals_pb2.Union(value=told, type=kind)
    inputs.literals["err"].CopyFrom(Literal(scalar=literals_pb2.Scalar(union=union)))


def _resolve(binding: literals_pb2.BindingData, outputs: Outputs) -> Literal:
    kind = binding.WhichOneof("value")
    if kind == "scalar":
        return Literal(scalar=binding.scalar)
    if kind == "collection":
        parts = [_resolve(part, outputs) for part in binding.collection.bindings]
        return Literal(collection=literals_pb2.LiteralCollection(literals=parts))
    if kind == "map":
        result = Literal()
        result.map.SetInParent()
        for key, part in binding.map.bindings.items():
            result.map.literals[key].CopyFrom(_resolve(part, outputs))
        return result
    if kind == "promise":
        return resolve_promise(binding.promise, outputs)
    return NONE


def holds(expression: condition_pb2.BooleanExpression, inputs: LiteralMap) -> bool:
    """Tell whether a branch's condition is met.

    :param expression: the condition.
    :param inputs: the branch node's inputs.
    :raises NodeFailed: `MalformedBranchUserError` when it can't be weighed.
    """
    if expression.WhichOneof("expr") == "conjunction":
        conjunction = expression.conjunction
        left = holds(conjunction.left_expression, inputs)
        right = holds(conjunction.right_expression, inputs)
        return left or right if conjunction.operator == conjunction.OR else left and right
    comparison = expression.comparison
    left = _operand(comparison.left_value, inputs)
    right = _operand(comparison.right_value, inputs)
    kind = left.WhichOneof("value")
    if kind != right.WhichOneof("value"):
        raise _malformed(
            f"Comparison between different primitives types. lVal[{kind}]:rVal[{right.WhichOneof('value')}]"
        )
    name = _OPERATOR.Operator.Name(comparison.operator)
    if kind == "boolean" and name not in ("EQ", "NEQ"):
        raise _malformed(f"[{name}] not defined for boolean operands.")
    return _COMPARISONS[comparison.operator](_plain(left), _plain(right))


def _operand(operand: condition_pb2.Operand, inputs: LiteralMap) -> literals_pb2.Primitive:
    kind = operand.WhichOneof("val")
    if kind == "primitive":
        return operand.primitive
    if kind == "scalar":
        literal = Literal(scalar=operand.scalar)
    elif operand.var in inputs.literals:
        literal = inputs.literals[operand.var]
    else:
        raise _malformed(f"Failed to find Value for Variable [{operand.var}]")
    if literal.scalar.WhichOneof("value") == "union":
        literal = literal.scalar.union.value
    if literal.scalar.WhichOneof("value") != "primitive":
        raise _malformed("Only primitives can be compared. Variable is non primitive.")
    return literal.scalar.primitive


def _plain(primitive: literals_pb2.Primitive) -> Any:
    kind = primitive.WhichOneof("value")
    value = getattr(primitive, kind)
    if kind == "datetime":
        return clock.nanoseconds(value)
    return clock.duration_nanoseconds(value) if kind == "duration" else value


def _malformed(message: str) -> NodeFailed:
    code = "MalformedBranchUserError"
    return failed(code, f"[{code}] {message}")
