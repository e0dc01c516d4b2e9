"""What FlyteHook does with signals, against a real local Flyte, and as a real Flyte was recorded."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from flyteidl.admin import execution_pb2, signal_pb2
from flyteidl.core.types_pb2 import LiteralType
from google.protobuf.json_format import MessageToDict, ParseDict

from airflow_flyte_provider.admin import signals as verbs
from airflow_flyte_provider.admin.nodes import watch_nodes
from airflow_flyte_provider.exceptions import (
    FlyteInvalidRequestError,
    FlyteNotFoundError,
    FlyteOutputsError,
    FlyteSignalAnsweredError,
    FlyteSignalNotReadyError,
    FlyteSignalOverError,
    FlyteSignalValueError,
)
from airflow_flyte_provider.model.files import FlyteFile
from airflow_flyte_provider.model.identifiers import ExecutionId
from airflow_flyte_provider.model.views.executions import Execution
from airflow_flyte_provider.model.views.node_log import NodeLog
from airflow_flyte_provider.model.views.signals import Signal
from tests.asking import SIGNAL, register_asking
from tests.conftest import RECORDINGS
from tests.e2e.gates import wait_for
from tests.hooks.conftest import FILE
from tests.hooks.test_views import counted


@pytest.fixture
def gated(hook):
    """An execution that waits for `approve-me` (bool) and `title` (str)."""
    execution = hook.execute(hook.fetch_launch_plan("demo.gated"), {"a": 1}).id
    yield execution
    hook.terminate(execution, "the test is over")


def test_a_workflow_goes_on_once_its_signals_are_set(hook, gated):
    approved = hook.approve_signal(gated, "approve-me", timeout=30, poll_interval=0.1)
    assert (approved.id, approved.type_name, approved.value) == ("approve-me", "bool", True)
    hook.set_signal(gated, "title", "Report of May", timeout=30, poll_interval=0.1)
    assert list(map(str, hook.list_signals(gated))) == [
        "'approve-me' (bool) = True",
        "'title' (str) = 'Report of May'",
    ]
    assert hook.wait(gated, timeout=30, poll_interval=0.1).is_successful
    assert hook.set_signal(gated, "title", "Report of May").value == "Report of May"


def test_a_rejected_execution_fails(hook, gated):
    hook.reject_signal(gated, "approve-me", timeout=30, poll_interval=0.1)
    done = hook.wait(gated, timeout=30, poll_interval=0.1)
    assert (done.phase, done.error.code) == ("FAILED", "ReceivedRejectSignal")


def test_a_signal_that_is_not_asked_for_is_told_with_those_that_are(hook, gated):
    hook.run(verbs._wait_for_gate(gated, "title", 30, 0.1))
    with pytest.raises(
        FlyteSignalNotReadyError, match=r"'titel' yet\..*'title' \(str\)\. Did you mean 'title'\?"
    ):
        hook.set_signal(gated, "titel", "x")


def test_a_value_of_another_type_is_told_and_not_sent(hook, gated):
    with pytest.raises(FlyteSignalValueError, match=r"'title' .* takes str .* got int 5"):
        hook.set_signal(gated, "title", 5, timeout=30, poll_interval=0.1)
    assert not any(signal.is_set for signal in hook.list_signals(gated))


def test_a_signal_that_was_answered_is_not_answered_otherwise(hook, gated):
    hook.approve_signal(gated, "approve-me", timeout=30, poll_interval=0.1)
    with pytest.raises(FlyteSignalAnsweredError, match="has the value True already") as told:
        hook.reject_signal(gated, "approve-me")
    assert told.value.value is True


@pytest.mark.parametrize("signal", ["approve-me", "nope"])
def test_an_execution_that_ends_while_its_signal_is_waited_for_is_told(hook, gated, signal):
    hook.run(verbs._wait_for_gate(gated, "approve-me", 30, 0.1))
    with ThreadPoolExecutor() as executor:
        waiting = executor.submit(hook.approve_signal, gated, "nope", timeout=60, poll_interval=0.1)
        hook.terminate(gated, "not today")
        with pytest.raises(FlyteSignalOverError, match=r"'nope' was never asked for(.|\n)*not today") as told:
            waiting.result(30)
    assert told.value.execution.abort_cause == "not today"
    with pytest.raises(FlyteSignalOverError, match="ended ABORTED"):
        hook.approve_signal(gated, signal)


def test_a_local_file_is_refused_and_one_in_a_store_is_not(hook, registered, folder):
    register_asking(registered.endpoint, "asking.a_file", FILE)
    execution = hook.execute(hook.fetch_launch_plan("asking.a_file")).id
    with pytest.raises(FlyteSignalValueError, match="is not uploaded: give a URI"):
        hook.set_signal(execution, SIGNAL, FlyteFile(folder / "a b.txt"), timeout=30, poll_interval=0.1)
    hook.set_signal(execution, SIGNAL, "s3://bucket/a.txt")
    assert hook.wait(execution, timeout=30, poll_interval=0.1).is_successful


def test_an_execution_that_does_not_exist(hook):
    missing = hook.execution_id("nope")
    assert hook.list_signals(missing) == []
    with pytest.raises(FlyteNotFoundError):
        hook.approve_signal(missing, "approve-me", timeout=30)


def test_all_pages_are_listed(hook, registered, gated):
    from tests.local.client import STRING, Client

    client = Client(registered.endpoint)
    for number in range(2 * verbs._PAGE + 1):
        request = signal_pb2.SignalGetOrCreateRequest(type=STRING)
        request.id.execution_id.CopyFrom(verbs.to_proto(gated))
        request.id.signal_id = f"s{number:03}"
        client.signals.GetOrCreateSignal(request)
    client.close()
    found = [signal.id for signal in hook.list_signals(gated) if signal.id.startswith("s")]
    assert found == [f"s{number:03}" for number in range(2 * verbs._PAGE + 1)]


def test_who_waits_is_told_of_each_signal_once(hook, gated):
    lines = []
    with ThreadPoolExecutor() as executor:
        waiting = executor.submit(hook.wait, gated, timeout=60, poll_interval=0.1, tell=lines.append)
        wait_for(lambda: sum("waiting for signal" in line for line in lines) == 2)
        hook.approve_signal(gated, "approve-me")
        hook.set_signal(gated, "title", "hi")
        assert waiting.result(30).is_successful
    told = sorted(line.partition(", or by")[0] for line in lines if "signal" in line)
    assert told == [
        "waiting for signal 'approve-me' (bool): answer it in the Flyte console",
        "waiting for signal 'title' (str): answer it in the Flyte console",
    ]


def test_signals_are_listed_when_a_gate_comes_to_wait_and_only_then(hook, gated):
    hook.run(verbs._wait_for_gate(gated, "title", 30, 0.1))
    calls, log = Counter(), NodeLog()
    for _ in range(3):
        hook.run(counted(watch_nodes(gated, log), calls))
    assert calls["ListSignals"] == 1
    plain = hook.execute(hook.fetch_launch_plan("demo.add_one"), {"a": 1}).id
    calls, log = Counter(), NodeLog()
    while not hook.get_execution(plain).is_done:
        hook.run(counted(watch_nodes(plain, log), calls))
    assert calls["ListNodeExecutions"]
    assert calls["ListSignals"] == 0


# -- as recorded ------------------------------------------------------------------------------------------------


def recorded(name):
    """Return the recorded calls by the part of their case after the slash."""
    calls = map(json.loads, (RECORDINGS / f"{name}.jsonl").read_text().splitlines())
    return {call["case"].partition("/")[2]: call for call in calls}


def view(call, kind):
    return ParseDict(call["response"], kind())


def execution_of(call):
    return ExecutionId(**call["response"]["id"])


def requests(verb, *answers):
    """Run a verb on answers, and return what it has asked: method and request each."""
    asked, answers = [], iter(answers)
    call = next(verb)
    while True:
        asked.append((call.method, MessageToDict(call.request, preserving_proto_field_name=True)))
        try:
            call = verb.send(next(answers))
        except StopIteration:
            return asked


def test_the_recorded_signals_are_read():
    calls = recorded("signals")
    signals = [Signal.from_proto(one) for one in view(calls["list"], signal_pb2.SignalList).signals]
    assert [(one.id, one.type_name, one.is_set, one.value) for one in signals] == [
        ("approve-me", "bool", False, None),
        ("title", "str", False, None),
    ]
    after = [Signal.from_proto(one) for one in view(calls["list-after"], signal_pb2.SignalList).signals]
    assert [(one.is_set, one.value) for one in after] == [(True, True), (True, "hi")]
    assert {str(one.execution) for one in after} == {"flytesnacks/development/gtv1c"}


@pytest.mark.parametrize(
    ("name", "case", "signal", "value"),
    [
        ("signals", "approve", "approve-me", True),
        ("signals", "title", "title", "hi"),
        ("reject", "set", "approve-me", False),
    ],
)
def test_the_recorded_requests_are_sent(name, case, signal, value):
    calls, listed = recorded(name), recorded("signals")["list"]
    execution = execution_of(calls["create"])
    running = execution_pb2.Execution()
    running.id.CopyFrom(verbs.to_proto(execution))
    verb = verbs.set_signal(execution, signal, value, timeout=None, poll_interval=1)
    asked = requests(verb, running, view(listed, signal_pb2.SignalList), signal_pb2.SignalSetResponse())
    assert [method for method, _ in asked] == ["GetExecution", "ListSignals", "SetSignal"]
    assert asked[1][1].pop("sort_by")  # ours alone: it keeps pages apart
    listing = {**listed["request"], "workflow_execution_id": calls["create"]["response"]["id"]}
    assert asked[1][1] == listing
    assert asked[2][1] == calls[case]["request"]


def test_a_refusal_of_flyte_becomes_a_typed_error():
    calls = recorded("signals")
    verb = verbs.set_signal(execution_of(calls["create"]), "approve-me", True, timeout=None, poll_interval=1)
    next(verb)
    verb.send(execution_pb2.Execution())
    assert verb.send(view(calls["list"], signal_pb2.SignalList)).method == "SetSignal"
    with pytest.raises(FlyteSignalValueError, match="is not castable to existing signal type"):
        verb.throw(FlyteInvalidRequestError(calls["set-wrong-type"]["details"]))


def test_the_recorded_rejection_is_told():
    done = Execution.from_proto(view(recorded("reject")["get"], execution_pb2.Execution))
    look = verbs.SignalLook(done, "title", [])
    with pytest.raises(
        FlyteSignalOverError, match=r"never asked for(.|\n)*ReceivedRejectSignal(.|\n)*disapprove"
    ):
        look.require_open()


def test_a_value_that_airflow_would_take_for_an_object_is_not_handed_on(hook):
    kind = LiteralType(simple="STRUCT")
    evil = {"a": [{"__type": "airflow.sdk.definitions.connection.Connection", "__var": {}}]}
    signal = Signal(ExecutionId("p", "d", "x"), "title", kind, is_set=True, value=evil)
    with pytest.raises(FlyteOutputsError, match=r"'title' of execution p/d/x: .*__type"):
        hook.signal_xcom(signal)
    assert hook.signal_xcom(Signal(signal.execution, "title", kind, is_set=True, value=b"\0\1")) == "AAE="
