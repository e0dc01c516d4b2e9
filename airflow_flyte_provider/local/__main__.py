"""The command line: `python -m airflow_flyte_provider.local`."""

from __future__ import annotations

import argparse
import asyncio
import logging
import math
import re
import sys
from pathlib import Path

from airflow_flyte_provider.local.settings import (
    CLIENT_ID,
    CLIENT_SECRET_FILE,
    DEFAULT_PORT,
    DEFAULT_PROJECTS,
    DEFAULT_TOKEN_LIFETIME,
    Pace,
    ServerSettings,
)
from airflow_flyte_provider.model.web import is_loopback

_LAST_PORT = 65535
#: What FlyteAdmin takes as a project's id: a label of Kubernetes (DNS-1123).
_PROJECT = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def main(arguments: list[str] | None = None) -> int:
    """Run a server in the foreground.

    :param arguments: command line without the program's name, None for the process's own.
    :return: exit code: 0 when it was asked to stop, 1 when it could not start.
    """
    parser = _parser()
    chosen = parser.parse_args(arguments)
    if (chosen.tls_cert is None) != (chosen.tls_key is None):
        parser.error("--tls-cert and --tls-key go together")
    if not chosen.allow_remote and not is_loopback(chosen.host):
        return _refuse(
            f"{chosen.host} is not a loopback address. This server runs any code it is given, by whoever "
            "reaches it unless --auth is said too; say --allow-remote to let other machines reach it"
        )
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    # what follows loads gRPC and the database, which a refusal above need not wait for
    from airflow_flyte_provider.local.server import Addresses, CannotStart, serve

    def ready(addresses: Addresses) -> None:
        print(f"gRPC endpoint:  {addresses.grpc}")
        print(f"HTTP:           {addresses.http}")
        print(f"console:        {addresses.http}/console/projects/{DEFAULT_PROJECTS[0]}/executions")
        print(f"data directory: {addresses.data_dir}")
        if chosen.auth:
            print(f"client id:      {CLIENT_ID}")
            print(f"client secret:  in {addresses.data_dir / CLIENT_SECRET_FILE}")
        print("local Flyte is ready", flush=True)

    try:
        asyncio.run(serve(_settings(chosen), ready))
    except CannotStart as fault:
        return _refuse(str(fault))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m airflow_flyte_provider.local", description="Flyte on one machine"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument(
        "--port", type=_port, default=DEFAULT_PORT, help="gRPC port, 0 for a free one (default %(default)s)"
    )
    parser.add_argument(
        "--http-port",
        type=_port,
        default=0,
        help="port for uploads, downloads and logs (default: a free one)",
    )
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=Path("flyte-local"),
        help="folder to keep everything in (default %(default)s)",
    )
    parser.add_argument(
        "--database-url", help="SQLAlchemy URL (default: an SQLite file in the data directory)"
    )
    parser.add_argument(
        "--project",
        action="append",
        type=_project,
        metavar="NAME",
        help="project that is there from the start, may be given again",
    )
    parser.add_argument(
        "--echo-seconds",
        type=_duration,
        default=0.0,
        help="how long a task of type echo takes (default %(default)s)",
    )
    parser.add_argument(
        "--cold-tasks",
        action="store_true",
        help="start every Python task as a new process, which imports flytekit for seconds each time",
    )
    parser.add_argument(
        "--start-seconds",
        type=_duration,
        default=Pace.start,
        help="how long a new execution stays without a phase (default %(default)s)",
    )
    parser.add_argument(
        "--allow-remote", action="store_true", help="listen on an address that other machines can reach"
    )
    _add_security(parser)
    return parser


def _add_security(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--auth", action="store_true", help="let only clients in that sign in with the client id and secret"
    )
    parser.add_argument(
        "--token-lifetime",
        type=_seconds,
        default=DEFAULT_TOKEN_LIFETIME,
        metavar="SECONDS",
        help="how long a token is good for (default %(default)s)",
    )
    parser.add_argument("--tls-cert", type=Path, metavar="FILE", help="certificate chain: gRPC by TLS")
    parser.add_argument("--tls-key", type=Path, metavar="FILE", help="private key of the certificate")


def _seconds(text: str) -> int:
    seconds = int(text)
    if seconds < 1:
        raise argparse.ArgumentTypeError("at least 1 second")
    return seconds


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= _LAST_PORT:  # gRPC would take the rest of the division for it, and listen there
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to {_LAST_PORT}")
    return port


def _duration(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < math.inf:
        raise argparse.ArgumentTypeError("0 seconds or more")
    return seconds


def _project(text: str) -> str:
    if not _PROJECT.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no id of a project: letters a to z, digits and '-', beginning and ending with no '-'"
        )
    return text


def _settings(chosen: argparse.Namespace) -> ServerSettings:
    return ServerSettings(
        data_dir=chosen.data_dir.expanduser().resolve(),
        host=chosen.host,
        port=chosen.port,
        http_port=chosen.http_port,
        projects=tuple(dict.fromkeys([*DEFAULT_PROJECTS, *(chosen.project or [])])),
        database_url=chosen.database_url,
        pace=Pace(start=chosen.start_seconds, echo=chosen.echo_seconds),
        warm_tasks=not chosen.cold_tasks,
        auth=chosen.auth,
        token_lifetime=chosen.token_lifetime,
        tls=None if chosen.tls_cert is None else (chosen.tls_cert, chosen.tls_key),
    )


def _refuse(reason: str) -> int:
    print(f"local Flyte can't start: {reason}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
