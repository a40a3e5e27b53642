"""MySQL and SQLite, by URL: what is sent, what comes back, and every data diff as DuckDB answers it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from threading import Timer
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

import recce_meta
from recce_meta import UnifiedSqlAdapter
from recce_meta.cli.main import run_command_line
from recce_meta.errors import (
    AuthenticationFailed,
    ConfigurationError,
    ConnectionFailed,
    DatabaseNotFound,
    MissingDriverError,
    MissingRelation,
    ProfileError,
    QueryCancelled,
    QueryTimeout,
    RecceMetaError,
    StoreError,
    SyntaxFailed,
    TransientFailure,
    UnknownNameError,
    UsageError,
    WarehouseError,
)
from recce_meta.models.data_diff import QueryDiff, RowsDiff, ValueDetail, ValueDiff
from recce_meta.store.grants import init_sql
from recce_meta.store.session import init_store
from recce_meta.warehouses import Fields, warehouse_for_scheme
from tests.spelling import spelling_of

COLUMNS = {
    "id": "integer",
    "name": "text",
    "price": "decimal(12, 2)",
    "amount": "bigint",
    "rate": "double precision",
    "day": "date",
    "at": "timestamp",
}
BASE = [
    (1, "a", Decimal("1.50"), 10, 0.1, date(2020, 1, 1), datetime(2020, 1, 1, 10)),
    (2, "B", Decimal("2.50"), -(2**62), 1e300, date(2020, 2, 29), datetime(2020, 2, 1, 0, 0, 0, 250_000)),
    (3, "it's", Decimal("0.00"), None, -0.5, None, datetime(1999, 12, 31, 23, 59, 59)),
    (4, "back\\slash", None, 4, None, date(1999, 12, 31), None),
    (5, "é", Decimal("-3.25"), 5, 2.0, date(2020, 3, 1), datetime(2020, 3, 1)),
    (6, "", Decimal("7.00"), 6, 3.0, date(2020, 3, 2), datetime(2020, 3, 2, 12, 30, 1)),
    (7, None, Decimal("8.00"), 7, 4.0, date(2020, 3, 3), datetime(2020, 3, 3)),
    (9, "gone", Decimal("9.00"), 9, 5.0, date(2021, 1, 1), datetime(2021, 1, 1)),
]
CURRENT = [
    *BASE[:1],
    (2, "b", *BASE[1][2:]),
    (3, "it's", Decimal("0.01"), 3, -0.5, date(2020, 1, 5), datetime(1999, 12, 31, 23, 59, 58)),
    (4, "back\\slash ", *BASE[3][2:]),
    (5, "e", Decimal("-3.25"), 5, 2.5, *BASE[4][5:]),
    (6, None, *BASE[5][2:]),
    (7, "", *BASE[6][2:]),
    (10, "new", Decimal("1.00"), 1, 1.0, date(2022, 1, 1), datetime(2022, 1, 1)),
]


class Place:
    """A database with both tables in it."""

    def __init__(self, name: str, url: str) -> None:
        self.name, self.url = name, url
        self.adapter = UnifiedSqlAdapter.from_url(url)
        self.spelling = spelling_of(name)
        self.prefix = f"recce {uuid4().hex[:8]} "
        self.schema = {"duckdb": "main", "sqlite": "main"}.get(name) or urlsplit(url).path.strip("/")
        for table, rows in (("base", BASE), ("current", CURRENT)):
            self.spelling.create_table(self.adapter, self.table(table), COLUMNS, rows)

    def table(self, name: str) -> str:
        """The quoted name of a table of this test's own."""
        return self.adapter.quote_table(self.schema, self.prefix + name)

    @property
    def pair(self) -> tuple[str, str]:
        """Both tables."""
        return self.table("base"), self.table("current")

    def drop(self) -> None:
        """Take both tables away, and the connection."""
        for table in self.pair:
            self.adapter.execute(f"DROP TABLE IF EXISTS {table}")
        self.adapter.close()


def place(name: str, folder: Path, request: pytest.FixtureRequest) -> Place:
    if name == "mysql":
        return Place(name, request.getfixturevalue("mysql_url"))
    if name == "sqlite":
        sqlite3.connect(folder / "shop.db").close()
        return Place(name, f"sqlite:///{folder / 'shop.db'}")
    return Place(name, f"duckdb:///{folder / 'shop.duckdb'}")


