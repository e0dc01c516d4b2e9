"""`make demo`: a DAG runs a real workflow on a Flyte on this machine, from nothing to its outputs.

Each step is printed with its time. Everything lies in a temporary folder and ends with the demo.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from airflow_flyte_provider.local import LocalFlyte

ROOT = Path(__file__).resolve().parent.parent
DAGS = ROOT / "example_dags"
BIN = Path(sys.executable).parent
DAG_ID = "flyte_execute"
#: The task of that DAG which uses the outputs; what it prints is shown.
USING_TASK = "announce"

#: What Airflow logs at the steps worth showing.
_TOLD = re.compile(
    r"(Launched launch plan .*|Execution \S+: http\S+|Execution \S+ succeeded with .*|"
    r"\[DAG TEST\] starting task_id=\S+)"
)
_LOG_LINE = re.compile(r"\d{4}-\d\d-\d\dT|Traceback|\s|\[")
_STARTED = time.monotonic()


def say(text: str) -> None:
    """Print a line with the seconds since the start."""
    print(f"[{time.monotonic() - _STARTED:6.1f} s] {text}", flush=True)


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say when a step begins, and how long it took."""
    say(f"{what} ...")
    began = time.monotonic()
    yield
    say(f"  done in {time.monotonic() - began:.1f} s")


def run(command: list[str], env: dict[str, str]) -> None:
    """Run a command; when it fails, show all it said and end the demo."""
    done = subprocess.run(command, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        sys.exit(f"{done.stdout}\n{' '.join(command)} ended with {done.returncode}")


def run_dag(env: dict[str, str]) -> None:
    """Run the DAG by `airflow dags test`, and show what it logs at each step and what its tasks print."""
    command = [str(BIN / "airflow"), "dags", "test", DAG_ID]
    said: list[str] = []
    succeeded = False
    with subprocess.Popen(
        command,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
    ) as process:
        task = ""
        for line in process.stdout or ():
            said.append(line)
            succeeded = succeeded or ("state=success" in line and "DagRun Finished" in line)
            if told := _TOLD.search(line):
                text = told.group(1).split(" [airflow", 1)[0].rstrip()
                task = text.rpartition("=")[2] if "task_id=" in text else task
                say(f"  Airflow: {text.replace('[DAG TEST] ', '')}")
            elif task == USING_TASK and not _LOG_LINE.match(line):
                print(f"{'':>12}| {line.rstrip()}", flush=True)
    if process.returncode or not succeeded:
        sys.exit(f"{''.join(said)}\nThe DAG run did not succeed (exit code {process.returncode}).")


def main() -> None:
    """Run the demo."""
    say("airflow-provider for Flyte: a DAG executes a Flyte workflow and uses its outputs")
    with tempfile.TemporaryDirectory(prefix="flyte-demo-") as folder, LocalFlyte() as flyte:
        pages = f"{flyte.http_url}/console/projects/flytesnacks/executions"
        say(f"Flyte is up on {flyte.endpoint}; to look at it while this runs: {pages}")
        host, _, port = flyte.endpoint.rpartition(":")
        config = Path(folder, "flyte.yaml")
        config.write_text(f"admin:\n  endpoint: dns:///{flyte.endpoint}\n  insecure: true\n")
        connection = {
            "conn_type": "flyte",
            "host": host,
            "port": int(port),
            "extra": {
                "insecure": True,
                "project": "flytesnacks",
                "domain": "development",
                "console_url": flyte.http_url,
            },
        }
        env = {
            **os.environ,
            "AIRFLOW_HOME": folder,
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
            "AIRFLOW_CONN_FLYTE_DEFAULT": json.dumps(connection),
        }
        with step("Registering flyte_workflows/sales.py by flytekit's own `pyflyte register`"):
            pyflyte = [str(BIN / "pyflyte"), "--config", str(config), "register"]
            target = ["--project", "flytesnacks", "--domain", "development", "--version", "demo"]
            run([*pyflyte, *target, str(DAGS / "flyte_workflows")], env)
        with step("Making Airflow's database"):
            run([str(BIN / "airflow"), "db", "migrate"], env)
        with step(f"Running the DAG by `airflow dags test {DAG_ID}`"):
            run_dag(env)
    say("That was it: registered, launched, waited for without a worker, outputs used downstream.")
    say("All of this is gone now. To keep a Flyte and use it from your own Airflow: docs/local.md")


if __name__ == "__main__":
    main()
