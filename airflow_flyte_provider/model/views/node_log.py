"""What to log of the nodes of an execution while it runs, and of the signals that its gates wait for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from airflow_flyte_provider.model.identifiers import NodeExecutionId
from airflow_flyte_provider.model.phases import NodePhase
from airflow_flyte_provider.model.redaction import printable
from airflow_flyte_provider.model.views.nodes import NodeExecution, own
from airflow_flyte_provider.model.views.reports import counts, label, link, took

if TYPE_CHECKING:
    from airflow_flyte_provider.model.views.signals import Signal

#: Times are those of the engine's clock when a node changed, and Flyte may hear of it late.
_OVERLAP = timedelta(minutes=2)


class NodeLog:
    """Tells what is new of the nodes of an execution, from one poll to the next.

    :param limit: how many nodes get lines of their own. Once there are more, only their counts by phase are told.

    Example::

        log = NodeLog()
        for line in hook.run(watch_nodes(execution, log)):
            print(line)  # n0 (demo.add_one)  SUCCEEDED  2.1 s  Kubernetes logs: https://...
    """

    def __init__(self, limit: int = 200) -> None:
        self._limit = limit
        self._phases: dict[NodeExecutionId, NodePhase] = {}
        self._signals: set[str] = set()
        self._told = ""
        self._latest: datetime | None = None

    @property
    def since(self) -> datetime | None:
        """From when on changes must be asked for, in UTC; None as long as all must be. It leaves a good margin."""
        return self._latest - _OVERLAP if self._latest else None

    def would_be_brief(self, nodes: Iterable[NodeExecution]) -> bool:
        """Return whether there are too many nodes for lines of their own, with these."""
        return len({*self._phases, *(node.id for node in own(nodes))}) > self._limit

    def changed(self, nodes: Iterable[NodeExecution]) -> list[NodeExecution]:
        """Return those whose phase is not the one that was told last, in the order they began."""
        return [node for node in own(nodes) if self._phases.get(node.id) is not node.phase]

    def lines(self, nodes: Iterable[NodeExecution]) -> list[str]:
        """Return what to log since the last time: a line for each node that changed its phase.

        :param nodes: the nodes as they are now. Those that are left out are taken to be as they were.
        """
        given = list(nodes)
        moments = [node.updated_at for node in given if node.updated_at]
        self._latest = max([*moments, *([self._latest] if self._latest else [])], default=None)
        changed = self.changed(given)
        self._phases.update((node.id, node.phase) for node in changed)
        if len(self._phases) <= self._limit:
            return [_line(node) for node in changed]
        text = f"{len(self._phases)} nodes: {counts(self._phases.values())}"
        if text == self._told:
            return []
        self._told = text
        return [text]

    def signal_lines(self, signals: Iterable[Signal]) -> list[str]:
        """Return a line for each signal that is waited for and was not told before, with how it can be answered."""
        asked = [signal for signal in signals if not (signal.is_set or signal.id in self._signals)]
        self._signals.update(signal.id for signal in asked)
        return [_asking(signal) for signal in asked]


def _asking(signal: Signal) -> str:
    how = "FlyteSetSignalOperator or hook.set_signal"
    if signal.type_name == "bool":
        how = f"FlyteApproveOperator, FlyteRejectOperator, {how}"
    return (
        f"waiting for signal {signal}: answer it in the Flyte console, or by {how} "
        f"for execution {signal.execution}"
    )


def _line(node: NodeExecution) -> str:
    parts = [label(node), node.phase.value, took(node), *map(link, node.logs)]
    if node.error:
        parts.append(f"{node.error.kind} error {printable(node.error.code)}")
    return "  ".join(part for part in parts if part)
