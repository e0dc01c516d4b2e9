"""A task that makes a workflow when it runs."""

from flows.sums import double
from flytekit import dynamic, workflow


@dynamic
def doubled_often(a: int, times: int) -> int:
    for _ in range(times):
        a = double(a=a)
    return a


@workflow
def often(a: int, times: int) -> int:
    return doubled_often(a=a, times=times)
