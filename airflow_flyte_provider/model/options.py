"""What an execution may be told beside its inputs: labels, notifications, the identity to run as, and so on.

Imported by DAG files. Any value may be a text that a template makes; what it comes to is checked when the task runs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_flyte_provider.model.faults import ValueFault, ValueFaults
from airflow_flyte_provider.model.labels import MAX_LABELS, RESERVED_PREFIX, key_faults, value_faults
from airflow_flyte_provider.model.phases import ExecutionPhase
from airflow_flyte_provider.model.records import (
    Record,
    list_of,
    map_of,
    one_of,
    read_bool,
    read_count,
    read_duration,
    read_name,
    read_text,
    setting,
)

if TYPE_CHECKING:
    from flyteidl.admin.common_pb2 import Notification as NotificationProto

_ENV_NAME = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
_FINAL_PHASE = one_of("a final phase", *(phase.value for phase in ExecutionPhase if phase.is_final))


def _label_key(value: Any, path: str) -> str:
    key = _annotation_key(value, path)
    if key.startswith(RESERVED_PREFIX):
        hint = f"labels that begin with {RESERVED_PREFIX} tell which task launched the execution"
        raise ValueFaults.of(path, "a label of your own", value, hint)
    return key


def _annotation_key(value: Any, path: str) -> str:
    key = read_name(value, path)
    if faults := key_faults(key):
        raise ValueFaults.of(path, "a key that Kubernetes takes", value, "; ".join(faults))
    return key


def _label_value(value: Any, path: str) -> str:
    text = read_text(value, path)
    if faults := value_faults(text):
        raise ValueFaults.of(path, "a value that Kubernetes takes", value, "; ".join(faults))
    return text


def _env_name(value: Any, path: str) -> str:
    name = read_name(value, path)
    if not _ENV_NAME.fullmatch(name):
        raise ValueFaults.of(path, "the name of an environment variable", value)
    return name


@dataclass(frozen=True, slots=True)
class Notification(Record):
    """A message when an execution ends, after `flyteidl.admin.Notification`. Give one of email, slack, pager_duty.

    :param phases: the final phases it is sent for: SUCCEEDED, FAILED, ABORTED, TIMED_OUT.
    :param email: mail addresses of the recipients.
    :param slack: mail addresses of Slack channels; Flyte sends these by mail too.
    :param pager_duty: mail addresses of PagerDuty services, likewise.

    Example::

        Notification(email=["ops@example.com"], phases=["FAILED", "TIMED_OUT"])
    """

    phases: Sequence[str] | str = setting(list_of(_FINAL_PHASE), required=True)
    email: Sequence[str] | str | None = setting(list_of(read_name))
    slack: Sequence[str] | str | None = setting(list_of(read_name))
    pager_duty: Sequence[str] | str | None = setting(list_of(read_name))

    @classmethod
    def from_proto(cls, proto: NotificationProto) -> Notification:
        """Return the view of a `flyteidl.admin.Notification`, unchecked: what Flyte has may lack anything."""
        kind = proto.WhichOneof("type")
        addresses = {kind: tuple(getattr(proto, kind).recipients_email)} if kind else {}
        return cls(tuple(ExecutionPhase.from_number(phase).value for phase in proto.phases), **addresses)

    def check(self, path: str) -> None:
        """See `Record.check`."""
        given = [kind for kind in ("email", "slack", "pager_duty") if getattr(self, kind) is not None]
        if len(given) != 1:
            raise _together(path, "exactly one of email, slack and pager_duty", given)
        if not getattr(self, given[0]):
            raise ValueFaults([ValueFault(f"{path}.{given[0]}", "at least one address", "none")])
        if not self.phases:
            raise ValueFaults([ValueFault(f"{path}.phases", "at least one final phase", "none")])


@dataclass(frozen=True, slots=True)
class Secret(Record):
    """A secret by its name in Flyte's secret store, never by its value; after `flyteidl.core.Secret`.

    :param group: what holds the secret, such as the name of a Kubernetes secret.
    :param key: which of the group; None for the whole group.
    :param group_version: version of the group.
    :param mount_requirement: how the task gets it: ANY, ENV_VAR or FILE.
    :param env_var: environment variable that gets the secret, or the path of its file.
    """

    group: str = setting(read_name, required=True)
    key: str | None = setting(read_name)
    group_version: str | None = setting(read_name)
    mount_requirement: str | None = setting(one_of("a way to mount", "ANY", "ENV_VAR", "FILE"))
    env_var: str | None = setting(_env_name)


@dataclass(frozen=True, slots=True)
class OAuth2Client(Record):
    """A client of an OAuth 2 server, after `flyteidl.core.OAuth2Client`.

    :param client_id: its id.
    :param client_secret: the name of its secret.
    """

    client_id: str = setting(read_name, required=True)
    client_secret: Secret | Mapping[str, Any] | None = setting(Secret.read)


@dataclass(frozen=True, slots=True)
class OAuth2TokenRequest(Record):
    """A token that tasks are to be given, by client credentials; after `flyteidl.core.OAuth2TokenRequest`.

    :param name: name of the token; the task finds it under this name.
    :param client: the client it is asked for.
    :param idp_discovery_endpoint: address of the server's metadata.
    :param token_endpoint: address that gives tokens; overrides what the metadata says.
    """

    name: str = setting(read_name, required=True)
    client: OAuth2Client | Mapping[str, Any] = setting(OAuth2Client.read, required=True)
    idp_discovery_endpoint: str | None = setting(read_name)
    token_endpoint: str | None = setting(read_name)


@dataclass(frozen=True, slots=True)
class SecurityContext(Record):
    """Whom an execution runs as, after `flyteidl.core.SecurityContext`. It replaces that of the launch plan whole.

    Flyte takes no notice of one that names neither a service account nor a role, so one of them must be given.

    :param k8s_service_account: Kubernetes service account.
    :param iam_role: role of the cloud's identity management.
    :param oauth2_client: OAuth 2 client.
    :param secrets: secrets of the execution.
    :param tokens: tokens of the execution.
    """

    k8s_service_account: str | None = setting(read_name)
    iam_role: str | None = setting(read_name)
    oauth2_client: OAuth2Client | Mapping[str, Any] | None = setting(OAuth2Client.read)
    secrets: Sequence[Secret | Mapping[str, Any]] | str | None = setting(list_of(Secret.read))
    tokens: Sequence[OAuth2TokenRequest | Mapping[str, Any]] | str | None = setting(
        list_of(OAuth2TokenRequest.read)
    )

    def check(self, path: str) -> None:
        """See `Record.check`."""
        if self.k8s_service_account is None and self.iam_role is None:
            hint = "without one, Flyte ignores the whole security context"
            raise ValueFaults([ValueFault(path, "k8s_service_account or iam_role", "neither", hint=hint)])


@dataclass(frozen=True, slots=True)
class ExecutionOptions(Record):
    """What an execution is told beside its inputs, after `flyteidl.admin.ExecutionSpec`.

    What is not given is left to the launch plan and then to Flyte. A map or list that is given replaces the launch
    plan's whole. `docs/options.md` tells what Flyte does with each.

    :param labels: labels, as Kubernetes takes them; the provider adds its own.
    :param annotations: annotations, keys as Kubernetes takes them.
    :param notifications: messages when the execution ends.
    :param disable_notifications: send none, not even those of the launch plan.
    :param raw_output_prefix: where files and tables are stored, such as `"s3://bucket/folder"`.
    :param max_parallelism: how many task nodes may run at once; 0 leaves it to Flyte.
    :param security_context: whom it runs as.
    :param overwrite_cache: compute everything, and replace what the cache has. False does not undo the launch plan's
        true.
    :param interruptible: whether tasks may run where they can be interrupted.
    :param envs: environment variables of its tasks.
    :param tags: words to find it by.
    :param cluster_pool: the pool of clusters it runs on.
    :param execution_cluster_label: the label of clusters it runs on.
    :param quality_of_service: HIGH, MEDIUM or LOW.
    :param queueing_budget: how long it may wait for room, as a timedelta or in seconds; instead of
        quality_of_service.

    Example::

        ExecutionOptions(labels={"team": "sales"}, overwrite_cache="{{ params.fresh }}", max_parallelism=4)
    """

    labels: Mapping[str, str] | str | None = setting(map_of(_label_key, _label_value))
    annotations: Mapping[str, str] | str | None = setting(map_of(_annotation_key, read_text))
    notifications: Sequence[Notification | Mapping[str, Any]] | str | None = setting(
        list_of(Notification.read)
    )
    disable_notifications: bool | str | None = setting(read_bool)
    raw_output_prefix: str | None = setting(read_name)
    max_parallelism: int | str | None = setting(read_count)
    security_context: SecurityContext | Mapping[str, Any] | str | None = setting(SecurityContext.read)
    overwrite_cache: bool | str | None = setting(read_bool)
    interruptible: bool | str | None = setting(read_bool)
    envs: Mapping[str, str] | str | None = setting(map_of(_env_name, read_text), shown=False)
    tags: Sequence[str] | str | None = setting(list_of(read_name))
    cluster_pool: str | None = setting(read_name)
    execution_cluster_label: str | None = setting(read_name)
    quality_of_service: str | None = setting(one_of("a quality of service", "HIGH", "MEDIUM", "LOW"))
    queueing_budget: timedelta | float | str | None = setting(read_duration)

    def check(self, path: str) -> None:
        """See `Record.check`."""
        if self.notifications and self.disable_notifications:
            raise _together(path, "either", ["notifications", "disable_notifications"])
        if self.quality_of_service is not None and self.queueing_budget is not None:
            raise _together(path, "either", ["quality_of_service", "queueing_budget"])
        if self.labels is not None and len(self.labels) > MAX_LABELS:
            fault = ValueFault(f"{path}.labels", f"at most {MAX_LABELS} labels", str(len(self.labels)))
            raise ValueFaults([fault])


def _together(path: str, expected: str, given: list[str]) -> ValueFaults:
    return ValueFaults([ValueFault(path, expected, " and ".join(given) or "none")])
