"""How to sign in: plain values, read from a connection and checked once."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import urlsplit

from airflow_flyte_provider.admin.fields import Fields
from airflow_flyte_provider.exceptions import FlyteConfigError

#: The extra fields that are read here.
SIGN_IN_EXTRAS = (
    "auth_mode",
    "client_id",
    "client_secret",
    "token",
    "auth_command",
    "proxy_command",
    "token_url",
    "scopes",
    "audience",
    "authorization_key",
)


class AuthMode(str, Enum):
    """Where the token comes from that calls carry."""

    NONE = "none"
    CLIENT_CREDENTIALS = "client_credentials"
    TOKEN = "token"  # noqa: S105 - the name of a mode
    COMMAND = "command"


#: Names that flytectl and others have for the modes; the last ones need a person.
_MODES = {
    "none": AuthMode.NONE,
    "clientcredentials": AuthMode.CLIENT_CREDENTIALS,
    "clientsecret": AuthMode.CLIENT_CREDENTIALS,
    "basic": AuthMode.CLIENT_CREDENTIALS,
    "token": AuthMode.TOKEN,
    "command": AuthMode.COMMAND,
    "externalcommand": AuthMode.COMMAND,
    "externalprocess": AuthMode.COMMAND,
    "customcommand": AuthMode.COMMAND,
}
_INTERACTIVE = ("pkce", "standard", "deviceflow", "device")
#: What gRPC takes for the key of a metadata of text, and what a header may hold.
_KEY = re.compile(r"(?!grpc-)[a-z0-9_.-]+(?<!-bin)")
_TOKEN = re.compile(r"[\x21-\x7e]+")


@dataclass(frozen=True, slots=True)
class SignIn:
    """How a client signs in to Flyte. Nothing secret shows in its `repr`.

    :param mode: where the token comes from.
    :param client_id: the client, with client credentials.
    :param client_secret: its secret.
    :param token: the token itself, with a token that does not change.
    :param command: a program and its arguments whose output is the token.
    :param proxy_command: likewise the token for a proxy before Flyte, sent as `proxy-authorization`.
    :param token_url: address of the token endpoint; empty asks Flyte for it.
    :param scopes: scopes to ask for; none asks Flyte which there are.
    :param audience: audience to ask for; empty sends none.
    :param authorization_key: metadata that carries the token; empty asks Flyte.
    """

    mode: AuthMode = AuthMode.NONE
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    command: tuple[str, ...] = field(default=(), repr=False)
    proxy_command: tuple[str, ...] = field(default=(), repr=False)
    token_url: str = ""
    scopes: tuple[str, ...] = ()
    audience: str = ""
    authorization_key: str = ""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be shown to anyone."""
        return tuple(secret for secret in (self.client_secret, self.token) if secret)

    @classmethod
    def from_fields(cls, fields: Fields) -> SignIn:
        """Read how to sign in from the fields of a connection.

        :param fields: the fields. `auth_mode` may be left out where only one mode is described. The field `password`
            is the client's secret or, with `auth_mode` `token`, the token.
        :raises FlyteConfigError: naming what is missing, too much, or not to be used.
        """
        password = fields.text("password")
        secret = fields.text("client_secret") or password
        token, command = fields.text("token"), fields.command("auth_command")
        mode = _mode(fields, secret=secret, token=token, command=command)
        if mode is AuthMode.TOKEN:
            token = token or password
        made = cls(
            mode=mode,
            client_id=fields.text("client_id") or "",
            client_secret=(secret or "") if mode is AuthMode.CLIENT_CREDENTIALS else "",
            token=(token or "") if mode is AuthMode.TOKEN else "",
            command=command if mode is AuthMode.COMMAND else (),
            proxy_command=fields.command("proxy_command"),
            token_url=_address(fields),
            scopes=fields.words("scopes"),
            audience=fields.text("audience") or "",
            authorization_key=_key(fields),
        )
        made._check(fields)
        return made

    def _check(self, fields: Fields) -> None:
        needed: dict[AuthMode, dict[str, object]] = {
            AuthMode.CLIENT_CREDENTIALS: {
                "client_id (or the login)": self.client_id,
                "client_secret (or the password)": self.client_secret,
            },
            AuthMode.TOKEN: {"token (or the password)": self.token},
            AuthMode.COMMAND: {"auth_command": self.command},
        }
        missing = [name for name, value in needed.get(self.mode, {}).items() if not value]
        if missing:
            raise FlyteConfigError(
                f"Connection {fields.conn_id!r} signs in by {self.mode.value}, which needs {' and '.join(missing)}."
            )
        if self.token and not is_token(self.token):
            raise fields.wrong("token", "a token: one line without spaces")


def is_token(text: str) -> bool:
    """Return whether a text can be sent as a token."""
    return bool(_TOKEN.fullmatch(text))


def is_metadata_key(text: str) -> bool:
    """Return whether gRPC takes a text for the key of a token."""
    return bool(_KEY.fullmatch(text))


def _mode(fields: Fields, **given: object) -> AuthMode:
    asked = fields.text("auth_mode")
    if not asked:
        found = [
            mode
            for mode, value in zip(
                (AuthMode.CLIENT_CREDENTIALS, AuthMode.TOKEN, AuthMode.COMMAND), given.values(), strict=True
            )
            if value
        ]
        if len(found) > 1:
            names = " and ".join(mode.value for mode in found)
            raise FlyteConfigError(
                f"Connection {fields.conn_id!r} describes sign-in by {names}: say which one in the extra field "
                "'auth_mode'."
            )
        return found[0] if found else AuthMode.NONE
    plain = asked.lower().replace("_", "").replace("-", "")
    if plain in _INTERACTIVE:
        raise FlyteConfigError(
            f"Connection {fields.conn_id!r} asks for the sign-in {asked!r}, which needs a person and a browser; a "
            "worker has neither. Use client_credentials, token or command, or none for a Flyte without sign-in."
        )
    if plain not in _MODES:
        raise fields.wrong("auth_mode", " or ".join(mode.value for mode in AuthMode))
    return _MODES[plain]


def _address(fields: Fields) -> str:
    url = fields.text("token_url") or ""
    try:
        parts = urlsplit(url)
        good = not url or (
            parts.scheme in ("https", "http") and bool(parts.hostname) and "@" not in parts.netloc
        )
        _ = parts.port
    except ValueError:
        good = False
    if not good or not url.isprintable() or " " in url:
        raise fields.wrong("token_url", "the address of the token endpoint, https://...")
    return url


def _key(fields: Fields) -> str:
    key = (fields.text("authorization_key") or "").lower()
    if key and not is_metadata_key(key):
        raise fields.wrong("authorization_key", "the key of a gRPC metadata, such as flyte-authorization")
    return key
