"""The inputs of an execution, checked all at once before it is launched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeVar

from flyteidl.core.interface_pb2 import ParameterMap, VariableMap
from flyteidl.core.literals_pb2 import LiteralMap
from flyteidl.core.types_pb2 import LiteralType

from airflow_flyte_provider.model.faults import ValueFault, ValueFaults
from airflow_flyte_provider.model.suggestions import nearest
from airflow_flyte_provider.model.values.casting import is_optional
from airflow_flyte_provider.model.values.literals import to_literal
from airflow_flyte_provider.model.values.signatures import TypedInterface
from airflow_flyte_provider.model.values.types import describe

Written = TypeVar("Written")


class InputFaultKind(str, Enum):
    """What can be wrong with an input."""

    UNKNOWN = "UNKNOWN"
    MISSING = "MISSING"
    FIXED = "FIXED"
    WRONG_TYPE = "WRONG_TYPE"


@dataclass(frozen=True, slots=True)
class InputFault:
    """One faulty input.

    :param kind: what is wrong with it.
    :param name: the input's name.
    :param expected: the declared type as an author would write it; empty for an unknown input.
    :param value: where and how the value does not fit, for WRONG_TYPE.
    :param nearest: the names that may have been meant, for UNKNOWN.
    :param known: all the names that there are, for UNKNOWN.
    """

    kind: InputFaultKind
    name: str
    expected: str = ""
    value: ValueFault | None = None
    nearest: tuple[str, ...] = ()
    known: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.value is not None:
            return str(self.value)
        if self.kind is InputFaultKind.MISSING:
            return f"{self.name}: missing, expected {self.expected}"
        if self.kind is InputFaultKind.FIXED:
            return f"{self.name}: fixed by the launch plan, it cannot be given"
        guess = f", did you mean {' or '.join(self.nearest)}?" if self.nearest else ""
        names = f"the inputs are {', '.join(self.known)}" if self.known else "there are no inputs"
        return f"{self.name}: no such input{guess} ({names})"


class InputFaults(ValueError):  # noqa: N818 - it holds faults, as its name says
    """Raised for inputs that Flyte would refuse. Its text names each on a line, then what is expected.

    :param faults: every fault that was found, by the inputs' names.
    :param expected: the signature of what takes the inputs.
    """

    def __init__(self, faults: Iterable[InputFault], expected: str) -> None:
        self.faults = tuple(faults)
        self.expected = expected
        count = len(self.faults)
        lines = [f"{count} faulty input{'' if count == 1 else 's'}:"]
        lines += [f"  {fault}" for fault in self.faults]
        super().__init__("\n".join([*lines, f"expected: {expected}"]))

    def __reduce__(self) -> tuple[type[InputFaults], tuple[tuple[InputFault, ...], str]]:
        return type(self), (self.faults, self.expected)  # the text is not what the constructor takes


def build_inputs(expected: ParameterMap, fixed: LiteralMap, values: Mapping[str, object]) -> LiteralMap:
    """Return the inputs of an execution of a launch plan, after `flyteidl.admin.ExecutionCreateRequest.inputs`.

    Only what is given is sent: the server fills in the launch plan's defaults.

    :param expected: the launch plan's `closure.expected_inputs`.
    :param fixed: the launch plan's `spec.fixed_inputs`, which an execution cannot change.
    :param values: native values by the inputs' names.
    :raises InputFaults: naming every input that is unknown, missing, fixed or of the wrong type.
    """
    interface = TypedInterface(expected, fixed=frozenset(fixed.literals))
    return LiteralMap(literals=check_inputs(interface, values, to_literal))


def build_required_inputs(expected: VariableMap, values: Mapping[str, object]) -> LiteralMap:
    """Return the inputs of an execution of a task or a workflow alone, where every input must be given.

    :param expected: the inputs of its `flyteidl.core.TypedInterface`.
    :param values: native values by the inputs' names.
    :raises InputFaults: naming every input that is unknown, missing or of the wrong type.
    """
    return LiteralMap(literals=check_inputs(TypedInterface(expected), values, to_literal))


def check_inputs(
    interface: TypedInterface,
    values: Mapping[str, object],
    write: Callable[[object, LiteralType, str], Written],
    *,
    may_omit_optional: bool = False,
) -> dict[str, Written]:
    """Return what was given as `write` writes it, by the inputs' names.

    :param interface: what takes the inputs.
    :param values: what is given, by name.
    :param write: takes a value, its declared type and its name; raises `ValueFaults` for one that does not fit.
    :param may_omit_optional: allow to leave out what may be None.
    :raises InputFaults: naming every input that is unknown, missing, fixed or of the wrong type.
    """
    types, fixed = interface.types, interface.fixed
    written: dict[str, Written] = {}
    missing = {name for name in interface.required if not (may_omit_optional and is_optional(types[name]))}
    faults = [_missing(name, types[name]) for name in missing - set(values)]
    for name, value in values.items():
        if name in fixed:
            faults.append(InputFault(InputFaultKind.FIXED, name))
        elif name not in types:
            faults.append(_unknown(name, types.keys() - fixed))
        else:
            try:
                written[name] = write(value, types[name], name)
            except ValueFaults as error:
                faults += [_wrong(name, types[name], fault) for fault in error.faults]
    if faults:
        raise InputFaults(sorted(faults, key=lambda fault: fault.name), str(interface))
    return written


def _missing(name: str, literal_type: LiteralType) -> InputFault:
    return InputFault(InputFaultKind.MISSING, name, describe(literal_type))


def _unknown(name: str, known: Iterable[str]) -> InputFault:
    names = tuple(sorted(known))
    return InputFault(InputFaultKind.UNKNOWN, name, nearest=tuple(nearest(name, names)), known=names)


def _wrong(name: str, literal_type: LiteralType, fault: ValueFault) -> InputFault:
    return InputFault(InputFaultKind.WRONG_TYPE, name, describe(literal_type), fault)
