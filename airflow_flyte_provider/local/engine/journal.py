"""Writes every step of one execution to the store, as FlyteAdmin would show it."""

from __future__ import annotations

from typing import Any

from flyteidl.admin import execution_pb2, node_execution_pb2, task_execution_pb2
from flyteidl.core import catalog_pb2, identifier_pb2, literals_pb2
from flyteidl.core import execution_pb2 as core_execution
from flyteidl.event import event_pb2

from airflow_flyte_provider.local import clock
from airflow_flyte_provider.local.engine.outcome import TIMEOUT_IN_NODE
from airflow_flyte_provider.local.engine.places import Place
from airflow_flyte_provider.local.files.folder import DataFolder, read_literals, write_literals
from airflow_flyte_provider.local.store.executions import ExecutionStore

WorkflowPhase = core_execution.WorkflowExecution
NodePhase = core_execution.NodeExecution
TaskPhase = core_execution.TaskExecution
NodeExecution = node_execution_pb2.NodeExecution
TaskExecution = task_execution_pb2.TaskExecution

_GIVEN = (NodePhase.SUCCEEDED, NodePhase.RECOVERED)
_NOT_OVER = (NodePhase.QUEUED, NodePhase.RUNNING, NodePhase.DYNAMIC_RUNNING)
_MICROSECOND = 1000
_InstanceClass = event_pb2.TaskExecutionMetadata.InstanceClass


