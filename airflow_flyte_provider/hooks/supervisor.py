"""Asking Airflow from an event loop by calls that block: a task's state, a connection, the answer to a question.

In a triggerer of Airflow 3.0 and 3.1 all triggers share one stream to Airflow, read on the event loop alone. A call on
a thread that knows nothing of that loop, as `asyncio.to_thread` makes it, reads it elsewhere; a call that is cancelled
half-way leaves its answer behind, which the next one takes for its own. Either ends the triggerer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from asgiref.sync import sync_to_async

T = TypeVar("T")

#: What is going on now: the event loop itself holds a task by a weak reference only.
_at_work: set[asyncio.Task[Any]] = set()


async def ask_airflow(question: Callable[..., T], *arguments: Any) -> T:
    """Make a call to Airflow that blocks, and return what it returns.

    :param question: the call; it runs on a thread, from which Airflow finds the way back to this event loop.
    :param arguments: what it is called with.
    :raises BaseException: whatever it raises.
    """
    return await to_its_end(sync_to_async(question, thread_sensitive=False)(*arguments))


async def to_its_end(work: Coroutine[Any, Any, T]) -> T:
    """Await work that must not stop half-way: when this is cancelled, it goes on by itself.

    :param work: a coroutine, such as one that asks Airflow.
    :raises BaseException: whatever it raises.
    """
    return await asyncio.shield(in_background(work))


def in_background(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Begin work that goes on by itself, and that may fail without a word when nobody awaits it."""
    task = asyncio.get_running_loop().create_task(work)
    _at_work.add(task)
    task.add_done_callback(_settle)
    return task


def _settle(task: asyncio.Task[Any]) -> None:
    _at_work.discard(task)
    if not task.cancelled():
        task.exception()
