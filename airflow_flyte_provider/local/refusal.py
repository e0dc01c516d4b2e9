"""How the parts of the local Flyte say no: one exception that the gRPC layer turns into a status."""

from __future__ import annotations

import grpc


class Refusal(Exception):  # noqa: N818 - Flyte refuses; nothing has gone wrong here
    """A call that Flyte answers with an error status.

    :param code: gRPC status code of the answer.
    :param details: the text of the answer, worded as FlyteAdmin words it.
    """

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(details)
        self.code = code
        self.details = details


def invalid(details: str) -> Refusal:
    """Return an INVALID_ARGUMENT refusal with this text."""
    return Refusal(grpc.StatusCode.INVALID_ARGUMENT, details)


def missing(field: str) -> Refusal:
    """Return the refusal of a request in which `field` is not set."""
    return invalid(f"missing {field}")


def not_found(kind: str, identifier: str) -> Refusal:
    """Return the refusal of a request for an entity that is not there.

    :param kind: the kind of entity as Flyte names it, "LAUNCH_PLAN" or "node execution".
    :param identifier: the identifier as text, see `wording.go_text`.
    """
    return Refusal(grpc.StatusCode.NOT_FOUND, f"missing entity of type {kind} with identifier {identifier}")


def no_dynamic_workflow() -> Refusal:
    """Return the refusal of a request for the workflow of a node that made none as it ran."""
    return Refusal(grpc.StatusCode.NOT_FOUND, "node does not contain dynamic workflow")


def already_exists(details: str) -> Refusal:
    """Return an ALREADY_EXISTS refusal with this text."""
    return Refusal(grpc.StatusCode.ALREADY_EXISTS, details)


def unimplemented(details: str) -> Refusal:
    """Return an UNIMPLEMENTED refusal: real Flyte can do this, the local one says why it can't."""
    return Refusal(grpc.StatusCode.UNIMPLEMENTED, details)


def unauthenticated(details: str) -> Refusal:
    """Return the refusal of a call without a good token."""
    return Refusal(grpc.StatusCode.UNAUTHENTICATED, details)
