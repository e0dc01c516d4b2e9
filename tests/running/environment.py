"""What a real Airflow on this machine is told: loopback only, no sign-in, and quick to see that something died."""

from __future__ import annotations

import os
import secrets
import shlex
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.dag_runs import AIRFLOW_2

#: Seconds after its last sign of life until a task, or a triggerer, is taken for dead. A machine that is busy
#: gives signs late: with less than this, tasks that live are taken for dead.
TASK_DIES_AFTER = 15
TRIGGERER_DIES_AFTER = 10

_HEARTBEAT = 2  # seconds between two signs of life

#: The components that start a server of logs.
_LOGGING = ("scheduler", "triggerer")


def free_port() -> int:
    """Return a port of the loopback interface that nobody uses now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def environment(home: Path, port: int, parallelism: int) -> dict[str, str]:
    """Return the environment of all components of one Airflow.

    :param home: its home; the DAGs lie in `dags` below it.
    :param port: where the API server is to listen.
    :param parallelism: how many tasks may run at a time.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW_")}
    chosen = _both(home, parallelism) | (_airflow_2(home, port) if AIRFLOW_2 else _airflow_3(port))
    # Airflow 2 refuses SQLite for this executor, for fear of writers that do not wait; these do.
    unchecked = {"_AIRFLOW__SKIP_DATABASE_EXECUTOR_COMPATIBILITY_CHECK": "1"} if AIRFLOW_2 else {}
    named = {f"AIRFLOW__{key}": text for key, text in chosen.items()}
    return {**inherited, "AIRFLOW_HOME": str(home), **unchecked, **named}


def commands(standalone: bool) -> Mapping[str, list[str]]:
    """Return the command line of each component by its name, `airflow` left out.

    :param standalone: whether `airflow standalone` is to start them, as one component.
    """
    if standalone:
        return {"standalone": ["standalone"]}
    names = ("webserver", *_LOGGING) if AIRFLOW_2 else ("api-server", *_LOGGING, "dag-processor")
    return {name: [name] for name in names}


def quiet_airflow(folder: Path) -> Path:
    """Write an `airflow` that starts no log servers, and return its path.

    They would listen on every interface, at ports that another Airflow may have, and the API server finds the files
    anyway. There is no setting for it, and `airflow standalone` starts whatever `airflow` comes first on the path.

    :param folder: where to write it; made if need be.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "airflow"
    airflow = shlex.quote(str(Path(sys.executable).with_name("airflow")))
    path.write_text(
        f"""#!/bin/sh
case "$1" in
    {"|".join(_LOGGING)}) exec {airflow} "$@" --skip-serve-logs ;;
    *) exec {airflow} "$@" ;;
esac
"""
    )
    path.chmod(0o755)
    return path


def _both(home: Path, parallelism: int) -> dict[str, str]:
    return {
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__DAGS_FOLDER": str(home / "dags"),
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__EXECUTOR": "LocalExecutor",
        "CORE__PARALLELISM": str(parallelism),
        "CORE__MAX_ACTIVE_TASKS_PER_DAG": "1000",
        "CORE__MAX_ACTIVE_RUNS_PER_DAG": "1000",
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        "API__MAXIMUM_PAGE_LIMIT": "1000",
        "SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
        "SCHEDULER__JOB_HEARTBEAT_SEC": "1",
        # a worker killed between the queue and its task is noticed by this alone
        "SCHEDULER__TASK_QUEUED_TIMEOUT": "40",
        "SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "5",
        "SCHEDULER__NUM_STUCK_IN_QUEUED_RETRIES": "10",
        "TRIGGERER__JOB_HEARTBEAT_SEC": str(_HEARTBEAT),
        "TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": str(TRIGGERER_DIES_AFTER),
        "USAGE_DATA_COLLECTION__ENABLED": "False",
    }


def _airflow_3(port: int) -> dict[str, str]:
    return {
        "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "API__HOST": "127.0.0.1",
        "API__PORT": str(port),
        "API__WORKERS": "1",
        "API__BASE_URL": f"http://127.0.0.1:{port}",
        "API__SECRET_KEY": secrets.token_urlsafe(),
        "API_AUTH__JWT_SECRET": secrets.token_urlsafe(48),
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": str(_HEARTBEAT),
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": str(TASK_DIES_AFTER),
        "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
        "WORKERS__MIN_HEARTBEAT_INTERVAL": str(_HEARTBEAT),
        "DAG_PROCESSOR__REFRESH_INTERVAL": "5",
    }


def _airflow_2(home: Path, port: int) -> dict[str, str]:
    return {
        # Each task process writes here, so each has a minute's patience. On Airflow 3, where the API server writes
        # for all, such patience can hold up the whole server.
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db?timeout=60",
        "API__AUTH_BACKENDS": "airflow.api.auth.backend.default",
        "SCHEDULER__LOCAL_TASK_JOB_HEARTBEAT_SEC": str(_HEARTBEAT),
        "SCHEDULER__SCHEDULER_ZOMBIE_TASK_THRESHOLD": str(TASK_DIES_AFTER),
        "SCHEDULER__ZOMBIE_DETECTION_INTERVAL": "2",
        "SCHEDULER__DAG_DIR_LIST_INTERVAL": "5",
        "SCHEDULER__MIN_FILE_PROCESS_INTERVAL": "10",
        "WEBSERVER__BASE_URL": f"http://127.0.0.1:{port}",
        "WEBSERVER__WEB_SERVER_HOST": "127.0.0.1",
        "WEBSERVER__WEB_SERVER_PORT": str(port),
        "WEBSERVER__WORKERS": "1",
        "WEBSERVER__SECRET_KEY": secrets.token_urlsafe(),
        "WEBSERVER__WEB_SERVER_MASTER_TIMEOUT": "300",
    }
