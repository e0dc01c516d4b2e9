"""Ids of entities as Flyte's messages refer to them."""

from __future__ import annotations

from flyteidl.core.identifier_pb2 import Identifier, ResourceType

from airflow_flyte_provider.model.identifiers import EntityId


def to_identifier(entity: EntityId) -> Identifier:
    """Return the `flyteidl.core.Identifier` of an entity."""
    return Identifier(
        resource_type=ResourceType.Value(entity.kind.value),
        project=entity.project,
        domain=entity.domain,
        name=entity.name,
        version=entity.version,
    )
