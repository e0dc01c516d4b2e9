"""What the "Test" button says, and what is read of a connection in whatever form it is given."""

import asyncio
import datetime
import json
import re
import socket
import uuid
from pathlib import Path
from urllib.parse import quote

import pytest
from airflow.providers.common.compat.sdk import redact
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_flyte_provider.admin.auth.sign_in import AuthMode
from airflow_flyte_provider.exceptions import FlyteConfigError
from airflow_flyte_provider.hooks.connection_form import CONNECTION_FIELDS
from airflow_flyte_provider.hooks.flyte import FlyteHook
from airflow_flyte_provider.local import LocalFlyte
from tests.certificates import CertificateAuthority
from tests.dag_runs import AIRFLOW_2
from tests.gateway import Gateway


@pytest.fixture(scope="module")
def guarded(authority):
    """A local Flyte that speaks TLS and asks for sign-in."""
    pair = authority.sign("flyte", "127.0.0.1")
    with LocalFlyte(auth=True, arguments=pair.arguments) as flyte:
        yield flyte


@pytest.fixture(autouse=True)
def nothing_masked(monkeypatch):
    """Airflow without the secrets of other tests, and these are forgotten afterwards.

    Airflow 2 masks even a password of one letter, wherever it stands.
    """
    if AIRFLOW_2:
        from airflow.utils.log.secrets_masker import _secrets_masker

        monkeypatch.setattr(_secrets_masker(), "patterns", set())
        monkeypatch.setattr(_secrets_masker(), "replacer", None)


@pytest.fixture
def connect(monkeypatch):
    """A function that makes the connection `flyte_default` and returns a hook on it."""

    def made(endpoint, login=None, password=None, **extra):
        host, _, port = endpoint.rpartition(":")
        fields = {"conn_type": "flyte", "host": host, "port": int(port), "login": login, "password": password}
        monkeypatch.setenv("AIRFLOW_CONN_FLYTE_DEFAULT", json.dumps({**fields, "extra": extra}))
        return FlyteHook()

    return made


def failure(hook):
    reached, told = hook.test_connection()
    assert not reached, told
    return told


# -- the "Test" button ---------------------------------------------------------------------------------------


def test_it_says_who_signed_in_and_what_was_found(connect, guarded, authority):
    hook = connect(
        guarded.endpoint,
        guarded.client_id,
        guarded.client_secret,
        ca_cert_file=str(authority.certificate),
        project="flytesnacks",
        domain="development",
    )
    reached, told = hook.test_connection()
    assert reached, told
    for part in (guarded.endpoint, "as flytepropeller", "project flytesnacks and domain development"):
        assert part in told


def test_a_name_that_cannot_be_resolved(connect):
    assert "The name flyte.invalid cannot be resolved" in failure(connect("flyte.invalid:443"))


def test_a_port_where_nothing_listens(connect):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused, and nobody else takes it
        port = taken.getsockname()[1]
        assert f"refuses connections to port {port}" in failure(connect(f"127.0.0.1:{port}"))


def test_a_plaintext_server_asked_by_tls_and_the_other_way_round(connect, registered, guarded):
    assert "does not speak TLS" in failure(connect(registered.endpoint))
    assert "speaks TLS, and the connection says insecure" in failure(connect(guarded.endpoint, insecure=True))


def test_a_web_server(connect, registered):
    told = failure(connect(registered.http_url.removeprefix("http://")))
    assert "does not speak TLS" in told


def test_an_authority_that_is_not_trusted(connect, guarded):
    assert "comes from an authority that is not trusted. Set ca_cert_file" in failure(
        connect(guarded.endpoint)
    )


@pytest.mark.parametrize(
    ("names", "ends", "told"),
    [
        (["127.0.0.1"], -datetime.timedelta(hours=1), "has expired"),
        (["flyte.example.com"], datetime.timedelta(days=1), "is for another address. Set the host"),
    ],
)
def test_a_certificate_that_has_expired_or_is_for_another_name(
    connect, authority, registered, names, ends, told
):
    pair = authority.sign("wrong", *names, ends=ends)
    with Gateway(registered.endpoint, shows=pair) as gateway:
        assert told in failure(connect(gateway.endpoint, ca_cert_file=str(authority.certificate)))


