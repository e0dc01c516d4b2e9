"""What can be set about a server, and the pace at which it works."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DEFAULT_PORT = 30080
DEFAULT_PROJECTS = ("flytesnacks",)
DEFAULT_TOKEN_LIFETIME = 1800
CLIENT_ID = "flytepropeller"  # the one that FlyteAdmin's own authorisation server has for programs
CLIENT_SECRET_FILE = "client-secret"  # noqa: S105 - its name in the data directory, not the secret


def make_data_folder(folder: Path) -> None:
    """Make the data directory if it is not there yet, for its owner alone: the signing key lies in it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)


@dataclass(frozen=True)
class Pace:
    """Delays of the engine, in seconds.

    A real engine works in rounds, so clients see phases that a faster one would skip over; these delays keep
    them visible.

    :param start: how long a new execution stays without a phase.
    :param abort: how long an execution stays ABORTING before its nodes are stopped.
    :param echo: how long an echo task takes.
    :param system_retry: pause before a system failure is tried again.
    """

    start: float = 0.05
    abort: float = 0.5
    echo: float = 0.0
    system_retry: float = 0.05


@dataclass(frozen=True)
class ServerSettings:
    """Where a server listens and what it keeps.

    :param data_dir: absolute path of the folder it keeps everything in.
    :param host: address to listen on.
    :param port: gRPC port, 0 for a free one.
    :param http_port: port for signed addresses, 0 for a free one.
    :param projects: projects that are there from the start.
    :param database_url: SQLAlchemy URL, None for an SQLite file in the data directory.
    :param pace: delays of the engine.
    :param max_processes: Python tasks that run at once, over all executions.
    :param warm_tasks: whether Python tasks start in forks of a process that has imported flytekit already.
    :param auth: whether calls need a token.
    :param token_lifetime: seconds a token is good for.
    :param tls: files with the certificate chain and the key of the gRPC port, None for no TLS.
    """

    data_dir: Path
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    http_port: int = 0
    projects: tuple[str, ...] = DEFAULT_PROJECTS
    database_url: str | None = None
    pace: Pace = Pace()
    max_processes: int = 16
    warm_tasks: bool = True
    auth: bool = False
    token_lifetime: int = DEFAULT_TOKEN_LIFETIME
    tls: tuple[Path, Path] | None = None
