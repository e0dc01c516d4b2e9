"""Verbs about what is registered: launch plans, workflows, tasks."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from flyteidl.admin import common_pb2, launch_plan_pb2, version_pb2
from flyteidl.core import interface_pb2

from airflow_flyte_provider.admin.client import Call, Verb
from airflow_flyte_provider.exceptions import FlyteAlreadyExistsError, FlyteError, FlyteNotFoundError
from airflow_flyte_provider.model.identifiers import EntityId, EntityKind
from airflow_flyte_provider.model.references import to_identifier
from airflow_flyte_provider.model.suggestions import nearest
from airflow_flyte_provider.model.views.entities import LaunchPlan, Task, Workflow

#: How many names are looked through to find those nearest to one that is not registered.
_NAMES_LOOKED_AT = 1000


@dataclass(frozen=True, slots=True)
class Methods:
    """How one kind of entity is asked for.

    :param get: the method for one version.
    :param list_versions: the method for several.
    :param list_names: the method for the names alone.
    :param versions_in: the field of the list's answer with the versions.
    :param view: makes a view of one.
    """

    get: str
    list_versions: str
    list_names: str
    versions_in: str
    view: Callable[[Any], Any]


#: How each kind of entity is asked for.
METHODS = {
    EntityKind.LAUNCH_PLAN: Methods(
        "GetLaunchPlan", "ListLaunchPlans", "ListLaunchPlanIds", "launch_plans", LaunchPlan.from_proto
    ),
    EntityKind.WORKFLOW: Methods(
        "GetWorkflow", "ListWorkflows", "ListWorkflowIds", "workflows", Workflow.from_proto
    ),
    EntityKind.TASK: Methods("GetTask", "ListTasks", "ListTaskIds", "tasks", Task.from_proto),
}


def get_entity(wanted: EntityId) -> Verb[Any]:
    """Fetch a launch plan, workflow or task: the latest registered when `wanted` has no version.

    :returns: a `LaunchPlan`, `Workflow` or `Task`, by the kind of `wanted`.
    :raises FlyteNotFoundError: naming the versions there are, or the names nearest to the one given.
    """
    methods = METHODS[wanted.kind]
    if wanted.version:
        request = common_pb2.ObjectGetRequest(id=to_identifier(wanted))
        with suppress(FlyteNotFoundError):
            return methods.view((yield Call(methods.get, request, f"fetching {wanted}")))
    elif found := (yield from _newest(wanted, limit=1)):
        return methods.view(found[0])
    raise FlyteNotFoundError(f"No {wanted} is registered. {(yield from _what_there_is(wanted))}")


def get_default_launch_plan(workflow: Workflow) -> Verb[LaunchPlan]:
    """Fetch the launch plan of a workflow's own name and version, registering it where there is none.

    FlyteAdmin executes launch plans and tasks, not workflows; flytekit registers this one with every workflow.
    """
    wanted = replace(workflow.id, kind=EntityKind.LAUNCH_PLAN)
    request = common_pb2.ObjectGetRequest(id=to_identifier(wanted))
    fetch = Call("GetLaunchPlan", request, f"fetching the default {wanted}")
    try:
        reply = yield fetch
    except FlyteNotFoundError:
        yield from _create_default_launch_plan(workflow, wanted)
        reply = yield fetch
    return LaunchPlan.from_proto(reply)


def _create_default_launch_plan(workflow: Workflow, wanted: EntityId) -> Verb[None]:
    """Register a launch plan that takes all inputs of `workflow` and fixes none."""
    plan = launch_plan_pb2.LaunchPlanCreateRequest(
        id=to_identifier(wanted),
        spec=launch_plan_pb2.LaunchPlanSpec(
            workflow_id=to_identifier(workflow.id),
            default_inputs=interface_pb2.ParameterMap(
                parameters={
                    name: interface_pb2.Parameter(var=variable, required=True)
                    for name, variable in workflow.interface.inputs.variables.items()
                }
            ),
        ),
    )
    with suppress(FlyteAlreadyExistsError):  # another worker was quicker
        yield Call("CreateLaunchPlan", plan, f"registering the default launch plan of {workflow.id}")


def get_version() -> Verb[str]:
    """Ask for FlyteAdmin's version; the empty text or "unknown" from a server that was built without one."""
    reply = yield Call("GetVersion", version_pb2.GetVersionRequest(), "asking for the version of Flyte")
    return str(reply.control_plane_version.Version)


def _newest(wanted: EntityId, limit: int) -> Verb[Any]:
    """List the versions of one name, the newest first."""
    methods = METHODS[wanted.kind]
    request = common_pb2.ResourceListRequest(
        id=common_pb2.NamedEntityIdentifier(project=wanted.project, domain=wanted.domain, name=wanted.name),
        limit=limit,
        sort_by=common_pb2.Sort(key="created_at", direction=common_pb2.Sort.DESCENDING),
    )
    reply = yield Call(methods.list_versions, request, f"looking for the versions of {wanted}")
    return getattr(reply, methods.versions_in)


def _what_there_is(wanted: EntityId) -> Verb[str]:
    """Return a sentence on what is registered instead of `wanted`. Never raises: it decorates an error."""
    try:
        if wanted.version and (found := (yield from _newest(wanted, limit=5))):
            return f"Its newest versions are: {', '.join(entity.id.version for entity in found)}."
        request = common_pb2.NamedEntityIdentifierListRequest(
            project=wanted.project, domain=wanted.domain, limit=_NAMES_LOOKED_AT
        )
        reply = yield Call(METHODS[wanted.kind].list_names, request, f"listing the {wanted.kind.label}s")
    except FlyteError:
        return "What is registered instead could not be asked."
    names = [entity.name for entity in reply.entities]
    if not names:
        return (
            f"{wanted.project}/{wanted.domain} has no {wanted.kind.label} at all: check project and domain."
        )
    close = nearest(wanted.name, names)
    return (
        f"The nearest names are: {', '.join(close)}." if close else f"Registered are: {', '.join(names[:5])}."
    )
