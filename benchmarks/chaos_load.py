"""The work that `benchmarks.chaos` gives to Airflow: its DAGs, the workflows they execute, what each must give."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.chaos_verdict import Work
from tests.local.client import Client, task_node

USUAL, STOPPED = "usual", "stopped"

#: Nodes in a row of each workflow; each takes about a second. The long one is to be stopped, half a minute late on a
#: busy machine: it must not be over by itself just then.
_CHAINS = {"chaos.short": 2, "chaos.middle": 5, "chaos.long": 60}

DAGS = Path(__file__).with_name("chaos_dags.py")

#: The number that each task adds to the hundredfold of its run's.
_PARTS = {
    USUAL: {
        ("waits", -1): 1,
        ("defers", -1): 2,
        ("after", -1): 3,
        **{("mapped", index): 10 + index for index in range(3)},
    },
    STOPPED: {("waits", -1): 1, ("defers", -1): 2},
}


@dataclass(frozen=True, slots=True)
class Run:
    """One DAG run; its number is what its tasks are told apart by."""

    dag_id: str
    number: int

    @property
    def run_id(self) -> str:
        """The run's id."""
        return f"{self.dag_id}-{self.number}"

    def work(self) -> Iterator[tuple[Work, int]]:
        """Return the run's pieces of work, each with the number it must give."""
        for (task_id, map_index), part in _PARTS[self.dag_id].items():
            yield Work(self.dag_id, self.run_id, task_id, map_index), self.number * 100 + part


def runs(executions: int) -> list[Run]:
    """Return DAG runs that make at least so many executions, among them some to be stopped."""
    stopped = max(3, executions // 25)
    left = max(0, executions - stopped * len(_PARTS[STOPPED]))
    usual = -(-left // len(_PARTS[USUAL]))
    return [Run(USUAL, number) for number in range(usual)] + [
        Run(STOPPED, number) for number in range(stopped)
    ]


def register(client: Client) -> None:
    """Register the workflows: each gives the number it is given."""
    echo = client.task("echo")
    for name, length in _CHAINS.items():
        nodes = [task_node(f"n{step}", echo, (f"n{step - 1}" if step else "", "a")) for step in range(length)]
        client.workflow(name, nodes, output=(f"n{length - 1}", "a"))
