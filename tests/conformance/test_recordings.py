"""The recordings of a real Flyte, replayed against the local one."""

from __future__ import annotations

import pytest

from benchmarks.conformance import replayed
from tests.conformance.replay import RECORDINGS


@pytest.mark.parametrize("name", sorted(path.stem for path in RECORDINGS.glob("*.jsonl")))
def test_answers_as_the_real_one(name: str) -> None:
    results = replayed(name)
    assert results
    differences = [f"{one.call.case} {one.call.verb}: {one.difference}" for one in results if one.difference]
    assert not differences, "\n".join(differences)
