"""What FlyteHook does with metrics: where the time of an execution went."""

from __future__ import annotations

from airflow_flyte_provider.admin import metrics
from airflow_flyte_provider.hooks.connection import FlyteConnection
from airflow_flyte_provider.model.identifiers import ExecutionId
from airflow_flyte_provider.model.metrics.spans import Span


class MetricVerbs(FlyteConnection):
    """The part of FlyteHook that tells where time went."""

    def get_execution_metrics(self, execution: ExecutionId, depth: int = 10) -> Span:
        """Fetch where the time of an execution went, as nested spans.

        An execution that is not over is no error: what Flyte knows so far is returned, and what goes on ends
        where Flyte last heard of it. `wait` first to have it whole.

        :param depth: how many levels of it to tell: the execution, its nodes, their tasks, or the nodes inside them,
            and so on; 0 tells how long the whole took, and nothing else. FlyteAdmin reads every node and task that
            it tells of, which takes time where there are thousands: ask for fewer levels then.
        :raises FlyteNotFoundError: when there is none of that name.
        :raises FlyteInvalidRequestError: when `depth` is below zero.
        :raises FlyteMetricsError: when FlyteAdmin cannot work it out.

        Example::

            span = hook.get_execution_metrics(launched.id)
            print(totals(span)["by_kind"]["TASK_RUNTIME"]["wall_s"])
            print(span_table(span))
            Path("gantt.svg").write_text(gantt(span), encoding="utf-8")
        """
        return self.run(metrics.get_execution_metrics(execution, depth))
