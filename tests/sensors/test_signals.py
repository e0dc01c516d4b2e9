"""FlyteSignalSensor, run by real Airflow (`dag.test`) against a real local Flyte."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from airflow_flyte_provider.exceptions import FlyteConfigError
from airflow_flyte_provider.sensors.flyte import FlyteSignalSensor
from tests.dag_runs import run_dag

pytestmark = pytest.mark.usefixtures("airflow_db", "flyte_conn")

both_modes = pytest.mark.parametrize("deferrable", [False, True])


@pytest.fixture
def gated(hook):
    """An execution that waits for `approve-me` and `title`."""
    execution = hook.execute(hook.fetch_launch_plan("demo.gated"), {"a": 1}).id
    yield execution
    hook.terminate(execution, "the test is over")


def sense(execution, signal, deferrable, more=""):
    return run_dag(f"""
    FlyteSignalSensor(
        task_id="sense", execution={str(execution)!r}, signal_id={signal!r}, deferrable={deferrable},
        poke_interval=0.2, {more}
    )
    """)


@both_modes
def test_it_waits_until_a_gate_asks(hook, gated, deferrable):
    run = sense(gated, "approve-me", deferrable, "wait_for='waiting'")
    assert run.state("sense") == "success", run.log
    assert run.xcom("sense") is None
    assert [signal.is_set for signal in hook.list_signals(gated)] == [False] * len(hook.list_signals(gated))


@both_modes
def test_it_returns_the_value_that_is_set_elsewhere(hook, gated, deferrable):
    with ThreadPoolExecutor() as executor:
        sensing = executor.submit(hook.set_signal, gated, "title", "hi", timeout=30, poll_interval=0.5)
        run = sense(gated, "title", deferrable)
        sensing.result(30)
    assert run.state("sense") == "success", run.log
    assert run.xcom("sense") == "hi"
    assert sense(gated, "title", deferrable, "wait_for='waiting'").xcom("sense") == "hi"


@both_modes
@pytest.mark.parametrize(("soft_fail", "state"), [(False, "failed"), (True, "skipped")])
def test_an_execution_that_ends_first_is_told_at_once(hook, gated, deferrable, soft_fail, state):
    with ThreadPoolExecutor() as executor:
        hook.approve_signal(gated, "approve-me", timeout=30, poll_interval=0.1)
        ending = executor.submit(lambda: (time.sleep(1), hook.terminate(gated, "not today")))
        run = sense(gated, "title", deferrable, f"soft_fail={soft_fail}, retries=3")
        ending.result(30)
    assert run.state("sense") == state, run.log
    assert "got no value" in run.log
    assert "not today" in run.log
    run = sense(gated, "title", deferrable, f"wait_for='waiting', soft_fail={soft_fail}, retries=3")
    assert run.state("sense") == state


@both_modes
def test_an_execution_that_succeeds_without_asking_is_told(hook, deferrable):
    execution = hook.execute(hook.fetch_launch_plan("demo.add_one"), {"a": 1}).id
    run = sense(execution, "title", deferrable)
    assert run.state("sense") == "failed"
    assert "Signal 'title' was never asked for" in run.log
    assert "ended SUCCEEDED" in run.log


@both_modes
@pytest.mark.parametrize(("soft_fail", "state"), [(False, "failed"), (True, "skipped")])
def test_its_timeout_holds_in_both_modes(hook, gated, deferrable, soft_fail, state):
    run = sense(gated, "title", deferrable, f"timeout=1, soft_fail={soft_fail}")
    assert run.state("sense") == state, run.log
    assert not hook.get_execution(gated).is_done


@both_modes
def test_an_execution_that_does_not_exist_fails_at_once(deferrable):
    run = sense("nope", "title", deferrable, "retries=3")
    assert run.state("sense") == "failed"
    assert "FlyteNotFoundError" in run.log


def test_what_it_cannot_wait_for_is_told_when_the_dag_is_read():
    with pytest.raises(FlyteConfigError, match="give 'waiting' or 'value'"):
        FlyteSignalSensor(task_id="sense", execution="x", signal_id="s", wait_for="set")
