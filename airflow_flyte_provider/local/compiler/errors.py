"""The faults a workflow can have, collected over the whole of it and told in one answer."""

from __future__ import annotations

from dataclasses import dataclass, field

from flyteidl.core import types_pb2

from airflow_flyte_provider.local.wording import go_text


@dataclass(frozen=True, order=True)
class CompileError:
    """One fault.

    :param code: Flyte's code for it, such as "MismatchingTypes".
    :param text: the whole line as Flyte prints it.
    """

    code: str
    text: str


@dataclass
class Faults:
    """The faults found so far; one that is found twice is told once, and counted as often as it was found."""

    found: set[CompileError] = field(default_factory=set)
    count: int = 0

    def add(self, code: str, node_id: str, description: str) -> None:
        """Note a fault of one node.

        :param code: Flyte's code for it.
        :param node_id: the node it was found at.
        :param description: what is wrong.
        """
        text = f"Code: {code}, Node Id: {node_id}, Description: {description}"
        self.found.add(CompileError(code, text))
        self.count += 1

    def __len__(self) -> int:
        return self.count

    def __str__(self) -> str:
        lines = [f"\tError {index}: {fault.text}\n" for index, fault in enumerate(sorted(self.found))]
        return f"Collected Errors: {len(self.found)}\n" + "".join(lines)


class CompileFailure(Exception):  # noqa: N818 - the exception carries the faults, it isn't one of them
    """A workflow that can't be compiled.

    :param faults: everything that is wrong with it.
    """

    def __init__(self, faults: Faults) -> None:
        super().__init__(str(faults))
        self.faults = faults


def type_text(literal_type: types_pb2.LiteralType | None) -> str:
    """Return a type as the compiler's messages name it."""
    if literal_type is None:
        return "None"
    if literal_type.simple == types_pb2.STRUCT:
        fields = literal_type.structure.dataclass_type
        inner = ", ".join(
            f"dataclass_type:{{key:{key} value:{{{type_text(fields[key])}}}" for key in sorted(fields)
        )
        return f"simple: STRUCT structure{{{inner}}}"
    return go_text(literal_type)
