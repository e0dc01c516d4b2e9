"""Keeps one token and gets the next in time: once, however many wait for it, on threads and event loops alike."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from airflow_flyte_provider.exceptions import FlyteConnectionError

#: Seconds before its end at which a token is replaced, at most; one that is short-lived gets a quarter of its life.
_LEAD = 60.0


@dataclass(frozen=True, slots=True)
class Token:
    """A token.

    :param value: the token.
    :param lifetime: seconds it is good for from when it was asked for; None for as long as it is not refused.
    :param asked_at: when it was asked for, on the monotonic clock: that of the machine may be wrong, or be set.
    """

    value: str = field(repr=False)
    lifetime: float | None = None
    asked_at: float = field(default_factory=time.monotonic)

    @property
    def is_fresh(self) -> bool:
        """Whether there is no need yet to replace it."""
        return self.lifetime is None or self._lasts(min(_LEAD, self.lifetime / 4))

    @property
    def is_good(self) -> bool:
        """Whether it has not ended yet."""
        return self._lasts(0.0)

    def _lasts(self, seconds: float) -> bool:
        return self.lifetime is None or time.monotonic() + seconds < self.asked_at + self.lifetime


class TokenKeeper:
    """Keeps the token that `fetch` gets, and gets another before it ends or when it was refused.

    :param fetch: gets a token, blocking; raises a FlyteError when it cannot.
    :param kept: a token to begin with.
    """

    def __init__(self, fetch: Callable[[], Token], kept: Token | None = None) -> None:
        self._fetch = fetch
        self._kept = kept
        self._lock = threading.Lock()
        self._fetching: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[str]] = WeakKeyDictionary()

    @property
    def kept(self) -> Token | None:
        """The token at hand, fresh or not."""
        return self._kept

    def get(self, refused: str = "") -> str:
        """Return a token.

        :param refused: one that Flyte did not take. When another has been got meanwhile, that is returned.
        """
        if token := self._at_hand(refused):
            return token
        with self._lock:
            if token := self._at_hand(refused):
                return token
            try:
                self._kept = self._fetch()
            except FlyteConnectionError:  # who gives tokens is down: the one at hand may see it come back
                if not self._kept or not self._kept.is_good or self._kept.value == refused:
                    raise
            return self._kept.value

    async def aget(self, refused: str = "") -> str:
        """Return a token without blocking the event loop; see `get`."""
        if token := self._at_hand(refused):
            return token
        loop = asyncio.get_running_loop()
        fetching = self._fetching.get(loop)
        if fetching is None:
            fetching = loop.create_task(asyncio.to_thread(self.get, refused))
            self._fetching[loop] = fetching
            fetching.add_done_callback(lambda done: self._done(loop, done))
        # Whoever is cancelled leaves the others waiting.
        return await asyncio.shield(fetching)

    def _at_hand(self, refused: str) -> str:
        kept = self._kept
        return kept.value if kept and kept.is_fresh and kept.value != refused else ""

    def _done(self, loop: asyncio.AbstractEventLoop, task: asyncio.Task[str]) -> None:
        self._fetching.pop(loop, None)
        if not task.cancelled():
            task.exception()  # looked at, for nobody may be left to do so
