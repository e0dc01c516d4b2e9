"""Structs: dicts, dataclasses and pydantic models, which Flyte keeps as one value each.

flytekit writes them as MessagePack bytes since 1.14 and as a protobuf Struct before. It says so in the type, with
the annotation `cache-key-metadata`; a task that was registered by the older one cannot read the bytes.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from numbers import Integral, Real
from typing import Any
from uuid import UUID

import msgpack
from flyteidl.core.literals_pb2 import Binary, Literal, Scalar
from flyteidl.core.types_pb2 import LiteralType
from google.protobuf.struct_pb2 import Struct

from airflow_flyte_provider.model.faults import FaultCollector, ValueFaults
from airflow_flyte_provider.model.texts import parse_json
from airflow_flyte_provider.model.types import describe

MSGPACK_TAG = "msgpack"
"""The tag of a `flyteidl.core.Binary` that holds MessagePack."""

_MSGPACK_INTEGERS = range(-(2**63), 2**64)
_EXACT_IN_FLOAT = range(-(2**53), 2**53 + 1)


def is_model(value: object) -> bool:
    """Return whether a value is an instance of a dataclass or of something like a pydantic model."""
    return not isinstance(value, type) and (dataclasses.is_dataclass(value) or hasattr(value, "model_dump"))


def to_struct(value: object, literal_type: LiteralType, path: str) -> Literal:
    """Return a dict, dataclass, pydantic model or list as the literal of a struct type.

    :param value: the value, or a JSON text of it. Inside, datetimes become ISO 8601 texts, timedeltas seconds and
        enums their values, as flytekit has them in a dataclass.
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
        plain = _PlainWriter(as_msgpack).plain(content, path)
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


class _PlainWriter:
    """Turns values into those that MessagePack, or a protobuf Struct, can hold.

    :param as_msgpack: whether for MessagePack, which has integers, bytes and integer keys. A Struct has not.
    """

    def __init__(self, as_msgpack: bool) -> None:
        self._as_msgpack = as_msgpack

    def plain(self, value: object, path: str) -> object:
        """Return the plain value, or raise `ValueFaults` for all inside that has none."""
        if isinstance(value, Enum):
            return self.plain(value.value, path)
        if value is None or isinstance(value, bool | float | str):
            return value
        if isinstance(value, Mapping):
            return self._mapping(value, path)
        if isinstance(value, list | tuple | set | frozenset):
            return self._items(value, path)
        if is_model(value):
            return self._model(value, path)
        return self._scalar(value, path)

    def _mapping(self, value: Mapping[object, object], path: str) -> dict[object, object]:
        content: dict[object, object] = {}
        collector = FaultCollector()
        for key, item in value.items():
            with collector:
                content[self._key(key, path)] = self.plain(item, f"{path}.{key}")
        collector.raise_any()
        return content

    def _key(self, key: object, path: str) -> object:
        key = key.value if isinstance(key, Enum) else key
        if isinstance(key, str) or (self._as_msgpack and isinstance(key, int) and key in _MSGPACK_INTEGERS):
            return key
        raise ValueFaults.of(path, "str keys", key)

    def _items(
        self, value: list[object] | tuple[object, ...] | set[object] | frozenset[object], path: str
    ) -> list[object]:
        content = []
        collector = FaultCollector()
        for index, item in enumerate(value):
            with collector:
                content.append(self.plain(item, f"{path}[{index}]"))
        collector.raise_any()
        return content

    def _model(self, value: object, path: str) -> object:
        dump = getattr(value, "model_dump", None)
        if dump is not None:
            return self.plain(dump(mode="json"), path)
        names = [field.name for field in dataclasses.fields(value)]  # type: ignore[arg-type]
        return self._mapping({name: getattr(value, name) for name in names}, path)

    def _scalar(self, value: object, path: str) -> object:
        if isinstance(value, Integral):
            return self._integer(int(value), path)
        if isinstance(value, Real):
            return float(value)
        if isinstance(value, datetime | date | time):
            return value.isoformat()
        if isinstance(value, timedelta):
            return value.total_seconds()
        if isinstance(value, Decimal | UUID | os.PathLike):
            return str(value)
        if isinstance(value, bytes) and self._as_msgpack:
            return value
        raise ValueFaults.of(path, "something that a struct can hold", value, "give plain Python values")

    def _integer(self, number: int, path: str) -> int:
        if number not in (_MSGPACK_INTEGERS if self._as_msgpack else _EXACT_IN_FLOAT):
            bits = 64 if self._as_msgpack else 53
            raise ValueFaults.of(
                path, "int", number, f"a struct holds integers of up to {bits} bits: give a str"
            )
        return number
