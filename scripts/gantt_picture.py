"""`python -m scripts.gantt_picture`: makes docs/images/gantt.svg from a real execution on a Flyte on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from airflow_flyte_provider.local import LocalFlyte

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "example_dags"
PICTURE = ROOT / "docs" / "images" / "gantt.svg"


def register(endpoint: str, folder: str) -> None:
    """Register the example workflows by flytekit's own `pyflyte register`."""
    config = Path(folder, "flyte.yaml")
    config.write_text(f"admin:\n  endpoint: dns:///{endpoint}\n  insecure: true\n")
    pyflyte = [str(Path(sys.executable).with_name("pyflyte")), "--config", str(config), "register"]
    target = ["--project", "flytesnacks", "--domain", "development", "--version", "picture"]
    subprocess.run(
        [*pyflyte, *target, str(EXAMPLES / "flyte_workflows")],
        check=True,
        env={**os.environ, "TMPDIR": folder},
    )


def main() -> None:
    """Execute the sales report, print its table and totals, and write its chart."""
    with tempfile.TemporaryDirectory(prefix="flyte-picture-") as folder, LocalFlyte() as flyte:
        host, _, port = flyte.endpoint.rpartition(":")
        extra = {"insecure": True, "project": "flytesnacks", "domain": "development"}
        connection = {"conn_type": "flyte", "host": host, "port": int(port), "extra": extra}
        # Before Airflow is imported, which reads its home then.
        os.environ.update(AIRFLOW_HOME=folder, AIRFLOW_CONN_FLYTE_DEFAULT=json.dumps(connection))
        from airflow_flyte_provider.hooks.flyte import FlyteHook
        from airflow_flyte_provider.model.files import FlyteFile
        from airflow_flyte_provider.model.metrics.gantt import gantt
        from airflow_flyte_provider.model.metrics.table import span_table
        from airflow_flyte_provider.model.metrics.totals import totals

        register(flyte.endpoint, folder)
        hook = FlyteHook()
        inputs = {"orders": FlyteFile(str(EXAMPLES / "data" / "orders.csv")), "since": "2026-01-01"}
        plan = hook.fetch_launch_plan("flyte_workflows.sales.sales_report")
        done = hook.wait(hook.execute(plan, inputs, name="sales-report").id, poll_interval=0.2)
        span = hook.get_execution_metrics(done.id)
        print(span_table(span), totals(span), sep="\n")
        PICTURE.parent.mkdir(exist_ok=True)
        PICTURE.write_text(gantt(span) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
