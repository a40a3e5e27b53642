"""Nodes that a database refuses to build, although each rule of ours allows them."""

from __future__ import annotations

import re
from typing import Any

import duckdb
import pytest
from msgspec.structs import replace

from recce_meta.api.diff import NOTHING_MORE, stored_diff, whole_diff
from recce_meta.api.impact import as_bound, impact_in
from recce_meta.api.record import record_run
from recce_meta.api.run_reader import MemoryRunReader
from recce_meta.models import Column, NodeMetadata, NodeResult, Project, RunDiff
from recce_meta.models.change import Category
from recce_meta.models.lineage import Direction
from recce_meta.models.node import SEED_HEADER
from recce_meta.report.review.phrases import doubt_sentences, failure_sentences
from recce_meta.warehouses.duckdb.binder import Binder
from tests.support.once import empty_store
from tests.unit.api.test_kept_rows import node, project

SAID = f"DuckDB {duckdb.__version__}"
REVENUE = """select c.customer_id, c.name, o.revenue
from stg_customers c
join (select customer_id, sum(amount) as revenue from stg_orders group by customer_id) o
  on c.customer_id = o.customer_id"""
QUERIES = {
    "stg_customers": "select id as customer_id, name from raw_customers",
    "stg_orders": "select id as order_id, customer_id, amount, status from raw_orders",
    "revenue": REVENUE,
    "total": "select sum(revenue) as s from revenue",
    "by_status": "select upper(status) as grp, count(*) as n from stg_orders group by grp",
}
ORDERS = "select id as order_id, customer_id, {}, status from raw_orders"


def seed(name: str, types: dict[str, str]) -> NodeMetadata:
    return replace(
        node(name, ""),
        unique_id=f"seed.shop.{name}",
        resource_type="seed",
        compiled_code=None,
        columns_from="catalog",
        columns=tuple(Column(column, type=kind) for column, kind in types.items()),
        properties={SEED_HEADER: list(types)},
    )


SEEDS = (
    seed("raw_customers", {"id": "INTEGER", "name": "VARCHAR"}),
    seed("raw_orders", {"id": "INTEGER", "customer_id": "INTEGER", "amount": "DOUBLE", "status": "VARCHAR"}),
)


def shop(run_id: str, edits: dict[str, str], adapter: str = "duckdb", **config: Any) -> Project:
    nodes = []
    for name, sql in (QUERIES | edits).items():
        read = [
            one
            for one in ("raw_customers", "raw_orders", *QUERIES)
            if re.search(rf"(from|join) {one}\b", sql)
        ]
        parents = [f"{'seed' if one.startswith('raw') else 'model'}.shop.{one}" for one in read]
        nodes.append(replace(node(name, sql, *parents, **config), path=f"models/{name}.sql"))
    return project(run_id, *SEEDS, *nodes, adapter=adapter)


def diff_of(adapter: str = "duckdb", *, was: dict[str, str] | None = None, **edits: str) -> RunDiff:
    """Return the diff of the shop and of the shop with *edits*."""
    return diff_between(shop("b", was or {}, adapter), shop("bc", edits, adapter))


def diff_between(*sides: Project) -> RunDiff:
    """Return the diff of both *sides*: the same in memory and of stored runs."""
    diff = whole_diff(*sides, NOTHING_MORE)
    with empty_store() as store:
        stored = stored_diff(store, *(record_run(store, side).run for side in sides))
    for one in (failure_sentences, doubt_sentences):
        assert one(stored) == one(diff)
    return diff


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (
            "c.customer_id, c",
            "customer_id, c",
            "Ambiguous reference to column name \"customer_id\" (use: 'c.customer_id' or 'o.customer_id') "
            "(models/revenue.sql:1",
        ),
        (
            "select customer_id, sum",
            "select customer_id, status, sum",
            'column "status" must appear in the GROUP BY clause or must be part of an aggregate function. '
            "(models/revenue.sql:3",
        ),
        ("c.name", "x.name", 'Referenced table "x" not found! (models/revenue.sql:1'),
        ("c.name", "c.nam", 'Values list "c" does not have a column named "nam" (models/revenue.sql:1'),
        (
            "sum(amount)",
            "sum(max(amount))",
            "aggregate function calls cannot be nested (models/revenue.sql:3",
        ),
        (
            "c.name",
            "sum(c.name) as name",
            "No function matches the given name and argument types 'sum(VARCHAR)'. "
            "You might need to add explicit type casts. (models/revenue.sql:1",
        ),
        (
            "o.revenue",
            "o.revenue + c.name as revenue",
            "No function matches the given name and argument types '+(DOUBLE, VARCHAR)'. "
            "You might need to add explicit type casts. (models/revenue.sql:1",
        ),
    ],
)
@pytest.mark.cases(3)
def test_an_edit_fails_with_the_sentence_the_line_and_the_version(old: str, new: str, why: str) -> None:
    diff = diff_of(revenue=REVENUE.replace(old, new))

    (found,) = failure_sentences(diff)
    if duckdb.__version__ >= "1.4":  # other versions say it in other words
        assert found == f"revenue fails: {why}, {SAID})"
    assert next(one for one in diff.changed if one.name == "revenue").category is Category.BREAKING


