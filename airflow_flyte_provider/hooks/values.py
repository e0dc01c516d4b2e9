"""What FlyteHook does with the inputs and outputs of executions: they become Python values."""

from __future__ import annotations

from functools import partial
from typing import Any

from flyteidl.core.interface_pb2 import VariableMap

from airflow_flyte_provider.admin import executions
from airflow_flyte_provider.exceptions import FlyteOutputsError
from airflow_flyte_provider.hooks.files import FileVerbs
from airflow_flyte_provider.hooks.registry import RegistryVerbs
from airflow_flyte_provider.model.identifiers import EntityKind, ExecutionId
from airflow_flyte_provider.model.values.flyte_urls import output_url
from airflow_flyte_provider.model.values.outputs import Outputs
from airflow_flyte_provider.model.values.xcom import to_xcom
from airflow_flyte_provider.model.views.entities import LaunchPlan


class ValueVerbs(RegistryVerbs, FileVerbs):
    """The part of FlyteHook that reads what executions took and gave."""

    def get_inputs(self, execution: ExecutionId) -> Outputs:
        """Fetch the inputs of an execution: native Python values by name, each made when it is asked for.

        Only a value that does not tell ints from floats by itself, such as a protobuf Struct, is read by its declared
        type: that asks for the execution and for what it launched, which is kept for the life of the process.
        """
        literals = self.run(executions.get_data(execution))[0]
        return Outputs(literals, partial(self._declared_inputs, execution), self.fetch, size=self._size_of)

    def get_outputs(self, execution: ExecutionId) -> Outputs:
        """Fetch the outputs of an execution, as `get_inputs` does; empty before it has succeeded."""
        return Outputs(
            self.run(executions.get_data(execution))[1],
            partial(self._declared_outputs, execution),
            self.fetch,
            partial(output_url, execution),
            self._size_of,
        )

    def get_xcom(self, execution: ExecutionId, limit_bytes: int | None) -> dict[str, Any]:
        """Fetch the outputs of an execution as JSON for XCom; files and tables are references in it.

        :param limit_bytes: the most that they may have as JSON, in bytes; None for no limit.
        :raises FlyteOutputsError: when they have more, or cannot be read.
        """
        try:
            return to_xcom(self.get_outputs(execution), limit_bytes)
        except ValueError as fault:
            raise FlyteOutputsError(f"Execution {execution}: {fault}") from None

    def _declared_outputs(self, execution: ExecutionId) -> VariableMap:
        launched = self._entity(self.run(executions.get_execution(execution)).launch_plan)
        return launched.outputs if isinstance(launched, LaunchPlan) else launched.interface.outputs

    def _declared_inputs(self, execution: ExecutionId) -> VariableMap:
        found = self.run(executions.get_execution(execution))
        launched = found.launch_plan
        if launched.kind is EntityKind.LAUNCH_PLAN:  # which leaves out the inputs that it has fixed
            launched = found.workflow or self._entity(launched).workflow
        return self._entity(launched).interface.inputs
