"""Texts where a JSON schema wants something else, as a Jinja template makes them, and what fits a schema's type."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, time, timedelta
from numbers import Integral, Real

from airflow_flyte_provider.model import texts
from airflow_flyte_provider.model.faults import ValueFaults
from airflow_flyte_provider.model.values.json_schemas import JsonSchema

_ISO_DURATION = re.compile(r"[+-]?P(?:\d+[YMWD])*(?:T(?:\d+(?:\.\d+)?[HMS])+)?")


def read(text: str, schema: JsonSchema, path: str) -> object:
    """Return what a text means by its schema; the text itself where one is wanted.

    :param text: such as `"5"` for an integer, `"P1D"` for a duration, JSON for an array or an object.
    :param schema: a schema that is no choice of others.
    :param path: where the text stands, for faults.
    :raises ValueFaults: when it cannot be read so; also for a text that is no moment where one is wanted.
    """
    if not schema.types:
        return text
    try:
        if "string" in schema.types:
            return _STRINGS.get(schema.format, str.__str__)(text)
        if "number" in schema.types and schema.format == "time-delta":
            return texts.parse_duration(text).total_seconds()
        for kind in _ORDER:
            if kind in schema.types:
                return _READERS[kind](text)
    except ValueError as error:
        raise ValueFaults.of(path, schema.describe(), text, str(error)) from None
    return text


def is_of(value: object, schema: JsonSchema) -> bool:
    """Tell whether a value is of a schema's type as it stands.

    :param value: a plain value; a moment or duration counts as what it will be written as.
    :param schema: a schema that is no choice of others.
    """
    return not schema.types or any(_CHECKS[kind](value) for kind in schema.types if kind in _CHECKS)


def duration(value: timedelta, schema: JsonSchema) -> object:
    """Return a duration as its schema wants it: ISO 8601 for pydantic, seconds for a dataclass.

    :param value: the duration.
    :param schema: its schema.
    """
    return _iso(value) if "string" in schema.types else timedelta.total_seconds(value)


def _checked(read: Callable[[str], object]) -> Callable[[str], str]:
    """Return a function that returns a text as it is, or raises what `read` raises for it."""

    def check(text: str) -> str:
        read(text)
        return text

    return check


def _iso_duration(text: str) -> str:
    """Return a duration as pydantic reads it. Its own texts have years, of 365 days, and stay as they are."""
    return text if _ISO_DURATION.fullmatch(text) else _iso(texts.parse_duration(text))


def _iso(value: timedelta) -> str:
    seconds = timedelta.total_seconds(value)
    return f"{'-' if seconds < 0 else ''}PT{f'{abs(seconds):f}'.rstrip('0').rstrip('.')}S"


def _null(text: str) -> None:
    if text not in ("None", "null"):
        raise ValueError("give None")


#: What the Flyte task reads by its own means stays a text, but it must be one of these.
_STRINGS: dict[str, Callable[[str], str]] = {
    "date-time": _checked(texts.parse_datetime),
    "date": _checked(date.fromisoformat),
    "time": _checked(time.fromisoformat),
    "duration": _iso_duration,
}
_READERS: dict[str, Callable[[str], object]] = {
    "integer": texts.parse_int,
    "number": texts.parse_float,
    "boolean": texts.parse_bool,
    "array": lambda text: texts.parse_json(text, list),
    "object": lambda text: texts.parse_json(text, dict),
    "null": _null,
}
_ORDER = ("integer", "number", "boolean", "object", "array", "null")
_CHECKS: dict[str, Callable[[object], bool]] = {
    "integer": lambda value: isinstance(value, Integral) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, Real) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "string": lambda value: isinstance(value, str | bytes),
    "array": lambda value: isinstance(value, list | tuple),
    "object": lambda value: isinstance(value, Mapping),
    "null": lambda value: value is None,
}
