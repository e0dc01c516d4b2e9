"""A workflow under way: what was added to it, and the spec it comes to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from graphlib import CycleError, TopologicalSorter
from itertools import count
from typing import Any

from flyteidl.admin.workflow_pb2 import WorkflowSpec
from flyteidl.core.interface_pb2 import Variable, VariableMap
from flyteidl.core.literals_pb2 import Binding
from flyteidl.core.types_pb2 import LiteralType
from flyteidl.core.workflow_pb2 import WorkflowTemplate

from airflow_flyte_provider.model.building.errors import BuildError
from airflow_flyte_provider.model.building.nodes import Node
from airflow_flyte_provider.model.building.parts import distinct
from airflow_flyte_provider.model.building.promises import Promise, Scope
from airflow_flyte_provider.model.building.python_types import literal_type_of
from airflow_flyte_provider.model.identifiers import EntityId
from airflow_flyte_provider.model.references import to_identifier
from airflow_flyte_provider.model.views.workflows import EDGES

#: The id of the node that runs when the workflow fails, as flytekit calls it.
FAILURE_NODE = "efn"
_RESERVED = (*EDGES, FAILURE_NODE)
_NODE_ID = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")


class FailurePolicy(str, Enum):
    """What a failed node means for the others, after `flyteidl.core.WorkflowMetadata.OnFailurePolicy`."""

    FAIL_IMMEDIATELY = "FAIL_IMMEDIATELY"
    FAIL_AFTER_EXECUTABLE_NODES_COMPLETE = "FAIL_AFTER_EXECUTABLE_NODES_COMPLETE"


class Draft:
    """What was added to a workflow.

    :param name: the workflow's name.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.scope = Scope(name)
        self.inputs: dict[str, Promise] = {}
        self.nodes: dict[str, Node] = {}
        self.promised: set[str] = set()  # ids of branches that are not finished yet
        self.outputs: dict[str, tuple[LiteralType, Binding]] = {}
        self.failure_node: Node | None = None

    def new_id(self, wanted: str | None) -> str:
        """Return the id of the next node.

        :param wanted: the id that was asked for; None takes `n0`, `n1`, … by the number of nodes.
        :raises BuildError: when Flyte would not take it.
        """
        if wanted is None:
            taken = self.promised | self.nodes.keys()
            return next(free for free in map("n{}".format, count(len(self.nodes))) if free not in taken)
        if not _NODE_ID.fullmatch(wanted) or wanted in _RESERVED:
            problem = "an id is lower-case letters, digits and dashes, begins with a letter, and is none of"
            raise BuildError(self.name, f"{problem} {', '.join(_RESERVED)}", wanted)
        return wanted

    def type_of(self, kind: Any, what: str) -> LiteralType:
        """Return a type as Flyte's.

        :param what: what it is the type of, for faults.
        :raises BuildError: when Flyte knows no such type.
        """
        try:
            return literal_type_of(kind)
        except ValueError as fault:
            raise BuildError(self.name, f"{what}: {fault}") from None

    def add(self, node: Node) -> Node:
        """Add a node, and return it.

        :raises BuildError: when there is one of its id, which Flyte would drop without a word, or one that waits for
            the same signal.
        """
        if node.id in self.nodes:
            raise BuildError(self.name, "there is a node of this id already", node.id)
        for other in self.nodes.values():
            if node.signal and node.signal == other.signal:
                problem = f"node {other.id} waits for the signal {node.signal!r} already"
                raise BuildError(self.name, problem, node.id)
        self.nodes[node.id] = node
        return node

    def compile(self, entity: EntityId) -> WorkflowSpec:
        """Return it as a `flyteidl.admin.WorkflowSpec`, without its settings.

        :param entity: the id to register it under.
        :raises BuildError: when it has no nodes, or nodes wait for one another.
        """
        if not self.nodes:
            raise BuildError(self.name, "it has no nodes: add one")
        self._check_cycles()
        template = WorkflowTemplate(
            id=to_identifier(entity),
            nodes=[node.to_proto() for node in self.nodes.values()],
            outputs=[binding for _, binding in self.outputs.values()],
        )
        inputs = {name: promise.type for name, promise in self.inputs.items()}
        outputs = {name: kind for name, (kind, _) in self.outputs.items()}
        template.interface.inputs.CopyFrom(_variables(inputs))
        template.interface.outputs.CopyFrom(_variables(outputs))
        nodes = list(self.nodes.values())
        if self.failure_node is not None:
            template.failure_node.CopyFrom(self.failure_node.to_proto())
            nodes.append(self.failure_node)
        parts = distinct(part for node in nodes for part in node.parts)
        return WorkflowSpec(template=template, sub_workflows=parts)

    def _check_cycles(self) -> None:
        try:
            TopologicalSorter({node.id: node.upstream for node in self.nodes.values()}).prepare()
        except CycleError as fault:
            raise BuildError(self.name, f"nodes wait for one another: {' >> '.join(fault.args[1])}") from None


def _variables(types: Mapping[str, LiteralType]) -> VariableMap:
    return VariableMap(
        variables={name: Variable(type=kind, description=name) for name, kind in types.items()}
    )
