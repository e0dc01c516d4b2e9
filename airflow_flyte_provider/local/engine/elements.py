"""The one task execution that stands for all elements of an array node."""

from __future__ import annotations

from flyteidl.core import execution_pb2, identifier_pb2
from flyteidl.event import event_pb2

from airflow_flyte_provider.local.engine.places import Place
from airflow_flyte_provider.local.engine.task_journal import TaskJournal, TaskPhase

_TASK_TYPE = "container_array"
_PLUGIN = "k8s-array"


class ElementReport:
    """Keeps the task execution of an array node, its elements listed as external resources.

    :param journal: where it is written.
    :param place: the array node.
    :param task_id: the task that is run for each element.
    :param size: number of elements.
    """

    def __init__(
        self, journal: TaskJournal, place: Place, task_id: identifier_pb2.Identifier, size: int
    ) -> None:
        self._journal = journal
        former = journal.attempts(place)
        if former:
            self._task = former[0]
        else:
            metadata = {"task_type": _TASK_TYPE, "plugin": _PLUGIN}
            self._task = journal.began(place, task_id, 0, metadata)
            self._task.closure.metadata.ClearField("generated_name")
        listed = self._task.closure.metadata.external_resources
        self._resources = {(one.index, one.retry_attempt): one for one in listed}
        for index in range(size):
            if (index, 0) not in self._resources:
                self._resource(index, 0).external_id = place.element(index).generated_name(0)
        self._write()

    def note(self, index: int, attempt: int, phase: int, name: str, log: str) -> None:
        """Note the phase of one attempt at one element.

        :param index: the element.
        :param attempt: number of the attempt, from 0.
        :param phase: a task execution's phase.
        :param name: name of the attempt.
        :param log: address of its log, empty when it has none.
        """
        resource = self._resource(index, attempt)
        resource.external_id = name
        resource.phase = phase
        if log and not resource.logs:
            resource.logs.add(uri=log, name=f"Task log (stdout and stderr)-{index}")
        self._write()

    def cached(self, index: int, attempt: int, status: int) -> None:
        """Note what the cache had to do with an element.

        :param status: a `CatalogCacheStatus`.
        """
        resource = self._resource(index, attempt)
        resource.cache_status = status
        resource.phase = TaskPhase.SUCCEEDED
        self._write()

    def end(self, phase: int, error: execution_pb2.ExecutionError | None = None, outputs: str = "") -> None:
        """Note how the array node ended.

        :param phase: SUCCEEDED, FAILED or ABORTED.
        :param error: why it failed.
        :param outputs: address of its outputs.
        """
        self._journal.ended(self._task, phase, error, outputs)

    def _resource(self, index: int, attempt: int) -> event_pb2.ExternalResourceInfo:
        if (index, attempt) not in self._resources:
            listed = self._task.closure.metadata.external_resources
            self._resources[index, attempt] = listed.add(index=index, retry_attempt=attempt)
        return self._resources[index, attempt]

    def _write(self) -> None:
        self._task.closure.metadata.external_resources.sort(key=lambda one: (one.index, one.retry_attempt))
        self._resources = {
            (one.index, one.retry_attempt): one for one in self._task.closure.metadata.external_resources
        }
        self._journal.noted(self._task)
