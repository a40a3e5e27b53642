"""Rows of results as Arrow and Polars: the types and values that DuckDB's own Arrow export gives."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pyarrow as pa
import pytest

from recce_meta import RecceMetaError, UnifiedSqlAdapter, ValueOptions, value_diff, value_diff_detail

COLUMNS = {
    "small": ("INTEGER", "7", pa.int64()),
    "big": ("BIGINT", "9223372036854775807", pa.int64()),
    "huge": ("HUGEINT", "9223372036854775808", pa.decimal128(38, 0)),
    "price": ("DECIMAL(10, 2)", "12.50", pa.decimal128(38, 2)),
    "widest": ("DECIMAL(38, 10)", "1234567890123456789012345678.0123456789", pa.decimal128(38, 10)),
    "ratio": ("DOUBLE", "0.1", pa.float64()),
    "label": ("VARCHAR", "'a <b> & ''c'''", pa.string()),
    "is_paid": ("BOOLEAN", "true", pa.bool_()),
    "day": ("DATE", "'2026-02-28'", pa.date32()),
    "at": ("TIMESTAMP", "'2026-02-28 12:34:56.789012'", pa.timestamp("us")),
    "moment": ("TIMESTAMPTZ", "'2026-02-28 12:34:56.789012+02'", pa.timestamp("us", "UTC")),
    "clock": ("TIME", "'12:34:56.789012'", pa.time64("us")),
    "raw": ("BLOB", "'\\x00\\xFF'::BLOB", pa.binary()),
    "tag": ("UUID", "'6f9619ff-8b86-d011-b42d-00cf4fc964ff'", pa.string()),
}
"""Type, a value and Arrow type of each column."""
NESTED = {
    "items": ("INTEGER[]", "[1, NULL, 3]"),
    "parts": ("STRUCT(a INTEGER, b VARCHAR[])", "{'a': 1, 'b': ['x', NULL]}"),
}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table `filled` with a value and a NULL in every column, and an empty table of the same columns."""
    path = tmp_path_factory.mktemp("frames") / "data.duckdb"
    types = {name: kind for name, (kind, *_) in {**COLUMNS, **NESTED}.items()}
    columns = ", ".join(f'"{name}" {kind}' for name, kind in types.items())
    values = ", ".join(value for _, value, *_ in [*COLUMNS.values(), *NESTED.values()])
    with duckdb.connect(str(path)) as connection:
        for table in ("empty", "filled"):
            connection.execute(f"CREATE TABLE {table} (id INTEGER, {columns})")
        connection.execute(f'INSERT INTO "filled" VALUES (1, {values})')
        connection.execute("INSERT INTO filled (id) VALUES (2)")
    return path


@pytest.fixture(scope="module")
def theirs(database: Path) -> pa.Table:
    """The rows as DuckDB exports them."""
    with duckdb.connect(str(database)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return connection.sql("SELECT * FROM filled ORDER BY id").to_arrow_table()


@pytest.fixture(scope="module")
def ours(database: Path) -> pa.Table:
    """The rows as a value diff gives them."""
    with UnifiedSqlAdapter.from_url(f"duckdb:///{database}") as adapter:
        return value_diff_detail(adapter, "empty", "filled", key="id").to_arrow()


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_has_duckdb_s_values_and_its_type(name: str, ours: pa.Table, theirs: pa.Table) -> None:
    column, expected = ours[f"{name}_current"], theirs[name]

    assert column.type == COLUMNS[name][2]
    if name != "huge":  # DuckDB exports it as a double
        assert column.cast(expected.type).equals(expected)
    assert ours[f"{name}_base"].null_count == 2


def test_a_huge_integer_is_exact(ours: pa.Table) -> None:
    assert ours["huge_current"].to_pylist() == [Decimal(2**63), None]


@pytest.mark.parametrize("name", NESTED)
def test_a_nested_value_is_json(name: str, ours: pa.Table, theirs: pa.Table) -> None:
    column = ours[f"{name}_current"]

    assert column.type == pa.string()
    assert [value and json.loads(value) for value in column.to_pylist()] == theirs[name].to_pylist()


def test_polars_has_the_same_types(database: Path) -> None:
    with UnifiedSqlAdapter.from_url(f"duckdb:///{database}") as adapter:
        frame = value_diff_detail(adapter, "empty", "filled", key="id").to_polars()

    assert frame.schema["price_current"] == pl.Decimal(38, 2)
    assert frame.schema["moment_current"] == pl.Datetime("us", "UTC")
    assert frame.schema["row_status"] == pl.String
    assert frame["price_current"].to_list() == [Decimal("12.50"), None]


def test_an_empty_result_has_the_columns_of_a_full_one(database: Path) -> None:
    with UnifiedSqlAdapter.from_url(f"duckdb:///{database}") as adapter:
        nothing = value_diff_detail(adapter, "filled", "filled", key="id")
        whole = value_diff_detail(adapter, "empty", "filled", key="id")
        columns = value_diff(adapter, "filled", "filled", key="id").to_polars()

    assert nothing.to_dicts() == [] and nothing.to_arrow().num_rows == 0
    assert nothing.to_arrow().column_names == whole.to_arrow().column_names
    assert set(columns["status"]) == {"key", "equal"}


def test_rows_without_a_key_keep_their_counts(database: Path) -> None:
    with UnifiedSqlAdapter.from_url(f"duckdb:///{database}") as adapter:
        rows = value_diff(
            adapter, "empty", "filled", options=ValueOptions(columns=("id", "price"))
        ).to_dicts()

    assert sorted(rows, key=lambda row: row["id"]) == [
        {"row_status": "added", "base_count": 0, "current_count": 1, "id": 1, "price": Decimal("12.50")},
        {"row_status": "added", "base_count": 0, "current_count": 1, "id": 2, "price": None},
    ]


@pytest.mark.parametrize("package", ["pyarrow", "polars"])
def test_without_the_extra_the_error_names_it(
    package: str, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with UnifiedSqlAdapter.from_url(f"duckdb:///{database}") as adapter:
        found = value_diff_detail(adapter, "empty", "filled", key="id")
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(RecceMetaError, match=f"{package}, which is not installed") as raised:
        found.to_polars()

    assert raised.value.hint == "pip install '.[data]' in the checkout of recce_meta"
    assert len(found.to_dicts()) == 2
