"""Pages of lists: limit, token, filters and order in one select."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import and_, exists, select
from sqlalchemy.engine import Engine
from sqlalchemy.sql import ColumnElement

from airflow_flyte_provider.local.refusal import invalid
from airflow_flyte_provider.local.store import tables
from airflow_flyte_provider.local.store.filters import Entity, Filter, order_by, parse_filters


@dataclass(frozen=True)
class Page:
    """What a list request asks for.

    :param limit: rows at most.
    :param token: offset as text, empty for the start.
    :param filters: the filter text.
    :param sort: a `flyteidl.admin.Sort`, None when the request has none.
    :param call: name of the call, for the refusal of a bad token.
    :param unsorted: columns to order by when the request does not say.
    :param hide_archived: leave out rows whose `state` isn't 0 unless a filter speaks of `state`.
    """

    limit: int
    token: str
    filters: str
    sort: Any
    call: str
    unsorted: Sequence[str] = ("id",)
    hide_archived: bool = False
    conditions: Sequence[ColumnElement] = field(default_factory=tuple)


def page_of(request: Any, call: str, **more: Any) -> Page:
    """Return the page that a list request asks for.

    :param request: a message with `limit` and `token`, and perhaps `filters` and `sort_by`.
    :param call: name of the call, for the refusal of a bad token.
    :param more: further fields of `Page`.
    :raises Refusal: INVALID_ARGUMENT without a limit.
    """
    if not request.limit:
        raise invalid("invalid value for limit")
    fields = request.DESCRIPTOR.fields_by_name
    has_sort = "sort_by" in fields and request.HasField("sort_by")
    return Page(
        limit=request.limit,
        token=request.token,
        filters=request.filters if "filters" in fields else "",
        sort=request.sort_by if has_sort else None,
        call=call,
        **more,
    )


def list_rows(engine: Engine, entity: Entity, page: Page) -> tuple[list[Any], str]:
    """Return the rows of one page and the token of the next.

    A full page has a token even when nothing follows: the client finds an empty page then, as with Flyte.

    :raises Refusal: INVALID_ARGUMENT for a bad filter, sort key or token.
    """
    filters = parse_filters(page.filters, entity)
    order = order_by(page.sort, entity) or [entity.table.c[name].asc() for name in page.unsorted]
    offset = parse_token(page.token, page.call)
    conditions = [*page.conditions, *_conditions(entity, filters)]
    if page.hide_archived and not any(one.field == "state" for one in filters):
        conditions.append(entity.table.c.state == 0)
    query = select(entity.table).where(and_(True, *conditions)).order_by(*order)
    with engine.connect() as connection:
        rows = connection.execute(query.limit(page.limit).offset(offset)).all()
    return list(rows), next_token(offset, len(rows), page.limit)


def parse_token(token: str, call: str) -> int:
    """Return the offset that a token means.

    :raises Refusal: INVALID_ARGUMENT when it isn't a number of rows.
    """
    if not token:
        return 0
    if not token.isascii() or not token.isdigit():
        raise invalid(f"invalid pagination token {token} for {call}")
    return int(token)


def next_token(offset: int, found: int, limit: int) -> str:
    """Return the token of the page after one that began at `offset`: empty unless the page is full."""
    return str(offset + found) if found == limit else ""


def _conditions(entity: Entity, filters: Sequence[Filter]) -> Iterator[ColumnElement]:
    others: dict[str, list[Filter]] = {}
    for one in filters:
        if one.entity.short == entity.short or one.entity.table is entity.table:
            yield one.condition
        else:
            others.setdefault(one.entity.short, []).append(one)
    # What is asked of another kind must hold of one and the same row of it.
    for same in others.values():
        yield exists().where(_join(entity, same[0].entity), *(one.condition for one in same))


def _join(entity: Entity, other: Entity) -> ColumnElement:
    mine, theirs = entity.table, other.table
    if other.short in ("l", "w", "t") and entity.short in ("e", "l"):
        reference = {"l": "launch_plan_id", "w": "workflow_id", "t": "task_id"}[other.short]
        return theirs.c.id == mine.c[reference]
    if other.short == "t":
        return and_(True, *(theirs.c[name] == mine.c[name] for name in tables.ENTITY_KEY))
    key = (*tables.EXECUTION_KEY, "node_id") if other.short == "ne" else tables.EXECUTION_KEY
    return and_(True, *(theirs.c[name] == mine.c[name] for name in key))
