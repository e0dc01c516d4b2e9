"""Packages written by flytekit's own `pyflyte`, from the code in `tests/flows`."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterable
from pathlib import Path

FLOWS = Path(__file__).with_name("flows")
IMAGE = "example.org/flows:1"


def pyflyte(*words: str, cwd: Path) -> str:
    """Run `pyflyte` in a folder, and return what it prints."""
    command = [str(Path(sys.executable).with_name("pyflyte")), *words]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def write_packages(folder: Path) -> Path:
    """Write `plain.tgz`, `fast.tgz` and the folder `serialised` (fast), and return the folder of the code."""
    code = folder / "code"
    shutil.copytree(FLOWS, code / "flows", ignore=shutil.ignore_patterns("__pycache__"))
    # Into the working directory: where flytekit would put code by itself, /root, is a container's own there only.
    package = ("--pkgs", "flows", "package", "--image", IMAGE, "--in-container-source-path", ".")
    pyflyte(*package, "--output", str(folder / "plain.tgz"), cwd=code)
    pyflyte(*package, "--copy", "all", "--output", str(folder / "fast.tgz"), cwd=code)
    (folder / "serialised").mkdir()
    serialise = ("--pkgs", "flows", "serialize", "--image", IMAGE, "fast", "workflows")
    pyflyte(*serialise, "-f", str(folder / "serialised"), cwd=code)
    return code


def files_of(archive: Path) -> dict[str, bytes]:
    """Return the files in an archive by their names."""
    with tarfile.open(archive) as tar:
        return {one.name: tar.extractfile(one).read() for one in tar if one.isfile()}


def write_archive(path: Path, files: Iterable[tuple[str, bytes]]) -> Path:
    """Write an archive with files in this order."""
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            entry.mtime = 1_700_000_000
            tar.addfile(entry, io.BytesIO(content))
    return path


def file_called(files: Iterable[str], ending: str) -> str:
    """Return the name of the file whose name ends so: its beginning is a number that flytekit chose."""
    return next(name for name in files if name.endswith(ending))
