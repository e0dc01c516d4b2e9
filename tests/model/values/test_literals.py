"""Texts from templates, what is refused and how it is told, and what is read from a literal."""

import dataclasses
import pickle
from datetime import date, datetime, timedelta, timezone
from enum import Enum
from fractions import Fraction
from numbers import Integral
from pathlib import PurePosixPath

import pendulum
import pytest
from flyteidl.core.literals_pb2 import Binary, Literal, LiteralOffloadedMetadata, Primitive, Scalar
from flyteidl.core.types_pb2 import BlobType, EnumType, LiteralType, SchemaType, SimpleType, UnionType
from google.protobuf.json_format import ParseDict

from airflow_flyte_provider.model.faults import FaultCollector, ValueFaults, shown
from airflow_flyte_provider.model.files import FileReference
from airflow_flyte_provider.model.values.literals import from_literal, to_literal


def simple(name):
    return LiteralType(simple=SimpleType.Value(name))


def union(*variants):
    return LiteralType(union_type=UnionType(variants=variants))


def list_of(item):
    return LiteralType(collection_type=item)


def dict_of(item):
    return LiteralType(map_value_type=item)


NONE, INT, FLOAT, STR, BOOL = map(simple, ["NONE", "INTEGER", "FLOAT", "STRING", "BOOLEAN"])
DATETIME, DURATION, STRUCT = map(simple, ["DATETIME", "DURATION", "STRUCT"])
MSGPACK = ParseDict(
    {
        "simple": "STRUCT",
        "annotation": {"annotations": {"cache-key-metadata": {"serialization-format": "msgpack"}}},
    },
    LiteralType(),
)
COLOUR = LiteralType(enum_type=EnumType(values=["red", "green"]))
FILE = LiteralType(blob=BlobType(format="csv"))
UTC = timezone.utc


@Integral.register
class Int64:
    """As numpy's integers are: no ints, but registered as integral."""

    def __init__(self, number):
        self.number = number

    def __int__(self):
        return self.number


class Colour(str, Enum):
    RED = "red"


def round_trip(value, literal_type):
    return from_literal(to_literal(value, literal_type), literal_type)


def reference(uri, file_format="csv", kind="file"):
    return FileReference(uri, file_format, None, "", kind)


def faults(value, literal_type, path="x"):
    with pytest.raises(ValueFaults) as raised:
        to_literal(value, literal_type, path)
    return raised.value.faults


@pytest.mark.parametrize(
    ("text", "literal_type", "value"),
    [
        ("5", INT, 5),
        (" -12\n", INT, -12),
        ("1.5", FLOAT, 1.5),
        ("5", FLOAT, 5.0),
        ("-inf", FLOAT, float("-inf")),
        ("true", BOOL, True),
        ("False", BOOL, False),
        ("5", STR, "5"),
        ("null", STR, "null"),
        ("", STR, ""),
        ("2026-01-01", DATETIME, datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T00:00:00Z", DATETIME, datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01T02:00:00+02:00", DATETIME, datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-01-01 10:30:00.25", DATETIME, datetime(2026, 1, 1, 10, 30, 0, 250_000, tzinfo=UTC)),
        ("P1DT2H", DURATION, timedelta(days=1, hours=2)),
        ("PT0.5S", DURATION, timedelta(seconds=0.5)),
        ("P2W", DURATION, timedelta(weeks=2)),
        ("2:00:00", DURATION, timedelta(hours=2)),
        ("[1, 2]", list_of(INT), [1, 2]),
        ('["1", 2]', list_of(INT), [1, 2]),
        ('{"a": [true]}', dict_of(list_of(BOOL)), {"a": [True]}),
        ('{"a": 1}', MSGPACK, {"a": 1}),
        ("[1]", MSGPACK, [1]),
        ("green", COLOUR, "green"),
        ("None", NONE, None),
        ("None", union(INT, NONE), None),
        ("null", union(INT, NONE), None),
        ("None", union(STR, NONE), "None"),
        ("7", union(INT, NONE), 7),
        ("7", union(INT, STR), "7"),
        ("7", union(FILE, INT), 7),
        ("s3://b/x.csv", union(INT, FILE), reference("s3://b/x.csv")),
    ],
)
def test_a_text_becomes_the_declared_type(text, literal_type, value):
    read = round_trip(text, literal_type)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    "value", [timedelta(days=1, hours=2), timedelta(hours=-1), timedelta(microseconds=7), timedelta(days=400)]
)
def test_what_str_makes_of_a_timedelta_is_read(value):
    assert round_trip(str(value), DURATION) == value


