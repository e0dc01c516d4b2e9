"""Outputs: read when asked for, offloaded values fetched and checked, and what XCom gets of them."""

import dataclasses
import enum
import json
import pickle
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pydantic
import pytest
from flyteidl.core.interface_pb2 import VariableMap
from flyteidl.core.literals_pb2 import Literal, LiteralMap
from flyteidl.core.types_pb2 import LiteralType, UnionType
from flytekit.utils.pbhash import compute_hash_string
from google.protobuf.json_format import ParseDict

from airflow_flyte_provider.model.faults import ValueFaults
from airflow_flyte_provider.model.files import FileReference
from airflow_flyte_provider.model.values.literals import from_literal, to_literal
from airflow_flyte_provider.model.values.offloading import OffloadedValueError
from airflow_flyte_provider.model.values.outputs import Outputs, UnknownOutputError
from airflow_flyte_provider.model.values.xcom import XComTooLargeError, to_xcom

LITERALS = ParseDict(
    {
        "literals": {
            "count": {"scalar": {"primitive": {"float_value": 5.0}}, "hash": "h", "metadata": {"k": "v"}},
            "when": {"scalar": {"primitive": {"datetime": "2026-01-01T00:00:00.123456789Z"}}},
            "span": {"scalar": {"primitive": {"duration": "-3600s"}}},
            "nan": {"scalar": {"primitive": {"float_value": "NaN"}}},
            "file": {"scalar": {"blob": {"uri": "s3://b/x.csv", "metadata": {"type": {"format": "csv"}}}}},
            "config": {"scalar": {"generic": {"n": 1, "kind": "a", "inner": {"lasts": 2}}}},
            "raw": {"scalar": {"binary": {"value": "AAE=", "tag": "other"}}},
        }
    },
    LiteralMap(),
)
VARIABLES = ParseDict({"variables": {"count": {"type": {"simple": "INTEGER"}}}}, VariableMap())
INTEGERS = ParseDict({"collection_type": {"simple": "INTEGER"}}, VariableMap().variables["x"].type)
FILE = FileReference("s3://b/x.csv", "csv", None, "flyte://v1/p/d/e/n0/o/file", "file")


class Kind(enum.Enum):
    A = "a"


@dataclasses.dataclass
class Inner:
    lasts: timedelta


@dataclasses.dataclass
class Config:
    n: int
    kind: Kind
    inner: Inner | None = None


class Model(pydantic.BaseModel):
    n: int


@pytest.fixture
def outputs():
    return Outputs(LITERALS, VARIABLES, flyte_url="flyte://v1/p/d/e/n0/o/{}".format)


def test_values_are_read_as_declared_and_when_asked_for(outputs):
    assert repr(outputs["count"]) == "5"
    assert outputs["file"] == FILE
    assert list(outputs) == ["config", "count", "file", "nan", "raw", "span", "when"]
    assert outputs.as_dict()["raw"] == b"\x00\x01"
    assert Outputs(LiteralMap()) == {}
    assert outputs.get("other", 3) == 3
    assert "5" not in repr(outputs), "values may be secret"


@pytest.mark.parametrize(
    ("name", "as_type", "value"),
    [
        ("count", str, "5"),
        ("count", Decimal, Decimal(5)),
        ("when", str, "2026-01-01T00:00:00.123456789Z"),
        ("when", date, date(2026, 1, 1)),
        ("when", datetime, datetime(2026, 1, 1, 0, 0, 0, 123456, tzinfo=timezone.utc)),
        ("config", Config, Config(1, Kind.A, Inner(timedelta(seconds=2)))),
        ("config", Model, Model(n=1)),
    ],
)
def test_a_value_as_another_type(outputs, name, as_type, value):
    assert outputs.get(name, as_type=as_type) == value


def test_a_value_that_cannot_become_the_type_is_told_by_its_path(outputs):
    literal = ParseDict({"scalar": {"generic": {"n": 1, "kind": "z"}}}, Literal())
    with pytest.raises(ValueFaults, match=r"x\.kind: expected Kind, got str 'z'"):
        Outputs(LiteralMap(literals={"x": literal})).get("x", as_type=Config)


def test_an_unknown_name_lists_what_there_is_nearest_first(outputs):
    with pytest.raises(UnknownOutputError, match="there is no 'cuont', but: count, config, file") as raised:
        outputs["cuont"]
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)


