"""Archives of files, in memory: read within bounds, written so that the same files give the same bytes.

Nothing is unpacked to a disk, so a name in an archive is a name and no path that could lead anywhere.
"""

from __future__ import annotations

import gzip
import io
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping

#: Bytes that the files of an archive may have together.
MAX_BYTES = 512 * 1024 * 1024

#: Files that an archive may have.
MAX_FILES = 20_000

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_TAR_MAGIC = slice(257, 262)
#: What the libraries raise for archives that somebody has damaged, or made to do harm.
_DAMAGED = (
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, struct.error),
    *(EOFError, OSError, RuntimeError, ValueError, OverflowError),
)
#: The others unpack a whole block at a time, whatever size they were told to stop at.
_BOUNDED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class ArchiveError(ValueError):
    """An archive is damaged, none at all, or larger than it may be."""


def is_archive(content: bytes) -> bool:
    """Tell whether these bytes begin as a tar, tar.gz or zip archive does.

    :param content: a file's content; its name plays no part.
    """
    return content.startswith((_GZIP, _ZIP)) or content[_TAR_MAGIC] == b"ustar"


def unpack(content: bytes) -> dict[str, bytes]:
    """Return the files in a tar, tar.gz or zip archive by their names. Links and the like are left out.

    :param content: the archive.
    :raises ArchiveError: when it is damaged, or exceeds `MAX_BYTES` or `MAX_FILES`.
    """
    files: dict[str, bytes] = {}
    left = MAX_BYTES
    try:
        for name, data in _zipped(content) if content.startswith(_ZIP) else _tarred(content):
            files[name] = data
            left -= len(data)
            if left < 0 or len(files) > MAX_FILES:
                raise ArchiveError(_too_large())
    except ArchiveError:
        raise
    except _DAMAGED as fault:
        raise ArchiveError(_damaged(fault)) from None
    return files


def pack(files: Mapping[str, bytes]) -> bytes:
    """Return a tar.gz archive of files. The same files give the same bytes, whenever and wherever.

    :param files: the content of each file by its name, which may have folders in it.
    """
    return _packed((_entry(name, content), content) for name, content in files.items())


def repack(content: bytes) -> bytes:
    """Return a tar.gz archive as `pack` would have made it: without times, owners and the order of its files.

    :param content: a tar or tar.gz archive. Modes and links stay.
    :raises ArchiveError: when it is damaged or too large.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(_plain(content)), mode="r:") as tar:
            return _packed((entry, _content(tar, entry)) for entry in tar if not entry.isdir())
    except ArchiveError:
        raise
    except _DAMAGED as fault:
        raise ArchiveError(_damaged(fault)) from None


def _packed(entries: Iterable[tuple[tarfile.TarInfo, bytes]]) -> bytes:
    packed = io.BytesIO()
    with (
        gzip.GzipFile(filename="", fileobj=packed, mode="wb", mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for entry, content in sorted(entries, key=lambda each: each[0].name):
            entry.name = entry.name.removeprefix("./")
            entry.mtime = entry.uid = entry.gid = 0
            entry.uname = entry.gname = ""
            entry.pax_headers = {}
            tar.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def _entry(name: str, content: bytes) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    entry.mode = 0o755  # which files are programs is not known of those in an object store
    return entry


def _plain(content: bytes) -> bytes:
    """Return a tar archive without its compression."""
    if not content.startswith(_GZIP):
        return content
    # As a whole and not by tarfile, which takes a stream that ends too early for the end of the archive.
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as zipped:
        plain = zipped.read(MAX_BYTES + 1)
    if len(plain) > MAX_BYTES:
        raise ArchiveError(_too_large())
    return plain


def _tarred(content: bytes) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(_plain(content)), mode="r:") as tar:
        for entry in tar:
            if entry.isfile():
                yield entry.name.removeprefix("./"), _content(tar, entry)


def _content(tar: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes:
    if entry.issparse():  # a few bytes that stand for any number of zeros
        raise ArchiveError(f"it has the sparse file {entry.name!r:.100}, which no package needs")
    content = tar.extractfile(entry) if entry.isfile() else None
    return content.read() if content else b""


def _zipped(content: bytes) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
        if sum(entry.file_size for entry in entries) > MAX_BYTES:
            raise ArchiveError(_too_large())
        for entry in entries:
            if entry.compress_type not in _BOUNDED:
                raise ArchiveError("it is compressed in a way that packages are not: make it with deflate")
            with archive.open(entry) as opened:
                # Read by the size that is told: without one, zipfile unpacks all that is there before it looks.
                yield entry.filename, opened.read(entry.file_size + 1)


def _too_large() -> str:
    return f"it has more than {MAX_BYTES // 1024 // 1024} MB or {MAX_FILES} files"


def _damaged(fault: Exception) -> str:
    return f"it is damaged, or no tar.gz or zip archive: {str(fault) or type(fault).__name__}"
