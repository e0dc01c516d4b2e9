"""The link from a task to its execution in the Flyte console."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperatorLink, XCom

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import BaseOperator, TaskInstanceKey

#: The XCom that holds the console's address, pushed before a wait begins.
CONSOLE_URL_KEY = "flyte_console_url"


class FlyteExecutionLink(BaseOperatorLink):
    """The button "Flyte Console" on a task.

    It reads the address that the task pushed to XCom and calls nobody: Airflow shows it for running,
    deferred, failed and finished tasks alike. Airflow 3 stores what `get_link` returns under `xcom_key`,
    again after a resume, so the key is the one that the task itself pushes.
    """

    name = "Flyte Console"

    @property
    def xcom_key(self) -> str:
        """The XCom in which Airflow 3 looks for the link."""
        return CONSOLE_URL_KEY

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey | Any) -> str:
        """Return the address, or an empty text as long as nothing has been launched."""
        return XCom.get_value(key=CONSOLE_URL_KEY, ti_key=ti_key) or ""
