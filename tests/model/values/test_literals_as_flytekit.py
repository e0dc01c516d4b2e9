"""What we write is what flytekit writes, byte for byte; what flytekit writes, we read to the same value."""

import json
import math
import os
from datetime import date, datetime, timedelta, timezone
from unittest import mock

import pytest
from flyteidl.admin import execution_pb2, launch_plan_pb2
from flyteidl.core.literals_pb2 import Literal
from flytekit import FlyteContextManager
from flytekit.core.type_engine import TypeEngine
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile
from flytekit.types.structured import StructuredDataset
from google.protobuf.json_format import ParseDict

from airflow_flyte_provider.model.files import FileReference
from airflow_flyte_provider.model.values.inputs import build_inputs
from airflow_flyte_provider.model.values.literals import from_literal, to_literal
from airflow_flyte_provider.model.values.outputs import Outputs
from tests.model.values.as_flytekit import (
    Colour,
    Model,
    Point,
    Shape,
    check,
    flytekit_literal,
    flytekit_type,
    native,
)
from tests.recordings import RECORDINGS


@pytest.mark.parametrize(
    ("value", "python_type"),
    [
        ([], list[int]),
        ({}, dict[str, list[int]]),
        ({}, dict),
        (None, type(None)),
        (-0.0, float),
        (math.inf, float),
        (-math.inf, float),
        ("", str),
        (datetime(1, 1, 1, tzinfo=timezone.utc), datetime),
        (datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=timezone.utc), datetime),
        (timedelta(microseconds=-1), timedelta),
        ([[None, 1], []], list[list[int | None]]),
        ({"a": {"b": [None, "x"]}}, dict[str, dict[str, list[str | None]]]),
        ("red", Colour),
    ],
)
def test_edges(value, python_type):
    check(value, python_type)


def test_nan():
    literal_type = flytekit_type(float).to_flyte_idl()
    assert to_literal(math.nan, literal_type) == flytekit_literal(math.nan, float)
    assert math.isnan(from_literal(flytekit_literal(math.nan, float)))


def shape(tzinfo=None):
    return Shape(
        points=[Point(1, 2.5), Point(-1, 0.5, "p")],
        colour=Colour.GREEN,
        sizes={"a": 2**40},
        made=datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=tzinfo),
        lasts=timedelta(days=1, microseconds=7),
        day=date(2026, 1, 2),
        raw=b"\x00\xff",
    )


@pytest.mark.parametrize("python_type", [Shape, Shape | None, list[Shape], dict[str, Shape]], ids=str)
def test_a_dataclass_with_all_in_it(python_type):
    value = {list[Shape]: [shape(), shape()], dict[str, Shape]: {"k": shape()}}.get(python_type, shape())
    literal_type = flytekit_type(python_type).to_flyte_idl()
    assert to_literal(value, literal_type) == flytekit_literal(value, python_type)
    # and flytekit reads what we wrote to the dataclass itself
    from flytekit.models.literals import Literal as FlytekitLiteral

    ours = FlytekitLiteral.from_flyte_idl(to_literal(value, literal_type))
    context = FlyteContextManager.current_context()
    assert TypeEngine.to_python_value(context, ours, python_type) == value


def test_a_pydantic_model():
    value = Model(n=1, colour=Colour.RED, made=datetime(2026, 1, 1, tzinfo=timezone.utc), inner={"a": [1.5]})
    literal_type = flytekit_type(Model).to_flyte_idl()
    assert to_literal(value, literal_type) == flytekit_literal(value, Model)
    assert from_literal(flytekit_literal(value, Model)) == value.model_dump(mode="json")


def test_a_dict_with_keys_that_are_no_texts():
    check({1: 2, -3: 4}, dict[int, int])


@pytest.mark.parametrize(
    ("uri", "python_type"),
    [
        ("s3://bucket/a.csv", FlyteFile["csv"]),
        ("s3://bucket/a", FlyteFile),
        ("s3://bucket/dir", FlyteDirectory),
        ("s3://bucket/dir", FlyteFile | None),
        ("s3://bucket/x", list[FlyteFile]),
    ],
    ids=str,
)
def test_files_and_directories_by_their_uri(uri, python_type):
    value = [uri] if python_type == list[FlyteFile] else uri
    check(value, python_type)


def test_a_structured_dataset_by_its_uri():
    theirs = flytekit_literal(StructuredDataset(uri="s3://b/d", file_format="parquet"), StructuredDataset)
    assert from_literal(theirs) == FileReference("s3://b/d", "parquet", None, "", "structured dataset")
    ours = to_literal("s3://b/d", flytekit_type(StructuredDataset).to_flyte_idl())
    assert ours.scalar.structured_dataset.uri == "s3://b/d"


@pytest.mark.parametrize(
    ("value", "python_type"), [(Point(1, 2.0, "n"), Point), ({"a": [1, {"b": None}]}, dict)]
)
def test_what_a_flytekit_before_1_14_writes_is_read_and_written(value, python_type):
    with mock.patch.dict(os.environ, {"FLYTE_USE_OLD_DC_FORMAT": "true"}):
        theirs = flytekit_literal(value, python_type)
    assert theirs.scalar.HasField("generic")
    literal_type = flytekit_type(python_type).to_flyte_idl()
    read = from_literal(theirs, literal_type)
    assert read == native(value)
    if python_type is Point:
        assert type(read["x"]) is int, "the schema says it is an integer"
        assert type(read["y"]) is float
    # A type of that time had no word for MessagePack.
    literal_type.ClearField("annotation")
    assert to_literal(value, literal_type) == theirs


@pytest.mark.parametrize(
    ("model", "value", "read"),
    [
        (Shape, {"points": [{"x": 1, "y": 2}]}, {"points": [{"x": 1, "y": 2.0}]}),
        (Shape, {"sizes": {"a": 3}}, {"sizes": {"a": 3}}),
        (Model, {"inner": {"a": [2]}}, {"inner": {"a": [2.0]}}),
        (Model, {"n": 1}, {"n": 1}),
        (dict, {"n": 1, "l": [True, None]}, {"n": 1.0, "l": [True, None]}),
    ],
)
def test_integers_come_back_from_a_struct_where_the_schema_says_so(model, value, read):
    literal_type = flytekit_type(model).to_flyte_idl()
    literal = Literal()
    literal.scalar.generic.update(value)
    found = from_literal(literal, literal_type)
    assert json.dumps(found, sort_keys=True) == json.dumps(read, sort_keys=True)


def test_the_recorded_execution_is_reproduced_from_native_values():
    calls = [json.loads(line) for line in (RECORDINGS / "everything.jsonl").read_text().splitlines()]
    plan = ParseDict(calls[0]["response"], launch_plan_pb2.LaunchPlan())
    sent = ParseDict(calls[1]["request"], execution_pb2.ExecutionCreateRequest()).inputs
    values = {
        "i": 2**62,
        "f": 1.5,
        "b": True,
        "s": "ünï",
        "d": datetime(2026, 3, 1, 2, 3, 4, 567000, tzinfo=timezone.utc),
        "t": timedelta(days=3, microseconds=7),
        "l": [1, 2],
        "m": {"k": ["a", "b"]},
        "g": {"x": [1, 2.5, {"y": None}]},
        "c": "green",
        "u": "str",
        "o": None,
    }
    ours = build_inputs(plan.closure.expected_inputs, plan.spec.fixed_inputs, values)
    assert ours == sent
    assert Outputs(sent, plan.closure.expected_outputs) == values
