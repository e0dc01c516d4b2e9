"""Every way of signing in, blocking and on the event loop, against a local Flyte that asks for it."""

import asyncio
import logging
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from airflow_flyte_provider.admin import lists
from airflow_flyte_provider.admin.auth.credentials import credentials
from airflow_flyte_provider.admin.auth.sign_in import AuthMode, SignIn
from airflow_flyte_provider.admin.client import AsyncClient, Client
from airflow_flyte_provider.admin.settings import Settings
from airflow_flyte_provider.exceptions import FlyteConnectionError, FlytePermissionError, FlyteSignInError
from airflow_flyte_provider.local import LocalFlyte
from tests.certificates import CertificateAuthority
from tests.conformance.sign_in import token
from tests.gateway import Gateway


@pytest.fixture(scope="module")
def guarded():
    with LocalFlyte(auth=True) as flyte:
        yield flyte


@pytest.fixture(params=["blocking", "on the event loop"])
def ask(request):
    """A function that lists the projects."""

    def blocking(settings):
        return [project.id for project in Client(settings).run(lists.list_projects())]

    async def waiting(settings):
        return [project.id for project in await AsyncClient(settings).run(lists.list_projects())]

    return blocking if request.param == "blocking" else lambda settings: asyncio.run(waiting(settings))


def by_client(flyte, **changed):
    return SignIn(
        **{
            "mode": AuthMode.CLIENT_CREDENTIALS,
            "client_id": flyte.client_id,
            "client_secret": flyte.client_secret,
            **changed,
        }
    )


def to(endpoint, sign_in, **fields):
    return Settings(endpoint, **{"insecure": True, "call_timeout": 10, **fields}, sign_in=sign_in)


def printing(text):
    return (sys.executable, "-c", f"print({text!r})")


def test_client_credentials_with_everything_told_by_flyte(guarded, ask):
    assert ask(to(guarded.endpoint, by_client(guarded, audience=f"a{id(ask)}"))) == ["flytesnacks"]


def test_client_credentials_with_everything_told_by_the_connection(guarded, ask):
    told = {
        "token_url": f"{guarded.http_url}/oauth2/token",
        "scopes": ("all",),
        "authorization_key": "authorization",
    }
    before = guarded.calls()
    assert ask(to(guarded.endpoint, by_client(guarded, **told, audience=f"b{id(ask)}"))) == ["flytesnacks"]
    after = guarded.calls()
    assert after.get("GetOAuth2Metadata") == before.get("GetOAuth2Metadata")


def test_a_token_that_does_not_change(guarded, ask):
    sign_in = SignIn(AuthMode.TOKEN, token=token(guarded))
    assert ask(to(guarded.endpoint, sign_in)) == ["flytesnacks"]
    with pytest.raises(FlytePermissionError, match="answered UNAUTHENTICATED") as caught:
        ask(to(guarded.endpoint, SignIn(AuthMode.TOKEN, token="eyJhbGciOi.wrong.token")))
    assert "wrong.token" not in str(caught.value)


def test_what_a_command_prints(guarded, ask, tmp_path):
    assert ask(to(guarded.endpoint, SignIn(AuthMode.COMMAND, command=printing(token(guarded))))) == [
        "flytesnacks"
    ]
    # No shell: this would make the file.
    made = tmp_path / "made"
    sign_in = SignIn(AuthMode.COMMAND, command=("echo", f"x; touch {made}"))
    with pytest.raises(FlyteSignInError, match="must print a token and nothing else"):
        ask(to(guarded.endpoint, sign_in))
    assert not made.exists()


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (("no-such-program-here",), "no-such-program-here could not be run: No such file"),
        ((sys.executable, "-c", "print('s3cret-out'); exit(3)"), "ended with exit code 3"),
        ((sys.executable, "-c", "import time; time.sleep(60)"), "took longer than 2 s"),
        (printing("s3cret-out\nand more"), "it printed 3 words"),
    ],
)
def test_a_command_that_gives_no_token(guarded, command, told):
    settings = to(guarded.endpoint, SignIn(AuthMode.COMMAND, command=command), call_timeout=2)
    with pytest.raises(FlyteSignInError, match=told) as caught:
        Client(settings).run(lists.list_projects())
    assert "s3cret-out" not in str(caught.value)


def test_a_wrong_secret_is_told_with_the_client_and_the_endpoint(guarded, ask):
    with pytest.raises(
        FlyteSignInError, match="oauth2/token refused the client 'flytepropeller': invalid_client"
    ) as caught:
        ask(to(guarded.endpoint, by_client(guarded, client_secret="wr0ng&s3cret")))
    assert "wr0ng" not in str(caught.value)
    with pytest.raises(FlyteSignInError, match="invalid_scope"):
        ask(to(guarded.endpoint, by_client(guarded, scopes=("everything",))))


def test_no_sign_in_where_one_is_asked_for(guarded, ask):
    with pytest.raises(FlytePermissionError, match="does not sign in: set its login and password"):
        ask(to(guarded.endpoint, SignIn()))


def test_a_flyte_without_sign_in_has_no_token_endpoint(guarded, registered):
    with pytest.raises(FlyteSignInError, match="tells no token endpoint"):
        Client(to(registered.endpoint, by_client(guarded))).run(lists.list_projects())


