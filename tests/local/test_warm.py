"""Python tasks in forks of a warm process: as a plain start would run them, one apart from the other."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from flyteidl.core import tasks_pb2

from airflow_flyte_provider.local import LocalFlyte
from airflow_flyte_provider.local.engine.outcome import SystemFailure
from airflow_flyte_provider.local.engine.process import ProcessRunner
from airflow_flyte_provider.local.engine.runner import Attempt, Outcome
from airflow_flyte_provider.local.engine.warm.attempt import Start
from tests.local.client import INTEGER, STRING, Client, integers, task_node, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
RESOLVER = "flytekit.core.python_auto_container.default_task_resolver"
NAMES = (
    "EXECUTION_PROJECT",
    "EXECUTION_DOMAIN",
    "EXECUTION_ID",
    "EXECUTION_WORKFLOW",
    "EXECUTION_LAUNCHPLAN",
)
NAMES += ("TASK_PROJECT", "TASK_DOMAIN", "TASK_NAME", "TASK_VERSION")
ZYGOTE = "airflow_flyte_provider.local.engine.warm.zygote"


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("probe")
    shutil.copy(Path(__file__).with_name("probe.py"), folder)
    return folder


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def warm(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ProcessRunner]:
    runner = ProcessRunner(tmp_path_factory.mktemp("warm"), 4)
    yield runner
    await runner.close()


def _template(task: str) -> tasks_pb2.TaskTemplate:
    template = tasks_pb2.TaskTemplate(type="python-task")
    template.metadata.SetInParent()
    template.interface.inputs.variables["a"].type.CopyFrom(INTEGER)
    template.interface.outputs.variables["o0"].type.CopyFrom(STRING)
    template.container.image = "none"
    words = "pyflyte-execute --inputs {{.input}} --output-prefix {{.outputPrefix}}"
    words += " --raw-output-data-prefix {{.rawOutputDataPrefix}} --prev-checkpoint {{.prevCheckpointPrefix}}"
    words += f" --resolver {RESOLVER} -- task-module probe task-name {task}"
    template.container.args.extend(
        [word if word != "{{.prevCheckpointPrefix}}" else '""' for word in words.split()]
    )
    return template


def _attempt(template: tasks_pb2.TaskTemplate, code: Path, a: int, environment: dict[str, str]) -> Attempt:
    return Attempt(
        name="probe",
        template=template,
        inputs=integers(a=a),
        raw_output=code / "raw",
        log=code / "log.txt",
        deck=code / "deck.html",
        environment={**{f"FLYTE_INTERNAL_{name}": "probe" for name in NAMES}, **environment},
    )


async def _run(runner: ProcessRunner, code: Path, task: str, a: int = 1, **environment: str) -> Outcome:
    return await runner.run(_attempt(_template(task), code, a, {"PYTHONPATH": str(code), **environment}))


async def _facts(runner: ProcessRunner, code: Path, **environment: str) -> dict[str, Any]:
    return _told(await _run(runner, code, "facts", **environment))


def _told(outcome: Outcome) -> Any:
    assert outcome.outputs is not None, outcome.error
    return json.loads(outcome.outputs.literals["o0"].scalar.primitive.string_value)


def _noted(pids: Path) -> list[str]:
    """Return the processes that the task `wait` has noted."""
    return pids.read_text().split() if pids.exists() else []


def _alive(pids: list[str]) -> list[str]:
    """Return those of the processes that have not ended."""
    states = {pid: Path(f"/proc/{pid}/stat") for pid in pids}
    return [pid for pid, stat in states.items() if stat.exists() and ") Z " not in stat.read_text()]


def _parent(pid: str) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


async def test_a_fork_looks_like_a_plain_start(warm: ProcessRunner, code: Path, tmp_path: Path) -> None:
    given = {"MINE": "yes", "TZ": "Asia/Tokyo", "TMPDIR": str(tmp_path)}
    cold = ProcessRunner(tmp_path, 1, warm=False)
    plain, forked = await asyncio.gather(_facts(cold, code, **given), _facts(warm, code, **given))
    assert ZYGOTE in forked.pop("parent")
    assert ZYGOTE not in plain.pop("parent")
    assert forked.pop("random") != plain.pop("random")
    assert Path(plain["folder"]).name == Path(forked["folder"]).name == "work"
    sockets = plain.pop("sockets"), forked.pop("sockets")
    assert len(sockets[0]) == len(sockets[1])
    loaded = set(plain.pop("modules")), set(forked.pop("modules"))
    assert loaded[0] <= loaded[1]
    assert not [name for name in loaded[1] if name.startswith("airflow")]
    for one in (plain, forked):  # the folder of the attempt is its own
        root = str(Path(one["folder"]).parent)
        one.update(json.loads(json.dumps(one).replace(root, "ROOT")))
    assert forked == plain
    assert forked["environment"]["MINE"] == "yes"
    assert forked["timezone"] == ["JST", "JST"]
    assert (code / "log.txt").read_text().count("looked 1") == 2


async def test_fast_registered_code_runs_in_the_same_fork(
    warm: ProcessRunner, code: Path, tmp_path: Path
) -> None:
    archive = tmp_path / "code.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(code / "probe.py", "probe.py")
    template = _template("facts")
    inner = list(template.container.args)
    fast = ["pyflyte-fast-execute", "--additional-distribution", str(archive), "--dest-dir", ".", "--"]
    template.container.args[:] = [*fast, *inner]
    attempt = _attempt(template, tmp_path, 1, {})
    cold = ProcessRunner(tmp_path, 1, warm=False)
    plain, forked = map(_told, await asyncio.gather(cold.run(attempt), warm.run(attempt)))
    assert ZYGOTE in forked["parent"]
    assert forked["leads"] == [True, True]  # the fork itself, not a process that it started
    assert plain["leads"] == [False, False]
    for name in ("argv", "path", "main", "folder", "environment"):
        mine, theirs = (
            json.dumps(one[name]).replace(str(Path(one["folder"]).parent), "ROOT") for one in (forked, plain)
        )
        assert mine == theirs


async def test_code_for_a_place_in_an_image_is_unpacked_in_the_tasks_own_folder(
    code: Path, tmp_path: Path
) -> None:
    """As `pyflyte package` says `/root`: this machine's is not touched."""
    archive, elsewhere = tmp_path / "code.tar.gz", tmp_path / "image" / "root"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(code / "probe.py", "probe.py")
    template = _template("facts")
    inner = list(template.container.args)
    fast = [
        "pyflyte-fast-execute",
        "--additional-distribution",
        str(archive),
        "--dest-dir",
        str(elsewhere),
        "--",
    ]
    template.container.args[:] = [*fast, *inner]
    assert _told(await ProcessRunner(tmp_path, 1, warm=False).run(_attempt(template, tmp_path, 1, {})))
    assert not elsewhere.exists()


