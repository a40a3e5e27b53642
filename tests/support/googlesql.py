"""Checks of BigQuery statements by GoogleSQL's analyzer, with the tables of a store."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

import pytest
import sqlglot
from sqlglot import exp

from recce_meta.store import sql_files
from tests.emulators.bigquery import emulator
from tests.emulators.bigquery.judge import Judge, Table
from tests.emulators.bigquery.translate import Refused
from tests.support.needs import missing

Columns = tuple[tuple[str, str], ...]

CATALOG: Mapping[str, Columns] = {
    "TABLES": (("table_name", "STRING"), ("table_schema", "STRING"), ("table_type", "STRING")),
    "SCHEMATA": (("schema_name", "STRING"), ("location", "STRING")),
    "COLUMNS": (("table_schema", "STRING"), ("table_name", "STRING"), ("column_name", "STRING")),
}
"""Columns of INFORMATION_SCHEMA that a store queries; scans use the emulator, whose catalog has more."""
_VIEW = re.compile(r"^CREATE OR REPLACE VIEW \w+\.(?P<name>\w+) AS\n", re.M)
TEXTS = frozenset(["migrated_by"])
"""Parameters that are selected directly: GoogleSQL assumes INT64 for an unknown type."""
_PARAMETER = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")


def require_googlesql() -> None:
    """Skip the test if GoogleSQL is not installed, or fail it if the emulators are required."""
    problem = emulator.problem()
    if problem is not None:
        missing("emulator", f"{problem}; python -m tests.emulators.install bigquery")


@contextmanager
def judging() -> Iterator[Judge]:
    """Yield the judge while the block lasts; skip the test if GoogleSQL is not installed."""
    require_googlesql()
    with closing(Judge()) as judge:
        yield judge


def store_tables(judge: Judge) -> Mapping[str, Columns]:
    """Return the columns of every table and view of a store, each accepted by *judge*."""
    tables = dict(CATALOG)
    plain = (*sql_files.ddl("bigquery"), *sql_files.views("bigquery", has_comments=False))
    sent = (*sql_files.ddl("bigquery"), *sql_files.views("bigquery"))
    for file, without_comments in zip(sent, plain, strict=True):
        for statement, readable in zip(file.statements(), without_comments.statements(), strict=True):
            accept(judge, statement, tables)
            name, columns = _created(judge, readable, tables)
            tables[name] = columns
    return tables


def accept(judge: Judge, sql: str, tables: Mapping[str, Columns]) -> None:
    """Fail if GoogleSQL rejects *sql* on *tables*, which are keyed by the last parts of their names."""
    text = _PARAMETER.sub(_sent, sql).replace("\\:", ":")
    try:
        judge.check(text, _read_by(judge, text, tables))
    except Refused as refused:
        pytest.fail(f"{refused.message}\n{text}")


def _sent(parameter: re.Match[str]) -> str:
    name = parameter[1]
    return f"CAST(@{name} AS STRING)" if name in TEXTS else f"@{name}"


def _created(judge: Judge, statement: str, tables: Mapping[str, Columns]) -> tuple[str, Columns]:
    """Return the name and columns of the table or view that *statement* creates."""
    view = _VIEW.search(statement)
    if view is not None:
        query = statement[view.end() :]
        return view["name"], tuple(judge.columns(query, _read_by(judge, query, tables)))
    tree = sqlglot.parse_one(statement, read="bigquery")
    table = tree.find(exp.Table)
    assert table is not None
    columns = ((one.name, one.args["kind"].sql("bigquery")) for one in tree.find_all(exp.ColumnDef))
    return table.name, tuple(columns)


def _read_by(judge: Judge, sql: str, tables: Mapping[str, Columns]) -> list[Table]:
    return [(name, tables[name[-1]]) for name in judge.names(sql)]
