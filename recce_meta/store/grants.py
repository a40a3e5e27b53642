"""Statements that an administrator runs: to create a store, and to let a role read it or record into it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum

from recce_meta.store import sql_files
from recce_meta.store.session import dialect_of, own_versions, schema_text
from recce_meta.store.sql_files import DEFAULT_SCHEMA
from recce_meta.warehouses import StoreRights, Warehouse

_OF_THE_OWNER = frozenset(
    {
        "date_tombstones",
        "delete_code_step",
        "delete_changes",
        "delete_garbage",
        "delete_runs",
        "delete_tombstones",
        "set_first_version",
        "set_version",
    }
)
"""Queries of `prune`, `init` and migrations, which neither role can run."""
_CREATED = re.compile(rf"\bCREATE TABLE(?: IF NOT EXISTS)? {DEFAULT_SCHEMA}\.(\w+)")
_UPDATED = re.compile(rf"\b(?:UPDATE|LOCK) {DEFAULT_SCHEMA}\.(\w+)")
_DELETED = re.compile(rf"\bDELETE FROM {DEFAULT_SCHEMA}\.(\w+)")
_NOT_INSERTED = frozenset({"store", "store_tombstones"})
"""Tables without rows of recorders: the store's versions, which they update, and deletions of runs."""


class StoreRole(str, Enum):
    """Role that uses a store without owning it."""

    READER = "reader"
    """Runs every command and query that only reads."""
    RECORDER = "recorder"
    """Records runs, scans, data diffs, checks and quality as well; it cannot remove runs or migrate."""


def grants_sql(
    role: StoreRole,
    warehouse: Warehouse,
    schema: str = DEFAULT_SCHEMA,
    *,
    to: str | None = None,
    database: str | None = None,
) -> str:
    """Return the script that lets *to*, by default `recce_reader` or `recce_recorder`, use the store.

    The owner of the store runs it. *database* is that of the store, if the script needs its name.
    """
    place = schema_text(warehouse, schema)
    name = to or f"recce_{role.value}"
    warehouse.quote_identifier(name)  # raises if it has control characters
    dialect = dialect_of(warehouse)
    rights = StoreRights(schema=place, role=name, database=database)
    if role is StoreRole.RECORDER:
        # Derived from the statements, so that a new query cannot be forgotten here.
        queries = [file.text for file in sql_files.queries(dialect) if file.name not in _OF_THE_OWNER]
        tables = _tables(_CREATED, [file.text for file in sql_files.ddl(dialect)])
        rights = StoreRights(
            schema=place,
            role=name,
            database=database,
            inserted=tuple(f"{place}.{table}" for table in tables if table not in _NOT_INSERTED),
            updated=tuple(f"{place}.{table}" for table in _tables(_UPDATED, queries)),
            deleted=tuple(f"{place}.{table}" for table in _tables(_DELETED, queries)),
        )
    head = f"-- Rights of a {role.value} on the store in {place}. The owner of the store runs this."
    return "".join(f"{line}\n" for line in [head, *_lines(warehouse.store_grants(rights))])


def _lines(statements: tuple[str, ...]) -> Iterator[str]:
    for statement in statements:
        yield statement if statement.startswith("--") else f"{statement};"


def _tables(pattern: re.Pattern[str], texts: list[str]) -> list[str]:
    """Return the tables that *pattern* finds, in order of their first use."""
    return list(dict.fromkeys(table for text in texts for table in pattern.findall(text)))


def init_sql(warehouse: Warehouse, schema: str = DEFAULT_SCHEMA) -> str:
    """Return the script that creates a new store, as `init_store` would."""
    quoted = schema_text(warehouse, schema)
    dialect = dialect_of(warehouse)
    scripts = (
        sql_files.query("create_schema", dialect),
        *sql_files.ddl(dialect),
        *sql_files.views(dialect),
        *sql_files.comments(dialect),
    )
    (version_row,) = sql_files.query("set_first_version", dialect).statements(quoted)
    texts = [file.in_schema(quoted) for file in scripts]
    for name, value in own_versions().items():
        version_row = version_row.replace(f":{name}", f"'{value}'" if isinstance(value, str) else str(value))
    texts.append(f"{version_row};\n")
    return "\n".join(texts)
