"""Waiting for something that another part of the server will do: a signal set, an execution ended."""

from __future__ import annotations

import asyncio
from collections import defaultdict

from flyteidl.core import identifier_pb2


class Notices:
    """Wakes whoever waits for a key."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[asyncio.Future[None]]] = defaultdict(list)

    def notify(self, key: str) -> None:
        """Wake everyone who waits for `key`."""
        for future in self._waiting.pop(key, ()):
            if not future.done():
                future.set_result(None)

    async def wait(self, key: str, seconds: float | None = None) -> bool:
        """Wait until `key` is notified.

        Look at the state first and call this in the same step, so that no notice is missed.

        :param key: what to wait for.
        :param seconds: how long at most, None for ever.
        :return: False when the time was up.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[key].append(future)
        try:
            await asyncio.wait_for(future, seconds)
        except asyncio.TimeoutError:
            return False
        finally:
            if future in self._waiting.get(key, ()):
                self._waiting[key].remove(future)
        return True


def execution_key(identifier: identifier_pb2.WorkflowExecutionIdentifier) -> str:
    """Return the key of an execution's end."""
    return f"{identifier.project}/{identifier.domain}/{identifier.name}"


def signal_key(identifier: identifier_pb2.SignalIdentifier) -> str:
    """Return the key of a signal's value."""
    return f"{execution_key(identifier.execution_id)}/{identifier.signal_id}"
