"""Groups of settings that an author writes as an object or as a dict, some of them as text from a template.

A `Record` is a dataclass whose fields say how each is read. Reading checks everything, names every fault by its path,
and gives a record of the same class with values of the declared types.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, field, fields, replace
from datetime import timedelta
from typing import Any, TypeVar

from airflow_flyte_provider.model.faults import FaultCollector, ValueFault, ValueFaults
from airflow_flyte_provider.model.suggestions import did_you_mean
from airflow_flyte_provider.model.texts import parse_bool, parse_duration, parse_int

R = TypeVar("R", bound="Record")

#: Takes a value and its path; returns the value as declared, or raises `ValueFaults`.
Reader = Callable[[Any, str], Any]


class Record:
    """A group of settings; subclasses are frozen dataclasses whose fields are made by `setting`."""

    __slots__ = ()

    @classmethod
    def read(cls: type[R], value: object, path: str) -> R:
        """Return the record that a user wrote, checked.

        :param value: one of this class, a dict by the names of its fields, or a text of such a dict. None, in a
            field, is as good as nothing.
        :param path: where it stands, for faults.
        :raises ValueFaults: naming every fault in it.
        """
        given = _given(cls, value, path)
        readers = {each.name: each.metadata["read"] for each in fields(cls)}  # type: ignore[arg-type]
        collector, found = FaultCollector(), {}
        for name in [name for name in given if name not in readers]:
            hint = did_you_mean(name, readers) or f"there are {', '.join(readers)}"
            collector.faults.append(ValueFault(f"{path}.{name}", "a known name", "an unknown one", hint=hint))
        for each in fields(cls):  # type: ignore[arg-type]
            if given.get(each.name) is None:
                if each.default is MISSING:
                    collector.faults.append(ValueFault(f"{path}.{each.name}", "a value", "nothing"))
                continue
            try:
                found[each.name] = readers[each.name](given[each.name], f"{path}.{each.name}")
            except ValueFaults as error:
                faults = error.faults if each.repr else [replace(fault, shown="") for fault in error.faults]
                collector.faults.extend(faults)
        collector.raise_any()
        record = cls(**found)
        record.check(path)
        return record

    def check(self, path: str) -> None:
        """Look for what only the fields together can show, after each was read.

        :raises ValueFaults: for what is wrong.
        """

    def to_dict(self) -> dict[str, Any]:
        """Return what was given as plain JSON values, which `read` takes again."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}  # type: ignore[arg-type]
        return {name: plain(value) for name, value in values.items() if value is not None}


def setting(read: Reader, *, required: bool = False, shown: bool = True) -> Any:
    """Return the dataclass field of a setting.

    :param read: reads its value.
    :param required: whether it must be given; otherwise it is None by default.
    :param shown: False for what may hold a secret: neither `repr` nor a fault shows it.
    """
    metadata = {"read": read}
    if required:
        return field(metadata=metadata, repr=shown)
    return field(default=None, metadata=metadata, repr=shown)


def plain(value: Any) -> Any:
    """Return a value with all records and durations in it as plain JSON values.

    :param value: a record, or dicts and lists with records in them; anything else is returned as it is.
    """
    if isinstance(value, Record):
        return value.to_dict()
    if isinstance(value, Mapping):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return str(value) if isinstance(value, timedelta) else value


def read_text(value: Any, path: str) -> str:
    """Return a text; a number is written out, for a template may have made it of a text."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise ValueFaults.of(path, "a text", value)
    return value


def read_name(value: Any, path: str) -> str:
    """Return a text that is not empty."""
    text = read_text(value, path)
    if not text.strip():
        raise ValueFaults.of(path, "a text that is not empty", value)
    return text


def read_bool(value: Any, path: str) -> bool:
    """Return a truth value, also one written as `"true"` or `"False"`."""
    if isinstance(value, bool):
        return value
    return _parsed(parse_bool, value, path, "bool")


def read_count(value: Any, path: str) -> int:
    """Return a whole number from 0 that Flyte has room for, also one written as text."""
    number = (
        value
        if isinstance(value, int) and not isinstance(value, bool)
        else _parsed(parse_int, value, path, "int")
    )
    if not 0 <= number < 2**31:
        raise ValueFaults.of(path, "a number from 0 to 2147483647", value)
    return number


def read_duration(value: Any, path: str) -> timedelta:
    """Return a duration: a timedelta, seconds, or a text of either."""
    try:
        if isinstance(value, timedelta):
            duration = value
        elif isinstance(value, str) and not re.fullmatch(r"[0-9.]+", value):
            duration = parse_duration(value)
        else:
            duration = timedelta(seconds=float(value))
    except (TypeError, ValueError, OverflowError) as fault:
        raise ValueFaults.of(path, "a timedelta, or seconds", value, str(fault)) from None
    if duration < timedelta():
        raise ValueFaults.of(path, "a duration from 0", value)
    return duration


def one_of(expected: str, *choices: str) -> Reader:
    """Return what reads one of a few words, in whatever case.

    :param expected: what the words are, such as `a final phase`.
    """

    def read(value: Any, path: str) -> str:
        word = getattr(value, "value", value)  # of an enum
        if isinstance(word, str) and word.upper() in choices:
            return word.upper()
        hint = did_you_mean(word, choices)
        raise ValueFaults.of(path, f"{expected} ({', '.join(choices)})", value, hint)

    return read


def list_of(read: Reader) -> Reader:
    """Return what reads a list, or the text of one, as a tuple."""

    def read_list(value: Any, path: str) -> tuple[Any, ...]:
        items = _collection(value, path, "a list, such as ['a', 'b']", list, tuple)
        collector, found = FaultCollector(), []
        for number, item in enumerate(items):
            with collector:
                found.append(read(item, f"{path}[{number}]"))
        collector.raise_any()
        return tuple(found)

    return read_list


def map_of(read_key: Reader, read_value: Reader) -> Reader:
    """Return what reads a dict, or the text of one."""

    def read_map(value: Any, path: str) -> dict[str, Any]:
        items = _collection(value, path, "a dict, such as {'a': 'b'}", Mapping)
        collector, found = FaultCollector(), {}
        for key, item in items.items():
            here = f"{path}[{key!r}]"
            with collector:
                read_key(key, here)  # by itself, so that it does not hide a fault of the value
            with collector:
                found[str(key)] = read_value(item, here)
        collector.raise_any()
        return found

    return read_map


def _given(cls: type[Record], value: object, path: str) -> dict[Any, Any]:
    if isinstance(value, cls):
        return {each.name: getattr(value, each.name) for each in fields(cls)}  # type: ignore[arg-type]
    if isinstance(value, Record):
        raise ValueFaults.of(path, cls.__name__, value)
    return dict(_collection(value, path, f"{cls.__name__} or a dict", Mapping))


def _collection(value: Any, path: str, expected: str, *kinds: type) -> Any:
    """Return a list or dict, also from its text: JSON, or what a template makes of a Python value."""
    content = value
    if isinstance(value, str):
        for parse in (json.loads, ast.literal_eval):
            try:
                content = parse(value)
                break
            except (ValueError, SyntaxError, RecursionError, MemoryError):
                continue
    if not isinstance(content, kinds):
        raise ValueFaults.of(path, expected, value)
    return content


def _parsed(parse: Callable[[str], Any], value: Any, path: str, expected: str) -> Any:
    if not isinstance(value, str):
        raise ValueFaults.of(path, expected, value)
    try:
        return parse(value)
    except ValueError as fault:
        raise ValueFaults.of(path, expected, value, str(fault)) from None
