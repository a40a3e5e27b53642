"""Readers that fail because a parent has a new column, with DuckDB as the judge."""

from __future__ import annotations

from functools import cache
from typing import Any

import duckdb
import pytest
from msgspec.structs import replace

from recce_meta.api.diff import NOTHING_MORE, failing_changes, stored_diff, whole_diff
from recce_meta.api.record import record_run
from recce_meta.models import Column, NodeMetadata, RunDiff
from recce_meta.models.node import SEED_HEADER
from recce_meta.report.diff_details import is_unsure
from recce_meta.report.review.phrases import failure_sentences
from recce_meta.sql_lineage.propagation import NOT_ADDED_ABOVE
from tests.support.once import empty_store
from tests.unit.api.test_kept_rows import APPEND, node, project

PARENT, MORE = "select 1 as id, 2 as v", "select 1 as id, 2 as v, 3 as status"
OTHER = node("other", "select 1 as id, 3 as status")
TWO = node("two", "select 1 as id, 3 as w")
IDS = node("ids", "select id from parent", "model.shop.parent")
STAR = node("star", "select * from parent", "model.shop.parent")
ABOVE = (OTHER, TWO, IDS, STAR)


def diff_of(
    reader: str, *, adapter: str = "duckdb", edited: str = MORE, was: str | None = None, **config: Any
) -> RunDiff:
    """Return the diff of a parent that becomes *edited*, or of a reader that *was* another query."""
    names = ["parent", *(one.name for one in ABOVE)]
    sides = [
        project(
            run_id,
            node("parent", sql, **config),
            *ABOVE,
            node("r", query, *(f"model.shop.{one}" for one in names if f" {one}" in query)),
            adapter=adapter,
        )
        for run_id, sql, query in (
            ("b", PARENT if was is None else edited, reader if was is None else was),
            ("bc", edited, reader),
        )
    ]
    diff = whole_diff(*sides, NOTHING_MORE)
    with empty_store() as store:
        runs = [record_run(store, side).run for side in sides]
        stored = stored_diff(store, *runs)
    assert [(one.name, one.fails, one.may_fail) for one in stored.impacted] == [
        (one.name, one.fails, one.may_fail) for one in diff.impacted
    ]
    return diff


@cache
def judge() -> duckdb.DuckDBPyConnection:
    session = duckdb.connect()
    session.sql(f"create table parent as {MORE}")
    for one in ABOVE:
        session.sql(f"create table {one.name} as {one.compiled_code}".replace('"d"."s".', ""))
    return session


def is_refused(reader: str) -> bool:
    try:
        judge().sql(f"create or replace table r as {reader}")
    except duckdb.BinderException:
        return True
    return False


@pytest.mark.parametrize(
    "reader",
    [
        "select * from parent union all select * from two",
        "select * from star union all select * from two",
        "select id, v from parent union all select * from two",
        "select * from parent union all by name select * from two",
        "select * from parent intersect select * from parent",
        "with x as (select * from parent) select id from (select * from x except select * from two) z",
        "select status from other join parent using (id)",
        "select status from other join star using (id)",
        "select other.status from other join parent using (id)",
        "select x.id as k from other as x join parent as y on x.id = y.id where status = 3",
        "select other.id as status from other join parent using (id) order by status",
        "select other.status from other join parent using (id) order by status",
        "select other.status from other join parent using (id) order by upper(status::text)",
        "select other.status, other.status from other join parent using (id) order by status",
        "select parent.id from parent where exists (select 1 from other where status = 3)",
        "select (select max(status) from other) as m from parent",
        "select other.id, (select status) as m from other, parent",
        "select id from other where id in (select * from ids)",
        "select id from other where (id, status) in (select * from parent)",
        "select * from other join parent using (id)",
        "select id from other semi join parent using (id) where status = 3",
        "select * from parent group by 2, id",
        "with x as (select * from parent) select * from x group by x.v, id",
    ],
)
@pytest.mark.cases(6)
def test_a_reader_fails_as_duckdb_refuses_it(reader: str) -> None:
    diff = diff_of(reader)

    failing = {one.name for one in diff.impacted if one.fails}
    assert failing == ({"r"} if is_refused(reader) else set())
    assert bool(failing_changes(diff, frozenset({"fails"}))) is bool(failing)


