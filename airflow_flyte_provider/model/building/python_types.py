"""Python types as Flyte's, as flytekit's type engine writes them."""

from __future__ import annotations

import types
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any, Union, get_args, get_origin

from flyteidl.core.types_pb2 import (
    BlobType,
    EnumType,
    LiteralType,
    SimpleType,
    TypeAnnotation,
    TypeStructure,
    UnionType,
)
from google.protobuf.json_format import ParseDict
from google.protobuf.struct_pb2 import Struct

from airflow_flyte_provider.model.files import FlyteDirectory, FlyteFile

_SIMPLE: dict[object, tuple[int, str]] = {
    int: (SimpleType.INTEGER, "int"),
    float: (SimpleType.FLOAT, "float"),
    str: (SimpleType.STRING, "str"),
    bool: (SimpleType.BOOLEAN, "bool"),
    datetime: (SimpleType.DATETIME, "datetime"),
    date: (SimpleType.DATETIME, "date"),
    timedelta: (SimpleType.DURATION, "timedelta"),
    bytes: (SimpleType.BINARY, "bytes"),
    type(None): (SimpleType.NONE, "none"),
}
_STORED = {
    FlyteFile: (BlobType.SINGLE, "FlyteFilePath"),
    FlyteDirectory: (BlobType.MULTIPART, "FlyteDirectory"),
}
_MSGPACK = {"cache-key-metadata": {"serialization-format": "msgpack"}}


def literal_type_of(kind: Any) -> LiteralType:
    """Return a Python type as a `flyteidl.core.LiteralType`.

    :param kind: `int`, `float`, `str`, `bool`, `datetime`, `date`, `timedelta`, `bytes`, `None`, `list[...]`,
        `dict[str, ...]`, `dict`, a union, an `Enum` of texts, `FlyteFile`, `FlyteDirectory`; a
        `flyteidl.core.SimpleType`; or a `LiteralType`, which is passed as it is.
    :raises ValueError: for any other type.

    >>> literal_type_of(list[int]).collection_type.simple == SimpleType.INTEGER
    True
    """
    if isinstance(kind, LiteralType):
        return kind
    if isinstance(kind, int) and not isinstance(kind, bool):
        return LiteralType(simple=kind)
    return _tagged(type(None) if kind is None else kind)[0]


def _tagged(kind: Any) -> tuple[LiteralType, str]:
    """Return a type, and what flytekit calls it where it is a variant of a union."""
    if kind in _SIMPLE:
        simple, tag = _SIMPLE[kind]
        return LiteralType(simple=simple), tag
    if kind in _STORED:
        dimensionality, tag = _STORED[kind]
        return LiteralType(blob=BlobType(dimensionality=dimensionality)), tag
    if kind is dict:
        annotation = TypeAnnotation(annotations=ParseDict(_MSGPACK, Struct()))
        return LiteralType(simple=SimpleType.STRUCT, annotation=annotation), "Typed Dict"
    if isinstance(kind, type) and issubclass(kind, Enum):
        values = [str(member.value) for member in kind]
        return LiteralType(enum_type=EnumType(values=values)), "DefaultEnumTransformer"
    origin, inner = get_origin(kind), get_args(kind)
    if origin is list and len(inner) == 1:
        return LiteralType(collection_type=literal_type_of(inner[0])), "Typed List"
    if origin is dict and len(inner) == 2 and inner[0] is str:
        return LiteralType(map_value_type=literal_type_of(inner[1])), "Typed Dict"
    if origin in (Union, types.UnionType):
        return LiteralType(union_type=UnionType(variants=map(_variant, inner))), "Typed Union"
    raise ValueError(
        f"{kind!r} is no type that Flyte knows: give a flyteidl LiteralType, or another Python type"
    )


def _variant(kind: Any) -> LiteralType:
    plain, tag = _tagged(kind)
    variant = LiteralType(structure=TypeStructure(tag=tag))
    variant.MergeFrom(plain)
    return variant
