"""Archives that somebody has made to do harm, or that are damaged: told as such, within little memory."""

import contextlib
import gzip
import io
import tarfile
import tracemalloc
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_flyte_provider.model.packages.archives import ArchiveError, repack, unpack


def zipped(content, method):
    """Return a zip archive of one file whose header claims that it has 10 bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        archive.writestr("a.pb", content)
    lying = bytearray(packed.getvalue())
    for start in (lying.rfind(b"PK\x01\x02") + 24, 22):
        lying[start : start + 4] = (10).to_bytes(4, "little")
    return bytes(lying)


def with_headers(**headers):
    """Return a tar archive of one empty file with further headers, such as those of a sparse one."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        entry = tarfile.TarInfo("a.pb")
        entry.pax_headers = {name.replace("_", "."): value for name, value in headers.items()}
        archive.addfile(entry, io.BytesIO())
    return packed.getvalue()


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_that_lies_about_its_sizes_is_not_unpacked(method):
    bomb = zipped(bytes(64_000_000), method)
    tracemalloc.start()
    try:
        with pytest.raises(ArchiveError):
            unpack(bomb)
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


def test_a_sparse_file_is_not_filled_up():
    bomb = with_headers(GNU_sparse_map="0,0", GNU_sparse_size="100000000", GNU_sparse_name="a.pb")
    tracemalloc.start()
    try:
        for read_archive in (unpack, repack):
            with pytest.raises(ArchiveError, match="sparse"):
                read_archive(bomb)
        assert tracemalloc.get_traced_memory()[1] < 8_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("read_archive", [unpack, repack])
def test_headers_that_are_no_numbers_are_told_as_damage(read_archive):
    with pytest.raises(ArchiveError, match="damaged"):
        read_archive(with_headers(GNU_sparse_map="x,y", GNU_sparse_size="1", GNU_sparse_name="a"))


@given(st.sampled_from(["tar", "tar.gz", "zip"]), st.randoms(use_true_random=False))
def test_any_damage_is_told_as_such(kind, random):
    packed = bytearray(whole_archive(kind))
    for _ in range(random.randint(1, 8)):
        packed[random.randrange(len(packed))] = random.randrange(256)
    for read_archive in (unpack, repack):
        with contextlib.suppress(ArchiveError):
            read_archive(bytes(packed))


def whole_archive(kind):
    packed = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("ä.pb", b"abc" * 100)
        return packed.getvalue()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        entry = tarfile.TarInfo("ä" * 200)
        entry.size = 3
        archive.addfile(entry, io.BytesIO(b"abc"))
    return packed.getvalue() if kind == "tar" else gzip.compress(packed.getvalue())
