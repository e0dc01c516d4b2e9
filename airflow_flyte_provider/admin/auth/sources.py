"""Where tokens come from: a token endpoint, by the client credentials of OAuth 2, and programs that print one."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from urllib.parse import quote_plus, urlsplit

import httpx
from authlib.common.errors import AuthlibBaseError
from authlib.oauth2.client import OAuth2Client

from airflow_flyte_provider.admin.auth.discovery import Discovered
from airflow_flyte_provider.admin.auth.sign_in import SignIn, is_token
from airflow_flyte_provider.admin.auth.tokens import Token
from airflow_flyte_provider.admin.settings import Settings
from airflow_flyte_provider.admin.tls import context_for
from airflow_flyte_provider.exceptions import FlyteConnectionError, FlyteSignInError
from airflow_flyte_provider.model.redaction import redacted
from airflow_flyte_provider.model.web import is_loopback, is_page

#: Seconds a token endpoint may take, at most; the connection's call_timeout where that is shorter.
_TIMEOUT = 15.0
#: Characters of an address; those that are real have a hundred.
_LONGEST = 2000


def by_client_credentials(settings: Settings, discovered: Discovered) -> Token:
    """Get a token for the client's id and secret from the token endpoint.

    :param settings: which Flyte, and who signs in.
    :param discovered: what Flyte tells; what the connection says goes before it.
    :raises FlyteSignInError: when the client is refused, or the endpoint must not be told its secret.
    :raises FlyteConnectionError: when the endpoint cannot be reached, or is out of order.
    """
    sign_in = settings.sign_in
    url = sign_in.token_url or discovered.token_url
    _check_address(url, settings)
    asked = {
        "scope": " ".join(sign_in.scopes or _askable(discovered.scopes)),
        "audience": sign_in.audience or discovered.audience,
    }
    form = {name: value for name, value in asked.items() if value}
    auth = _basic(sign_in)
    if discovered.client_auth and "client_secret_basic" not in discovered.client_auth:
        auth = httpx.Auth()
        form |= {"client_id": sign_in.client_id, "client_secret": sign_in.client_secret}
    asked_at = time.monotonic()
    # No redirect is followed: the secret is for this address.
    with httpx.Client(
        verify=context_for(settings, url),
        timeout=min(_TIMEOUT, settings.call_timeout),
        follow_redirects=False,
    ) as http:
        answer = _ask(OAuth2Client(http), url, form, auth, sign_in)
    value = answer.get("access_token")
    if not isinstance(value, str) or not is_token(value):
        raise _failed(url, "answered without a token that can be used. Is it a token endpoint?")
    return Token(value, _lifetime(answer.get("expires_in")), asked_at)


def by_command(command: Sequence[str], timeout: float) -> Token:
    """Get a token from what a program prints. No shell is involved.

    :param command: the program and its arguments.
    :param timeout: seconds it may take.
    :raises FlyteSignInError: when it cannot be run, fails, or prints something else. What it printed is not told.
    """
    name = command[0]
    try:
        done = subprocess.run(  # noqa: S603 - the connection names it, and no shell reads it
            list(command), capture_output=True, stdin=subprocess.DEVNULL, timeout=timeout, check=False
        )
    except subprocess.TimeoutExpired:
        raise FlyteSignInError(
            f"Signing in failed: the command {name} took longer than {timeout:g} s."
        ) from None
    except (OSError, ValueError) as fault:
        why = getattr(fault, "strerror", None) or type(fault).__name__
        raise FlyteSignInError(f"Signing in failed: the command {name} could not be run: {why}.") from None
    if done.returncode:
        raise FlyteSignInError(
            f"Signing in failed: the command {name} ended with exit code {done.returncode}. What it printed is not "
            "shown, for it may be secret: run it on the worker, as the user of Airflow."
        )
    token = done.stdout.decode(errors="replace").strip()
    if not is_token(token):
        raise FlyteSignInError(
            f"Signing in failed: the command {name} must print a token and nothing else; it printed "
            f"{len(token.split())} words."
        )
    return Token(token)


def _ask(
    client: OAuth2Client, url: str, form: dict[str, str], auth: httpx.Auth, sign_in: SignIn
) -> dict[str, object]:
    fault: FlyteSignInError | FlyteConnectionError
    try:
        return dict(client.fetch_token(url, grant_type="client_credentials", auth=auth, **form))
    except AuthlibBaseError as refused:
        told = redacted(f"{refused.error}: {refused.description or 'no description'}", sign_in.secrets)
        fault = _failed(
            url, f"refused the client {sign_in.client_id!r}: {told[:300]}. Check its id, secret and scopes."
        )
    except httpx.HTTPStatusError as error:
        code = error.response.status_code
        kind = FlyteConnectionError if code in (408, 429) or code >= 500 else FlyteSignInError
        fault = kind(
            f"Signing in failed: the token endpoint {_shown(url)} answered {code}. No redirect is followed."
        )
    except httpx.TransportError as error:
        fault = FlyteConnectionError(
            f"Signing in failed: the token endpoint {_shown(url)} could not be reached: "
            f"{type(error).__name__}: {str(error)[:200]}"
        )
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, TypeError, AttributeError):
        # What it answered is not shown: it may be a token after all.
        fault = _failed(url, "did not answer as a token endpoint does. Is the address right?")
    # Outside of the handler: what was raised there holds the request, and with it the secret.
    raise fault


def _check_address(url: str, settings: Settings) -> None:
    """Raise unless the client's secret may be sent there."""
    if not url:
        raise FlyteSignInError(
            f"Signing in failed: Flyte at {settings.endpoint} tells no token endpoint. If it has a sign-in, set the "
            "connection's extra field 'token_url'; if not, set 'auth_mode' to none."
        )
    if not is_page(url) or len(url) > _LONGEST:
        raise FlyteSignInError(
            f"Signing in failed: Flyte at {settings.endpoint} tells the token endpoint {url!r:.100}, which is no "
            "address. Set the connection's extra field 'token_url'."
        )
    parts = urlsplit(url)
    if parts.scheme == "https" or (
        parts.scheme == "http" and (settings.insecure or is_loopback(parts.hostname or ""))
    ):
        return
    raise _failed(url, "is not an https address, so the client's secret is not sent there.")


def _askable(scopes: Sequence[str]) -> list[str]:
    """Return the scopes that a client without a person can have: `offline` is for refreshing a person's."""
    return [scope for scope in scopes if scope not in ("offline", "offline_access", "openid", "profile")]


def _basic(sign_in: SignIn) -> httpx.Auth:
    # RFC 6749 2.3.1: both are form-encoded before they are joined.
    return httpx.BasicAuth(quote_plus(sign_in.client_id), quote_plus(sign_in.client_secret))


def _lifetime(told: object) -> float | None:
    try:
        seconds = float(str(told))
    except ValueError:
        return None
    return seconds if seconds > 0 else None


def _failed(url: str, why: str) -> FlyteSignInError:
    return FlyteSignInError(f"Signing in failed: the token endpoint {_shown(url)} {why}")


def _shown(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
