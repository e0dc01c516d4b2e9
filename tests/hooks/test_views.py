"""Executions in full, and lists, against the local Flyte and flytekit's own client."""

import uuid
from collections import Counter
from datetime import datetime, timedelta, timezone

import pytest
from flytekit.configuration import Config, PlatformConfig
from flytekit.remote import FlyteRemote

from airflow_flyte_provider.admin.client import AsyncClient
from airflow_flyte_provider.admin.nodes import watch_nodes
from airflow_flyte_provider.admin.syncing import sync
from airflow_flyte_provider.exceptions import FlyteInvalidRequestError, FlyteNotFoundError
from airflow_flyte_provider.hooks.flyte import FlyteHook
from airflow_flyte_provider.model.identifiers import EntityKind, ExecutionId, NodeExecutionId
from airflow_flyte_provider.model.phases import NodePhase, TaskPhase
from airflow_flyte_provider.model.views.node_log import NodeLog
from airflow_flyte_provider.model.views.nodes import walk
from airflow_flyte_provider.model.views.reports import failure_report, summary_table
from tests.conftest import connection
from tests.local.conftest import user_code  # noqa: F401 - a fixture


@pytest.fixture(scope="module")
def remote(registered):
    """flytekit's own client."""
    platform = PlatformConfig(endpoint=registered.endpoint, insecure=True)
    return FlyteRemote(Config(platform=platform), default_project="flytesnacks", default_domain="development")


@pytest.fixture(scope="module")
def run(remote, registered, user_code):  # noqa: F811
    """A function that registers a workflow of `views_flow` and runs it to its end; returns the execution's id."""
    module, folder = user_code("views_flow")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_CONN_VIEWS", connection(registered.endpoint))
        hook = FlyteHook("views")

        def ended(name, **inputs):
            remote.register_script(
                getattr(module, name), source_path=str(folder), module_name="views_flow", version="views-1"
            )
            launched = hook.execute(hook.fetch_workflow(f"views_flow.{name}"), inputs)
            hook.wait(launched.id, timeout=120, poll_interval=0.2)
            return launched.id

        yield ended


@pytest.fixture(scope="module")
def whole(run):
    return run("whole", a=3, values=[1, 2, 3])


@pytest.fixture(scope="module")
def broken(run):
    return run("broken", a=1)


def counted(verb, calls):
    """Run through a verb and count what it calls by method: each `Call` is one request to the server."""
    step = next(verb)
    while True:
        if hasattr(step, "method"):
            calls[step.method] += 1
        try:
            step = verb.send((yield step))
        except StopIteration as end:
            return end.value


def as_tree(nodes):
    return {
        node.id.node_id: (
            node.phase.name,
            as_tree(node.children),
            as_tree(node.execution.nodes) if node.execution else {},
            # flytekit has no attempts of a dynamic node
            [
                (each.attempt, each.phase.name, each.id.task.name)
                for each in node.tasks
                if not node.is_dynamic
            ],
        )
        for node in nodes
    }


def flytekit_tree(nodes):
    return {
        name: (
            NodePhase.from_number(node.closure.phase).name,
            flytekit_tree(node.subworkflow_node_executions),
            flytekit_tree(node.workflow_executions[0].node_executions) if node.workflow_executions else {},
            [
                (task.id.retry_attempt, TaskPhase.from_number(task.closure.phase).name, task.id.task_id.name)
                for task in node.task_executions
                if not node.metadata.is_dynamic
            ],
        )
        for name, node in nodes.items()
    }


def test_an_execution_with_all_its_nodes(hook, whole):
    done = hook.sync(whole)
    assert done.is_successful
    assert done.workflow.name == "views_flow.whole"
    named = {(depth, node.name, node.phase.name) for depth, node in walk(done.nodes)}
    assert {
        (0, "twice", "SUCCEEDED"),  # a sub-workflow
        (1, "one_more", "SUCCEEDED"),  # in it, and in the child execution
        (0, "size", "SUCCEEDED"),  # a branch
        (1, "twice", "SUCCEEDED"),  # what was chosen, a sub-workflow
        (2, "one_more", "SUCCEEDED"),
        (0, "made", "SUCCEEDED"),  # a dynamic node
        (1, "views_flow.one_more", "SUCCEEDED"),  # made by it, and named by its task
    } <= named
    by_name = {node.name: node for node in done.nodes}
    assert by_name["made"].is_dynamic
    assert by_name["made"].tasks
    launched = next(node for node in done.nodes if node.launched)
    assert launched.execution.parent_node == launched.id
    array = next(node for node in done.nodes if node.is_array)
    assert [element.phase for element in array.tasks[-1].elements] == [TaskPhase.SUCCEEDED] * 3
    assert all(node.tasks[-1].logs for _, node in walk(done.nodes) if node.tasks and not node.is_array)