@pytest.mark.parametrize(
    ("parent", "reader", "start"),
    [
        ("cast(amount as varchar) as amount", "revenue", "No function matches"),
        ("amount, 1 as grp", "by_status", 'column "status" must appear in the GROUP BY clause'),
    ],
)
def test_a_reader_that_nobody_edited_fails_by_a_type_or_by_a_new_column(
    parent: str, reader: str, start: str
) -> None:
    diff = diff_of(stg_orders=ORDERS.format(parent))

    (found,) = failure_sentences(diff)
    assert found.startswith(f"{reader} fails because of the change of stg_orders: {start}")


@pytest.mark.parametrize(
    ("old", "new", "doubt"),
    [
        ("c.name", "cast(c.name as nope) as name", "Type with name nope does not exist!"),
        ("c.name", "soundex_of(c.name) as name", "Scalar Function with name soundex_of does not exist!"),
    ],
)
def test_an_unknown_function_or_type_may_be_one_of_the_users_database(old: str, new: str, doubt: str) -> None:
    diff = diff_of(revenue=REVENUE.replace(old, new))

    assert failure_sentences(diff) == []
    (found,) = doubt_sentences(diff)
    assert doubt in found


@pytest.mark.parametrize(
    "edit",
    [
        REVENUE.replace("c.name", "c.name, 1 as one"),
        REVENUE.replace(" c\n", " as k\n").replace("c.", "k."),
        f"with x as ({REVENUE}) select * from x",
        f"{REVENUE} -- )",
        REVENUE.replace("o.revenue", "o.revenue * 1.1 as revenue"),
        REVENUE.replace("c.name", "coalesce(c.name, 'none') as name"),
        REVENUE + " where o.revenue > (select avg(amount) from stg_orders)",
    ],
)
@pytest.mark.cases(3)
def test_what_duckdb_builds_raises_no_alarm(edit: str) -> None:
    diff = diff_of(revenue=edit)

    assert (failure_sentences(diff), doubt_sentences(diff), diff.notes) == ([], [], ())


@pytest.mark.parametrize("has_catalog", [True, False])
@pytest.mark.parametrize(
    "columns", ["* replace (cast(amount as varchar) as amount)", "* exclude (amount), '' as amount"]
)
@pytest.mark.cases(2)
def test_a_column_next_to_a_star_has_the_type_of_its_edit(columns: str, has_catalog: bool) -> None:
    source = replace(SEEDS[1], unique_id="source.shop.raw.raw_orders", resource_type="source", properties={})
    if not has_catalog:
        source = replace(source, columns=(), columns_from=None)
    sides = []
    for run_id, listed in (("b", "*"), ("bc", columns)):
        above = node("orders", f"select {listed} from raw_orders", source.unique_id)
        reader = node("m", "select sum(amount) as s from orders", above.unique_id)
        sides.append(project(run_id, source, above, reader))

    (found,) = failure_sentences(whole_diff(sides[0], sides[1], NOTHING_MORE))

    assert found.startswith("m fails because of the change of orders: No function matches")


def test_what_base_cannot_build_either_is_not_judged() -> None:
    base, current = (REVENUE.replace("c.name", f"c.nam{end}") for end in ("", "e2"))

    diff = diff_of(was={"revenue": base}, revenue=current)

    assert all("DuckDB" not in one for one in failure_sentences(diff))


def test_a_function_that_base_calls_is_one_that_the_warehouse_has() -> None:
    base = REVENUE.replace("c.name", "clean(c.name) as name")

    assert doubt_sentences(diff_of(was={"revenue": base}, revenue=f"{base} where true")) == []
    (found,) = failure_sentences(diff_of(was={"revenue": base}, revenue=base.replace("c.name", "c.nam")))
    assert 'does not have a column named "nam"' in found


def test_columns_of_unknown_types_prove_faults_of_names_alone() -> None:
    bare = tuple(replace(one, columns=(), columns_from=None) for one in SEEDS)
    sides = [
        shop("b", {}),
        shop("bc", {"revenue": REVENUE.replace("o.revenue", "o.revenue + c.name as revenue")}),
    ]
    sides = [replace(one, nodes=(*bare, *one.nodes[len(SEEDS) :])) for one in sides]

    assert failure_sentences(whole_diff(sides[0], sides[1], NOTHING_MORE)) == []

    wrong = replace(
        sides[1], nodes=(*bare, *shop("bc", {"revenue": REVENUE.replace("c.n", "c.m")}).nodes[2:])
    )
    (found,) = failure_sentences(whole_diff(sides[0], wrong, NOTHING_MORE))
    assert 'does not have a column named "mame"' in found


