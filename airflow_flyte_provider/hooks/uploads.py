"""Files and tables among the inputs of an execution: found, checked, uploaded, and put into the literals.

Two steps, so that nothing is uploaded for inputs that are faulty: `Uploads.stage` puts a stand-in where a file
is, the model checks all inputs and writes the literals, and `Uploads.settle` uploads and replaces the stand-ins.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from airflow.providers.common.compat.sdk import ObjectStoragePath
from flyteidl.core.literals_pb2 import Literal, LiteralMap
from flyteidl.core.types_pb2 import BlobType, LiteralType

from airflow_flyte_provider.admin.transfer import digest
from airflow_flyte_provider.exceptions import FlyteTransferError
from airflow_flyte_provider.hooks.places import files_in, local_path, uri_of
from airflow_flyte_provider.model.faults import ValueFault, shown
from airflow_flyte_provider.model.files import FlyteDirectory, FlyteFile
from airflow_flyte_provider.model.types import describe

_STORED = ("blob", "schema", "structured_dataset_type")

#: The name that flytekit gives the one file of a table, inside the table's folder.
_TABLE_FILE = "00000"
_PARQUET = "parquet"

#: Uploads a file and returns its address. Takes its path, its name in the store, the folder there (empty for
#: one that Flyte chooses) and the MD5 digest.
Upload = Callable[[Path, str, str, bytes], str]


class StandIn(os.PathLike):
    """Stands in an input for what will be known after the upload. Reads as the value itself in a message."""

    def __init__(self, value: object) -> None:
        self._value = value
        self._address = f"upload://{secrets.token_hex(8)}"

    def __fspath__(self) -> str:
        return self._address

    def __str__(self) -> str:
        return self._address

    def __repr__(self) -> str:
        return shown(self._value)


@dataclass(frozen=True)
class _Staged:
    """What a stand-in stands for.

    :param uri: its address, empty when it is uploaded first.
    :param path: the local file or folder to upload.
    :param table: the table to write and upload.
    :param format: what it is, empty to take what is declared.
    """

    uri: str = ""
    path: Path | None = None
    table: Any = None
    format: str = ""


class Uploads:
    """The files and tables among the inputs of one execution.

    `faults` holds what is wrong with them, by the path inside the inputs.
    """

    def __init__(self) -> None:
        self.faults: list[ValueFault] = []
        self._staged: dict[str, _Staged] = {}

    def stage(self, value: Any, literal_type: LiteralType, path: str) -> Any:
        """Return `value` with a stand-in for each file and table in it, and `value` itself when there is none.

        :param value: an input, or a part of one.
        :param literal_type: its declared type. What the type has no place for is left for the model to refuse.
        :param path: where it stands, for faults.
        """
        kind = literal_type.WhichOneof("type")
        if kind in _STORED:
            return self._stage_stored(value, literal_type, path)
        if kind == "union_type":
            for variant in literal_type.union_type.variants:
                if (staged := self.stage(value, variant, path)) is not value:
                    return staged
        elif kind == "collection_type" and isinstance(value, list | tuple):
            items = [
                self.stage(item, literal_type.collection_type, f"{path}[{number}]")
                for number, item in enumerate(value)
            ]
            return value if all(new is old for new, old in zip(items, value, strict=True)) else items
        elif kind == "map_value_type" and isinstance(value, Mapping):
            entries = {
                key: self.stage(item, literal_type.map_value_type, f"{path}.{key}")
                for key, item in value.items()
            }
            return value if all(entries[key] is value[key] for key in value) else entries
        return value

    def settle(self, literals: LiteralMap, upload: Upload) -> None:
        """Upload what was staged, and put the addresses where the stand-ins are.

        :param literals: the inputs, which are changed in place.
        :param upload: uploads one file.
        :raises FlyteTransferError: when a file cannot be uploaded.
        """
        settled = {
            address: (staged.uri or _uploaded(staged, upload), staged.format)
            for address, staged in self._staged.items()
        }
        for literal in literals.literals.values():
            _replace(literal, settled)

    def _stage_stored(self, value: Any, literal_type: LiteralType, path: str) -> Any:
        staged: _Staged | None = None
        if isinstance(value, FlyteFile | FlyteDirectory):
            if _takes(literal_type, value):
                staged = self._stage_file(value, literal_type, path)
        elif isinstance(value, ObjectStoragePath | Path):
            like = FlyteDirectory if _is_multipart(literal_type) else FlyteFile
            staged = self._stage_file(like(value), literal_type, path)
        elif _is_table(value) and literal_type.WhichOneof("type") != "blob":
            staged = self._stage_table(value, literal_type, path)
        if staged is None:
            return value
        stand_in = StandIn(value)
        self._staged[str(stand_in)] = staged
        return stand_in

    def _stage_file(
        self, given: FlyteFile | FlyteDirectory, literal_type: LiteralType, path: str
    ) -> _Staged | None:
        declared = _format(literal_type)
        if given.format and declared and given.format != declared:
            self._fault(given, literal_type, path, f"its format is {given.format}, not {declared}")
        source = local_path(given.source)
        if source is None:
            return _Staged(uri=uri_of(given.source), format=given.format)
        if hint := _unusable(source, folder=isinstance(given, FlyteDirectory)):
            self._fault(given, literal_type, path, hint)
        return _Staged(path=source, format=given.format)

    def _stage_table(self, table: Any, literal_type: LiteralType, path: str) -> _Staged:
        if _format(literal_type) not in ("", _PARQUET):
            self._fault(table, literal_type, path, "a table is uploaded as parquet")
        if not sys.modules.get("pyarrow") and not _can_write_parquet():
            self._fault(table, literal_type, path, "install pyarrow: it writes the table as parquet")
        return _Staged(table=table, format=_PARQUET)

    def _fault(self, value: object, literal_type: LiteralType, path: str, hint: str) -> None:
        given = type(value).__name__
        self.faults.append(ValueFault(path, describe(literal_type), given, shown(value), hint))


def _takes(literal_type: LiteralType, value: FlyteFile | FlyteDirectory) -> bool:
    """Tell whether a type takes this of a file and a directory. A table may be either."""
    if literal_type.WhichOneof("type") != "blob":
        return True
    return _is_multipart(literal_type) == isinstance(value, FlyteDirectory)


def _is_multipart(literal_type: LiteralType) -> bool:
    return (
        literal_type.WhichOneof("type") == "blob"
        and literal_type.blob.dimensionality == BlobType.BlobDimensionality.MULTIPART
    )


def _format(literal_type: LiteralType) -> str:
    kind = literal_type.WhichOneof("type")
    return "" if kind == "schema" else str(getattr(literal_type, kind).format)


def _unusable(source: Path, *, folder: bool) -> str:
    """Return what is wrong with a local file or folder that is to be uploaded, nothing when it is well."""
    if not source.exists():
        return "there is no such file on this worker"
    if folder != source.is_dir():
        return "it is a file, give FlyteFile" if folder else "it is a directory, give FlyteDirectory"
    if not os.access(source, os.R_OK):
        return "this worker may not read it"
    try:
        return "" if not folder or next(files_in(source), None) else "the directory is empty"
    except FlyteTransferError as fault:
        return str(fault)


def _is_table(value: object) -> bool:
    """Tell whether a value is a table of pandas or pyarrow, which are there when such a value is."""
    pandas, pyarrow = sys.modules.get("pandas"), sys.modules.get("pyarrow")
    return bool(pandas and isinstance(value, pandas.DataFrame)) or bool(
        pyarrow and isinstance(value, pyarrow.Table)
    )


def _can_write_parquet() -> bool:
    from importlib.util import find_spec

    return find_spec("pyarrow") is not None


def _uploaded(staged: _Staged, upload: Upload) -> str:
    """Upload one file, folder or table and return its address."""
    if staged.path is None:
        with _written(staged.table) as folder:
            return _upload_folder(folder, upload)
    if staged.path.is_dir():
        return _upload_folder(staged.path, upload)
    return upload(staged.path, staged.path.name, "", digest(staged.path))


def _upload_folder(folder: Path, upload: Upload) -> str:
    """Upload all files of a folder below one root, which is named by what they are.

    The same files go to the same place, so that a retry of the task does not leave a second copy.
    """
    digests = {name: digest(Path(str(path))) for name, path in files_in(folder)}
    manifest = "".join(f"{name}\0{md5.hex()}\n" for name, md5 in digests.items())
    root = hashlib.sha256(manifest.encode()).hexdigest()[:32]
    address = ""
    for name, md5 in digests.items():
        address = upload(folder / name, name, root, md5)
        address = address.rsplit("/", name.count("/") + 1)[0]
    return address


@contextmanager
def _written(table: Any) -> Iterator[Path]:
    """Write a table as flytekit writes it, into a folder that is removed afterwards."""
    with TemporaryDirectory(prefix="flyte-table-") as folder:
        path = Path(folder, _TABLE_FILE)
        try:
            if hasattr(table, "to_parquet"):
                table.to_parquet(path, coerce_timestamps="us", allow_truncated_timestamps=False)
            else:
                from pyarrow import parquet

                parquet.write_table(table, path)
        except Exception as fault:  # whatever a column holds that parquet has no type for
            raise FlyteTransferError(f"The table could not be written as parquet: {fault}") from None
        yield Path(folder)


def _replace(literal: Literal, settled: Mapping[str, tuple[str, str]]) -> None:
    """Put the addresses into a literal, in place of stand-ins at any depth."""
    kind = literal.WhichOneof("value")
    if kind == "collection":
        for item in literal.collection.literals:
            _replace(item, settled)
    elif kind == "map":
        for item in literal.map.literals.values():
            _replace(item, settled)
    elif kind == "scalar" and literal.scalar.WhichOneof("value") == "union":
        _replace(literal.scalar.union.value, settled)
    elif kind == "scalar" and literal.scalar.WhichOneof("value") in ("blob", "schema", "structured_dataset"):
        which = literal.scalar.WhichOneof("value")
        stored = getattr(literal.scalar, which)
        if stored.uri in settled:
            stored.uri, file_format = settled[stored.uri]
            if file_format and which == "blob":
                stored.metadata.type.format = file_format
            elif file_format and which == "structured_dataset":
                stored.metadata.structured_dataset_type.format = file_format
