"""Fields of Flyte's messages as Python values, read without loading the messages' generated code."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from google.protobuf.message import Message


def moment(message: Message, field: str) -> datetime | None:
    """Return a timestamp in UTC, cut to microseconds, or None when it is not told."""
    return getattr(message, field).ToDatetime(tzinfo=timezone.utc) if message.HasField(field) else None


def length(message: Message, field: str) -> timedelta | None:
    """Return a duration, or None when it is not told."""
    return getattr(message, field).ToTimedelta() if message.HasField(field) else None


def enum_name(message: Message, field: str) -> str:
    """Return the name of an enum field's number, empty for a number that this flyteidl does not know."""
    # By way of the descriptor, so that this module needs no generated code when it is imported.
    enum = message.DESCRIPTOR.fields_by_name[field].enum_type
    value = enum.values_by_number.get(getattr(message, field)) if enum else None
    return value.name if value else ""
