"""What every run shares: the store, the folder, the runners, and the way to launch children."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from flyteidl.admin import execution_pb2
from flyteidl.core import identifier_pb2

from airflow_flyte_provider.local.engine.catalog import Catalog
from airflow_flyte_provider.local.engine.notices import Notices
from airflow_flyte_provider.local.engine.runner import TaskRunner
from airflow_flyte_provider.local.files.folder import DataFolder
from airflow_flyte_provider.local.settings import Pace
from airflow_flyte_provider.local.store.entities import EntityStore
from airflow_flyte_provider.local.store.executions import ExecutionStore

ExecutionId = identifier_pb2.WorkflowExecutionIdentifier


class Executions(Protocol):
    """Launching and ending executions, as a client would do it."""

    def create(self, request: execution_pb2.ExecutionCreateRequest) -> ExecutionId:
        """Launch an execution."""

    def recover(self, request: execution_pb2.ExecutionRecoverRequest) -> ExecutionId:
        """Launch an execution that takes over what another one finished."""

    def terminate(self, request: execution_pb2.ExecutionTerminateRequest) -> None:
        """End an execution."""


@dataclass(frozen=True)
class World:
    """What every run shares.

    :param executions: the store of executions.
    :param entities: the store of tasks, workflows and launch plans.
    :param folder: the data directory.
    :param http_url: URL of the HTTP server, whose console shows task logs.
    :param notices: for waiting until a signal is set or an execution has ended.
    :param catalog: outputs of tasks that are cached.
    :param pace: delays of the engine.
    :param echo: runs echo tasks.
    :param processes: runs tasks with a container.
    """

    executions: ExecutionStore
    entities: EntityStore
    folder: DataFolder
    http_url: str
    notices: Notices
    catalog: Catalog
    pace: Pace
    echo: TaskRunner
    processes: TaskRunner
