"""Which Flyte type may flow into which: the rules FlyteAdmin and FlytePropeller use for inputs and bindings.

Follows `flyteidl.core.LiteralType` and `flyteidl.core.Literal`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flyteidl.core import literals_pb2, types_pb2
from flyteidl.core.types_pb2 import LiteralType
from google.protobuf import text_format
from google.protobuf.json_format import MessageToDict

_PRIMITIVES = {
    "integer": types_pb2.INTEGER,
    "float_value": types_pb2.FLOAT,
    "string_value": types_pb2.STRING,
    "boolean": types_pb2.BOOLEAN,
    "datetime": types_pb2.DATETIME,
    "duration": types_pb2.DURATION,
}
_COLUMN_TYPES = types_pb2.SchemaType.SchemaColumn.SchemaColumnType
_SCHEMA_COLUMNS = {
    _COLUMN_TYPES.Value(name): types_pb2.SimpleType.Value(name)
    for name in ("INTEGER", "FLOAT", "STRING", "BOOLEAN", "DATETIME", "DURATION")
}


def castable(upstream: LiteralType, downstream: LiteralType) -> bool:
    """Tell whether a value of type `upstream` may be given where `downstream` is expected.

    :param upstream: type of the value.
    :param downstream: type of the variable that takes it.
    """
    variants = upstream.union_type.variants
    if _kind(upstream) == "union_type" and len(variants) == 1 and _accepts(downstream, variants[0]):
        return True
    return _accepts(downstream, upstream)


def is_optional(literal_type: LiteralType) -> bool:
    """Tell whether a variable of this type may be left unbound: a union with a variant NONE."""
    return any(_is_none(variant) for variant in literal_type.union_type.variants)


def type_of_literal(literal: literals_pb2.Literal) -> LiteralType | None:
    """Return the type a literal shows by itself, None when it can't be told.

    A list of unlike values gets a union, an empty one the type NONE inside.
    """
    kind = literal.WhichOneof("value")
    if kind == "scalar":
        return type_of_scalar(literal.scalar)
    if kind == "collection":
        inner = _common_type(literal.collection.literals)
        return None if inner is None else LiteralType(collection_type=inner)
    if kind == "map":
        inner = _common_type(literal.map.literals.values())
        return None if inner is None else LiteralType(map_value_type=inner)
    if kind == "offloaded_metadata":
        return literal.offloaded_metadata.inferred_type
    return None


def type_of_scalar(scalar: literals_pb2.Scalar) -> LiteralType | None:
    """Return the type of a scalar, None for an empty one."""
    kind = scalar.WhichOneof("value")
    if kind == "primitive":
        return type_of_primitive(scalar.primitive)
    if kind == "blob":
        return LiteralType(blob=scalar.blob.metadata.type) if scalar.blob.HasField("metadata") else None
    if kind == "binary":
        is_struct = scalar.binary.tag == "msgpack"
        return LiteralType(simple=types_pb2.STRUCT if is_struct else types_pb2.BINARY)
    if kind == "schema":
        return LiteralType(schema=scalar.schema.type)
    if kind == "structured_dataset":
        dataset_type = scalar.structured_dataset.metadata.structured_dataset_type
        return LiteralType(structured_dataset_type=dataset_type)
    if kind == "union":
        return LiteralType(union_type=types_pb2.UnionType(variants=[scalar.union.type]))
    simple = {"none_type": types_pb2.NONE, "error": types_pb2.ERROR, "generic": types_pb2.STRUCT}
    return LiteralType(simple=simple[kind]) if kind in simple else None


def type_of_primitive(primitive: literals_pb2.Primitive) -> LiteralType:
    """Return the simple type of a primitive, NONE for an empty one."""
    return LiteralType(simple=_PRIMITIVES.get(primitive.WhichOneof("value"), types_pb2.NONE))


def _common_type(literals: Iterable[literals_pb2.Literal]) -> LiteralType | None:
    types: dict[bytes, LiteralType] = {}
    empty: LiteralType | None = None
    for literal in literals:
        inner = type_of_literal(literal)
        if inner is None:
            return None
        if literal.WhichOneof("value") == "collection" and not literal.collection.literals:
            empty = inner
            continue
        types.setdefault(inner.SerializeToString(deterministic=True), inner)
    if not types:
        return empty or LiteralType(simple=types_pb2.NONE)
    if len(types) == 1:
        return next(iter(types.values()))
    return _union_of(sorted(types.values(), key=lambda t: text_format.MessageToString(t, as_one_line=True)))


def _union_of(types: list[LiteralType]) -> LiteralType:
    variants: list[LiteralType] = []
    nested = False
    for inner in types:
        if inner.collection_type.union_type.variants:
            nested = True
            variants.extend(inner.collection_type.union_type.variants)
        else:
            variants.append(inner)
    union = LiteralType(union_type=types_pb2.UnionType(variants=variants))
    return LiteralType(collection_type=union) if nested else union


def _kind(literal_type: LiteralType) -> str | None:
    return literal_type.WhichOneof("type")


def _is_none(literal_type: LiteralType) -> bool:
    return _kind(literal_type) == "simple" and literal_type.simple == types_pb2.NONE


def _accepts(downstream: LiteralType, upstream: LiteralType) -> bool:
    kind = _kind(downstream)
    if kind in ("collection_type", "map_value_type"):
        if _kind(upstream) != kind:
            return False
        inner = getattr(upstream, kind)
        # an empty list or map has no type of its own and fits every other
        return _is_none(inner) or _accepts(getattr(downstream, kind), inner)
    if kind == "blob":
        formats = (upstream.blob.format, downstream.blob.format)
        return _kind(upstream) == "blob" and ("" in formats or formats[0] == formats[1])
    if kind in ("schema", "structured_dataset_type"):
        return _accepts_table(downstream, upstream)
    if kind == "union_type":
        return _accepts_union(downstream, upstream)
    if _is_none(downstream):
        return _is_none(upstream)
    return _accepts_simple(downstream, upstream)


def _accepts_union(downstream: LiteralType, upstream: LiteralType) -> bool:
    variants = downstream.union_type.variants
    if _kind(upstream) == "union_type":
        return all(any(castable(up, down) for down in variants) for up in upstream.union_type.variants)
    return sum(castable(upstream, variant) for variant in variants) == 1


def _accepts_simple(downstream: LiteralType, upstream: LiteralType) -> bool:
    if _kind(upstream) == "enum_type" and downstream.simple == types_pb2.STRING:
        return True
    if _kind(downstream) == "enum_type" and upstream.simple == types_pb2.STRING:
        return True
    if upstream.structure.tag and upstream.structure.tag != downstream.structure.tag:
        return False
    if upstream.simple == downstream.simple == types_pb2.STRUCT:
        if not (upstream.HasField("metadata") and downstream.HasField("metadata")):
            return True
        above, below = MessageToDict(upstream.metadata), MessageToDict(downstream.metadata)
        return above == below or _schema_holds(above, below, above, below)
    return _bare(upstream) == _bare(downstream)


def _bare(literal_type: LiteralType) -> LiteralType:
    bare = LiteralType()
    bare.CopyFrom(literal_type)
    for remark in ("structure", "metadata", "annotation"):
        bare.ClearField(remark)
    return bare


def _schema_holds(above: Any, below: Any, above_root: Any, below_root: Any) -> bool:
    """Tell whether JSON schema `above` has every field that `below` asks for, with the same types."""
    above, below = _resolved(above, above_root), _resolved(below, below_root)
    if above.get("type") != below.get("type") or above.get("enum") != below.get("enum"):
        return False
    for name, wanted in below.get("properties", {}).items():
        given = above.get("properties", {}).get(name)
        if given is None:
            if name in below.get("required", []):
                return False
        elif not _schema_holds(given, wanted, above_root, below_root):
            return False
    if "items" in below and isinstance(below["items"], dict):
        return _schema_holds(above.get("items", {}), below["items"], above_root, below_root)
    return True


def _resolved(schema: Any, root: Any) -> dict[str, Any]:
    reference = schema.get("$ref", "") if isinstance(schema, dict) else ""
    if not reference.startswith("#/"):
        return schema if isinstance(schema, dict) else {}
    target = root
    for step in reference[2:].split("/"):
        target = target.get(step, {})
    return dict(target)


def _accepts_table(downstream: LiteralType, upstream: LiteralType) -> bool:
    if _kind(downstream) == "structured_dataset_type" and _is_none(upstream):
        return True
    if _kind(upstream) not in ("schema", "structured_dataset_type"):
        return False
    if not _formats_match(_table_format(upstream), _table_format(downstream)):
        return False
    above, below = _columns(upstream), _columns(downstream)
    if not above or not below:
        return True
    return all(name in above and _accepts(wanted, above[name]) for name, wanted in below.items())


def _table_format(literal_type: LiteralType) -> str:
    # a schema is always stored as parquet, a data set says what it is, or nothing
    is_schema = _kind(literal_type) == "schema"
    return "parquet" if is_schema else literal_type.structured_dataset_type.format.lower()


def _formats_match(above: str, below: str) -> bool:
    return "" in (above, below) or above == below


def _columns(literal_type: LiteralType) -> dict[str, LiteralType]:
    if _kind(literal_type) == "schema":
        columns = literal_type.schema.columns
        return {column.name: LiteralType(simple=_SCHEMA_COLUMNS[column.type]) for column in columns}
    return {column.name: column.literal_type for column in literal_type.structured_dataset_type.columns}
