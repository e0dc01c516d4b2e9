"""Arguments of operators that a template may have made texts of."""

from __future__ import annotations

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
