"""What FlyteHook does with executions: launch, look, wait, terminate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from flyteidl.core.literals_pb2 import LiteralMap

from airflow_flyte_provider.admin import executions, rerun
from airflow_flyte_provider.admin.executions import Launch, Launched
from airflow_flyte_provider.admin.nodes import tell_nodes
from airflow_flyte_provider.exceptions import FlyteConfigError, FlyteNotFoundError
from airflow_flyte_provider.hooks.files import FileVerbs
from airflow_flyte_provider.hooks.options import options_of
from airflow_flyte_provider.hooks.registry import RegistryVerbs
from airflow_flyte_provider.model.identifiers import ExecutionId
from airflow_flyte_provider.model.options import ExecutionOptions
from airflow_flyte_provider.model.views.entities import LaunchPlan, Task, Workflow
from airflow_flyte_provider.model.views.executions import Execution
from airflow_flyte_provider.model.views.node_log import NodeLog

#: What a template renders to that finds no XCom. No execution of Flyte is called so: its names are in small letters.
_NO_NAME = ("", "None")


class ExecutionVerbs(RegistryVerbs, FileVerbs):
    """The part of FlyteHook that launches executions and sees to them."""

    def execute(
        self,
        entity: LaunchPlan | Workflow | Task,
        inputs: Mapping[str, Any] | LiteralMap | None = None,
        *,
        name: str = "",
        labels: Mapping[str, str] | None = None,
        options: ExecutionOptions | Mapping[str, Any] | str | None = None,
    ) -> Launched:
        """Launch an execution. It is not waited for.

        :param entity: what to execute. A workflow is executed by the launch plan of its own name.
        :param inputs: native Python values by input name. All are checked before anything is launched; then the
            files among them are uploaded. What `prepare_inputs` returned is taken as it is.
        :param name: the execution's name; empty lets Flyte choose one.
        :param labels: labels of the execution. An execution that has the name already and carries all of
            these is taken for this one: it is returned, and nothing is launched.
        :param options: labels of your own, notifications, environment variables and so on; what is not given is
            as the launch plan has it.
        :raises FlyteInvalidOptionsError: naming every option that does not fit.
        :raises FlyteInvalidInputsError: naming every input that does not fit.
        :raises FlyteTransferError: when a file could not be uploaded. Nothing was launched.
        :raises FlyteAlreadyExistsError: when the name belongs to an execution without these labels.
        """
        if isinstance(entity, Workflow):
            entity = self.default_launch_plan(entity)
        told = options_of(entity, options, labels or {})
        literals = inputs if isinstance(inputs, LiteralMap) else self.prepare_inputs(entity, inputs or {})
        execution = ExecutionId(self.project, self.domain, name)
        launch = Launch(execution, entity.id, literals, dict(labels or {}), told)
        return self.run(executions.create_execution(launch))

    def relaunch(
        self,
        execution: ExecutionId,
        *,
        name: str = "",
        labels: Mapping[str, str] | None = None,
        overwrite_cache: bool = False,
    ) -> Launched:
        """Start an execution over: a new one with its inputs, version and options. It is not waited for.

        :param execution: the one to relaunch, whatever its phase.
        :param name: the new one's name; empty lets Flyte choose one.
        :param labels: an execution that has the name already is returned, and nothing is launched, when it
            carries all of these or was made from `execution`.
        :param overwrite_cache: run all its tasks, and replace what the cache holds for them.
        :raises FlyteNotFoundError: when there is no such execution.
        :raises FlyteAlreadyExistsError: when the name belongs to something else.
        """
        verb = rerun.relaunch(execution, name, labels=labels or {}, overwrite_cache=overwrite_cache)
        return self.run(verb)

    def recover(
        self, execution: ExecutionId, *, name: str = "", labels: Mapping[str, str] | None = None
    ) -> Launched:
        """Start an execution that takes over what succeeded in a failed one, and does the rest.

        :param execution: the one to recover. Flyte recovers one that succeeded or still runs, too; look at its
            phase first.
        :param name: the new one's name; see `relaunch`.
        :param labels: see `relaunch`.
        """
        return self.run(rerun.recover(execution, name, labels=labels or {}))

    def find_executions(self, wanted: Iterable[ExecutionId]) -> dict[ExecutionId, Execution]:
        """Fetch those of many executions that there are, by one call for up to 500; archived ones are not."""
        return self.run(executions.find_executions(wanted))

    def has_inputs(self, execution: ExecutionId, inputs: LiteralMap) -> bool:
        """Tell whether an execution was given these inputs, as `prepare_inputs` returns them."""
        had = self.run(executions.get_data(execution))[0].literals
        return all(name in had and had[name] == value for name, value in inputs.literals.items())

    def get_execution(self, execution: ExecutionId) -> Execution:
        """Fetch an execution as it is now.

        :raises FlyteNotFoundError: when there is none of that name.
        """
        return self.run(executions.get_execution(execution))

    def terminate(self, execution: ExecutionId, cause: str) -> bool:
        """Terminate an execution: it becomes ABORTING at once, and ABORTED some seconds later.

        :param cause: why, for those who find it aborted.
        :returns: False when it was over already.
        """
        return self.run(executions.terminate(execution, cause))

    def terminate_now(self, execution: ExecutionId, cause: str, *, timeout: float = 4.0) -> bool:
        """Terminate an execution from a signal handler: apart from whatever the signal interrupted.

        :param timeout: seconds it may take. Airflow kills a task about 5 s after it has asked it to stop.
        :returns: False when the execution was over already, or was never created.
        """
        try:
            return self.get_conn().run_aside(executions.terminate(execution, cause), timeout)
        except FlyteNotFoundError:
            return False

    def wait(
        self,
        execution: ExecutionId,
        *,
        timeout: float | None = None,
        poll_interval: float = 10.0,
        tell: Callable[[str], object] | None = None,
    ) -> Execution:
        """Wait until an execution is over, whatever its end, and return it.

        :param timeout: seconds to wait at most; None waits for ever.
        :param poll_interval: seconds between two polls.
        :param tell: called with a line of text for each node that changes its phase meanwhile, such as `print`.
        :raises FlyteWaitTimeoutError: when the time is over. The execution goes on.
        """
        observe = partial(tell_nodes, execution, NodeLog(), tell) if tell else None
        return self.run(
            executions.wait(execution, timeout=timeout, poll_interval=poll_interval, observe=observe)
        )

    def console_url(self, execution: ExecutionId, node_id: str = "") -> str:
        """Return the address of an execution in the Flyte console. Makes no call.

        :param node_id: id of the node to show, such as `n0`; empty for the execution.
        """
        return self.settings.execution_url(execution, node_id)

    def execution_id(self, name: str) -> ExecutionId:
        """Return the id of the execution called `name` in this hook's project and domain.

        :param name: the name alone, or `project/domain/name`, which overrides both.
        :raises FlyteConfigError: when it is neither, or what a template makes of an XCom that is not there.
        """
        if not isinstance(name, str) or name.strip() in _NO_NAME:
            raise FlyteConfigError(
                f"No execution is named: got {name!r}. A template gives this where the XCom that it reads is not "
                "there: check the id of the task that launches the execution, and that it has run."
            )
        if "/" not in name:
            return ExecutionId(self.project, self.domain, name)
        try:
            return ExecutionId.parse(name)
        except ValueError as fault:
            raise FlyteConfigError(str(fault)) from None
