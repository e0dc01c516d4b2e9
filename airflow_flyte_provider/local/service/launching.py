"""Launching, relaunching, recovering and ending executions."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import grpc
from flyteidl.admin import common_pb2, execution_pb2
from flyteidl.core import execution_pb2 as core_execution
from flyteidl.core import identifier_pb2, security_pb2

from airflow_flyte_provider.local import clock
from airflow_flyte_provider.local.engine.effective import DEFAULT_PARALLELISM
from airflow_flyte_provider.local.refusal import Refusal, invalid, missing
from airflow_flyte_provider.local.service import checks
from airflow_flyte_provider.local.store.entities import EntityStore
from airflow_flyte_provider.local.store.executions import FINAL_PHASES, ExecutionStore, NewExecution
from airflow_flyte_provider.local.store.projects import ProjectStore

if TYPE_CHECKING:
    from airflow_flyte_provider.local.engine.engine import Engine
    from airflow_flyte_provider.local.service.registration import Registration

ExecutionId = identifier_pb2.WorkflowExecutionIdentifier
_NAME_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_NAME_LENGTH = 19  # after the letter that every name begins with
_IDENTITY_FIELDS = ("k8s_service_account", "iam_role", "execution_identity")


class Launching:
    """Makes executions and ends them.

    :param projects: the projects.
    :param entities: registered entities.
    :param executions: stored executions.
    :param registration: registers the workflow that a task launched alone becomes.
    :param engine: runs what is launched.
    """

    def __init__(
        self,
        projects: ProjectStore,
        entities: EntityStore,
        executions: ExecutionStore,
        registration: Registration,
        engine: Engine,
    ) -> None:
        self._projects = projects
        self._entities = entities
        self._executions = executions
        self._registration = registration
        self._engine = engine

    def create(self, request: execution_pb2.ExecutionCreateRequest) -> ExecutionId:
        """Launch an execution. Returns its id.

        :raises Refusal: when FlyteAdmin would refuse the request, or its name is in use.
        """
        name = self._check(request)
        reference = request.spec.launch_plan
        is_task = reference.resource_type == identifier_pb2.TASK
        plan = self._registration.launch_plan_of_task(reference) if is_task else self._entities.get(reference)
        inputs = checks.fill_inputs(request.inputs, plan.spec.fixed_inputs, plan.closure.expected_inputs)
        workflow_id = self._registration.workflow_of_task(reference) if is_task else plan.spec.workflow_id
        references = {"workflow_id": self._entities.require(workflow_id).id}
        references["task_id" if is_task else "launch_plan_id"] = self._entities.require(reference).id

        execution = execution_pb2.Execution(spec=request.spec)
        execution.id.CopyFrom(ExecutionId(project=request.project, domain=request.domain, name=name))
        _complete_spec(execution, plan, is_task=is_task)
        closure = execution.closure
        closure.created_at.CopyFrom(clock.now())
        closure.updated_at.CopyFrom(closure.created_at)
        closure.state_change_details.occurred_at.CopyFrom(closure.created_at)
        closure.workflow_id.CopyFrom(workflow_id)
        closure.notifications.extend(_notifications(request.spec, plan))
        self._executions.add(NewExecution(execution, request.inputs, inputs, references))
        self._engine.start(execution)
        return execution.id

    def relaunch(self, request: execution_pb2.ExecutionRelaunchRequest) -> ExecutionId:
        """Launch an execution once more, as it was asked for then. Returns the id of the new one.

        :raises Refusal: NOT_FOUND when there is no such execution.
        """
        spec = self._spec_again(request, execution_pb2.ExecutionMetadata.RELAUNCH)
        spec.overwrite_cache = request.overwrite_cache
        return self._again(request, spec)

    def recover(self, request: execution_pb2.ExecutionRecoverRequest) -> ExecutionId:
        """Launch an execution that takes over what another one finished. Returns the id of the new one.

        :raises Refusal: NOT_FOUND when there is no such execution.
        """
        spec = self._spec_again(request, execution_pb2.ExecutionMetadata.RECOVERED)
        if request.HasField("metadata"):
            spec.metadata.parent_node_execution.CopyFrom(request.metadata.parent_node_execution)
        return self._again(request, spec)

    def terminate(self, request: execution_pb2.ExecutionTerminateRequest) -> None:
        """Set an execution ABORTING and have the engine stop it.

        :raises Refusal: NOT_FOUND, or FAILED_PRECONDITION when it has ended.
        """
        execution = self._executions.get(checks.check_execution_id(request))
        if execution.closure.phase in FINAL_PHASES:
            raise Refusal(
                grpc.StatusCode.FAILED_PRECONDITION, "Cannot abort an already terminated workflow execution"
            )
        execution.closure.phase = core_execution.WorkflowExecution.ABORTING
        execution.closure.abort_metadata.cause = request.cause
        self._executions.write(execution=execution)
        self._engine.abort(execution.id)

    def _check(self, request: execution_pb2.ExecutionCreateRequest) -> str:
        """Check a request up to what it refers to. Returns the execution's name."""
        checks.require(request, "project", "domain")
        name = checks.check_execution_name(request.name) if request.name else _new_name()
        self._projects.require(request.project, request.domain)
        if not request.HasField("spec"):
            raise missing("spec")
        reference = request.spec.launch_plan
        if not request.spec.HasField("launch_plan"):
            raise missing("id")
        checks.require(reference, "project", "domain", "name", "version")
        if reference.resource_type not in (identifier_pb2.LAUNCH_PLAN, identifier_pb2.TASK):
            kind = identifier_pb2.ResourceType.Name(reference.resource_type)
            raise invalid(
                f"Invalid reference entity resource type [{kind}], "
                "only [map[LAUNCH_PLAN:<nil> TASK:<nil>]] allowed"
            )
        checks.check_literals(request.inputs, "inputs")
        checks.check_notifications(request.spec.notifications.notifications)
        checks.check_labels(request.spec.labels.values)
        return name

    def _spec_again(self, request: Any, mode: int) -> execution_pb2.ExecutionSpec:
        former = self._executions.get(checks.check_execution_id(request))
        spec = former.spec
        spec.metadata.mode = mode
        spec.metadata.reference_execution.CopyFrom(former.id)
        return spec

    def _again(self, request: Any, spec: execution_pb2.ExecutionSpec) -> ExecutionId:
        inputs = self._executions.inputs(request.id, as_given=True)
        return self.create(
            execution_pb2.ExecutionCreateRequest(
                project=request.id.project,
                domain=request.id.domain,
                name=request.name,
                spec=spec,
                inputs=inputs,
            )
        )


