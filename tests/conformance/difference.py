"""Where the answers of two Flytes differ, apart from what can't be the same: times, places, generated names."""

from __future__ import annotations

import re
from typing import Any

from flyteidl.admin import execution_pb2, node_execution_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

GENERATED = re.compile(r"a[b-z0-9]{19}")
_ADDRESS_FIELDS = {"uri", "output_uri", "input_uri", "checkpoint_uri", "native_url", "signed_url", "deck_uri"}
_SHAPED = {"google.protobuf.Timestamp", "google.protobuf.Duration"}
_MEASURED_CLAIMS = {"exp", "iat", "jti"}  # of a token: times and a generated id


def order(request: Any, answer: Any) -> None:
    """Sort a list of executions whose request asked for no order: none is promised then."""
    if isinstance(answer, execution_pb2.ExecutionList) and not request.HasField("sort_by"):
        answer.executions.sort(key=lambda one: one.id.name)
    if isinstance(answer, node_execution_pb2.NodeExecutionList) and not request.HasField("sort_by"):
        answer.node_executions.sort(key=lambda one: one.id.node_id)


def difference(wanted: Any, found: Any, where: str) -> str:
    """Return the first place where two messages differ, empty when there is none."""
    if wanted.DESCRIPTOR.full_name in _SHAPED:
        return ""
    names = {one.name for one, _ in wanted.ListFields()} | {one.name for one, _ in found.ListFields()}
    for descriptor in wanted.DESCRIPTOR.fields:
        if descriptor.name not in names:
            continue
        here = f"{where}.{descriptor.name}"
        mine, theirs = getattr(wanted, descriptor.name), getattr(found, descriptor.name)
        is_message = descriptor.message_type is not None
        repeated = not isinstance(mine, (Message, str, bytes)) and hasattr(mine, "__len__")
        if repeated:
            problem = _container_difference(descriptor, mine, theirs, here)
        elif is_message and wanted.HasField(descriptor.name) != found.HasField(descriptor.name):
            problem = (
                f"{here}: {'missing' if wanted.HasField(descriptor.name) else f'not expected: {theirs}'}"
            )
        elif is_message:
            problem = difference(mine, theirs, here)
        else:
            problem = _value_difference(descriptor, mine, theirs, here)
        if problem:
            return problem
    return ""


def _container_difference(descriptor: FieldDescriptor, wanted: Any, found: Any, here: str) -> str:
    is_map = descriptor.message_type is not None and descriptor.message_type.GetOptions().map_entry
    if is_map and set(wanted) != set(found):
        return f"{here}: {sorted(found)} instead of {sorted(wanted)}"
    if len(wanted) != len(found):
        return f"{here}: {len(found)} of them instead of {len(wanted)}"
    for key in wanted if is_map else range(len(wanted)):
        mine, theirs = wanted[key], found[key]
        if key in _MEASURED_CLAIMS and descriptor.full_name == "google.protobuf.Struct.fields":
            kinds = mine.WhichOneof("kind"), theirs.WhichOneof("kind")
            problem = "" if kinds[0] == kinds[1] else f"{here}[{key}]: {kinds[1]}, not {kinds[0]}"
        elif isinstance(mine, Message):
            problem = difference(mine, theirs, f"{here}[{key}]")
        else:
            problem = _value_difference(descriptor, mine, theirs, f"{here}[{key}]")
        if problem:
            return problem
    return ""


def _value_difference(descriptor: FieldDescriptor, wanted: Any, found: Any, here: str) -> str:
    if descriptor.name in _ADDRESS_FIELDS:
        return (
            ""
            if bool(wanted) == bool(found) and _tail(wanted) == _tail(found)
            else f"{here}: {found!r}, not {wanted!r}"
        )
    if descriptor.containing_type.full_name == "flyteidl.admin.Version":
        return "" if found else f"{here}: empty"
    if isinstance(wanted, str) and GENERATED.fullmatch(wanted) and GENERATED.fullmatch(found):
        return ""
    return "" if wanted == found else f"{here}: {found!r} instead of {wanted!r}"


def _tail(address: str) -> str:
    """Return the end of a storage address, which names what is stored and not where."""
    path = address.split("?")[0]
    if "/metadata/propeller/" in path:
        return path.split("/metadata/propeller/", 1)[1]
    return path.rsplit("/", 1)[-1]
