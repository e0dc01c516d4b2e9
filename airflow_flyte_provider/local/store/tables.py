"""The tables. Columns carry FlyteAdmin's own names, for clients filter and sort by them.

Each row holds the whole protobuf message beside the columns that filters look at. Times are nanoseconds
since the epoch.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, String, Table, UniqueConstraint

metadata = MetaData()

EXECUTION_KEY = ("execution_project", "execution_domain", "execution_name")
ENTITY_KEY = ("project", "domain", "name", "version")

TIME_COLUMNS = frozenset(
    {
        "created_at",
        "updated_at",
        "deleted_at",
        "started_at",
        "execution_created_at",
        "execution_updated_at",
        "node_execution_created_at",
        "node_execution_updated_at",
        "task_execution_created_at",
        "task_execution_updated_at",
    }
)


def _base() -> list[Column]:
    return [
        Column("id", Integer, primary_key=True, autoincrement=True),
        Column("created_at", BigInteger, nullable=False),
        Column("updated_at", BigInteger, nullable=False),
        Column("deleted_at", BigInteger),
    ]


def _texts(*names: str) -> list[Column]:
    return [Column(name, String(255), nullable=False, server_default="") for name in names]


def _message() -> Column:
    return Column("message", LargeBinary, nullable=False)


projects = Table(
    "projects",
    metadata,
    *_base(),
    Column("identifier", String(255), unique=True, nullable=False),
    *_texts("name", "description"),
    Column("state", Integer, nullable=False),
    _message(),
)

tasks = Table(
    "tasks",
    metadata,
    *_base(),
    *_texts(*ENTITY_KEY, "type", "short_description"),
    Column("digest", LargeBinary, nullable=False),
    _message(),
    UniqueConstraint(*ENTITY_KEY),
)

workflows = Table(
    "workflows",
    metadata,
    *_base(),
    *_texts(*ENTITY_KEY, "short_description"),
    Column("digest", LargeBinary, nullable=False),
    _message(),
    UniqueConstraint(*ENTITY_KEY),
)

launch_plans = Table(
    "launch_plans",
    metadata,
    *_base(),
    *_texts(*ENTITY_KEY, "schedule_type"),
    Column("workflow_id", Integer, nullable=False, server_default="0"),
    Column("state", Integer, nullable=False, server_default="0"),
    Column("digest", LargeBinary, nullable=False),
    _message(),
    UniqueConstraint(*ENTITY_KEY),
)

descriptions = Table(
    "description_entities",
    metadata,
    *_base(),
    Column("resource_type", Integer, nullable=False),
    *_texts(*ENTITY_KEY, "short_description"),
    _message(),
    UniqueConstraint("resource_type", *ENTITY_KEY),
)

named_entities = Table(
    "named_entity_metadata",
    metadata,
    *_base(),
    Column("resource_type", Integer, nullable=False),
    *_texts("project", "domain", "name", "description"),
    Column("state", Integer, nullable=False, server_default="0"),
    UniqueConstraint("resource_type", "project", "domain", "name"),
)

executions = Table(
    "executions",
    metadata,
    *_base(),
    *_texts(*EXECUTION_KEY),
    Column("launch_plan_id", Integer, nullable=False, server_default="0", index=True),
    Column("workflow_id", Integer, nullable=False, server_default="0", index=True),
    Column("task_id", Integer, nullable=False, server_default="0", index=True),
    Column("phase", String(255), nullable=False, index=True),
    Column("started_at", BigInteger),
    Column("execution_created_at", BigInteger, index=True),
    Column("execution_updated_at", BigInteger),
    Column("duration", BigInteger, nullable=False, server_default="0"),
    *_texts("abort_cause", "cluster", "user", "launch_entity"),
    Column("mode", Integer, nullable=False, server_default="0"),
    Column("source_execution_id", Integer, nullable=False, server_default="0"),
    Column("parent_node_execution_id", Integer, nullable=False, server_default="0"),
    Column("error_kind", String(255)),
    Column("error_code", String(255)),
    Column("state", Integer, nullable=False, server_default="0", index=True),
    _message(),
    # inputs as given, and as filled up from the launch plan: relaunching needs the former, running the latter
    Column("user_inputs", LargeBinary, nullable=False),
    Column("inputs", LargeBinary, nullable=False),
    UniqueConstraint(*EXECUTION_KEY),
)

execution_tags = Table(
    "execution_tags",
    metadata,
    *_base(),
    *_texts(*EXECUTION_KEY, "key", "value"),
    UniqueConstraint(*EXECUTION_KEY, "key", "value"),
)

node_executions = Table(
    "node_executions",
    metadata,
    *_base(),
    *_texts(*EXECUTION_KEY, "node_id", "phase", "input_uri"),
    # the node this one is a part of, empty for a node of the workflow itself
    *_texts("parent_node_id"),
    Column("started_at", BigInteger),
    Column("node_execution_created_at", BigInteger),
    Column("node_execution_updated_at", BigInteger),
    Column("duration", BigInteger, nullable=False, server_default="0"),
    Column("error_kind", String(255)),
    Column("error_code", String(255)),
    Column("cache_status", String(255)),
    _message(),
    UniqueConstraint(*EXECUTION_KEY, "node_id"),
)

TASK_EXECUTION_KEY = (*EXECUTION_KEY, "node_id", *ENTITY_KEY, "retry_attempt")

task_executions = Table(
    "task_executions",
    metadata,
    *_base(),
    *_texts(*EXECUTION_KEY, "node_id", *ENTITY_KEY, "phase", "input_uri"),
    Column("retry_attempt", Integer, nullable=False),
    Column("phase_version", Integer, nullable=False, server_default="0"),
    Column("started_at", BigInteger),
    Column("task_execution_created_at", BigInteger),
    Column("task_execution_updated_at", BigInteger),
    Column("duration", BigInteger, nullable=False, server_default="0"),
    _message(),
    UniqueConstraint(*TASK_EXECUTION_KEY),
)

signals = Table(
    "signals",
    metadata,
    *_base(),
    *_texts(*EXECUTION_KEY, "signal_id"),
    _message(),
    UniqueConstraint(*EXECUTION_KEY, "signal_id"),
)

cached_outputs = Table(
    "cached_outputs",
    metadata,
    *_base(),
    *_texts("project", "domain", "name", "version", "tag"),
    # how the outputs are found and where they come from, and the outputs themselves
    _message(),
    Column("outputs", LargeBinary, nullable=False),
    UniqueConstraint("project", "domain", "name", "version", "tag"),
)

settings = Table(
    "settings",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("value", LargeBinary, nullable=False),
)
