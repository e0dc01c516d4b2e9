"""A registered task, workflow or launch plan, as far as launching it needs to know it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airflow_flyte_provider.model.identifiers import EntityId, EntityKind

if TYPE_CHECKING:
    from flyteidl.admin.launch_plan_pb2 import LaunchPlan as LaunchPlanProto
    from flyteidl.admin.task_pb2 import Task as TaskProto
    from flyteidl.admin.workflow_pb2 import Workflow as WorkflowProto
    from flyteidl.core.interface_pb2 import ParameterMap, VariableMap
    from flyteidl.core.interface_pb2 import TypedInterface as InterfaceProto
    from flyteidl.core.literals_pb2 import LiteralMap

    from airflow_flyte_provider.model.signatures import TypedInterface


@dataclass(frozen=True, slots=True)
class LaunchPlan:
    """One version of a launch plan, after `flyteidl.admin.LaunchPlan`.

    :param id: its project, domain, name and version.
    :param workflow: the workflow that it launches.
    :param expected_inputs: what an execution may or must be given, with the defaults.
    :param fixed_inputs: what the launch plan has settled and an execution may not change.
    :param outputs: the workflow's outputs.
    :param labels: labels of its executions.
    """

    id: EntityId
    workflow: EntityId
    expected_inputs: ParameterMap
    fixed_inputs: LiteralMap
    outputs: VariableMap
    labels: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_proto(cls, proto: LaunchPlanProto) -> LaunchPlan:
        """Return the view of what GetLaunchPlan or ListLaunchPlans answered."""
        return cls(
            id=entity_id(EntityKind.LAUNCH_PLAN, proto.id),
            workflow=entity_id(EntityKind.WORKFLOW, proto.spec.workflow_id),
            expected_inputs=proto.closure.expected_inputs,
            fixed_inputs=proto.spec.fixed_inputs,
            outputs=proto.closure.expected_outputs,
            labels=dict(proto.spec.labels.values),
        )

    @property
    def signature(self) -> TypedInterface:
        """Its interface, which prints itself as a Python signature."""
        return _interface(self.expected_inputs, self.outputs, frozenset(self.fixed_inputs.literals))


@dataclass(frozen=True, slots=True)
class Workflow:
    """One version of a workflow, after `flyteidl.admin.Workflow`.

    :param id: its project, domain, name and version.
    :param interface: its inputs and outputs.
    """

    id: EntityId
    interface: InterfaceProto

    @classmethod
    def from_proto(cls, proto: WorkflowProto) -> Workflow:
        """Return the view of what GetWorkflow or ListWorkflows answered."""
        return cls(
            id=entity_id(EntityKind.WORKFLOW, proto.id),
            interface=proto.closure.compiled_workflow.primary.template.interface,
        )

    @property
    def signature(self) -> TypedInterface:
        """Its interface, which prints itself as a Python signature."""
        return _interface(self.interface.inputs, self.interface.outputs)


@dataclass(frozen=True, slots=True)
class Task:
    """One version of a task, after `flyteidl.admin.Task`.

    :param id: its project, domain, name and version.
    :param interface: its inputs and outputs.
    :param type: what kind of task it is, such as `python-task`.
    """

    id: EntityId
    interface: InterfaceProto
    type: str

    @classmethod
    def from_proto(cls, proto: TaskProto) -> Task:
        """Return the view of what GetTask or ListTasks answered."""
        template = proto.closure.compiled_task.template
        return cls(id=entity_id(EntityKind.TASK, proto.id), interface=template.interface, type=template.type)

    @property
    def signature(self) -> TypedInterface:
        """Its interface, which prints itself as a Python signature."""
        return _interface(self.interface.inputs, self.interface.outputs)


def entity_id(kind: EntityKind, proto: object) -> EntityId:
    """Return the id in a `flyteidl.core.Identifier`.

    :param kind: what it is the id of: an answer of Flyte does not always set the resource type.
    :param proto: the message.
    """
    fields = {name: getattr(proto, name) for name in ("project", "domain", "name", "version")}
    return EntityId(kind=kind, **fields)


def _interface(
    inputs: ParameterMap | VariableMap, outputs: VariableMap, fixed: frozenset[str] = frozenset()
) -> TypedInterface:
    # Here and not above: an operator's module names these classes, and must not load protobuf.
    from airflow_flyte_provider.model.signatures import TypedInterface

    return TypedInterface(inputs, outputs, fixed)
