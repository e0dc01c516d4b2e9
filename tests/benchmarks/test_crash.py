"""The crash benchmark finds what it is there to find."""

from __future__ import annotations

from pathlib import Path

from airflow_flyte_provider.local import LocalFlyte
from benchmarks import crash
from benchmarks.crash import Kill
from benchmarks.crash_load import launches, register
from tests.local.client import Client

_ATTEMPT = ("crash-1", "in-sub", 0)


def test_an_attempt_that_had_ended_and_ran_again_is_found() -> None:
    kill = Kill(10, frozenset({_ATTEMPT}))
    assert crash.rerun({_ATTEMPT: [5, 15]}, [kill])
    assert not crash.rerun({_ATTEMPT: [5]}, [kill])


def test_an_attempt_in_flight_may_run_once_more_for_each_kill() -> None:
    kill = Kill(10, frozenset())
    assert not crash.rerun({_ATTEMPT: [5, 15]}, [kill])
    assert crash.rerun({_ATTEMPT: [5, 15, 16]}, [kill])


def test_what_was_never_launched_is_lost_and_what_was_not_run_is_wrong(tmp_path: Path) -> None:
    with LocalFlyte() as flyte:
        client = Client(flyte.endpoint)
        register(client, tmp_path / "ledger")
        effects = next(one for one in launches(6) if one.kind.plan == "effects")
        client.end(client.launch("effects", effects.name, effects.number))
        client.close()
        ledger = (tmp_path / "ledger").read_text()
        assert crash.judge(flyte.endpoint, [effects], [], ledger) == crash.Verdict()
        assert len(crash.judge(flyte.endpoint, [effects], [], "").wrong) == 2
        assert len(crash.judge(flyte.endpoint, launches(6), [], ledger).lost) == 5


def test_a_short_run_finds_nothing_wrong() -> None:
    assert crash.run(kills=2, executions=12, seed=3) == crash.Verdict()