@pytest.mark.parametrize(
    ("reader", "why"),
    [
        (
            "select * from parent union all select * from two",
            "Set operations can only apply to expressions with the same number of result columns",
        ),
        (
            "select status from other join parent using (id)",
            "Ambiguous reference to column name \"status\" (use: 'other.status' or 'parent.status')",
        ),
    ],
)
def test_the_reason_of_a_failure_is_what_the_new_column_causes(reader: str, why: str) -> None:
    diff = diff_of(reader)

    assert failure_sentences(diff) == [
        f"r fails because of the change of parent: {why} (DuckDB {duckdb.__version__})"
    ]


def test_an_edit_without_another_meaning_may_be_refused() -> None:
    was, reader = (f"select {name} from other join parent using (id)" for name in ("other.status", "status"))

    diff = diff_of(reader, was=was)

    assert is_refused(reader) and not is_refused(was)
    why = "Ambiguous reference to column name \"status\" (use: 'other.status' or 'parent.status')"
    assert failure_sentences(diff) == [f"r fails: {why} (DuckDB {duckdb.__version__})"]


@pytest.mark.parametrize("adapter", ["postgres", "snowflake", "bigquery", "databricks"])
def test_a_result_may_not_repeat_a_column_name_outside_of_duckdb(adapter: str) -> None:
    (found,) = [
        one
        for one in diff_of("select * from other join parent using (id)", adapter=adapter).impacted
        if one.fails
    ]

    assert found.name == "r"


@pytest.mark.parametrize(
    ("reader", "reason"),
    [
        (
            "select * from parent union all select * from raw",
            "a set operation combines queries whose columns are not all known",
        ),
        (
            "select status from raw join parent using (id)",
            "status without a qualifier means columns of two relations",
        ),
    ],
)
def test_a_reader_may_fail_if_what_decides_is_unknown(reader: str, reason: str) -> None:
    (found,) = [one for one in diff_of(reader).impacted if one.name == "r"]

    assert (found.fails, found.may_fail) == (False, reason)


@pytest.mark.parametrize(
    ("header", "raw", "affected"),
    [(None, "raw", "r (status, perhaps)"), (["id", "status"], "raw", "r (status)"), (["id", "w"], "raw", "")],
)
def test_a_star_over_another_node_may_have_had_the_new_column(header: Any, raw: str, affected: str) -> None:
    properties = {} if header is None else {SEED_HEADER: header}
    seed = replace(node(raw, ""), resource_type="seed", properties=properties)
    star = node("r", f"select * from parent join {raw} using (id)", "model.shop.parent", seed.unique_id)
    base, current = (
        project(run_id, node("parent", sql), seed, star) for run_id, sql in (("b", PARENT), ("bc", MORE))
    )
    impacted = whole_diff(base, current, NOTHING_MORE).impacted

    assert ", ".join(f"r ({one.columns[0]}{', perhaps' * is_unsure(one)})" for one in impacted) == affected


@pytest.mark.parametrize(
    "reader",
    ["* from parent group by all", "id, max(v) from (select * from parent) group by id", "* from parent"],
)
def test_a_star_that_is_not_grouped_by_its_columns_does_not_fail(reader: str) -> None:
    assert not is_refused(f"select {reader}")
    assert [one.name for one in diff_of(f"select {reader}").impacted if one.fails or one.may_fail] == []


def test_a_column_of_another_case_is_not_a_certain_failure() -> None:
    edited = 'select 1 as id, 2 as v, 3 as "Status"'
    for reader in (
        "select status from other join parent using (id)",
        "select * from other join parent using (id)",
    ):
        found = diff_of(reader, adapter="postgres", edited=edited)
        assert [(one.name, one.fails, bool(one.may_fail)) for one in found.impacted if one.name == "r"] == [
            ("r", False, True)
        ]


def test_an_edited_query_that_duckdb_refuses_fails() -> None:
    for edited in (
        "select status from other join star using (id)",
        "select * from parent union all select id from two",
    ):
        (found,) = diff_of(edited, was="select id from other").changed
        assert is_refused(edited) and found.fails and found.build_failure, edited


