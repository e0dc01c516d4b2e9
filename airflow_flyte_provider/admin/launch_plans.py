"""Verbs about the state of launch plans: of all versions of one, at most one is active."""

from __future__ import annotations

from dataclasses import replace

from flyteidl.admin import common_pb2, launch_plan_pb2

from airflow_flyte_provider.admin.client import Call, Verb
from airflow_flyte_provider.admin.registry import get_entity
from airflow_flyte_provider.exceptions import FlyteNotFoundError
from airflow_flyte_provider.model.identifiers import EntityId
from airflow_flyte_provider.model.packages.registration import Activation
from airflow_flyte_provider.model.references import to_identifier
from airflow_flyte_provider.model.views.entities import LaunchPlan


def get_active(plan: EntityId) -> Verb[LaunchPlan | None]:
    """Fetch the active version of a launch plan.

    :param plan: its project, domain and name; its version plays no part.
    :returns: None when no version is active, also when there is no such launch plan.
    """
    name = common_pb2.NamedEntityIdentifier(project=plan.project, domain=plan.domain, name=plan.name)
    request = launch_plan_pb2.ActiveLaunchPlanRequest(id=name)
    try:
        reply = yield Call("GetActiveLaunchPlan", request, f"asking which version of {plan} is active")
    except FlyteNotFoundError:
        return None
    return LaunchPlan.from_proto(reply)


def activate(plan: EntityId) -> Verb[Activation]:
    """Make a version of a launch plan the active one; its schedule, if it has one, runs from now on.

    :param plan: the launch plan. Without a version it is the latest registered.
    :raises FlyteNotFoundError: when it is not registered.
    """
    plan = (yield from get_entity(plan)).id
    found = yield from get_active(plan)
    before = found.id if found else None
    if before != plan:
        yield _update(plan, launch_plan_pb2.ACTIVE, f"activating {plan}")
    return Activation(plan, True, before != plan, before if before != plan else None)


def deactivate(plan: EntityId) -> Verb[Activation]:
    """Make a version of a launch plan inactive; its schedule runs no more.

    :param plan: the launch plan. Without a version it is the active one, if there is one.
    :raises FlyteNotFoundError: when it is not registered.
    """
    found = yield from get_active(plan)
    if found is None or plan.version not in ("", found.id.version):
        named = yield from get_entity(plan)  # or a misspelt name would pass for one that is inactive
        return Activation(replace(plan, version=plan.version or named.id.version), False, False)
    yield _update(found.id, launch_plan_pb2.INACTIVE, f"deactivating {found.id}")
    return Activation(found.id, False, True)


def _update(plan: EntityId, state: launch_plan_pb2.LaunchPlanState, asked: str) -> Call:
    return Call(
        "UpdateLaunchPlan",
        launch_plan_pb2.LaunchPlanUpdateRequest(id=to_identifier(plan), state=state),
        asked,
    )
