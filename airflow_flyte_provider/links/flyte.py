"""The links from a task to the pages about its execution: the Flyte console, the log of what failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import BaseOperatorLink, XCom

from airflow_flyte_provider.model.web import is_page

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import BaseOperator, TaskInstanceKey

    from airflow_flyte_provider.model.views.executions import Execution

#: The XCom that holds the console's address, pushed before a wait begins.
CONSOLE_URL_KEY = "flyte_console_url"

#: The XCom that holds the address of the failing node's log, pushed before the task fails.
LOG_URL_KEY = "flyte_log_url"


def push_log_url(execution: Execution | None, ti: Any) -> None:
    """Push to XCom where the log of the failing node is, if there is such a page.

    :param execution: one that is over and did not succeed, with its nodes.
    :param ti: the task instance whose link it becomes.
    """
    from airflow_flyte_provider.model.views.reports import failing_log

    if execution and (url := failing_log(execution)):
        ti.xcom_push(key=LOG_URL_KEY, value=url)


class _PushedLink(BaseOperatorLink):
    """A link to an address that the task has pushed to XCom.

    It calls nobody: Airflow shows it for running, deferred, failed and finished tasks alike. Airflow 3 stores what
    `get_link` returns under `xcom_key`, again after a resume, so the key is the one that the task itself pushes.
    """

    key: str

    @property
    def xcom_key(self) -> str:
        """The XCom in which Airflow 3 looks for the link."""
        return self.key

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey | Any) -> str:
        """Return the address, or an empty text as long as there is none, or what is there is no address of a page."""
        url = XCom.get_value(key=self.key, ti_key=ti_key)
        return url if isinstance(url, str) and is_page(url) else ""


class FlyteExecutionLink(_PushedLink):
    """The button "Flyte Console" on a task: the page of the execution that it is about."""

    name = "Flyte Console"
    key = CONSOLE_URL_KEY


class FlyteLogLink(_PushedLink):
    """The button "Failing node's log" on a task: the first page with the log of the node that failed.

    It leads nowhere when no node failed, or Flyte tells no page that may be shown to everybody: an address that is
    signed lets whoever has it read the log.
    """

    name = "Failing node's log"
    key = LOG_URL_KEY
