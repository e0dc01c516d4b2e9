"""Which version of a launch plan is active, on a real local Flyte."""

import pytest

from airflow_flyte_provider.exceptions import FlyteNotFoundError

PLAN = "flows.sums.nightly"


@pytest.fixture(autouse=True)
def _versions(hook, packages):
    """Two versions of one launch plan, none of them active."""
    for version in ("on-1", "on-2"):
        hook.register(packages / "plain.tgz", version=version)
    hook.deactivate_launch_plan(PLAN)


def test_one_version_replaces_the_other(hook):
    first = hook.activate_launch_plan(PLAN, "on-1")
    assert (first.changed, first.replaced) == (True, None)
    again = hook.activate_launch_plan(PLAN, "on-1")
    assert (again.changed, again.replaced) == (False, None)
    second = hook.activate_launch_plan(PLAN, "on-2")
    assert second.replaced == first.launch_plan
    assert str(second).endswith(f"{PLAN} version on-2 is active now instead of version on-1")
    assert hook.get_active_launch_plan(PLAN).id == second.launch_plan


def test_without_a_version_the_active_one_is_deactivated(hook):
    hook.activate_launch_plan(PLAN, "on-1")
    other = hook.deactivate_launch_plan(PLAN, "on-2")
    assert (other.changed, hook.get_active_launch_plan(PLAN).id.version) == (False, "on-1")
    done = hook.deactivate_launch_plan(PLAN)
    assert (done.changed, done.launch_plan.version) == (True, "on-1")
    assert hook.get_active_launch_plan(PLAN) is None
    assert hook.deactivate_launch_plan(PLAN).changed is False


def test_without_a_version_the_latest_is_activated(hook, packages):
    hook.register(packages / "plain.tgz", version="a-latest")
    hook.register(packages / "plain.tgz", version="on-1")  # there already, so no newer
    assert hook.activate_launch_plan(PLAN).launch_plan.version == "a-latest"


@pytest.mark.parametrize("verb", ["activate_launch_plan", "deactivate_launch_plan"])
def test_a_misspelt_name_is_told(hook, verb):
    with pytest.raises(FlyteNotFoundError, match=r"flows\.sums\.nightly"):
        getattr(hook, verb)("flows.sums.nightl")
    with pytest.raises(FlyteNotFoundError, match=r"newest versions are.*on-2"):
        getattr(hook, verb)(PLAN, "on-9")