def test_flytekit_sees_the_same_tree(hook, whole, remote):
    theirs = remote.sync_execution(remote.fetch_execution(name=whole.name), sync_nodes=True)
    assert as_tree(hook.sync(whole).nodes) == flytekit_tree(theirs.node_executions)


def test_a_sync_makes_no_call_too_many(hook, whole):
    calls = Counter()
    done = hook.run(counted(sync(whole), calls))
    nodes = [node for _, node in walk(done.nodes)]
    executions = 1 + sum(node.launched is not None for node in nodes)
    assert calls == {
        "GetExecution": executions,
        "GetWorkflow": executions,
        "ListNodeExecutions": executions + sum(node.is_parent for node in nodes),
        "ListTaskExecutions": sum(bool(node.tasks) for node in nodes),
    }


def test_the_execution_alone_is_one_call(hook, whole):
    calls = Counter()
    assert hook.run(counted(sync(whole, nodes=False), calls)).nodes == ()
    assert calls == {"GetExecution": 1}


def test_inputs_and_outputs_on_demand(hook, whole):
    nodes = {node.name: node for node in hook.sync(whole).nodes}
    dynamic = nodes["made"]
    assert hook.get_node_inputs(dynamic.id) == {"n": 3}
    assert hook.get_node_outputs(dynamic.id) == {"o0": 6}
    assert hook.get_task_inputs(dynamic.tasks[0].id) == {"n": 3}
    inner = next(node for node in hook.get_nodes(whole, "n0") if not node.is_edge)
    assert hook.get_node(whole, inner.id.node_id) == inner
    (task,) = hook.get_tasks(inner.id)
    assert hook.get_task_outputs(task.id) == hook.get_node_outputs(inner.id)


def test_a_node_that_is_not_there(hook, whole):
    with pytest.raises(FlyteNotFoundError, match="node n77"):
        hook.get_node(whole, "n77")


def test_the_page_of_a_node(hook, whole):
    assert hook.console_url(whole, "n0") == f"{hook.console_url(whole)}/nodeId/n0/nodes"


def test_the_summary_of_an_execution(hook, whole):
    lines = summary_table(hook.sync(whole)).splitlines()
    assert lines[0].split() == ["node", "phase", "took", "attempts", "cache"]
    assert any(line.startswith("n0 (twice)  ") for line in lines)
    assert any(line.startswith("  n0-0-n0 (one_more)  ") for line in lines)
    assert any("[3/3 elements]" in line for line in lines)
    assert "start-node" not in "".join(lines)


def test_why_an_execution_failed(hook, broken):
    report = failure_report(hook.sync(broken))
    child = next(view for view in hook.list_executions(launch_plan="views_flow.refused_plan", phase="FAILED"))
    assert f"> execution {child.id} > n0 (refuse)" in report
    assert "Failing node: n1 (broken_part) > n1-0-n0 (refused) > execution" in report
    assert "USER error" in report
    assert "ValueError: 2 is refused" in report
    assert "\nLog: " in report


def test_watching_an_execution(hook, whole):
    log, calls = NodeLog(), Counter()
    lines = hook.run(counted(watch_nodes(whole, log), calls))
    assert len(lines) == 5
    assert any(line.startswith("n0") and "SUCCEEDED" in line for line in lines)
    assert any("http" in line for line in lines)
    assert calls["ListNodeExecutions"] == 1
    again = Counter()
    assert hook.run(counted(watch_nodes(whole, log), again)) == []
    assert again == {"ListNodeExecutions": 1}


async def test_watching_from_the_event_loop(hook, whole):
    lines = await AsyncClient(hook.settings).run(watch_nodes(whole, NodeLog(limit=2)))
    assert lines == ["5 nodes: 5 SUCCEEDED"]


def test_what_did_not_change_is_not_listed_again(hook, whole, monkeypatch):
    log = NodeLog()
    monkeypatch.setattr("airflow_flyte_provider.model.views.node_log._OVERLAP", timedelta(microseconds=-1))
    assert hook.run(watch_nodes(whole, log))
    listed = []
    monkeypatch.setattr(log, "lines", lambda nodes: listed.extend(nodes) or [])
    hook.run(watch_nodes(whole, log))
    assert listed == []
    hook.run(watch_nodes(whole, log, whole=True))
    assert len(listed) == 7


