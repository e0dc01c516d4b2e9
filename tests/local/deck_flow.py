"""A task with a deck, as a user writes it."""

from flytekit import Deck, task, workflow


@task(enable_deck=True)
def shown(a: int) -> int:
    Deck("figures", f"<b>{a} and counting</b>")
    if a == 13:
        raise ValueError("13 is unlucky")
    return a


@task
def plain(a: int) -> int:
    return a


@workflow
def decked(a: int) -> int:
    return plain(a=shown(a=a))
