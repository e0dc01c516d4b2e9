"""What a trigger asks Airflow goes by the stream of a real triggerer; only the answers at its other end are made up."""

import asyncio
import socket
from types import SimpleNamespace

import pytest

from airflow_flyte_provider.hooks.supervisor import ask_airflow
from airflow_flyte_provider.triggers.task_states import is_in_state
from tests.dag_runs import AIRFLOW_2

pytestmark = pytest.mark.skipif(AIRFLOW_2, reason="the triggers of Airflow 2 read the database")
TASK = SimpleNamespace(dag_id="etl", task_id="gated", run_id="may", map_index=-1)


class Supervisor:
    """The other end of a triggerer's stream: says of every task that it is in the state, once it may answer."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.was_asked, self.may_answer = asyncio.Event(), asyncio.Event()
        self.may_answer.set()
        self.asked = []

    async def serve(self):
        import msgspec
        from airflow.sdk.execution_time.comms import TICount, _ResponseFrame

        while True:
            length = int.from_bytes(await self.reader.readexactly(4), "big")
            number, question, *_ = msgspec.msgpack.decode(await self.reader.readexactly(length))
            self.asked.append(question["type"])
            self.was_asked.set()
            await self.may_answer.wait()
            told = TICount(count=1).model_dump() if question["type"] == "GetTICount" else None
            self.writer.write(bytes(_ResponseFrame(id=number, body=told).as_bytes()))


@pytest.fixture
async def supervisor(monkeypatch):
    """A supervisor that answers what is asked on this event loop, which is that of a triggerer."""
    from airflow.jobs.triggerer_job_runner import TriggerCommsDecoder
    from airflow.sdk.execution_time import task_runner

    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)
    asking = TriggerCommsDecoder(socket=ours, async_writer=writer, async_reader=reader)
    if hasattr(asking, "start_reader"):  # since Airflow 3.2
        await asking.start_reader()
    monkeypatch.setattr(task_runner, "SUPERVISOR_COMMS", asking, raising=False)
    answering = Supervisor(*await asyncio.open_connection(sock=theirs))
    serving = asyncio.create_task(answering.serve())
    yield answering
    serving.cancel()
    for end in (writer, answering.writer):
        end.close()


async def is_deferred():
    return await asyncio.wait_for(ask_airflow(is_in_state, TASK, "deferred"), 5)


async def test_airflow_answers_many_triggers_at_once(supervisor):
    assert await asyncio.gather(*(is_deferred() for _ in range(20))) == [True] * 20
    assert supervisor.asked == ["GetTICount"] * 20


async def test_a_question_nobody_waits_for_any_more_does_not_spoil_the_next(supervisor):
    supervisor.may_answer.clear()
    given_up = asyncio.create_task(is_deferred())
    await asyncio.wait_for(supervisor.was_asked.wait(), 5)
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    supervisor.may_answer.set()
    assert await is_deferred()


async def test_a_connection_with_a_secret_is_read_in_a_triggerer(supervisor, flyte_conn, monkeypatch):
    from airflow_flyte_provider.hooks.flyte import FlyteHook
    from tests.conftest import connection

    guarded = connection(flyte_conn.endpoint, auth_mode="token", token="opensesame")
    monkeypatch.setenv("AIRFLOW_CONN_FLYTE_DEFAULT", guarded)
    settings = await asyncio.wait_for(FlyteHook().load_settings(), 5)
    assert "opensesame" in settings.sign_in.secrets
    assert set(supervisor.asked) == {"MaskSecret"}