def test_a_client_certificate_that_is_missing_or_not_known(connect, authority, registered, tmp_path):
    pair = authority.sign("mtls", "127.0.0.1")
    stranger = CertificateAuthority(tmp_path, "stranger").sign("other")
    with Gateway(registered.endpoint, shows=pair, clients=authority.certificate) as gateway:
        trust = {"ca_cert_file": str(authority.certificate)}
        assert "wants a client certificate" in failure(connect(gateway.endpoint, **trust))
        files = {"client_cert_file": str(stranger.certificate), "client_key_file": str(stranger.key)}
        assert "wants a client certificate" in failure(connect(gateway.endpoint, **trust, **files))


def test_each_step_of_the_sign_in(connect, guarded, authority, registered):
    trust = {"ca_cert_file": str(authority.certificate)}
    assert "refused the client 'flytepropeller': invalid_client" in failure(
        connect(guarded.endpoint, guarded.client_id, "wrong", **trust)
    )
    assert "could not be reached" in failure(
        connect(guarded.endpoint, "me", "secret", token_url="http://127.0.0.1:1/token", **trust)
    )
    assert "tells no token endpoint" in failure(connect(registered.endpoint, "me", "secret", insecure=True))
    assert "does not sign in" in failure(connect(guarded.endpoint, **trust))
    with Gateway(registered.endpoint, ["Bearer nobody has this"]) as gateway:
        told = failure(connect(gateway.endpoint, "me", "secret", insecure=True))
        assert told.startswith("Signing in: asking Flyte for its sign-in metadata failed")


def test_a_mistyped_field_is_told_beside_what_came_of_it(connect, registered):
    told = failure(connect(registered.endpoint, insecur=True))
    assert "does not speak TLS" in told
    assert told.endswith("There is the extra field 'insecur', which is not used. Did you mean 'insecure'?")
    reached, told = connect(registered.endpoint, insecure=True, colour="blue").test_connection()
    assert reached
    assert told.endswith("There is the extra field 'colour', which is not used.")
    twice = {"insecure": True, "extra__flyte__insecure": True}  # as Airflow 2's form sends it
    assert "which is not used" not in connect(registered.endpoint, **twice).test_connection()[1]
    assert "'extra__flyte__insecure', which is not used" in failure(
        connect(registered.endpoint, extra__flyte__insecure=True)
    )


def test_the_id_that_airflow_tests_under_is_not_told(connect):
    told = failure(connect("flyte.example.com:443", compression="zip"))
    assert told == "This connection: the extra field 'compression' is 'zip'; it takes gzip or none."
    assert failure(connect(":443")).startswith("This connection has no host.")


# -- what is read --------------------------------------------------------------------------------------------


def read(monkeypatch, text):
    monkeypatch.setenv("AIRFLOW_CONN_FLYTE_DEFAULT", text)
    return FlyteHook().settings


def test_a_uri_says_the_same_as_json(monkeypatch):
    command = quote('["print-token", "--for", "flyte"]', safe="")
    uri = f"flyte://flyte.example.com:443/?auth_mode=command&auth_command={command}&scopes=all,more&compression=gzip"
    chosen = read(monkeypatch, uri)
    assert chosen.sign_in.command == ("print-token", "--for", "flyte")
    assert chosen.sign_in.scopes == ("all", "more")
    assert chosen == read(
        monkeypatch,
        json.dumps(
            {
                "conn_type": "flyte",
                "host": "flyte.example.com",
                "port": 443,
                "extra": {
                    "auth_command": ["print-token", "--for", "flyte"],
                    "scopes": ["all", "more"],
                    "compression": "gzip",
                },
            }
        ),
    )
    assert read(monkeypatch, "flyte://me:s%2Fecret@flyte.example.com").sign_in.client_secret == "s/ecret"


def test_a_connection_of_another_type_is_told_as_such(monkeypatch):
    for text in ("https://flyte.example.com", '{"conn_type": "http", "host": "flyte.example.com"}'):
        with pytest.raises(FlyteConfigError, match=r"'flyte_default' is of the type 'https?', not 'flyte'"):
            read(monkeypatch, text)
    assert read(monkeypatch, '{"host": "flyte.example.com"}').endpoint == "flyte.example.com:443"


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        ({"auth_mode": "pkce"}, "needs a person and a browser"),
        ({"auth_mode": "DeviceFlow"}, "needs a person and a browser"),
        (
            {"auth_mode": "magic"},
            "'auth_mode' is 'magic'; it takes none or client_credentials or token or command",
        ),
        ({"auth_mode": "client_credentials"}, r"needs client_id \(or the login\) and client_secret"),
        ({"token": "t0ken", "client_secret": "s3cret"}, "client_credentials and token: say which one"),
        ({"token": "two w0rds"}, "'token' is not usable"),
        ({"auth_command": "gcloud auth print"}, "'auth_command' is not usable; it takes a list"),
        ({"auth_command": [""]}, "a list that begins with a program"),
        ({"token_url": "login.example.com"}, "'token_url' is 'login.example.com'; it takes the address"),
        ({"client_id": "a", "client_secret": "b", "authorization_key": "Bad Key"}, "'authorization_key'"),
        ({"client_cert_file": __file__}, "client_cert_file and client_key_file go together"),
        ({"compression": "zip"}, "it takes gzip or none"),
        ({"authority": "a b"}, "it takes a host name"),
        ({"config_file": "/does/not/exist.yaml"}, "cannot be read"),
    ],
)
def test_what_cannot_be_used_is_named(monkeypatch, extra, told):
    with pytest.raises(FlyteConfigError, match=told) as caught:
        read(monkeypatch, json.dumps({"conn_type": "flyte", "host": "f.example.com", "extra": extra}))
    for hidden in ("t0ken", "s3cret", "w0rds", "gcloud"):
        assert hidden not in str(caught.value)


