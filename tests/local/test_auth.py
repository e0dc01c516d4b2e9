"""The local Flyte's own sign-in, asked as FlyteAdmin's clients ask it."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import grpc
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from flyteidl.admin import project_pb2, version_pb2
from flyteidl.service import admin_pb2_grpc, auth_pb2, auth_pb2_grpc, identity_pb2, identity_pb2_grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from airflow_flyte_provider.local import LocalFlyte, LocalFlyteError
from tests.conformance.sign_in import ask_for_token, token


@pytest.fixture(scope="module")
def guarded() -> Iterator[LocalFlyte]:
    with LocalFlyte(auth=True) as flyte:
        yield flyte


@pytest.fixture(scope="module")
def channel(guarded: LocalFlyte) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(guarded.endpoint) as made:
        yield made


def list_projects(channel: grpc.Channel, *metadata: tuple[str, str]) -> list[str]:
    stub = admin_pb2_grpc.AdminServiceStub(channel)
    answer = stub.ListProjects(project_pb2.ProjectListRequest(), metadata=metadata, timeout=20)
    return [project.id for project in answer.projects]


def refusal(channel: grpc.Channel, value: str, key: str = "authorization") -> str:
    with pytest.raises(grpc.RpcError) as refused:
        list_projects(channel, (key, value))
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    return refused.value.details()


def refused_token(flyte: LocalFlyte, secret: str | None = None, **fields: str) -> tuple[int, str]:
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask_for_token(flyte, flyte.client_secret if secret is None else secret, **fields)
    return refused.value.code, json.loads(refused.value.read())["error"]


def test_a_token_is_given_for_the_clients_secret(guarded: LocalFlyte) -> None:
    answer = json.loads(ask_for_token(guarded, guarded.client_secret, scope="all"))
    given = answer.pop("access_token")
    assert answer == {"expires_in": 1799, "scope": "all", "token_type": "bearer"}
    claims = jwt.decode(given, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 1800


def test_a_token_verifies_with_the_published_key(guarded: LocalFlyte) -> None:
    keys = jwt.PyJWKClient(f"{guarded.http_url}/oauth2/jwks")
    given = token(guarded)
    key = keys.get_signing_key_from_jwt(given)
    assert jwt.decode(given, key, algorithms=["RS256"], audience=guarded.http_url)["scp"] == ["all"]


def test_what_the_token_endpoint_refuses(guarded: LocalFlyte) -> None:
    assert refused_token(guarded, "wrong", scope="all") == (401, "invalid_client")
    assert refused_token(guarded, "", scope="all") == (401, "invalid_client")
    assert refused_token(guarded, scope="all+everything") == (400, "invalid_scope")
    assert refused_token(guarded, grant_type="password") == (400, "unsupported_grant_type")
    assert refused_token(guarded, grant_type="") == (400, "invalid_request")


@pytest.mark.parametrize("header", [None, "Basic", "Basic %%%", "Basic /w==", "Basic \u00e9", "Bearer abc"])
def test_a_client_that_does_not_say_who_it_is_gets_no_token(guarded: LocalFlyte, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    form = b"grant_type=client_credentials&scope=all"
    request = urllib.request.Request(f"{guarded.http_url}/oauth2/token", form, headers)
    with pytest.raises(urllib.error.HTTPError, match="401") as refused:
        urllib.request.urlopen(request, timeout=20)
    assert refused.value.headers["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize("key", ["authorization", "flyte-authorization"])
def test_a_token_opens_the_services(guarded: LocalFlyte, channel: grpc.Channel, key: str) -> None:
    assert list_projects(channel, (key, f"Bearer {token(guarded)}")) == ["flytesnacks"]
    assert "invalid number of segments" in refusal(channel, "Bearer garbage", key)


def test_calls_without_a_good_token_are_refused(guarded: LocalFlyte, channel: grpc.Channel) -> None:
    good = token(guarded)
    assert "Request unauthenticated with Bearer" in refusal(channel, "")
    assert "Request unauthenticated with Bearer" in refusal(channel, f"Basic {good}")
    assert "Bad authorization string" in refusal(channel, good)
    assert "required scope" in refusal(channel, f"Bearer {token(guarded, 'offline')}")
    with pytest.raises(grpc.RpcError, match="UNAUTHENTICATED"):
        admin_pb2_grpc.AdminServiceStub(channel).GetVersion(version_pb2.GetVersionRequest())
    with pytest.raises(grpc.RpcError, match="UNAUTHENTICATED"):
        identity_pb2_grpc.IdentityServiceStub(channel).UserInfo(identity_pb2.UserInfoRequest())


def test_forged_tokens_are_refused(guarded: LocalFlyte, channel: grpc.Channel) -> None:
    claims = jwt.decode(token(guarded), options={"verify_signature": False})
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert "verification error" in refusal(channel, f"Bearer {jwt.encode(claims, stranger, 'RS256')}")
    assert "malformed" in refusal(channel, f"Bearer {jwt.encode(claims, None, 'none')}")
    assert "malformed" in refusal(channel, f"Bearer {jwt.encode(claims, 'x' * 32, 'HS256')}")
    assert "malformed" in refusal(channel, "Bearer a.b.c")


def test_tokens_for_others_or_without_an_end_are_refused(guarded: LocalFlyte, channel: grpc.Channel) -> None:
    key = (guarded.data_dir / "token-key.pem").read_text()
    claims = jwt.decode(token(guarded), options={"verify_signature": False})
    changed = {
        "invalid audience": {**claims, "aud": ["http://other:1"]},
        "malformed": {"aud": guarded.http_url},
    }
    for text, wrong in changed.items():
        assert text in refusal(channel, f"Bearer {jwt.encode(wrong, key, 'RS256')}")


def test_metadata_and_health_need_no_token(guarded: LocalFlyte, channel: grpc.Channel) -> None:
    stub = auth_pb2_grpc.AuthMetadataServiceStub(channel)
    metadata = stub.GetOAuth2Metadata(auth_pb2.OAuth2MetadataRequest())
    assert metadata.token_endpoint == f"{guarded.http_url}/oauth2/token"
    health = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
    assert health.status == health_pb2.HealthCheckResponse.SERVING


def test_an_expired_token_is_refused_and_one_outlives_a_restart(tmp_path) -> None:
    with LocalFlyte(tmp_path, auth=True) as flyte:
        lasting = token(flyte)
    assert (tmp_path / "client-secret").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "token-key.pem").stat().st_mode & 0o777 == 0o600
    http_port = int(flyte.http_url.rsplit(":", 1)[1])
    brief = LocalFlyte(tmp_path, http_port=http_port, auth=True, arguments=["--token-lifetime", "2"])
    with brief as flyte, grpc.insecure_channel(flyte.endpoint) as channel:
        assert list_projects(channel, ("authorization", f"Bearer {lasting}"))
        answer = json.loads(ask_for_token(flyte, flyte.client_secret, scope="all"))
        assert answer["expires_in"] == 1
        time.sleep(2.1)
        assert "access token err: Token is expired" in refusal(channel, f"Bearer {answer['access_token']}")


def test_flytekit_signs_in(guarded: LocalFlyte) -> None:
    from flytekit.configuration import Config, PlatformConfig
    from flytekit.remote import FlyteRemote

    def remote(secret: str) -> FlyteRemote:
        platform = PlatformConfig(
            endpoint=guarded.endpoint,
            insecure=True,
            auth_mode="ClientSecret",
            client_id=guarded.client_id,
            client_credentials_secret=secret,
        )
        return FlyteRemote(Config(platform), default_project="flytesnacks", default_domain="development")

    signed_in = remote(guarded.client_secret)
    assert [one.id for one in signed_in.client.list_projects_paginated(limit=10)[0]] == ["flytesnacks"]
    assert signed_in.recent_executions() == []
    with pytest.raises(Exception, match="invalid_client"):
        remote("wrong").recent_executions()


def test_the_console_asks_for_the_clients_secret(guarded: LocalFlyte) -> None:
    request = urllib.request.Request(f"{guarded.http_url}/console/projects/flytesnacks/executions")
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(request, timeout=20)
    basic = base64.b64encode(f"{guarded.client_id}:{guarded.client_secret}".encode()).decode()
    request.add_header("Authorization", f"Basic {basic}")
    with urllib.request.urlopen(request, timeout=20) as page:
        assert page.status == 200


def test_secrets_are_not_in_the_log(guarded: LocalFlyte, channel: grpc.Channel) -> None:
    given = token(guarded)
    list_projects(channel, ("authorization", f"Bearer {given}"))
    refusal(channel, f"Bearer {given}x")
    log = guarded.log_path.read_text()
    assert str(guarded.data_dir / "client-secret") in log  # where it is, for people
    assert guarded.client_secret not in log
    assert given.rsplit(".", 1)[0] not in log


def test_without_sign_in_there_is_no_token_and_nothing_of_it_is_loaded(flyte: LocalFlyte) -> None:
    with pytest.raises(LocalFlyteError, match="auth=True"):
        _ = flyte.client_secret
    with pytest.raises(urllib.error.HTTPError, match="404"):
        ask_for_token(flyte, "any", scope="all")
    loads = "import sys, airflow_flyte_provider.local.server; print('jwt' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", loads], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
