"""The files next to this one are the statements that each dialect asks for every case, or hashes of them.

Those of DuckDB, PostgreSQL and SQLite are executed, on tables of the columns that were described.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.data_diff.detail import value_diff_detail
from recce_meta.data_diff.options import ValueOptions
from recce_meta.data_diff.plan import Plan, Queries, run_plan
from recce_meta.data_diff.rows import rows_diff
from recce_meta.data_diff.source import Pair, SideRelation, query, table
from recce_meta.data_diff.value import value_diff
from recce_meta.models.data_diff import DataSide, Subject
from recce_meta.warehouses.dialect import dialect_named, dialect_names
from tests.golden.sql.sections import EXECUTED

HERE = Path(__file__).parent
NAMES = (
    "id",
    "line",
    "order",
    'a "quoted" one',
    "amount",
    "rate",
    "day",
    "at",
    "is_it",
    "doc",
    "list",
    "raw",
)
TYPES = {
    "bigquery": "INT64 INT64 STRING STRING NUMERIC FLOAT64 DATE TIMESTAMP BOOL JSON ARRAY<INT64> BYTES",
    "databricks": "BIGINT INT STRING STRING DECIMAL(12,2) DOUBLE DATE TIMESTAMP BOOLEAN VARIANT "
    "ARRAY<INT> BINARY",
    "duckdb": "BIGINT INTEGER VARCHAR VARCHAR DECIMAL(12,2) DOUBLE DATE TIMESTAMPTZ BOOLEAN JSON "
    "INTEGER[] BLOB",
    "mysql": "BIGINT INT TEXT VARCHAR(9) DECIMAL(12,2) DOUBLE DATE TIMESTAMP TINYINT(1) JSON JSON BLOB",
    "postgres": "bigint integer text varchar(9) numeric(12,2) float8 date timestamptz boolean json "
    "int4[] bytea",
    "redshift": "bigint integer text varchar(9) numeric(12,2) float8 date timestamptz boolean super "
    "super varbyte",
    "snowflake": "NUMBER(38,0) NUMBER(38,0) TEXT TEXT NUMBER(12,2) FLOAT DATE TIMESTAMP_TZ BOOLEAN VARIANT "
    "ARRAY BINARY",
    "sqlite": "BIGINT INTEGER TEXT VARCHAR(9) DECIMAL(12,2) DOUBLE DATE TIMESTAMP BOOLEAN JSON JSON BLOB",
}


@dataclass(frozen=True)
class Case:
    """A diff, and what its tables are found to be like."""

    plan: Callable[[Pair], Plan[Any]]
    key_facts: tuple[int, int, int] = (1, 1, 1)
    is_joined: bool = True
    base: Callable[[Any], Any] = lambda dialect: table(dialect, "orders_base")
    retyped: tuple[str, ...] = ()
    """Columns that are texts in base."""


CASES = {
    "simple": Case(lambda pair: value_diff(pair, ValueOptions(key=("id",)))),
    "options": Case(
        lambda pair: value_diff(
            pair,
            ValueOptions(
                key=("id", "order"),
                exclude_columns=("doc", "list", "raw"),
                where="amount > 0 -- of the user",
                sample=10,
                tolerance=0.01,
                relative_tolerance=1e-6,
                timestamp_precision="second",
                ignore_case=True,
                ignore_trailing_blanks=True,
                examples=3,
            ),
        )
    ),
    "unclean_key": Case(
        lambda pair: value_diff(pair, ValueOptions(key=("id", "line"), columns=("rate",))),
        key_facts=(9, 8, 7),
    ),
    "retyped": Case(
        lambda pair: value_diff(pair, ValueOptions(key=("id",), columns=("line", "day", "amount"))),
        retyped=("id", "line", "day"),
    ),
    "detail": Case(lambda pair: value_diff_detail(pair, ValueOptions(key=("id",), limit=5))),
    "rows": Case(lambda pair: rows_diff(pair, ValueOptions(limit=5, where="amount > 0", sample=0.5))),
    "query_rows": Case(
        lambda pair: rows_diff(pair, ValueOptions(limit=5)),
        base=lambda dialect: query("SELECT * FROM orders_base -- of the user"),
    ),
    "rows_apart": Case(lambda pair: rows_diff(pair, ValueOptions(limit=5)), is_joined=False),
    "values_apart": Case(
        lambda pair: value_diff(
            pair, ValueOptions(key=("id", "order"), where="amount > 0", sample=0.5, ignore_case=True)
        ),
        is_joined=False,
        key_facts=(20_001, 20_001, 20_000),
    ),
}


def columns_of(dialect: str, case: Case, side: DataSide) -> list[tuple[str, str]]:
    kinds = TYPES[dialect].split()
    text = kinds[NAMES.index("order")]
    is_base = side is DataSide.BASE
    return [
        (name, text if is_base and name in case.retyped else kind)
        for name, kind in zip(NAMES, kinds, strict=True)
    ]


def statements(dialect_name: str, case: Case) -> list[tuple[str, str]]:
    """What the diff asks, and for what: as a printing driver goes on."""
    dialect = dialect_named(dialect_name)
    pair = Pair(
        subject=Subject(name="orders"),
        base=SideRelation(
            relation=case.base(dialect), dialect=dialect, side=DataSide.BASE, name="orders_base"
        ),
        current=SideRelation(
            relation=table(dialect, "orders_current"),
            dialect=dialect,
            side=DataSide.CURRENT,
            name="orders_current",
        ),
        is_joined=case.is_joined,
    )
    found: list[tuple[str, str]] = []

    class ScratchIsAskedError(Exception):
        """From here on, no warehouse is asked."""

    def ask(queries: Queries) -> list[Any]:
        answers: list[Any] = []
        for each in queries:
            if each.is_local:
                raise ScratchIsAskedError
            if each.describes:
                answers.append(columns_of(dialect_name, case, each.side))
                continue
            found.append((each.about, each.sql))
            answers.append([case.key_facts] if each.about.startswith("key of") else each.assumed)
        return answers

    with suppress(ScratchIsAskedError):
        run_plan(case.plan(pair), ask)
    return found


@cache
def texts(dialect: str) -> dict[str, str]:
    """The statements of each case."""
    return {
        name: "\n\n".join(f"-- {about}\n{sql};" for about, sql in statements(dialect, case))
        for name, case in CASES.items()
    }


@pytest.mark.parametrize("dialect", dialect_names())
def test_statements_are_those_that_were_reviewed(
    dialect: str, check_statements: Callable[[Path, str, Mapping[str, str]], None]
) -> None:
    check_statements(HERE, dialect, texts(dialect))


@pytest.mark.parametrize("dialect", dialect_names())
def test_a_table_with_more_columns_asks_no_more_statements(dialect: str) -> None:
    few, many = (
        len(
            statements(
                dialect, Case(lambda pair, c=columns: value_diff(pair, ValueOptions(key=("id",), columns=c)))
            )
        )
        for columns in (("rate",), NAMES[1:])
    )
    assert few == many == 4


@pytest.fixture(params=EXECUTED)
def adapter(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[UnifiedSqlAdapter]:
    urls = {"duckdb": "duckdb:///:memory:", "sqlite": f"sqlite:///{tmp_path / 'golden.db'}"}
    url = urls.get(request.param) or request.getfixturevalue("postgres_url")
    with UnifiedSqlAdapter.from_url(url) as adapter:
        yield adapter


def create(adapter: UnifiedSqlAdapter, name: str, columns: Sequence[tuple[str, str]]) -> None:
    quote = adapter.quote_identifier
    defined = ", ".join(f"{quote(column)} {kind}" for column, kind in columns)
    word = "TEMPORARY " if adapter.warehouse.name == "postgres" else ""
    adapter.execute(f"CREATE {word}TABLE {quote(name)} ({defined})")


@pytest.mark.parametrize("case", CASES)
def test_statements_are_executed(case: str, adapter: UnifiedSqlAdapter) -> None:
    dialect = adapter.warehouse.dialect
    for name, side in (("orders_base", DataSide.BASE), ("orders_current", DataSide.CURRENT)):
        create(adapter, name, columns_of(dialect, CASES[case], side))

    for statement in texts(dialect)[case].split(";\n"):
        if statement.strip():
            adapter.execute(statement)
