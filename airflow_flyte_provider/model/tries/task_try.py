"""One try of an Airflow task instance: what its execution is called, and which tries came before it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from airflow_flyte_provider.model.tries.identity import TRY_LABEL, identity_labels
from airflow_flyte_provider.model.tries.names import execution_name


@dataclass(frozen=True, slots=True)
class TaskTry:
    """One try of one task instance.

    :param dag_id: the DAG's id.
    :param task_id: the task's id, with its task groups.
    :param run_id: the DAG run's id.
    :param map_index: the index of a mapped task instance, -1 for one that is not mapped.
    :param try_number: the try, counted from 1 and on over every clear.
    :param first_try: the first try since the task was last cleared. Those before it did other work.
    :param deployment: the name of this Airflow, where several launch into one Flyte project and domain.
    """

    dag_id: str
    task_id: str
    run_id: str
    map_index: int
    try_number: int
    first_try: int = 1
    deployment: str = ""

    @classmethod
    def of(cls, task_instance: Any, *, retries: int, deployment: str = "") -> TaskTry:
        """Return the try that a task instance is at.

        :param task_instance: Airflow's task instance.
        :param retries: the task's retries. A clear sets `max_tries` to the tries so far plus these, which is
            how it can be told; `dag.test()` leaves `max_tries` at 0.
        """
        identity = {
            key: getattr(task_instance, key)
            for key in ("dag_id", "task_id", "run_id", "map_index", "try_number")
        }
        first = (getattr(task_instance, "max_tries", None) or 0) - (retries or 0) + 1
        return cls(**identity, first_try=min(max(first, 1), identity["try_number"]), deployment=deployment)

    def at(self, number: int) -> TaskTry:
        """Return another try of the same task instance."""
        return replace(self, try_number=number)

    @property
    def before(self) -> list[TaskTry]:
        """All tries before this one, the latest first."""
        return [self.at(number) for number in range(self.try_number - 1, 0, -1)]

    @property
    def is_first(self) -> bool:
        """Whether this is the first try of its piece of work: no try before it counts."""
        return self.try_number == self.first_try

    @property
    def labels(self) -> dict[str, str]:
        """The labels of the execution that this try launches."""
        return identity_labels(**self._identity())

    @property
    def owner_labels(self) -> dict[str, str]:
        """The labels that the executions of all tries share: one that recovers another carries its labels."""
        return {key: value for key, value in self.labels.items() if key != TRY_LABEL}

    def name(self, *, chosen: str = "", prefix: str = "") -> str:
        """Return the name of the execution that this try launches.

        :param chosen: the name that the user wants. From the second try on, the try is appended to it, for no
            two executions can have one name.
        :param prefix: what the name begins with, where none is chosen.

        >>> TaskTry("etl", "load", "manual__1", -1, try_number=2).name(chosen="nightly")
        'nightly-2'
        """
        if chosen:
            return chosen if self.try_number == 1 else f"{chosen}-{self.try_number}"
        return execution_name(**self._identity(), prefix=prefix)

    def __str__(self) -> str:
        index = f"[{self.map_index}]" if self.map_index >= 0 else ""
        return f"task {self.dag_id}.{self.task_id}{index} of run {self.run_id}"

    def _identity(self) -> dict[str, Any]:
        fields = asdict(self)
        del fields["first_try"]
        return fields