@pytest.mark.cases(4)
@pytest.mark.parametrize(
    ("edited", "adapter"),
    [
        ("select id from other where (id, status) in (select id, v from parent)", "duckdb"),
        ("select id from other where (id, status) not in (select id, v from parent)", "duckdb"),
        ("select id from other where row(id, status) in (select id, v from parent)", "duckdb"),
        ("select id from other where (id, status) = any (select id, v from parent)", "postgres"),
        ("select array(select as struct id, v from parent) as l from other", "bigquery"),
        ("select (select as struct id, v from parent limit 1) as l from other", "bigquery"),
        ("select parent from parent", "bigquery"),
        ("select _metadata.file_path, id from parent", "databricks"),
        ("select user as u, current_role as r, current_catalog as c, id from parent", "postgres"),
    ],
)
def test_an_edited_query_with_rows_structs_and_names_of_functions_does_not_fail(
    edited: str, adapter: str
) -> None:
    (found,) = diff_of(edited, adapter=adapter, was="select id from other").changed

    assert not (adapter == "duckdb" and is_refused(edited))
    assert (found.fails, found.build_failure) == (False, "")


def with_contract(model: NodeMetadata, columns: str) -> NodeMetadata:
    names = tuple(Column(name=name, documented=True, documented_type="int") for name in columns.split())
    return replace(model, contract={"enforced": True}, columns=names)


def test_a_star_fails_that_yields_a_column_which_its_enforced_contract_lacks() -> None:
    reader = with_contract(node("r", "select * from parent", "model.shop.parent"), "id v")
    sides = [project(run, node("parent", sql), reader) for run, sql in (("b", PARENT), ("bc", MORE))]

    assert [one.fails for one in whole_diff(*sides, NOTHING_MORE).impacted] == [True]


@pytest.mark.parametrize(
    ("listed", "edited", "materialized", "why"),
    [
        ("id v", MORE, "table", "its enforced contract lacks the column status"),
        ("id v", "select 1 as id, 2 as w", "view", "its query lacks v, a column of its enforced contract"),
        ("id v w", PARENT, "table", "its query lacks w, a column of its enforced contract"),
        (
            "v ID",
            "select 1 as Id, 2 as v",
            "table",
            "its query spells Id what its enforced contract spells ID",
        ),
        ("id v", MORE, "incremental", ""),
        ("id v", "select 1, 2 as v", "table", ""),
    ],
)
def test_a_model_fails_without_the_columns_of_its_enforced_contract(
    listed: str, edited: str, materialized: str, why: str
) -> None:
    def of(columns: str, sql: str) -> NodeMetadata:
        return with_contract(node("p", sql, materialized=materialized), columns)

    reader = node("r", "select v from p", "model.shop.p")
    diff = whole_diff(
        project("b", of("id v", PARENT), reader), project("bc", of(listed, edited), reader), NOTHING_MORE
    )

    assert diff.changed[0].build_failure == why
    assert [one.name for one in diff.impacted] == ["r"] * bool(why)


@pytest.mark.parametrize(
    ("sql", "declared", "why"),
    [
        ("cast(x as int)", "text", "its query gives v another type than text, its contract's"),
        ("cast(x as date)", "timestamp", "its query gives v another type than timestamp, its contract's"),
        ("upper(x)", "varchar(9)", ""),
        ("cast(x as int)", "double", ""),
        ("x - 1", "date", ""),
        ("coalesce('2024-01-01', x)", "date", ""),
        ("cast(x as int)", "own_type", ""),
        ("cast(x as int)", None, "its enforced contract declares no type of v"),
    ],
)
def test_a_model_fails_whose_query_gives_another_type_than_its_enforced_contract(
    sql: str, declared: str | None, why: str
) -> None:
    def of(sql: str, kind: str | None) -> NodeMetadata:
        columns = (Column(name="v", documented=True, documented_type=kind),)
        model = node("p", f"select {sql} as v from (select y as x from src)", materialized="table")
        return replace(model, contract={"enforced": True}, columns=columns)

    before = project("b", of("current_user", "text"))
    diff = whole_diff(before, project("bc", of(sql, declared)), NOTHING_MORE)

    assert diff.changed[0].build_failure == why


@pytest.mark.cases(6)
@pytest.mark.parametrize(
    ("was", "sql", "declared", "may_fail"),
    [
        ("sum(x)", "avg(x)", "hugeint", True),
        ("x * 2", "x * 2.5", "int", True),
        ("x * 2", "x * 3000000000", "int", True),
        ("x", "cast(x as bigint)", "int", True),
        ("x * 2", "x * 3", "int", False),
        ("concat(x, 'a')", "concat(x, 'b')", "text", False),
        ("x", "cast(y as int)", "int", False),
        ("cast(x as varchar)", "upper(x)", "varchar", False),
    ],
)
@pytest.mark.parametrize("is_contracted", [True, False])
def test_a_model_may_fail_if_an_edited_column_may_leave_the_type_of_its_enforced_contract(
    was: str, sql: str, declared: str, may_fail: bool, is_contracted: bool
) -> None:
    def of(sql: str) -> NodeMetadata:
        model = node("p", f"select {sql} as v from src group by all")
        columns = (Column(name="v", documented=True, documented_type=declared),)
        return replace(model, contract={"enforced": True} if is_contracted else None, columns=columns)

    (found,) = whole_diff(project("b", of(was)), project("bc", of(sql)), NOTHING_MORE).changed

    why = "its enforced contract may not allow the new type of v"
    assert (found.fails, found.may_fail) == (False, why if may_fail and is_contracted else "")


