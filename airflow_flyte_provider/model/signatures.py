"""What a task, workflow or launch plan takes and gives, in one line as a Python author would write it."""

from __future__ import annotations

from flyteidl.core.interface_pb2 import Parameter, ParameterMap, VariableMap

from airflow_flyte_provider.model.faults import ValueFaults, shown
from airflow_flyte_provider.model.literals import from_literal
from airflow_flyte_provider.model.types import describe


def signature(inputs: ParameterMap | VariableMap, outputs: VariableMap | None = None) -> str:
    """Return an interface as a Python signature: first what must be given, then what has a default.

    :param inputs: a launch plan's `ParameterMap`, or the `VariableMap` of a task or workflow.
    :param outputs: the outputs; left out of the text when None.

    A launch plan's reads `(s: str, a: int = 3) -> (o0: int)`.
    """
    text = f"({', '.join(_inputs(inputs))})"
    return text if outputs is None else f"{text} -> ({', '.join(_variables(outputs))})"


def _inputs(inputs: ParameterMap | VariableMap) -> list[str]:
    if isinstance(inputs, VariableMap):
        return _variables(inputs)
    parameters = sorted(inputs.parameters.items(), key=lambda item: (not item[1].required, item[0]))
    return [f"{name}: {describe(parameter.var.type)}{_default(parameter)}" for name, parameter in parameters]


def _variables(variables: VariableMap) -> list[str]:
    return [f"{name}: {describe(variable.type)}" for name, variable in sorted(variables.variables.items())]


def _default(parameter: Parameter) -> str:
    if parameter.required:
        return ""
    if not parameter.HasField("default"):
        return " = ..."  # Flyte settles it, such as by an artifact query
    try:
        return f" = {shown(from_literal(parameter.default, parameter.var.type))}"
    except ValueFaults:
        return " = ..."  # offloaded to a store
