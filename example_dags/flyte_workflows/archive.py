"""The Flyte side of `flyte_files.py`: a workflow that takes a file and returns one."""

import gzip
import shutil
from pathlib import Path

from flytekit import current_context, task, workflow
from flytekit.types.file import FlyteFile


@task
def compress(source: FlyteFile) -> FlyteFile:
    """Compress a file with gzip."""
    path = Path(current_context().working_directory, "compressed.gz")
    with open(source, "rb") as plain, gzip.open(path, "wb") as packed:
        shutil.copyfileobj(plain, packed)
    return FlyteFile(str(path))


@workflow
def archive(source: FlyteFile) -> FlyteFile:
    """Archive a file."""
    return compress(source=source)
