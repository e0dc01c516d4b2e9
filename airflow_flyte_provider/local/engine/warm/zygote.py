"""The warm process: imports flytekit once, then forks itself for each attempt that the server asks for.

Run as a module by the server, which sends requests on standard input and reads answers from standard output,
one JSON document a line. Standard input closes when the server dies, however it dies; every attempt is then
ended. It stays a single thread, for a fork takes no other thread with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

from airflow_flyte_provider.local.engine.guard import PATIENCE, note_process, signal_group
from airflow_flyte_provider.local.engine.warm.attempt import Start, run
from airflow_flyte_provider.local.engine.warm.request import READY, Request

_ENTRY = "flytekit.bin.entrypoint"
_LOOK_FOR_SERVER = 0.2  # seconds
_READ = 1 << 16


class Zygote:
    """Forks attempts, reports how they end, and ends them when asked.

    :param answers: file descriptor that answers are written to.
    """

    def __init__(self, answers: int) -> None:
        self._answers = answers
        self._received = b""
        self._numbers: dict[int, int] = {}
        self._deadlines: dict[int, float] = {}
        self._wake, self._waker = os.pipe()

    def serve(self) -> Request | None:
        """Serve until the server is gone. Returns None then; in a fork, returns what it is to run."""
        os.set_blocking(self._wake, False)
        os.set_blocking(self._waker, False)
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        self.answer(READY)
        while True:
            readable, _, _ = select.select([0, self._wake], [], [], self._time_left())
            if self._wake in readable:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake, _READ)
            self._reap()
            self._end_the_late()
            if 0 not in readable:
                continue
            data = os.read(0, _READ)
            if not data:
                self._end_all()
                return None
            *lines, self._received = (self._received + data).split(b"\n")
            for line in lines:
                request = self._take(json.loads(line))
                if request is not None:
                    return request

    def answer(self, *words: object) -> None:
        """Send a line to the server."""
        with contextlib.suppress(BrokenPipeError):  # the end of standard input tells the same
            os.write(self._answers, json.dumps(words).encode() + b"\n")

    def _take(self, told: dict[str, Any]) -> Request | None:
        """Do what a line says. Returns a request in the fork that is to run it."""
        if "end" in told:
            for pid in [pid for pid, number in self._numbers.items() if number == told["end"]]:
                self._signal(pid, signal.SIGTERM)
                self._deadlines[pid] = time.monotonic() + PATIENCE
            return None
        request = Request(**told)
        pid = os.fork()
        if pid == 0:
            self._leave(request)
            return request
        self._numbers[pid] = request.number
        note_process(request.pid_file, pid)
        self.answer("began", request.number, pid)
        return None

    def _leave(self, request: Request) -> None:
        """Cut all ties of a fork with the warm process: session, signals, files, working directory."""
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDONLY)
        log = os.open(request.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        for source, target in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(source, target)
        for one in (nothing, log, self._answers, self._wake, self._waker):
            os.close(one)
        os.chdir(request.folder)

    def _reap(self) -> None:
        for pid in list(self._numbers):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                signal_group(pid, signal.SIGKILL)
                self._deadlines.pop(pid, None)
                code = os.waitstatus_to_exitcode(status)
                self.answer("ended", self._numbers.pop(pid), code if code >= 0 else 128 - code)

    def _time_left(self) -> float | None:
        if not self._deadlines:
            return None
        return max(0.0, min(self._deadlines.values()) - time.monotonic())

    def _end_the_late(self) -> None:
        for pid in [one for one, deadline in self._deadlines.items() if deadline <= time.monotonic()]:
            del self._deadlines[pid]
            self._signal(pid, signal.SIGKILL)

    def _end_all(self) -> None:
        for pid in self._numbers:
            self._signal(pid, signal.SIGKILL)
        for pid in self._numbers:
            os.waitpid(pid, 0)

    def _signal(self, pid: int, number: int) -> None:
        # its group is there a moment after the fork only; until then it is the process alone
        os.kill(pid, number)
        signal_group(pid, number)


def preload() -> Start:
    """Import what attempts need. Returns how this process looks now."""
    sys.path[0] = str(Path(sys.executable).parent)
    environment = dict(os.environ)
    # flytekit asks, as it is imported, whether it runs on Flyte, and writes its log accordingly
    os.environ["FLYTE_INTERNAL_EXECUTION_ID"] = "warm"
    importlib.import_module(_ENTRY)
    own = __package__.partition(".")[0]
    modules = {name.partition(".")[0] for name in sys.modules} - {"__main__", own}
    return Start(environment, tuple(sys.path), frozenset(modules), tuple(_close_loops()))


def _close_loops() -> list[tuple[str, str]]:
    """Close the event loops that modules made as they were imported. Returns where they are."""
    found = []
    for module in [one for one in sys.modules.values() if type(one) is ModuleType]:
        for name, value in vars(module).items():
            # by its type, for a module that flytekit loads lazily fails when it is looked into
            if issubclass(type(value), asyncio.AbstractEventLoop):
                value.close()
                found.append((module.__name__, name))
    return found


def main() -> int:
    """Serve until the server is gone, or run an attempt when this has become the fork for it."""
    answers = os.dup(1)
    os.dup2(2, 1)  # what is printed as modules are imported is no answer
    signal.signal(signal.SIGALRM, _end_without_server)
    signal.setitimer(signal.ITIMER_REAL, _LOOK_FOR_SERVER, _LOOK_FOR_SERVER)
    start = preload()
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    gc.collect()
    gc.freeze()  # forks share this memory as long as no collection touches it
    request = Zygote(answers).serve()
    if request is not None:
        run(start, request.command, request.environment)
    return 0


def _end_without_server(_number: int, _frame: object) -> None:
    """End while modules are still imported: nothing is sent before that is over, so input means its end."""
    if select.select([0], [], [], 0)[0]:
        os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
