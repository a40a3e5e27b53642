"""Names of any characters are one identifier in SQL, of every warehouse and every database."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from sqlglot import TokenType
from sqlglot.dialects.dialect import Dialect

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import UsageError
from recce_meta.redaction import redact
from recce_meta.warehouses import Warehouse, available, url_databases, warehouse_for_scheme, warehouse_named
from tests.proofs import sampled

WAREHOUSES = [
    *(pytest.param(warehouse_named(name), id=name) for name in available()),
    *(pytest.param(warehouse_for_scheme(name), id=name) for name in url_databases()),
]

HOSTILE = (
    *(
        'a"b',
        "a`b",
        "a'b",
        'a""b',
        "a``b",
        "a\\",
        'a\\"b',
        "a\\`b",
        "a]b",
        "[a]",
        "a;b",
        'x"; DROP TABLE t; --',
    ),
    *(
        "x`; DROP TABLE t; --",
        "x' OR 1=1 --",
        "/* a */",
        "a--b",
        "a#b",
        "select",
        "ORDER",
        "%s",
        "100%",
        ":x",
        "?",
    ),
    *("a.b", "proj-ect", "é", "名前", "a b", "$x", "{{ x }}", "🦆", "\u00a0", "\u202e", "ſ", "A", "1"),
)
NAMES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=30)


def read_back(warehouse: Warehouse, sql: str) -> list[tuple[bool, str]]:
    """The tokens of *sql*: whether each is a quoted identifier, and its text."""
    tokens = Dialect.get_or_raise(warehouse.dialect).tokenize(sql)
    return [(token.token_type is TokenType.IDENTIFIER, token.text) for token in tokens]


@pytest.mark.parametrize("warehouse", WAREHOUSES)
@given(name=NAMES | st.sampled_from(HOSTILE))
@example(name='x"; DROP TABLE t; --')
@example(name="x`; DROP TABLE t; --")
@example(name="a\\")
@example(name=":\U00010000@")
@settings(max_examples=sampled(40, 10), deadline=None)
def test_a_quoted_name_is_one_identifier_with_the_same_text(warehouse: Warehouse, name: str) -> None:
    try:
        sql = warehouse.quote_identifier(name)
    except UsageError as error:
        # What looks like the password of a URL is masked, as in every message.
        assert any(redact(text) in error.message for text in (repr(name), name))
        return

    assert read_back(warehouse, sql) == [(True, name)]
    assert read_back(warehouse, f"{sql}, 1")[0] == (True, name)  # nothing after it is swallowed


@pytest.mark.parametrize("warehouse", WAREHOUSES)
@given(parts=st.lists(NAMES | st.sampled_from(HOSTILE), min_size=2, max_size=3))
@settings(max_examples=sampled(20, 6), deadline=None)
def test_a_quoted_table_is_its_parts_and_periods(warehouse: Warehouse, parts: list[str]) -> None:
    schema, table, *database = parts
    try:
        sql = warehouse.quote_table(schema, table, *database)
    except UsageError:
        return

    tokens = read_back(warehouse, sql)
    assert tokens[::2] == [(True, part) for part in [*database, schema, table]]
    assert tokens[1::2] == [(False, ".")] * (len(parts) - 1)


@pytest.mark.parametrize("warehouse", WAREHOUSES)
def test_what_is_no_name_is_refused(warehouse: Warehouse, subtests: pytest.Subtests) -> None:
    for name in ("", "a\0b", "a\nb", "\t", "\x7f"):
        with subtests.test(name=name), pytest.raises(UsageError, match="Invalid identifier"):
            warehouse.quote_identifier(name)


# --- run for real -------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["duckdb", "postgres", "mysql", "sqlite"])
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[UnifiedSqlAdapter]:
    """Each database that is at hand."""
    folder = tmp_path_factory.mktemp("names")
    if request.param == "duckdb":
        url = f"duckdb:///{folder / 'names.duckdb'}"
    elif request.param == "sqlite":
        sqlite3.connect(folder / "names.db").close()
        url = f"sqlite:///{folder / 'names.db'}"
    else:
        url = request.getfixturevalue(f"{request.param}_url")
    with UnifiedSqlAdapter.from_url(url) as adapter:
        yield adapter


def cut(adapter: UnifiedSqlAdapter, name: str) -> str:
    """*name*, no longer than the database keeps."""
    most = adapter.warehouse.max_identifier_length
    return name if most is None else name.encode()[:most].decode(errors="ignore")


def check_table(adapter: UnifiedSqlAdapter, table: str, column: str) -> None:
    """A table of those names is made, filled, read and described under them, and nothing else is touched."""
    quote = adapter.quote_identifier
    try:
        quoted, field = quote(cut(adapter, f"recce {table}")), quote(cut(adapter, column))
    except UsageError:
        return
    adapter.execute(f"CREATE TEMPORARY TABLE {quoted} ({field} INTEGER)")
    try:
        adapter.execute(f"INSERT INTO {quoted} ({field}) VALUES (1)")
        assert adapter.execute(f"SELECT {field} FROM {quoted}") == ([cut(adapter, column)], [(1,)])
        assert [name for name, _ in adapter.describe(f"SELECT * FROM {quoted}")] == [cut(adapter, column)]
    finally:
        adapter.execute(f"DROP TABLE {quoted}")


def test_hostile_names_are_the_names_of_tables(
    database: UnifiedSqlAdapter, subtests: pytest.Subtests
) -> None:
    for name in HOSTILE:
        with subtests.test(name=name):
            check_table(database, name, name)


@given(table=NAMES, column=NAMES)
@settings(
    max_examples=sampled(25, 8), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_names_are_the_names_of_tables(database: UnifiedSqlAdapter, table: str, column: str) -> None:
    # SQLite calls a column of a view `column1` if its name is true or false, quoted or not.
    assume(database.warehouse.name != "sqlite" or column.lower() not in ("true", "false"))
    check_table(database, table, column)
