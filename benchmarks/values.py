"""Round trips a second, native value to literal and back, here and in flytekit: `python -m benchmarks.values`.

The same eleven kinds of value, one after the other, in one process. Both sides know the type beforehand. The last line
is JSON: round trips a second over all kinds (one of each is eleven), and their ratio.
"""

from __future__ import annotations

import dataclasses
import enum
import gc
import json
import time
import typing
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

from flytekit import FlyteContextManager
from flytekit.core.type_engine import TypeEngine

from airflow_flyte_provider.model.values.literals import from_literal, to_literal

_SECONDS = 0.3
_REPEATS = 3


class Colour(enum.Enum):
    """An enum as a workflow's author writes it."""

    RED = "red"
    GREEN = "green"


@dataclasses.dataclass
class Column:
    """A dataclass inside another."""

    name: str
    width: int


@dataclasses.dataclass
class Table:
    """A dataclass as a workflow's author writes it."""

    columns: list[Column]
    scale: float


KINDS: dict[str, tuple[Any, Any]] = {
    "int": (int, 2**62),
    "float": (float, 1.5),
    "bool": (bool, True),
    "str": (str, "ünï"),
    "datetime": (datetime, datetime(2026, 3, 1, 2, 3, 4, 567000, tzinfo=timezone.utc)),
    "timedelta": (timedelta, timedelta(days=3, microseconds=7)),
    "list[int]": (list[int], list(range(20))),
    "dict[str, list[str]]": (dict[str, list[str]], {"a": ["x", "y"], "b": []}),
    "enum": (Colour, Colour.GREEN),
    "dataclass": (Table, Table([Column("a", 1), Column("b", 2)], 1.5)),
    "str | None": (typing.Optional[str], "x"),  # noqa: UP045 - flytekit's Optional
}


def main() -> None:
    """Measure, print the table, and last the figures as JSON."""
    print(f"{'round trips a second':22}{'ours':>12}{'flytekit':>12}{'ratio':>8}")
    spent = {"ours": 0.0, "flytekit": 0.0}
    for name, (python_type, value) in KINDS.items():
        ours, theirs = _best(_ours(python_type, value)), _best(_flytekit(python_type, value))
        spent["ours"] += ours
        spent["flytekit"] += theirs
        print(f"{name:22}{1 / ours:12,.0f}{1 / theirs:12,.0f}{theirs / ours:8.1f}")
    figures = {side: round(len(KINDS) / seconds) for side, seconds in spent.items()}
    ratio = spent["flytekit"] / spent["ours"]
    print(f"{'all':22}{figures['ours']:12,}{figures['flytekit']:12,}{ratio:8.1f}")
    print(json.dumps({**figures, "ratio": round(ratio, 2)}))


def _ours(python_type: Any, value: Any) -> Callable[[], Any]:
    literal_type = TypeEngine.to_literal_type(python_type).to_flyte_idl()
    return lambda: from_literal(to_literal(value, literal_type), literal_type)


def _flytekit(python_type: Any, value: Any) -> Callable[[], Any]:
    literal_type = TypeEngine.to_literal_type(python_type)
    context = FlyteContextManager.current_context()

    def round_trip() -> Any:
        # to the protobuf message and from it, as a client must
        message = TypeEngine.to_literal(context, value, python_type, literal_type).to_flyte_idl()
        return TypeEngine.to_python_value(context, _Literal.from_flyte_idl(message), python_type)

    from flytekit.models.literals import Literal as _Literal

    return round_trip


def _best(round_trip: Callable[[], Any]) -> float:
    """Return the seconds of one round trip: the best of some repeats, the one least disturbed."""
    for _ in range(20):
        round_trip()
    gc.collect()
    best = float("inf")
    for _ in range(_REPEATS):
        count, start = 0, time.perf_counter()
        while (spent := time.perf_counter() - start) < _SECONDS / _REPEATS:
            for _ in range(10):
                round_trip()
            count += 10
        best = min(best, spent / count)
    return best


if __name__ == "__main__":
    main()
