"""Running a Python task: the command its container would have run, as a process on this machine."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import shutil
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from flyteidl.core import dynamic_job_pb2, execution_pb2, literals_pb2, tasks_pb2
from google.protobuf.message import DecodeError

from airflow_flyte_provider.local.compiler.support import command_path
from airflow_flyte_provider.local.engine.guard import noted_process, signal_group
from airflow_flyte_provider.local.engine.kept import FUTURES, told_error
from airflow_flyte_provider.local.engine.outcome import SYSTEM, USER, SystemFailure
from airflow_flyte_provider.local.engine.runner import Attempt, Outcome
from airflow_flyte_provider.local.engine.warm.pool import NotWarm, WarmPool
from airflow_flyte_provider.local.engine.warm.request import is_warm_program
from airflow_flyte_provider.local.files.folder import write_literals

_GUARD = Path(__file__).with_name("guard.py")
_TEMPLATE = re.compile(r"{{\s*\.(\w+)\s*}}")
_FAST_EXECUTE = "pyflyte-fast-execute"
_LOG_TAIL = 2000  # characters of the log that an error quotes


@dataclass(frozen=True)
class _Folders:
    """Paths of one run of an attempt. Each run has its own, so that a lost one can't meddle with the next."""

    root: Path

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def outputs(self) -> Path:
        return self.root / "out"

    @property
    def inputs(self) -> Path:
        return self.root / "inputs.pb"

    @property
    def pid(self) -> Path:
        return self.root / "pid"


class ProcessRunner:
    """Runs tasks with a container by starting the container's command.

    :param attempts: folder for the working folders.
    :param max_processes: how many run at once.
    :param warm: whether flytekit's own commands run in forks of a process that has imported it already.
    """

    def __init__(self, attempts: Path, max_processes: int, *, warm: bool = True) -> None:
        self._attempts = attempts
        self._slots = asyncio.Semaphore(max_processes)
        self._pool = WarmPool(_environment({})) if warm else None

    def sweep(self) -> None:
        """End what an earlier server left running and remove its working folders."""
        for root in self._attempts.iterdir():
            pid = noted_process(str(_Folders(root).pid))
            if pid:
                signal_group(pid, signal.SIGKILL)
            shutil.rmtree(root, ignore_errors=True)

    def expect(self, template: tasks_pb2.TaskTemplate) -> None:
        """Get ready to run a task that may be executed soon: a warm process takes seconds to start."""
        words = [*template.container.command, *template.container.args]
        if self._pool is not None and words and is_warm_program(command_path(words[0])):
            self._pool.warm_up()

    async def close(self) -> None:
        """End the warm process, if there is one. No attempt may run any more."""
        if self._pool is not None:
            await self._pool.close()

    async def run(self, attempt: Attempt) -> Outcome:
        """Run an attempt in a folder of its own. When cancelled, its whole process group is ended."""
        async with self._slots:
            folders = _Folders(self._attempts / f"{attempt.name}-{secrets.token_hex(6)}")
            for folder in (folders.work, folders.outputs, attempt.raw_output, attempt.log.parent):
                folder.mkdir(parents=True, exist_ok=True)
            write_literals(folders.inputs, attempt.inputs)
            try:
                code = await self._start(attempt, folders)
                return _outcome(code, attempt, folders)
            finally:
                _keep_deck(attempt, folders)
                shutil.rmtree(folders.root, ignore_errors=True)

    async def _start(self, attempt: Attempt, folders: _Folders) -> int:
        """Run the attempt's command to its end. Returns its exit code."""
        command, environment = _command(attempt, folders), _environment(attempt.environment)
        if self._pool is not None and is_warm_program(command[0]):
            with suppress(NotWarm):
                return await self._pool.run(command, environment, folders.work, attempt.log, folders.pid)
        return await _start_plain(command, environment, folders, attempt.log)


