"""The time of an execution by kind of operation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from airflow_flyte_provider.model.metrics.spans import Span

_Period = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class KindTotal:
    """The time of one kind of operation.

    :param summed: the durations added up; what goes on side by side counts more than once.
    :param wall: the time in which at least one such operation went on; never more than `summed`.
    """

    summed: timedelta
    wall: timedelta


def by_kind(span: Span) -> dict[str, KindTotal]:
    """Return the time of each kind of operation, the largest first.

    WORKFLOW, NODE and TASK are among them for the time that Flyte tells nothing more of: what lies below the depth
    that was asked for, and what runs inside a map node. So every moment of `span` is in at least one kind.
    """
    found: dict[str, list[_Period]] = {}
    _gather(span, found)
    totals = {kind: KindTotal(_length(periods), _length(_merged(periods))) for kind, periods in found.items()}
    return dict(sorted(totals.items(), key=lambda one: (-one[1].summed, one[0])))


def totals(span: Span) -> dict[str, Any]:
    """Return the time of an execution and of each kind of operation in it, in seconds, ready for JSON.

    :param span: what `FlyteHook.get_execution_metrics` returned.
    :returns: `total_s` is the time from the first to the last moment of all spans; `by_kind` has `sum_s` and
        `wall_s` for each kind, see `KindTotal`: `{"total_s": 2.4, "by_kind": {"TASK_RUNTIME": {"sum_s": 4.1,
        "wall_s": 2.1}, ...}}`.
    """
    extent = span.extent
    return {
        "total_s": (extent[1] - extent[0]).total_seconds() if extent else 0.0,
        "by_kind": {
            kind: {"sum_s": total.summed.total_seconds(), "wall_s": total.wall.total_seconds()}
            for kind, total in by_kind(span).items()
        },
    }


def _gather(span: Span, found: dict[str, list[_Period]]) -> list[_Period]:
    """Note under each kind the time that nothing further inside tells of. Returns all time of `span`."""
    inside = _merged(period for child in span.spans for period in _gather(child, found))
    periods = [span.period] if span.period else []
    own = [piece for period in periods for piece in _without(period, inside)]
    if own or span.is_operation:
        found.setdefault(span.kind, []).extend(own)
    return _merged(inside + periods)


def _merged(periods: Iterable[_Period]) -> list[_Period]:
    """Return periods as few as can be that cover the same time, in order."""
    merged: list[_Period] = []
    for start, end in sorted(periods):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        else:
            merged.append((start, end))
    return merged


def _without(period: _Period, covered: Iterable[_Period]) -> list[_Period]:
    """Return what is left of a period outside of others, which are in order and apart."""
    start, end = period
    left = []
    for other_start, other_end in covered:
        if start < min(other_start, end):
            left.append((start, min(other_start, end)))
        start = max(start, other_end)
    return [*left, (start, end)] if start < end else left


def _length(periods: Iterable[_Period]) -> timedelta:
    return sum((end - start for start, end in periods), timedelta())
