"""A deferred task through a real scheduler and triggerer, and what a restart of the triggerer does to it."""

from airflow_flyte_provider.model.phases import ExecutionPhase
from tests.e2e.gates import executions_of, open_gates


def test_a_triggerer_that_is_restarted_ends_no_execution(running_airflow, registered):
    airflow = running_airflow
    airflow.rest.trigger("deferred", "restarted")
    airflow.until(
        lambda: airflow.rest.task_state("deferred", "restarted", "gated") == "deferred", 60, "it is deferred"
    )
    airflow.terminate("triggerer")
    airflow.restart("triggerer")
    (execution,) = executions_of(registered.endpoint, "deferred", "restarted")
    assert ExecutionPhase.from_number(execution.closure.phase) is ExecutionPhase.RUNNING
    open_gates(registered.endpoint, execution)
    assert airflow.end_of_run("deferred", "restarted") == "success", airflow.log_of("triggerer")
    assert len(executions_of(registered.endpoint, "deferred", "restarted")) == 1
    assert airflow.rest.xcom("deferred", "restarted", "gated") == {"o0": 4}
