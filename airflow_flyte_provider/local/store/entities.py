"""Tasks, workflows and launch plans, and the names they share across versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flyteidl.admin import common_pb2, description_entity_pb2, launch_plan_pb2, task_pb2, workflow_pb2
from flyteidl.core import identifier_pb2, tasks_pb2
from google.protobuf.message import Message
from sqlalchemy import and_, select
from sqlalchemy.engine import Engine

from airflow_flyte_provider.local.refusal import not_found
from airflow_flyte_provider.local.store import filters, tables
from airflow_flyte_provider.local.store.database import find, insert, matching, put
from airflow_flyte_provider.local.store.listing import Page, list_rows, next_token, parse_token
from airflow_flyte_provider.local.wording import go_text

_ENTITIES = {
    identifier_pb2.TASK: (filters.TASK, task_pb2.Task),
    identifier_pb2.WORKFLOW: (filters.WORKFLOW, workflow_pb2.Workflow),
    identifier_pb2.LAUNCH_PLAN: (filters.LAUNCH_PLAN, launch_plan_pb2.LaunchPlan),
}
ACTIVE = launch_plan_pb2.ACTIVE
INACTIVE = launch_plan_pb2.INACTIVE


class EntityStore:
    """Registered entities.

    :param engine: the database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def row(self, identifier: identifier_pb2.Identifier) -> Any | None:
        """Return the row of a task, workflow or launch plan, None when it isn't registered."""
        entity, _ = _ENTITIES[identifier.resource_type]
        with self._engine.connect() as connection:
            return find(connection, entity.table, _key(identifier))

    def get(self, identifier: identifier_pb2.Identifier) -> Any:
        """Return the message of a task, workflow or launch plan.

        :raises Refusal: NOT_FOUND when it isn't registered.
        """
        return self.parse(identifier.resource_type, self.require(identifier))

    def require(self, identifier: identifier_pb2.Identifier) -> Any:
        """Return the row of an entity.

        :raises Refusal: NOT_FOUND when it isn't registered.
        """
        row = self.row(identifier)
        if row is None:
            shown = identifier_pb2.Identifier()
            shown.CopyFrom(identifier)
            shown.ClearField("resource_type")
            kind = identifier_pb2.ResourceType.Name(identifier.resource_type)
            raise not_found(kind, go_text(shown))
        return row

    def parse(self, resource_type: int, row: Any) -> Any:
        """Return the message that a row holds."""
        _, message_type = _ENTITIES[resource_type]
        return message_type.FromString(row.message)

    def add(
        self,
        message: Message,
        digest: bytes,
        description: description_entity_pb2.DescriptionEntity | None = None,
        **columns: Any,
    ) -> int:
        """Store a new entity.

        :param message: a Task, Workflow or LaunchPlan with its id.
        :param digest: hash of its structure.
        :param description: what is said about this version, None for nothing.
        :param columns: further columns of its table.
        :return: the row's id.
        """
        identifier = message.id  # type: ignore[attr-defined]
        entity, _ = _ENTITIES[identifier.resource_type]
        values = {**_key(identifier), **columns, "digest": digest, "message": message.SerializeToString()}
        with self._engine.begin() as connection:
            if description is not None:
                insert(connection, tables.descriptions, _description_row(identifier, description))
            return insert(connection, entity.table, values)

    def description(self, identifier: identifier_pb2.Identifier) -> description_entity_pb2.DescriptionEntity:
        """Return what is said about a version.

        :raises Refusal: NOT_FOUND when nothing is.
        """
        key = {**_key(identifier), "resource_type": identifier.resource_type}
        with self._engine.connect() as connection:
            row = find(connection, tables.descriptions, key)
        if row is None:
            raise not_found("description entity", go_text(identifier))
        return description_entity_pb2.DescriptionEntity.FromString(row.message)

    def descriptions(self, page: Page) -> tuple[list[description_entity_pb2.DescriptionEntity], str]:
        """Return what is said about the versions of one page, and the token of the next."""
        rows, token = list_rows(self._engine, filters.DESCRIPTION, page)
        return [description_entity_pb2.DescriptionEntity.FromString(row.message) for row in rows], token

    def list(self, resource_type: int, page: Page) -> tuple[list[Any], str]:
        """Return the messages of one page and the token of the next."""
        entity, message_type = _ENTITIES[resource_type]
        rows, token = list_rows(self._engine, entity, page)
        return [message_type.FromString(row.message) for row in rows], token

    def conditions(self, resource_type: int, request_id: Any) -> list[Any]:
        """Return the conditions that a list request's `id` (project, domain, perhaps name) makes."""
        entity, _ = _ENTITIES[resource_type]
        given = {name: getattr(request_id, name) for name in ("project", "domain", "name")}
        return matching(entity.table, {name: value for name, value in given.items() if value})

    def newest_python_task(self) -> tasks_pb2.TaskTemplate | None:
        """Return the Python task that was registered last, None when there is none."""
        table = tables.tasks
        query = select(table.c.message).where(table.c.type == "python-task").order_by(table.c.id.desc())
        with self._engine.connect() as connection:
            message = connection.execute(query.limit(1)).scalar()
        return None if message is None else task_pb2.Task.FromString(message).closure.compiled_task.template

    def names(
        self, resource_type: int, project: str, domain: str, page: Page
    ) -> tuple[list[common_pb2.NamedEntityIdentifier], str]:
        """Return the distinct names of one kind, ordered by name, and the token of the next page."""
        table = _ENTITIES[resource_type][0].table
        offset = parse_token(page.token, page.call)
        query = (
            select(table.c.name)
            .where(table.c.project == project, table.c.domain == domain)
            .distinct()
            .order_by(_name_order(table.c.name, page.sort))
        )
        with self._engine.connect() as connection:
            names = connection.execute(query.limit(page.limit).offset(offset)).scalars().all()
        found = [
            common_pb2.NamedEntityIdentifier(project=project, domain=domain, name=name) for name in names
        ]
        return found, next_token(offset, len(found), page.limit)

    def named(self, resource_type: int, conditions: list[Any], page: Page) -> tuple[list[Any], str]:
        """Return names with what is said about them (description, state), and the token of the next page.

        :param conditions: conditions on the columns of the kind's own table.
        :return: rows with project, domain, name, description and state.
        """
        table, about = _ENTITIES[resource_type][0].table, tables.named_entities
        offset = parse_token(page.token, page.call)
        joined = table.outerjoin(
            about,
            and_(
                about.c.resource_type == resource_type,
                *(about.c[name] == table.c[name] for name in ("project", "domain", "name")),
            ),
        )
        columns = [table.c.project, table.c.domain, table.c.name, about.c.description, about.c.state]
        query = select(*columns).select_from(joined).where(and_(True, *conditions)).distinct()
        query = query.order_by(_name_order(table.c.name, page.sort)).limit(page.limit).offset(offset)
        with self._engine.connect() as connection:
            rows = list(connection.execute(query).all())
        return rows, next_token(offset, len(rows), page.limit)

    def describe(self, resource_type: int, name: Mapping[str, str], description: str, state: int) -> None:
        """Set what is said about a name: its description and state."""
        values = {"resource_type": resource_type, **name, "description": description, "state": state}
        with self._engine.begin() as connection:
            put(connection, tables.named_entities, ("resource_type", *name), values)

    def active_launch_plan(self, project: str, domain: str, name: str) -> Any | None:
        """Return the active version of a launch plan, None when there is none."""
        key = {"project": project, "domain": domain, "name": name, "state": ACTIVE}
        with self._engine.connect() as connection:
            row = find(connection, tables.launch_plans, key)
        return None if row is None else launch_plan_pb2.LaunchPlan.FromString(row.message)

    def set_launch_plan_state(self, identifier: identifier_pb2.Identifier, state: int) -> None:
        """Make a version of a launch plan active or inactive; activating one deactivates the other.

        :raises Refusal: NOT_FOUND when the version isn't registered.
        """
        self.require(identifier)
        table, key = tables.launch_plans, _key(identifier)
        with self._engine.begin() as connection:
            if state == ACTIVE:
                former = {**key, "state": ACTIVE}
                del former["version"]
                for row in connection.execute(select(table).where(*matching(table, former))).all():
                    self._write_state(connection, row, INACTIVE)
            self._write_state(connection, find(connection, table, key), state)

    def _write_state(self, connection: Any, row: Any, state: int) -> None:
        plan = launch_plan_pb2.LaunchPlan.FromString(row.message)
        plan.closure.state = state
        table = tables.launch_plans
        change = {"state": state, "message": plan.SerializeToString()}
        connection.execute(table.update().where(table.c.id == row.id).values(**change))


def _key(identifier: identifier_pb2.Identifier) -> dict[str, str]:
    return {name: getattr(identifier, name) for name in tables.ENTITY_KEY}


def _description_row(
    identifier: identifier_pb2.Identifier, description: description_entity_pb2.DescriptionEntity
) -> dict[str, Any]:
    kept = description_entity_pb2.DescriptionEntity(id=identifier)
    kept.short_description = description.short_description
    # there in every answer, however empty
    kept.long_description.CopyFrom(description.long_description)
    kept.source_code.CopyFrom(description.source_code)
    return {
        **_key(identifier),
        "resource_type": identifier.resource_type,
        "short_description": kept.short_description,
        "message": kept.SerializeToString(),
    }


def _name_order(column: Any, sort: Any) -> Any:
    ascending = sort is None or sort.direction == common_pb2.Sort.ASCENDING
    return column.asc() if ascending else column.desc()
