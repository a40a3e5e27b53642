"""What values of each type are in Python: the same from DuckDB and PostgreSQL, wherever both can say it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from importlib.metadata import version
from typing import Any
from uuid import UUID

import pytest

from recce_meta.adapter import UnifiedSqlAdapter

UTC = timezone.utc
EAST = timezone(timedelta(hours=2))
ID = "2d89ebe6-9e13-11e5-8994-feff819cdc9f"

# The expression in DuckDB, the one in PostgreSQL (the same where there is none), and the value of both.
ALIKE: dict[str, tuple[str, str | None, Any]] = {
    "null": ("NULL", None, None),
    "boolean": ("true", None, True),
    "smallint": ("CAST(-32768 AS SMALLINT)", None, -32768),
    "bigint": ("CAST(9223372036854775807 AS BIGINT)", None, 2**63 - 1),
    "decimal": ("CAST('1.50' AS DECIMAL(10, 2))", None, Decimal("1.50")),
    "decimal of 38 digits": (f"CAST('{'9' * 38}' AS DECIMAL(38, 0))", None, Decimal("9" * 38)),
    "real": ("CAST(1.5 AS REAL)", None, 1.5),
    "double": ("CAST('0.1' AS DOUBLE PRECISION)", None, 0.1),
    "double infinity": ("CAST('Infinity' AS DOUBLE PRECISION)", None, float("inf")),
    "text": ("'naïve 漢字 🦆 % :a $1 ?'", None, "naïve 漢字 🦆 % :a $1 ?"),
    "empty text": ("''", None, ""),
    "binary": ("'\\x00\\xFF'::BLOB", "'\\x00ff'::bytea", b"\x00\xff"),
    "date": ("DATE '2026-02-28'", None, date(2026, 2, 28)),
    "first date": ("DATE '0001-01-01'", None, date(1, 1, 1)),
    "last date": ("DATE '9999-12-31'", None, date(9999, 12, 31)),
    "time": ("TIME '12:34:56.123456'", None, time(12, 34, 56, 123456)),
    "time with a zone": ("TIMETZ '12:00:00+02'", None, time(12, 0, tzinfo=EAST)),
    "timestamp": ("TIMESTAMP '2026-02-28 12:34:56.123456'", None, datetime(2026, 2, 28, 12, 34, 56, 123456)),
    "timestamp with a zone": (
        "TIMESTAMPTZ '2026-02-28 00:30:00+02'",
        None,
        datetime(2026, 2, 27, 22, 30, tzinfo=UTC),
    ),
    "uuid": (f"CAST('{ID}' AS UUID)", None, UUID(ID)),
    "interval": ("INTERVAL '2 days 3.5 seconds'", None, timedelta(days=2, seconds=3.5)),
    "interval with a month": ("INTERVAL '1 month 1 day'", None, timedelta(days=31)),
    "bits": ("'10101'::BIT", "B'10101'", "10101"),
    "json object": ("""'{"b": [1, 2.5, null], "a": {}}'::JSON""", None, {"b": [1, 2.5, None], "a": {}}),
    "json text": ("""'"text"'::JSON""", None, "text"),
    "json true": ("'true'::JSON", None, True),
    "json null": ("'null'::JSON", None, None),
    "json integer of 40 digits": (f"'{'9' * 40}'::JSON", None, int("9" * 40)),
    "list": ("[1, 2, NULL]", "ARRAY[1, 2, NULL]", [1, 2, None]),
    "list of lists": ("[[1], [2]]", "ARRAY[[1], [2]]", [[1], [2]]),
    "empty list": ("CAST([] AS INTEGER[])", "'{}'::int[]", []),
    "list of decimals": ("[CAST(1.50 AS DECIMAL(4, 2))]", "ARRAY[1.50]", [Decimal("1.50")]),
    "list of json": ("""['{"a": 1}'::JSON, NULL]""", """ARRAY['{"a": 1}'::json, NULL]""", [{"a": 1}, None]),
    # What Python has no value for is the warehouse's own text.
    "year 12000": ("DATE '12000-01-01'", None, "12000-01-01"),
    "timestamp in 12000": ("TIMESTAMP '12000-01-01 00:00:00'", None, "12000-01-01 00:00:00"),
    "timestamp with a zone in 12000": (
        "TIMESTAMPTZ '12000-01-01 00:00:00+00'",
        None,
        "12000-01-01 00:00:00+00",
    ),
    "before Christ": ("DATE '0044-03-15 (BC)'", "DATE '0044-03-15 BC'", ...),
    "the end of a day": ("TIME '24:00:00'", None, "24:00:00"),
    "infinite timestamp with a zone": ("TIMESTAMPTZ 'infinity'", None, "infinity"),
    "minus infinite timestamp with a zone": ("TIMESTAMPTZ '-infinity'", None, "-infinity"),
}

IN_DUCKDB: dict[str, tuple[str, Any]] = {
    "hugeint": ("170141183460469231731687303715884105727::HUGEINT", 2**127 - 1),
    "unsigned": ("18446744073709551615::UBIGINT", 2**64 - 1),
    "array of fixed length": ("[1, 2]::INTEGER[2]", [1, 2]),
    "struct": ("{'a': 1, 'b': {'c': DATE '2026-01-01'}}", {"a": 1, "b": {"c": date(2026, 1, 1)}}),
    "struct with json": (
        """{'a': '[1]'::JSON, 'b': NULL::JSON, 'c': 'x'}""",
        {"a": [1], "b": None, "c": "x"},
    ),
    "deep json": ("""[{'a': ['{"x": 1}'::JSON]}]""", [{"a": [{"x": 1}]}]),
    "map": ("MAP {'a': 1, 'b': NULL}", {"a": 1, "b": None}),
    "map to json": ("""MAP {'a': '[1]'::JSON}""", {"a": [1]}),
    "map with keys that no dict takes": ("MAP {[1]: 2}", [([1], 2)]),
    "union": ("union_value(n := 5)", 5),
    "enum": ("'a'::ENUM ('a', 'b')", "a"),
    "date at infinity": ("DATE 'infinity'", date.max),  # DuckDB's driver: docs/reference/execution.md
    "list of infinite moments": ("[TIMESTAMPTZ 'infinity']", ["infinity"]),
    "nanoseconds": (
        "TIMESTAMP_NS '2026-01-01 00:00:00.123456789'",
        datetime(2026, 1, 1, 0, 0, 0, 123456),
    ),
}

IN_POSTGRES: dict[str, tuple[str, Any]] = {
    "jsonb": ("""'{"a": 1.10}'::jsonb""", {"a": 1.1}),
    "list of jsonb": ("""ARRAY['{"a": 1}'::jsonb]""", [{"a": 1}]),
    "table of jsonb": ("""ARRAY[['1'::jsonb], [NULL::jsonb]]""", [[1], [None]]),
    "numeric infinity": ("'-Infinity'::numeric", Decimal("-Infinity")),
    "range": ("int4range(1, 5)", "[1,5)"),
    "empty range": ("'empty'::numrange", "empty"),
    "range to infinity": ("daterange('2026-01-01', 'infinity')", "[2026-01-01,infinity)"),
    "multirange": ("'{[1,3), [5,7)}'::int4multirange", "{[1,3),[5,7)}"),
    "address": ("inet '10.0.0.1/8'", "10.0.0.1/8"),
    "network": ("cidr '10.0.0.0/8'", "10.0.0.0/8"),
    "mac": ("macaddr '08:00:2b:01:02:03'", "08:00:2b:01:02:03"),
    "money": ("'1234.50'::money", "$1,234.50"),
    "xml": ("'<a/>'::xml", "<a/>"),
    "point": ("point '(1, 2)'", "(1,2)"),
    "record": ("row(1, 'a')", "(1,a)"),
    "oid": ("'5'::oid", 5),
    "class": ("'pg_class'::regclass", "pg_class"),
    "char": ("'a'::char(3)", "a  "),
    "year": ("interval '1 year'", timedelta(days=365)),
    "infinite date": ("date '-infinity'", "-infinity"),
    "infinite timestamp": ("timestamp 'infinity'", "infinity"),
    "timestamp before Christ": ("timestamp '0044-03-15 BC'", "0044-03-15 00:00:00 BC"),
    "list of dates": ("ARRAY[date 'infinity', date '2026-01-01']", ["infinity", date(2026, 1, 1)]),
    "list of json null": ("ARRAY['null'::json, NULL]", [None, None]),
}


OLDER = tuple(map(int, version("duckdb").split(".")[:2])) < (1, 4)
"""Whether this DuckDB tells types by words that hide what is in them: docs/reference/execution.md."""
HIDDEN = frozenset(
    [
        *("list of json", "struct with json", "deep json", "map to json", "map with keys that no dict takes"),
        *("infinite timestamp with a zone", "minus infinite timestamp with a zone"),
        "list of infinite moments",
    ]
)


def told(whats: Iterable[str]) -> list[str]:
    """Those of *whats* that this DuckDB tells."""
    return [what for what in whats if not (OLDER and what in HIDDEN)]


@pytest.fixture
def duckdb() -> Iterator[UnifiedSqlAdapter]:
    with UnifiedSqlAdapter.from_url("duckdb://") as adapter:
        yield adapter


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[UnifiedSqlAdapter]:
    with UnifiedSqlAdapter.from_url(postgres_url) as adapter:
        yield adapter


def value_of(adapter: UnifiedSqlAdapter, expression: str) -> Any:
    """The value of *expression*, beside one that is converted and one that never is."""
    ((one, found, text),) = adapter.execute(f"SELECT 1, {expression}, 'x'")[1]
    assert (one, text) == (1, "x")
    return found


def same(found: Any, expected: Any) -> None:
    assert (type(found), found) == (type(expected), expected)
    if isinstance(expected, datetime | time):
        assert found.utcoffset() == expected.utcoffset()


@pytest.mark.cases(20)
@pytest.mark.parametrize("what", told(ALIKE))
def test_a_value_is_the_same_from_duckdb_and_postgres(
    duckdb: UnifiedSqlAdapter, postgres: UnifiedSqlAdapter, what: str
) -> None:
    in_duckdb, in_postgres, expected = ALIKE[what]
    if expected is ...:
        assert value_of(duckdb, in_duckdb) == "0044-03-15 (BC)"
        assert value_of(postgres, str(in_postgres)) == "0044-03-15 BC"
        return
    same(value_of(duckdb, in_duckdb), expected)
    same(value_of(postgres, in_postgres or in_duckdb), expected)


@pytest.mark.parametrize("what", told(IN_DUCKDB))
def test_a_value_of_duckdbs_own(duckdb: UnifiedSqlAdapter, what: str) -> None:
    expression, expected = IN_DUCKDB[what]

    same(value_of(duckdb, expression), expected)


@pytest.mark.parametrize("what", IN_POSTGRES)
def test_a_value_of_postgres_own(postgres: UnifiedSqlAdapter, what: str) -> None:
    expression, expected = IN_POSTGRES[what]

    same(value_of(postgres, expression), expected)


@pytest.mark.parametrize(
    ("sql", "row"),
    [
        ("""SELECT '{"a": 1}'::jsonb ? 'a', '{"a": 1}'::jsonb ?| ARRAY['b']""", (True, False)),
        ("""SELECT '{"a": [1, 2]}'::jsonb #>> '{a,0}', '{"a": 1}'::jsonb @> '{}'""", ("1", True)),
        ("""SELECT '{"a": 1}'::jsonb @? '$.a ? (@ > 0)', '{"a": 1}'::jsonb - 'a'""", (True, {})),
        ("SELECT 5 # 3, 17 % 5, 2 ^ 3, |/ 25.0, @ -5", (6, 2, 8.0, 5.0, 5)),
        (
            "SELECT E'it\\'s; 100%', U&'d\\0061t;a', $q$ $1; ? %s :a $q$;",
            ("it's; 100%", "dat;a", " $1; ? %s :a "),
        ),
        ("SELECT (ARRAY[1, 2, 3])[2:3], '%(a)s', ':a'::text; -- and; a comment", ([2, 3], "%(a)s", ":a")),
        ("/* a /* nested; */ comment; */ SELECT 'a'; /* after; */ ;", ("a",)),
        (
            "SELECT 'x' ~ '^(?:x)$', 'a%' LIKE 'a\\%', interval '1:30' AS \"a:b%c?\"",
            (True, True, timedelta(hours=1.5)),
        ),
    ],
)
def test_any_sql_of_postgres_arrives_unchanged(postgres: UnifiedSqlAdapter, sql: str, row: Any) -> None:
    assert postgres.execute(sql)[1] == [row]


