"""What registering a package, or activating a launch plan, has come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from airflow_flyte_provider.model.identifiers import EntityId


@dataclass(frozen=True, slots=True)
class Registration:
    """What has become of the entities of a package.

    :param version: the version they have.
    :param entities: all of them, in the order in which they are registered.
    :param registered: those that are new in Flyte.
    :param already_there: those that Flyte had already, with the same structure.
    :param activated: the launch plans that were activated.
    :param dry_run: nothing was registered; the other three are empty.
    """

    version: str
    entities: tuple[EntityId, ...]
    registered: tuple[EntityId, ...] = ()
    already_there: tuple[EntityId, ...] = ()
    activated: tuple[EntityId, ...] = ()
    dry_run: bool = False

    def __str__(self) -> str:
        if self.dry_run:
            return f"{len(self.entities)} entities would be registered as version {self.version}"
        return (
            f"{len(self.registered)} entities registered as version {self.version}, "
            f"{len(self.already_there)} were there already, {len(self.activated)} launch plans activated"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON for XCom; an id is a dict as `EntityId.to_dict` writes it."""
        lists = ("entities", "registered", "already_there", "activated")
        return {
            "version": self.version,
            "dry_run": self.dry_run,
            **{name: [one.to_dict() for one in getattr(self, name)] for name in lists},
        }


@dataclass(frozen=True, slots=True)
class Activation:
    """What activating or deactivating a launch plan has come to.

    :param launch_plan: the version that was asked for.
    :param active: whether it is active now.
    :param changed: whether it was not so before.
    :param replaced: the version that was active before and is no longer.
    """

    launch_plan: EntityId
    active: bool
    changed: bool
    replaced: EntityId | None = None

    def __str__(self) -> str:
        state = "active" if self.active else "inactive"
        if not self.changed:
            return f"{self.launch_plan} was {state} already"
        instead = f" instead of version {self.replaced.version}" if self.replaced and self.active else ""
        return f"{self.launch_plan} is {state} now{instead}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON for XCom; an id is a dict as `EntityId.to_dict` writes it."""
        return {
            "launch_plan": self.launch_plan.to_dict(),
            "active": self.active,
            "changed": self.changed,
            "replaced": self.replaced.to_dict() if self.replaced else None,
        }