@pytest.mark.parametrize("has_catalog", [True, False])
def test_a_table_that_others_fill_may_have_newer_columns_than_its_catalog(has_catalog: bool) -> None:
    source = replace(
        node("raw_orders", ""),
        unique_id="source.shop.raw_orders",
        resource_type="source",
        compiled_code=None,
        columns_from="catalog" if has_catalog else None,
        columns=SEEDS[1].columns if has_catalog else (),
    )
    reads = [node("m", f"select {one} from raw_orders", source.unique_id) for one in ("id", "id, arrived")]
    sides = [project(run_id, source, one) for run_id, one in zip(("b", "bc"), reads, strict=True)]

    diff = whole_diff(sides[0], sides[1], NOTHING_MORE)

    assert failure_sentences(diff) == []
    assert ['"arrived" not found' in one for one in doubt_sentences(diff)] == [True] * has_catalog


def in_shop(orders: str, sql: str, *, raw: str | None = None, **config: Any) -> Project:
    """Return the shop with a reader of the columns *orders*; dbt compiles its template *raw* to *sql*."""
    shown = shop("b", {"stg_orders": ORDERS.format(orders)})
    reader = node("reader", sql, "model.shop.stg_orders", **config)
    reader = replace(reader, path="models/reader.sql", raw_code=raw or sql)
    run = replace(shown.run, run_id=f"{orders}: {raw}")
    return replace(shown, run=run, nodes=(*shown.nodes, reader))


BRANCHES = {
    "if target.name = 'prod'": "{% if target.name == 'prod' %}",
    "if var('more') is set and var('more')": "{% if var('more', false) %}",
    "if env_var('MORE') = '1' and env_var('MORE') is set": "{% if env_var('MORE', '0') == '1' %}",
    "if is_incremental()": "{% if is_incremental() %}",
    "if not is_incremental()": "{% if not is_incremental() %}",
}


@pytest.mark.parametrize("when", BRANCHES)
@pytest.mark.cases(2)
def test_a_branch_that_dbt_did_not_compile_fails_on_its_condition(when: str) -> None:
    def of(orders: str, name: str) -> Project:
        raw = (
            "select order_id from {{ ref('stg_orders') }} "
            + BRANCHES[when]
            + f" where {name} > 1 {{% endif %}}"
        )
        return in_shop(orders, "select order_id from stg_orders", raw=raw)

    base = of("amount", "amount")
    # An edit above it, and one of its own.
    for edited, name in ((of("1 as renamed", "amount"), "amount"), (of("amount", "amounts"), "amounts")):
        failing = failure_sentences(diff_between(base, edited))
        (found,) = [one for one in failing if one.startswith("reader fails")]
        assert f': {when}: Referenced column "{name}" not found in FROM clause! (models/reader.sql, ' in found

    diff = whole_diff(base, of("amount, 1 as more", "order_id"), NOTHING_MORE)
    assert (failure_sentences(diff), doubt_sentences(diff)) == ([], [])


def test_a_value_that_no_artifact_has_proves_no_fault_of_types() -> None:
    raw = "select order_id from {{ ref('stg_orders') }} where amount > {{ var('least') }}"
    base, edited = (
        in_shop(orders, "select order_id from stg_orders where amount > 5", raw=raw)
        for orders in ("amount", "cast('2026-01-01' as date) as amount")
    )

    diff = whole_diff(base, edited, NOTHING_MORE)

    assert not any("if var" in one for one in failure_sentences(diff))


@pytest.mark.parametrize(
    ("old", "new", "declared", "why"),
    [
        (
            "amount",
            "cast(amount as decimal(9, 2)) as amount",
            "double",
            "DECIMAL(9,2), its contract says DOUBLE",
        ),
        ("1 as amount", "cast(1 as bigint) as amount", "integer", "BIGINT, its contract says INTEGER"),
        ("1 as amount", "cast(2 as int4) as amount", "int", ""),
        ("'a' as amount", "cast('b' as text) as amount", "varchar(10)", ""),
        ("1 as amount", "2 as amount", "bigint", ""),
        ("amount", "unknown_function(amount) as amount", "double", ""),
    ],
)
@pytest.mark.cases(3)
def test_the_types_of_an_enforced_contract_are_those_that_duckdb_gives(
    old: str, new: str, declared: str, why: str
) -> None:
    def of(orders: str, expression: str) -> Project:
        found = in_shop(orders, f"select {expression}, status from stg_orders")
        # Files have templates of types where artifacts have types.
        types = {"amount": declared, "status": "{{ var('text') }}"}
        columns = tuple(Column(name, documented=True, documented_type=kind) for name, kind in types.items())
        reader = replace(found.nodes[-1], contract={"enforced": True}, columns=columns)
        return replace(found, nodes=(*found.nodes[:-1], reader))

    # An edit of its own, and one above it.
    for base, edited in ((of("amount", old), of("amount", new)), (of(old, "amount"), of(new, "amount"))):
        diff = whole_diff(base, edited, NOTHING_MORE)

        found = [one for one in failure_sentences(diff) if one.startswith("reader fails")]
        said = f"column amount is {why} (models/reader.sql, {SAID})"
        assert [one.partition(": ")[2] for one in found] == [said] * bool(why)
        assert [one for one in doubt_sentences(diff) if "contract" in one] == []


