"""One execution from its first node to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from flyteidl.admin import execution_pb2
from flyteidl.core import compiler_pb2, workflow_pb2

from airflow_flyte_provider.local.compiler.graph import END, START
from airflow_flyte_provider.local.engine.children import end_child
from airflow_flyte_provider.local.engine.deadlines import within_deadline
from airflow_flyte_provider.local.engine.effective import effective
from airflow_flyte_provider.local.engine.handlers import handler_of
from airflow_flyte_provider.local.engine.journal import Journal, NodeExecution, WorkflowPhase
from airflow_flyte_provider.local.engine.nodes import NodeContext
from airflow_flyte_provider.local.engine.outcome import (
    SYSTEM_RETRIES,
    TIMEOUT_IN_NODE,
    EngineGaveUp,
    ExecutionError,
    NodeFailed,
    NodeTimedOut,
    given_up,
)
from airflow_flyte_provider.local.engine.places import Place, Scope
from airflow_flyte_provider.local.engine.program import Program, dependencies
from airflow_flyte_provider.local.engine.recovery import recovered_node
from airflow_flyte_provider.local.engine.values import LiteralMap, bind, tell_error
from airflow_flyte_provider.local.engine.world import Executions, World

AUTO_ABORT = "Some node execution failed, auto-abort."
USER_ABORT = "Workflow aborted."


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
        self._effective = effective(world, execution)
        self._journal = Journal(world.executions, world.folder, execution)
        self._slots = asyncio.Semaphore(self._effective.spec.max_parallelism)
        self._stop_reason = ""
        self._outermost = workflow_pb2.WorkflowTemplate()

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
        closure = workflow.closure.compiled_workflow
        self._outermost = closure.primary.template
        inputs = self._world.executions.inputs(name)
        self._journal.begin()
        try:
            await self._walk_closure(closure, Scope(name, root), inputs)
        except NodeFailed as failure:
            self._journal.end(WorkflowPhase.FAILED, failure.error)
        except EngineGaveUp as failure:
            workflow_id = self._execution.closure.workflow_id
            self._journal.end(WorkflowPhase.FAILED, given_up(workflow_id, failure))
        else:
            self._journal.end(WorkflowPhase.SUCCEEDED)

    def aborted(self) -> None:
        """Note that the execution was stopped, with every node that was not over."""
        reason = self._stop_reason or USER_ABORT
        self._end_children(self._journal.open_nodes(), reason)
        self._journal.abort_all(reason)
        self._journal.end(WorkflowPhase.ABORTED)

    async def _walk_closure(
        self, closure: compiler_pb2.CompiledWorkflowClosure, scope: Scope, inputs: LiteralMap
    ) -> LiteralMap:
        return await self._walk(Program(closure), closure.primary, scope, inputs)

    async def _walk(
        self, program: Program, workflow: compiler_pb2.CompiledWorkflow, scope: Scope, inputs: LiteralMap
    ) -> LiteralMap:
        """Run a workflow's nodes, and its failure node when one of them fails. Returns its outputs."""
        outputs: dict[str, LiteralMap] = {START: inputs}
        start = scope.place(START)
        if self._journal.find(start) is None:
            self._journal.passed(start, None, inputs)
        try:
            await self._walk_nodes(program, workflow, scope, outputs)
            return self._finish(workflow, scope, outputs)
        except NodeFailed as failure:
            if scope.is_root:
                self._journal.failing(failure.error)
            if workflow.template.HasField("failure_node"):
                # a failure node that fails itself takes the place of the first failure
                await self._node(program, workflow.template.failure_node, scope, outputs, failure.error)
            raise

    async def _walk_nodes(
        self,
        program: Program,
        workflow: compiler_pb2.CompiledWorkflow,
        scope: Scope,
        outputs: dict[str, LiteralMap],
    ) -> None:
        """Run the nodes between start and end, and fill in what they give.

        :raises NodeFailed: at the first failure or, when the workflow asks for it, once nothing more can run.
        """
        waiting = {node.id: node for node in workflow.template.nodes if node.id not in (START, END)}
        upstream = {node_id: dependencies(node, workflow) for node_id, node in waiting.items()}
        running: dict[asyncio.Task[LiteralMap], str] = {}
        failure = self._failure_before(waiting, scope)
        try:
            while True:
                for node_id in [one for one in waiting if upstream[one] <= outputs.keys()]:
                    work = self._node(program, waiting.pop(node_id), scope, outputs)
                    running[asyncio.create_task(work)] = node_id
                if not running:
                    break
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    node_id = running.pop(task)
                    try:
                        outputs[node_id] = task.result()
                    except NodeFailed as one:
                        if not self._goes_on_after_failure:
                            raise
                        failure = one
        except (NodeFailed, EngineGaveUp):
            await self._stop(running, AUTO_ABORT)
            raise
        except asyncio.CancelledError:
            await self._stop(running, "")
            raise
        if failure is not None:
            raise failure

    def _failure_before(self, nodes: Iterable[str], scope: Scope) -> NodeFailed | None:
        """Fail at once when a node had failed before the server was last started.

        :return: the failure, when the other nodes are to go on all the same.
        """
        places = [scope.place(node_id) for node_id in nodes]
        failed_one = next((error for error in map(self._journal.error_of, places) if error is not None), None)
        if failed_one is None or self._goes_on_after_failure:
            return None if failed_one is None else NodeFailed(failed_one)
        for place in places:
            self._end_children(self._journal.open_nodes(place), AUTO_ABORT)
            self._journal.fail_around(place)
            self._journal.aborted(place, AUTO_ABORT)
            self._journal.abort_inside(place, AUTO_ABORT)
        raise NodeFailed(failed_one)

    def _end_children(self, nodes: Iterable[NodeExecution], reason: str) -> None:
        """End the executions that nodes had launched when the server was killed; no one waits for them any more."""
        for node in nodes:
            end_child(self._world, self._launcher, node.id, reason)

    @property
    def _goes_on_after_failure(self) -> bool:
        """Whether nodes that can run still do when another one has failed; the outermost workflow decides."""
        return (
            self._outermost.metadata.on_failure
            == workflow_pb2.WorkflowMetadata.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE
        )

    def _finish(
        self, workflow: compiler_pb2.CompiledWorkflow, scope: Scope, outputs: Mapping[str, LiteralMap]
    ) -> LiteralMap:
        end = next(node for node in workflow.template.nodes if node.id == END)
        result = bind(end, outputs)
        self._journal.passed(scope.place(END), result, result)
        return result

    async def _stop(self, running: Mapping[asyncio.Task[LiteralMap], str], reason: str) -> None:
        before = self._stop_reason
        self._stop_reason = before or reason
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        if not before and self._stop_reason == reason:
            self._stop_reason = ""  # a failure node may run yet, and the rest of the execution goes on

    async def _node(
        self,
        program: Program,
        node: workflow_pb2.Node,
        scope: Scope,
        outputs: Mapping[str, LiteralMap],
        failure: ExecutionError | None = None,
    ) -> LiteralMap:
        """Run one node to its end, a failure node with the error that brought it about. Returns its outputs."""
        place = scope.place(node.id)
        given = self._journal.given(place)
        if given is not None:
            return given
        error = self._journal.error_of(place)
        if error is not None:
            raise NodeFailed(error)
        inputs = self._inputs(node, place, outputs, failure)
        is_array = node.WhichOneof("target") == "array_node"
        self._journal.queued(place, inputs, is_parent=_is_parent(node), is_array=is_array)
        former = recovered_node(self._world, self._execution, node, place)
        if former is not None:
            return self._journal.recovered(place, former)
        context = NodeContext(
            world=self._world,
            launcher=self._launcher,
            journal=self._journal,
            execution=self._effective,
            node=node,
            place=place,
            inputs=inputs,
            slots=self._slots,
            task=program.task(node),
            is_interruptible=self._is_interruptible(node),
            walk_workflow=lambda reference, *rest: self._walk(
                program, program.sub_workflow(reference), *rest
            ),
            walk_node=lambda inner: self._node(program, inner, place.inside(), outputs),
            walk_closure=self._walk_closure,
            stop_reason=lambda: self._stop_reason,
        )
        try:
            result, attempt = await within_deadline(context, handler_of(node))
        except NodeFailed as fault:
            self._journal.failed(place, fault.error)
            raise
        except NodeTimedOut:
            self._journal.timed_out(place)
            raise NodeFailed(TIMEOUT_IN_NODE) from None
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

    def _inputs(
        self,
        node: workflow_pb2.Node,
        place: Place,
        outputs: Mapping[str, LiteralMap],
        failure: ExecutionError | None,
    ) -> LiteralMap:
        try:
            inputs = bind(node, outputs)
        except NodeFailed as unbound:
            self._journal.unbound(place, unbound.error)
            raise
        if failure is not None:
            tell_error(inputs, node.id, failure)
        return inputs

    def _is_interruptible(self, node: workflow_pb2.Node) -> bool:
        """Tell whether a node may run where it can be interrupted: node, execution and workflow say, in this order."""
        if node.metadata.WhichOneof("interruptible_value"):
            return bool(node.metadata.interruptible)
        if self._effective.spec.HasField("interruptible"):
            return bool(self._effective.spec.interruptible.value)
        return bool(self._outermost.metadata_defaults.interruptible)


def _is_parent(node: workflow_pb2.Node) -> bool:
    target = node.WhichOneof("target")
    return target == "branch_node" or (
        target == "workflow_node" and node.workflow_node.HasField("sub_workflow_ref")
    )
