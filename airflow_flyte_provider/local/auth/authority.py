"""Issues tokens and checks them, as FlyteAdmin's internal authorisation server does."""

from __future__ import annotations

import hashlib
import hmac
import time
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jwt
from jwt.algorithms import RSAAlgorithm

from airflow_flyte_provider.local.auth.secrets import client_secret, signing_key
from airflow_flyte_provider.local.settings import CLIENT_ID

REQUIRED_SCOPE = "all"
GRANTABLE_SCOPES = frozenset({REQUIRED_SCOPE, "offline", "access_token"})
_ALGORITHM = "RS256"


class BadToken(Exception):  # noqa: N818 - the caller's fault, told as FlyteAdmin words it
    """A token that is not taken, with the reason."""


class Authority:
    """The authorisation server: one client, one key.

    :param issuer: URL that it is reached at.
    :param root: the data directory, which keeps the client's secret and the key.
    :param lifetime: seconds a token is good for.
    """

    def __init__(self, issuer: str, root: Path, lifetime: int) -> None:
        self.issuer = issuer
        self.lifetime = lifetime
        self._secret = client_secret(root).encode()
        self._key = signing_key(root)
        self._public_key = self._key.public_key()
        jwk = RSAAlgorithm.to_jwk(self._public_key, as_dict=True)
        self._key_id = hashlib.sha256(jwk["n"].encode()).hexdigest()[:16]
        self._jwk = {**jwk, "alg": _ALGORITHM, "kid": self._key_id, "use": "sig"}

    def knows(self, client_id: str, secret: str) -> bool:
        """Tell whether these are the client's id and secret, in the same time whatever they are."""
        same_id = hmac.compare_digest(client_id.encode(), CLIENT_ID.encode())
        same_secret = hmac.compare_digest(secret.encode(), self._secret)
        return same_id and same_secret

    def issue(self, scopes: Iterable[str]) -> str:
        """Return a new token with the claims of FlyteAdmin's own."""
        issued = int(time.time())
        claims = {
            "aud": [self.issuer],
            "client_id": "",
            "exp": issued + self.lifetime,
            "iat": issued,
            "jti": str(uuid.uuid4()),
            "scp": list(scopes),
            "user_info": None,
        }
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM, headers={"kid": self._key_id})

    def claims(self, token: str) -> dict[str, Any]:
        """Return the claims of a token of ours.

        :raises BadToken: when it is none, has expired or is meant for another server.
        """
        if token.count(".") != 2:
            raise BadToken("token contains an invalid number of segments")
        try:
            return jwt.decode(
                token,
                self._public_key,
                algorithms=[_ALGORITHM],
                audience=self.issuer,
                options={"require": ["aud", "exp", "iat", "scp"]},
            )
        except jwt.ExpiredSignatureError:
            raise BadToken("Token is expired") from None
        except jwt.InvalidSignatureError:
            raise BadToken("crypto/rsa: verification error") from None
        except jwt.InvalidAudienceError:
            raise BadToken("invalid audience") from None
        except jwt.InvalidTokenError:
            raise BadToken("token is malformed") from None

    def jwks(self) -> dict[str, Any]:
        """Return the public key that tokens are verified with, as a JSON web key set."""
        return {"keys": [self._jwk]}