def hooked(
    hook: str,
    sql: str = "select order_id, amount, status from stg_orders",
    above: str = "table",
    **config: Any,
) -> Project:
    given: dict[str, Any] = {"materialized": "table", "post-hook": [{"sql": hook}], **config}
    found = in_shop("amount", sql)
    reader = replace(found.nodes[-1], config=given, materialized=given["materialized"])
    run = replace(found.run, run_id=f"{sql} {given} {above}")
    return built_as(above, replace(found, run=run, nodes=(*found.nodes[:-1], reader)))


def built_as(materialized: str, found: Project, *hooks: str) -> Project:
    """Return *found* with another materialization of `stg_orders`, and with *hooks*."""
    config = {"materialized": materialized, "post-hook": [{"sql": one} for one in hooks]}
    nodes = [
        replace(one, config=config, materialized=materialized) if one.name == "stg_orders" else one
        for one in found.nodes
    ]
    return replace(found, nodes=tuple(nodes))


@pytest.mark.parametrize(
    ("edited", "asked"),
    [
        pytest.param(f"{ORDERS.format('amount')} where amount > 1", 2, id="rows"),
        pytest.param(ORDERS.format("true as amount"), 7, id="values"),
    ],
)
def test_types_are_only_asked_for_if_columns_change(
    monkeypatch: pytest.MonkeyPatch, edited: str, asked: int
) -> None:
    def untyped(run_id: str, sql: str) -> Project:
        made = shop(run_id, {"stg_orders": sql})
        rows = replace(SEEDS[1], columns=tuple(replace(one, type="") for one in SEEDS[1].columns))
        return replace(made, nodes=tuple(rows if one == SEEDS[1] else one for one in made.nodes))

    texts: list[str] = []
    bind = Binder.bind
    monkeypatch.setattr(Binder, "bind", lambda self, sql, *of: texts.append(sql) or bind(self, sql, *of))
    whole_diff(untyped("b", QUERIES["stg_orders"]), untyped("bc", edited), NOTHING_MORE)
    assert len([one for one in texts if "raw_orders" in one and "group by" not in one]) == asked


COUNTED = "select status, count(*) as n from stg_orders group by status"
UPDATE = "update {{ this }} set amount = 0 where status = 'void'"


@pytest.mark.parametrize(
    ("edited", "why"),
    [
        (hooked(UPDATE, "select order_id, amount from stg_orders"), 'Referenced column "status" not found'),
        (hooked(UPDATE.replace("amount", "gone")), "Referenced update column gone not found in table!"),
        (hooked(UPDATE.replace("= 0", "0")), 'syntax error at or near "0"'),
        (hooked(UPDATE.replace("= 0", "= status + 1")), "No function matches the given name"),
        (
            hooked("alter table {{ this }} drop column gone"),
            'Table "reader" does not have a column with name',
        ),
        (hooked("create index i on {{ this }} (gone)"), 'Table "reader" does not have a column named "gone"'),
        (hooked("insert into {{ this }} select 1, 2"), 'table "reader" has 3 columns but 2 values'),
        (hooked(UPDATE, "select order_id, amount, status, 1 as more from stg_orders"), ""),
        (hooked("alter table {{ this }} add column more int; update {{ this }} set more = 1"), ""),
        (hooked("create index i on {{ this }} (order_id)"), ""),
        (hooked("pragma anything; update {{ this }} set gone = 1"), ""),
        (hooked("{{ log('a') }}"), ""),
        (hooked("create index i on {{ this }} (gone)", COUNTED, above="incremental"), 'Table "reader" does'),
    ],
)
@pytest.mark.cases(4)
def test_a_hook_is_bound_over_the_relation_that_it_finds(edited: Project, why: str) -> None:
    diff = diff_between(hooked(UPDATE), edited)

    found = [one for one in failure_sentences(diff) if one.startswith("reader fails: in its post-hook: ")]
    if duckdb.__version__ >= "1.4":  # other versions say it in other words
        assert [one.partition("hook: ")[2][: len(why)] for one in found] == [why] * bool(why)
    if not why:
        assert (failure_sentences(diff), doubt_sentences(diff)) == ([], [])


@pytest.mark.parametrize(
    ("config", "fails"),
    [
        ({"unique_key": "gone"}, True),
        ({"unique_key": ["order_id", "gone"], "incremental_strategy": "merge"}, True),
        ({"unique_key": "gone", "incremental_strategy": "append"}, False),
        ({"unique_key": "amount"}, False),
        ({"event_time": "gone", "incremental_strategy": "microbatch"}, True),
    ],
)
@pytest.mark.cases(2)
def test_a_column_that_the_configuration_names_is_in_the_query(config: dict[str, Any], fails: bool) -> None:
    def of(**config: Any) -> Project:
        return hooked("select 1", materialized="incremental", **config)

    before = {"incremental_strategy": config.get("incremental_strategy"), "event_time": "order_id"}
    sides = of(unique_key="order_id", **before), of(**{**before, **config})
    diff = diff_between(*sides)

    found = [one for one in failure_sentences(diff) if "in the columns of its configuration: " in one]
    assert bool(found) is fails
    sides = (replace(one, run=replace(one.run, adapter_type="postgres")) for one in sides)
    doubts = doubt_sentences(whole_diff(*sides, NOTHING_MORE))
    assert any("in the columns of its configuration: " in one for one in doubts) is fails


