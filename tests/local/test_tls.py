"""gRPC by TLS."""

from __future__ import annotations

import datetime
import ipaddress
from pathlib import Path

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from flyteidl.admin import version_pb2
from flyteidl.service import admin_pb2_grpc

from airflow_flyte_provider.local import LocalFlyte, LocalFlyteError


@pytest.fixture(scope="module")
def pair(tmp_path_factory) -> tuple[Path, Path]:
    """Files with a certificate for 127.0.0.1 and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "local Flyte")])
    now = datetime.datetime.now(datetime.timezone.utc)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    files = folder / "cert.pem", folder / "key.pem"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return files


def version(channel: grpc.Channel) -> str:
    stub = admin_pb2_grpc.AdminServiceStub(channel)
    answer = stub.GetVersion(version_pb2.GetVersionRequest(), timeout=5)
    return answer.control_plane_version.Version


def arguments(certificate: Path, key: Path) -> list[str]:
    return ["--tls-cert", str(certificate), "--tls-key", str(key)]


def test_it_answers_by_tls_alone(pair: tuple[Path, Path]) -> None:
    trusted = grpc.ssl_channel_credentials(pair[0].read_bytes())
    with LocalFlyte(arguments=arguments(*pair)) as flyte:
        with grpc.secure_channel(flyte.endpoint, trusted) as channel:
            assert version(channel)
        with (
            grpc.insecure_channel(flyte.endpoint) as channel,
            pytest.raises(grpc.RpcError, match="UNAVAILABLE"),
        ):
            version(channel)


def test_files_that_do_not_fit_are_told(pair: tuple[Path, Path], tmp_path: Path) -> None:
    junk = tmp_path / "junk.pem"
    junk.write_text("junk")
    for certificate, key in ((junk, pair[1]), (pair[0], junk), (tmp_path / "none.pem", pair[1])):
        with pytest.raises(LocalFlyteError, match="can't start: TLS with"):
            LocalFlyte(tmp_path / "data", arguments=arguments(certificate, key)).start()
