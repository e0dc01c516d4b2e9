"""The graph of one workflow while it is compiled: nodes, what each takes and gives, and who waits for whom."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from flyteidl.core import compiler_pb2, interface_pb2, workflow_pb2

from airflow_flyte_provider.local.compiler.errors import Faults

START = "start-node"
END = "end-node"


@dataclass
class Graph:
    """Nodes and edges of one workflow.

    :param faults: where faults are noted.
    :param nodes: nodes of the workflow itself by id, in the order of the compiled template.
    :param interfaces: what each node takes and gives, for those where it could be worked out.
    """

    faults: Faults
    nodes: dict[str, workflow_pb2.Node] = field(default_factory=dict)
    interfaces: dict[str, interface_pb2.TypedInterface] = field(default_factory=dict)
    upstream: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    downstream: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def connect(self, before: str, after: str, *, upstream_only: bool = False) -> None:
        """Note that node `after` waits for node `before`.

        :param upstream_only: for a node inside a branch, which is reached through the branch node alone.
        """
        before = before or START
        self.upstream[after].add(before)
        if not upstream_only:
            self.downstream[before].add(after)

    def connections(self) -> compiler_pb2.ConnectionSet:
        """Return the edges as the compiled workflow stores them."""
        result = compiler_pb2.ConnectionSet()
        for node_id, others in self.downstream.items():
            result.downstream[node_id].ids.extend(sorted(others))
        for node_id, others in self.upstream.items():
            result.upstream[node_id].ids.extend(sorted(others))
        return result

    def check_reachable(self) -> None:
        """Note a cycle, or else the nodes that can't be reached from the start node."""
        cycle, visited = self._walk()
        if cycle:
            self.faults.add(
                "CycleDetected",
                START,
                f"A cycle has been detected while traversing the Workflow [{'>'.join(cycle)}].",
            )
            return
        lost = sorted(set(self.nodes) - visited - {END})
        if lost:
            self.faults.add(
                "UnreachableNodes", START, f"The Workflow contain unreachable nodes [{','.join(lost)}]."
            )

    def _walk(self) -> tuple[list[str], set[str]]:
        """Return the first cycle found going down from the start (empty for none), and the nodes seen."""
        path: list[str] = [START]
        done: set[str] = set()
        pending = [iter(sorted(self.downstream.get(START, ())))]
        while pending:
            following = next(pending[-1], None)
            if following is None:
                done.add(path.pop())
                pending.pop()
            elif following in path:
                return [*path, following], done
            elif following not in done:
                path.append(following)
                pending.append(iter(sorted(self.downstream.get(following, ()))))
        return [], done
