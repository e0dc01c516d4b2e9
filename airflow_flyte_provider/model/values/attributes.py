"""Parts of a value that is not there yet: what type they have, as Flyte's compiler sees it."""

from __future__ import annotations

from flyteidl.core.types_pb2 import LiteralType


def type_of_part(literal_type: LiteralType, step: str | int) -> LiteralType | None:
    """Return the type of a part of a value, None when the type has no such part.

    :param literal_type: type of the whole.
    :param step: an index or a key. Of a struct whose fields are not told, every part is taken for a struct.
    """
    kind = literal_type.WhichOneof("type")
    if kind == "collection_type":
        return literal_type.collection_type
    if kind == "map_value_type":
        return literal_type.map_value_type
    fields = literal_type.structure.dataclass_type
    if not fields:
        return literal_type
    # not .get(): a map of messages would answer an empty one for a field that isn't there
    return fields[step] if isinstance(step, str) and step in fields else None
