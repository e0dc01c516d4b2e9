"""How often an operator asks Flyte, counted at the server."""

import pytest
from airflow.providers.common.compat.sdk import TaskDeferred

from airflow_flyte_provider.hooks import registry
from airflow_flyte_provider.operators.flyte import FlyteExecuteOperator

pytestmark = pytest.mark.usefixtures("airflow_db", "flyte_conn")


class FirstTry:
    """A task instance at its first try, as far as an operator looks at it."""

    dag_id, task_id, map_index, try_number, max_tries = "calls", "work", -1, 1, 0

    def __init__(self, run_id):
        self.run_id = run_id
        self.pushed = {}

    def xcom_push(self, key, value):
        self.pushed[key] = value

    def xcom_pull(self, task_ids, key, map_indexes):
        return self.pushed.get(key)


def calls_to_defer(flyte, hook, run_id, **arguments):
    """Run a task up to the point where it defers, and return what it has called."""
    operator = FlyteExecuteOperator(task_id="work", deferrable=True, **arguments)
    ti = FirstTry(run_id)
    before = flyte.calls()
    with pytest.raises(TaskDeferred):
        operator.execute({"ti": ti})
    after = flyte.calls()
    hook.terminate(hook.execution_id(ti.pushed["flyte_execution_name"]), "the test is over")
    return {key: after[key] - before.get(key, 0) for key in after if after[key] != before.get(key, 0)}


@pytest.mark.parametrize(
    ("arguments", "cold", "warm"),
    [
        ({"launch_plan": "demo.gated", "version": "v1c"}, "GetLaunchPlan", ""),
        ({"launch_plan": "demo.gated"}, "ListLaunchPlans", "ListLaunchPlans"),
        ({"workflow": "demo.gated", "version": "v1c"}, "GetWorkflow GetLaunchPlan", ""),
        ({"workflow": "demo.gated"}, "ListWorkflows GetLaunchPlan", "ListWorkflows"),
    ],
)
def test_execute_to_deferred_costs_three_calls_at_most(registered, hook, tmp_path, arguments, cold, warm):
    registry._entities.clear()
    for turn, expected in (("cold", cold), ("warm", warm)):
        called = calls_to_defer(registered, hook, f"{tmp_path.name}-{turn}", inputs={"a": 1}, **arguments)
        assert called == {"CreateExecution": 1, **dict.fromkeys(expected.split(), 1)}
        assert sum(called.values()) <= (3 if turn == "cold" else 2)


def test_the_event_of_another_execution_is_no_end(hook, tmp_path):
    operator = FlyteExecuteOperator(
        task_id="work", launch_plan="demo.gated", version="v1c", inputs={"a": 1}, deferrable=True
    )
    context = {"ti": FirstTry(tmp_path.name)}
    with pytest.raises(TaskDeferred):
        operator.execute(context)
    awaited = context["ti"].pushed["flyte_execution_id"]
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute_complete(
            context, {"execution": "flytesnacks/development/another", "phase": "SUCCEEDED"}
        )
    assert deferred.value.trigger.execution == awaited
    hook.terminate(hook.execution_id(awaited), "the test is over")
