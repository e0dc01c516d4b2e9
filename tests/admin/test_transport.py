"""Every way of reaching a Flyte: TLS by whom, shown what, under which name; and what a channel is made with."""

import asyncio
import datetime
import logging
import socket
from dataclasses import replace

import pytest

from airflow_flyte_provider.admin import channel, lists
from airflow_flyte_provider.admin.auth.sign_in import AuthMode, SignIn
from airflow_flyte_provider.admin.client import AsyncClient, Client
from airflow_flyte_provider.admin.settings import Settings
from airflow_flyte_provider.exceptions import FlyteConfigError, FlyteConnectionError
from airflow_flyte_provider.local import LocalFlyte
from tests.certificates import CertificateAuthority
from tests.gateway import Gateway


@pytest.fixture(scope="module")
def shown(authority):
    return authority.sign("flyte", "127.0.0.1", "localhost")


@pytest.fixture(scope="module")
def guarded(shown):
    """A local Flyte that speaks TLS and asks for sign-in."""
    with LocalFlyte(auth=True, arguments=shown.arguments) as flyte:
        yield flyte


def settings(flyte, **fields):
    sign_in = SignIn(AuthMode.CLIENT_CREDENTIALS, flyte.client_id, flyte.client_secret)
    return Settings(flyte.endpoint, **{"call_timeout": 5, **fields}, sign_in=sign_in)


def both(chosen):
    """List the projects, blocking and on the event loop."""

    async def waiting():
        return await AsyncClient(chosen).run(lists.list_projects())

    blocking = Client(chosen).run(lists.list_projects())
    assert blocking == asyncio.run(waiting())
    return [project.id for project in blocking]


def test_an_authority_of_ones_own_and_sign_in(guarded, authority):
    assert both(settings(guarded, ca_cert_file=str(authority.certificate))) == ["flytesnacks"]


