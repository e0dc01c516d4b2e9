"""Launch plans made in Python, and which version of one is active, on a real local Flyte."""

from datetime import timedelta

import pytest
from flyteidl.admin import common_pb2

from airflow_flyte_provider.admin.client import Call
from airflow_flyte_provider.exceptions import (
    FlyteAlreadyExistsError,
    FlyteInvalidInputsError,
    FlyteNotFoundError,
)
from airflow_flyte_provider.model.references import to_identifier

PLAN = "flows.sums.nightly"


@pytest.fixture
def _versions(hook, packages):
    """Two versions of one launch plan, none of them active."""
    for version in ("on-1", "on-2"):
        hook.register(packages / "plain.tgz", version=version)
    hook.deactivate_launch_plan(PLAN)


@pytest.mark.usefixtures("_versions")
def test_one_version_replaces_the_other(hook):
    first = hook.activate_launch_plan(PLAN, "on-1")
    assert (first.changed, first.replaced) == (True, None)
    again = hook.activate_launch_plan(PLAN, "on-1")
    assert (again.changed, again.replaced) == (False, None)
    second = hook.activate_launch_plan(PLAN, "on-2")
    assert second.replaced == first.launch_plan
    assert str(second).endswith(f"{PLAN} version on-2 is active now instead of version on-1")
    assert hook.get_active_launch_plan(PLAN).id == second.launch_plan


@pytest.mark.usefixtures("_versions")
def test_without_a_version_the_active_one_is_deactivated(hook):
    hook.activate_launch_plan(PLAN, "on-1")
    other = hook.deactivate_launch_plan(PLAN, "on-2")
    assert (other.changed, hook.get_active_launch_plan(PLAN).id.version) == (False, "on-1")
    done = hook.deactivate_launch_plan(PLAN)
    assert (done.changed, done.launch_plan.version) == (True, "on-1")
    assert hook.get_active_launch_plan(PLAN) is None
    assert hook.deactivate_launch_plan(PLAN).changed is False


@pytest.mark.usefixtures("_versions")
def test_without_a_version_the_latest_is_activated(hook, packages):
    hook.register(packages / "plain.tgz", version="a-latest")
    hook.register(packages / "plain.tgz", version="on-1")  # there already, so no newer
    assert hook.activate_launch_plan(PLAN).launch_plan.version == "a-latest"


@pytest.mark.usefixtures("_versions")
@pytest.mark.parametrize("verb", ["activate_launch_plan", "deactivate_launch_plan"])
def test_a_misspelt_name_is_told(hook, verb):
    with pytest.raises(FlyteNotFoundError, match=r"flows\.sums\.nightly"):
        getattr(hook, verb)("flows.sums.nightl")
    with pytest.raises(FlyteNotFoundError, match=r"newest versions are.*on-2"):
        getattr(hook, verb)(PLAN, "on-9")


def spec_of(hook, plan):
    def get():
        request = common_pb2.ObjectGetRequest(id=to_identifier(plan.id))
        return (yield Call("GetLaunchPlan", request, "reading")).spec

    return hook.run(get())


@pytest.mark.parametrize(
    ("name", "workflow", "made"),
    [
        (
            "demo.sched_daily",
            "demo.sched",
            {"default_inputs": {"a": 7}, "schedule": "0 2 * * *", "kickoff_time_input": "kickoff"},
        ),
        (
            "demo.add_one_10m",
            "demo.add_one",
            {"default_inputs": {"a": "3"}, "schedule": timedelta(minutes=10)},
        ),
    ],
)
def test_a_launch_plan_made_here_is_as_flytekit_makes_it(hook, name, workflow, made):
    by_flytekit = hook.fetch_launch_plan(name)
    by_us = hook.register_launch_plan("made.here." + name, hook.fetch_workflow(workflow), **made)
    theirs, ours = (spec_of(hook, plan) for plan in (by_flytekit, by_us))
    for spec in (theirs, ours):
        for field in ("labels", "annotations", "raw_output_data_config", "fixed_inputs"):
            if not getattr(spec, field).ByteSize():
                spec.ClearField(field)  # flytekit writes the empty ones
    assert ours == theirs
    assert hook.register_launch_plan("made.here." + name, hook.fetch_workflow(workflow), **made) == by_us
    with pytest.raises(FlyteAlreadyExistsError, match="register as another version"):
        hook.register_launch_plan("made.here." + name, hook.fetch_workflow(workflow), fixed_inputs={"a": 1})


def test_fixed_inputs_are_run_with(hook):
    workflow = hook.fetch_workflow("demo.add_one")
    plan = hook.register_launch_plan("made.fixed", workflow, version="f1", fixed_inputs={"a": 41})
    launched = hook.execute(plan)
    hook.wait(launched.id, timeout=30, poll_interval=0.1)
    assert hook.get_outputs(launched.id) == {"o0": 41}
    with pytest.raises(FlyteInvalidInputsError, match="a"):
        hook.execute(plan, {"a": 1})


@pytest.mark.parametrize(
    ("made", "told"),
    [
        ({"default_inputs": {"a": "x", "kickof": 1}}, r"a: expected int(.|\n)*kickof: no such input"),
        ({"default_inputs": {"a": 1}, "fixed_inputs": {"a": 1}}, "a: given as default and as fixed"),
        ({"schedule": timedelta(seconds=90)}, "0:01:30 is no positive number of whole minutes"),
    ],
)
def test_what_does_not_fit_the_workflow_is_told(hook, made, told):
    with pytest.raises(FlyteInvalidInputsError, match=told):
        hook.register_launch_plan("made.badly", hook.fetch_workflow("demo.sched"), **made)
