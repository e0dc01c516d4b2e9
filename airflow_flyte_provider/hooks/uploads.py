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
from dataclasses import replace
from importlib.util import find_spec
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
from airflow_flyte_provider.model.values.types import describe

_STORED = ("blob", "schema", "structured_dataset_type")

#: The name that flytekit gives the one file of a table, inside the table's folder.
_TABLE_FILE = "00000"

#: Uploads a file and returns its address. Takes its path, its name in the store, the folder there (empty for
#: one that Flyte chooses) and the MD5 digest.
Upload = Callable[[Path, str, str, bytes], str]


class StandIn(os.PathLike[str]):
    """Stands in an input for an address that is known after the upload. Is shown as what it stands for.

    :param source: what is to be uploaded.
    """

    def __init__(self, source: object) -> None:
        self._source = source
        self._address = f"upload://{secrets.token_hex(8)}"

    def __fspath__(self) -> str:
        return self._address

    def __str__(self) -> str:
        return self._address

    def __repr__(self) -> str:
        return shown(self._source)


class Uploads:
    """The files and tables among the inputs of one execution.

    `faults` holds what is wrong with them, by the path inside the inputs.
    """

    def __init__(self) -> None:
        self.faults: list[ValueFault] = []
        self._sources: dict[str, Any] = {}

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
        settled = {address: _uploaded(source, upload) for address, source in self._sources.items()}
        for literal in literals.literals.values():
            _replace(literal, settled)

    def _stage_stored(self, value: Any, literal_type: LiteralType, path: str) -> Any:
        if isinstance(value, ObjectStoragePath | Path):
            value = FlyteDirectory(value) if _is_multipart(literal_type) else FlyteFile(value)
        if isinstance(value, FlyteFile | FlyteDirectory):
            source = local_path(value.source)
            if source is None:
                return replace(value, source=uri_of(value.source))
            if hint := _unusable(source, folder=isinstance(value, FlyteDirectory)):
                self._fault(value, literal_type, path, hint)
            return replace(value, source=self._stand_in(source))
        if _is_table(value) and literal_type.WhichOneof("type") != "blob":
            if find_spec("pyarrow") is None:
                self._fault(value, literal_type, path, "install pyarrow: it writes the table as parquet")
            return FlyteFile(self._stand_in(value), format="parquet")
        return value

    def _stand_in(self, source: Any) -> StandIn:
        stand_in = StandIn(source)
        self._sources[str(stand_in)] = source
        return stand_in

    def _fault(self, value: object, literal_type: LiteralType, path: str, hint: str) -> None:
        given = type(value).__name__
        self.faults.append(ValueFault(path, describe(literal_type), given, shown(value), hint))


def _is_multipart(literal_type: LiteralType) -> bool:
    return (
        literal_type.WhichOneof("type") == "blob"
        and literal_type.blob.dimensionality == BlobType.BlobDimensionality.MULTIPART
    )


def _unusable(source: Path, *, folder: bool) -> str:
    """Return what is wrong with a local file or folder that is to be uploaded, nothing when it is well."""
    if not source.exists():
        return "there is no such file on this worker"
    if folder != source.is_dir():
        return "it is a file, give FlyteFile" if folder else "it is a directory, give FlyteDirectory"
    if not os.access(source, os.R_OK):
        return "this worker may not read it"
    try:
        return "" if not folder or files_in(source) else "the directory is empty"
    except FlyteTransferError as fault:
        return str(fault)


def _is_table(value: object) -> bool:
    """Tell whether a value is a table of pandas or pyarrow, which are there when such a value is."""
    pandas, pyarrow = sys.modules.get("pandas"), sys.modules.get("pyarrow")
    return bool(pandas and isinstance(value, pandas.DataFrame)) or bool(
        pyarrow and isinstance(value, pyarrow.Table)
    )


def _uploaded(source: Any, upload: Upload) -> str:
    """Upload one file, folder or table and return its address."""
    if not isinstance(source, Path):
        with _written(source) as folder:
            return _upload_folder(folder, upload)
    if source.is_dir():
        return _upload_folder(source, upload)
    return upload(source, source.name, "", digest(source))


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


def _replace(literal: Literal, settled: Mapping[str, str]) -> None:
    """Put the addresses into a literal, in place of stand-ins at any depth."""
    kind = literal.WhichOneof("value")
    if kind == "collection":
        for item in literal.collection.literals:
            _replace(item, settled)
    elif kind == "map":
        for item in literal.map.literals.values():
            _replace(item, settled)
    elif kind == "scalar":
        scalar = literal.scalar.WhichOneof("value")
        if scalar == "union":
            _replace(literal.scalar.union.value, settled)
        elif scalar in ("blob", "schema", "structured_dataset"):
            stored = getattr(literal.scalar, scalar)
            stored.uri = settled.get(stored.uri, stored.uri)
