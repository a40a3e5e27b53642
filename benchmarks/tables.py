"""Synthetic tables: pairs of ten columns of mixed types that differ in 1 % of their rows, and small ones.

    python -m benchmarks.tables FILE --rows 1000000

writes the tables `base.wide` and `current.wide` into a DuckDB file. Every value derives from its row number,
so the same arguments always give the same tables, in DuckDB and in PostgreSQL.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

KEY = "id"
CHANGED = ("amount", "status", "note", "updated_at")
"""Columns of which one differs in every hundredth row, in turn."""
COLUMNS = (
    (KEY, "BIGINT", "i * 1327217885 % 2147483647"),
    ("customer_id", "INTEGER", "(i * i % 1000003 * 7919 + i) % 200003"),
    ("amount", "DECIMAL(12, 2)", "(i * i % 15485863 * 31 + i * 104729) % 1000003 / 100.0"),
    ("price", "DOUBLE PRECISION", "(i * i % 15485863 * 7919 + i) % 1000000007 / 1000.0"),
    ("quantity", "INTEGER", "i * 31 % 97"),
    ("is_paid", "BOOLEAN", "i % 7 < 5"),
    ("ordered_on", "DATE", "DATE '2020-01-01' + (i * i % 15013 % 1500)::INTEGER"),
    ("updated_at", "TIMESTAMP", "TIMESTAMP '2024-01-01' + (i * i * 37 % 90000001) * INTERVAL '1 second'"),
    ("status", "VARCHAR", "'status ' || (i * 17 % 23)::VARCHAR"),
    ("note", "VARCHAR", "CASE WHEN i % 11 > 0 THEN 'note ' || md5(i::VARCHAR) END"),
)
"""Name, type, and value in row i, in SQL for both DuckDB and PostgreSQL; keys are unordered."""
EDITED = {
    "amount": "{} + 0.01",
    "status": "{} || '!'",
    "note": "{} || '!'",
    "updated_at": "{} + INTERVAL '1 hour'",
}


def wide_sql(side: str, rows: int, schema: str | None = None) -> str:
    """Return CREATE TABLE of `wide` with *rows* rows in base; in current a thousandth is deleted, and
    as many are new.
    """
    is_base = side == "base"
    numbers = f"generate_series(1::BIGINT, {rows if is_base else rows + rows // 1000}::BIGINT)"
    values = ", ".join(
        f"{value if is_base else _edited(name, value)} AS {name}" for name, _, value in _typed()
    )
    kept = "" if is_base else f" WHERE i > {rows} OR i % 1000 <> 7"
    return f"CREATE TABLE {schema or side}.wide AS SELECT {values} FROM {numbers} AS numbers(i){kept}"


def _typed() -> Iterator[tuple[str, str, str]]:
    for name, kind, value in COLUMNS:
        yield name, kind, f"({value})::{kind}"


def _edited(name: str, value: str) -> str:
    if name not in CHANGED:
        return value
    kind = next(kind for column, kind, _ in COLUMNS if column == name)
    place = 100 * CHANGED.index(name) + 3
    return f"CASE WHEN i % 400 = {place} THEN ({EDITED[name].format(value)})::{kind} ELSE {value} END"


def write_wide(path: Path, rows: int) -> Path:
    """Create a DuckDB file with `base.wide` and `current.wide`, unless it exists; return *path*."""
    import duckdb

    if not path.exists():
        draft = path.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        with duckdb.connect(str(draft), config={"storage_compatibility_version": "v1.0.0"}) as connection:
            for side in ("base", "current"):
                connection.execute(f"CREATE SCHEMA {side}")
                connection.execute(wide_sql(side, rows))
        draft.rename(path)
    return path


@contextmanager
def wide_in_postgres(url: str, rows: int, schemas: tuple[str, str]) -> Iterator[None]:
    """Create a table `wide` in each of the two schemas for the block."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        try:
            for side, schema in zip(("base", "current"), schemas, strict=True):
                connection.execute(f"CREATE SCHEMA {schema}".encode())
                connection.execute(wide_sql(side, rows, schema).encode())
                connection.execute(f"VACUUM (ANALYZE) {schema}.wide".encode())
            yield
        finally:
            for schema in schemas:
                connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE".encode())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    print(write_wide(options.file, options.rows))