@pytest.fixture(scope="module")
def known(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """DuckDB."""
    made = place("duckdb", tmp_path_factory.mktemp("duckdb"), request)
    yield made
    made.drop()


@pytest.fixture(scope="module", params=["mysql", "sqlite"])
def other(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """MySQL, where one answers, and SQLite."""
    made = place(request.param, tmp_path_factory.mktemp(request.param), request)
    yield made
    made.drop()


# --- data diffs: the same answers ---------------------------------------------------------------------


def figures(found: ValueDiff | RowsDiff) -> Any:
    assert isinstance(found, ValueDiff)
    columns = [
        (
            *(column.name, column.matched, column.mismatched),
            *(column.null_to_value, column.value_to_null),
            [(example.key, plain(example.base), plain(example.current)) for example in column.examples],
        )
        for column in found.columns
    ]
    return (
        found.key,
        found.base,
        found.current,
        found.added,
        found.removed,
        found.common,
        found.changed,
        columns,
    )


def plain(value: Any) -> Any:
    """*value* without what a database without decimals cannot keep."""
    return float(value) if isinstance(value, (Decimal, int)) else value


@pytest.mark.cases(8)
@pytest.mark.parametrize(
    "options",
    [
        {"key": "id"},
        {"key": ["id", "at"]},
        {"key": "name", "columns": ["price", "amount"]},
        {"key": "id", "columns": ["name"], "ignore_case": True},
        {"key": "id", "columns": ["name"], "ignore_trailing_blanks": True},
        {"key": "id", "columns": ["price", "rate"], "tolerance": 0.02},
        {"key": "id", "columns": ["rate"], "relative_tolerance": 0.3},
        {"key": "id", "columns": ["at", "day"], "timestamp_precision": "minute"},
        {"key": "id", "columns": ["at", "day"], "timestamp_precision": "month"},
        {"key": "id", "columns": ["at", "day"], "timestamp_precision": "quarter"},
        {"key": "id", "columns": ["at", "day"], "timestamp_precision": "week"},
        {"key": "id", "where": "id > 2"},
        {"key": "id", "examples": 3},
    ],
    ids=str,
)
def test_values_are_compared_as_duckdb_compares_them(
    known: Place, other: Place, options: dict[str, Any]
) -> None:
    chosen = recce_meta.ValueOptions(**options)
    expected = recce_meta.value_diff(known.adapter, *known.pair, options=chosen)
    found = recce_meta.value_diff(other.adapter, *other.pair, options=chosen)

    assert figures(found) == figures(expected)


def test_a_sample_takes_the_same_keys_on_both_sides(other: Place) -> None:
    found = recce_meta.value_diff(
        other.adapter,
        other.table("base"),
        other.table("base"),
        key="id",
        options=recce_meta.ValueOptions(sample=50),
    )

    assert isinstance(found, ValueDiff)
    assert (found.added, found.removed, found.changed) == (0, 0, 0)
    assert 0 <= found.common <= len(BASE)


def test_rows_that_differ_are_those_of_duckdb(known: Place, other: Place) -> None:
    def rows(place: Place) -> Any:
        found = recce_meta.value_diff_detail(place.adapter, *place.pair, key="id")
        assert isinstance(found, ValueDetail)
        return [
            (
                row.status,
                row.key,
                *([*map(plain, side)] if side else None for side in (row.base, row.current)),
            )
            for row in found.rows
        ]

    assert rows(other) == rows(known)


def test_columns_are_compared(other: Place) -> None:
    other.adapter.execute(f"CREATE TABLE {other.table('x')} AS SELECT id, name FROM {other.table('base')}")
    try:
        found = recce_meta.schema_diff(other.adapter, other.table("base"), other.table("x"))
    finally:
        other.adapter.execute(f"DROP TABLE {other.table('x')}")

    removed = {column.name for column in found.columns if column.status == "removed"}
    assert removed == set(COLUMNS) - {"id", "name"}


def test_profiles_are_those_of_duckdb(known: Place, other: Place) -> None:
    def profiles(place: Place) -> Any:
        found = recce_meta.profile_diff(place.adapter, *place.pair)
        names = ("row_count", "not_null_count", "distinct_count", "min", "max", "min_length", "max_length")
        return [
            (
                column.name,
                *([plain(getattr(side, name)) for name in names] for side in (column.base, column.current)),
                *(pytest.approx(side.avg) for side in (column.base, column.current)),
            )
            for column in found.columns
            if column.base is not None and column.current is not None
        ]

    assert profiles(other) == profiles(known)


def test_medians_are_there_or_said_not_to_be(known: Place, other: Place) -> None:
    def medians(place: Place) -> list[Any]:
        found = recce_meta.profile_diff(
            place.adapter, *place.pair, scope=recce_meta.FigureScope(columns=("amount", "price", "rate"))
        )
        return [side.median for column in found.columns for side in (column.base, column.current) if side]

    if other.name == "mysql":
        found = recce_meta.profile_diff(
            other.adapter, *other.pair, scope=recce_meta.FigureScope(columns=("amount",))
        )
        assert found.notes == ("There are no medians: mysql has no aggregate for them",)
    else:
        assert medians(other) == medians(known)


def test_most_frequent_values_are_those_of_duckdb(known: Place, other: Place) -> None:
    def values(place: Place) -> Any:
        found = recce_meta.top_k_diff(
            place.adapter, *place.pair, scope=recce_meta.FigureScope(columns=("name", "day", "price"))
        )
        return [
            (
                *(column.name, column.base_valid, column.current_valid),
                sorted((str(plain(value.value)), value.base, value.current) for value in column.values),
            )
            for column in found.columns
        ]

    assert values(other) == values(known)


def test_distributions_are_those_of_duckdb(known: Place, other: Place) -> None:
    def bins(place: Place) -> Any:
        found = recce_meta.histogram_diff(
            place.adapter,
            *place.pair,
            scope=recce_meta.FigureScope(columns=("price", "amount", "rate", "day", "at")),
        )
        return [
            (column.name, [*map(plain, column.edges)], column.base, column.current, column.base_outside)
            for column in found.columns
        ]

    assert bins(other) == bins(known)


@pytest.mark.parametrize("key", [None, "id"])
def test_queries_are_compared(known: Place, other: Place, key: str | None) -> None:
    def counts(place: Place) -> Any:
        queries = [f"SELECT id, name, price FROM {table} -- a comment" for table in place.pair]
        found: QueryDiff = recce_meta.query_diff(place.adapter, *queries, key=key)
        if found.rows is not None:
            rows = found.rows
            listed = sorted(
                str((row.status, [*map(plain, row.base or row.current or ())])) for row in rows.rows
            )
            return rows.added, rows.removed, rows.common, listed
        return figures(found.values) if found.values is not None else None

    assert counts(other) == counts(known)


def test_rows_are_counted_on_both_sides(other: Place) -> None:
    (count,) = recce_meta.row_count_diff(other.adapter, [other.pair]).counts

    assert (count.base, count.current) == (8, 8)


def test_two_databases_are_compared(known: Place, other: Place) -> None:
    """Base is in DuckDB, current in the other database; all that is in both must be found equal."""
    queries = [f"SELECT id, name, amount, day FROM {place.table('base')}" for place in (known, other)]

    same = recce_meta.query_diff(other.adapter, *queries, base_adapter=known.adapter).rows
    profiles = recce_meta.profile_diff(
        other.adapter,
        known.table("base"),
        other.table("base"),
        base_adapter=known.adapter,
        scope=recce_meta.FigureScope(columns=("amount",)),
    )

    assert same is not None and (same.added, same.removed, same.common) == (0, 0, len(BASE))
    (column,) = profiles.columns
    assert column.base is not None and column.current is not None
    assert (column.base.min, column.base.max) == (column.current.min, column.current.max)


def test_columns_of_sqlite_may_hold_anything(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "odd.db") as made:
        made.execute("CREATE TABLE t (id integer, n decimal(10, 2), i integer, f double, d date)")
        rows = [
            (1, "abc", "x", "y", "2020-13-45"),
            (2, 1.5, 7, 2.5, "2020-01-31"),
            (3, b"\0", 8, None, "soon"),
        ]
        made.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?)", [*rows, (4, 2, 9, 1, 1577836800)])
    made.close()

    with UnifiedSqlAdapter.from_url(f"sqlite:///{tmp_path / 'odd.db'}") as adapter:
        profiles = recce_meta.profile_diff(adapter, "t", "t")
        values = recce_meta.value_diff(adapter, "t", "t", key="id")
        (days,) = recce_meta.histogram_diff(
            adapter, "t", "t", scope=recce_meta.FigureScope(columns=("d",))
        ).columns
        numbers = recce_meta.histogram_diff(
            adapter, "t", "t", scope=recce_meta.FigureScope(columns=("n", "i", "f"))
        )

    assert all(column.base == column.current for column in profiles.columns)
    assert isinstance(values, ValueDiff) and values.changed == 0
    assert (days.min, days.base_total, days.base_outside) == (date(2020, 1, 31), 1, 3)
    assert [column.base == column.current for column in numbers.columns] == [True] * 3


def test_integers_of_sqlite_have_64_bits(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "wide.db") as made:
        made.execute("CREATE TABLE a (id integer, v integer)")
        made.execute("CREATE TABLE b (id integer, v real)")
        made.execute("INSERT INTO a VALUES (1, 9007199254740993)")
        made.execute("INSERT INTO b VALUES (1, 9007199254740992.0)")
    made.close()

    with UnifiedSqlAdapter.from_url(f"sqlite:///{tmp_path / 'wide.db'}") as adapter:
        keyed = recce_meta.value_diff(adapter, "a", "b", key="id")
        (_, top) = recce_meta.top_k_diff(adapter, "a", "b").columns

    assert isinstance(keyed, ValueDiff)
    assert keyed.columns[1].compared_as == "double, rounded" and top.is_rounded


def test_moments_of_sqlite_may_be_finer_than_a_microsecond(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "fine.db") as made:
        made.execute("CREATE TABLE t (v timestamp)")
        made.execute("INSERT INTO t VALUES ('2020-01-01 00:00:00.1234567'), ('2020-01-01 00:00:01.1234569')")
    made.close()

    with UnifiedSqlAdapter.from_url(f"sqlite:///{tmp_path / 'fine.db'}") as adapter:
        (found,) = recce_meta.histogram_diff(adapter, "t", "t").columns

    assert found.reason is None and sum(found.base) == 2 and not found.base_outside


# --- statements ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "row"),
    [
        ("SELECT '100%', 5 % 3", ("100%", 2)),
        ("SELECT ':x', '?', '%s', '{\"a\": 1}'", (":x", "?", "%s", '{"a": 1}')),
        ("SELECT 1 -- a comment\n;", (1,)),
        ("SELECT '--', ';', '/*' /* a comment */", ("--", ";", "/*")),
        ("SELECT NULL, 1.5, 'é'", (None, 1.5, "é")),
    ],
)
def test_statements_are_sent_as_they_are(other: Place, sql: str, row: tuple[Any, ...]) -> None:
    assert [tuple(map(plain, found)) for found in other.adapter.execute(sql)[1]] == [row]