def test_what_the_form_shows_is_what_is_read(caplog, monkeypatch, capsys):
    extra = dict.fromkeys(CONNECTION_FIELDS, "")
    read(monkeypatch, json.dumps({"conn_type": "flyte", "host": "f.example.com", "extra": extra}))
    assert "which is not used" not in capsys.readouterr().out


_TEXT = st.text(max_size=12)
_VALUE = st.none() | st.booleans() | st.integers() | st.floats() | _TEXT | st.lists(_TEXT, max_size=3)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.fixed_dictionaries(
            {"conn_type": st.just("flyte")},
            optional={
                "host": _VALUE,
                "port": _VALUE,
                "login": _VALUE,
                "password": _VALUE,
                "extra": st.dictionaries(
                    st.sampled_from([*CONNECTION_FIELDS, "client_id", "x"]), _VALUE, max_size=4
                )
                | _VALUE,
            },
        ).map(json.dumps),
        st.builds(
            "flyte://{}:{}@{}:{}/?{}".format,
            *(st.text("ab%@:/[] é\\?#", max_size=6) for _ in range(3)),
            st.integers(-1, 70000) | st.text(max_size=3),
            st.lists(
                st.builds(
                    "{}={}".format, st.sampled_from([*CONNECTION_FIELDS]), st.text('ab1.%[]"{,', max_size=8)
                ),
                max_size=3,
            ).map("&".join),
        ),
        st.text(max_size=30).map("flyte://{}".format),
    ).filter(lambda text: "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text))
)
def test_any_connection_is_read_or_what_is_wrong_is_named(monkeypatch, text):
    refused, chosen = "", None
    try:
        chosen = read(monkeypatch, text)
    except FlyteConfigError as fault:
        refused = str(fault)
    if chosen is None:
        assert "flyte_default" in refused
    else:
        assert chosen.endpoint.rpartition(":")[2].isdigit()


def documented():
    """Return the examples of docs/connection.md."""
    page = (Path(__file__).parents[2] / "docs" / "connection.md").read_text()
    return re.findall(r"^    ((?:flyte:|\{).*(?:\n     .*)*)$", page, re.MULTILINE)


@pytest.mark.parametrize("example", documented())
def test_the_examples_of_the_documentation(monkeypatch, tmp_path, example):
    CertificateAuthority(tmp_path).sign("client")
    (tmp_path / "config.yaml").write_text("admin: {endpoint: flyte.example.com}")
    here = example.replace("/etc/flyte", str(tmp_path)).replace(
        "%2Fetc%2Fflyte", quote(str(tmp_path), safe="")
    )
    chosen = read(monkeypatch, here)
    assert chosen.endpoint in ("flyte.example.com:443", "10.0.0.7:8443")
    assert (chosen.sign_in.mode is AuthMode.NONE) == (not re.search("SECRET|TOKEN|auth_command", example))


def test_there_are_examples():
    assert len(documented()) >= 14


# -- configuration files -------------------------------------------------------------------------------------

FLYTECTL = """
admin:
  endpoint: dns:///flyte.example.com
  authType: {kind}
  clientId: me
  clientSecretEnvVar: MY_FLYTE_SECRET
  insecureSkipVerify: true
  scopes: [all]
  command: [print-token]
console:
  endpoint: https://console.example.com
logger:
  level: 0
"""


