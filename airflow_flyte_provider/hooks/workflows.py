"""What FlyteHook does with workflows that are put together in Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from airflow_flyte_provider.admin import registration
from airflow_flyte_provider.exceptions import FlyteConfigError, FlyteInvalidRequestError
from airflow_flyte_provider.hooks.registry import RegistryVerbs
from airflow_flyte_provider.model.building.errors import BuildError
from airflow_flyte_provider.model.building.imperative import ImperativeWorkflow
from airflow_flyte_provider.model.identifiers import EntityId, EntityKind
from airflow_flyte_provider.model.views.entities import Workflow

if TYPE_CHECKING:
    from airflow_flyte_provider.hooks.flyte import FlyteHook

#: A workflow, or a function that puts it together from what it fetches by the hook.
WorkflowLike: TypeAlias = "ImperativeWorkflow | Callable[[FlyteHook], ImperativeWorkflow]"


class WorkflowVerbs(RegistryVerbs):
    """The part of FlyteHook that registers workflows put together in Python."""

    def register_workflow(self, workflow: WorkflowLike, version: str | None = None) -> Workflow:
        """Register a workflow and its default launch plan in this hook's project and domain, and fetch it.

        The same workflow under the same version is there already, which is no fault.

        :param workflow: the workflow, or a function that takes this hook and returns it.
        :param version: the version; None takes one that is a hash of what the workflow comes to.
        :raises FlyteInvalidRequestError: when it does not hold together, or Flyte cannot compile it.
        :raises FlyteAlreadyExistsError: when Flyte has this version with another structure.
        :raises FlyteConfigError: when the function returns something else.

        Example::

            flow = ImperativeWorkflow("sales.twice")
            day = flow.add_input("day", datetime)
            flow.add_node(hook.fetch_launch_plan("sales.report"), day=day)
            hook.execute(hook.register_workflow(flow), {"day": "2026-01-01"})
        """
        try:
            built = workflow if isinstance(workflow, ImperativeWorkflow) else workflow(self)  # type: ignore[arg-type]
            if not isinstance(built, ImperativeWorkflow):
                raise FlyteConfigError(
                    f"{workflow!r} returned {built!r}: it must return an ImperativeWorkflow."
                )
            found = EntityId(
                EntityKind.WORKFLOW, self.project, self.domain, built.name, version or built.version()
            )
            spec = built.compile(found)
        except BuildError as fault:
            raise FlyteInvalidRequestError(f"{fault}. Nothing was registered.") from None
        if self.run(registration.create_entity(found, spec)):
            self.log.info("Registered %s", found)
        registered: Workflow = self.fetch_workflow(found.name, found.version)
        self.default_launch_plan(registered)
        return registered
