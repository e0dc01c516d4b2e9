"""Puts the server together and keeps it running until it is told to stop."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import ssl
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
from flyteidl.service import (
    admin_pb2_grpc,
    auth_pb2_grpc,
    dataproxy_pb2_grpc,
    identity_pb2_grpc,
    signal_pb2_grpc,
)
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from sqlalchemy.exc import SQLAlchemyError

from airflow_flyte_provider.local.console import Console
from airflow_flyte_provider.local.engine.catalog import Catalog
from airflow_flyte_provider.local.engine.engine import Engine
from airflow_flyte_provider.local.engine.notices import Notices
from airflow_flyte_provider.local.engine.process import ProcessRunner
from airflow_flyte_provider.local.engine.runner import EchoRunner
from airflow_flyte_provider.local.engine.world import World
from airflow_flyte_provider.local.files.folder import DataFolder
from airflow_flyte_provider.local.files.http import FileServer
from airflow_flyte_provider.local.files.signing import Signer
from airflow_flyte_provider.local.service.admin import AdminService, ProjectCalls, VersionCalls
from airflow_flyte_provider.local.service.auth import AuthMetadataService, IdentityService
from airflow_flyte_provider.local.service.counts import CallCounts
from airflow_flyte_provider.local.service.dataproxy import DataProxyService
from airflow_flyte_provider.local.service.entities import EntityCalls
from airflow_flyte_provider.local.service.executions import ExecutionCalls
from airflow_flyte_provider.local.service.interceptor import Statuses
from airflow_flyte_provider.local.service.launching import Launching
from airflow_flyte_provider.local.service.registration import Registration
from airflow_flyte_provider.local.service.sign_in import SignIn
from airflow_flyte_provider.local.service.signals import SignalService
from airflow_flyte_provider.local.settings import ServerSettings
from airflow_flyte_provider.local.store.catalog import CatalogStore
from airflow_flyte_provider.local.store.database import open_database
from airflow_flyte_provider.local.store.entities import EntityStore
from airflow_flyte_provider.local.store.executions import ExecutionStore
from airflow_flyte_provider.local.store.projects import ProjectStore

if TYPE_CHECKING:
    from sqlalchemy.engine import Engine as Database

    from airflow_flyte_provider.local.auth.authority import Authority
    from airflow_flyte_provider.local.auth.endpoints import Endpoints

_MAX_MESSAGE = 100 * 1024 * 1024  # bytes, as Flyte's own charts set it
_SERVICES = ("AdminService", "SignalService", "DataProxyService", "AuthMetadataService", "IdentityService")
_OPTIONS = [
    ("grpc.max_receive_message_length", _MAX_MESSAGE),
    ("grpc.max_send_message_length", _MAX_MESSAGE),
    ("grpc.so_reuseport", 0),
    # clients may ping as often as they like: a watch can be idle for long
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 1000),
]


class CannotStart(Exception):  # noqa: N818 - read by a person, who need not know it is an exception
    """A server that can't start, with the reason in words for its user."""


@dataclass(frozen=True)
class Addresses:
    """Where a running server is reached.

    :param grpc: host and port of the gRPC services.
    :param http: URL of the file server.
    :param data_dir: its data directory.
    """

    grpc: str
    http: str
    data_dir: Path


async def serve(settings: ServerSettings, ready: Callable[[Addresses], None]) -> None:
    """Run a server until SIGINT or SIGTERM, or until its parent closes the pipe it gave.

    :param settings: where to listen and what to keep.
    :param ready: called once all ports answer.
    :raises CannotStart: when the data directory or a port is in use, or the database can't be opened.
    """
    folder = DataFolder(settings.data_dir)
    folder.prepare()
    lock = _lock(folder.root)
    try:
        await _serve_locked(settings, folder, ready)
    finally:
        os.close(lock)


async def _serve_locked(
    settings: ServerSettings, folder: DataFolder, ready: Callable[[Addresses], None]
) -> None:
    try:
        files = FileServer(settings.host, settings.http_port, folder)
    except OSError as fault:
        raise CannotStart(f"HTTP port {settings.http_port} of {settings.host}: {fault.strerror}") from None
    try:
        http_url = f"http://{_shown(settings.host)}:{files.port}"
        authority = _authority(settings, folder, http_url)
        guards = [] if authority is None else [SignIn(authority)]
        counts = CallCounts()
        server = grpc.aio.server(interceptors=[*guards, Statuses(counts)], options=_OPTIONS)
        port = _bind(server, settings)
        database = _open_database(settings.database_url or folder.database_url)
        projects = ProjectStore(database)
        projects.ensure(settings.projects)
        signer = Signer(projects.secret("signing-key"), http_url, folder.storage)
        processes = ProcessRunner(folder.attempts, settings.max_processes, warm=settings.warm_tasks)
        processes.sweep()
        world = World(
            executions=ExecutionStore(database),
            entities=EntityStore(database),
            folder=folder,
            http_url=http_url,
            notices=Notices(),
            catalog=Catalog(CatalogStore(database)),
            pace=settings.pace,
            echo=EchoRunner(settings.pace.echo),
            processes=processes,
        )
        engine = Engine(world)
        registration = Registration(projects, world.entities, processes.expect)
        launching = await _add_services(server, world, projects, engine, registration, authority, signer)
        # before anyone is told that the server is ready, for they may ask it to stop at once
        stop = _stop_event()
        files.start(signer, Console(world.executions, folder).page, counts.page, _oauth(authority, counts))
        await server.start()
        engine.resume(launching)
        ready(Addresses(f"{settings.host}:{port}", http_url, folder.root))
        newest = world.entities.newest_python_task()
        if newest is not None:
            processes.expect(newest)
        await stop.wait()
        await server.stop(grace=1.0)
        await engine.stop()
        await processes.close()
        database.dispose()
    finally:
        files.stop()


