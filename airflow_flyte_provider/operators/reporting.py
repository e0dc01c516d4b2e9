"""What a task tells at the end of an execution: its nodes as a table, why it failed, where its time went."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from airflow_flyte_provider.exceptions import FlyteError, FlyteExecutionError
from airflow_flyte_provider.links.flyte import push_log_url

if TYPE_CHECKING:
    from airflow_flyte_provider.hooks.flyte import FlyteHook
    from airflow_flyte_provider.model.identifiers import ExecutionId
    from airflow_flyte_provider.model.views.executions import Execution

#: XCom with the total time by kind, where `push_metrics` asks for it.
METRICS_KEY = "flyte_metrics"


def with_nodes(hook: FlyteHook, done: Execution, log: logging.Logger) -> Execution:
    """Return an execution that is over with its nodes, once they have been logged as a table.

    Without them when Flyte does not tell: a report that is not to be had changes no result.
    """
    from airflow_flyte_provider.model.views.reports import summary_table

    try:
        whole = hook.look_back(done)
    except FlyteError as fault:
        log.warning("The nodes of execution %s are not to be had: %s", done.id, fault)
        return done
    log.info("Nodes of execution %s:\n%s", done.id, summary_table(whole))
    return whole


def failure(hook: FlyteHook, done: Execution, ti: Any, log: logging.Logger) -> FlyteExecutionError:
    """Return the error for an execution that is over and did not succeed; see `with_nodes`.

    The address of the failing node's log becomes a link of the task.
    """
    whole = with_nodes(hook, done, log)
    push_log_url(whole, ti)
    return FlyteExecutionError.of(whole, hook.console_url(done.id))


def push_metrics(hook: FlyteHook, execution: ExecutionId, ti: Any, log: logging.Logger) -> None:
    """Push to XCom where the time of an execution went, by kind in seconds."""
    from airflow_flyte_provider.model.metrics.totals import totals

    try:
        ti.xcom_push(key=METRICS_KEY, value=totals(hook.get_execution_metrics(execution)))
    except FlyteError as fault:
        log.warning("The metrics of execution %s are not to be had: %s", execution, fault)
