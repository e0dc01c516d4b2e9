"""The chart and the table of spans."""

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_flyte_provider.model.metrics.axis import ticks
from airflow_flyte_provider.model.metrics.gantt import gantt
from airflow_flyte_provider.model.metrics.spans import Span
from airflow_flyte_provider.model.metrics.table import span_table
from tests.model.metrics.spans import node, operation, recorded, task, trees, wide, workflow

SVG = "{http://www.w3.org/2000/svg}"


def rows(svg):
    return [one for one in ET.fromstring(svg).iter(f"{SVG}g") if one.get("class") == "row"]


def texts(element):
    return [one.text for one in element.iter(f"{SVG}text")]


def bars(element):
    return [
        (one.get("class"), float(one.get("x")), float(one.get("width"))) for one in element.iter(f"{SVG}rect")
    ]


def test_the_chart_of_a_recorded_execution():
    svg = gantt(Span.from_proto(recorded("execution/metrics-nested")))
    assert [texts(row) for row in rows(svg)] == [
        ["nstv1c", "2.20 s"],
        ["n0", "2.11 s"],
        ["n0-0-n0 demo.echo_int", "1.92 s"],
    ]
    whole, *operations = bars(rows(svg)[2])
    assert [look for look, _, _ in operations] == [
        "transition",
        "setup",
        "teardown",
        "setup",
        "runtime",
        "teardown",
    ]
    runtime = next(one for one in operations if one[0] == "runtime")
    assert whole[1] < runtime[1] < runtime[1] + runtime[2] < whole[1] + whole[2]
    assert runtime[2] == pytest.approx(610 * 1.843025 / 2.195548, abs=0.2)
    told = [one.text for one in ET.fromstring(svg).iter(f"{SVG}title")]
    assert "TASK_RUNTIME of n0-0-n0 demo.echo_int: 1.84 s, began after 112 ms" in told
    assert {"setup", "runtime", "teardown", "transition", "from start to end"} < set(
        texts(ET.fromstring(svg))
    )
    assert "idle" not in texts(ET.fromstring(svg))


def test_attempts_have_a_line_each():
    first = task("demo.flaky", 0, 2, operation("TASK_RUNTIME", 0, 2))
    second = task("demo.flaky", 3, 5, operation("TASK_RUNTIME", 3, 5), attempt=1)
    svg = gantt(workflow(0, 5, node("n0", 0, 5, first, operation("NODE_RESET", 2, 3), second)))
    assert [texts(row)[0] for row in rows(svg)] == ["a1", "n0", "demo.flaky", "demo.flaky (attempt 2)"]


def test_what_users_call_things_is_text_and_no_markup():
    name = "<script>alert('&amp;')</script>&\x1b[31m\x00"
    svg = gantt(workflow(0, 2, node("n0", 0, 2, task(name, 0, 1)), name='"]]>&<b>'))
    shown = "<script>alert('&amp;')</script>&?[31m?"
    assert "<script" not in svg
    assert "<b>" not in svg
    assert next(rows(svg)[1].iter(f"{SVG}title")).text == f"n0 {shown}"
    assert ET.fromstring(svg).find(f"{SVG}title").text == '"]]>&<b> took 2.00 s'
    table = span_table(workflow(0, 2, task(name, 0, 1)))
    assert shown in table
    assert "\x1b" not in table


def test_nothing_in_it_runs_or_is_fetched():
    svg = gantt(wide(5))
    names = {one.tag.removeprefix(SVG) for one in ET.fromstring(svg).iter()}
    assert names == {"svg", "title", "style", "rect", "text", "defs", "clipPath", "line", "g"}
    attributes = {name for one in ET.fromstring(svg).iter() for name in one.attrib}
    assert not [name for name in attributes if "href" in name or name.startswith("on")]
    assert svg.count("http") == 1  # the name of SVG itself
    assert "@import" not in svg
    assert svg.count("url(") == svg.count("url(#labels)")


