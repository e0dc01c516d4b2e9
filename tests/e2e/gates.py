"""Look at the executions of `demo.gated`, which wait for two signals, and give them."""

import time

import grpc
from flyteidl.admin import common_pb2, signal_pb2
from flyteidl.core import identifier_pb2, literals_pb2
from flyteidl.service.admin_pb2_grpc import AdminServiceStub
from flyteidl.service.signal_pb2_grpc import SignalServiceStub

from tests.conftest import DOMAIN, PROJECT

SIGNALS = {
    "approve-me": literals_pb2.Primitive(boolean=True),
    "title": literals_pb2.Primitive(string_value="t"),
}


def list_executions(endpoint):
    """Return all executions."""
    request = common_pb2.ResourceListRequest(
        id=common_pb2.NamedEntityIdentifier(project=PROJECT, domain=DOMAIN), limit=1000
    )
    with grpc.insecure_channel(endpoint) as channel:
        return list(AdminServiceStub(channel).ListExecutions(request).executions)


def executions_of(endpoint, dag_id, run_id):
    """Return the executions that a DAG run has launched, the latest first."""
    wanted = {"airflow-dag": dag_id, "airflow-run": run_id}
    found = [
        one for one in list_executions(endpoint) if wanted.items() <= dict(one.spec.labels.values).items()
    ]
    return sorted(found, key=lambda one: one.closure.created_at.ToNanoseconds(), reverse=True)


def open_gates(endpoint, execution):
    """Give an execution its signals, as soon as it waits for them."""
    wait_for(lambda: signals(endpoint, [execution]) == set(SIGNALS))
    with grpc.insecure_channel(endpoint) as channel:
        for signal, value in SIGNALS.items():
            SignalServiceStub(channel).SetSignal(
                signal_pb2.SignalSetRequest(
                    id=identifier_pb2.SignalIdentifier(signal_id=signal, execution_id=execution.id),
                    value=literals_pb2.Literal(scalar=literals_pb2.Scalar(primitive=value)),
                )
            )


def signals(endpoint, executions):
    """Return the signals that some executions wait for, or have."""
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
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.1)
