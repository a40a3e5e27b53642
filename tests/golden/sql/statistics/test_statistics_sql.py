"""Statements of row counts, profiles, most frequent values, histograms and quality, as text of every dialect.

The files next to this one hold what each case asks, in order, or its hash. Those of DuckDB, PostgreSQL and
SQLite are executed as they are, apart from the names of the schemas.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.data_diff.histogram import histogram_diff
from recce_meta.data_diff.plan import Answer, Plan, Queries, Query, run_plan
from recce_meta.data_diff.profile import profile_diff
from recce_meta.data_diff.row_count import Countable, row_counts
from recce_meta.data_diff.source import Pair, SideRelation, table
from recce_meta.data_diff.top_k import top_k_diff
from recce_meta.models.data_diff import DataSide, Subject
from recce_meta.models.quality import Sample
from recce_meta.quality.measure import QualitySettings, QualityTarget, table_quality
from recce_meta.quality.metrics import MetricQuery
from recce_meta.quality.privacy import Privacy
from recce_meta.warehouses.dialect import Dialect, dialect_named, dialect_names
from tests.golden.sql.sections import EXECUTED

HERE = Path(__file__).parent
SCHEMAS = {DataSide.BASE: "prod", DataSide.CURRENT: "pr_42"}

COLUMNS = {
    "id": ("bigint", {"bigquery": "INT64", "snowflake": "NUMBER(38,0)"}),
    "amount": ("decimal(12,2)", {"bigquery": "NUMERIC", "snowflake": "NUMBER(12,2)"}),
    "ratio": ("double precision", {"duckdb": "DOUBLE", "bigquery": "FLOAT64", "databricks": "double"}),
    "score": ("real", {"duckdb": "FLOAT", "bigquery": "FLOAT64", "databricks": "float"}),
    "note": ("varchar(40)", {"bigquery": "STRING", "databricks": "string"}),
    "is_open": ("boolean", {"bigquery": "BOOL", "mysql": "TINYINT(1)"}),
    "ordered_on": ("date", {}),
    "ordered_at": ("timestamp", {"bigquery": "DATETIME", "databricks": "timestamp_ntz"}),
    "shipped_at": ("timestamptz", {"bigquery": "TIMESTAMP", "databricks": "timestamp"}),
    "tags": (
        "varchar[]",
        {
            "bigquery": "ARRAY<STRING>",
            "databricks": "array<string>",
            "snowflake": "ARRAY",
            "redshift": "SUPER",
        },
    ),
    "payload": ("json", {"snowflake": "VARIANT", "redshift": "SUPER", "databricks": "variant"}),
    "raw": ("bytea", {"duckdb": "BLOB", "bigquery": "BYTES", "databricks": "binary", "snowflake": "BINARY"}),
    "order": ("integer", {"bigquery": "INT64"}),
    'a"b': ("integer", {"bigquery": "INT64"}),
}
"""Types as PostgreSQL has them, and what they are called elsewhere."""

Asked = Callable[[Pair], Plan[Any]]


def quality(settings: QualitySettings, *, is_view: bool = False, keys: tuple[str, ...] = ()) -> Asked:
    """The quality of the current side, with two metrics; `note` is private."""

    def plan(pair: Pair) -> Plan[Any]:
        assert pair.current is not None
        wanted = QualityTarget(
            source=pair.current,
            unique_id="model.shop.orders",
            name="orders",
            is_view=is_view,
            keys=(keys,) if keys else (),
            metrics=(
                MetricQuery(name="open", sql="AVG(CASE WHEN is_open THEN 1.0 ELSE 0 END) -- a share"),
                MetricQuery(name="largest", sql="MAX(amount)", column="amount"),
            ),
            private={"note": True},
        )
        return table_quality(wanted, settings, measured_at=datetime(2026, 1, 1, tzinfo=timezone.utc))

    return plan


CASES: dict[str, tuple[str, Asked]] = {
    "row_count_diff/two_models": (
        "both",
        lambda pair: row_counts([pair, Countable(pair=pair, where="id > 10 -- recent ones")]),
    ),
    "profile_diff/every_type": ("both", profile_diff),
    "profile_diff/approximate": (
        "both",
        lambda pair: profile_diff(pair, ["amount", "note"], where="id > 10", approximate=True),
    ),
    "profile_diff/new_model": ("current", lambda pair: profile_diff(pair, ["id", "ordered_on"])),
    "top_k_diff/several_columns": (
        "both",
        lambda pair: top_k_diff(pair, ["note", "amount", "is_open", "shipped_at", "tags", "order"], k=5),
    ),
    "top_k_diff/new_model": ("current", lambda pair: top_k_diff(pair, ["note"], where="id > 10")),
    "top_k_diff/two_targets": (
        "apart",
        lambda pair: top_k_diff(pair, ["note", "ratio", "ordered_on", "raw"], k=3),
    ),
    "histogram_diff/several_columns": (
        "both",
        lambda pair: histogram_diff(pair, ["id", "amount", "ratio", "ordered_on", "shipped_at", 'a"b'], 5),
    ),
    "histogram_diff/new_model": (
        "current",
        lambda pair: histogram_diff(pair, ["amount"], 4, where="id > 10"),
    ),
    "histogram_diff/two_targets": ("apart", lambda pair: histogram_diff(pair, ["order"], 4)),
    "quality/every_type": ("current", quality(QualitySettings(top=3))),
    "quality/no_values": ("current", quality(QualitySettings(privacy=Privacy(keeps_values=False)))),
    "quality/sampled_table": ("current", quality(QualitySettings(sample=Sample(percent=2.5, seed=7), top=0))),
    "quality/sampled_rows": (
        "current",
        quality(QualitySettings(sample=Sample(rows=1000), top=0), keys=("id",)),
    ),
    "quality/sampled_view": (
        "current",
        quality(QualitySettings(sample=Sample(percent=0.01, seed=7), top=0), is_view=True),
    ),
}


def type_of(column: str, dialect: str) -> str:
    """What *dialect* calls the type of *column*."""
    of, others = COLUMNS[column]
    return others.get(dialect, of)


def pair_of(dialect: Dialect, sides: str) -> Pair:
    """`orders` in production and in a pull request."""
    wanted = (DataSide.CURRENT,) if sides == "current" else tuple(DataSide)
    sources = {side: source_of(dialect, side) for side in wanted}
    return Pair(
        subject=Subject(name="orders"),
        base=sources.get(DataSide.BASE),
        current=sources.get(DataSide.CURRENT),
        is_joined=sides != "apart",
    )


def source_of(dialect: Dialect, side: DataSide) -> SideRelation:
    quote = "`" if dialect.name in ("bigquery", "databricks") else '"'
    relation = f"{quote}{SCHEMAS[side]}{quote}.{quote}orders{quote}"
    return SideRelation(relation=table(dialect, relation), dialect=dialect, side=side, name="orders")


def asked_by(plan: Plan[Any], dialect: Dialect) -> list[Query]:
    """Every statement of *plan*, going on with what each assumes."""
    asked: list[Query] = []

    def ask(queries: Queries) -> list[Answer]:
        asked.extend(query for query in queries if not query.describes)
        return [
            [(column, type_of(column, dialect.name)) for column in COLUMNS]
            if query.describes
            else query.assumed or ()
            for query in queries
        ]

    run_plan(plan, ask)
    return asked


def script(queries: list[Query]) -> str:
    """*queries* as one text."""
    return "\n".join(f"-- {query.side.value}: {query.about}\n{query.sql};\n" for query in queries)


@cache
def texts(dialect_name: str) -> dict[str, str]:
    """The statements of each case."""
    dialect = dialect_named(dialect_name)
    return {
        case: script(asked_by(plan(pair_of(dialect, sides)), dialect))
        for case, (sides, plan) in CASES.items()
    }


@pytest.mark.parametrize("dialect", dialect_names())
def test_every_dialect_has_its_statements(
    dialect: str, check_statements: Callable[[Path, str, Mapping[str, str]], None]
) -> None:
    check_statements(HERE, dialect, texts(dialect))


@pytest.fixture(params=EXECUTED)
def warehouse(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[UnifiedSqlAdapter, Mapping[str, str]]]:
    """A warehouse with both tables, and what they are called there: SQLite has no schemas."""
    urls = {"duckdb": "duckdb:///:memory:", "sqlite": f"sqlite:///{tmp_path / 'golden.db'}"}
    url = urls.get(request.param) or request.getfixturevalue("postgres_url")
    name = f"orders {uuid4().hex[:12]}"
    with UnifiedSqlAdapter.from_url(url) as adapter:
        columns = ", ".join(
            f"{adapter.quote_identifier(column)} {type_of(column, request.param)}" for column in COLUMNS
        )
        places = {
            schema: ("main", f"{schema} {name}")
            if request.param == "sqlite"
            else (f"{schema} {name}", "orders")
            for schema in SCHEMAS.values()
        }
        for schema, table_name in places.values():
            if schema != "main":
                adapter.execute(f"CREATE SCHEMA {adapter.quote_identifier(schema)}")
            adapter.execute(f"CREATE TABLE {adapter.quote_table(schema, table_name)} ({columns})")
        yield adapter, {schema: adapter.quote_table(*place) for schema, place in places.items()}
        for schema, _ in places.values():
            if schema != "main":
                adapter.execute(f"DROP SCHEMA {adapter.quote_identifier(schema)} CASCADE")


@pytest.mark.parametrize("case", CASES)
def test_the_statements_are_executed(
    case: str, warehouse: tuple[UnifiedSqlAdapter, Mapping[str, str]]
) -> None:
    adapter, tables = warehouse
    text = texts(adapter.warehouse.dialect)[case]

    for schema, table_name in tables.items():
        text = text.replace(f'"{schema}"."orders"', table_name)
    for statement in text.split(";\n"):
        if statement.strip():
            adapter.execute(statement)
