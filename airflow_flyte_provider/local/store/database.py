"""Opening the database, and the two statements that every kind of row needs."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Table, create_engine, event, select
from sqlalchemy.engine import Connection, Engine

from airflow_flyte_provider.local.store.tables import metadata


def open_database(url: str) -> Engine:
    """Return an engine on `url` whose tables exist.

    SQLite is set to write-ahead logging with `synchronous=NORMAL`: a transaction that was committed is still
    there after the process is killed at any instant.

    :param url: an SQLAlchemy database URL.
    """
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    metadata.create_all(engine)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    # LIKE tells cases apart, as in the PostgreSQL that FlyteAdmin uses
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=10000", "case_sensitive_like=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def find(connection: Connection, table: Table, key: Mapping[str, Any]) -> Any | None:
    """Return the one row with these column values, None when there is none."""
    return connection.execute(select(table).where(*matching(table, key))).first()


def insert(connection: Connection, table: Table, values: Mapping[str, Any]) -> int:
    """Insert a row, with its times set to now. Returns its id."""
    moment = time.time_ns()
    stamped = {"created_at": moment, "updated_at": moment, **values}
    return int(connection.execute(table.insert().values(**stamped)).inserted_primary_key[0])


def put(connection: Connection, table: Table, key: Iterable[str], values: Mapping[str, Any]) -> None:
    """Update the row that `key`'s columns name, or insert it.

    :param key: the columns of `values` that identify the row.
    """
    changed = {"updated_at": time.time_ns(), **values}
    where = matching(table, {column: values[column] for column in key})
    if not connection.execute(table.update().where(*where).values(**changed)).rowcount:
        insert(connection, table, values)


def matching(table: Table, key: Mapping[str, Any]) -> list[Any]:
    """Return the conditions that a row of `table` has these column values."""
    return [table.c[column] == value for column, value in key.items()]
