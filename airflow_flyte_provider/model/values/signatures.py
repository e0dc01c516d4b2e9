"""What a task, workflow or launch plan takes and gives, in one line as a Python author would write it."""

from __future__ import annotations

from dataclasses import dataclass

from flyteidl.core.interface_pb2 import Parameter, ParameterMap, VariableMap
from flyteidl.core.types_pb2 import LiteralType

from airflow_flyte_provider.model.faults import ValueFaults, shown
from airflow_flyte_provider.model.files import FileReference
from airflow_flyte_provider.model.values.literals import from_literal
from airflow_flyte_provider.model.values.types import describe


@dataclass(frozen=True, slots=True)
class TypedInterface:
    """What something takes and gives, after `flyteidl.core.TypedInterface`. Prints itself as a Python signature.

    :param inputs: a launch plan's `ParameterMap`, or the `VariableMap` of a task or workflow.
    :param outputs: the outputs; left out of the text when None.
    :param fixed: the inputs that the launch plan has settled: they cannot be given and are not printed.

    Example::

        print(hook.fetch_launch_plan("ml.train").signature)  # (day: datetime, epochs: int = 3) -> (o0: float)
    """

    inputs: ParameterMap | VariableMap
    outputs: VariableMap | None = None
    fixed: frozenset[str] = frozenset()

    def __str__(self) -> str:
        text = f"({', '.join(self._inputs())})"
        return text if self.outputs is None else f"{text} -> ({', '.join(_variables(self.outputs))})"

    @property
    def types(self) -> dict[str, LiteralType]:
        """The types of all inputs by name, fixed ones too."""
        if isinstance(self.inputs, VariableMap):
            return {name: variable.type for name, variable in self.inputs.variables.items()}
        return {name: parameter.var.type for name, parameter in self.inputs.parameters.items()}

    @property
    def required(self) -> frozenset[str]:
        """The names of the inputs that must be given."""
        if isinstance(self.inputs, VariableMap):
            return frozenset(self.inputs.variables)
        needed = {name for name, parameter in self.inputs.parameters.items() if parameter.required}
        return frozenset(needed - self.fixed)

    def _inputs(self) -> list[str]:
        if isinstance(self.inputs, VariableMap):
            return _variables(self.inputs)
        parameters = sorted(self.inputs.parameters.items(), key=lambda item: (not item[1].required, item[0]))
        return [
            f"{name}: {describe(parameter.var.type)}{_default(parameter)}"
            for name, parameter in parameters
            if name not in self.fixed
        ]


def _variables(variables: VariableMap) -> list[str]:
    return [f"{name}: {describe(variable.type)}" for name, variable in sorted(variables.variables.items())]


def _default(parameter: Parameter) -> str:
    if parameter.required:
        return ""
    if not parameter.HasField("default"):
        return " = ..."  # Flyte settles it, such as by an artifact query
    try:
        value = from_literal(parameter.default, parameter.var.type)
    except ValueFaults:
        return " = ..."  # offloaded to a store
    return f" = {shown(value.uri if isinstance(value, FileReference) else value)}"
