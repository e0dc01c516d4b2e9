"""The marks of a time axis."""

from __future__ import annotations

import math
from datetime import timedelta

from airflow_flyte_provider.model.durations import duration_text

_MOST = 8
#: Distances between marks, in seconds, beyond ten of them: those that people count by.
_STEPS = (10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400)


def ticks(length: float) -> list[tuple[float, str]]:
    """Return the marks of an axis that begins at 0: where each is, in seconds, and what it says.

    :param length: where the axis ends, in seconds. There are at most nine marks.

    >>> ticks(2.4)
    [(0.0, '0 s'), (0.5, '0.5 s'), (1.0, '1 s'), (1.5, '1.5 s'), (2.0, '2 s')]
    """
    if length <= 0:
        return [(0.0, "0 s")]
    step = _step(length / _MOST)
    marks = [index * step for index in range(int(length / step * (1 + 1e-9)) + 1)]
    return [(mark, _label(mark, step)) for mark in marks]


def _step(least: float) -> float:
    if least > _STEPS[-1]:
        return math.ceil(least / _STEPS[-1]) * _STEPS[-1]
    if least > 5:
        return next(step for step in _STEPS if step >= least)
    power = math.floor(math.log10(least))
    return next(step for step in (float(f"{digit}e{power}") for digit in (1, 2, 5, 10)) if step >= least)


def _label(mark: float, step: float) -> str:
    return duration_text(timedelta(seconds=mark)) if mark and step >= 60 else f"{mark:g} s"
