"""Takes out of a text what whoever reads it could use: signatures of addresses, tokens, secrets that are known."""

from __future__ import annotations

import re
from collections.abc import Iterable

_HIDDEN = "***"
#: A token in its usual forms: after the name of its scheme, or a signed JSON token by itself.
_TOKENS = re.compile(
    r"(?P<scheme>\b(?:bearer|basic)\s+)[\w.~+/=-]{8,}|\beyJ[\w-]{8,}\.[\w-]{4,}\.[\w-]*", re.IGNORECASE
)
#: The parts of a query by which stores, and FlyteAdmin in front of them, recognise an address that they have signed.
_SIGNATURES = re.compile(
    r"(?P<name>[?&;](?:amp;)?(?:x-(?:amz|goog)-(?:signature|credential|security-token)|signature|sig|sas|"
    r"awsaccesskeyid|googleaccessid|access_token|token)=)[^&\s\"'<>)]+",
    re.IGNORECASE,
)


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a text without what must not stand in a log or an error.

    :param text: what somebody else has said: Flyte, a token endpoint, a task.
    :param secrets: what must not be in it in any case.

    >>> redacted("see https://store/log?X-Amz-Signature=1f2e&x=1")
    'see https://store/log?X-Amz-Signature=***&x=1'
    """
    for secret in secrets:
        if secret:
            text = text.replace(secret, _HIDDEN)
    text = _SIGNATURES.sub(lambda found: found["name"] + _HIDDEN, text)
    return _TOKENS.sub(lambda found: (found["scheme"] or "") + _HIDDEN, text)