class Journal:
    """The state of one execution and its nodes, in the store and in memory.

    :param store: where it is written.
    :param folder: the data directory.
    :param execution: the execution as stored.
    """

    def __init__(self, store: ExecutionStore, folder: DataFolder, execution: execution_pb2.Execution) -> None:
        self._store = store
        self._folder = folder
        self.execution = execution
        self._nodes = {node.id.node_id: node for node in store.nodes(execution.id)}

    # the execution

    def begin(self) -> None:
        """Set the execution RUNNING, unless it was before or is to be stopped already."""
        self.execution = self._store.get(self.execution.id)
        closure = self.execution.closure
        if closure.HasField("started_at"):
            return
        if closure.phase == WorkflowPhase.UNDEFINED:
            closure.phase = WorkflowPhase.RUNNING
        closure.started_at.CopyFrom(clock.now())
        closure.updated_at.CopyFrom(closure.started_at)
        self._store.write(execution=self.execution)

    def failing(self, error: core_execution.ExecutionError) -> None:
        """Set the execution FAILING, with what it will end with, unless it is to be stopped already."""
        stored = self._store.get(self.execution.id)
        if stored.closure.phase == WorkflowPhase.ABORTING:
            return
        stored.closure.phase = WorkflowPhase.FAILING
        stored.closure.error.CopyFrom(error)
        stored.closure.updated_at.CopyFrom(clock.now())
        self.execution = stored
        self._store.write(execution=stored)

    def end(self, phase: int, error: core_execution.ExecutionError | None = None) -> None:
        """Set the execution's final phase.

        :param phase: SUCCEEDED, FAILED or ABORTED.
        :param error: why it failed.
        """
        stored = self._store.get(self.execution.id)
        closure = stored.closure
        closure.phase = phase
        closure.updated_at.CopyFrom(clock.now())
        if closure.HasField("started_at"):
            closure.duration.CopyFrom(clock.between(closure.started_at, closure.updated_at))
        if error is not None:
            closure.error.CopyFrom(error)
        elif phase == WorkflowPhase.SUCCEEDED:
            name = self.execution.id
            end = self._folder.execution(name.project, name.domain, name.name) / "end-node" / "data"
            closure.outputs.uri = self._folder.address(end / "0" / "outputs.pb")
        self.execution = stored
        self._store.write(execution=stored)

    # nodes

    def given(self, place: Place) -> literals_pb2.LiteralMap | None:
        """Return what a node gave before the server was last started, None when it has yet to run."""
        node = self._nodes.get(place.node_id)
        if node is None or node.closure.phase not in _GIVEN:
            return None
        address = node.closure.output_uri
        return read_literals(self._folder.path(address)) if address else literals_pb2.LiteralMap()

    def error_of(self, place: Place) -> core_execution.ExecutionError | None:
        """Return what a node failed with before the server was last started, None when it did not."""
        node = self._nodes.get(place.node_id)
        if node is None or node.closure.phase not in (NodePhase.FAILED, NodePhase.TIMED_OUT):
            return None
        return TIMEOUT_IN_NODE if node.closure.phase == NodePhase.TIMED_OUT else node.closure.error

    def find(self, place: Place) -> NodeExecution | None:
        """Return the node execution at a place, None when the node has not been reached."""
        return self._nodes.get(place.node_id)

    def passed(self, place: Place, inputs: literals_pb2.LiteralMap | None, outputs: Any) -> None:
        """Note a start or end node, which is over as soon as it is reached.

        :param inputs: inputs of an end node, None for a start node.
        :param outputs: what the node gives; shown for a start node only.
        """
        node = self._new(place)
        write_literals(place.outputs_path(), outputs)
        if inputs is None:
            node.ClearField("input_uri")
            node.closure.output_uri = self._folder.address(place.outputs_path())
        else:
            write_literals(place.inputs_path, inputs)
        node.closure.phase = NodePhase.SUCCEEDED
        node.closure.updated_at.CopyFrom(clock.now())
        self._keep(node)

    def unbound(self, place: Place, error: core_execution.ExecutionError) -> None:
        """Note that a node failed before it could run, for its inputs are not to be had."""
        node = self._new(place)
        node.closure.error.CopyFrom(error)
        self._finish(node, NodePhase.FAILED)

    def queued(
        self, place: Place, inputs: literals_pb2.LiteralMap, *, is_parent: bool, is_array: bool
    ) -> None:
        """Note that a node may run, with its inputs.

        :param is_parent: whether nodes of a workflow of its own run inside it.
        :param is_array: whether it maps over a list.
        """
        write_literals(place.inputs_path, inputs)
        if place.node_id in self._nodes:
            return
        node = self._new(place)
        node.metadata.is_parent_node = is_parent
        node.metadata.is_array = is_array
        node.closure.phase = NodePhase.QUEUED
        self._keep(node)

    def running(self, place: Place, **metadata: Any) -> NodeExecution:
        """Note that a node runs. Returns it, with the time it first began.

        :param metadata: further fields of its closure.
        """
        node = self._nodes[place.node_id]
        if node.closure.phase != NodePhase.RUNNING:
            node.closure.phase = NodePhase.RUNNING
            if not node.closure.HasField("started_at"):
                node.closure.started_at.CopyFrom(clock.now())
            node.closure.updated_at.CopyFrom(node.closure.started_at)
        for name, value in metadata.items():
            getattr(node.closure, name).CopyFrom(value)
        self._keep(node)
        return node

    def cache_noted(self, place: Place, status: int, key: catalog_pb2.CatalogMetadata | None) -> None:
        """Note what the cache had to do with a task node.

        :param status: a `CatalogCacheStatus`.
        :param key: where its outputs are kept, None when they aren't.
        """
        node = self._nodes[place.node_id]
        node.closure.task_node_metadata.cache_status = status
        if key is not None:
            node.closure.task_node_metadata.catalog_key.CopyFrom(key)
        self._keep(node)

    def dynamic(self, place: Place, futures: str) -> None:
        """Note that the workflow a node's task gave runs inside the node.

        :param futures: address of that workflow.
        """
        node = self._nodes[place.node_id]
        node.metadata.is_dynamic = True
        node.metadata.is_parent_node = True
        node.closure.dynamic_job_spec_uri = futures
        node.closure.phase = NodePhase.DYNAMIC_RUNNING
        node.closure.updated_at.CopyFrom(clock.now())
        self._keep(node)

    def succeeded(
        self,
        place: Place,
        outputs: literals_pb2.LiteralMap | None,
        attempt: int = 0,
        phase: int = NodePhase.SUCCEEDED,
    ) -> None:
        """Note that a node is over, with what it gave.

        :param outputs: its outputs, None for a node that gives nothing.
        :param attempt: the attempt that gave them.
        :param phase: SUCCEEDED or RECOVERED.
        """
        node = self._nodes[place.node_id]
        if outputs is not None:
            write_literals(place.outputs_path(attempt), outputs)
            node.closure.output_uri = self._folder.address(place.outputs_path(attempt))
        self._finish(node, phase)

    def failed(self, place: Place, error: core_execution.ExecutionError) -> None:
        """Note that a node failed for good."""
        node = self._nodes[place.node_id]
        node.closure.error.CopyFrom(error)
        self._finish(node, NodePhase.FAILED)

    def timed_out(self, place: Place) -> None:
        """Note that a node and all its attempts took too long. Flyte gives no error for it."""
        self._finish(self._nodes[place.node_id], NodePhase.TIMED_OUT)

    def aborted(self, place: Place, reason: str) -> None:
        """Note that a node was stopped before it was over, and its running task attempt with it."""
        node = self._nodes.get(place.node_id)
        if node is not None:
            self._abort([node], reason)

    def abort_inside(self, place: Place, reason: str) -> None:
        """Note that every node inside this one that is not over was stopped."""
        inside = f"{place.node_id}-"
        self._abort([node for node in self._nodes.values() if node.id.node_id.startswith(inside)], reason)

    def abort_all(self, reason: str) -> None:
        """Note that every node that is not over was stopped."""
        self._abort(list(self._nodes.values()), reason)

    def _abort(self, nodes: list[NodeExecution], reason: str) -> None:
        for node in nodes:
            if node.closure.phase in _NOT_OVER:
                node.closure.error.code = "NodeAborted"
                node.closure.error.message = reason
                self._finish(node, NodePhase.ABORTED)

    # task attempts

    def attempts(self, place: Place) -> list[TaskExecution]:
        """Return the task attempts that a node has had, first to last."""
        return self._store.tasks(place.identifier)

    def task_began(
        self, place: Place, task_id: identifier_pb2.Identifier, attempt: int, metadata: dict[str, str]
    ) -> TaskExecution:
        """Note that a task attempt runs. Returns it, to be handed to `task_ended`.

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
                core_execution.TaskLog(uri=metadata["log"], name="Task log (stdout and stderr)")
            )
        self._store.write(tasks=[task])
        return task

    def task_noted(self, task: TaskExecution) -> None:
        """Note a change to a task attempt that goes on."""
        task.closure.updated_at.CopyFrom(clock.now())
        self._store.write(tasks=[task])

    def task_ended(
        self,
        task: TaskExecution,
        phase: int,
        error: core_execution.ExecutionError | None = None,
        outputs: str = "",
    ) -> None:
        """Note how a task attempt ended.

        :param task: the attempt, from `task_began`.
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

    def _new(self, place: Place) -> NodeExecution:
        node = NodeExecution(id=place.identifier, input_uri=self._folder.address(place.inputs_path))
        node.metadata.spec_node_id = place.spec_id
        node.metadata.retry_group = place.scope.retry_group
        node.closure.created_at.CopyFrom(clock.now())
        node.closure.updated_at.CopyFrom(node.closure.created_at)
        return node

    def _finish(self, node: NodeExecution, phase: int) -> None:
        node.closure.phase = phase
        node.closure.updated_at.CopyFrom(clock.now())
        if node.closure.HasField("started_at"):
            node.closure.duration.CopyFrom(clock.between(node.closure.started_at, node.closure.updated_at))
        self._keep(node)

    def _keep(self, node: NodeExecution) -> None:
        self._nodes[node.id.node_id] = node
        self._store.write(nodes=[node])
