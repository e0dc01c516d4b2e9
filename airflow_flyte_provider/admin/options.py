"""Execution options as Flyte takes them."""

from __future__ import annotations

from typing import Any

from flyteidl.admin import cluster_assignment_pb2, common_pb2, execution_pb2, matchable_resource_pb2
from flyteidl.core import execution_pb2 as core_execution
from flyteidl.core import literals_pb2, security_pb2
from google.protobuf.wrappers_pb2 import BoolValue

from airflow_flyte_provider.model.options import ExecutionOptions
from airflow_flyte_provider.model.phases import ExecutionPhase

#: The fields of `flyteidl.core.Identity` among those of a security context.
_RUN_AS = ("k8s_service_account", "iam_role", "oauth2_client")


def to_spec(options: ExecutionOptions) -> execution_pb2.ExecutionSpec:
    """Return the `flyteidl.admin.ExecutionSpec` that has these options set and nothing else.

    What is not given stays unset, which FlyteAdmin fills in from the launch plan.

    :param options: options as `ExecutionOptions.read` returned them.
    """
    given = options.to_dict()
    spec = execution_pb2.ExecutionSpec(
        disable_all=given.get("disable_notifications") or None,  # the other case of the same oneof
        max_parallelism=given.get("max_parallelism"),
        overwrite_cache=given.get("overwrite_cache"),
        tags=given.get("tags"),
    )
    for name, value in given.items():
        if name in _MESSAGES:
            field, message = _MESSAGES[name]
            getattr(spec, field).CopyFrom(message(value))
    if options.queueing_budget is not None:
        spec.quality_of_service.spec.queueing_budget.FromTimedelta(options.queueing_budget)
    return spec


def _notifications(given: list[dict[str, Any]]) -> execution_pb2.NotificationList:
    return execution_pb2.NotificationList(
        notifications=[
            common_pb2.Notification(
                phases=[ExecutionPhase(phase).number for phase in each["phases"]],
                **{
                    kind: {"recipients_email": addresses}
                    for kind, addresses in each.items()
                    if kind != "phases"
                },
            )
            for each in given
        ]
    )


def _security_context(given: dict[str, Any]) -> security_pb2.SecurityContext:
    # The names are those of the messages, so protobuf reads the dicts itself.
    return security_pb2.SecurityContext(
        run_as={name: given[name] for name in _RUN_AS if name in given},
        secrets=given.get("secrets"),
        tokens=given.get("tokens"),
    )


def _envs(given: dict[str, str]) -> common_pb2.Envs:
    pairs = [literals_pb2.KeyValuePair(key=name, value=value) for name, value in given.items()]
    return common_pb2.Envs(values=pairs)


#: The field of the spec and what makes its message, by the option's name.
_MESSAGES: dict[str, tuple[str, Any]] = {
    "labels": ("labels", lambda values: common_pb2.Labels(values=values)),
    "annotations": ("annotations", lambda values: common_pb2.Annotations(values=values)),
    "notifications": ("notifications", _notifications),
    "raw_output_prefix": (
        "raw_output_data_config",
        lambda prefix: common_pb2.RawOutputDataConfig(output_location_prefix=prefix),
    ),
    "security_context": ("security_context", _security_context),
    "interruptible": ("interruptible", lambda value: BoolValue(value=value)),
    "envs": ("envs", _envs),
    "cluster_pool": (
        "cluster_assignment",
        lambda pool: cluster_assignment_pb2.ClusterAssignment(cluster_pool_name=pool),
    ),
    "execution_cluster_label": (
        "execution_cluster_label",
        lambda label: matchable_resource_pb2.ExecutionClusterLabel(value=label),
    ),
    "quality_of_service": (
        "quality_of_service",
        lambda tier: core_execution.QualityOfService(tier=tier),
    ),
}
