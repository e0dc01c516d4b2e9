"""Conditions that a branch chooses by, after `flyteidl.core.BooleanExpression`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from flyteidl.core.condition_pb2 import (
    BooleanExpression,
    ComparisonExpression,
    ConjunctionExpression,
    Operand,
)
from flyteidl.core.literals_pb2 import Primitive

from airflow_flyte_provider.model.building.errors import BuildError
from airflow_flyte_provider.model.faults import ValueFaults
from airflow_flyte_provider.model.values.literals import to_literal
from airflow_flyte_provider.model.values.primitives import PRIMITIVE_TYPES
from airflow_flyte_provider.model.values.types import describe

if TYPE_CHECKING:
    from airflow_flyte_provider.model.building.promises import Promise


class Condition:
    """A comparison, or several joined by `&` (and) and `|` (or). Put each comparison in brackets."""

    __slots__ = ()

    def __and__(self, other: Condition) -> Condition:
        return Conjunction("AND", self, other)

    def __or__(self, other: Condition) -> Condition:
        return Conjunction("OR", self, other)

    def __bool__(self) -> NoReturn:
        raise TypeError(
            "a condition is not known before the workflow runs: join conditions by & and |, in brackets, "
            "instead of `and`, `or`, `not` and chains such as 1 < x < 3"
        )

    def promises(self) -> Iterator[Promise]:
        """Yield the promises that are compared, first to last."""
        raise NotImplementedError

    def to_proto(self) -> BooleanExpression:
        """Return it as a `flyteidl.core.BooleanExpression`."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, eq=False)
class Comparison(Condition):
    """A promise compared with a value or another promise, after `flyteidl.core.ComparisonExpression`.

    :param operator: a name of `ComparisonExpression.Operator`, such as `GTE`.
    :param left: the promise.
    :param right: what it is compared with.
    """

    operator: str
    left: Promise
    right: Promise | Primitive

    @classmethod
    def of(cls, operator: str, left: Promise, right: object) -> Comparison:
        """Return the comparison with a constant or a promise.

        :raises BuildError: when the two cannot be compared.
        """
        if isinstance(right, type(left)):
            _check_operand(left)
            _check_operand(right)
            if right.type != left.type:
                told = f"{left!r} is {describe(left.type)} and {right!r} is {describe(right.type)}"
                raise BuildError(left.scope.workflow, f"{told}: Flyte compares values of one type")
            return cls(operator, left, right)
        _check_operand(left)
        try:
            return cls(operator, left, to_literal(right, left.type, repr(left)).scalar.primitive)
        except ValueFaults as fault:
            raise BuildError(left.scope.workflow, f"it is compared with something else: {fault}") from None

    def promises(self) -> Iterator[Promise]:
        """Yield the promises that are compared, first to last."""
        yield self.left
        if not isinstance(self.right, Primitive):
            yield self.right

    def to_proto(self) -> BooleanExpression:
        """Return it as a `flyteidl.core.BooleanExpression`."""
        right = self.right
        return BooleanExpression(
            comparison=ComparisonExpression(
                operator=ComparisonExpression.Operator.Value(self.operator),
                left_value=Operand(var=variable(self.left)),
                right_value=Operand(primitive=right)
                if isinstance(right, Primitive)
                else Operand(var=variable(right)),
            )
        )


@dataclass(frozen=True, slots=True, eq=False)
class Conjunction(Condition):
    """Two conditions of which both must hold, or one, after `flyteidl.core.ConjunctionExpression`.

    :param operator: `AND` or `OR`.
    :param left: the one.
    :param right: the other.
    """

    operator: str
    left: Condition
    right: Condition

    def __post_init__(self) -> None:
        if not isinstance(self.right, Condition):
            raise TypeError(f"& and | join conditions, not {self.right!r}: put each comparison in brackets")

    def promises(self) -> Iterator[Promise]:
        """Yield the promises that are compared, first to last."""
        yield from self.left.promises()
        yield from self.right.promises()

    def to_proto(self) -> BooleanExpression:
        """Return it as a `flyteidl.core.BooleanExpression`."""
        return BooleanExpression(
            conjunction=ConjunctionExpression(
                operator=ConjunctionExpression.LogicalOperator.Value(self.operator),
                left_expression=self.left.to_proto(),
                right_expression=self.right.to_proto(),
            )
        )


def variable(promise: Promise) -> str:
    """Return the name that a branch node binds a promise to, unique in the workflow."""
    return f"{promise.node_id}.{promise.var}"


def _check_operand(promise: Promise) -> None:
    if promise.path:
        problem = f"Flyte compares whole outputs, and {promise!r} is a part of one: let a task give it"
        raise BuildError(promise.scope.workflow, problem)
    if promise.type.WhichOneof("type") != "simple" or promise.type.simple not in PRIMITIVE_TYPES:
        told = f"{promise!r} is {describe(promise.type)}"
        problem = f"{told}: Flyte compares numbers, texts, booleans and times only"
        raise BuildError(promise.scope.workflow, problem)
