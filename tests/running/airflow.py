"""A real Airflow: scheduler with LocalExecutor, triggerer, API server, DAG processor, and what may befall them."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType

import httpx

from tests.dag_runs import AIRFLOW_2
from tests.running.environment import commands, environment, free_port, quiet_airflow
from tests.running.processes import Component, descendants, kill, living
from tests.running.rest import Rest, TaskInstance

_WORKER = re.compile(r"airflow worker -- LocalExecutor[^:]*: (?!<idle>)(.+)")

#: What Airflow's health tells of.
_PARTS = ("metadatabase", "scheduler", "triggerer", *(() if AIRFLOW_2 else ("dag_processor",)))


class RunningAirflowError(RuntimeError):
    """What an Airflow was waited for in vain, with the end of its components' logs."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A process of the executor that runs a task.

    :param pid: the process that watches over the task.
    :param task: what it says it runs: the id of the task instance, on Airflow 2 the command.
    :param below: the processes that do the task's work.
    """

    pid: int
    task: str
    below: tuple[int, ...]

    def runs(self, task_instance: TaskInstance) -> bool:
        """Return whether it runs this task instance."""
        if task_instance.id:
            return task_instance.id in self.task
        one = task_instance
        words = [one.dag_id, one.task_id, one.run_id]
        told = re.findall(r"[^\s'\",\[\]]+", self.task)
        mapped = one.map_index < 0 or ("--map-index" in told and str(one.map_index) in told)
        return all(word in told for word in words) and mapped

    def kill(self) -> None:
        """End it and the task at once by SIGKILL, as a machine does that fails: nobody tells Airflow."""
        kill(self.pid, *self.below)

    def kill_task(self) -> None:
        """End the task alone by SIGKILL, as a machine does that is out of memory: the worker tells Airflow."""
        kill(*self.below)


class RunningAirflow:
    """A real Airflow on this machine, its database in a file, everything on loopback and in one temporary folder.

    :param dags: text of each DAG file by its name. Files may be added later to `dags_folder`.
    :param env: further environment variables of all components, such as connections.
    :param parallelism: how many tasks may run at a time.
    :param standalone: whether `airflow standalone` starts all processes. None of them can be killed by itself then.

    >>> with RunningAirflow({"etl.py": text}, env={"AIRFLOW_CONN_FLYTE_DEFAULT": ...}) as airflow:  # doctest: +SKIP
    ...     airflow.rest.trigger("etl", "run-1")
    ...     airflow.kill("triggerer")
    ...     airflow.restart("triggerer")
    ...     assert airflow.end_of_run("etl", "run-1") == "success"
    """

    def __init__(
        self,
        dags: Mapping[str, str],
        env: Mapping[str, str],
        parallelism: int = 4,
        standalone: bool = False,
    ) -> None:
        self._standalone = standalone
        self._dags = dict(dags)
        self._extra = dict(env)
        self._parallelism = parallelism
        self._components: dict[str, Component] = {}
        self.home = Path()
        self.rest: Rest

    @property
    def dags_folder(self) -> Path:
        """Where the DAG files lie."""
        return self.home / "dags"

    def start(self, timeout: float = 120.0) -> RunningAirflow:
        """Start everything and wait until all is healthy and every DAG file has been read.

        :param timeout: seconds this may take.
        :raises RunningAirflowError: with the components' logs, when it takes longer.
        """
        self.home = Path(tempfile.mkdtemp(prefix="running-airflow-"))
        self.dags_folder.mkdir()
        for name, text in self._dags.items():
            (self.dags_folder / name).write_text(text)
        if AIRFLOW_2:
            (self.home / "webserver_config.py").write_text('AUTH_ROLE_PUBLIC = "Admin"\n')
        port = free_port()
        env = environment(self.home, port, self._parallelism) | self._extra
        airflow = quiet_airflow(self.home / "bin")
        env["PATH"] = f"{airflow.parent}{os.pathsep}{env['PATH']}"
        made = subprocess.run(
            [airflow, "db", "migrate"], env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        if made.returncode:
            shutil.rmtree(self.home, ignore_errors=True)
            raise RunningAirflowError(made.stdout)
        with sqlite3.connect(self.home / "airflow.db") as database:
            database.execute("PRAGMA journal_mode=WAL")  # which Airflow 3 does by itself
        database.close()
        self.rest = Rest(f"http://127.0.0.1:{port}")
        for name, words in commands(self._standalone).items():
            self._components[name] = Component(name, [str(airflow), *words], env, self.home / f"{name}.log")
        try:
            for component in self._components.values():
                component.start()
            self.await_healthy(timeout)
            self.until(lambda: self._knows_all_dags(), timeout, "all DAG files are read")
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End all processes and remove the folder."""
        for component in self._components.values():
            component.kill()
        self._components = {}
        self.rest.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def __enter__(self) -> RunningAirflow:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def kill(self, component: str) -> None:
        """End a component and all that it started by SIGKILL.

        :param component: such as `"triggerer"`.
        """
        self._components[component].kill()

    def terminate(self, component: str) -> None:
        """End a component by SIGTERM, as a deployment does."""
        self._components[component].terminate()

    def restart(self, component: str, timeout: float = 60.0) -> None:
        """Start a component that was killed or terminated, and wait until it works.

        :param component: such as `"triggerer"`.
        :param timeout: seconds this may take.
        """
        began = datetime.now(timezone.utc)
        self._components[component].start()
        part = component.replace("-", "_")
        if part in _PARTS:
            # The health alone would still be that of the one before.
            self.until(lambda: self.rest.heartbeat(part) > began, timeout, f"the {component} is back")
        self.await_healthy(timeout)

    def log_of(self, component: str) -> str:
        """Return the end of what a component printed."""
        return self._components[component].log()

    def workers(self) -> list[Worker]:
        """Return the workers that run a task now."""
        everything = living()
        own = {process.pid: process for process in self._components["scheduler"].processes()}
        found = []
        for process in own.values():
            named = _WORKER.fullmatch(process.title)
            # what a worker has just forked has its title still
            is_worker = named and not _WORKER.fullmatch(
                own[process.parent].title if process.parent in own else ""
            )
            below = tuple(one.pid for one in descendants(process.pid, everything))
            # one that has nobody below it has no task yet, or none any more
            if named and is_worker and below:
                found.append(Worker(process.pid, named.group(1), below))
        return found

    def worker_of(self, task_instance: TaskInstance) -> Worker | None:
        """Return the worker that runs a task instance now, None when there is none."""
        return next((worker for worker in self.workers() if worker.runs(task_instance)), None)

    def await_healthy(self, timeout: float = 60.0) -> None:
        """Wait until every component says that it is healthy."""

        def healthy() -> bool:
            for component in self._components.values():
                if not component.is_running:
                    raise self._fault(f"the {component.name} has ended")
            try:
                told = self.rest.health()
            except httpx.TransportError:
                return False
            return all(told.get(part) == "healthy" for part in _PARTS)

        self.until(healthy, timeout, "Airflow is healthy", pause=0.5)

    def end_of_run(self, dag_id: str, run_id: str, timeout: float = 120.0) -> str:
        """Wait for a DAG run's end and return its state."""
        ended = ("success", "failed")
        self.until(
            lambda: self.rest.run_state(dag_id, run_id) in ended, timeout, f"{dag_id} {run_id} has ended"
        )
        return self.rest.run_state(dag_id, run_id)

    def until(
        self, condition: Callable[[], bool], timeout: float, what: str = "it holds", pause: float = 1.0
    ) -> None:
        """Wait until a condition holds.

        :param condition: what to wait for.
        :param timeout: seconds to wait at most.
        :param what: the condition in words, for the error.
        :param pause: seconds between two looks.
        :raises RunningAirflowError: with the components' logs, when it does not hold in time.
        """
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline:
                raise self._fault(f"waited {timeout:g} s in vain until {what}")
            time.sleep(pause)

    def _knows_all_dags(self) -> bool:
        return len(self.rest.dags()) >= len(self._dags)

    def _fault(self, what: str) -> RunningAirflowError:
        logs = "".join(f"\n--- {one.name}\n{one.log()}" for one in self._components.values())
        return RunningAirflowError(what + logs)
