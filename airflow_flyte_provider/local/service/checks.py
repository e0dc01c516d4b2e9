"""Checks that every request goes through, with FlyteAdmin's refusals."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from flyteidl.admin import common_pb2
from flyteidl.core import identifier_pb2, interface_pb2, literals_pb2

from airflow_flyte_provider.local.refusal import invalid, missing
from airflow_flyte_provider.local.store.executions import FINAL_PHASES
from airflow_flyte_provider.local.wording import go_text
from airflow_flyte_provider.model.labels import MAX_LABELS, key_faults, value_faults
from airflow_flyte_provider.model.values.casting import castable, type_of_literal

MAX_NAME = 63
_NAME = re.compile(r"^[a-z][a-z\-0-9]*$")
_URL_SAFE = re.compile(r"[A-Za-z0-9\-_.~]+")
_RESERVED = "!*'();:@&=+$,/?#[]"


def require(message: Any, *fields: str) -> None:
    """Make sure that text fields are not empty.

    :raises Refusal: INVALID_ARGUMENT `missing <field>` for the first that is.
    """
    for field in fields:
        if not getattr(message, field):
            raise missing(field)


def check_id(request: Any, resource_type: int) -> identifier_pb2.Identifier:
    """Return the id of a request for one version of an entity.

    :raises Refusal: INVALID_ARGUMENT when it is missing, not whole, or of another kind.
    """
    if not request.HasField("id"):
        raise missing("id")
    identifier = request.id
    if identifier.resource_type != resource_type:
        names = identifier_pb2.ResourceType
        got, wanted = names.Name(identifier.resource_type).lower(), names.Name(resource_type).lower()
        shown = go_text(identifier)
        raise invalid(f"unexpected resource type {got} for identifier [{shown}], expected {wanted} instead")
    require(identifier, "project", "domain", "name", "version")
    return identifier  # type: ignore[no-any-return]


def check_version(version: str) -> None:
    """Make sure that a new version may stand in a URL as it is.

    :raises Refusal: INVALID_ARGUMENT when it has a character that would have to be quoted.
    """
    if not _URL_SAFE.fullmatch(version):
        raise invalid(f"version [{version}] must be url safe, cannot contains chars [{_RESERVED}]")


def check_execution_id(request: Any, field: str = "id") -> identifier_pb2.WorkflowExecutionIdentifier:
    """Return the id of an execution in a request.

    :raises Refusal: INVALID_ARGUMENT when it is missing or not whole.
    """
    if not request.HasField(field):
        raise missing("id")
    require(getattr(request, field), "project", "domain", "name")
    return getattr(request, field)  # type: ignore[no-any-return]


def check_node_id(identifier: identifier_pb2.NodeExecutionIdentifier, *, given: bool) -> None:
    """Make sure that the id of a node execution is whole.

    :param given: whether the request has one at all.
    :raises Refusal: INVALID_ARGUMENT when it isn't.
    """
    if not given:
        raise missing("id")
    if not identifier.HasField("execution_id"):
        raise missing("execution_id")
    if not identifier.node_id:
        raise missing("node_id")
    require(identifier.execution_id, "project", "domain", "name")


def check_execution_name(name: str) -> str:
    """Return a wished-for execution name in lower case.

    :raises Refusal: INVALID_ARGUMENT when Flyte would not take it.
    """
    lowered = name.lower()
    if len(lowered) > MAX_NAME:
        raise invalid(f"size of name exceeded length {MAX_NAME} : {lowered}")
    if not _NAME.match(lowered) or lowered.endswith("\n"):
        raise invalid(f"invalid name format: {lowered}, does not match regex '{_NAME.pattern}'")
    return lowered


def check_labels(labels: Mapping[str, str]) -> None:
    """Make sure that Kubernetes would take these labels.

    :raises Refusal: INVALID_ARGUMENT for the first, by key, that it would not.
    """
    if len(labels) > MAX_LABELS:
        raise invalid(f"labels map cannot exceed {MAX_LABELS} entries")
    for key in sorted(labels):
        faults = key_faults(key)
        if faults:
            raise invalid(f"invalid label key [{key}]: [{' '.join(faults)}]")
        faults = value_faults(labels[key])
        if faults:
            raise invalid(f"invalid label value [{labels[key]}]: [{' '.join(faults)}]")


def check_notifications(notifications: Iterable[common_pb2.Notification]) -> None:
    """Make sure that notifications have recipients and are for final phases.

    :raises Refusal: INVALID_ARGUMENT for the first that is not.
    """
    for notification in notifications:
        kind = notification.WhichOneof("type")
        if kind is None:
            raise invalid("invalid value for notification type")
        recipients = getattr(notification, kind).recipients_email
        if not recipients:
            raise missing("recipients")
        if not all(recipients):
            raise missing("recipient")
        if not FINAL_PHASES.issuperset(notification.phases):
            raise invalid("invalid value for phase")


def check_literals(literals: literals_pb2.LiteralMap, field: str) -> None:
    """Make sure that every literal of a map has a value.

    :raises Refusal: INVALID_ARGUMENT for the first, by name, that has none.
    """
    for name in sorted(literals.literals):
        if not name:
            raise invalid(f"missing key in {field}")
        if literals.literals[name].WhichOneof("value") is None:
            raise invalid(f"missing valid literal in {field} {name}")


def fill_inputs(
    given: literals_pb2.LiteralMap,
    fixed: literals_pb2.LiteralMap,
    expected: interface_pb2.ParameterMap,
) -> literals_pb2.LiteralMap:
    """Return the inputs of an execution: those given, defaults for the rest, and the fixed ones.

    :param given: what the user gave.
    :param fixed: what the launch plan fixes.
    :param expected: what the launch plan expects.
    :raises Refusal: INVALID_ARGUMENT for an input that is unknown, missing, of the wrong type or fixed.
    """
    inputs = literals_pb2.LiteralMap()
    for name in sorted(given.literals):
        if name not in expected.parameters:
            raise invalid(f"invalid input {name}")
        inputs.literals[name].CopyFrom(given.literals[name])
    for name in sorted(expected.parameters):
        parameter = expected.parameters[name]
        if name in inputs.literals:
            _check_type(name, inputs.literals[name], parameter)
        elif parameter.required:
            raise invalid(f"expected_inputs {name} missing")
        else:
            inputs.literals[name].CopyFrom(parameter.default)
    for name in sorted(fixed.literals):
        if name in inputs.literals:
            raise invalid(f"fixed_inputs {name} cannot be overridden")
        inputs.literals[name].CopyFrom(fixed.literals[name])
    return inputs


def _check_type(name: str, literal: literals_pb2.Literal, parameter: interface_pb2.Parameter) -> None:
    found = known_type(name, literal)
    if not castable(found, parameter.var.type):
        raise invalid(
            f"invalid {name} input wrong type. "
            f"Expected {go_text(parameter.var.type)}, but got {go_text(found)}"
        )


def known_type(name: str, literal: literals_pb2.Literal) -> Any:
    """Return the type of a literal.

    :raises Refusal: INVALID_ARGUMENT when it can't be told.
    """
    found = type_of_literal(literal)
    if found is None:
        raise invalid(
            f"Failed to validate literal type for [{name}] with err: got unknown literal type: [<nil>].\n"
            "Suggested solution: Please update all your Flyte deployment images to the latest version and try again"
        )
    return found
