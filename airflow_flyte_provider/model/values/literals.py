"""Python values as Flyte's literals, and back.

What is written here is, byte for byte, what flytekit's type engine writes for the same type and value.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import Enum

from flyteidl.core import types_pb2
from flyteidl.core.literals_pb2 import (
    Binary,
    Literal,
    LiteralCollection,
    LiteralMap,
    Primitive,
    Scalar,
    Union,
    Void,
)
from flyteidl.core.types_pb2 import Error, LiteralType

from airflow_flyte_provider.model.faults import FaultCollector, ValueFault, ValueFaults, shown
from airflow_flyte_provider.model.files import FileReference
from airflow_flyte_provider.model.suggestions import did_you_mean
from airflow_flyte_provider.model.texts import parse_json
from airflow_flyte_provider.model.values.casting import castable, type_of_literal
from airflow_flyte_provider.model.values.foreign import as_python
from airflow_flyte_provider.model.values.offloading import Fetch, fetched, refers_to_value, to_offloaded
from airflow_flyte_provider.model.values.primitives import PRIMITIVE_TYPES, from_primitive, to_primitive
from airflow_flyte_provider.model.values.stored import from_stored, to_stored
from airflow_flyte_provider.model.values.struct_reading import from_struct
from airflow_flyte_provider.model.values.structs import from_binary, to_struct
from airflow_flyte_provider.model.values.types import describe
from airflow_flyte_provider.model.values.variants import by_preference, is_exactly

_log = logging.getLogger(__name__)
_REFERENCES = (FileReference, dict)  # classes compared as they are: this is asked of every value


def to_literal(value: object, literal_type: LiteralType, path: str = "value") -> Literal:
    """Return a Python value as a literal of a declared type, after `flyteidl.core.Literal`.

    A text, as a Jinja template renders to, is read as the declared type: `"5"` for an int, `"true"` for a bool,
    `"2026-01-01T00:00:00Z"` for a datetime, `"P1DT2H"` or `"1 day, 2:00:00"` for a timedelta, JSON for a list, a
    dict or a struct, a URI for a file. Where a `str` is declared, a text stays as it is.

    :param value: the value. Times without a zone are UTC. An enum's member or its value; a file's URI, path,
        `FlyteFile` or `FileReference`; a reference, or the dict of one, to a value that Flyte keeps apart. A
        `flyteidl.core.Literal` is passed as it is, with its hash and metadata.
    :param literal_type: the declared type, after `flyteidl.core.LiteralType`.
    :param path: where the value stands, for faults.
    :return: the literal.
    :raises ValueFaults: naming every value that does not fit, also inside lists, dicts and structs.

    >>> to_literal("5", LiteralType(simple=SimpleType.INTEGER)).scalar.primitive.integer
    5
    """
    if isinstance(value, Literal):
        return _checked(value, literal_type, path)
    if type(value) in _REFERENCES and refers_to_value(value, literal_type):
        return to_offloaded(value, literal_type)  # type: ignore[arg-type]
    write = _WRITERS.get(literal_type.WhichOneof("type") or "")
    if write is None:
        raise _fault(value, literal_type, path, "this provider does not know the type")
    return write(value, literal_type, path)


def from_literal(
    literal: Literal,
    literal_type: LiteralType | None = None,
    path: str = "value",
    fetch: Fetch | None = None,
) -> object:
    """Return the Python value of a literal.

    :param literal: the literal.
    :param literal_type: the declared type, which tells ints from floats where the literal alone does not.
    :param path: where the value stands, for faults.
    :param fetch: returns the bytes at a URI of the store, for values that Flyte has offloaded.
    :return: plain values: None, bool, int, float, str, bytes, `datetime` in UTC, `timedelta`, list and dict. An enum
        is its value, a struct a dict (or list), a file or table a `FileReference`, an error its message. Finer
        parts than a microsecond are cut.
    :raises ValueFaults: when the value is offloaded and there is no `fetch`.
    :raises OffloadedValueError: when what was fetched is not what Flyte has put there.
    """
    kind = literal.WhichOneof("value")
    if kind == "scalar":
        return _from_scalar(literal.scalar, literal_type, path, fetch)
    if kind == "collection":
        item_type = _declared(literal_type, "collection_type")
        items = enumerate(literal.collection.literals)
        return [from_literal(item, item_type, f"{path}[{index}]", fetch) for index, item in items]
    if kind == "map":
        value_type = _declared(literal_type, "map_value_type")
        return {
            key: from_literal(item, value_type, f"{path}.{key}", fetch)
            for key, item in literal.map.literals.items()
        }
    if kind == "offloaded_metadata":
        declared = literal_type or literal.offloaded_metadata.inferred_type
        if fetch is not None:
            return from_literal(fetched(literal, fetch), declared, path, fetch)
        hint = "the value is too large for the message: read it from the store"
        raise ValueFaults.of(path, describe(declared), literal.offloaded_metadata.uri, hint)
    return None


def _checked(literal: Literal, literal_type: LiteralType, path: str) -> Literal:
    own_type = type_of_literal(literal)
    if own_type is not None and not castable(own_type, literal_type):
        raise _fault(literal, literal_type, path, f"the literal is of type {describe(own_type)}")
    return literal


def _write_simple(value: object, literal_type: LiteralType, path: str) -> Literal:
    simple = literal_type.simple
    if simple in PRIMITIVE_TYPES:
        try:
            return to_primitive(value, simple)
        except ValueError as error:
            raise _fault(value, literal_type, path, str(error)) from None
    if simple == types_pb2.STRUCT:
        return to_struct(value, literal_type, path)
    if simple == types_pb2.NONE:
        if value is None or (isinstance(value, str) and value in ("None", "null")):
            return Literal(scalar=Scalar(none_type=Void()))
        raise _fault(value, literal_type, path)
    if simple == types_pb2.BINARY:
        if isinstance(value, bytes | bytearray | memoryview):
            return Literal(scalar=Scalar(binary=Binary(value=bytes(value))))
        raise _fault(value, literal_type, path, "give bytes")
    if simple == types_pb2.ERROR:
        return _write_error(value, literal_type, path)
    raise _fault(value, literal_type, path, "this provider does not know the type")


def _write_error(value: object, literal_type: LiteralType, path: str) -> Literal:
    """Return an error by its message: a text, an exception, or what has a `message` as flytekit's FlyteError."""
    message = str(value) if isinstance(value, Exception) else getattr(value, "message", value)
    if not isinstance(message, str):
        raise _fault(value, literal_type, path, "give its message or an exception")
    node = getattr(value, "failed_node_id", "")
    return Literal(scalar=Scalar(error=Error(message=message, failed_node_id=node)))


