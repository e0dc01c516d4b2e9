"""A Flyte that is killed and comes back: the DAG succeeds, and one execution has done it."""

import threading
import time

import grpc
import pytest
from flyteidl.admin import common_pb2, signal_pb2
from flyteidl.core import identifier_pb2, literals_pb2
from flyteidl.service.admin_pb2_grpc import AdminServiceStub
from flyteidl.service.signal_pb2_grpc import SignalServiceStub

from airflow_flyte_provider.local import LocalFlyte
from tests.conftest import DOMAIN, PROJECT, connection, register_demo
from tests.dag_runs import run_dag


@pytest.fixture
def own_flyte():
    """A local Flyte that this test may kill."""
    with LocalFlyte() as flyte:
        register_demo(flyte.endpoint)
        yield flyte


def list_executions(endpoint):
    request = common_pb2.ResourceListRequest(
        id=common_pb2.NamedEntityIdentifier(project=PROJECT, domain=DOMAIN), limit=100
    )
    with grpc.insecure_channel(endpoint) as channel:
        return list(AdminServiceStub(channel).ListExecutions(request).executions)


def kill_restart_and_answer(flyte):
    """Kill Flyte once an execution waits at its gates, bring it back after a while, and open the gates."""
    wait_for(lambda: signals(flyte.endpoint, list_executions(flyte.endpoint)) == {"approve-me", "title"})
    flyte.kill()
    time.sleep(2)
    flyte.restart()
    (execution,) = list_executions(flyte.endpoint)
    wait_for(lambda: signals(flyte.endpoint, [execution]) == {"approve-me", "title"})
    approved = literals_pb2.Literal(
        scalar=literals_pb2.Scalar(primitive=literals_pb2.Primitive(boolean=True))
    )
    title = literals_pb2.Literal(
        scalar=literals_pb2.Scalar(primitive=literals_pb2.Primitive(string_value="t"))
    )
    with grpc.insecure_channel(flyte.endpoint) as channel:
        for signal, value in (("approve-me", approved), ("title", title)):
            SignalServiceStub(channel).SetSignal(
                signal_pb2.SignalSetRequest(
                    id=identifier_pb2.SignalIdentifier(signal_id=signal, execution_id=execution.id),
                    value=value,
                )
            )


def signals(endpoint, executions):
    with grpc.insecure_channel(endpoint) as channel:
        stub = SignalServiceStub(channel)
        return {
            signal.id.signal_id
            for execution in executions
            for signal in stub.ListSignals(
                signal_pb2.SignalListRequest(workflow_execution_id=execution.id, limit=10)
            ).signals
        }


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.1)


@pytest.mark.usefixtures("airflow_db")
@pytest.mark.parametrize("deferrable", [False, True])
def test_flyte_killed_between_create_and_end(own_flyte, monkeypatch, deferrable):
    monkeypatch.setenv("AIRFLOW_CONN_FLYTE_DEFAULT", connection(own_flyte.endpoint))
    failures = []

    def meddle():
        try:
            kill_restart_and_answer(own_flyte)
        except BaseException as failure:
            failures.append(failure)
            raise

    meddler = threading.Thread(target=meddle, daemon=True)
    meddler.start()
    run = run_dag(f"""
    FlyteExecuteOperator(
        task_id="gated", launch_plan="demo.gated", inputs={{"a": 4}}, deferrable={deferrable}, poll_interval=0.2
    )
    """)
    meddler.join(60)
    assert not failures
    assert run.state("gated") == "success", run.log
    assert run.xcom("gated") == {"o0": 4}
    assert len(list_executions(own_flyte.endpoint)) == 1
