"""The workflow of a backfill: a node for each date, as flytekit makes it, or for each part of many dates."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from flyteidl.admin.workflow_pb2 import WorkflowSpec
from flyteidl.core.workflow_pb2 import Node

from airflow_flyte_provider.model.backfill.results import node_name
from airflow_flyte_provider.model.backfill.shape import BackfillShape
from airflow_flyte_provider.model.building.imperative import FailurePolicy, ImperativeWorkflow
from airflow_flyte_provider.model.identifiers import EntityId
from airflow_flyte_provider.model.views.entities import LaunchPlan

#: Inputs beside the date: the same for each, or a function of the date.
Inputs = Mapping[str, Any] | Callable[[datetime], Mapping[str, Any]]

#: Bytes that a workflow may have. FlyteAdmin takes messages of 4 MiB, and sends it compiled, which is longer.
MAX_WORKFLOW_BYTES = 2 * 1024 * 1024

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def backfill_workflow(
    launch_plan: LaunchPlan,
    dates: Sequence[datetime],
    shape: BackfillShape | None = None,
    inputs: Inputs | None = None,
) -> ImperativeWorkflow:
    """Return the workflow that runs a launch plan once for each date, under the name `backfill-<launch plan>`.

    Nodes are called `n0`, `n1`, … and shown as `b-2026-01-01 02:00:00`. The input that the schedule gives the time to
    gets the date, where it names one.

    :param dates: the dates, see `plan_backfill`.
    :param shape: in which order, how often, …; default: one after the other.
    :param inputs: further inputs of the launch plan.
    :raises BuildError: when inputs do not fit the launch plan.
    """
    how = shape or BackfillShape()
    argument = launch_plan.schedule.kickoff_argument if launch_plan.schedule else ""
    policy = FailurePolicy(how.failure_policy or "FAIL_IMMEDIATELY")
    workflow = _Backfill(_name(launch_plan), policy, () if callable(inputs) else dates, argument, how.lanes)
    nodes = []
    for date in dates if callable(inputs) else dates[:1]:
        given = inputs(date) if callable(inputs) else inputs or {}
        values = {**given, argument: date} if argument else {**given}
        retries = int(how.node_retries or 0)
        nodes.append(
            workflow.add_node(
                launch_plan, name=node_name(date), timeout=how.timeout, retries=retries, inputs=values
            )
        )
    _order(nodes, how.lanes)
    return workflow


def workflow_of_parts(
    launch_plan: LaunchPlan, parts: Sequence[tuple[LaunchPlan, Sequence[datetime]]], shape: BackfillShape
) -> ImperativeWorkflow:
    """Return the workflow that runs the parts of a backfill, which has too many dates for one workflow.

    :param launch_plan: the launch plan that is backfilled.
    :param parts: the launch plan of each part's workflow, which is registered, and its dates.
    :param shape: as in the parts: with a limit of dates at once, one part runs after the other.
    """
    policy = FailurePolicy(shape.failure_policy or "FAIL_IMMEDIATELY")
    workflow = ImperativeWorkflow(_name(launch_plan), failure_policy=policy)
    nodes = [
        workflow.add_node(part, name=f"{node_name(dates[0])} to {dates[-1].replace(tzinfo=None)}", retries=0)
        for part, dates in parts
    ]
    _order(nodes, None if shape.lanes is None else 1)
    return workflow


def split(
    dates: Sequence[datetime], workflow: ImperativeWorkflow, limit: int
) -> Iterator[Sequence[datetime]]:
    """Yield the dates in parts that each fit into one workflow; one part, when all do.

    :param workflow: the workflow of one of the dates, which tells how long a node is.
    :param limit: how many nodes a workflow may have.
    """
    size = min(limit, max(MAX_WORKFLOW_BYTES // workflow.compile().ByteSize(), 1))
    for start in range(0, len(dates), size):
        yield dates[start : start + size]


def _name(launch_plan: LaunchPlan) -> str:
    return f"backfill-{launch_plan.id.name}"


def _order(nodes: Sequence[Any], lanes: int | None) -> None:
    """Let each node wait for the one so many before it."""
    if lanes is not None:
        for before, after in zip(nodes, nodes[lanes:], strict=False):
            before >> after


class _Backfill(ImperativeWorkflow):
    """A workflow of thousands of nodes that differ in their date alone: one is built and checked, the others copied.

    :param dates: the dates of all nodes, the first of which is built; none when all nodes are built.
    :param argument: the input that gets the date, empty for none.
    :param lanes: each node waits for the one so many before it; None for none.
    """

    def __init__(
        self, name: str, policy: FailurePolicy, dates: Sequence[datetime], argument: str, lanes: int | None
    ) -> None:
        super().__init__(name, failure_policy=policy)
        self._dates = dates
        self._argument = argument
        self._lanes = lanes

    def compile(self, entity: EntityId | None = None) -> WorkflowSpec:
        """See `ImperativeWorkflow.compile`."""
        spec = super().compile(entity)
        if len(self._dates) < 2:
            return spec
        nodes, pattern, lanes = spec.template.nodes, Node(), self._lanes
        pattern.CopyFrom(nodes[0])
        place = next((at for at, one in enumerate(pattern.inputs) if one.var == self._argument), None)
        for number, date in enumerate(self._dates[1:], 1):
            node = nodes.add()
            node.CopyFrom(pattern)
            node.id = f"n{number}"
            node.metadata.name = node_name(date)
            if place is not None:
                # FlyteAdmin takes no schedule that gives the time to anything but a datetime.
                since = date - _EPOCH
                moment = node.inputs[place].binding.scalar.primitive.datetime
                moment.seconds, moment.nanos = since.days * 86_400 + since.seconds, since.microseconds * 1000
            if lanes is not None and number >= lanes:
                node.upstream_node_ids.append(f"n{number - lanes}")
        return spec
