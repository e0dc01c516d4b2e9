"""The data directory and the addresses of what lies in it."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from flyteidl.core import identifier_pb2, literals_pb2
from google.protobuf.message import Message

from airflow_flyte_provider.local.refusal import invalid
from airflow_flyte_provider.local.settings import make_data_folder

_SCHEME = "file://"


@dataclass(frozen=True)
class DataFolder:
    """The one folder the server writes to.

    :param root: absolute path of the data directory.
    """

    root: Path

    @property
    def storage(self) -> Path:
        """What stands for the object store: all that has an address lies below it."""
        return self.root / "storage"

    @property
    def attempts(self) -> Path:
        """Working folders of task attempts, each removed when its attempt is over."""
        return self.root / "attempts"

    @property
    def database_url(self) -> str:
        """URL of the SQLite database."""
        return f"sqlite:///{self.root / 'flyte.db'}"

    def prepare(self) -> None:
        """Make the folders that are not there yet, for their owner alone."""
        make_data_folder(self.root)
        self.storage.mkdir(parents=True, exist_ok=True)
        self.attempts.mkdir(parents=True, exist_ok=True)

    def address(self, path: Path) -> str:
        """Return the `file://` address of a path. Nothing is quoted: flytekit takes the rest for a path."""
        return f"{_SCHEME}{path}"

    def path(self, address: str) -> Path:
        """Return the path of an address of ours.

        :param address: a `file://` address or an absolute path.
        :raises Refusal: INVALID_ARGUMENT when it doesn't lie in the storage folder, by whatever detour.
        """
        if not address.startswith((_SCHEME, "/")):
            raise invalid(f"{address} is not stored by this server")
        return self.contained(Path(address.removeprefix(_SCHEME)))

    def contained(self, path: Path) -> Path:
        """Return `path` with links and dots resolved.

        :raises Refusal: INVALID_ARGUMENT when it lies outside the storage folder.
        """
        resolved = path.resolve() if path.is_absolute() else (self.storage / path).resolve()
        if not resolved.is_relative_to(self.storage.resolve()):
            raise invalid(f"{path} is not stored by this server")
        return resolved

    def execution(self, project: str, domain: str, name: str) -> Path:
        """Return the folder of an execution's inputs and outputs."""
        return self.storage / "metadata" / "propeller" / f"{project}-{domain}-{name}"

    def logs(self, project: str, domain: str, name: str) -> Path:
        """Return the folder of the logs of an execution's tasks."""
        return self.storage / "logs" / f"{project}-{domain}-{name}"


def local_folder(address: str) -> Path | None:
    """Return the folder of this machine that an address names, None for one in some other store.

    :param address: a `file://` address, an absolute path, or anything else.
    """
    return Path(address.removeprefix(_SCHEME)) if address.startswith((_SCHEME + "/", "/")) else None


def log_page(http_url: str, execution: identifier_pb2.WorkflowExecutionIdentifier, log: Path) -> str:
    """Return the address of the console's page with a task's log. It is not signed: the console asks who is there.

    :param http_url: URL of the HTTP server.
    :param execution: the execution.
    :param log: the log's file.
    """
    parts = [quote(part, safe="") for part in (execution.project, execution.domain, execution.name, log.name)]
    return "{}/console/projects/{}/domains/{}/executions/{}/logs/{}".format(http_url, *parts)


def write_literals(path: Path, literals: literals_pb2.LiteralMap) -> None:
    """Write a literal map so that a reader finds all of it or nothing."""
    write_message(path, literals)


def write_message(path: Path, message: Message) -> None:
    """Write a message so that a reader finds all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    draft.write_bytes(message.SerializeToString())
    os.replace(draft, path)


def read_literals(path: Path) -> literals_pb2.LiteralMap:
    """Return a literal map from a file, an empty one when there is no such file."""
    try:
        return literals_pb2.LiteralMap.FromString(path.read_bytes())
    except FileNotFoundError:
        return literals_pb2.LiteralMap()
