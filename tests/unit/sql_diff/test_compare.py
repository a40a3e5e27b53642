"""What a change is told to be, beyond its category: columns, renames, moves, reasons."""

from __future__ import annotations

import pytest

from recce_meta.models.change import Category, ColumnChange, Status
from recce_meta.sql_diff import compare_queries, compare_sql
from recce_meta.sql_lineage import resolve_query

SCHEMAS = {
    "t": dict.fromkeys(("a", "b", "c", "d"), "int"),
    "u": dict.fromkeys(("a", "e", "f"), "int"),
}


def test_a_renamed_column_is_told_with_its_new_name() -> None:
    change = compare_sql("select a, b from t", "select a as x, b + 1 as b from t", "duckdb", SCHEMAS)

    assert change.category is Category.PARTIAL_BREAKING
    assert change.columns == (
        ColumnChange("x", Status.ADDED),
        ColumnChange("b", Status.MODIFIED),
        ColumnChange("a", Status.REMOVED, renamed_to="x"),
    )
    assert change.reasons == ("column added: x", "column modified: b", "column removed: a")


@pytest.mark.parametrize("count", ["count(*)", "count_star()"])
def test_an_aggregate_beside_another_adds_a_column_alone(count: str) -> None:
    change = compare_sql(f"select {count} as n from t", f"select {count} as n, sum(a) as s from t", "duckdb")

    assert (change.category, change.reasons) == (Category.NON_BREAKING, ("column added: s",))


def test_a_moved_column_is_told() -> None:
    moved = compare_sql("select a, b, c from t", "select c, a, b from t")
    added = compare_sql("select a, b from t", "select a, c, b from t")

    assert (moved.category, moved.moved, moved.columns) == (Category.NON_BREAKING, True, ())
    assert (added.category, added.moved) == (Category.NON_BREAKING, False)


def test_columns_of_one_name_are_compared_in_order() -> None:
    same = compare_sql("select a as x, b as x from t", "select a as x, b as x from t")
    swapped = compare_sql("select a as x, b as x from t", "select b as x, a as x from t")

    assert same.category is Category.NONE
    assert swapped.columns == (ColumnChange("x", Status.MODIFIED),)


def test_a_column_of_using_that_no_side_has_any_more_is_compared() -> None:
    query = "with r as (select a, b as {} from t) select y, l.a from r as l join r using (y)"

    broken = compare_sql(query.format("y"), query.format("z"), "duckdb", SCHEMAS)
    still = compare_sql(query.format("z"), query.format("z") + " where true", "duckdb", SCHEMAS)

    assert broken.category is Category.BREAKING
    assert still.category is Category.NONE


@pytest.mark.parametrize(("dialect", "made"), [("duckdb", "struct_pack({})"), ("bigquery", "struct({})")])
def test_a_column_names_the_field_of_a_struct(dialect: str, made: str) -> None:
    query = "with p as (select a as {0} from t) select to_json({1}) as s from p"
    old, new = (query.format(name, made.format(name)) for name in ("x", "y"))

    assert compare_sql(old, new, dialect, SCHEMAS).columns == (ColumnChange("s", Status.MODIFIED),)
    assert compare_sql(old, old.replace("(a", "( a"), dialect, SCHEMAS).category is Category.NONE


def test_an_unnamed_column_is_known_by_its_text() -> None:
    # What warehouses call it, sum(t.a) or SUM(K.A), is made of the text.
    change = compare_sql("select sum(t.a) from t", "select sum(k.a) from t as k", "duckdb", SCHEMAS)

    assert change.columns == (ColumnChange("column 1", Status.MODIFIED),)


@pytest.mark.parametrize(
    ("old", "new", "reasons"),
    [
        ("select a from t", "select a from t where b > 1", ("filter added",)),
        ("select a from t where b > 1", "select a from t where b > 2", ("filter changed",)),
        ("select a from t where b > 1", "select a from t", ("filter removed",)),
        ("select a from t", "select t.a from t left join u on u.a = t.a", ("join added: u",)),
        ("select t.a from t left join u on u.a = t.a", "select a from t", ("join removed: u",)),
        ("select t.a from t left join u using (a)", "select t.a from t join u using (a)", ("join changed",)),
        ("select e from t join u on b = e", "select e from t join u on b = f", ("join or filter changed",)),
        ("select a from t", "select a from u", ("reads u instead of t",)),
        ("select a, b from t group by 1, 2", "select a, b from t group by 1, 2, c", ("grouping changed",)),
        ("select a from t", "select max(a) as a from t", ("aggregate added",)),
        ("select a from t", "select distinct a from t", ("distinct added",)),
        ("select distinct a from t", "select distinct a, b from t", ("DISTINCT columns changed",)),
        ("select a from t limit 1", "select a from t limit 2", ("limit changed",)),
        ("select a from t", "select a from t order by a", ("final order added",)),
        ("select a from t", "select a, unnest([1, 2]) as n from t", ("row-generating function added",)),
        ("select a from t", "select a from t qualify rank() over () < 3", ("QUALIFY filter added",)),
        ("select a from t union all select a from u", "select a from t", ("query changed",)),
        (
            "select a from t union all select a from u",
            "select a from t union all select a from u union all select e from u",
            ("operand added",),
        ),
        (
            "with x as (select a, b from t), y as (select a, max(b) as b from x group by a) select * from y",
            "with x as (select a, b from t where c > 1), y as (select a, max(b) as b from x group by a) "
            "select * from y",
            ("filter added",),
        ),
        (
            "with x as (select a, b from t) select a from x where b > 1",
            "with z as (select a, b from t where c > 1) select a from z where b > 1",
            ("filter added",),
        ),
    ],
)  # fmt: skip
def test_the_reason_is_what_was_edited_and_nothing_that_follows_from_it(
    old: str, new: str, reasons: tuple[str, ...]
) -> None:
    change = compare_sql(old, new, "duckdb", SCHEMAS)

    assert change.category is Category.BREAKING
    assert change.reasons == reasons


