"""FlyteSignalTrigger, on a real event loop against a real local Flyte."""

import asyncio
import json
import time

import pytest

from airflow_flyte_provider.exceptions import FlyteConnectionError
from airflow_flyte_provider.hooks.flyte import FlyteHook
from airflow_flyte_provider.triggers.poller import _pollers
from airflow_flyte_provider.triggers.signals import FlyteSignalTrigger

pytestmark = pytest.mark.usefixtures("flyte_conn")


@pytest.fixture
def gated(hook):
    """An execution that waits for `approve-me` and `title`."""
    execution = hook.execute(hook.fetch_launch_plan("demo.gated"), {"a": 1}).id
    yield execution
    hook.terminate(execution, "the test is over")


def trigger_for(execution, signal="title", **more):
    """Return a trigger that went through `serialize`, as it does in Airflow."""
    arguments = {"flyte_conn_id": "flyte_default", "poll_interval": 0.2, **more}
    path, kept = FlyteSignalTrigger(execution=str(execution), signal_id=signal, **arguments).serialize()
    assert path == f"{FlyteSignalTrigger.__module__}.{FlyteSignalTrigger.__qualname__}"
    return FlyteSignalTrigger(**json.loads(json.dumps(kept)))


async def payload(trigger):
    """Return the payload of the one event of a trigger, without the execution that it names."""
    (event,) = [event async for event in trigger.run()]
    assert event.payload.pop("execution") == trigger.execution
    return event.payload


async def test_it_fires_when_the_signal_is_asked_for_and_when_it_is_set(hook, gated):
    waiting = await asyncio.wait_for(payload(trigger_for(gated, wait_for="waiting")), 30)
    assert waiting == {"signal": "title"}
    firing = asyncio.create_task(payload(trigger_for(gated)))
    await asyncio.sleep(0.5)
    assert not firing.done()
    await asyncio.to_thread(hook.set_signal, gated, "title", "hi")
    assert await asyncio.wait_for(firing, 30) == {"signal": "title"}


@pytest.mark.parametrize("wait_for", ["waiting", "value"])
async def test_an_execution_that_ends_first_is_told(hook, gated, wait_for):
    firing = asyncio.create_task(payload(trigger_for(gated, "nope", wait_for=wait_for, poll_interval=0.3)))
    await asyncio.sleep(0.5)
    await asyncio.to_thread(hook.terminate, gated, "not today")
    assert await asyncio.wait_for(firing, 30) == {"phase": "ABORTED"}
    assert await asyncio.wait_for(payload(trigger_for(gated, "title")), 30) == {"phase": "ABORTED"}


async def test_a_deadline_that_passes_is_told(gated):
    assert await payload(trigger_for(gated, deadline=time.time() + 0.5)) == {"timeout": True}


async def test_a_signal_that_came_before_the_deadline_is_seen_after_it(hook, gated):
    await asyncio.to_thread(hook.set_signal, gated, "title", "hi", timeout=30, poll_interval=0.1)
    assert await payload(trigger_for(gated, deadline=time.time() - 60)) == {"signal": "title"}


@pytest.mark.parametrize(
    ("conn_id", "told"), [("flyte_default", "does not exist in Flyte"), ("nowhere", "no Airflow connection")]
)
async def test_what_cannot_be_watched_is_told(conn_id, told):
    trigger = trigger_for("flytesnacks/development/nope", flyte_conn_id=conn_id)
    assert told in (await asyncio.wait_for(payload(trigger), 30))["error"]


async def test_a_flyte_that_is_away_is_asked_again(hook, gated, monkeypatch):
    await asyncio.to_thread(hook.set_signal, gated, "title", "hi", timeout=30, poll_interval=0.1)
    arun, failed = FlyteHook.arun, []

    async def failing_twice(self, verb):
        if verb.__name__ == "list_signals" and len(failed) < 2:
            verb.close()
            failed.append(True)
            raise FlyteConnectionError("down")
        return await arun(self, verb)

    monkeypatch.setattr(FlyteHook, "arun", failing_twice)
    assert await asyncio.wait_for(payload(trigger_for(gated)), 30) == {"signal": "title"}
    assert len(failed) == 2


async def test_a_cancelled_wait_leaves_nothing_behind(gated):
    firing = asyncio.create_task(payload(trigger_for(gated)))
    await asyncio.sleep(0.5)
    firing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await firing
    await asyncio.sleep(0.1)
    assert not _pollers[asyncio.get_running_loop()]
    assert len(asyncio.all_tasks()) == 1
