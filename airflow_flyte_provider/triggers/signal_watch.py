"""How the triggerer watches for a signal.

Imported when a trigger runs: it loads gRPC and flyteidl.
"""

from __future__ import annotations

import asyncio

from airflow_flyte_provider.admin.executions import MAX_BACKOFF
from airflow_flyte_provider.admin.signals import list_signals
from airflow_flyte_provider.exceptions import FlyteConnectionError, FlyteError
from airflow_flyte_provider.hooks.flyte import FlyteHook
from airflow_flyte_provider.model.identifiers import ExecutionId
from airflow_flyte_provider.model.phases import ExecutionPhase
from airflow_flyte_provider.triggers.poller import wait_for_end


class SignalWatch:
    """Watches for one signal of one execution.

    :param flyte_conn_id: the Airflow connection.
    :param execution: the execution.
    :param signal_id: the signal's name.
    :param wait_for: `"waiting"` or `"value"`, see `FlyteSignalSensor`.
    """

    def __init__(self, flyte_conn_id: str, execution: ExecutionId, signal_id: str, wait_for: str) -> None:
        self._hook = FlyteHook(flyte_conn_id)
        self._execution = execution
        self._signal_id = signal_id
        self._wait_for = wait_for

    async def wait(self, poll_interval: float) -> ExecutionPhase | None:
        """Wait until the signal is asked for, or set; or return the phase with which the execution is over before.

        A Flyte that cannot be reached is asked again, with growing pauses, for ever.

        :param poll_interval: seconds between two polls.
        :raises FlyteNotFoundError: when there is no such execution.
        :raises FlyteError: when Flyte refuses to answer, as for missing rights.
        """
        end = asyncio.create_task(wait_for_end(self._hook.flyte_conn_id, self._execution, poll_interval))
        failures = 0
        try:
            while True:
                # Asked before the signals are: what is not among them after the end never will be.
                over = end.done()
                try:
                    if await self._is_reached(over):
                        return None
                    failures = 0
                except FlyteConnectionError:
                    failures += 1
                else:
                    if over:
                        return end.result()
                pause = poll_interval
                if failures:
                    pause = min(max(poll_interval, 1.0) * 2**failures, max(MAX_BACKOFF, poll_interval))
                if over:
                    await asyncio.sleep(pause)
                else:
                    await asyncio.wait({end}, timeout=pause)
        finally:
            end.cancel()

    async def is_reached_now(self) -> bool:
        """Look once more; False when Flyte does not answer."""
        try:
            return await self._is_reached(over=False)
        except FlyteError:
            return False

    async def _is_reached(self, over: bool) -> bool:
        """Return whether what is waited for has come about.

        :param over: whether the execution is known to be: what it asks for then, nobody can give it. One that is not
            known to be may be over all the same; the worker that resumes looks at it.
        """
        if "settings" not in vars(self._hook):
            await self._hook.load_settings()
        found = await self._hook.arun(list_signals(self._execution))
        wanted = (signal for signal in found if signal.id == self._signal_id)
        return any(signal.is_set or (self._wait_for == "waiting" and not over) for signal in wanted)
