"""Spans of an execution: those that a real Flyte told, and what their times add up to."""

import json
from datetime import timedelta

import pytest
from flyteidl.core.metrics_pb2 import Span as SpanProto
from hypothesis import given

from airflow_flyte_provider.model.metrics.spans import Span
from airflow_flyte_provider.model.metrics.totals import by_kind, totals
from tests.model.metrics.spans import at, node, operation, recorded, task, trees, wide, workflow


def test_an_execution_that_a_real_flyte_told_of():
    span = Span.from_proto(recorded("execution/metrics"))
    assert [(depth, one.kind, one.name) for depth, one in span.walk()] == [
        (0, "WORKFLOW", "ok1v1c"),
        (1, "WORKFLOW_SETUP", ""),
        (1, "NODE", "n0"),
        (2, "NODE_TRANSITION", ""),
        (2, "NODE_SETUP", ""),
        (2, "TASK", "demo.echo_int"),
        (3, "TASK_SETUP", ""),
        (3, "TASK_RUNTIME", ""),
        (3, "TASK_TEARDOWN", ""),
        (2, "NODE_TEARDOWN", ""),
        (1, "WORKFLOW_TEARDOWN", ""),
    ]
    assert span.duration == timedelta(seconds=2, microseconds=356880)
    assert str(span.start) == "2026-11-21 06:20:58.140189+00:00"
    inner = span.spans[1].spans[2]
    assert (inner.execution.name, inner.node, inner.task.version) == ("ok1v1c", "n0", "v1c")
    # 22 ns before its start, which is told to the nanosecond and its end to the microsecond
    assert inner.spans[0].duration == timedelta(0)


def test_where_its_time_went():
    told = totals(Span.from_proto(recorded("execution/metrics")))
    assert told == json.loads(json.dumps(told))
    assert told["total_s"] == 2.35688
    assert list(told["by_kind"])[:2] == ["TASK_RUNTIME", "WORKFLOW_TEARDOWN"]
    assert told["by_kind"]["TASK_RUNTIME"] == {"sum_s": 2.017118, "wall_s": 2.017118}
    # one thing after another, with nothing untold between: the parts are the whole
    assert sum(kind["sum_s"] for kind in told["by_kind"].values()) == pytest.approx(told["total_s"])


def test_side_by_side_counts_twice_in_the_sum_and_once_by_the_clock():
    span = workflow(
        0,
        10,
        task("a", 0, 6, operation("TASK_RUNTIME", 0, 6)),
        task("b", 4, 10, operation("TASK_RUNTIME", 4, 10)),
    )
    assert totals(span) == {"total_s": 10.0, "by_kind": {"TASK_RUNTIME": {"sum_s": 12.0, "wall_s": 10.0}}}


def test_time_that_flyte_tells_no_more_of_is_told_as_such():
    span = workflow(
        0, 10, operation("WORKFLOW_SETUP", 0, 2), node("n0", 3, 9, operation("NODE_TRANSITION", 2, 3))
    )
    seconds = {kind: total.summed.total_seconds() for kind, total in by_kind(span).items()}
    assert seconds == {"NODE": 6, "WORKFLOW_SETUP": 2, "NODE_TRANSITION": 1, "WORKFLOW": 1}


def test_an_attempt_is_told_by_its_number():
    assert task("demo.flaky", 0, 1).name == "demo.flaky"
    assert task("demo.flaky", 0, 1, attempt=2).name == "demo.flaky (attempt 3)"


def test_what_a_newer_flyte_may_tell_is_kept():
    proto = SpanProto(operation_id="GPU_WARMING")
    proto.end_time.GetCurrentTime()
    proto.start_time.SetInParent()  # FlyteAdmin's other way to say that it does not know
    span = Span.from_proto(proto)
    assert (span.kind, span.start, span.duration, span.is_operation) == (
        "GPU_WARMING",
        None,
        timedelta(0),
        True,
    )
    assert Span.from_proto(SpanProto()).kind == "UNKNOWN"
    assert totals(Span.from_proto(SpanProto())) == {
        "total_s": 0.0,
        "by_kind": {"UNKNOWN": {"sum_s": 0.0, "wall_s": 0.0}},
    }


def test_what_runs_on_after_the_last_word_on_the_execution_belongs_to_the_whole():
    assert workflow(0, 1, node("n0", 1, 8)).extent == (at(0), at(8))


def test_five_hundred_nodes():
    told = totals(wide(500))
    assert told["by_kind"]["NODE_SETUP"] == {"sum_s": 150.0, "wall_s": 15.0}


@given(trees)
def test_totals_of_any_tree(span):
    kinds, spans = by_kind(span), [one for _, one in span.walk()]
    extent = span.extent
    whole = extent[1] - extent[0] if extent else timedelta(0)
    for kind, total in kinds.items():
        alike = [one for one in spans if one.kind == kind]
        assert (
            timedelta(0) <= total.wall <= total.summed <= sum((one.duration for one in alike), timedelta(0))
        )
        assert total.wall <= whole
        if alike[0].is_operation:
            assert total.summed == sum((one.duration for one in alike), timedelta(0))
    assert {one.kind for one in spans if one.is_operation} <= set(kinds)
    # every moment of every span is in at least one kind
    assert sum((total.wall for total in kinds.values()), timedelta(0)) >= max(one.duration for one in spans)
    assert [total.summed for total in kinds.values()] == sorted(
        (total.summed for total in kinds.values()), reverse=True
    )
