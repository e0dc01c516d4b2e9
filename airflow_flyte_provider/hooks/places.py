"""Where files lie: on the worker's disk, or in an object store that Airflow's `ObjectStoragePath` reaches."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from airflow.providers.common.compat.sdk import ObjectStoragePath

from airflow_flyte_provider.admin.transfer import CHUNK, whole
from airflow_flyte_provider.exceptions import (
    FlyteError,
    FlyteForbiddenPlaceError,
    FlyteIntegrityError,
    FlyteTransferError,
)
from airflow_flyte_provider.model.redaction import redacted

#: A file or folder that can be read and written.
Place = Path | ObjectStoragePath

#: What a user may name a place by.
PlaceLike = str | os.PathLike[str] | ObjectStoragePath

_FILE = "file://"

#: Schemes of what is on the worker itself.
_ON_WORKER = ("file", "local", "memory")

#: Schemes of object stores. With others a file system of fsspec may do more than to read from a store: log in
#: elsewhere, ask an address inside of the company's network, read the worker's disk.
_STORES = (
    *("s3", "s3a", "s3n", "gs", "gcs", "oss", "https"),
    *("abfs", "abfss", "adl", "az", "wasb", "wasbs"),
)


def uri_of(place: PlaceLike) -> str:
    """Return a place as Flyte takes it: a path or a URI, without the name of an Airflow connection."""
    if not isinstance(place, ObjectStoragePath):
        return os.fspath(place)
    scheme, separator, rest = str(place.as_uri()).partition("://")
    bucket, slash, key = rest.partition("/")
    # Airflow 2 leaves the connection's name before the bucket's.
    return f"{scheme}{separator}{bucket.rpartition('@')[2]}{slash}{key}"


def local_path(place: PlaceLike) -> Path | None:
    """Return the path of a place on this machine, None for one elsewhere."""
    text = uri_of(place).removeprefix(_FILE)
    return None if "://" in text else Path(text)


def size_of(uri: str) -> int | None:
    """Return how many bytes a file on this machine has; None for one elsewhere, which no store is asked about."""
    path = local_path(uri)
    if path is None or not path.is_absolute():
        return None
    try:
        return path.stat().st_size if path.is_file() else None
    except (OSError, ValueError):  # not for us to read, or no path at all
        return None


def place(named: PlaceLike) -> Place:
    """Return what a user has named, as something to read and write.

    :raises FlyteTransferError: when Airflow has no file system for its scheme.
    """
    path = local_path(named)
    if path is not None:
        return path
    with store_errors(uri_of(named)):
        found = named if isinstance(named, ObjectStoragePath) else ObjectStoragePath(os.fspath(named))
        _ = found.fs  # finds the file system, and with it what is missing
        return found


def is_on_worker(named: PlaceLike) -> bool:
    """Tell whether a place is on this worker itself, whatever the case of its scheme."""
    scheme, separator, _ = uri_of(named).partition("://")
    return not separator or scheme.lower() in _ON_WORKER


def place_of_flyte(uri: str, *, local_files: bool) -> Place:
    """Return a place that Flyte has named, or whoever writes outputs there, as something to read.

    :param uri: a URI or a path. A text that a user has given counts too, for it may come from an output.
    :param local_files: whether it may lie on this worker.
    :raises FlyteForbiddenPlaceError: when it is not one that is read for Flyte.
    """
    scheme, _, rest = uri.partition("://")
    shown = f"{redacted(uri)!r:.200}"
    if is_on_worker(uri):
        if local_files:
            return place(uri)
        raise FlyteForbiddenPlaceError(
            f"{shown} lies on this worker itself, which does not read files there that Flyte names: they may be "
            "anything. Where Flyte shares this disk, set the extra field 'local_files' of the Airflow connection to "
            "true. A file of your own is given as a pathlib.Path."
        )
    if scheme.lower() not in _STORES or "::" in uri:
        raise FlyteForbiddenPlaceError(
            f"{shown} is no file in an object store ({', '.join(_STORES)}), so it is not read for Flyte. If you trust "
            "it, give it as an ObjectStoragePath."
        )
    if "@" in rest.partition("/")[0]:
        raise FlyteForbiddenPlaceError(
            f"{shown} names an Airflow connection before the @: whoever writes outputs in Flyte must not choose whose "
            "credentials are used. If you trust it, give it as an ObjectStoragePath."
        )
    return place(uri)


def child(folder: Place, relative: str) -> Place:
    """Return a place below a folder.

    :param relative: its path from there, which others have chosen: a name in a store, or of an output.
    :raises FlyteTransferError: when it would lie outside, by dots, a root or a link.
    """
    parts = PurePosixPath(relative).parts
    if not parts or relative.startswith("/") or ".." in parts or "\\" in relative or "\0" in relative:
        raise FlyteTransferError(f"{relative!r} would lie outside of {folder}. Nothing was written there.")
    found = folder.joinpath(*parts)
    if _is_here(found) and not found.resolve().is_relative_to(folder.resolve()):
        raise FlyteTransferError(f"{relative!r} leads out of {folder} by a link. Nothing was written there.")
    return found


def files_in(folder: Place, skip: Callable[[str], bool] = lambda _: False) -> list[tuple[str, Place]]:
    """Return every file in a folder at any depth, by its path from there.

    :param skip: tells of the name of a file or folder whether it is left out.
    :raises FlyteTransferError: when a link leads out of it, or it cannot be listed.
    """
    with store_errors(uri_of(folder)):
        if _is_here(folder):
            names = [path.relative_to(folder).as_posix() for path in _walk(folder, skip)]
        else:
            start = folder.path.rstrip("/") + "/"
            found = [path.removeprefix(start) for path in folder.fs.find(folder.path)]
            names = [name for name in found if not any(map(skip, name.split("/")))]
    return [(name, child(folder, name)) for name in sorted(names)]


def deliver(fetch: Callable[[Path], None], target: Place) -> None:
    """Have a file fetched to a place. It appears there when it is whole, or not at all.

    :param fetch: writes the file to a path, by way of a draft.
    :param target: where it is to be. A file for an object store passes through a temporary folder.
    """
    if _is_here(target):
        with store_errors(str(target)):
            target.parent.mkdir(parents=True, exist_ok=True)
        fetch(target)
        return
    with TemporaryDirectory(prefix="flyte-") as folder:
        draft = Path(folder, "file")
        fetch(draft)
        with store_errors(uri_of(target)):
            try:
                with draft.open("rb") as content, target.open("wb") as stored:
                    shutil.copyfileobj(content, stored, CHUNK)
            except BaseException:
                target.unlink(missing_ok=True)
                raise


def copy(source: Place, target: Path, size: int | None = None) -> None:
    """Copy a file that lies on this machine or in an object store.

    :param target: where to; it appears when it is whole.
    :param size: bytes it must have.
    :raises FlyteIntegrityError: when it has another size.
    """
    with store_errors(uri_of(source)), source.open("rb") as content, whole(target) as draft:
        with draft.open("wb") as written:
            shutil.copyfileobj(content, written, CHUNK)
        found = draft.stat().st_size
        if size is not None and found != size:
            raise FlyteIntegrityError(f"{source} has {found} bytes instead of {size}.")


@contextmanager
def store_errors(where: str) -> Iterator[None]:
    """Turn what a file system or an object store raises, each store its own, into a `FlyteTransferError`."""
    try:
        yield
    except FlyteError:
        raise
    except FileNotFoundError:
        raise FlyteTransferError(f"There is nothing at {where}.") from None
    except Exception as fault:
        raise FlyteTransferError(
            f"{where} could not be read or written: {type(fault).__name__}: {fault}. "
            "A scheme needs the Airflow provider that knows it, and a connection or the worker's credentials."
        ) from None


def _is_here(found: Place) -> bool:
    # On Airflow 2 an ObjectStoragePath is a Path too.
    return isinstance(found, Path) and not isinstance(found, ObjectStoragePath)


def _walk(folder: Path, skip: Callable[[str], bool]) -> Iterator[Path]:
    """Yield the files in a folder. A linked folder is followed only where that cannot go round in circles."""
    for found in folder.iterdir():
        if skip(found.name):
            continue
        if not found.is_dir():
            yield found
        elif found.is_symlink():
            raise FlyteTransferError(f"{found} is a link to a folder: copy what it links to, or remove it.")
        else:
            yield from _walk(found, skip)
