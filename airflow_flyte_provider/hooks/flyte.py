"""FlyteHook: an Airflow connection in, the verbs of Flyte out.

This module is imported when a task runs, never when a DAG file is parsed: it loads gRPC and flyteidl.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from airflow.providers.common.compat.sdk import AirflowNotFoundException, BaseHook

from airflow_flyte_provider.admin import executions, registry
from airflow_flyte_provider.admin.client import AsyncClient, Client, Verb
from airflow_flyte_provider.admin.executions import Launch, Launched
from airflow_flyte_provider.admin.settings import Settings, unknown_extras
from airflow_flyte_provider.exceptions import (
    FlyteConfigError,
    FlyteError,
    FlyteNotFoundError,
    FlyteOutputsError,
)
from airflow_flyte_provider.hooks.connection_form import CONNECTION_FIELDS, FIELD_BEHAVIOUR
from airflow_flyte_provider.hooks.files import FileVerbs
from airflow_flyte_provider.model.entities import LaunchPlan, Task, Workflow
from airflow_flyte_provider.model.executions import Execution
from airflow_flyte_provider.model.identifiers import EntityId, EntityKind, ExecutionId
from airflow_flyte_provider.model.outputs import Outputs
from airflow_flyte_provider.model.xcom import to_xcom

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Connection

T = TypeVar("T")

#: Entities never change under a version, so what was fetched once is kept for the life of the process.
_entities: dict[tuple[str, EntityId], LaunchPlan | Workflow | Task] = {}
_ENTITIES_KEPT = 1000


class FlyteHook(FileVerbs, BaseHook):
    """Speaks to one Flyte, as an Airflow connection of type `flyte` describes it.

    :param flyte_conn_id: the Airflow connection. Host and port are FlyteAdmin's gRPC endpoint; the extra
        fields are described in `airflow_flyte_provider.hooks.connection_form`.
    :param project: Flyte project for everything this hook does; default: the connection's.
    :param domain: Flyte domain, likewise.

    Making a hook makes no call and reads no connection. Every method raises a subclass of
    `airflow_flyte_provider.exceptions.FlyteError` and no other exception. Example::

        hook = FlyteHook(project="flytesnacks", domain="development")
        plan = hook.fetch_launch_plan("demo.add_one")
        launched = hook.execute(plan, {"a": 5})
        done = hook.wait(launched.id, timeout=600)
        print(done.phase, hook.get_outputs(done.id))
    """

    conn_name_attr = "flyte_conn_id"
    default_conn_name = "flyte_default"
    conn_type = "flyte"
    hook_name = "Flyte"

    def __init__(
        self,
        flyte_conn_id: str = default_conn_name,
        project: str | None = None,
        domain: str | None = None,
    ) -> None:
        super().__init__()
        self.flyte_conn_id = flyte_conn_id
        self._project = project
        self._domain = domain

    @cached_property
    def settings(self) -> Settings:
        """The connection's settings, read on first use.

        :raises FlyteConfigError: when there is no such connection, or a field of it cannot be used.
        """
        try:
            connection = self.get_connection(self.flyte_conn_id)
        except AirflowNotFoundException:
            raise self._no_connection() from None
        return self._read(connection)

    async def load_settings(self) -> Settings:
        """Read the connection without blocking the event loop, and keep its settings for this hook.

        :raises FlyteConfigError: see `settings`.
        """
        from airflow.providers.common.compat.connection import get_async_connection

        try:
            connection = await get_async_connection(self.flyte_conn_id)
        except AirflowNotFoundException:
            raise self._no_connection() from None
        self.settings = self._read(connection)
        return self.settings

    def get_conn(self) -> Client:
        """Return the client under this hook, for verbs that the hook has no method for."""
        return Client(self.settings)

    def run(self, verb: Verb[T]) -> T:
        """Run a verb of `airflow_flyte_provider.admin` and return its result."""
        return self.get_conn().run(verb)

    async def arun(self, verb: Verb[T]) -> T:
        """Run a verb on the event loop and return its result. `load_settings` comes first."""
        return await AsyncClient(self.settings).run(verb)

    # -- what is registered -----------------------------------------------------------------------------

    def fetch_launch_plan(self, name: str, version: str | None = None) -> LaunchPlan:
        """Fetch a launch plan.

        :param name: its name, as in `demo.add_one`.
        :param version: its version; None takes the latest registered.
        :raises FlyteNotFoundError: naming the nearest names, or the versions there are.
        """
        return self._fetch(EntityKind.LAUNCH_PLAN, name, version)

    def fetch_workflow(self, name: str, version: str | None = None) -> Workflow:
        """Fetch a workflow; see `fetch_launch_plan`."""
        return self._fetch(EntityKind.WORKFLOW, name, version)

    def fetch_task(self, name: str, version: str | None = None) -> Task:
        """Fetch a task; see `fetch_launch_plan`."""
        return self._fetch(EntityKind.TASK, name, version)

    # -- executions -------------------------------------------------------------------------------------

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
            entity = self._default_launch_plan(entity)
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

    def console_url(self, execution: ExecutionId) -> str:
        """Return the address of an execution in the Flyte console. Makes no call."""
        return self.settings.execution_url(execution)

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

    # -- the connection ---------------------------------------------------------------------------------

    @property
    def project(self) -> str:
        """The Flyte project in use.

        :raises FlyteConfigError: when neither the hook nor its connection names one.
        """
        return self._scope("project", self._project or self.settings.project)

    @property
    def domain(self) -> str:
        """The Flyte domain in use; see `project`."""
        return self._scope("domain", self._domain or self.settings.domain)

    def test_connection(self) -> tuple[bool, str]:
        """Say whether Flyte can be reached, for the "Test" button of Airflow's connection form."""
        try:
            version = self.run(registry.get_version())
            projects = self.run(registry.list_projects())
            settings = self.settings
        except FlyteError as fault:
            return False, str(fault)
        told = f" {version}" if version and version != "unknown" else ""
        reached = f"Reached Flyte{told} at {settings.endpoint}"
        if settings.project and settings.project not in projects:
            return (
                False,
                f"{reached}, but it has no project {settings.project!r}: {', '.join(sorted(projects))}.",
            )
        domains = projects.get(settings.project or "", [])
        if settings.project and settings.domain and settings.domain not in domains:
            return False, (
                f"{reached}, but project {settings.project!r} has no domain {settings.domain!r}: "
                f"{', '.join(domains)}."
            )
        return True, f"{reached}, with {len(projects)} project{'s' if len(projects) != 1 else ''}."

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """Return which standard fields the connection form of Airflow < 3.2 shows."""
        return {key.replace("-", "_"): value for key, value in FIELD_BEHAVIOUR.items()}

    @classmethod
    def get_connection_form_widgets(cls) -> dict[str, Any]:
        """Return the extra fields of the connection form of Airflow < 3.2, made from the same description."""
        from flask_appbuilder.fieldwidgets import BS3TextFieldWidget
        from wtforms import BooleanField, StringField

        def widget(field: dict[str, Any]) -> Any:
            if "boolean" in field["schema"]["type"]:
                return BooleanField(field["label"], description=field["description"])
            return StringField(field["label"], widget=BS3TextFieldWidget(), description=field["description"])

        return {key: widget(field) for key, field in CONNECTION_FIELDS.items()}

    # -- inside -----------------------------------------------------------------------------------------

    def _fetch(self, kind: EntityKind, name: str, version: str | None) -> Any:
        wanted = EntityId(kind, self.project, self.domain, name, version or "")
        known = _entities.get((self.settings.endpoint, wanted))
        return known or self._keep(self.run(registry.get_entity(wanted)))

    def _default_launch_plan(self, workflow: Workflow) -> LaunchPlan:
        wanted = EntityId(
            EntityKind.LAUNCH_PLAN, self.project, self.domain, workflow.id.name, workflow.id.version
        )
        known = _entities.get((self.settings.endpoint, wanted))
        return known or self._keep(self.run(registry.get_default_launch_plan(workflow)))

    def _keep(self, entity: Any) -> Any:
        while len(_entities) >= _ENTITIES_KEPT:
            del _entities[next(iter(_entities))]
        _entities[self.settings.endpoint, entity.id] = entity
        return entity

    def _read(self, connection: Connection) -> Settings:
        try:
            extra = json.loads(connection.extra or "{}")
        except ValueError:
            extra = None
        if not isinstance(extra, dict):  # what it is instead is not shown: it may hold a secret
            raise FlyteConfigError(f"Connection {self.flyte_conn_id!r}: its extra is not a JSON object.")
        for key, known in unknown_extras(extra).items():
            hint = f" Did you mean {known[0]!r}?" if known else ""
            self.log.warning(
                "Connection %r has the extra field %r, which is not used.%s", self.flyte_conn_id, key, hint
            )
        return Settings.from_fields(
            conn_id=self.flyte_conn_id, host=connection.host, port=connection.port, extra=extra
        )

    def _no_connection(self) -> FlyteConfigError:
        return FlyteConfigError(
            f"There is no Airflow connection {self.flyte_conn_id!r}. Add one of type 'flyte' whose host is "
            f"FlyteAdmin's, or set flyte_conn_id to one there is."
        )

    def _scope(self, what: str, value: str | None) -> str:
        if not value:
            raise FlyteConfigError(
                f"No Flyte {what} is named: give the task a {what}, or set it in the extra of the Airflow "
                f"connection {self.flyte_conn_id!r}."
            )
        return value
