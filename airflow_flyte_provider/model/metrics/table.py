"""Spans as a table for the terminal and the task log."""

from __future__ import annotations

from airflow_flyte_provider.model.durations import duration_text
from airflow_flyte_provider.model.metrics.spans import Span
from airflow_flyte_provider.model.metrics.timeline import Timeline, shortened
from airflow_flyte_provider.model.redaction import printable

_NAME, _BAR = 40, 32  # characters
_TITLES = ("span", "name", "start", "duration")


def span_table(span: Span, *, max_rows: int = 500) -> str:
    """Return spans as a table: a line each, indented by depth, with its start, duration and a bar in time.

    :param span: what `FlyteHook.get_execution_metrics` returned.
    :param max_rows: the most lines of spans; what is left out is counted in a last line.
    :returns: text in ASCII, but for names that have other letters. Starts count from the first moment of all.
    """
    timeline = Timeline.of(span)
    spans = list(span.walk())
    cells, bars = [], []
    for depth, one in spans[:max_rows]:
        start = duration_text(timeline.offset(one.start)) if one.start else "-"
        name = shortened(printable(one.name), _NAME)
        cells.append((f"{'  ' * depth}{printable(one.kind)}", name, start, duration_text(one.duration)))
        bars.append(_bar(one, timeline))
    widths = [max(map(len, column)) for column in zip(_TITLES, *cells, strict=True)]
    lines = [_line(_TITLES, widths, "time")]
    lines += [_line(row, widths, bar) for row, bar in zip(cells, bars, strict=True)]
    if len(spans) > max_rows:
        lines.append(f"... {len(spans) - max_rows} more spans")
    return "\n".join(lines)


def _line(cells: tuple[str, ...], widths: list[int], bar: str) -> str:
    kind, name, start, duration = widths
    told = f"{cells[0]:<{kind}}  {cells[1]:<{name}}  {cells[2]:>{start}}  {cells[3]:>{duration}}  {bar}"
    return told.rstrip()


def _bar(span: Span, timeline: Timeline) -> str:
    if span.start is None:
        return ""
    start, end = timeline.place(span)
    first = min(int(start * _BAR), _BAR - 1)
    last = max(first + 1, round(end * _BAR))
    return " " * first + "=" * (last - first)
