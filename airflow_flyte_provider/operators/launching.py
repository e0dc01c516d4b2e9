"""The way of one execution, the same for every operator that launches one: find or launch, wait, collect."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

from airflow.providers.common.compat.sdk import AirflowTaskTimeout, conf

from airflow_flyte_provider.exceptions import (
    FlyteAlreadyExistsError,
    FlyteConfigError,
    FlyteError,
    FlyteInvalidRequestError,
    FlyteNotFoundError,
    FlyteWaitTimeoutError,
)
from airflow_flyte_provider.links.flyte import CONSOLE_URL_KEY, FlyteExecutionLink, FlyteLogLink
from airflow_flyte_provider.model.files import XCOM_LIMIT_BYTES
from airflow_flyte_provider.model.redaction import printable
from airflow_flyte_provider.model.tries import causes
from airflow_flyte_provider.model.tries.names import check_execution_name
from airflow_flyte_provider.model.tries.retries import OnRetry, Plan, Step, plan_retry
from airflow_flyte_provider.model.tries.task_try import TaskTry
from airflow_flyte_provider.operators.arguments import as_interval, as_limit
from airflow_flyte_provider.operators.base import FlyteOperator
from airflow_flyte_provider.operators.reporting import failure, push_metrics, with_nodes
from airflow_flyte_provider.operators.retrying import earlier_executions, on_retry_of
from airflow_flyte_provider.operators.stopping import Stopping
from airflow_flyte_provider.triggers.events import EXECUTION_ID_KEY, ExecutionEvent, deadline
from airflow_flyte_provider.triggers.flyte import FlyteExecutionTrigger

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_flyte_provider.admin.executions import Launched
    from airflow_flyte_provider.model.identifiers import ExecutionId
    from airflow_flyte_provider.model.views.executions import Execution

#: XCom with the execution's name, pushed before a wait begins.
EXECUTION_NAME_KEY = "flyte_execution_name"


class FlyteLaunchingOperator(FlyteOperator):
    """An operator whose task launches one execution a try and sees to it.

    One try launches one execution: its name is a function of DAG, task, run, map index and try, so a worker that
    dies after launching finds its execution again. A retry looks at what the tries before have left: it waits
    for what still runs, takes the outputs of what succeeded, and repairs what failed as `on_retry` says. A task
    that was cleared starts anew.

    Before the wait begins the XComs `flyte_execution_name`, `flyte_execution_id` ("project/domain/name") and
    `flyte_console_url` are pushed. The task's log tells each node that changes its phase, and in the end a table of
    all nodes; of a failure the path to the failing node, its error and the pages with its log, the first of which
    is a link on the task too, from the XCom `flyte_log_url`. The return value is a dict of the outputs as JSON, with
    references instead of files and tables, or the execution's id when the task does not wait.

    :param execution_name: the execution's name (templated). A retry appends its number: "nightly", "nightly-2".
        Default: made from the Airflow identity.
    :param execution_name_prefix: what the name begins with, instead of the task's id (templated).
    :param on_retry: what a retry does when the execution of the try before has failed (templated): "recover"
        takes over what succeeded in it, "relaunch" starts it over with its inputs and version, "new" launches
        as the first try did. Where recover or relaunch would do other work than is asked for now, as after a
        new version was registered, a retry launches anew and says so in the log.
    :param wait_for_completion: wait until the execution is over.
    :param deferrable: wait in the triggerer instead of a worker; default: `[operators] default_deferrable`.
    :param poll_interval: time between two polls, as seconds or a timedelta.
    :param timeout: how long the task may wait, as seconds or a timedelta, counted from the start of the try.
    :param terminate_on_timeout: terminate the execution when `timeout` or `execution_timeout` is over.
    :param cancel_on_kill: terminate the execution when the task is cleared, marked or its run is stopped, in a
        worker or deferred.
    :param xcom_limit_bytes: bytes of JSON that the outputs may have at most; no limit with `do_xcom_push=False`.
    :param push_metrics: push to XCom, as `flyte_metrics`, where the time went: total seconds by kind.
    """

    template_fields: Sequence[str] = (
        "execution_name",
        "execution_name_prefix",
        "on_retry",
        *FlyteOperator.template_fields,
    )
    operator_extra_links = (FlyteExecutionLink(), FlyteLogLink())

    def __init__(
        self,
        *,
        execution_name: str | None = None,
        execution_name_prefix: str | None = None,
        on_retry: str = OnRetry.RECOVER.value,
        wait_for_completion: bool = True,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poll_interval: float | timedelta = 10.0,
        timeout: float | timedelta | None = None,
        terminate_on_timeout: bool = True,
        cancel_on_kill: bool = True,
        xcom_limit_bytes: int = XCOM_LIMIT_BYTES,
        push_metrics: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.execution_name = execution_name
        self.execution_name_prefix = execution_name_prefix
        self.on_retry = on_retry
        self.wait_for_completion = wait_for_completion
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.timeout = timeout
        self.terminate_on_timeout = terminate_on_timeout
        self.cancel_on_kill = cancel_on_kill
        self.xcom_limit_bytes = xcom_limit_bytes
        self.push_metrics = push_metrics
        self._stopping: Stopping | None = None
        self._cause_of_timeout: str | None = None

    # -- what each operator does in its own way ---------------------------------------------------------

    @abstractmethod
    def launch(self, task_try: TaskTry, name: str) -> Launched:
        """Launch the execution of a try that has nothing to go on with.

        :param task_try: the try, whose labels the execution carries.
        :param name: the execution's name. The launch adopts what this try has launched under it before.
        """

    def check_not_stopped(self) -> None:
        """Raise when Airflow has stopped the task meanwhile: to be called right before a launch.

        :raises FlyteError: a kill that came while files were uploaded found no execution to terminate.
        """
        if self._stopping and self._stopping.stopped:
            raise FlyteError("Airflow stopped the task before anything was launched.")

    def why_not_rerun(self, failed: Execution) -> str | None:
        """Return why a rerun of `failed` would not do what is asked for now, as a clause; None when it would."""
        return None

    @property
    def source(self) -> ExecutionId | None:
        """The execution that all tries rerun, for an operator that is about one."""
        return None

    # -- what Airflow calls -----------------------------------------------------------------------------

    def execute(self, context: Context) -> Any:
        """Find the execution of a try before or launch one, and wait or defer; called by Airflow."""
        self._check_arguments()
        ti = context["ti"]
        task_try = self._try(ti)
        has_retry = task_try.try_number <= (getattr(ti, "max_tries", None) or 0)
        self._stopping = stopping = Stopping(self.hook, task_try, has_retry=has_retry, log=self.log)
        try:
            execution, found = self._begin(task_try, stopping)
            self._tell(execution, ti)
            if not self.wait_for_completion:
                return str(execution)
            if found is None and self.deferrable:
                self._defer(execution, task_try, context)
            return self._collect(found or self._wait(execution, task_try, context), ti)
        except AirflowTaskTimeout:
            self._cause_of_timeout = causes.timed_out(str(task_try))  # Airflow calls on_kill next
            raise

    def _check_arguments(self) -> None:
        # Before anything is launched: a fault told later leaves an execution that nobody watches.
        _ = self._limit, self._interval, on_retry_of(self.on_retry)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Take up again after the trigger has fired; called by Airflow.

        :param event: what `FlyteExecutionTrigger` yielded.
        """
        ti = context["ti"]
        awaited = ti.xcom_pull(task_ids=ti.task_id, key=EXECUTION_ID_KEY, map_indexes=ti.map_index)
        if awaited and awaited != event["execution"]:
            # On SQLite Airflow gives the ids of triggers anew, and so the event of one to the task of another.
            self.log.warning(
                "This event is about execution %s: waiting on for %s.", event["execution"], awaited
            )
            self._defer(self.hook.execution_id(awaited), self._try(ti), context)
        fired = ExecutionEvent.read(event)
        if fired.timed_out:
            self._give_up(fired.execution, self._try(ti))
        return self._collect(self.hook.get_execution(fired.execution), ti)

    def on_kill(self) -> None:
        """Terminate the execution when Airflow stops the task; called by Airflow in a signal handler."""
        if self._stopping is None:
            return
        if self._cause_of_timeout:
            if self.terminate_on_timeout:
                self._stopping.terminate(self._cause_of_timeout)
        elif self.cancel_on_kill:
            self._stopping.stop()

    # -- the way of one try -----------------------------------------------------------------------------

    def _try(self, ti: Any) -> TaskTry:
        return TaskTry.of(ti, retries=self.retries or 0, deployment=self.hook.settings.deployment)

    def _name(self, task_try: TaskTry) -> str:
        name = task_try.name(chosen=self.execution_name or "", prefix=self.execution_name_prefix or "")
        if fault := check_execution_name(name):
            raise FlyteConfigError(f"Task {self.task_id!r} cannot launch: {fault}.")
        return name

    def _begin(self, task_try: TaskTry, stopping: Stopping) -> tuple[ExecutionId, Execution | None]:
        """Return the execution of this try, and what is known of it when it is over already."""
        plan = self._plan(task_try)
        if plan and plan.execution and plan.step is Step.WATCH:
            stopping.execution = plan.execution.id
            return plan.execution.id, plan.execution if plan.execution.is_done else None
        stopping.execution = own = self._id(task_try)
        try:
            launched = self._launch(task_try, own.name, plan)
        except FlyteAlreadyExistsError:
            stopping.execution = None  # somebody else's, so not ours to terminate
            raise
        if stopping.stopped:  # it was not there yet when it was to be terminated
            stopping.terminate(causes.stopped(str(task_try)))
        return launched.id, None

    def _id(self, task_try: TaskTry) -> ExecutionId:
        """Return the id of the execution of a try; a rerun is where its source is."""
        named = self.hook.execution_id(self._name(task_try))
        return replace(self.source, name=named.name) if self.source else named

    def _plan(self, task_try: TaskTry) -> Plan | None:
        """Return what this retry does; None when it is a first try, or the first since the task was cleared."""
        if task_try.try_number == 1:
            return None
        earlier = earlier_executions(
            self.hook, task_try, self._id, source=self.source, sweep=self.cancel_on_kill, log=self.log
        )
        if task_try.is_first:
            return None
        plan = plan_retry(earlier, on_retry_of(self.on_retry))
        if plan.execution and plan.step is not Step.WATCH and (why := self.why_not_rerun(plan.execution)):
            plan = Plan(Step.LAUNCH, None, f"{plan.why} But {why}: launching anew.")
        self.log.info("%s", plan.why)
        return plan

    def _launch(self, task_try: TaskTry, name: str, plan: Plan | None) -> Launched:
        if plan is None or plan.execution is None:
            return self.launch(task_try, name)
        failed = plan.execution.id
        try:
            if plan.step is Step.RECOVER:
                return self.hook.recover(failed, name=name, labels=task_try.labels)
            return self.hook.relaunch(failed, name=name, labels=task_try.labels)
        except (FlyteInvalidRequestError, FlyteNotFoundError) as fault:
            self.log.warning("Flyte does not %s it: launching anew. %s", plan.step.value, fault)
            return self.launch(task_try, name)

    def _tell(self, execution: ExecutionId, ti: Any) -> None:
        url = self.hook.console_url(execution)
        self.log.info("Execution %s: %s", execution, url)
        ti.xcom_push(key=EXECUTION_NAME_KEY, value=execution.name)
        ti.xcom_push(key=EXECUTION_ID_KEY, value=str(execution))
        ti.xcom_push(key=CONSOLE_URL_KEY, value=url)

    @property
    def _limit(self) -> float | None:
        return as_limit("timeout", self.timeout)

    @property
    def _interval(self) -> float:
        return as_interval("poll_interval", self.poll_interval)

    def _defer(self, execution: ExecutionId, task_try: TaskTry, context: Context) -> None:
        of_airflow = as_limit("execution_timeout", self.execution_timeout)
        limits = [limit for limit in (self._limit, of_airflow) if limit is not None]
        trigger = FlyteExecutionTrigger(
            flyte_conn_id=self.flyte_conn_id,
            execution=str(execution),
            poll_interval=self._interval,
            deadline=deadline(context["ti"], min(limits, default=None)),
            cause_on_kill=causes.stopped(str(task_try)) if self.cancel_on_kill else "",
        )
        # Without a timeout of Airflow's own: that one would skip execute_complete and leave Flyte running.
        self.defer(trigger=trigger, method_name="execute_complete", timeout=None)

    def _wait(self, execution: ExecutionId, task_try: TaskTry, context: Context) -> Execution:
        limit = deadline(context["ti"], self._limit)
        left = None if limit is None else max(limit - time.time(), 0)
        try:
            return self.hook.wait(execution, timeout=left, poll_interval=self._interval, tell=self._tell_node)
        except FlyteWaitTimeoutError:
            self._give_up(execution, task_try)

    def _tell_node(self, line: str) -> None:
        self.log.info("%s", line)

    def _give_up(self, execution: ExecutionId, task_try: TaskTry) -> NoReturn:
        told = "it goes on"
        if self.terminate_on_timeout:
            ended = not self.hook.terminate(execution, causes.timed_out(str(task_try)))
            told = "it has ended meanwhile" if ended else "it was terminated"
        limits = {"timeout": self.timeout, "execution_timeout": self.execution_timeout}
        given = " and ".join(f"{key}={value}" for key, value in limits.items() if value is not None)
        raise FlyteWaitTimeoutError(
            f"Execution {execution} was not over within {given}; {told}. See {self.hook.console_url(execution)}"
        )

    def _collect(self, done: Execution, ti: Any) -> Any:
        """Return the outputs of an execution that is over, or raise for how it ended."""
        if self.push_metrics:
            push_metrics(self.hook, done.id, ti, self.log)
        if not done.is_successful:
            raise failure(self.hook, done, ti, self.log)
        with_nodes(self.hook, done, self.log)
        outputs = self.hook.get_xcom(done.id, self.xcom_limit_bytes if self.do_xcom_push else None)
        self.log.info(
            "Execution %s succeeded with the outputs: %s", done.id, printable(", ".join(outputs)) or "none"
        )
        return outputs
