"""Values of numpy and pandas: taken as they are when those are installed; nanoseconds kept."""

from datetime import timedelta
from decimal import Decimal

import pytest
from flyteidl.core.types_pb2 import LiteralType, SimpleType

from airflow_flyte_provider.model.faults import ValueFaults
from airflow_flyte_provider.model.values.literals import from_literal, to_literal


def simple(name):
    return LiteralType(simple=SimpleType.Value(name))


INT, FLOAT, BOOL, DATETIME, DURATION = map(simple, ["INTEGER", "FLOAT", "BOOLEAN", "DATETIME", "DURATION"])
MOMENT = "2026-01-01T00:00:00.123456789Z"


def written(value, literal_type):
    primitive = to_literal(value, literal_type).scalar.primitive
    return getattr(primitive, primitive.WhichOneof("value")).ToJsonString()


def test_a_text_keeps_its_nanoseconds():
    assert written(MOMENT, DATETIME) == MOMENT


def test_a_decimal_is_a_number():
    assert from_literal(to_literal(Decimal("5.00"), INT)) == 5
    assert from_literal(to_literal(Decimal("0.5"), FLOAT)) == 0.5
    for wrong in (Decimal("5.5"), Decimal("nan")):
        with pytest.raises(ValueFaults, match="whole number"):
            to_literal(wrong, INT)


def test_numpy():
    numpy = pytest.importorskip("numpy")
    for value, literal_type, native in [
        (numpy.int64(5), INT, 5),
        (numpy.uint8(5), FLOAT, 5.0),
        (numpy.float32(0.5), FLOAT, 0.5),
        (numpy.bool_(True), BOOL, True),
        (numpy.timedelta64(3, "h"), DURATION, timedelta(hours=3)),
        (numpy.array([1, 2]), LiteralType(collection_type=INT), [1, 2]),
        ({"a": numpy.array([1.5]), "b": numpy.int32(1)}, simple("STRUCT"), {"a": [1.5], "b": 1}),
    ]:
        read = from_literal(to_literal(value, literal_type), literal_type)
        assert read == native
        assert type(read) is type(native)
    assert written(numpy.datetime64("2026-01-01T00:00:00.123456789"), DATETIME) == MOMENT
    assert written(numpy.timedelta64(-1, "ns"), DURATION) == "-0.000000001s"
    with pytest.raises(ValueFaults, match="give int"):
        to_literal(numpy.float64(5), INT)
    with pytest.raises(ValueFaults):
        to_literal(numpy.datetime64("NaT"), DATETIME)


def test_pandas():
    pandas = pytest.importorskip("pandas")
    assert written(pandas.Timestamp(MOMENT), DATETIME) == MOMENT
    assert written(pandas.Timedelta(-1, "ns"), DURATION) == "-0.000000001s"
    assert (
        written(pandas.Timestamp("2026-01-01 02:00", tz="Europe/Berlin"), DATETIME) == "2026-01-01T01:00:00Z"
    )
    assert from_literal(to_literal(pandas.Series([1, 2]), LiteralType(collection_type=INT))) == [1, 2]
    series = pandas.Series(pandas.to_datetime([MOMENT]))
    literal = to_literal(series, LiteralType(collection_type=DATETIME)).collection.literals[0]
    assert literal.scalar.primitive.datetime.ToJsonString() == MOMENT
    for nothing in (pandas.NaT, pandas.NA):
        with pytest.raises(ValueFaults):
            to_literal(nothing, DATETIME)
