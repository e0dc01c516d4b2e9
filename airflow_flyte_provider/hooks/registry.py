"""What FlyteHook does with what is registered: launch plans, workflows, tasks."""

from __future__ import annotations

from typing import Any

from airflow_flyte_provider.admin import registry
from airflow_flyte_provider.hooks.connection import FlyteConnection
from airflow_flyte_provider.model.identifiers import EntityId, EntityKind
from airflow_flyte_provider.model.views.entities import LaunchPlan, Task, Workflow

#: Entities never change under a version, so what was fetched once is kept for the life of the process.
_entities: dict[tuple[str, EntityId], LaunchPlan | Workflow | Task] = {}
_ENTITIES_KEPT = 1000


class RegistryVerbs(FlyteConnection):
    """The part of FlyteHook that finds what is registered."""

    def fetch_launch_plan(self, name: str, version: str | None = None) -> LaunchPlan:
        """Fetch a launch plan.

        :param name: its name, as in `demo.add_one`.
        :param version: its version; None takes the latest registered.
        :raises FlyteNotFoundError: naming the nearest names, or the versions there are.
        """
        return self._fetch(EntityKind.LAUNCH_PLAN, name, version)

    def fetch_workflow(self, name: str, version: str | None = None) -> Workflow:
        """Fetch a workflow; see `fetch_launch_plan`. Without a version, its nodes are not told."""
        return self._fetch(EntityKind.WORKFLOW, name, version)

    def fetch_task(self, name: str, version: str | None = None) -> Task:
        """Fetch a task; see `fetch_launch_plan`."""
        return self._fetch(EntityKind.TASK, name, version)

    def default_launch_plan(self, workflow: Workflow) -> LaunchPlan:
        """Fetch the launch plan of a workflow's own name and version; it is registered where there is none."""
        wanted = EntityId(
            EntityKind.LAUNCH_PLAN, self.project, self.domain, workflow.id.name, workflow.id.version
        )
        known = _entities.get((self.settings.endpoint, wanted))
        return known or self._keep(self.run(registry.get_default_launch_plan(workflow)))

    def _fetch(self, kind: EntityKind, name: str, version: str | None) -> Any:
        return self._entity(EntityId(kind, self.project, self.domain, name, version or ""))

    def _entity(self, wanted: EntityId) -> Any:
        known = _entities.get((self.settings.endpoint, wanted))
        if known:
            return known
        found = self.run(registry.get_entity(wanted))
        # The latest workflow comes from a list, which tells no nodes; kept, it would stand in for the whole one.
        return found if wanted.kind is EntityKind.WORKFLOW and not wanted.version else self._keep(found)

    def _keep(self, entity: Any) -> Any:
        while len(_entities) >= _ENTITIES_KEPT:
            del _entities[next(iter(_entities))]
        _entities[self.settings.endpoint, entity.id] = entity
        return entity
