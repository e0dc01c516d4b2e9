"""The cache: a task that has run with the same inputs does not run again."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from flyteidl.core import catalog_pb2, identifier_pb2, literals_pb2, tasks_pb2
from google.protobuf.message import Message

from airflow_flyte_provider.local.engine.values import Literal, LiteralMap
from airflow_flyte_provider.local.store.catalog import CatalogMetadata, CatalogStore

Status = catalog_pb2.CatalogCacheStatus
_SIGNATURE_LENGTH = 8  # characters of a hash of an interface


@dataclass(frozen=True)
class Cached:
    """What came of a task whose outputs may be cached.

    :param outputs: its outputs, None for a task that gives nothing.
    :param attempt: the attempt that gave them, 0 when they come from the cache.
    :param status: a `CatalogCacheStatus`.
    :param key: where the outputs are kept, None when they aren't.
    """

    outputs: LiteralMap | None
    attempt: int
    status: int
    key: CatalogMetadata | None = None


RunTask = Callable[[], Awaitable[tuple["LiteralMap | None", int]]]
Source = Callable[[int], identifier_pb2.TaskExecutionIdentifier]


class Catalog:
    """Finds and keeps the outputs of tasks that say they may be cached.

    :param store: where they are kept.
    """

    def __init__(self, store: CatalogStore) -> None:
        self._store = store
        self._reservations: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._holders: defaultdict[str, int] = defaultdict(int)

    async def through(
        self,
        template: tasks_pb2.TaskTemplate,
        inputs: LiteralMap,
        run: RunTask,
        source: Source,
        *,
        overwrite: bool,
    ) -> Cached:
        """Return the outputs of a task, from the cache or by running it.

        :param template: the task.
        :param inputs: its inputs.
        :param run: runs the task; returns its outputs and the attempt that gave them.
        :param source: names the task execution of an attempt, noted beside what is cached.
        :param overwrite: run the task all the same and replace what is cached.
        """
        if not template.metadata.discoverable:
            return Cached(*await run(), Status.CACHE_DISABLED)
        key = catalog_key(template, inputs)
        if template.metadata.cache_serializable and not overwrite:
            async with self._reserved(key):
                return await self._known_or_run(template, key, run, source)
        if overwrite:
            return await self._run(template, key, run, source)
        return await self._known_or_run(template, key, run, source)

    async def _known_or_run(
        self,
        template: tasks_pb2.TaskTemplate,
        key: CatalogMetadata,
        run: RunTask,
        source: Source,
    ) -> Cached:
        known = self._store.find(key)
        if known is None:
            return await self._run(template, key, run, source)
        return Cached(known[1], 0, Status.CACHE_HIT, known[0])

    async def _run(
        self,
        template: tasks_pb2.TaskTemplate,
        key: CatalogMetadata,
        run: RunTask,
        source: Source,
    ) -> Cached:
        outputs, attempt = await run()
        if outputs is None or not template.interface.outputs.variables:
            return Cached(outputs, attempt, Status.CACHE_DISABLED)
        key.artifact_tag.artifact_id = str(uuid.uuid4())
        kept = CatalogMetadata()
        kept.CopyFrom(key)
        kept.source_task_execution.CopyFrom(source(attempt))
        self._store.put(kept, outputs)
        return Cached(outputs, attempt, Status.CACHE_POPULATED, key)

    @asynccontextmanager
    async def _reserved(self, key: CatalogMetadata) -> AsyncIterator[None]:
        """Hold back all others who want the same outputs."""
        name = f"{key.dataset_id.SerializeToString()!r}{key.artifact_tag.name}"
        self._holders[name] += 1
        try:
            async with self._reservations[name]:
                yield
        finally:
            self._holders[name] -= 1
            if not self._holders[name]:
                del self._holders[name], self._reservations[name]


def catalog_key(template: tasks_pb2.TaskTemplate, inputs: LiteralMap) -> CatalogMetadata:
    """Return where the outputs of a task for these inputs are kept.

    The version of the task is no part of it; its cache version and its interface are. Inputs that the task
    says to ignore don't count, and of an input with a hash of its own only that.
    """
    signature = "-".join(
        _hash(variables)[:_SIGNATURE_LENGTH]
        for variables in (template.interface.inputs, template.interface.outputs)
    )
    key = CatalogMetadata()
    key.dataset_id.CopyFrom(
        identifier_pb2.Identifier(
            resource_type=identifier_pb2.DATASET,
            project=template.id.project,
            domain=template.id.domain,
            name=f"flyte_task-{template.id.name}",
            version=f"{template.metadata.discovery_version.strip()}-{signature}",
        )
    )
    counted = LiteralMap()
    for name, literal in inputs.literals.items():
        if name not in template.metadata.cache_ignore_input_vars:
            counted.literals[name].CopyFrom(_hashed(literal))
    key.artifact_tag.name = f"flyte_cached-{_hash(counted)}"
    return key


def _hashed(literal: Literal) -> Literal:
    """Return a literal with everything in it that has a hash replaced by the hash."""
    if literal.hash:
        return Literal(hash=literal.hash)
    result = Literal()
    kind = literal.WhichOneof("value")
    if kind == "collection":
        parts = [_hashed(part) for part in literal.collection.literals]
        result.collection.CopyFrom(literals_pb2.LiteralCollection(literals=parts))
    elif kind == "map":
        result.map.SetInParent()
        for name, part in literal.map.literals.items():
            result.map.literals[name].CopyFrom(_hashed(part))
    else:
        result.CopyFrom(literal)
    return result


def _hash(message: Message) -> str:
    digest = hashlib.sha256(message.SerializeToString(deterministic=True)).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
