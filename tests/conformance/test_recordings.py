"""The recordings of a real Flyte, replayed against the local one."""

from __future__ import annotations

import pytest

from benchmarks.conformance import replayed
from tests.conformance.replay import RECORDINGS

# auth is a Flyte with sign-in switched on, which the local one doesn't have
WITHOUT_SIGN_IN = sorted(path.stem for path in RECORDINGS.glob("*.jsonl") if path.stem != "auth")


@pytest.mark.parametrize("name", WITHOUT_SIGN_IN)
def test_answers_as_the_real_one(name: str) -> None:
    results = replayed(name)
    assert results
    differences = [f"{one.call.case} {one.call.verb}: {one.difference}" for one in results if one.difference]
    assert not differences, "\n".join(differences)
