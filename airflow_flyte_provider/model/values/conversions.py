"""Native values as a type that the reader names."""

from __future__ import annotations

import dataclasses
import types
import typing
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

from flyteidl.core.literals_pb2 import Literal

from airflow_flyte_provider.model import texts
from airflow_flyte_provider.model.faults import ValueFaults


def converted(value: Any, literal: Literal, as_type: Any, path: str) -> Any:
    """Return a value that was read from a literal as another type.

    :param value: the native value.
    :param literal: the literal it was read from. A moment or duration as `str` keeps its nanoseconds.
    :param as_type: the type; see `Outputs.get`.
    :param path: where the value stands, for faults.
    :raises ValueFaults: when it cannot become that.
    """
    primitive = literal.scalar.primitive
    if as_type is str and primitive.WhichOneof("value") in ("datetime", "duration"):
        return str(getattr(primitive, str(primitive.WhichOneof("value"))).ToJsonString())
    return _as_type(value, as_type, path)


def _as_type(value: Any, as_type: Any, path: str) -> Any:
    origin = typing.get_origin(as_type)
    try:
        if origin in (typing.Union, types.UnionType):
            return _as_one_of(value, typing.get_args(as_type), path)
        if origin is not None:
            return _as_generic(value, origin, typing.get_args(as_type), path)
        if as_type is Any or type(value) is as_type:
            return value
        return _as_class(value, as_type, path)
    except ValueFaults:
        raise
    except (TypeError, ValueError, ArithmeticError) as error:
        raise ValueFaults.of(path, getattr(as_type, "__name__", str(as_type)), value, str(error)) from None


def _as_one_of(value: Any, options: tuple[Any, ...], path: str) -> Any:
    if value is None and type(None) in options:
        return None
    for option in options:
        if isinstance(option, type) and type(value) is option:
            return value
    fault: ValueFaults | None = None
    for option in options:
        if option is not type(None):
            try:
                return _as_type(value, option, path)
            except ValueFaults as error:
                fault = fault or error
    raise fault or ValueFaults.of(path, "None", value)


def _as_generic(value: Any, origin: Any, arguments: tuple[Any, ...], path: str) -> Any:
    if isinstance(value, dict) and issubclass(origin, typing.cast(Any, dict)):
        key_type, item_type = arguments
        return {_as_type(k, key_type, path): _as_type(v, item_type, f"{path}.{k}") for k, v in value.items()}
    if not isinstance(value, list):
        raise TypeError("give the type that it has")
    if origin is tuple and arguments[-1:] != (Ellipsis,):
        if len(arguments) != len(value):
            raise ValueError(f"there are {len(value)} items")
        return tuple(
            _as_type(item, kind, f"{path}[{at}]")
            for at, (item, kind) in enumerate(zip(value, arguments, strict=True))
        )
    return origin(_as_type(item, arguments[0], f"{path}[{at}]") for at, item in enumerate(value))


def _as_class(value: Any, as_type: Any, path: str) -> Any:
    if dataclasses.is_dataclass(as_type) and isinstance(value, dict):
        return _as_dataclass(value, as_type, path)
    if hasattr(as_type, "model_validate"):
        return as_type.model_validate(value)
    if issubclass(as_type, Enum) and isinstance(value, Enum):
        return as_type(value.value)
    if issubclass(as_type, datetime):
        moment = texts.parse_datetime(value) if isinstance(value, str) else value
        return moment if as_type is datetime else as_type.fromtimestamp(moment.timestamp(), moment.tzinfo)
    if issubclass(as_type, date):
        return value.date() if isinstance(value, datetime) else as_type.fromisoformat(value)
    if issubclass(as_type, timedelta):
        if isinstance(value, str):
            value = texts.parse_duration(value)
        elif isinstance(value, int | float):  # as a dataclass of flytekit keeps it
            value = timedelta(seconds=value)
        return value if as_type is timedelta else as_type(value.days, value.seconds, value.microseconds)
    return as_type(str(value)) if as_type is Decimal else as_type(value)


def _as_dataclass(value: dict[str, Any], as_type: Any, path: str) -> Any:
    hints = typing.get_type_hints(as_type)
    known = [field.name for field in dataclasses.fields(as_type) if field.init]
    return as_type(
        **{name: _as_type(value[name], hints[name], f"{path}.{name}") for name in known if name in value}
    )