def test_a_literal_goes_through_unchanged_with_its_hash(outputs):
    literal = outputs.get_literal("count")
    assert (literal.hash, dict(literal.metadata)) == ("h", {"k": "v"})
    literal = to_literal([1, 2], INTEGERS)
    literal.hash = "mine"
    assert to_literal(literal, INTEGERS) is literal
    with pytest.raises(ValueFaults, match=r"expected list\[int\].*the literal is of type datetime"):
        to_literal(LITERALS.literals["when"], INTEGERS)


def offloaded(literal, **changes):
    content = literal.SerializeToString()
    away = Literal(hash=compute_hash_string(literal))
    away.offloaded_metadata.uri = "s3://b/big"
    away.offloaded_metadata.size_bytes = changes.get("size", len(content))
    away.offloaded_metadata.inferred_type.CopyFrom(INTEGERS)
    away.hash = changes.get("hash", away.hash)
    return away, {"s3://b/big": changes.get("content", content)}.__getitem__


def test_an_offloaded_value_is_fetched_and_checked():
    away, fetch = offloaded(to_literal([1, 2], INTEGERS))
    assert from_literal(away, fetch=fetch) == [1, 2]
    assert Outputs(LiteralMap(literals={"x": away}), fetch=fetch) == {"x": [1, 2]}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"size": 5}, "bytes instead of 5"),
        ({"content": b"\xff" * 3, "size": 3}, "no Flyte literal"),
        ({"hash": "A" * 43 + "="}, "has the hash"),
    ],
)
def test_an_offloaded_value_that_is_another_is_refused(changes, told):
    away, fetch = offloaded(to_literal([1, 2], INTEGERS), **changes)
    with pytest.raises(OffloadedValueError, match=told) as raised:
        from_literal(away, fetch=fetch)
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)


def test_a_value_that_is_kept_apart_again_and_again_is_not_followed_for_ever():
    away = Literal()
    away.offloaded_metadata.uri = "s3://b/itself"
    asked = []

    def fetch(uri):
        asked.append(uri)
        return away.SerializeToString()

    with pytest.raises(OffloadedValueError, match="kept apart itself"):
        from_literal(away, fetch=fetch)
    assert len(asked) == 1


def test_a_hash_that_its_author_set_must_be_the_stored_one():
    literal = to_literal([1], INTEGERS)
    literal.hash = "mine"
    away, fetch = offloaded(literal, hash="mine")
    assert from_literal(away, fetch=fetch) == [1]
    away.hash = "other"
    with pytest.raises(OffloadedValueError, match="mine instead of other"):
        from_literal(away, fetch=fetch)


def test_xcom_gets_what_airflow_can_turn_to_json(outputs):
    told = to_xcom(outputs)
    json.dumps({key: value for key, value in told.items() if key not in ("span", "when")}, allow_nan=False)
    assert told == {
        "config": {"n": 1, "kind": "a", "inner": {"lasts": 2}},
        "count": 5,
        "file": FILE.to_dict(),
        "nan": "NaN",
        "raw": "AAE=",
        "span": timedelta(hours=-1),
        "when": datetime(2026, 1, 1, microsecond=123456, tzinfo=timezone.utc),
    }


def test_what_xcom_gets_is_taken_as_an_input(outputs):
    told = to_xcom(outputs)
    span, blob = (
        ParseDict(text, VariableMap().variables["x"].type) for text in ({"simple": "DURATION"}, {"blob": {}})
    )
    assert from_literal(to_literal(told["span"], span)) == timedelta(hours=-1)
    assert to_literal(told["file"], blob) == LITERALS.literals["file"]


def test_an_offloaded_value_is_a_reference_in_xcom():
    away, _ = offloaded(to_literal([1, 2], INTEGERS))
    told = to_xcom(Outputs(LiteralMap(literals={"x": away})))["x"]
    size = away.offloaded_metadata.size_bytes
    assert told == FileReference("s3://b/big", "", size, "", "value").to_dict()
    outputs = Outputs(LiteralMap(literals={"x": away}), flyte_url="flyte://{}".format, size=lambda _: 1)
    assert to_xcom(outputs)["x"] == FileReference("s3://b/big", "", size, "flyte://x", "value").to_dict()