@pytest.mark.parametrize(
    ("spans", "shown", "more"),
    [
        (5, 6, ""),
        (199, 200, ""),
        (200, 200, "1 more, none of which took longer"),
        (500, 200, "301 more, none of which took longer"),
    ],
)
def test_a_long_chart_ends_with_how_much_there_is_more(spans, shown, more):
    svg = gantt(wide(spans))
    assert len(rows(svg)) == shown
    assert [text for text in texts(ET.fromstring(svg)) if "more" in text] == ([more] if more else [])
    assert len(rows(gantt(wide(spans), max_rows=1000))) == spans + 1


def test_a_long_chart_shows_what_took_longest_in_its_order():
    nodes = [node(name, 0, took) for name, took in [("n0", 3), ("n1", 1), ("n2", 4), ("n3", 2)]]
    svg = gantt(workflow(0, 5, *nodes), max_rows=3)
    assert [texts(row)[0] for row in rows(svg)] == ["a1", "n0", "n2"]


def test_a_long_name_keeps_its_ends_and_is_whole_in_the_tooltip():
    name = "pipelines.daily.customers.europe.north.enrich_with_addresses_and_scores"
    row = rows(gantt(workflow(0, 1, node("n0", 0, 1, task(name, 0, 1)))))[1]
    assert len(texts(row)[0]) < 45
    assert texts(row)[0].startswith("n0 pipelines")
    assert texts(row)[0].endswith("and_scores")
    assert next(row.iter(f"{SVG}title")).text == f"n0 {name}"


@given(trees)
def test_any_tree_has_a_chart_and_a_table(span):
    svg = gantt(span)
    for row in rows(svg):
        for _, x, width in bars(row):
            assert 300 <= x <= x + width <= 911
    assert len(span_table(span).splitlines()) == 1 + sum(1 for _ in span.walk())


def test_the_table_of_a_recorded_execution():
    lines = span_table(Span.from_proto(recorded("execution/metrics"))).splitlines()
    assert lines == TABLE.strip("\n").splitlines()


TABLE = """
span                 name            start  duration  time
WORKFLOW             ok1v1c           0 ms    2.36 s  ================================
  WORKFLOW_SETUP                      0 ms     27 ms  =
  NODE               n0              41 ms    2.13 s  =============================
    NODE_TRANSITION                  27 ms     14 ms  =
    NODE_SETUP                       41 ms     40 ms  =
    TASK             demo.echo_int   81 ms    2.07 s   ============================
      TASK_SETUP                     81 ms      0 ms   =
      TASK_RUNTIME                   81 ms    2.02 s   ===========================
      TASK_TEARDOWN                 2.10 s     52 ms                              =
    NODE_TEARDOWN                   2.15 s     17 ms                               =
  WORKFLOW_TEARDOWN                 2.17 s    190 ms                               ===
"""


def test_a_long_table_ends_with_how_much_there_is_more():
    lines = span_table(wide(5), max_rows=10).splitlines()
    assert len(lines) == 12
    assert lines[-1] == "... 28 more spans"


@given(st.just(0.0) | st.floats(1e-6, 1e8))  # a duration has microseconds
def test_an_axis_has_a_few_marks_that_differ(length):
    marks = ticks(length)
    assert 1 <= len(marks) <= 9
    assert marks[0] == (0.0, "0 s")
    assert all(mark <= length * (1 + 1e-6) for mark, _ in marks)
    assert len({label for _, label in marks}) == len(marks)
    if length > 1:
        assert len(marks) >= 3


def test_marks_are_those_that_people_count_by():
    assert [label for _, label in ticks(0.7)] == [
        "0 s",
        "0.1 s",
        "0.2 s",
        "0.3 s",
        "0.4 s",
        "0.5 s",
        "0.6 s",
        "0.7 s",
    ]
    assert [label for _, label in ticks(130)] == ["0 s", "20 s", "40 s", "60 s", "80 s", "100 s", "120 s"]
    assert [label for _, label in ticks(11_000)] == [
        "0 s",
        "30 min",
        "1 h",
        "1 h 30 min",
        "2 h",
        "2 h 30 min",
        "3 h",
    ]