def _write_enum(value: object, literal_type: LiteralType, path: str) -> Literal:
    choices = literal_type.enum_type.values
    choice = value.value if isinstance(value, Enum) else value
    if not isinstance(choice, str) or choice not in choices:
        raise _fault(value, literal_type, path, did_you_mean(choice, choices))
    return Literal(scalar=Scalar(primitive=Primitive(string_value=choice)))


def _write_collection(value: object, literal_type: LiteralType, path: str) -> Literal:
    items = _parsed(value, list, literal_type, path)
    if not isinstance(items, list | tuple):
        raise _fault(value, literal_type, path, "give a list")
    literals: list[Literal] = []
    faults: list[ValueFault] = []
    item_type = literal_type.collection_type
    for index, item in enumerate(items):
        try:
            literals.append(to_literal(item, item_type, f"{path}[{index}]"))
        except ValueFaults as error:
            faults += error.faults
    if faults:
        raise ValueFaults(faults)
    return Literal(collection=LiteralCollection(literals=literals))


def _write_map(value: object, literal_type: LiteralType, path: str) -> Literal:
    entries = _parsed(value, dict, literal_type, path)
    if not isinstance(entries, Mapping):
        raise _fault(value, literal_type, path, "give a dict")
    literals, collector = {}, FaultCollector()
    value_type = literal_type.map_value_type
    for key, item in entries.items():
        with collector:
            if not isinstance(key, str):
                raise ValueFaults.of(path, "str keys", key)
            literals[key] = to_literal(item, value_type, f"{path}.{key}")
    collector.raise_any()
    return Literal(map=LiteralMap(literals=literals))


