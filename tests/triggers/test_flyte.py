"""The trigger and its shared poller, on a real event loop against a real local Flyte."""

import asyncio
import json
import time

import pytest
from airflow.triggers.base import TriggerEvent

from airflow_flyte_provider.exceptions import FlyteConnectionError
from airflow_flyte_provider.hooks.flyte import FlyteHook
from airflow_flyte_provider.triggers.flyte import FlyteExecutionTrigger
from airflow_flyte_provider.triggers.poller import _pollers, wait_for_end

pytestmark = pytest.mark.usefixtures("flyte_conn")


@pytest.fixture
def gated(hook):
    """A function that launches an execution which waits for a person; all are terminated in the end."""
    launched = []

    def launch():
        launched.append(hook.execute(hook.fetch_launch_plan("demo.gated"), {"a": 1}).id)
        return launched[-1]

    yield launch
    for execution in launched:
        hook.terminate(execution, "the test is over")


async def first_event(trigger):
    """Return the event of a trigger that went through `serialize`, as it does in Airflow."""
    path, arguments = trigger.serialize()
    assert path == f"{FlyteExecutionTrigger.__module__}.{FlyteExecutionTrigger.__qualname__}"
    events = [event async for event in FlyteExecutionTrigger(**json.loads(json.dumps(arguments))).run()]
    assert len(events) == 1
    return events[0]


async def test_it_fires_with_the_final_phase(hook):
    execution = hook.execute(hook.fetch_launch_plan("demo.add_one"), {"a": 1}).id
    trigger = FlyteExecutionTrigger(
        flyte_conn_id="flyte_default", execution=str(execution), poll_interval=0.2
    )
    event = await asyncio.wait_for(first_event(trigger), 30)
    assert event == TriggerEvent({"execution": str(execution), "phase": "SUCCEEDED"})


async def test_a_deadline_that_passes_is_told_and_the_execution_goes_on(hook, gated):
    execution = gated()
    trigger = FlyteExecutionTrigger(
        flyte_conn_id="flyte_default", execution=str(execution), deadline=time.time() + 0.5, poll_interval=0.2
    )
    assert (await first_event(trigger)).payload == {"execution": str(execution), "timeout": True}
    assert not hook.get_execution(execution).is_done


async def test_an_end_that_came_before_the_deadline_is_seen_after_it(hook):
    execution = hook.execute(hook.fetch_launch_plan("demo.add_one"), {"a": 1}).id
    hook.wait(execution, timeout=30, poll_interval=0.1)
    trigger = FlyteExecutionTrigger(
        flyte_conn_id="flyte_default", execution=str(execution), deadline=time.time() - 60
    )
    assert (await first_event(trigger)).payload["phase"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("conn_id", "told"), [("flyte_default", "does not exist in Flyte"), ("nowhere", "no Airflow connection")]
)
async def test_what_cannot_be_watched_is_told(conn_id, told):
    trigger = FlyteExecutionTrigger(flyte_conn_id=conn_id, execution="flytesnacks/development/nope")
    assert told in (await asyncio.wait_for(first_event(trigger), 30)).payload["error"]


async def test_fifty_waits_are_one_call_a_poll(hook, gated, monkeypatch):
    executions = [gated() for _ in range(50)]
    asked = []
    arun = FlyteHook.arun

    async def counting(self, verb):
        asked.append(verb.__name__)
        return await arun(self, verb)

    monkeypatch.setattr(FlyteHook, "arun", counting)
    waits = [asyncio.create_task(wait_for_end("flyte_default", each, 0.3)) for each in executions]
    await asyncio.sleep(1.5)
    assert 1 <= len(asked) <= 7
    assert set(asked) == {"list_phases"}
    for execution in executions:
        await asyncio.to_thread(hook.terminate, execution, "enough")
    phases = await asyncio.wait_for(asyncio.gather(*waits), 30)
    assert {str(phase) for phase in phases} == {"ABORTED"}
    assert not _pollers[asyncio.get_running_loop()]


async def test_a_poll_that_fails_is_not_an_execution_that_failed(hook, monkeypatch):
    execution = hook.execute(hook.fetch_launch_plan("demo.add_one"), {"a": 1}).id
    arun = FlyteHook.arun
    failures = iter([FlyteConnectionError("down"), FlyteConnectionError("still down")])

    async def failing_twice(self, verb):
        for failure in failures:
            verb.close()
            raise failure
        return await arun(self, verb)

    monkeypatch.setattr(FlyteHook, "arun", failing_twice)
    phase = await asyncio.wait_for(wait_for_end("flyte_default", execution, 0.1), 30)
    assert str(phase) == "SUCCEEDED"
    assert next(failures, None) is None


async def test_a_cancelled_wait_leaves_no_poller_behind(gated):
    wait = asyncio.create_task(wait_for_end("flyte_default", gated(), 0.1))
    await asyncio.sleep(0.5)
    wait.cancel()
    with pytest.raises(asyncio.CancelledError):
        await wait
    await asyncio.sleep(0.1)
    assert not _pollers[asyncio.get_running_loop()]
    assert len(asyncio.all_tasks()) == 1
