"""Which entities a package is registered as: ids and references filled in, checked and put in order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

from flyteidl.admin.workflow_pb2 import WorkflowSpec
from flyteidl.core.identifier_pb2 import Identifier, ResourceType
from flyteidl.core.workflow_pb2 import WorkflowNode
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from airflow_flyte_provider.model.identifiers import EntityId, EntityKind
from airflow_flyte_provider.model.packages.reading import Packaged, PackageError

#: What flytekit and flytectl leave open for the registration: `{{ registration.version }}` and the like.
_OPEN = re.compile(r"\{\{\s*registration\.(project|domain|version)\s*\}\}")
_SCOPE = ("project", "domain", "version")


@dataclass(frozen=True, slots=True)
class Target:
    """Where to, and as which version, a package is registered.

    :param project: the Flyte project's id.
    :param domain: the domain, such as `development`.
    :param version: the version.
    """

    project: str
    domain: str
    version: str

    def of(self, entity: EntityId) -> EntityId:
        """Return the id that an entity of the package gets."""
        return replace(entity, project=self.project, domain=self.domain, version=self.version)


@dataclass(frozen=True, slots=True)
class Addressed:
    """A package whose entities have their final ids, in the order in which they are registered.

    :param entities: what a reference names comes before what refers to it.
    :param needs: what each of them refers to, in the package and outside of it.
    """

    entities: tuple[Packaged, ...]
    needs: dict[EntityId, set[EntityId]]

    @property
    def outside(self) -> dict[EntityId, EntityId]:
        """What the entities refer to that is not in the package, each with an entity that refers to it."""
        return {
            needed: one
            for one, all_needed in self.needs.items()
            for needed in sorted(all_needed, key=str)
            if needed not in self.needs
        }


def own_version(entities: Sequence[Packaged]) -> str:
    """Return the version that a package carries itself, empty for none.

    :raises PackageError: when it carries several.
    """
    versions = {one.id.version for one in entities if not _is_open(one.id.version)}
    if len(versions) > 1:
        raise PackageError(
            f"The entities have different versions, {', '.join(sorted(versions))}: give the one to register."
        )
    return versions.pop() if versions else ""


def address(entities: Sequence[Packaged], target: Target) -> Addressed:
    """Give a package's entities their final ids, in references to each other and in texts too.

    An identifier that names an entity of the package, with the scope it has there or with one left open,
    becomes the target's. In any other one only what is left open is filled.

    :param entities: the package.
    :param target: where to.
    :raises PackageError: when a workflow lacks a sub-workflow, or references go round in a circle.
    """
    own = {(one.id.kind, one.id.name): one.id for one in entities}
    final = {target.of(one.id): one for one in entities}
    needs: dict[EntityId, set[EntityId]] = {}
    for entity, one in final.items():
        final[entity] = replace(one.copy(), id=entity)
        spec = final[entity].spec
        found = [_settle(identifier, own, target) for identifier in _identifiers(spec)]
        change_texts(spec, lambda text: _OPEN.sub(lambda open_: str(getattr(target, open_[1])), text))
        embedded = _sub_workflows(final[entity]) - final.keys()
        needs[entity] = {ref for ref in found if ref is not None} - embedded - {entity}
    return Addressed(tuple(final[one] for one in _in_order(needs) if one in final), needs)


def change_texts(message: Message, change: Callable[[str], str]) -> None:
    """Change all texts in a message, at any depth, keys of maps excepted.

    :param message: the message, which is changed in place.
    :param change: returns what a text becomes.
    """
    for part in _walk(message):
        for field, value in part.ListFields():
            if field.message_type is not None:
                values = field.message_type.fields_by_name.get("value")
                if _is_map(field) and values is not None and values.type == FieldDescriptor.TYPE_STRING:
                    for key in list(value):
                        value[key] = change(value[key])
            elif field.type != FieldDescriptor.TYPE_STRING:
                continue
            elif isinstance(value, str):
                setattr(part, field.name, change(value))
            else:
                value[:] = [change(text) for text in value]


def _settle(
    identifier: Identifier, own: dict[tuple[EntityKind, str], EntityId], target: Target
) -> EntityId | None:
    """Fill an identifier in and return it, None for one that is no entity's."""
    kind = ResourceType.Name(identifier.resource_type)
    if kind not in EntityKind.__members__:
        return None
    named = EntityId.from_proto(EntityKind(kind), identifier)
    ours = own.get((named.kind, named.name))
    is_ours = ours is not None and all(
        _is_open(getattr(named, part)) or getattr(named, part) == getattr(ours, part) for part in _SCOPE
    )
    for part in _SCOPE:
        if is_ours or _is_open(getattr(named, part)):
            setattr(identifier, part, getattr(target, part))
    return EntityId.from_proto(named.kind, identifier)


def _sub_workflows(entity: Packaged) -> set[EntityId]:
    """Return the sub-workflows that a workflow brings along, as it must for each that it uses."""
    if not isinstance(entity.spec, WorkflowSpec):
        return set()
    brought = {EntityId.from_proto(EntityKind.WORKFLOW, sub.id) for sub in entity.spec.sub_workflows}
    for node in _walk(entity.spec):
        if isinstance(node, WorkflowNode) and node.WhichOneof("reference") == "sub_workflow_ref":
            sub = EntityId.from_proto(EntityKind.WORKFLOW, node.sub_workflow_ref)
            if sub not in brought:
                raise PackageError(f"{entity.file}: {entity.id} uses {sub}, which is not in that file.")
    return brought


def _in_order(needs: dict[EntityId, set[EntityId]]) -> Iterator[EntityId]:
    """Yield the ids so that each comes after what it needs, tasks first where there is a choice."""
    sorter = TopologicalSorter(needs)
    try:
        sorter.prepare()
    except CycleError as fault:
        circle = " -> ".join(str(one) for one in fault.args[1])
        raise PackageError(f"The references go round in a circle: {circle}.") from None
    rank = list(EntityKind)
    while sorter.is_active():
        ready = sorted(sorter.get_ready(), key=lambda one: (rank.index(one.kind), one.name, str(one)))
        yield from ready
        sorter.done(*ready)


def _identifiers(message: Message) -> Iterable[Identifier]:
    return (part for part in _walk(message) if isinstance(part, Identifier))


def _walk(message: Message) -> Iterator[Message]:
    """Yield a message and every message in it, at any depth."""
    yield message
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if isinstance(value, Message):
            yield from _walk(value)
        elif not _is_map(field):
            for item in value:
                yield from _walk(item)
        elif field.message_type.fields_by_name["value"].message_type is not None:
            for key in value:
                yield from _walk(value[key])


def _is_map(field: Any) -> bool:
    return bool(field.message_type.GetOptions().map_entry)


def _is_open(text: str) -> bool:
    return not text or _OPEN.fullmatch(text) is not None
