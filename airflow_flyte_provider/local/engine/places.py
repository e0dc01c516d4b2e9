"""Where a node sits: its id among all nodes of an execution, and the folder of its inputs and outputs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flyteidl.core import identifier_pb2


@dataclass(frozen=True)
class Scope:
    """A workflow that is being walked: the execution's own, or one inside a node.

    :param execution_id: the execution.
    :param folder: the folder its nodes get theirs in.
    :param prefix: what the ids of its nodes begin with, `n0-0-` inside the first attempt of node n0.
    :param retry_group: the attempt of the node it is inside, empty for the execution's own workflow.
    """

    execution_id: identifier_pb2.WorkflowExecutionIdentifier
    folder: Path
    prefix: str = ""
    retry_group: str = ""

    @property
    def is_root(self) -> bool:
        """Whether it is the execution's own workflow."""
        return not self.retry_group

    def place(self, spec_id: str) -> Place:
        """Return where the node with this id in its workflow sits."""
        folder = self.folder / spec_id
        return Place(self, spec_id, folder / "data" if self.is_root else folder)


@dataclass(frozen=True)
class Place:
    """Where one node sits.

    :param scope: the workflow it is a part of.
    :param spec_id: its id in that workflow.
    :param folder: the folder of its inputs and outputs.
    """

    scope: Scope
    spec_id: str
    folder: Path

    @property
    def node_id(self) -> str:
        """Its id among all nodes of the execution."""
        return self.scope.prefix + self.spec_id

    @property
    def identifier(self) -> identifier_pb2.NodeExecutionIdentifier:
        """The identifier of its node execution."""
        return identifier_pb2.NodeExecutionIdentifier(
            node_id=self.node_id, execution_id=self.scope.execution_id
        )

    @property
    def inputs_path(self) -> Path:
        """The file of its inputs."""
        return self.folder / "inputs.pb"

    def outputs_path(self, attempt: int = 0) -> Path:
        """Return the file of the outputs of one attempt."""
        return self.folder / str(attempt) / "outputs.pb"

    def error_path(self, attempt: int = 0) -> Path:
        """Return the file of the error of one attempt."""
        return self.folder / str(attempt) / "error.pb"

    def deck_path(self, attempt: int = 0) -> Path:
        """Return the file of the deck of one attempt."""
        return self.folder / str(attempt) / "deck.html"

    def inside(self, attempt: int = 0) -> Scope:
        """Return the scope of a workflow that runs inside this node."""
        return Scope(
            self.scope.execution_id,
            self.folder / str(attempt),
            f"{self.node_id}-{attempt}-",
            str(attempt),
        )

    def element(self, index: int) -> Place:
        """Return where an element of this array node sits; it has no node execution of its own."""
        return Place(self.scope, f"{self.spec_id}-0-n{index}", self.folder / "0" / str(index))

    def generated_name(self, attempt: int) -> str:
        """Return the name of a task attempt: `<execution>-<node>-<attempt>`."""
        return attempt_name(self.identifier, attempt)


def attempt_name(node: identifier_pb2.NodeExecutionIdentifier, attempt: int) -> str:
    """Return the name of an attempt at a node: `<execution>-<node>-<attempt>`."""
    return f"{node.execution_id.name}-{node.node_id}-{attempt}"
