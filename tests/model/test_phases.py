import pytest
from flyteidl.core.execution_pb2 import NodeExecution, TaskExecution, WorkflowExecution

from airflow_flyte_provider.model.phases import ExecutionPhase, NodePhase, TaskPhase

KINDS = ((ExecutionPhase, WorkflowExecution), (NodePhase, NodeExecution), (TaskPhase, TaskExecution))
ALL = [(phases, *item) for phases, proto in KINDS for item in proto.Phase.items()]


@pytest.mark.parametrize(("phases", "name", "number"), ALL)
def test_the_phases_are_flyteidls(phases, name, number):
    assert phases.from_number(number) is phases(name)
    assert phases(name).number == number


def test_there_are_no_other_phases():
    for phases, proto in KINDS:
        assert {phase.value for phase in phases} == set(proto.Phase.keys())


@pytest.mark.parametrize("number", [-1, 10, 99])
def test_a_phase_of_a_newer_flyte_ends_no_wait(number):
    assert ExecutionPhase.from_number(number) is ExecutionPhase.UNDEFINED
    assert not ExecutionPhase.from_number(number).is_final


def test_four_phases_are_final():
    assert {phase.name for phase in ExecutionPhase if phase.is_final} == {
        "SUCCEEDED",
        "FAILED",
        "ABORTED",
        "TIMED_OUT",
    }


def test_the_final_phases_of_nodes_and_tasks():
    assert {phase.name for phase in NodePhase if not phase.is_final} == {
        "UNDEFINED",
        "QUEUED",
        "RUNNING",
        "FAILING",
        "DYNAMIC_RUNNING",
    }
    assert {phase.name for phase in TaskPhase if phase.is_final} == {
        "SUCCEEDED",
        "ABORTED",
        "FAILED",
        "RETRYABLE_FAILED",
    }


def test_a_phase_prints_as_its_name():
    assert f"{ExecutionPhase.TIMED_OUT}" == str(ExecutionPhase.TIMED_OUT) == "TIMED_OUT"