async def _add_services(
    server: grpc.aio.Server,
    world: World,
    projects: ProjectStore,
    engine: Engine,
    registration: Registration,
    authority: Authority | None,
    signer: Signer,
) -> Launching:
    launching = Launching(projects, world.entities, world.executions, registration, engine)
    executions = ExecutionCalls(world.executions, world.entities, world.folder, launching)
    admin = AdminService(
        EntityCalls(world.entities, registration), executions, ProjectCalls(projects), VersionCalls()
    )
    proxy = DataProxyService(world.folder, signer, world.executions, executions)
    admin_pb2_grpc.add_AdminServiceServicer_to_server(admin, server)
    signals = SignalService(world.executions, world.notices)
    signal_pb2_grpc.add_SignalServiceServicer_to_server(signals, server)
    dataproxy_pb2_grpc.add_DataProxyServiceServicer_to_server(proxy, server)
    auth_pb2_grpc.add_AuthMetadataServiceServicer_to_server(AuthMetadataService(authority), server)
    identity_pb2_grpc.add_IdentityServiceServicer_to_server(IdentityService(authority), server)
    await _add_standard_services(server)
    return launching


async def _add_standard_services(server: grpc.aio.Server) -> None:
    """Add health checks and reflection."""
    names = [f"flyteidl.service.{name}" for name in _SERVICES]
    checks = health.aio.HealthServicer()
    for name in ["", *names]:
        await checks.set(name, health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    reflection.enable_server_reflection([*names, health.SERVICE_NAME, reflection.SERVICE_NAME], server)


def _lock(root: Path) -> int:
    """Take the data directory for this process alone; the system gives it back however the process ends."""
    lock = os.open(root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise CannotStart(f"another server is running on the data directory {root}") from None
    return lock


def _authority(settings: ServerSettings, folder: DataFolder, http_url: str) -> Authority | None:
    """Return the authorisation server, None without sign-in, which then loads no cryptography."""
    if not settings.auth:
        return None
    from airflow_flyte_provider.local.auth.authority import Authority

    return Authority(http_url, folder.root, settings.token_lifetime)


def _oauth(authority: Authority | None, counts: CallCounts) -> Endpoints | None:
    if authority is None:
        return None
    from airflow_flyte_provider.local.auth.endpoints import Endpoints

    return Endpoints(authority, counts.add_token_request)


def _bind(server: grpc.aio.Server, settings: ServerSettings) -> int:
    address = f"{_shown(settings.host)}:{settings.port}"
    try:
        if settings.tls is None:
            port = server.add_insecure_port(address)
        else:
            port = server.add_secure_port(address, _credentials(*settings.tls))
    except RuntimeError:
        port = 0
    if not port:
        raise CannotStart(f"gRPC port {settings.port} of {settings.host} is in use or can't be had")
    return int(port)


def _open_database(url: str) -> Database:
    try:
        return open_database(url)
    except (SQLAlchemyError, ImportError) as fault:  # ImportError: the driver that the URL names is not here
        raise CannotStart(f"the database: {str(fault).splitlines()[0]}") from None


def _credentials(certificate: Path, key: Path) -> grpc.ServerCredentials:
    try:
        pair = key.read_bytes(), certificate.read_bytes()
        # gRPC would take files that don't fit for a port that is in use; no password: nobody is there to ask
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
    except OSError as fault:
        raise CannotStart(f"TLS with {certificate} and {key}: {fault.strerror}") from None
    return grpc.ssl_server_credentials([pair])


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _stop_event() -> asyncio.Event:
    """Return an event that SIGINT, SIGTERM and the end of the parent set."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if os.environ.get("FLYTE_LOCAL_PARENT_PIPE") == "stdin":
        _watch_parent(loop, stop)
    return stop


def _watch_parent(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Stop when the parent's end of standard input is closed, which happens however the parent ends."""
    pipe: Any = sys.stdin.fileno()

    def readable() -> None:
        if not os.read(pipe, 64):
            loop.remove_reader(pipe)
            stop.set()

    loop.add_reader(pipe, readable)
