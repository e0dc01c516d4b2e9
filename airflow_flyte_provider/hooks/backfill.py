"""What FlyteHook does to backfill a scheduled launch plan: plan, register, launch, tell of each date."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from airflow_flyte_provider.admin import backfill as verbs
from airflow_flyte_provider.admin.executions import Launched
from airflow_flyte_provider.exceptions import FlyteInvalidRequestError
from airflow_flyte_provider.hooks.executions import ExecutionVerbs
from airflow_flyte_provider.hooks.launch_plans import LaunchPlanVerbs
from airflow_flyte_provider.hooks.workflows import WorkflowVerbs
from airflow_flyte_provider.model.backfill.dates import BackfillError, plan_backfill
from airflow_flyte_provider.model.backfill.results import DateResult
from airflow_flyte_provider.model.backfill.shape import BackfillShape
from airflow_flyte_provider.model.backfill.workflow import (
    Inputs,
    backfill_workflow,
    split,
    workflow_of_parts,
)
from airflow_flyte_provider.model.identifiers import ExecutionId
from airflow_flyte_provider.model.options import ExecutionOptions
from airflow_flyte_provider.model.views.entities import LaunchPlan
from airflow_flyte_provider.model.views.executions import Execution


@dataclass(frozen=True, slots=True)
class Backfill:
    """A backfill that was planned.

    :param launch_plan: what runs for each date.
    :param dates: the dates to run, in UTC.
    :param skipped: the dates that are left out, with the execution that succeeded for each.
    """

    launch_plan: LaunchPlan
    dates: tuple[datetime, ...]
    skipped: dict[datetime, ExecutionId] = field(default_factory=dict)


class BackfillVerbs(ExecutionVerbs, LaunchPlanVerbs, WorkflowVerbs):
    """The part of FlyteHook that backfills."""

    def plan_backfill(
        self,
        launch_plan: str,
        start: datetime,
        end: datetime,
        *,
        version: str | None = None,
        skip_existing: bool = False,
        max_nodes: int | None = None,
    ) -> Backfill:
        """Return the dates for which a launch plan's schedule would have run it. Registers and launches nothing.

        :param launch_plan: its name.
        :param start: the window's begin, itself not in it; UTC without a zone.
        :param end: the window's end, itself in it.
        :param version: its version; None takes the active one, and where none is active the latest registered.
        :param skip_existing: leave out the dates that have a successful execution already, in any version of the
            launch plan, told by the input that gets the time.
        :param max_nodes: see `BackfillShape`. There may be as many dates as the square of it.
        :raises FlyteNotFoundError: when the launch plan is not registered.
        :raises FlyteInvalidRequestError: when it has no schedule, or the window holds no date or too many.
        """
        nodes = BackfillShape(max_nodes=max_nodes).nodes
        plan = self._scheduled(launch_plan, version)
        with _backfill_faults():
            dates = plan_backfill(plan, start, end, limit=nodes**2)
        if not skip_existing:
            return Backfill(plan, dates)
        if not (plan.schedule and plan.schedule.kickoff_argument):
            raise FlyteInvalidRequestError(
                f"The schedule of {plan.id} gives no input the time, so nothing tells for which dates it has run: "
                "backfill it without skip_existing."
            )
        done = self.run(verbs.find_done(plan, set(dates)))
        return Backfill(plan, tuple(date for date in dates if date not in done), done)

    def register_backfill(
        self, backfill: Backfill, *, inputs: Inputs | None = None, **shape: Any
    ) -> LaunchPlan:
        """Register the workflow of a backfill under a version that is a hash of its content: once, however often asked.

        With more dates than a workflow may have nodes, it is a workflow of workflows.

        :param inputs: inputs of the launch plan beside the date: a dict, or a function that takes the date and
            returns one.
        :param shape: `parallel`, `max_active`, `node_timeout`, `node_retries`, `failure_policy`, `max_nodes`: see
            `BackfillShape`.
        :returns: the launch plan that runs the backfill. It takes no inputs.
        :raises FlyteInvalidRequestError: when inputs do not fit the launch plan, or Flyte refuses the workflow.
        """
        with _backfill_faults():
            how = BackfillShape.read(shape, "backfill")
            plan, dates = backfill.launch_plan, backfill.dates
            if not dates:
                raise BackfillError(f"The backfill of {plan.id} has no dates to run.")
            parts = list(split(dates, backfill_workflow(plan, dates[:1], how, inputs), how.nodes))
            made = [backfill_workflow(plan, part, how, inputs) for part in parts]
            if len(made) > how.nodes:
                raise BackfillError(
                    f"The backfill of {plan.id} for {len(dates):,} dates comes to {len(made):,} workflows, and one "
                    f"takes {how.nodes:,}: split the window."
                )
            registered = [self.default_launch_plan(self.register_workflow(one)) for one in made]
            if len(registered) == 1:
                return registered[0]
            whole = workflow_of_parts(plan, list(zip(registered, parts, strict=True)), how)
            return self.default_launch_plan(self.register_workflow(whole))

    def launch_backfill(
        self,
        launch_plan: str,
        start: datetime,
        end: datetime,
        *,
        version: str | None = None,
        inputs: Inputs | None = None,
        skip_existing: bool = False,
        name: str = "",
        labels: Mapping[str, str] | None = None,
        options: ExecutionOptions | Mapping[str, Any] | str | None = None,
        **shape: Any,
    ) -> Launched:
        """Run a launch plan for each date of its schedule in a window, as one execution. It is not waited for.

        See `plan_backfill` and `register_backfill` for the parameters, and `execute` for `name`, `labels` and
        `options`.

        Example::

            launched = hook.launch_backfill("etl.daily", datetime(2026, 1, 1), datetime(2026, 2, 1), max_active=4)
            hook.wait(launched.id)
            print(results_table(hook.get_backfill_results(launched.id)))
        """
        planned = self.plan_backfill(
            launch_plan,
            start,
            end,
            version=version,
            skip_existing=skip_existing,
            max_nodes=shape.get("max_nodes"),
        )
        registered = self.register_backfill(planned, inputs=inputs, **shape)
        return self.execute(registered, {}, name=name, labels=labels, options=options)

    def get_backfill_results(self, execution: Execution | ExecutionId) -> list[DateResult]:
        """Tell for each date of a backfill what became of it, at whatever phase the backfill is.

        :param execution: the execution of the backfill.
        """
        whole = execution if isinstance(execution, Execution) else self.get_execution(execution)
        found = self.run(verbs.date_results(whole))
        return [replace(one, url=self.console_url(one.execution)) if one.execution else one for one in found]

    def _scheduled(self, name: str, version: str | None) -> LaunchPlan:
        active = None if version else self.get_active_launch_plan(name)
        if active is not None:
            return active
        plan = self.fetch_launch_plan(name, version)
        if not version:
            self.log.warning("No version of launch plan %s is active: taking the latest, %s.", name, plan.id)
        return plan


@contextmanager
def _backfill_faults() -> Iterator[None]:
    try:
        yield
    except ValueError as fault:
        raise FlyteInvalidRequestError(str(fault)) from None
