"""What operators and sensors share: a hook of their own, made when a task runs.

Imported wherever a DAG file is parsed: gRPC and flyteidl load when the hook is first asked for.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_flyte_provider.hooks.flyte import FlyteHook


class HookOwner:
    """A task that speaks to Flyte by the connection, project and domain in its templated fields."""

    flyte_conn_id: str
    project: str | None
    domain: str | None

    @cached_property
    def hook(self) -> FlyteHook:
        """The hook to Flyte, made when the task runs: its templates have been rendered by then."""
        from airflow_flyte_provider.hooks.flyte import FlyteHook

        return FlyteHook(self.flyte_conn_id, project=self.project, domain=self.domain)
