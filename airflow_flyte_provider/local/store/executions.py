"""Executions with their nodes, task attempts and signals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flyteidl.admin import execution_pb2, node_execution_pb2, signal_pb2, task_execution_pb2
from flyteidl.core import execution_pb2 as core_execution
from flyteidl.core import identifier_pb2, literals_pb2, types_pb2
from sqlalchemy import select
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError

from airflow_flyte_provider.local.refusal import already_exists, not_found
from airflow_flyte_provider.local.store import filters, tables
from airflow_flyte_provider.local.store.database import find, insert, matching, put
from airflow_flyte_provider.local.store.listing import Page, list_rows
from airflow_flyte_provider.local.store.rows import (
    execution_key,
    execution_row,
    node_row,
    tags_of,
    task_key,
    task_row,
)
from airflow_flyte_provider.local.wording import go_text

ExecutionId = identifier_pb2.WorkflowExecutionIdentifier
NodeId = identifier_pb2.NodeExecutionIdentifier
Execution = execution_pb2.Execution
NodeExecution = node_execution_pb2.NodeExecution
TaskExecution = task_execution_pb2.TaskExecution

_PHASES = core_execution.WorkflowExecution.Phase
FINAL_PHASES = frozenset({_PHASES.Value(name) for name in ("SUCCEEDED", "FAILED", "ABORTED", "TIMED_OUT")})
_FINAL_NAMES = [_PHASES.Name(phase) for phase in FINAL_PHASES]


@dataclass(frozen=True)
class NewExecution:
    """An execution about to be stored.

    :param execution: its message.
    :param user_inputs: inputs as they were asked for.
    :param inputs: inputs with defaults and fixed values filled in.
    :param references: ids of the rows of its launch plan, workflow and task.
    """

    execution: Execution
    user_inputs: literals_pb2.LiteralMap
    inputs: literals_pb2.LiteralMap
    references: Mapping[str, int]


class ExecutionStore:
    """Executions and everything below them.

    :param engine: the database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, new: NewExecution) -> None:
        """Store a new execution.

        :raises Refusal: ALREADY_EXISTS when its name is in use.
        """
        values = {
            **execution_row(new.execution),
            **new.references,
            "user_inputs": new.user_inputs.SerializeToString(),
            "inputs": new.inputs.SerializeToString(),
        }
        with self._engine.begin() as connection:
            try:
                insert(connection, tables.executions, values)
            except IntegrityError:
                raise already_exists(
                    "value with matching already exists "
                    '(duplicate key value violates unique constraint "executions_pkey")'
                ) from None
            for key, value in tags_of(new.execution):
                insert(
                    connection,
                    tables.execution_tags,
                    {**execution_key(new.execution.id), "key": key, "value": value},
                )

    def find(self, identifier: ExecutionId) -> Execution | None:
        """Return an execution, None when there is none of that name."""
        row = self._row(identifier)
        return None if row is None else Execution.FromString(row.message)

    def get(self, identifier: ExecutionId) -> Execution:
        """Return an execution.

        :raises Refusal: NOT_FOUND when there is none of that name.
        """
        execution = self.find(identifier)
        if execution is None:
            raise not_found("execution", go_text(identifier))
        return execution

    def inputs(self, identifier: ExecutionId, *, as_given: bool = False) -> literals_pb2.LiteralMap:
        """Return an execution's inputs, as the user gave them or with defaults filled in."""
        self.get(identifier)
        row = self._row(identifier)
        return literals_pb2.LiteralMap.FromString(row.user_inputs if as_given else row.inputs)

    def unfinished(self) -> list[Execution]:
        """Return the executions that have not ended, oldest first."""
        table = tables.executions
        query = select(table.c.message).where(table.c.phase.notin_(_FINAL_NAMES)).order_by(table.c.id)
        with self._engine.connect() as connection:
            return [Execution.FromString(message) for message in connection.execute(query).scalars().all()]

    def list(self, page: Page) -> tuple[list[Execution], str]:
        """Return one page of executions and the token of the next."""
        rows, token = list_rows(self._engine, filters.EXECUTION, page)
        return [Execution.FromString(row.message) for row in rows], token

    def conditions(self, project: str, domain: str, name: str = "") -> list[Any]:
        """Return the conditions that a list of executions is of this project, domain and perhaps name."""
        key = {"execution_project": project, "execution_domain": domain}
        return matching(tables.executions, {**key, "execution_name": name} if name else key)

    def write(
        self,
        execution: Execution | None = None,
        nodes: Iterable[NodeExecution] = (),
        tasks: Iterable[TaskExecution] = (),
    ) -> None:
        """Store new states of an execution, of nodes and of task attempts in one transaction."""
        with self._engine.begin() as connection:
            if execution is not None:
                put(connection, tables.executions, tables.EXECUTION_KEY, execution_row(execution))
            for node in nodes:
                put(connection, tables.node_executions, (*tables.EXECUTION_KEY, "node_id"), node_row(node))
            for task in tasks:
                put(connection, tables.task_executions, tables.TASK_EXECUTION_KEY, task_row(task))

    def node(self, identifier: NodeId) -> NodeExecution:
        """Return a node execution.

        :raises Refusal: NOT_FOUND when there is none.
        """
        key = {**execution_key(identifier.execution_id), "node_id": identifier.node_id}
        with self._engine.connect() as connection:
            row = find(connection, tables.node_executions, key)
        if row is None:
            raise not_found("node execution", go_text(identifier))
        return NodeExecution.FromString(row.message)

    def nodes(self, identifier: ExecutionId) -> list[NodeExecution]:
        """Return all node executions of an execution at every depth, in the order they began."""
        table = tables.node_executions
        query = (
            select(table.c.message).where(*matching(table, execution_key(identifier))).order_by(table.c.id)
        )
        with self._engine.connect() as connection:
            return [NodeExecution.FromString(message) for message in connection.execute(query).scalars()]

    def list_nodes(self, page: Page) -> tuple[list[NodeExecution], str]:
        """Return one page of node executions and the token of the next."""
        rows, token = list_rows(self._engine, filters.NODE_EXECUTION, page)
        return [NodeExecution.FromString(row.message) for row in rows], token

    def node_conditions(self, identifier: ExecutionId, parent: str) -> list[Any]:
        """Return the conditions that a list of nodes is of this execution and below this node."""
        return matching(tables.node_executions, {**execution_key(identifier), "parent_node_id": parent})

    def task(self, identifier: identifier_pb2.TaskExecutionIdentifier) -> TaskExecution:
        """Return a task attempt.

        :raises Refusal: NOT_FOUND when there is none.
        """
        with self._engine.connect() as connection:
            row = find(connection, tables.task_executions, task_key(identifier))
        if row is None:
            raise not_found("task execution", go_text(identifier))
        return TaskExecution.FromString(row.message)

    def tasks(self, identifier: NodeId) -> list[TaskExecution]:
        """Return the task attempts of a node, first to last."""
        table = tables.task_executions
        query = select(table.c.message).where(*self.task_conditions(identifier)).order_by(table.c.id)
        with self._engine.connect() as connection:
            return [TaskExecution.FromString(message) for message in connection.execute(query).scalars()]

    def list_tasks(self, page: Page) -> tuple[list[TaskExecution], str]:
        """Return one page of task attempts and the token of the next."""
        rows, token = list_rows(self._engine, filters.TASK_EXECUTION, page)
        return [TaskExecution.FromString(row.message) for row in rows], token

    def task_conditions(self, identifier: NodeId) -> list[Any]:
        """Return the conditions that a list of task attempts is of this node."""
        return matching(
            tables.task_executions, {**execution_key(identifier.execution_id), "node_id": identifier.node_id}
        )

    def signal(self, identifier: identifier_pb2.SignalIdentifier) -> signal_pb2.Signal | None:
        """Return a signal, None while no gate has asked for it."""
        key = {**execution_key(identifier.execution_id), "signal_id": identifier.signal_id}
        with self._engine.connect() as connection:
            row = find(connection, tables.signals, key)
        return None if row is None else signal_pb2.Signal.FromString(row.message)

    def ask_for_signal(
        self, identifier: identifier_pb2.SignalIdentifier, signal_type: types_pb2.LiteralType
    ) -> signal_pb2.Signal:
        """Return a signal, made without a value when it isn't there yet."""
        signal = self.signal(identifier)
        if signal is None:
            signal = signal_pb2.Signal(id=identifier, type=signal_type)
            self.write_signal(signal)
        return signal

    def write_signal(self, signal: signal_pb2.Signal) -> None:
        """Store a signal, with or without a value."""
        values = {**execution_key(signal.id.execution_id), "signal_id": signal.id.signal_id}
        with self._engine.begin() as connection:
            put(
                connection,
                tables.signals,
                (*tables.EXECUTION_KEY, "signal_id"),
                {**values, "message": signal.SerializeToString()},
            )

    def list_signals(self, page: Page) -> tuple[list[signal_pb2.Signal], str]:
        """Return one page of signals and the token of the next."""
        rows, token = list_rows(self._engine, filters.SIGNAL, page)
        return [signal_pb2.Signal.FromString(row.message) for row in rows], token

    def signal_conditions(self, identifier: ExecutionId) -> list[Any]:
        """Return the conditions that a list of signals is of this execution."""
        return matching(tables.signals, execution_key(identifier))

    def _row(self, identifier: ExecutionId) -> Any | None:
        with self._engine.connect() as connection:
            return find(connection, tables.executions, execution_key(identifier))
