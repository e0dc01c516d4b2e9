"""How to reach one Flyte: plain values, checked once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from airflow_flyte_provider.admin.auth.sign_in import SIGN_IN_EXTRAS, SignIn
from airflow_flyte_provider.admin.config_file import CONFIG_VARIABLE, with_config_file
from airflow_flyte_provider.admin.fields import Fields
from airflow_flyte_provider.exceptions import FlyteConfigError
from airflow_flyte_provider.model.identifiers import ExecutionId
from airflow_flyte_provider.model.suggestions import nearest
from airflow_flyte_provider.model.web import is_loopback, is_page

#: Seconds one call may take, retries included, where the connection says nothing else.
DEFAULT_CALL_TIMEOUT = 30.0

#: Seconds a connection may be quiet before it is asked whether it lives: a load balancer drops those that are.
DEFAULT_KEEPALIVE = 120.0

#: Bytes one message may have: a workflow of some thousand nodes is larger than gRPC's 4 MiB.
DEFAULT_MAX_MESSAGE = 64 * 1024 * 1024

_LARGEST_MESSAGE = 2**31 - 1  # gRPC takes no more
_KNOWN_EXTRAS = (
    *("project", "domain", "console_url", "call_timeout", "deployment", "config_file", "local_files"),
    *("insecure", "insecure_skip_verify", "ca_cert_file", "client_cert_file", "client_key_file", "authority"),
    *("keepalive_seconds", "compression", "max_message_bytes"),
    *SIGN_IN_EXTRAS,
)
#: A host name, perhaps with a port: what `:authority` may hold.
_AUTHORITY = re.compile(r"[\w.:\[\]-]{1,255}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that says which Flyte is spoken to, and how.

    :param endpoint: host and port of FlyteAdmin's gRPC service, as in `flyte.example.com:443`.
    :param insecure: speak plaintext; the default is TLS.
    :param insecure_skip_verify: speak TLS with whoever answers.
    :param ca_cert_file: PEM file to trust instead of the system's roots.
    :param client_cert_file: PEM file with the certificate to show to the server.
    :param client_key_file: PEM file with its key.
    :param authority: name that the server is asked for, and must have in its certificate, instead of its host.
    :param keepalive_seconds: seconds of quiet after which a connection is tested.
    :param compression: `gzip` or empty.
    :param max_message_bytes: bytes one message may have.
    :param sign_in: how to sign in.
    :param console_url: base address of the Flyte console, without a path. None derives it from the endpoint.
    :param call_timeout: seconds one call may take, retries included.
    :param project: project used where a call names none.
    :param domain: domain used where a call names none.
    :param deployment: the name of this Airflow, where several launch into one Flyte project and domain.
    :param local_files: whether files that Flyte names are read from the worker's own disk.
    """

    endpoint: str
    insecure: bool = False
    insecure_skip_verify: bool = False
    ca_cert_file: str | None = None
    client_cert_file: str | None = None
    client_key_file: str | None = None
    authority: str = ""
    keepalive_seconds: float = DEFAULT_KEEPALIVE
    compression: str = ""
    max_message_bytes: int = DEFAULT_MAX_MESSAGE
    sign_in: SignIn = field(default_factory=SignIn)
    console_url: str | None = None
    call_timeout: float = DEFAULT_CALL_TIMEOUT
    project: str | None = None
    domain: str | None = None
    deployment: str = ""
    local_files: bool = False

    @classmethod
    def from_fields(
        cls,
        *,
        conn_id: str,
        host: str | None,
        port: int | str | None,
        extra: Mapping[str, Any],
        login: str | None = None,
        password: str | None = None,
    ) -> Settings:
        """Read the settings from the fields of an Airflow connection.

        :param conn_id: the connection's id, for messages.
        :param host: host of FlyteAdmin, with or without a `dns:///` or `https://` scheme and a port.
        :param port: port; default 443, or 80 when `insecure`.
        :param extra: the connection's extra fields. Fields this provider does not know are not read:
            see `unknown_extras`. What they leave out is read from a configuration file of flytectl, if there is one.
        :param login: the id of the client that signs in.
        :param password: its secret, or the token.
        :raises FlyteConfigError: naming the field that cannot be used, its value and what it takes.
        """
        given = {
            "client_id": login,
            **{key: value for key, value in extra.items() if value not in (None, "")},
        }
        fields = Fields(conn_id, with_config_file(conn_id, host, {**given, "password": password}))
        insecure, skip = fields.flag("insecure"), fields.flag("insecure_skip_verify")
        compression = (fields.text("compression") or "").lower()
        if compression not in ("", "none", "gzip"):
            raise fields.wrong("compression", "gzip or none")
        certificate, key = fields.file("client_cert_file"), fields.file("client_key_file")
        if bool(certificate) != bool(key):
            raise FlyteConfigError(
                f"Connection {conn_id!r}: client_cert_file and client_key_file go together."
            )
        largest = fields.number("max_message_bytes", DEFAULT_MAX_MESSAGE, "bytes")
        endpoint = _endpoint(conn_id, host or fields.text("host"), port, default_port=80 if insecure else 443)
        return cls(
            endpoint=endpoint,
            insecure=insecure,
            insecure_skip_verify=skip and not insecure,
            ca_cert_file=fields.file("ca_cert_file"),
            client_cert_file=certificate,
            client_key_file=key,
            authority=_authority(fields),
            keepalive_seconds=fields.number("keepalive_seconds", DEFAULT_KEEPALIVE, "seconds"),
            compression="gzip" if compression == "gzip" else "",
            max_message_bytes=int(min(max(largest, 1), _LARGEST_MESSAGE)),
            sign_in=SignIn.from_fields(fields),
            console_url=_console(fields, insecure=insecure),
            call_timeout=fields.number("call_timeout", DEFAULT_CALL_TIMEOUT, "seconds"),
            project=fields.text("project"),
            domain=fields.text("domain"),
            deployment=fields.text("deployment") or "",
            # Who runs Flyte on this machine has its disk; from elsewhere it is no business of Flyte's.
            local_files=fields.flag("local_files", default=is_loopback(host_of(endpoint)[0])),
        )

    def shared(self) -> Settings:
        """Return what hooks may share a channel and tokens by: these settings, without what calls are about."""
        return replace(self, project=None, domain=None, console_url=None, deployment="", local_files=False)

    def execution_url(self, execution: ExecutionId, node_id: str = "") -> str:
        """Return the address of `execution`, or of one of its nodes, in the Flyte console.

        The console is served beside FlyteAdmin unless `console_url` says where it is.
        """
        base = self.console_url or f"{'http' if self.insecure else 'https'}://{self.endpoint}"
        parts = (quote(part, safe="") for part in (execution.project, execution.domain, execution.name))
        url = "{}/console/projects/{}/domains/{}/executions/{}".format(base.rstrip("/"), *parts)
        return f"{url}/nodeId/{quote(node_id, safe='')}/nodes" if node_id else url