# -- lists -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def launched(registered):
    """Three executions of `demo.add_one` and one of a task alone, all with a label of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_CONN_VIEWS", connection(registered.endpoint))
        hook = FlyteHook("views")
        mark = uuid.uuid4().hex[:8]
        plan = hook.fetch_launch_plan("demo.add_one")
        made = [
            hook.execute(
                plan, {"a": 1}, name=f"l{mark}-{number}", labels={"mark": mark, "number": str(number)}
            ).id
            for number in range(3)
        ]
        made.append(hook.execute(hook.fetch_task("demo.echo_int", "v1c"), {"a": 1}, name=f"l{mark}-task").id)
        for each in made:
            hook.wait(each, timeout=60, poll_interval=0.1)
        yield mark, made


def names(executions):
    return {execution.id.name for execution in executions}


def test_executions_by_every_filter(hook, launched):
    mark, made = launched
    plans, task = made[:3], made[3]
    ours = {"name_contains": f"l{mark}"}
    now = datetime.now(timezone.utc)
    assert names(hook.list_executions(**ours)) == {each.name for each in made}
    assert names(hook.list_executions(**ours, workflow="demo.add_one")) == {each.name for each in plans}
    assert names(hook.list_executions(**ours, launch_plan=["demo.add_one", "x"])) == {
        each.name for each in plans
    }
    assert names(hook.list_executions(**ours, task="demo.echo_int", task_version="v1c")) == {task.name}
    assert names(hook.list_executions(labels={"mark": mark})) == {each.name for each in plans}
    assert names(hook.list_executions(labels={"mark": mark, "number": "1"})) == {plans[1].name}
    assert hook.list_executions(labels={"mark": "1"}) == []
    assert names(hook.list_executions(name=[plans[0].name, plans[1].name])) == {plans[0].name, plans[1].name}
    everything = {
        "phase": ["SUCCEEDED", "FAILED"],
        "launch_plan_version": "v1c",
        "workflow_version": "v1c",
        "mode": "MANUAL",
        "created_after": now - timedelta(hours=1),
        "created_before": now + timedelta(hours=1),
        "started_after": now - timedelta(hours=1),
        "started_before": now + timedelta(hours=1),
        "updated_after": now - timedelta(hours=1),
        "updated_before": now + timedelta(hours=1),
        "longer_than": 0,
        "shorter_than": timedelta(hours=1),
    }
    assert names(hook.list_executions(**ours, **everything)) == {each.name for each in plans}
    for nothing in (
        {"phase": "FAILED"},
        {"created_before": now - timedelta(hours=1)},
        {"updated_after": now + timedelta(hours=1)},
        {"longer_than": timedelta(hours=1)},
        {"principal": "nobody"},
        {"cluster": "nowhere"},
        {"error_kind": "USER"},
        {"error_code": "x"},
        {"tag": "none"},
        {"mode": "RELAUNCH"},
    ):
        assert hook.list_executions(**ours, **nothing) == [], nothing


def test_archived_executions(hook, launched, registered):
    from flyteidl.admin import execution_pb2

    from airflow_flyte_provider.admin.client import Call
    from airflow_flyte_provider.admin.executions import to_proto

    mark, (first, *_) = launched

    def update(state):
        yield Call(
            "UpdateExecution", execution_pb2.ExecutionUpdateRequest(id=to_proto(first), state=state), ""
        )

    hook.run(update(execution_pb2.EXECUTION_ARCHIVED))
    try:
        ours = {"name_contains": f"l{mark}"}
        (archived,) = hook.list_executions(**ours, archived=True)
        assert (archived.id, archived.is_archived) == (first, True)
        assert len(hook.list_executions(**ours)) == len(hook.list_executions(**ours, archived=False)) == 3
        assert len(hook.list_executions(**ours, archived="all")) == 4
    finally:
        hook.run(update(execution_pb2.EXECUTION_ACTIVE))


def test_a_list_is_as_long_as_is_asked_for_and_newest_first(hook, launched, monkeypatch):
    from airflow_flyte_provider.admin import lists

    mark, made = launched
    ours = {"name_contains": f"l{mark}"}
    assert [each.id for each in hook.list_executions(**ours, limit=2)] == [made[3], made[2]]
    assert [each.id for each in hook.list_executions(**ours, sort_by="name", ascending=True)][:3] == made[:3]
    monkeypatch.setattr(
        "airflow_flyte_provider.admin.paging.list_all.__kwdefaults__",
        {**lists.list_all.__kwdefaults__, "page": 2},
    )
    calls = Counter()
    verb = lists.list_executions("flytesnacks", "development", ours)
    assert len(hook.run(counted(verb, calls))) == 4
    assert calls == {"ListExecutions": 3}  # a full last page has a token too
    with pytest.raises(FlyteInvalidRequestError, match="limit must be 1 or more"):
        hook.list_executions(limit=0)


def test_filters_that_cannot_be_asked_for(hook):
    with pytest.raises(
        FlyteInvalidRequestError, match=r"'phaze', did you mean 'phase'\? There are: name, .*labels"
    ):
        hook.list_executions(phaze="FAILED")
    for wrong, told in (
        ({"phase": "BROKEN"}, "the phases are UNDEFINED, QUEUED"),
        ({"name_contains": "a+b"}, r"text with \+ in it"),
        ({"launch_plan": "f(x)"}, r"text with \( \) in it"),
        ({"mode": "BY_HAND"}, "the modes are MANUAL"),
        ({"name": []}, "no value in it"),
        ({"name_contains": ["a"]}, "one value is expected"),
        ({"created_after": "today"}, "a datetime is expected"),
        ({"longer_than": "long"}, "could not convert"),
        ({"labels": "a"}, "a dict is expected"),
        ({"labels": {"a": "b;c"}}, "text with ; in it"),
    ):
        with pytest.raises(FlyteInvalidRequestError, match=told):
            hook.list_executions(**wrong)
    with pytest.raises(FlyteInvalidRequestError, match="invalid sort key"):
        hook.list_executions(sort_by="colour")


def test_flytekit_lists_the_same(hook, remote, launched):
    theirs = remote.recent_executions(limit=10)
    assert [each.id.name for each in theirs] == [each.id.name for each in hook.list_executions(limit=10)]
    projects = remote.client.list_projects_paginated(limit=10, token=None)[0]
    assert [each.id for each in projects] == [each.id for each in hook.list_projects()]
    tasks = remote.list_tasks_by_version("v1c")
    assert {each.id.name for each in tasks} == {each.id.name for each in hook.list_tasks(version="v1c")}


def test_projects_have_domains(hook):
    (project,) = [each for each in hook.list_projects() if each.id == "flytesnacks"]
    assert project.domains == ("development", "staging", "production")
    assert project.is_active


def test_versions_and_names(hook):
    (plan,) = hook.list_launch_plans("demo.sched_daily", version="v1c", workflow="demo.sched")
    assert plan.schedule.cron == "0 2 * * *"
    assert hook.list_launch_plans("demo.sched_daily", version_contains="nope") == []
    assert {
        each.id.name for each in hook.list_workflows("demo.nested", created_after=datetime(2020, 1, 1))
    } == {"demo.nested"}
    assert {each.type for each in hook.list_tasks(type="echo", limit=3)} == {"echo"}
    names = [each.name for each in hook.list_names(EntityKind.WORKFLOW, name_contains="demo.")]
    assert names == sorted(set(names))
    assert "demo.add_one" in names
    assert not any(name.startswith(".flytegen") for name in names)
    assert [each.name for each in hook.list_names(EntityKind.TASK, name="demo.echo_int")] == ["demo.echo_int"]
    assert hook.list_names(EntityKind.TASK, archived=True) == []


def test_the_nodes_of_a_workflow_come_with_its_version(hook):
    assert hook.fetch_workflow("demo.nested").nodes == ()
    (node,) = hook.fetch_workflow("demo.nested", "v1c").nodes
    assert (node.id, node.kind) == ("n0", "workflow")


def test_active_launch_plans(hook, registered):
    from flyteidl.admin import launch_plan_pb2

    from airflow_flyte_provider.admin.client import Call
    from airflow_flyte_provider.model.references import to_identifier

    plan = hook.fetch_launch_plan("demo.add_one_10m")

    def update(state):
        request = launch_plan_pb2.LaunchPlanUpdateRequest(id=to_identifier(plan.id), state=state)
        yield Call("UpdateLaunchPlan", request, "")

    assert hook.get_active_launch_plan("demo.add_one_10m") is None
    others = {each.id for each in hook.list_active_launch_plans()}  # of tests before this one
    hook.run(update(launch_plan_pb2.ACTIVE))
    try:
        assert hook.get_active_launch_plan("demo.add_one_10m").is_active
        assert {each.id for each in hook.list_active_launch_plans()} == {plan.id, *others}
        assert {each.id for each in hook.list_launch_plans(active=True)} == {plan.id, *others}
    finally:
        hook.run(update(launch_plan_pb2.INACTIVE))


def test_ids_tell_what_they_are():
    execution = ExecutionId("p", "d", "x")
    assert str(NodeExecutionId(execution, "n0")) == "node n0 of p/d/x"
