"""What FlyteHook does with executions: launch, look, wait, terminate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_flyte_provider.admin import executions
from airflow_flyte_provider.admin.executions import Launch, Launched
from airflow_flyte_provider.exceptions import (
    FlyteConfigError,
    FlyteNotFoundError,
    FlyteOutputsError,
)
from airflow_flyte_provider.hooks.files import FileVerbs
from airflow_flyte_provider.hooks.registry import RegistryVerbs
from airflow_flyte_provider.model.entities import LaunchPlan, Task, Workflow
from airflow_flyte_provider.model.executions import Execution
from airflow_flyte_provider.model.identifiers import ExecutionId
from airflow_flyte_provider.model.outputs import Outputs
from airflow_flyte_provider.model.xcom import to_xcom


class ExecutionVerbs(RegistryVerbs, FileVerbs):
    """The part of FlyteHook that launches executions and sees to them."""

    def execute(
        self,
        entity: LaunchPlan | Workflow | Task,
        inputs: Mapping[str, Any] | None = None,
        *,
        name: str = "",
        labels: Mapping[str, str] | None = None,
    ) -> Launched:
        """Launch an execution. It is not waited for.

        :param entity: what to execute. A workflow is executed by the launch plan of its own name.
        :param inputs: native Python values by input name. All are checked before anything is launched; then the
            files among them are uploaded.
        :param name: the execution's name; empty lets Flyte choose one.
        :param labels: labels of the execution. An execution that has the name already and carries all of
            these is taken for this one: it is returned, and nothing is launched.
        :raises FlyteInvalidInputsError: naming every input that does not fit.
        :raises FlyteTransferError: when a file could not be uploaded. Nothing was launched.
        :raises FlyteAlreadyExistsError: when the name belongs to an execution without these labels.
        """
        if isinstance(entity, Workflow):
            entity = self.default_launch_plan(entity)
        literals = self.prepare_inputs(entity, inputs or {})
        launch = Launch(ExecutionId(self.project, self.domain, name), entity.id, literals, dict(labels or {}))
        return self.run(executions.create_execution(launch))

    def get_execution(self, execution: ExecutionId) -> Execution:
        """Fetch an execution as it is now.

        :raises FlyteNotFoundError: when there is none of that name.
        """
        return self.run(executions.get_execution(execution))

    def get_inputs(self, execution: ExecutionId) -> Outputs:
        """Fetch the inputs of an execution: native Python values by name, each made when it is asked for."""
        return Outputs(self.run(executions.get_data(execution))[0], fetch=self.fetch)

    def get_outputs(self, execution: ExecutionId) -> Outputs:
        """Fetch the outputs of an execution, as `get_inputs` does; empty before it has succeeded."""
        return Outputs(self.run(executions.get_data(execution))[1], fetch=self.fetch)

    def get_xcom(self, execution: ExecutionId, limit_bytes: int | None) -> dict[str, Any]:
        """Fetch the outputs of an execution as JSON for XCom; files and tables are references in it.

        :param limit_bytes: the most that they may have as JSON, in bytes; None for no limit.
        :raises FlyteOutputsError: when they have more, or cannot be read.
        """
        try:
            return to_xcom(self.get_outputs(execution), limit_bytes)
        except ValueError as fault:
            raise FlyteOutputsError(f"Execution {execution}: {fault}") from None

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
        self, execution: ExecutionId, *, timeout: float | None = None, poll_interval: float = 10.0
    ) -> Execution:
        """Wait until an execution is over, whatever its end, and return it.

        :param timeout: seconds to wait at most; None waits for ever.
        :param poll_interval: seconds between two polls.
        :raises FlyteWaitTimeoutError: when the time is over. The execution goes on.
        """
        return self.run(executions.wait(execution, timeout=timeout, poll_interval=poll_interval))

    def console_url(self, execution: ExecutionId, node_id: str = "") -> str:
        """Return the address of an execution in the Flyte console. Makes no call.

        :param node_id: id of the node to show, such as `n0`; empty for the execution.
        """
        return self.settings.execution_url(execution, node_id)

    def execution_id(self, name: str) -> ExecutionId:
        """Return the id of the execution called `name` in this hook's project and domain.

        :param name: the name alone, or `project/domain/name`, which overrides both.
        :raises FlyteConfigError: when it is neither.
        """
        if "/" not in name:
            return ExecutionId(self.project, self.domain, name)
        try:
            return ExecutionId.parse(name)
        except ValueError as fault:
            raise FlyteConfigError(str(fault)) from None
