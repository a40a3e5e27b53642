"""Implementation of the command `sql`, which prints SQL and runs none."""

from __future__ import annotations

from recce_meta.cli.connections import Connection
from recce_meta.cli.options import emit, say
from recce_meta.errors import ProfileError, UsageError
from recce_meta.store import sql_files
from recce_meta.store.grants import StoreRole, grants_sql
from recce_meta.store.session import dialect_of, schema_text
from recce_meta.warehouses import Warehouse, warehouse_named, warehouse_of_store

DEFAULT_DIALECT = "duckdb"


def sql(
    connection: Connection,
    kind: str,
    dialect: str | None,
    name: str | None,
    role: str | None,
    to: str | None,
) -> None:
    """Print the store's SQL of one kind, or one file of it."""
    warehouse, database = _warehouse(connection, dialect)
    if kind == "grants":
        if name is not None:
            raise UsageError("--name cannot be combined with grants", hint="--to names the role")
        if role is None:
            raise UsageError("Missing option: --role", hint="--role reader or --role recorder")
        emit(grants_sql(StoreRole(role), warehouse, connection.schema, to=to, database=database))
        return
    if role is not None or to is not None:
        raise UsageError("--role and --to require grants", hint="recce-meta sql grants --role reader")
    place = schema_text(warehouse, connection.schema)
    emit(sql_files.script(kind, dialect_of(warehouse), place, name))


def _warehouse(connection: Connection, dialect: str | None) -> tuple[Warehouse, str | None]:
    """Return the warehouse whose SQL is printed and the database of the store, without connecting."""
    if dialect is not None:
        return warehouse_of_store(dialect), None
    try:
        with connection.open_existing() as adapter:
            return adapter.warehouse, adapter.database
    except ProfileError as error:
        # A connection that the user names must work.
        if connection.profile or connection.target or connection.profiles_dir:
            raise
        say(f"{error.message}: this is DuckDB's SQL; --dialect chooses another")
        return warehouse_named(DEFAULT_DIALECT), None
