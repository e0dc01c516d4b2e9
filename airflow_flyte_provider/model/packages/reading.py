"""Packages of serialised entities, as `pyflyte package` and `pyflyte serialize` write them.

A package is some files, in an archive or a folder: `0_flows.double_1.pb` holds a `flyteidl.admin.TaskSpec`,
`1_flows.sums_2.pb` a `WorkflowSpec`, `2_flows.sums_3.pb` a `LaunchPlan`, and `fast….tar.gz`, where it is there, the
code that the tasks run. What a file holds is told by its content; its name plays no part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from flyteidl.admin.launch_plan_pb2 import LaunchPlan, LaunchPlanSpec
from flyteidl.admin.task_pb2 import TaskSpec
from flyteidl.admin.workflow_pb2 import WorkflowSpec
from flyteidl.core import identifier_pb2
from google.protobuf.message import DecodeError

from airflow_flyte_provider.model.identifiers import EntityId, EntityKind
from airflow_flyte_provider.model.packages.archives import ArchiveError, is_archive, repack, unpack

if TYPE_CHECKING:
    from flyteidl.core.identifier_pb2 import Identifier

Spec: TypeAlias = TaskSpec | WorkflowSpec | LaunchPlanSpec

_CODE_SUFFIXES = (".tar.gz", ".tgz")


class PackageError(ValueError):
    """A package cannot be read, is not complete, or does not take what it is to be changed to."""


@dataclass(frozen=True, slots=True)
class Packaged:
    """One entity of a package.

    :param id: its id. As it is read, project, domain and version may be empty or placeholders.
    :param spec: what it is registered with.
    :param file: the file that it was read from, for faults.
    :param code: the code archive beside it, None for a package without code.
    """

    id: EntityId
    spec: Spec
    file: str
    code: bytes | None = field(default=None, repr=False)

    def copy(self) -> Packaged:
        """Return the same with a spec of its own, which may be changed."""
        spec = type(self.spec)()
        spec.MergeFrom(self.spec)
        return replace(self, spec=spec)


def read_package(name: str, content: bytes) -> list[Packaged]:
    """Return the entities in an archive, or the one in a `.pb` file.

    :param name: what to call it in faults.
    :param content: the bytes of the file.
    :raises PackageError: when it is damaged, or a file in it is no entity.
    """
    if not is_archive(content):
        return read_files(name, {name: content})
    try:
        return read_files(name, unpack(content))
    except ArchiveError as fault:
        raise PackageError(f"{name} cannot be read: {fault}.") from None


def read_files(name: str, files: Mapping[str, bytes]) -> list[Packaged]:
    """Return the entities in the files of a package. Files that are neither `.pb` nor code are passed over.

    :param name: the package, for faults.
    :param files: the content of each file by its name.
    :raises PackageError: when there is no entity, or a file is damaged or none; also with two archives of code.
    """
    code = [file for file in files if file.endswith(_CODE_SUFFIXES)]
    if len(code) > 1:
        raise PackageError(f"{name} has more than one archive of code: {', '.join(sorted(code))}.")
    try:
        packed = repack(files[code[0]]) if code else None
    except ArchiveError as fault:
        raise PackageError(f"The code in {name}, {code[0]}, cannot be read: {fault}.") from None
    entities = [
        _read(file, files[file], packed)
        for file in sorted(files)
        if file.endswith(".pb") and not file.rpartition("/")[2].startswith(".")
    ]
    if not entities:
        raise PackageError(
            f"{name} has no .pb file: it is no package of `pyflyte package` or `pyflyte serialize`."
        )
    return entities


def join(entities: list[Packaged]) -> list[Packaged]:
    """Return the entities of several packages as those of one: what several of them have alike is there once.

    :param entities: the entities of all packages.
    :raises PackageError: when two of them have one name and differ.
    """
    found: dict[tuple[EntityKind, str], Packaged] = {}
    for one in entities:
        other = found.setdefault((one.id.kind, one.id.name), one)
        if (other.id, other.spec, other.code) != (one.id, one.spec, one.code):
            raise PackageError(
                f"{one.file} and {other.file} hold two {one.id.kind.label}s {one.id.name} that differ."
            )
    return list(found.values())


def _read(file: str, content: bytes, code: bytes | None) -> Packaged:
    # The three messages begin alike, and each names in its id what it is.
    task, workflow, plan = TaskSpec(), WorkflowSpec(), LaunchPlan()
    if _holds(task, content) and task.template.id.resource_type == identifier_pb2.TASK:
        return Packaged(_id(EntityKind.TASK, task.template.id, file), task, file, code)
    if _holds(workflow, content) and workflow.template.id.resource_type == identifier_pb2.WORKFLOW:
        return Packaged(_id(EntityKind.WORKFLOW, workflow.template.id, file), workflow, file, code)
    if _holds(plan, content) and plan.id.resource_type == identifier_pb2.LAUNCH_PLAN:
        return Packaged(_id(EntityKind.LAUNCH_PLAN, plan.id, file), plan.spec, file, code)
    raise PackageError(
        f"{file} is no task, workflow or launch plan as `pyflyte package` and `pyflyte serialize` write them."
    )


def _holds(message: TaskSpec | WorkflowSpec | LaunchPlan, content: bytes) -> bool:
    try:
        message.ParseFromString(content)
    except DecodeError:
        return False
    return True


def _id(kind: EntityKind, identifier: Identifier, file: str) -> EntityId:
    if not identifier.name:
        raise PackageError(f"{file} holds a {kind.label} without a name.")
    return EntityId.from_proto(kind, identifier)