@pytest.mark.parametrize(
    ("text", "literal_type", "hint"),
    [
        ("5.0", INT, "digits"),
        ("1_000", INT, "digits"),
        ("", INT, "digits"),
        ("x", FLOAT, "number"),
        ("yes", BOOL, "'true' or 'false'"),
        ("1", BOOL, "'true' or 'false'"),
        ("2026", DATETIME, "ISO 8601"),
        ("12:30", DATETIME, "ISO 8601"),
        ("2026-13-01", DATETIME, "ISO 8601"),
        ("2026-01-01/2026-01-02", DATETIME, "ISO 8601"),
        ("P1M", DURATION, "no fixed length"),
        ("5", DURATION, "P1DT2H"),
        ("Px", DURATION, "P1DT2H"),
        ("99999999999 days", DURATION, "too long"),
        ("['a']", list_of(STR), "tojson"),
        ('{"a": 1}', list_of(INT), "array"),
        ("[1]", dict_of(INT), "object"),
        ("5", MSGPACK, "array"),
        ("{'a'}", MSGPACK, "tojson"),
        ("gren", COLOUR, "'green'"),
    ],
)
def test_a_text_that_does_not_fit_is_told_how_it_should_look(text, literal_type, hint):
    (fault,) = faults(text, literal_type)
    assert fault.given == "str"
    assert hint in fault.hint


@pytest.mark.parametrize(
    ("value", "literal_type", "expected"),
    [
        (True, INT, "int"),
        (5.0, INT, "int"),
        (1.5, INT, "int"),
        (2**63, INT, "int"),
        (-(2**63) - 1, INT, "int"),
        (None, INT, "int"),
        (True, FLOAT, "float"),
        (10**400, FLOAT, "float"),
        ([], FLOAT, "float"),
        (1, BOOL, "bool"),
        (5, STR, "str"),
        (None, STR, "str"),
        ("\ud800", STR, "str"),
        (5, DATETIME, "datetime"),
        (datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))), DATETIME, "datetime"),
        (5, DURATION, "timedelta"),
        (timedelta.max, DURATION, "timedelta"),
        (0, NONE, "None"),
        ({1, 2}, list_of(INT), "list[int]"),
        ([1], dict_of(INT), "dict[str, int]"),
        (5, MSGPACK, "struct"),
        (object, MSGPACK, "struct"),
        (5, COLOUR, "Enum('red','green')"),
        (5, FILE, "FlyteFile[csv]"),
        ("", FILE, "FlyteFile[csv]"),
        ("x", simple("BINARY"), "bytes"),
        (5, simple("ERROR"), "error"),
        ("x", LiteralType(), "unknown type"),
        (1.5, union(INT, STR), "int | str"),
        (1.5, union(INT, NONE), "int | None"),
        (None, union(INT, STR), "int | str"),
    ],
)
def test_a_wrong_value_is_told_with_its_declared_type(value, literal_type, expected):
    (fault,) = faults(value, literal_type)
    assert (fault.path, fault.expected, fault.given) == ("x", expected, type(value).__name__)
    assert str(fault).startswith(f"x: expected {expected}, got {fault.given} ")


