"""FlyteRegisterOperator and FlyteActivateLaunchPlanOperator, run by real Airflow against a real local Flyte."""

import pytest

from airflow_flyte_provider.model.identifiers import EntityId
from tests.dag_runs import run_dag, run_file

pytestmark = pytest.mark.usefixtures("airflow_db", "flyte_conn")
IMPORTS = """
from airflow_flyte_provider.operators.flyte import FlyteActivateLaunchPlanOperator, FlyteRegisterOperator
"""


def test_what_was_registered_is_executed_and_goes_live(hook, packages):
    run = run_dag(f"""{IMPORTS}
register = FlyteRegisterOperator(
    task_id="register",
    package="{packages}/{{{{ params.kind }}}}.tgz",
    labels={{"run-of": "{{{{ dag.dag_id }}}}"}},
    dry_run="{{{{ false }}}}",
    params={{"kind": "fast"}},
)
version = "{{{{ ti.xcom_pull('register')['version'] }}}}"
execute = FlyteExecuteOperator(
    task_id="execute", launch_plan="flows.sums.inner", version=version, inputs={{"a": 4}}, poll_interval=0.2
)
live = FlyteActivateLaunchPlanOperator(task_id="live", launch_plan="flows.sums.nightly", version=version)
again = FlyteActivateLaunchPlanOperator(task_id="again", launch_plan="flows.sums.nightly", version=version)
off = FlyteActivateLaunchPlanOperator(
    task_id="off", launch_plan="flows.sums.nightly", activate="{{{{ not true }}}}"
)
register >> execute >> live >> again >> off
""")
    assert run.state("off") == "success", run.log
    done = run.xcom("register")
    assert len(done["registered"]) == 11
    assert {one["version"] for one in done["registered"]} == {done["version"]}
    assert run.xcom("execute") == {"o0": 8}
    plan = hook.fetch_launch_plan("flows.sums.nightly", done["version"])
    assert run.xcom("live")["launch_plan"] == plan.id.to_dict()
    assert [run.xcom(task)["changed"] for task in ("live", "again", "off")] == [True, False, True]
    assert hook.get_active_launch_plan("flows.sums.nightly") is None
    for entity in done["registered"]:
        assert f"Registered {EntityId.from_dict(entity)}" in run.log
    assert "11 entities registered as version" in run.log


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        ('package="/nowhere.tgz", retries=0', "FlyteTransferError", "There is nothing at /nowhere.tgz"),
        ('package="{packages}/plain.tgz", dry_run="maybe"', "FlyteConfigError", "dry_run is 'maybe'"),
        (
            'package="{packages}/plain.tgz", source="{packages}/code"',
            "FlytePackageError",
            "No task takes code",
        ),
    ],
)
def test_faults_are_told(packages, arguments, error, told):
    arguments = arguments.replace("{packages}", str(packages))
    run = run_dag(f"""{IMPORTS}
FlyteRegisterOperator(task_id="bad", {arguments})
""")
    assert run.state("bad") == "failed"
    assert error in run.log
    assert told in run.log


def test_the_example_runs_as_it_is(hook, examples, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run = run_file(examples / "flyte_register.py", "flyte_register")
    assert run.state("go_live") == "success", run.log
    assert run.xcom("sales_report")["summary"]
    active = hook.get_active_launch_plan("flyte_workflows.sales.sales_report")
    assert active.id.version == run.xcom("register")["version"]