@pytest.mark.parametrize(
    ("policy", "key", "fails"),
    [
        ("append_new_columns", "amount", False),
        ("append_new_columns", ["amount"], True),
        ("sync_all_columns", "amount", True),
    ],
)
def test_a_key_that_the_query_loses_is_found_in_a_table_that_keeps_it(
    policy: str, key: str | list[str], fails: bool
) -> None:
    config = {"materialized": "incremental", "unique_key": key, "on_schema_change": policy}
    shorter = hooked("select 1", "select order_id, status from stg_orders", **config)

    diff = diff_between(hooked("select 1", **config), shorter)

    assert any("columns of its configuration: " in one for one in failure_sentences(diff)) is fails


@pytest.mark.parametrize(
    ("materialized", "hook", "is_sure"),
    [
        ("table", "-- fast\ncreate index i on {{ this }} (order_id); analyze {{ this }};", True),
        ("table", "alter table {{ this }} add column more int", False),
        ("table", "{{ masked(this) }}", False),
        ("incremental", "", False),
    ],
)
@pytest.mark.cases(2)
def test_a_table_may_have_a_column_that_its_query_lacks_only_if_rows_or_hooks_add_it(
    materialized: str, hook: str, is_sure: bool
) -> None:
    def of(run_id: str, filtered: str) -> Project:
        sql = f"select * from (select * from stg_orders where {filtered} > 1) as rows"
        test = replace(node("filled", sql, "model.shop.stg_orders"), unique_id="test.shop.filled")
        found = built_as(materialized, shop(run_id, {}), *filter(None, [hook]))
        return replace(found, nodes=(*found.nodes, replace(test, resource_type="test")))

    diff = diff_between(of("b", "amount"), of("bc", "gone"))

    found = failure_sentences(diff) if is_sure else doubt_sentences(diff)
    assert ['"gone" not found' in one for one in found] == [True]
    assert not (doubt_sentences(diff) if is_sure else failure_sentences(diff))


@pytest.mark.parametrize(("column", "doubts"), [("gone", 1), ("dbt_valid_from", 0)])
@pytest.mark.cases(1)
def test_a_snapshot_has_the_columns_of_its_query_and_those_of_dbt(column: str, doubts: int) -> None:
    kept = node("kept", QUERIES["stg_orders"], "seed.shop.raw_orders", materialized="snapshot")
    sides = [
        project(run_id, *SEEDS, kept, node("m", f"select {name} from kept", kept.unique_id))
        for run_id, name in (("b", "order_id"), ("bc", column))
    ]

    diff = whole_diff(sides[0], sides[1], NOTHING_MORE)

    assert ['"gone" not found' in one for one in doubt_sentences(diff)] == [True] * doubts
    assert failure_sentences(diff) == []


def test_columns_that_the_configuration_names_prove_nothing_of_sql_that_is_not_compiled() -> None:
    base, edited = (
        hooked("select 1", materialized="incremental", unique_key=key) for key in ("amount", "gone")
    )
    parsed = replace(edited.nodes[-1], compiled_code=None, raw_code="select amount as gone from stg_orders")

    diff = whole_diff(base, replace(edited, nodes=(*edited.nodes[:-1], parsed)), NOTHING_MORE)

    assert (failure_sentences(diff), doubt_sentences(diff)) == ([], [])


STATEMENT = "insert into log select status from {{ ref('stg_orders') }}"


def beyond(sql: str = ORDERS.format("amount"), hook: str = "", expect: Any = "", given: Any = "") -> Project:
    """Return the shop with a statement of `on-run-end` and a unit test of `stg_orders`."""
    base, model = (
        shop("b" if (hook, expect, given) == ("", "", "") else "bc", {"stg_orders": sql}),
        "model.shop.stg_orders",
    )
    statement = replace(
        node("shop-on-run-end-0", "", model, raw=hook or STATEMENT),
        unique_id="operation.shop.shop-on-run-end-0",
        resource_type="operation",
        compiled_code=None,
        tags=("on-run-end",),
    )
    first = replace(
        node("shop-on-run-start-0", "", raw="create table if not exists log (a varchar)"),
        unique_id="operation.shop.shop-on-run-start-0",
        resource_type="operation",
        compiled_code=None,
        tags=("on-run-start",),
    )
    rows = {"input": "ref('raw_orders')", "format": "dict", "rows": [{"id": 1}]}
    sql_rows = {"format": "sql", "rows": "select 1 as order_id, 1 as customer_id, 1 as amount, 's' as status"}
    unit_test = replace(
        node("rows", "", model),
        unique_id="unit_test.shop.stg_orders.rows",
        resource_type="unit_test",
        raw_code="",
        compiled_code=None,
        properties={"model": "stg_orders", "given": [given or rows], "expect": expect or sql_rows},
    )
    return replace(base, nodes=(*base.nodes, first, statement, unit_test))


