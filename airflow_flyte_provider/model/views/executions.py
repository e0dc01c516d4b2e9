"""An execution as Flyte told of it at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from airflow_flyte_provider.model.identifiers import EntityId, EntityKind, ExecutionId, NodeExecutionId
from airflow_flyte_provider.model.phases import ExecutionPhase
from airflow_flyte_provider.model.views.messages import enum_name, length, moment

if TYPE_CHECKING:
    from flyteidl.admin.execution_pb2 import Execution as ExecutionProto
    from flyteidl.admin.execution_pb2 import ExecutionClosure
    from flyteidl.core.execution_pb2 import ExecutionError as ExecutionErrorProto
    from flyteidl.core.identifier_pb2 import Identifier

    from airflow_flyte_provider.model.views.nodes import NodeExecution


@dataclass(frozen=True, slots=True)
class ExecutionError:
    """Why an execution or a node failed, after `flyteidl.core.ExecutionError`.

    :param code: a word for the kind of fault, such as `RetriesExhausted` or `USER:ValueError`.
    :param message: the text, often many lines with a traceback.
    :param kind: `"USER"` when the user's code is at fault, `"SYSTEM"` when Flyte is, else `"UNKNOWN"`.
    :param uri: where the full error document lies; empty when there is none.
    """

    code: str
    message: str
    kind: str
    uri: str

    @classmethod
    def from_proto(cls, proto: ExecutionErrorProto) -> ExecutionError:
        """Return the view of a `flyteidl.core.ExecutionError`."""
        return cls(
            code=proto.code,
            message=proto.message,
            kind=enum_name(proto, "kind") or "UNKNOWN",
            uri=proto.error_uri,
        )


@dataclass(frozen=True, slots=True)
class Execution:
    """An execution at one moment, after `flyteidl.admin.Execution`.

    :param id: its project, domain and name.
    :param phase: its phase.
    :param launch_plan: what was launched. Its kind tells whether a launch plan, a workflow or a task was.
    :param workflow: the workflow that runs, None as long as Flyte has not told.
    :param created_at: when it was created, in UTC.
    :param started_at: when the engine took it up, in UTC; None before that.
    :param updated_at: when Flyte last heard of it, in UTC.
    :param duration: how long it ran; None before its end.
    :param error: why it failed, None unless it did.
    :param abort_cause: why it was terminated, None unless it was.
    :param labels: the labels it was launched with.
    :param mode: how it came to be, such as `"MANUAL"`, `"RELAUNCH"`, `"RECOVERED"` or `"CHILD_WORKFLOW"`.
    :param reference_execution: the execution that it relaunches or recovers, if any.
    :param parent_node: the node that launched it, for a child of another execution.
    :param annotations: the annotations it was launched with.
    :param tags: the tags it was launched with.
    :param principal: who launched it, as Flyte knows them; empty without sign-in.
    :param cluster: the cluster it runs on; empty when there is one only.
    :param namespace: the Kubernetes namespace of its pods.
    :param scheduled_at: when a schedule meant it to run, in UTC; None unless one launched it.
    :param raw_output_prefix: where its files and tables go, empty for Flyte's own place.
    :param service_account: the Kubernetes service account it runs as, empty for the default.
    :param max_parallelism: how many of its nodes may run at once; 0 for no limit.
    :param interruptible: whether its pods may be preempted; None leaves that to the tasks.
    :param overwrite_cache: whether cached outputs are computed anew.
    :param is_archived: whether it is left out of lists.
    :param output_uri: where its outputs lie, empty before it has succeeded.
    :param nodes: its outermost nodes as `hook.sync` found them; empty where they were not asked for.
    """

    id: ExecutionId
    phase: ExecutionPhase
    launch_plan: EntityId
    workflow: EntityId | None
    created_at: datetime | None
    started_at: datetime | None
    updated_at: datetime | None
    duration: timedelta | None
    error: ExecutionError | None
    abort_cause: str | None
    labels: dict[str, str]
    mode: str
    reference_execution: ExecutionId | None
    parent_node: NodeExecutionId | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    principal: str = ""
    cluster: str = ""
    namespace: str = ""
    scheduled_at: datetime | None = None
    raw_output_prefix: str = ""
    service_account: str = ""
    max_parallelism: int = 0
    interruptible: bool | None = None
    overwrite_cache: bool = False
    is_archived: bool = False
    output_uri: str = ""
    nodes: tuple[NodeExecution, ...] = ()

    @property
    def is_done(self) -> bool:
        """Whether it has come to its end, well or badly."""
        return self.phase.is_final

    @property
    def is_successful(self) -> bool:
        """Whether it has come to its end well, so that its outputs can be read."""
        return self.phase is ExecutionPhase.SUCCEEDED

    @classmethod
    def from_proto(cls, proto: ExecutionProto) -> Execution:
        """Return the view of what GetExecution or ListExecutions answered."""
        spec, closure = proto.spec, proto.closure
        metadata = spec.metadata
        return cls(
            id=ExecutionId.from_proto(proto.id),
            phase=ExecutionPhase.from_number(closure.phase),
            launch_plan=_launched(spec.launch_plan),
            workflow=EntityId.from_proto(EntityKind.WORKFLOW, closure.workflow_id)
            if closure.HasField("workflow_id")
            else None,
            created_at=moment(closure, "created_at"),
            started_at=moment(closure, "started_at"),
            updated_at=moment(closure, "updated_at"),
            duration=length(closure, "duration"),
            error=ExecutionError.from_proto(closure.error) if closure.HasField("error") else None,
            abort_cause=_abort_cause(closure),
            labels=dict(spec.labels.values),
            mode=enum_name(metadata, "mode") or "UNKNOWN",
            reference_execution=ExecutionId.from_proto(metadata.reference_execution)
            if metadata.HasField("reference_execution")
            else None,
            parent_node=NodeExecutionId.from_proto(metadata.parent_node_execution)
            if metadata.HasField("parent_node_execution")
            else None,
            annotations=dict(spec.annotations.values),
            tags=tuple(spec.tags),
            principal=metadata.principal,
            cluster=metadata.system_metadata.execution_cluster,
            namespace=metadata.system_metadata.namespace,
            scheduled_at=moment(metadata, "scheduled_at"),
            raw_output_prefix=spec.raw_output_data_config.output_location_prefix,
            service_account=spec.security_context.run_as.k8s_service_account,
            max_parallelism=spec.max_parallelism,
            interruptible=spec.interruptible.value if spec.HasField("interruptible") else None,
            overwrite_cache=spec.overwrite_cache,
            is_archived=enum_name(closure.state_change_details, "state") == "EXECUTION_ARCHIVED",
            output_uri=closure.outputs.uri,
        )


def _launched(proto: Identifier) -> EntityId:
    """Return what an execution's spec says was launched: a launch plan unless it names another kind."""
    name = enum_name(proto, "resource_type")
    kind = EntityKind(name) if name in EntityKind.__members__ else EntityKind.LAUNCH_PLAN
    return EntityId.from_proto(kind, proto)


def _abort_cause(closure: ExecutionClosure) -> str | None:
    """Return the cause of a termination; servers before `abort_metadata` wrote `abort_cause`."""
    if closure.HasField("abort_metadata"):
        return str(closure.abort_metadata.cause)
    return str(closure.abort_cause) if closure.HasField("abort_cause") else None
