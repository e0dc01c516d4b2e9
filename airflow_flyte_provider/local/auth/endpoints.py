"""The HTTP answers of the authorisation server: the token endpoint and the key set."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, unquote_plus

from airflow_flyte_provider.local.auth.authority import GRANTABLE_SCOPES, Authority

TOKEN_PATH = "/oauth2/token"  # noqa: S105 - a path
JWKS_PATH = "/oauth2/jwks"
AUTHORIZE_PATH = "/oauth2/authorize"


@dataclass(frozen=True)
class Answer:
    """An HTTP answer whose body is JSON.

    :param status: HTTP status.
    :param content: what the body says.
    """

    status: HTTPStatus
    content: dict[str, Any]

    @property
    def body(self) -> str:
        """The content as text."""
        return json.dumps(self.content)


class Endpoints:
    """What is asked below `/oauth2/`.

    :param authority: who issues the tokens.
    :param count: told of each request for a token, with the HTTP status of its answer.
    """

    def __init__(self, authority: Authority, count: Callable[[int], None]) -> None:
        self._authority = authority
        self._count = count

    def get(self, path: str) -> Answer:
        """Answer a GET below `/oauth2/`."""
        if path == JWKS_PATH:
            return Answer(HTTPStatus.OK, self._authority.jwks())
        if path == AUTHORIZE_PATH:
            return _refused(
                HTTPStatus.NOT_IMPLEMENTED,
                "unsupported_response_type",
                "no browser sign-in here: ask the token endpoint with client credentials",
            )
        return _refused(HTTPStatus.NOT_FOUND, "not_found", "no such endpoint")

    def post(self, path: str, authorization: str, form: str) -> Answer:
        """Answer a POST below `/oauth2/`.

        :param path: path of the request.
        :param authorization: its `Authorization` header, empty when it has none.
        :param form: its body.
        """
        if path != TOKEN_PATH:
            return _refused(HTTPStatus.NOT_FOUND, "not_found", "no such endpoint")
        answer = self._token(authorization, form)
        self._count(answer.status)
        return answer

    def _token(self, authorization: str, form: str) -> Answer:
        fields = {name: values[0] for name, values in parse_qs(form).items()}
        grant = fields.get("grant_type")
        if not grant:
            return _refused(HTTPStatus.BAD_REQUEST, "invalid_request", "grant_type is missing")
        if not self.is_client(authorization):
            return _refused(HTTPStatus.UNAUTHORIZED, "invalid_client", "Client authentication failed")
        if grant != "client_credentials":
            return _refused(
                HTTPStatus.BAD_REQUEST, "unsupported_grant_type", "only client_credentials is served"
            )
        scopes = fields.get("scope", "").split()
        if not GRANTABLE_SCOPES.issuperset(scopes):
            return _refused(
                HTTPStatus.BAD_REQUEST, "invalid_scope", "The requested scope is invalid or unknown"
            )
        content = {
            "access_token": self._authority.issue(scopes),
            # times in tokens are whole seconds, so up to one of the lifetime's has passed already
            "expires_in": self._authority.lifetime - 1,
            "scope": " ".join(scopes),
            "token_type": "bearer",
        }
        return Answer(HTTPStatus.OK, content)

    def is_client(self, authorization: str) -> bool:
        """Tell whether an `Authorization` header carries the client's id and secret by HTTP basic."""
        scheme, _, encoded = authorization.partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except ValueError:  # not base64, or not text
            return False
        # RFC 6749 2.3.1: both are form-encoded before they are joined
        return self._authority.knows(unquote_plus(client_id), unquote_plus(secret))


def _refused(status: HTTPStatus, error: str, description: str) -> Answer:
    return Answer(status, {"error": error, "error_description": description})
