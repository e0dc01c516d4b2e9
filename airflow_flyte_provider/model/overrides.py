"""What a package is registered with instead of what it holds: images, roles, labels, the code's place."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from flyteidl.admin.launch_plan_pb2 import LaunchPlanSpec
from flyteidl.admin.task_pb2 import TaskSpec

from airflow_flyte_provider.model.addressing import change_texts
from airflow_flyte_provider.model.images import images, replace_images
from airflow_flyte_provider.model.packages import Packaged, PackageError
from airflow_flyte_provider.model.suggestions import did_you_mean

#: What flytekit leaves open in the commands of tasks whose code is given apart from their image.
_CODE = re.compile(r"\{\{\s*\.remote_package_path\s*\}\}")
_DESTINATION = re.compile(r"\{\{\s*\.dest_dir\s*\}\}")
_VERSION_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Overrides:
    """What is changed in all entities of a package.

    :param image: the image for all tasks, or new images by old ones. None keeps those of the package.
    :param destination_dir: where in the container the code is unpacked.
    :param service_account: the Kubernetes service account of the launch plans' executions.
    :param iam_role: the IAM role of the launch plans' executions.
    :param raw_output_prefix: where the launch plans' executions put files and tables, such as `s3://bucket/out`.
    :param labels: labels of the launch plans' executions, added to those there are.
    :param annotations: annotations, likewise.
    """

    image: str | Mapping[str, str] | None = None
    destination_dir: str = "."
    service_account: str | None = None
    iam_role: str | None = None
    raw_output_prefix: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)

    def apply(self, entities: Sequence[Packaged]) -> list[Packaged]:
        """Return the entities with what is changed; those given stay as they are.

        :raises PackageError: when an image is to be replaced that no task has.
        """
        changed = [one.copy() for one in entities]
        tasks = [one.spec for one in changed if isinstance(one.spec, TaskSpec)]
        if isinstance(self.image, Mapping):
            _check_images(self.image, {image for task in tasks for image in images(task)})
        for task in tasks:
            change_texts(task, lambda text: _DESTINATION.sub(lambda _: self.destination_dir, text))
            if self.image:
                replace_images(task, self.image)
        for one in changed:
            if isinstance(one.spec, LaunchPlanSpec):
                self._change_plan(one.spec)
        return changed

    def _change_plan(self, plan: LaunchPlanSpec) -> None:
        if self.service_account:
            plan.security_context.run_as.k8s_service_account = self.service_account
        if self.iam_role:
            plan.security_context.run_as.iam_role = self.iam_role
        if self.raw_output_prefix:
            plan.raw_output_data_config.output_location_prefix = self.raw_output_prefix
        plan.labels.values.update(self.labels)
        plan.annotations.values.update(self.annotations)


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


def takes_code(entity: Packaged) -> bool:
    """Tell whether the command of a task still lacks the address of its code."""
    found = False

    def look(text: str) -> str:
        nonlocal found
        found = found or _CODE.search(text) is not None
        return text

    if isinstance(entity.spec, TaskSpec):
        change_texts(entity.spec, look)
    return found


def settle_code(entity: Packaged, uri: str) -> None:
    """Put the address of the code into a task, which is changed in place.

    :param uri: where the archive lies, as a Flyte task takes it.
    """
    change_texts(entity.spec, lambda text: _CODE.sub(lambda _: uri, text))


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


def _check_images(wanted: Mapping[str, str], found: set[str]) -> None:
    for image in wanted:
        if image not in found:
            hint = did_you_mean(image, found) or f"there are {', '.join(sorted(found)) or 'none'}"
            raise PackageError(f"No task has the image {image!r}: {hint}")
