"""What queries read, held to the engines: the tables without which a query fails, or of which it reads."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from functools import partial

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recce_meta.extractors.database_views import ViewReader
from tests.proofs import sampled

TABLES = ("t", "u", "w x")
SPELLINGS = {
    "t": ("t", "T", '"t"', "main.t", 'main."T"'),
    "u": ("u", '"U"', "main . u", "MAIN.u"),
    "w x": ('"w x"', '"W x"', 'main."w x"'),
}
NAMES = st.sampled_from(['"w x"', "t", "u", "T", "z", "main"])


def queries(depth: int = 2) -> st.SearchStrategy[str]:
    """Queries with one column `a`, of tables, CTEs and aliases that share their names."""
    return st.builds(
        _query,
        st.lists(st.tuples(NAMES, queries(depth - 1)), max_size=2) if depth else st.just([]),
        st.lists(_items(depth), min_size=1, max_size=3),
        st.sampled_from([",", "JOIN", "(", "CROSS JOIN"]),
        st.none() if not depth else st.one_of(st.none(), queries(depth - 1)),
        st.none() if not depth else st.one_of(st.none(), queries(depth - 1)),
    )


def _items(depth: int) -> st.SearchStrategy[tuple[str, str | None]]:
    named = st.sampled_from([spelling for spellings in SPELLINGS.values() for spelling in spellings])
    below = queries(depth - 1).map("({})".format) if depth else named
    return st.tuples(
        st.one_of(named, named, NAMES.filter(lambda name: name not in ("z", "main")), below), NAMES
    )


def _query(
    ctes: list[tuple[str, str]],
    items: list[tuple[str, str | None]],
    join: str,
    exists: str | None,
    union: str | None,
) -> str:
    defined = {name.lower(): (name, query) for name, query in ctes}
    with_ = ", ".join(f"{name} AS ({query})" for name, query in defined.values())
    sources, columns = [], []
    # Every CTE is read: DuckDB does not look at the others.
    for number, (item, alias) in enumerate([*items, *((name, None) for name, _ in defined.values())]):
        name = f'{alias[:-1]}{number}"' if alias and alias[0] == '"' else f"{alias or 'x'}{number}"
        sources.append(f"{item} AS {name}" if number % 2 else f"{item} {name}")
        columns.append(f"{name}.a")
    text = sources[0]
    for source in sources[1:]:
        text = {
            ",": f"{text}, {source}",
            "JOIN": f"{text} JOIN {source} ON TRUE",
            "(": f"({text} LEFT JOIN {source} ON (1 = 1))",
            "CROSS JOIN": f"{text} CROSS JOIN {source}",
        }[join]
    where = f" WHERE EXISTS (SELECT t.a FROM ({exists}) AS t)" if exists else ""
    select = f"SELECT {' + '.join(columns)} AS a FROM {text}{where}"
    if union:
        select += f" UNION ALL SELECT a FROM ({union}) AS u"
    return f"WITH {with_} {select}" if with_ else select


@pytest.fixture(scope="module")
def lite() -> Iterator[sqlite3.Connection]:
    """SQLite with the tables."""
    connection = sqlite3.connect(":memory:")
    for name in TABLES:
        connection.execute(f'CREATE TABLE "{name}" (a INTEGER)')
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB with the tables."""
    connection = duckdb.connect()
    for name in TABLES:
        connection.execute(f'CREATE TABLE "{name}" (a INTEGER)')
    yield connection
    connection.close()


def read_in_sqlite(connection: sqlite3.Connection, sql: str) -> set[str] | None:
    """The tables of which SQLite reads a column; None where it refuses the query."""
    found: set[str] = set()

    def note(action: int, table: str | None, column: str | None, database: str | None, _: object) -> int:
        if action == sqlite3.SQLITE_READ and column and database == "main":
            found.add(str(table))
        return sqlite3.SQLITE_OK

    connection.set_authorizer(note)
    try:
        connection.execute(f"EXPLAIN {sql}")
    except sqlite3.Error:
        return None
    finally:
        connection.set_authorizer(lambda *_: sqlite3.SQLITE_OK)
    return found


def read_in_duckdb(connection: duckdb.DuckDBPyConnection, sql: str) -> set[str] | None:
    """The tables without which DuckDB refuses the query; None where it does so anyway."""

    def fits() -> bool:
        try:
            connection.execute(f"PREPARE p AS {sql}")
        except duckdb.Error:
            return False
        return True

    if not fits():
        return None
    found = set()
    for name in TABLES:
        connection.execute("BEGIN")
        connection.execute(f'DROP TABLE "{name}"')
        if not fits():
            found.add(name)
        connection.execute("ROLLBACK")
    return found


@pytest.mark.parametrize("engine", ["sqlite", "duckdb"])
@settings(max_examples=sampled(25, 10), deadline=None, suppress_health_check=[*HealthCheck])
@given(data=st.data())
def test_a_query_reads_the_tables_that_the_engine_reads(
    engine: str, data: st.DataObject, lite: sqlite3.Connection, duck: duckdb.DuckDBPyConnection
) -> None:
    sql = data.draw(queries())
    reads = partial(read_in_sqlite, lite) if engine == "sqlite" else partial(read_in_duckdb, duck)
    expected = reads(sql)
    if expected is None:
        return  # a CTE that would have to read itself, say

    database = "memory" if engine == "duckdb" else None
    names = {
        ("main", name): ".".join(f'"{part}"' for part in (database, "main", name) if part) for name in TABLES
    }
    found = ViewReader(names, engine, "main", database=database).read(("main", "v"), sql)

    assert {name for _, name in found.parents} == expected
    assert reads(found.code) == expected
