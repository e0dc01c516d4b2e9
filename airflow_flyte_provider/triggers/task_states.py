"""In which state Airflow has a task instance: what tells a task that is stopped from one that is moved.

A worker that is told to end and a trigger that is cancelled do not learn why. Airflow's own record says it: a
task that a user cleared or marked is no longer running or deferred, one whose worker drains still is.
"""

from __future__ import annotations

from typing import Any


def is_in_state(task_instance: Any, *states: str) -> bool:
    """Ask Airflow whether a task instance is in one of some states. Blocks for one request.

    :param task_instance: anything with `dag_id`, `task_id`, `run_id` and `map_index`.
    :param states: the states' names, such as `"running"` or `"deferred"`.
    """
    try:
        from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance
    except ImportError:  # Airflow 2, where a task may read the database
        return _is_in_state_in_db(task_instance, states)
    found = RuntimeTaskInstance.get_ti_count(
        dag_id=task_instance.dag_id,
        map_index=task_instance.map_index,
        task_ids=[task_instance.task_id],
        run_ids=[task_instance.run_id],
        states=list(states),
    )
    return found > 0


def get_xcom(task_instance: Any, key: str) -> Any:
    """Ask Airflow for an XCom that a task instance has pushed; None when there is none. Blocks."""
    from airflow.providers.common.compat.sdk import XCom

    return XCom.get_one(
        key=key,
        dag_id=task_instance.dag_id,
        task_id=task_instance.task_id,
        run_id=task_instance.run_id,
        map_index=task_instance.map_index,
    )


def _is_in_state_in_db(task_instance: Any, states: tuple[str, ...]) -> bool:
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session

    with create_session() as session:
        query = session.query(TaskInstance.state).filter(
            TaskInstance.dag_id == task_instance.dag_id,
            TaskInstance.task_id == task_instance.task_id,
            TaskInstance.run_id == task_instance.run_id,
            TaskInstance.map_index == task_instance.map_index,
        )
        return query.scalar() in states
