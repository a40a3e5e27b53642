"""Runs as CSV and Parquet: one file for each relation that the store shows to users of SQL, as it shows it.

The runs are written into a store in memory, so that the files have the columns, and the values, of the views
and tables that docs/sql.md describes. DuckDB writes the files.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import WarehouseError
from recce_meta.models.export import Export
from recce_meta.store.exports import write_export
from recce_meta.store.files import DEFAULT_SCHEMA

FACTS = "relation_facts"
"""The one relation that is not written as it stands: scans share its rows, which are written once per run."""
RELATIONS: Mapping[str, tuple[str, ...]] = {
    "runs": ("run_id",),
    "nodes": ("run_id", "unique_id"),
    "node_columns": ("run_id", "unique_id", "ordinal"),
    "lineage": ("run_id", "node_id", "parent_id"),
    "foreign_keys": ("run_id", "node_id", "ordinal"),
    "node_constraints": ("run_id", "unique_id", "ordinal"),
    "node_indexes": ("run_id", "unique_id", "ordinal"),
    FACTS: ("run_id", "unique_id"),
    "column_lineage": ("run_id", "node_id", "column_name", "parent_id", "parent_column"),
    "column_usage": ("run_id", "node_id", "parent_id", "parent_column", "usage"),
    "column_analysis": ("run_id", "node_id"),
    "run_results": ("run_id", "unique_id"),
    "node_statistics": ("run_id", "unique_id"),
    "column_statistics": ("run_id", "unique_id", "ordinal"),
    "quality_runs": ("quality_run_id",),
    "table_quality": ("quality_run_id", "unique_id"),
    "column_quality": ("quality_run_id", "unique_id", "ordinal"),
    "column_top_values": ("quality_run_id", "unique_id", "ordinal", "place"),
    "quality_metrics": ("quality_run_id", "unique_id", "ordinal", "place"),
    "data_diffs": ("diff_id",),
    "column_diffs": ("diff_id", "ordinal"),
    "check_results": ("check_result_id",),
}
"""What is written, and in which order of rows."""
OPTIONS = {
    "csv": "FORMAT csv, HEADER true, NULLSTR '', TIMESTAMPFORMAT '%Y-%m-%dT%H:%M:%S.%fZ'",
    "parquet": "FORMAT parquet, COMPRESSION zstd",
}
"""In CSV, NULL is nothing, and an empty text two quotes."""


def file_names(style: str) -> tuple[str, ...]:
    """The names of the files of a folder."""
    return tuple(f"{relation}.{style}" for relation in RELATIONS)


def write_tables(exports: Iterable[Export], folder: Path, style: str) -> list[Path]:
    """Write *exports* as *style*, csv or parquet, into *folder*, which is made; gives the files."""
    folder.mkdir()
    written: list[Path] = []
    with UnifiedSqlAdapter.from_url("duckdb:///:memory:") as memory:
        for export in exports:
            write_export(memory, export)
        memory.execute("SET TimeZone = 'UTC'")
        for relation, order in RELATIONS.items():
            path = folder / f"{relation}.{style}"
            with _naming_full_disks(path):
                memory.execute(_copy(relation, order, path, OPTIONS[style]))
            written.append(path)
    return written


@contextmanager
def _naming_full_disks(path: Path) -> Iterator[None]:
    """What the system says of writing *path*, as it says it: DuckDB wraps that into texts of its own."""
    try:
        yield
    except WarehouseError as error:
        for code in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EIO):
            if os.strerror(code) in error.message:
                raise OSError(code, os.strerror(code), str(path)) from error
        raise


def _copy(relation: str, order: Iterable[str], path: Path, options: str) -> str:
    """The statement that writes the rows of *relation* to *path*."""
    from sqlglot import exp

    table = exp.table_(relation, DEFAULT_SCHEMA)
    if relation == FACTS:
        columns = ("run_id", "unique_id", "row_estimate", "bytes", "created_at", "altered_at")
        parts = exp.select(*columns).from_(exp.table_("fact_parts", DEFAULT_SCHEMA))
        rows = parts.join(table, using="part_id")
    else:
        rows = exp.select("*").from_(table)
    place = exp.Literal.string(str(path)).sql("duckdb")
    return f"COPY ({rows.order_by(*order).sql('duckdb')}) TO {place} ({options})"
