"""Values that will be there when a workflow runs: its inputs, and what its nodes give."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, NoReturn

from flyteidl.core.types_pb2 import LiteralType, OutputReference, PromiseAttribute, SimpleType

from airflow_flyte_provider.model.building.conditions import Comparison
from airflow_flyte_provider.model.building.errors import BuildError
from airflow_flyte_provider.model.suggestions import did_you_mean
from airflow_flyte_provider.model.values.attributes import type_of_part
from airflow_flyte_provider.model.values.types import describe


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """The workflow that something was made for. Two of one name are two.

    :param workflow: the workflow's name.
    """

    workflow: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Promise:
    """A value that will be there when the workflow runs, after `flyteidl.core.OutputReference`.

    Bind it to the input of a node, alone or inside lists and dicts. `promise["key"]` and `promise[0]` are promises
    of its parts. Comparisons (`promise > 3`, `promise == other`) are conditions for a branch.

    :param scope: the workflow it belongs to.
    :param type: its type, a `flyteidl.core.LiteralType`.
    :param var: the variable's name.
    :param node_id: the node that gives it; empty for an input of the workflow.
    :param path: keys and indices of the part of the variable that it stands for.
    """

    scope: Scope
    type: LiteralType
    var: str
    node_id: str = ""
    path: tuple[str | int, ...] = ()

    __hash__ = object.__hash__
    __iter__: ClassVar[None] = None  # or Python would iterate by [0], [1], … without end

    def __getitem__(self, step: str | int) -> Promise:
        """Return the promise of a part: an element of a list, a value of a dict, a field of a dataclass.

        :raises BuildError: when the type has no such part.
        """
        part = type_of_part(self.type, step) if self._has_parts(step) else None
        if part is None:
            fields = self.type.structure.dataclass_type
            hint = f" {did_you_mean(step, fields)}" if fields else ""
            raise BuildError(
                self.scope.workflow, f"{self!r} is {describe(self.type)}: it has no part {step!r}.{hint}"
            )
        return Promise(self.scope, part, self.var, self.node_id, (*self.path, step))

    def _has_parts(self, step: str | int) -> bool:
        kind = self.type.WhichOneof("type")
        if kind == "collection_type":
            return isinstance(step, int) and not isinstance(step, bool)
        is_struct = kind == "simple" and self.type.simple == SimpleType.STRUCT
        return isinstance(step, str) and (kind == "map_value_type" or is_struct)

    def __repr__(self) -> str:
        return f"{self.node_id or 'input'}.{self.var}{''.join(f'[{step!r}]' for step in self.path)}"

    def __bool__(self) -> NoReturn:
        raise TypeError(f"{self!r} has no value before the workflow runs: use a branch to choose by it")

    def __lt__(self, other: object) -> Comparison:
        return Comparison.of("LT", self, other)

    def __le__(self, other: object) -> Comparison:
        return Comparison.of("LTE", self, other)

    def __gt__(self, other: object) -> Comparison:
        return Comparison.of("GT", self, other)

    def __ge__(self, other: object) -> Comparison:
        return Comparison.of("GTE", self, other)

    def __eq__(self, other: object) -> Comparison:  # type: ignore[override]
        return Comparison.of("EQ", self, other)

    def __ne__(self, other: object) -> Comparison:  # type: ignore[override]
        return Comparison.of("NEQ", self, other)

    def to_proto(self) -> OutputReference:
        """Return it as a `flyteidl.core.OutputReference`."""
        steps = (
            PromiseAttribute(int_value=step) if isinstance(step, int) else PromiseAttribute(string_value=step)
            for step in self.path
        )
        return OutputReference(node_id=self.node_id, var=self.var, attr_path=steps)


class Outputs(dict[str, Promise]):
    """What a node gives, as promises by name.

    :param scope: the workflow the node belongs to.
    :param node_id: the node.
    :param promises: its outputs.
    """

    def __init__(self, scope: Scope, node_id: str, promises: Iterable[Promise]) -> None:
        super().__init__((promise.var, promise) for promise in promises)
        self._scope = scope
        self._node_id = node_id

    def __missing__(self, name: str) -> NoReturn:
        there = f"its outputs are {', '.join(sorted(self))}" if self else "it has no outputs"
        raise BuildError(self._scope.workflow, f"there is no output {name!r}: {there}", self._node_id)
