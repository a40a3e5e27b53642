"""Tables of the state.

Connections, webhooks, pull requests, jobs with events, tasks, workers, API tokens, workspaces, owners of
projects, and events of the audit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any, get_args, get_origin, get_type_hints

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import DateTime, TypeDecorator, TypeEngine

from recce_meta.repositories.state.types import (
    ExtractionJob,
    JobEvent,
    JobFigures,
    JobStatus,
    PullRequest,
    RepositoryConnection,
    Task,
    TaskStatus,
    Webhook,
    WebhookDelivery,
    Workspace,
)


class UtcTime(TypeDecorator[datetime]):
    """Time in UTC; SQLite stores it without its zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return *value* in UTC."""
        return None if value is None else value.astimezone(timezone.utc)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return *value* with its zone."""
        if value is None or value.tzinfo is not None:
            return value and value.astimezone(timezone.utc)
        return value.replace(tzinfo=timezone.utc)


metadata = MetaData()

# SQLite numbers rows by itself only for a primary key of the type INTEGER.
_SERIAL = BigInteger().with_variant(Integer, "sqlite")
_CASCADE = "CASCADE"

state_version = Table(
    "state_version",
    metadata,
    Column("version", Integer, nullable=False),
    Column("id", Text),
)


_TYPES: tuple[tuple[type, TypeEngine[Any]], ...] = (
    (bool, Boolean()),
    (int, Integer()),
    (float, Float()),
    (str, Text()),
    (datetime, UtcTime()),
)
"""Type of the columns of each type of values, the subclass first; others are JSON."""
_LONG = frozenset(("peak_memory", "fetched"))
"""Columns of bytes."""


def _columns_of(kinds: Mapping[str, Any], *others: str) -> Iterator[Column[Any]]:
    """Yield a column for each field of *kinds*, types by name, except *others*."""
    for name, kind in kinds.items():
        if name in others:
            continue
        is_optional = type(None) in get_args(kind)
        if is_optional:
            kind = next(one for one in get_args(kind) if one is not type(None))
        value = get_origin(kind) or kind
        # By default SQLAlchemy stores None as JSON's null, which is not SQL's NULL.
        column: TypeEngine[Any] = JSON(none_as_null=is_optional)
        column = next((found for one, found in _TYPES if issubclass(value, one)), column)
        yield Column(name, BigInteger() if name in _LONG else column, nullable=is_optional)


connections = Table(
    "connections",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("type", Text, nullable=False),
    *_columns_of(get_type_hints(RepositoryConnection), "id", "name", "type", "status", "error"),
    Column("is_disconnected", Boolean, nullable=False),
    Column("job_error", Text),
    Column("poll_error", Text),
)

