"""A local Flyte as an object: started, stopped, killed and restarted from Python. Standard library only."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from airflow_flyte_provider.local.settings import CLIENT_ID, CLIENT_SECRET_FILE, make_data_folder

_READY = "local Flyte is ready"
_POLL = 0.01  # seconds between looks at the log while it starts
_TAIL = 3000  # characters of the log that an error quotes


class LocalFlyteError(RuntimeError):
    """A local Flyte that did not start, with the end of its log."""


class LocalFlyte:
    """A local Flyte in a process of its own, which ends with this one at the latest.

    :param data_dir: folder it keeps everything in; a temporary one, removed by `stop`, when not given.
    :param port: gRPC port, 0 for a free one.
    :param http_port: port for uploads, downloads and logs, 0 for a free one.
    :param projects: projects that are there from the start, beside `flytesnacks`.
    :param auth: whether calls need a token, which `client_id` and `client_secret` get.
    :param env: environment variables for it and its tasks, beside those of this process.
    :param arguments: further arguments of the command line.
    :param start_timeout: seconds it may take to be ready.

    >>> with LocalFlyte() as flyte:  # doctest: +SKIP
    ...     print(flyte.endpoint)
    127.0.0.1:41357
    """

    def __init__(
        self,
        data_dir: str | os.PathLike[str] | None = None,
        port: int = 0,
        http_port: int = 0,
        *,
        projects: Sequence[str] = (),
        auth: bool = False,
        env: Mapping[str, str] | None = None,
        arguments: Sequence[str] = (),
        start_timeout: float = 30.0,
    ) -> None:
        self._chosen_dir = None if data_dir is None else Path(data_dir).resolve()
        self._data_dir = self._chosen_dir
        self._port = port
        self._http_port = http_port
        self._projects = tuple(projects)
        self._auth = auth
        self._env = dict(env or {})
        self._arguments = tuple(arguments)
        self._start_timeout = start_timeout
        self._process: subprocess.Popen[bytes] | None = None
        self._endpoint = ""
        self._http_url = ""

    @property
    def endpoint(self) -> str:
        """Host and port of the gRPC services, such as `127.0.0.1:41357`. Kept over a restart."""
        return self._endpoint

    @property
    def http_url(self) -> str:
        """URL of the server behind signed addresses. Kept over a restart."""
        return self._http_url

    @property
    def data_dir(self) -> Path:
        """The folder it keeps everything in.

        :raises LocalFlyteError: before the first start, when none was chosen.
        """
        if self._data_dir is None:
            raise LocalFlyteError("the local Flyte has not been started, so it has no data directory yet")
        return self._data_dir

    @property
    def client_id(self) -> str:
        """The client that is let in when it was started with `auth`."""
        return CLIENT_ID

    @property
    def client_secret(self) -> str:
        """The client's secret.

        :raises LocalFlyteError: when it has not been started with `auth` yet.
        """
        try:
            return (self.data_dir / CLIENT_SECRET_FILE).read_text()
        except FileNotFoundError:
            raise LocalFlyteError("no client secret: it has not been started with auth=True yet") from None

    @property
    def log_path(self) -> Path:
        """The file with what the server prints."""
        return self.data_dir / "server.log"

    @property
    def pid(self) -> int:
        """Process id of the running server, 0 when none runs."""
        return self._process.pid if self._process is not None else 0

    def calls(self) -> dict[str, int]:
        """Return how often each method has been called since the start: `{"CreateExecution": 3, ...}`.

        For tests that must not ask Flyte more often than they need to. FlyteAdmin tells the same on its
        metrics page, in the counter `grpc_server_handled_total`.
        """
        counts: Counter[str] = Counter()
        for method, number in re.findall(r'grpc_method="(\w+)".*\} (\d+)', self._metrics()):
            counts[method] += int(number)
        return dict(counts)

    def token_requests(self) -> dict[int, int]:
        """Return how often a token has been asked for since the start, by HTTP status: `{200: 1, 401: 2}`."""
        found = re.findall(r'oauth2_token_requests_total\{code="(\d+)"\} (\d+)', self._metrics())
        return {int(status): int(number) for status, number in found}

    def start(self) -> LocalFlyte:
        """Start the server and wait until it answers. Returns this object.

        :raises LocalFlyteError: when it ends or takes too long before it is ready.
        """
        if self._process is not None:
            raise LocalFlyteError("the local Flyte is running already")
        if self._data_dir is None:
            self._data_dir = Path(tempfile.mkdtemp(prefix="local-flyte-"))
        make_data_folder(self._data_dir)
        begin = self.log_path.stat().st_size if self.log_path.exists() else 0
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                self._command(),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={**os.environ, **self._env, "FLYTE_LOCAL_PARENT_PIPE": "stdin"},
                start_new_session=True,
            )
        try:
            self._await_ready(begin)
        except BaseException:
            self.kill()
            raise
        return self

    def stop(self) -> None:
        """Stop the server cleanly; executions that run go on when it is started again.

        A temporary data directory is removed.
        """
        self._end(signal.SIGTERM)
        if self._chosen_dir is None and self._data_dir is not None:
            shutil.rmtree(self._data_dir, ignore_errors=True)
            self._data_dir = None

    def kill(self) -> None:
        """End the server at once with SIGKILL, as a crash would. Its data directory stays."""
        self._end(signal.SIGKILL)

    def restart(self) -> LocalFlyte:
        """Stop the server, if it runs, and start it with the same data and ports. Returns this object."""
        self._end(signal.SIGTERM)
        if self._endpoint:
            self._port = int(self._endpoint.rsplit(":", 1)[1])
            self._http_port = int(self._http_url.rsplit(":", 1)[1])
        return self.start()

    def __enter__(self) -> LocalFlyte:
        return self if self._process is not None else self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _metrics(self) -> str:
        with urllib.request.urlopen(f"{self.http_url}/metrics", timeout=10) as page:  # noqa: S310 - our own
            return page.read().decode()

    def _command(self) -> list[str]:
        chosen = ["--port", str(self._port), "--http-port", str(self._http_port)]
        chosen += ["--data-dir", str(self.data_dir)]
        for project in self._projects:
            chosen += ["--project", project]
        if self._auth:
            chosen.append("--auth")
        return [sys.executable, "-m", "airflow_flyte_provider.local", *chosen, *self._arguments]

    def _await_ready(self, begin: int) -> None:
        deadline = time.monotonic() + self._start_timeout
        while True:
            text = self._log_from(begin)
            if _READY in text:
                told = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
                self._endpoint = told["gRPC endpoint"].strip()
                self._http_url = told["HTTP"].strip()
                return
            if self._process is None or self._process.poll() is not None:
                raise LocalFlyteError(f"the local Flyte ended before it was ready:\n{text[-_TAIL:]}")
            if time.monotonic() > deadline:
                raise LocalFlyteError(
                    f"the local Flyte was not ready after {self._start_timeout:g} s:\n{text[-_TAIL:]}"
                )
            time.sleep(_POLL)

    def _log_from(self, begin: int) -> str:
        with self.log_path.open("rb") as log:
            log.seek(begin)
            return log.read().decode(errors="replace")

    def _end(self, number: int) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(number)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