GIVEN = {"input": "ref('raw_orders')", "format": "sql"}


@pytest.mark.parametrize(
    ("edited", "why"),
    [
        (
            {"hook": "insert into log select gone from {{ ref('stg_orders') }}"},
            "on-run-end: Referenced column",
        ),
        ({"hook": "insert into log select 1, 2"}, "has 1 columns but 2 values"),
        ({"hook": "insert into log select upper(status) from {{ ref('stg_orders') }}"}, ""),
        ({"hook": "insert into elsewhere select gone from {{ ref('stg_orders') }}"}, ""),
        ({"hook": "create table {{ target.schema }}.l as select gone from {{ ref('stg_orders') }}"}, "Refer"),
        ({"given": {"input": "ref('raw_orders')", "rows": [{"ids": 1}]}}, "it gives raw_orders a column ids"),
        ({"given": GIVEN | {"rows": "select 1 as id"}}, 'stg_orders over its rows: Refer'),
        ({"given": GIVEN | {"rows": "select 1 as id from"}}, "its rows of raw_orders: syntax error"),
        ({"given": GIVEN | {"rows": "select 1 as id, 2 as customer_id, 3 as amount, '' as status"}}, ""),
        ({"expect": {"rows": [{"order_id": 1, "gone": 1}]}}, "it expects a column gone, which"),
        ({"expect": {"rows": [{"STATUS": 1}]}}, ""),
        ({"expect": {"format": "sql", "rows": "select 1 as order_id"}}, "expected rows lack status"),
    ],
)  # fmt: skip
@pytest.mark.cases(4)
def test_statements_around_a_run_and_rows_of_unit_tests_are_bound(edited: dict[str, Any], why: str) -> None:
    diff = diff_between(beyond(), beyond(**edited))

    assert [why in one for one in failure_sentences(diff)] == [True] * bool(why)


def with_rows(sql: str, row: dict[str, Any], run_id: str = "bc", above: str = "table") -> Project:
    """Return the shop with a unit test of `by_status`, which has the query *sql*, that gives one *row*."""
    rows = {"input": "ref('stg_orders')", "format": "dict", "rows": [row]}
    unit_test = replace(
        node("rows", "", "model.shop.by_status"),
        unique_id="unit_test.shop.by_status.rows",
        resource_type="unit_test",
        compiled_code=None,
        properties={"model": "by_status", "given": [rows], "expect": {"rows": [{"n": 1}]}},
    )
    found = built_as(above, shop(run_id, {"by_status": sql}))
    return replace(found, nodes=(*found.nodes, unit_test))


def test_a_unit_test_fails_with_its_model_and_may_fail_by_a_row_of_a_table_that_is_kept() -> None:
    row, sql = {"status": "void"}, QUERIES["by_status"]

    diff = diff_between(with_rows(sql, row, "b"), with_rows(sql.replace("status", "gone"), row))
    assert any(": by_status over its rows: Referenced column" in one for one in failure_sentences(diff))

    diff = diff_between(
        with_rows(sql, row, "b", "incremental"), with_rows(sql, {"gone": 1}, above="incremental")
    )
    (doubt,) = doubt_sentences(diff)
    assert "rows may fail: it gives stg_orders a column gone, which stg_orders does not have" in doubt


def test_only_an_edit_of_its_model_affects_the_rows_of_a_unit_test() -> None:
    row, sql = {"status": "void"}, QUERIES["by_status"]
    base, edited = with_rows(sql, row, "b"), with_rows(sql.replace("count(*)", "2 * count(*)"), row)
    above = shop("bc", {"stg_orders": f"{QUERIES['stg_orders']} where amount > 0"})
    above = replace(above, nodes=(*above.nodes, base.nodes[-1]))

    reached = [{one.name for one in diff_between(base, other).impacted} for other in (above, edited)]
    assert "rows" not in reached[0] >= {"by_status"} and "rows" in reached[1]
    for model, is_affected in (("stg_orders", False), ("by_status", True)):
        found = impact_in(MemoryRunReader(base), model, Direction.DOWNSTREAM, None).nodes
        assert ("rows" in {one.name for one in found}) is is_affected


def test_a_column_that_a_model_loses_is_missed_by_statements_and_expected_rows() -> None:
    diff = diff_between(beyond(), beyond(ORDERS.format("amount").replace(", status", ""), hook=STATEMENT))

    failing = {one.name for one in diff.impacted if one.fails}
    assert {"shop-on-run-end-0", "by_status"} <= failing


def test_a_type_of_a_table_that_was_never_built_is_a_reason() -> None:
    diff = diff_of(stg_orders=ORDERS.format("cast(amount as integer) as amount"))

    (changed,) = diff.changed
    assert "type of amount: DOUBLE → INTEGER (derived from the query)" in changed.category_reasons


