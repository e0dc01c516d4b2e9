"""Drawn types and values: the literal made here is the one flytekit makes, and each reads what the other writes."""

import dataclasses
import enum
import typing
from datetime import date, datetime, timedelta

import pydantic
import pytest
from flytekit.core.type_engine import RestrictedTypeError
from flytekit.types.directory import FlyteDirectory
from flytekit.types.error.error import FlyteError
from flytekit.types.file import FlyteFile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_flyte_provider.model.values.literals import from_literal, to_literal
from tests.model.values.as_flytekit import (
    LEAVES,
    Colour,
    Model,
    Point,
    Shape,
    check,
    flytekit_literal,
    flytekit_type,
    flytekit_value,
    integers,
    zones,
)

QUICK = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@dataclasses.dataclass
class Line:
    start: Point
    end: typing.Optional[Point]  # noqa: UP045 - as flytekit's users write it
    ends: tuple[int, str]
    either: typing.Union[int, str]  # noqa: UP007
    counts: dict[str, list[int]]


@dataclasses.dataclass
class Deep:
    lines: dict[str, list[Line]]


class Inner(pydantic.BaseModel):
    x: int
    note: str | None = None


class Outer(pydantic.BaseModel):
    inner: Inner
    several: list[Inner]
    lasts: timedelta
    day: date
    kind: typing.Literal["a", "b"] = "a"


class Level(enum.Enum):
    LOW = "low"


floats = st.floats(allow_nan=False)
texts = st.text(max_size=5)
moments = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=zones)
spans = st.timedeltas(timedelta(days=-3_650_000), timedelta(days=3_650_000))
points = LEAVES[Point]
lines = st.builds(
    Line,
    start=points,
    end=st.none() | points,
    ends=st.tuples(integers, texts),
    either=integers | texts,
    counts=st.dictionaries(texts, st.lists(integers, max_size=2), max_size=2),
)
shapes = st.builds(
    Shape,
    points=st.lists(points, max_size=2),
    colour=st.sampled_from(Colour),
    sizes=st.dictionaries(texts, integers, max_size=2),
    made=moments,
    lasts=spans,
    day=st.dates(),
    raw=st.binary(max_size=4),
)
models = st.builds(
    Model,
    n=integers,
    colour=st.sampled_from(Colour),
    made=moments,
    inner=st.dictionaries(texts, st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=2)),
)
inners = st.builds(Inner, x=integers, note=st.none() | texts)
outers = st.builds(
    Outer, inner=inners, several=st.lists(inners, max_size=2), lasts=spans, day=st.dates(), kind=st.just("b")
)
uris = st.sampled_from(["s3://bucket/a.csv", "s3://bucket/dir/b"])

LEAF_SHAPES = {
    **LEAVES,
    type(None): st.none(),
    Level: st.sampled_from(Level),
    Shape: shapes,
    Line: lines,
    Deep: st.builds(Deep, lines=st.dictionaries(texts, st.lists(lines, max_size=1), max_size=1)),
    Model: models,
    Inner: inners,
    Outer: outers,
    typing.Literal["a", "b"]: st.sampled_from(["a", "b"]),
    typing.Literal[1, 2]: st.sampled_from([1, 2]),
    dict[int, int]: st.dictionaries(integers, integers, max_size=2),
    dict[int, str]: st.dictionaries(integers, texts, max_size=2),
    FlyteError: st.builds(FlyteError, message=texts, failed_node_id=st.just("n0")),
}
# flytekit finds no way between other pairs, or more than one.
UNIONS = [
    (int, str),
    (bool, float),
    (int, float, str),
    (datetime, timedelta, str),
    (Point, int),
    (dict, bool),
    (Shape, str),
    (Model, timedelta),
]
NESTED = [
    *(list[leaf] for leaf in (bool, int, float, str, datetime, timedelta, Colour, dict, Point, Inner)),
    *(dict[str, leaf] for leaf in (bool, int, float, str, datetime, timedelta, Colour, dict, Point, Outer)),
    *(typing.Optional[leaf] for leaf in (bool, int, str, datetime, Colour, Line)),  # noqa: UP045
    *(typing.Union[members] for members in UNIONS),  # noqa: UP007
    list[list[list[list[int]]]],
    dict[str, dict[str, dict[str, dict[str, str]]]],
    list[dict[str, list[typing.Optional[Point]]]],  # noqa: UP045
    dict[str, list[typing.Union[int, str]]],  # noqa: UP007
]
SHAPES = [*LEAF_SHAPES, *NESTED]

