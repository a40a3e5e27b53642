"""A user's own query on the store: read-only, with the names of the store's relations unqualified."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.adapter import DEFAULT_BATCH_ROWS
from recce_meta.adapter.connection import Stream
from recce_meta.adapter.read_only import require_query
from recce_meta.errors import MissingRelation, UnknownNameError
from recce_meta.store import sql_files
from recce_meta.store.session import (
    SCHEMA_VERSION,
    StoreVersions,
    dialect_of,
    no_store,
    schema_text,
    store_versions,
)
from recce_meta.store.sql_files import DEFAULT_SCHEMA
from recce_meta.warehouses import Warehouse

_EDIT = re.compile(r"(?:--|/\*) edit\b")
"""Mark of a line of a cookbook query that a user may edit."""


def cookbook_query(name: str, warehouse: Warehouse, schema: str = DEFAULT_SCHEMA) -> str:
    """Return the cookbook query *name* in the dialect of *warehouse*, for the store in *schema*.

    Raises UnknownNameError for an unknown name.
    """
    quoted_schema = schema_text(warehouse, schema)
    files = {file.name: file for file in sql_files.cookbook(dialect_of(warehouse))}
    if name not in files:
        raise UnknownNameError("question", name, sorted(files))
    return files[name].in_schema(quoted_schema)


def editable_lines(sql: str) -> int:
    """Return the number of lines that a cookbook query marks as editable."""
    return len(_EDIT.findall(sql))


@contextmanager
def open_query(
    adapter: UnifiedSqlAdapter,
    sql: str,
    *,
    batch_rows: int = DEFAULT_BATCH_ROWS,
    timeout: float | None = None,
) -> Iterator[Stream]:
    """Run the query *sql* on the store of *adapter*, and yield its rows as a stream.

    It runs on a separate connection that only reads. Names without a schema are those of the store. After
    *timeout* seconds in the warehouse the query is stopped. Raises UsageError if *sql* is not one query that
    only reads, and StoreError without a store.
    """
    sql = require_query(sql, adapter.warehouse)
    schema_text(adapter.warehouse, adapter.schema)  # raises if the warehouse cannot hold a store
    # A connection that only reads: the check of the text above cannot know what functions do.
    with adapter.reader(adapter.schema) as reader:
        versions = _versions(reader)
        if versions is None:
            raise no_store(adapter)
        try:
            with reader.stream(sql, batch_rows, timeout) as stream:
                yield stream
        except MissingRelation as error:
            # The query may read a relation that an older store lacks.
            if versions.write < SCHEMA_VERSION:
                error.hint = f"the store has version {versions.write}: update it with recce-meta init"
            raise


def _versions(reader: UnifiedSqlAdapter) -> StoreVersions | None:
    """Return the versions of the store; None if its schema does not exist, or has no store."""
    try:
        return store_versions(reader)
    except MissingRelation:
        return None  # the schema cannot be made the default of the connection
