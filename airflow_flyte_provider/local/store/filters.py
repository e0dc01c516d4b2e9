"""The filter and sort language of list requests, as conditions on tables.

Follows the `filters` and `sort_by` fields of `flyteidl.admin.ResourceListRequest` and its kin.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flyteidl.admin import common_pb2
from sqlalchemy import BigInteger, Column, Integer, Table, func
from sqlalchemy.sql import ColumnElement

from airflow_flyte_provider.local import clock
from airflow_flyte_provider.local.refusal import invalid
from airflow_flyte_provider.local.store import tables


@dataclass(frozen=True)
class Entity:
    """One kind of thing that can be listed or named in a filter.

    :param short: FlyteAdmin's abbreviation, which it prints in refusals.
    :param table: its table.
    :param joins: abbreviations of the other kinds a filter of this list may speak of.
    """

    short: str
    table: Table
    joins: tuple[str, ...] = ()


EXECUTION = Entity("e", tables.executions, ("l", "w", "t", "at", "et"))
LAUNCH_PLAN = Entity("l", tables.launch_plans, ("w",))
WORKFLOW = Entity("w", tables.workflows)
TASK = Entity("t", tables.tasks)
NODE_EXECUTION = Entity("ne", tables.node_executions, ("e",))
TASK_EXECUTION = Entity("te", tables.task_executions, ("t", "e", "ne"))
NAMED_ENTITY = Entity("nen", tables.named_entities, ("nem",))
DESCRIPTION = Entity("de", tables.descriptions)
PROJECT = Entity("p", tables.projects)
SIGNAL = Entity("s", tables.signals)
_TAG = Entity("et", tables.execution_tags)

_PREFIXES = {
    "task.": TASK,
    "workflow.": WORKFLOW,
    "launch_plan.": LAUNCH_PLAN,
    "execution.": EXECUTION,
    "node_execution.": NODE_EXECUTION,
    "task_execution.": TASK_EXECUTION,
    "entities.": NAMED_ENTITY,
    "named_entity_metadata.": Entity("nem", tables.named_entities),
    "project.": PROJECT,
    "signal.": SIGNAL,
    "admin_tag.": Entity("at", tables.execution_tags),
    "execution_tag.": _TAG,
}
_HIDDEN = frozenset({"message", "inputs", "user_inputs", "parent_node_id"})
_EXPRESSION = re.compile(r"(.+)\((.+),\s?(.+)\)")

_Condition = Callable[[Any, Any], ColumnElement]
_SINGLE: dict[str, _Condition] = {
    "contains": lambda column, value: column.like(f"%{value}%"),
    "not_like": lambda column, value: column.notlike(value),
    "gt": lambda column, value: column > value,
    "gte": lambda column, value: column >= value,
    "lt": lambda column, value: column < value,
    "lte": lambda column, value: column <= value,
    "eq": lambda column, value: column == value,
    "ne": lambda column, value: column != value,
}
_REPEATED: dict[str, _Condition] = {
    "value_in": lambda column, values: column.in_(values),
    "value_not_in": lambda column, values: column.notin_(values),
}


@dataclass(frozen=True)
class Filter:
    """One condition of a list request: which table it speaks of, which column, and the condition itself."""

    entity: Entity
    field: str
    condition: ColumnElement


def parse_filters(text: str, primary: Entity) -> list[Filter]:
    """Return the conditions of a filter text such as `eq(phase,RUNNING)+contains(execution_name,nightly)`.

    :param text: conditions joined by `+`, empty for none.
    :param primary: what is listed; fields without a prefix are its own.
    :raises Refusal: INVALID_ARGUMENT for a text, field, function or value that Flyte would not take.
    """
    return [_parse_one(expression, primary) for expression in text.split("+")] if text else []


def order_by(sort: common_pb2.Sort | None, entity: Entity) -> list[Any]:
    """Return what to order a list by, nothing when `sort` isn't given.

    :raises Refusal: INVALID_ARGUMENT for a key that is no column.
    """
    if sort is None:
        return []
    if sort.key not in entity.table.c or sort.key in _HIDDEN:
        raise invalid(f"invalid sort key '{sort.key}'")
    column = entity.table.c[sort.key]
    if sort.direction == common_pb2.Sort.ASCENDING:
        return [column.asc(), entity.table.c.id.asc()]
    return [column.desc(), entity.table.c.id.desc()]


def _parse_one(expression: str, primary: Entity) -> Filter:
    match = _EXPRESSION.search(expression)
    if match is None:
        raise invalid("invalid value for filters")
    function, field, value = match.groups()
    entity = primary
    for prefix, other in _PREFIXES.items():
        if field.startswith(prefix):
            entity, field = other, field[len(prefix) :]
            break
    if entity.short not in (primary.short, *primary.joins):
        raise invalid(f"'{entity.short}' entity is not allowed in filters")
    column = _column(entity, field)
    values = [_typed(column, text) for text in value.split(";")]
    return Filter(entity, field, _condition(function, column, values, entity))


def _column(entity: Entity, field: str) -> Column:
    # tags once had a table of their own, whose only column was the name
    name = "key" if entity.short == "at" and field == "name" else field
    if name not in entity.table.c or name in _HIDDEN:
        raise invalid(f"'{entity.short}.{field}' is invalid filter")
    return entity.table.c[name]


def _condition(function: str, column: Column, values: list[Any], entity: Entity) -> ColumnElement:
    operand: Any = column
    if entity.short in ("nen", "nem") and column.name == "state":
        operand = func.coalesce(column, 0)
    if function in _REPEATED:
        return _REPEATED[function](operand, values)
    if function not in _SINGLE:
        raise invalid(f"unrecognized filter function: {function}")
    if len(values) != 1:
        raise invalid("invalid value for filters")
    return _SINGLE[function](operand, values[0])


def _typed(column: Column, text: str) -> Any:
    if column.name in tables.TIME_COLUMNS:
        moment = clock.parse_moment(text)
        if moment is None:
            raise invalid(f"Timestamp {text} must conform to RFC3339 Nano spec")
        return moment
    if column.name == "duration":
        length = clock.parse_duration(text)
        if length is None:
            raise invalid(f"Failed to parse duration [{text}]")
        return length
    if isinstance(column.type, (Integer, BigInteger)):
        try:
            return int(text)
        except ValueError:
            raise invalid(f"invalid value [{text}] for {column.name}") from None
    return text
