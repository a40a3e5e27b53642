"""Every identifier of a query is a column that is read, or a name that the query makes or calls.

The queries are those of tests/data/lineage_cases, and one for each place in which a column once hid.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlglot
from packaging.version import Version
from sqlglot import exp

from recce_meta.errors import SqlNotAnalysed
from recce_meta.models.change import Category
from recce_meta.sql_diff import compare_sql
from recce_meta.sql_lineage import analyse_query, resolve_query
from recce_meta.sql_lineage.context import Deadline
from recce_meta.sql_lineage.parse import NAMES, parse
from recce_meta.sql_lineage.query import Pivot, Query, Select, SetOperation, Values
from recce_meta.sql_lineage.statements import CHANGING
from tests.unit.sql_lineage.test_cases import CASES, parts

NOT_READ = frozenset(
    tuple(place.split("."))
    for place in """
    Column.this Except.on Hint.expressions In.expressions Insert.conflict Insert.partition Intersect.on
    Limit.expression Lock.expressions MatchRecognize.rows Partition.expressions Select.settings SetItem.this
    Star.except Star.except_ Star.rename Union.on UnpivotColumns.expressions UnpivotColumns.this
    """.split()
)
"""Places, as class and argument, of columns that are words: what a star leaves out, what a pivot makes."""

HIDING = (
    ("duckdb", "30", "select x.id from x join y nearest 1 by distance abs(x.p - y.q)", "x.p y.q"),
    ("postgres", "30", "select r.v from t, rows from (f(t.p), g(t.q)) as r(v, w)", "t.p t.q"),
    ("hive", "0", "select a from t sort by p limit 3", "t.p"),
    ("spark", "0", "select a from t cluster by p limit 3", "t.p"),
    (
        "snowflake",
        "30",
        "select * from t pivot(sum(a) for q in (select p from u where r > 1))",
        "u.p u.r t.q",
    ),
    ("clickhouse", "30", "select c, d from t array join p as c, t.q as d", "t.p t.q"),
    ("clickhouse", "0", "select a.1 as x from t", "t.a"),
    ("duckdb", "0", "select [x + p for x in l if x > q] as n from t", "t.l t.p t.q"),
    ("duckdb", "30", "select min(columns(* replace (a + b as a))) from t", "t.a t.b"),
    ("duckdb", "0", "select columns('a.*') + b from t", "t.a t.b"),
    (
        "",
        "0",
        "select c from ((t cross join u) cross join (select c from y where d > 1) as s) as j",
        "y.c y.d",
    ),
    ("hive", "0", "select a from t tablesample (bucket 1 out of 5 on p)", "t.p"),
    ("duckdb", "30", "select min from (summarize t)", "t.a t.b"),
    ("duckdb", "30", "select #2 as x from t", "t.b"),
    ("bigquery", "0", "select `p.d.t`.`a`.`f` as x from `p.d.t`", "p.d.t.a"),
    ("snowflake", "0", "select * from (table(f(1)) join t on t.p = 1)", "t.p"),
)
"""Dialect, oldest sqlglot that parses it, query, and columns that it reads."""

CHANGES = (
    ("duckdb", "30", "select #2 as a, #1 as b from (values (1, 'x'))", "'x'", "'y'"),
    ("duckdb", "0", "select columns('a.*') from t", "a.*", "b.*"),
    ("duckdb", "0", "select max(columns(*)) from t", "max", "min"),
    ("duckdb", "30", "with recursive r(a, b) using key (a, b) as (select 1, 2 union select a, b from r)"
     " select * from r", "(a, b) as", "(a) as"),
    ("postgres", "0", "select * from ((values (1), (2)) order by 1 limit 1) as t(x)", "limit 1", "limit 2"),
    ("bigquery", "0", "with c as (select [1, 2] as p) select r from c, `c.p` as r", "2]", "3]"),
    ("clickhouse", "0", "select a.1 as x from t", "a.1", "a.2"),
    ("clickhouse", "0", "select type from values ('type Int', (1), (2))", "(2)", "(3)"),
    ("bigquery", "0", "select `p.d.t`.`a`.`f` as x from `p.d.t`", "`a`", "`b`"),
    ("snowflake", "0", "select * from (table('t1') cross join table('t2'))", "t2", "t3"),
    ("snowflake", "30", "create view v with row access policy p on (c) as select c from t", "y p", "y q"),
    ("hive", "0", "from x insert into table a select k insert into table b select v where k > 0", "0", "1"),
    ("trino", "30", "with function f() returns integer return 1 select f() as x", "return 1", "return 2"),
)  # fmt: skip
"""Dialect, oldest sqlglot that parses it, query, and an edit that is not understood or changes the rows."""


def is_too_old(since: str) -> bool:
    return Version(sqlglot.__version__) < Version(since)


def every_query() -> Iterator[tuple[str, str, str]]:
    """Name, dialect and text of each query that this sqlglot parses."""
    for file in sorted(CASES.glob("*.sql")):
        for place, block in enumerate(file.read_text(encoding="utf-8").strip().split("\n\n")):
            dialect, since, sql, _ = parts(block)
            if not is_too_old(since):
                yield f"{file.stem}-{place + 1}", dialect, sql
    for place, (dialect, since, sql, _) in enumerate(HIDING):
        if not is_too_old(since):
            yield f"hiding-{place}", dialect, sql


QUERIES = tuple(every_query())


def noted(query: Query) -> set[int]:
    """The ids of all nodes of which *query*, or one within it, knows what they mean."""
    found: set[int] = set()
    seen: set[int] = set()
    stack: list[object] = [query]
    while stack:
        one = stack.pop()
        if id(one) in seen or one is None:
            continue
        seen.add(id(one))
        if isinstance(one, (Select, SetOperation, Pivot)):
            found |= set(one.references)
        if isinstance(one, Select):
            stack += [source.relation for source in one.sources] + [cte.query for cte in one.ctes]
            stack += one.subqueries.values()
        elif isinstance(one, SetOperation):
            stack += [*one.operands, *one.subqueries.values(), *(cte.query for cte in one.ctes)]
        elif isinstance(one, Pivot):
            stack += [one.source.relation, *one.reads.subqueries]
        for output in getattr(one, "outputs", ()):
            stack += [*output.reads.subqueries, *output.reads.tests]
        for reads in [getattr(one, "reads", None)]:
            stack += [*reads.subqueries, *reads.tests] if reads is not None else []
    return found


def places_of(node: exp.Expression) -> Iterator[tuple[str, str]]:
    """The places in which *node* and all that is around it stand, innermost first."""
    while node.parent is not None:
        yield type(node.parent).__name__, node.arg_key or ""
        node = node.parent


def is_bound(column: exp.Expression) -> bool:
    """Whether *column* is the variable of a comprehension around it."""
    around = column.find_ancestor(exp.Comprehension)
    made = [around.expression, around.args.get("position")] if around is not None else []
    return any(one is not None and one.name == column.name for one in made)


def is_made_by_unpivot(column: exp.Expression) -> bool:
    """Whether *column* names what an UNPIVOT makes, which old parsers take for columns."""
    pivot = column.find_ancestor(exp.Pivot)
    names = ("Pivot", "expressions"), ("Tuple", "expressions"), ("In", "this")
    return pivot is not None and bool(pivot.args.get("unpivot")) and next(places_of(column)) in names


def is_read_from_a_copy(column: exp.Expression) -> bool:
    """Whether *column* stands in a statement that a CTE runs: its cases say what it reads."""
    cte = column.find_ancestor(exp.CTE)
    while cte is not None and not isinstance(cte.this, CHANGING):
        cte = cte.find_ancestor(exp.CTE)
    return cte is not None


def test_every_column_in_a_query_is_read(subtests: pytest.Subtests) -> None:
    assert QUERIES
    for name, dialect, sql in QUERIES:
        with subtests.test(name):
            query = resolve_query(sql, dialect, {})
            known = noted(query)
            unread = [
                (column.sql(), next(places_of(column)))
                for column in query.node.root().find_all(exp.Column)  # type: ignore[union-attr]
                if id(column) not in known
                and not isinstance(column.this, exp.Star)
                and not NOT_READ.intersection(places_of(column))
                and not is_bound(column)
                and not is_made_by_unpivot(column)
                and not is_read_from_a_copy(column)
            ]

            assert isinstance(query, Values) or not unread


def test_every_bare_identifier_is_a_name(subtests: pytest.Subtests) -> None:
    assert QUERIES
    for name, dialect, sql in QUERIES:
        with subtests.test(name):
            tree = parse(sql, dialect, Deadline(None))[0].query
            bare = [
                (identifier.sql(), place)
                for identifier in tree.find_all(exp.Identifier)
                if (place := next(places_of(identifier))) not in NAMES
                and place[0] not in ("Column", "Table", "Dot")
                and identifier.find_ancestor(exp.Pivot, exp.Lambda) is None
                and place[1] != "format"
            ]

            assert not bare


@pytest.mark.parametrize(("dialect", "since", "sql", "columns"), HIDING)
def test_columns_in_rare_places_are_read(dialect: str, since: str, sql: str, columns: str) -> None:
    if is_too_old(since):
        pytest.skip("this sqlglot cannot parse it")
    schemas = {"t": {"a": "int", "b": "int"}} if {"t.a", "t.b"} & {*columns.split()} else {}
    found = analyse_query(sql, dialect, schemas)
    read = {(source.parent, source.column) for output in found.outputs for source in output.sources}
    read |= {(use.parent, use.column) for use in found.uses}

    assert {tuple(name.rsplit(".", 1)) for name in columns.split()} <= read


@pytest.mark.parametrize(("dialect", "since", "sql", "old", "new"), CHANGES)
def test_what_is_not_understood_is_never_called_no_change(
    dialect: str, since: str, sql: str, old: str, new: str
) -> None:
    if is_too_old(since):
        pytest.skip("this sqlglot cannot parse it")
    try:
        resolve_query(sql, dialect, {})
    except SqlNotAnalysed:
        assert compare_sql(sql, sql, dialect).category is Category.UNKNOWN
    else:
        assert compare_sql(sql, sql, dialect).category is Category.NONE
    edited = sql.replace(old, new)

    assert edited != sql
    assert compare_sql(sql, edited, dialect).category is not Category.NONE
