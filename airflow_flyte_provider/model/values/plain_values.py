"""Python values as those that MessagePack or a protobuf Struct can hold, checked by a JSON schema if there is one."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from numbers import Integral, Real
from uuid import UUID

from airflow_flyte_provider.model.faults import FaultCollector, ValueFault, ValueFaults
from airflow_flyte_provider.model.suggestions import did_you_mean
from airflow_flyte_provider.model.values import schema_texts
from airflow_flyte_provider.model.values.foreign import as_python
from airflow_flyte_provider.model.values.json_schemas import ANYTHING, JsonSchema

_MSGPACK_INTEGERS = range(-(2**63), 2**64)
_EXACT_IN_FLOAT = range(-(2**53), 2**53 + 1)


def is_model(value: object) -> bool:
    """Return whether a value is an instance of a dataclass or of something like a pydantic model."""
    return not isinstance(value, type) and (dataclasses.is_dataclass(value) or hasattr(value, "model_dump"))


class PlainWriter:
    """Turns values into those that MessagePack, or a protobuf Struct, can hold.

    :param as_msgpack: whether for MessagePack, which has integers, bytes and integer keys. A Struct has not.

    >>> PlainWriter(as_msgpack=True).plain({"day": date(2026, 1, 1), "n": (1, 2)}, "x")
    {'day': '2026-01-01', 'n': [1, 2]}
    """

    def __init__(self, as_msgpack: bool) -> None:
        self._as_msgpack = as_msgpack

    def plain(self, value: object, path: str, schema: JsonSchema = ANYTHING) -> object:
        """Return the plain value.

        :param value: the value. A text where the schema wants something else is read as that.
        :param path: where the value stands, for faults.
        :param schema: what it must be.
        :raises ValueFaults: for all inside that has no plain value or does not fit the schema.
        """
        if value is None:
            if not schema.takes_none:
                raise ValueFaults.of(path, schema.describe(), None)
            return None
        if schema.options:
            return self._option(value, path, schema)
        if isinstance(value, str) and not isinstance(value, Enum):
            value = schema_texts.read(value, schema, path)
        elif isinstance(value, Enum):
            value = value.value
        plain = self._converted(value, path, schema)
        if not schema_texts.is_of(plain, schema):
            raise ValueFaults.of(path, schema.describe(), value)
        if schema.choices and plain not in schema.choices:
            raise ValueFaults.of(path, schema.describe(), value, did_you_mean(plain, schema.choices))
        return plain

    def _option(self, value: object, path: str, schema: JsonSchema) -> object:
        """Return the value by the first option that it fits: those of its own kind come before any conversion."""
        if schema.only is not schema:
            return self.plain(value, path, schema.only)
        own = [option for option in schema.options if schema_texts.is_of(value, option)]
        for option in own + [option for option in schema.options if option not in own]:
            try:
                return self.plain(value, path, option)
            except ValueFaults:
                continue
        raise ValueFaults.of(path, schema.describe(), value)

    def _converted(self, value: object, path: str, schema: JsonSchema) -> object:
        if value is None or isinstance(value, bool | float | str):
            return value if type(value) in (bool, float, str, type(None)) else as_python(value)
        if isinstance(value, Mapping):
            return self._mapping(value, path, schema, is_whole=False)
        if isinstance(value, list | tuple | set | frozenset):
            return self._items(value, path, schema)
        if is_model(value):
            return self._model(value, path, schema)
        return self._scalar(value, path, schema)

    def _mapping(
        self, value: Mapping[object, object], path: str, schema: JsonSchema, is_whole: bool
    ) -> dict[object, object]:
        content: dict[object, object] = {}
        collector = FaultCollector()
        for key, item in value.items():
            inner = schema.properties.get(key, schema.others) if isinstance(key, str) else schema.others
            with collector:
                if schema.is_closed and key not in schema.properties and not is_whole:
                    hint = did_you_mean(key, schema.properties)
                    raise ValueFaults.of(f"{path}.{key}", f"a field of {schema.describe()}", key, hint)
                content[self._key(key, path)] = self.plain(item, f"{path}.{key}", inner)
        for name in () if is_whole else schema.required:
            if name not in value:
                expected = schema.properties.get(name, ANYTHING).describe()
                collector.faults.append(ValueFault(f"{path}.{name}", expected, "nothing"))
        collector.raise_any()
        return content

    def _key(self, key: object, path: str) -> object:
        key = key.value if isinstance(key, Enum) else key
        if isinstance(key, str) or (self._as_msgpack and isinstance(key, int) and key in _MSGPACK_INTEGERS):
            return key
        raise ValueFaults.of(path, "str keys", key)

    def _items(self, value: Iterable[object], path: str, schema: JsonSchema) -> list[object]:
        content: list[object] = []
        collector = FaultCollector()
        tuples = schema.positions
        for index, item in enumerate(value):
            with collector:
                inner = tuples[index] if index < len(tuples) else schema.items
                content.append(self.plain(item, f"{path}[{index}]", inner))
        collector.raise_any()
        if tuples and len(content) != len(tuples):
            raise ValueFaults.of(path, schema.describe(), value, f"give {len(tuples)} items")
        return content

    def _model(self, value: object, path: str, schema: JsonSchema) -> object:
        """Return the fields of an instance, which has those of its class: none is missing and none unknown."""
        dump = getattr(value, "model_dump", None)
        if dump is not None:
            return self._mapping(dump(mode="json"), path, schema, is_whole=True)
        names = [field.name for field in dataclasses.fields(value)]  # type: ignore[arg-type]
        return self._mapping({name: getattr(value, name) for name in names}, path, schema, is_whole=True)

    def _scalar(self, value: object, path: str, schema: JsonSchema) -> object:
        if isinstance(value, Integral):
            return self._integer(int(value), path)
        if isinstance(value, Real) or (isinstance(value, Decimal) and "number" in schema.types):
            return float(value)
        if isinstance(value, datetime | date | time):
            return value.isoformat()
        if isinstance(value, timedelta):
            return schema_texts.duration(value, schema)
        if isinstance(value, Decimal | UUID | os.PathLike):
            return str(value)
        if isinstance(value, bytes) and self._as_msgpack:
            return value
        if (own := as_python(value)) is not value:
            return self._converted(own, path, schema)
        raise ValueFaults.of(path, "something that a struct can hold", value, "give plain Python values")

    def _integer(self, number: int, path: str) -> int:
        if number not in (_MSGPACK_INTEGERS if self._as_msgpack else _EXACT_IN_FLOAT):
            bits = 64 if self._as_msgpack else 53
            raise ValueFaults.of(
                path, "int", number, f"a struct holds integers of up to {bits} bits: give a str"
            )
        return number
