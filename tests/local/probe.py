"""Tasks that look at the process they run in, or bring it down."""

import builtins
import json
import logging
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from flytekit import task


def _handler(number: int) -> str:
    handler = signal.getsignal(number)
    return getattr(handler, "__qualname__", str(handler))


def _open_files() -> list[str]:
    """Return what the process has open, besides the listing itself."""
    links = [f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd")]
    return [os.readlink(link) for link in links if os.path.islink(link)]


@task
def facts(a: int) -> str:
    logger = logging.getLogger("flytekit")
    found = {
        "argv": sys.argv,
        "path": sys.path,
        "main": sys.modules["__main__"].__file__,
        "flags": list(sys.flags),
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "temporary": tempfile.gettempdir(),
        "files": sorted(os.readlink(f"/proc/self/fd/{number}") for number in (0, 1, 2)),
        "sockets": sorted(link for link in _open_files() if link.startswith("socket")),
        "leads": [os.getsid(0) == os.getpid(), os.getpgid(0) == os.getpid()],
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "signals": [
            _handler(getattr(signal, f"SIG{name}")) for name in ("TERM", "INT", "CHLD", "PIPE", "ALRM")
        ],
        "log": [logger.level, *(type(handler.formatter).__name__ for handler in logger.handlers)],
        "timezone": time.tzname,
        "umask": os.umask(0o022),
        "modules": sorted(sys.modules),
        "random": random.random(),
        "parent": Path(f"/proc/{os.getppid()}/cmdline").read_text().split("\0"),
    }
    print("looked", a)
    return json.dumps(found)


@task
def traces(a: int) -> str:
    """Return what an earlier task left behind, and leave the same."""
    found = [name for name in ("LEFT_BEHIND",) if name in os.environ]
    found += [
        name for name in ("left_behind", "probe_left") if name in sys.modules or hasattr(builtins, name)
    ]
    found += [entry for entry in sys.path if "left" in entry]
    os.environ["LEFT_BEHIND"] = "yes"
    builtins.left_behind = True
    sys.modules["probe_left"] = sys
    sys.path.append("/left")
    logging.getLogger("flytekit").setLevel(1)
    return json.dumps(found)


@task
def leave(a: int) -> str:
    print("about to leave", flush=True)
    os._exit(a)


@task
def crash(a: int) -> str:
    os.kill(os.getpid(), a)
    return "survived"


@task
def wait(a: int) -> str:
    """Wait for long, as a child process does as well; their numbers are in the file PIDS."""
    child = subprocess.Popen(["sleep", "600"])
    Path(os.environ["PIDS"]).write_text(f"{os.getpid()} {child.pid}")
    time.sleep(600)
    return ""
