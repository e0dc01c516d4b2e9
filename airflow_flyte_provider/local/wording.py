"""Protobuf messages as text, the way Flyte's Go services print them in their error messages."""

from __future__ import annotations

import base64
import json
import math
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

_GO_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def go_text(message: Message) -> str:
    """Return `message` in protobuf text format on one line, as Go's `String()` writes it.

    For example `project:"p" domain:"development" name:"n"`.
    """
    parts: list[str] = []
    present = {field.name for field, _ in message.ListFields()}
    for field in message.DESCRIPTOR.fields:
        if field.name not in present:
            continue
        value = getattr(message, field.name)
        if _is_map(field):
            parts += [f"{field.name}:{{{_map_entry(field, key, value[key])}}}" for key in sorted(value)]
        elif _is_repeated(field):
            parts += [f"{field.name}:{_value_text(field, item)}" for item in value]
        else:
            parts.append(f"{field.name}:{_value_text(field, value)}")
    return " ".join(parts)


def go_json(message: Message) -> dict[str, Any]:
    """Return what Go's `encoding/json` makes of the message's struct.

    Empty fields are left out, oneofs appear under their Go name even when unset, enums are numbers.
    """
    result: dict[str, Any] = {}
    real_oneofs = [oneof for oneof in message.DESCRIPTOR.oneofs if not oneof.name.startswith("_")]
    for oneof in real_oneofs:
        chosen = message.WhichOneof(oneof.name)
        if chosen is None:
            result[_camel(oneof.name)] = None
        else:
            field = message.DESCRIPTOR.fields_by_name[chosen]
            result[_camel(oneof.name)] = {_camel(chosen): _json_value(field, getattr(message, chosen))}
    for field, value in message.ListFields():
        if field.containing_oneof in real_oneofs:
            continue
        result[field.name] = _json_field(field, value)
    return result


def go_print(value: Any) -> str:
    """Return a JSON value as Go's `%v` prints it: `map[a:1 b:[x y]]`, `<nil>` for null."""
    if value is None:
        return "<nil>"
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{go_print(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(go_print(item) for item in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _go_float(value)
    return str(value)


def differences(old: Any, new: Any, path: str = "") -> list[str]:
    """Return one paragraph for each place where two JSON values differ, as FlyteAdmin lists them."""
    if isinstance(old, dict) and isinstance(new, dict):
        found: list[str] = []
        for key in sorted(old.keys() | new.keys()):
            found += differences(old.get(key, _ABSENT), new.get(key, _ABSENT), f"{path}/{key}")
        return found
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [
            line
            for index, (before, after) in enumerate(zip(old, new, strict=True))
            for line in differences(before, after, f"{path}/{index}")
        ]
    if old == new:
        return []
    before = None if old is _ABSENT else old
    after = None if new is _ABSENT else new
    return [f"{path}:\n\t- {go_print(before)} \n\t+ {go_print(after)}"]


_ABSENT = object()


def _is_repeated(field: FieldDescriptor) -> bool:
    is_repeated = getattr(field, "is_repeated", None)
    return field.label == FieldDescriptor.LABEL_REPEATED if is_repeated is None else bool(is_repeated)


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _map_entry(field: FieldDescriptor, key: Any, value: Any) -> str:
    entry = field.message_type.fields_by_name
    return f"key:{_value_text(entry['key'], key)} value:{_value_text(entry['value'], value)}"


def _value_text(field: FieldDescriptor, value: Any) -> str:
    if isinstance(value, Message):
        return "{" + go_text(value) + "}"
    if field.enum_type is not None:
        known = field.enum_type.values_by_number.get(value)
        return known.name if known else str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return (
            '"' + "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\x{b:02x}" for b in value) + '"'
        )
    if isinstance(value, str):
        return '"' + "".join(_GO_ESCAPES.get(char, char) for char in value) + '"'
    if isinstance(value, float):
        return _go_float(value)
    return str(value)


def _go_float(value: float) -> str:
    if math.isfinite(value) and value == int(value) and abs(value) < 1e21:
        return str(int(value))
    return json.dumps(value)


def _json_field(field: FieldDescriptor, value: Any) -> Any:
    if _is_map(field):
        entry = field.message_type.fields_by_name["value"]
        return {str(key): _json_value(entry, value[key]) for key in value}
    if _is_repeated(field):
        return [_json_value(field, item) for item in value]
    return _json_value(field, value)


def _json_value(field: FieldDescriptor, value: Any) -> Any:
    if isinstance(value, Message):
        return go_json(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))
