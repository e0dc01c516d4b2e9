"""Which variant of a union a value belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from enum import Enum
from numbers import Integral

from flyteidl.core import types_pb2
from flyteidl.core.types_pb2 import LiteralType

from airflow_flyte_provider.model.files import FileReference, FlyteDirectory, FlyteFile
from airflow_flyte_provider.model.values.plain_values import is_model
from airflow_flyte_provider.model.values.types import struct_title

_STORED = frozenset({"blob", "schema", "structured_dataset_type"})


def by_preference(value: object, variants: Sequence[LiteralType]) -> list[LiteralType]:
    """Return a union's variants in the order in which to try a value on them.

    The variants of exactly the value's type come first: an int is an int before it is a float, a text is a `str`
    before it is read as a number. Those that lie in a store come last, since any text may be a URI.

    :param value: the value.
    :param variants: the union's variants, as declared.
    """

    def rank(variant: LiteralType) -> int:
        if is_exactly(value, variant):
            return 0
        return 2 if variant.WhichOneof("type") in _STORED else 1

    return sorted(variants, key=rank)  # a stable sort: within a rank the declared order stays


def is_exactly(value: object, literal_type: LiteralType) -> bool:
    """Return whether a value is of a type as it stands, with nothing to be converted.

    :param value: the value.
    :param literal_type: a type that is no union, or a union with such a variant.
    """
    kind = literal_type.WhichOneof("type")
    if kind == "simple":
        return _is_exactly_simple(value, literal_type)
    if kind == "collection_type":
        item_type = literal_type.collection_type
        return isinstance(value, list | tuple) and all(is_exactly(item, item_type) for item in value)
    if kind == "map_value_type":
        return isinstance(value, Mapping) and all(
            isinstance(key, str) and is_exactly(item, literal_type.map_value_type)
            for key, item in value.items()
        )
    if kind == "enum_type":
        return isinstance(value, Enum) and value.value in literal_type.enum_type.values
    if kind in _STORED:
        return isinstance(value, FileReference | FlyteFile | FlyteDirectory)
    if kind == "union_type":
        return any(is_exactly(value, variant) for variant in literal_type.union_type.variants)
    return False


def _is_exactly_simple(value: object, literal_type: LiteralType) -> bool:
    simple = literal_type.simple
    if simple == types_pb2.STRUCT:
        return _is_exactly_struct(value, literal_type)
    if value is None or isinstance(value, bool):
        return bool(simple == (types_pb2.NONE if value is None else types_pb2.BOOLEAN))
    if isinstance(value, Enum):
        return False
    return any(simple == its_type and isinstance(value, python_type) for its_type, python_type in _EXACT)


def _is_exactly_struct(value: object, literal_type: LiteralType) -> bool:
    """Tell dataclasses apart by their class, dicts by their keys."""
    title = struct_title(literal_type)
    if is_model(value):
        return title in ("", type(value).__name__)
    schema = literal_type.metadata.fields
    if not isinstance(value, Mapping) or "properties" not in schema:
        return isinstance(value, Mapping)
    return set(value) <= set(schema["properties"].struct_value.fields)


_EXACT = (
    (types_pb2.INTEGER, Integral),
    (types_pb2.FLOAT, float),
    (types_pb2.STRING, str),
    (types_pb2.DATETIME, date),
    (types_pb2.DURATION, timedelta),
)
