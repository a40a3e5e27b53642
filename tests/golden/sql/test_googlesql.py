"""GoogleSQL's analyzer judges every statement for BigQuery: the store's, the package's, scans and data diffs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pytest
import sqlglot
from sqlglot import exp

from recce_meta.store import files
from tests.emulators import REQUIRED
from tests.emulators.bigquery import emulator
from tests.emulators.bigquery.judge import Judge, Table
from tests.emulators.bigquery.translate import Refused

PARAMETER = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")
VIEW = re.compile(r"^CREATE OR REPLACE VIEW \w+\.(?P<name>\w+) AS\n", re.M)
Columns = tuple[tuple[str, str], ...]

CATALOG: Mapping[str, Columns] = {
    "TABLES": (("table_name", "STRING"), ("table_schema", "STRING"), ("table_type", "STRING")),
    "SCHEMATA": (("schema_name", "STRING"), ("location", "STRING")),
    "COLUMNS": (("table_name", "STRING"), ("column_name", "STRING")),
}
"""What the store asks of INFORMATION_SCHEMA; scans ask the emulator, whose catalog has more."""


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    if (problem := emulator.problem()) is not None:
        hint = f"{problem}; python -m tests.emulators.install bigquery"
        pytest.fail(hint) if REQUIRED else pytest.skip(hint)
    found = Judge()
    yield found
    found.close()


@pytest.fixture(scope="module")
def store(judge: Judge) -> Mapping[str, Columns]:
    """The columns of every table and view of a store, each accepted by GoogleSQL."""
    tables = dict(CATALOG)
    for file in (*files.ddl("bigquery"), *files.views("bigquery")):
        for statement in file.statements():
            accept(judge, statement, tables)
            name, columns = created(judge, statement, tables)
            tables[name] = columns
    return tables


def created(judge: Judge, statement: str, tables: Mapping[str, Columns]) -> tuple[str, Columns]:
    """The name and columns of the table or view that *statement* creates."""
    if (view := VIEW.search(statement)) is not None:
        query = statement[view.end() :]
        return view["name"], tuple(judge.columns(query, read_by(judge, query, tables)))
    tree = sqlglot.parse_one(statement, read="bigquery")
    table = tree.find(exp.Table)
    assert table is not None
    columns = ((one.name, one.args["kind"].sql("bigquery")) for one in tree.find_all(exp.ColumnDef))
    return table.name, tuple(columns)


def read_by(judge: Judge, sql: str, tables: Mapping[str, Columns]) -> list[Table]:
    return [(name, tables[name[-1]]) for name in judge.names(sql)]


def accept(judge: Judge, sql: str, tables: Mapping[str, Columns]) -> None:
    """Fail if GoogleSQL refuses *sql* on *tables*."""
    text = PARAMETER.sub(r"@\1", sql).replace("\\:", ":")
    try:
        judge.check(text, read_by(judge, text, tables))
    except Refused as refused:
        pytest.fail(f"{refused.message}\n{text}")


def test_a_store_is_created(store: Mapping[str, Columns]) -> None:
    assert {"runs", "run_history"} <= store.keys()


@pytest.mark.parametrize("file", files.cookbook("bigquery"), ids=lambda file: file.name)
def test_a_query_of_the_cookbook_is_accepted(
    judge: Judge, store: Mapping[str, Columns], file: files.SqlFile
) -> None:
    for statement in file.statements():
        accept(judge, statement, store)


@pytest.mark.parametrize(
    "path", sorted((files.sql_root() / "dialects/bigquery/queries").glob("*.sql")), ids=lambda path: path.stem
)
def test_a_query_of_the_store_is_accepted(judge, store, path) -> None:
    for statement in files.query(path.stem, "bigquery").statements():
        accept(judge, statement, store)


@pytest.mark.parametrize(
    "file", [file for _, file in files.migrations("bigquery")], ids=lambda file: file.name
)
def test_a_migration_is_accepted(judge, store, file) -> None:
    for statement in file.statements():
        accept(judge, statement, store)
