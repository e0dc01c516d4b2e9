"""One execution from its first node to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from flyteidl.admin import execution_pb2
from flyteidl.core import compiler_pb2, literals_pb2, workflow_pb2

from airflow_flyte_provider.local.compiler.graph import END, START
from airflow_flyte_provider.local.compiler.interfaces import branch_nodes
from airflow_flyte_provider.local.engine.handlers import handler_of
from airflow_flyte_provider.local.engine.journal import Journal, NodePhase, WorkflowPhase
from airflow_flyte_provider.local.engine.nodes import NodeContext
from airflow_flyte_provider.local.engine.outcome import (
    SYSTEM,
    SYSTEM_RETRIES,
    EngineGaveUp,
    ExecutionError,
    NodeFailed,
)
from airflow_flyte_provider.local.engine.places import Place, Scope
from airflow_flyte_provider.local.engine.program import Program
from airflow_flyte_provider.local.engine.values import LiteralMap, bind
from airflow_flyte_provider.local.engine.world import Executions, World
from airflow_flyte_provider.local.files.folder import read_literals

AUTO_ABORT = "Some node execution failed, auto-abort."
USER_ABORT = "Workflow aborted."
_DEFAULT_PARALLELISM = 25
_TASK_OR_GATE = ("task_node", "gate_node")


class Run:
    """The run of one execution. It can be begun again after the server was killed, and goes on from there.

    :param world: what all runs share.
    :param launcher: launches and ends the executions of launch-plan nodes.
    :param execution: the execution as stored.
    """

    def __init__(self, world: World, launcher: Executions, execution: execution_pb2.Execution) -> None:
        self._world = world
        self._launcher = launcher
        self._execution = execution
        self._journal = Journal(world.executions, world.folder, execution)
        self._slots = asyncio.Semaphore(execution.spec.max_parallelism or _DEFAULT_PARALLELISM)
        self._stop_reason = ""

    def stop_for(self, reason: str) -> None:
        """Say why the run is about to be cancelled; nodes that still run are noted as aborted with it.

        Without a reason (the server itself is stopping) a cancelled run leaves everything as it is.
        """
        self._stop_reason = reason

    async def execute(self) -> None:
        """Run the execution to its end and note how it ended."""
        name = self._execution.id
        root = self._world.folder.execution(name.project, name.domain, name.name)
        if self._execution.closure.phase == WorkflowPhase.ABORTING:
            self.aborted()
            return
        await asyncio.sleep(self._world.pace.start)
        workflow = self._world.entities.get(self._execution.closure.workflow_id)
        inputs = self._world.executions.inputs(name)
        self._journal.begin()
        try:
            self._fail_as_before()
            await self._walk_closure(workflow.closure.compiled_workflow, Scope(name, root), inputs)
        except NodeFailed as failure:
            self._journal.end(WorkflowPhase.FAILED, failure.error)
        except EngineGaveUp as failure:
            self._journal.end(WorkflowPhase.FAILED, self._gave_up(failure))
        else:
            self._journal.end(WorkflowPhase.SUCCEEDED)

    def _fail_as_before(self) -> None:
        """Fail at once when a node had failed and the server was killed before the execution was noted to."""
        error = self._journal.failure()
        if error is not None:
            self._journal.abort_all(AUTO_ABORT)
            raise NodeFailed(error)

    def aborted(self) -> None:
        """Note that the execution was stopped, with every node that was not over."""
        self._journal.abort_all(self._stop_reason or USER_ABORT)
        self._journal.end(WorkflowPhase.ABORTED)

    async def _walk_closure(
        self, closure: compiler_pb2.CompiledWorkflowClosure, scope: Scope, inputs: LiteralMap
    ) -> LiteralMap:
        return await self._walk(Program(closure), closure.primary, scope, inputs)

    async def _walk(
        self, program: Program, workflow: compiler_pb2.CompiledWorkflow, scope: Scope, inputs: LiteralMap
    ) -> LiteralMap:
        """Run a workflow's nodes as their dependencies allow. Returns its outputs."""
        outputs: dict[str, LiteralMap] = {START: inputs}
        start = scope.place(START)
        if self._journal.find(start) is None:
            self._journal.passed(start, None, inputs)
        waiting = {node.id: node for node in workflow.template.nodes if node.id not in (START, END)}
        upstream = {node_id: _dependencies(node, workflow) for node_id, node in waiting.items()}
        running: dict[asyncio.Task[LiteralMap], str] = {}
        try:
            while waiting or running:
                for node_id in [one for one in waiting if upstream[one] <= outputs.keys()]:
                    work = self._node(program, waiting.pop(node_id), scope, outputs)
                    running[asyncio.create_task(work)] = node_id
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    outputs[running.pop(task)] = task.result()
        except (NodeFailed, EngineGaveUp):
            await self._stop(running, AUTO_ABORT)
            raise
        except asyncio.CancelledError:
            await self._stop(running, "")
            raise
        return self._finish(workflow, scope, outputs)

    def _finish(
        self, workflow: compiler_pb2.CompiledWorkflow, scope: Scope, outputs: Mapping[str, LiteralMap]
    ) -> LiteralMap:
        end = next(node for node in workflow.template.nodes if node.id == END)
        result = bind(end, outputs)
        self._journal.passed(scope.place(END), result, result)
        return result

    async def _stop(self, running: Mapping[asyncio.Task[LiteralMap], str], reason: str) -> None:
        self._stop_reason = self._stop_reason or reason
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _node(
        self, program: Program, node: workflow_pb2.Node, scope: Scope, outputs: Mapping[str, LiteralMap]
    ) -> LiteralMap:
        """Run one node to its end. Returns its outputs."""
        place = scope.place(node.id)
        given = self._journal.given(place)
        if given is not None:
            return given
        inputs = bind(node, outputs)
        self._journal.queued(place, inputs, is_parent=_is_parent(node))
        recovered = self._recovered(node, place)
        if recovered is not None:
            self._journal.succeeded(place, recovered, phase=NodePhase.RECOVERED)
            return recovered
        context = NodeContext(
            world=self._world,
            launcher=self._launcher,
            journal=self._journal,
            execution=self._execution,
            node=node,
            place=place,
            inputs=inputs,
            slots=self._slots,
            task=program.task(node),
            walk_workflow=lambda reference, *rest: self._walk(
                program, program.sub_workflow(reference), *rest
            ),
            walk_node=lambda inner: self._node(program, inner, place.inside(), outputs),
            walk_closure=self._walk_closure,
            stop_reason=lambda: self._stop_reason,
        )
        try:
            result, attempt = await handler_of(node)(context)
        except NodeFailed as failure:
            self._journal.failed(place, failure.error)
            raise
        except EngineGaveUp:
            text = f"max number of system retry attempts [{SYSTEM_RETRIES + 1}/{SYSTEM_RETRIES}] exhausted"
            self._journal.aborted(place, f"{text} - system failure.")
            raise
        except asyncio.CancelledError:
            if self._stop_reason:
                self._journal.aborted(place, self._stop_reason)
            raise
        self._journal.succeeded(place, result, attempt)
        return result if result is not None else LiteralMap()

    def _recovered(self, node: workflow_pb2.Node, place: Place) -> literals_pb2.LiteralMap | None:
        """Return what the node gave in the execution that this one recovers, None when it must run."""
        metadata = self._execution.spec.metadata
        if metadata.mode != metadata.RECOVERED or node.WhichOneof("target") not in _TASK_OR_GATE:
            return None
        reference = metadata.reference_execution
        for former in self._world.executions.nodes(reference):
            if former.id.node_id == place.node_id and former.closure.phase in (
                NodePhase.SUCCEEDED,
                NodePhase.RECOVERED,
            ):
                address = former.closure.output_uri
                return read_literals(self._world.folder.path(address)) if address else LiteralMap()
        return None

    def _gave_up(self, failure: EngineGaveUp) -> ExecutionError:
        workflow = self._execution.closure.workflow_id
        return ExecutionError(
            code="Workflow abort failed",
            kind=SYSTEM,
            message=(
                f"Workflow[{workflow.project}:{workflow.domain}:{workflow.name}] failed. RuntimeExecutionError: "
                f"max number of system retry attempts [{SYSTEM_RETRIES + 1}/{SYSTEM_RETRIES}] exhausted. "
                f"Last known status message: failed at Node[{failure.node_id}]. RuntimeExecutionError: "
                f"failed during plugin execution, caused by: {failure.reason}"
            ),
        )


def _dependencies(node: workflow_pb2.Node, workflow: compiler_pb2.CompiledWorkflow) -> set[str]:
    """Return the nodes that must be over before this one begins, with those that the nodes inside it wait for."""
    found: set[str] = set()
    pending = [node]
    while pending:
        one = pending.pop()
        found.update(workflow.connections.upstream[one.id].ids)
        pending.extend(branch_nodes(one))
    return found - {node.id}


def _is_parent(node: workflow_pb2.Node) -> bool:
    target = node.WhichOneof("target")
    return target == "branch_node" or (
        target == "workflow_node" and node.workflow_node.HasField("sub_workflow_ref")
    )