def test_the_roots_of_the_system(guarded, authority, monkeypatch):
    with pytest.raises(FlyteConnectionError, match="TLS"):
        both(settings(guarded))
    monkeypatch.delenv("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))  # what stands for them here
    # Another keepalive makes another channel: the one above keeps the roots that it began with.
    assert both(settings(guarded, keepalive_seconds=90.0)) == ["flytesnacks"]


def test_verification_is_skipped_only_when_that_is_said(authority, guarded, tmp_path):
    with pytest.raises(FlyteConnectionError):
        both(settings(guarded))
    assert both(settings(guarded, insecure_skip_verify=True)) == ["flytesnacks"]
    other_name = authority.sign("other", "flyte.example.com", "*.flyte.example.com")
    with LocalFlyte(auth=True, arguments=other_name.arguments) as flyte:
        with pytest.raises(FlyteConnectionError):
            both(settings(flyte, ca_cert_file=str(authority.certificate)))
        assert both(settings(flyte, insecure_skip_verify=True)) == ["flytesnacks"]
        named = settings(flyte, ca_cert_file=str(authority.certificate), authority="flyte.example.com")
        assert both(named) == ["flytesnacks"]


def test_an_expired_certificate_is_refused(authority):
    expired = authority.sign("expired", "127.0.0.1", ends=-datetime.timedelta(hours=1))
    with LocalFlyte(auth=True, arguments=expired.arguments) as flyte:
        with pytest.raises(FlyteConnectionError):
            both(settings(flyte, ca_cert_file=str(authority.certificate)))
        skipping = settings(flyte, insecure_skip_verify=True)
        with pytest.raises(FlyteConnectionError, match="Not even insecure_skip_verify"):
            Client(skipping).run(lists.list_projects())
        with pytest.raises(FlyteConnectionError, match="Not even insecure_skip_verify"):
            asyncio.run(AsyncClient(skipping).run(lists.list_projects()))


def test_a_certificate_of_the_client(registered, authority, shown, tmp_path):
    mine = authority.sign("client")
    stranger = CertificateAuthority(tmp_path, "stranger").sign("other-client")
    with Gateway(registered.endpoint, shows=shown, clients=authority.certificate) as gateway:

        def chosen(pair):
            files = (
                {"client_cert_file": str(pair.certificate), "client_key_file": str(pair.key)} if pair else {}
            )
            return Settings(
                gateway.endpoint, ca_cert_file=str(authority.certificate), call_timeout=5, **files
            )

        assert both(chosen(mine)) == ["flytesnacks"]
        for wrong in (None, stranger):
            with pytest.raises(FlyteConnectionError):
                both(chosen(wrong))


async def reached(chosen, how):
    """Wait until Flyte is reached, as what polls does, for 30 s at most."""
    for _ in range(100):
        try:
            if how == "blocking":
                return await asyncio.to_thread(Client(chosen).run, lists.list_projects())
            return await AsyncClient(chosen).run(lists.list_projects())
        except FlyteConnectionError:
            await asyncio.sleep(0.3)
    return None


@pytest.mark.parametrize("how", ["blocking", "on the event loop"])
@pytest.mark.parametrize("by", ["files", "what the server shows"])
async def test_renewed_certificates_are_seen_by_a_process_that_goes_on(registered, tmp_path, how, by):
    before, after = (CertificateAuthority(tmp_path, name) for name in ("before", "after"))
    trusted, mine = tmp_path / "ca.pem", before.sign("client")
    trusted.write_bytes(before.certificate.read_bytes())
    fields = {
        "files": {
            "ca_cert_file": str(trusted),
            "client_cert_file": str(mine.certificate),
            "client_key_file": str(mine.key),
        },
        "what the server shows": {"insecure_skip_verify": True},
    }[by]

    def gateway(authority, port=0):
        clients = authority.certificate if by == "files" else None
        return Gateway(
            registered.endpoint, shows=authority.sign("of-it", "127.0.0.1"), clients=clients, port=port
        )

    with gateway(before) as first:
        chosen = Settings(first.endpoint, call_timeout=5, **fields)
        assert await reached(chosen, how)
    with gateway(after, int(first.endpoint.rpartition(":")[2])):
        with pytest.raises(FlyteConnectionError):
            both(
                replace(chosen, keepalive_seconds=77.0, insecure_skip_verify=False)
            )  # the old ones are no good
        trusted.write_bytes(after.certificate.read_bytes())
        after.sign("client")  # into the same files
        assert await reached(chosen, how)


def test_files_that_hold_something_else_are_named(authority, shown, tmp_path):
    junk = tmp_path / "junk.pem"
    junk.write_text("junk")
    for fields, told in (
        ({"ca_cert_file": str(junk)}, "ca_cert_file .* holds no certificates"),
        (
            {"client_cert_file": str(junk), "client_key_file": str(shown.key)},
            "are no certificate and its key",
        ),
        (
            {"client_cert_file": str(authority.certificate), "client_key_file": str(shown.key)},
            "are no certificate and its key",
        ),
    ):
        with pytest.raises(FlyteConfigError, match=told):
            both(Settings("127.0.0.1:1", **fields))


def test_compression_and_message_sizes(registered):
    assert both(Settings(registered.endpoint, insecure=True, compression="gzip")) == ["flytesnacks"]
    with pytest.raises(FlyteConnectionError, match="larger than max"):
        both(Settings(registered.endpoint, insecure=True, max_message_bytes=10, call_timeout=5))


def test_localhost_is_reached_by_name(registered):
    port = registered.endpoint.rpartition(":")[2]
    chosen = Settings.from_fields(
        conn_id="c", host=f"dns:///localhost:{port}", port=None, extra={"insecure": "true"}
    )
    assert both(chosen) == ["flytesnacks"]


def test_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as tried:
            tried.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6")
    with LocalFlyte(arguments=["--host", "::1"]) as flyte:
        port = int(flyte.endpoint.rpartition(":")[2])
        for host, port_field in (("::1", port), (f"[::1]:{port}", None), (f"dns:///[::1]:{port}", None)):
            chosen = Settings.from_fields(conn_id="c", host=host, port=port_field, extra={"insecure": "true"})
            assert both(chosen) == ["flytesnacks"]


def test_what_is_not_safe_is_warned_about_once(caplog, monkeypatch):
    monkeypatch.setattr(channel, "_warned", set())
    caplog.set_level(logging.WARNING)
    for host in ("127.0.0.1:1", "localhost:1", "[::1]:1", "flyte.invalid:80", "flyte.invalid:80"):
        channel.open_channel(Settings(host, insecure=True)).close()
    told = [record.getMessage() for record in caplog.records if "flyte" in record.name]
    assert len(told) == 1
    assert "flyte.invalid:80 is spoken to in plaintext" in told[0]
