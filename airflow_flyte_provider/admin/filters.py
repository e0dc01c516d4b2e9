"""Keywords as the filters that FlyteAdmin takes, after the `filters` of `flyteidl.admin.ResourceListRequest`.

FlyteAdmin has a little language without escapes: `eq(phase,FAILED)+contains(execution_name,nightly)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import Any

from flyteidl.admin.execution_pb2 import ExecutionMetadata

from airflow_flyte_provider.exceptions import FlyteInvalidRequestError
from airflow_flyte_provider.model.phases import ExecutionPhase
from airflow_flyte_provider.model.suggestions import did_you_mean

#: What FlyteAdmin's language is written with, so that no value can hold it.
_RESERVED = "+;,()"


@dataclass(frozen=True, slots=True)
class Filter:
    """One keyword of a list.

    :param field: the column that FlyteAdmin filters by.
    :param function: its function; `in` is `eq` for one value and `value_in` for several.
    :param text: returns a value as text, raising ValueError with what is expected.
    """

    field: str
    function: str
    text: Callable[[Any], str]

    def expression(self, value: Any) -> str:
        """Return the filter for a value.

        :raises ValueError: when the value is not one that it takes.
        """
        many = not isinstance(value, str) and isinstance(value, Iterable)
        if self.function != "in" and many:
            raise ValueError("one value is expected")
        texts = [_safe(self.text(one)) for one in (value if many else [value])]
        if not texts:
            raise ValueError("there is no value in it")
        function = ("value_in" if len(texts) > 1 else "eq") if self.function == "in" else self.function
        return f"{function}({self.field},{';'.join(texts)})"


def filter_text(given: Mapping[str, Any], known: Mapping[str, Filter]) -> str:
    """Return keywords as FlyteAdmin's filters; those whose value is None are left out.

    :param given: values by keyword.
    :param known: the keywords there are.
    :raises FlyteInvalidRequestError: for a keyword that there is not, naming all, and for a value that cannot be
        asked for.
    """
    expressions = []
    for keyword, value in given.items():
        if keyword not in known:
            guess = did_you_mean(keyword, known)
            raise FlyteInvalidRequestError(
                f"There is no filter {keyword!r}{', ' + guess if guess else '.'} There are: {', '.join(known)}."
            )
        if value is None:
            continue
        try:
            expressions.append(known[keyword].expression(value))
        except (ValueError, TypeError) as fault:
            raise FlyteInvalidRequestError(
                f"The filter {keyword}={value!r} cannot be used: {fault}."
            ) from None
    return "+".join(expressions)


def moment_text(moment: datetime) -> str:
    """Return a moment as FlyteAdmin takes it in a filter; one without a time zone is taken to be in UTC.

    >>> moment_text(datetime(2026, 1, 1))
    '2026-01-01T00:00:00Z'
    """
    aware = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return aware.astimezone(timezone.utc).replace(tzinfo=None).isoformat() + "Z"


def _safe(text: str) -> str:
    found = [character for character in _RESERVED if character in text]
    if found or not text:
        raise ValueError(
            f"Flyte cannot filter by a text with {' '.join(found)} in it" if found else "it is empty"
        )
    return text


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a text is expected")
    return str(value.value) if isinstance(value, Enum) else value


def _moment(value: Any) -> str:
    if not isinstance(value, datetime):
        raise ValueError("a datetime is expected")
    return moment_text(value)


def _seconds(value: Any) -> str:
    return f"{value.total_seconds() if isinstance(value, timedelta) else float(value):f}"


def _phase(value: Any) -> str:
    try:
        return ExecutionPhase(value).value
    except ValueError:
        raise ValueError(f"the phases are {', '.join(ExecutionPhase)}") from None


def _mode(value: Any) -> str:
    names = ExecutionMetadata.ExecutionMode.keys()
    if value not in names:
        raise ValueError(f"the modes are {', '.join(names)}")
    return str(ExecutionMetadata.ExecutionMode.Value(value))


def _flag(value: Any) -> str:
    return "1" if value else "0"


_MOMENTS = {
    "created_after": Filter("created_at", "gte", _moment),
    "created_before": Filter("created_at", "lt", _moment),
}

EXECUTION_FILTERS: Mapping[str, Filter] = {
    "name": Filter("execution_name", "in", _text),
    "name_contains": Filter("execution_name", "contains", _text),
    "phase": Filter("phase", "in", _phase),
    "launch_plan": Filter("launch_plan.name", "in", _text),
    "launch_plan_version": Filter("launch_plan.version", "in", _text),
    "workflow": Filter("workflow.name", "in", _text),
    "workflow_version": Filter("workflow.version", "in", _text),
    "task": Filter("task.name", "in", _text),
    "task_version": Filter("task.version", "in", _text),
    "created_after": Filter("execution_created_at", "gte", _moment),
    "created_before": Filter("execution_created_at", "lt", _moment),
    "started_after": Filter("started_at", "gte", _moment),
    "started_before": Filter("started_at", "lt", _moment),
    "updated_after": Filter("execution_updated_at", "gte", _moment),
    "updated_before": Filter("execution_updated_at", "lt", _moment),
    "longer_than": Filter("duration", "gt", _seconds),
    "shorter_than": Filter("duration", "lt", _seconds),
    "mode": Filter("mode", "in", _mode),
    "principal": Filter("user", "in", _text),
    "cluster": Filter("cluster", "in", _text),
    "error_kind": Filter("error_kind", "in", _text),
    "error_code": Filter("error_code", "in", _text),
    "tag": Filter("admin_tag.name", "in", _text),
    "archived": Filter("state", "eq", _flag),
}
LABEL_KEY = Filter("execution_tag.key", "eq", _text)
LABEL_VALUE = Filter("execution_tag.value", "eq", _text)
_VERSION_FILTERS = {
    "version": Filter("version", "in", _text),
    "version_contains": Filter("version", "contains", _text),
    **_MOMENTS,
}
LAUNCH_PLAN_FILTERS: Mapping[str, Filter] = {
    **_VERSION_FILTERS,
    "active": Filter("state", "eq", _flag),
    "workflow": Filter("workflow.name", "in", _text),
    "workflow_version": Filter("workflow.version", "in", _text),
}
WORKFLOW_FILTERS: Mapping[str, Filter] = _VERSION_FILTERS
TASK_FILTERS: Mapping[str, Filter] = {**_VERSION_FILTERS, "type": Filter("type", "in", _text)}
NAME_FILTERS: Mapping[str, Filter] = {
    "name": Filter("name", "in", _text),
    "name_contains": Filter("name", "contains", _text),
    "archived": Filter("state", "eq", _flag),
}
