"""Reading a protobuf Struct, which has no integers: `5` comes out of it as `5.0`.

The JSON schema that flytekit keeps in a dataclass's or pydantic model's type tells which numbers were integers.
A plain dict has no schema; its numbers stay floats, as flytekit leaves them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flyteidl.core.types_pb2 import LiteralType
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct, Value

_Schema = Mapping[str, Any]


def from_struct(struct: Struct, literal_type: LiteralType | None = None) -> dict[str, object]:
    """Return the content of a protobuf Struct as a dict.

    :param struct: the Struct.
    :param literal_type: the declared type, whose schema says what is an integer.
    """
    schema = MessageToDict(literal_type.metadata) if literal_type is not None else {}
    return _SchemaReader(schema).mapping(struct, schema)


class _SchemaReader:
    """Reads values by a JSON schema.

    :param root: the whole schema, in which references are looked up.
    """

    def __init__(self, root: _Schema) -> None:
        self._root = root

    def mapping(self, struct: Struct, schema: _Schema) -> dict[str, object]:
        """Return a Struct's fields, each read by its property's schema."""
        schema = self._resolved(schema)
        properties, others = schema.get("properties", {}), schema.get("additionalProperties")
        return {name: self._value(item, properties.get(name, others)) for name, item in struct.fields.items()}

    def _value(self, value: Value, schema: _Schema | bool | None) -> object:
        kind = value.WhichOneof("kind")
        known = self._resolved(schema) if isinstance(schema, Mapping) else {}
        if kind == "struct_value":
            return self.mapping(value.struct_value, known)
        if kind == "list_value":
            return [self._value(item, known.get("items")) for item in value.list_value.values]
        if kind == "number_value":
            number = value.number_value
            return int(number) if _is_integer(known) and number.is_integer() else number
        return None if kind in (None, "null_value") else getattr(value, kind)

    def _resolved(self, schema: _Schema) -> _Schema:
        """Return the schema that a reference or an optional stands for."""
        for _ in range(10):  # a chain of references is short, unless it runs in a circle
            if "$ref" in schema:
                schema = self._referenced(schema["$ref"])
            elif "anyOf" in schema:
                options = [option for option in schema["anyOf"] if option.get("type") != "null"]
                schema = options[0] if len(options) == 1 else {}
            else:
                break
        return schema

    def _referenced(self, reference: str) -> _Schema:
        found: Any = self._root
        for part in reference.removeprefix("#/").split("/"):
            found = found.get(part, {}) if isinstance(found, Mapping) else {}
        return found if isinstance(found, Mapping) else {}


def _is_integer(schema: _Schema) -> bool:
    kinds = schema.get("type")
    return kinds == "integer" or (isinstance(kinds, list) and "integer" in kinds and "number" not in kinds)