def test_what_duckdb_refuses_without_a_column_is_in_its_impact() -> None:
    """A statement of `on-run-end` has no lineage; a node that finds the name elsewhere does not fail."""
    run = beyond()
    elsewhere = node(
        "elsewhere",
        "select * from raw_orders r where exists (select status from stg_orders where order_id = r.id)",
        "seed.shop.raw_orders",
        "model.shop.stg_orders",
    )
    reader = MemoryRunReader(replace(run, nodes=(*run.nodes, elsewhere)))

    view = as_bound(impact_in(reader, "stg_orders.status", Direction.DOWNSTREAM, None), reader)

    failing = {one.name: one.confidence for one in view.fails or ()}
    assert failing["by_status"] == failing["shop-on-run-end-0"] == 1.0
    assert "elsewhere" not in failing and "revenue" not in failing


@pytest.mark.parametrize(
    ("edits", "why"),
    [
        (
            {"by_status": f"{QUERIES['by_status']}, fct.x"},
            'by_status may fail: Referenced table "fct" not found!',
        ),
        ({"stg_orders": ORDERS.format("amount, amount + 1 as more, more * 2 as twice")}, ""),
        ({"stg_orders": ORDERS.format("amount, amount + 1 as more, 3 as three")}, ""),
        ({"stg_orders": ORDERS.format("amount, amount + 1 as more") + " order by more + 1, more"}, ""),
        ({"stg_orders": ORDERS.format("amount, amount + 1 as more") + " order by (more) desc, 1"}, ""),
    ],
)
def test_postgres_reads_no_field_after_a_point_and_no_alias_of_its_own_list(
    edits: dict[str, str], why: str
) -> None:
    diff = diff_of("postgres", **edits)

    assert [one[: len(why)] for one in doubt_sentences(diff)] == [why] * bool(why)
    named = "stg_orders fails: it names the column more, which nothing that it reads has"
    assert failure_sentences(diff) == [named] * ("twice" in str(edits) or "more + 1," in str(edits))
    assert [one for one in diff.notes if f"{SAID} was asked" in one and "not postgres" in one]


@pytest.mark.parametrize(
    ("old", "new", "declared", "why"),
    [
        ("1", "1", ("integer", "bigint"), "the type of base, its contract says bigint instead of integer"),
        ("1", "1", ("integer", "int4"), ""),
        ("1", "1", ("numeric(9, 2)", "numeric"), ""),
        ("1", "cast(1 as bigint)", ("integer", "bigint"), ""),
        (
            "1",
            "1.5",
            ("integer", "integer"),
            "another type than in base (INTEGER → DECIMAL), its contract says integer",
        ),
        ("1", "2", ("integer", "integer"), ""),
    ],
)
def test_a_contract_of_postgres_may_not_allow_another_type_than_that_of_base(
    old: str, new: str, declared: tuple[str, str], why: str
) -> None:
    def of(expression: str, kind: str) -> Project:
        found = shop(
            "b", {"stg_orders": f"select {expression} as amount", "total": "select amount from stg_orders"}
        )
        columns = (Column("amount", documented=True, documented_type=kind),)
        nodes = [
            replace(one, contract={"enforced": True}, columns=columns) if one.name == "total" else one
            for one in found.nodes
        ]
        return replace(found, nodes=tuple(nodes), run=replace(found.run, adapter_type="postgres"))

    diff = whole_diff(of(old, declared[0]), of(new, declared[1]), NOTHING_MORE)

    said = f"total may fail: column amount has {why} (models/total.sql, {SAID})"
    assert [one for one in doubt_sentences(diff) if one.startswith("total")] == [said] * bool(why)


def test_a_query_that_dbt_could_not_build_is_not_harmless() -> None:
    edited = {"stg_customers": "select id as customer_id, coalesce(name, 'x') as name from raw_customers"}
    written = {"stg_customers": edited["stg_customers"].replace("coalesce", "ifnull")}
    current = shop("bc", written, "postgres")
    failed = NodeResult(unique_id="model.shop.stg_customers", status="error", message="no function ifnull")

    diffs = [
        whole_diff(shop("b", edited, "postgres"), replace(current, results=results), NOTHING_MORE)
        for results in ((), (failed,))
    ]

    found = [next(one for one in diff.changes if one.name == "stg_customers") for diff in diffs]
    assert [one.category for one in found] == [Category.NONE, Category.UNKNOWN]
    assert found[1].category_reasons == ("dbt could not build it in current",)
    assert [{one.name for one in diff.impacted} for diff in diffs] == [set(), {"revenue", "total"}]


@pytest.mark.parametrize("columns", ["customer_id, status", "*"])
@pytest.mark.parametrize("adapter", ["postgres", "snowflake", "bigquery"])
def test_duckdb_speaks_for_other_warehouses_with_doubt(adapter: str, columns: str) -> None:
    edited = REVENUE.replace("select customer_id, sum", f"select {columns}, sum")

    diff = diff_of(adapter, revenue=edited)

    assert failure_sentences(diff) == []
    (found,) = doubt_sentences(diff)
    assert re.search(r"(status|order_id).* must appear in the GROUP BY clause.*DuckDB", found)


