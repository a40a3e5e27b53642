"""Operators without brackets: what is equal for us has equal values by the precedence of each warehouse."""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import duckdb
import psycopg
import pymysql
import pytest

from recce_meta.models.change import Category
from recce_meta.sql_diff import compare_sql

Execute = Callable[[str], Any]
PREFIXES = ("-", "+", "~", "not ", "@", "|/")
INFIXES = (
    *("+", "-", "*", "/", "%", "||", "&", "|", "#", "^", "<<", "=", "<>", "<", ">=", "and", "or", "like"),
    *("is distinct from", "between 1 and", "xor", "div", "glob", "~", "^@", "!~~", "->"),
)
VALUES = (("1", "2", "3"), ("5", "3", "0"), ("'a'", "'ab'", "'b'"), ("true", "false", "null"))
MORE_PREFIXES = ("||/", "!!")
MORE_INFIXES = (
    *("~~", "~~*", "!~", "~*", "!~*", "->>", "#>", "//", "**", "@>", "&&", ">>", "#-", "?", "<=>", "~~~"),
    *("ilike", "not like", "similar to", "is not distinct from", "not between 1 and", "regexp"),
    *('collate "C" ||', "at time zone", "::int +", "is null =", "isnull and", "in (1, 2) =", "is true ="),
)
MORE_VALUES = (
    ("'{\"a\":1}'::json", "'a'", "'b'"),
    *(("-2", "-3", "4"), ("'[1,2]'::json", "0", "true"), ("true", "true", "'t'"), ("2.5", "-3.5", "1")),
)


@pytest.fixture
def every_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, more in (("PREFIXES", MORE_PREFIXES), ("INFIXES", MORE_INFIXES), ("VALUES", MORE_VALUES)):
        monkeypatch.setitem(globals(), name, (*globals()[name], *more))


def texts() -> list[tuple[str, str]]:
    """Return texts with two operators on `a`, `b`, `c`: without brackets, and with brackets."""
    pairs = [
        (f"a {one} b {two} c", text)
        for one, two in itertools.product(INFIXES, INFIXES)
        for text in (f"(a {one} b) {two} c", f"a {one} (b {two} c)")
    ]
    for prefix, infix in itertools.product(PREFIXES, INFIXES):
        bare = f"{prefix} a {infix} b"
        pairs += [(bare, f"({prefix} a) {infix} b"), (bare, f"{prefix} (a {infix} b)")]
        pairs += [(bare, f"b {infix} {prefix} a")]
    return pairs


def unequal(dialect: str, execute: Execute, pairs: Sequence[tuple[str, str]] = ()) -> list[tuple[str, str]]:
    """Return those of *pairs*, or of all, that are equal for us, and have other values in the warehouse."""
    found, proven = [], 0
    for bare, other in pairs or texts():
        change = compare_sql(f"select {bare} as x from t", f"select {other} as x from t", dialect)
        if change.category is not Category.NONE:
            continue
        for values in VALUES:
            row = ", ".join(f"{value} as {name}" for name, value in zip("abc", values, strict=True))
            results = [execute(f"select {text} as x from (select {row}) as t") for text in (bare, other)]
            proven += results[0] is not None
            if results[0] is not None and results[0] != results[1]:
                found.append((bare, other))
    assert proven > 100 / (3 if pairs else 1)
    return found


def executing(cursor: Any, *errors: type[Exception]) -> Execute:
    def execute(sql: str) -> Any:
        with contextlib.suppress(*errors):
            cursor.execute(sql)
            return repr(cursor.fetchall())
        return None

    return execute


@pytest.mark.parametrize("part", [0, *(pytest.param(one, marks=pytest.mark.extensive) for one in (1, 2))])
def test_brackets_in_duckdb(part: int) -> None:
    with duckdb.connect() as connection:
        assert unequal("duckdb", executing(connection, duckdb.Error), texts()[part::3]) == []


@pytest.mark.extensive
def test_brackets_in_sqlite() -> None:
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        assert unequal("sqlite", executing(connection.cursor(), sqlite3.Error)) == []


@pytest.mark.extensive
def test_brackets_in_postgres(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        assert unequal("postgres", executing(connection.cursor(), psycopg.Error)) == []


@pytest.mark.extensive
def test_brackets_in_mariadb(mysql_url: str) -> None:
    place = urlsplit(mysql_url)
    account = {"user": place.username, "password": place.password or "", "database": place.path[1:]}
    with pymysql.connect(host=place.hostname, port=place.port or 3306, **account) as connection:
        assert unequal("mysql", executing(connection.cursor(), pymysql.Error)) == []


@pytest.mark.extensive
@pytest.mark.usefixtures("every_operator")
def test_brackets_with_every_operator(postgres_url: str) -> None:
    for part in range(3):
        test_brackets_in_duckdb(part)
    test_brackets_in_sqlite()
    test_brackets_in_postgres(postgres_url)
