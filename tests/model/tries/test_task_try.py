from types import SimpleNamespace

import pytest

from airflow_flyte_provider.model.tries.identity import are_ours
from airflow_flyte_provider.model.tries.names import check_execution_name
from airflow_flyte_provider.model.tries.task_try import TaskTry


def airflows(try_number, max_tries):
    return SimpleNamespace(
        dag_id="etl", task_id="load", run_id="r", map_index=-1, try_number=try_number, max_tries=max_tries
    )


@pytest.mark.parametrize(
    ("try_number", "max_tries", "retries", "first_try"),
    [
        (1, 2, 2, 1),  # a first try
        (3, 2, 2, 1),  # the last retry
        (2, 3, 2, 2),  # cleared after one try: max_tries = 1 + retries
        (4, 3, 2, 2),  # and its last retry
        (2, 0, 2, 1),  # `dag.test()` leaves max_tries at 0
        (1, 9, 0, 1),  # retries lowered in the DAG since
    ],
)
def test_the_first_try_since_a_clear(try_number, max_tries, retries, first_try):
    task_try = TaskTry.of(airflows(try_number, max_tries), retries=retries)
    assert task_try.first_try == first_try
    assert task_try.is_first == (try_number == first_try)
    assert [each.try_number for each in task_try.before] == list(range(try_number - 1, 0, -1))


def test_two_deployments_have_different_names_and_labels():
    mine, theirs = (TaskTry("etl", "load", "r", -1, 1, deployment=each) for each in ("", "staging"))
    assert mine.name() != theirs.name()
    assert not are_ours(mine.labels, theirs.labels)
    assert theirs.labels["airflow-deployment"] == "staging"


def test_a_prefix_and_a_chosen_name():
    second = TaskTry("etl", "load", "r", -1, 2)
    assert second.name(prefix="nightly").startswith("nightly-")
    assert second.name(prefix="nightly").rpartition("-")[2] == second.name().rpartition("-")[2]
    assert second.name(chosen="report") == "report-2"
    assert check_execution_name(second.name(prefix="nightly")) is None
