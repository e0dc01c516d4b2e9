"""The single values: integers, floats, texts, truth values, moments and durations.

Each way into Flyte returns the value that a `flyteidl.core.Primitive` holds, or raises `ValueError` with a hint.
The numbers of the simple types are taken from the module: each `SimpleType.X` is a search by name.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from numbers import Integral, Real

from flyteidl.core import types_pb2
from flyteidl.core.literals_pb2 import Literal, Primitive
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from airflow_flyte_provider.model import texts
from airflow_flyte_provider.model.values.foreign import as_python, finer_than_microseconds, is_not_a_time

_FIRST_INT64, _LAST_INT64 = -(2**63), 2**63 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799  # years 1 to 9999
_LONGEST = 315_576_000_000  # seconds that a protobuf Duration may have


def to_primitive(value: object, simple: int) -> Literal:
    """Return a value as the literal of a simple type that is a primitive; a text is read as that type.

    :param value: the value.
    :param simple: a number of `flyteidl.core.SimpleType` that is among `PRIMITIVE_TYPES`.
    :raises ValueError: when the value does not fit, with a hint (possibly empty) at what would.

    >>> to_primitive("5", types_pb2.INTEGER).scalar.primitive.integer
    5
    """
    field, convert = _CONVERSIONS[simple]
    converted = convert(value)
    # Written in place: a message that is given to the next one's constructor is copied each time.
    literal = Literal()
    if isinstance(converted, Timestamp | Duration):
        getattr(literal.scalar.primitive, field).CopyFrom(converted)
    else:
        setattr(literal.scalar.primitive, field, converted)
    return literal


def from_primitive(primitive: Primitive, simple: int | None = None) -> object:
    """Return the native value of a primitive, None when it holds nothing.

    :param primitive: the primitive. Moments and durations finer than a microsecond are cut.
    :param simple: the declared `flyteidl.core.SimpleType`, if known. Flyte Console writes numbers without
        minding the type, so an integral float that is declared an int becomes one, and the reverse.
    """
    kind = primitive.WhichOneof("value")
    if kind is None:
        return None
    value = getattr(primitive, kind)
    if kind == "datetime":
        return _EPOCH + timedelta(seconds=value.seconds, microseconds=value.nanos // 1000)
    if kind == "duration":
        return timedelta(seconds=value.seconds, microseconds=int(value.nanos / 1000))  # cut towards zero
    if kind == "float_value" and simple == types_pb2.INTEGER and value.is_integer():
        return int(value)
    if kind == "integer" and simple == types_pb2.FLOAT:
        return float(value)
    return value


def _integer(value: object) -> int:
    if type(value) is not int:
        value = texts.parse_int(value) if isinstance(value, str) else as_python(value)
    if isinstance(value, Decimal) and value == value.to_integral_value():
        value = int(value)
    if isinstance(value, bool):
        raise ValueError("a bool is no int: give int(value)")
    if not isinstance(value, Integral):
        raise ValueError("give int(value) or a whole number" if isinstance(value, Real | Decimal) else "")
    number = int(value)
    if not _FIRST_INT64 <= number <= _LAST_INT64:
        raise ValueError("Flyte's integers have 64 bits: -2**63 to 2**63 - 1")
    return number


def _float(value: object) -> float:
    if type(value) is float:
        return value
    if isinstance(value, str):
        return texts.parse_float(value)
    value = as_python(value)
    if isinstance(value, bool):
        raise ValueError("a bool is no float: give float(value)")
    if not isinstance(value, Real | Decimal):
        raise ValueError("give float(value)" if hasattr(value, "__float__") else "")
    try:
        return float(value)
    except OverflowError:
        raise ValueError("too large for a float") from None


def _boolean(value: object) -> bool:
    if isinstance(value, str):
        return texts.parse_bool(value)
    value = as_python(value)
    if not isinstance(value, bool):
        raise ValueError("give True or False")
    return value


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("give str(value)")
    return str.__str__(value)  # a member of a str Enum prints its name, but is its value


def _datetime(given: object) -> Timestamp:
    value = texts.parse_datetime(given) if isinstance(given, str) else as_python(given)
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time.min)
    if not isinstance(value, datetime) or is_not_a_time(value):
        raise ValueError("give a datetime, a date or an ISO 8601 text")
    if value.tzinfo is None:
        value = value.replace(tzinfo=timezone.utc)  # as flytekit does
    # The subtraction of datetime itself: pendulum's gives something with other days and seconds.
    since = datetime.__sub__(value, _EPOCH)
    seconds = since.days * 86_400 + since.seconds
    if not _FIRST_SECOND <= seconds <= _LAST_SECOND:
        raise ValueError("outside the years 1 to 9999 in UTC")
    return Timestamp(seconds=seconds, nanos=since.microseconds * 1000 + finer_than_microseconds(given))


def _duration(given: object) -> Duration:
    value = texts.parse_duration(given) if isinstance(given, str) else as_python(given)
    if not isinstance(value, timedelta) or is_not_a_time(value):
        raise ValueError("give a timedelta or a text such as 'P1DT2H'")
    # Counted in microseconds by timedelta's own division, for the same reason as above.
    nanoseconds = timedelta.__floordiv__(value, timedelta(microseconds=1)) * 1000
    if not isinstance(given, str):
        nanoseconds += finer_than_microseconds(given)
    seconds, nanos = divmod(abs(nanoseconds), 1_000_000_000)
    if seconds > _LONGEST:
        raise ValueError("Flyte's durations reach 10,000 years at most")
    return (
        Duration(seconds=seconds, nanos=nanos)
        if nanoseconds >= 0
        else Duration(seconds=-seconds, nanos=-nanos)
    )


_CONVERSIONS: dict[int, tuple[str, Callable[[object], object]]] = {
    types_pb2.INTEGER: ("integer", _integer),
    types_pb2.FLOAT: ("float_value", _float),
    types_pb2.STRING: ("string_value", _string),
    types_pb2.BOOLEAN: ("boolean", _boolean),
    types_pb2.DATETIME: ("datetime", _datetime),
    types_pb2.DURATION: ("duration", _duration),
}
PRIMITIVE_TYPES = frozenset(_CONVERSIONS)
"""The simple types whose values are primitives."""
