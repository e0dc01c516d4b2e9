"""FlyteExecuteOperator: launch something that is registered, and wait for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_flyte_provider.exceptions import FlyteConfigError
from airflow_flyte_provider.model.options import ExecutionOptions
from airflow_flyte_provider.model.records import plain
from airflow_flyte_provider.operators.launching import FlyteLaunchingOperator

if TYPE_CHECKING:
    from flyteidl.core.literals_pb2 import LiteralMap

    from airflow_flyte_provider.admin.executions import Launched
    from airflow_flyte_provider.hooks.workflows import WorkflowLike
    from airflow_flyte_provider.model.tries.task_try import TaskTry
    from airflow_flyte_provider.model.views.entities import LaunchPlan, Task
    from airflow_flyte_provider.model.views.executions import Execution


class FlyteExecuteOperator(FlyteLaunchingOperator):
    """Executes a launch plan, workflow or task on Flyte, waits for it, and returns its outputs.

    How it finds its execution again, retries, waits and stops: see `FlyteLaunchingOperator`, whose parameters it
    takes too. Inputs are checked against the entity's interface before anything is launched.

    :param launch_plan: name of the launch plan to execute (templated). Give exactly one of launch_plan,
        workflow and task.
    :param workflow: name of the workflow to execute, by the launch plan of the same name (templated). Or a
        function that takes a `FlyteHook` and returns an `ImperativeWorkflow`, or such a workflow itself: it is
        registered when the task runs, under `version` or else one that is a hash of what it comes to. A DAG file
        takes the function, which loads gRPC and flyteidl and speaks to Flyte when the task runs.
    :param task: name of the task to execute alone (templated).
    :param version: its version; None takes the latest registered (templated).
    :param inputs: native Python values by input name (templated). Text that a template made ("5", "true",
        "2026-01-01") becomes the declared type.
    :param options: labels, notifications, environment variables and so on, as an `ExecutionOptions` or a dict of
        the same names (templated). A retry that recovers or relaunches keeps those of the try before.
    :raises FlyteError: and its subclasses; see `airflow_flyte_provider.exceptions`.

    Example::

        FlyteExecuteOperator(
            task_id="train",
            launch_plan="ml.train",
            inputs={"day": "{{ ds }}", "epochs": 3},
            deferrable=True,
            retries=2,
        )
    """

    template_fields: Sequence[str] = (
        "launch_plan",
        "workflow",
        "task",
        "version",
        "inputs",
        "options",
        *FlyteLaunchingOperator.template_fields,
    )
    template_fields_renderers = {"inputs": "json", "options": "json"}  # noqa: RUF012 - Airflow's own way to declare it

    def __init__(
        self,
        *,
        launch_plan: str | None = None,
        workflow: str | WorkflowLike | None = None,
        task: str | None = None,
        version: str | None = None,
        inputs: Mapping[str, Any] | None = None,
        options: ExecutionOptions | Mapping[str, Any] | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.launch_plan = launch_plan
        # What builds a workflow is no template: Airflow would call it where it renders the others.
        self._builder = workflow if callable(workflow) or hasattr(workflow, "compile") else None
        self.workflow = None if self._builder else workflow
        self.task = task
        self.version = version
        self.inputs = inputs
        # As a dict: Airflow renders a copy of one, but would write into an object that other task instances share.
        self.options = plain(options)
        self._work: tuple[LaunchPlan | Task, LiteralMap] | None = None
        choices = {"launch_plan": launch_plan, "workflow": workflow, "task": task}
        given = [kind for kind, value in choices.items() if value is not None]
        if len(given) != 1:
            raise FlyteConfigError(
                f"Task {self.task_id!r} is given {' and '.join(given) or 'nothing to execute'}: "
                "give exactly one of launch_plan, workflow and task."
            )

    def launch(self, task_try: TaskTry, name: str) -> Launched:
        """Launch the entity with the inputs."""
        entity, literals = self._prepare()
        self.check_not_stopped()
        launched = self.hook.execute(
            entity, literals, name=name, labels=task_try.labels, options=self.options
        )
        told = "Found again" if launched.adopted else "Launched"
        self.log.info("%s %s as execution %s", told, entity.id, launched.id)
        return launched

    def why_not_rerun(self, failed: Execution) -> str | None:
        """Tell whether `failed` had another version or other inputs than the ones now asked for."""
        entity, literals = self._prepare()
        if failed.launch_plan != entity.id:
            return f"it ran {failed.launch_plan}, and {entity.id} is asked for now"
        if not self.hook.has_inputs(failed.id, literals):
            return "it had other inputs than are asked for now"
        return None

    def _prepare(self) -> tuple[LaunchPlan | Task, LiteralMap]:
        """Return what to launch and its inputs, checked; files are uploaded once."""
        if self._work is None:
            entity = self._fetch_entity()
            self._work = entity, self.hook.prepare_inputs(entity, self.inputs or {})
        return self._work

    def _fetch_entity(self) -> LaunchPlan | Task:
        if self.launch_plan is not None:
            return self.hook.fetch_launch_plan(self.launch_plan, self.version)
        if self._builder is not None:
            return self.hook.default_launch_plan(self.hook.register_workflow(self._builder, self.version))
        if self.workflow is not None:
            return self.hook.default_launch_plan(self.hook.fetch_workflow(self.workflow, self.version))
        return self.hook.fetch_task(str(self.task), self.version)
