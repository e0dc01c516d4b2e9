"""What a Flyte user packages: tasks, a workflow in a workflow, a schedule, a launch plan as a node."""

from flytekit import CronSchedule, LaunchPlan, conditional, map_task, task, workflow


@task
def double(a: int) -> int:
    return a * 2


@workflow
def inner(a: int) -> int:
    return double(a=a)


nightly = LaunchPlan.get_or_create(
    workflow=inner,
    name="flows.sums.nightly",
    default_inputs={"a": 3},
    schedule=CronSchedule(schedule="0 2 * * *"),
)


@task
def total(numbers: list[int]) -> int:
    return sum(numbers)


@workflow
def outer(a: int) -> int:
    once = inner(a=a)
    twice = nightly(a=once)
    conditional("size").if_(twice > 10).then(double(a=twice)).else_().then(inner(a=twice))
    doubled = map_task(double)(a=[1, 2, 3])
    return total(numbers=doubled)
