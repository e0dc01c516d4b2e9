"""What the server asks the warm process for, and which commands that process can run. Standard library only."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

READY = "ready"
"""The first line the warm process sends."""
PROGRAMS = {
    "pyflyte-execute": "execute_task_cmd",
    "pyflyte-fast-execute": "fast_execute_task_cmd",
    "pyflyte-map-execute": "map_execute_task_cmd",
}
"""flytekit's console scripts by the function of `flytekit.bin.entrypoint` that each calls."""


@dataclass(frozen=True)
class Request:
    """One attempt to be run in a fork.

    :param number: tells this request from others.
    :param command: path of the program, and its arguments.
    :param environment: all its environment variables.
    :param folder: working directory.
    :param log: file that standard output and error are appended to.
    :param pid_file: file to note the process in.
    """

    number: int
    command: list[str]
    environment: dict[str, str]
    folder: str
    log: str
    pid_file: str

    def line(self) -> bytes:
        """Return the request as a line to send."""
        return json.dumps(asdict(self)).encode() + b"\n"


def end_line(number: int) -> bytes:
    """Return the line that asks for the end of an attempt.

    :param number: the number of its request.
    """
    return json.dumps({"end": number}).encode() + b"\n"


def is_warm_program(program: str | None) -> bool:
    """Tell whether a program is one of flytekit's console scripts, and of this environment."""
    if program is None:
        return False
    path = Path(program)
    return path.name in PROGRAMS and path.parent == Path(sys.executable).parent
