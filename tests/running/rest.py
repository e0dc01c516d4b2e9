"""Airflow's public REST API, as far as tests need it: the same calls for Airflow 3 and Airflow 2."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import httpx

from tests.dag_runs import AIRFLOW_2

_PAGE = 1000
_TRIES = 8  # of what a busy server does not answer in time, or cannot write yet
ALL = "~"


@dataclass(frozen=True, slots=True)
class TaskInstance:
    """A task instance as the API told it. `id` is that of its current try, empty on Airflow 2, which has none."""

    id: str
    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    state: str
    try_number: int
    max_tries: int


class Rest:
    """Calls on one Airflow.

    :param url: where its API server (Airflow 2: webserver) listens.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        base = f"{url}/api/v1" if AIRFLOW_2 else f"{url}/api/v2"
        self._health = "/health" if AIRFLOW_2 else "/monitor/health"
        transport = httpx.HTTPTransport(retries=3)
        self._client = httpx.Client(base_url=base, timeout=30.0, transport=transport, trust_env=False)

    def close(self) -> None:
        self._client.close()

    def health(self) -> dict[str, str]:
        """Return the status of each part, such as `{"scheduler": "healthy", ...}`."""
        told = self._call("GET", self._health)
        return {part: str(found["status"]) for part, found in told.items() if found}

    def heartbeat(self, part: str) -> datetime:
        """Return the last sign of life of a part, such as `"triggerer"`, in UTC; the year 1 before the first."""
        told = self._call("GET", self._health)[part]
        moment = told.get(f"latest_{part}_heartbeat")
        return (
            datetime.fromisoformat(moment.replace("Z", "+00:00"))
            if moment
            else datetime.min.replace(tzinfo=timezone.utc)
        )

    def dags(self) -> set[str]:
        """Return the ids of the DAGs that Airflow knows by now."""
        return {dag["dag_id"] for dag in self._call("GET", "/dags", limit=_PAGE)["dags"]}

    def trigger(self, dag_id: str, run_id: str, conf: Mapping[str, Any] | None = None) -> None:
        """Begin a DAG run."""
        body: dict[str, Any] = {"dag_run_id": run_id, "conf": dict(conf or {})}
        if not AIRFLOW_2:
            body["logical_date"] = None
        self._call("POST", f"/dags/{dag_id}/dagRuns", body)

    def run_state(self, dag_id: str, run_id: str) -> str:
        """Return a DAG run's state."""
        return str(self._call("GET", f"/dags/{dag_id}/dagRuns/{run_id}")["state"])

    def run_states(self, dag_id: str) -> dict[str, str]:
        """Return the state of each run of a DAG."""
        found = self._call("GET", f"/dags/{dag_id}/dagRuns", limit=_PAGE)["dag_runs"]
        return {run["dag_run_id"]: str(run["state"]) for run in found}

    def task_instances(self, dag_id: str = ALL, run_id: str = ALL) -> list[TaskInstance]:
        """Return the task instances of a run, or of all runs, as they are now."""
        found = self._call("GET", f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances", limit=_PAGE)
        return [_task_instance(one) for one in found["task_instances"]]

    def task_state(self, dag_id: str, run_id: str, task_id: str, map_index: int = -1) -> str:
        """Return the state of a task instance, `"none"` before it has one."""
        for one in self.task_instances(dag_id, run_id):
            if (one.task_id, one.map_index) == (task_id, map_index):
                return one.state
        return "none"

    def xcom(
        self, dag_id: str, run_id: str, task_id: str, key: str = "return_value", map_index: int = -1
    ) -> Any:
        """Return an XCom, None when there is none."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/{key}"
        try:
            return self._call("GET", path, map_index=map_index, stringify="false")["value"]
        except httpx.HTTPStatusError as error:
            if error.response.status_code == httpx.codes.NOT_FOUND:
                return None
            raise

    def links(self, dag_id: str, run_id: str, task_id: str, map_index: int = -1) -> dict[str, str]:
        """Return the addresses that a task's links lead to, by their names; empty for one that leads nowhere."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/links"
        found = self._call("GET", path, map_index=map_index)["extra_links"]
        return {name: url or "" for name, url in found.items()}

    def text(self, path: str, **query: str | int) -> str:
        """Return what the API answers to a GET, as it is.

        :param path: such as `"/connections"`.
        """
        return self._send("GET", path, query=query).text

    def log(self, dag_id: str, run_id: str, task_id: str, try_number: int = 1, map_index: int = -1) -> str:
        """Return what a try of a task has logged, as text."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/logs/{try_number}"
        query = {"map_index": map_index, "full_content": "true"}
        if AIRFLOW_2:  # whose JSON is the repr of Python tuples
            return self._send("GET", path, query=query, accept="text/plain").text
        lines = self._call("GET", path, **query)["content"]
        return "\n".join(" ".join(str(value) for value in line.values()) for line in lines)

    def question(self, dag_id: str, run_id: str, task_id: str) -> dict[str, Any] | None:
        """Return what a task asks a person, with the answer if there is one; None as long as it has not asked."""
        found = self._call("GET", f"/dags/{dag_id}/dagRuns/{run_id}/hitlDetails", task_id=task_id)
        return next((one for one in found["hitl_details"]), None)

    def answer(
        self, dag_id: str, run_id: str, task_id: str, option: str, form: Mapping[str, Any] | None = None
    ) -> None:
        """Answer what a task asks, as a user does."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/-1/hitlDetails"
        self._call("PATCH", path, {"chosen_options": [option], "params_input": dict(form or {})})

    def clear(self, dag_id: str, run_id: str, task_ids: Sequence[str]) -> None:
        """Clear tasks of a run, whatever their state, as a user does to have them run again."""
        body = {"dry_run": False, "only_failed": False, "reset_dag_runs": True}
        body |= {"dag_run_id": run_id, "task_ids": list(task_ids)}
        self._call("POST", f"/dags/{dag_id}/clearTaskInstances", body)

    def mark_task(self, dag_id: str, run_id: str, task_id: str, state: str = "failed") -> None:
        """Mark a task as failed or succeeded, as a user does."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}"
        body = {"new_state": state, **({"dry_run": False} if AIRFLOW_2 else {})}
        self._call("PATCH", path, body)

    def mark_run(self, dag_id: str, run_id: str, state: str = "failed") -> None:
        """Mark a DAG run as failed or succeeded, as a user does."""
        self._call("PATCH", f"/dags/{dag_id}/dagRuns/{run_id}", {"state": state})

    def _sign_in(self) -> None:
        """Take a token, which Airflow 3.1 wants even where everybody is an admin."""
        told = self._client.get(f"{self.url}/auth/token").raise_for_status().json()
        self._client.headers["Authorization"] = f"Bearer {told['access_token']}"

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None, **query: str | int) -> Any:
        return self._send(method, path, body, query).json()

    def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str | int] | None = None,
        accept: str = "application/json",
    ) -> httpx.Response:
        for left in reversed(range(_TRIES)):
            try:
                answer = self._client.request(
                    method, path, json=body, params=query, headers={"Accept": accept}
                )
            except httpx.TimeoutException:
                if method != "GET" or not left:
                    raise
            else:
                if answer.status_code == httpx.codes.UNAUTHORIZED and left:
                    self._sign_in()
                    continue
                # SQLite has one writer at a time, and another was longer at it than this one waits.
                if not left or answer.status_code < 500 or "Database error" not in answer.text:
                    break
                time.sleep(1)
        if answer.is_error:
            told = f"{method} {path}: {answer.status_code} {answer.text[:2000]}"
            raise httpx.HTTPStatusError(told, request=answer.request, response=answer)
        return answer


def _task_instance(told: Mapping[str, Any]) -> TaskInstance:
    return TaskInstance(
        id=str(told.get("id", "")),
        dag_id=told["dag_id"],
        run_id=told["dag_run_id"],
        task_id=told["task_id"],
        map_index=told["map_index"],
        state=str(told["state"] or "none"),
        try_number=told["try_number"],
        max_tries=told["max_tries"],
    )
