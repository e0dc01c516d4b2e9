"""Literals that do not tell ints from floats: `5.0` in them may have been a 5, which only the declared type knows."""

from __future__ import annotations

from flyteidl.core.literals_pb2 import Literal, Scalar
from google.protobuf.struct_pb2 import Struct, Value


def tells_ints(literal: Literal) -> bool:
    """Return whether a literal can be read without its declared type: no whole number in it may be an int or a float.

    A protobuf Struct has no integers, and what Flyte takes out of one, as in `config.rows`, is a float too. A union
    carries the type of its variant. What Flyte has offloaded cannot be seen before it is fetched.

    :param literal: the literal.
    """
    kind = literal.WhichOneof("value")
    if kind == "collection":
        return all(map(tells_ints, literal.collection.literals))
    if kind == "map":
        return all(map(tells_ints, literal.map.literals.values()))
    return _scalar_tells(literal.scalar) if kind == "scalar" else kind != "offloaded_metadata"


def _scalar_tells(scalar: Scalar) -> bool:
    kind = scalar.WhichOneof("value")
    if kind == "primitive" and scalar.primitive.WhichOneof("value") == "float_value":
        return not float(scalar.primitive.float_value).is_integer()
    return kind != "generic" or _struct_tells(scalar.generic)


def _struct_tells(struct: Struct) -> bool:
    return all(map(_value_tells, struct.fields.values()))


def _value_tells(value: Value) -> bool:
    kind = value.WhichOneof("kind")
    if kind == "number_value":
        return not value.number_value.is_integer()
    if kind == "struct_value":
        return _struct_tells(value.struct_value)
    return kind != "list_value" or all(map(_value_tells, value.list_value.values))
