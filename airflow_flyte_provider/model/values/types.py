"""Flyte's types in the words of a Python author."""

from __future__ import annotations

from flyteidl.core.types_pb2 import BlobType, LiteralType, SimpleType
from google.protobuf.struct_pb2 import Value

_SIMPLE = {
    SimpleType.NONE: "None",
    SimpleType.INTEGER: "int",
    SimpleType.FLOAT: "float",
    SimpleType.STRING: "str",
    SimpleType.BOOLEAN: "bool",
    SimpleType.DATETIME: "datetime",
    SimpleType.DURATION: "timedelta",
    SimpleType.BINARY: "bytes",
    SimpleType.ERROR: "error",
}
_PICKLE_FORMAT = "PythonPickle"


def describe(literal_type: LiteralType) -> str:
    """Return a type as a Python author would write it. Never raises, whatever the type.

    :param literal_type: a `flyteidl.core.LiteralType`. Dates are datetimes: flytekit writes no other type for
        them. A dataclass or a pydantic model goes by its class's name, a dict without types is a `struct`.

    >>> describe(LiteralType(map_value_type=LiteralType(simple=SimpleType.STRING)))
    'dict[str, str]'
    """
    kind = literal_type.WhichOneof("type")
    if kind == "simple":
        return _describe_simple(literal_type)
    if kind == "collection_type":
        return f"list[{describe(literal_type.collection_type)}]"
    if kind == "map_value_type":
        return f"dict[str, {describe(literal_type.map_value_type)}]"
    if kind == "union_type":
        return " | ".join(describe(variant) for variant in literal_type.union_type.variants) or "Union[()]"
    if kind == "enum_type":
        return f"Enum({','.join(repr(value) for value in literal_type.enum_type.values)})"
    return _describe_stored(literal_type)


def struct_title(literal_type: LiteralType) -> str:
    """Return the class that a struct was made from, by its JSON schema; empty for a plain dict.

    :param literal_type: a type whose `simple` is STRUCT; flytekit puts the JSON schema in its `metadata`.
    """
    schema = literal_type.metadata.fields
    if "title" in schema:
        return str(schema["title"].string_value)
    # Dataclass schemas of flytekit before 1.13 keep the class under "definitions" and point to it.
    return str(schema["$ref"].string_value.rpartition("/")[2]) if "$ref" in schema else ""


def _describe_simple(literal_type: LiteralType) -> str:
    if literal_type.simple == SimpleType.STRUCT:
        return struct_title(literal_type) or "struct"
    choices = literal_type.annotation.annotations.fields
    if "literal_values" in choices:
        values = [_plain_choice(value) for value in choices["literal_values"].list_value.values]
        return f"Literal[{', '.join(values)}]"
    return _SIMPLE.get(literal_type.simple, f"simple type {literal_type.simple}")


def _plain_choice(value: Value) -> str:
    kind = value.WhichOneof("kind")
    choice = getattr(value, kind) if kind else None
    return repr(int(choice) if isinstance(choice, float) and choice.is_integer() else choice)


def _describe_stored(literal_type: LiteralType) -> str:
    """Return the words for a type whose values lie in a store."""
    kind = literal_type.WhichOneof("type")
    if kind == "schema":
        return "FlyteSchema"
    if kind == "structured_dataset_type":
        return _with_format("StructuredDataset", literal_type.structured_dataset_type.format)
    if kind == "blob":
        blob = literal_type.blob
        if blob.format == _PICKLE_FORMAT:
            return "pickle"
        name = "FlyteDirectory" if blob.dimensionality == BlobType.MULTIPART else "FlyteFile"
        return _with_format(name, blob.format)
    return "unknown type"


def _with_format(name: str, file_format: str) -> str:
    return f"{name}[{file_format}]" if file_format else name
