"""Verbs that register entities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flyteidl.admin import launch_plan_pb2, task_pb2, workflow_pb2

from airflow_flyte_provider.admin.client import Call, Verb
from airflow_flyte_provider.exceptions import FlyteAlreadyExistsError, FlyteInvalidRequestError
from airflow_flyte_provider.model.identifiers import EntityId, EntityKind
from airflow_flyte_provider.model.packages.reading import Spec
from airflow_flyte_provider.model.references import to_identifier

_CREATE: dict[EntityKind, tuple[str, Callable[..., Any]]] = {
    EntityKind.TASK: ("CreateTask", task_pb2.TaskCreateRequest),
    EntityKind.WORKFLOW: ("CreateWorkflow", workflow_pb2.WorkflowCreateRequest),
    EntityKind.LAUNCH_PLAN: ("CreateLaunchPlan", launch_plan_pb2.LaunchPlanCreateRequest),
}

#: How FlyteAdmin tells apart the two ways in which a version can be there already.
_IDENTICAL, _DIFFERENT = "identical structure already exists", "different structure already exists"


def create_entity(entity: EntityId, spec: Spec) -> Verb[bool]:
    """Register one version of a task, workflow or launch plan.

    :param entity: its id.
    :param spec: a `TaskSpec`, `WorkflowSpec` or `LaunchPlanSpec`, by the kind of `entity`.
    :returns: False when it was there already with the same structure.
    :raises FlyteAlreadyExistsError: when it is there with another structure.
    :raises FlyteInvalidRequestError: when Flyte cannot compile it or finds it incomplete.
    """
    method, request = _CREATE[entity.kind]
    try:
        yield Call(method, request(id=to_identifier(entity), spec=spec), f"registering {entity}")
    except FlyteAlreadyExistsError as fault:
        if _IDENTICAL in str(fault):
            return False
        raise _taken(entity, fault) from None
    except FlyteInvalidRequestError as fault:
        if _DIFFERENT in str(fault):
            raise _taken(entity, fault) from None
        raise
    return True


def _taken(entity: EntityId, fault: Exception) -> FlyteAlreadyExistsError:
    return FlyteAlreadyExistsError(
        f"{entity} is there already and differs, and a version never changes: register as another version. {fault}"
    )
