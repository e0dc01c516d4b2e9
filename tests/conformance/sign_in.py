"""Signs in as the client of the sign-in recording did: with the token its case names say."""

from __future__ import annotations

import base64
import json
import urllib.request

from airflow_flyte_provider.local import LocalFlyte

RECORDED_URL = "http://localhost:9088"


def metadata_of_cases(flyte: LocalFlyte) -> dict[str, tuple[str, str]]:
    """Return the metadata of the recorded cases; the others were made without a token."""
    bearer = f"Bearer {token(flyte)}"
    return {
        "auth/token-authorization": ("authorization", bearer),
        "auth/token-flyte-authorization": ("flyte-authorization", bearer),
        "auth/identity": ("authorization", bearer),
        "auth/garbage": ("authorization", "Bearer garbage"),
    }


def token(flyte: LocalFlyte, scope: str = "all") -> str:
    """Get a token for the client of a local Flyte."""
    return json.loads(ask_for_token(flyte, flyte.client_secret, scope=scope))["access_token"]


def ask_for_token(flyte: LocalFlyte, secret: str, **fields: str) -> bytes:
    """Ask the token endpoint and return its answer.

    :raises urllib.error.HTTPError: when it refuses.
    """
    form = "&".join(
        f"{name}={value}" for name, value in {"grant_type": "client_credentials", **fields}.items()
    )
    basic = base64.b64encode(f"{flyte.client_id}:{secret}".encode()).decode()
    request = urllib.request.Request(
        f"{flyte.http_url}/oauth2/token", form.encode(), {"Authorization": f"Basic {basic}"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.read()
