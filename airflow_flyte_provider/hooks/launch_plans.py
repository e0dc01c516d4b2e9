"""What FlyteHook does with launch plans besides fetching them: make them, and say which version is active."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from airflow_flyte_provider.admin import launch_plans, registration
from airflow_flyte_provider.exceptions import FlyteInvalidInputsError
from airflow_flyte_provider.hooks.registry import RegistryVerbs
from airflow_flyte_provider.model.building.launch_plans import launch_plan_spec, schedule_of
from airflow_flyte_provider.model.identifiers import EntityId, EntityKind
from airflow_flyte_provider.model.packages.registration import Activation
from airflow_flyte_provider.model.views.entities import LaunchPlan, Workflow


class LaunchPlanVerbs(RegistryVerbs):
    """The part of FlyteHook that makes and activates launch plans. Of all versions of one, at most one is active."""

    def register_launch_plan(
        self,
        name: str,
        workflow: Workflow,
        *,
        version: str | None = None,
        default_inputs: Mapping[str, Any] | None = None,
        fixed_inputs: Mapping[str, Any] | None = None,
        schedule: str | timedelta | None = None,
        kickoff_time_input: str | None = None,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
    ) -> LaunchPlan:
        """Register a launch plan of a workflow that is registered. It is not activated.

        :param name: the launch plan's name.
        :param workflow: the workflow, see `fetch_workflow`.
        :param version: the launch plan's version; None takes that of the workflow.
        :param default_inputs: native values of inputs that an execution may be given. Files are given by URIs.
        :param fixed_inputs: native values of inputs that an execution cannot be given.
        :param schedule: a cron expression or an alias such as `@daily`; or the time between two executions, in
            whole minutes.
        :param kickoff_time_input: the input that gets the time for which a scheduled execution is begun.
        :param labels: labels of its executions.
        :param annotations: annotations of its executions.
        :returns: the launch plan as it is registered, also when it was there already with the same structure.
        :raises FlyteInvalidInputsError: when inputs or schedule do not fit the workflow.
        :raises FlyteAlreadyExistsError: when it is there with another structure.

        Example::

            workflow = hook.fetch_workflow("sales.report")
            hook.register_launch_plan("sales.weekly", workflow, fixed_inputs={"days": 7}, schedule="0 6 * * 1")
        """
        plan = EntityId(
            EntityKind.LAUNCH_PLAN, self.project, self.domain, name, version or workflow.id.version
        )
        try:
            spec = launch_plan_spec(workflow, default_inputs or {}, fixed_inputs or {})
            if schedule is not None:
                spec.entity_metadata.schedule.CopyFrom(schedule_of(schedule, kickoff_time_input))
        except ValueError as fault:
            raise FlyteInvalidInputsError(f"{plan} of {workflow.id} cannot be made: {fault}") from None
        spec.labels.values.update(labels or {})
        spec.annotations.values.update(annotations or {})
        self.run(registration.create_entity(plan, spec))
        return self.fetch_launch_plan(plan.name, plan.version)

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