_TWICE = "extra__flyte__"


def unknown_extras(extra: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the extra fields that `Settings` does not know, each with the known names nearest to it.

    The form of Airflow 2, when it tests, sends each field a second time with `extra__flyte__` before its name: those
    are left out.
    """
    read = {key for key in extra if key in _KNOWN_EXTRAS}
    return {key: nearest(key, _KNOWN_EXTRAS) for key in extra if key.removeprefix(_TWICE) not in read}


def host_of(endpoint: str) -> tuple[str, int]:
    """Return host and port of an endpoint, an IPv6 address without its brackets."""
    host, _, port = endpoint.rpartition(":")
    return host.strip("[]"), int(port)


#: A host name, an IPv4 address or an IPv6 address in brackets, and perhaps a port.
_HOST = re.compile(r"(?P<name>\[(?=[^\]]*\w)[0-9A-Fa-f:.%\w]+\]|[^\s:/\[\]]+)(:(?P<port>[0-9]{1,5}))?")


def _endpoint(conn_id: str, host: str | None, port: int | str | None, default_port: int) -> str:
    given = (host or "").strip()
    for scheme in ("dns:///", "https://", "http://"):
        given = given.removeprefix(scheme)
    given = given.rstrip("/")
    if given.count(":") > 1 and "[" not in given:  # a bare IPv6 address
        given = f"[{given}]"
    found = _HOST.fullmatch(given)
    number = str(port or (found and found["port"]) or default_port)
    if not found or not number.isascii() or not number.isdigit() or not 0 < int(number[:6]) < 65536:
        # One with an @ may hold a password.
        shown = "a host that cannot be used" if "@" in given else f"the host {host!r:.100}"
        where = f" and the port {port!r:.20}" if port else ""
        raise FlyteConfigError(
            f"Connection {conn_id!r} has {f'{shown}{where}' if host else 'no host'}. "
            "Set it to the host of FlyteAdmin, for example flyte.example.com or flyte.example.com:443, or set the "
            f"extra field 'config_file' or the variable {CONFIG_VARIABLE} to a configuration file of flytectl."
        )
    return f"{found['name']}:{int(number)}"


def _console(fields: Fields, *, insecure: bool) -> str | None:
    """Return the console's address. Airflow shows it as a link, so it must be nothing that a browser would run."""
    url = fields.text("console_url")
    if url and "://" not in url:  # as in files of flytectl
        url = f"{'http' if insecure else 'https'}://{url}"
    if url and (not is_page(url) or "@" in url):
        raise fields.wrong("console_url", "the address of the console, https://...")
    return url


def _authority(fields: Fields) -> str:
    name = fields.text("authority") or ""
    if name and not _AUTHORITY.fullmatch(name):
        raise fields.wrong("authority", "a host name")
    return name
