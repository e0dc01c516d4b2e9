"""Backfills by the hook, against the local Flyte and what a real one recorded."""

import json
from datetime import datetime, timezone

import pytest
from flyteidl.admin import execution_pb2
from flyteidl.admin.execution_pb2 import Execution as ExecutionProto
from flyteidl.admin.node_execution_pb2 import NodeExecutionList
from flyteidl.admin.workflow_pb2 import Workflow as WorkflowProto
from google.protobuf.json_format import ParseDict

from airflow_flyte_provider.admin import backfill
from airflow_flyte_provider.exceptions import FlyteInvalidRequestError, FlyteNotFoundError
from airflow_flyte_provider.model.backfill.results import NOT_STARTED, DateResult, results_table
from airflow_flyte_provider.model.phases import ExecutionPhase
from airflow_flyte_provider.model.views.executions import Execution
from tests.conftest import RECORDINGS
from tests.operators.scheduled import Scheduled

JANUARY = datetime(2026, 1, 1), datetime(2026, 1, 4)


@pytest.mark.parametrize("shape", [{}, {"parallel": True}, {"max_active": 2}, {"max_nodes": 2}])
def test_flytes_compiler_takes_every_order(hook, registered, tmp_path, shape):
    scheduled = Scheduled(registered.endpoint, tmp_path)
    launched = hook.launch_backfill(scheduled.plan, *JANUARY, **shape)
    done = hook.wait(launched.id, timeout=60, poll_interval=0.1)
    assert done.is_successful
    results = hook.get_backfill_results(launched.id)
    assert [one.date for one in results] == [
        datetime(2026, 1, day, 2, tzinfo=timezone.utc) for day in (1, 2, 3)
    ]
    assert all(one.phase == "SUCCEEDED" and one.execution for one in results)
    assert sorted(scheduled.ran) == ["2026-01-01", "2026-01-02", "2026-01-03"]


def test_the_active_version_is_backfilled_or_else_the_latest(hook, registered, tmp_path):
    scheduled = Scheduled(registered.endpoint, tmp_path)
    workflow = hook.fetch_workflow(scheduled.name, "v1")
    hook.register_launch_plan(
        scheduled.plan, workflow, version="v2", schedule="0 5 * * *", kickoff_time_input="day"
    )
    assert hook.plan_backfill(scheduled.plan, *JANUARY).launch_plan.id.version == "v1"
    assert hook.plan_backfill(scheduled.plan, *JANUARY, version="v2").dates[0].hour == 5
    hook.deactivate_launch_plan(scheduled.plan)
    assert hook.plan_backfill(scheduled.plan, *JANUARY).launch_plan.id.version == "v2"


def test_what_is_not_there_is_told(hook):
    with pytest.raises(FlyteNotFoundError, match=r"demo\.sched_daily"):
        hook.plan_backfill("demo.sched_dail", *JANUARY)
    with pytest.raises(FlyteInvalidRequestError, match="has no schedule"):
        hook.plan_backfill("demo.add_one", *JANUARY)


def test_a_date_that_succeeded_twice_is_left_out_for_the_latest(hook, registered, tmp_path):
    scheduled = Scheduled(registered.endpoint, tmp_path)
    plan = hook.fetch_launch_plan(scheduled.plan, "v1")
    day = datetime(2026, 1, 2, 2, tzinfo=timezone.utc)
    for _ in range(2):
        last = hook.execute(plan, {"day": day}).id
        assert hook.wait(last, timeout=30, poll_interval=0.1).phase is ExecutionPhase.SUCCEEDED
    planned = hook.plan_backfill(scheduled.plan, *JANUARY, skip_existing=True)
    assert planned.skipped == {day: last}
    assert [date.day for date in planned.dates] == [1, 3]


def replay(verb, answers):
    """Run a verb on recorded answers by method."""
    reply = None
    while True:
        try:
            reply = answers[verb.send(reply).method]
        except StopIteration as done:
            return done.value


def test_the_results_of_a_backfill_that_a_real_flyte_ran():
    """flytekit's launch_backfill, run by Flyte 1.16.8."""
    calls = [json.loads(line) for line in (RECORDINGS / "backfill.jsonl").read_text().splitlines()]

    def answer(method, case, kind):
        found = next(call for call in calls if call["method"].endswith(f"/{method}") and call["case"] == case)
        return ParseDict(found["response"], kind())

    answers = {
        "GetWorkflow": answer("GetWorkflow", "backfill/create", WorkflowProto),
        "ListNodeExecutions": answer("ListNodeExecutions", "backfill/nodes", NodeExecutionList),
        "ListExecutions": answer("ListExecutions", "backfill/children", execution_pb2.ExecutionList),
    }
    execution = Execution.from_proto(answer("GetExecution", "backfill/create", ExecutionProto))
    results = replay(backfill.date_results(execution), answers)
    assert [(f"{one.date:%d %H}", one.phase, one.execution.name) for one in results] == [
        ("01 02", "SUCCEEDED", "bfv1c-n0-0"),
        ("02 02", "SUCCEEDED", "bfv1c-n1-0"),
        ("03 02", "SUCCEEDED", "bfv1c-n2-0"),
    ]


def test_the_table_tells_the_end_of_an_error():
    day = datetime(2026, 1, 1, tzinfo=timezone.utc)
    results = [
        DateResult(day, "FAILED", None, "Traceback:\n  line\nKeyError: 'x'\n"),
        DateResult(day, NOT_STARTED),
    ]
    assert results_table(results).splitlines() == [
        "date                 phase        execution  error",
        "2026-01-01 00:00:00  FAILED                  KeyError: 'x'",
        "2026-01-01 00:00:00  NOT_STARTED",
        "2 dates: 1 FAILED, 1 NOT_STARTED",
    ]
