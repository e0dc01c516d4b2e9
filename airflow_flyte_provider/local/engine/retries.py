"""How many attempts a task has: failures of the user's and of the system's side are counted apart."""

from __future__ import annotations

from flyteidl.core import tasks_pb2, workflow_pb2

from airflow_flyte_provider.local.engine.nodes import exhausted
from airflow_flyte_provider.local.engine.outcome import SYSTEM, USER, ExecutionError, NodeFailed
from airflow_flyte_provider.local.engine.runner import Outcome

_SYSTEM_FAILURES = 3
"""Failures of kind SYSTEM that a node may have before one more ends it, as FlytePropeller is set by default."""


class Retries:
    """The failures of one node's attempts.

    :param node: the task node; its own number of retries goes before the task's.
    :param template: its task.
    """

    def __init__(self, node: workflow_pb2.Node, template: tasks_pb2.TaskTemplate) -> None:
        self._attempts = int(node.metadata.retries.retries or template.metadata.retries.retries) + 1
        self._user = 0
        self._system = 0

    def note(self, outcome: Outcome) -> None:
        """Count an attempt that failed.

        :raises NodeFailed: when there is no further attempt.
        """
        error = outcome.error or ExecutionError(code="Unknown", kind=USER)
        if not outcome.recoverable:
            raise NodeFailed(error)
        if error.kind == SYSTEM:
            if self._system >= _SYSTEM_FAILURES:
                raise exhausted(error, self._system, _SYSTEM_FAILURES)
            self._system += 1
            return
        self._user += 1
        if self._user >= self._attempts:
            raise exhausted(error, self._user, self._attempts)