def test_values_are_pythons_own(other: Place) -> None:
    columns, rows = other.adapter.execute(f"SELECT * FROM {other.table('base')} WHERE id = 1")

    assert columns == list(COLUMNS)
    if other.name == "mysql":
        assert rows == [BASE[0]]
        assert isinstance(rows[0][2], Decimal)
    else:  # SQLite keeps numbers and texts alone
        assert rows == [(1, "a", 1.5, 10, 0.1, "2020-01-01", "2020-01-01 10:00:00")]


def test_moments_of_mysql_are_in_the_zone_of_the_session(mysql_url: str) -> None:
    zone = "?init_command=SET%20time_zone%3D%27%2B02:00%27"
    with UnifiedSqlAdapter.from_url(mysql_url + zone) as adapter:
        adapter.execute(
            "CREATE TEMPORARY TABLE recce_times (at timestamp(6), t time(3), b blob, u bigint unsigned)"
        )
        adapter.execute(
            "INSERT INTO recce_times VALUES"
            " ('2020-01-01 10:00:00.5', '10:30:00.25', x'00ff', 18446744073709551615)"
        )
        ((at, of_day, blob, unsigned),) = adapter.execute("SELECT * FROM recce_times")[1]

    assert at == datetime(2020, 1, 1, 10, 0, 0, 500_000)
    assert of_day.isoformat() == "10:30:00.250000"
    assert (blob, unsigned) == (b"\0\xff", 2**64 - 1)