async def test_nothing_of_one_task_is_left_for_the_next(warm: ProcessRunner, code: Path) -> None:
    for _ in range(2):
        assert _told(await _run(warm, code, "traces")) == []
    facts = [await _facts(warm, code) for _ in range(2)]
    assert facts[0]["random"] != facts[1]["random"]
    assert facts[0]["log"] == facts[1]["log"]
    # flytekit makes an event loop as it is imported, whose sockets must not be shared
    assert facts[0]["sockets"]
    assert set(facts[0]["sockets"]).isdisjoint(facts[1]["sockets"])


@pytest.mark.parametrize(
    ("task", "number", "code_told"), [("leave", 7, 7), ("crash", signal.SIGSEGV, 128 + signal.SIGSEGV)]
)
async def test_a_task_that_ends_its_process(
    warm: ProcessRunner, code: Path, task: str, number: int, code_told: int
) -> None:
    outcome = await _run(warm, code, task, number)
    assert outcome.error is not None
    assert f"ended with exit code {code_told} " in outcome.error.message
    assert outcome.recoverable
    if task == "leave":
        assert "about to leave" in outcome.error.message
    assert (await _facts(warm, code))["leads"] == [True, True]


async def test_a_cancelled_task_is_ended_with_what_it_started(
    warm: ProcessRunner, code: Path, tmp_path: Path
) -> None:
    pids = tmp_path / "pids"
    running = asyncio.create_task(_run(warm, code, "wait", PIDS=str(pids)))
    await asyncio.to_thread(until, lambda: len(_noted(pids)) == 2)
    assert len(_alive(_noted(pids))) == 2
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(running, 10)
    assert _alive(_noted(pids)) == []


