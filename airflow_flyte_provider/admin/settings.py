"""How to reach one Flyte: plain values, checked once."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from airflow_flyte_provider.exceptions import FlyteConfigError
from airflow_flyte_provider.model.identifiers import ExecutionId
from airflow_flyte_provider.model.suggestions import nearest

#: Seconds one call may take, retries included, where the connection says nothing else.
DEFAULT_CALL_TIMEOUT = 30.0

_KNOWN_EXTRAS = ("project", "domain", "insecure", "ca_cert_file", "console_url", "call_timeout", "deployment")
_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off", ""})


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that says which Flyte is spoken to, and how.

    :param endpoint: host and port of FlyteAdmin's gRPC service, as in `flyte.example.com:443`.
    :param insecure: speak plaintext; the default is TLS.
    :param ca_cert_file: PEM file to trust instead of the system's roots.
    :param console_url: base address of the Flyte console, without a path. None derives it from the endpoint.
    :param call_timeout: seconds one call may take, retries included.
    :param project: project used where a call names none.
    :param domain: domain used where a call names none.
    :param deployment: the name of this Airflow, where several launch into one Flyte project and domain.
    """

    endpoint: str
    insecure: bool = False
    ca_cert_file: str | None = None
    console_url: str | None = None
    call_timeout: float = DEFAULT_CALL_TIMEOUT
    project: str | None = None
    domain: str | None = None
    deployment: str = ""

    @classmethod
    def from_fields(
        cls, *, conn_id: str, host: str | None, port: int | None, extra: Mapping[str, Any]
    ) -> Settings:
        """Read the settings from the fields of an Airflow connection.

        :param conn_id: the connection's id, for messages.
        :param host: host of FlyteAdmin, with or without a `dns:///` or `https://` scheme and a port.
        :param port: port; default 443, or 80 when `insecure`.
        :param extra: the connection's extra fields. Fields this provider does not know are not read:
            see `unknown_extras`.
        :raises FlyteConfigError: naming the field that cannot be used, its value and what it takes.
        """
        fields = _Fields(conn_id, extra)
        insecure = fields.flag("insecure")
        return cls(
            endpoint=_endpoint(conn_id, host, port, default_port=80 if insecure else 443),
            insecure=insecure,
            ca_cert_file=fields.file("ca_cert_file"),
            console_url=fields.text("console_url"),
            call_timeout=fields.seconds("call_timeout", DEFAULT_CALL_TIMEOUT),
            project=fields.text("project"),
            domain=fields.text("domain"),
            deployment=fields.text("deployment") or "",
        )

    def execution_url(self, execution: ExecutionId, node_id: str = "") -> str:
        """Return the address of `execution`, or of one of its nodes, in the Flyte console.

        The console is served beside FlyteAdmin unless `console_url` says where it is.
        """
        base = self.console_url or f"{'http' if self.insecure else 'https'}://{self.endpoint}"
        parts = (quote(part, safe="") for part in (execution.project, execution.domain, execution.name))
        url = "{}/console/projects/{}/domains/{}/executions/{}".format(base.rstrip("/"), *parts)
        return f"{url}/nodeId/{quote(node_id, safe='')}/nodes" if node_id else url


def unknown_extras(extra: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the extra fields that `Settings` does not know, each with the known names nearest to it."""
    return {key: nearest(key, _KNOWN_EXTRAS) for key in extra if key not in _KNOWN_EXTRAS}


#: A host name, an IPv4 address or an IPv6 address in brackets, and perhaps a port.
_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.%\w]+\]|[^\s:/\[\]]+)(:(?P<port>[0-9]{1,5}))?")


def _endpoint(conn_id: str, host: str | None, port: int | None, default_port: int) -> str:
    given = (host or "").strip()
    for scheme in ("dns:///", "https://", "http://"):
        given = given.removeprefix(scheme)
    given = given.rstrip("/")
    if given.count(":") > 1 and "[" not in given:  # a bare IPv6 address
        given = f"[{given}]"
    found = _HOST.fullmatch(given)
    if not found or not 0 < int(port or found["port"] or default_port) < 65536:
        raise FlyteConfigError(
            f"Connection {conn_id!r} has {f'the host {host!r}' if host else 'no host'}. "
            "Set it to the host of FlyteAdmin, for example flyte.example.com or flyte.example.com:443."
        )
    return f"{found['name']}:{port or found['port'] or default_port}"


class _Fields:
    """The extra fields of one connection, read with errors that name the connection and the field."""

    def __init__(self, conn_id: str, extra: Mapping[str, Any]) -> None:
        self.conn_id = conn_id
        self.extra = extra

    def _wrong(self, key: str, takes: str) -> FlyteConfigError:
        return FlyteConfigError(
            f"Connection {self.conn_id!r}: the extra field {key!r} is {self.extra[key]!r:.100}; it takes {takes}."
        )

    def text(self, key: str) -> str | None:
        value = self.extra.get(key)
        if value is not None and not isinstance(value, str):
            raise self._wrong(key, "a text")
        return value.strip() or None if value else None

    def file(self, key: str) -> str | None:
        path = self.text(key)
        if path and not Path(path).is_file():
            raise self._wrong(key, "the path of a file that this worker can read")
        return path

    def flag(self, key: str) -> bool:
        value = self.extra.get(key)
        if value is None or isinstance(value, bool):
            return bool(value)
        text = str(value).strip().lower()
        if text not in _TRUE | _FALSE:
            raise self._wrong(key, "true or false")
        return text in _TRUE

    def seconds(self, key: str, default: float) -> float:
        value = self.extra.get(key)
        if value is None or value == "":
            return default
        try:
            seconds = float(value)
        except (TypeError, ValueError):
            seconds = math.nan
        if not 0 < seconds < math.inf:
            raise self._wrong(key, "a number of seconds above 0")
        return seconds
