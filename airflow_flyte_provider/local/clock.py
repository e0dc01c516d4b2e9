"""Time as Flyte keeps it: nanoseconds since the epoch, and the protobuf messages for them."""

from __future__ import annotations

import re
import time
from datetime import datetime, timezone

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

_SECOND = 1_000_000_000
_UNITS = {
    "h": 3600 * _SECOND,
    "m": 60 * _SECOND,
    "s": _SECOND,
    "ms": 1_000_000,
    "us": 1000,
    "µs": 1000,
    "ns": 1,
}
_GO_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:\d\d)")


def now() -> Timestamp:
    """Return the present moment."""
    return timestamp(time.time_ns())


def timestamp(nanoseconds: int) -> Timestamp:
    """Return the Timestamp of so many nanoseconds since the epoch."""
    return Timestamp(seconds=nanoseconds // _SECOND, nanos=nanoseconds % _SECOND)


def nanoseconds(moment: Timestamp) -> int:
    """Return nanoseconds since the epoch."""
    return int(moment.seconds * _SECOND + moment.nanos)


def duration_nanoseconds(duration: Duration) -> int:
    """Return the length of a Duration in nanoseconds."""
    return int(duration.seconds * _SECOND + duration.nanos)


def between(start: Timestamp, end: Timestamp) -> Duration:
    """Return the time from `start` to `end`, never less than zero."""
    length = max(0, nanoseconds(end) - nanoseconds(start))
    return Duration(seconds=length // _SECOND, nanos=length % _SECOND)


def parse_moment(text: str) -> int | None:
    """Return nanoseconds since the epoch for an RFC 3339 text, None when it isn't one."""
    match = _RFC3339.fullmatch(text.strip())
    if match is None:
        return None
    whole, fraction, zone = match.groups()
    zone = "+00:00" if zone == "Z" else zone
    seconds = int(datetime.fromisoformat(whole + zone).astimezone(timezone.utc).timestamp())
    return seconds * _SECOND + int((fraction or "0").ljust(9, "0"))


def parse_duration(text: str) -> int | None:
    """Return nanoseconds for a number of seconds ("90", "1.5") or a Go duration ("1m30s"), None for neither."""
    try:
        return int(float(text) * _SECOND)
    except ValueError:
        pass
    parts = _GO_DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return int(sum(float(number) * _UNITS[unit] for number, unit in parts))


def go_duration(duration: Duration) -> str:
    """Return a Duration as Go prints it: `3s`, `1h0m0s`, `1m30s`, `500ms`."""
    length = duration_nanoseconds(duration)
    if length < _SECOND:
        for unit in ("ms", "µs", "ns"):
            if length >= _UNITS[unit]:
                return f"{_trimmed(length / _UNITS[unit])}{unit}"
        return "0s"
    hours, rest = divmod(length, _UNITS["h"])
    minutes, rest = divmod(rest, _UNITS["m"])
    text = f"{_trimmed(rest / _SECOND)}s"
    if hours or minutes:
        text = f"{minutes}m{text}"
    return f"{hours}h{text}" if hours else text


def _trimmed(number: float) -> str:
    return f"{number:.9f}".rstrip("0").rstrip(".")
