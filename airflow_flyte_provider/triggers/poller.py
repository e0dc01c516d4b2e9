"""One poller a connection: it asks for all executions that wait in this triggerer by one call."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from weakref import WeakKeyDictionary

from airflow_flyte_provider.admin.executions import MAX_BACKOFF, list_phases
from airflow_flyte_provider.exceptions import FlyteConnectionError, FlyteError, FlyteNotFoundError
from airflow_flyte_provider.hooks.flyte import FlyteHook
from airflow_flyte_provider.model.identifiers import ExecutionId
from airflow_flyte_provider.model.phases import ExecutionPhase

_Key = tuple[str, str, str]
_pollers: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[_Key, Poller]] = WeakKeyDictionary()

#: Seconds before the first poll, so that triggers which start together are asked for together.
_GATHERING = 0.1

#: Seconds between two polls at least: a trigger, or a sensor, may have been given 0.
_SHORTEST = 0.1


async def wait_for_end(flyte_conn_id: str, execution: ExecutionId, poll_interval: float) -> ExecutionPhase:
    """Wait until an execution is over and return its phase, sharing the polls with all others that wait.

    :param flyte_conn_id: the Airflow connection.
    :param execution: the execution.
    :param poll_interval: seconds between two polls; the smallest of all that wait counts.
    :raises FlyteNotFoundError: when there is no such execution.
    :raises FlyteError: when Flyte refuses to answer, as for missing rights. An unreachable Flyte is asked
        again, with growing pauses, for ever.
    """
    pollers = _pollers.setdefault(asyncio.get_running_loop(), {})
    key = (flyte_conn_id, execution.project, execution.domain)
    if key not in pollers:
        pollers[key] = Poller(FlyteHook(flyte_conn_id))
    try:
        return await pollers[key].wait(execution, poll_interval)
    finally:
        if key in pollers and pollers[key].is_idle:
            del pollers[key]


def count_waits() -> int:
    """Return how many waits there are on this event loop."""
    return sum(poller.waits for poller in _pollers.get(asyncio.get_running_loop(), {}).values())


class Poller:
    """Polls the executions of one project and domain for as long as anyone waits.

    :param hook: the hook to poll by. Its connection is read at the first poll, so that a poller made after
        all waits have ended sees a connection that was changed meanwhile.
    """

    def __init__(self, hook: FlyteHook) -> None:
        self._hook = hook
        self._waiting: dict[asyncio.Future[ExecutionPhase], tuple[ExecutionId, float]] = {}
        self._joined = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def waits(self) -> int:
        """How many wait."""
        return len(self._waiting)

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits."""
        return not self._waiting

    async def wait(self, execution: ExecutionId, poll_interval: float) -> ExecutionPhase:
        """Wait until `execution` is over; see `wait_for_end`."""
        future: asyncio.Future[ExecutionPhase] = asyncio.get_running_loop().create_future()
        self._waiting[future] = (execution, poll_interval)
        self._joined.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._poll())
        try:
            return await future
        finally:
            self._waiting.pop(future, None)
            if self.is_idle:
                self._task.cancel()

    async def _poll(self) -> None:
        await asyncio.sleep(_GATHERING)
        failures = 0
        while self._waiting:
            started = time.monotonic()
            try:
                await self._poll_once()
                failures = 0
            except FlyteConnectionError:
                failures += 1
            except FlyteError as fault:
                self._settle_all(fault)
            await self._pause(started, failures)

    async def _poll_once(self) -> None:
        if "settings" not in vars(self._hook):
            await self._hook.load_settings()
        asked = {execution for execution, _ in self._waiting.values()}
        phases = await self._hook.arun(list_phases(asked))
        for future, (execution, _) in list(self._waiting.items()):
            if future.done() or execution not in asked:
                continue
            phase = phases.get(execution)
            if phase is None:
                future.set_exception(FlyteNotFoundError(f"Execution {execution} does not exist in Flyte."))
            elif phase.is_final:
                future.set_result(phase)

    async def _pause(self, started: float, failures: int) -> None:
        """Sleep until the next poll is due, which somebody who joins meanwhile may bring forward."""
        while self._waiting:
            interval = max(min(interval for _, interval in self._waiting.values()), _SHORTEST)
            if failures:
                interval = min(max(interval, 1.0) * 2**failures, max(MAX_BACKOFF, interval))
            left = started + interval - time.monotonic()
            if left <= 0:
                return
            self._joined.clear()
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._joined.wait(), left)

    def _settle_all(self, fault: FlyteError) -> None:
        for future in list(self._waiting):
            if not future.done():
                future.set_exception(fault)
