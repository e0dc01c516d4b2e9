"""What a connection reaches, and where the way to Flyte ends when it does not: name, port, TLS, sign-in, project."""

from __future__ import annotations

import os
import socket
import ssl

from flyteidl.service.identity_pb2 import UserInfoRequest, UserInfoResponse
from google.protobuf.json_format import MessageToDict

from airflow_flyte_provider.admin import lists, registry
from airflow_flyte_provider.admin.auth.sign_in import AuthMode, SignIn
from airflow_flyte_provider.admin.client import Call, Service, Verb
from airflow_flyte_provider.admin.settings import Settings, host_of
from airflow_flyte_provider.admin.tls import probing, unverified
from airflow_flyte_provider.exceptions import FlyteConfigError, FlyteError

_PATIENCE = 5.0  # seconds for each step
_ANSWER = 1.0  # seconds for a server to say something after the handshake
_PROXIES = ("grpc_proxy", "https_proxy", "http_proxy")

#: What a server's alert says of a client's certificate, in the words of OpenSSL.
_OF_CLIENTS = ("CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE", "ALERT_UNKNOWN_CA", "ALERT_BAD_CERTIFICATE")

#: What is wrong with a certificate, by the code of OpenSSL's X509_verify_cert.
_CERTIFICATE_FAULTS = {
    9: "is not valid yet. Check the clock of this machine",
    10: "has expired. It must be renewed there",
    18: "is signed by itself and not trusted. Set ca_cert_file to it",
    19: "comes from an authority that is not trusted. Set ca_cert_file to that authority's certificate",
    20: "comes from an authority that is not trusted. Set ca_cert_file to that authority's certificate",
    21: "comes from an authority that is not trusted. Set ca_cert_file to that authority's certificate",
    62: "is for another name. Set the host to that name, or authority where the host must stay",
    64: "is for another address. Set the host to a name in it, or authority where the host must stay",
}


def tell_reached(settings: Settings) -> Verb[str]:
    """Return what there is at the endpoint: version, project and domain, and who is signed in.

    :param settings: whose project and domain are looked for.
    :raises FlyteError: when a call fails, also for missing rights.
    :raises FlyteConfigError: when there is no such project or domain.
    """
    version = yield from registry.get_version()
    projects = {project.id: project.domains for project in (yield from lists.list_projects())}
    who = yield from who_am_i(settings.sign_in)
    told = f" {version}" if version and version != "unknown" else ""
    reached = f"Reached Flyte{told} at {settings.endpoint}{f' as {who}' if who else ''}"
    project, domain = settings.project, settings.domain
    if project and project not in projects:
        raise FlyteConfigError(
            f"{reached}, but it has no project {project!r}: {', '.join(sorted(projects))}."
        )
    if project and domain and domain not in projects[project]:
        raise FlyteConfigError(
            f"{reached}, but project {project!r} has no domain {domain!r}: {', '.join(projects[project])}."
        )
    if not project:
        return f"{reached}, with {len(projects)} project{'s' if len(projects) != 1 else ''}."
    return f"{reached}, with project {project}{f' and domain {domain}' if domain else ''}."


def who_am_i(sign_in: SignIn) -> Verb[str]:
    """Return who Flyte takes the caller for, as `UserInfo` tells it; empty for nobody in particular.

    :param sign_in: names the client where Flyte does not.
    """
    try:
        told: UserInfoResponse = yield Call(
            "UserInfo", UserInfoRequest(), "asking who is signed in", Service.IDENTITY
        )
    except FlyteError:  # an older Flyte, or one that keeps it for itself; the calls before were answered
        told = UserInfoResponse()
    claims = MessageToDict(told.additional_claims)
    name = told.email or told.preferred_username or told.name or told.subject
    for claim in ("client_id", "azp", "sub"):
        name = name or str(claims.get(claim) or "")
    return name or (sign_in.client_id if sign_in.mode is AuthMode.CLIENT_CREDENTIALS else "")


def why_unreachable(settings: Settings) -> str:
    """Return where the way to Flyte ends, with what to do; empty when a connection can be made.

    It resolves the name, opens a connection and shakes hands, and calls nothing. Behind an HTTP proxy, which gRPC
    goes through by itself, it tells nothing.

    :raises FlyteConfigError: when a certificate file cannot be used.
    """
    host, port = host_of(settings.endpoint)
    if any(os.environ.get(name) or os.environ.get(name.upper()) for name in _PROXIES):
        return ""
    try:
        socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as fault:
        why = getattr(fault, "strerror", None) or "it is no name"
        return f"The name {host} cannot be resolved: {why}. Check the connection's host, and the DNS of this machine."
    try:
        plain = socket.create_connection((host, port), _PATIENCE)
    except ConnectionRefusedError:
        return (
            f"{host} refuses connections to port {port}: nothing listens there. Check the connection's port (Flyte's "
            "gRPC, not its console), and that FlyteAdmin is up."
        )
    except OSError as fault:
        return (
            f"{host} does not answer on port {port}: {fault.strerror or fault}. Check network and firewalls."
        )
    with plain:
        return _why_no_handshake(plain, settings, host)


def _why_no_handshake(plain: socket.socket, settings: Settings, host: str) -> str:
    endpoint = settings.endpoint
    if settings.insecure:
        if _speaks_tls(plain, settings, host):
            return f"{endpoint} speaks TLS, and the connection says insecure. Set insecure to false."
        return ""
    context = unverified(settings) if settings.insecure_skip_verify else probing(settings)
    name = settings.authority.partition(":")[0] or host
    try:
        with context.wrap_socket(plain, server_hostname=name) as wrapped:
            protocol = wrapped.selected_alpn_protocol()
            if _hung_up(wrapped):
                raise ConnectionResetError("it hung up after the handshake")
    except ssl.SSLCertVerificationError as fault:
        what = _CERTIFICATE_FAULTS.get(fault.verify_code, f"is not accepted: {fault.verify_message}")
        return f"The TLS certificate of {endpoint} {what} (asked for: {name})."
    except (ssl.SSLError, OSError) as fault:
        return _other_tls_fault(fault, endpoint)
    return (
        ""
        if protocol == "h2"
        else f"{endpoint} speaks TLS but not HTTP/2, which gRPC needs: is it a web server?"
    )


def _other_tls_fault(fault: Exception, endpoint: str) -> str:
    reason = getattr(fault, "reason", None) or str(fault)
    if isinstance(fault, ConnectionResetError) or any(word in reason for word in _OF_CLIENTS):
        return (
            f"{endpoint} shows a good certificate and refuses the client ({reason}): it wants a client certificate "
            "that it trusts. Set client_cert_file and client_key_file, or check them."
        )
    return (
        f"{endpoint} does not speak TLS ({reason}): it may be a plaintext server. Check the port or, for a Flyte on "
        "this machine, set insecure."
    )


def _speaks_tls(plain: socket.socket, settings: Settings, host: str) -> bool:
    try:
        with unverified(settings).wrap_socket(plain, server_hostname=host):
            return True
    except OSError:
        return False


def _hung_up(wrapped: ssl.SSLSocket) -> bool:
    """Wait for the server's first words, and tell whether it ends the connection instead.

    By TLS 1.3 it refuses a client after the handshake, and some do it without a word.
    """
    wrapped.settimeout(_ANSWER)
    try:
        return not wrapped.recv(1)
    except TimeoutError:
        return False