def test_dates_without_a_month_and_near_floats_of_mariadb_are_shown_as_they_are(mysql_url: str) -> None:
    name = f"recce_{uuid4().hex[:8]}"
    rows = {
        "a": "(1, '2024-01-10', 0.1), (2, '2024-00-10', 1)",
        "b": "(1, '2024-01-10', 0.1000001), (2, '2024-00-11', 1)",
    }
    with UnifiedSqlAdapter.from_url(mysql_url) as adapter:
        tables = [f"{name}_{side}" for side in rows]
        try:
            for table, values in zip(tables, rows.values(), strict=True):
                adapter.execute(f"CREATE TABLE {table} (id INT PRIMARY KEY, day DATE, f FLOAT)")
                # MySQL refuses such dates, as MariaDB does in its strict mode.
                adapter.execute(f"INSERT IGNORE INTO {table} VALUES {values}")
            if adapter.execute(f"SELECT COUNT(*) FROM {tables[0]} WHERE MONTH(day) = 0")[1] == [(0,)]:
                pytest.skip("the server stores no dates without a month")
            details = recce_meta.value_diff_detail(adapter, *tables, key="id")
            profile = recce_meta.profile_diff(adapter, *tables)
            top = recce_meta.top_k_diff(adapter, *tables, scope=recce_meta.FigureScope(columns=("day", "f")))
            histogram = recce_meta.histogram_diff(
                adapter, *tables, scope=recce_meta.FigureScope(columns=("day",))
            )
        finally:
            for table in tables:
                adapter.execute(f"DROP TABLE IF EXISTS {table}")

    shown = {row.key[0]: (row.base, row.current) for row in details.rows}
    assert shown[2] == (("2024-00-10", 1.0), ("2024-00-11", 1.0))
    (_, before), (_, after) = shown[1]
    assert (round(before, 9), round(after, 9)) == (0.100000001, 0.100000098)
    figures = {column.name: (column.base, column.current) for column in profile.columns}
    assert figures["f"][0].min != figures["f"][1].min and figures["day"][0].min == "2024-00-10"
    assert len({one.value for column in top.columns for one in column.values if column.name == "f"}) == 3
    assert [(one.base_total, one.base_outside) for one in histogram.columns] == [(1, 1)]


