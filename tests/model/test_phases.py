import pytest
from flyteidl.core.execution_pb2 import WorkflowExecution

from airflow_flyte_provider.model.phases import ExecutionPhase


@pytest.mark.parametrize(("name", "number"), WorkflowExecution.Phase.items())
def test_the_phases_are_flyteidls(name, number):
    assert ExecutionPhase.from_number(number) is ExecutionPhase(name)
    assert ExecutionPhase(name).number == number


def test_there_are_no_other_phases():
    assert {phase.value for phase in ExecutionPhase} == set(WorkflowExecution.Phase.keys())


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


def test_a_phase_prints_as_its_name():
    assert f"{ExecutionPhase.TIMED_OUT}" == str(ExecutionPhase.TIMED_OUT) == "TIMED_OUT"
