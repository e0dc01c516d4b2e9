"""What FlyteHook does with files: those among inputs are uploaded, those that Flyte made are downloaded."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from flyteidl.core.literals_pb2 import Literal, LiteralMap, LiteralOffloadedMetadata

from airflow_flyte_provider.admin import dataproxy
from airflow_flyte_provider.admin.transfer import SignedTransfer
from airflow_flyte_provider.exceptions import FlyteInvalidInputsError, FlyteInvalidRequestError
from airflow_flyte_provider.hooks.connection import FlyteConnection
from airflow_flyte_provider.hooks.downloads import Downloads, name_of
from airflow_flyte_provider.hooks.places import Place, PlaceLike, child, place, size_of
from airflow_flyte_provider.hooks.progress import ProgressLog
from airflow_flyte_provider.hooks.uploads import Uploads
from airflow_flyte_provider.model.files import FileReference
from airflow_flyte_provider.model.identifiers import ExecutionId
from airflow_flyte_provider.model.redaction import printable, redacted
from airflow_flyte_provider.model.values.flyte_urls import literal_url
from airflow_flyte_provider.model.values.inputs import (
    InputFault,
    InputFaultKind,
    InputFaults,
    build_inputs,
    build_required_inputs,
)
from airflow_flyte_provider.model.values.outputs import Outputs
from airflow_flyte_provider.model.views.entities import LaunchPlan, Task

_FLYTE = "flyte://"

#: What can be downloaded.
Source = PlaceLike | FileReference | Mapping[str, Any] | Literal


class FileVerbs(FlyteConnection):
    """The part of FlyteHook that moves files."""

    def download(self, source: Source, to: PlaceLike) -> Place:
        """Download a file or a directory that Flyte knows, or any that the worker can reach.

        :param source: a `FileReference` or the dict that XCom gives in its place; a URI or path; a
            `flyte://v1/…` address of an output or a deck; a Flyte literal. A URI that ends with a slash is a
            directory.
        :param to: where to: a path, a URI or an `ObjectStoragePath`. A file goes into `to` under its own name
            where that is a folder or ends with a slash, else it becomes `to`. The content of a directory
            goes into `to`. What is there already is replaced, never removed.
        :returns: the file or folder, as a `Path` or an `ObjectStoragePath`.
        :raises FlyteTransferError: when it cannot be had or written. No part of a file is left behind.
        :raises FlyteIntegrityError: when what arrived is too short or has another hash.
        :raises FlyteForbiddenPlaceError: when a text or reference names a file on the worker's disk and the connection
            does not allow that (`local_files`), or neither a store nor `https`. A `Path` and an `ObjectStoragePath`
            are taken for your own.

        A signed address of Flyte is asked for, so that the worker needs no credentials for the store. Where
        Flyte has none to give, and for directories, Airflow's object storage reads from the store.
        """
        with SignedTransfer(self.settings.ca_cert_file) as transfer:
            return _Download(Downloads(self, transfer), self, to).of(source)

    def download_execution(
        self, execution: ExecutionId, to: PlaceLike, *, nodes: bool = True, decks: bool = True
    ) -> Place:
        """Download the inputs and outputs of an execution into a folder, with all files that they point to.

        `inputs.json` and `outputs.json` hold the values, with the path of a file in its place; the files lie in
        the folders `inputs` and `outputs`. The same is below `nodes/ID` for each node, with `deck.html`, and
        below `nodes/ID/attempts/N` for its tasks, `nodes/ID/nodes` for inner nodes and `nodes/ID/execution`
        for an execution that it launched. A file that is in several places is downloaded once.

        :param to: a path, a URI or an `ObjectStoragePath`.
        :param nodes: download the data of nodes and tasks too.
        :param decks: download the decks of nodes too.
        :returns: the folder.
        :raises FlyteTransferError: see `download`.
        """
        folder = place(to)
        with SignedTransfer(self.settings.ca_cert_file) as transfer:
            Downloads(self, transfer).execution(execution, folder, "", inner=nodes, decks=decks)
        return folder

    def get(self, flyte_url: str) -> Any:
        """Fetch what lies behind a `flyte://v1/project/domain/execution/node/…` address as a Python value.

        :param flyte_url: as the Flyte console shows it. It ends with `i` or `o` for all inputs or outputs of the
            node, which are a mapping as `get_outputs` returns it, and with `i/NAME` or `o/NAME` for one of them.
        :raises FlyteInvalidRequestError: when the address is none, or that of a deck, which is a file.
        :raises FlyteNotFoundError: when there is nothing.
        """
        reply = self.run(dataproxy.get_data(flyte_url))
        kind = reply.WhichOneof("data")
        if kind == "literal_map":
            return Outputs(
                reply.literal_map, None, self.fetch, partial(literal_url, flyte_url), self._size_of
            )
        if kind == "literal":
            literals = LiteralMap(literals={"value": reply.literal})
            return Outputs(literals, None, self.fetch, lambda _: flyte_url, self._size_of)["value"]
        raise FlyteInvalidRequestError(f"{flyte_url} is a file: download it with hook.download(…, to=…).")

    def fetch(self, uri: str) -> bytes:
        """Return all that lies at a URI of Flyte's store, for a value that is not too large for memory.

        :raises FlyteTransferError: see `download`.
        """
        with SignedTransfer(self.settings.ca_cert_file) as transfer:
            return Downloads(self, transfer).content(uri)

    def _size_of(self, uri: str) -> int | None:
        """Return the bytes of a file that Flyte names, None for one in a store or that Flyte may not be told of."""
        return size_of(uri) if self.settings.local_files else None

    def prepare_inputs(self, entity: LaunchPlan | Task, inputs: Mapping[str, Any]) -> LiteralMap:
        """Check inputs, upload the files among them, and return them as literals.

        Nothing is uploaded unless all inputs are good.

        :param entity: what is to be executed with them.
        :raises FlyteInvalidInputsError: naming every input that does not fit `entity`, and every file that cannot
            be uploaded.
        :raises FlyteTransferError: when an upload fails.
        """
        if not isinstance(inputs, Mapping):
            raise FlyteInvalidInputsError(
                f"{entity.id} cannot be launched: inputs is a {type(inputs).__name__}, {inputs!r:.100}. "
                "Give a dict of values by input name; a template renders to text unless the DAG sets "
                "render_template_as_native_obj=True."
            )
        uploads = Uploads()
        types = entity.signature.types
        staged = {
            name: uploads.stage(value, types[name], name) if name in types else value
            for name, value in inputs.items()
        }
        literals = _checked(entity, staged, uploads)
        with SignedTransfer(self.settings.ca_cert_file) as transfer:
            uploads.settle(literals, Uploader(self, transfer))
        return literals


class Uploader:
    """Uploads files for a hook, into its project and domain.

    :param hook: whose Flyte, project and domain it is.
    :param transfer: moves the bytes.
    """

    def __init__(self, hook: FlyteConnection, transfer: SignedTransfer) -> None:
        self._hook = hook
        self._transfer = transfer

    def __call__(self, path: Path, name: str, root: str, md5: bytes) -> str:
        """Upload one file and return its address; an `Upload`."""
        hook, address = self._hook, ""

        def sign() -> dataproxy.SignedUrl:
            nonlocal address
            verb = dataproxy.create_upload_location(hook.project, hook.domain, name, md5, root)
            location = hook.run(verb)
            address = location.native_url
            return location.signed

        self._transfer.upload(path, md5, sign, ProgressLog(hook.log, f"Uploading {path}"))
        hook.log.info("Uploaded %s to %s", path, printable(redacted(address)))
        return address


class _Download:
    """What `FlyteHook.download` was asked for, one way for each kind of source."""

    def __init__(self, downloads: Downloads, hook: FileVerbs, to: PlaceLike) -> None:
        self._downloads = downloads
        self._hook = hook
        self._to = place(to)
        self._into = str(to).endswith("/") or self._to.is_dir()

    def of(self, source: Source) -> Place:
        if isinstance(source, Literal):
            return self._literal(source, "value")
        if isinstance(source, Mapping):
            source = _reference(source)
        if isinstance(source, FileReference):
            return self._referenced(source)
        if isinstance(source, str) and source.startswith(_FLYTE):
            return self._flyte(source)
        if str(source).endswith("/") or _is_folder(source):
            return self._downloads.directory(source, self._to)
        return self._downloads.file(source, self._target(str(source)))

    def _referenced(self, reference: FileReference) -> Place:
        if reference.flyte_url and (not reference.uri or reference.kind == "value"):
            return self._flyte(reference.flyte_url)
        if reference.kind == "value":
            away = LiteralOffloadedMetadata(uri=reference.uri, size_bytes=reference.size or 0)
            return self._literal(Literal(offloaded_metadata=away), name_of(reference.uri))
        if reference.kind == "file":
            return self._downloads.file(reference.uri, self._target(reference.uri), reference.size)
        return self._downloads.directory(reference.uri, self._to)

    def _flyte(self, flyte_url: str) -> Place:
        reply = self._hook.run(dataproxy.get_data(flyte_url))
        kind = reply.WhichOneof("data")
        if kind == "literal":
            return self._literal(reply.literal, name_of(flyte_url))
        if kind == "literal_map":
            name = "inputs" if flyte_url.endswith("/i") else "outputs"
            self._downloads.literals(reply.literal_map, self._to, name)
            return self._to
        return self._downloads.deck(flyte_url, self._target("deck.html"))

    def _literal(self, literal: Literal, name: str) -> Place:
        """Download the file of a literal, or write its value as JSON."""
        if literal.WhichOneof("value") == "offloaded_metadata":
            return self._literal(self._downloads.inline(literal), name)
        scalar = literal.scalar.WhichOneof("value")
        if scalar == "blob" and not literal.scalar.blob.metadata.type.dimensionality:
            return self._downloads.file(literal.scalar.blob.uri, self._target(literal.scalar.blob.uri))
        if scalar in ("blob", "schema", "structured_dataset"):
            return self._downloads.directory(getattr(literal.scalar, scalar).uri, self._to)
        if scalar == "union":
            return self._literal(literal.scalar.union.value, name)
        target = self._target(f"{name}.json")
        folder = target.parent
        return self._downloads.json(self._downloads.literal(literal, folder, name), target)

    def _target(self, uri: str) -> Place:
        return child(self._to, name_of(uri)) if self._into else self._to


def _reference(given: Mapping[str, Any]) -> FileReference:
    try:
        return FileReference.from_dict(given)
    except ValueError as fault:
        raise FlyteInvalidRequestError(f"This cannot be downloaded: {fault}") from None


def _is_folder(source: PlaceLike) -> bool:
    """Tell whether a source is a folder, where that can be seen without asking a store for every URI."""
    is_uri = isinstance(source, str) and "://" in source and not source.startswith("file://")
    return not is_uri and place(source).is_dir()


def _checked(entity: LaunchPlan | Task, inputs: Mapping[str, Any], uploads: Uploads) -> LiteralMap:
    """Return the inputs as literals, or raise for all that do not fit `entity` and all bad files."""
    faults = [
        InputFault(InputFaultKind.WRONG_TYPE, fault.path, fault.expected, fault) for fault in uploads.faults
    ]
    try:
        if isinstance(entity, LaunchPlan):
            literals = build_inputs(entity.expected_inputs, entity.fixed_inputs, inputs)
        else:
            literals = build_required_inputs(entity.interface.inputs, inputs)
    except InputFaults as found:
        faults += found.faults
    if not faults:
        return literals
    told = InputFaults(sorted(faults, key=lambda fault: fault.name), str(entity.signature))
    raise FlyteInvalidInputsError(f"{entity.id} cannot be launched.\n{told}")