@pytest.mark.parametrize(
    ("literal_type", "fits"),
    [
        (INTEGERS, True),
        (LiteralType(simple="STRUCT"), True),
        (LiteralType(union_type=UnionType(variants=[INTEGERS, LiteralType(simple="NONE")])), True),
        (LiteralType(union_type=UnionType(variants=[LiteralType(simple="NONE"), INTEGERS])), True),
        (LiteralType(simple="NONE"), False),
    ],
)
def test_an_offloaded_value_is_taken_as_an_input_from_xcom(literal_type, fits):
    away, fetch = offloaded(to_literal([1, 2], INTEGERS))
    told = to_xcom(Outputs(LiteralMap(literals={"x": away})))["x"]
    for reference in (told, FileReference.from_dict(told)):
        if not fits:
            with pytest.raises(ValueFaults):
                to_literal(reference, literal_type)
            continue
        literal = to_literal(reference, literal_type)
        found = literal.scalar.union.value if literal.HasField("scalar") else literal
        assert found.offloaded_metadata.size_bytes == away.offloaded_metadata.size_bytes
        assert from_literal(literal, fetch=fetch) == [1, 2]


def test_files_at_any_depth_get_their_size_and_only_the_whole_an_address():
    files = Literal()
    files.map.literals["k"].collection.literals.append(LITERALS.literals["file"])
    both = LiteralMap(literals={"files": files, "file": LITERALS.literals["file"]})
    outputs = Outputs(both, flyte_url="flyte://{}".format, size=len)
    assert outputs["file"] == FileReference("s3://b/x.csv", "csv", 12, "flyte://file", "file")
    assert outputs["files"] == {"k": [FileReference("s3://b/x.csv", "csv", 12, "", "file")]}


@pytest.mark.parametrize(
    ("literal", "told"),
    [
        ({"scalar": {"primitive": {"integer": 5}}}, True),
        ({"scalar": {"primitive": {"float_value": 5.5}}}, True),
        ({"scalar": {"primitive": {"float_value": 5.0}}}, False),
        ({"scalar": {"primitive": {"float_value": "NaN"}}}, True),
        ({"scalar": {"generic": {"a": {"b": ["x", 1.5, True, None]}}}}, True),
        ({"scalar": {"generic": {"a": {"b": ["x", 1]}}}}, False),
        ({"collection": {"literals": [{"scalar": {"primitive": {"float_value": 5.0}}}]}}, False),
        ({"map": {"literals": {"k": {"scalar": {"primitive": {"float_value": 5.0}}}}}}, False),
        ({"map": {"literals": {"k": {"scalar": {"binary": {"value": "AA=="}}}}}}, True),
        ({"offloaded_metadata": {"uri": "s3://b/big"}}, False),
        ({}, True),
    ],
)
def test_the_declared_types_are_asked_for_where_a_literal_does_not_tell_ints(literal, told):
    asked = []

    def declared():
        asked.append(1)
        return VARIABLES

    literals = LiteralMap(literals={"count": ParseDict(literal, Literal())})
    outputs = Outputs(literals, declared, fetch=lambda _: b"")
    for _ in range(2):
        assert list(outputs.as_dict()) == ["count"]
    assert asked == ([] if told else [1])


def test_too_much_for_xcom_is_told_with_the_way_out():
    literal = ParseDict({"scalar": {"primitive": {"string_value": "x" * 100}}}, Literal())
    outputs = Outputs(LiteralMap(literals={"a": literal, "b": literal}))
    with pytest.raises(
        XComTooLargeError, match=r"204 bytes.*takes 200.*a \(102 bytes\).*xcom_limit_bytes"
    ) as raised:
        to_xcom(outputs, 200)
    assert raised.value.sizes == {"a": 102, "b": 102}
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)
    assert to_xcom(outputs, None) == {"a": "x" * 100, "b": "x" * 100}


@pytest.mark.parametrize("key", ["__type", "__classname__", "__id__"])
@pytest.mark.parametrize("depth", ["outermost", "in a dict", "in a list"])
def test_a_dict_that_airflow_would_take_for_an_object_of_its_own_is_refused(key, depth):
    """Airflow makes an object of such a dict when the next task reads the XCom: of a class that Flyte has chosen."""
    evil = {key: "airflow.sdk.definitions.connection.Connection", "__var": {"conn_id": "x", "conn_type": "y"}}
    value = {"outermost": evil, "in a dict": {"x": evil}, "in a list": [{"x": [evil]}]}[depth]
    kind = LiteralType(simple="STRUCT")
    kind = LiteralType(collection_type=kind) if depth == "in a list" else kind
    given = Outputs(LiteralMap(literals={"o0": to_literal(value, kind)}))
    with pytest.raises(ValueError, match=f"{key}.*do_xcom_push=False"):
        to_xcom(given)
    with pytest.raises(ValueError, match=key):
        to_xcom(Outputs(LiteralMap(literals={key: to_literal("x", LiteralType(simple="STRING"))})))