@pytest.mark.parametrize(
    ("sql", "row"),
    [
        ("""SELECT '{"a": {"b": "c;"}}'::JSON ->> '$.a.b'; -- done; really""", ("c;",)),
        ("SELECT 17 % 5, 7 // 2, 2 ** 3, 1_000", (2, 3, 8.0, 1000)),
        ("SELECT [1, 2, 3][2:3], {'a:b': '%s?'}, $$ $1; :a $$;", ([2, 3], {"a:b": "%s?"}, " $1; :a ")),
        ("FROM (VALUES (1, ':x')) AS t (a, \"b%c?\")", (1, ":x")),
        ("SELECT 'a\\'; /* after; */ ;", ("a\\",)),
    ],
)
def test_any_sql_of_duckdb_arrives_unchanged(duckdb: UnifiedSqlAdapter, sql: str, row: Any) -> None:
    assert duckdb.execute(sql)[1] == [row]


def test_a_nan_is_one_everywhere(duckdb: UnifiedSqlAdapter, postgres: UnifiedSqlAdapter) -> None:
    for adapter in (duckdb, postgres):
        found = value_of(adapter, "CAST('NaN' AS DOUBLE PRECISION)")
        assert isinstance(found, float)
        assert found != found
    assert value_of(postgres, "'NaN'::numeric").is_nan()


