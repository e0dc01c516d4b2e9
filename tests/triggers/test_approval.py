"""Waiting for an answer on a real event loop against a real local Flyte; Airflow is in tests/e2e/test_approval.py."""

import asyncio
import json
import time
from datetime import datetime, timezone
from uuid import uuid4

import pytest

from airflow_flyte_provider.triggers.approval import FlyteApprovalTrigger
from tests.dag_runs import ASKS

pytestmark = pytest.mark.skipif(not ASKS, reason="this Airflow cannot ask")
ASKED = str(uuid4())


class Question:
    """What Airflow knows of the question. A triggerer asks its API server, of which there is none here."""

    def __init__(self):
        self.told = [{"response_received": False, "responded_at": None, "chosen_options": None}]
        self.closed = []

    def get(self, ti_id):
        from airflow.sdk.api.datamodels._generated import HITLDetailResponse

        assert str(ti_id) == ASKED
        return HITLDetailResponse(**(self.told.pop(0) if len(self.told) > 1 else self.told[0]))

    def update(self, ti_id, chosen_options, params_input):
        assert str(ti_id) == ASKED
        if self.told[0]["response_received"]:
            raise RuntimeError("409")
        self.closed.append((chosen_options, params_input))

    def answer(self):
        self.told.append(
            {
                "response_received": True,
                "responded_by_user": {"id": "7", "name": "Anna"},
                "responded_at": datetime.now(timezone.utc),
                "chosen_options": ["Submit"],
                "params_input": {"value": "Report"},
            }
        )


ANSWER = {
    "chosen_options": ["Submit"],
    "params_input": {"value": "Report"},
    "responded_by_user": {"id": "7", "name": "Anna"},
}
DEFAULT = {"chosen_options": ["Submit"], "params_input": {"value": "No title"}}


@pytest.fixture(autouse=True)
def question(monkeypatch):
    question = Question()
    monkeypatch.setattr("airflow.sdk.execution_time.hitl.get_hitl_detail_content_detail", question.get)
    monkeypatch.setattr("airflow.sdk.execution_time.hitl.update_hitl_detail_response", question.update)
    return question


@pytest.fixture
def gated(hook):
    """An execution that waits for `approve-me` and `title`."""
    execution = hook.execute(hook.fetch_launch_plan("demo.gated"), {"a": 1}).id
    yield execution
    hook.terminate(execution, "the test is over")


def waiting(execution, **arguments):
    """Return the task of a trigger that went through `serialize`, as it does in Airflow; its result is the event."""
    about = {
        "flyte_conn_id": "flyte_default",
        "execution": str(execution),
        "signal_id": "title",
        "poll_interval": 0.2,
    }
    trigger = FlyteApprovalTrigger(**about, question=ASKED, options=["Submit"], **arguments)
    path, kept = trigger.serialize()
    assert path == f"{FlyteApprovalTrigger.__module__}.{FlyteApprovalTrigger.__qualname__}"

    async def first_event():
        (event,) = [event async for event in FlyteApprovalTrigger(**json.loads(json.dumps(kept))).run()]
        told = {key: event.payload.pop(key) for key in ("execution", "signal", "question")}
        assert told == {"execution": str(execution), "signal": "title", "question": ASKED}
        return event.payload

    return asyncio.create_task(asyncio.wait_for(first_event(), 60))


async def test_it_sees_a_persons_answer(gated, question):
    event = waiting(gated)
    await asyncio.sleep(0.5)
    assert not event.done()
    question.answer()
    assert await event == ANSWER
    assert question.closed == []


async def test_a_value_set_in_flyte_closes_the_question(hook, gated, question):
    event = waiting(gated)
    await asyncio.to_thread(hook.set_signal, gated, "title", "Report of May", timeout=30, poll_interval=0.1)
    assert await event == {"settled": True}
    assert question.closed == [(["Submit"], {"value": "Report of May"})]


async def test_the_end_of_the_execution_settles_it(hook, gated, question):
    event = waiting(gated)
    await asyncio.to_thread(hook.terminate, gated, "enough")
    assert await event == {"settled": True}
    assert question.closed == []


async def test_a_deadline_that_passes_is_told(gated):
    assert await waiting(gated, deadline=time.time() + 0.5) == {"timeout": True}


async def test_the_default_closes_the_question_at_the_deadline(gated, question):
    event = await waiting(gated, deadline=time.time() + 0.5, default=DEFAULT)
    assert event == {**DEFAULT, "timedout": True}
    assert question.closed == [(DEFAULT["chosen_options"], DEFAULT["params_input"])]


async def test_an_answer_at_the_last_moment_counts_more_than_the_default(gated, question):
    question.answer()
    question.told.pop(0)
    event = await waiting(gated, deadline=time.time() - 60, default=DEFAULT)
    assert event == ANSWER


@pytest.mark.usefixtures("flyte_conn")
async def test_an_execution_that_does_not_exist_is_told():
    assert "nope" in (await waiting("flytesnacks/development/nope"))["error"]
