"""How long a token is kept, and that one is got for all."""

import asyncio
import threading

import pytest
import time_machine

from airflow_flyte_provider.admin.auth.tokens import Token, TokenKeeper
from airflow_flyte_provider.exceptions import FlyteConnectionError, FlyteSignInError


class Source:
    """Counts the tokens that it gives: t1, t2, and so on. Each takes until `gate` is open."""

    def __init__(self, lifetime=None):
        self.given = 0
        self.lifetime = lifetime
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self):
        self.gate.wait(20)
        self.given += 1
        return Token(f"t{self.given}", self.lifetime)


def test_one_is_kept_until_it_is_refused():
    source = Source()
    keeper = TokenKeeper(source)
    assert [keeper.get(), keeper.get(), keeper.get(refused="t0")] == ["t1"] * 3
    assert keeper.get(refused="t1") == "t2"
    assert keeper.get(refused="t1") == "t2"  # who comes late gets the one that is there already


@pytest.mark.parametrize(("lifetime", "lead"), [(1800, 60), (40, 10)])
def test_one_is_replaced_before_it_ends(monkeypatch, lifetime, lead):
    now = [1000.0]
    monkeypatch.setattr("airflow_flyte_provider.admin.auth.tokens.time.monotonic", lambda: now[0])
    keeper = TokenKeeper(lambda: Token(f"at {now[0]:g}", lifetime, now[0]))
    assert keeper.get() == "at 1000"
    now[0] += lifetime - lead - 1
    assert keeper.get() == "at 1000"
    now[0] += 2
    assert keeper.get() == f"at {now[0]:g}"


def test_one_that_has_not_ended_outlasts_a_fault_of_the_source(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr("airflow_flyte_provider.admin.auth.tokens.time.monotonic", lambda: now[0])
    given = [Token("t1", 100, 1000.0)]

    def fetch():
        if not given:
            raise FlyteConnectionError("down")
        return given.pop()

    keeper = TokenKeeper(fetch)
    assert keeper.get() == "t1"
    now[0] += 90
    assert keeper.get() == "t1"
    with pytest.raises(FlyteConnectionError):
        keeper.get(refused="t1")
    now[0] += 20
    with pytest.raises(FlyteConnectionError):
        keeper.get()


def test_a_clock_that_is_set_changes_nothing():
    source = Source(lifetime=1800)
    keeper = TokenKeeper(source)
    with time_machine.travel("2026-01-01", tick=True) as clock:
        keeper.get()
        clock.move_to("2031-01-01")
        assert keeper.get() == "t1"


async def test_all_that_wait_share_one():
    source = Source()
    source.gate.clear()
    keeper = TokenKeeper(source)
    waits = [asyncio.create_task(keeper.aget()) for _ in range(1000)]
    thread = threading.Thread(target=keeper.get)
    thread.start()
    await asyncio.sleep(0.1)
    waits[0].cancel()  # and with it nobody else
    source.gate.set()
    with pytest.raises(asyncio.CancelledError):
        await waits[0]
    assert set(await asyncio.gather(*waits[1:])) == {"t1"}
    await asyncio.to_thread(thread.join)
    assert source.given == 1
    assert set(await asyncio.gather(*(keeper.aget(refused="t1") for _ in range(1000)))) == {"t2"}


async def test_one_that_cannot_be_had_is_told_to_all_and_tried_again():
    faults = [FlyteSignInError("no")]

    def fetch():
        if faults:
            raise faults.pop()
        return Token("t1")

    keeper = TokenKeeper(fetch)
    told = await asyncio.gather(*(keeper.aget() for _ in range(10)), return_exceptions=True)
    assert {type(fault) for fault in told} == {FlyteSignInError}
    assert await keeper.aget() == "t1"
