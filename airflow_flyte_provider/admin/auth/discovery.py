"""What Flyte tells of its sign-in, which it does without one: AuthMetadataService."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import grpc
from flyteidl.service import auth_pb2
from flyteidl.service.auth_pb2_grpc import AuthMetadataServiceStub

from airflow_flyte_provider.admin.auth.sign_in import is_metadata_key
from airflow_flyte_provider.admin.channel import open_channel
from airflow_flyte_provider.admin.errors import to_flyte_error
from airflow_flyte_provider.admin.settings import Settings
from airflow_flyte_provider.exceptions import FlyteSignInError

_DEFAULT_KEY = "authorization"


@dataclass(frozen=True, slots=True)
class Discovered:
    """How Flyte wants clients to sign in.

    :param key: metadata that carries the token.
    :param scopes: scopes that it tells its own clients to ask for.
    :param audience: audience, likewise; mostly empty.
    :param token_url: address of the token endpoint, empty when it has none.
    :param client_auth: how the token endpoint wants to be told the client's secret.
    """

    key: str
    scopes: tuple[str, ...]
    audience: str
    token_url: str
    client_auth: tuple[str, ...]


def discover(settings: Settings, metadata: Sequence[tuple[str, str]]) -> Discovered:
    """Ask Flyte how clients sign in: `GetPublicClientConfig` and `GetOAuth2Metadata`.

    :param settings: which Flyte.
    :param metadata: what a proxy before it wants to see.
    :raises FlyteConnectionError: when it does not answer.
    :raises FlyteSignInError: when it tells a metadata key that gRPC does not take.
    """
    with open_channel(settings) as through:
        stub = AuthMetadataServiceStub(through)
        client = _ask(
            stub.GetPublicClientConfig, auth_pb2.PublicClientAuthConfigRequest(), settings, metadata
        )
        server = _ask(stub.GetOAuth2Metadata, auth_pb2.OAuth2MetadataRequest(), settings, metadata)
    key = (client.authorization_metadata_key if client else "").lower() or _DEFAULT_KEY
    if not is_metadata_key(key):
        raise FlyteSignInError(
            f"Flyte at {settings.endpoint} wants tokens in the metadata {key!r:.60}, which gRPC does not take. Set "
            "the connection's extra field 'authorization_key'."
        )
    return Discovered(
        key=key,
        scopes=tuple(client.scopes) if client else (),
        audience=client.audience if client else "",
        token_url=server.token_endpoint if server else "",
        client_auth=tuple(server.token_endpoint_auth_methods_supported) if server else (),
    )


def _ask(method: Any, request: Any, settings: Settings, metadata: Sequence[tuple[str, str]]) -> Any:
    """Return the answer, None from a Flyte without sign-in."""
    try:
        return method(request, timeout=settings.call_timeout, metadata=tuple(metadata))
    except grpc.RpcError as error:
        if error.code() in (grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.NOT_FOUND):
            return None
        asked = "signing in: asking Flyte for its sign-in metadata"
        tokens = [value.rpartition(" ")[2] for _, value in metadata]
        raise to_flyte_error(error, asked, settings, tokens) from None
