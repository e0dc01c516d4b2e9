"""What FlyteHook does about which version of a launch plan is active."""

from __future__ import annotations

from airflow_flyte_provider.admin import launch_plans
from airflow_flyte_provider.hooks.connection import FlyteConnection
from airflow_flyte_provider.model.entities import LaunchPlan
from airflow_flyte_provider.model.identifiers import EntityId, EntityKind
from airflow_flyte_provider.model.registration import Activation


class ActivationVerbs(FlyteConnection):
    """The part of FlyteHook that activates launch plans. Of all versions of one, at most one is active."""

    def activate_launch_plan(self, name: str, version: str | None = None) -> Activation:
        """Make a version of a launch plan the active one. Its schedule, if it has one, runs from now on.

        :param name: the launch plan's name.
        :param version: the version; None takes the latest registered.
        :returns: what has changed, with the version that was active before. Nothing, when it was active already.
        :raises FlyteNotFoundError: when it is not registered.
        """
        return self.run(launch_plans.activate(self._plan(name, version)))

    def deactivate_launch_plan(self, name: str, version: str | None = None) -> Activation:
        """Make a version of a launch plan inactive. Its schedule, if it has one, runs no more.

        :param name: the launch plan's name.
        :param version: the version; None takes the one that is active.
        :returns: what has changed: nothing, when it was not active.
        :raises FlyteNotFoundError: when it is not registered.
        """
        return self.run(launch_plans.deactivate(self._plan(name, version)))

    def get_active_launch_plan(self, name: str) -> LaunchPlan | None:
        """Fetch the active version of a launch plan, None when there is none.

        :param name: the launch plan's name.
        """
        return self.run(launch_plans.get_active(self._plan(name, None)))

    def _plan(self, name: str, version: str | None) -> EntityId:
        return EntityId(EntityKind.LAUNCH_PLAN, self.project, self.domain, name, version or "")
