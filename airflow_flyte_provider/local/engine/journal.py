"""Writes every step of one execution and its nodes to the store, as FlyteAdmin would show it."""

from __future__ import annotations

from typing import Any

from flyteidl.admin import execution_pb2, node_execution_pb2
from flyteidl.core import catalog_pb2, literals_pb2
from flyteidl.core import execution_pb2 as core_execution

from airflow_flyte_provider.local import clock
from airflow_flyte_provider.local.engine.outcome import TIMEOUT_IN_NODE
from airflow_flyte_provider.local.engine.places import Place
from airflow_flyte_provider.local.engine.task_journal import TaskJournal
from airflow_flyte_provider.local.files.folder import DataFolder, read_literals, write_literals
from airflow_flyte_provider.local.store.executions import ExecutionStore

WorkflowPhase = core_execution.WorkflowExecution
NodePhase = core_execution.NodeExecution
NodeExecution = node_execution_pb2.NodeExecution

GIVEN = (NodePhase.SUCCEEDED, NodePhase.RECOVERED)
"""Phases of nodes that are over and have given what they give."""
_NOT_OVER = (NodePhase.QUEUED, NodePhase.RUNNING, NodePhase.DYNAMIC_RUNNING)


class Journal:
    """The state of one execution and its nodes, in the store and in memory.

    :param store: where it is written.
    :param folder: the data directory.
    :param execution: the execution as stored.

    `tasks` writes the attempts of its tasks.
    """

    def __init__(self, store: ExecutionStore, folder: DataFolder, execution: execution_pb2.Execution) -> None:
        self._store = store
        self._folder = folder
        self.execution = execution
        self.tasks = TaskJournal(store, folder)
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
        if node is None or node.closure.phase not in GIVEN:
            return None
        return self._outputs_of(node)

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

    def decked(self, place: Place, attempt: int) -> None:
        """Note whether an attempt at a task node has left a deck; those before do not count any more."""
        node = self._nodes[place.node_id]
        path = place.deck_path(attempt)
        address = self._folder.address(path) if path.exists() else ""
        if node.closure.deck_uri != address:
            node.closure.deck_uri = address
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

    def recovered(self, place: Place, former: NodeExecution) -> literals_pb2.LiteralMap:
        """Note that a node is over, with what it gave in the execution that this one recovers. Returns that.

        :param former: the node in that execution.
        """
        deck = former.closure.deck_uri
        if deck and self._folder.path(deck).exists():
            self._nodes[place.node_id].closure.deck_uri = deck
        outputs = self._outputs_of(former)
        self.succeeded(place, outputs, phase=NodePhase.RECOVERED)
        return outputs

    def failed(self, place: Place, error: core_execution.ExecutionError) -> None:
        """Note that a node failed for good."""
        node = self._nodes[place.node_id]
        node.closure.error.CopyFrom(error)
        self._finish(node, NodePhase.FAILED)

    def fail_around(self, place: Place) -> None:
        """Note that a node failed when one inside it had, for a kill may have come between the two."""
        for node in self.open_nodes(place):
            inside = f"{node.id.node_id}-"
            for inner in self._nodes.values():
                if inner.id.node_id.startswith(inside) and inner.closure.phase == NodePhase.FAILED:
                    node.closure.error.CopyFrom(inner.closure.error)
                    self._finish(node, NodePhase.FAILED)
                    break

    def timed_out(self, place: Place) -> None:
        """Note that a node and all its attempts took too long. Flyte gives no error for it."""
        self._finish(self._nodes[place.node_id], NodePhase.TIMED_OUT)

    def open_nodes(self, place: Place | None = None) -> list[NodeExecution]:
        """Return the nodes that have begun and are not over.

        :param place: only this one and those inside it, None for all.
        """
        found = [node for node in self._nodes.values() if node.closure.phase in _NOT_OVER]
        if place is None:
            return found
        inside = f"{place.node_id}-"
        return [one for one in found if one.id.node_id == place.node_id or one.id.node_id.startswith(inside)]

    def aborted(self, place: Place, reason: str) -> None:
        """Note that a node was stopped before it was over."""
        self._abort([node for node in self.open_nodes(place) if node.id.node_id == place.node_id], reason)

    def abort_inside(self, place: Place, reason: str) -> None:
        """Note that every node inside this one that is not over was stopped."""
        self._abort([node for node in self.open_nodes(place) if node.id.node_id != place.node_id], reason)

    def abort_all(self, reason: str) -> None:
        """Note that every node that is not over was stopped."""
        self._abort(self.open_nodes(), reason)

    def _abort(self, nodes: list[NodeExecution], reason: str) -> None:
        for node in nodes:
            node.closure.error.code = "NodeAborted"
            node.closure.error.message = reason
            self._finish(node, NodePhase.ABORTED)

    def _outputs_of(self, node: NodeExecution) -> literals_pb2.LiteralMap:
        address = node.closure.output_uri
        return read_literals(self._folder.path(address)) if address else literals_pb2.LiteralMap()

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
