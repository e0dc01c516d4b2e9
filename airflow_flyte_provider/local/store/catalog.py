"""Outputs of tasks that are kept for the next time they are wanted."""

from __future__ import annotations

from typing import Any

from flyteidl.core import catalog_pb2, literals_pb2
from sqlalchemy.engine import Engine

from airflow_flyte_provider.local.store import tables
from airflow_flyte_provider.local.store.database import find, put

CatalogMetadata = catalog_pb2.CatalogMetadata
_DATASET = ("project", "domain", "name", "version")


class CatalogStore:
    """Cached outputs by data set (task, cache version and interface) and tag (inputs).

    :param engine: the database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def find(self, key: CatalogMetadata) -> tuple[CatalogMetadata, literals_pb2.LiteralMap] | None:
        """Return what is kept under a key, with the key completed by where it comes from; None for nothing.

        :param key: data set and name of the tag.
        """
        with self._engine.connect() as connection:
            row = find(connection, tables.cached_outputs, _columns(key))
        if row is None:
            return None
        outputs = literals_pb2.LiteralMap.FromString(row.outputs)
        return CatalogMetadata.FromString(row.message), outputs

    def put(self, key: CatalogMetadata, outputs: literals_pb2.LiteralMap) -> None:
        """Keep outputs, in place of those kept under the same data set and tag.

        :param key: data set, tag and the task execution that gave them.
        """
        columns = _columns(key)
        values = {
            **columns,
            "message": key.SerializeToString(),
            "outputs": outputs.SerializeToString(),
        }
        with self._engine.begin() as connection:
            put(connection, tables.cached_outputs, columns, values)


def _columns(key: CatalogMetadata) -> dict[str, Any]:
    return {
        **{column: getattr(key.dataset_id, column) for column in _DATASET},
        "tag": key.artifact_tag.name,
    }
