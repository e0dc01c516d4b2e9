"""Waiting for a gate on a real event loop against a real local Flyte. Open questions: tests/e2e/test_approval.py."""

import asyncio
import json
import time

import pytest

from airflow_flyte_provider.hooks.flyte import FlyteHook
from airflow_flyte_provider.local import LocalFlyte
from airflow_flyte_provider.triggers.approval import FlyteApprovalTrigger
from tests.conftest import connection, register_demo


@pytest.fixture
def own_flyte(monkeypatch):
    """A local Flyte that a test may kill, behind `flyte_default`."""
    with LocalFlyte() as flyte:
        register_demo(flyte.endpoint)
        monkeypatch.setenv("AIRFLOW_CONN_FLYTE_DEFAULT", connection(flyte.endpoint, call_timeout=1))
        yield flyte


@pytest.fixture
def gated(hook):
    """An execution that waits for `approve-me` and `title`."""
    execution = hook.execute(hook.fetch_launch_plan("demo.gated"), {"a": 1}).id
    yield execution
    hook.terminate(execution, "the test is over")


def waiting(execution, signal, **arguments):
    """Return the task of a trigger that went through `serialize`, as it does in Airflow; its result is the event."""
    about = {
        "flyte_conn_id": "flyte_default",
        "execution": str(execution),
        "signal": signal,
        "poll_interval": 0.2,
    }
    path, kept = FlyteApprovalTrigger(**about, **arguments).serialize()
    assert path == f"{FlyteApprovalTrigger.__module__}.{FlyteApprovalTrigger.__qualname__}"

    async def first_event():
        (event,) = [event async for event in FlyteApprovalTrigger(**json.loads(json.dumps(kept))).run()]
        assert {key: event.payload.pop(key) for key in ("execution", "signal", "question")} == {
            "execution": str(execution),
            "signal": signal,
            "question": "",
        }
        return event.payload

    return asyncio.create_task(asyncio.wait_for(first_event(), 60))


async def test_it_fires_when_the_gate_is_reached(gated):
    assert await waiting(gated, "title") == {"waiting": True}


async def test_it_fires_when_the_signal_has_a_value_already(hook, gated):
    hook.set_signal(gated, "title", "Report", timeout=30, poll_interval=0.1)
    assert await waiting(gated, "title") == {"settled": True}


async def test_it_fires_when_the_execution_ends_and_never_reached_the_gate(hook, gated):
    event = waiting(gated, "no-such-gate")
    await asyncio.to_thread(hook.terminate, gated, "enough")
    assert await event == {"settled": True}


async def test_a_deadline_that_passes_is_told(gated):
    assert await waiting(gated, "no-such-gate", deadline=time.time() + 0.5) == {"timeout": True}


@pytest.mark.usefixtures("flyte_conn")
async def test_an_execution_that_does_not_exist_is_told():
    assert "nope" in (await waiting("flytesnacks/development/nope", "title"))["error"]


async def test_a_flyte_that_is_away_for_a_while_is_asked_again(own_flyte):
    hook = FlyteHook()
    execution = hook.execute(hook.fetch_launch_plan("demo.gated"), {"a": 1}).id
    own_flyte.kill()
    event = waiting(execution, "title")
    await asyncio.sleep(2)
    assert not event.done()
    await asyncio.to_thread(own_flyte.restart)
    assert await event == {"waiting": True}
