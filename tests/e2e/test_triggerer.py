"""A deferred task through a real scheduler and triggerer, and what a restart of the triggerer does to it."""

from flyteidl.admin import execution_pb2
from flyteidl.core import identifier_pb2

from airflow_flyte_provider.model.phases import ExecutionPhase
from tests.conftest import DOMAIN, PROJECT, VERSION
from tests.e2e.gates import executions_of, open_gates
from tests.local.client import Client, identifier, integers


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


def test_a_deferred_signal_sensor_outlives_a_triggerer_that_is_killed(running_airflow, registered):
    airflow = running_airflow
    client = Client(registered.endpoint)
    request = execution_pb2.ExecutionCreateRequest(project=PROJECT, domain=DOMAIN, inputs=integers(a=1))
    request.spec.launch_plan.CopyFrom(identifier(identifier_pb2.LAUNCH_PLAN, "demo.gated"))
    request.spec.launch_plan.version = VERSION
    execution = client.admin.CreateExecution(request).id
    airflow.rest.trigger("sensing", "killed", {"execution": execution.name})
    airflow.until(
        lambda: airflow.rest.task_state("sensing", "killed", "title") == "deferred", 60, "it is deferred"
    )
    airflow.kill("triggerer")
    open_gates(registered.endpoint, client.execution(execution))
    assert client.end(execution) == "SUCCEEDED"
    client.close()
    airflow.restart("triggerer")
    assert airflow.end_of_run("sensing", "killed") == "success", airflow.log_of("triggerer")
    assert airflow.rest.xcom("sensing", "killed", "title") == "t"
