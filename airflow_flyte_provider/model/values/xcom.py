"""Outputs as what XCom may hold: values that Airflow turns to JSON and back, and not too much of it."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from typing import Any

from airflow_flyte_provider.model.files import XCOM_LIMIT_BYTES, FileReference
from airflow_flyte_provider.model.values.outputs import Outputs

#: Airflow makes an object of a dict with one of these keys when it reads an XCom, of the class that the dict names.
_RESERVED = ("__classname__", "__type", "__id__")


class XComReservedKeyError(ValueError):
    """Raised for a value that Airflow would not read back as the dict that it is.

    :param key: the key that Airflow has another use for.
    """

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(
            f"a dict has the key {key!r}, by which Airflow's XCom names the class of an object: it is not handed on. "
            "Set do_xcom_push=False and read it in the next task with FlyteHook, or rename the key in the Flyte task."
        )

    def __reduce__(self) -> tuple[type[XComReservedKeyError], tuple[str]]:
        return type(self), (self.key,)


class XComTooLargeError(ValueError):
    """Raised for outputs that are too large for XCom. Its text names the largest and what can be done.

    :param sizes: bytes of JSON by the outputs' names.
    :param limit_bytes: how many all of them may have.
    """

    def __init__(self, sizes: Mapping[str, int], limit_bytes: int) -> None:
        self.sizes = dict(sizes)
        self.limit_bytes = limit_bytes
        largest = sorted(sizes, key=lambda name: (-sizes[name], name))[:5]
        told = ", ".join(f"{name} ({sizes[name]:,} bytes)" for name in largest)
        super().__init__(
            f"The outputs have {sum(sizes.values()):,} bytes as JSON, and XCom takes {limit_bytes:,}; the largest: "
            f"{told}. Raise xcom_limit_bytes of the Airflow task if the XCom backend can hold them; or set "
            f"do_xcom_push=False and read them in the next task with FlyteHook.get_outputs; or let the Flyte task "
            f"return a FlyteFile or a StructuredDataset, which goes through XCom as a reference."
        )

    def __reduce__(self) -> tuple[type[XComTooLargeError], tuple[dict[str, int], int]]:
        return type(self), (self.sizes, self.limit_bytes)


def to_xcom(outputs: Outputs, limit_bytes: int | None = XCOM_LIMIT_BYTES) -> dict[str, Any]:
    """Return outputs as a dict that XCom can hold, and that is taken as the inputs of a next execution.

    Moments and durations stay the Python objects that they are: Airflow's XCom writes and reads them by itself.
    Files, tables and values that Flyte has offloaded become the dict of a `FileReference`; bytes base64; infinities
    and NaN, which JSON has no numbers for, the texts `"Infinity"`, `"-Infinity"` and `"NaN"`.

    :param outputs: the outputs.
    :param limit_bytes: the most that they may have as JSON, in bytes; None for no limit.
    :raises XComTooLargeError: when they have more.
    :raises XComReservedKeyError: when a dict in them, or they themselves, would become an object of Airflow's.
    """
    values: dict[str, Any] = xcom_value({name: _in_place(outputs, name) for name in outputs})
    sizes = {name: len(json.dumps(value, default=str)) for name, value in values.items()}
    if limit_bytes is not None and sum(sizes.values()) > limit_bytes:
        raise XComTooLargeError(sizes, limit_bytes)
    return values


def xcom_value(value: Any) -> Any:
    """Return a native value as one that XCom can hold; see `to_xcom`.

    :raises XComReservedKeyError: see `to_xcom`.
    """
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, Mapping):
        if found := next((key for key in _RESERVED if key in value), None):
            raise XComReservedKeyError(found)
        return {str(key): xcom_value(item) for key, item in value.items()}
    if isinstance(value, list):
        return [xcom_value(item) for item in value]
    if isinstance(value, FileReference):
        return value.to_dict()
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _in_place(outputs: Outputs, name: str) -> Any:
    reference = outputs.reference(name)
    return outputs[name] if reference is None else reference
