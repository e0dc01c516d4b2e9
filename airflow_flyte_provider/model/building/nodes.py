"""Nodes of a workflow that is being built, after `flyteidl.core.Node`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias, TypeVar

from flyteidl.core.literals_pb2 import Binding
from flyteidl.core.types_pb2 import LiteralType
from flyteidl.core.workflow_pb2 import Node as NodeProto
from flyteidl.core.workflow_pb2 import NodeMetadata, WorkflowTemplate

from airflow_flyte_provider.model.building.bindings import sources, to_binding
from airflow_flyte_provider.model.building.errors import BuildError
from airflow_flyte_provider.model.building.parts import parts_of
from airflow_flyte_provider.model.building.promises import Outputs, Promise, Scope
from airflow_flyte_provider.model.references import to_identifier
from airflow_flyte_provider.model.values.inputs import InputFaults, check_inputs
from airflow_flyte_provider.model.views.entities import LaunchPlan, Task, Workflow

Entity: TypeAlias = LaunchPlan | Workflow | Task
_After = TypeVar("_After", "Node", "Sequence[Node]")


class Node:
    """A node of a workflow. `a >> b` lets `b` wait for `a` without taking a value from it; so does `a >> [b, c]`.

    Made by the `add_...` methods of `ImperativeWorkflow`, not directly.

    :param scope: the workflow it belongs to.
    :param message: the node, all but the nodes that it waits for.
    :param outputs: the types of what it gives.
    :param upstream: ids of the nodes that it takes values from.
    :param parts: the workflows that are part of it.
    :param inside: ids of the nodes that nodes inside of it take values from: those wait, not the whole.
    """

    def __init__(
        self,
        scope: Scope,
        message: NodeProto,
        outputs: Mapping[str, LiteralType],
        upstream: Iterable[str] = (),
        parts: Iterable[WorkflowTemplate] = (),
        inside: Iterable[str] = (),
    ) -> None:
        self._scope = scope
        self._message = message
        self._upstream = set(upstream)
        self._inside = frozenset(inside)
        self.parts = tuple(parts)
        promises = (Promise(scope, kind, var, message.id) for var, kind in sorted(outputs.items()))
        self._outputs = Outputs(scope, message.id, promises)

    @property
    def id(self) -> str:
        """Its id in the workflow, such as `n0`."""
        return str(self._message.id)

    @property
    def name(self) -> str:
        """What it is called in the console."""
        return str(self._message.metadata.name)

    @property
    def signal(self) -> str:
        """The signal that it waits for, empty for a node that waits for none."""
        gate = self._message.gate_node
        return str(gate.approve.signal_id or gate.signal.signal_id)

    @property
    def outputs(self) -> Outputs:
        """What it gives, as promises by name."""
        return self._outputs

    @property
    def upstream(self) -> frozenset[str]:
        """The ids of the nodes that it waits for, before it starts or while it runs."""
        return self._inside | self._upstream

    def __rshift__(self, after: _After) -> _After:
        for node in [after] if isinstance(after, Node) else after:
            node.wait_for(self)
        return after

    def __rrshift__(self, before: Sequence[Node]) -> Node:
        for node in before:
            self.wait_for(node)
        return self

    def wait_for(self, before: Node) -> None:
        """Run after another node, without taking a value from it; what `before >> self` does.

        :raises BuildError: when the other is no node of the same workflow.
        """
        if before._scope is not self._scope:
            problem = f"it cannot wait for node {before.id} of workflow {before._scope.workflow}"
            raise BuildError(self._scope.workflow, problem, self.id)
        self._upstream.add(before.id)

    def to_proto(self) -> NodeProto:
        """Return it as a `flyteidl.core.Node`."""
        message = NodeProto()
        message.CopyFrom(self._message)
        message.upstream_node_ids.extend(sorted(self._upstream))
        return message

    def __repr__(self) -> str:
        return f"<node {self.id} {self.name!r} of workflow {self._scope.workflow}>"


@dataclass(frozen=True, slots=True)
class NodeOptions:
    """How a node is run, after `flyteidl.core.NodeMetadata`. What is None is as the task has it.

    :param name: what the console calls it.
    :param timeout: how long it may take.
    :param retries: how many further attempts it gets when its own code fails.
    :param interruptible: whether it may run on machines that can be taken away.
    :param cacheable: whether its outputs are cached.
    :param cache_version: the version that they are cached under.
    :param cache_serializable: whether of equal nodes that run at one time only one does the work.
    """

    name: str | None = None
    timeout: timedelta | None = None
    retries: int | None = None
    interruptible: bool | None = None
    cacheable: bool | None = None
    cache_version: str | None = None
    cache_serializable: bool | None = None

    def to_proto(self, default_name: str) -> NodeMetadata:
        """Return them as a `flyteidl.core.NodeMetadata`.

        :raises ValueError: for a timeout that is not positive, and for a negative number of retries.
        """
        if self.timeout is not None and self.timeout <= timedelta():
            raise ValueError(f"timeout: expected a positive duration, got {self.timeout}")
        if (self.retries or 0) < 0:
            raise ValueError(f"retries: expected none or more, got {self.retries}")
        metadata = NodeMetadata(
            name=self.name or default_name,
            interruptible=self.interruptible,
            cacheable=self.cacheable,
            cache_version=self.cache_version,
            cache_serializable=self.cache_serializable,
        )
        metadata.retries.retries = self.retries or 0  # 0 leaves it to the task
        if self.timeout is not None:
            metadata.timeout.FromTimedelta(self.timeout)
        return metadata


def entity_node(
    scope: Scope, node_id: str, entity: Entity, options: NodeOptions, values: Mapping[str, object]
) -> Node:
    """Return the node that runs a task, workflow or launch plan.

    :param values: promises and constants by input name. Inputs that a launch plan has a default for, and those that
        may be None, can be left out.
    :raises BuildError: naming every input that is unknown, missing, fixed or of the wrong type.
    """
    if not isinstance(entity, Entity):
        problem = f"a node runs a LaunchPlan, Workflow or Task as the hook fetches it, not {entity!r}"
        raise BuildError(scope.workflow, problem, node_id)
    upstream = sources(scope, values, node_id)
    signature = entity.signature
    try:
        bound = check_inputs(signature, values, to_binding, may_omit_optional=True)
        metadata = options.to_proto(entity.id.name.rpartition(".")[2])
    except InputFaults as faults:
        raise BuildError(scope.workflow, f"{entity.id} has {faults}", node_id) from None
    except ValueError as fault:
        raise BuildError(scope.workflow, str(fault), node_id) from None
    inputs = [Binding(var=var, binding=bound[var]) for var in sorted(bound)]
    message = NodeProto(id=node_id, metadata=metadata, inputs=inputs)
    if isinstance(entity, Task):
        message.task_node.reference_id.CopyFrom(to_identifier(entity.id))
    elif isinstance(entity, LaunchPlan):
        message.workflow_node.launchplan_ref.CopyFrom(to_identifier(entity.id))
    else:
        message.workflow_node.sub_workflow_ref.CopyFrom(to_identifier(entity.id))
    parts = parts_of(scope, node_id, entity) if isinstance(entity, Workflow) else ()
    assert signature.outputs is not None  # noqa: S101 - an entity always tells them
    outputs = {var: variable.type for var, variable in signature.outputs.variables.items()}
    return Node(scope, message, outputs, upstream, parts)
