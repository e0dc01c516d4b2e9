"""Whom to trust, and what to show: certificates for gRPC and for HTTP."""

from __future__ import annotations

import os
import socket
import ssl
from datetime import datetime, timezone
from pathlib import Path
from urllib.parse import urlsplit

import grpc
import httpx
from cryptography import x509

from airflow_flyte_provider.admin.settings import Settings, host_of
from airflow_flyte_provider.exceptions import FlyteConfigError, FlyteConnectionError

_BUNDLE = "ca-certificates.crt"  # beside the single certificates, on Debian and its kin


def trusting(ca_cert_file: str | None) -> ssl.SSLContext:
    """Return what HTTP verifies servers with: the system's roots and, beside them, those of a file.

    :param ca_cert_file: certificates in PEM.
    :raises FlyteConfigError: when there are none in it.
    """
    context = httpx.create_ssl_context()  # has roots where a system has none
    context.load_default_certs()
    if ca_cert_file:
        _load(context, ca_cert_file)
    return context


def context_for(settings: Settings, url: str) -> ssl.SSLContext:
    """Return what a request to the token endpoint at `url` verifies the server with.

    Only where that is Flyte's own host does `insecure_skip_verify` hold for it too.
    """
    context = trusting(settings.ca_cert_file)
    if settings.insecure_skip_verify and urlsplit(url).hostname == host_of(settings.endpoint)[0]:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def probing(settings: Settings) -> ssl.SSLContext:
    """Return what verifies Flyte as gRPC does: by the file's roots alone where there is one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if settings.ca_cert_file:
        _load(context, settings.ca_cert_file)
    else:
        context.load_default_certs()
    if settings.client_cert_file:
        _load_pair(context, settings)
    context.set_alpn_protocols(["h2"])
    return context


def unverified(settings: Settings) -> ssl.SSLContext:
    """Return what takes any server."""
    context = probing(settings)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def channel_credentials(settings: Settings) -> tuple[grpc.ChannelCredentials, str]:
    """Return what a channel verifies Flyte with and shows it, and the name it must have where that is another.

    :raises FlyteConfigError: when a file does not hold what it must.
    :raises FlyteConnectionError: when the server's certificate is to be taken as it is and cannot be had.
    """
    probing(settings)  # gRPC would say nothing of a file that it cannot use
    key = chain = None
    if settings.client_cert_file and settings.client_key_file:
        key, chain = Path(settings.client_key_file).read_bytes(), Path(settings.client_cert_file).read_bytes()
    roots, name = _roots(settings.ca_cert_file), ""
    if settings.insecure_skip_verify:
        roots, name = _shown_by(settings)
    return grpc.ssl_channel_credentials(roots, key, chain), name


def _roots(ca_cert_file: str | None) -> bytes | None:
    """Return the roots for gRPC, which has its own and does not look for the system's; None leaves it those."""
    if ca_cert_file:
        return Path(ca_cert_file).read_bytes()
    if "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH" in os.environ:
        return None
    paths = ssl.get_default_verify_paths()
    for found in (paths.cafile, paths.capath and os.path.join(paths.capath, _BUNDLE)):
        if found and os.path.isfile(found):
            return Path(found).read_bytes()
    return None


def _shown_by(settings: Settings) -> tuple[bytes, str]:
    """Return the certificate that the server shows, and a name that stands in it.

    gRPC cannot be told to verify nothing: it is told to trust what is there.
    """
    host, port = host_of(settings.endpoint)
    try:
        with (
            socket.create_connection((host, port), settings.call_timeout) as plain,
            unverified(settings).wrap_socket(plain, server_hostname=settings.authority or host) as wrapped,
        ):
            shown = wrapped.getpeercert(binary_form=True) or b""
        certificate = x509.load_der_x509_certificate(shown)
        names = _names(certificate)
    except (OSError, ValueError) as fault:
        raise FlyteConnectionError(
            f"Flyte at {settings.endpoint} shows no certificate that could be taken as it is: {fault}."
        ) from None
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not begins <= datetime.now(timezone.utc) <= ends:
        raise FlyteConnectionError(
            f"Flyte at {settings.endpoint} shows a certificate that is valid from {begins:%Y-%m-%d %H:%M} to "
            f"{ends:%Y-%m-%d %H:%M} UTC, so not now. Not even insecure_skip_verify can have that overlooked, since "
            "gRPC cannot: renew it there, or check the clock of this machine."
        )
    return ssl.DER_cert_to_PEM_cert(shown).encode(), names[0] if names else ""


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    names = [name.replace("*", "any", 1) for name in found.get_values_for_type(x509.DNSName)]
    return names + [str(address) for address in found.get_values_for_type(x509.IPAddress)]


def _load(context: ssl.SSLContext, ca_cert_file: str) -> None:
    try:
        context.load_verify_locations(ca_cert_file)
    except (OSError, ValueError):
        raise FlyteConfigError(
            f"ca_cert_file {ca_cert_file} holds no certificates in PEM that can be read."
        ) from None


def _load_pair(context: ssl.SSLContext, settings: Settings) -> None:
    try:
        # an empty password: nobody is there to be asked
        context.load_cert_chain(settings.client_cert_file or "", settings.client_key_file, password="")
    except (OSError, ValueError):
        raise FlyteConfigError(
            f"client_cert_file {settings.client_cert_file} and client_key_file {settings.client_key_file} are no "
            "certificate and its key, both in PEM, the key without a password."
        ) from None
