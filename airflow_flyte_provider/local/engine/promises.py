"""Values that nodes promise: following a promise into lists, maps and dataclasses."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgpack
from flyteidl.core import literals_pb2, types_pb2
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.struct_pb2 import Struct

Literal = literals_pb2.Literal
Steps = Sequence[types_pb2.PromiseAttribute]

NONE = Literal(scalar=literals_pb2.Scalar(none_type=literals_pb2.Void()))
_INDEXED = re.compile(r"\[(\d+)\]\.(.+)")
_MSGPACK = "msgpack"


class Unresolved(Exception):  # noqa: N818 - what has become of the promise
    """A promise that points at something that isn't there.

    :param node_id: the node that was to give it.
    :param code: Flyte's code for what is wrong.
    :param text: what is wrong.
    """

    def __init__(self, node_id: str, code: str, text: str) -> None:
        super().__init__(f"failed at Node[{node_id}]. {code}: {text}")


def resolve_promise(
    promise: types_pb2.OutputReference, outputs: Mapping[str, literals_pb2.LiteralMap]
) -> Literal:
    """Return what a promise stands for.

    :param promise: the node, its output and the way inside it.
    :param outputs: what nodes gave, by node id.
    :raises Unresolved: when there is nothing.
    """
    indexed = _INDEXED.fullmatch(promise.var)
    name = indexed.group(2) if indexed else promise.var
    given = outputs.get(promise.node_id, literals_pb2.LiteralMap())
    if name not in given.literals:
        text = f"Failed to find [{promise.node_id}].[{promise.var}]"
        raise Unresolved(promise.node_id, "OutputsNotFoundError", text)
    literal = given.literals[name]
    if indexed:
        literal = literal.collection.literals[int(indexed.group(1))]
    for position, step in enumerate(promise.attr_path):
        kind = literal.WhichOneof("value")
        if kind == "scalar":
            return _inside_scalar(literal, promise.attr_path[position:], promise.node_id)
        container = literal.collection.literals if kind == "collection" else literal.map.literals
        literal = _step(container, step, promise.node_id)
    return literal


def _step(container: Any, step: types_pb2.PromiseAttribute, node_id: str) -> Any:
    """Return one part of a list (of any kind) or of a map."""
    code = "PromiseAttributeResolveError"
    if hasattr(container, "keys"):
        if step.string_value not in container:
            raise Unresolved(
                node_id, code, f"key [{step.string_value}] does not exist in literal {container}"
            )
        return container[step.string_value]
    if not 0 <= step.int_value < len(container):
        raise Unresolved(node_id, code, f"index [{step.int_value}] is out of range of {container}")
    return container[step.int_value]


def _inside_scalar(literal: Literal, steps: Steps, node_id: str) -> Literal:
    """Return a part of a dataclass; a promise of a part of any other scalar is the scalar itself."""
    kind = literal.scalar.WhichOneof("value")
    if kind not in ("binary", "generic"):
        return literal
    is_binary = kind == "binary"
    value: Any = MessageToDict(literal.scalar.generic)
    if is_binary:
        binary = literal.scalar.binary
        if binary.tag != _MSGPACK:
            text = f"Unsupported format '{binary.tag}' found for literal value."
            raise Unresolved(node_id, "PromiseAttributeResolveError", text)
        value = msgpack.unpackb(binary.value, strict_map_key=False)
    for step in steps:
        if isinstance(value, (dict, list)):
            value = _step(value, step, node_id)
        elif is_binary:
            text = f"unexpected type [{type(value).__name__}] for value {value}"
            raise Unresolved(node_id, "PromiseAttributeResolveError", text)
    return _from_msgpack(value) if is_binary else _from_json(value, node_id)


def _from_msgpack(value: Any) -> Literal:
    if isinstance(value, list):
        # so that a map task can take it; flytekit reads the parts all the same
        return Literal(collection=literals_pb2.LiteralCollection(literals=[_packed(part) for part in value]))
    return _primitive(value) or _packed(value)


def _packed(value: Any) -> Literal:
    binary = literals_pb2.Binary(value=msgpack.packb(value), tag=_MSGPACK)
    return Literal(scalar=literals_pb2.Scalar(binary=binary))


def _from_json(value: Any, node_id: str) -> Literal:
    if isinstance(value, dict):
        return Literal(scalar=literals_pb2.Scalar(generic=ParseDict(value, Struct())))
    if isinstance(value, list):
        parts = [_from_json(part, node_id) for part in value]
        return Literal(collection=literals_pb2.LiteralCollection(literals=parts))
    if value is None:
        text = "Failed to resolve interface to literal scalar"
        raise Unresolved(node_id, "PromiseAttributeResolveError", text)
    # a number in a protobuf struct is a double, whole or not
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return _primitive(float(value) if is_number else value) or NONE


def _primitive(value: Any) -> Literal | None:
    fields = {bool: "boolean", int: "integer", float: "float_value", str: "string_value"}
    field = fields.get(type(value))
    if field is None:
        return None
    return Literal(scalar=literals_pb2.Scalar(primitive=literals_pb2.Primitive(**{field: value})))
