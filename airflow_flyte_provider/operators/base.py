"""What all operators share: which Flyte they speak to, and how they look in Airflow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from airflow.providers.common.compat.sdk import BaseOperator

from airflow_flyte_provider.hooks.owner import HookOwner


class FlyteOperator(HookOwner, BaseOperator):
    """An operator that speaks to one Flyte.

    :param project: Flyte project; default: the connection's (templated).
    :param domain: Flyte domain; default: the connection's (templated).
    :param flyte_conn_id: the Airflow connection (templated).
    """

    template_fields: Sequence[str] = ("project", "domain", "flyte_conn_id")
    ui_color = "#7652a2"
    ui_fgcolor = "#fff"

    def __init__(
        self,
        *,
        project: str | None = None,
        domain: str | None = None,
        flyte_conn_id: str = "flyte_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project = project
        self.domain = domain
        self.flyte_conn_id = flyte_conn_id
