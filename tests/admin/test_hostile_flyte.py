"""What a Flyte that means harm can do to a worker by its answers: nothing but to make a task fail, and say why."""

import asyncio
import sys
import traceback

import grpc
import pytest
from flyteidl.admin import execution_pb2, node_execution_pb2, project_pb2
from flyteidl.service import auth_pb2

from airflow_flyte_provider.admin import executions, lists, nodes, syncing
from airflow_flyte_provider.admin.auth.sign_in import AuthMode, SignIn
from airflow_flyte_provider.admin.client import AsyncClient, Client
from airflow_flyte_provider.admin.settings import Settings
from airflow_flyte_provider.exceptions import FlyteError, FlyteSignInError
from airflow_flyte_provider.model.identifiers import ExecutionId
from tests.hostile_flyte import HostileFlyte

EXECUTION = ExecutionId("p", "d", "x")
TOKEN = "0paque-t0ken/of+this=test"
BY_COMMAND = SignIn(
    AuthMode.COMMAND, command=(sys.executable, "-c", f"print({TOKEN!r})"), authorization_key="authorization"
)
BY_PROXY = SignIn(AuthMode.NONE, proxy_command=BY_COMMAND.command)


def to(flyte, sign_in=None):
    return Settings(flyte.endpoint, insecure=True, call_timeout=10, sign_in=sign_in or SignIn())


@pytest.mark.parametrize("sign_in", [BY_COMMAND, BY_PROXY], ids=["token", "token of the proxy"])
@pytest.mark.parametrize(
    "code", [grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNKNOWN]
)
def test_a_token_that_flyte_says_back_is_shown_to_nobody(code, sign_in):
    def echo(metadata):
        sent = metadata.get("authorization") or metadata["proxy-authorization"]
        return code, f"bad token {sent.removeprefix('Bearer ')}!"

    with HostileFlyte({"ListProjects": echo}) as flyte:
        for run in (
            Client(to(flyte, sign_in)).run,
            lambda verb: asyncio.run(AsyncClient(to(flyte, sign_in)).run(verb)),
        ):
            with pytest.raises(FlyteError, match=r"bad token \*\*\*!") as caught:
                run(lists.list_projects())
            assert TOKEN not in "".join(traceback.format_exception(caught.value))


def test_an_answer_commands_no_terminal():
    answer = (grpc.StatusCode.NOT_FOUND, "\33[2J\33]0;x\7no\r\nsuch")
    with HostileFlyte({"ListProjects": answer}) as flyte, pytest.raises(FlyteError) as caught:
        Client(to(flyte)).run(lists.list_projects())
    assert str(caught.value).endswith("NOT_FOUND: no\nsuch")


@pytest.mark.parametrize(
    "url",
    [
        *("https://[", "https://", "https://host:port/", "file:///etc/passwd", "https://h\33[2J/", "//h"),
        *("http://evil.example/token", "https://\0/", "https://" + "a" * 70_000),
    ],
)
def test_a_token_endpoint_that_flyte_tells_is_no_address(url):
    client = SignIn(AuthMode.CLIENT_CREDENTIALS, client_id="me", client_secret="s3cret-of-me")
    answers = {
        "GetPublicClientConfig": auth_pb2.PublicClientAuthConfigResponse(),
        "GetOAuth2Metadata": auth_pb2.OAuth2MetadataResponse(token_endpoint=url),
    }
    with HostileFlyte(answers) as flyte:
        settings = Settings(flyte.endpoint, insecure=True, call_timeout=5, sign_in=client)
        if url.startswith("http://"):  # over TLS there is no plaintext for the secret
            from airflow_flyte_provider.admin.auth import sources
            from airflow_flyte_provider.admin.auth.discovery import Discovered

            with pytest.raises(FlyteSignInError, match="not sent there"):
                sources.by_client_credentials(
                    Settings("flyte.example.com:443", sign_in=client), Discovered("a", (), "", url, ())
                )
            return
        with pytest.raises(FlyteError, match="Signing in failed") as caught:
            Client(settings).run(lists.list_projects())
        told = str(caught.value)
        assert "s3cret" not in "".join(traceback.format_exception(caught.value))
        assert "\33" not in told
        assert len(told) < 1000


def node(**fields):
    found = node_execution_pb2.NodeExecution()
    found.id.node_id = "n0"
    found.id.execution_id.name = "x"
    found.closure.phase = 5
    for name, value in fields.items():
        setattr(found.metadata, name, value)
    return found


def test_a_node_that_holds_itself_is_not_followed_for_ever():
    listed = node_execution_pb2.NodeExecutionList(node_executions=[node(is_parent_node=True)])
    with HostileFlyte({"ListNodeExecutions": listed, "GetExecution": execution_pb2.Execution()}) as flyte:
        with pytest.raises(FlyteError, match="nested"):
            Client(to(flyte)).run(syncing.sync(EXECUTION))
        assert len(flyte.calls) < 100


def test_an_execution_that_launches_itself_is_not_followed_for_ever():
    inner = node()
    inner.closure.workflow_node_metadata.executionId.name = "x"
    listed = node_execution_pb2.NodeExecutionList(node_executions=[inner])
    with HostileFlyte({"ListNodeExecutions": listed, "GetExecution": execution_pb2.Execution()}) as flyte:
        with pytest.raises(FlyteError, match="nested"):
            Client(to(flyte)).run(syncing.sync(EXECUTION))
        assert len(flyte.calls) < 200


def test_pages_that_never_end_are_not_read_for_ever():
    page = project_pb2.Projects(projects=[project_pb2.Project(id="p")] * 1000, token="again")
    with HostileFlyte({"ListProjects": page}) as flyte:
        with pytest.raises(FlyteError, match="page"):
            Client(to(flyte)).run(lists.list_projects())
        assert len(flyte.calls) <= 2
    endless = node_execution_pb2.NodeExecutionList(node_executions=[node()] * 500, token="again")
    with HostileFlyte({"ListNodeExecutions": endless}) as flyte:
        with pytest.raises(FlyteError, match="page"):
            Client(to(flyte)).run(nodes.list_nodes(EXECUTION))
        assert len(flyte.calls) <= 2


def test_an_answer_that_is_no_message_is_told():
    class Garbage:
        def SerializeToString(self):
            return b"\xff\xff\xff\xff"

    with (
        HostileFlyte({"GetExecution": Garbage()}) as flyte,
        pytest.raises(FlyteError, match="execution p/d/x"),
    ):
        Client(to(flyte)).run(executions.get_execution(EXECUTION))
