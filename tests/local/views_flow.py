"""A workflow with a node of every kind, and one that fails deep inside."""

from flytekit import LaunchPlan, conditional, dynamic, map_task, task, workflow


@task
def one_more(a: int) -> int:
    return a + 1


@task
def refuse(a: int) -> int:
    if a > 0:
        raise ValueError(f"{a} is refused")
    return a


@workflow
def twice(a: int) -> int:
    return one_more(a=one_more(a=a))


@workflow
def refused(a: int) -> int:
    return refuse(a=a)


twice_plan = LaunchPlan.get_or_create(twice, name="views_flow.twice_plan")
refused_plan = LaunchPlan.get_or_create(refused, name="views_flow.refused_plan")


@dynamic
def made(n: int) -> int:
    return twice(a=one_more(a=n))


@workflow
def whole(a: int, values: list[int]) -> tuple[int, int, int, list[int]]:
    launched = twice_plan(a=twice(a=a))
    chosen = conditional("size").if_(a > 100).then(one_more(a=a)).else_().then(twice(a=a))
    return launched, chosen, made(n=a), map_task(one_more)(a=values)


@workflow
def broken_part(a: int) -> int:
    return refused_plan(a=a)


@workflow
def broken(a: int) -> int:
    return broken_part(a=one_more(a=a))