connection_secrets = Table(
    "connection_secrets",
    metadata,
    Column("connection_id", Text, ForeignKey(connections.c.id, ondelete=_CASCADE), primary_key=True),
    Column("field", Text, primary_key=True),
    Column("sealed", Text, nullable=False),
    Column("changed_at", UtcTime, nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    # The order of requests; times can be equal.
    Column("row", _SERIAL, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    Column("connection_id", Text, ForeignKey(connections.c.id, ondelete=_CASCADE), nullable=False),
    *_columns_of(get_type_hints(ExtractionJob), "id", "connection_id", "figures"),
    Column("events", Integer, nullable=False),
    # False while a job waits for its turn or its store: the end of its worker is not its fault then.
    Column("is_working", Boolean, nullable=False, default=False),
    *_columns_of(get_type_hints(JobFigures)),
    UniqueConstraint("connection_id", "branch", "number"),
)
Index("jobs_by_connection", jobs.c.connection_id, jobs.c.row)
_IS_PENDING = jobs.c.status == JobStatus.PENDING.value
Index(
    "jobs_pending",
    jobs.c.connection_id,
    jobs.c.branch,
    unique=True,
    sqlite_where=_IS_PENDING,
    postgresql_where=_IS_PENDING,
)

job_events = Table(
    "job_events",
    metadata,
    Column("job_id", Text, ForeignKey(jobs.c.id, ondelete=_CASCADE), primary_key=True),
    Column("seq", Integer, primary_key=True),
    *_columns_of(get_type_hints(JobEvent), "job_id", "seq"),
)

job_files = Table(
    "job_files",
    metadata,
    Column("job_id", Text, ForeignKey(jobs.c.id, ondelete=_CASCADE), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("content", Text, nullable=False),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("connection_id", Text, ForeignKey(connections.c.id, ondelete=_CASCADE), primary_key=True),
    *_columns_of(get_type_hints(Webhook), "connection_id"),
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("row", _SERIAL, primary_key=True, autoincrement=True),
    Column("connection_id", Text, ForeignKey(connections.c.id, ondelete=_CASCADE), nullable=False),
    *_columns_of(get_type_hints(WebhookDelivery), "connection_id"),
)
Index("webhook_deliveries_by_connection", webhook_deliveries.c.connection_id, webhook_deliveries.c.row)

pull_requests = Table(
    "pull_requests",
    metadata,
    Column("connection_id", Text, ForeignKey(connections.c.id, ondelete=_CASCADE), primary_key=True),
    Column("number", Integer, primary_key=True),
    *_columns_of(get_type_hints(PullRequest), "connection_id", "number"),
)

stale_branches = Table(
    "stale_branches",
    metadata,
    Column("connection_id", Text, ForeignKey(connections.c.id, ondelete=_CASCADE), primary_key=True),
    Column("branch", Text, primary_key=True),
    Column("stale_at", UtcTime, nullable=False),
)

tasks = Table(
    "tasks",
    metadata,
    Column("row", _SERIAL, primary_key=True, autoincrement=True),
    Column("connection_id", Text, ForeignKey(connections.c.id, ondelete=_CASCADE), nullable=False),
    *_columns_of(get_type_hints(Task), "row", "connection_id"),
)
_TASK_IS_PENDING = tasks.c.status == TaskStatus.PENDING.value
Index(
    "tasks_pending",
    tasks.c.kind,
    tasks.c.key,
    unique=True,
    sqlite_where=_TASK_IS_PENDING,
    postgresql_where=_TASK_IS_PENDING,
)
Index("tasks_by_status", tasks.c.status, tasks.c.due_at)

workers = Table(
    "workers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("version", Text, nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("scopes", JSON, nullable=False),
    Column("digest", Text, nullable=False),
    Column("connection_id", Text, ForeignKey(connections.c.id, ondelete=_CASCADE)),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime),
    Column("last_used_at", UtcTime),
)

sessions = Table(
    "sessions",
    metadata,
    Column("name", Text, primary_key=True),
    Column("expires_at", UtcTime, nullable=False),
)

workspaces = Table(
    "workspaces",
    metadata,
    Column("id", Text, primary_key=True),
    # A workspace outlives its connection: its project may be connected again.
    Column("connection_id", Text, ForeignKey(connections.c.id, ondelete="SET NULL")),
    *_columns_of(get_type_hints(Workspace), "id", "connection_id"),
    UniqueConstraint("owner", "project_name", "project_path_hash"),
)

project_owners = Table(
    "project_owners",
    metadata,
    Column("store", Text, primary_key=True),
    Column("project", Text, primary_key=True),
    Column("environment", Text, primary_key=True),
    # An address with a folder: the owner outlives its connections, as the runs do.
    Column("repository", Text, nullable=False),
    Column("is_handed_over", Boolean, nullable=False),
    Column("since", UtcTime, nullable=False),
)

audit_events = Table(
    "audit_events",
    metadata,
    Column("id", _SERIAL, primary_key=True, autoincrement=True),
    Column("at", UtcTime, nullable=False),
    Column("actor", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("address", Text),
    Column("action", Text, nullable=False),
    # A name, not a key: the event outlives its object.
    Column("object", Text, nullable=False),
    Column("before", JSON(none_as_null=True)),
    Column("after", JSON(none_as_null=True)),
    Index("audit_events_at", "at"),
)
