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

PATIENCE = 2.0  # seconds between asking an attempt to end and making it


def main(pid_file: str, command: list[str]) -> int:
    """Run the command. Returns its exit code, or 128 and more for the signal that ended it."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603
    note_process(pid_file, child.pid)
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
            signal_group(child.pid, signal.SIGKILL)
            break
        if asked:
            _end_kindly(child)
            break
    code = child.wait()
    signal_group(child.pid, signal.SIGKILL)
    return code if code >= 0 else 128 - code


def _end_kindly(child: subprocess.Popen) -> None:
    signal_group(child.pid, signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE
    while child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    signal_group(child.pid, signal.SIGKILL)


def note_process(pid_file: str, pid: int) -> None:
    """Write a process into a file, so that `noted_process` knows it again."""
    with open(pid_file, "w") as file:
        file.write(f"{pid} {_birth(pid)}")


def noted_process(pid_file: str) -> int:
    """Return the number of the process in a file, 0 when it has ended, whoever has its number now."""
    try:
        with open(pid_file) as file:
            pid, birth = file.read().split(" ", 1)
        return int(pid) if birth and _birth(int(pid)) == birth else 0
    except (OSError, ValueError):
        return 0


def _birth(pid: int) -> str:
    """Return what tells a process from any other that ever has its number; empty when the system can't."""
    try:
        with open(f"/proc/{pid}/stat") as stat, open("/proc/sys/kernel/random/boot_id") as boot:
            # the program's name, in parentheses, may hold anything; the 20th field after it is the start time
            return f"{boot.read().strip()} {stat.read().rpartition(')')[2].split()[19]}"
    except OSError:
        return ""


def signal_group(pid: int, number: int) -> None:
    """Send a signal to a process group, which may have ended by itself."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