def test_every_fault_is_found_with_its_path():
    table = dict_of(list_of(dict_of(INT)))
    value = {"columns": [{"a": 1}, {"b": "x", "c": True}, {"name": None}], "rows": 5}
    assert [fault.path for fault in faults(value, table, "table")] == [
        "table.columns[1].b",
        "table.columns[1].c",
        "table.columns[2].name",
        "table.rows",
    ]


def test_every_fault_inside_a_struct_is_found_with_its_path():
    @dataclasses.dataclass
    class Column:
        name: object

    value = {"columns": [Column("a"), {"x": {object()}}, Column(object())], "big": 2**64, "m": {1.5: 1}}
    paths = [fault.path for fault in faults(value, MSGPACK, "t")]
    assert paths == ["t.columns[1].x[0]", "t.columns[2].name", "t.big", "t.m"]


def test_faults_inside_an_optional_list_are_as_precise_as_in_a_list():
    assert [fault.path for fault in faults([1, "x"], union(list_of(INT), NONE))] == ["x[1]"]


def test_keys_must_be_texts():
    assert faults({1: 1}, dict_of(INT))[0].expected == "str keys"
    assert faults({1: 1}, STRUCT)[0].expected == "str keys"


def test_a_struct_without_messagepack_cannot_hold_everything():
    assert to_literal({"a": [1]}, STRUCT).scalar.HasField("generic")
    assert "53 bits" in faults({"a": 2**60}, STRUCT)[0].hint
    assert faults({"a": b"x"}, STRUCT)[0].path == "x.a"
    assert round_trip([1], STRUCT) == [1], "a list never fits a protobuf Struct"


def test_a_value_that_holds_itself_is_refused():
    value = {}
    value["self"] = value
    assert faults(value, MSGPACK)[0].hint == "nested too deeply"
    deep = []
    for _ in range(600):
        deep = [deep]
    assert faults(deep, MSGPACK)[0].hint == "nested too deeply"


def test_values_are_cut_and_a_broken_repr_hides_no_fault():
    class Broken:
        def __repr__(self):
            raise RuntimeError

    assert len(shown("x" * 1000)) == 100
    assert faults(Broken(), INT)[0].shown == "<repr failed: RuntimeError>"


def test_faults_survive_pickle_and_other_errors_pass_the_collector():
    with pytest.raises(ValueFaults) as raised:
        to_literal(["x"], list_of(INT), "p")
    again = pickle.loads(pickle.dumps(raised.value))
    assert (again.faults, str(again)) == (raised.value.faults, str(raised.value))
    with pytest.raises(KeyError), FaultCollector():
        raise KeyError


@pytest.mark.parametrize(
    ("value", "literal_type", "read"),
    [
        ((1, 2), list_of(INT), [1, 2]),
        (5, FLOAT, 5.0),
        (Int64(5), INT, 5),
        (Fraction(1, 2), FLOAT, 0.5),
        (Colour.RED, COLOUR, "red"),
        (Colour.RED, STR, "red"),
        (date(2026, 1, 1), DATETIME, datetime(2026, 1, 1, tzinfo=UTC)),
        (pendulum.datetime(2026, 1, 1, tz="Europe/Berlin"), DATETIME, datetime(2025, 12, 31, 23, tzinfo=UTC)),
        (pendulum.duration(weeks=1, days=2, microseconds=7), DURATION, timedelta(days=9, microseconds=7)),
        (pendulum.duration(days=-1, hours=-1), DURATION, timedelta(days=-1, hours=-1)),
        (PurePosixPath("/data/x.csv"), FILE, reference("/data/x.csv")),
        ("s3://b/x", LiteralType(schema=SchemaType()), reference("s3://b/x", "parquet", "schema")),
        (
            {"a": (1, {2}), "d": timedelta(seconds=1.5), "n": Int64(3)},
            MSGPACK,
            {"a": [1, [2]], "d": 1.5, "n": 3},
        ),
        (
            {"c": Colour.RED, "p": PurePosixPath("a"), "t": date(2026, 1, 1)},
            MSGPACK,
            {"c": "red", "p": "a", "t": "2026-01-01"},
        ),
    ],
)
def test_near_relatives_of_a_type_are_taken(value, literal_type, read):
    found = round_trip(value, literal_type)
    assert found == read
    assert type(found) is type(read)


