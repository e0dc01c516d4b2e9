"""Dynamic workflows as a user writes them, run by the local Flyte with real flytekit."""

from flytekit import dynamic, task, workflow


@task
def square(a: int) -> int:
    return a * a


@task
def total(parts: list[int]) -> int:
    if len(parts) > 5:
        raise ValueError("too many parts")
    return sum(parts)


@workflow
def quadrupled(a: int) -> int:
    return square(a=square(a=a))


@dynamic
def inner(n: int) -> int:
    return total(parts=[square(a=number) for number in range(n)])


@dynamic
def outer(n: int) -> tuple[int, int]:
    return inner(n=n), quadrupled(a=n)


@workflow
def squares(n: int) -> tuple[int, int]:
    return outer(n=n)
