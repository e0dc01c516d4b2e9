"""The names of executions: the one a task try gets, and the rule a name of the user's own must keep."""

from __future__ import annotations

import base64
import hashlib
import json
import re

MAX_NAME_LENGTH = 63
"""The characters FlyteAdmin allows in an execution's name at most."""

_FLYTE_NAME = re.compile(r"[a-z][a-z\-0-9]*")
_SLUG_LENGTH = 20
_HASH_LENGTH = 20


def execution_name(
    *,
    dag_id: str,
    task_id: str,
    run_id: str,
    map_index: int,
    try_number: int,
    deployment: str = "",
    prefix: str = "",
) -> str:
    """Return the name of the execution that one try of one task instance launches.

    The name is a function of these alone, so a try that is started over finds its own execution by name.
    It reads `<slug of the task id>-<100 bits of a SHA-256 of all>` and is at most 41 characters long,
    which leaves Flyte room to append to it for the executions it starts below (`<name>-<node>-<retry>`).

    :param dag_id: the DAG's id.
    :param task_id: the task's id, with its task groups.
    :param run_id: the DAG run's id.
    :param map_index: the index of a mapped task instance, -1 for one that is not mapped.
    :param try_number: the try, counted from 1.
    :param deployment: the name of this Airflow, where several launch into one Flyte project and domain.
    :param prefix: what stands in the place of the slug.

    >>> execution_name(dag_id="etl", task_id="daily.load", run_id="manual__1", map_index=-1, try_number=1)
    'daily-load-hbx3o2jyang356dsuyri'
    """
    # JSON quotes each part, so that ("a", "bc") and ("ab", "c") are different texts.
    parts = json.dumps(
        [dag_id, task_id, run_id, map_index, try_number, *([deployment] if deployment else [])]
    )
    digest = hashlib.sha256(parts.encode()).digest()
    # Base32 keeps five bits a character within a-z and 2-7: 100 bits where hex would keep 80.
    return f"{prefix or _slug(task_id)}-{base64.b32encode(digest).decode().lower()[:_HASH_LENGTH]}"


def check_execution_name(name: str) -> str | None:
    """Return why FlyteAdmin would refuse an execution's name, or None when it takes it.

    :param name: the name a user chose. FlyteAdmin lower-cases names silently; here upper case is told, since
        the execution would not be found again by the name given.

    >>> check_execution_name("Nightly")
    "the execution name 'Nightly' must begin with a lower-case letter and hold only a-z, 0-9 and '-'"
    """
    if not name:
        return "the execution name is empty"
    if len(name) > MAX_NAME_LENGTH:
        return (
            f"the execution name {name!r} has {len(name)} characters, {MAX_NAME_LENGTH} at most are allowed"
        )
    if not _FLYTE_NAME.fullmatch(name):
        return (
            f"the execution name {name!r} must begin with a lower-case letter and hold only a-z, 0-9 and '-'"
        )
    return None


def _slug(task_id: str) -> str:
    """Return the part of a name that tells a reader which task it is, `task` when nothing is left of it."""
    letters = re.sub(r"[^a-z0-9]+", "-", task_id.lower()).lstrip("-0123456789")
    return letters[:_SLUG_LENGTH].rstrip("-") or "task"
