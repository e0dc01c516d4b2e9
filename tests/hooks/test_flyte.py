"""The hook against a real local Flyte."""

import uuid
from datetime import timedelta

import pytest

from airflow_flyte_provider.exceptions import (
    FlyteAlreadyExistsError,
    FlyteConfigError,
    FlyteInvalidInputsError,
    FlyteNotFoundError,
    FlyteOutputsError,
    FlyteWaitTimeoutError,
)
from airflow_flyte_provider.hooks.flyte import FlyteHook
from airflow_flyte_provider.model.identifiers import EntityId, EntityKind
from airflow_flyte_provider.model.phases import ExecutionPhase
from tests.conftest import connection


def fresh_name():
    return f"t{uuid.uuid4().hex[:20]}"


def test_an_execution_from_launch_to_outputs(hook):
    plan = hook.fetch_launch_plan("demo.add_one")
    assert plan.id == EntityId(EntityKind.LAUNCH_PLAN, "flytesnacks", "development", "demo.add_one", "v1c")
    launched = hook.execute(plan, {"a": 5})
    done = hook.wait(launched.id, timeout=30, poll_interval=0.1)
    assert done.phase is ExecutionPhase.SUCCEEDED
    assert done.duration > timedelta(0)
    assert hook.get_inputs(launched.id) == {"a": 5}
    assert hook.get_outputs(launched.id) == {"o0": 5}
    assert hook.get_xcom(launched.id, limit_bytes=1) == {"o0": 5}
    with pytest.raises(FlyteOutputsError, match="xcom_limit_bytes"):
        hook.get_xcom(launched.id, limit_bytes=0)
    assert hook.console_url(launched.id).endswith(
        f"/console/projects/flytesnacks/domains/development/executions/{launched.id.name}"
    )


def test_a_workflow_is_executed_by_its_own_launch_plan(hook):
    launched = hook.execute(hook.fetch_workflow("demo.greet"), {"s": "hello"})
    assert hook.wait(launched.id, timeout=30, poll_interval=0.1).launch_plan.name == "demo.greet"
    assert hook.get_outputs(launched.id) == {"o0": "hello"}


def test_a_task_is_executed_alone(hook):
    launched = hook.execute(hook.fetch_task("demo.echo_int", "v1c"), {"a": "7"})
    hook.wait(launched.id, timeout=30, poll_interval=0.1)
    assert hook.get_outputs(launched.id) == {"a": 7}


def test_a_name_of_ours_is_adopted_and_one_of_somebody_else_is_not(hook):
    plan = hook.fetch_launch_plan("demo.add_one")
    name, ours = fresh_name(), {"airflow-dag": "etl", "airflow-try": "1"}
    first = hook.execute(plan, {"a": 1}, name=name, labels=ours)
    again = hook.execute(plan, {"a": 1}, name=name, labels=ours)
    assert (first.adopted, again.adopted) == (False, True)
    assert again.id == first.id
    with pytest.raises(FlyteAlreadyExistsError, match="this task did not launch it"):
        hook.execute(plan, {"a": 1}, name=name, labels={**ours, "airflow-try": "2"})


def test_an_unknown_name_is_told_with_the_nearest(hook):
    with pytest.raises(
        FlyteNotFoundError, match=r"No launch plan .*/demo\.add_on is registered.*demo\.add_one"
    ):
        hook.fetch_launch_plan("demo.add_on")


def test_a_wrong_version_is_told_with_those_there_are(hook):
    with pytest.raises(FlyteNotFoundError, match=r"demo\.add_one version v9 is registered.*newest.*v1c"):
        hook.fetch_launch_plan("demo.add_one", "v9")


def test_a_project_without_anything_says_so(flyte_conn):
    with pytest.raises(FlyteNotFoundError, match="production has no workflow at all"):
        FlyteHook(domain="production").fetch_workflow("demo.add_one")


