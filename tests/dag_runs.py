"""Run a DAG in this process through real Airflow, and look at what became of its tasks."""

from __future__ import annotations

import importlib.util
import io
import itertools
import logging
import os
import textwrap
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

HEADER = """
from datetime import datetime, timedelta, timezone
from airflow.providers.common.compat.sdk import DAG, task
from airflow_flyte_provider.operators.flyte import *
from airflow_flyte_provider.sensors.flyte import *

with DAG({dag_id!r}, schedule=None, start_date=datetime(2026, 1, 1, tzinfo=timezone.utc)) as dag:
"""
_numbers = itertools.count()
AIRFLOW_2 = version("apache-airflow").startswith("2.")

#: Whether this Airflow has a page on which people are asked.
ASKS = not AIRFLOW_2 and importlib.util.find_spec("airflow.sdk.execution_time.hitl") is not None


@dataclass
class DagRunResult:
    """What `dag.test()` left behind.

    :param run: Airflow's DAG run.
    :param log: everything that was logged meanwhile.
    """

    run: Any
    log: str

    def state(self, task_id: str) -> str:
        """Return the state of a task."""
        return str(self.run.get_task_instance(task_id).state)

    def xcom(self, task_id: str, key: str = "return_value") -> Any:
        """Return an XCom of a task as a downstream task would see it."""
        ti = self.run.get_task_instance(task_id)
        if AIRFLOW_2:
            return ti.xcom_pull(task_ids=task_id, key=key)
        from airflow.models.xcom import XComModel
        from airflow.settings import Session

        try:
            from airflow.sdk.serde import deserialize
        except ImportError:  # before Airflow 3.2
            from airflow.serialization.serde import deserialize

        query = XComModel.get_many(key=key, task_ids=task_id, run_id=ti.run_id, dag_ids=ti.dag_id)
        found = Session().scalars(query).first()
        return None if found is None else deserialize(XComModel.deserialize_value(found))


def run_dag(body: str) -> DagRunResult:
    """Run a DAG to its end by `dag.test()`, triggers inline.

    :param body: what stands in the DAG's `with` block. Airflow wants a DAG to lie in a file of its DAGs
        folder, so it is written there.
    """
    dag_id = f"dag_{os.getpid()}_{next(_numbers)}"
    path = Path(os.environ["AIRFLOW__CORE__DAGS_FOLDER"], f"{dag_id}.py")
    path.write_text(HEADER.format(dag_id=dag_id) + textwrap.indent(textwrap.dedent(body), "    "))
    try:
        return run_file(path, dag_id)
    finally:
        path.unlink()


def run_file(path: Path, dag_id: str, **how: Any) -> DagRunResult:
    """Run the DAG in a file to its end by `dag.test()`, triggers inline.

    :param path: the file, in Airflow's DAGs folder where Airflow must find it again.
    :param dag_id: the DAG's id.
    :param how: arguments of `dag.test()`.
    """
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    logging.getLogger().addHandler(handler)
    try:
        spec = importlib.util.spec_from_file_location(dag_id, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        dags = [value for value in vars(module).values() if getattr(value, "dag_id", None) == dag_id]
        with redirect_stdout(said):
            run = dags[0].test(**how)
    finally:
        logging.getLogger().removeHandler(handler)
    return DagRunResult(run, said.getvalue())
