"""Give a local file to a workflow on Flyte, and download the file that it returns.

The workflow is `flyte_workflows/archive.py`.
"""

from __future__ import annotations

import gzip
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from airflow.providers.common.compat.sdk import dag, task

from airflow_flyte_provider.model.files import FlyteFile
from airflow_flyte_provider.operators.flyte import FlyteExecuteOperator

ORDERS = Path(__file__).parent / "data" / "orders.csv"


@dag(schedule=None, start_date=datetime(2026, 1, 1), catchup=False, tags=["flyte", "example"])
def flyte_files():
    # [START howto_flyte_files]
    archived = FlyteExecuteOperator(
        task_id="archive",
        launch_plan="flyte_workflows.archive.archive",
        inputs={"source": FlyteFile(ORDERS)},
        deferrable=True,
        poll_interval=1,
    )

    @task
    def count_rows(outputs: dict[str, Any]) -> int:
        """Download the file: XCom holds a reference to it."""
        from airflow_flyte_provider.hooks.flyte import FlyteHook

        with TemporaryDirectory() as folder:
            path = FlyteHook().download(outputs["o0"], to=f"{folder}/")
            with gzip.open(path, "rt") as lines:
                return sum(1 for _ in lines) - 1

    count_rows(archived.output)
    # [END howto_flyte_files]


flyte_files()
