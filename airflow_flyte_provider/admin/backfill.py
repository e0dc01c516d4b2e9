"""Verbs about backfills: what became of each date, and which dates have been run already."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timezone

from airflow_flyte_provider.admin.client import Verb
from airflow_flyte_provider.admin.executions import find_executions, get_data
from airflow_flyte_provider.admin.lists import list_executions
from airflow_flyte_provider.admin.nodes import list_nodes
from airflow_flyte_provider.admin.registry import get_entity
from airflow_flyte_provider.model.backfill.results import NOT_STARTED, DateResult, node_date
from airflow_flyte_provider.model.identifiers import EntityId, EntityKind, ExecutionId
from airflow_flyte_provider.model.views.entities import LaunchPlan
from airflow_flyte_provider.model.views.executions import Execution
from airflow_flyte_provider.model.views.nodes import NodeExecution
from airflow_flyte_provider.model.views.workflows import WorkflowNode


def date_results(backfill: Execution) -> Verb[list[DateResult]]:
    """Look at every date of a backfill, those of its parts too, in the order of its workflow's nodes.

    That is two calls and one for each part, and one for 500 dates.

    :param backfill: the execution, at whatever phase.
    """
    if backfill.workflow is None:
        return []
    return (yield from _results(backfill.workflow, backfill.id))


def find_done(plan: LaunchPlan, dates: Collection[datetime]) -> Verb[dict[datetime, ExecutionId]]:
    """Find the dates for which a launch plan, in any version, has an execution that succeeded.

    They are told by the input that gets the time, so each execution that nothing else tells of costs a call.

    :param plan: a launch plan whose schedule names such an input.
    :param dates: the dates looked for, in UTC.
    :returns: the latest execution for each date that has one.
    """
    argument = plan.schedule.kickoff_argument if plan.schedule else ""
    found: dict[datetime, ExecutionId] = {}
    filters = {"launch_plan": plan.id.name, "phase": "SUCCEEDED"}
    for execution in (yield from list_executions(plan.id.project, plan.id.domain, filters)):
        if len(found) == len(dates):
            break
        inputs, _ = yield from get_data(execution.id)
        value = inputs.literals.get(argument)
        if value is None or value.scalar.primitive.WhichOneof("value") != "datetime":
            continue
        date = value.scalar.primitive.datetime.ToDatetime(timezone.utc)
        if date in dates:
            found.setdefault(date, execution.id)
    return found


def _results(workflow: EntityId, execution: ExecutionId | None) -> Verb[list[DateResult]]:
    planned = (yield from get_entity(workflow)).nodes
    nodes = (yield from list_nodes(execution)) if execution else []
    began = {node.spec_id: node for node in nodes}
    children = yield from find_executions([node.launched for node in nodes if node.launched])
    found: list[DateResult] = []
    for node in planned:
        ran = began.get(node.id)
        child = ran.launched if ran else None
        if (part := _part(node, workflow)) is not None:
            found += yield from _results(part, child)
        elif (date := node_date(node.name)) is not None:
            found.append(_result(date, ran, children.get(child) if child else None))
    return found


def _part(node: WorkflowNode, workflow: EntityId) -> EntityId | None:
    """Return the workflow of a node that runs a part of the backfill, which has the backfill's own name."""
    target = node.target
    if target is None or target.name != workflow.name:
        return None
    return EntityId(EntityKind.WORKFLOW, target.project, target.domain, target.name, target.version)


def _result(date: datetime, node: NodeExecution | None, child: Execution | None) -> DateResult:
    if node is None:
        return DateResult(date, NOT_STARTED)
    fault = (child.error if child else None) or node.error
    told = fault.message if fault else (child.abort_cause or "" if child else "")
    phase = child.phase.value if child else node.phase.value
    return DateResult(date, phase, node.launched, told)
