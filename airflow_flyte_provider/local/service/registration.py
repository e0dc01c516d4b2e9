"""Registering tasks, workflows and launch plans."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from flyteidl.admin import launch_plan_pb2, task_pb2, workflow_pb2
from flyteidl.core import compiler_pb2, identifier_pb2, tasks_pb2
from flyteidl.core import workflow_pb2 as core_workflow
from google.protobuf.message import Message

from airflow_flyte_provider.local import clock
from airflow_flyte_provider.local.compiler.compile import compile_workflow, requirements
from airflow_flyte_provider.local.compiler.errors import CompileFailure
from airflow_flyte_provider.local.compiler.interfaces import Registry
from airflow_flyte_provider.local.compiler.support import require_runnable_task, require_runnable_workflow
from airflow_flyte_provider.local.refusal import Refusal, already_exists, invalid, missing
from airflow_flyte_provider.local.service import checks
from airflow_flyte_provider.local.service.plans import expected_inputs
from airflow_flyte_provider.local.store.entities import EntityStore
from airflow_flyte_provider.local.store.projects import ProjectStore
from airflow_flyte_provider.local.wording import differences, go_json, go_text

_GENERATED = ".flytegen."
_MAX_NODE_ID = 63
_SYSTEM_GENERATED = 2  # NamedEntityState.SYSTEM_GENERATED


class Registration:
    """Registers entities.

    :param projects: the projects.
    :param entities: where entities are stored.
    :param expect: told of each new task, for whoever runs it to get ready.
    """

    def __init__(
        self,
        projects: ProjectStore,
        entities: EntityStore,
        expect: Callable[[tasks_pb2.TaskTemplate], None],
    ) -> None:
        self._projects = projects
        self._entities = entities
        self._expect = expect

    def create_task(self, request: task_pb2.TaskCreateRequest) -> None:
        """Register a version of a task.

        :raises Refusal: when it is incomplete, there already, or can't run here.
        """
        identifier = self._check(request, identifier_pb2.TASK)
        if not request.HasField("spec") or not request.spec.HasField("template"):
            raise missing("spec")
        template = tasks_pb2.TaskTemplate()
        template.CopyFrom(request.spec.template)
        _check_template(template)
        template.id.CopyFrom(identifier)
        compiled = compiler_pb2.CompiledTask(template=template)
        digest = _digest(compiled)
        self._refuse_second(identifier, digest, "task", lambda stored: stored.closure.compiled_task, compiled)
        require_runnable_task(template)
        task = task_pb2.Task(id=identifier, closure=task_pb2.TaskClosure(compiled_task=compiled))
        task.closure.created_at.CopyFrom(clock.now())
        self._entities.add(task, digest, _description(request.spec), type=template.type)
        self._expect(template)

    def create_workflow(self, request: workflow_pb2.WorkflowCreateRequest) -> None:
        """Compile and register a version of a workflow.

        :raises Refusal: when it can't be compiled, is there already, or can't run here.
        """
        identifier = self._check(request, identifier_pb2.WORKFLOW)
        if not request.HasField("spec") or not request.spec.HasField("template"):
            raise missing("spec")
        template = core_workflow.WorkflowTemplate()
        template.CopyFrom(request.spec.template)
        template.id.CopyFrom(identifier)
        for one in [template, *request.spec.sub_workflows]:
            require_runnable_workflow(one)
        try:
            closure = self._compile(template, list(request.spec.sub_workflows))
        except (CompileFailure, Refusal) as fault:
            text = fault.details if isinstance(fault, Refusal) else str(fault)
            raise invalid(
                f"failed to compile workflow for [{go_text(identifier)}] with err: {text}"
            ) from None
        digest = _digest(closure)
        self._refuse_second(identifier, digest, "workflow", _stored_interface, closure)
        workflow = workflow_pb2.Workflow(id=identifier)
        workflow.closure.compiled_workflow.CopyFrom(closure)
        workflow.closure.created_at.CopyFrom(clock.now())
        self._entities.add(workflow, digest, _description(request.spec))

    def create_launch_plan(self, request: launch_plan_pb2.LaunchPlanCreateRequest) -> None:
        """Register a version of a launch plan.

        :raises Refusal: when it does not fit its workflow or is there already.
        """
        identifier = self._check(request, identifier_pb2.LAUNCH_PLAN)
        if not request.HasField("spec"):
            raise missing("spec")
        spec = launch_plan_pb2.LaunchPlanSpec()
        spec.CopyFrom(request.spec)
        workflow_row = self._entities.require(spec.workflow_id)
        workflow = self._entities.parse(identifier_pb2.WORKFLOW, workflow_row)
        interface = workflow.closure.compiled_workflow.primary.template.interface
        checks.require(spec.workflow_id, "project", "domain", "name", "version")
        checks.check_labels(spec.labels.values)
        checks.check_literals(spec.fixed_inputs, "fixed_inputs")
        spec.default_inputs.CopyFrom(expected_inputs(spec, interface.inputs))
        checks.check_notifications(spec.entity_metadata.notifications)
        digest = _digest(spec)
        self._refuse_second(identifier, digest, "launch plan", lambda stored: stored.spec, spec)
        self._add_launch_plan(identifier, spec, interface.outputs, workflow_row.id, digest)

    def workflow_of_task(self, task_id: identifier_pb2.Identifier) -> identifier_pb2.Identifier:
        """Return the id of the workflow that a task launched alone becomes."""
        identifier = identifier_pb2.Identifier()
        identifier.CopyFrom(task_id)
        identifier.resource_type = identifier_pb2.WORKFLOW
        identifier.name = _GENERATED + task_id.name
        return identifier

    def launch_plan_of_task(self, task_id: identifier_pb2.Identifier) -> launch_plan_pb2.LaunchPlan:
        """Return the launch plan of a task launched alone; it and its workflow are made when first needed.

        :raises Refusal: NOT_FOUND when the task isn't registered.
        """
        template = self._entities.get(task_id).closure.compiled_task.template
        workflow_id = self.workflow_of_task(task_id)
        if self._entities.row(workflow_id) is None:
            spec = workflow_pb2.WorkflowSpec(template=_single_task_workflow(workflow_id, template))
            self.create_workflow(workflow_pb2.WorkflowCreateRequest(id=workflow_id, spec=spec))
            self._mark_generated(workflow_id)
        plan_id = identifier_pb2.Identifier()
        plan_id.CopyFrom(workflow_id)
        plan_id.resource_type = identifier_pb2.LAUNCH_PLAN
        if self._entities.row(plan_id) is None:
            self._add_generated_plan(plan_id, task_id, workflow_id)
        return self._entities.get(plan_id)

    def _add_generated_plan(
        self,
        plan_id: identifier_pb2.Identifier,
        task_id: identifier_pb2.Identifier,
        workflow_id: identifier_pb2.Identifier,
    ) -> None:
        workflow_row = self._entities.require(workflow_id)
        workflow = self._entities.parse(identifier_pb2.WORKFLOW, workflow_row)
        interface = workflow.closure.compiled_workflow.primary.template.interface
        spec = launch_plan_pb2.LaunchPlanSpec()
        # FlyteAdmin names the task here, not the workflow it made of it
        spec.workflow_id.CopyFrom(task_id)
        spec.workflow_id.resource_type = identifier_pb2.WORKFLOW
        for field in ("entity_metadata", "fixed_inputs", "labels", "annotations"):
            getattr(spec, field).SetInParent()
        spec.default_inputs.CopyFrom(expected_inputs(spec, interface.inputs))
        self._add_launch_plan(plan_id, spec, interface.outputs, workflow_row.id, _digest(spec))
        self._mark_generated(plan_id)

    def _check(self, request: Any, resource_type: int) -> identifier_pb2.Identifier:
        identifier = checks.check_id(request, resource_type)
        checks.check_version(identifier.version)
        self._projects.require(identifier.project, identifier.domain)
        return identifier

    def _compile(
        self,
        template: core_workflow.WorkflowTemplate,
        sub_workflows: list[core_workflow.WorkflowTemplate],
    ) -> compiler_pb2.CompiledWorkflowClosure:
        task_ids, plan_ids = requirements(template, sub_workflows)
        tasks = [self._entities.get(task_id).closure.compiled_task for task_id in task_ids]
        plans = [self._entities.get(plan_id) for plan_id in plan_ids]
        registry = Registry.of((task.template for task in tasks), plans, sub_workflows)
        return compile_workflow(template, registry, tasks)

    def _refuse_second(
        self, identifier: identifier_pb2.Identifier, digest: bytes, kind: str, part: Any, new: Message
    ) -> None:
        """Refuse to register a version twice, told apart by whether the structure is the same."""
        row = self._entities.row(identifier)
        if row is None:
            return
        if row.digest == digest:
            raise already_exists(f"{kind} with identical structure already exists")
        stored = part(self._entities.parse(identifier.resource_type, row))
        changes = "\n".join(differences(go_json(stored), go_json(new)))
        raise invalid(
            f"{identifier.name} {kind} with different structure already exists. "
            f"(Please register a new version of the {kind}):\n{changes}"
        )

    def _add_launch_plan(
        self, identifier: identifier_pb2.Identifier, spec: Any, outputs: Any, workflow_id: int, digest: bytes
    ) -> None:
        plan = launch_plan_pb2.LaunchPlan(id=identifier, spec=spec)
        plan.closure.expected_inputs.CopyFrom(spec.default_inputs)
        plan.closure.expected_outputs.CopyFrom(outputs)
        plan.closure.created_at.CopyFrom(clock.now())
        plan.closure.updated_at.CopyFrom(plan.closure.created_at)
        schedule = spec.entity_metadata.schedule.WhichOneof("ScheduleExpression")
        schedule_type = {None: "NONE", "rate": "RATE"}.get(schedule, "CRON")
        self._entities.add(plan, digest, workflow_id=workflow_id, schedule_type=schedule_type)

    def _mark_generated(self, identifier: identifier_pb2.Identifier) -> None:
        name = {field: getattr(identifier, field) for field in ("project", "domain", "name")}
        self._entities.describe(identifier.resource_type, name, "", _SYSTEM_GENERATED)


def _description(spec: Any) -> Any:
    """Return what the spec of a task or workflow says about it, None when it says nothing."""
    return spec.description if spec.HasField("description") else None


def _check_template(template: tasks_pb2.TaskTemplate) -> None:
    checks.require(template, "type")
    if not template.HasField("metadata"):
        raise missing("metadata")
    if template.metadata.HasField("runtime") and not template.metadata.runtime.version:
        raise missing("runtime version")
    if not template.HasField("interface"):
        raise missing("typed interface")
    if template.WhichOneof("target") == "container" and not template.container.image:
        raise missing("image")


def _single_task_workflow(
    identifier: identifier_pb2.Identifier, task: tasks_pb2.TaskTemplate
) -> core_workflow.WorkflowTemplate:
    """Return the workflow of one node that a task launched alone becomes."""
    shown = "".join(char for char in task.id.name[-_MAX_NODE_ID:] if char == "-" or char.isalnum())
    template = core_workflow.WorkflowTemplate(id=identifier, interface=task.interface)
    node = template.nodes.add(id=shown)
    node.metadata.name = shown
    node.metadata.retries.CopyFrom(task.metadata.retries)
    node.task_node.reference_id.CopyFrom(task.id)
    for name in sorted(task.interface.inputs.variables):
        node.inputs.add(var=name).binding.promise.var = name
    for name in sorted(task.interface.outputs.variables):
        promise = template.outputs.add(var=name).binding.promise
        promise.node_id, promise.var = shown, name
    return template


def _stored_interface(workflow: workflow_pb2.Workflow) -> compiler_pb2.CompiledWorkflowClosure:
    """Return the part of a stored workflow that FlyteAdmin keeps at hand, and so compares with."""
    interface = workflow.closure.compiled_workflow.primary.template.interface
    stored = compiler_pb2.CompiledWorkflowClosure()
    stored.primary.template.interface.CopyFrom(interface)
    return stored


def _digest(message: Message) -> bytes:
    return hashlib.sha256(message.SerializeToString(deterministic=True)).digest()
