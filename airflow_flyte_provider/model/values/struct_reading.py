"""Reading a protobuf Struct, which has no integers: `5` comes out of it as `5.0`.

The JSON schema that flytekit keeps in a dataclass's or pydantic model's type tells which numbers were integers.
A plain dict has no schema; its numbers stay floats, as flytekit leaves them.
"""

from __future__ import annotations

from flyteidl.core.types_pb2 import LiteralType
from google.protobuf.struct_pb2 import Struct, Value

from airflow_flyte_provider.model.values.json_schemas import JsonSchema


def from_struct(struct: Struct, literal_type: LiteralType | None = None) -> dict[str, object]:
    """Return the content of a protobuf Struct as a dict.

    :param struct: the Struct.
    :param literal_type: the declared type, whose schema says what is an integer.
    """
    return _mapping(struct, JsonSchema.of(literal_type))


def _mapping(struct: Struct, schema: JsonSchema) -> dict[str, object]:
    return {
        name: _value(item, schema.properties.get(name, schema.others)) for name, item in struct.fields.items()
    }


def _value(value: Value, schema: JsonSchema) -> object:
    kind = value.WhichOneof("kind")
    known = schema.only
    if kind == "struct_value":
        return _mapping(value.struct_value, known)
    if kind == "list_value":
        items = enumerate(value.list_value.values)
        tuples = known.positions
        return [_value(item, tuples[at] if at < len(tuples) else known.items) for at, item in items]
    if kind == "number_value":
        number = value.number_value
        is_integer = "integer" in known.types and "number" not in known.types
        return int(number) if is_integer and number.is_integer() else number
    return None if kind in (None, "null_value") else getattr(value, kind)
