"""AdminService, the part about tasks, workflows, launch plans and their names."""
# ruff: noqa: N802 - the methods are named as the gRPC service names them

from __future__ import annotations

from typing import Any

from flyteidl.admin import common_pb2, description_entity_pb2, launch_plan_pb2, task_pb2, workflow_pb2
from flyteidl.core import identifier_pb2, interface_pb2
from flyteidl.core import workflow_pb2 as core_workflow

from airflow_flyte_provider.local.refusal import Refusal, invalid, missing, not_found
from airflow_flyte_provider.local.service import checks
from airflow_flyte_provider.local.service.registration import Registration
from airflow_flyte_provider.local.store import filters, tables
from airflow_flyte_provider.local.store.database import matching
from airflow_flyte_provider.local.store.entities import ACTIVE, INACTIVE, EntityStore
from airflow_flyte_provider.local.store.listing import page_of
from airflow_flyte_provider.local.wording import go_text

TASK, WORKFLOW, LAUNCH_PLAN = identifier_pb2.TASK, identifier_pb2.WORKFLOW, identifier_pb2.LAUNCH_PLAN
_GENERATED = ".flytegen%"


class EntityCalls:
    """Calls about registered entities.

    :param entities: where they are stored.
    :param registration: registers new ones.
    """

    def __init__(self, entities: EntityStore, registration: Registration) -> None:
        self._entities = entities
        self._registration = registration

    def CreateTask(self, request: Any, context: Any) -> Any:
        """Register a version of a task."""
        self._registration.create_task(request)
        return task_pb2.TaskCreateResponse()

    def CreateWorkflow(self, request: Any, context: Any) -> Any:
        """Compile and register a version of a workflow."""
        self._registration.create_workflow(request)
        return workflow_pb2.WorkflowCreateResponse()

    def CreateLaunchPlan(self, request: Any, context: Any) -> Any:
        """Register a version of a launch plan."""
        self._registration.create_launch_plan(request)
        return launch_plan_pb2.LaunchPlanCreateResponse()

    def GetTask(self, request: Any, context: Any) -> Any:
        """Return a version of a task."""
        return self._entities.get(checks.check_id(request, TASK))

    def GetWorkflow(self, request: Any, context: Any) -> Any:
        """Return a version of a workflow."""
        return self._entities.get(checks.check_id(request, WORKFLOW))

    def GetLaunchPlan(self, request: Any, context: Any) -> Any:
        """Return a version of a launch plan."""
        return self._entities.get(checks.check_id(request, LAUNCH_PLAN))

    def ListTasks(self, request: Any, context: Any) -> Any:
        """Return a page of task versions."""
        found, token = self._list(TASK, request, "ListTasks")
        return task_pb2.TaskList(tasks=found, token=token)

    def ListWorkflows(self, request: Any, context: Any) -> Any:
        """Return a page of workflow versions, with no more of them than their interfaces."""
        found, token = self._list(WORKFLOW, request, "ListWorkflows")
        return workflow_pb2.WorkflowList(workflows=[_outline(workflow) for workflow in found], token=token)

    def ListLaunchPlans(self, request: Any, context: Any) -> Any:
        """Return a page of launch plan versions."""
        found, token = self._list(LAUNCH_PLAN, request, "ListLaunchPlans")
        return launch_plan_pb2.LaunchPlanList(launch_plans=found, token=token)

    def ListTaskIds(self, request: Any, context: Any) -> Any:
        """Return a page of the names of tasks."""
        return self._names(TASK, request, "ListUniqueTaskIdentifiers")

    def ListWorkflowIds(self, request: Any, context: Any) -> Any:
        """Return a page of the names of workflows."""
        return self._names(WORKFLOW, request, "ListWorkflowIdentifiers")

    def ListLaunchPlanIds(self, request: Any, context: Any) -> Any:
        """Return a page of the names of launch plans."""
        return self._names(LAUNCH_PLAN, request, "ListLaunchPlanIds")

    def GetActiveLaunchPlan(self, request: Any, context: Any) -> Any:
        """Return the active version of a launch plan."""
        name = request.id
        checks.require(name, "project", "domain", "name")
        plan = self._entities.active_launch_plan(name.project, name.domain, name.name)
        if plan is None:
            shown = f"{name.project}:{name.domain}:{name.name}"
            refusal = not_found("LAUNCH_PLAN", shown)
            raise Refusal(refusal.code, f"No active launch plan could be found: {shown}")
        return plan

    def ListActiveLaunchPlans(self, request: Any, context: Any) -> Any:
        """Return a page of the active launch plans of a project and domain."""
        checks.require(request, "project", "domain")
        conditions = self._entities.conditions(
            LAUNCH_PLAN, common_pb2.NamedEntityIdentifier(project=request.project, domain=request.domain)
        )
        conditions.append(tables.launch_plans.c.state == ACTIVE)
        page = page_of(request, "ListActiveLaunchPlans", conditions=conditions, unsorted=tables.ENTITY_KEY)
        found, token = self._entities.list(LAUNCH_PLAN, page)
        return launch_plan_pb2.LaunchPlanList(launch_plans=found, token=token)

    def UpdateLaunchPlan(self, request: Any, context: Any) -> Any:
        """Make a version of a launch plan active or inactive."""
        identifier = checks.check_id(request, LAUNCH_PLAN)
        if request.state not in (ACTIVE, INACTIVE):
            raise invalid(
                f"Unrecognized launch plan state {request.state} for update for launch plan [{go_text(identifier)}]"
            )
        self._entities.set_launch_plan_state(identifier, request.state)
        return launch_plan_pb2.LaunchPlanUpdateResponse()

    def GetNamedEntity(self, request: Any, context: Any) -> Any:
        """Return what is said about the name of a task, workflow or launch plan."""
        _check_resource_type(request.resource_type)
        self._check_name(request)
        return self._named(request)

    def UpdateNamedEntity(self, request: Any, context: Any) -> Any:
        """Set what is said about a name."""
        _check_resource_type(request.resource_type)
        self._check_name(request)
        if not request.HasField("metadata"):
            raise missing("metadata")
        if request.metadata.state != common_pb2.NAMED_ENTITY_ACTIVE and request.resource_type == LAUNCH_PLAN:
            raise invalid("Resource [LAUNCH_PLAN] cannot have its state updated")
        self._named(request)
        name = {field: getattr(request.id, field) for field in ("project", "domain", "name")}
        metadata = request.metadata
        self._entities.describe(request.resource_type, name, metadata.description, metadata.state)
        return common_pb2.NamedEntityUpdateResponse()

    def ListNamedEntities(self, request: Any, context: Any) -> Any:
        """Return a page of names with what is said about them; generated ones only when a filter is given."""
        checks.require(request, "project", "domain")
        _check_resource_type(request.resource_type)
        page = page_of(request, "ListNamedEntities")
        filters.order_by(page.sort, filters.NAMED_ENTITY)
        table = _table(request.resource_type)
        conditions = self._entities.conditions(
            request.resource_type,
            common_pb2.NamedEntityIdentifier(project=request.project, domain=request.domain),
        )
        about = filters.parse_filters(page.filters or f"not_like(name,{_GENERATED})", filters.NAMED_ENTITY)
        conditions += [_on_own_name(one, table) for one in about]
        rows, token = self._entities.named(request.resource_type, conditions, page)
        found = [_named_entity(request.resource_type, row) for row in rows]
        return common_pb2.NamedEntityList(entities=found, token=token)

    def GetDescriptionEntity(self, request: Any, context: Any) -> Any:
        """Return what was said about a version of a task or workflow when it was registered."""
        _check_resource_type(request.id.resource_type)
        checks.require(request.id, "project", "domain", "name", "version")
        return self._entities.description(request.id)

    def ListDescriptionEntities(self, request: Any, context: Any) -> Any:
        """Return a page of what was said about versions of this name, tasks and workflows alike."""
        self._check_name(request)
        key = {name: getattr(request.id, name) for name in ("project", "domain", "name")}
        page = page_of(request, "ListWorkflows", conditions=matching(tables.descriptions, key))
        found, token = self._entities.descriptions(page)
        return description_entity_pb2.DescriptionEntityList(descriptionEntities=found, token=token)

    def _list(self, resource_type: int, request: Any, call: str) -> tuple[Any, str]:
        if not request.HasField("id"):
            raise missing("id")
        checks.require(request.id, "project", "domain")
        conditions = self._entities.conditions(resource_type, request.id)
        page = page_of(request, call, conditions=conditions, unsorted=tables.ENTITY_KEY)
        return self._entities.list(resource_type, page)

    def _names(self, resource_type: int, request: Any, call: str) -> Any:
        checks.require(request, "project", "domain")
        page = page_of(request, call)
        found, token = self._entities.names(resource_type, request.project, request.domain, page)
        return common_pb2.NamedEntityIdentifierList(entities=found, token=token)

    def _check_name(self, request: Any) -> None:
        if not request.HasField("id"):
            raise missing("id")
        checks.require(request.id, "project", "domain", "name")

    def _named(self, request: Any) -> common_pb2.NamedEntity:
        conditions = self._entities.conditions(request.resource_type, request.id)
        page = page_of(common_pb2.ResourceListRequest(limit=1), "GetNamedEntity")
        rows, _ = self._entities.named(request.resource_type, conditions, page)
        if not rows:
            raise not_found(identifier_pb2.ResourceType.Name(request.resource_type), go_text(request.id))
        return _named_entity(request.resource_type, rows[0])


