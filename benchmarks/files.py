"""A large file into Flyte and out of it, and how much memory that takes the worker.

`python -m benchmarks.files --size 1024`: uploads a file of that many MiB to a local Flyte as an input of an execution,
and downloads it again over a signed address. Each way runs in a process of its own, whose peak of memory is
compared with what it has when hook and client are ready. The last line is JSON with the figures.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from airflow_flyte_provider.local import LocalFlyte

MIB = 1024 * 1024
TASK = "benchmark.echo_file"


def main() -> None:
    """Measure both ways and print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--size", type=int, default=1024, help="MiB of the file")
    size = arguments.parse_args().size
    with tempfile.TemporaryDirectory(prefix="benchmark-files-") as folder, LocalFlyte() as flyte:
        source, target = Path(folder, "source.bin"), Path(folder, "target.bin")
        digest = make(source, size)
        print(f"{size} MiB of random bytes in {source}")
        env = environment(Path(folder), flyte.endpoint)
        up = measured("upload", env, str(source))
        # Flyte's own address of it: one that this machine cannot resolve, so that Flyte must sign for it.
        stored = "file://" + up["uri"].removeprefix(f"{flyte.data_dir}/storage/")
        source.unlink()
        down = measured("download", env, stored, str(target))
        if digest_of(target) != digest:
            sys.exit("what came out is not what went in")
    for name, figures in (("upload", up), ("download", down)):
        print(
            f"{name:8} {figures['seconds']:6.1f} s  {size / figures['seconds']:6.0f} MiB/s  "
            f"{figures['extra_mib']:5.1f} MiB of memory more than the {figures['base_mib']:.0f} MiB at rest"
        )
    told = {"size_mib": size}
    told |= {"upload_extra_mib": up["extra_mib"], "download_extra_mib": down["extra_mib"]}
    told |= {"upload_s": up["seconds"], "download_s": down["seconds"]}
    print(json.dumps(told))


def make(path: Path, size: int) -> str:
    """Write a file of random bytes and return its SHA-256."""
    content = hashlib.sha256()
    with path.open("wb") as target:
        for _ in range(size):
            chunk = os.urandom(MIB)
            content.update(chunk)
            target.write(chunk)
    return content.hexdigest()


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    content = hashlib.sha256()
    with path.open("rb") as source:
        while chunk := source.read(MIB):
            content.update(chunk)
    return content.hexdigest()


def environment(folder: Path, endpoint: str) -> dict[str, str]:
    """Return the environment of a worker: an Airflow home of its own, and a connection to the local Flyte."""
    host, _, port = endpoint.rpartition(":")
    extra = {"project": "flytesnacks", "domain": "development", "insecure": True}
    connection = {"conn_type": "flyte", "host": host, "port": int(port), "extra": extra}
    return {**os.environ, "AIRFLOW_HOME": str(folder), "AIRFLOW_CONN_FLYTE_DEFAULT": json.dumps(connection)}


def measured(way: str, env: dict[str, str], *arguments: str) -> dict[str, Any]:
    """Run `upload` or `download` in a fresh process and return what it measured."""
    command = [sys.executable, "-c", f"from benchmarks import files; files.{way}(*{arguments!r})"]
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def upload(source: str) -> None:
    """Give a file to an execution; run in a process of its own."""
    from airflow_flyte_provider.hooks.flyte import FlyteHook
    from airflow_flyte_provider.model.files import FlyteFile

    hook = FlyteHook()
    register(hook)
    task = hook.fetch_task(TASK)
    execution: Any = None

    def go() -> None:
        nonlocal execution
        execution = hook.execute(task, {"a": FlyteFile(source)}).id

    warm = Path(source).with_name("small.bin")
    warm.write_bytes(b"x")
    hook.execute(task, {"a": FlyteFile(warm)})
    figures = watched(go)
    print(json.dumps({**figures, "uri": hook.get_inputs(execution)["a"].uri}))


def download(uri: str, target: str) -> None:
    """Download a file over a signed address; run in a process of its own."""
    from airflow_flyte_provider.exceptions import FlyteTransferError
    from airflow_flyte_provider.hooks.flyte import FlyteHook

    hook = FlyteHook()
    try:
        hook.download(f"{uri}.none", to=target)  # loads all that a download needs
    except FlyteTransferError:
        print(json.dumps(watched(lambda: hook.download(uri, to=target))))


def watched(go: Callable[[], object]) -> dict[str, float]:
    """Run something and return how long it took and how much the process's peak of memory has grown."""
    base = resident_mib()
    began = time.perf_counter()
    go()
    seconds = time.perf_counter() - began
    return {
        "seconds": round(seconds, 2),
        "base_mib": round(base, 1),
        "extra_mib": round(peak_mib() - base, 1),
    }


def resident_mib() -> float:
    """Return the memory that this process has now, in MiB; where the system does not tell, the most it has had."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return peak_mib()
    return pages * resource.getpagesize() / MIB


def peak_mib() -> float:
    """Return the most memory that this process has had at a time, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (MIB if sys.platform == "darwin" else 1024)


def register(hook: Any) -> None:
    """Register a task that returns the file it is given."""
    from flyteidl.admin import task_pb2
    from flyteidl.core import identifier_pb2

    from airflow_flyte_provider.admin.client import Call

    request = task_pb2.TaskCreateRequest()
    request.id.resource_type = identifier_pb2.TASK
    request.id.project, request.id.domain = hook.project, hook.domain
    request.id.name, request.id.version = TASK, "1"
    request.spec.template.type = "echo"
    request.spec.template.metadata.SetInParent()
    interface = request.spec.template.interface
    interface.inputs.variables["a"].type.blob.SetInParent()
    interface.outputs.variables["a"].type.blob.SetInParent()

    def create():
        yield Call("CreateTask", request, "registering the benchmark's task")

    hook.run(create())


if __name__ == "__main__":
    main()
