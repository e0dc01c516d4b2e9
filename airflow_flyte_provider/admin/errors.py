"""What gRPC's status codes mean to the user: one mapping, in one place."""

from __future__ import annotations

from collections.abc import Iterable

import grpc
import grpc.aio

from airflow_flyte_provider.admin.auth.sign_in import AuthMode
from airflow_flyte_provider.admin.settings import Settings
from airflow_flyte_provider.exceptions import (
    FlyteAlreadyExistsError,
    FlyteConnectionError,
    FlyteError,
    FlyteInvalidRequestError,
    FlyteNotFoundError,
    FlytePermissionError,
)
from airflow_flyte_provider.model.redaction import readable, redacted

_TREE: dict[grpc.StatusCode, type[FlyteError]] = {
    grpc.StatusCode.UNAVAILABLE: FlyteConnectionError,
    grpc.StatusCode.DEADLINE_EXCEEDED: FlyteConnectionError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: FlyteConnectionError,
    grpc.StatusCode.INTERNAL: FlyteConnectionError,
    grpc.StatusCode.CANCELLED: FlyteConnectionError,
    grpc.StatusCode.ABORTED: FlyteConnectionError,
    grpc.StatusCode.UNAUTHENTICATED: FlytePermissionError,
    grpc.StatusCode.PERMISSION_DENIED: FlytePermissionError,
    grpc.StatusCode.NOT_FOUND: FlyteNotFoundError,
    grpc.StatusCode.ALREADY_EXISTS: FlyteAlreadyExistsError,
    grpc.StatusCode.INVALID_ARGUMENT: FlyteInvalidRequestError,
    grpc.StatusCode.FAILED_PRECONDITION: FlyteInvalidRequestError,
    grpc.StatusCode.OUT_OF_RANGE: FlyteInvalidRequestError,
    grpc.StatusCode.UNIMPLEMENTED: FlyteInvalidRequestError,
}


def to_flyte_error(
    error: grpc.RpcError | grpc.aio.AioRpcError, asked: str, settings: Settings, tokens: Iterable[str]
) -> FlyteError:
    """Return the `FlyteError` for a call that ended with `error`.

    :param error: what gRPC raised.
    :param asked: what the call was for, as a phrase: "fetching launch plan p/d/name version v1".
    :param settings: whom it asked; the endpoint is named, nothing secret is.
    :param tokens: what the call carried, which Flyte may have said back.
    """
    code = error.code()
    secrets = (*settings.sign_in.secrets, *tokens)
    details = readable(redacted((error.details() or "no details").strip(), secrets))
    message = (
        f"{asked[:1].upper()}{asked[1:]} failed: Flyte at {settings.endpoint} answered {code.name}: {details}"
    )
    kind = _TREE.get(code, FlyteError)
    if kind is FlyteConnectionError:
        message = f"{asked[:1].upper()}{asked[1:]} failed: {_reach(code, details, settings)}"
    elif kind is FlytePermissionError:
        message += f". {_permission(settings)}"
    return kind(message)


def _permission(settings: Settings) -> str:
    if settings.sign_in.mode is AuthMode.NONE:
        return "The Airflow connection does not sign in: set its login and password, or its auth_mode."
    return "Check the credentials in the Airflow connection and what they are allowed to do."


def _reach(code: grpc.StatusCode, details: str, settings: Settings) -> str:
    mode = "plaintext" if settings.insecure else "TLS"
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return (
            f"no answer from Flyte at {settings.endpoint} ({mode}) within {settings.call_timeout:g} s. "
            "Check host, port and network, or raise the connection's call_timeout."
        )
    hint = "Check that FlyteAdmin is up and the connection's host and port are right"
    if "SSL" in details or "handshake" in details.lower() or "certificate" in details.lower():
        hint = "The TLS handshake failed: check ca_cert_file, or insecure for a server without TLS"
    return f"Flyte at {settings.endpoint} ({mode}) is {code.name}: {details}. {hint}."