def test_types_are_told_of_any_query(mysql_url: str) -> None:
    sql = (
        "SELECT CAST(1 AS DECIMAL(20,5)) AS d, 'x' AS t, CAST('2020-01-01' AS DATE) AS day, 1 AS n,"
        " CAST(1 AS UNSIGNED) AS u, x'00' AS b, 1e0 AS f, CAST('2020-01-01' AS DATETIME(3)) AS at"
    )
    with UnifiedSqlAdapter.from_url(mysql_url) as adapter:
        assert dict(adapter.describe(sql)) == {
            **{"d": "DECIMAL(20,5)", "t": "VARCHAR(1)", "day": "DATE", "n": "INT", "f": "DOUBLE"},
            **{"u": "INT UNSIGNED", "b": "VARBINARY(1)", "at": "DATETIME(3)"},
        }


def test_several_statements_are_refused(other: Place) -> None:
    with pytest.raises(UsageError, match="several statements"):
        other.adapter.execute("SELECT 1; SELECT 2")


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELECT * FROM recce_nowhere", MissingRelation),
        ("SELECT recce_no_column FROM {base}", MissingRelation),
        ("SELEC 1", SyntaxFailed),
        ("SELECT 1 FROM", SyntaxFailed),
        ("INSERT INTO {base} (id) SELECT id, id FROM {base}", WarehouseError),
    ],
)
def test_errors_are_told_apart(other: Place, sql: str, kind: type[WarehouseError]) -> None:
    with pytest.raises(WarehouseError) as caught:
        other.adapter.execute(sql.format(base=other.table("base")))

    assert type(caught.value) is kind
    assert other.adapter.execute("SELECT 1")[1] == [(1,)]


ENDLESS = {
    "mysql": "SELECT SLEEP(60) /* recce_meta endless */",
    "sqlite": "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT COUNT(*) FROM n",
}


def test_a_statement_is_stopped_after_its_time(other: Place) -> None:
    started = time.monotonic()

    with pytest.raises((QueryTimeout, QueryCancelled)):
        other.adapter.execute_with_cancel(ENDLESS[other.name], timeout=1)

    assert time.monotonic() - started < 50
    assert other.adapter.execute("SELECT 1")[1] == [(1,)]
    if other.name == "mysql":  # the server may take a moment, and another test may run the same statement
        while _endless(other):
            assert time.monotonic() - started < 50
            time.sleep(0.1)


def _endless(other: Place) -> list[str]:
    """The endless statements that the server still runs."""
    _, rows = other.adapter.execute(
        "SELECT info FROM information_schema.processlist WHERE info LIKE '%endless%'"
    )
    return [info for (info,) in rows if "SLEEP" in info and "processlist" not in info]


