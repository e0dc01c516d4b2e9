"""What the input of a node, or the output of a workflow, is bound to, after `flyteidl.core.BindingData`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from flyteidl.core.literals_pb2 import BindingData, BindingDataCollection, BindingDataMap, Literal, Scalar
from flyteidl.core.types_pb2 import LiteralType

from airflow_flyte_provider.model.building.errors import BuildError
from airflow_flyte_provider.model.building.promises import Promise, Scope
from airflow_flyte_provider.model.faults import FaultCollector, ValueFault, ValueFaults
from airflow_flyte_provider.model.values.casting import castable
from airflow_flyte_provider.model.values.literals import to_literal
from airflow_flyte_provider.model.values.types import describe


def to_binding(value: object, literal_type: LiteralType, path: str) -> BindingData:
    """Return what a variable is bound to: a promise, a constant, or a list or dict with promises in it.

    :param value: the promise or native value. Constants are written as `model.values.literals` writes them.
    :param literal_type: the declared type.
    :param path: the variable, for faults.
    :raises ValueFaults: naming every value and promise that does not fit.
    """
    if isinstance(value, Promise):
        if not castable(value.type, literal_type):
            fault = ValueFault(path, describe(literal_type), describe(value.type), f"from {value!r}")
            raise ValueFaults([fault])
        return BindingData(promise=value.to_proto())
    if next(promises_in(value), None) is None:
        return _constant(to_literal(value, literal_type, path), path)
    return _container(value, literal_type, path)


def promises_in(value: object) -> Iterator[Promise]:
    """Yield the promises that a value is or holds, first to last."""
    if isinstance(value, Promise):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from promises_in(item)
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from promises_in(item)


def sources(scope: Scope, value: object, node: str = "") -> set[str]:
    """Return the ids of the nodes that a value waits for.

    :raises BuildError: for a promise of another workflow.
    """
    found = set()
    for promise in promises_in(value):
        if promise.scope is not scope:
            raise BuildError(scope.workflow, f"{promise!r} is of workflow {promise.scope.workflow}", node)
        found.add(promise.node_id)
    return found - {""}


def type_of_bound(value: object, path: str) -> LiteralType:
    """Return the type of a promise, or of a list or dict of promises of one type.

    :param path: the variable, for faults.
    :raises ValueFaults: when the type cannot be told.
    """
    if isinstance(value, Promise):
        return value.type
    items = list(value.values()) if isinstance(value, Mapping) else value
    if isinstance(items, list | tuple) and items:
        first, *others = (type_of_bound(item, path) for item in items)
        if all(other == first for other in others):
            if isinstance(value, Mapping):
                return LiteralType(map_value_type=first)
            return LiteralType(collection_type=first)
    raise ValueFaults.of(path, "promises of one type", value, "give the output's type")


def _container(value: object, literal_type: LiteralType, path: str) -> BindingData:
    """Return the binding of a list or dict that holds promises."""
    kind = literal_type.WhichOneof("type")
    collector = FaultCollector()
    if kind == "union_type":
        return _union(value, literal_type, path)
    if kind == "collection_type" and isinstance(value, list | tuple):
        items = []
        for index, item in enumerate(value):
            with collector:
                items.append(to_binding(item, literal_type.collection_type, f"{path}[{index}]"))
        collector.raise_any()
        return BindingData(collection=BindingDataCollection(bindings=items))
    if kind == "map_value_type" and isinstance(value, Mapping):
        entries = {}
        for key, item in value.items():
            with collector:
                if not isinstance(key, str):
                    raise ValueFaults.of(path, "str keys", key)
                entries[key] = to_binding(item, literal_type.map_value_type, f"{path}.{key}")
        collector.raise_any()
        return BindingData(map=BindingDataMap(bindings=entries))
    hint = "promises stand alone, in lists and in dicts of one type; let a task put together anything else"
    raise ValueFaults.of(path, describe(literal_type), value, hint)


def _union(value: object, literal_type: LiteralType, path: str) -> BindingData:
    told: ValueFaults | None = None
    for variant in literal_type.union_type.variants:
        try:
            return _container(value, variant, path)
        except ValueFaults as faults:
            told = faults if any(fault.path != path for fault in faults.faults) else told
    raise told or ValueFaults.of(path, describe(literal_type), value)


def _constant(literal: Literal, path: str) -> BindingData:
    kind = literal.WhichOneof("value")
    if kind == "scalar":
        _check_stored(literal.scalar, path)
        return BindingData(scalar=literal.scalar)
    if kind == "collection":
        items = [_constant(item, path) for item in literal.collection.literals]
        return BindingData(collection=BindingDataCollection(bindings=items))
    if kind == "map":
        entries = {key: _constant(item, path) for key, item in literal.map.literals.items()}
        return BindingData(map=BindingDataMap(bindings=entries))
    uri = literal.offloaded_metadata.uri
    hint = "a value that Flyte keeps apart is no part of a workflow: make it an input"
    raise ValueFaults([ValueFault(path, "a constant", "a reference", uri, hint)])


def _check_stored(scalar: Scalar, path: str) -> None:
    """Refuse a path on this machine, which nobody uploads for a workflow and no task would find."""
    if scalar.HasField("union"):
        _check_stored(scalar.union.value.scalar, path)
    kind = scalar.WhichOneof("value")
    if kind in ("blob", "schema", "structured_dataset"):
        uri = getattr(scalar, kind).uri
        if "://" not in uri:
            hint = "local files are uploaded for executions: make it an input of the workflow"
            raise ValueFaults([ValueFault(path, "a URI", "a path", uri, hint)])
