"""The code of a package: flytekit's fast registration, where tasks fetch their code before they run.

Such a task's command begins with `pyflyte-fast-execute --additional-distribution ADDRESS --dest-dir FOLDER`.
flytekit leaves the address open, and the folder too in what `pyflyte serialize` writes.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from flyteidl.admin.task_pb2 import TaskSpec

from airflow_flyte_provider.model.packages.addressing import change_texts
from airflow_flyte_provider.model.packages.images import containers
from airflow_flyte_provider.model.packages.reading import Packaged, PackageError

_ADDRESS = re.compile(r"\{\{\s*\.remote_package_path\s*\}\}")
_DESTINATION = re.compile(r"\{\{\s*\.dest_dir\s*\}\}")
_DESTINATION_OPTION = "--dest-dir"
_VERSION_LENGTH = 32


def give_code(entities: Sequence[Packaged], code: bytes) -> list[Packaged]:
    """Return the entities with `code` as the archive that their tasks run, instead of the package's own.

    :raises PackageError: when no task takes code from outside of its image.
    """
    if not any(takes_code(one) for one in entities):
        raise PackageError(
            "No task takes code from outside of its image: write the package with `pyflyte package --copy all` or "
            "`pyflyte serialize … fast workflows`, or give no source."
        )
    return [replace(one, code=code) for one in entities]


def set_destination(spec: TaskSpec, folder: str | None) -> None:
    """Set where a task unpacks its code.

    :param spec: the task, which is changed in place.
    :param folder: a path in the container. None keeps the one there is, `.` where that is left open.
    """
    change_texts(spec, lambda text: _DESTINATION.sub(lambda _: folder or ".", text))
    for words in _commands(spec) if folder else ():
        for place in range(1, len(words)):
            if words[place - 1] == _DESTINATION_OPTION:
                words[place] = folder


def takes_code(entity: Packaged) -> bool:
    """Tell whether the command of a task still lacks the address of its code."""
    found = False

    def look(text: str) -> str:
        nonlocal found
        found = found or _ADDRESS.search(text) is not None
        return text

    if isinstance(entity.spec, TaskSpec):
        change_texts(entity.spec, look)
    return found


def settle_code(entity: Packaged, uri: str) -> None:
    """Put the address of the code into a task, which is changed in place.

    :param uri: where the archive lies, as a Flyte task takes it.
    """
    change_texts(entity.spec, lambda text: _ADDRESS.sub(lambda _: uri, text))


def content_version(entities: Sequence[Packaged]) -> str:
    """Return a version that is a function of what a package holds: names, specs and code.

    Files' names, times and order play no part, neither does where the package is registered to.

    :raises PackageError: when a task takes code and the package has none.
    """
    digest = hashlib.sha256()
    for one in sorted(entities, key=lambda one: (one.id.kind.value, one.id.name)):
        digest.update(f"{one.id.kind.value}\0{one.id.name}\0".encode())
        digest.update(one.spec.SerializeToString(deterministic=True))
        if takes_code(one):
            if one.code is None:
                raise PackageError(
                    f"{one.file}: the code of {one.id.name} is neither in its image nor in the package: give its "
                    "source, or a package that has it."
                )
            digest.update(hashlib.sha256(gzip.decompress(one.code)).digest())
    return digest.hexdigest()[:_VERSION_LENGTH]


def _commands(spec: TaskSpec) -> Iterator[Any]:
    """Yield the command lines in a task, as lists of words that can be changed."""
    if spec.template.WhichOneof("target") == "container":
        yield from (spec.template.container.command, spec.template.container.args)
    for container in containers(spec):
        yield from (container[part] for part in ("command", "args") if part in container.fields)