def test_of_other_rows_only_columns_that_are_computed_otherwise_are_named() -> None:
    change = compare_sql(
        "with x as (select a, b from t) select a, b from x",
        "with x as (select a, b + 1 as b from t where c > 1) select a, b from x",
        "duckdb",
        SCHEMAS,
    )

    assert (change.category, change.columns) == (Category.BREAKING, (ColumnChange("b", Status.MODIFIED),))


def test_a_parent_with_another_column_changes_what_a_star_yields() -> None:
    grown = {"t": dict.fromkeys(("a", "b"), "int"), "u": SCHEMAS["u"]}
    change = compare_sql("select * from t", "select * from t", "duckdb", {"t": {"a": "int"}}, grown)
    u = {"e": "", "a": ""}
    natural = "select e from t natural join u"
    joined = compare_sql(
        natural, natural, "duckdb", {"t": {"b": ""}, "u": u}, {"t": {"b": "", "a": ""}, "u": u}
    )

    assert change.columns == (ColumnChange("b", Status.ADDED),)
    assert (change.category, joined.category) == (Category.NON_BREAKING, Category.BREAKING)


@pytest.mark.parametrize(
    ("old", "new", "category"),
    [
        ("select a from", "select a from t", Category.UNKNOWN),
        ("select a from t", "select ((( from", Category.UNKNOWN),
        ("select a from t", "drop table t", Category.UNKNOWN),
        ("merge into t using u on t.a = u.a when matched then update set b = 1",
         "MERGE INTO t USING u ON t.a = u.a -- same\nWHEN matched THEN UPDATE SET b = 1", Category.NONE),
        ("update t set a = 1", "update t set a = 2", Category.BREAKING),
        ("select a from t", "update t set a = 2", Category.BREAKING),
        ("insert into u select a, e from t", "insert into u select e, a from t", Category.BREAKING),
        ("create table x as select a from t", "create table x as select a, b from t", Category.NON_BREAKING),
        ("select a from t;", "select a from t", Category.NONE),
        ("select 'merge; x' as a from t", "select 'merge; x' as a, b from t", Category.NON_BREAKING),
    ],
)  # fmt: skip
def test_what_is_no_query_is_compared_as_it_is_written(old: str, new: str, category: Category) -> None:
    assert compare_sql(old, new, "duckdb", SCHEMAS).category is category


def test_a_dialect_that_nobody_knows_is_read_as_none() -> None:
    assert compare_sql("select a from t", "select a, b from t", "xyz").category is Category.NON_BREAKING


def test_resolved_queries_are_compared_without_parsing_them_again() -> None:
    old, new = (resolve_query(sql, "duckdb", SCHEMAS) for sql in ("select a from t", "select a, b from t"))

    assert compare_queries(old, new, "duckdb").columns == (ColumnChange("b", Status.ADDED),)


def test_what_is_nested_deep_and_what_is_long_is_compared() -> None:
    deep, long = "a", " and ".join(f"b <> {number}" for number in range(1500))
    for number in range(150):
        deep = f"coalesce({deep}, {number})"
    chain = "with c0 as (select a from t)" + "".join(
        f", c{number} as (select a + {number} as a from c{number - 1})" for number in range(1, 200)
    )
    old = f"{chain} select a, {deep} as x from c199 as t where {long.replace('b', 'a')}"

    assert compare_sql(old, old.replace("a + 7 ", "a + 8 "), "duckdb", SCHEMAS).category is Category.BREAKING
    assert compare_sql(old, old + " and a <> -1", "duckdb", SCHEMAS).reasons == ("filter added",)
    assert compare_sql(old, old.replace(" c0", " first"), "duckdb", SCHEMAS).category is Category.NONE


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("delete from t returning a", "delete from u returning a"),
        ("delete from t", "delete from t where a > 1"),
        ("update t set a = 1", "update t set a = 2"),
        ("insert into t (a) select e from u", "insert into t (a) select f from u"),
    ],
)
def test_a_statement_that_changes_data_in_a_with_counts_though_no_query_reads_it(old: str, new: str) -> None:
    change = compare_sql(
        f"with d as ({old}) select a from t", f"with d as ({new}) select a from t", "postgres", SCHEMAS
    )

    assert (change.category, change.reasons) == (Category.BREAKING, ("statement in WITH changed",))


def test_columns_of_a_pivot_that_are_not_found_are_not_taken_for_each_other() -> None:
    pivot = "from t pivot (sum(a) for b in ('x', 'y'))"

    for old, new in (("x", "y"), ("p", "q"), ("x", "q")):
        change = compare_sql(f"select {old} as n {pivot}", f"select {new} as n {pivot}", "snowflake", SCHEMAS)
        assert change.category is Category.PARTIAL_BREAKING


@pytest.mark.parametrize("decorator", ["", "$20240102", "$__UNPARTITIONED__"])
def test_another_partition_of_a_table_is_breaking(decorator: str) -> None:
    change = compare_sql(
        "select a from `s.t$20240101`", f"select a from `s.t{decorator}`", "bigquery", SCHEMAS
    )

    assert change.category is Category.BREAKING


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("select a as x, b as X from t", "select a as X, b as x from t"),
        ("select 1 as a, 2 as A", "select 1 as A, 2 as a"),
    ],
)
def test_names_that_differ_in_capitals_and_change_places_are_not_the_same(old: str, new: str) -> None:
    change = compare_sql(old, new, "duckdb", SCHEMAS)

    assert change.category is Category.PARTIAL_BREAKING