def test_a_statement_is_stopped_from_another_thread(other: Place) -> None:
    timer = Timer(1, other.adapter.cancel)
    timer.start()
    with pytest.raises((QueryCancelled, QueryTimeout)):
        other.adapter.execute(ENDLESS[other.name])
    timer.join()

    assert other.adapter.execute("SELECT 1")[1] == [(1,)]


def test_rows_come_little_by_little_or_at_once(other: Place) -> None:
    many = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 900) SELECT x FROM n"

    assert len(other.adapter.execute(many)[1]) == 900


# --- connecting ---------------------------------------------------------------------------------------


def test_a_wrong_password_is_told(mysql_url: str) -> None:
    place = urlsplit(mysql_url)
    url = f"mysql://nobody_here:hush-hush-9@{place.hostname}:{place.port}/test"

    with UnifiedSqlAdapter.from_url(url) as adapter, pytest.raises(AuthenticationFailed) as caught:
        adapter.execute("SELECT 1")
    assert "hush-hush-9" not in f"{caught.value} {caught.value!r} {adapter!r}"


def test_nobody_at_the_port_is_told() -> None:
    with (
        UnifiedSqlAdapter.from_url("mysql://u:hush-hush-9@127.0.0.1:1/x") as adapter,
        pytest.raises(ConnectionFailed) as caught,
    ):
        adapter.execute("SELECT 1")
    assert "hush-hush-9" not in str(caught.value)


def test_a_database_that_is_not_there_is_told(mysql_url: str) -> None:
    url = mysql_url.rpartition("/")[0] + "/recce_no_such_database"

    with UnifiedSqlAdapter.from_url(url) as adapter, pytest.raises(ConnectionFailed, match="recce_no_such"):
        adapter.execute("SELECT 1")


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "nothing.db"

    with (
        UnifiedSqlAdapter.from_url(f"sqlite:///{path}", may_create=False) as adapter,
        pytest.raises(DatabaseNotFound, match="SQLite file not found"),
    ):
        adapter.execute("SELECT 1")
    assert not path.exists()


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "text.db"
    path.write_text("no database at all, and long enough to be looked into " * 40)

    with UnifiedSqlAdapter.from_url(f"sqlite:///{path}") as adapter, pytest.raises(ConnectionFailed):
        adapter.execute("SELECT * FROM x")


def test_a_locked_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recce_meta.warehouses.sqlite.driver._BUSY_SECONDS", 0.1)
    holder = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    holder.execute("CREATE TABLE t (a)")
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with (
            UnifiedSqlAdapter.from_url(f"sqlite:///{tmp_path / 'a.db'}") as adapter,
            pytest.raises(TransientFailure, match="another process writes to the file"),
        ):
            adapter.execute("SELECT * FROM t")
    finally:
        holder.close()


