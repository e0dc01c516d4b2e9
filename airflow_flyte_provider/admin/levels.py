"""The levels of nodes that are listed one inside the other, when an execution is followed to any depth."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from airflow_flyte_provider.exceptions import FlyteError
from airflow_flyte_provider.model.identifiers import ExecutionId

#: Levels inside each other. Flyte's own limits are far below, and a few hundred would exhaust Python's stack.
_DEEPEST = 64


class Levels:
    """Sees to it that nodes are not followed for ever, where a Flyte tells of nodes that hold themselves."""

    def __init__(self) -> None:
        self._seen: set[tuple[ExecutionId, str]] = set()
        self._depth = 0

    @contextmanager
    def inside(self, execution: ExecutionId, parent: str) -> Iterator[None]:
        """Enter a level for the time of the block.

        :param execution: the execution whose nodes are listed.
        :param parent: id of the node that they are in, empty for the outermost.
        :raises FlyteError: when it was entered before, or is too deep.
        """
        level = (execution, parent)
        if level in self._seen or self._depth >= _DEEPEST:
            raise FlyteError(
                f"Flyte tells of nodes that are nested in themselves, or more than {_DEEPEST} deep, "
                f"in execution {execution}."
            )
        self._seen.add(level)
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
