import json
from datetime import timedelta, timezone

import pytest
from flyteidl.admin import execution_pb2
from google.protobuf.json_format import ParseDict

from airflow_flyte_provider.model.identifiers import EntityKind, ExecutionId
from airflow_flyte_provider.model.phases import ExecutionPhase
from airflow_flyte_provider.model.views.executions import Execution
from tests.recordings import RECORDINGS


def recorded():
    for path in sorted(RECORDINGS.glob("*.jsonl")):
        for line in path.read_text().splitlines():
            call = json.loads(line)
            if call.get("response_type") == "flyteidl.admin.Execution":
                yield ParseDict(call["response"], execution_pb2.Execution())
            elif call.get("response_type") == "flyteidl.admin.ExecutionList":
                yield from ParseDict(call["response"], execution_pb2.ExecutionList()).executions


def views():
    return [Execution.from_proto(proto) for proto in recorded()]


def test_every_recorded_execution_is_read_as_it_stands():
    protos = list(recorded())
    assert len(protos) > 20
    for proto in protos:
        view = Execution.from_proto(proto)
        assert str(view.id) == f"{proto.id.project}/{proto.id.domain}/{proto.id.name}"
        assert view.phase.number == proto.closure.phase
        assert view.created_at is None or view.created_at.tzinfo is timezone.utc
        assert (view.error is not None) == (view.phase is ExecutionPhase.FAILED)
        assert (view.abort_cause is not None) == (
            view.phase in (ExecutionPhase.ABORTING, ExecutionPhase.ABORTED)
        )
        assert view.is_done == (view.duration is not None)
        assert view.is_successful == (view.phase.name == "SUCCEEDED")


def test_a_recovered_execution_refers_to_the_first_one():
    by_mode = {view.mode: view for view in views()}
    assert by_mode["MANUAL"].reference_execution is None
    assert isinstance(by_mode["RECOVERED"].reference_execution, ExecutionId)


def test_a_failure_carries_code_message_and_kind():
    errors = {view.error.code: view.error for view in views() if view.error}
    assert errors
    assert {error.kind for error in errors.values()} <= {"USER", "SYSTEM", "UNKNOWN"}
    assert all(error.message for error in errors.values())


@pytest.mark.parametrize("kind", EntityKind)
def test_what_was_launched_may_be_of_any_kind(kind):
    proto = execution_pb2.Execution()
    ParseDict({"spec": {"launch_plan": {"resource_type": kind.value, "name": "n"}}}, proto)
    assert Execution.from_proto(proto).launch_plan.kind is kind


def test_nothing_known_yet():
    view = Execution.from_proto(execution_pb2.Execution())
    assert view.phase is ExecutionPhase.UNDEFINED
    assert view.launch_plan.kind is EntityKind.LAUNCH_PLAN
    assert view.workflow is view.created_at is view.error is view.abort_cause is view.duration is None


def test_numbers_of_a_newer_flyte_and_the_causes_of_an_older_one():
    proto = execution_pb2.Execution()
    proto.spec.metadata.mode = 77
    proto.closure.phase = 77
    proto.closure.abort_cause = "old"
    proto.closure.duration.FromTimedelta(timedelta(seconds=3))
    view = Execution.from_proto(proto)
    assert (view.mode, view.abort_cause, view.duration) == ("UNKNOWN", "old", timedelta(seconds=3))
    assert not view.is_done
