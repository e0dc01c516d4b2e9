"""Writes every attempt at a task to the store, as FlyteAdmin would show it."""

from __future__ import annotations

from flyteidl.admin import task_execution_pb2
from flyteidl.core import execution_pb2, identifier_pb2
from flyteidl.event import event_pb2

from airflow_flyte_provider.local import clock
from airflow_flyte_provider.local.engine.places import Place
from airflow_flyte_provider.local.files.folder import DataFolder
from airflow_flyte_provider.local.store.executions import ExecutionStore

TaskPhase = execution_pb2.TaskExecution
TaskExecution = task_execution_pb2.TaskExecution

_MICROSECOND = 1000
_InstanceClass = event_pb2.TaskExecutionMetadata.InstanceClass


class TaskJournal:
    """The task attempts of one execution, in the store.

    :param store: where they are written.
    :param folder: the data directory.
    """

    def __init__(self, store: ExecutionStore, folder: DataFolder) -> None:
        self._store = store
        self._folder = folder

    def attempts(self, place: Place) -> list[TaskExecution]:
        """Return the task attempts that a node has had, first to last."""
        return self._store.tasks(place.identifier)

    def began(
        self, place: Place, task_id: identifier_pb2.Identifier, attempt: int, metadata: dict[str, str]
    ) -> TaskExecution:
        """Note that a task attempt runs. Returns it, to be handed to `ended`.

        :param metadata: `task_type`, `plugin`, perhaps `instance_class` and `log` (address of its log).
        """
        moment = clock.nanoseconds(clock.now())
        task = TaskExecution(input_uri=self._folder.address(place.inputs_path))
        task.id.task_id.CopyFrom(task_id)
        task.id.node_execution_id.CopyFrom(place.identifier)
        task.id.retry_attempt = attempt
        closure = task.closure
        closure.phase = TaskPhase.RUNNING
        closure.created_at.CopyFrom(clock.timestamp(moment))
        # plugins keep time in microseconds
        closure.started_at.CopyFrom(clock.timestamp(moment // _MICROSECOND * _MICROSECOND))
        closure.updated_at.CopyFrom(closure.created_at)
        closure.event_version = 1
        closure.task_type = metadata["task_type"]
        closure.metadata.CopyFrom(
            event_pb2.TaskExecutionMetadata(
                generated_name=place.generated_name(attempt),
                plugin_identifier=metadata["plugin"],
                instance_class=_InstanceClass.Value(metadata.get("instance_class", "DEFAULT")),
            )
        )
        if "log" in metadata:
            closure.logs.append(
                execution_pb2.TaskLog(uri=metadata["log"], name="Task log (stdout and stderr)")
            )
        self._store.write(tasks=[task])
        return task

    def noted(self, task: TaskExecution) -> None:
        """Note a change to a task attempt that goes on."""
        task.closure.updated_at.CopyFrom(clock.now())
        self._store.write(tasks=[task])

    def ended(
        self,
        task: TaskExecution,
        phase: int,
        error: execution_pb2.ExecutionError | None = None,
        outputs: str = "",
    ) -> None:
        """Note how a task attempt ended.

        :param task: the attempt, from `began`.
        :param phase: SUCCEEDED, FAILED or ABORTED.
        :param error: why it failed.
        :param outputs: address of its outputs.
        """
        closure = task.closure
        closure.phase = phase
        closure.updated_at.CopyFrom(clock.now())
        closure.duration.CopyFrom(clock.between(closure.started_at, closure.updated_at))
        if error is not None:
            closure.error.CopyFrom(error)
        elif outputs:
            closure.output_uri = outputs
        self._store.write(tasks=[task])
