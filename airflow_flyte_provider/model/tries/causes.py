"""Why Airflow terminated an execution: written as its cause, and read again by the next try."""

from __future__ import annotations

_STOPPED = "Airflow stopped "


def stopped(task: str) -> str:
    """Return the cause of a termination that a user of Airflow wanted: cleared, marked, or the run stopped.

    :param task: which task of which run, as `str()` of a `TaskTry` gives it.
    """
    return f"{_STOPPED}{task}"


def timed_out(task: str) -> str:
    """Return the cause of a termination because the time was over; see `stopped`."""
    return f"Time was over for Airflow {task}"


def is_stopped(cause: str | None) -> bool:
    """Return whether a cause is one that `stopped` made: the work was not to go on."""
    return (cause or "").startswith(_STOPPED)