def test_all_faulty_inputs_are_told_at_once(hook):
    plan = hook.fetch_launch_plan("demo.sched")
    with pytest.raises(FlyteInvalidInputsError) as caught:
        hook.execute(plan, {"a": "five", "kickof": 1})
    told = str(caught.value)
    assert "demo.sched" in told
    for part in ("a: expected int", "'five'", "kickof: no such input", "kickoff: missing"):
        assert part in told


def test_inputs_that_are_no_dict_are_told(hook):
    with pytest.raises(FlyteInvalidInputsError, match=r"inputs is a str, .*render_template_as_native_obj"):
        hook.execute(hook.fetch_launch_plan("demo.add_one"), '{"a": 5}')


def test_a_wait_ends_in_time_and_says_the_execution_goes_on(hook):
    launched = hook.execute(hook.fetch_launch_plan("demo.gated"), {"a": 1})
    with pytest.raises(FlyteWaitTimeoutError, match="may still run"):
        hook.wait(launched.id, timeout=0.3, poll_interval=0.1)
    assert hook.terminate(launched.id, "enough")
    done = hook.wait(launched.id, timeout=30, poll_interval=0.1)
    assert done.phase is ExecutionPhase.ABORTED
    assert done.abort_cause == "enough"
    assert hook.terminate(launched.id, "again") is False


def test_terminate_now_works_apart_from_the_shared_channel(hook):
    launched = hook.execute(hook.fetch_launch_plan("demo.gated"), {"a": 1})
    assert hook.terminate_now(launched.id, "stop")
    assert hook.wait(launched.id, timeout=30, poll_interval=0.1).abort_cause == "stop"
    assert hook.terminate_now(hook.execution_id("nope"), "stop") is False


def test_test_connection_says_what_was_reached(hook):
    reached, told = hook.test_connection()
    assert reached, told
    assert hook.settings.endpoint in told


@pytest.mark.parametrize(
    ("extra", "told"),
    [({"project": "nope"}, "no project 'nope': flytesnacks"), ({"domain": "nope"}, "no domain 'nope'")],
)
def test_test_connection_says_what_is_missing(registered, monkeypatch, extra, told):
    monkeypatch.setenv("AIRFLOW_CONN_FLYTE_DEFAULT", connection(registered.endpoint, **extra))
    reached, message = FlyteHook().test_connection()
    assert not reached
    assert told in message


@pytest.mark.parametrize("name", ["", "None", None, " "])
def test_an_execution_that_a_template_did_not_find_is_told(hook, name):
    with pytest.raises(
        FlyteConfigError, match=r"No execution is named: got .* XCom that it reads is not there"
    ):
        hook.execution_id(name)


def test_no_such_connection():
    with pytest.raises(FlyteConfigError, match="no Airflow connection 'nowhere'"):
        FlyteHook("nowhere").get_execution(FlyteHook("nowhere").execution_id("p/d/n"))


def test_a_missing_project_is_asked_for(registered, monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_FLYTE_DEFAULT", connection(registered.endpoint, project=None))
    with pytest.raises(FlyteConfigError, match="No Flyte project is named"):
        FlyteHook().fetch_launch_plan("demo.add_one")


def test_an_unknown_extra_is_warned_about(registered, monkeypatch, capsys):
    monkeypatch.setenv("AIRFLOW_CONN_FLYTE_DEFAULT", connection(registered.endpoint, insecur=True))
    assert FlyteHook().settings.insecure
    assert "'insecur', which is not used. Did you mean 'insecure'?" in capsys.readouterr().out


def test_a_broken_extra_is_told_without_quoting_it(monkeypatch):
    monkeypatch.setenv("AIRFLOW_CONN_BROKEN", '{"conn_type": "flyte", "host": "h", "extra": "{s3cret"}')
    with pytest.raises(FlyteConfigError) as caught:
        _ = FlyteHook("broken").settings
    assert "s3cret" not in str(caught.value)