@pytest.mark.parametrize(
    ("edited", "columns", "config", "lacks"),
    [
        (PARENT, ["id", "nope"], {}, "nope"),
        ("select 1 as id, 2 as w", ["V"], {}, "V"),
        (PARENT, ["ID", '"v"', "lower(w)"], {}, ""),
        (PARENT, ["nope"], {"materialized": "view"}, ""),
        (PARENT, ["nope"], {"materialized": "incremental"}, ""),
        (PARENT, ["nope"], {"post-hook": "alter table {{ this }} add column nope int"}, ""),
        ("select * from unknown", ["nope"], {}, ""),
    ],
)
@pytest.mark.parametrize("adapter", ["duckdb", "postgres"])
def test_a_table_fails_without_a_column_of_its_indexes(
    edited: str, columns: list[str], config: dict[str, Any], lacks: str, adapter: str
) -> None:
    config = config | {"indexes": [{"columns": columns}]}
    reader = node("r", "select id from p", "model.shop.p")
    sides = [
        project(run, node("p", sql, **settings), reader, adapter=adapter)
        for run, sql, settings in (("b", PARENT, {}), ("bc", edited, config))
    ]
    diff = whole_diff(*sides, NOTHING_MORE)

    why = f"its indexes name the column {lacks}, which it does not have" if lacks else ""
    assert diff.changed[0].build_failure == why
    assert not lacks or [one.name for one in diff.impacted] == ["r"]


def test_an_index_of_a_column_that_base_does_not_have_either_is_not_a_new_failure() -> None:
    indexes = [{"columns": ["nope"]}]
    sides = [project(run, node("p", sql, indexes=indexes)) for run, sql in (("b", PARENT), ("bc", MORE))]

    assert not whole_diff(*sides, NOTHING_MORE).changed[0].fails


@pytest.mark.parametrize(
    ("kind", "adapter", "fails"),
    [
        ("primary_key", "duckdb", True),
        ("unique", "postgres", True),
        ("foreign_key", "postgres", True),
        ("check", "duckdb", False),  # dbt uses its expression only
        ("not_null", "postgres", False),
        ("unique", "redshift", False),
    ],
)
def test_a_table_fails_without_a_column_of_a_constraint(kind: str, adapter: str, fails: bool) -> None:
    def of(column: str) -> NodeMetadata:
        model = with_contract(node("p", PARENT), "id v")
        constraint = {"type": kind, "columns": [column], "expression": "id > 0"}
        return replace(model, properties={"constraints": [constraint]})

    sides = [project(run, of(column), adapter=adapter) for run, column in (("b", "id"), ("bc", "idx"))]
    (found,) = whole_diff(*sides, NOTHING_MORE).changed

    why = "its constraints name the column idx, which it does not have"
    assert found.build_failure == (why if fails else "")


def test_a_reader_may_fail_if_the_column_arrives_by_a_full_refresh() -> None:
    (found,) = diff_of("select * from parent union all select * from two", **APPEND).impacted

    assert (found.fails, found.may_fail) == (False, NOT_ADDED_ABOVE)


def test_readers_fail_as_well_if_the_rows_of_the_parent_change() -> None:
    edited = f"select * from ({MORE}) x where id > 0"
    found = diff_of("select * from parent union all select * from two", edited=edited)

    assert [one.name for one in found.impacted if one.fails] == ["r"]


def test_a_python_model_may_read_a_new_column() -> None:
    code = "def model(dbt, session):\n    return dbt.ref('parent').union(dbt.ref('two'))\n"
    reader = replace(node("r", code, "model.shop.parent"), language="python")
    diff = whole_diff(
        project("b", node("parent", PARENT), reader),
        project("bc", node("parent", MORE), reader),
        NOTHING_MORE,
    )

    assert diff.changed[0].category_reasons[-1] == "has an unknown effect on r"
    assert [one.name for one in diff.impacted] == ["r"]
