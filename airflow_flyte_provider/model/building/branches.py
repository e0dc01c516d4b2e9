"""Nodes that choose what to run, after `flyteidl.core.BranchNode`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from flyteidl.core.literals_pb2 import Binding, BindingData
from flyteidl.core.types_pb2 import LiteralType
from flyteidl.core.workflow_pb2 import IfBlock
from flyteidl.core.workflow_pb2 import Node as NodeProto

from airflow_flyte_provider.model.building.bindings import sources
from airflow_flyte_provider.model.building.conditions import Condition, variable
from airflow_flyte_provider.model.building.errors import BuildError
from airflow_flyte_provider.model.building.nodes import Entity, Node, NodeOptions, entity_node
from airflow_flyte_provider.model.values.types import describe

if TYPE_CHECKING:
    from airflow_flyte_provider.model.building.promises import Promise, Scope


class Branch:
    """A choice under way: `when` as often as needed, then `otherwise` or `otherwise_fail`, which return the node.

    Made by `ImperativeWorkflow.add_branch`. The first condition that holds is the one. The node gives what all its
    choices give by the same name.

    :param scope: the workflow it belongs to.
    :param node_id: the id of the node.
    :param name: what the console calls it.
    :param add: adds the node to the workflow.
    """

    def __init__(self, scope: Scope, node_id: str, name: str, add: Callable[[Node], Node]) -> None:
        self._scope = scope
        self._id = node_id
        self._name = name
        self._add = add
        self._message = NodeProto(id=node_id, metadata=NodeOptions().to_proto(name))
        self._compared: dict[str, Promise] = {}
        self._choices: list[Node] = []

    def when(
        self,
        condition: Condition,
        entity: Entity,
        *,
        options: NodeOptions | None = None,
        inputs: Mapping[str, object] | None = None,
        **bound: object,
    ) -> Branch:
        """Run a task, workflow or launch plan when a condition holds and none before it did.

        :param condition: comparisons of promises, such as `(a > 3) & (b == "x")`.
        :param entity: what to run.
        :param options: how the node is run.
        :param inputs: promises and constants by input name, like `**bound`.
        :raises BuildError: naming the inputs that do not fit.
        """
        if not isinstance(condition, Condition):
            problem = f"a condition compares promises, as in promise > 3; {condition!r} is none"
            raise BuildError(self._scope.workflow, problem, self._id)
        for promise in condition.promises():
            self._compared[variable(promise)] = promise
        node = self._choice(entity, options, {**(inputs or {}), **bound})
        if_else = self._message.branch_node.if_else
        block = IfBlock(condition=condition.to_proto(), then_node=node.to_proto())
        if len(self._choices) == 1:
            if_else.case.CopyFrom(block)
        else:
            if_else.other.append(block)
        return self

    def otherwise(
        self,
        entity: Entity,
        *,
        options: NodeOptions | None = None,
        inputs: Mapping[str, object] | None = None,
        **bound: object,
    ) -> Node:
        """Run something when no condition holds, and return the node that chooses; see `when`."""
        node = self._choice(entity, options, {**(inputs or {}), **bound})
        self._message.branch_node.if_else.else_node.CopyFrom(node.to_proto())
        return self._finished()

    def otherwise_fail(self, message: str) -> Node:
        """Fail when no condition holds, and return the node that chooses.

        :param message: what the execution's error says.
        """
        error = self._message.branch_node.if_else.error
        error.message, error.failed_node_id = message, self._name
        return self._finished()

    def _choice(self, entity: Entity, options: NodeOptions | None, values: Mapping[str, object]) -> Node:
        inner_id = f"n{len(self._choices)}"
        try:
            node = entity_node(self._scope, inner_id, entity, options or NodeOptions(), values)
        except BuildError as fault:
            raise BuildError(self._scope.workflow, fault.problem, f"{self._id}-{inner_id}") from None
        self._choices.append(node)
        return node

    def _finished(self) -> Node:
        if not self._message.branch_node.if_else.HasField("case"):
            raise BuildError(
                self._scope.workflow, "there is nothing to choose from: call when first", self._id
            )
        upstream = sources(self._scope, self._compared, self._id)
        inside = {before for node in self._choices for before in node.upstream}
        for name in sorted(self._compared):
            binding = BindingData(promise=self._compared[name].to_proto())
            self._message.inputs.append(Binding(var=name, binding=binding))
        parts = [part for node in self._choices for part in node.parts]
        return self._add(Node(self._scope, self._message, self._common_outputs(), upstream, parts, inside))

    def _common_outputs(self) -> dict[str, LiteralType]:
        """Return what every choice gives.

        :raises BuildError: when two choices give different types by one name.
        """
        first, *others = (
            {var: promise.type for var, promise in one.outputs.items()} for one in self._choices
        )
        for other in others:
            first = {var: kind for var, kind in first.items() if var in other}
            for var, kind in first.items():
                if other[var] != kind:
                    told = f"{describe(kind)} by one choice and {describe(other[var])} by another"
                    raise BuildError(self._scope.workflow, f"output {var!r} is {told}", self._id)
        return first
