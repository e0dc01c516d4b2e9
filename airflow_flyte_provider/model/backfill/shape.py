"""How the dates of a backfill are run: in which order, how often each, and in how many workflows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from airflow_flyte_provider.model.backfill.dates import MAX_WORKFLOW_NODES
from airflow_flyte_provider.model.faults import ValueFault, ValueFaults
from airflow_flyte_provider.model.records import Record, one_of, read_bool, read_count, read_duration, setting


def _at_least_one(value: Any, path: str) -> int:
    count = read_count(value, path)
    if not count:
        raise ValueFaults.of(path, "at least 1", value)
    return count


@dataclass(frozen=True, slots=True)
class BackfillShape(Record):
    """How the dates of a backfill are run. What is not given is as flytekit has it: one after the other, once each.

    :param parallel: all dates at once instead of one after the other. Flyte's own limits hold.
    :param max_active: so many dates at once at most: each date waits for the one so many before it.
    :param node_timeout: how long one date may take, as a timedelta or in seconds.
    :param node_retries: how many further attempts a date gets.
    :param failure_policy: what a date that fails means for the others: `FAIL_IMMEDIATELY` stops them,
        `FAIL_AFTER_EXECUTABLE_NODES_COMPLETE` runs those that need not wait for it.
    :param max_nodes: how many nodes a workflow may have, FlyteAdmin's `registration.maxWorkflowNodes`; default 100,
        as there. A backfill of more dates is a workflow of workflows.
    """

    parallel: bool | str | None = setting(read_bool)
    max_active: int | str | None = setting(_at_least_one)
    node_timeout: timedelta | float | str | None = setting(read_duration)
    node_retries: int | str | None = setting(read_count)
    failure_policy: str | None = setting(
        one_of("a failure policy", "FAIL_IMMEDIATELY", "FAIL_AFTER_EXECUTABLE_NODES_COMPLETE")
    )
    max_nodes: int | str | None = setting(_at_least_one)

    def check(self, path: str) -> None:
        """See `Record.check`."""
        if self.parallel is False and self.max_active is not None:
            fault = ValueFault(f"{path}.max_active", "nothing beside parallel=False", str(self.max_active))
            raise ValueFaults([fault])

    @property
    def lanes(self) -> int | None:
        """How many dates run at once: 1 for one after the other, None for all."""
        if self.max_active is not None:
            return int(self.max_active)
        return None if self.parallel else 1

    @property
    def timeout(self) -> timedelta | None:
        """How long one date may take."""
        return read_duration(self.node_timeout, "node_timeout") if self.node_timeout is not None else None

    @property
    def nodes(self) -> int:
        """How many nodes a workflow may have."""
        return int(self.max_nodes or MAX_WORKFLOW_NODES)
