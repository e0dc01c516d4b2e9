"""What users write for the engine's finer points: map tasks, dataclasses, failure handlers, caching."""

from dataclasses import dataclass
from functools import partial

from flytekit import map_task, task, workflow
from flytekit.types.error import FlyteError


@dataclass
class Inner:
    number: int
    names: list[str]


@dataclass
class Outer:
    inner: Inner
    weights: dict[str, float]


@task
def times(a: int, factor: int) -> int:
    if a == 13:
        raise ValueError("13 is unlucky")
    return a * factor


@task
def make() -> tuple[Outer, list[dict[str, int]]]:
    return Outer(Inner(7, ["x", "y"]), {"w": 0.5}), [{"k": 1}, {"k": 2}]


@task
def show(number: int, name: str, weight: float, part: Inner, deep: int) -> str:
    return f"{number} {name} {weight} {part.names} {deep}"


@workflow
def mapped(values: list[int], factor: int) -> list[int | None]:
    return map_task(partial(times, factor=factor), min_success_ratio=0.5)(a=values)


@workflow
def promoted() -> str:
    outer, numbers = make()
    return show(
        number=outer.inner.number,
        name=outer.inner.names[1],
        weight=outer.weights["w"],
        part=outer.inner,
        deep=numbers[1]["k"],
    )


@task
def clean_up(a: int, factor: int, err: FlyteError | None = None) -> None:
    print(f"cleaning up {a}: {err.message if err else 'nothing'}")


@workflow(on_failure=clean_up)
def handled(a: int, factor: int) -> int:
    return times(a=a, factor=factor)