@pytest.mark.cases(2)
@pytest.mark.parametrize("has_types", [True, False])
@pytest.mark.parametrize("adapter", ["postgres", "snowflake"])
def test_a_reader_may_fail_by_a_type_in_other_warehouses(adapter: str, has_types: bool) -> None:
    def of(run_id: str, kind: str, month: str = "'month'") -> Project:
        edits = {
            "stg_orders": ORDERS.format(f"cast(amount as {kind}) as amount"),
            "revenue": f"select date_trunc({month}, amount) as customer_id, 1 as revenue from stg_orders",
        }
        found = shop(run_id, edits, adapter)
        nodes = [one if has_types else replace(one, columns=(), columns_from=None) for one in found.nodes]
        return replace(found, nodes=tuple(nodes))

    diff = diff_between(of("b", "date"), of("bc", "varchar"))

    assert failure_sentences(diff) == []
    (found,) = doubt_sentences(diff)
    assert re.search(r"^revenue may fail: No function .*'date_trunc\(STRING_LITERAL, VARCHAR\)'", found)
    # An edit's own functions may have been translated wrongly.
    assert doubt_sentences(diff_between(of("b", "date"), of("bc", "varchar", "'year'"))) == []


@pytest.mark.parametrize("adapter", ["duckdb", "postgres"])
def test_a_parent_may_have_newer_columns_than_its_catalog(adapter: str) -> None:
    sides = [
        replace(
            side,
            nodes=tuple(
                replace(one, columns_from="catalog", columns=(Column("customer_id", type="INTEGER"),))
                if one.name == "stg_customers"
                else one
                for one in side.nodes
            ),
        )
        for side in (
            shop("b", {"names": "select customer_id from stg_customers"}, adapter),
            shop("bc", {"names": "select customer_id, name from stg_customers"}, adapter),
        )
    ]

    diff = whole_diff(sides[0], sides[1], NOTHING_MORE)

    assert [*failure_sentences(diff), *doubt_sentences(diff)] == []


def test_an_incremental_table_may_have_the_columns_of_both_queries() -> None:
    sides = [
        shop("b", {}, materialized="incremental"),
        shop(
            "bc",
            {
                "stg_orders": ORDERS.format("amount, 1 as extra"),
                "revenue": REVENUE.replace("sum(amount)", "sum(extra)"),
            },
            materialized="incremental",
        ),
    ]

    diff = whole_diff(sides[0], sides[1], NOTHING_MORE)

    assert all("DuckDB" not in one for one in failure_sentences(diff))


def test_a_query_that_exceeds_a_limit_is_said_once_and_judged_as_before() -> None:
    bomb = f"{REVENUE} where struct_extract(row(1, 2), len(repeat('x', 2000000000))) = 1"

    diff = diff_of(revenue=bomb)

    (note,) = [one for one in diff.notes if "not bound" in one]
    assert note.startswith("Some SQL was not bound, so it is not known whether it can be built: ")
    assert failure_sentences(diff) == []


@pytest.mark.parametrize("has_types", [True, False])
@pytest.mark.parametrize("has_columns", [True, False])
@pytest.mark.parametrize(
    "sql",
    [
        "select name.x, name['y'], name.* from raw_customers",
        "select columns('^i.*') from raw_customers",
        "select id from raw_customers where rowid > 0",
        "select id, row_number() over (partition by name order by id) as n from raw_customers qualify n = 1",
        "select * from (pivot raw_customers on name using count(*)) as counted",
        "select date_trunc('month', id) as m, sum(name) as s from raw_customers group by all",
    ],
)
@pytest.mark.cases(8)
def test_what_the_columns_decide_is_no_fault_where_they_are_unknown(
    sql: str, has_columns: bool, has_types: bool
) -> None:
    types = {"id": "TIMESTAMP", "name": "STRUCT(x INTEGER, y INTEGER)"}
    if "sum(name)" in sql:
        types["name"] = "DOUBLE"
    columns = tuple(Column(name, type=kind) for name, kind in types.items()) if has_types else ()
    raw = replace(
        seed("raw_customers", types),
        columns=columns,
        columns_from="catalog" if has_types else None,
        properties={SEED_HEADER: [*types]} if has_columns else {},
    )
    sides = [
        project(run_id, raw, node("m", one, raw.unique_id))
        for run_id, one in (("b", "select * from raw_customers"), ("bc", sql))
    ]

    diff = whole_diff(sides[0], sides[1], NOTHING_MORE)

    assert not [one for one in (*failure_sentences(diff), *doubt_sentences(diff)) if "DuckDB" in one]


def test_the_types_of_a_seed_are_those_that_its_configuration_names() -> None:
    def of(run_id: str, types: dict[str, str]) -> Project:
        raw = replace(seed("raw_orders", {"amount": "INTEGER"}), config={"column_types": types})
        reader = node("m", "select sum(amount) as s from raw_orders", raw.unique_id)
        return project(run_id, raw, replace(reader, path="models/m.sql"))

    (found,) = failure_sentences(diff_between(of("b", {}), of("bc", {"amount": "varchar(20)"})))

    assert found.startswith("m fails because of the change of raw_orders: No function matches")
