"""The recordings of a real Flyte, replayed against the local one."""

from __future__ import annotations

import pytest

from airflow_flyte_provider.local import LocalFlyte
from tests.conformance.replay import RECORDINGS, Replay
from tests.conformance.setups import prepare

# auth is a Flyte with sign-in switched on, which the local one doesn't have
WITHOUT_SIGN_IN = sorted(path.stem for path in RECORDINGS.glob("*.jsonl") if path.stem != "auth")


@pytest.mark.parametrize("name", WITHOUT_SIGN_IN)
def test_answers_as_the_real_one(name: str) -> None:
    with LocalFlyte() as flyte:
        replay = Replay(flyte.endpoint)
        try:
            prepare(replay, name)
            results = replay.play(name)
        finally:
            replay.close()
    assert results
    differences = [f"{one.call.case} {one.call.verb}: {one.difference}" for one in results if one.difference]
    assert not differences, "\n".join(differences)
