"""Many waits while the token ends."""

import asyncio
import json
import uuid

import pytest

from airflow_flyte_provider.admin.auth.credentials import credentials
from airflow_flyte_provider.hooks.flyte import FlyteHook
from airflow_flyte_provider.local import LocalFlyte
from airflow_flyte_provider.triggers.flyte import FlyteExecutionTrigger
from tests.conformance.sign_in import token
from tests.conftest import DOMAIN, PROJECT, register_demo

WAITS, EXECUTIONS = 1000, 25


@pytest.fixture
def guarded(tmp_path, monkeypatch):
    """A function that starts a local Flyte with sign-in, its entities registered, and connects to it."""
    started = []

    def start(*arguments):
        flyte = LocalFlyte(tmp_path / "flyte", auth=True, arguments=arguments).start()
        started.append(flyte)
        register_demo(flyte.endpoint, [("authorization", f"Bearer {token(flyte)}")])
        host, _, port = flyte.endpoint.rpartition(":")
        fields = {"conn_type": "flyte", "host": host, "port": int(port), "login": flyte.client_id}
        extra = {"project": PROJECT, "domain": DOMAIN, "insecure": True, "client_secret": flyte.client_secret}
        monkeypatch.setenv("AIRFLOW_CONN_FLYTE_DEFAULT", json.dumps({**fields, "extra": extra}))
        return flyte

    yield start
    for flyte in started:
        flyte.stop()


@pytest.mark.parametrize("how", ["ends", "is refused"])
async def test_a_token_that_ends_while_a_thousand_wait_is_replaced_once(guarded, how):
    flyte = guarded(*(["--token-lifetime", "12"] if how == "ends" else []))
    hook = FlyteHook()
    plan = await asyncio.to_thread(hook.fetch_launch_plan, "demo.gated")
    executions = [
        (await asyncio.to_thread(hook.execute, plan, {"a": 1}, name=f"t{uuid.uuid4().hex}")).id
        for _ in range(EXECUTIONS)
    ]
    keeper = credentials(hook.settings)._flyte
    first = keeper.get()
    given = flyte.token_requests()[200]

    async def wait(number):
        execution = str(executions[number % EXECUTIONS])
        trigger = FlyteExecutionTrigger(flyte_conn_id="flyte_default", execution=execution, poll_interval=0.3)
        return [event.payload async for event in trigger.run()]

    waits = [asyncio.create_task(wait(number)) for number in range(WAITS)]
    await asyncio.sleep(1)
    if how == "is refused":  # the server has a new key, and takes no token of the old one
        await asyncio.to_thread(flyte.kill)
        (flyte.data_dir / "token-key.pem").unlink()
        await asyncio.to_thread(flyte.restart)
        given = 0
    for _ in range(600):
        await asyncio.sleep(0.1)
        if keeper.kept.value != first:
            break
    await asyncio.sleep(1)
    assert flyte.token_requests()[200] == given + 1
    assert not any(each.done() for each in waits)
    for execution in executions:
        await asyncio.to_thread(hook.terminate, execution, "enough")
    events = await asyncio.wait_for(asyncio.gather(*waits), 60)
    assert {event["phase"] for (event,) in events} == {"ABORTED"}
