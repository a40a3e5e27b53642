"""Scans of a PostgreSQL database of 5,000 tables, compared with the bare catalog queries."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from benchmarks.measure import Figure, Timing, compared, in_turns
from benchmarks.recording import POSTGRES
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.scan import scan
from recce_meta.warehouses.catalog import Part, catalog_of

TABLES, COLUMNS = 5_000, 20
AT_ONCE = 250
"""Number of tables that one transaction creates, limited by the server's maximum locks."""
TYPES = (
    *("integer", "bigint", "text", "character varying(80)", "numeric(12,2)"),
    *("timestamp with time zone", "boolean", "date", "double precision", "uuid"),
)
ROUNDS = 5
BEYOND = 1.0
"""Maximum seconds of a scan without changes, and its diff, beyond the bare queries."""
STORE = "recce_metadata"
SCHEMA = "wide"


def statements_of(number: int) -> Iterator[str]:
    """Yield the SQL for one table with a key and a default; one in five has an index, one in ten a
    reference.
    """
    name = f"{SCHEMA}.t{number:04d}"
    columns = [f"c{place:02d} {TYPES[place % len(TYPES)]}" for place in range(COLUMNS)]
    columns[1] += " NOT NULL DEFAULT 0"
    yield f"CREATE TABLE {name} ({', '.join(columns)}, PRIMARY KEY (c00))"
    if number % 5 == 0:
        yield f"CREATE INDEX ON {name} (c03)"
    if number % 10 == 0 and number:
        yield f"ALTER TABLE {name} ADD FOREIGN KEY (c00) REFERENCES {SCHEMA}.t{number - 10:04d}"


@contextmanager
def wide_database() -> Iterator[str]:
    """Yield the URL of a new database of 5,000 tables on the server at RECCE_META_TEST_POSTGRES_URL;
    drop it.
    """
    import psycopg

    name = f"recce_bench_{os.getpid()}"
    url = urlsplit(POSTGRES)._replace(path=f"/{name}").geturl()
    with psycopg.connect(POSTGRES, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"'.encode())
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(f"CREATE SCHEMA {SCHEMA}".encode())
                for first in range(0, TABLES, AT_ONCE):
                    made = (text for i in range(first, first + AT_ONCE) for text in statements_of(i))
                    connection.execute("; ".join(made).encode())
                connection.execute("VACUUM ANALYZE")
            yield url
        finally:
            server.execute(f'DROP DATABASE "{name}"'.encode())


def bare_statements(url: str) -> list[str]:
    """Return the catalog queries of a scan, as sent."""
    with UnifiedSqlAdapter.from_url(url) as adapter:
        catalog, database = catalog_of(adapter.warehouse), adapter.database
        schemas = ["public", SCHEMA]
        parts = [catalog.statements(part, schemas, database) for part in Part]
    return [*catalog.settings, *(statement for part in parts for statement in part)]


def run() -> list[Figure]:
    """Measure the first scan with its writes, and a scan without changes with its diff."""
    import psycopg

    with wide_database() as url:
        sent = bare_statements(url)
        with psycopg.connect(url) as connection, UnifiedSqlAdapter.from_url(url) as adapter:
            adapter.connect()

            def bare() -> int:
                rows = 0
                for statement in sent:
                    cursor = connection.execute(statement.encode())
                    rows += len(cursor.fetchall()) if cursor.description else 0
                connection.rollback()
                return rows

            def forget() -> None:
                adapter.execute(f"DROP SCHEMA IF EXISTS {STORE} CASCADE")
                adapter.store_versions.clear()

            first, floor = in_turns(lambda: scan(adapter), bare, rounds=ROUNDS, before=forget)
            scan(adapter)
            found = scan(adapter).diff
            assert found is not None
            assert found.changes == ()
            again, still = in_turns(lambda: scan(adapter), bare, rounds=ROUNDS)
    return figures(first, floor, again, still)


def figures(first: Timing, floor: Timing, again: Timing, still: Timing) -> list[Figure]:
    """Return the figures with their limits."""
    what = f"scan of {TABLES:,} tables of {COLUMNS} columns in PostgreSQL"
    beyond = Timing(again.wall - still.wall, again.cpu - still.cpu)
    return [
        compared(f"{what}, recorded there for the first time", first, floor, 3, "its statements, bare"),
        Figure(
            f"{what} again, and its diff: nothing has changed",
            f"{again.wall * 1e3:.0f} ms (cpu {again.cpu * 1e3:.0f})",
            f"its statements, bare: {still.wall * 1e3:.0f} ms (cpu {still.cpu * 1e3:.0f})",
            f"+ {beyond.wall * 1e3:.0f} ms",
            f"< + {BEYOND * 1e3:.0f} ms",
            beyond.wall < BEYOND,
        ),
        Figure(
            "statements that this scan sends to the catalog", str(len(Part)), target="5", met=len(Part) == 5
        ),
    ]
