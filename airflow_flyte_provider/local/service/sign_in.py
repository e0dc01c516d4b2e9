"""Lets only calls with a token through to the services."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import grpc

from airflow_flyte_provider.local.refusal import Refusal, unauthenticated

if TYPE_CHECKING:
    from airflow_flyte_provider.local.auth.authority import Authority

METADATA_KEY = "flyte-authorization"
_KEYS = ("authorization", METADATA_KEY)  # the first that is there counts, as in FlyteAdmin
_GUARDED = "/flyteidl.service."
_OPEN = "/flyteidl.service.AuthMetadataService/"
_FAILED = "[JWT_VERIFICATION_FAILED] Could not retrieve"
_CAUSE = "from metadata, caused by: rpc error: code = Unauthenticated desc ="
_NO_SCHEME = "Bad authorization string"


class SignIn(grpc.aio.ServerInterceptor):
    """Refuses calls of Flyte's services that carry no good token; metadata, health and reflection are open.

    :param authority: who issued the tokens.
    """

    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """Return the handler of a call, or one that refuses it."""
        method = handler_call_details.method
        if method.startswith(_GUARDED) and not method.startswith(_OPEN):
            try:
                caller_claims(self._authority, handler_call_details.invocation_metadata)
            except Refusal as refusal:
                return _refusing(refusal)
        return await continuation(handler_call_details)


def caller_claims(authority: Authority, metadata: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return the claims of the token that a call carries.

    :param authority: who issued the token.
    :param metadata: metadata of the call.
    :raises Refusal: UNAUTHENTICATED, worded as FlyteAdmin does.
    """
    # only with sign-in is the library that reads tokens loaded
    from airflow_flyte_provider.local.auth.authority import REQUIRED_SCOPE, BadToken

    told = dict(reversed(list(metadata)))  # of a key given twice the first counts
    value = next((told[key] for key in _KEYS if told.get(key)), "")
    try:
        claims = authority.claims(_bearer_token(value))
    except BadToken as bad:
        raise _refused(str(bad)) from None
    if REQUIRED_SCOPE not in claims["scp"]:
        raise unauthenticated("authenticated user doesn't have required scope")
    return claims


def _bearer_token(value: str) -> str:
    scheme, space, token = value.partition(" ")
    if value and not space:
        raise _refused(f"{_FAILED} bearer token {_CAUSE} {_NO_SCHEME}", _NO_SCHEME)
    if scheme.lower() != "bearer":
        raise _refused(f"{_FAILED} bearer token {_CAUSE} Request unauthenticated with Bearer")
    return token


def _refused(reason: str, second: str = "Request unauthenticated with IDToken") -> Refusal:
    """Return the refusal of a token. FlyteAdmin then looks for an identity token and tells of both."""
    return unauthenticated(
        f"token parse error id token err: access token err: {reason}, "
        f"access token err: {_FAILED} id token {_CAUSE} {second}"
    )


def _refusing(refusal: Refusal) -> grpc.RpcMethodHandler:
    async def refuse(request: bytes, context: grpc.aio.ServicerContext) -> None:
        await context.abort(refusal.code, refusal.details)

    return grpc.unary_unary_rpc_method_handler(refuse)