def _check_resource_type(resource_type: int) -> None:
    if resource_type not in (TASK, WORKFLOW, LAUNCH_PLAN):
        raise invalid("invalid value for resource_type")


def _table(resource_type: int) -> Any:
    return {TASK: tables.tasks, WORKFLOW: tables.workflows, LAUNCH_PLAN: tables.launch_plans}[resource_type]


def _on_own_name(one: filters.Filter, table: Any) -> Any:
    """Return a condition on a name as one on the table that has all names, not only those spoken about."""
    if one.field != "name":
        return one.condition
    return type(one.condition)(
        table.c.name, one.condition.right, one.condition.operator, negate=one.condition.negate
    )


def _named_entity(resource_type: int, row: Any) -> common_pb2.NamedEntity:
    entity = common_pb2.NamedEntity(resource_type=resource_type)
    entity.id.project, entity.id.domain, entity.id.name = row.project, row.domain, row.name
    entity.metadata.description = row.description or ""
    entity.metadata.state = row.state or 0
    return entity


def _outline(workflow: workflow_pb2.Workflow) -> workflow_pb2.Workflow:
    outline = workflow_pb2.Workflow(id=workflow.id)
    outline.closure.created_at.CopyFrom(workflow.closure.created_at)
    interface = interface_pb2.TypedInterface()
    interface.CopyFrom(workflow.closure.compiled_workflow.primary.template.interface)
    template = core_workflow.WorkflowTemplate(interface=interface)
    outline.closure.compiled_workflow.primary.template.CopyFrom(template)
    return outline
