"""Values written as text, which is what a Jinja template renders to.

Each function returns the value, or raises `ValueError` with what the text should look like.
"""

from __future__ import annotations

import json
import re
from datetime import date, datetime, time, timedelta, timezone

import pendulum

_DURATION = re.compile(
    r"(?:(?P<days>[+-]?\d+) days?, )?(?P<hours>\d+):(?P<minutes>\d{2}):(?P<seconds>\d{2}(?:\.\d{1,6})?)"
)
_DAYS_ALONE = re.compile(r"(?P<days>[+-]?\d+) days?")


def parse_int(text: str) -> int:
    """Return the integer in a text such as `"5"` or `"-12"`.

    :param text: decimal digits with an optional sign, surrounding blanks allowed.
    :raises ValueError: for anything else, also for `"5.0"` and `"1_000"`.
    """
    if not re.fullmatch(r"\s*[+-]?\d+\s*", text, re.ASCII):
        raise ValueError("give digits, such as '5'")
    return int(text)


def parse_float(text: str) -> float:
    """Return the number in a text such as `"1.5"`, `"5"`, `"1e-3"`, `"nan"` or `"inf"`.

    :raises ValueError: for anything else.
    """
    try:
        return float(text)
    except ValueError:
        raise ValueError("give a number, such as '1.5'") from None


def parse_bool(text: str) -> bool:
    """Return the truth value in `"true"`, `"false"`, `"True"` or `"False"`.

    :raises ValueError: for anything else: `"0"`, `"no"` and `""` mean different things to different readers.
    """
    word = text.strip()
    if word in ("true", "True"):
        return True
    if word in ("false", "False"):
        return False
    raise ValueError("give 'true' or 'false'")


def parse_datetime(text: str) -> datetime:
    """Return the moment in an ISO 8601 date or date and time; without an offset it is in UTC.

    :param text: such as `"2026-01-01"`, `"2026-01-01T00:00:00Z"` or `"2026-01-01 08:30:00+02:00"`.
    :raises ValueError: for anything else.
    """
    fault = "give an ISO 8601 date or time, such as '2026-01-01' or '2026-01-01T00:00:00+00:00'"
    # Years, weeks and times of day alone are ISO 8601 too, but a number in the wrong place is likelier.
    if not re.match(r"\s*\d{4}-\d{2}-\d{2}", text):
        raise ValueError(fault)
    try:
        moment = pendulum.parse(text.strip(), exact=True)
    except ValueError:
        raise ValueError(fault) from None
    if isinstance(moment, datetime):
        return moment
    if isinstance(moment, date):
        return datetime.combine(moment, time.min, tzinfo=timezone.utc)
    raise ValueError(fault)  # an interval


def parse_duration(text: str) -> timedelta:
    """Return the duration in an ISO 8601 text or in what `str(timedelta)` writes.

    :param text: such as `"P1DT2H"`, `"PT0.5S"`, `"-P1D"`, `"1 day, 2:00:00"`, `"-1 day, 23:00:00"` or `"2:00:00"`.
    :raises ValueError: for anything else, also for years and months, which have no fixed length.
    """
    try:
        return _duration(text.strip())
    except OverflowError:
        raise ValueError("the duration is too long") from None


def _duration(text: str) -> timedelta:
    if match := _DURATION.fullmatch(text) or _DAYS_ALONE.fullmatch(text):
        parts = {unit: float(number) for unit, number in match.groupdict().items() if number}
        return timedelta(**parts)
    fault = "give a duration, such as 'P1DT2H' or '1 day, 2:00:00'"
    if text.startswith("-P"):  # as pydantic writes what is below zero
        return -_duration(text[1:])
    if not text.startswith("P"):
        raise ValueError(fault)
    try:
        duration = pendulum.parse(text, exact=True)
    except ValueError:
        raise ValueError(fault) from None
    if not isinstance(duration, pendulum.Duration):
        raise ValueError(fault)
    if duration.years or duration.months:
        raise ValueError("years and months have no fixed length: give days, such as 'P30D'")
    return duration.as_timedelta()


def parse_json(text: str, *kinds: type) -> object:
    """Return the value in a JSON text.

    :param text: the JSON.
    :param kinds: the Python types of which the value must be one, such as `list` or `dict`.
    :raises ValueError: when the text is no JSON, or another kind of value.
    """
    words = " or ".join({"list": "array", "dict": "object"}[kind.__name__] for kind in kinds)
    try:
        value = json.loads(text)
    except ValueError:
        raise ValueError(f"give a JSON {words}; in a template, write {{{{ x | tojson }}}}") from None
    if not isinstance(value, kinds):
        raise ValueError(f"the JSON text must hold an {words}")
    return value
