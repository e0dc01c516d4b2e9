"""A registered task, workflow or launch plan. What launching does not need is read when it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_flyte_provider.model.identifiers import EntityId, EntityKind
from airflow_flyte_provider.model.options import Notification
from airflow_flyte_provider.model.views.messages import enum_name, length, moment
from airflow_flyte_provider.model.views.schedules import Schedule
from airflow_flyte_provider.model.views.workflows import WorkflowNode, failure_node, workflow_nodes

if TYPE_CHECKING:
    from flyteidl.admin.launch_plan_pb2 import LaunchPlan as LaunchPlanProto
    from flyteidl.admin.launch_plan_pb2 import LaunchPlanSpec
    from flyteidl.admin.task_pb2 import Task as TaskProto
    from flyteidl.admin.workflow_pb2 import Workflow as WorkflowProto
    from flyteidl.core.compiler_pb2 import CompiledWorkflow
    from flyteidl.core.interface_pb2 import ParameterMap, VariableMap
    from flyteidl.core.interface_pb2 import TypedInterface as InterfaceProto
    from flyteidl.core.literals_pb2 import LiteralMap
    from flyteidl.core.tasks_pb2 import TaskTemplate

    from airflow_flyte_provider.model.values.signatures import TypedInterface


@dataclass(frozen=True, slots=True)
class LaunchPlan:
    """One version of a launch plan, after `flyteidl.admin.LaunchPlan`.

    :param id: its project, domain, name and version.
    :param workflow: the workflow that it launches.
    :param expected_inputs: what an execution may or must be given, with the defaults.
    :param fixed_inputs: what the launch plan has settled and an execution may not change.
    :param outputs: the workflow's outputs.
    :param is_active: whether its schedule ran when it was fetched. Of all versions one at most is active.
    :param created_at: when it was registered, in UTC.
    :param spec: all that was registered, a `flyteidl.admin.LaunchPlanSpec`.
    """

    id: EntityId
    workflow: EntityId
    expected_inputs: ParameterMap
    fixed_inputs: LiteralMap
    outputs: VariableMap
    is_active: bool
    created_at: datetime | None
    spec: LaunchPlanSpec = field(repr=False, compare=False)

    @classmethod
    def from_proto(cls, proto: LaunchPlanProto) -> LaunchPlan:
        """Return the view of what GetLaunchPlan or ListLaunchPlans answered."""
        return cls(
            id=EntityId.from_proto(EntityKind.LAUNCH_PLAN, proto.id),
            workflow=EntityId.from_proto(EntityKind.WORKFLOW, proto.spec.workflow_id),
            expected_inputs=proto.closure.expected_inputs,
            fixed_inputs=proto.spec.fixed_inputs,
            outputs=proto.closure.expected_outputs,
            is_active=enum_name(proto.closure, "state") == "ACTIVE",
            created_at=moment(proto.closure, "created_at"),
            spec=proto.spec,
        )

    @property
    def signature(self) -> TypedInterface:
        """Its interface, which prints itself as a Python signature."""
        return _interface(self.expected_inputs, self.outputs, frozenset(self.fixed_inputs.literals))

    @property
    def schedule(self) -> Schedule | None:
        """When it runs of itself, None without a schedule."""
        return Schedule.from_proto(self.spec.entity_metadata.schedule)

    @property
    def notifications(self) -> tuple[Notification, ...]:
        """Who is told of its executions; `ExecutionOptions` takes them, with others beside them."""
        return tuple(map(Notification.from_proto, self.spec.entity_metadata.notifications))

    @property
    def labels(self) -> dict[str, str]:
        """The labels that its executions get."""
        return dict(self.spec.labels.values)

    @property
    def annotations(self) -> dict[str, str]:
        """The annotations that its executions get."""
        return dict(self.spec.annotations.values)

    @property
    def default_values(self) -> dict[str, Any]:
        """The defaults of its inputs, as Python values by name.

        :raises ValueFaults: for a default that lies in a store.
        """
        from airflow_flyte_provider.model.values.literals import from_literal

        return {
            name: from_literal(parameter.default, parameter.var.type, name)
            for name, parameter in sorted(self.expected_inputs.parameters.items())
            if parameter.HasField("default") and name not in self.fixed_inputs.literals
        }

    @property
    def fixed_values(self) -> dict[str, Any]:
        """The inputs that it has settled, as Python values by name. Flyte tells no types of them.

        :raises ValueFaults: for a value that lies in a store.
        """
        from airflow_flyte_provider.model.values.literals import from_literal

        return {
            name: from_literal(literal, None, name)
            for name, literal in sorted(self.fixed_inputs.literals.items())
        }


@dataclass(frozen=True, slots=True)
class Workflow:
    """One version of a workflow, after `flyteidl.admin.Workflow`.

    :param id: its project, domain, name and version.
    :param interface: its inputs and outputs.
    :param created_at: when it was registered, in UTC.
    :param compiled: its nodes and edges, a `flyteidl.core.CompiledWorkflow`. A list tells none of them.
    :param compiled_parts: the sub-workflows, those of its sub-workflows too.
    """

    id: EntityId
    interface: InterfaceProto
    created_at: datetime | None
    compiled: CompiledWorkflow = field(repr=False, compare=False)
    compiled_parts: Sequence[CompiledWorkflow] = field(default=(), repr=False, compare=False)

    @classmethod
    def from_proto(cls, proto: WorkflowProto) -> Workflow:
        """Return the view of what GetWorkflow or ListWorkflows answered."""
        closure = proto.closure.compiled_workflow
        return cls(
            id=EntityId.from_proto(EntityKind.WORKFLOW, proto.id),
            interface=closure.primary.template.interface,
            created_at=moment(proto.closure, "created_at"),
            compiled=closure.primary,
            compiled_parts=closure.sub_workflows,
        )

    @property
    def signature(self) -> TypedInterface:
        """Its interface, which prints itself as a Python signature."""
        return _interface(self.interface.inputs, self.interface.outputs)

    @property
    def nodes(self) -> tuple[WorkflowNode, ...]:
        """Its nodes in the order they were registered; none when it comes from a list."""
        return workflow_nodes(self.compiled)

    @property
    def failure_node(self) -> WorkflowNode | None:
        """The node that runs when it fails, None when it has none."""
        return failure_node(self.compiled)

    @property
    def failure_policy(self) -> str:
        """What a failed node means: `FAIL_IMMEDIATELY`, or `FAIL_AFTER_EXECUTABLE_NODES_COMPLETE`."""
        return enum_name(self.compiled.template.metadata, "on_failure")

    @property
    def sub_workflows(self) -> tuple[Workflow, ...]:
        """The workflows that are part of it, those of its sub-workflows too."""
        return tuple(
            Workflow(
                id=EntityId.from_proto(EntityKind.WORKFLOW, part.template.id),
                interface=part.template.interface,
                created_at=self.created_at,
                compiled=part,
                compiled_parts=self.compiled_parts,
            )
            for part in self.compiled_parts
        )


@dataclass(frozen=True, slots=True)
class Task:
    """One version of a task, after `flyteidl.admin.Task`.

    :param id: its project, domain, name and version.
    :param interface: its inputs and outputs.
    :param type: what kind of task it is, such as `python-task`.
    :param created_at: when it was registered, in UTC.
    :param template: all that was registered, a `flyteidl.core.TaskTemplate`.
    """

    id: EntityId
    interface: InterfaceProto
    type: str
    created_at: datetime | None
    template: TaskTemplate = field(repr=False, compare=False)

    @classmethod
    def from_proto(cls, proto: TaskProto) -> Task:
        """Return the view of what GetTask or ListTasks answered."""
        template = proto.closure.compiled_task.template
        return cls(
            id=EntityId.from_proto(EntityKind.TASK, proto.id),
            interface=template.interface,
            type=template.type,
            created_at=moment(proto.closure, "created_at"),
            template=template,
        )

    @property
    def signature(self) -> TypedInterface:
        """Its interface, which prints itself as a Python signature."""
        return _interface(self.interface.inputs, self.interface.outputs)

    @property
    def image(self) -> str:
        """The image that it runs in, empty for a task without a container."""
        return str(self.template.container.image)

    @property
    def retries(self) -> int:
        """How many further attempts it gets when its own code fails."""
        return int(self.template.metadata.retries.retries)

    @property
    def timeout(self) -> timedelta | None:
        """How long an attempt may take, None for no limit."""
        return length(self.template.metadata, "timeout") or None

    @property
    def cache_version(self) -> str:
        """The version its outputs are cached under, empty when they are not cached."""
        metadata = self.template.metadata
        return str(metadata.discovery_version) if metadata.discoverable else ""


def _interface(
    inputs: ParameterMap | VariableMap, outputs: VariableMap, fixed: frozenset[str] = frozenset()
) -> TypedInterface:
    # Here and not above: an operator's module names these classes, and must not load protobuf.
    from airflow_flyte_provider.model.values.signatures import TypedInterface

    return TypedInterface(inputs, outputs, fixed)
