"""Operators that run an execution again, whoever launched it: relaunch, recover."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_flyte_provider.exceptions import FlyteInvalidRequestError
from airflow_flyte_provider.model.options import ExecutionOptions
from airflow_flyte_provider.model.records import plain
from airflow_flyte_provider.operators.launching import FlyteLaunchingOperator

if TYPE_CHECKING:
    from airflow_flyte_provider.admin.executions import Launched
    from airflow_flyte_provider.model.identifiers import ExecutionId
    from airflow_flyte_provider.model.tries.task_try import TaskTry


class _RerunOperator(FlyteLaunchingOperator):
    """What relaunch and recover share: the execution that they are about."""

    template_fields: Sequence[str] = ("execution", "options", *FlyteLaunchingOperator.template_fields)

    def __init__(
        self,
        *,
        execution: str,
        options: ExecutionOptions | Mapping[str, Any] | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.execution = execution
        self.options = plain(options)

    @property
    def source(self) -> ExecutionId:
        """The execution to run again."""
        return self.hook.execution_id(self.execution)

    def _told(self, launched: Launched, what: str) -> Launched:
        told = f"Found again the {what} of" if launched.adopted else f"Started the {what} of"
        self.log.info("%s execution %s as execution %s", told, self.source, launched.id)
        return launched


class FlyteRelaunchOperator(_RerunOperator):
    """Starts an execution over: a new one with its inputs, version and options. Waits for it.

    The one to relaunch may be at any phase. For waiting, retries and stopping see `FlyteLaunchingOperator`, whose
    parameters it takes too; the new execution carries the labels of the old one, for so Flyte makes it.

    :param execution: the execution to relaunch: its name, or "project/domain/name" (templated).
    :param options: `overwrite_cache` runs all its tasks, and replaces what the cache holds for them (templated).
        Flyte takes no other: the new execution has those of the old one.

    Example::

        FlyteRelaunchOperator(
            task_id="again", execution="{{ params.execution }}", options={"overwrite_cache": True}
        )
    """

    def launch(self, task_try: TaskTry, name: str) -> Launched:
        """Relaunch the execution.

        :raises FlyteInvalidOptionsError: naming the options that a relaunch does not take.
        """
        from airflow_flyte_provider.hooks.options import check_relaunch_options

        options = check_relaunch_options(self.options)
        launched = self.hook.relaunch(
            self.source, name=name, labels=task_try.labels, overwrite_cache=bool(options.overwrite_cache)
        )
        return self._told(launched, "relaunch")


class FlyteRecoverOperator(_RerunOperator):
    """Starts an execution that takes over what succeeded in a failed one, and does the rest. Waits for it.

    The result of the task is that of the new execution. For waiting, retries and stopping see
    `FlyteLaunchingOperator`, whose parameters it takes too.

    :param execution: the execution to recover: its name, or "project/domain/name" (templated). It must be over,
        and not have succeeded.
    :param options: Flyte takes none: the new execution has those of the old one.

    Example::

        FlyteRecoverOperator(task_id="repair", execution="{{ params.execution }}", deferrable=True)
    """

    def launch(self, task_try: TaskTry, name: str) -> Launched:
        """Recover the execution.

        :raises FlyteInvalidRequestError: when it still runs or has succeeded. Flyte itself would take it.
        :raises FlyteInvalidOptionsError: when options are given.
        """
        from airflow_flyte_provider.hooks.options import check_relaunch_options

        check_relaunch_options(self.options, "recover")
        failed = self.hook.get_execution(self.source)
        if not failed.is_done or failed.is_successful:
            raise FlyteInvalidRequestError(
                f"Execution {failed.id} cannot be recovered: it is {failed.phase}. Recover one that FAILED, was "
                "ABORTED or TIMED_OUT; to run one again from its beginning, relaunch it."
            )
        launched = self.hook.recover(self.source, name=name, labels=task_try.labels)
        return self._told(launched, "recovery")
