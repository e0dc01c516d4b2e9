"""AuthMetadataService and IdentityService of a Flyte without sign-in."""
# ruff: noqa: N802 - the methods are named as the gRPC service names them

from __future__ import annotations

from typing import Any

from flyteidl.service import auth_pb2, auth_pb2_grpc, identity_pb2, identity_pb2_grpc

from airflow_flyte_provider.local.refusal import unimplemented


class AuthMetadataService(auth_pb2_grpc.AuthMetadataServiceServicer):
    """Tells that there is no authorisation server."""

    def GetOAuth2Metadata(self, request: Any, context: Any) -> Any:
        """Refuse: there is no authorisation server to tell of."""
        raise unimplemented("the local Flyte has no sign-in, so there is no authorisation server")

    def GetPublicClientConfig(self, request: Any, context: Any) -> Any:
        """Return the name of the metadata key that real Flytes read tokens from."""
        return auth_pb2.PublicClientAuthConfigResponse(authorization_metadata_key="flyte-authorization")


class IdentityService(identity_pb2_grpc.IdentityServiceServicer):
    """Tells who is calling: no one in particular."""

    def UserInfo(self, request: Any, context: Any) -> Any:
        """Return an empty identity."""
        return identity_pb2.UserInfoResponse()
