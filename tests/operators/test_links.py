"""The links on a task: to the Flyte console, and to the log of the node that failed."""

import urllib.request

import pytest

from airflow_flyte_provider.links import flyte as links
from airflow_flyte_provider.links.flyte import CONSOLE_URL_KEY, LOG_URL_KEY, FlyteExecutionLink
from airflow_flyte_provider.operators import flyte as operators
from airflow_flyte_provider.provider_info import get_provider_info
from airflow_flyte_provider.sensors import flyte as sensors
from tests.dag_runs import run_dag
from tests.operators.flaky import Flaky

#: What is about packages and launch plans, and about no execution.
NO_EXECUTION = {"FlyteRegisterOperator", "FlyteActivateLaunchPlanOperator"}
TASKS = {
    name: getattr(module, name)
    for module in (operators, sensors)
    for name in module.__all__
    if name.startswith("Flyte") and name not in NO_EXECUTION
}


@pytest.mark.parametrize("name", TASKS)
def test_what_is_about_an_execution_links_to_it(name):
    listed = get_provider_info()["extra-links"]
    own = TASKS[name].operator_extra_links
    assert any(isinstance(link, FlyteExecutionLink) for link in own)
    for link in own:
        assert f"{type(link).__module__}.{type(link).__qualname__}" in listed  # Airflow 2 drops others


@pytest.mark.parametrize("stored", ["javascript:alert(1)", "data:text/html,x", {"x": 1}, "https://a b", None])
def test_a_link_is_that_of_a_page_whatever_lies_in_the_xcom(monkeypatch, stored):
    monkeypatch.setattr(links.XCom, "get_value", lambda **_: stored, raising=False)
    assert FlyteExecutionLink().get_link(None, ti_key=None) == ""


def logs_of_failed_nodes(hook, execution):
    """Return the pages with logs of the nodes that failed, as Flyte tells them."""
    nodes = hook.look_back(hook.get_execution(hook.execution_id(execution))).nodes
    return [page.uri for node in nodes if node.id.node_id == "n2" for page in node.logs]


@pytest.mark.usefixtures("airflow_db", "flyte_conn")
@pytest.mark.parametrize("deferrable", [False, True])
def test_a_failed_task_links_to_the_console_and_to_the_log(registered, hook, tmp_path, deferrable):
    flaky = Flaky(registered.endpoint, tmp_path)
    run = run_dag(f"""
    how = dict(deferrable={deferrable}, project="flytesnacks", domain="development")
    FlyteExecuteOperator(task_id="work", launch_plan={flaky.name!r}, inputs={{"a": 7}}, poll_interval=0.2, **how)
    launched = FlyteExecuteOperator(
        task_id="launch", launch_plan={flaky.name!r}, inputs={{"a": 7}}, wait_for_completion=False
    )
    FlyteExecutionSensor(task_id="wait", execution=launched.output, poke_interval=0.2, **how)
    """)
    for task_id, execution in (
        ("work", run.xcom("work", "flyte_execution_id")),
        ("wait", run.xcom("launch")),
    ):
        assert run.state(task_id) == "failed"
        assert run.xcom(task_id, CONSOLE_URL_KEY) == hook.console_url(hook.execution_id(execution))
        url = run.xcom(task_id, LOG_URL_KEY)
        assert url == logs_of_failed_nodes(hook, execution)[0]
        with urllib.request.urlopen(url, timeout=10) as page:
            assert page.status == 200
    assert not run.xcom("launch", LOG_URL_KEY)
