"""Which type may flow into which."""

from __future__ import annotations

import pytest
from flyteidl.core import literals_pb2, types_pb2

from airflow_flyte_provider.model.values.casting import castable, is_optional, type_of_literal

LiteralType = types_pb2.LiteralType
INT = LiteralType(simple=types_pb2.INTEGER)
STR = LiteralType(simple=types_pb2.STRING)
NONE = LiteralType(simple=types_pb2.NONE)
COLOUR = LiteralType(enum_type=types_pb2.EnumType(values=["red"]))


def union(*variants: LiteralType) -> LiteralType:
    return LiteralType(union_type=types_pb2.UnionType(variants=variants))


def many(inner: LiteralType) -> LiteralType:
    return LiteralType(collection_type=inner)


def tagged(literal_type: LiteralType, tag: str) -> LiteralType:
    result = LiteralType()
    result.CopyFrom(literal_type)
    result.structure.tag = tag
    return result


def struct(schema: dict | None = None) -> LiteralType:
    result = LiteralType(simple=types_pb2.STRUCT)
    if schema is not None:
        result.metadata.update(schema)
    return result


def blob(name: str) -> LiteralType:
    return LiteralType(blob=types_pb2.BlobType(format=name))


def table(*columns: tuple[str, LiteralType], stored: str = "") -> LiteralType:
    kind = types_pb2.StructuredDatasetType(format=stored)
    for name, inner in columns:
        kind.columns.add(name=name).literal_type.CopyFrom(inner)
    return LiteralType(structured_dataset_type=kind)


POINT = {"type": "object", "properties": {"x": {"type": "number"}}, "required": ["x"]}
POINT_3D = {"type": "object", "properties": {"x": {"type": "number"}, "z": {"type": "number"}}}


@pytest.mark.parametrize(
    ("upstream", "downstream", "fits"),
    [
        (INT, INT, True),
        (INT, STR, False),
        (COLOUR, STR, True),
        (STR, COLOUR, True),
        (INT, COLOUR, False),
        (many(INT), many(INT), True),
        (many(INT), many(STR), False),
        (many(NONE), many(INT), True),
        (INT, many(INT), False),
        (LiteralType(map_value_type=INT), LiteralType(map_value_type=INT), True),
        (LiteralType(map_value_type=NONE), LiteralType(map_value_type=STR), True),
        (INT, union(INT, STR), True),
        (INT, union(INT, INT), False),
        (struct(), union(INT, STR), False),
        (union(INT, STR), union(STR, INT, NONE), True),
        (union(INT, STR), union(INT, NONE), False),
        (union(INT), INT, True),
        (union(INT, STR), INT, False),
        (NONE, NONE, True),
        (INT, NONE, False),
        (tagged(INT, "int"), tagged(INT, "int"), True),
        (tagged(INT, "int"), INT, False),
        (INT, tagged(INT, "int"), True),
        (blob("csv"), blob(""), True),
        (blob("csv"), blob("csv"), True),
        (blob("csv"), blob("png"), False),
        (struct(), struct(POINT), True),
        (struct(POINT), struct(POINT), True),
        (struct(POINT_3D), struct(POINT), True),
        (struct({"type": "object"}), struct(POINT), False),
        (table(("a", INT)), table(), True),
        (table(("a", INT), ("b", STR)), table(("a", INT)), True),
        (table(("a", INT)), table(("b", INT)), False),
        (table(stored="csv"), table(stored="parquet"), False),
        (LiteralType(schema=types_pb2.SchemaType()), table(stored="parquet"), True),
        (LiteralType(schema=types_pb2.SchemaType()), table(stored="csv"), False),
        (NONE, table(), True),
    ],
)
def test_castable(upstream: LiteralType, downstream: LiteralType, fits: bool) -> None:
    assert castable(upstream, downstream) is fits


def literal(value: object) -> literals_pb2.Literal:
    result = literals_pb2.Literal()
    if isinstance(value, list):
        result.collection.SetInParent()
        result.collection.literals.extend([literal(one) for one in value])
    elif isinstance(value, dict):
        result.map.SetInParent()
        for key, one in value.items():
            result.map.literals[key].CopyFrom(literal(one))
    elif isinstance(value, int):
        result.scalar.primitive.integer = value
    else:
        result.scalar.primitive.string_value = str(value)
    return result


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (1, INT),
        ([1, 2], many(INT)),
        ([], many(NONE)),
        ([[], [1]], many(many(INT))),
        ({"k": ["a"]}, LiteralType(map_value_type=many(STR))),
        ([1, "a"], many(union(INT, STR))),
    ],
)
def test_the_type_a_literal_shows(value: object, shown: LiteralType) -> None:
    assert type_of_literal(literal(value)) == shown


def test_msgpack_is_a_struct_and_other_bytes_are_binary() -> None:
    packed = literals_pb2.Literal()
    packed.scalar.binary.tag = "msgpack"
    assert type_of_literal(packed) == struct()
    packed.scalar.binary.tag = ""
    assert type_of_literal(packed) == LiteralType(simple=types_pb2.BINARY)


def test_an_empty_literal_has_no_type() -> None:
    assert type_of_literal(literals_pb2.Literal()) is None


def test_a_union_with_none_is_optional() -> None:
    assert is_optional(union(INT, NONE))
    assert not is_optional(union(INT, STR))
    assert not is_optional(INT)
