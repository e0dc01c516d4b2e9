"""Values of numpy and pandas as Python's own. Neither is imported: values are known by their shape."""

from __future__ import annotations

import re
from typing import Any

_FINER = re.compile(r"\.\d{6}(\d{1,3})(?!\d)")


def as_python(value: Any) -> Any:
    """Return a numpy scalar or array, or a pandas Series or Index, as the like of Python; all else unchanged.

    Moments and durations are cut at the microsecond; `finer_than_microseconds` has the rest.

    :param value: any value.
    """
    dtype = getattr(value, "dtype", None)
    if dtype is None:
        return value
    if getattr(value, "shape", None):
        return value.tolist() if getattr(dtype, "kind", "") not in "mM" else [as_python(one) for one in value]
    if not hasattr(value, "item"):
        return value
    kind = getattr(dtype, "kind", "")
    if kind in "mM" and hasattr(value, "astype"):
        return value.astype("datetime64[us]" if kind == "M" else "timedelta64[us]").item()
    return value.item()


def finer_than_microseconds(value: Any) -> int:
    """Return the nanoseconds, 0 to 999, that a moment or duration holds beyond what `datetime` can.

    :param value: a pandas Timestamp or Timedelta, a numpy datetime64 or timedelta64, or a text such as
        `"2026-01-01T00:00:00.123456789Z"`; of anything else it is 0.
    """
    if isinstance(value, str):
        found = _FINER.search(value)
        return int(found[1].ljust(3, "0")) if found else 0
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if kind in ("m", "M"):
        return (
            int(value.astype("datetime64[ns]" if kind == "M" else "timedelta64[ns]").astype("int64")) % 1000
        )
    return int(getattr(value, "nanosecond", None) or getattr(value, "nanoseconds", None) or 0)


def is_not_a_time(value: object) -> bool:
    """Tell whether a value is pandas' NaT, which is a datetime by its class and no moment."""
    return type(value).__name__ == "NaTType"
