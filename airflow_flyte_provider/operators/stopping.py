"""What becomes of an execution when Airflow ends the worker that waits for it."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from airflow_flyte_provider.exceptions import FlyteError
from airflow_flyte_provider.model.tries import causes
from airflow_flyte_provider.triggers.task_states import is_in_state

if TYPE_CHECKING:
    from airflow_flyte_provider.hooks.flyte import FlyteHook
    from airflow_flyte_provider.model.identifiers import ExecutionId
    from airflow_flyte_provider.model.tries.task_try import TaskTry

#: Seconds that Airflow may take to say in which state the task is. It kills the worker about 5 s after SIGTERM.
_ASKING = 1.5

#: States of a task that goes on elsewhere, or will: Airflow took this worker for dead, or it has deferred.
_GOES_ON = ("scheduled", "queued", "up_for_retry", "up_for_reschedule", "deferred")


class Stopping:
    """The execution that a worker has under way, and what to do with it when the worker must end.

    :param hook: the hook to terminate by.
    :param task_try: the try that the worker runs.
    :param has_retry: whether Airflow would try the task again after this try.
    :param log: the task's log.
    """

    def __init__(self, hook: FlyteHook, task_try: TaskTry, *, has_retry: bool, log: logging.Logger) -> None:
        self._hook = hook
        self._try = task_try
        self._has_retry = has_retry
        self._log = log
        self.execution: ExecutionId | None = None
        """What is under way. Known before it is launched, so that a kill in between still finds it."""
        self.stopped = False
        """Whether the worker was told to end, and its execution with it."""

    def stop(self) -> None:
        """Terminate the execution, unless the task only moves to another worker. Called in a signal handler."""
        if self._moves():
            self._log.info("This worker ends, the task does not: the next try waits for %s.", self.execution)
            return
        self.stopped = True
        self.terminate(causes.stopped(str(self._try)))

    def terminate(self, cause: str) -> None:
        """Terminate the execution, apart from whatever the caller has interrupted.

        :param cause: why, for those who find it aborted.
        """
        if self.execution is None:
            return
        try:
            if self._hook.terminate_now(self.execution, cause, timeout=3.0):
                self._log.info("Terminated execution %s: %s", self.execution, cause)
        except FlyteError as fault:
            self._log.error("Execution %s could not be terminated: %s", self.execution, fault)

    def _moves(self) -> bool:
        """Tell whether the task goes on without this worker, in another one or at its next try.

        A user who clears or marks a running task makes it "restarting", "failed", "success" or "skipped". One
        that is still "running" has a worker that drains.
        """
        states = (*_GOES_ON, "running") if self._has_retry else _GOES_ON
        executor = ThreadPoolExecutor(max_workers=1)  # the main thread may be amid a request to Airflow
        try:
            return executor.submit(is_in_state, self._try, *states).result(_ASKING)
        except Exception as fault:
            self._log.warning(
                "Airflow did not say what becomes of the task (%r): it counts as stopped.", fault
            )
            return False
        finally:
            executor.shutdown(wait=False)
