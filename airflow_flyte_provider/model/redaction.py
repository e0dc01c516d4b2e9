"""Takes out of a text what must not be shown: signatures, tokens and known secrets, and what a terminal would obey."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

_HIDDEN = "***"
#: A token in its usual forms: after the name of its scheme, or a signed JSON token by itself.
_TOKENS = re.compile(
    r"(?P<scheme>\b(?:bearer|basic)\s+)[\w.~+/=-]{8,}|(?<![\w-])eyJ[\w-]{8,}\.[\w-]{4,}\.[\w-]*",
    re.IGNORECASE,
)
#: The parts of a query by which stores, and FlyteAdmin in front of them, recognise an address that they have signed.
_SIGNATURES = re.compile(
    r"(?P<name>[?&;](?:amp;)?(?:x-(?:amz|goog|oss|cos)-(?:signature|credential|security-token)|q-signature|signature|sig|sas|"
    r"awsaccesskeyid|googleaccessid|access_token|token)=)[^&\s\"'<>)]+",
    re.IGNORECASE,
)
#: Name and password in an address.
_USERS = re.compile(r"(?<=://)[^\s/@\"'<>]{1,512}@")

#: What a terminal takes for a command: to move, to colour, to set a title, to make a link.
_COMMANDS = re.compile(r"(?:\x1b\[|\x9b)[0-?]{0,64}[ -/]{0,8}[@-~]|\x1b[\]P^_X][^\x07\x1b]*(?:\x07|\x1b\\)?")
_LINE_ENDS = re.compile(r"\r\n?")
#: Control characters, and those that turn the order of what follows or end a line where none seems to end.
_UNSEEN = re.compile("[^\\n\\t\\x20-\\x7e\\xa0-\\u200d\\u2010-\\u2027\\u202f-\\u2065\\u206a-\U0010ffff]")


def readable(text: str) -> str:
    r"""Return a text of several lines without what a terminal would obey, or would make a reader see another text.

    :param text: what somebody else has said, such as the message of an error with its traceback.

    >>> readable("\x1b[31mfailed\x1b[0m")
    'failed'
    """
    return _UNSEEN.sub("?", _LINE_ENDS.sub("\n", _COMMANDS.sub("", text)))


def printable(text: str) -> str:
    """Return a text for one line, of a log or in XML: what is not printed, line ends among it, becomes `?`.

    :param text: what somebody else has said, such as a name.
    """
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a text without what must not stand in a log or an error.

    :param text: what somebody else has said: Flyte, a token endpoint, a task.
    :param secrets: what must not be in it in any case.

    >>> redacted("see https://store/log?X-Amz-Signature=1f2e&x=1")
    'see https://store/log?X-Amz-Signature=***&x=1'
    """
    for secret in secrets:
        for written in _forms(secret):
            text = text.replace(written, _HIDDEN)
    text = _USERS.sub(_HIDDEN + "@", text)
    text = _SIGNATURES.sub(lambda found: found["name"] + _HIDDEN, text)
    return _TOKENS.sub(lambda found: (found["scheme"] or "") + _HIDDEN, text)


def _forms(secret: str) -> list[str]:
    """Return how a secret may be written in what a server answers, the longest first; none for an empty one."""
    forms = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}
    return sorted(filter(None, forms), key=len, reverse=True)
