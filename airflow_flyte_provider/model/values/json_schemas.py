"""JSON schemas, by which flytekit describes a dataclass or a pydantic model in the metadata of its type."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import Any

from flyteidl.core.types_pb2 import LiteralType
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct

_LONGEST_CHAIN = 10  # references are short, unless they run in a circle
_WORDS = {"integer": "int", "number": "float", "string": "str", "boolean": "bool", "null": "None"}
_TEXTS = {"date-time": "datetime", "date": "date", "time": "time", "duration": "timedelta", "uuid": "UUID"}


class JsonSchema:
    """One schema inside a whole one, with references followed.

    :param node: the schema itself, as JSON holds it; empty for "anything".
    :param root: the whole schema, in which references are looked up.

    Example::

        JsonSchema.of(literal_type).properties["columns"].items
    """

    def __init__(self, node: Mapping[str, Any], root: Mapping[str, Any]) -> None:
        self._root = root
        self.node = self._followed(node)
        kinds = self.node.get("type", ())
        self.types: frozenset[str] = frozenset([kinds] if isinstance(kinds, str) else kinds)
        self.format: str = self.node.get("format", "")
        self.title: str = self.node.get("title", "")

    @staticmethod
    def of(literal_type: LiteralType | None) -> JsonSchema:
        """Return the schema of a struct type; one that knows nothing when it has none.

        :param literal_type: a `flyteidl.core.LiteralType` whose `simple` is STRUCT.
        """
        if literal_type is None or not literal_type.metadata.fields:
            return ANYTHING
        return _read(literal_type.metadata.SerializeToString(deterministic=True))

    @property
    def is_open(self) -> bool:
        """Whether any value will do."""
        return not (self.types or self.options or self.choices or self.properties)

    @cached_property
    def properties(self) -> dict[str, JsonSchema]:
        """The schemas of an object's fields by name."""
        return {name: self._inner(node) for name, node in self.node.get("properties", {}).items()}

    @cached_property
    def required(self) -> tuple[str, ...]:
        """The fields that an object must have."""
        return tuple(self.node.get("required", ()))

    @property
    def is_closed(self) -> bool:
        """Whether an object may have no field but those that are named."""
        return self.node.get("additionalProperties") is False

    @cached_property
    def others(self) -> JsonSchema:
        """The schema of an object's other fields."""
        return self._inner(self.node.get("additionalProperties"))

    @cached_property
    def items(self) -> JsonSchema:
        """The schema of an array's items."""
        return self._inner(self.node.get("items"))

    @cached_property
    def positions(self) -> tuple[JsonSchema, ...]:
        """The schemas of a tuple's items, one by one; empty when it is no tuple."""
        return tuple(self._inner(node) for node in self.node.get("prefixItems", ()))

    @cached_property
    def options(self) -> tuple[JsonSchema, ...]:
        """The schemas of which a value must fit one; empty when there is no choice."""
        nodes = self.node.get("anyOf") or self.node.get("oneOf") or ()
        return tuple(self._inner(node) for node in nodes)

    @cached_property
    def choices(self) -> tuple[object, ...]:
        """The values of which it must be one; empty when any will do."""
        return (self.node["const"],) if "const" in self.node else tuple(self.node.get("enum", ()))

    @property
    def takes_none(self) -> bool:
        """Whether None will do: declared so, or the default in spite of the type."""
        told = "null" in self.types or any(option.takes_none for option in self.options)
        return told or self.is_open or self.node.get("default", 0) is None

    @property
    def only(self) -> JsonSchema:
        """What an optional is when it is not None; otherwise the schema itself."""
        options = [option for option in self.options if option.types != {"null"}]
        return options[0].only if len(options) == 1 else self

    def describe(self) -> str:
        """Return the schema as a Python author would write its type. A circle of classes ends at a name."""
        if self.options:
            return " | ".join(option.describe() for option in self.options)
        if self.choices:
            return f"Enum({','.join(map(repr, self.choices))})"
        if self.positions:
            return f"tuple[{', '.join(item.describe() for item in self.positions)}]"
        return " | ".join(self._described(kind) for kind in sorted(self.types)) or "Any"

    def _described(self, kind: str) -> str:
        if kind == "array":
            return f"list[{self.items.describe()}]"
        if kind == "object":
            return (self.title or "struct") if self.properties else f"dict[str, {self.others.describe()}]"
        if kind == "number" and self.format == "time-delta":
            return "timedelta"
        return _TEXTS.get(self.format, "str") if kind == "string" else _WORDS.get(kind, kind)

    def _inner(self, node: object) -> JsonSchema:
        return JsonSchema(node, self._root) if isinstance(node, Mapping) else ANYTHING

    def _followed(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        for _ in range(_LONGEST_CHAIN):
            if "$ref" in node:
                # What stands beside the reference, such as a default, belongs to the place and not to the class.
                node = {**self._referenced(node["$ref"]), **{k: v for k, v in node.items() if k != "$ref"}}
            elif len(node.get("allOf", ())) == 1:
                node = {**node["allOf"][0], **{k: v for k, v in node.items() if k != "allOf"}}
            else:
                break
        return node

    def _referenced(self, reference: str) -> Mapping[str, Any]:
        found: Any = self._root
        for part in reference.removeprefix("#/").split("/"):
            found = found.get(part, {}) if isinstance(found, Mapping) else {}
        return found if isinstance(found, Mapping) else {}


@lru_cache(maxsize=256)
def _read(metadata: bytes) -> JsonSchema:
    root = MessageToDict(Struct.FromString(metadata))
    return JsonSchema(root, root)


ANYTHING = JsonSchema({}, {})
"""The schema that any value fits."""