def _complete_spec(execution: execution_pb2.Execution, plan: Any, *, is_task: bool) -> None:
    """Fill in what FlyteAdmin fills in: parallelism, namespace and the identity to run as."""
    spec = execution.spec
    spec.ClearField("inputs")
    spec.metadata.ClearField("principal")
    spec.metadata.ClearField("artifact_ids")
    spec.metadata.system_metadata.namespace = f"{execution.id.project}-{execution.id.domain}"
    if not is_task and spec.max_parallelism <= 0:
        spec.max_parallelism = (
            plan.spec.max_parallelism if plan.spec.max_parallelism > 0 else DEFAULT_PARALLELISM
        )
    spec.security_context.CopyFrom(_security_context(spec, plan))


def _security_context(spec: execution_pb2.ExecutionSpec, plan: Any) -> security_pb2.SecurityContext:
    """Return whom an execution runs as: its own context, its launch plan's, or one of the older fields.

    A context that names nobody counts for nothing, whatever secrets it has.
    """
    for holder in (spec, plan.spec):
        run_as = holder.security_context.run_as
        if any(getattr(run_as, field) for field in _IDENTITY_FIELDS):
            return holder.security_context  # type: ignore[no-any-return]
    context = security_pb2.SecurityContext(run_as=security_pb2.Identity())
    for holder in (spec, plan.spec):
        if holder.HasField("auth_role"):
            context.run_as.iam_role = holder.auth_role.assumable_iam_role
            context.run_as.k8s_service_account = holder.auth_role.kubernetes_service_account
            break
    return context


def _notifications(spec: execution_pb2.ExecutionSpec, plan: Any) -> Iterable[common_pb2.Notification]:
    """Return what is to be told of an execution: what it says itself, nothing, or what its launch plan says."""
    if spec.notifications.notifications:
        return spec.notifications.notifications  # type: ignore[no-any-return]
    return () if spec.disable_all else plan.spec.entity_metadata.notifications


def _new_name() -> str:
    return "a" + "".join(secrets.choice(_NAME_LETTERS) for _ in range(_NAME_LENGTH))