def test_a_token_endpoint_that_is_down_is_no_refusal(guarded, ask):
    sign_in = by_client(guarded, token_url="http://127.0.0.1:1/token")
    with pytest.raises(
        FlyteConnectionError, match=r"token endpoint http://127\.0\.0\.1:1/token could not be reached"
    ):
        ask(to(guarded.endpoint, sign_in))


def test_a_secret_is_not_sent_in_plaintext_to_other_machines(guarded, tmp_path):
    pair = CertificateAuthority(tmp_path).sign("flyte", "127.0.0.1")
    with Gateway(guarded.endpoint, shows=pair) as gateway:
        sign_in = by_client(guarded, token_url="http://login.example.com/token")
        settings = to(gateway.endpoint, sign_in, insecure=False, ca_cert_file=str(tmp_path / "ca.pem"))
        with pytest.raises(
            FlyteSignInError, match="not an https address, so the client's secret is not sent"
        ):
            Client(settings).run(lists.list_projects())


def test_a_redirect_of_the_token_endpoint_is_not_followed(guarded):
    asked = []

    class Redirecting(BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(self.path)
            self.send_response(307)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Redirecting)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        sign_in = by_client(guarded, token_url=f"http://127.0.0.1:{server.server_port}/token")
        with pytest.raises(FlyteSignInError, match=r"answered 307\. No redirect is followed"):
            Client(to(guarded.endpoint, sign_in)).run(lists.list_projects())
    finally:
        server.shutdown()
        server.server_close()
    assert asked == ["/token"]


def test_a_proxy_gets_its_own_token_and_flyte_its_own(guarded, ask):
    with Gateway(guarded.endpoint, ["Bearer for-the-proxy"]) as gateway:
        sign_in = by_client(guarded, proxy_command=printing("for-the-proxy"))
        assert ask(to(gateway.endpoint, sign_in)) == ["flytesnacks"]
        assert {call["method"] for call in gateway.seen} >= {"GetPublicClientConfig", "ListProjects"}
        assert all(call["proxy-authorization"] == "Bearer for-the-proxy" for call in gateway.seen)
        tokens = [call["flyte-authorization"] for call in gateway.seen if "flyte-authorization" in call]
        assert len(tokens) == 1
        with pytest.raises(FlytePermissionError, match="the proxy does not know you"):
            ask(to(gateway.endpoint, replace(sign_in, proxy_command=printing("for-another"))))


def test_a_token_that_is_refused_is_replaced_once(guarded, ask, tmp_path):
    kept = tmp_path / "token"
    kept.write_text("first-token")
    sign_in = SignIn(AuthMode.NONE, proxy_command=("cat", str(kept)))
    with Gateway(guarded.endpoint, ["Bearer first-token"]) as gateway:
        sign_in = replace(sign_in, mode=AuthMode.TOKEN, token=token(guarded))
        settings = to(gateway.endpoint, sign_in)
        assert ask(settings) == ["flytesnacks"]
        kept.write_text("second-token")
        gateway.proxy_tokens = ["Bearer second-token"]
        gateway.seen.clear()
        assert ask(settings) == ["flytesnacks"]
        assert [call["proxy-authorization"] for call in gateway.seen] == [
            "Bearer first-token",
            "Bearer second-token",
        ]


def test_one_token_for_all_threads_loops_and_hooks(guarded):
    settings = to(guarded.endpoint, by_client(guarded, audience="shared"), project="p")
    before = guarded.token_requests().get(200, 0)
    threads = [threading.Thread(target=Client(settings).run, args=[lists.list_projects()]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    async def many():
        client = AsyncClient(replace(settings, project="other"))
        await asyncio.gather(*(client.run(lists.list_projects()) for _ in range(50)))

    asyncio.run(many())
    Client(settings).run_aside(lists.list_projects(), 10)
    assert guarded.token_requests()[200] - before == 1


def test_a_token_is_bound_to_its_endpoint(guarded):
    """The same client at another Flyte signs in there, and is not sent with what the first one gave."""
    sign_in = by_client(guarded, audience="bound")
    Client(to(guarded.endpoint, sign_in)).run(lists.list_projects())
    with Gateway(guarded.endpoint) as gateway:
        Client(to(gateway.endpoint, sign_in)).run(lists.list_projects())
        first = dict(credentials(to(guarded.endpoint, sign_in)).metadata())["flyte-authorization"]
        assert first not in [call.get("flyte-authorization") for call in gateway.seen]


def test_a_secret_of_any_letters_is_sent_as_the_standard_says(tmp_path):
    (tmp_path / "client-secret").write_text("p%2B+ /:&=ü€")
    with LocalFlyte(tmp_path, auth=True) as flyte:
        assert Client(to(flyte.endpoint, by_client(flyte))).run(lists.list_projects())


def test_nothing_secret_is_shown(guarded, caplog):
    caplog.set_level(logging.DEBUG)
    secret = guarded.client_secret
    settings = to(
        guarded.endpoint, by_client(guarded, proxy_command=printing("pr0xy-t0ken"), audience="shown")
    )
    made = credentials(settings)
    Client(settings).run(lists.list_projects())
    tokens = [value.removeprefix("Bearer ") for _, value in made.metadata()]
    shown = f"{settings!r} {settings} {made!r} {vars(made)} {made._flyte.kept!r} {caplog.text}"
    for hidden in (secret, *tokens):
        assert hidden not in shown
