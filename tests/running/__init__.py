"""A real Airflow, each part a process of its own, for tests and benchmarks that need more than `dag.test()`."""

from tests.running.airflow import RunningAirflow, RunningAirflowError, Worker
from tests.running.rest import Rest, TaskInstance

__all__ = ["Rest", "RunningAirflow", "RunningAirflowError", "TaskInstance", "Worker"]
