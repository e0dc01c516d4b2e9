"""Literals on their way from node to node: bindings and promises resolved, conditions weighed."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgpack
from flyteidl.core import condition_pb2, literals_pb2, types_pb2, workflow_pb2
from google.protobuf.struct_pb2 import Struct

from airflow_flyte_provider.local import clock
from airflow_flyte_provider.local.engine.outcome import NodeFailed, failed

Literal = literals_pb2.Literal
LiteralMap = literals_pb2.LiteralMap
Outputs = Mapping[str, LiteralMap]

_INDEXED = re.compile(r"\[(\d+)\]\.(.+)")
_NONE = Literal(scalar=literals_pb2.Scalar(none_type=literals_pb2.Void()))
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
    :raises NodeFailed: when a promise points at something that isn't there.
    """
    inputs = LiteralMap()
    for binding in node.inputs:
        inputs.literals[binding.var].CopyFrom(_resolve(binding.binding, outputs))
    return inputs


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
        return _promised(binding.promise, outputs)
    return _NONE


def _promised(promise: types_pb2.OutputReference, outputs: Outputs) -> Literal:
    indexed = _INDEXED.fullmatch(promise.var)
    name = indexed.group(2) if indexed else promise.var
    given = outputs.get(promise.node_id, LiteralMap())
    if name not in given.literals:
        raise failed("OutputsNotFoundError", f"Failed to find [{promise.node_id}].[{promise.var}]")
    literal = given.literals[name]
    if indexed:
        literal = literal.collection.literals[int(indexed.group(1))]
    for position, step in enumerate(promise.attr_path):
        if literal.WhichOneof("value") == "scalar":
            return _inside_scalar(literal.scalar, promise.attr_path[position:], promise)
        literal = _inside_container(literal, step, promise)
    return literal


def _inside_container(
    literal: Literal, step: types_pb2.PromiseAttribute, promise: types_pb2.OutputReference
) -> Literal:
    if literal.WhichOneof("value") == "collection" and 0 <= step.int_value < len(literal.collection.literals):
        return literal.collection.literals[step.int_value]
    if literal.WhichOneof("value") == "map" and step.string_value in literal.map.literals:
        return literal.map.literals[step.string_value]
    raise _unreachable(promise)


def _inside_scalar(scalar: literals_pb2.Scalar, steps: Any, promise: types_pb2.OutputReference) -> Literal:
    is_binary = scalar.WhichOneof("value") == "binary"
    value: Any = msgpack.unpackb(scalar.binary.value, strict_map_key=False) if is_binary else scalar.generic
    for step in steps:
        key = step.string_value if step.WhichOneof("value") == "string_value" else step.int_value
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError, ValueError):
            raise _unreachable(promise) from None
    if is_binary:
        packed = literals_pb2.Binary(value=msgpack.packb(value), tag=scalar.binary.tag)
        return Literal(scalar=literals_pb2.Scalar(binary=packed))
    return _from_generic(value)


def _from_generic(value: Any) -> Literal:
    if isinstance(value, Struct):
        return Literal(scalar=literals_pb2.Scalar(generic=value))
    plain = list(value) if not isinstance(value, (str, bool, int, float, type(None))) else value
    if isinstance(plain, list):
        parts = [_from_generic(part) for part in plain]
        return Literal(collection=literals_pb2.LiteralCollection(literals=parts))
    if plain is None:
        return _NONE
    field = (
        "boolean" if isinstance(plain, bool) else "string_value" if isinstance(plain, str) else "float_value"
    )
    return Literal(scalar=literals_pb2.Scalar(primitive=literals_pb2.Primitive(**{field: plain})))


def _unreachable(promise: types_pb2.OutputReference) -> NodeFailed:
    steps = "".join(
        f"[{step.string_value if step.WhichOneof('value') == 'string_value' else step.int_value}]"
        for step in promise.attr_path
    )
    return failed("PromiseAttributeResolveError", f"{promise.node_id}.{promise.var} has no attribute {steps}")


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
