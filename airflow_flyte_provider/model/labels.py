"""Labels and annotations, as Kubernetes takes them.

Flyte hands an execution's labels to Kubernetes, which takes at most 63 letters, digits, '-', '_' and '.' that
begin and end with a letter or digit.
"""

from __future__ import annotations

import hashlib
import re

#: Keys that begin so are the provider's own: they tell which task try launched the execution.
RESERVED_PREFIX = "airflow-"

#: FlyteAdmin takes no more labels than this for one execution.
MAX_LABELS = 16

_MAX_LENGTH = 63
_HASH_LENGTH = 8
_QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_MAX_SUBDOMAIN = 253
_NAME_RULE = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', "
    "regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_PREFIX_RULE = (
    "prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', "
    "regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


def label_value(text: str) -> str:
    """Return `text` as a label value that Kubernetes takes, unchanged where it already is one.

    What must be changed or cut gets a hash of the original appended, so that two texts never become one.

    >>> label_value("manual__2026-01-01T00:00:00+00:00")
    'manual__2026-01-01T00-00-00-00-00-1e8dc70c'
    """
    safe = re.sub(r"[^A-Za-z0-9._-]", "-", text).strip("-_.")
    if safe == text and len(safe) <= _MAX_LENGTH:
        return safe
    digest = hashlib.sha256(text.encode()).hexdigest()[:_HASH_LENGTH]
    return f"{safe[: _MAX_LENGTH - _HASH_LENGTH - 1]}-{digest}".lstrip("-")


def key_faults(key: str) -> list[str]:
    """Return what Kubernetes finds wrong with the key of a label or annotation, in its words.

    >>> key_faults("team"), key_faults("example.com/team")
    ([], [])
    """
    faults: list[str] = []
    prefix, slash, name = key.rpartition("/")
    if "/" in prefix:
        example = f"a qualified {_NAME_RULE.removeprefix('name part ')}"
        return [f"{example} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]
    if slash and not prefix:
        faults.append("prefix part must be non-empty")
    elif slash and (not _SUBDOMAIN.fullmatch(prefix) or len(prefix) > _MAX_SUBDOMAIN):
        faults.append(_PREFIX_RULE)
    if not name:
        faults.append("name part must be non-empty")
    elif len(name) > _MAX_LENGTH:
        faults.append(f"name part must be no more than {_MAX_LENGTH} characters")
    if not _QUALIFIED.fullmatch(name):
        faults.append(_NAME_RULE)
    return faults


def value_faults(value: str) -> list[str]:
    """Return what Kubernetes finds wrong with the value of a label, in its words.

    >>> value_faults("x" * 64)
    ['must be no more than 63 characters']
    """
    faults = [f"must be no more than {_MAX_LENGTH} characters"] if len(value) > _MAX_LENGTH else []
    if value and not _QUALIFIED.fullmatch(value):
        faults.append(_VALUE_RULE)
    return faults
