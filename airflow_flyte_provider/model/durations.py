"""Durations as people read them."""

from __future__ import annotations

from datetime import timedelta

_UNITS = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))


def duration_text(duration: timedelta) -> str:
    """Return a duration to two or three digits that matter.

    >>> [duration_text(timedelta(seconds=one)) for one in (0.0284, 2.13, 41.5, 245, 7500)]
    ['28 ms', '2.13 s', '41.5 s', '4 min 5 s', '2 h 5 min']
    """
    seconds = max(duration.total_seconds(), 0.0)
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 59.95:
        return f"{seconds:.{2 if seconds < 9.995 else 1}f} s"
    left = round(seconds)
    parts: list[tuple[int, str]] = []
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count or parts:
            parts.append((count, unit))
    return " ".join(f"{count} {unit}" for count, unit in parts[:2] if count)
