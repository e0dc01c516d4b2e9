"""Values that Flyte has moved out of the message, since they were too large for it: `offloaded_metadata`."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from flyteidl.core import types_pb2
from flyteidl.core.literals_pb2 import Literal, LiteralOffloadedMetadata
from flyteidl.core.types_pb2 import LiteralType
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError

from airflow_flyte_provider.model.files import FileReference

Fetch = Callable[[str], bytes]
"""Returns what lies at a URI of the store, all of it."""

_INLINE_TYPES = ("simple", "collection_type", "map_value_type")
_NONE = LiteralType(simple=types_pb2.NONE)
_DIGEST_LENGTH = 44  # a SHA-256 in base64 with its padding, as flytekit writes it


class OffloadedValueError(ValueError):
    """Raised for an offloaded value that is not what was put there: truncated, or another.

    :param uri: where it lies.
    :param fault: what is wrong with it.
    """

    def __init__(self, uri: str, fault: str) -> None:
        self.uri = uri
        self.fault = fault
        super().__init__(f"the value at {uri} {fault}")

    def __reduce__(self) -> tuple[type[OffloadedValueError], tuple[str, str]]:
        return type(self), (self.uri, self.fault)


def refers_to_value(value: object, literal_type: LiteralType) -> bool:
    """Return whether a value is a reference to one that Flyte keeps apart, as XCom hands it on, and may stand for it.

    :param value: any value. A `FileReference` of the kind `value`, or the dict of one, is such a reference.
    :param literal_type: the declared type. A union is asked by its variants; what lies in a store has a URI anyway.
    """
    if literal_type.WhichOneof("type") not in _INLINE_TYPES or literal_type == _NONE:
        return False
    if isinstance(value, FileReference):
        return value.kind == "value" and bool(value.uri)
    if isinstance(value, Mapping) and FileReference.is_dict_of_one(value):
        return refers_to_value(FileReference.from_dict(value), literal_type)
    return False


def to_offloaded(value: FileReference | Mapping[str, Any], literal_type: LiteralType) -> Literal:
    """Return the literal of a value that Flyte keeps apart, after `flyteidl.core.LiteralOffloadedMetadata`.

    :param value: a reference, see `refers_to_value`. Flyte reads what it points to; its type is not checked here.
    :param literal_type: the declared type.
    """
    reference = value if isinstance(value, FileReference) else FileReference.from_dict(value)
    away = LiteralOffloadedMetadata(uri=reference.uri, inferred_type=literal_type)
    if reference.size is not None:
        away.size_bytes = reference.size
    return Literal(offloaded_metadata=away)


def fetched(literal: Literal, fetch: Fetch) -> Literal:
    """Return the literal that an offloaded one stands for, with its size and hash checked.

    The hash is the one that its author has set, which the stored literal holds too, or flytekit's digest of it.
    FlytePropeller's own digest has another form and is not computed here; the size is checked always.

    :param literal: a `flyteidl.core.Literal` that holds `offloaded_metadata`.
    :param fetch: gets the bytes by the URI. What it raises passes.
    :raises OffloadedValueError: when size or hash differ, or when the bytes are no literal.
    """
    away = literal.offloaded_metadata
    content = fetch(away.uri)
    if away.size_bytes and len(content) != away.size_bytes:
        raise OffloadedValueError(away.uri, f"has {len(content)} bytes instead of {away.size_bytes}")
    try:
        found = Literal.FromString(content)
    except DecodeError:
        raise OffloadedValueError(away.uri, "is no Flyte literal") from None
    if found.WhichOneof("value") == "offloaded_metadata":  # or a value could lead to itself, for ever
        raise OffloadedValueError(away.uri, "is kept apart itself, which Flyte does not do")
    known = found.hash or (_digest(found) if len(literal.hash) == _DIGEST_LENGTH else "")
    if literal.hash and known and known != literal.hash:
        raise OffloadedValueError(away.uri, f"has the hash {known} instead of {literal.hash}")
    return found


def _digest(literal: Literal) -> str:
    text = json.dumps(MessageToDict(literal), sort_keys=True, separators=(",", ":"))
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
