"""Labels that carry the Airflow identity, so that each side can find the other.

Flyte hands an execution's labels to Kubernetes, which takes at most 63 letters, digits, '-', '_' and '.' that
begin and end with a letter or digit.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

_MAX_LENGTH = 63
_HASH_LENGTH = 8


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


def label_value(text: str) -> str:
    """Return `text` as a label value that Kubernetes takes, unchanged where it already is one.

    What must be changed or cut gets a hash of the original appended, so that two texts never become one.

    >>> label_value("manual__2026-01-01T00:00:00+00:00")
    'manual__2026-01-01T00-00-00-00-00-1e8dc70c'
    """
    safe = re.sub(r"[^A-Za-z0-9._-]", "-", text).strip("-_.")
    if safe == text and len(safe) <= _MAX_LENGTH:
        return safe
    digest = hashlib.sha256(text.encode()).hexdigest()[:_HASH_LENGTH]
    return f"{safe[: _MAX_LENGTH - _HASH_LENGTH - 1]}-{digest}".lstrip("-")


def are_ours(found: Mapping[str, str], ours: Mapping[str, str]) -> bool:
    """Return whether an execution with the labels `found` was launched with the labels `ours`.

    :param found: the labels of the execution that Flyte told.
    :param ours: what `identity_labels` gives for the task try; none own nothing.
    """
    return bool(ours) and all(found.get(key) == value for key, value in ours.items())