def _write_union(value: object, literal_type: LiteralType, path: str) -> Literal:
    """Return the first variant that fits: those of exactly the value's type before any that need a conversion."""
    variants = literal_type.union_type.variants
    meant = _only_one(variants)
    told: list[ValueFault] = []
    ordered = by_preference(value, variants)
    for at, variant in enumerate(ordered):
        try:
            inner = to_literal(value, variant, path)
        except ValueFaults as error:
            # A fault deeper inside says that the value has the variant's shape.
            if variant == meant or (meant is None and all(fault.path != path for fault in error.faults)):
                told = told or list(error.faults)
        else:
            _tell_ambiguity(value, variant, ordered[at + 1 :], path)
            return Literal(scalar=Scalar(union=Union(value=inner, type=variant)))
    if told:
        raise ValueFaults(_as_optional(fault, literal_type, path) for fault in told)
    raise _fault(value, literal_type, path)


def _tell_ambiguity(value: object, taken: LiteralType, others: Sequence[LiteralType], path: str) -> None:
    """Warn of variants that the value fits as exactly as the one that was taken: flytekit refuses such a value."""
    if not others or not is_exactly(value, taken):
        return
    also = [describe(variant) for variant in others if is_exactly(value, variant)]
    if also:
        _log.warning(
            "%s: %s fits %s as well as %s: the first is taken. Give a flyteidl Literal to choose another.",
            path,
            shown(value),
            describe(taken),
            " and ".join(also),
        )


_WRITERS = {
    "simple": _write_simple,
    "enum_type": _write_enum,
    "collection_type": _write_collection,
    "map_value_type": _write_map,
    "union_type": _write_union,
    "blob": to_stored,
    "schema": to_stored,
    "structured_dataset_type": to_stored,
}


def _only_one(variants: Sequence[LiteralType]) -> LiteralType | None:
    """Return the variant beside None, if there is but one: then there is no doubt which was meant."""
    others = [variant for variant in variants if not _is_none(variant)]
    return others[0] if len(others) == 1 else None


def _is_none(literal_type: LiteralType) -> bool:
    return literal_type.WhichOneof("type") == "simple" and bool(literal_type.simple == types_pb2.NONE)


def _declared(literal_type: LiteralType | None, kind: str) -> LiteralType | None:
    """Return the type of what is inside a declared list or dict, if one is declared and is of the kind."""
    if literal_type is None or literal_type.WhichOneof("type") != kind:
        return None
    return getattr(literal_type, kind)


def _as_optional(fault: ValueFault, literal_type: LiteralType, path: str) -> ValueFault:
    """Return the fault of the variant as one of the union: None would have been right too."""
    return replace(fault, expected=describe(literal_type)) if fault.path == path else fault


def _parsed(value: object, kind: type, literal_type: LiteralType, path: str) -> object:
    """Return what a JSON text or an array of numpy holds; anything else as it is."""
    if not isinstance(value, str):
        return as_python(value)
    try:
        return parse_json(value, kind)
    except ValueError as error:
        raise _fault(value, literal_type, path, str(error)) from None


def _fault(value: object, literal_type: LiteralType, path: str, hint: str = "") -> ValueFaults:
    return ValueFaults.of(path, describe(literal_type), value, hint)


def _from_scalar(scalar: Scalar, literal_type: LiteralType | None, path: str, fetch: Fetch | None) -> object:
    kind = scalar.WhichOneof("value")
    if kind == "primitive":
        return from_primitive(scalar.primitive, literal_type.simple if literal_type is not None else None)
    if kind == "union":
        return from_literal(scalar.union.value, scalar.union.type, path, fetch)
    if kind == "binary":
        return from_binary(scalar.binary)
    if kind == "generic":
        return from_struct(scalar.generic, literal_type)
    if kind in ("blob", "schema", "structured_dataset"):
        return from_stored(scalar)
    return scalar.error.message if kind == "error" else None
