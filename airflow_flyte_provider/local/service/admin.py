"""AdminService: the parts put together, with projects, domains and the version."""
# ruff: noqa: N802 - the methods are named as the gRPC service names them

from __future__ import annotations

import time
from typing import Any

from flyteidl.admin import project_pb2, version_pb2
from flyteidl.service import admin_pb2_grpc

from airflow_flyte_provider import __version__
from airflow_flyte_provider.local.refusal import missing
from airflow_flyte_provider.local.service import checks
from airflow_flyte_provider.local.service.entities import EntityCalls
from airflow_flyte_provider.local.service.executions import ExecutionCalls
from airflow_flyte_provider.local.store.listing import Page
from airflow_flyte_provider.local.store.projects import ProjectStore, domains

_MANY = 10_000
_STARTED = time.strftime("%Y-%m-%d %H:%M:%S +0000 UTC", time.gmtime())


class ProjectCalls:
    """Calls about projects.

    :param projects: where they are stored.
    """

    def __init__(self, projects: ProjectStore) -> None:
        self._projects = projects

    def RegisterProject(self, request: Any, context: Any) -> Any:
        """Register a project."""
        if not request.HasField("project"):
            raise missing("project")
        if not request.project.name:
            raise missing("project_name")
        if not request.project.id:
            raise missing("project_id")
        checks.check_labels(request.project.labels.values)
        self._projects.add(request.project)
        return project_pb2.ProjectRegisterResponse()

    def UpdateProject(self, request: Any, context: Any) -> Any:
        """Set a project's name, description, labels and state."""
        self._projects.update(request)
        return project_pb2.ProjectUpdateResponse()

    def GetProject(self, request: Any, context: Any) -> Any:
        """Return a project."""
        if not request.id:
            raise missing("project_id")
        return self._projects.get(request.id)

    def ListProjects(self, request: Any, context: Any) -> Any:
        """Return a page of projects, archived ones only when a filter asks for their state."""
        page = Page(
            limit=request.limit or _MANY,
            token=request.token,
            filters=request.filters,
            sort=request.sort_by if request.HasField("sort_by") else None,
            call="ListProjects",
            unsorted=("identifier",),
            hide_archived=True,
        )
        found, token = self._projects.list(page)
        return project_pb2.Projects(projects=found, token=token if request.limit else "")

    def GetDomains(self, request: Any, context: Any) -> Any:
        """Return the domains every project has."""
        return project_pb2.GetDomainsResponse(domains=domains())


class VersionCalls:
    """The call about the server itself."""

    def GetVersion(self, request: Any, context: Any) -> Any:
        """Return the version of this package, which stands for FlyteAdmin's."""
        version = version_pb2.Version(Build="local", Version=__version__, BuildTime=_STARTED)
        return version_pb2.GetVersionResponse(control_plane_version=version)


class AdminService(admin_pb2_grpc.AdminServiceServicer):
    """FlyteAdmin's service. Calls that are missing here answer UNIMPLEMENTED.

    :param parts: objects whose methods answer the calls.
    """

    def __init__(self, *parts: EntityCalls | ExecutionCalls | ProjectCalls | VersionCalls) -> None:
        for part in parts:
            for name in dir(part):
                if not name.startswith("_") and hasattr(admin_pb2_grpc.AdminServiceServicer, name):
                    setattr(self, name, getattr(part, name))
