"""Projects, and the three domains each of them has."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from flyteidl.admin import project_pb2
from sqlalchemy.engine import Engine

from airflow_flyte_provider.local.refusal import already_exists, invalid, not_found
from airflow_flyte_provider.local.store import filters, tables
from airflow_flyte_provider.local.store.database import find, insert
from airflow_flyte_provider.local.store.listing import Page, list_rows

DOMAINS = ("development", "staging", "production")


def domains() -> list[project_pb2.Domain]:
    """Return the domains every project has."""
    return [project_pb2.Domain(id=name, name=name) for name in DOMAINS]


class ProjectStore:
    """Projects, and small settings of the server itself.

    :param engine: the database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def ensure(self, names: Iterable[str]) -> None:
        """Register the projects of these names that are not there yet."""
        for name in names:
            if self.find(name) is None:
                self.add(project_pb2.Project(id=name, name=name, description=f"{name} description"))

    def add(self, project: project_pb2.Project) -> None:
        """Register a project.

        :raises Refusal: ALREADY_EXISTS when its id is in use.
        """
        if self.find(project.id) is not None:
            raise already_exists(
                "value with matching already exists "
                '(duplicate key value violates unique constraint "projects_pkey")'
            )
        with self._engine.begin() as connection:
            insert(connection, tables.projects, _row(project))

    def find(self, identifier: str) -> project_pb2.Project | None:
        """Return a project, None when it isn't registered."""
        with self._engine.connect() as connection:
            row = find(connection, tables.projects, {"identifier": identifier})
        return None if row is None else _with_domains(row.message)

    def get(self, identifier: str) -> project_pb2.Project:
        """Return a project.

        :raises Refusal: NOT_FOUND when it isn't registered.
        """
        project = self.find(identifier)
        if project is None:
            raise not_found("project", f'id:"{identifier}"')
        return project

    def update(self, project: project_pb2.Project) -> None:
        """Store a project's new name, description, labels and state.

        :raises Refusal: NOT_FOUND when it isn't registered.
        """
        self.get(project.id)
        table = tables.projects
        with self._engine.begin() as connection:
            connection.execute(table.update().where(table.c.identifier == project.id).values(**_row(project)))

    def list(self, page: Page) -> tuple[list[project_pb2.Project], str]:
        """Return one page of projects and the token of the next."""
        rows, token = list_rows(self._engine, filters.PROJECT, page)
        return [_with_domains(row.message) for row in rows], token

    def require(self, project: str, domain: str) -> None:
        """Make sure that a project is there, active, and the domain is one of Flyte's.

        :raises Refusal: INVALID_ARGUMENT, worded as FlyteAdmin does.
        """
        found = self.find(project)
        if found is None:
            raise invalid(
                f"failed to validate that project [{project}] and domain [{domain}] are registered, "
                f"err: [project [{project}] not found]"
            )
        if found.state != project_pb2.Project.ACTIVE:
            raise invalid(f"project [{project}] is not active")
        if domain not in DOMAINS:
            raise invalid(f"domain [{domain}] is unrecognized by system")

    def secret(self, name: str) -> bytes:
        """Return a random key of this data directory, made when first asked for."""
        table = tables.settings
        with self._engine.begin() as connection:
            row = find(connection, table, {"name": name})
            if row is not None:
                return bytes(row.value)
            value = secrets.token_bytes(32)
            connection.execute(table.insert().values(name=name, value=value))
            return value


def _row(project: project_pb2.Project) -> dict[str, object]:
    return {
        "identifier": project.id,
        "name": project.name,
        "description": project.description,
        "state": project.state,
        "message": project.SerializeToString(),
    }


def _with_domains(message: bytes) -> project_pb2.Project:
    project = project_pb2.Project.FromString(message)
    del project.domains[:]
    project.domains.extend(domains())
    return project