@pytest.mark.parametrize(
    ("value", "variants", "chosen"),
    [
        (True, [INT, FLOAT, BOOL], BOOL),
        (1, [FLOAT, INT], INT),
        (1, [FLOAT, STR], FLOAT),
        (1.0, [INT, FLOAT], FLOAT),
        ("1", [INT, STR], STR),
        ("red", [COLOUR, STR], STR),
        (Colour.RED, [STR, COLOUR], COLOUR),
        ("red", [INT, COLOUR], COLOUR),
        ({"a": 1}, [list_of(INT), dict_of(INT)], dict_of(INT)),
        ({"a": "x"}, [dict_of(INT), MSGPACK], MSGPACK),
        ([1.5], [list_of(INT), list_of(FLOAT)], list_of(FLOAT)),
        ([1, "a"], [list_of(INT), list_of(union(INT, STR))], list_of(union(INT, STR))),
        ("2026-01-01", [FILE, DATETIME], DATETIME),
    ],
)
def test_a_union_takes_the_variant_of_exactly_the_type(value, variants, chosen):
    assert to_literal(value, union(*variants)).scalar.union.type == chosen


def test_dataclasses_in_a_union_are_told_apart_by_class_and_dicts_by_keys():
    @dataclasses.dataclass
    class Second:
        b: int

    def struct(title, field):
        metadata = {"title": title, "properties": {field: {"type": "integer"}}}
        return ParseDict({"metadata": metadata}, LiteralType.FromString(MSGPACK.SerializeToString()))

    first, second = struct("First", "a"), struct("Second", "b")
    assert to_literal(Second(1), union(first, second)).scalar.union.type == second
    assert to_literal({"b": 1}, union(first, second)).scalar.union.type == second


def primitive(**fields):
    return Literal(scalar=Scalar(primitive=Primitive(**fields)))


def test_numbers_are_read_as_declared():
    assert repr(from_literal(primitive(float_value=5.0), INT)) == "5"
    assert repr(from_literal(primitive(integer=5), FLOAT)) == "5.0"
    assert repr(from_literal(primitive(float_value=5.5), INT)) == "5.5"
    assert repr(from_literal(primitive(float_value=5.0))) == "5.0"


def test_nanoseconds_are_cut():
    literal = Literal()
    literal.scalar.primitive.datetime.FromJsonString("2026-01-01T00:00:00.123456999Z")
    assert from_literal(literal) == datetime(2026, 1, 1, 0, 0, 0, 123456, tzinfo=UTC)
    literal.scalar.primitive.duration.FromJsonString("1.000000999s")
    assert from_literal(literal) == timedelta(seconds=1)


def test_other_literals_are_read_as_they_are():
    assert from_literal(Literal()) is None
    assert from_literal(primitive()) is None
    assert from_literal(Literal(scalar=Scalar(binary=Binary(value=b"x", tag="other")))) == b"x"
    assert from_literal(ParseDict({"scalar": {"error": {"message": "broken"}}}, Literal())) == "broken"
    schema = ParseDict({"scalar": {"schema": {"uri": "s3://b/x"}}}, Literal())
    assert from_literal(schema) == reference("s3://b/x", "parquet", "schema")


def test_an_offloaded_value_is_told_and_not_made_up():
    literal = Literal(
        offloaded_metadata=LiteralOffloadedMetadata(uri="s3://b/big", inferred_type=list_of(INT))
    )
    with pytest.raises(ValueFaults, match=r"expected list\[int\].*s3://b/big.*too large"):
        from_literal(literal)
