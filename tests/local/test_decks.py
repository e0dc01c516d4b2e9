"""Decks: the page that a task leaves is the node's, as FlytePropeller records it."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import grpc
import pytest
from flyteidl.admin import common_pb2, execution_pb2
from flyteidl.core import dynamic_job_pb2
from flyteidl.service import dataproxy_pb2

from tests.local.client import Client, task_node, until

LEAVE = "echo {} > {{{{.outputPrefix}}}}/deck.html"


def _deck(client: Client, execution, node: str = "n0") -> str | None:
    """Return what a node's deck says, None when it has none."""
    urls = client.node_data(execution, node).flyte_urls
    url = f"flyte://v1/{execution.project}/{execution.domain}/{execution.name}/{node}/d"
    request = dataproxy_pb2.GetDataRequest(flyte_url=url)
    if not client.node(execution, node).closure.deck_uri:
        assert urls.deck == ""
        with pytest.raises(grpc.RpcError, match="no deckUrl found"):
            client.proxy.GetData(request)
        return None
    assert urls.deck == url
    with urllib.request.urlopen(client.proxy.GetData(request).pre_signed_urls.signed_url[0]) as page:
        return page.read().decode().strip()


@pytest.fixture
def run(client: Client, unique):
    """A function that runs a shell script as a task, and returns its execution and how it ended."""

    def run(script: str, **task):
        node = task_node("n0", client.command(unique("task"), "sh", "-c", script, **task), None)
        client.workflow(unique("wf"), [node])
        execution = client.launch(unique("wf"))
        return execution, client.end(execution)

    return run


@pytest.mark.parametrize(("says", "deck"), [(True, "page"), (None, "page"), (False, None)])
def test_a_task_has_its_deck_unless_it_says_that_it_makes_none(client: Client, run, says, deck) -> None:
    execution, end = run(LEAVE.format("page"), generates_deck=says)
    assert (end, _deck(client, execution)) == ("SUCCEEDED", deck)


def test_a_task_without_a_page_has_no_deck(client: Client, run) -> None:
    execution, end = run("true", generates_deck=True)
    assert (end, _deck(client, execution)) == ("SUCCEEDED", None)


def test_a_failed_task_has_its_deck(client: Client, run) -> None:
    execution, end = run(f"{LEAVE.format('page')}; exit 3", generates_deck=True)
    assert (end, _deck(client, execution)) == ("FAILED", "page")
    assert client.node(execution, "n0").closure.error.code


@pytest.mark.parametrize(("second", "deck"), [("true", None), (LEAVE.format("second"), "second")])
def test_the_deck_is_that_of_the_last_attempt(client: Client, run, tmp_path: Path, second, deck) -> None:
    script = f"if mkdir {tmp_path}/once; then {LEAVE.format('first')}; exit 3; fi; {second}"
    execution, end = run(script, retries=1, generates_deck=True)
    assert (end, _deck(client, execution)) == ("SUCCEEDED", deck)


def test_a_recovered_node_has_the_deck_of_the_one_it_recovers(client: Client, unique, tmp_path: Path) -> None:
    task = client.command(unique("deck"), "sh", "-c", LEAVE.format("page"), generates_deck=True)
    fails = client.command(unique("fails"), "sh", "-c", f"test -e {tmp_path}/now")
    client.workflow(unique("wf"), [task_node("n0", task, None), task_node("n1", fails, None, ["n0"])])
    failed = client.launch(unique("wf"))
    assert client.end(failed) == "FAILED"
    (tmp_path / "now").touch()
    recovered = client.admin.RecoverExecution(execution_pb2.ExecutionRecoverRequest(id=failed)).id
    assert client.end(recovered) == "SUCCEEDED"
    assert client.node_phases(recovered)["n0"] == "RECOVERED"
    assert _deck(client, recovered) == "page"


def test_a_dynamic_node_shows_no_deck(client: Client, run, unique, tmp_path: Path) -> None:
    """FlytePropeller's own event at such a node's end names none."""
    inner = client.command(unique("inner"), "true")
    spec = dynamic_job_pb2.DynamicJobSpec(nodes=[task_node("dn0", inner, None)])
    found = client.admin.GetTask(common_pb2.ObjectGetRequest(id=inner))
    spec.tasks.append(found.closure.compiled_task.template)
    (tmp_path / "spec.pb").write_bytes(spec.SerializeToString())
    script = f"{LEAVE.format('page')}; cp {tmp_path}/spec.pb {{{{.outputPrefix}}}}/futures.pb"
    execution, end = run(script, generates_deck=True)
    assert end == "SUCCEEDED"
    assert client.node(execution, "n0").metadata.is_dynamic
    assert _deck(client, execution) is None


@pytest.mark.parametrize("a", [5, 13])
def test_a_deck_of_flytekit(remote, user_code, client: Client, a: int) -> None:
    module, folder = user_code("deck_flow")
    decked = remote.register_script(
        module.decked, source_path=str(folder), module_name="deck_flow", version=f"deck-{a}"
    )
    execution = remote.execute(decked, inputs={"a": a})
    until(lambda: remote.sync_execution(execution).is_done, 120)
    identifier = execution.id.to_flyte_idl()
    assert client.phase(identifier) == ("FAILED" if a == 13 else "SUCCEEDED")
    assert f"<b>{a} and counting</b>" in _deck(client, identifier)
    if a != 13:
        assert _deck(client, identifier, "n1") is None
