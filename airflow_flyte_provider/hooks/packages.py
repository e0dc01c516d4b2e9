"""Packages of serialised entities, and the code beside them, read from wherever they lie."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from airflow_flyte_provider.exceptions import FlytePackageError
from airflow_flyte_provider.hooks.places import Place, PlaceLike, files_in, place, store_errors, uri_of
from airflow_flyte_provider.model.packages.archives import MAX_BYTES, MAX_FILES, pack
from airflow_flyte_provider.model.packages.reading import Packaged, join, read_files, read_package

#: One package, or several that are registered as one.
Packages = PlaceLike | Sequence[PlaceLike]


def read_packages(packages: Packages) -> list[Packaged]:
    """Return the entities of packages: archives, folders and single `.pb` files.

    :raises FlyteTransferError: when one of them cannot be had.
    :raises PackageError: when one of them is no package.
    """
    named = list(packages) if isinstance(packages, list | tuple) else [packages]
    if not named:
        raise FlytePackageError("No package is given.")
    return join([entity for one in named for entity in _read(one)])


def pack_source(source: PlaceLike) -> bytes:
    """Return Python code as the archive that a task unpacks.

    :param source: a folder, whose content is packed without hidden files and bytecode; or one file.
    :raises FlyteTransferError: when it cannot be read.
    :raises FlytePackageError: when there is nothing in it, or too much.
    """
    found = place(source)
    if not _is_folder(found):
        return pack({found.name: _content(found)})
    files = _contents(files_in(found, skip=_is_left_out), uri_of(source))
    if not files:
        raise FlytePackageError(f"The source {uri_of(source)} has no files.")
    return pack(files)


def _read(package: PlaceLike) -> list[Packaged]:
    found, name = place(package), uri_of(package)
    if not _is_folder(found):
        return read_package(name, _content(found))
    files = [(file, path) for file, path in files_in(found) if file.endswith((".pb", ".tar.gz", ".tgz"))]
    return read_files(name, _contents(files, name))


def _contents(files: list[tuple[str, Place]], name: str) -> dict[str, bytes]:
    contents: dict[str, bytes] = {}
    left = MAX_BYTES
    for file, path in files:
        contents[file] = _content(path)
        left -= len(contents[file])
        if left < 0 or len(contents) > MAX_FILES:
            raise FlytePackageError(
                f"{name} has more than {MAX_BYTES // 1024 // 1024} MB or {MAX_FILES} files."
            )
    return contents


def _content(found: Place) -> bytes:
    with store_errors(uri_of(found)), found.open("rb") as opened:
        content: bytes = opened.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise FlytePackageError(f"{uri_of(found)} has more than {MAX_BYTES // 1024 // 1024} MB.")
    return content


def _is_folder(found: Place) -> bool:
    with store_errors(uri_of(found)):
        return found.is_dir()


def _is_left_out(name: str) -> bool:
    return name.startswith(".") or name == "__pycache__" or PurePosixPath(name).suffix == ".pyc"
