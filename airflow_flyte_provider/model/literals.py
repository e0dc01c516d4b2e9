"""Python values as Flyte's literals, and back.

What is written here is, byte for byte, what flytekit's type engine writes for the same type and value.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import Enum

from flyteidl.core.literals_pb2 import (
    Blob,
    BlobMetadata,
    Literal,
    LiteralCollection,
    LiteralMap,
    Primitive,
    Scalar,
    Schema,
    StructuredDataset,
    StructuredDatasetMetadata,
    Union,
    Void,
)
from flyteidl.core.types_pb2 import LiteralType, SimpleType

from airflow_flyte_provider.model.faults import FaultCollector, ValueFault, ValueFaults
from airflow_flyte_provider.model.primitives import PRIMITIVE_TYPES, from_primitive, to_primitive
from airflow_flyte_provider.model.struct_reading import from_struct
from airflow_flyte_provider.model.structs import from_binary, to_struct
from airflow_flyte_provider.model.suggestions import nearest
from airflow_flyte_provider.model.texts import parse_json
from airflow_flyte_provider.model.types import describe
from airflow_flyte_provider.model.variants import by_preference


def to_literal(value: object, literal_type: LiteralType, path: str = "value") -> Literal:
    """Return a Python value as a literal of a declared type, after `flyteidl.core.Literal`.

    A text, as a Jinja template renders to, is read as the declared type: `"5"` for an int, `"true"` for a bool,
    `"2026-01-01T00:00:00Z"` for a datetime, `"P1DT2H"` or `"1 day, 2:00:00"` for a timedelta, JSON for a list, a
    dict or a struct, a URI for a file. Where a `str` is declared, a text stays as it is.

    :param value: the value. Times without a zone are UTC. An enum's member or its value; a file's URI or path.
    :param literal_type: the declared type, after `flyteidl.core.LiteralType`.
    :param path: where the value stands, for faults.
    :return: the literal.
    :raises ValueFaults: naming every value that does not fit, also inside lists, dicts and structs.

    >>> to_literal("5", LiteralType(simple=SimpleType.INTEGER)).scalar.primitive.integer
    5
    """
    kind = literal_type.WhichOneof("type")
    write = _WRITERS.get(kind) if kind else None
    if write is None:
        raise _fault(value, literal_type, path, "this type is not supported yet")
    return write(value, literal_type, path)


def from_literal(literal: Literal, literal_type: LiteralType | None = None, path: str = "value") -> object:
    """Return the Python value of a literal.

    :param literal: the literal.
    :param literal_type: the declared type, which tells ints from floats where the literal alone does not.
    :param path: where the value stands, for faults.
    :return: plain values: None, bool, int, float, str, `datetime` in UTC, `timedelta`, list and dict. An enum is its
        value, a struct a dict (or list), a file or dataset its URI. Finer parts than a microsecond are cut.
    :raises ValueFaults: when Flyte has offloaded the value to a store and the literal only tells where.
    """
    kind = literal.WhichOneof("value")
    if kind == "scalar":
        return _from_scalar(literal.scalar, literal_type, path)
    if kind == "collection":
        item_type = _declared(literal_type, "collection_type")
        items = enumerate(literal.collection.literals)
        return [from_literal(item, item_type, f"{path}[{index}]") for index, item in items]
    if kind == "map":
        value_type = _declared(literal_type, "map_value_type")
        return {
            key: from_literal(item, value_type, f"{path}.{key}") for key, item in literal.map.literals.items()
        }
    if kind == "offloaded_metadata":
        declared = literal_type or literal.offloaded_metadata.inferred_type
        hint = "the value is too large for the message: read it from the store"
        raise ValueFaults.of(path, describe(declared), literal.offloaded_metadata.uri, hint)
    return None


def _write_simple(value: object, literal_type: LiteralType, path: str) -> Literal:
    simple = literal_type.simple
    if simple == SimpleType.STRUCT:
        return to_struct(value, literal_type, path)
    if simple == SimpleType.NONE:
        if value is None or (isinstance(value, str) and value in ("None", "null")):
            return Literal(scalar=Scalar(none_type=Void()))
        raise _fault(value, literal_type, path)
    if simple not in PRIMITIVE_TYPES:
        raise _fault(value, literal_type, path, "this type is not supported yet")
    try:
        return Literal(scalar=Scalar(primitive=to_primitive(value, simple)))
    except ValueError as error:
        raise _fault(value, literal_type, path, str(error)) from None


def _write_enum(value: object, literal_type: LiteralType, path: str) -> Literal:
    choices = literal_type.enum_type.values
    choice = value.value if isinstance(value, Enum) else value
    if not isinstance(choice, str) or choice not in choices:
        near = nearest(choice, choices) if isinstance(choice, str) else []
        raise _fault(
            value, literal_type, path, f"did you mean {' or '.join(map(repr, near))}?" if near else ""
        )
    return Literal(scalar=Scalar(primitive=Primitive(string_value=choice)))


def _write_collection(value: object, literal_type: LiteralType, path: str) -> Literal:
    items = _parsed(value, list, literal_type, path)
    if not isinstance(items, list | tuple):
        raise _fault(value, literal_type, path, "give a list")
    literals, collector = [], FaultCollector()
    for index, item in enumerate(items):
        with collector:
            literals.append(to_literal(item, literal_type.collection_type, f"{path}[{index}]"))
    collector.raise_any()
    return Literal(collection=LiteralCollection(literals=literals))


def _write_map(value: object, literal_type: LiteralType, path: str) -> Literal:
    entries = _parsed(value, dict, literal_type, path)
    if not isinstance(entries, Mapping):
        raise _fault(value, literal_type, path, "give a dict")
    literals, collector = {}, FaultCollector()
    for key, item in entries.items():
        with collector:
            if not isinstance(key, str):
                raise ValueFaults.of(path, "str keys", key)
            literals[key] = to_literal(item, literal_type.map_value_type, f"{path}.{key}")
    collector.raise_any()
    return Literal(map=LiteralMap(literals=literals))


def _write_union(value: object, literal_type: LiteralType, path: str) -> Literal:
    variants = literal_type.union_type.variants
    meant = _only_one(variants)
    told = None
    for variant in by_preference(value, variants):
        try:
            inner = to_literal(value, variant, path)
        except ValueFaults as error:
            told = error.faults if variant == meant else told
        else:
            return Literal(scalar=Scalar(union=Union(value=inner, type=variant)))
    if told:
        raise ValueFaults(_as_optional(fault, literal_type, path) for fault in told)
    raise _fault(value, literal_type, path)


def _write_stored(value: object, literal_type: LiteralType, path: str) -> Literal:
    """Return the literal for what lies in a store, by its URI."""
    uri = str(value) if isinstance(value, os.PathLike) else value
    if not isinstance(uri, str) or not uri:
        raise _fault(value, literal_type, path, "give its URI")
    kind = literal_type.WhichOneof("type")
    if kind == "blob":
        return Literal(scalar=Scalar(blob=Blob(metadata=BlobMetadata(type=literal_type.blob), uri=uri)))
    if kind == "schema":
        return Literal(scalar=Scalar(schema=Schema(uri=uri, type=literal_type.schema)))
    metadata = StructuredDatasetMetadata(structured_dataset_type=literal_type.structured_dataset_type)
    return Literal(scalar=Scalar(structured_dataset=StructuredDataset(uri=uri, metadata=metadata)))


_WRITERS = {
    "simple": _write_simple,
    "enum_type": _write_enum,
    "collection_type": _write_collection,
    "map_value_type": _write_map,
    "union_type": _write_union,
    "blob": _write_stored,
    "schema": _write_stored,
    "structured_dataset_type": _write_stored,
}


def _only_one(variants: Sequence[LiteralType]) -> LiteralType | None:
    """Return the variant beside None, if there is but one: then there is no doubt which was meant."""
    others = [variant for variant in variants if not _is_none(variant)]
    return others[0] if len(others) == 1 else None


def _is_none(literal_type: LiteralType) -> bool:
    return literal_type.WhichOneof("type") == "simple" and bool(literal_type.simple == SimpleType.NONE)


def _declared(literal_type: LiteralType | None, kind: str) -> LiteralType | None:
    """Return the type of what is inside a declared list or dict, if one is declared and is of the kind."""
    if literal_type is None or literal_type.WhichOneof("type") != kind:
        return None
    return getattr(literal_type, kind)


def _as_optional(fault: ValueFault, literal_type: LiteralType, path: str) -> ValueFault:
    """Return the fault of the variant as one of the union: None would have been right too."""
    return replace(fault, expected=describe(literal_type)) if fault.path == path else fault


def _parsed(value: object, kind: type, literal_type: LiteralType, path: str) -> object:
    """Return what a JSON text holds; anything but a text as it is."""
    if not isinstance(value, str):
        return value
    try:
        return parse_json(value, kind)
    except ValueError as error:
        raise _fault(value, literal_type, path, str(error)) from None


def _fault(value: object, literal_type: LiteralType, path: str, hint: str = "") -> ValueFaults:
    return ValueFaults.of(path, describe(literal_type), value, hint)


def _from_scalar(scalar: Scalar, literal_type: LiteralType | None, path: str) -> object:
    kind = scalar.WhichOneof("value")
    if kind == "primitive":
        return from_primitive(scalar.primitive, literal_type.simple if literal_type is not None else None)
    if kind == "union":
        return from_literal(scalar.union.value, scalar.union.type, path)
    if kind == "binary":
        return from_binary(scalar.binary)
    if kind == "generic":
        return from_struct(scalar.generic, literal_type)
    if kind in ("blob", "schema", "structured_dataset"):
        return getattr(scalar, kind).uri
    return scalar.error.message if kind == "error" else None
