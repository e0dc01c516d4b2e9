"""The engine: one run for each execution that has not ended."""

from __future__ import annotations

import asyncio
import logging

from flyteidl.admin import execution_pb2
from flyteidl.core import identifier_pb2

from airflow_flyte_provider.local.engine.journal import Journal, WorkflowPhase
from airflow_flyte_provider.local.engine.notices import execution_key
from airflow_flyte_provider.local.engine.outcome import SYSTEM, ExecutionError
from airflow_flyte_provider.local.engine.run import USER_ABORT, Run
from airflow_flyte_provider.local.engine.world import Executions, World

_log = logging.getLogger(__name__)


class Engine:
    """Runs executions, each on a task of the event loop.

    :param world: what all runs share.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._launcher: Executions | None = None
        self._runs: dict[str, tuple[Run, asyncio.Task[None]]] = {}

    def resume(self, launcher: Executions) -> int:
        """Go on with every execution that has not ended. Returns how many.

        :param launcher: launches and ends the executions of launch-plan nodes.
        """
        self._launcher = launcher
        unfinished = self._world.executions.unfinished()
        for execution in unfinished:
            self.start(execution)
        return len(unfinished)

    def start(self, execution: execution_pb2.Execution) -> None:
        """Begin to run an execution that is stored."""
        if self._launcher is None:
            raise RuntimeError("the engine has not been started")
        run = Run(self._world, self._launcher, execution)
        task = asyncio.get_running_loop().create_task(self._guarded(run, execution))
        self._runs[execution_key(execution.id)] = (run, task)

    def abort(self, identifier: identifier_pb2.WorkflowExecutionIdentifier) -> None:
        """Stop an execution that was set ABORTING, at the engine's next round."""
        loop = asyncio.get_running_loop()
        loop.call_later(self._world.pace.abort, self._abort_now, execution_key(identifier))

    async def stop(self) -> None:
        """Stop all runs and leave them to be resumed."""
        tasks = [task for _, task in self._runs.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _abort_now(self, key: str) -> None:
        if key in self._runs:
            run, task = self._runs[key]
            run.stop_for(USER_ABORT)
            task.cancel()

    async def _guarded(self, run: Run, execution: execution_pb2.Execution) -> None:
        key = execution_key(execution.id)
        try:
            await run.execute()
        except asyncio.CancelledError:
            if not self._is_aborting(execution):
                raise
            run.aborted()
        except Exception as fault:
            _log.exception("the run of execution %s broke", key)
            self._fail(execution, fault)
        self._runs.pop(key, None)
        self._world.notices.notify(key)

    def _is_aborting(self, execution: execution_pb2.Execution) -> bool:
        stored = self._world.executions.get(execution.id)
        return stored.closure.phase == WorkflowPhase.ABORTING

    def _fail(self, execution: execution_pb2.Execution, fault: Exception) -> None:
        """End an execution whose run broke through a fault of the engine, rather than leave it running."""
        journal = Journal(self._world.executions, self._world.folder, execution)
        message = f"the local engine broke: {type(fault).__name__}: {fault}"
        journal.abort_all(message)
        journal.end(WorkflowPhase.FAILED, ExecutionError(code="EngineFault", message=message, kind=SYSTEM))
