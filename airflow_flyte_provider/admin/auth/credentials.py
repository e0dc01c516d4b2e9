"""What the calls of one connection carry: metadata with a token, got when it is needed, kept for the process."""

from __future__ import annotations

import os

from airflow_flyte_provider.admin.auth.discovery import Discovered, discover
from airflow_flyte_provider.admin.auth.sign_in import AuthMode
from airflow_flyte_provider.admin.auth.sources import by_client_credentials, by_command
from airflow_flyte_provider.admin.auth.tokens import Token, TokenKeeper
from airflow_flyte_provider.admin.settings import Settings

Metadata = tuple[tuple[str, str], ...]

_PROXY_KEY = "proxy-authorization"
_BEARER = "Bearer "


class Credentials:
    """The tokens of one connection: Flyte's own, and that of a proxy before it.

    :param settings: which Flyte, and how to sign in. A token is sent to its endpoint and nowhere else.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        sign_in = settings.sign_in
        self._proxy = TokenKeeper(self._fetch_proxy) if sign_in.proxy_command else None
        self._flyte = TokenKeeper(self._fetch) if sign_in.mode is not AuthMode.NONE else None
        self._discovered: Discovered | None = None

    def apart(self) -> Credentials:
        """Return these credentials without a lock in common, for who interrupts one that holds it."""
        other = Credentials(self._settings)
        other._discovered = self._discovered
        other._proxy = self._proxy and TokenKeeper(other._fetch_proxy, self._proxy.kept)
        other._flyte = self._flyte and TokenKeeper(other._fetch, self._flyte.kept)
        return other

    @property
    def tokens(self) -> tuple[str, ...]:
        """The tokens at hand, which must not be shown to anyone."""
        kept = (keeper.kept for keeper in (self._proxy, self._flyte) if keeper)
        return tuple(token.value for token in kept if token)

    def metadata(self, refused: Metadata = ()) -> Metadata:
        """Return the metadata for a call.

        :param refused: that of a call which Flyte answered with UNAUTHENTICATED: its tokens are replaced.
        :raises FlyteSignInError: when signing in is refused.
        :raises FlyteConnectionError: when it cannot be tried.
        """
        values = dict(refused)
        proxy = self._proxy.get(_token(values, _PROXY_KEY)) if self._proxy else ""
        flyte = self._flyte.get(_token(values, self._key)) if self._flyte else ""
        return self._made(proxy, flyte)

    async def ametadata(self, refused: Metadata = ()) -> Metadata:
        """Return the metadata for a call, without blocking the event loop; see `metadata`."""
        values = dict(refused)
        proxy = await self._proxy.aget(_token(values, _PROXY_KEY)) if self._proxy else ""
        flyte = await self._flyte.aget(_token(values, self._key)) if self._flyte else ""
        return self._made(proxy, flyte)

    @property
    def _key(self) -> str:
        told = self._discovered.key if self._discovered else ""
        return self._settings.sign_in.authorization_key or told

    def _made(self, proxy: str, flyte: str) -> Metadata:
        pairs = ((_PROXY_KEY, proxy), (self._key, flyte))
        return tuple((key, f"{_BEARER}{token}") for key, token in pairs if token)

    def _fetch_proxy(self) -> Token:
        return by_command(self._settings.sign_in.proxy_command, self._settings.call_timeout)

    def _fetch(self) -> Token:
        sign_in = self._settings.sign_in
        discovered = self._discover()
        if sign_in.mode is AuthMode.COMMAND:
            return by_command(sign_in.command, self._settings.call_timeout)
        if sign_in.mode is AuthMode.TOKEN:
            return Token(sign_in.token)
        return by_client_credentials(self._settings, discovered)

    def _discover(self) -> Discovered:
        """Ask Flyte how to sign in, once, and not at all where the connection says everything."""
        if self._discovered is None:
            sign_in = self._settings.sign_in
            is_told = sign_in.mode is not AuthMode.CLIENT_CREDENTIALS or (
                sign_in.token_url and sign_in.scopes
            )
            if sign_in.authorization_key and is_told:
                self._discovered = Discovered(sign_in.authorization_key, (), "", "", ())
            else:
                proxy = ((_PROXY_KEY, _BEARER + self._proxy.get()),) if self._proxy else ()
                self._discovered = discover(self._settings, proxy)
        return self._discovered


_made: dict[tuple[int, Settings], Credentials] = {}


def credentials(settings: Settings) -> Credentials:
    """Return this process's credentials for `settings`: all hooks and loops share the tokens."""
    # The process id is in it because a lock that is held during a fork stays locked.
    bare = settings.shared()
    key = (os.getpid(), bare)
    # One step, without a lock: a signal handler may come here.
    return _made.get(key) or _made.setdefault(key, Credentials(bare))


def _token(values: dict[str, str], key: str) -> str:
    return values.get(key, "").removeprefix(_BEARER)
