"""Types and values as a workflow's author writes them, and what flytekit makes of them."""

import dataclasses
import functools
from datetime import date, datetime, time, timedelta, timezone
from enum import Enum

import pydantic
from flytekit import FlyteContextManager
from flytekit.core.type_engine import TypeEngine
from flytekit.models.literals import Literal as FlytekitLiteral
from hypothesis import strategies as st

from airflow_flyte_provider.model.files import FileReference
from airflow_flyte_provider.model.values.literals import from_literal, to_literal


class Colour(Enum):
    RED = "red"
    GREEN = "green"


@dataclasses.dataclass
class Point:
    x: int
    y: float
    name: str | None = None


@dataclasses.dataclass
class Shape:
    points: list[Point]
    colour: Colour
    sizes: dict[str, int]
    made: datetime
    lasts: timedelta
    day: date
    raw: bytes = b""


class Model(pydantic.BaseModel):
    n: int
    colour: Colour
    made: datetime
    inner: dict[str, list[float]]


@functools.lru_cache
def flytekit_type(python_type):
    return TypeEngine.to_literal_type(python_type)


def flytekit_literal(value, python_type):
    context = FlyteContextManager.current_context()
    return TypeEngine.to_literal(context, value, python_type, flytekit_type(python_type)).to_flyte_idl()


def flytekit_value(literal, python_type):
    """Return what flytekit reads from a literal."""
    context = FlyteContextManager.current_context()
    return TypeEngine.to_python_value(context, FlytekitLiteral.from_flyte_idl(literal), python_type)


def native(value):
    """Return a value as we read it back: moments in UTC, enums as values, models as dicts."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=timezone.utc)
    if isinstance(value, date):
        return datetime.combine(value, time.min, tzinfo=timezone.utc)
    if isinstance(value, list):
        return [native(item) for item in value]
    if isinstance(value, dict):
        return {key: native(item) for key, item in value.items()}
    if isinstance(value, FileReference):
        return value.uri
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) else value


def check(value, python_type):
    literal_type = flytekit_type(python_type).to_flyte_idl()
    theirs = flytekit_literal(value, python_type)
    ours = to_literal(value, literal_type)
    assert ours.SerializeToString(deterministic=True) == theirs.SerializeToString(deterministic=True)
    assert native(from_literal(theirs, literal_type)) == native(value)
    assert native(from_literal(theirs)) == native(value)


zones = st.sampled_from(
    [None, timezone.utc, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-9))]
)
integers = st.integers(-(2**63), 2**63 - 1)
json_values = st.recursive(
    st.none() | st.booleans() | integers | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda items: st.lists(items, max_size=3) | st.dictionaries(st.text(max_size=5), items, max_size=3),
    max_leaves=6,
)
LEAVES = {
    bool: st.booleans(),
    int: integers,
    float: st.floats(allow_nan=False),
    str: st.text(max_size=10),
    datetime: st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=zones),
    date: st.dates(),
    timedelta: st.timedeltas(timedelta(days=-3_650_000), timedelta(days=3_650_000)),
    Colour: st.sampled_from(Colour),
    dict: st.dictionaries(st.text(max_size=5), json_values, max_size=3),
    Point: st.builds(Point, x=integers, y=st.floats(allow_nan=False), name=st.none() | st.text(max_size=3)),
}