def test_a_url_may_open_a_file_to_be_read_alone(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "a.db").close()

    with UnifiedSqlAdapter.from_url(f"sqlite:///{tmp_path / 'a.db'}?mode=ro") as adapter:
        assert adapter.execute("SELECT 1")[1] == [(1,)]
        assert adapter.describe("SELECT 1 AS a") == [("a", "INTEGER")]
        with pytest.raises(RecceMetaError, match="readonly"):
            adapter.execute("CREATE TABLE t (a)")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite://user:pw@host/x.db", "must only name a file"),
        ("mysql+mysqldb://root@h/d", "Driver 'mysqldb'"),
        ("sqlite+aiosqlite:///x.db", "not supported"),
    ],
)
def test_urls_that_cannot_serve_are_refused(url: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        UnifiedSqlAdapter.from_url(url)


MY, PG = "mysql://root@127.0.0.1:1/d", "postgresql://u@127.0.0.1:1/d"


@pytest.mark.parametrize(
    ("url", "query", "message", "hint"),
    [
        (MY, "sslmode=require", "Unknown parameter 'sslmode'", "ssl_ca=FILE"),
        (MY, "ssl=true", "Unknown parameter 'ssl'", "ssl_ca=FILE"),
        (MY, "conv=x", "Unknown parameter 'conv'", ""),
        (MY, "compress=true", "Unknown parameter 'compress'", ""),
        (MY, "read_timeuot=1", "Unknown parameter 'read_timeuot'", "did you mean 'read_timeout'"),
        (
            MY,
            "read_timeout=abc",
            "cannot use a parameter of the URL: invalid literal",
            "what follows the ?",
        ),
        (
            MY,
            "connect_timeout=0",
            "cannot use a parameter of the URL: connect_timeout",
            "what follows the ?",
        ),
        (MY, "charset=klingon", "unknown character set 'klingon'", "what follows the ?"),
        (MY, "ssl_ca=/no/such.pem", "Cannot read the file of 'ssl_ca': /no/such.pem", "use a file"),
        (PG, "ssl=true", "Unknown parameter 'ssl'", "sslmode=require"),
        (PG, "sslmod=require", "Unknown parameter 'sslmod'", "did you mean 'sslmode'"),
        (PG, "autocommit=1", "Unknown parameter 'autocommit'", ""),
        (PG, "connect_timeout=abc", "cannot use a parameter of the URL: bad value", "follows the ?"),
        (PG, "port=abc", "cannot use a parameter of the URL: Received non-integer", "follows the ?"),
    ],
)
def test_parameters_that_a_driver_does_not_take_are_named(
    url: str, query: str, message: str, hint: str
) -> None:
    with (
        UnifiedSqlAdapter.from_url(f"{url}?{query}") as adapter,
        pytest.raises(ConfigurationError) as caught,
    ):
        adapter.execute("SELECT 1")

    assert message in caught.value.message and hint in (caught.value.hint or "")


def test_a_database_that_nobody_knows_brings_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Unknown database 'mysq' in the URL") as caught:
        UnifiedSqlAdapter.from_url("mysq://root@h/d")

    assert "'mysql'" in (caught.value.hint or "")


@pytest.mark.parametrize("scheme", ["trino", "mssql+pymssql", "clickhouse", "oracle"])
def test_another_database_needs_its_own_driver(scheme: str) -> None:
    with (
        UnifiedSqlAdapter.from_url(f"{scheme}://u:p@h/d") as adapter,
        pytest.raises(MissingDriverError) as caught,
    ):
        adapter.execute("SELECT 1")

    name = scheme.partition("+")[0]
    assert caught.value.hint == f"install a SQLAlchemy dialect for {name}"


# --- without a store, or with one -------------------------------------------------------------------------


def refuse_a_place_of_stores(other: Place) -> None:
    """Skip the test for a database that can hold a store."""
    if other.adapter.warehouse.has_store:
        pytest.skip("the store's own tests run here")


def test_the_store_is_refused(other: Place) -> None:
    refuse_a_place_of_stores(other)
    for refused in (
        lambda: init_store(other.adapter),
        lambda: init_sql(other.adapter.warehouse),
        lambda: recce_meta.list_runs(other.adapter),
    ):
        with pytest.raises(StoreError, match=f"The store cannot be created in {other.name}") as caught:
            refused()
        assert "--tables" in (caught.value.hint or "")


def test_there_is_no_profile_for_it(other: Place) -> None:
    with pytest.raises(ProfileError, match="is not supported in profiles"):
        warehouse_for_scheme(other.name).plan(Fields({}))


@pytest.mark.parametrize(
    ("command", "options", "text"),
    [
        ("value", ["-k", "id"], "1 added"),
        ("row-count", [], "8"),
        ("schema", [], ""),
        ("profile", [], "price"),
        ("top-k", ["-c", "name"], "gone"),
        ("histogram", ["-c", "price"], "price"),
    ],
)
def test_commands_take_a_url_and_two_tables(
    other: Place, capsys: pytest.CaptureFixture[str], command: str, options: list[str], text: str
) -> None:
    code = run_command_line([command, "--url", other.url, "--tables", *other.pair, *options])
    out, err = capsys.readouterr()

    assert (code, err) == (0, "")
    assert text in out


def test_commands_that_need_a_store_say_so(other: Place, capsys: pytest.CaptureFixture[str]) -> None:
    refuse_a_place_of_stores(other)
    for command in (["init"], ["runs"], ["value", "orders"]):
        assert run_command_line([*command, "--url", other.url]) == 3
        assert f"The store cannot be created in {other.name}" in capsys.readouterr().err


def test_the_doctor_looks_as_far_as_there_is_something(
    other: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run_command_line(["doctor", "--url", other.url])

    said = capsys.readouterr()
    assert "connected to" in said.out
    expected = "" if other.adapter.warehouse.has_store else f"not tried: {other.name} cannot hold the store"
    assert expected in said.out
    assert (code, "error" in said.err) == (0, False), said