async def test_a_lost_warm_process_is_replaced(warm: ProcessRunner, code: Path, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    running = asyncio.create_task(_run(warm, code, "wait", PIDS=str(pids)))
    await asyncio.to_thread(until, lambda: len(_noted(pids)) == 2)
    os.kill(_parent(_noted(pids)[0]), signal.SIGKILL)
    with pytest.raises(SystemFailure):
        await asyncio.wait_for(running, 10)
    await asyncio.to_thread(until, lambda: not _alive(_noted(pids)), 5)
    assert ZYGOTE in (await _facts(warm, code))["parent"]


async def test_variables_read_at_start_get_a_plain_start(warm: ProcessRunner, code: Path) -> None:
    facts = await _facts(warm, code, PYTHONHASHSEED="0", PYTHONDONTWRITEBYTECODE="1")
    assert facts["flags"][sys.flags.__match_args__.index("dont_write_bytecode")] == 1
    # the fork became the plain command, with all that comes before it
    assert ZYGOTE in facts["parent"]
    assert facts["argv"][0] == facts["main"]


async def test_when_a_fork_will_do(tmp_path: Path) -> None:
    start = Start({"A": "1", "PYTHONPATH": "/own"}, ("/bin", "/own", "/lib"), frozenset({"json"}))
    same = {"A": "2", "B": "3", "FLYTE_INTERNAL_NAME": "x", "PYTHONPATH": f"/own:{tmp_path}"}
    assert start.path_for(same, "/") == ["/bin", "/own", str(tmp_path), "/lib"]
    assert start.path_for({**same, "PYTHONPATH": "/own:here"}, "/elsewhere") == [
        "/bin",
        "/own",
        "/elsewhere/here",
        "/lib",
    ]
    assert start.path_for({**same, "PYTHONPATH": "/other"}, "/") is None
    assert start.path_for({**same, "FLYTE_SDK_LOGGING_LEVEL": "10"}, "/") is None
    (tmp_path / "json.txt").touch()
    assert start.path_for(same, "/") is not None
    (tmp_path / "json.py").touch()
    assert start.path_for(same, "/") is None


async def test_without_flytekit_tasks_start_cold(code: Path, tmp_path: Path, monkeypatch) -> None:
    broken = tmp_path / "broken" / "flytekit"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('broken')")
    monkeypatch.setenv("PYTHONPATH", str(broken.parent))
    runner = ProcessRunner(tmp_path / "attempts", 1)
    monkeypatch.undo()
    facts = await _facts(runner, code)
    assert ZYGOTE not in facts["parent"]
    await runner.close()


@pytest.mark.parametrize("wait_for_task", [True, False], ids=["as a task runs", "as it imports"])
async def test_nothing_outlives_a_killed_server(code: Path, tmp_path: Path, wait_for_task: bool) -> None:
    await asyncio.to_thread(_kill_server, code, tmp_path, wait_for_task)


async def test_cold_tasks_can_be_chosen(code: Path, tmp_path: Path) -> None:
    with _waiting(code, tmp_path, "--cold-tasks") as flyte:
        await asyncio.to_thread(until, lambda: len(_noted(tmp_path / "pids")) == 2, 30)
        assert _zygotes(flyte.pid) == []


async def test_the_next_server_ends_what_a_stuck_warm_process_left(code: Path, tmp_path: Path) -> None:
    await asyncio.to_thread(_leave_a_task, code, tmp_path)


async def test_it_starts_once_a_python_task_is_known(tmp_path: Path) -> None:
    with LocalFlyte(tmp_path / "data") as flyte:
        client = Client(flyte.endpoint)
        client.task("echo")
        client.command("plain", "true")
        assert not _zygotes(flyte.pid)
        template = _template("wait")
        client.task("wait", type="python-task", container=template.container, interface=template.interface)
        client.close()
        until(lambda: bool(_zygotes(flyte.pid)))
        flyte.restart()
        until(lambda: bool(_zygotes(flyte.pid)))


def _leave_a_task(code: Path, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    with _waiting(code, tmp_path) as flyte:
        until(lambda: len(_noted(pids)) == 2, 30)
        left, zygote = _noted(pids), int(_zygotes(flyte.pid)[0])
        os.kill(zygote, signal.SIGSTOP)
        try:
            flyte.kill()
            assert _alive(left) == left
            flyte.restart()
            until(lambda: not _alive(left), 3)
        finally:
            os.kill(zygote, signal.SIGKILL)


def _kill_server(code: Path, tmp_path: Path, wait_for_task: bool) -> None:
    pids = tmp_path / "pids"
    with _waiting(code, tmp_path) as flyte:
        if wait_for_task:
            until(lambda: len(_noted(pids)) == 2, 30)
        else:
            until(lambda: bool(_zygotes(flyte.pid)))
        started = [*_zygotes(flyte.pid), *_noted(pids)]
        assert len(_alive(started)) == (3 if wait_for_task else 1)
        flyte.kill()
        until(lambda: not _alive(started), 3)


@contextmanager
def _waiting(code: Path, tmp_path: Path, *arguments: str) -> Iterator[LocalFlyte]:
    """A server that has been told to run the task `wait`."""
    environment = {"PYTHONPATH": str(code), "PIDS": str(tmp_path / "pids")}
    with LocalFlyte(tmp_path / "data", env=environment, arguments=arguments) as flyte:
        client = Client(flyte.endpoint)
        template = _template("wait")
        parts = {"container": template.container, "interface": template.interface}
        task = client.task("wait", type="python-task", **parts)
        client.workflow("wf", [task_node("n0", task)])
        client.launch("wf")
        client.close()
        yield flyte


def _zygotes(server: int) -> list[str]:
    """Return the processes that a server started to fork tasks from."""
    found = subprocess.run(
        ["pgrep", "-P", str(server), "-f", ZYGOTE], capture_output=True, text=True, check=False
    )
    return found.stdout.split()
