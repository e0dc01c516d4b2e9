"""Metrics of executions on the local Flyte."""

import uuid

import pytest
from flyteidl.admin import execution_pb2
from flyteidl.core import tasks_pb2, types_pb2
from flyteidl.core import workflow_pb2 as core_workflow

from airflow_flyte_provider.admin.executions import to_proto
from airflow_flyte_provider.exceptions import (
    FlyteInvalidRequestError,
    FlyteMetricsError,
    FlyteNotFoundError,
)
from airflow_flyte_provider.model.metrics.gantt import gantt
from airflow_flyte_provider.model.metrics.spans import Span
from airflow_flyte_provider.model.metrics.table import span_table
from airflow_flyte_provider.model.metrics.totals import totals
from tests.local.client import INTEGER, task_node

CACHED = tasks_pb2.TaskMetadata(discoverable=True, discovery_version="1")


@pytest.fixture
def unique():
    suffix = uuid.uuid4().hex[:8]
    return lambda name: f"{name}.{suffix}"


@pytest.fixture
def run(hook):
    """A function that executes a workflow and returns the execution when it is over."""

    def execute(name, **inputs):
        launched = hook.execute(hook.fetch_workflow(name, "v1"), inputs)
        return hook.wait(launched.id, timeout=60, poll_interval=0.05)

    return execute


@pytest.fixture
def varied(client, unique, tmp_path):
    """A workflow with a task that succeeds at its second attempt, one that is cached, and both in a sub-workflow."""
    script = f"echo try >> {tmp_path}/tries; [ $(wc -l < {tmp_path}/tries) -ge 2 ]"
    flaky = client.command(unique("flaky"), "sh", "-c", script, retries=1)
    cached = client.task(unique("cached"), metadata=CACHED)
    inner = client.workflow(unique("inner"), [task_node("n0", cached)], output=("n0", "a"))
    sub = core_workflow.Node(id="n1")
    sub.workflow_node.sub_workflow_ref.CopyFrom(inner.id)
    sub.inputs.add(var="a").binding.promise.var = "a"
    client.workflow(unique("outer"), [task_node("n0", flaky, None), sub], subs=[inner])
    return unique("outer")


def below(span, name):
    """Return the names and kinds inside a node, in order."""
    found = next(one for _, one in span.walk() if one.kind == "NODE" and one.name == name)
    return [one.name or one.kind for one in found.spans]


def test_retries_a_cached_node_and_a_sub_workflow(hook, client, unique, varied, run):
    assert run(unique("inner"), a=5).is_successful  # fills the cache
    done = run(varied, a=5)
    span = hook.get_execution_metrics(done.id)
    first, second = unique("flaky"), f"{unique('flaky')} (attempt 2)"
    assert below(span, "n0") == [
        "NODE_TRANSITION",
        "NODE_SETUP",
        first,
        "NODE_RESET",
        second,
        "NODE_TEARDOWN",
    ]
    assert below(span, "n1") == ["NODE_TRANSITION", "NODE_SETUP", "n1-0-n0", "NODE_TEARDOWN"]
    assert below(span, "n1-0-n0") == ["NODE_TRANSITION", "NODE_SETUP"]  # no task ran
    assert (span.start, span.execution) == (done.created_at, done.id)
    raw = client.admin.GetExecutionMetrics(
        execution_pb2.WorkflowExecutionGetMetricsRequest(id=to_proto(done.id), depth=10)
    )
    assert Span.from_proto(raw.span) == span
    told = totals(span)
    assert 0 < told["by_kind"]["TASK_RUNTIME"]["wall_s"] <= told["total_s"]
    assert len(span_table(span).splitlines()) == 1 + len(list(span.walk()))
    # the execution, n0, its two attempts, n1 and what is in it
    assert gantt(span).count('class="row"') == 6


def test_what_flytekit_is_told(hook, registered, run, varied):
    from flytekit.configuration import Config, PlatformConfig
    from flytekit.models.core.identifier import WorkflowExecutionIdentifier
    from flytekit.remote import FlyteRemote

    platform = PlatformConfig(endpoint=registered.endpoint, insecure=True)
    remote = FlyteRemote(Config(platform=platform), "flytesnacks", "development")
    done = run(varied, a=6)
    identifier = WorkflowExecutionIdentifier(done.id.project, done.id.domain, done.id.name)
    assert Span.from_proto(remote.client.get_execution_metrics(identifier, 10)) == hook.get_execution_metrics(
        done.id, 10
    )


def test_as_deep_as_asked(hook, varied, run):
    done = run(varied, a=7)
    depths = [
        max(depth for depth, _ in hook.get_execution_metrics(done.id, depth=asked).walk())
        for asked in (0, 1, 2, 3)
    ]
    assert depths == [0, 2, 3, 3]  # a node brings its NODE_TRANSITION, however deep it is
    with pytest.raises(FlyteInvalidRequestError, match="depth is -1"):
        hook.get_execution_metrics(done.id, depth=-1)


def test_an_execution_that_goes_on_is_told_as_far_as_it_is(hook):
    launched = hook.execute(hook.fetch_launch_plan("demo.gated"), {"a": 1})
    hook.run(_until_gated(hook, launched.id))
    span = hook.get_execution_metrics(launched.id)
    assert "WORKFLOW_TEARDOWN" not in totals(span)["by_kind"]
    assert "NODE_IDLE" in totals(span)["by_kind"]
    assert gantt(span)
    hook.terminate(launched.id, "enough")


def _until_gated(hook, execution):
    from airflow_flyte_provider.admin.client import Sleep
    from airflow_flyte_provider.admin.metrics import get_execution_metrics

    for _ in range(200):
        span = yield from get_execution_metrics(execution, 10)
        if any(one.kind == "NODE_IDLE" for _, one in span.walk()):
            return
        yield Sleep(0.05)
    raise AssertionError("the gate was never reached")


def test_an_execution_that_is_not_there(hook):
    with pytest.raises(FlyteNotFoundError, match=r"etching the metrics of execution .*/nope"):
        hook.get_execution_metrics(hook.execution_id("nope"))


def test_a_failure_node_that_ran_is_beyond_flyteadmin(hook, client, unique, run):
    broken = client.command(unique("broken"), "false")
    clean = client.command(unique("clean"), "true")
    client.workflow(
        unique("handled"), [task_node("n0", broken, None)], failure_node=task_node("fn0", clean, None)
    )
    done = run(unique("handled"), a=1)
    with pytest.raises(FlyteMetricsError, match=r"failure node ran.*depth=0"):
        hook.get_execution_metrics(done.id)
    assert hook.get_execution_metrics(done.id, depth=0).spans == ()


def test_a_map_node_is_told_without_what_is_inside(hook, client, unique, run):
    many = types_pb2.LiteralType(collection_type=INTEGER)
    mapped = core_workflow.Node(id="n0")
    mapped.array_node.node.CopyFrom(task_node("n0", client.task(unique("echo"), many), None))
    mapped.inputs.add(var="a").binding.promise.var = "a"
    client.workflow(unique("mapped"), [mapped], inputs={"a": many})
    span = hook.get_execution_metrics(run(unique("mapped"), a=[1, 2]).id)
    assert below(span, "n0") == ["NODE_TRANSITION"]
    assert totals(span)["by_kind"]["NODE"]["sum_s"] > 0
