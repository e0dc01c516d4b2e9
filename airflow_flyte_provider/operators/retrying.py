"""What the tries before have left in Flyte, found by name."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from airflow_flyte_provider.exceptions import FlyteConfigError, FlyteError, FlyteWaitTimeoutError
from airflow_flyte_provider.model.tries import causes
from airflow_flyte_provider.model.tries.identity import are_ours
from airflow_flyte_provider.model.tries.retries import OnRetry

if TYPE_CHECKING:
    from airflow_flyte_provider.hooks.flyte import FlyteHook
    from airflow_flyte_provider.model.identifiers import ExecutionId
    from airflow_flyte_provider.model.tries.task_try import TaskTry
    from airflow_flyte_provider.model.views.executions import Execution

#: Seconds that an execution on its way to a failure gets to arrive there.
_ENDING = 60.0


def on_retry_of(given: str) -> OnRetry:
    """Return what a user wants a retry to do.

    :raises FlyteConfigError: when there is no such thing.
    """
    try:
        return OnRetry(given)
    except ValueError:
        known = ", ".join(repr(each.value) for each in OnRetry)
        raise FlyteConfigError(f"on_retry is {given!r}; it takes one of {known}.") from None


def earlier_executions(
    hook: FlyteHook,
    task_try: TaskTry,
    id_of: Callable[[TaskTry], ExecutionId],
    *,
    source: ExecutionId | None,
    sweep: bool,
    log: logging.Logger,
) -> list[Execution]:
    """Return the executions of this task instance's tries since it was last cleared, the latest first.

    One list finds those of all tries. An execution that still runs for a try before the last clear was missed
    when the task was cleared, as when no triggerer was there to stop it: it is terminated now.

    :param id_of: gives the id of a try's execution.
    :param source: the execution that all these tries rerun, if they do.
    :param sweep: terminate what was missed.
    """
    tries = {id_of(each): each for each in task_try.before}
    if not tries:
        return []
    found = hook.find_executions(tries)
    own = {source} if source else set()
    earlier = []
    for execution_id, its_try in reversed(
        tries.items()
    ):  # the first try first: a later one may rerun its execution
        execution = found.get(execution_id)
        if execution is None or not _is_own(execution, task_try, own):
            continue
        own.add(execution_id)
        if its_try.try_number >= task_try.first_try:
            earlier.insert(0, _settled(hook, execution))
        elif sweep and not execution.is_done:
            _terminate(hook, execution, its_try, log)
    return earlier


def _is_own(execution: Execution, task_try: TaskTry, own: set[ExecutionId]) -> bool:
    return are_ours(execution.labels, task_try.owner_labels) or execution.reference_execution in own


def _settled(hook: FlyteHook, execution: Execution) -> Execution:
    """Wait for the end of an execution that is being stopped or is failing: it cannot be waited for as a success."""
    if execution.phase.value not in ("ABORTING", "FAILING"):
        return execution
    try:
        return hook.wait(execution.id, timeout=_ENDING, poll_interval=1.0)
    except FlyteWaitTimeoutError:
        return hook.get_execution(execution.id)


def _terminate(hook: FlyteHook, execution: Execution, its_try: TaskTry, log: logging.Logger) -> None:
    cause = causes.stopped(str(its_try))
    try:
        if hook.terminate(execution.id, cause):
            log.info("Terminated execution %s of a try before the task was cleared.", execution.id)
    except FlyteError as fault:
        log.warning("Execution %s of a try before the clear still runs: %s", execution.id, fault)
