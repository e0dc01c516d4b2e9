"""Spans to test with: those of a recording, and trees that hypothesis makes."""

import json
from datetime import datetime, timedelta, timezone

from flyteidl.admin.execution_pb2 import WorkflowExecutionGetMetricsResponse
from google.protobuf.json_format import ParseDict
from hypothesis import strategies as st

from airflow_flyte_provider.model.identifiers import EntityId, EntityKind, ExecutionId
from airflow_flyte_provider.model.metrics.spans import NODE, TASK, WORKFLOW, Span
from tests.conftest import RECORDINGS

EXECUTION = ExecutionId("flytesnacks", "development", "a1")
BEGAN = datetime(2026, 1, 1, tzinfo=timezone.utc)
OPERATIONS = ("NODE_SETUP", "NODE_TRANSITION", "TASK_RUNTIME", "WORKFLOW_TEARDOWN", "NEWER_THING")


def recorded(case):
    """Return the message that a real Flyte answered in a case of the recording `execution`."""
    for line in (RECORDINGS / "execution.jsonl").read_text().splitlines():
        call = json.loads(line)
        if call["case"] == case:
            return ParseDict(call["response"], WorkflowExecutionGetMetricsResponse()).span
    raise LookupError(case)


def at(seconds):
    return BEGAN + timedelta(seconds=seconds)


def operation(kind, start, end):
    return Span(kind, at(start), at(end))


def workflow(start, end, *spans, name="a1"):
    return Span(WORKFLOW, at(start), at(end), ExecutionId("p", "d", name), spans=spans)


def node(name, start, end, *spans):
    return Span(NODE, at(start), at(end), EXECUTION, name, spans=spans)


def task(name, start, end, *spans, attempt=0):
    of = EntityId(EntityKind.TASK, "p", "d", name, "v1")
    return Span(TASK, at(start), at(end), EXECUTION, "n0", of, attempt, spans)


def wide(count):
    """Return an execution with so many nodes, each with a task; ten of them side by side."""
    nodes = []
    for number in range(count):
        begin = 1 + number // 10 * 4
        runs = [("TASK_SETUP", 0.3, 0.6), ("TASK_RUNTIME", 0.6, 2 + number % 7 / 4)]
        inner = [operation(kind, begin + start, begin + end) for kind, start, end in runs]
        one = task(f"pipeline.step_{number}", begin + 0.3, begin + 3.8, *inner)
        parts = [
            operation("NODE_TRANSITION", begin - 0.2, begin),
            operation("NODE_SETUP", begin, begin + 0.3),
            one,
            operation("NODE_TEARDOWN", begin + 3.8, begin + 4),
        ]
        nodes.append(node(f"n{number}", begin, begin + 4, *parts))
    end = 1 + (count + 9) // 10 * 4
    return workflow(
        0, end + 1, operation("WORKFLOW_SETUP", 0, 1), *nodes, operation("WORKFLOW_TEARDOWN", end, end + 1)
    )


_moments = st.one_of(st.none(), st.integers(0, 1000).map(at))
_operations = st.builds(Span, st.sampled_from(OPERATIONS), _moments, _moments)
#: Trees of any shape: spans outside of those around them, backwards, without a start or end.
trees = st.recursive(
    _operations,
    lambda inside: st.builds(
        Span,
        st.sampled_from((WORKFLOW, NODE)),
        _moments,
        _moments,
        st.just(EXECUTION),
        spans=st.lists(inside, max_size=4).map(tuple),
    ),
    max_leaves=12,
)
