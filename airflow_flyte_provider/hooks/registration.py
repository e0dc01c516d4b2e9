"""What FlyteHook does to register packages of serialised entities."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from airflow.providers.common.compat.sdk import AirflowFailException
from flyteidl.admin.launch_plan_pb2 import LaunchPlanSpec

from airflow_flyte_provider.admin import launch_plans, registration, registry
from airflow_flyte_provider.admin.transfer import SignedTransfer
from airflow_flyte_provider.exceptions import FlyteError, FlyteNotFoundError, FlytePackageError
from airflow_flyte_provider.hooks.connection import FlyteConnection
from airflow_flyte_provider.hooks.files import Uploader
from airflow_flyte_provider.hooks.packages import Packages, pack_source, read_packages
from airflow_flyte_provider.hooks.places import PlaceLike
from airflow_flyte_provider.model.identifiers import EntityId, EntityKind
from airflow_flyte_provider.model.packages.addressing import Addressed, Target, address, own_version
from airflow_flyte_provider.model.packages.code import content_version, give_code, settle_code, takes_code
from airflow_flyte_provider.model.packages.overrides import Overrides
from airflow_flyte_provider.model.packages.reading import Packaged, PackageError
from airflow_flyte_provider.model.packages.registration import Registration
from airflow_flyte_provider.model.suggestions import did_you_mean


class RegistrationVerbs(FlyteConnection):
    """The part of FlyteHook that registers packages."""

    def register(
        self,
        package: Packages,
        *,
        version: str | None = None,
        image: str | Mapping[str, str] | None = None,
        source: PlaceLike | None = None,
        destination_dir: str | None = None,
        service_account: str | None = None,
        iam_role: str | None = None,
        raw_output_prefix: str | None = None,
        labels: Mapping[str, str] | None = None,
        annotations: Mapping[str, str] | None = None,
        activate_launch_plans: bool | Collection[str] = False,
        dry_run: bool = False,
        continue_on_error: bool = False,
    ) -> Registration:
        """Register what `pyflyte package` or `pyflyte serialize` has written, in this hook's project and domain.

        All files are read, all references filled in and checked before the first entity is registered. What
        Flyte has already with the same structure is no fault, so this may be repeated.

        :param package: an archive (tar.gz, zip), a folder or a `.pb` file, by a path, a URI or an
            `ObjectStoragePath`; or a list of them.
        :param version: the version to register. None takes the one that the package carries, and where it
            carries none, as those of `pyflyte package` do, one that is a hash of its content.
        :param image: the container image of all tasks, or new images by old ones; None keeps those there are.
        :param source: folder or file of Python code that the tasks run, instead of the package's own. It is
            uploaded for tasks that were packaged with `--copy all` or serialised `fast`.
        :param destination_dir: where in the container the code is unpacked. None keeps the place that the package
            names, and takes the working directory where it names none.
        :param service_account: Kubernetes service account of the launch plans' executions.
        :param iam_role: IAM role of the launch plans' executions.
        :param raw_output_prefix: where the launch plans' executions put files, such as `s3://bucket/out`.
        :param labels: labels of the launch plans' executions, added to those there are.
        :param annotations: annotations, likewise.
        :param activate_launch_plans: activate the launch plans that have a schedule, or those with these names.
        :param dry_run: read and check everything, and register nothing.
        :param continue_on_error: when an entity is refused, go on with those that do not need it.
        :raises FlyteTransferError: when a package or source cannot be read, or code cannot be uploaded.
        :raises FlytePackageError: when a package is damaged, or does not hold together.
        :raises FlyteNotFoundError: when it refers to something that is neither in it nor registered.
        :raises FlyteAlreadyExistsError: when Flyte has an entity of this version with another structure.
        :raises FlyteError: when Flyte refuses an entity. It tells what was registered and what was not.

        Example::

            done = FlyteHook(domain="staging").register("s3://builds/flows.tgz", image="registry/flows:1.4")
            print(done.version, len(done.registered))
        """
        overrides = Overrides(
            image=image,
            destination_dir=destination_dir,
            service_account=service_account,
            iam_role=iam_role,
            raw_output_prefix=raw_output_prefix,
            labels=labels or {},
            annotations=annotations or {},
        )
        with _package_faults():
            entities = overrides.apply(read_packages(package))
            if source is not None:
                entities = give_code(entities, pack_source(source))
            content = content_version(entities)
            target = Target(self.project, self.domain, version or own_version(entities) or content)
            addressed = address(entities, target)
            plans = _to_activate(addressed.entities, activate_launch_plans)
        self._require(addressed.outside)
        if dry_run:
            done = Registration(target.version, tuple(one.id for one in addressed.entities), dry_run=True)
            for entity in done.entities:
                self.log.info("Would register %s", entity)
        else:
            self._upload_code(addressed.entities)
            done = _Run(self, addressed, target.version, continue_on_error).through(plans)
        self.log.info("%s.", done)
        return done

    def _require(self, outside: Mapping[EntityId, EntityId]) -> None:
        """Check that what a package refers to is registered."""
        for needed, by in outside.items():
            try:
                self.run(registry.get_entity(needed))
            except FlyteNotFoundError as fault:
                raise FlyteNotFoundError(
                    f"{by} refers to {needed}, which is not in the package. {fault} Nothing was registered."
                ) from None

    def _upload_code(self, entities: Sequence[Packaged]) -> None:
        """Upload the code that tasks take, each archive once, and tell the tasks where it lies."""
        addresses: dict[bytes, str] = {}
        for one in entities:
            if one.code is None or not takes_code(one):
                continue
            if one.code not in addresses:
                addresses[one.code] = self._upload(one.code)
            settle_code(one, addresses[one.code])

    def _upload(self, code: bytes) -> str:
        md5 = hashlib.md5(code, usedforsecurity=False)
        name = f"fast{md5.hexdigest()}.tar.gz"  # the ending is what flytekit unpacks by
        with TemporaryDirectory(prefix="flyte-code-") as folder:
            path = Path(folder, name)
            path.write_bytes(code)
            with SignedTransfer(self.settings.ca_cert_file) as transfer:
                return Uploader(self, transfer)(path, name, "", md5.digest())


class _Run:
    """The registration of a package that has been checked, under way."""

    def __init__(
        self, hook: RegistrationVerbs, addressed: Addressed, version: str, continue_on_error: bool
    ) -> None:
        self._hook = hook
        self._addressed = addressed
        self._version = version
        self._continue = continue_on_error
        self._registered: list[EntityId] = []
        self._already_there: list[EntityId] = []
        self._activated: list[EntityId] = []
        self._faults: dict[EntityId, FlyteError] = {}

    def through(self, plans: Sequence[EntityId]) -> Registration:
        """Register everything, then activate `plans`.

        :raises FlyteError: of the kind of the first fault, or of one that a retry may mend.
        """
        for one in self._addressed.entities:
            if self._faults and not (self._continue and self._addressed.needs[one.id] <= self._done):
                continue
            try:
                self._register(one)
            except FlyteError as fault:
                self._faults[one.id] = fault
                self._hook.log.error("%s", fault)
        for plan in () if self._faults else plans:
            try:
                activation = self._hook.run(launch_plans.activate(plan))
            except FlyteError as fault:
                self._faults[plan] = fault
                break
            self._hook.log.info("%s", activation)
            self._activated.append(plan)
        if self._faults:
            raise self._fault()
        ids = tuple(one.id for one in self._addressed.entities)
        return Registration(
            self._version, ids, tuple(self._registered), tuple(self._already_there), tuple(self._activated)
        )

    @property
    def _done(self) -> set[EntityId]:
        return {*self._registered, *self._already_there, *self._addressed.outside}

    def _register(self, one: Packaged) -> None:
        if self._hook.run(registration.create_entity(one.id, one.spec)):
            self._hook.log.info("Registered %s", one.id)
            self._registered.append(one.id)
        else:
            self._hook.log.info("There already: %s", one.id)
            self._already_there.append(one.id)

    def _fault(self) -> FlyteError:
        kinds = [type(fault) for fault in self._faults.values()]
        # A retry is worth while when it may mend one of them: what is registered by then is there already.
        kind = next((one for one in kinds if not issubclass(one, AirflowFailException)), kinds[0])
        done = self._done
        missing = [one.id for one in self._addressed.entities if one.id not in done]
        told = [str(fault) for fault in self._faults.values()]
        for text, ids in (
            ("Registered", self._registered),
            ("There already", self._already_there),
            ("Not registered", missing),
            ("Activated", self._activated),
        ):
            if ids:
                told.append(f"{text}: {', '.join(map(_short, ids))}.")
        return kind("\n".join(told))


def _to_activate(entities: Sequence[Packaged], wanted: bool | Collection[str]) -> list[EntityId]:
    """Return the launch plans that are to be activated.

    :raises PackageError: when one of them is not in the package.
    """
    plans = {one.id.name: one for one in entities if one.id.kind is EntityKind.LAUNCH_PLAN}
    if isinstance(wanted, bool):
        return [one.id for one in plans.values() if wanted and _has_schedule(one)]
    for name in wanted:
        if name not in plans:
            raise PackageError(
                f"The package has no launch plan {name!r} to activate. {did_you_mean(name, plans)}"
            )
    return [one.id for name, one in plans.items() if name in wanted]


def _has_schedule(plan: Packaged) -> bool:
    return (
        isinstance(plan.spec, LaunchPlanSpec)
        and plan.spec.entity_metadata.schedule.WhichOneof("ScheduleExpression") is not None
    )


def _short(entity: EntityId) -> str:
    return f"{entity.kind.label} {entity.name}"


@contextmanager
def _package_faults() -> Iterator[None]:
    try:
        yield
    except PackageError as fault:
        raise FlytePackageError(f"{fault} Nothing was registered.") from None
