import pickle

import pytest
from flyteidl.core.interface_pb2 import ParameterMap, VariableMap
from flyteidl.core.literals_pb2 import LiteralMap
from google.protobuf.json_format import ParseDict

from airflow_flyte_provider.model.faults import ValueFaults
from airflow_flyte_provider.model.values.inputs import (
    InputFaultKind,
    InputFaults,
    build_inputs,
    build_required_inputs,
)
from airflow_flyte_provider.model.values.outputs import Outputs

INTEGER, STRING = {"simple": "INTEGER"}, {"simple": "STRING"}
THREE = {"scalar": {"primitive": {"integer": "3"}}}
EXPECTED = ParseDict(
    {
        "parameters": {
            "amount": {"var": {"type": INTEGER}, "required": True},
            "columns": {"var": {"type": {"collection_type": STRING}}, "required": True},
            "retries": {"var": {"type": INTEGER}, "default": THREE},
        }
    },
    ParameterMap(),
)
FIXED = ParseDict({"literals": {"region": THREE}}, LiteralMap())
VARIABLES = ParseDict({"variables": {"a": {"type": INTEGER}, "b": {"type": STRING}}}, VariableMap())


def build_faults(values):
    with pytest.raises(InputFaults) as raised:
        build_inputs(EXPECTED, FIXED, values)
    return raised.value


def test_only_what_is_given_is_sent():
    built = build_inputs(EXPECTED, FIXED, {"amount": "5", "columns": ["a"]})
    assert Outputs(built) == {"amount": 5, "columns": ["a"]}


def test_every_fault_is_told_at_once():
    error = build_faults({"ammount": 5, "columns": ["a", 1, None], "retries": 1.5, "region": 1})
    assert [(fault.name, fault.kind) for fault in error.faults] == [
        ("ammount", InputFaultKind.UNKNOWN),
        ("amount", InputFaultKind.MISSING),
        ("columns", InputFaultKind.WRONG_TYPE),
        ("columns", InputFaultKind.WRONG_TYPE),
        ("region", InputFaultKind.FIXED),
        ("retries", InputFaultKind.WRONG_TYPE),
    ]
    assert str(error) == "\n".join(
        [
            "6 faulty inputs:",
            "  ammount: no such input, did you mean amount? (the inputs are amount, columns, retries)",
            "  amount: missing, expected int",
            "  columns[1]: expected str, got int 1 (give str(value))",
            "  columns[2]: expected str, got NoneType None (give str(value))",
            "  region: fixed by the launch plan, it cannot be given",
            "  retries: expected int, got float 1.5 (give int(value) or a whole number)",
            "expected: (amount: int, columns: list[str], retries: int = 3)",
        ]
    )


def test_a_wrong_value_carries_its_declared_type_and_is_cut():
    (fault,) = build_faults({"amount": "x" * 1000, "columns": []}).faults
    assert (fault.expected, fault.value.given, len(fault.value.shown)) == ("int", "str", 100)


def test_one_fault_is_told_in_the_singular():
    assert str(build_faults({"columns": []})).startswith("1 faulty input:\n")


def test_a_task_or_workflow_needs_every_input():
    assert Outputs(build_required_inputs(VARIABLES, {"a": 1, "b": "x"})) == {"a": 1, "b": "x"}
    with pytest.raises(InputFaults, match="b: missing, expected str"):
        build_required_inputs(VARIABLES, {"a": 1})


def test_an_entity_without_inputs_says_so():
    assert build_required_inputs(VariableMap(), {}) == LiteralMap()
    with pytest.raises(InputFaults, match=r"x: no such input \(there are no inputs\)"):
        build_required_inputs(VariableMap(), {"x": 1})


def test_faults_survive_pickle():
    error = build_faults({})
    again = pickle.loads(pickle.dumps(error))
    assert (again.faults, str(again)) == (error.faults, str(error))


def test_outputs_are_read_as_declared():
    literals = ParseDict(
        {"literals": {"a": {"scalar": {"primitive": {"float_value": 5.0}}}, "z": THREE}}, LiteralMap()
    )
    assert repr(Outputs(literals, VARIABLES).as_dict()) == "{'a': 5, 'z': 3}"


def test_every_output_that_was_offloaded_is_told():
    away = {"offloaded_metadata": {"uri": "s3://x"}}
    literals = ParseDict({"literals": {"a": away, "b": away}}, LiteralMap())
    with pytest.raises(ValueFaults) as raised:
        Outputs(literals, VARIABLES).as_dict()
    assert [fault.path for fault in raised.value.faults] == ["a", "b"]
