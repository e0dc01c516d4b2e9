"""What a thing in Flyte is called: an entity (task, workflow, launch plan), an execution, a node or a task in it.

They follow `flyteidl.core.Identifier` and `flyteidl.core.WorkflowExecutionIdentifier`, but need neither
protobuf nor flyteidl: a DAG file and a serialised trigger carry them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flyteidl.core.identifier_pb2 import (
        Identifier,
        NodeExecutionIdentifier,
        WorkflowExecutionIdentifier,
    )

from airflow_flyte_provider.model.redaction import printable


class EntityKind(str, Enum):
    """The kinds of entity that can be launched, by their names in `flyteidl.core.ResourceType`."""

    TASK = "TASK"
    WORKFLOW = "WORKFLOW"
    LAUNCH_PLAN = "LAUNCH_PLAN"

    @property
    def label(self) -> str:
        """The kind in words: `"task"`, `"workflow"` or `"launch plan"`."""
        return self.value.lower().replace("_", " ")


@dataclass(frozen=True, slots=True)
class EntityId:
    """One version of a task, workflow or launch plan, after `flyteidl.core.Identifier`.

    :param kind: what it is.
    :param project: the Flyte project's id.
    :param domain: the domain, such as `development`.
    :param name: the entity's name, such as `demo.add_one`.
    :param version: the version; empty when it is not known, or not chosen yet.

    >>> str(EntityId(EntityKind.LAUNCH_PLAN, "flytesnacks", "development", "demo.add_one", "v1"))
    'launch plan flytesnacks/development/demo.add_one version v1'
    """

    kind: EntityKind
    project: str
    domain: str
    name: str
    version: str = ""

    @classmethod
    def from_proto(cls, kind: EntityKind, proto: Identifier) -> EntityId:
        """Return the id in a `flyteidl.core.Identifier`.

        :param kind: what it is the id of: an answer of Flyte does not always set the resource type.
        :param proto: the message.
        """
        return cls(kind, proto.project, proto.domain, proto.name, proto.version)

    def __str__(self) -> str:
        version = f" version {self.version}" if self.version else ""
        return printable(f"{self.kind.label} {self.project}/{self.domain}/{self.name}{version}")

    def to_dict(self) -> dict[str, str]:
        """Return the id as a dict of plain strings, ready for JSON."""
        return {**asdict(self), "kind": self.kind.value}

    @classmethod
    def from_dict(cls, fields: Mapping[str, str]) -> EntityId:
        """Return the id that `to_dict` wrote.

        :param fields: `kind`, `project`, `domain`, `name` and, if known, `version`.
        :raises KeyError: when a field is missing.
        :raises ValueError: when `kind` is none of `EntityKind`.
        """
        return cls(
            kind=EntityKind(fields["kind"]),
            project=fields["project"],
            domain=fields["domain"],
            name=fields["name"],
            version=fields.get("version", ""),
        )


@dataclass(frozen=True, slots=True)
class ExecutionId:
    """One execution, after `flyteidl.core.WorkflowExecutionIdentifier`.

    :param project: the Flyte project's id.
    :param domain: the domain, such as `development`.
    :param name: the execution's name, unique in project and domain.

    >>> str(ExecutionId.parse("flytesnacks/development/a1b2"))
    'flytesnacks/development/a1b2'
    """

    project: str
    domain: str
    name: str

    @classmethod
    def from_proto(cls, proto: WorkflowExecutionIdentifier) -> ExecutionId:
        """Return the id in a `flyteidl.core.WorkflowExecutionIdentifier`."""
        return cls(proto.project, proto.domain, proto.name)

    def __str__(self) -> str:
        return printable(f"{self.project}/{self.domain}/{self.name}")

    @classmethod
    def parse(cls, text: str) -> ExecutionId:
        """Return the id that is written as `project/domain/name`.

        :param text: what `str()` of an id gives.
        :raises ValueError: when the text is not three non-empty parts.
        """
        parts = text.strip().split("/")
        if len(parts) != 3 or not all(parts):
            raise ValueError(f"an execution is written as project/domain/name, not {text!r}")
        return cls(*parts)

    def to_dict(self) -> dict[str, str]:
        """Return the id as a dict of plain strings, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, str]) -> ExecutionId:
        """Return the id that `to_dict` wrote.

        :param fields: `project`, `domain` and `name`.
        :raises KeyError: when a field is missing.
        """
        return cls(project=fields["project"], domain=fields["domain"], name=fields["name"])


@dataclass(frozen=True, slots=True)
class NodeExecutionId:
    """One node of one execution, after `flyteidl.core.NodeExecutionIdentifier`.

    :param execution: the execution.
    :param node_id: the node's id in it, unique at every depth, such as `n0` or `n0-0-n1`.

    >>> str(NodeExecutionId(ExecutionId("flytesnacks", "development", "a1b2"), "n0"))
    'node n0 of flytesnacks/development/a1b2'
    """

    execution: ExecutionId
    node_id: str

    @classmethod
    def from_proto(cls, proto: NodeExecutionIdentifier) -> NodeExecutionId:
        """Return the id in a `flyteidl.core.NodeExecutionIdentifier`."""
        return cls(ExecutionId.from_proto(proto.execution_id), proto.node_id)

    def __str__(self) -> str:
        return printable(f"node {self.node_id} of {self.execution}")


@dataclass(frozen=True, slots=True)
class TaskExecutionId:
    """One attempt of a node at its task, after `flyteidl.core.TaskExecutionIdentifier`.

    :param node: the node.
    :param task: the task that it runs.
    :param attempt: which attempt this is, counted from 0.
    """

    node: NodeExecutionId
    task: EntityId
    attempt: int

    def __str__(self) -> str:
        return f"attempt {self.attempt} of {self.node}"
