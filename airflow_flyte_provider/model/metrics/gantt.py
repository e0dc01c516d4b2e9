"""Spans as a Gantt chart: one SVG file that needs nothing beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from xml.etree.ElementTree import Element, SubElement, tostring

from airflow_flyte_provider.model.durations import duration_text
from airflow_flyte_provider.model.metrics.axis import ticks
from airflow_flyte_provider.model.metrics.spans import NODE, TASK, Span
from airflow_flyte_provider.model.metrics.timeline import Timeline, shortened
from airflow_flyte_provider.model.redaction import printable

_WIDTH, _ROW, _TOP = 1000, 18, 84  # pixels
_LEFT, _RIGHT = 300, 910  # where the time axis begins and ends
_INDENT, _LETTER = 12, 6.7

#: By the last word of an operation. Okabe and Ito's colours, which the colour-blind can tell apart too.
_COLOURS = {
    "SETUP": "#56b4e9",
    "RUNTIME": "#009e73",
    "TEARDOWN": "#cc79a7",
    "TRANSITION": "#e69f00",
    "RESET": "#d55e00",
    "IDLE": "#0072b2",
    "other": "#8a8a8a",
}
_WHOLE = "from start to end"

# Attributes show it on white; where the reader's screen is dark, this goes before them.
_STYLE = """
text { font: 11px ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace }
.title { font-size: 13px; font-weight: bold }
@media (prefers-color-scheme: dark) {
  .back { fill: #16191d } text { fill: #e3e6e8 } .quiet { fill: #a3abb2 }
  .grid { stroke: #363c43 } .whole { fill: #4a525a }
}
"""


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the chart: something that ran, with its operations."""

    depth: int
    label: str
    whole: Span
    operations: tuple[Span, ...]


def gantt(span: Span, *, max_rows: int = 200) -> str:
    """Return spans as a Gantt chart in SVG.

    Executions, nodes and attempts of tasks have a line each, a node and its only attempt one together; operations
    are coloured pieces of it. Text, colours and all are inside, nothing is fetched and nothing runs; the pointer
    shows what a piece is, when it began and how long it took.

    :param span: what `FlyteHook.get_execution_metrics` returned.
    :param max_rows: the most lines. Of more, those that took longest are shown, and how many are not is said below.
    :returns: the text of an SVG file, to be written in UTF-8. 1000 pixels wide, 18 high for each line.
    """
    timeline, lines = Timeline.of(span), list(_lines(span))
    shown = _longest(lines, max_rows)
    left_out = len(lines) - len(shown)
    bottom = _TOP + _ROW * len(shown)
    root = _canvas(bottom + 12 + (_ROW if left_out else 0), span, timeline)
    _draw_legend(root, shown)
    _draw_axis(root, timeline, bottom)
    for number, line in enumerate(shown):
        _draw_line(root, line, timeline, _TOP + number * _ROW)
    if left_out:
        _text(root, 12, bottom + 13, f"{left_out} more, none of which took longer", quiet=True)
    return tostring(root, encoding="unicode")


def _lines(span: Span, depth: int = 0) -> Iterator[_Line]:
    operations = tuple(one for one in span.spans if one.is_operation)
    inside = [one for one in span.spans if not one.is_operation]
    label = span.name
    if span.kind == NODE and len(inside) == 1 and inside[0].kind == TASK:
        label, operations, inside = f"{label} {inside[0].name}", operations + inside[0].spans, []
    yield _Line(depth, printable(label or span.kind), span, operations)
    for one in inside:
        yield from _lines(one, depth + 1)


def _longest(lines: list[_Line], count: int) -> list[_Line]:
    """Return so many of the lines, those that took longest, in the order they are in."""
    order = sorted(range(len(lines)), key=lambda index: lines[index].whole.duration, reverse=True)
    return [lines[index] for index in sorted(order[:count])]


def _canvas(height: int, span: Span, timeline: Timeline) -> Element:
    size = {"width": str(_WIDTH), "height": str(height), "viewBox": f"0 0 {_WIDTH} {height}"}
    root = Element("svg", {"xmlns": "http://www.w3.org/2000/svg", **size, "role": "img"})
    headline = f"{printable(span.name)} took {duration_text(timeline.length)}"
    SubElement(root, "title").text = headline
    SubElement(root, "style").text = _STYLE
    SubElement(root, "rect", {"class": "back", "width": "100%", "height": "100%", "fill": "#ffffff"})
    _text(root, 12, 24, headline, style="title")
    clip = SubElement(SubElement(root, "defs"), "clipPath", {"id": "labels"})
    _box(clip, 0, 0, _LEFT - 8, height)
    return root


def _draw_legend(root: Element, lines: list[_Line]) -> None:
    found = {_group(one) for line in lines for one in line.operations}
    x = 12.0
    for name, colour in [*_COLOURS.items(), (_WHOLE, "")]:
        if colour and name not in found:
            continue
        if colour:
            _box(root, x, 39, 12, 10, fill=colour)
        else:
            _box(root, x, 42, 12, 4, fill="#c4cad0").set("class", "whole")
        _text(root, x + 18, 48, name.lower())
        x += 18 + len(name) * _LETTER + 18


def _draw_axis(root: Element, timeline: Timeline, bottom: int) -> None:
    for seconds, label in ticks(timeline.length.total_seconds()):
        x = _x(timedelta(seconds=seconds) / timeline.length if timeline.length else 0.0)
        line = {"x1": f"{x:.1f}", "x2": f"{x:.1f}", "y1": str(_TOP - 6), "y2": str(bottom)}
        SubElement(root, "line", {"class": "grid", **line, "stroke": "#e2e5e9"})
        _text(root, x, _TOP - 11, label, quiet=True).set("text-anchor", "middle")


def _draw_line(root: Element, line: _Line, timeline: Timeline, y: int) -> None:
    group = SubElement(root, "g", {"class": "row"})
    indent = min(line.depth, 8) * _INDENT
    letters = int((_LEFT - 20 - indent) / _LETTER)
    label = _text(group, 12 + indent, y + 13, shortened(line.label, letters))
    label.set("clip-path", "url(#labels)")
    _tooltip(label, line.label)
    if line.whole.start is not None:
        _draw_bar(group, line.whole, timeline, y + 7, 4, "whole", line.label)
    for one in line.operations:
        if one.start is not None:
            _draw_bar(group, one, timeline, y + 3, 12, _group(one), f"{printable(one.kind)} of {line.label}")
    _text(group, _RIGHT + 10, y + 13, duration_text(line.whole.duration), quiet=True)


def _draw_bar(
    group: Element, span: Span, timeline: Timeline, y: int, height: int, look: str, told: str
) -> None:
    start, end = timeline.place(span)
    # What is too short to be seen is drawn half a pixel wide; so a line is never empty.
    width = max((end - start) * (_RIGHT - _LEFT), 0.5)
    bar = _box(group, _x(start), y, width, height, fill=_COLOURS.get(look, "#c4cad0"))
    bar.set("class", look.lower())
    if span.start is not None:
        began = duration_text(timeline.offset(span.start))
        _tooltip(bar, f"{told}: {duration_text(span.duration)}, began after {began}")


def _group(operation: Span) -> str:
    word = operation.kind.rpartition("_")[2]
    return word if word in _COLOURS else "other"


def _x(share: float) -> float:
    return _LEFT + share * (_RIGHT - _LEFT)


def _box(parent: Element, x: float, y: float, width: float, height: float, fill: str = "#000000") -> Element:
    places = {"x": f"{x:.1f}", "y": f"{y:g}", "width": f"{width:.1f}", "height": f"{height:g}"}
    return SubElement(parent, "rect", {**places, "fill": fill})


def _text(parent: Element, x: float, y: float, text: str, *, quiet: bool = False, style: str = "") -> Element:
    look = {"class": "quiet" if quiet else style, "fill": "#59636e" if quiet else "#1f2328"}
    element = SubElement(parent, "text", {"x": f"{x:.1f}", "y": f"{y:g}", **look})
    element.text = text
    return element


def _tooltip(element: Element, text: str) -> None:
    SubElement(element, "title").text = text