def test_a_value_beyond_python_leaves_the_rows_around_it_as_they_are(postgres: UnifiedSqlAdapter) -> None:
    sql = (
        "SELECT n, CASE n WHEN 3 THEN date 'infinity' ELSE date '2026-01-01' + n END"
        " FROM generate_series(1, 5) AS n"
    )
    expected = [(n, "infinity" if n == 3 else date(2026, 1, 1 + n)) for n in range(1, 6)]

    assert postgres.execute(sql)[1] == expected
    with postgres.stream(sql, batch_rows=2) as stream:
        assert list(stream) == [expected[:2], expected[2:4], expected[4:]]


@pytest.mark.parametrize(
    ("setting", "expression", "expected"),
    [
        ("IntervalStyle = 'iso_8601'", "interval '1 day'", "P1D"),
        ("DateStyle = 'German'", "date '2026-02-28'", date(2026, 2, 28)),
        ("DateStyle = 'SQL, DMY'", "timestamptz '2026-02-28 12:00:00+00'", "28/02/2026 12:00:00 UTC"),
        ("TimeZone = 'Asia/Kolkata'", "timestamptz '2026-02-28 12:00:00+00'", ...),
    ],
)
def test_settings_of_a_session_make_no_value_unreadable(
    postgres: UnifiedSqlAdapter, setting: str, expression: str, expected: Any
) -> None:
    postgres.execute(f"SET {setting}")

    found = value_of(postgres, expression)

    if expected is ...:
        assert found == datetime(2026, 2, 28, 12, tzinfo=UTC)
        assert found.utcoffset() == timedelta(hours=5, minutes=30)
    else:
        assert found == expected


def test_a_time_zone_of_the_session_is_kept_in_duckdb(duckdb: UnifiedSqlAdapter) -> None:
    duckdb.execute("SET TimeZone = 'Asia/Kolkata'")

    found = value_of(duckdb, "TIMESTAMPTZ '2026-02-28 12:00:00+00'")

    assert found == datetime(2026, 2, 28, 12, tzinfo=UTC)
    assert found.utcoffset() == timedelta(hours=5, minutes=30)


@pytest.mark.parametrize("text", ["[" * 5_000 + "]" * 5_000, "9" * 5_000])
def test_json_that_python_cannot_hold_stays_text(postgres: UnifiedSqlAdapter, text: str) -> None:
    assert postgres.execute(f"SELECT json '{text}'")[1] == [(text,)]


def test_a_name_of_a_program_is_no_table(duckdb: UnifiedSqlAdapter) -> None:
    with pytest.raises(Exception, match="does not exist"):
        duckdb.execute("SELECT * FROM connection")
    with pytest.raises(Exception, match="syntax error"):
        duckdb.execute("register")
