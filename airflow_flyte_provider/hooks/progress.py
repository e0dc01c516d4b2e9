"""How far a large file is, in the task log."""

from __future__ import annotations

from typing import Any

#: Smaller files are moved without a word.
LARGE = 50_000_000
_STEP = 0.1


class ProgressLog:
    """Logs every tenth of a large file.

    :param log: where to.
    :param doing: what is being done, as in "Uploading a.csv".
    """

    def __init__(self, log: Any, doing: str) -> None:
        self._log = log
        self._doing = doing
        self._next = 0.0

    def __call__(self, done: int, total: int | None) -> None:
        """Log when the next tenth is done; the `Progress` of a transfer."""
        if total is None or total <= LARGE:
            return
        share = done / total
        if share < self._next and share + _STEP >= self._next:
            return  # not yet; a share far below is a new try
        self._next = share + _STEP if share < 1 else 2.0
        self._log.info("%s: %.0f %% of %.0f MB", self._doing, share * 100, total / 1e6)
