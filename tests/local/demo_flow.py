"""A workflow as a user writes it, run by the local Flyte with real flytekit."""

from flytekit import task, workflow


@task
def double(a: int) -> int:
    print(f"doubling {a}")
    return a * 2


@task
def check(a: int) -> int:
    if a > 5:
        raise ValueError(f"{a} is too much")
    return a


@workflow
def doubled(a: int) -> int:
    return double(a=check(a=a))
