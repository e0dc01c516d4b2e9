"""Labels that carry the Airflow identity of an execution, so that each side can find the other."""

from __future__ import annotations

from collections.abc import Mapping

from airflow_flyte_provider.model.labels import label_value

#: The label in which two tries of one task instance differ.
TRY_LABEL = "airflow-try"


def identity_labels(
    *, dag_id: str, task_id: str, run_id: str, map_index: int, try_number: int, deployment: str = ""
) -> dict[str, str]:
    """Return the labels of the execution that one try of one task instance launches.

    :param dag_id: the DAG's id.
    :param task_id: the task's id, with its task groups.
    :param run_id: the DAG run's id.
    :param map_index: the index of a mapped task instance, -1 for one that is not mapped.
    :param try_number: the try, counted from 1.
    :param deployment: the name of this Airflow, where several launch into one Flyte project and domain.

    >>> identity_labels(dag_id="etl", task_id="load", run_id="manual__1", map_index=-1, try_number=1)["airflow-task"]
    'load'
    """
    labels = {
        "airflow-dag": label_value(dag_id),
        "airflow-task": label_value(task_id),
        "airflow-run": label_value(run_id),
        TRY_LABEL: str(try_number),
    }
    if deployment:
        labels["airflow-deployment"] = label_value(deployment)
    if map_index >= 0:
        labels["airflow-map-index"] = str(map_index)
    return labels


def are_ours(found: Mapping[str, str], ours: Mapping[str, str]) -> bool:
    """Return whether an execution with the labels `found` was launched with the labels `ours`.

    :param found: the labels of the execution that Flyte told.
    :param ours: what `identity_labels` gives for the task try; none own nothing.
    """
    return bool(ours) and all(found.get(key) == value for key, value in ours.items())
