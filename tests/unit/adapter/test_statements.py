"""What a statement needs, as its words tell."""

from __future__ import annotations

import pytest

from recce_meta.adapter.statements import Need, Right, is_query, need_of, only_reads


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*), coalesce(a, 1) FROM t WHERE b IN (1, 2)",
        "select cast(a as decimal(10, 2)), extract(year from b), substring(c from 2) from s.t",
        "WITH x AS (SELECT 1) SELECT * FROM x",
        "(SELECT 1)",
        "VALUES (1), (2)",
        "FROM t",
        "/* INSERT */ SELECT 'DELETE FROM t', \"update\" FROM t -- DROP",
        "SELECT sum(a) OVER (PARTITION BY b), CASE WHEN (a) THEN (b) END FROM t",
        "SELECT * FROM generate_series(1, 10) AS n",
    ],
)
def test_what_only_reads_may_be_asked_twice(sql: str) -> None:
    assert is_query(sql, "postgres")
    assert only_reads(sql, "postgres")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT nextval('s')",
        "SELECT pg_terminate_backend(1)",
        "SELECT my_function(a) FROM t",
        "SELECT public.count(a) FROM t",
        'SELECT "count"(a) FROM t',
    ],
)
def test_a_call_that_nobody_knows_may_do_anything(sql: str) -> None:
    assert is_query(sql, "postgres")
    assert not only_reads(sql, "postgres")


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t VALUES (1)",
        "WITH gone AS (DELETE FROM t RETURNING *) SELECT * FROM gone",
        "SELECT * INTO u FROM t",
        "SELECT * FROM t FOR UPDATE",
        "EXPLAIN ANALYZE DELETE FROM t",
        "EXPLAIN SELECT 1",
        "CALL f()",
        "SET a = 1",
        "SELECT 'not closed",
        "",
    ],
)
def test_what_may_write_may_not_be_asked_twice(sql: str) -> None:
    assert not is_query(sql, "postgres")
    assert not only_reads(sql, "postgres")


def test_what_is_shown_is_no_query_and_only_reads() -> None:
    for sql in ("SHOW TABLES", "DESCRIBE t", "SUMMARIZE t"):
        assert not is_query(sql, "duckdb")
        assert only_reads(sql, "duckdb")


@pytest.mark.parametrize(
    ("sql", "need"),
    [
        ("CREATE SCHEMA s", Need(Right.CREATE_SCHEMA)),
        ("create schema if not exists s", Need(Right.CREATE_SCHEMA)),
        ('CREATE TABLE IF NOT EXISTS "S s"."t" (a INT)', Need(Right.CREATE_TABLE, "S s")),
        ("CREATE OR REPLACE VIEW d.s.v AS SELECT 1", Need(Right.CREATE_TABLE, "s")),
        ("CREATE TABLE t (a INT)", Need(Right.CREATE_TABLE)),
        ('INSERT INTO "s"."t" (a) SELECT b FROM other.u', Need(Right.WRITE, "s")),
        ("INSERT INTO t SELECT b FROM u", Need(Right.WRITE)),
        ("UPDATE s.t SET a = 1", Need(Right.WRITE, "s")),
        ("DELETE FROM s.t", Need(Right.WRITE, "s")),
        ("TRUNCATE TABLE s.t", Need(Right.WRITE, "s")),
        ("SELECT * FROM s.t JOIN u.v ON true", Need(Right.READ, "s")),
        ("WITH a AS (SELECT 1) SELECT * FROM a", Need(Right.READ)),
        ("GRANT ALL ON t TO u", None),
        ("", None),
    ],
)
def test_the_right_that_a_statement_needs(sql: str, need: Need | None) -> None:
    assert need_of(sql, "postgres") == need


@pytest.mark.parametrize(
    ("message", "schema"),
    [
        ("permission denied for table b", "pr"),
        ("permission denied for schema pr", "pr"),
        ("permission denied for table a", "prod"),
        ("permission denied", "prod"),
    ],
)
def test_the_schema_of_a_refused_relation_is_that_of_the_message(message: str, schema: str) -> None:
    sql = "SELECT * FROM prod.a AS x FULL JOIN pr.b AS y ON x.id = y.id"

    assert need_of(sql, "postgres", message) == Need(Right.READ, schema)


def test_a_refused_relation_that_is_in_two_schemas_has_no_certain_schema() -> None:
    sql = "SELECT * FROM prod.a AS x FULL JOIN pr.a AS y ON x.id = y.id"

    assert need_of(sql, "postgres", "permission denied for table a") == Need(Right.READ)
    assert need_of(sql, "postgres", "permission denied for schema pr") == Need(Right.READ, "pr")
