"""Files out of Flyte: one file or directory, the files in literals, all data of an execution."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from flyteidl.core.literals_pb2 import Literal, LiteralMap
from flyteidl.core.types_pb2 import BlobType

from airflow_flyte_provider.admin import dataproxy, executions, nodes
from airflow_flyte_provider.admin.levels import Levels
from airflow_flyte_provider.exceptions import FlyteError, FlyteIntegrityError, FlyteTransferError
from airflow_flyte_provider.hooks.places import (
    Place,
    PlaceLike,
    child,
    copy,
    deliver,
    files_in,
    is_on_worker,
    local_path,
    place,
    place_of_flyte,
    uri_of,
)
from airflow_flyte_provider.hooks.progress import ProgressLog
from airflow_flyte_provider.model.identifiers import ExecutionId
from airflow_flyte_provider.model.values.literals import from_literal
from airflow_flyte_provider.model.values.offloading import OffloadedValueError, fetched

if TYPE_CHECKING:
    from airflow_flyte_provider.admin.dataproxy import SignedUrl
    from airflow_flyte_provider.admin.transfer import SignedTransfer
    from airflow_flyte_provider.hooks.files import FileVerbs
    from airflow_flyte_provider.model.views.nodes import NodeExecution


class Downloads:
    """Downloads of one call of a hook.

    :param hook: asks Flyte and logs.
    :param transfer: moves files over signed addresses.

    A file that several literals point to is fetched once.
    """

    def __init__(self, hook: FileVerbs, transfer: SignedTransfer) -> None:
        self._hook = hook
        self._transfer = transfer
        self._fetched: dict[str, Place] = {}
        self._levels = Levels()

    # -- one file or directory ---------------------------------------------------------------------------

    def file(self, source: PlaceLike, target: Place, size: int | None = None) -> Place:
        """Download a file from wherever it lies.

        One on this machine is copied, if the connection allows that or its path is no text. Flyte signs for one in a
        store, so that the worker needs no credentials there; where it refuses to, and for an `ObjectStoragePath`,
        Airflow's object storage reads it.

        :param size: bytes that it must have.
        :raises FlyteForbiddenPlaceError: see `place_of_flyte`.
        """
        if is_on_worker(source):
            self._place(source)  # before it is looked whether there is such a file
        here = local_path(source)
        if not isinstance(source, str) or (here is not None and here.exists()):
            return self._copied(self._place(source), target, size)
        try:
            self._signed(lambda: self._hook.run(dataproxy.sign_download(source)), target, size)
        except FlyteTransferError:
            raise
        except FlyteError as refused:
            found = self._place(source)
            if here is None:
                self._hook.log.info("%s Reading it through Airflow's object storage.", refused)
            return self._copied(found, target, size)
        return target

    def directory(self, source: PlaceLike, target: Place) -> Place:
        """Download all files of a directory into `target`, which gets the same folders.

        A table is taken for a directory too, and may be a single file: that gets its own name in `target`.
        """
        folder = self._place(source)
        with suppress(FileNotFoundError):
            if not folder.is_dir() and folder.exists():
                self.file(source, child(target, folder.name))
                return target
        # All names are checked before the first file is written.
        files = [(found, child(target, name)) for name, found in files_in(folder)]
        if not files:
            raise FlyteTransferError(f"There is nothing at {uri_of(source)}.")
        for found, to in files:
            deliver(lambda path, found=found: copy(found, path), to)
        return target

    def deck(self, flyte_url: str, target: Place) -> Place:
        """Download an artifact that Flyte has signed addresses for, such as a deck, by its `flyte://` address."""
        self._signed(lambda: self._hook.run(dataproxy.sign_flyte_url(flyte_url)), target)
        return target

    # -- what literals point to --------------------------------------------------------------------------

    def literal(self, literal: Literal, root: Place, name: str) -> Any:
        """Download the files that a literal points to, at any depth.

        :param root: the folder that everything goes into.
        :param name: path of the literal's own folder from there.
        :returns: the literal's value, with each file's path from `root` in its place.
        """
        kind = literal.WhichOneof("value")
        if kind == "collection":
            return [
                self.literal(item, root, f"{name}/{number}")
                for number, item in enumerate(literal.collection.literals)
            ]
        if kind == "map":
            return {
                key: self.literal(item, root, f"{name}/{key}") for key, item in literal.map.literals.items()
            }
        if kind == "offloaded_metadata":
            return self.literal(self.inline(literal), root, name)
        scalar = literal.scalar.WhichOneof("value") if kind == "scalar" else None
        if scalar == "union":
            return self.literal(literal.scalar.union.value, root, name)
        if scalar in ("blob", "schema", "structured_dataset"):
            return self._stored(getattr(literal.scalar, scalar), child(root, name), root)
        return from_literal(literal)

    def inline(self, literal: Literal) -> Literal:
        """Return what an offloaded literal stands for.

        :raises FlyteIntegrityError: when its size or hash differs.
        """
        try:
            return fetched(literal, self.content)
        except OffloadedValueError as fault:
            raise FlyteIntegrityError(str(fault)) from None

    def content(self, uri: str) -> bytes:
        """Return all that lies at a URI: for values that Flyte has offloaded, not for files."""
        with TemporaryDirectory(prefix="flyte-") as folder:
            path = Path(folder, "value")
            self.file(uri, path)
            return path.read_bytes()

    def literals(self, literals: LiteralMap, root: Place, name: str) -> None:
        """Write a map of literals: `NAME.json` with the values, and the files into the folder `NAME`."""
        if not literals.literals:
            return
        values = {
            key: self.literal(literal, root, f"{name}/{key}") for key, literal in literals.literals.items()
        }
        self.json(values, child(root, f"{name}.json"))

    def json(self, value: Any, target: Place) -> Place:
        """Write a value as JSON; what JSON has no word for is written as text."""
        text = json.dumps(value, indent=2, sort_keys=True, default=str)
        deliver(lambda path: _write(path, text), target)
        return target

    # -- a whole execution -------------------------------------------------------------------------------

    def execution(self, execution: ExecutionId, root: Place, name: str, *, inner: bool, decks: bool) -> None:
        """Write the data of an execution.

        :param name: path of its folder from `root`, empty for `root` itself.
        :param inner: write that of its nodes, their tasks and the executions that they launched too.
        :param decks: write the decks of the nodes.
        """
        start = f"{name}/" if name else ""
        inputs, outputs = self._hook.run(executions.get_data(execution))
        self.literals(inputs, root, f"{start}inputs")
        self.literals(outputs, root, f"{start}outputs")
        if inner:
            self._nodes(execution, "", root, f"{start}nodes", decks)

    def _nodes(self, execution: ExecutionId, parent: str, root: Place, name: str, decks: bool) -> None:
        with self._levels.inside(execution, parent):
            for node in self._hook.run(nodes.list_nodes(execution, parent)):
                if not node.is_edge:
                    self._node(node, root, name, decks)

    def _node(self, node: NodeExecution, root: Place, name: str, decks: bool) -> None:
        own = f"{name}/{node.id.node_id}"
        inputs, outputs = self._hook.run(nodes.get_node_data(node.id))
        self.literals(inputs, root, f"{own}/inputs")
        self.literals(outputs, root, f"{own}/outputs")
        if decks and node.deck_uri:
            to = child(root, f"{own}/deck.html")
            self._signed(lambda node=node: self._hook.run(dataproxy.sign_deck(node.id)), to)
        for task in self._hook.run(nodes.list_tasks(node.id)) if node.has_tasks else ():
            inputs, outputs = self._hook.run(nodes.get_task_data(task.id))
            self.literals(inputs, root, f"{own}/attempts/{task.attempt}/inputs")
            self.literals(outputs, root, f"{own}/attempts/{task.attempt}/outputs")
        if node.launched:
            self.execution(node.launched, root, f"{own}/execution", inner=True, decks=decks)
        if node.is_parent:
            self._nodes(node.id.execution, node.id.node_id, root, f"{own}/nodes", decks)

    # -- inside ------------------------------------------------------------------------------------------

    def _stored(self, stored: Any, folder: Place, root: Place) -> str:
        """Download what a blob, table or schema points to and return its path from `root`."""
        if stored.uri not in self._fetched:
            is_file = stored.DESCRIPTOR.name == "Blob" and (
                stored.metadata.type.dimensionality == BlobType.BlobDimensionality.SINGLE
            )
            if is_file:
                self._fetched[stored.uri] = self.file(stored.uri, child(folder, name_of(stored.uri)))
            else:
                self._fetched[stored.uri] = self.directory(stored.uri, folder)
        return str(self._fetched[stored.uri].relative_to(root))

    def _place(self, source: PlaceLike) -> Place:
        if isinstance(source, str):
            return place_of_flyte(source, local_files=self._hook.settings.local_files)
        return place(source)

    def _copied(self, found: Place, target: Place, size: int | None) -> Place:
        deliver(lambda path: copy(found, path, size), target)
        return target

    def _signed(self, sign: Callable[[], SignedUrl], target: Place, size: int | None = None) -> None:
        progress = ProgressLog(self._hook.log, f"Downloading {target.name}")
        deliver(
            lambda path: self._transfer.download(path, sign, size=size, progress=progress),
            target,
        )


def name_of(uri: str) -> str:
    """Return the last part of an address, as the name of a file."""
    return uri.rstrip("/").rpartition("/")[2] or "file"


def _write(path: Path, text: str) -> None:
    path.write_text(text)