@pytest.fixture
def config(tmp_path, monkeypatch):
    """A function that writes a configuration file and returns its path."""
    monkeypatch.setenv("MY_FLYTE_SECRET", "s3cret-of-file")

    def written(text=FLYTECTL, kind="ClientSecret"):
        path = tmp_path / "config.yaml"
        path.write_text(text.replace("{kind}", kind))
        return str(path)

    return written


def with_file(monkeypatch, path, **fields):
    extra = {"config_file": path, **fields.pop("extra", {})}
    return read(monkeypatch, json.dumps({"conn_type": "flyte", **fields, "extra": extra}))


def test_a_configuration_file_of_flytectl(monkeypatch, config, tmp_path):
    chosen = with_file(monkeypatch, config())
    assert chosen.endpoint == "flyte.example.com:443"
    assert chosen.insecure_skip_verify
    assert chosen.console_url == "https://console.example.com"
    assert (chosen.sign_in.client_id, chosen.sign_in.client_secret) == ("me", "s3cret-of-file")
    assert with_file(monkeypatch, config(kind="ExternalCommand")).sign_in.command == ("print-token",)
    secret = tmp_path / "secret"
    secret.write_text("s3cret-of-another-file\n")
    text = FLYTECTL.replace("clientSecretEnvVar: MY_FLYTE_SECRET", f"clientSecretLocation: {secret}")
    assert with_file(monkeypatch, config(text)).sign_in.client_secret == "s3cret-of-another-file"


@pytest.mark.parametrize("how", ["blocking", "on the event loop"])
def test_a_secret_that_airflow_has_not_seen_is_masked(monkeypatch, config, how):
    secret = uuid.uuid4().hex
    monkeypatch.setenv("MY_FLYTE_SECRET", secret)
    extra = {"config_file": config()}
    monkeypatch.setenv("AIRFLOW_CONN_FLYTE_DEFAULT", json.dumps({"conn_type": "flyte", "extra": extra}))
    assert redact(secret) == secret
    hook = FlyteHook()
    chosen = hook.settings if how == "blocking" else asyncio.run(hook.load_settings())
    assert chosen.sign_in.client_secret == secret
    assert secret not in redact(f"it is {secret}")


def test_a_configuration_file_of_uctl(monkeypatch, config):
    text = """
union:
  connection: {host: dns:///org.example.com}
  auth: {type: ClientSecret, clientId: me, clientSecretEnvVar: MY_FLYTE_SECRET}
"""
    chosen = with_file(monkeypatch, config(text))
    assert chosen.endpoint == "org.example.com:443"
    assert chosen.sign_in.client_secret == "s3cret-of-file"


def test_fields_of_the_connection_go_before_the_file(monkeypatch, config):
    chosen = with_file(monkeypatch, config(), host="other.example.com", extra={"insecure_skip_verify": False})
    assert (chosen.endpoint, chosen.insecure_skip_verify) == ("other.example.com:443", False)
    own = with_file(monkeypatch, config(kind="ExternalCommand"), login="i", password="p").sign_in
    assert (own.mode, own.client_id, own.command) == (AuthMode.CLIENT_CREDENTIALS, "i", ())
    none = with_file(monkeypatch, config(kind="Pkce"), extra={"auth_mode": "none"}).sign_in
    assert none.mode is AuthMode.NONE


def test_the_variable_names_the_file_only_where_no_host_is_named(monkeypatch, config):
    monkeypatch.setenv("FLYTECTL_CONFIG", config())
    assert read(monkeypatch, '{"conn_type": "flyte"}').sign_in.client_secret == "s3cret-of-file"
    assert (
        read(monkeypatch, '{"conn_type": "flyte", "host": "other.example.com"}').sign_in.client_secret == ""
    )


@pytest.mark.parametrize(
    ("text", "kind", "told"),
    [
        (FLYTECTL, "Pkce", "needs a person and a browser"),
        (FLYTECTL, "Magic", "authType 'Magic', which is unknown"),
        (FLYTECTL.replace("MY_FLYTE_SECRET", "NOT_SET_HERE"), "ClientSecret", "NOT_SET_HERE .*not set here"),
        (
            FLYTECTL.replace("EnvVar: MY", "Location: /MY"),
            "ClientSecret",
            "the file /MY_FLYTE_SECRET .*cannot be read",
        ),
        ("- s3cret", "", "not made of sections"),
        ("admin: {s3cret", "", "no YAML that can be read"),
    ],
)
def test_a_configuration_file_that_cannot_be_used(monkeypatch, config, text, kind, told):
    with pytest.raises(FlyteConfigError, match=told) as caught:
        with_file(monkeypatch, config(text, kind))
    assert "s3cret" not in str(caught.value)
