"""FlyteBackfillOperator: run a scheduled launch plan for each date of a window."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_flyte_provider.exceptions import FlyteConfigError
from airflow_flyte_provider.model.options import ExecutionOptions
from airflow_flyte_provider.model.records import plain, read_duration
from airflow_flyte_provider.operators.arguments import as_bool
from airflow_flyte_provider.operators.launching import FlyteLaunchingOperator
from airflow_flyte_provider.operators.reporting import failure, push_metrics

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_flyte_provider.admin.executions import Launched
    from airflow_flyte_provider.hooks.backfill import Backfill
    from airflow_flyte_provider.model.tries.task_try import TaskTry
    from airflow_flyte_provider.model.views.entities import LaunchPlan
    from airflow_flyte_provider.model.views.executions import Execution

#: XCom with what became of each date, pushed also when the backfill fails.
BACKFILL_KEY = "flyte_backfill"

_SHAPE = ("parallel", "max_active", "node_timeout", "node_retries", "failure_policy", "max_nodes")


class _NothingToRun(Exception):  # noqa: N818 - no error
    """All dates have been run already."""


class FlyteBackfillOperator(FlyteLaunchingOperator):
    """Runs a scheduled launch plan for each date of its schedule in a window, waits, and tells of each date.

    The dates become one workflow, one execution of which is launched. For finding it again, waiting, retries and
    stopping see `FlyteLaunchingOperator`, whose parameters it takes too: a retry recovers, so that dates that
    succeeded do not run again.

    The return value is a list with a dict for each date: `date`, `phase`, `execution` ("project/domain/name"),
    `error`, `url`. When the backfill fails, the same list is the XCom `flyte_backfill`. With `dry_run` it is the list
    of dates, and with `register_only` the id of the launch plan that would run the backfill.

    :param launch_plan: name of the launch plan (templated).
    :param version: its version (templated); None takes the active one, and where none is active the latest.
    :param start: begin of the window, itself not in it, as a datetime or ISO 8601 text, UTC without a zone (templated).
    :param end: end of the window, itself in it, likewise (templated).
    :param window: how long the window is, instead of `start`: a timedelta, or seconds (templated).
    :param inputs: inputs of the launch plan beside the date, the same for each (templated).
    :param inputs_of: a function from a date (a datetime in UTC) to its inputs, instead of `inputs`.
    :param parallel: run all dates at once, instead of one after the other (templated).
    :param max_active: run at most so many dates at once (templated).
    :param node_timeout: how long one date may take, as a timedelta or in seconds (templated).
    :param node_retries: how many further attempts Flyte makes at a date (templated).
    :param failure_policy: whether a date that fails ends the backfill, `FAIL_IMMEDIATELY`, or others go on that need
        not wait for it, `FAIL_AFTER_EXECUTABLE_NODES_COMPLETE` (templated).
    :param max_nodes: how many nodes FlyteAdmin lets a workflow have: its `registration.maxWorkflowNodes`, default 100
        (templated). A backfill of more dates is a workflow of workflows.
    :param skip_existing: leave out dates that have a successful execution of the launch plan (templated).
    :param dry_run: log and return the dates, and register and launch nothing (templated).
    :param register_only: register the backfill, and launch nothing (templated).
    :param options: as `FlyteExecuteOperator` takes them (templated): `{"overwrite_cache": True}` computes anew.
    :raises FlyteError: and its subclasses; see `airflow_flyte_provider.exceptions`.

    Example::

        FlyteBackfillOperator(
            task_id="last_week",
            launch_plan="etl.daily",
            end="{{ data_interval_end }}",
            window=timedelta(days=7),
            max_active=2,
            retries=1,
        )
    """

    template_fields: Sequence[str] = (
        "launch_plan",
        "version",
        "start",
        "end",
        "window",
        "inputs",
        *_SHAPE,
        "skip_existing",
        "dry_run",
        "register_only",
        "options",
        *FlyteLaunchingOperator.template_fields,
    )
    template_fields_renderers = {"inputs": "json", "options": "json"}  # noqa: RUF012 - Airflow's own way to declare it

    def __init__(
        self,
        *,
        launch_plan: str,
        end: datetime | str,
        start: datetime | str | None = None,
        window: timedelta | float | str | None = None,
        version: str | None = None,
        inputs: Mapping[str, Any] | None = None,
        inputs_of: Callable[[datetime], Mapping[str, Any]] | None = None,
        parallel: bool | str | None = None,
        max_active: int | str | None = None,
        node_timeout: timedelta | float | str | None = None,
        node_retries: int | str | None = None,
        failure_policy: str | None = None,
        max_nodes: int | str | None = None,
        skip_existing: bool | str = False,
        dry_run: bool | str = False,
        register_only: bool | str = False,
        options: ExecutionOptions | Mapping[str, Any] | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.launch_plan = launch_plan
        self.version = version
        self.start = start
        self.end = end
        self.window = window
        self.inputs = inputs
        # No templated field: Airflow calls the functions that it finds in one.
        self._inputs_of = inputs_of
        self.parallel = parallel
        self.max_active = max_active
        self.node_timeout = node_timeout
        self.node_retries = node_retries
        self.failure_policy = failure_policy
        self.max_nodes = max_nodes
        self.skip_existing = skip_existing
        self.dry_run = dry_run
        self.register_only = register_only
        self.options = plain(options)
        self._planned: Backfill | None = None
        self._registered: LaunchPlan | None = None
        if (start is None) == (window is None):
            raise FlyteConfigError(
                f"Task {self.task_id!r} is to be given either start or window, beside end."
            )
        if inputs is not None and inputs_of is not None:
            raise FlyteConfigError(f"Task {self.task_id!r} is to be given either inputs or inputs_of.")

    def execute(self, context: Context) -> Any:
        """Plan the backfill, and launch it unless only that was asked for; called by Airflow."""
        if as_bool("dry_run", self.dry_run):
            return [date.isoformat() for date in self._plan_dates().dates]
        try:
            if as_bool("register_only", self.register_only):
                return self._prepare().id.to_dict()
            return super().execute(context)
        except _NothingToRun:
            self.log.info("All dates have been run already: there is nothing to launch.")
            return []

    def launch(self, task_try: TaskTry, name: str) -> Launched:
        """Register the workflow of the backfill and launch it."""
        plan = self._prepare()
        self.check_not_stopped()
        launched = self.hook.execute(plan, {}, name=name, labels=task_try.labels, options=self.options)
        told = "Found again" if launched.adopted else "Launched"
        self.log.info("%s %s as execution %s", told, plan.id, launched.id)
        return launched

    def why_not_rerun(self, failed: Execution) -> str | None:
        """Tell whether `failed` was about other dates, or ran them in another way, than is asked for now."""
        try:
            plan = self._prepare()
        except _NothingToRun:
            return "all its dates have been run since"
        if failed.launch_plan != plan.id:
            return f"it ran {failed.launch_plan}, and {plan.id} is asked for now"
        return None

    def _plan_dates(self) -> Backfill:
        """Return the dates to run, told in the log once."""
        from airflow_flyte_provider.model.backfill.results import dates_table

        if self._planned is None:
            start, end = self._window()
            self._planned = self.hook.plan_backfill(
                self.launch_plan,
                start,
                end,
                version=self.version,
                skip_existing=as_bool("skip_existing", self.skip_existing),
                max_nodes=self.max_nodes,
            )
            table = dates_table(self._planned.dates, self._planned.skipped)
            self.log.info("Backfill of %s:\n%s", self._planned.launch_plan.id, table)
        return self._planned

    def _prepare(self) -> LaunchPlan:
        """Return the launch plan that runs the backfill, registered.

        :raises _NothingToRun: when all dates have been run.
        """
        if self._registered is None:
            planned = self._plan_dates()
            if not planned.dates:
                raise _NothingToRun
            shape = {name: getattr(self, name) for name in _SHAPE}
            self._registered = self.hook.register_backfill(
                planned, inputs=self._inputs_of or self.inputs, **shape
            )
        return self._registered

    def _window(self) -> tuple[datetime, datetime]:
        """Return start and end, which templates may have made texts of."""
        end = _moment("end", self.end)
        if self.start is not None:
            return _moment("start", self.start), end
        try:
            return end - read_duration(self.window, "window"), end
        except ValueError as fault:
            raise FlyteConfigError(f"Task {self.task_id!r}: {fault}") from None

    def _collect(self, done: Execution, ti: Any) -> Any:
        """Return what became of each date, or raise for how the backfill ended."""
        from airflow_flyte_provider.model.backfill.results import results_table

        if self.push_metrics:
            push_metrics(self.hook, done.id, ti, self.log)
        results = self.hook.get_backfill_results(done)
        self.log.info("Dates of backfill %s:\n%s", done.id, results_table(results))
        rows = [one.to_dict() for one in results]
        if not done.is_successful:
            ti.xcom_push(key=BACKFILL_KEY, value=rows)
            raise failure(self.hook, done, ti, self.log)
        return rows


def _moment(name: str, value: datetime | str) -> datetime:
    from airflow_flyte_provider.model.texts import parse_datetime

    if isinstance(value, datetime):
        return value
    try:
        return parse_datetime(str(value))
    except ValueError as fault:
        raise FlyteConfigError(f"{name} is {value!r}: {fault}.") from None
