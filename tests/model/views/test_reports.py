"""What is logged of nodes: made from views, since no test can wait for 300 nodes."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from flyteidl.admin import execution_pb2, node_execution_pb2, task_execution_pb2
from flyteidl.core.types_pb2 import LiteralType

from airflow_flyte_provider.model.identifiers import ExecutionId
from airflow_flyte_provider.model.phases import NodePhase
from airflow_flyte_provider.model.views.attempts import LogLink, TaskExecution
from airflow_flyte_provider.model.views.executions import Execution
from airflow_flyte_provider.model.views.node_log import NodeLog
from airflow_flyte_provider.model.views.nodes import NodeExecution
from airflow_flyte_provider.model.views.reports import (
    end_of,
    failing_log,
    failing_path,
    failure_report,
    summary_table,
)
from airflow_flyte_provider.model.views.signals import Signal

EPOCH = datetime(2026, 1, 1, tzinfo=timezone.utc)


def node(name, phase="SUCCEEDED", *, second=0, error="", **changes):
    proto = node_execution_pb2.NodeExecution()
    proto.id.node_id = proto.metadata.spec_node_id = name
    proto.id.execution_id.name = "x"
    proto.closure.phase = NodePhase(phase).number
    for field in (proto.closure.created_at, proto.closure.updated_at):
        field.FromDatetime(EPOCH + timedelta(seconds=second))
    if error:
        proto.closure.error.message, proto.closure.error.code = error, "Broken"
    return replace(NodeExecution.from_proto(proto), **changes)


def execution(*nodes, phase=4, **changes):
    proto = execution_pb2.Execution()
    proto.id.name = "x"
    proto.closure.phase = phase
    return replace(Execution.from_proto(proto), nodes=nodes, **changes)


def task(uri="http://log", attempt=0, elements=()):
    proto = task_execution_pb2.TaskExecution()
    proto.id.retry_attempt = attempt
    proto.id.task_id.name = "demo.work"
    proto.closure.logs.add(name="Logs", uri=uri)
    for index, phase in elements:
        one = proto.closure.metadata.external_resources.add(index=index, phase=phase)
        one.logs.add(name=f"element {index}", uri=f"{uri}/{index}")
    return TaskExecution.from_proto(proto)


def test_a_line_for_each_change_of_phase():
    log = NodeLog()
    running = node("n0", "RUNNING", tasks=(task(),))
    nodes = [node("start-node"), node("n1", "QUEUED", second=1), running]
    assert log.lines(nodes) == ["n0 (demo.work)  RUNNING  Logs: http://log", "n1  QUEUED"]
    assert log.lines(nodes) == []
    failed = node("n0", "FAILED", error="why", duration=timedelta(seconds=2.06))
    assert log.lines([failed]) == ["n0  FAILED  2.06 s  UNKNOWN error Broken"]
    assert log.lines([node("end-node")]) == []


def test_an_address_of_a_log_is_told_without_its_signature():
    running = node("n0", "RUNNING", tasks=(task("https://store/log?X-Amz-Signature=1f2e&x=1"),))
    assert NodeLog().lines([running]) == [
        "n0 (demo.work)  RUNNING  Logs: https://store/log?X-Amz-Signature=***&x=1"
    ]


def test_the_order_of_lines_is_that_of_their_beginning():
    nodes = [node(f"n{number}", second=-number) for number in range(5)]
    assert NodeLog().lines(nodes) == NodeLog().lines(nodes[::-1])
    assert [line.split()[0] for line in NodeLog().lines(nodes)] == ["n4", "n3", "n2", "n1", "n0"]


def test_many_nodes_are_counted_and_only_when_that_changed():
    log = NodeLog()
    nodes = [node(f"n{number}", "RUNNING" if number < 5 else "SUCCEEDED") for number in range(201)]
    assert log.lines(nodes) == ["201 nodes: 5 RUNNING, 196 SUCCEEDED"]
    assert log.lines(nodes) == []
    assert log.lines([node("n0", "FAILED")]) == ["201 nodes: 4 RUNNING, 196 SUCCEEDED, 1 FAILED"]
    assert len(NodeLog().lines(nodes[:200])) == 200


def test_changes_are_asked_for_from_a_while_before_the_latest():
    log = NodeLog()
    assert log.since is None
    log.lines([node("n0", second=600), node("n1", second=300)])
    assert log.since == EPOCH + timedelta(seconds=480)
    log.lines([])
    assert log.since == EPOCH + timedelta(seconds=480)


def test_a_table_of_the_nodes():
    inner = node("n0-0-n0", title="work", tasks=(task(), task(attempt=1)), duration=timedelta(minutes=2))
    outer = node("n0", title="part", is_parent=True, children=(node("n0-0-start-node"), inner))
    mapped = node(
        "n1", second=1, is_array=True, tasks=(task(elements=[(0, 3), (1, 5)]),), cache_status="CACHE_HIT"
    )
    assert [line.split() for line in summary_table(execution(outer, mapped)).splitlines()] == [
        ["node", "phase", "took", "attempts", "cache"],
        ["n0", "(part)", "SUCCEEDED"],
        ["n0-0-n0", "(work)", "SUCCEEDED", "2", "min", "2"],
        ["n1", "(demo.work)", "[1/2", "elements]", "SUCCEEDED", "1", "hit"],
    ]


def test_a_long_table_shows_what_did_not_succeed():
    nodes = [
        node(f"n{number:03}", "FAILED" if number == 250 else "SUCCEEDED", second=number)
        for number in range(300)
    ]
    _, failed, rest = summary_table(execution(*nodes)).splitlines()
    assert failed.split() == ["n250", "FAILED"]
    assert rest == "and 299 more: 299 SUCCEEDED"
    endless = [node(f"n{number:03}", "ABORTED", second=number) for number in range(300)]
    lines = summary_table(execution(*endless)).splitlines()
    assert (len(lines), lines[-1]) == (202, "and 100 more: 100 ABORTED")


def test_the_path_to_the_node_that_failed_first():
    late = node("n2", "FAILED", second=9, error="NodeAborted")
    deep = node(
        "m0", "FAILED", second=3, error="[1/1] out of memory", tasks=(task("http://a"), task("http://b", 1))
    )
    child = execution(deep, phase=6)
    early = node("n1", "FAILED", second=5, error="child failed", launched=child.id, execution=child)
    failed = execution(node("n0"), late, early, phase=6)
    assert failing_path(failed) == (early, deep)
    assert failure_report(failed).splitlines()[1:] == [
        f"Failing node: n1 () > execution {child.id} > m0 (demo.work), attempt 2",
        "UNKNOWN error Broken:",
        "[1/1] out of memory",
        "Log: Logs: http://b",
    ]


def test_the_log_to_link_to_is_a_page_that_everybody_may_see():
    signed, page = "https://store/log?X-Amz-Signature=1f2e", "https://logs/n0"

    def failed(*uris):
        logs = tuple(LogLink("Logs", uri) for uri in uris)
        return execution(node("n0", "FAILED", tasks=(replace(task(), logs=logs),)), phase=6)

    assert failing_log(failed(signed, "javascript:alert(1)", page, "https://logs/again")) == page
    assert failing_log(failed(signed)) == ""
    assert failing_log(execution(node("n0"), phase=7)) == ""


HOSTILE = "\33[2J\33]0;owned\7n0\r\n[2026-01-01] INFO - all is well \u202e"


def assert_on_one_line(text):
    assert text.isprintable(), text
    assert "all is well" in text


def test_names_neither_forge_lines_of_a_log_nor_command_a_terminal():
    attempt = replace(task(), logs=(LogLink(HOSTILE, f"https://logs/{HOSTILE}"),))
    bad = node(HOSTILE, "FAILED", error="x", title=HOSTILE, tasks=(attempt,))
    bad = replace(bad, error=replace(bad.error, code=HOSTILE))
    assert_on_one_line(NodeLog().lines([bad])[0])
    for line in summary_table(execution(bad)).splitlines()[1:]:
        assert_on_one_line(line)
    signal = Signal(ExecutionId("p", "d", HOSTILE), HOSTILE, LiteralType(simple="BOOLEAN"), is_set=False)
    assert_on_one_line(NodeLog().signal_lines([signal])[0])
    told = failure_report(execution(bad, phase=6, abort_cause=HOSTILE)).splitlines()
    assert len(told) == 6
    assert all(line.isprintable() for line in told)


def test_the_message_of_an_error_keeps_its_lines_and_nothing_that_commands_a_terminal():
    message = f"Traceback:\n\tValueError \33[31mred\33[0m {HOSTILE}"
    told = failure_report(execution(node("n0", "FAILED", error=message), phase=6))
    assert "Traceback:\n\tValueError red n0\n[2026" in told
    assert "\33" not in told
    assert "owned" not in told


@pytest.mark.parametrize(
    "uri",
    [
        *(
            "javascript:alert(1)",
            "JavaScript://host/%0aalert(1)",
            "data:text/html,<script>",
            "//evil",
            "vbscript:x",
        ),
        *(
            "https:/\\evil",
            "http://",
            "https://a b",
            "https://h\n/x",
            "https://h:x/",
            "file:///etc/passwd",
            "",
        ),
    ],
)
def test_a_link_leads_to_a_page_and_runs_nothing(uri):
    attempt = replace(task(), logs=(LogLink("Logs", uri),))
    assert failing_log(execution(node("n0", "FAILED", tasks=(attempt,)), phase=6)) == ""


def test_the_end_of_a_long_message_is_told_and_the_elements_that_failed():
    message = "Traceback\n" + "line\n" * 5000 + "ValueError: the cause"
    elements = task(elements=[(0, 5), (0, 3), (1, 3), (2, 5)])
    failed = execution(node("n0", "FAILED", error=message, is_array=True, tasks=(elements,)), phase=6)
    report = failure_report(failed)
    assert len(report) < 5000
    assert "ValueError: the cause\nFailed elements: 1 of 3: 2\n" in report
    assert "Log: element 2: http://log/2" in report
    assert end_of(" short ", 10) == "short"


def test_an_execution_that_was_terminated_and_one_whose_nodes_were_not_asked_for():
    assert failure_report(execution(phase=7, abort_cause="enough")).splitlines()[1:] == [
        "It was terminated: enough"
    ]
    error = node("n0", "FAILED", error="why").error
    assert failure_report(execution(phase=6, error=error)).splitlines()[1:] == [
        "UNKNOWN error Broken:",
        "why",
    ]


def test_the_page_of_a_log_may_have_no_name():
    nameless = replace(task(), logs=(LogLink("", "http://log"),))
    assert NodeLog().lines([node("n0", tasks=(nameless,))]) == ["n0 (demo.work)  SUCCEEDED  http://log"]