#: Types whose literals differ from flytekit's, or that flytekit has none for, and why.
REASONS = {
    tuple[
        int, str
    ]: "flytekit refuses tuples: a NamedTuple is several outputs, a tuple inside a dataclass an array",
    typing.NamedTuple("Pair", [("a", int)]): "as a tuple",
}


def values_of(python_type):
    """Return the strategy for the values of a shape."""
    if python_type in LEAF_SHAPES:
        return LEAF_SHAPES[python_type]
    origin, arguments = typing.get_origin(python_type), typing.get_args(python_type)
    if origin is list:
        return st.lists(values_of(arguments[0]), max_size=3)
    if origin is dict:
        return st.dictionaries(texts, values_of(arguments[1]), max_size=3)
    return st.one_of(*map(values_of, arguments))


def check_both_ways(value, python_type):
    literal_type = flytekit_type(python_type).to_flyte_idl()
    theirs = flytekit_literal(value, python_type)
    ours = to_literal(value, literal_type)
    assert ours.SerializeToString(deterministic=True) == theirs.SerializeToString(deterministic=True)
    # What we read, written again, is what was read: nothing is lost on the way.
    again = to_literal(from_literal(theirs, literal_type), literal_type)
    assert from_literal(again, literal_type) == from_literal(theirs, literal_type)
    assert flytekit_value(ours, python_type) == flytekit_value(theirs, python_type)


def test_there_are_many_shapes():
    assert len(SHAPES) >= 40


@pytest.mark.parametrize("python_type", SHAPES, ids=str)
def test_each_shape(python_type):
    @settings(max_examples=12, **QUICK)
    @given(values_of(python_type))
    def each(value):
        check_both_ways(value, python_type)

    each()


@st.composite
def nested(draw, depth=4):
    """Draw a type that flytekit knows, nested down to a depth."""
    kinds = ["leaf", "union", *(["list", "dict", "optional"] * 2 if depth else [])]
    kind = draw(st.sampled_from(kinds))
    if kind == "leaf":
        return draw(st.sampled_from(sorted(LEAVES, key=str)))
    if kind == "union":
        return typing.Union[draw(st.sampled_from(UNIONS[:6]))]  # noqa: UP007
    inner = draw(nested(depth=depth - 1))
    if kind == "optional":
        return typing.Optional[inner]  # noqa: UP045
    return list[inner] if kind == "list" else dict[str, inner]


@settings(max_examples=120, **QUICK)
@given(st.data())
def test_any_type_nested_to_depth_four(data):
    python_type = data.draw(nested())
    check(data.draw(values_of(python_type)), python_type)


@pytest.mark.parametrize(
    "python_type", [FlyteFile, FlyteFile["csv"], FlyteDirectory, list[FlyteFile]], ids=str
)
def test_what_lies_in_a_store(python_type):
    value = ["s3://b/x"] if python_type == list[FlyteFile] else "s3://b/x"
    literal_type = flytekit_type(python_type).to_flyte_idl()
    assert to_literal(value, literal_type) == flytekit_literal(value, python_type)
    assert to_literal(from_literal(to_literal(value, literal_type)), literal_type) == flytekit_literal(
        value, python_type
    )


@pytest.mark.parametrize("python_type", REASONS, ids=str)
def test_what_flytekit_has_no_literal_for(python_type):
    with pytest.raises(RestrictedTypeError):
        flytekit_type(python_type)
