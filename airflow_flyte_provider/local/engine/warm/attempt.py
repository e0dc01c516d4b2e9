"""Inside a fork: makes the process what a plain start of the command would have made it, and runs it.

What differs from a plain start, and can't be helped: the seed of string hashes is the same in all forks.
"""

from __future__ import annotations

import asyncio
import importlib.machinery
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from airflow_flyte_provider.local.engine.warm.request import PROGRAMS, is_warm_program

# Variables that Python, its libraries or flytekit read as they start, so that a fork comes too late for them.
_READ_AT_START = ("PYTHON", "LD_", "DYLD_", "LC_", "LANG", "GRPC_", "MALLOC_", "OMP_", "FLYTE", "_F_TE_")
_READ_LATER = ("FLYTE_INTERNAL_", "FLYTE_ATTEMPT_NUMBER", "PYTHONPATH")
_IMPORTED_AT_START = frozenset({"sitecustomize", "usercustomize"})
_MODULE_ENDINGS = tuple(importlib.machinery.all_suffixes())


@dataclass(frozen=True)
class Start:
    """How the warm process itself was started, which is what forks begin with.

    :param environment: its environment variables.
    :param path: its `sys.path`, the folder of the console scripts first.
    :param modules: top-level names of what it has imported.
    :param loops: module and name of each event loop that was made as it was imported; each fork makes its own,
        for with a shared one they would take each other's wake-ups.
    """

    environment: Mapping[str, str]
    path: tuple[str, ...]
    modules: frozenset[str] = field(repr=False)
    loops: tuple[tuple[str, str], ...] = ()

    def path_for(self, environment: Mapping[str, str], folder: str) -> list[str] | None:
        """Return the `sys.path` of a command, None when only a plain start gets it right.

        :param environment: the command's environment variables.
        :param folder: its working directory.
        """
        names = self.environment.keys() | environment.keys()
        changed = [name for name in names if self.environment.get(name) != environment.get(name)]
        if any(name.startswith(_READ_AT_START) and not name.startswith(_READ_LATER) for name in changed):
            return None
        own, wanted = _python_path(self.environment), _python_path(environment)
        if wanted[: len(own)] != own or not all(os.path.isabs(part) for part in own):
            return None
        added = [os.path.abspath(os.path.join(folder, part)) for part in wanted[len(own) :]]
        if any(self._hidden_by(part) for part in added):
            return None
        position = 1
        while position < len(self.path) and self.path[position] in own:
            position += 1
        path = [*self.path[:position], *added, *self.path[position:]]
        return list(dict.fromkeys(path))

    def _hidden_by(self, folder: str) -> bool:
        """Tell whether a folder holds a module that would be imported instead of one already imported."""
        try:
            found = list(os.scandir(folder))
        except OSError:
            return False
        names = {
            one.name.partition(".")[0] for one in found if one.is_dir() or one.name.endswith(_MODULE_ENDINGS)
        }
        return not names.isdisjoint(self.modules | _IMPORTED_AT_START)


class _Inner(BaseException):  # must pass through click, as SystemExit does
    """The command that `pyflyte-fast-execute` starts once it has unpacked the code."""

    def __init__(self, command: list[str], environment: Mapping[str, str]) -> None:
        super().__init__(command[0])
        self.command = command
        self.environment = environment


def run(start: Start, command: list[str], environment: Mapping[str, str]) -> None:
    """Run a command in this process, which is good for nothing else afterwards.

    :param start: how the process that was forked had been started.
    :param command: path of the program, and its arguments.
    :param environment: all its environment variables.
    :raises SystemExit: as the command ends.
    """
    while True:
        path = start.path_for(environment, os.getcwd())
        if path is None:
            os.execve(command[0], command, environment)  # noqa: S606 - the command as it is, in this process
        _become(command, environment, path)
        for module, name in start.loops:
            setattr(sys.modules[module], name, asyncio.new_event_loop())
        try:
            _call(Path(command[0]).name)
        except _Inner as inner:
            command, environment = inner.command, inner.environment
        else:
            return


def _python_path(environment: Mapping[str, str]) -> list[str]:
    text = environment.get("PYTHONPATH", "")
    return text.split(os.pathsep) if text else []


def _become(command: list[str], environment: Mapping[str, str], path: list[str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    tempfile.tempdir = None  # it is remembered, and depends on TMPDIR
    sys.argv = list(command)
    sys.path[:] = path
    for name in [one for one in sys.modules if one.partition(".")[0] == __name__.partition(".")[0]]:
        del sys.modules[name]
    main = ModuleType("__main__")
    main.__file__ = command[0]
    sys.modules["__main__"] = main


def _call(program: str) -> None:
    """Call the function behind a console script of flytekit."""
    from flytekit.bin import entrypoint

    plain = getattr(entrypoint, "_run_subprocess", None)  # newer than the oldest flytekit we take
    if plain is not None:

        def run_inner(cmd: list[str], env: Mapping[str, str] | None = None) -> Any:
            environment = dict(os.environ if env is None else env)
            found = shutil.which(cmd[0], path=environment.get("PATH"))
            if found is None or not is_warm_program(found):
                return plain(cmd, env)
            raise _Inner([found, *cmd[1:]], environment)

        entrypoint._run_subprocess = run_inner
    try:
        getattr(entrypoint, PROGRAMS[program])()
    finally:
        if plain is not None:
            entrypoint._run_subprocess = plain
