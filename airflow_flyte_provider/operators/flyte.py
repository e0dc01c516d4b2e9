"""What a DAG author writes to run things on Flyte.

Imported wherever a DAG file is parsed: gRPC, protobuf and flyteidl load when a task runs, not here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperator, conf

from airflow_flyte_provider.exceptions import (
    FlyteAlreadyExistsError,
    FlyteConfigError,
    FlyteError,
    FlyteExecutionError,
    FlyteWaitTimeoutError,
)
from airflow_flyte_provider.links.flyte import CONSOLE_URL_KEY, FlyteExecutionLink
from airflow_flyte_provider.model.files import XCOM_LIMIT_BYTES
from airflow_flyte_provider.model.identifiers import ExecutionId
from airflow_flyte_provider.model.labels import identity_labels
from airflow_flyte_provider.model.names import execution_name
from airflow_flyte_provider.operators.activation import FlyteActivateLaunchPlanOperator
from airflow_flyte_provider.operators.register import FlyteRegisterOperator
from airflow_flyte_provider.triggers.events import ExecutionEvent, deadline
from airflow_flyte_provider.triggers.flyte import FlyteExecutionTrigger

__all__ = ["FlyteActivateLaunchPlanOperator", "FlyteExecuteOperator", "FlyteRegisterOperator"]

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_flyte_provider.hooks.flyte import FlyteHook
    from airflow_flyte_provider.model.entities import LaunchPlan, Task, Workflow

#: XComs that a launching operator pushes before it waits, beside `flyte_console_url`.
EXECUTION_NAME_KEY = "flyte_execution_name"
EXECUTION_ID_KEY = "flyte_execution_id"


class FlyteExecuteOperator(BaseOperator):
    """Executes a launch plan, workflow or task on Flyte, waits for it, and returns its outputs.

    One try of a task launches one execution: its name is a function of DAG, task, run, map index and try, so a
    worker that dies after launching finds its execution again instead of launching another. Inputs are checked
    against the entity's interface before anything is launched.

    Before the wait begins the XComs `flyte_execution_name`, `flyte_execution_id` ("project/domain/name") and
    `flyte_console_url` are pushed. The return value is a dict of the outputs as JSON, with references instead of
    files and tables, or the execution's id when it does not wait.

    :param launch_plan: name of the launch plan to execute (templated). Give exactly one of launch_plan,
        workflow and task.
    :param workflow: name of the workflow to execute, by the launch plan of the same name (templated).
    :param task: name of the task to execute alone (templated).
    :param version: its version; None takes the latest registered (templated).
    :param inputs: native Python values by input name (templated). Text that a template made ("5", "true",
        "2026-01-01") becomes the declared type.
    :param project: Flyte project; default: the connection's (templated).
    :param domain: Flyte domain; default: the connection's (templated).
    :param flyte_conn_id: the Airflow connection (templated).
    :param wait_for_completion: wait until the execution is over.
    :param deferrable: wait in the triggerer instead of a worker; default: `[operators] default_deferrable`.
    :param poll_interval: seconds between two polls.
    :param cancel_on_kill: terminate the execution when the task is killed or runs into `execution_timeout`.
    :param xcom_limit_bytes: bytes of JSON that the outputs may have at most; no limit with `do_xcom_push=False`.
    :raises FlyteError: and its subclasses; see `airflow_flyte_provider.exceptions`.

    Example::

        FlyteExecuteOperator(
            task_id="train",
            launch_plan="ml.train",
            inputs={"day": "{{ ds }}", "epochs": 3},
            deferrable=True,
        )
    """

    template_fields: Sequence[str] = (
        "launch_plan",
        "workflow",
        "task",
        "version",
        "inputs",
        "project",
        "domain",
        "flyte_conn_id",
    )
    template_fields_renderers = {"inputs": "json"}  # noqa: RUF012 - Airflow's own way to declare it
    operator_extra_links = (FlyteExecutionLink(),)
    ui_color = "#7652a2"
    ui_fgcolor = "#fff"

    def __init__(
        self,
        *,
        launch_plan: str | None = None,
        workflow: str | None = None,
        task: str | None = None,
        version: str | None = None,
        inputs: Mapping[str, Any] | None = None,
        project: str | None = None,
        domain: str | None = None,
        flyte_conn_id: str = "flyte_default",
        wait_for_completion: bool = True,
        deferrable: bool = conf.getboolean("operators", "default_deferrable", fallback=False),
        poll_interval: float = 10.0,
        cancel_on_kill: bool = True,
        xcom_limit_bytes: int = XCOM_LIMIT_BYTES,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.launch_plan = launch_plan
        self.workflow = workflow
        self.task = task
        self.version = version
        self.inputs = inputs
        self.project = project
        self.domain = domain
        self.flyte_conn_id = flyte_conn_id
        self.wait_for_completion = wait_for_completion
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self.cancel_on_kill = cancel_on_kill
        self.xcom_limit_bytes = xcom_limit_bytes
        self._running: tuple[ExecutionId, str] | None = None
        given = [kind for kind in ("launch_plan", "workflow", "task") if getattr(self, kind) is not None]
        if len(given) != 1:
            raise FlyteConfigError(
                f"Task {self.task_id!r} is given {' and '.join(given) or 'nothing to execute'}: "
                "give exactly one of launch_plan, workflow and task."
            )

    @cached_property
    def hook(self) -> FlyteHook:
        """The hook to Flyte, made when a task runs."""
        from airflow_flyte_provider.hooks.flyte import FlyteHook

        return FlyteHook(self.flyte_conn_id, project=self.project, domain=self.domain)

    def execute(self, context: Context) -> Any:
        """Launch, and wait or defer; called by Airflow."""
        ti = context["ti"]
        identity = {
            key: getattr(ti, key) for key in ("dag_id", "task_id", "run_id", "map_index", "try_number")
        }
        name = execution_name(**identity)
        entity = self._fetch_entity()
        # Known before the launch: a kill that comes while the answer is on its way still finds it.
        self._running = ExecutionId(self.hook.project, self.hook.domain, name), str(identity["run_id"])
        try:
            launched = self.hook.execute(entity, self.inputs, name=name, labels=identity_labels(**identity))
        except FlyteAlreadyExistsError:
            self._running = None  # somebody else's, so not ours to terminate
            raise
        url = self.hook.console_url(launched.id)
        self.log.info(
            "%s %s as execution %s: %s",
            "Found again" if launched.adopted else "Launched",
            entity.id,
            launched.id,
            url,
        )
        ti.xcom_push(key=EXECUTION_NAME_KEY, value=launched.id.name)
        ti.xcom_push(key=EXECUTION_ID_KEY, value=str(launched.id))
        ti.xcom_push(key=CONSOLE_URL_KEY, value=url)
        if not self.wait_for_completion:
            return str(launched.id)
        if self.deferrable:
            self._defer(launched.id, context)
        done = self.hook.wait(launched.id, poll_interval=self.poll_interval)
        return self._collect(done.id, done.phase.value)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        """Take up again after the trigger has fired; called by Airflow.

        :param event: what `FlyteExecutionTrigger` yielded.
        """
        fired = ExecutionEvent.read(event)
        if fired.timed_out:
            self._give_up(fired.execution, context)
        return self._collect(fired.execution, fired.phase)

    def on_kill(self) -> None:
        """Terminate the execution when Airflow kills the task; called by Airflow in a signal handler."""
        if self._running is None or not self.cancel_on_kill:
            return
        execution, run_id = self._running
        cause = f"Airflow stopped task {self.dag_id}.{self.task_id} of run {run_id}"
        try:
            if self.hook.terminate_now(execution, cause):
                self.log.info("Terminated execution %s: %s", execution, cause)
        except FlyteError as fault:
            self.log.error("Execution %s could not be terminated: %s", execution, fault)

    def _fetch_entity(self) -> LaunchPlan | Workflow | Task:
        if self.launch_plan is not None:
            return self.hook.fetch_launch_plan(self.launch_plan, self.version)
        if self.workflow is not None:
            return self.hook.fetch_workflow(self.workflow, self.version)
        return self.hook.fetch_task(str(self.task), self.version)

    def _defer(self, execution: ExecutionId, context: Context) -> None:
        limit = self.execution_timeout.total_seconds() if self.execution_timeout else None
        trigger = FlyteExecutionTrigger(
            flyte_conn_id=self.flyte_conn_id,
            execution=str(execution),
            poll_interval=self.poll_interval,
            deadline=deadline(context["ti"], limit),
        )
        # Without a timeout of Airflow's own: that one would skip execute_complete and leave Flyte running.
        self.defer(trigger=trigger, method_name="execute_complete", timeout=None)

    def _give_up(self, execution: ExecutionId, context: Context) -> None:
        told = "it goes on"
        if self.cancel_on_kill:
            cause = f"Airflow task {self.dag_id}.{self.task_id} of run {context['ti'].run_id} timed out"
            told = "it was terminated" if self.hook.terminate(execution, cause) else "it has ended meanwhile"
        raise FlyteWaitTimeoutError(
            f"Execution {execution} was not over within execution_timeout={self.execution_timeout}; {told}. "
            f"See {self.hook.console_url(execution)}"
        )

    def _collect(self, execution: ExecutionId, phase: str) -> dict[str, Any]:
        """Return the outputs of an execution that is over, or raise for how it ended."""
        if phase != "SUCCEEDED":
            raise FlyteExecutionError.of(self.hook.get_execution(execution), self.hook.console_url(execution))
        outputs = self.hook.get_xcom(execution, self.xcom_limit_bytes if self.do_xcom_push else None)
        self.log.info("Execution %s succeeded with the outputs: %s", execution, ", ".join(outputs) or "none")
        return outputs
