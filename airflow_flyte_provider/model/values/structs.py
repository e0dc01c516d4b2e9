"""Structs: dicts, dataclasses and pydantic models, which Flyte keeps as one value each.

flytekit writes them as MessagePack bytes since 1.14 and as a protobuf Struct before. It says so in the type, with
the annotation `cache-key-metadata`; a task that was registered by the older one cannot read the bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgpack
from flyteidl.core.literals_pb2 import Binary, Literal, Scalar
from flyteidl.core.types_pb2 import LiteralType
from google.protobuf.struct_pb2 import Struct

from airflow_flyte_provider.model.faults import ValueFaults
from airflow_flyte_provider.model.texts import parse_json
from airflow_flyte_provider.model.values.json_schemas import JsonSchema
from airflow_flyte_provider.model.values.plain_values import PlainWriter, is_model
from airflow_flyte_provider.model.values.types import describe

MSGPACK_TAG = "msgpack"
"""The tag of a `flyteidl.core.Binary` that holds MessagePack."""


def to_struct(value: object, literal_type: LiteralType, path: str) -> Literal:
    """Return a dict, dataclass, pydantic model or list as the literal of a struct type.

    :param value: the value, or a JSON text of it. Inside, datetimes become ISO 8601 texts, timedeltas seconds and
        enums their values, as flytekit has them in a dataclass. Where the type has a JSON schema, each value inside
        is checked by it, and texts are read as it says.
    :param literal_type: the declared type. Without flytekit's word for MessagePack a protobuf Struct is written.
    :param path: where the value stands, for faults.
    :raises ValueFaults: for every value inside that a struct cannot hold.
    """
    try:
        content = parse_json(value, dict, list) if isinstance(value, str) else value
    except ValueError as error:
        raise ValueFaults.of(path, describe(literal_type), value, str(error)) from None
    if not (isinstance(content, Mapping | list | tuple) or is_model(content)):
        raise ValueFaults.of(path, describe(literal_type), value, "give a dict, a dataclass or a JSON text")
    as_msgpack = _is_msgpack(literal_type) or isinstance(content, list | tuple)  # a Struct is never a list
    try:
        plain = PlainWriter(as_msgpack).plain(content, path, JsonSchema.of(literal_type))
        return _msgpack_literal(plain) if as_msgpack else _struct_literal(plain, literal_type)
    except RecursionError:
        raise ValueFaults.of(path, describe(literal_type), value, "nested too deeply") from None
    except (UnicodeError, OverflowError) as error:
        raise ValueFaults.of(path, describe(literal_type), value, str(error)) from None


def from_binary(binary: Binary) -> object:
    """Return what a binary scalar holds: the content of MessagePack, else the bytes themselves."""
    if binary.tag == MSGPACK_TAG:
        return msgpack.unpackb(binary.value, strict_map_key=False)
    return binary.value


def _is_msgpack(literal_type: LiteralType) -> bool:
    annotations = literal_type.annotation.annotations.fields
    if "cache-key-metadata" not in annotations:
        return False
    words = annotations["cache-key-metadata"].struct_value.fields
    return "serialization-format" in words and words["serialization-format"].string_value == MSGPACK_TAG


def _msgpack_literal(plain: object) -> Literal:
    try:
        packed = msgpack.packb(plain)
    except ValueError as error:
        # msgpack's own word for what nests deeper than 511 levels.
        raise RecursionError(str(error)) from None
    return Literal(scalar=Scalar(binary=Binary(value=packed, tag=MSGPACK_TAG)))


def _struct_literal(plain: Any, literal_type: LiteralType) -> Literal:
    struct = Struct()
    struct.update(plain)
    # flytekit marks a plain dict so, and nothing that was made from a class.
    metadata = {} if literal_type.metadata.fields else {"format": "json"}
    return Literal(scalar=Scalar(generic=struct), metadata=metadata)
