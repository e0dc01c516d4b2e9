"""AuthMetadataService and IdentityService, with sign-in and without."""
# ruff: noqa: N802 - the methods are named as the gRPC service names them

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flyteidl.service import auth_pb2, auth_pb2_grpc, identity_pb2, identity_pb2_grpc

from airflow_flyte_provider.local.refusal import unimplemented
from airflow_flyte_provider.local.service.sign_in import METADATA_KEY, caller_claims

if TYPE_CHECKING:
    from airflow_flyte_provider.local.auth.authority import Authority


class AuthMetadataService(auth_pb2_grpc.AuthMetadataServiceServicer):
    """Tells clients how to sign in.

    :param authority: the authorisation server, None when there is no sign-in.
    """

    def __init__(self, authority: Authority | None) -> None:
        self._authority = authority

    def GetOAuth2Metadata(self, request: Any, context: Any) -> Any:
        """Return the endpoints of the authorisation server and what they take.

        :raises Refusal: UNIMPLEMENTED when there is no sign-in.
        """
        if self._authority is None:
            raise unimplemented("the local Flyte has no sign-in, so there is no authorisation server")
        issuer = self._authority.issuer
        return auth_pb2.OAuth2MetadataResponse(
            issuer=issuer,
            authorization_endpoint=f"{issuer}/oauth2/authorize",
            token_endpoint=f"{issuer}/oauth2/token",
            jwks_uri=f"{issuer}/oauth2/jwks",
            response_types_supported=["code", "token", "code token"],
            scopes_supported=["all"],
            token_endpoint_auth_methods_supported=["client_secret_basic"],
            code_challenge_methods_supported=["S256"],
            grant_types_supported=["client_credentials", "refresh_token", "authorization_code"],
        )

    def GetPublicClientConfig(self, request: Any, context: Any) -> Any:
        """Return the metadata key of tokens and, with sign-in, the client that FlyteAdmin has for people."""
        if self._authority is None:
            return auth_pb2.PublicClientAuthConfigResponse(authorization_metadata_key=METADATA_KEY)
        return auth_pb2.PublicClientAuthConfigResponse(
            client_id="flytectl",
            redirect_uri="http://localhost:53593/callback",
            scopes=["offline", "all"],
            authorization_metadata_key=METADATA_KEY,
        )


class IdentityService(identity_pb2_grpc.IdentityServiceServicer):
    """Tells who is calling.

    :param authority: the authorisation server, None when there is no sign-in and so no one in particular.
    """

    def __init__(self, authority: Authority | None) -> None:
        self._authority = authority

    def UserInfo(self, request: Any, context: Any) -> Any:
        """Return the claims of the caller's token, none without sign-in."""
        answer = identity_pb2.UserInfoResponse()
        if self._authority is not None:
            answer.additional_claims.update(caller_claims(self._authority, context.invocation_metadata()))
        return answer
