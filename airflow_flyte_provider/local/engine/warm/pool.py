"""The server's side of the warm process: starts it when it is first needed, and hands attempts to it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airflow_flyte_provider.local.engine.outcome import SystemFailure
from airflow_flyte_provider.local.engine.warm.request import READY, Request, end_line

_log = logging.getLogger(__name__)
_MODULE = f"{__package__}.zygote"
_START_LIMIT = 120.0  # seconds it may take to import flytekit


class NotWarm(Exception):  # noqa: N818 - not a fault: the plain command does as well
    """A warm process that could not be started."""


class WarmPool:
    """A warm process and the attempts that run in its forks.

    :param environment: environment variables of the warm process: those that every attempt begins with.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self._numbers = itertools.count()
        self._start: asyncio.Task[asyncio.subprocess.Process] | None = None
        self._reader: asyncio.Task[None] | None = None
        self._ends: dict[int, asyncio.Future[int]] = {}
        self._pids: dict[int, int] = {}

    async def run(
        self, command: list[str], environment: Mapping[str, str], folder: Path, log: Path, pid_file: Path
    ) -> int:
        """Run a command in a fork. When cancelled, its whole process group is ended.

        :param command: path of one of flytekit's console scripts, and its arguments.
        :param environment: all its environment variables.
        :param folder: working directory.
        :param log: file for what it prints.
        :param pid_file: file to note its process in.
        :return: its exit code, or 128 and more for the signal that ended it.
        :raises NotWarm: when there is no warm process to be had.
        :raises SystemFailure: when the warm process ended before the command did.
        """
        process = await self._running()
        number = next(self._numbers)
        request = Request(number, command, dict(environment), str(folder), str(log), str(pid_file))
        end = self._ends[number] = asyncio.get_running_loop().create_future()
        _send(process, request.line())
        try:
            await asyncio.wait([end])
        except asyncio.CancelledError:
            _send(process, end_line(number))
            await asyncio.wait([end])
            end.exception()  # taken note of: it has ended, one way or the other
            raise
        return end.result()

    def warm_up(self) -> None:
        """Start the warm process in the background, unless it runs already."""
        self._starting()

    async def close(self) -> None:
        """End the warm process and everything it forked."""
        start, self._start = self._start, None
        if start is None:
            return
        start.cancel()
        with contextlib.suppress(asyncio.CancelledError, NotWarm):
            process = await start
            _close(process)
            await process.wait()
        if self._reader is not None:
            await self._reader

    async def _running(self) -> asyncio.subprocess.Process:
        # shared by all who wait for it, so none of them may cancel it
        return await asyncio.shield(self._starting())

    def _starting(self) -> asyncio.Task[asyncio.subprocess.Process]:
        if self._start is None:
            self._start = asyncio.get_running_loop().create_task(self._started())
            self._start.add_done_callback(_note_fault)
        return self._start

    async def _started(self) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            _MODULE,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=self._environment,
            start_new_session=True,
        )
        try:
            told = await asyncio.wait_for(_answer(process), _START_LIMIT)
        except asyncio.TimeoutError:
            told = []
        except asyncio.CancelledError:
            _close(process)
            raise
        if told != [READY]:
            _close(process)
            _log.warning("Python tasks will start slowly: the warm process did not get ready")
            raise NotWarm
        self._reader = asyncio.get_running_loop().create_task(self._read(process))
        return process

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        """Take note of what the warm process tells, until it has ended."""
        while told := await _answer(process):
            event, number, value = told
            if event == "began":
                self._pids[number] = value
                continue
            self._pids.pop(number, None)
            self._ends.pop(number).set_result(value)
        _close(process)
        await process.wait()
        for pid in self._pids.values():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
        for end in self._ends.values():
            end.set_exception(SystemFailure("the warm process has ended"))
        self._pids.clear()
        self._ends.clear()
        self._start = None  # the next attempt starts another


def _note_fault(start: asyncio.Task[asyncio.subprocess.Process]) -> None:
    """Take note of a start that failed, for no one may be waiting for it; it has been logged."""
    if not start.cancelled():
        start.exception()


def _send(process: asyncio.subprocess.Process, line: bytes) -> None:
    if process.stdin is not None and not process.stdin.is_closing():
        process.stdin.write(line)


async def _answer(process: asyncio.subprocess.Process) -> list[Any]:
    """Return the next line that the warm process sends, an empty list when it has ended."""
    if process.stdout is None:
        return []
    line = await process.stdout.readline()
    return json.loads(line) if line else []


def _close(process: asyncio.subprocess.Process) -> None:
    """Close the pipe to the warm process, which then ends with all that it forked."""
    if process.stdin is not None:
        process.stdin.close()
