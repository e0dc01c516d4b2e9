"""The operator that registers packages of tasks, workflows and launch plans.

Imported wherever a DAG file is parsed: gRPC, protobuf and flyteidl load when a task runs, not here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_flyte_provider.operators.arguments import as_bool
from airflow_flyte_provider.operators.base import FlyteOperator

if TYPE_CHECKING:
    import os

    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath


class FlyteRegisterOperator(FlyteOperator):
    """Registers a package of tasks, workflows and launch plans that `pyflyte package` or `pyflyte serialize` wrote.

    Everything is read and checked before the first entity is registered. What is registered already with the
    same structure is no fault, so a retry is safe. The return value is a dict with the `version` and the lists
    `entities`, `registered`, `already_there` and `activated` of ids, ready for the tasks that follow.

    :param package: an archive (tar.gz, zip), a folder or a `.pb` file, by a path, a URI or an `ObjectStoragePath`;
        or a list of them (templated).
    :param version: the version to register (templated). None takes the one that the package carries, and where
        it carries none, as those of `pyflyte package` do, one that is a hash of its content.
    :param image: the container image of all tasks, or new images by old ones (templated).
    :param source: folder or file of Python code to upload for tasks that were packaged with `--copy all` or
        serialised `fast` (templated). None takes the code in the package.
    :param destination_dir: where in the container the code is unpacked; None keeps the place that the package names
        (templated).
    :param service_account: Kubernetes service account of the launch plans' executions (templated).
    :param iam_role: IAM role of the launch plans' executions (templated).
    :param raw_output_prefix: where the launch plans' executions put files, such as `s3://bucket/out` (templated).
    :param labels: labels of the launch plans' executions, added to those there are (templated).
    :param annotations: annotations, likewise (templated).
    :param activate_launch_plans: activate the launch plans that have a schedule, or those with these names
        (templated).
    :param dry_run: read and check everything, and register nothing (templated).
    :param continue_on_error: when an entity is refused, go on with those that do not need it, and fail in the end
        (templated).
    :raises FlyteError: and its subclasses; see `FlyteHook.register`.

    Example::

        register = FlyteRegisterOperator(task_id="register", package="s3://builds/flows-{{ ds }}.tgz")
        execute = FlyteExecuteOperator(
            task_id="execute", launch_plan="flows.report", version="{{ ti.xcom_pull('register')['version'] }}"
        )
        register >> execute
    """

    template_fields: Sequence[str] = (
        "package",
        "version",
        "image",
        "source",
        "destination_dir",
        "service_account",
        "iam_role",
        "raw_output_prefix",
        "labels",
        "annotations",
        "activate_launch_plans",
        "dry_run",
        "continue_on_error",
        *FlyteOperator.template_fields,
    )

    def __init__(
        self,
        *,
        package: str | os.PathLike[str] | ObjectStoragePath | Sequence[str | os.PathLike[str]],
        version: str | None = None,
        image: str | Mapping[str, str] | None = None,
        source: str | os.PathLike[str] | ObjectStoragePath | None = None,
        destination_dir: str | None = None,
        service_account: str | None = None,
        iam_role: str | None = None,
        raw_output_prefix: str | None = None,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
        activate_launch_plans: bool | str | Sequence[str] = False,
        dry_run: bool | str = False,
        continue_on_error: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.package = package
        self.version = version
        self.image = image
        self.source = source
        self.destination_dir = destination_dir
        self.service_account = service_account
        self.iam_role = iam_role
        self.raw_output_prefix = raw_output_prefix
        self.labels = labels
        self.annotations = annotations
        self.activate_launch_plans = activate_launch_plans
        self.dry_run = dry_run
        self.continue_on_error = continue_on_error

    def execute(self, context: Context) -> dict[str, Any]:
        """Register the package; called by Airflow."""
        activate = self.activate_launch_plans
        done = self.hook.register(
            self.package,
            version=self.version,
            image=self.image,
            source=self.source,
            destination_dir=self.destination_dir,
            service_account=self.service_account,
            iam_role=self.iam_role,
            raw_output_prefix=self.raw_output_prefix,
            labels=self.labels,
            annotations=self.annotations,
            activate_launch_plans=(
                as_bool("activate_launch_plans", activate) if isinstance(activate, bool | str) else activate
            ),
            dry_run=as_bool("dry_run", self.dry_run),
            continue_on_error=as_bool("continue_on_error", self.continue_on_error),
        )
        return done.to_dict()
