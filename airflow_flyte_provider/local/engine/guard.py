"""Starts one task attempt and ends it, with all it started, when the server is gone or asks for it.

Run as a script, with the server's pipe as standard input: `guard.py PID_FILE COMMAND...`. The pipe closes
when the server dies, however it dies. Standard library only, for it must start quickly.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time

_PATIENCE = 2.0  # seconds between asking an attempt to end and making it


def main(pid_file: str, command: list[str]) -> int:
    """Run the command. Returns its exit code, or 128 and more for the signal that ended it."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603
    with open(pid_file, "w") as file:
        file.write(str(child.pid))
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    asked = []
    signal.signal(signal.SIGTERM, lambda number, _frame: asked.append(number))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    while child.poll() is None:
        readable, _, _ = select.select([0, wake], [], [], 1.0)
        if wake in readable:
            os.read(wake, 64)
        if 0 in readable and not os.read(0, 64):
            _signal_group(child.pid, signal.SIGKILL)
            break
        if asked:
            _end_kindly(child)
            break
    code = child.wait()
    _signal_group(child.pid, signal.SIGKILL)
    return code if code >= 0 else 128 - code


def _end_kindly(child: subprocess.Popen) -> None:
    _signal_group(child.pid, signal.SIGTERM)
    deadline = time.monotonic() + _PATIENCE
    while child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    _signal_group(child.pid, signal.SIGKILL)


def _signal_group(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # it may have ended by itself
        os.killpg(pid, number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
