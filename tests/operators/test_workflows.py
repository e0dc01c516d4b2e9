"""FlyteExecuteOperator with workflows put together in Python, run by real Airflow against a real local Flyte."""

import os
import shutil
import uuid
from pathlib import Path

import pytest

from airflow_flyte_provider.exceptions import FlyteConfigError
from airflow_flyte_provider.operators.flyte import FlyteExecuteOperator
from tests.conftest import VERSION
from tests.dag_runs import run_dag, run_file

pytestmark = pytest.mark.usefixtures("airflow_db", "flyte_conn")
EXAMPLES = Path(__file__).parents[2] / "example_dags"
BUILD = """
def build(hook):
    from airflow_flyte_provider.model.building.imperative import ImperativeWorkflow

    flow = ImperativeWorkflow("{name}")
    a = flow.add_input("a", int)
    task = hook.fetch_task("demo.echo_int", "{version}")
    once = flow.add_node(task, a={bound})
    flow.add_output("twice", [once.outputs["a"], a])
    return flow

"""


def body(name, arguments="", bound="a"):
    build = BUILD.format(name=name, version=VERSION, bound=bound)
    return f"""{build}
FlyteExecuteOperator(task_id="run", workflow=build, inputs={{"a": "{{{{ 6 + 1 }}}}"}}, poll_interval=0.1{arguments})
"""


@pytest.mark.parametrize("deferrable", [False, True])
def test_a_function_builds_the_workflow_when_the_task_runs(hook, deferrable):
    name = f"built.w{uuid.uuid4().hex[:8]}"
    run = run_dag(body(name, f", deferrable={deferrable}"))
    assert run.state("run") == "success", run.log
    assert run.xcom("run") == {"twice": [7, 7]}
    registered = hook.fetch_workflow(name)
    assert f"Registered {registered.id}" in run.log
    again = run_dag(body(name))
    assert again.xcom("run") == {"twice": [7, 7]}
    assert f"Registered {registered.id}" not in again.log
    assert hook.fetch_workflow(name).id == registered.id


def test_a_version_of_ones_own_and_faults():
    name = f"built.w{uuid.uuid4().hex[:8]}"
    run = run_dag(body(name, ', version="{{ dag.dag_id }}"'))
    assert f"built.{name[6:]} version dag_" in run.log
    run = run_dag(body(name, ", retries=3", bound="'seven'"))
    assert run.state("run") == "failed"
    assert "FlyteInvalidRequestError" in run.log
    assert f"Workflow {name}, node n0: task" in run.log
    assert "a: expected int, got str 'seven'" in run.log
    with pytest.raises(FlyteConfigError, match="is given workflow and task"):
        FlyteExecuteOperator(task_id="t", workflow=lambda hook: None, task="demo.echo_int")


@pytest.mark.usefixtures("example_workflows")
def test_the_example_runs_as_it_is():
    folder = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    shutil.copy(EXAMPLES / "flyte_build.py", folder)
    shutil.copytree(EXAMPLES / "data", folder / "data")
    try:
        run = run_file(folder / "flyte_build.py", "flyte_build")
    finally:
        (folder / "flyte_build.py").unlink()
        shutil.rmtree(folder / "data")
    assert run.state("announce") == "success", run.log
    summaries = run.xcom("report")["summaries"]
    assert sorted(summaries) == ["EUR", "GBP", "USD"]
    assert " USD in all, most of it in the " in summaries["USD"]