async def _start_plain(
    command: list[str], environment: dict[str, str], folders: _Folders, log_path: Path
) -> int:
    with log_path.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-S",
            str(_GUARD),
            str(folders.pid),
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=folders.work,
            env=environment,
            start_new_session=True,
        )
    try:
        return await process.wait()
    except asyncio.CancelledError:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        await asyncio.shield(process.wait())
        raise


def _environment(own: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of an attempt: the server's, its own, and this environment's programs first."""
    environment = {**os.environ, **own}
    beside = str(Path(sys.executable).parent)
    environment["PATH"] = os.pathsep.join([beside, environment.get("PATH", os.defpath)])
    return environment


def _command(attempt: Attempt, folders: _Folders) -> list[str]:
    values = {
        "input": str(folders.inputs),
        "inputPrefix": str(folders.root),
        "outputPrefix": str(folders.outputs),
        "rawOutputDataPrefix": str(attempt.raw_output),
        "checkpointOutputPrefix": str(attempt.raw_output / "_flytecheckpoints"),
        "prevCheckpointPrefix": '""',
        "perRetryUniqueKey": attempt.name,
        "taskTemplatePath": str(folders.root / "task.pb"),
    }
    (folders.root / "task.pb").write_bytes(attempt.template.SerializeToString())
    container = attempt.template.container
    words = [
        _TEMPLATE.sub(lambda match: values.get(match.group(1), match.group(0)), word)
        for word in [*container.command, *container.args]
    ]
    program = command_path(words[0])
    if program is None:
        raise SystemFailure(f"{words[0]} is not installed on this machine")
    arguments = words[1:]
    if Path(program).name == _FAST_EXECUTE:
        arguments = _code_at_home(arguments)
    return [program, *arguments]


def _code_at_home(arguments: list[str]) -> list[str]:
    """Have code unpacked in the attempt's own folder where a place in an image is meant, such as `/root`."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return [
        "." if 0 < place < end and arguments[place - 1] == "--dest-dir" and word.startswith("/") else word
        for place, word in enumerate(arguments)
    ]


def _outcome(code: int, attempt: Attempt, folders: _Folders) -> Outcome:
    error_file, outputs_file, futures_file = (
        folders.outputs / name for name in ("error.pb", "outputs.pb", FUTURES)
    )
    if error_file.exists():
        return told_error(error_file)
    if code:
        text = (
            f"the task's process ended with exit code {code} and left no error document\n{_tail(attempt.log)}"
        )
        return _failure("TaskProcessFailed", text, recoverable=True)
    try:
        if futures_file.exists():
            return Outcome(futures=dynamic_job_pb2.DynamicJobSpec.FromString(futures_file.read_bytes()))
        if outputs_file.exists():
            return Outcome(outputs=literals_pb2.LiteralMap.FromString(outputs_file.read_bytes()))
    except DecodeError as fault:
        return _failure("OutputsUnreadable", f"the task's outputs can't be read: {fault}")
    if attempt.template.interface.outputs.variables:
        text = f"the task's process ended without writing its outputs\n{_tail(attempt.log)}"
        return _failure("OutputsNotFound", text)
    return Outcome(outputs=literals_pb2.LiteralMap())


def _keep_deck(attempt: Attempt, folders: _Folders) -> None:
    """Keep the deck, however the attempt ended, unless the task says that it makes none."""
    metadata = attempt.template.metadata
    says_none = metadata.HasField("generates_deck") and not metadata.generates_deck.value
    # FlytePropeller loses that of a dynamic task: the node's end, when its inner nodes are over, names no deck.
    if says_none or (folders.outputs / FUTURES).exists():
        return
    with suppress(FileNotFoundError):
        attempt.deck.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(folders.outputs / attempt.deck.name, attempt.deck)


def _failure(code: str, message: str, *, recoverable: bool = False) -> Outcome:
    kind = USER if recoverable else SYSTEM
    return Outcome(
        error=execution_pb2.ExecutionError(code=code, message=message, kind=kind), recoverable=recoverable
    )


def _tail(log: Path) -> str:
    try:
        return log.read_text(errors="replace")[-_LOG_TAIL:]
    except FileNotFoundError:
        return ""
