"""What a package is registered with instead of what it holds: images, roles, labels, the code's place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flyteidl.admin.launch_plan_pb2 import LaunchPlanSpec
from flyteidl.admin.task_pb2 import TaskSpec

from airflow_flyte_provider.model.packages.code import set_destination
from airflow_flyte_provider.model.packages.images import images, replace_images
from airflow_flyte_provider.model.packages.reading import Packaged, PackageError
from airflow_flyte_provider.model.suggestions import did_you_mean


@dataclass(frozen=True, slots=True)
class Overrides:
    """What is changed in all entities of a package.

    :param image: the image for all tasks, or new images by old ones. None keeps those of the package.
    :param destination_dir: where in the container the code is unpacked. None keeps the place that the package
        names, and takes the working directory where it names none.
    :param service_account: the Kubernetes service account of the launch plans' executions.
    :param iam_role: the IAM role of the launch plans' executions.
    :param raw_output_prefix: where the launch plans' executions put files and tables, such as `s3://bucket/out`.
    :param labels: labels of the launch plans' executions, added to those there are.
    :param annotations: annotations, likewise.
    """

    image: str | Mapping[str, str] | None = None
    destination_dir: str | None = None
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
            set_destination(task, self.destination_dir)
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


def _check_images(wanted: Mapping[str, str], found: set[str]) -> None:
    for image in wanted:
        if image not in found:
            hint = did_you_mean(image, found) or f"there are {', '.join(sorted(found)) or 'none'}."
            raise PackageError(f"No task has the image {image!r}: {hint}")
