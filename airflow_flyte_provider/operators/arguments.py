"""Arguments of operators that a template may have made texts of."""

from __future__ import annotations

import math
from datetime import timedelta

from airflow_flyte_provider.exceptions import FlyteConfigError


def as_bool(name: str, value: bool | str) -> bool:
    """Return a switch as a bool.

    :param name: the argument, for the error.
    :param value: a bool, or a text such as `true` or `False`.
    :raises FlyteConfigError: when it is neither.
    """
    if isinstance(value, bool):
        return value
    from airflow_flyte_provider.model.texts import parse_bool

    try:
        return parse_bool(str(value))
    except ValueError as fault:
        raise FlyteConfigError(f"{name} is {value!r}: {fault}") from None


def as_limit(name: str, value: float | timedelta | str | None) -> float | None:
    """Return a limit in seconds, None for none; see `as_seconds`."""
    return None if value is None else as_seconds(name, value)


def as_interval(name: str, value: float | timedelta | str) -> float:
    """Return the seconds between two polls: more than 0, and else as `as_seconds` has it."""
    seconds = as_seconds(name, value)
    if not seconds:
        raise FlyteConfigError(f"{name} is {value!r}: give seconds, more than 0, or a timedelta.")
    return seconds


def as_seconds(name: str, value: float | timedelta | str) -> float:
    """Return a length of time in seconds.

    :param name: the argument, for the error.
    :param value: seconds as a number or its text, or a timedelta.
    :raises FlyteConfigError: when it is none of these, or negative.
    """
    try:
        seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    except (TypeError, ValueError):
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise FlyteConfigError(f"{name} is {value!r}: give seconds, 0 or more, or a timedelta.")
    return seconds
