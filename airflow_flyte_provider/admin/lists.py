"""Verbs that list what there is: executions, versions, names, projects. Each asks for as many pages as it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flyteidl.admin import common_pb2, launch_plan_pb2, project_pb2
from flyteidl.core import identifier_pb2

from airflow_flyte_provider.admin.client import Verb
from airflow_flyte_provider.admin.filters import (
    EXECUTION_FILTERS,
    LABEL_KEY,
    LABEL_VALUE,
    LAUNCH_PLAN_FILTERS,
    NAME_FILTERS,
    TASK_FILTERS,
    WORKFLOW_FILTERS,
    filter_text,
)
from airflow_flyte_provider.admin.paging import list_all
from airflow_flyte_provider.admin.registry import METHODS
from airflow_flyte_provider.exceptions import FlyteInvalidRequestError
from airflow_flyte_provider.model.identifiers import EntityId, EntityKind
from airflow_flyte_provider.model.views.entities import LaunchPlan
from airflow_flyte_provider.model.views.executions import Execution
from airflow_flyte_provider.model.views.projects import NamedEntity, Project

_VERSION_FILTERS = {
    EntityKind.LAUNCH_PLAN: LAUNCH_PLAN_FILTERS,
    EntityKind.WORKFLOW: WORKFLOW_FILTERS,
    EntityKind.TASK: TASK_FILTERS,
}
#: Entities are long, and an answer must stay under the 4 MB that gRPC takes.
_VERSIONS_A_PAGE = 100
_NOT_GENERATED = "not_like(name,.flytegen%)"


def list_executions(
    project: str,
    domain: str,
    filters: Mapping[str, Any],
    *,
    limit: int | None = None,
    sort_by: str = "created_at",
    ascending: bool = False,
) -> Verb[list[Execution]]:
    """List executions.

    :param filters: keywords of `EXECUTION_FILTERS` and `labels`, a dict. Archived executions are left out unless
        `archived` is True, which gives those alone, or `"all"`.
    :param limit: how many at most; None for all.
    :param sort_by: FlyteAdmin's column to order by.
    :param ascending: the smallest first.
    :raises FlyteInvalidRequestError: for a keyword, value or column that cannot be asked for.
    """
    given = dict(filters)
    labels = given.pop("labels", None) or {}
    if not isinstance(labels, Mapping):
        raise FlyteInvalidRequestError(f"The filter labels={labels!r} cannot be used: a dict is expected.")
    everything = given.get("archived") == "all"
    if everything or given.get("archived") is False:
        del given["archived"]
    texts = [filter_text(given, {**EXECUTION_FILTERS, "labels": LABEL_KEY})]
    if everything:
        texts.append("value_in(state,0;1)")
    # FlyteAdmin can look at one label, and the others are looked at here.
    for key, value in list(labels.items())[:1]:
        texts.append(filter_text({"labels": key}, {"labels": LABEL_KEY}))
        texts.append(filter_text({"labels": value}, {"labels": LABEL_VALUE}))
    request = common_pb2.ResourceListRequest(
        id=common_pb2.NamedEntityIdentifier(project=project, domain=domain),
        filters="+".join(filter(None, texts)),
        sort_by=_sort("execution_name" if sort_by == "name" else sort_by, ascending),
    )
    seen: set[str] = set()

    def keep(proto: Any) -> bool:
        # One that begins meanwhile moves the others to the next page, where they would be seen again.
        is_new = proto.id.name not in seen
        seen.add(proto.id.name)
        carried = proto.spec.labels.values
        return is_new and all(carried.get(key) == value for key, value in labels.items())

    asked = f"listing the executions of {project}/{domain}"
    found = yield from list_all("ListExecutions", request, asked, items="executions", limit=limit, keep=keep)
    return [Execution.from_proto(proto) for proto in found]


def list_versions(
    of: EntityId, filters: Mapping[str, Any], *, limit: int | None = None, ascending: bool = False
) -> Verb[list[Any]]:
    """List the versions of a launch plan, workflow or task, the newest first.

    :param of: its kind, project, domain and name; an empty name lists those of all names.
    :param filters: keywords of `LAUNCH_PLAN_FILTERS`, `WORKFLOW_FILTERS` or `TASK_FILTERS`.
    :param limit: how many at most; None for all.
    :param ascending: the oldest first.
    :returns: `LaunchPlan`, `Workflow` or `Task` each, by the kind; workflows without their nodes.
    :raises FlyteInvalidRequestError: for a keyword or value that cannot be asked for.
    """
    methods = METHODS[of.kind]
    request = common_pb2.ResourceListRequest(
        id=common_pb2.NamedEntityIdentifier(project=of.project, domain=of.domain, name=of.name),
        filters=filter_text(filters, _VERSION_FILTERS[of.kind]),
        sort_by=_sort("created_at", ascending),
    )
    asked = f"listing the versions of {of}"
    found = yield from list_all(
        methods.list_versions, request, asked, items=methods.versions_in, limit=limit, page=_VERSIONS_A_PAGE
    )
    return [methods.view(proto) for proto in found]


def list_names(
    kind: EntityKind, project: str, domain: str, filters: Mapping[str, Any], *, limit: int | None = None
) -> Verb[list[NamedEntity]]:
    """List the names of launch plans, workflows or tasks by the alphabet, without those that Flyte generates.

    :param filters: keywords of `NAME_FILTERS`.
    :param limit: how many at most; None for all.
    :raises FlyteInvalidRequestError: for a keyword or value that cannot be asked for.
    """
    texts = (_NOT_GENERATED, filter_text(filters, NAME_FILTERS))
    request = common_pb2.NamedEntityListRequest(
        resource_type=identifier_pb2.ResourceType.Value(kind.value),
        project=project,
        domain=domain,
        filters="+".join(filter(None, texts)),
        sort_by=_sort("name", ascending=True),
    )
    asked = f"listing the {kind.label}s of {project}/{domain}"
    found = yield from list_all("ListNamedEntities", request, asked, items="entities", limit=limit)
    return [NamedEntity.from_proto(kind, proto) for proto in found]


def list_active_launch_plans(
    project: str, domain: str, *, limit: int | None = None
) -> Verb[list[LaunchPlan]]:
    """List the active launch plans of a project and domain, by name: those whose schedules run.

    :param limit: how many at most; None for all.
    """
    request = launch_plan_pb2.ActiveLaunchPlanListRequest(
        project=project, domain=domain, sort_by=_sort("name", ascending=True)
    )
    asked = f"listing the active launch plans of {project}/{domain}"
    found = yield from list_all(
        "ListActiveLaunchPlans", request, asked, items="launch_plans", limit=limit, page=_VERSIONS_A_PAGE
    )
    return [LaunchPlan.from_proto(proto) for proto in found]


def list_projects(*, limit: int | None = None) -> Verb[list[Project]]:
    """List the active projects with their domains, by id.

    :param limit: how many at most; None for all.
    """
    request = project_pb2.ProjectListRequest()
    found = yield from list_all(
        "ListProjects", request, "listing the projects", items="projects", limit=limit
    )
    return [Project.from_proto(proto) for proto in found]


def _sort(key: str, ascending: bool) -> common_pb2.Sort:
    return common_pb2.Sort(
        key=key, direction=common_pb2.Sort.ASCENDING if ascending else common_pb2.Sort.DESCENDING
    )
