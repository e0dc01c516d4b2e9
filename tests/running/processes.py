"""The processes below a component, as /proc tells: a kill must reach all of them, whoever their parent is by now."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_POLL = 0.05  # seconds


@dataclass(frozen=True, slots=True)
class Process:
    """One process that lives; `title` is its command line, as it may have set it itself."""

    pid: int
    parent: int
    session: int
    title: str


def living() -> list[Process]:
    """Return all processes of this machine that live."""
    found = (_look(int(entry)) for entry in os.listdir("/proc") if entry.isdigit())
    return [process for process in found if process is not None]


def descendants(pid: int, among: Sequence[Process]) -> list[Process]:
    """Return the children of a process, and theirs."""
    children = [process for process in among if process.parent == pid]
    return children + [below for child in children for below in descendants(child.pid, among)]


def kill(*pids: int) -> None:
    """Send SIGKILL to processes, at once; those that have ended already are no fault."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _look(pid: int) -> Process | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        title = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return None  # it has ended meanwhile
    state, parent, _, session = stat.rpartition(")")[2].split()[:4]
    if state in "ZX":
        return None
    return Process(
        pid, int(parent), int(session), title.replace(b"\0", b" ").decode(errors="replace").strip()
    )


class Component:
    """One of Airflow's parts: a process in a session of its own, with all that it starts.

    Airflow puts tasks into process groups of their own, so the session is what holds them together.

    :param name: what it is called in messages.
    :param command: its command line.
    :param env: its environment.
    :param log_path: file that gets what it prints, over all its lives.
    """

    def __init__(self, name: str, command: Sequence[str], env: Mapping[str, str], log_path: Path) -> None:
        self.name = name
        self.log_path = log_path
        self._command = list(command)
        self._env = dict(env)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        assert not self.is_running, f"{self.name} runs already"
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def processes(self) -> list[Process]:
        """Return what lives of it."""
        return [one for one in living() if self._process is not None and one.session == self._process.pid]

    def kill(self) -> None:
        """End it and all that it started by SIGKILL, as a machine does that fails."""
        if self._process is None:
            return
        while left := self.processes():
            kill(*(one.pid for one in left))
            self._process.poll()  # a child that nobody waits for stays in the table
            time.sleep(_POLL)
        self._process.wait()
        self._process = None

    def terminate(self, timeout: float = 20.0) -> None:
        """Ask it to end by SIGTERM, as a deployment does, and kill what is left of it after `timeout` seconds."""
        if self._process is not None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout)
        self.kill()

    def log(self, characters: int = 6000) -> str:
        """Return the end of what it printed."""
        text = self.log_path.read_text(errors="replace") if self.log_path.exists() else ""
        return text[-characters:]
