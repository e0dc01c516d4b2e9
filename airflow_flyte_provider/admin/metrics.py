"""The verb about where the time of an execution went."""

from __future__ import annotations

from flyteidl.admin import execution_pb2

from airflow_flyte_provider.admin.client import Call, Verb
from airflow_flyte_provider.admin.executions import to_proto
from airflow_flyte_provider.exceptions import (
    FlyteConnectionError,
    FlyteInvalidRequestError,
    FlyteMetricsError,
)
from airflow_flyte_provider.model.identifiers import ExecutionId
from airflow_flyte_provider.model.metrics.spans import Span

#: How FlyteAdmin 1.16 begins its answer, INTERNAL, for a node that is not among its workflow's: a failure node.
_STRANGE_NODE = "failed to discover workflow node"


def get_execution_metrics(execution: ExecutionId, depth: int) -> Verb[Span]:
    """Fetch where the time of an execution went.

    :param depth: how many levels of it to tell, an execution, a node, a task being one each.
    :raises FlyteNotFoundError: when there is none of that name.
    :raises FlyteInvalidRequestError: when `depth` is below zero.
    :raises FlyteMetricsError: when FlyteAdmin cannot work it out.
    """
    if depth < 0:
        raise FlyteInvalidRequestError(
            f"The metrics of execution {execution}: depth is {depth}, give 0 or more."
        )
    request = execution_pb2.WorkflowExecutionGetMetricsRequest(id=to_proto(execution), depth=depth)
    asked = f"fetching the metrics of execution {execution}"
    try:
        reply = yield Call("GetExecutionMetrics", request, asked)
    except FlyteConnectionError as error:
        if _STRANGE_NODE not in str(error):
            raise
        raise FlyteMetricsError(
            f"Flyte does not tell the metrics of execution {execution}: its workflow's failure node ran, and this "
            f"FlyteAdmin does not know where it belongs. With depth=0 it tells the whole alone. It said: {error}"
        ) from None
    return Span.from_proto(reply.span)
