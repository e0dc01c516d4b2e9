"""The workflow of a backfill: the one that flytekit makes, field by field."""

import json
from datetime import datetime, timedelta, timezone
from itertools import islice

import pytest
from croniter import croniter
from flyteidl.admin.workflow_pb2 import WorkflowCreateRequest
from google.protobuf.json_format import ParseDict
from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

from airflow_flyte_provider.model.backfill.dates import MAX_WORKFLOW_NODES, plan_backfill
from airflow_flyte_provider.model.backfill.shape import BackfillShape
from airflow_flyte_provider.model.backfill.workflow import backfill_workflow, split
from airflow_flyte_provider.model.building.errors import BuildError
from airflow_flyte_provider.model.faults import ValueFaults
from airflow_flyte_provider.model.identifiers import EntityId, EntityKind
from airflow_flyte_provider.model.views.entities import LaunchPlan
from tests.conftest import DOMAIN, PROJECT, RECORDINGS
from tests.model.backfill.flytekit_backfill import flytekit_spec, launch_plan_proto
from tests.model.backfill.schedules import CRONS, STARTS


def recorded(kind):
    lines = (RECORDINGS / "backfill.jsonl").read_text().splitlines()
    return [call["request"] for call in map(json.loads, lines) if call["method"].endswith(f"/{kind}")]


def daily():
    return LaunchPlan.from_proto(launch_plan_proto("demo.sched_daily", "v1c", "0 2 * * *", "kickoff"))


@pytest.mark.parametrize(("case", "shape", "days"), [(0, {}, 4), (1, {"parallel": True}, 3)])
def test_the_recorded_backfill_is_the_same_field_by_field(case, shape, days):
    request = ParseDict(recorded("CreateWorkflow")[case], WorkflowCreateRequest())
    plan = daily()
    dates = plan_backfill(plan, datetime(2026, 1, 1), datetime(2026, 1, days))
    workflow = backfill_workflow(plan, dates, BackfillShape(**shape))
    found = EntityId(EntityKind.WORKFLOW, PROJECT, DOMAIN, workflow.name, request.id.version)
    assert workflow.compile(found) == request.spec


@settings(max_examples=200, deadline=None)
@given(
    cron=CRONS,
    start=STARTS,
    count=st.integers(1, 25),
    beyond=st.sampled_from([0, 0, 1, 59, 3600]),
    parallel=st.booleans(),
    retries=st.integers(0, 3),
    timeout=st.sampled_from([None, timedelta(minutes=5)]),
    late=st.booleans(),
)
def test_random_backfills_are_those_of_flytekit(cron, start, count, beyond, parallel, retries, timeout, late):
    try:
        dates = list(islice(croniter(cron, start, ret_type=datetime).all_next(), count))
    except ValueError:  # no schedule, or one without dates such as 30 February
        reject()
    end = dates[-1] + timedelta(seconds=beyond)
    more = islice(croniter(cron, dates[-1], ret_type=datetime).all_next(), 60)
    assume(sum(one <= end for one in more) < 60)  # flytekit takes its time over each date
    proto = launch_plan_proto("demo.sched_daily", "v1c", cron, "kickoff")
    policy = "FAIL_AFTER_EXECUTABLE_NODES_COMPLETE" if late else "FAIL_IMMEDIATELY"
    plan = LaunchPlan.from_proto(proto)
    # flytekit leaves out a date that is the very end, against its own documentation
    theirs = flytekit_spec(proto, start, end + timedelta(microseconds=1), parallel, timeout, retries, policy)
    shape = BackfillShape(
        parallel=parallel, node_timeout=timeout, node_retries=retries, failure_policy=policy
    )
    workflow = backfill_workflow(plan, plan_backfill(plan, start, end), shape)
    found = EntityId(EntityKind.WORKFLOW, PROJECT, DOMAIN, workflow.name, theirs.template.id.version)
    assert workflow.compile(found) == theirs


def upstream(workflow):
    return [list(node.upstream_node_ids) for node in workflow.compile().template.nodes]


def hours(count):
    return [
        datetime(2026, 1, 1, tzinfo=timezone.utc) + number * timedelta(hours=1) for number in range(count)
    ]


def test_at_most_so_many_dates_run_at_once():
    assert upstream(backfill_workflow(daily(), hours(5), BackfillShape(max_active=2))) == [
        [],
        [],
        ["n0"],
        ["n1"],
        ["n2"],
    ]


def test_other_inputs_are_the_same_for_each_date_or_a_function_of_it():
    plan = LaunchPlan.from_proto(
        launch_plan_proto("demo.sched_daily", "v1c", "@hourly", "kickoff", more={"n": "INTEGER"})
    )

    def values(inputs):
        nodes = backfill_workflow(plan, hours(2), inputs=inputs).compile().template.nodes
        return [node.inputs[1].binding.scalar.primitive.integer for node in nodes]

    assert values({"n": 7}) == [7, 7]
    assert values(lambda date: {"n": date.hour}) == [0, 1]
    with pytest.raises(BuildError, match=r"(?s)node n0: .*nn: no such input, did you mean n\?"):
        values({"nn": 7})


def test_the_version_is_the_content():
    assert backfill_workflow(daily(), hours(3)).version() == backfill_workflow(daily(), hours(3)).version()
    others = [
        backfill_workflow(daily(), hours(2)),
        backfill_workflow(daily(), hours(3), BackfillShape(parallel=True)),
    ]
    assert backfill_workflow(daily(), hours(3)).version() not in [other.version() for other in others]


def test_many_dates_are_split_by_nodes_and_by_bytes():
    plan = LaunchPlan.from_proto(
        launch_plan_proto("demo.sched_daily", "v1c", "@hourly", "kickoff", more={"s": "STRING"})
    )
    small = backfill_workflow(plan, hours(1), inputs={"s": "x"})
    large = backfill_workflow(plan, hours(1), inputs={"s": "x" * 300_000})
    assert [len(part) for part in split(hours(250), small, MAX_WORKFLOW_NODES)] == [100, 100, 50]
    assert [len(part) for part in split(hours(10), large, MAX_WORKFLOW_NODES)] == [6, 4]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"max_active": 0}, "max_active"),
        ({"parallel": False, "max_active": 2}, "max_active"),
        ({"failure_policy": "FAIL_LATER"}, "failure_policy"),
        ({"node_timeout": "soon"}, "node_timeout"),
    ],
)
def test_a_shape_that_cannot_be_is_told(given, told):
    with pytest.raises(ValueFaults, match=f"backfill.{told}"):
        BackfillShape.read(given, "backfill")
