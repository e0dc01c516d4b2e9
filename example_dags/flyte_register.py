"""Register a package of workflows, execute what it holds, and make a launch plan of it the active one.

The package is written here by flytekit's `pyflyte package`, which the worker needs for that; a CI job would do it as
well. Registering needs no flytekit. The workflows are those of `flyte_workflows`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path

from airflow.providers.common.compat.sdk import dag, task

from airflow_flyte_provider.operators.flyte import (
    FlyteActivateLaunchPlanOperator,
    FlyteExecuteOperator,
    FlyteRegisterOperator,
)

HERE = Path(__file__).parent


@dag(schedule=None, start_date=datetime(2026, 1, 1), catchup=False, tags=["flyte", "example"])
def flyte_register():
    @task
    def package() -> str:
        """Write the package: tasks, workflows, launch plans, and the code that they run."""
        archive = Path(tempfile.gettempdir(), "flyte-example.tgz")
        pyflyte = [Path(sys.executable).with_name("pyflyte"), "--pkgs", "flyte_workflows"]
        options = ["--copy", "auto", "--in-container-source-path", ".", "--force", "--output", archive]
        command = [*pyflyte, "package", "--image", "example.org/sales:1", *options]
        subprocess.run(command, cwd=HERE, check=True)  # noqa: S603
        return str(archive)

    # [START howto_flyte_register]
    register = FlyteRegisterOperator(
        task_id="register",
        package="{{ ti.xcom_pull('package') }}",  # often a URI, such as s3://builds/sales.tgz
        labels={"registered-by": "{{ dag.dag_id }}"},
    )
    version = "{{ ti.xcom_pull('register')['version'] }}"

    report = FlyteExecuteOperator(
        task_id="sales_report",
        launch_plan="flyte_workflows.sales.sales_report",
        version=version,
        inputs={"orders": str(HERE / "data" / "orders.csv"), "since": "2026-02-01"},
        poll_interval=1,
    )

    go_live = FlyteActivateLaunchPlanOperator(
        task_id="go_live", launch_plan="flyte_workflows.sales.sales_report", version=version
    )
    # [END howto_flyte_register]

    package() >> register >> report >> go_live


flyte_register_dag = flyte_register()
