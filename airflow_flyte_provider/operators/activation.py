"""The operator that activates and deactivates launch plans.

Imported wherever a DAG file is parsed: gRPC, protobuf and flyteidl load when a task runs, not here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_flyte_provider.operators.arguments import as_bool
from airflow_flyte_provider.operators.base import FlyteOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class FlyteActivateLaunchPlanOperator(FlyteOperator):
    """Makes a version of a launch plan the active one, or makes it inactive.

    A launch plan's schedule runs while a version of it is active, and at most one is: activating another replaces
    it. What is so already is no fault. The return value is a dict: `launch_plan`, the id; `active` and `changed`;
    `replaced`, the id of the version that was active before, or None.

    :param launch_plan: the launch plan's name (templated).
    :param version: its version (templated). None takes the latest registered to activate it, and the active one
        to deactivate it.
    :param activate: False deactivates (templated).
    :raises FlyteNotFoundError: when it is not registered, naming the nearest names or the versions there are.

    Example::

        FlyteActivateLaunchPlanOperator(
            task_id="go_live",
            launch_plan="flows.nightly",
            version="{{ ti.xcom_pull('register')['version'] }}",
        )
    """

    template_fields: Sequence[str] = (
        "launch_plan",
        "version",
        "activate",
        *FlyteOperator.template_fields,
    )

    def __init__(
        self,
        *,
        launch_plan: str,
        version: str | None = None,
        activate: bool | str = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.launch_plan = launch_plan
        self.version = version
        self.activate = activate

    def execute(self, context: Context) -> dict[str, Any]:
        """Activate or deactivate the launch plan; called by Airflow."""
        if as_bool("activate", self.activate):
            done = self.hook.activate_launch_plan(self.launch_plan, self.version)
        else:
            done = self.hook.deactivate_launch_plan(self.launch_plan, self.version)
        self.log.info("%s.", done)
        return done.to_dict()
