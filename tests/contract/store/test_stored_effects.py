"""What a change breaks and reaches: the same from the store and from artifacts, in every environment."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.api import diff as comparing
from recce_meta.api.diff import NOTHING_MORE, DiffQuestion, whole_diff
from recce_meta.api.record import record_run
from recce_meta.models import (
    Column,
    MacroMetadata,
    NodeMetadata,
    NodeResult,
    Project,
    RunDiff,
    RunMetadata,
    code_hash,
)
from recce_meta.models.change import Reach
from recce_meta.report.html.page import html_report
from recce_meta.report.json import diff_json
from recce_meta.report.markdown import diff_markdown
from recce_meta.report.review.verdict import verdict_of
from recce_meta.report.text import diff_text
from recce_meta.store import write
from recce_meta.warehouses import hook_tables

STG = "select id, customer_id, cents / 100 as amount, state from {raw}"
EPHEMERAL = "select id, amount * 2 as doubled, amount as plain from {stg}"

MODELS = {
    "stg": STG,
    "ephemeral": EPHEMERAL,
    "daily": "select customer_id, sum(amount) as revenue, count(*) as n from {stg} group by customer_id",
    "open_orders": "select id, customer_id from {stg} where state = 'open'",
    "unioned": "select * from {stg} union all select id, customer_id, 1 as amount, state from {raw}",
    "starred": "select * from {stg}",
    "after_star": "select id from {starred}",
    "counted": "select count(*) as n from {stg}",
    "distinct_ones": "select count(*) as n from (select distinct * from {stg}) as d",
    "uses_ephemeral": "with __dbt__cte__ephemeral as (%s) select id, doubled from __dbt__cte__ephemeral",
    "python": "def model(dbt, session): return dbt.ref('stg')",
    "amount_is_there": "select amount from {stg} where amount is null",
    "board": None,
}
KINDS = {"amount_is_there": "test", "board": "exposure"}
PARENTS = {
    "stg": ["raw"],
    "unioned": ["stg", "raw"],
    "after_star": ["starred"],
    "uses_ephemeral": ["ephemeral"],
    "board": ["daily"],
}


def unique_id(name: str) -> str:
    return "source.shop.outside.raw" if name == "raw" else f"{KINDS.get(name, 'model')}.shop.{name}"


def shop(run_id: str, schema: str, **edits: str) -> Project:
    """The project built in *schema*, with the SQL of some models replaced."""
    sql = {**MODELS, **edits}
    relations = {name: f'"db"."{schema}"."{name}"' for name in (*MODELS, "raw")}
    relations["raw"] = '"db"."outside"."raw"'

    def node(name: str) -> NodeMetadata:
        code = sql[name]
        if name == "uses_ephemeral" and code:
            code = code % sql["ephemeral"]
        kind = KINDS.get(name, "model")
        stored = kind == "model" and name not in ("ephemeral",)
        raw = "select 1 from {{ ref('ephemeral') }}" if name == "uses_ephemeral" else code
        return NodeMetadata(
            unique_id=unique_id(name),
            name=name,
            resource_type=kind,
            language="python" if name == "python" else "sql",
            raw_code=raw,
            compiled_code=code and code.format(**relations),
            code_hash=raw and code_hash(raw),
            materialized="ephemeral" if name == "ephemeral" else "table" if stored else None,
            database_name="db" if stored else None,
            schema_name=schema if stored else None,
            identifier=name if stored else None,
            relation_name=relations[name] if stored else None,
            parents=tuple(sorted(map(unique_id, PARENTS.get(name, ["stg"])))),
        )

    source = NodeMetadata(
        unique_id=unique_id("raw"),
        name="raw",
        resource_type="source",
        database_name="db",
        schema_name="outside",
        identifier="raw",
        relation_name=relations["raw"],
        columns=tuple(Column(name=name, type="INTEGER") for name in ("id", "customer_id", "cents", "state")),
        columns_from="catalog",
    )
    nodes = sorted([source, *map(node, MODELS)], key=lambda one: one.unique_id)
    run = RunMetadata(
        run_id=run_id,
        run_at=datetime(2026, 11, 20, tzinfo=timezone.utc),
        project_name="shop",
        adapter_type="duckdb",
        dbt_version="1.10.0",
        command="build",
        target_name=schema,
        target_database="db",
        target_schema=schema,
    )
    return Project(run=run, nodes=tuple(nodes))


def told(diff: RunDiff) -> dict[str, str]:
    """What is impacted: `{"daily": "revenue", "open_orders": "rows"}`."""
    return {
        impact.name: "fails"
        if impact.fails
        else " ".join(impact.columns)
        if impact.reach is Reach.COLUMNS
        else str(impact.reach)
        for impact in diff.impacted
    }


EVERYTHING = {name: "rows" for name in MODELS if name != "stg"}
DARK = {"python": "unknown"}

EDITS: dict[str, tuple[dict[str, str], str, str, dict[str, str]]] = {
    "the same query": (
        {"stg": "with r as (select * from {raw}) select r.id, customer_id, cents / 100 amount, state from r"},
        "none",
        "",
        {},
    ),
    "a filter": ({"stg": f"{STG} where id > 0"}, "breaking", "", EVERYTHING),
    "values": (
        {"stg": STG.replace("/ 100", "/ 10")},
        "partial_breaking",
        "~amount",
        {
            **DARK,
            "daily": "revenue",
            "board": "unknown",
            "unioned": "amount",
            "starred": "amount",
            "distinct_ones": "rows",
            "ephemeral": "doubled plain",
            "uses_ephemeral": "doubled",
            "amount_is_there": "rows",
        },
    ),
    "values that are filtered by": (
        {"stg": STG.replace("state from", "-state as state from")},
        "partial_breaking",
        "~state",
        {**DARK, "open_orders": "rows", "unioned": "state", "starred": "state", "distinct_ones": "rows"},
    ),
    "a column more": (
        {"stg": STG.replace("state from", "state, 1 as one from")},
        "breaking",
        "+one",
        {"unioned": "fails", "distinct_ones": "rows", "python": "unknown"},
    ),
    "columns in another order": (
        {"stg": STG.replace("id, customer_id,", "customer_id, id,")},
        "breaking",
        "",
        {"unioned": "rows"},
    ),
    "a column less": (
        {"stg": STG.replace("id, customer_id,", "id,")},
        "partial_breaking",
        "-customer_id",
        {
            **DARK,
            "daily": "fails",
            "board": "rows",
            "open_orders": "fails",
            "unioned": "fails",
            "starred": "customer_id",
            "distinct_ones": "rows",
        },
    ),
    "an ephemeral model": (
        {"ephemeral": EPHEMERAL.replace("* 2", "* 3")},
        "partial_breaking",
        "~doubled",
        {"uses_ephemeral": "doubled"},
    ),
    "a column of an ephemeral model less": (
        {"ephemeral": "select id, amount as plain from {stg}"},
        "partial_breaking",
        "-doubled",
        {"uses_ephemeral": "fails"},
    ),
    "a column less that an ephemeral model names": (
        {"stg": STG.replace("cents / 100 as amount, ", "")},
        "partial_breaking",
        "-amount",
        {
            **DARK,
            "daily": "fails",
            "board": "rows",
            "unioned": "fails",
            "starred": "amount",
            "distinct_ones": "rows",
            "ephemeral": "fails",
            "uses_ephemeral": "fails",
            "amount_is_there": "fails",
        },
    ),
}


def complete(diff: RunDiff) -> Any:
    """All that is said of what changed, apart from texts, which the store keeps without the environment."""
    changes = [
        (
            c.unique_id,
            c.status,
            c.reasons,
            c.category,
            c.category_reasons,
            c.columns,
            c.columns_moved,
            c.reached,
        )
        for c in diff.changes
    ]
    return changes, diff.impacted, diff.unreached, diff.notes


@pytest.mark.cases(5)
@pytest.mark.parametrize("what", EDITS)
def test_each_edit_reaches_what_reads_it_and_nothing_else(what: str) -> None:
    edits, category, columns, reached = EDITS[what]

    found = whole_diff(shop("base-run", "prod"), shop("run-1", "ci", **edits), NOTHING_MORE)

    (change,) = found.changed
    signs = {"added": "+", "removed": "-", "modified": "~"}
    assert change.category == category
    assert " ".join(signs[c.status.value] + c.name for c in change.columns) == columns
    assert told(found) == reached
    assert len(found.impacted) + found.unreached == (1 if "ephemeral" in edits else len(MODELS) - 1)


@pytest.mark.extensive
def test_the_store_gives_the_same_answers_though_it_reads_only_what_they_need(store: Any) -> None:
    base = shop("base-run", "prod")
    record_run(store.adapter.at(store.schema), base)
    # On DuckDB, which writes a file at each commit, half of them.
    step = 2 if store.backend.name == "duckdb" else 1
    for number, (what, (edits, *_)) in enumerate(list(EDITS.items())[::step]):
        current = shop(f"run-{number}", "ci", **edits)
        record_run(store.adapter.at(store.schema), current)

        whole = whole_diff(base, current, NOTHING_MORE)
        stored = comparing.diff(
            lambda: store.adapter.at(store.schema), "base-run", current.run.run_id, project="shop"
        )
        selected = comparing.diff(
            lambda: store.adapter.at(store.schema),
            "base-run",
            current.run.run_id,
            project="shop",
            question=DiffQuestion(selection=("stg+",)),
        )

        assert complete(stored) == complete(whole), what
        assert complete(selected) == complete(whole), what


@pytest.mark.core("sqlite")
def test_an_edit_for_another_target_is_judged_alike_from_the_store_and_from_artifacts(store: Any) -> None:
    template = "select id, customer_id, cents / {} as amount, state from {{{{ source('outside', 'raw') }}}}"
    edited = [template.format(f"{{{{ {{'prod': {number}}}.get(target.name, 100) }}}}") for number in (1, 2)]
    projects = []
    for run_id, code in zip(("base-run", "run-1"), edited, strict=True):
        project = shop(run_id, "ci")
        nodes = tuple(
            replace(node, raw_code=code, code_hash=code_hash(code)) if node.name == "stg" else node
            for node in project.nodes
        )
        projects.append(replace(project, nodes=nodes))
        record_run(store.adapter.at(store.schema), projects[-1])

    stored = comparing.diff(lambda: store.adapter.at(store.schema), "base-run", "run-1", project="shop")

    assert complete(stored) == complete(whole_diff(*projects, NOTHING_MORE))
    (change,) = stored.changed
    assert change.category == "partial_breaking"
    assert change.category_reasons == (
        "unchanged for the target of this run",
        "if target.name = 'prod': column modified: amount",
    )
    assert told(stored)["daily"] == "revenue"


@pytest.mark.core("sqlite")
def test_a_macro_that_acts_elsewhere_is_found_in_the_store_also_where_dbt_did_not_list_it(store: Any) -> None:
    template = (
        "select id, customer_id, cents / 100 as amount, state from {{ source('outside', 'raw') }}"
        "{% if target.name == 'prod' %}{{ limited() }}{% endif %}"
    )
    projects = []
    for number, run_id in enumerate(("base-run", "run-1")):
        project = shop(run_id, "ci")
        macro = MacroMetadata(
            unique_id="macro.shop.limited",
            name="limited",
            package_name="shop",
            macro_sql=f"{{% macro limited() %}} limit {number}{{% endmacro %}}",
        )
        nodes = tuple(
            replace(node, raw_code=template, code_hash=code_hash(template)) if node.name == "stg" else node
            for node in project.nodes
        )
        projects.append(replace(project, nodes=nodes, macros=(macro,)))
        record_run(store.adapter.at(store.schema), projects[-1])

    stored = comparing.diff(lambda: store.adapter.at(store.schema), "base-run", "run-1", project="shop")

    assert complete(stored) == complete(whole_diff(*projects, NOTHING_MORE))
    (change,) = stored.changed
    assert (change.name, change.category) == ("limited", "breaking")


@pytest.mark.core("sqlite")
def test_a_run_without_column_lineage_says_that_more_may_be_listed_than_is_reached(store: Any) -> None:
    base, current = shop("base-run", "prod"), shop("run-1", "ci", stg=STG.replace("/ 100", "/ 10"))
    record_run(store.adapter.at(store.schema), base)
    record_run(store.adapter.at(store.schema), current, columns=False)

    found = comparing.diff(lambda: store.adapter.at(store.schema), "base-run", "run-1", project="shop")

    assert set(told(found).values()) == {"unknown"}
    assert len(found.impacted) == len(MODELS) - 1
    assert [note.split(": more")[0] for note in found.notes] == [
        "current was recorded without column lineage"
    ]


@pytest.mark.core("sqlite")
@pytest.mark.parametrize("what", ["a column more", "columns in another order"])
def test_without_column_lineage_whoever_reads_a_new_or_moved_column_may_be_reached(
    store: Any, what: str
) -> None:
    for project in (shop("base-run", "prod"), shop("run-1", "ci", **EDITS[what][0])):
        record_run(store.adapter.at(store.schema), project, columns=False)

    found = comparing.diff(lambda: store.adapter.at(store.schema), "base-run", "run-1", project="shop")

    # DuckDB needs no lineage to refuse a union of other numbers of columns.
    refused = {"unioned": "fails"} if what == "a column more" else {}
    assert told(found) == dict.fromkeys(EVERYTHING, "unknown") | refused
    assert "current was recorded without column lineage" in " ".join(found.notes)


@pytest.mark.core("sqlite")
@pytest.mark.parametrize("columns", [True, False])
def test_a_change_of_rows_needs_no_column_lineage(store: Any, columns: bool) -> None:
    base, current = shop("base-run", "prod"), shop("run-1", "ci", stg=f"{STG} where id > 0")
    for project in (base, current):
        record_run(store.adapter.at(store.schema), project, columns=columns)

    found = comparing.diff(lambda: store.adapter.at(store.schema), "base-run", "run-1", project="shop")

    assert (told(found), found.notes) == (EVERYTHING, ())


def test_a_reader_fails_if_a_second_parent_gets_a_column_that_it_names_without_a_qualifier() -> None:
    edits = {"starred": "select s.id, cents from {stg} as s join {raw} as r on s.id = r.id"}
    base = shop("base-run", "prod", **edits)
    current = shop("run-1", "ci", stg=STG.replace("state from", "state, cents from"), **edits)

    found = whole_diff(base, current, NOTHING_MORE)

    assert told(found)["starred"] == "fails"


CATALOG = {
    "raw": ("id", "customer_id", "cents", "state"),
    "stg": ("id", "customer_id", "amount", "state"),
    "starred": ("id", "customer_id", "amount", "state"),
    "daily": ("customer_id", "revenue", "n"),
}


def documented(project: Project, adapter: str = "duckdb", catalog: bool = True) -> Project:
    """*project* with a catalog, in upper case where the warehouse has it so; or without any."""
    nodes = []
    for node in project.nodes:
        names = CATALOG.get(node.name, ()) if catalog else ()
        columns = tuple(
            Column(name=name.upper() if adapter == "snowflake" else name, type="INTEGER") for name in names
        )
        nodes.append(replace(node, columns=columns, columns_from="catalog" if columns else None))
    return replace(project, nodes=tuple(nodes), run=replace(project.run, adapter_type=adapter))


WITH_ONE_CATALOG: dict[str, tuple[dict[str, str], dict[str, str], dict[str, str]]] = {
    "nothing": ({}, {}, {}),
    "another alias": ({}, {"starred": "select s.* from {stg} as s"}, {"starred": "none"}),
    "the same query": ({}, EDITS["the same query"][0], {"stg": "none"}),
    "a column more": ({}, EDITS["a column more"][0], {"stg": "breaking"}),
    "a column more after a star": (
        {},
        {"starred": "select *, 1 as one from {stg}"},
        {"starred": "non_breaking"},
    ),
    "a reader of what gained a column": (
        {},
        {
            **EDITS["a column more"][0],
            "open_orders": "select id, customer_id from {stg} s where state = 'open'",
        },
        {"stg": "breaking", "open_orders": "none"},
    ),
    "a reader of what only a catalog knows": (
        {"stg": "select * from {raw}"},
        {"stg": "select * from {raw} where id > 0", "starred": "select s.* from {stg} as s"},
        {"stg": "breaking", "starred": "none"},
    ),
    "another filter": (
        {},
        {"open_orders": "select id, customer_id from {stg} where state = 'new'"},
        {"open_orders": "breaking"},
    ),
    "a column less": (
        {},
        {"starred": "select id, customer_id, amount from {stg}"},
        {"starred": "partial_breaking"},
    ),
}


@pytest.mark.cases(6)
@pytest.mark.parametrize("adapter", ["duckdb", "snowflake"])
@pytest.mark.parametrize("documented_side", ["base", "current"])
@pytest.mark.parametrize("what", WITH_ONE_CATALOG)
def test_that_one_side_has_no_catalog_is_no_change(what: str, documented_side: str, adapter: str) -> None:
    before, edits, categories = WITH_ONE_CATALOG[what]
    base = documented(shop("base-run", "prod", **before), adapter, documented_side == "base")
    current = documented(shop("run-1", "ci", **{**before, **edits}), adapter, documented_side == "current")

    found = whole_diff(base, current, NOTHING_MORE)

    assert {change.name: change.category for change in found.changed} == categories


@pytest.mark.core("sqlite")
def test_the_store_takes_a_missing_catalog_for_no_change_either(store: Any) -> None:
    base = documented(shop("base-run", "prod"), "snowflake")
    edits = {"starred": "select s.*, 1 as one from {stg} as s", **EDITS["the same query"][0]}
    current = documented(shop("run-1", "ci", **edits), "snowflake", catalog=False)
    for project in (base, current):
        record_run(store.adapter.at(store.schema), project)

    found = comparing.diff(lambda: store.adapter.at(store.schema), "base-run", "run-1", project="shop")

    assert {change.name: change.category for change in found.changed} == {
        "starred": "non_breaking",
        "stg": "none",
    }
    assert complete(found) == complete(whole_diff(base, current, NOTHING_MORE))


OWN_CHANGES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "values above, and a filter that keeps its own": (
        {"stg": STG.replace("/ 100", "/ 10"), "starred": "select * from {stg} where id > 0"},
        {"starred": "stg: amount"},
    ),
    "a column that is new here": (
        {"stg": STG.replace("/ 100", "/ 10"), "open_orders": "select id, amount * 2 as twice from {stg}"},
        {},
    ),
    "rows above": (
        {"stg": f"{STG} where id > 0", "daily": MODELS["daily"].replace("count(*)", "count(1)")},
        {"daily": "stg: rows"},
    ),
    "what nobody can tell": (
        {"stg": STG.replace("/ 100", "/ 10"), "python": "def model(dbt, session): return dbt.ref('stg').x"},
        {"python": "stg: unknown"},
    ),
    "two on one way": (
        {
            "stg": STG.replace("/ 100", "/ 10"),
            "starred": "select id, customer_id, amount + 1 as amount, state from {stg}",
            "after_star": "select amount from {starred} where id > 0",
        },
        {"starred": "stg: amount"},
    ),
    "a column that is not read": (
        {"stg": STG.replace("/ 100", "/ 10"), "open_orders": "select id, customer_id from {stg}"},
        {},
    ),
}


@pytest.mark.parametrize("what", OWN_CHANGES)
def test_a_modified_node_says_what_other_changes_do_to_it(what: str) -> None:
    edits, expected = OWN_CHANGES[what]

    found = whole_diff(shop("base-run", "prod"), shop("run-1", "ci", **edits), NOTHING_MORE)

    reached = {change.name: change.reached for change in found.changed if change.reached}
    assert {
        name: f"{' '.join(key.split('.')[-1] for key in by.origins)}: {' '.join(by.columns) or by.reach}"
        for name, by in reached.items()
    } == expected
    assert not {impact.name for impact in found.impacted} & edits.keys()


@pytest.mark.parametrize(
    "reader",
    [
        "select hash(stg) as x from {stg}",
        "select to_json(s) as j from {stg} as s",
        "with r as (select * from {stg}) select hash(r) as x from r",
        "select hash(r) as x from (select * from {stg}) r",
        "select stg as v from {stg}",
    ],
)
def test_a_whole_row_that_is_a_value_is_another_value_when_its_columns_move(reader: str) -> None:
    base = shop("base-run", "prod", open_orders=reader)
    current = shop("run-1", "ci", open_orders=reader, **EDITS["columns in another order"][0])

    assert told(whole_diff(base, current, NOTHING_MORE)) == {"unioned": "rows", "open_orders": "rows"}


def test_every_report_names_the_models_that_fail_without_a_removed_column() -> None:
    edit = STG.replace("id, customer_id,", "id,")
    diff = whole_diff(shop("1", "prod"), shop("2", "pr", stg=edit), NOTHING_MORE)

    text = diff_text(diff, width=100, color=False)
    assert "3 nodes fail" in text
    assert "daily (fails)" in text
    assert "open_orders (fails)" in text
    assert "3 nodes fail" in verdict_of(diff).text
    assert "fails: it references" in verdict_of(diff).text.partition("3 nodes fail")[0]
    assert verdict_of(diff).tone == "failed"
    assert "`daily` (**fails**)" in diff_markdown(diff)
    assert "3 nodes fail" in html_report("Shop", diff)
    told = json.loads(diff_json(diff))
    assert told["summary"]["fails"] == 3
    assert {one["name"] for one in told["impacted"] if one["fails"]} == {"daily", "open_orders", "unioned"}


def test_a_model_that_is_edited_with_its_parent_does_not_fail() -> None:
    before = shop("1", "prod", after_star="select id, customer_id from {starred}")
    after = shop("2", "pr", stg=STG.replace("id, customer_id,", "id,"))

    assert "after_star" not in told(whole_diff(before, after, NOTHING_MORE))


def test_a_removal_goes_through_a_star_to_the_models_that_name_the_column() -> None:
    named = "with s as (select * from {starred}) select id from s order by customer_id"
    before = shop("1", "prod", after_star=named)
    after = shop("2", "pr", after_star=named, stg=STG.replace("id, customer_id,", "id,"))

    found = told(whole_diff(before, after, NOTHING_MORE))

    assert (found["starred"], found["after_star"]) == ("customer_id", "fails")


def test_a_gate_finds_the_change_that_makes_models_fail() -> None:
    edit = {"stg": STG.replace("id, customer_id,", "id,")}
    removed = whole_diff(shop("1", "prod"), shop("2", "pr", **edit), NOTHING_MORE)
    harmless = whole_diff(shop("1", "prod"), shop("2", "pr", stg=STG.replace("/ 100", "/ 10")), NOTHING_MORE)
    fails = comparing.parse_fail_on("fails")

    assert [change.name for change in comparing.failing_changes(removed, fails)] == ["stg"]
    assert comparing.failing_changes(harmless, fails) == []


DELETES = "delete from {{ target.schema }}.daily where n in (select id from {{ this }})"
"""A hook of `open_orders`: `daily` is neither its parent nor its child."""


def hooked(project: Project, hook: str | None, on_run_end: str | None = None) -> Project:
    """*project* with a hook of `open_orders`, and an operation."""
    nodes = [
        replace(node, config={"post-hook": [{"sql": hook}]}) if hook and node.name == "open_orders" else node
        for node in project.nodes
    ]
    if on_run_end:
        end = NodeMetadata(
            unique_id="operation.shop.shop-on-run-end-0",
            name="shop-on-run-end-0",
            resource_type="operation",
            raw_code=on_run_end,
            code_hash=code_hash(on_run_end),
            parents=(unique_id("after_star"),),
        )
        nodes.append(end)
    return replace(project, nodes=tuple(sorted(nodes, key=lambda one: one.unique_id)))


@pytest.mark.cases(5)
@pytest.mark.parametrize(
    ("before", "after", "reached"),
    [
        ((DELETES, None, "state = 'open'"), (DELETES, None, "state = 'new'"), "rows"),
        ((DELETES, None, "state = 'open'"), (None, None, "state = 'open'"), "rows"),
        ((None, None, "state = 'open'"), (DELETES, None, "state = 'open'"), "rows"),
        ((None, None, "state = 'open'"), (None, "truncate prod.daily", "state = 'open'"), "unknown"),
        ((None, "truncate prod.daily", "state = 'open'"), (None, None, "state = 'open'"), "unknown"),
        ((None, "drop table daily", "state = 'open'"), (None, "delete daily", "state = 'open'"), "unknown"),
        ((None, "delete from {{ ref('after_star') }}", "x"), (None, None, "x"), ""),
        ((DELETES.replace("daily", "x"), None, "state = 'open'"), (None, None, "state = 'open'"), ""),
    ],
)
@pytest.mark.core("sqlite")
def test_a_hook_reaches_the_table_that_it_writes(store: Any, before: Any, after: Any, reached: str) -> None:
    base, current = (
        hooked(
            shop(
                name,
                "prod",
                open_orders=STG.replace("cents / 100 as amount, state", "1 as n") + f" where {where}",
            ),
            hook,
            end,
        )
        for name, (hook, end, where) in (("base-run", before), ("run-1", after))
    )
    for project in (base, current):
        record_run(store.adapter.at(store.schema), project)

    whole = whole_diff(base, current, NOTHING_MORE)
    stored = comparing.diff(lambda: store.adapter.at(store.schema), "base-run", "run-1", project="shop")

    assert complete(stored) == complete(whole)
    assert {one: told(whole).get(one, "") for one in ("daily", "board")} == dict.fromkeys(
        ("daily", "board"), reached
    )
    assert "open_orders" not in told(whole)
    operations = [change for change in whole.changed if change.resource_type == "operation"]
    assert {str(change.category) for change in operations} <= {"breaking" if after[1] else "unknown"}


CALLED = "{% call statement('s') %}insert into prod.daily select 1{% endcall %}"
SENT = MacroMetadata(
    unique_id="macro.shop.load",
    name="load",
    package_name="shop",
    macro_sql="{% macro load(schema) %}{% if execute %}{% do run_query("
    "'insert into ' ~ schema ~ '.daily select 1') %}{% endif %}{% endmacro %}",
)


@pytest.mark.cases(4)
@pytest.mark.parametrize(
    ("before", "after", "where"),
    [
        ("{% do run_query('delete from prod.daily') %}", "", "open"),
        ("{% do run_query('delete from prod.daily') %}", "{% do run_query('truncate prod.daily') %}", "open"),
        ("", CALLED, "open"),
        (CALLED, CALLED.replace("1", "2"), "open"),
        ("{% do run_query('delete from prod.daily') %}", "{% do run_query('truncate prod.daily') %}", "+"),
        ("{{ load(target.schema) }}", "{{ load(target.schema) }}", "y"),
        ("{{ load(target.schema) }}", "{{ load(target.schema) }}", "open"),
    ],
)
@pytest.mark.core("sqlite")
def test_a_statement_sent_while_a_model_is_rendered_reaches_the_table_that_it_writes(
    store: Any, before: str, after: str, where: str
) -> None:
    base, current = (shop(name, "prod") for name in ("base-run", "run-1"))
    projects = []
    for project, template, condition in ((base, before, "open"), (current, after, where)):
        macro = SENT
        if before == after and where == "open" and project is current:
            macro = replace(SENT, macro_sql=SENT.macro_sql.replace("select 1", "select 2"))
        nodes = []
        for one in project.nodes:
            if one.name == "open_orders":
                edit = ("customer_id", "customer_id, 1 as n") if condition == "+" else ("open", condition)
                code = template + (one.raw_code or "").replace(*edit)
                called = (SENT.unique_id,) if "load" in template else ()
                compiled = (one.compiled_code or "").replace(*edit)
                one = replace(
                    one, raw_code=code, code_hash=code_hash(code), macros=called, compiled_code=compiled
                )
            nodes.append(one)
        projects.append(replace(project, nodes=tuple(nodes), macros=(macro,)))
    for project in projects:
        record_run(store.adapter.at(store.schema), project)

    whole = whole_diff(*projects, NOTHING_MORE)
    stored = comparing.diff(lambda: store.adapter.at(store.schema), "base-run", "run-1", project="shop")

    assert complete(stored) == complete(whole)
    reached = "rows" if where == "y" else "unknown"
    assert {one: told(whole).get(one) for one in ("daily", "board")} == dict.fromkeys(
        ("daily", "board"), reached
    )


@pytest.mark.cases(2)
@pytest.mark.parametrize(
    ("template", "reached"),
    [
        ("{% set m = run_query('select max(amount) from ' ~ ref('stg')) %}", True),
        ("{% call statement('m') %}select max(amount) from {{ ref('stg') }}{% endcall %}", True),
        ("{% set m = run_query('select max(' ~ name ~ ') from ' ~ ref('stg')) %}", True),
        ("{% set m = run_query('select max(state) from ' ~ ref('stg')) %}", False),
        ("{% set m = run_query('select max(amount) from x') %}", False),
    ],
)
@pytest.mark.core("sqlite")
def test_a_query_of_a_template_reads_the_columns_that_it_names(
    store: Any, template: str, reached: bool
) -> None:
    projects = []
    for run_id, edits in (("base-run", {}), ("run-1", {"stg": STG.replace("cents / 100", "cents / 10")})):
        project = shop(run_id, "prod", open_orders="-- {stg}\nselect 7 as m", **edits)
        code = f"-- {{{{ ref('stg') }}}}\n{template}select {{{{ m }}}} as m"
        nodes = [
            replace(one, raw_code=code, code_hash=code_hash(code)) if one.name == "open_orders" else one
            for one in project.nodes
        ]
        projects.append(replace(project, nodes=tuple(nodes)))
    for project in projects:
        record_run(store.adapter.at(store.schema), project)

    whole = whole_diff(*projects, NOTHING_MORE)
    stored = comparing.diff(lambda: store.adapter.at(store.schema), "base-run", "run-1", project="shop")

    assert complete(stored) == complete(whole)
    found = [(str(one.reach), one.confidence) for one in whole.impacted if one.name == "open_orders"]
    assert found == ([("rows", 0.5)] if reached else [])


TEST_MOST = MacroMetadata(
    unique_id="macro.shop.test_most",
    name="test_most",
    package_name="shop",
    macro_sql="{% test most(model, column_name, by) %}"
    "{% set m = run_query('select max(' ~ by ~ ') from ' ~ model) %}"
    "select {{ column_name }} from {{ model }} where {{ m }} < 0{% endtest %}",
)
OF_KWARGS = "{{ test_most(**_dbt_generic_test_kwargs) }}"


@pytest.mark.cases(2)
@pytest.mark.parametrize(
    ("template", "by", "may_fail"),
    [
        ("{% set m = run_query('select max(amount) from ' ~ ref('stg')) %}", "", True),
        ("{% set m = run_query('select max(state) from ' ~ ref('stg')) %}", "", False),
        (OF_KWARGS, "amount", True),
        (OF_KWARGS, "state", False),
        (OF_KWARGS, "{{ var('by') }}", True),
    ],
)
@pytest.mark.parametrize("compiled", ["select id from {stg} where 7 < 0", None])
@pytest.mark.core("sqlite")
def test_a_data_test_may_fail_without_a_column_that_its_template_queries(
    store: Any, template: str, by: str, may_fail: bool, compiled: str | None
) -> None:
    projects = []
    for run_id, edits in (("base-run", {}), ("run-1", {"stg": STG.replace("cents / 100 as amount,", "")})):
        project = shop(run_id, "prod", **edits)
        kwargs = {"model": "{{ get_where_subquery(ref('stg')) }}", "column_name": "id", "by": by}
        metadata = {"name": "most", "namespace": None, "kwargs": kwargs}
        stg = next(one for one in project.nodes if one.name == "stg")
        given = {"attached_node": stg.unique_id, "test_metadata": metadata} if by else {}
        code = compiled and compiled.format(stg=stg.relation_name)
        test = NodeMetadata(
            unique_id="test.shop.most", name="most", resource_type="test", parents=(stg.unique_id,),
            raw_code=template, compiled_code=code, code_hash="1", properties=given,
            macros=(TEST_MOST.unique_id,) if by else (),
        )  # fmt: skip
        projects.append(replace(project, nodes=(*project.nodes, test), macros=(TEST_MOST,)))
        record_run(store.adapter.at(store.schema), projects[-1])

    whole = whole_diff(*projects, NOTHING_MORE)
    stored = comparing.diff(lambda: store.adapter.at(store.schema), "base-run", "run-1", project="shop")

    assert complete(stored) == complete(whole)
    found = [bool(one.may_fail) for one in whole.impacted if one.name == "most"]
    # Without compiled SQL and arguments, each column counts.
    assert found == ([True] if may_fail or (compiled is None and not by) else [])


@pytest.mark.cases(2)
@pytest.mark.parametrize(
    ("reader", "expected"),
    [
        (
            {"config": {"post-hook": [{"sql": "delete from prod.daily where n > {{ var('most') }}"}]}},
            "unknown",
        ),
        ({"config": {"pre-hook": "delete from prod.daily where n > {{ var('most') }}"}}, "unknown"),
        ({"config": {"pre_hook": ["delete from prod.daily where n > {{ var('most') }}"]}}, "unknown"),
        ({"config": {"pre-hook": {"sql": "delete from prod.daily where n > {{ var('most') }}"}}}, "unknown"),
        ({"config": {"pre-hook": "update {{ this }} set n = {{ var('other') }}"}}, None),
        ({"raw_code": "{% do run_query('delete from prod.daily where n > ' ~ var('most')) %}"}, "unknown"),
        ({"raw_code": "{{ load(target.schema) }}", "macros": (SENT.unique_id,)}, "unknown"),
        ({"raw_code": "select {{ var('most') }}"}, None),
        ({"materialized": "bounded"}, "unknown"),
    ],
)
@pytest.mark.core("sqlite")
def test_a_hook_that_reads_a_variable_with_another_value_is_unknown(
    store: Any, reader: dict[str, Any], expected: str | None
) -> None:
    macro = replace(SENT, macro_sql=SENT.macro_sql.replace("select 1", "select ' ~ var(\"most\") ~ '"))
    name = "materialization_bounded_default"
    building = MacroMetadata(
        unique_id=f"macro.shop.{name}",
        name=name,
        package_name="shop",
        macro_sql="where n < {{ var('most') }}",
    )
    projects = []
    for run_id, value in (("base-run", 1), ("run-1", 2)):
        project = shop(run_id, "prod")
        limited = {"raw_code": "select {{ var('most') }}", "compiled_code": f"select {value}"}
        edits = {"open_orders": reader, "starred": {**limited, "code_hash": "1", "parents": ()}}
        nodes = tuple(replace(one, **edits.get(one.name, {})) for one in project.nodes)
        projects.append(replace(project, nodes=nodes, macros=(macro, building)))
    for project in projects:
        record_run(store.adapter.at(store.schema), project)

    whole = whole_diff(*projects, NOTHING_MORE)
    stored = comparing.diff(lambda: store.adapter.at(store.schema), "base-run", "run-1", project="shop")

    assert complete(stored) == complete(whole)
    changes = {change.name: change for change in whole.changed}
    assert {*changes} == ({"starred", "open_orders"} if expected else {"starred"})
    if expected:
        found = changes["open_orders"]
        assert str(found.category) == expected
        # The other statements write this node.
        assert ("materialized" in reader) or told(whole)["daily"] == expected
        assert found.category_reasons == (
            "a hook, statement, branch or materialization reads var('most'), which may differ",
        )


@pytest.mark.parametrize("kind", ["default", "duckdb"])
@pytest.mark.core("sqlite")
def test_a_materialization_that_may_read_another_value_is_noted(store: Any, kind: str) -> None:
    name = f"materialization_bounded_{kind}"
    building = MacroMetadata(
        unique_id=f"macro.shop.{name}",
        name=name,
        package_name="shop",
        macro_sql="where n < {{ var('most') }}",
    )
    projects = []
    for run_id in ("base-run", "run-1"):
        project = shop(run_id, "prod")
        nodes = tuple(
            replace(one, materialized="bounded") if one.name == "daily" else one for one in project.nodes
        )
        run = replace(project.run, adapter_type="duckdb")
        projects.append(replace(project, run=run, nodes=nodes, macros=(building,)))
        record_run(store.adapter.at(store.schema), projects[-1])

    stored = comparing.diff(lambda: store.adapter.at(store.schema), "base-run", "run-1", project="shop")

    note = "Variables in materializations of 1 node not compared: no artifact has their values (daily)"
    assert note in stored.notes
    assert complete(stored) == complete(whole_diff(*projects, NOTHING_MORE))


@pytest.mark.cases(2)
@pytest.mark.parametrize(
    ("branch", "materialized", "expected"),
    [
        ("where n > {{ var('most') }}", "incremental", "unknown"),
        ("where {{ bounded() }}", "incremental", "unknown"),
        ("where n > {{ var('other') }}", "incremental", None),
        ("where n > {{ var('most') }}", "table", None),
    ],
)
@pytest.mark.parametrize("place", ["prod", "pr"])
@pytest.mark.core("sqlite")
def test_a_branch_of_incremental_builds_that_reads_a_variable_with_another_value_is_unknown(
    store: Any, branch: str, materialized: str, expected: str | None, place: str
) -> None:
    macro = MacroMetadata(
        unique_id="macro.shop.bounded",
        name="bounded",
        package_name="shop",
        macro_sql="{% macro bounded() %}n > {{ var('most') }}{% endmacro %}",
    )
    template = f"select 1 as n {{% if is_incremental() %}} {branch} {{% endif %}}"
    projects = []
    for run_id, value, schema in (("base-run", 1, "prod"), ("run-1", 2, place)):
        reads = {"raw_code": "select {{ var('most') }}", "compiled_code": f"select {value}", "code_hash": "1"}
        edits: dict[str, dict[str, Any]] = {
            "starred": {**reads, "parents": ()},
            "open_orders": {"raw_code": template, "code_hash": "2", "materialized": materialized},
        }
        project = shop(run_id, schema)
        nodes = tuple(replace(one, **edits.get(one.name, {})) for one in project.nodes)
        projects.append(replace(project, nodes=nodes, macros=(macro,)))
        record_run(store.adapter.at(store.schema), projects[-1])

    whole = whole_diff(*projects, NOTHING_MORE)
    stored = comparing.diff(lambda: store.adapter.at(store.schema), "base-run", "run-1", project="shop")

    assert complete(stored) == complete(whole)
    categories = {change.name: str(change.category) for change in whole.changed}
    assert categories.get("open_orders", "None") == str(expected)


@pytest.mark.cases(3)
@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        (({"most": "a"}, {"most": "b"}), {"open_orders", "daily"}),
        (({}, {"most": "b"}), {"open_orders", "daily"}),
        (({"most": "a", "other": "a"}, {"most": "a", "other": "b"}), set()),
        (({"most": "a"}, {"most": "a"}), set()),
        ((None, {"most": "b"}), set()),
    ],
)
def test_a_variable_of_which_only_the_value_differs_is_found_by_its_hash(
    store: Any, variables: tuple[dict[str, str] | None, ...], expected: set[str]
) -> None:
    branch = "{% if is_incremental() %} where n > {{ var('most') }} {% endif %}"
    edits: dict[str, dict[str, Any]] = {
        "daily": {"raw_code": f"select 1 as n {branch}", "materialized": "incremental"},
        "starred": {"raw_code": f"select 1 as n {branch}", "materialized": "table"},
        "open_orders": {
            "config": {"post-hook": [{"sql": "delete from {{ this }} where n > {{ var('most') }}"}]}
        },
    }
    projects = []
    for run_id, given in zip(("base-run", "run-1"), variables, strict=True):
        project = shop(run_id, "prod")
        nodes = tuple(replace(one, **edits.get(one.name, {})) for one in project.nodes)
        run = replace(project.run, variables=given)
        projects.append(replace(project, run=run, nodes=nodes, macros=(SENT,)))
        record_run(store.adapter.at(store.schema), projects[-1])

    whole = whole_diff(*projects, NOTHING_MORE)
    stored = comparing.diff(lambda: store.adapter.at(store.schema), "base-run", "run-1", project="shop")

    assert complete(stored) == complete(whole)
    assert {change.name for change in whole.changed} == expected
    assert {str(change.category) for change in whole.changed} == ({"unknown"} if expected else set())


OF_ALL = "{% for one in graph.nodes.values() %}{{ one.description }}{% endfor %}"
LISTING = MacroMetadata(
    unique_id="macro.shop.listing",
    name="listing",
    package_name="shop",
    macro_sql=f"{{% macro listing() %}}{OF_ALL}{{% endmacro %}}",
)
BUILDING = replace(
    LISTING,
    unique_id="macro.shop.materialization_listed_default",
    name="materialization_listed_default",
)


@pytest.mark.core("sqlite")
@pytest.mark.parametrize(
    ("reader", "is_reading"),
    [
        ({"config": {"post-hook": [{"sql": f"update t set v = '{OF_ALL}'"}]}}, True),
        ({"config": {"post-hook": [{"sql": "{{ listing() }}"}]}, "macros": (LISTING.unique_id,)}, True),
        ({"materialized": "listed", "config": {"materialized": "listed"}}, True),
        ({"raw_code": f"select 1 {{% if is_incremental() %}}{OF_ALL}{{% endif %}}", "code_hash": "2"}, True),
        ({"config": {"post-hook": [{"sql": f"{OF_ALL.replace('description', 'meta')}"}]}}, False),
        ({"raw_code": f"select {OF_ALL}", "code_hash": "2"}, False),
    ],
)
def test_a_node_that_reads_others_in_graph_where_no_sql_shows_it_is_unknown(
    store: Any, reader: dict[str, Any], is_reading: bool
) -> None:
    projects = []
    for run_id, description in (("base-run", "old"), ("run-1", "new")):
        edits: dict[str, dict[str, Any]] = {"starred": {"description": description}, "open_orders": reader}
        project = shop(run_id, "prod")
        nodes = tuple(replace(one, **edits.get(one.name, {})) for one in project.nodes)
        projects.append(replace(project, nodes=nodes, macros=(LISTING, BUILDING)))
        record_run(store.adapter.at(store.schema), projects[-1])

    whole = whole_diff(*projects, NOTHING_MORE)
    stored = comparing.diff(lambda: store.adapter.at(store.schema), "base-run", "run-1", project="shop")

    assert complete(stored) == complete(whole)
    found = {change.name: change for change in whole.changed}
    assert str(found.pop("starred").category) == "none"
    assert {*found} == ({"open_orders"} if is_reading else set())
    for change in found.values():
        assert str(change.category) == "unknown"
        assert change.category_reasons == (
            "a hook, statement, branch or materialization reads graph.starred.description, which may differ",
        )


ANY_MODEL = "{% for one in graph.nodes.values() %}{{ one.name }}{% endfor %}"
MODELS_ONLY = ANY_MODEL.replace("()", "() | selectattr('resource_type', 'equalto', '{}')")
LOOKED_UP = "update t set v = '{{ graph.nodes[%s].name }}'"


def hook(text: str) -> dict[str, Any]:
    return {"config": {"post-hook": [{"sql": text}]}}


@pytest.mark.cases(7)
@pytest.mark.core("sqlite")
@pytest.mark.parametrize(
    ("reader", "edit", "key"),
    [
        (hook(ANY_MODEL), None, "graph.extra"),
        (
            {"raw_code": f"select 1 {{% if is_incremental() %}}{ANY_MODEL}{{% endif %}}"},
            None,
            "graph.extra",
        ),
        ({"raw_code": f"select '{ANY_MODEL}'", "compiled_code": None}, None, "graph.extra"),
        (hook(MODELS_ONLY.replace("{}", "model")), None, "graph.extra"),
        (hook(MODELS_ONLY.replace("{}", "seed")), None, None),
        (hook(LOOKED_UP % "'model.shop.extra'"), None, "graph.extra"),
        (hook(LOOKED_UP % "model.unique_id"), None, None),
        (hook("{{ graph.sources | length }}"), None, None),
        ({"raw_code": f"select '{ANY_MODEL}'"}, None, None),
        (
            hook(ANY_MODEL.replace("name", "raw_code")),
            {"raw_code": "select 7 as id"},
            "graph.extra.raw_code",
        ),
        (hook(ANY_MODEL.replace("name", "raw_code")), {"raw_code": "select 2"}, "graph.extra.raw_code"),
        (hook(ANY_MODEL), {"raw_code": "select 7 as id"}, None),
        (
            hook(ANY_MODEL.replace("name", "columns | length")),
            {"columns": (Column("n", documented=True),)},
            "graph.extra.columns",
        ),
        (hook(ANY_MODEL.replace("name", "config.items()")), {"config": {"x": 1}}, "graph.extra.x"),
        (hook(ANY_MODEL.replace("name", "config.y")), {"config": {"x": 1}}, None),
    ],
)
def test_what_is_read_of_others_in_graph_is_compared(
    store: Any, reader: dict[str, Any], edit: dict[str, Any] | None, key: str | None
) -> None:
    projects = []
    for run_id, change in (("base-run", {}), ("run-1", edit)):
        project = shop(run_id, "prod")
        nodes = {one.name: one for one in project.nodes}
        nodes["open_orders"] = replace(nodes["open_orders"], **reader)
        if change is not None:
            extra = replace(nodes["daily"], unique_id="model.shop.extra", name="extra", parents=())
            nodes["extra"] = replace(
                extra, **{"raw_code": "select 2 -- x", "compiled_code": "select 2", **change}
            )
        found = tuple(replace(one, code_hash=code_hash(one.raw_code or "")) for one in nodes.values())
        projects.append(replace(project, nodes=found))
        record_run(store.adapter.at(store.schema), projects[-1])

    whole = whole_diff(*projects, NOTHING_MORE)
    stored = comparing.diff(lambda: store.adapter.at(store.schema), "base-run", "run-1", project="shop")

    assert complete(stored) == complete(whole)
    read = [
        (detail.key, str(change.category))
        for change in whole.changed
        for detail in change.details
        if change.name == "open_orders"
    ]
    assert read == ([] if key is None else [(key, "unknown")])


def test_a_new_model_whose_hook_deletes_from_another_table_is_breaking(store: Any) -> None:
    base, current = (hooked(shop(name, "prod"), DELETES) for name in ("base-run", "run-1"))
    base = replace(base, nodes=tuple(node for node in base.nodes if node.name != "open_orders"))

    whole = whole_diff(base, current, NOTHING_MORE)

    (change,) = whole.changed
    assert (str(change.status), str(change.category)) == ("added", "breaking")
    assert change.category_reasons == ("it deletes rows or drops a relation",)
    assert told(whole)["daily"] == "unknown"


@pytest.mark.core("sqlite")
def test_an_operation_affects_what_further_hooks_and_data_tests_read(store: Any) -> None:
    projects = []
    for run_id, value in (("base-run", "1"), ("run-1", "2")):
        code = (f"create table prod.first as select {value}", "create table prod.second as from prod.first")
        hooks = [
            NodeMetadata(
                unique_id=f"operation.shop.{number}",
                name=str(number),
                resource_type="operation",
                raw_code=text,
                code_hash=text,
            )
            for number, text in enumerate(code)
        ]
        reads = {"raw_code": "from prod.second", "compiled_code": "from prod.second", "parents": ()}
        test = NodeMetadata(unique_id="test.shop.few", name="few", resource_type="test", **reads)
        project = shop(run_id, "prod")
        nodes = (replace(one, **reads) if one.name == "counted" else one for one in project.nodes)
        projects.append(replace(project, nodes=(*nodes, *hooks, test)))
        record_run(store.adapter.at(store.schema), projects[-1])

    whole = whole_diff(*projects, NOTHING_MORE)
    stored = comparing.diff(lambda: store.adapter.at(store.schema), "base-run", "run-1", project="shop")

    assert complete(stored) == complete(whole)
    assert [(change.name, str(change.category)) for change in whole.changed] == [("0", "unknown")]
    assert (told(whole)["counted"], told(whole)["few"]) == ("unknown", "unknown")


def with_built_source(run_id: str, edited: str, value: int) -> Project:
    """The project with a source that has the relation of *edited*, and a reader of it."""
    project = shop(run_id, "prod")
    known = {one.name: one for one in project.nodes}
    source = replace(
        known["daily"], unique_id="source.shop.own.t", resource_type="source", parents=(), raw_code=None,
        compiled_code=None, code_hash=None, materialized=None, relation_name=f'"db"."prod"."{edited}"',
        identifier=edited, name="t",
    )  # fmt: skip
    code = f"select {value} as n from prod.none"
    test = replace(
        known["daily"], unique_id="test.shop.few", name="few", resource_type="test", identifier="few",
        relation_name='"db"."prod"."few"', parents=(),
    )  # fmt: skip
    text = {"raw_code": code, "compiled_code": code, "code_hash": code_hash(code)}
    reader = replace(
        known["counted"], raw_code="select count(*) as n from {{ source('own', 't') }}",
        compiled_code=f'select count(*) as n from "db"."prod"."{edited}"', parents=(source.unique_id,),
    )  # fmt: skip
    nodes = {**known, "few": test, "t": source, "counted": reader}
    nodes[edited] = replace(nodes[edited], **text)
    return replace(project, nodes=tuple(nodes.values()))


@pytest.mark.core("sqlite")
@pytest.mark.parametrize("edited", ["daily", "few"])
def test_a_reader_of_a_source_that_a_node_builds_is_affected(store: Any, edited: str) -> None:
    projects = [with_built_source(run_id, edited, n) for n, run_id in enumerate(("base-run", "run-1"))]
    for project in projects:
        record_run(store.adapter.at(store.schema), project)

    whole = whole_diff(*projects, NOTHING_MORE)
    stored = comparing.diff(lambda: store.adapter.at(store.schema), "base-run", "run-1", project="shop")

    assert complete(stored) == complete(whole)
    assert [change.name for change in whole.changed] == [edited]
    assert {"t", "counted"} <= told(whole).keys()


@pytest.mark.core("sqlite")
def test_a_graph_of_an_earlier_recce_meta_gets_the_edges_of_built_sources_when_it_is_recorded_again(
    store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr(hook_tables, "builders_of_sources", lambda nodes: {})
        earlier.setattr(write, "__version__", "0.0.1")
        for n, run_id in enumerate(("base-run", "run-1")):
            record_run(store.adapter.at(store.schema), with_built_source(run_id, "daily", n))
    record_run(store.adapter.at(store.schema), with_built_source("run-2", "daily", 1))

    found = [
        comparing.diff(lambda: store.adapter.at(store.schema), "base-run", one, project="shop")
        for one in ("run-1", "run-2")
    ]

    assert ["counted" in told(one) for one in found] == [False, True]
    assert [one.notes for one in found] == [
        (
            "Readers of 1 source that nodes of the project build may be missing (t): an older version "
            "recorded current; record it again",
        ),
        (),
    ]


@pytest.mark.core("sqlite")
def test_a_reader_that_names_a_relation_but_none_of_its_columns_is_reached(store: Any) -> None:
    base, current = (
        replace(
            project,
            nodes=tuple(replace(one, parents=()) if one.name == "counted" else one for one in project.nodes),
        )
        for project in (shop("base-run", "prod"), shop("run-1", "prod", stg=f"{STG} where id > 0"))
    )
    for project in (base, current):
        record_run(store.adapter.at(store.schema), project)

    whole = whole_diff(base, current, NOTHING_MORE)
    stored = comparing.diff(lambda: store.adapter.at(store.schema), "base-run", "run-1", project="shop")

    assert complete(stored) == complete(whole)
    assert told(whole)["counted"] == "rows"


def measured(run_id: str, *statuses: str, **edits: str) -> Project:
    """The project with types of two models, and a test of a key of `daily`; *statuses* are of both."""
    given = shop(run_id, "prod", **edits)
    columns = {"daily": ("customer_id", "revenue"), "open_orders": ("id", "customer_id")}
    nodes = []
    for node in given.nodes:
        if node.name in columns:
            typed = tuple(Column(name, type="INTEGER") for name in columns[node.name])
            node = replace(node, columns=typed, columns_from="catalog")
        if node.name == "after_star":
            node = replace(node, parents=(unique_id("daily"), unique_id("open_orders")))
        if node.resource_type == "test":
            metadata = {"name": "unique", "kwargs": {"column_name": "customer_id"}}
            node = replace(
                node,
                name="unique_daily",
                materialized="test",
                parents=(unique_id("daily"),),
                properties={"test_metadata": metadata},
            )
        nodes.append(node)
    ids = (unique_id("daily"), unique_id("amount_is_there"))
    results = tuple(
        NodeResult(unique_id=one, status=status, failures=0, completed_at=f"2026-01-01T00:00:0{place}Z")
        for place, (one, status) in enumerate(zip(ids, statuses, strict=False))
    )
    return replace(given, nodes=tuple(nodes), results=results)


@pytest.mark.core("sqlite")
def test_facts_are_those_of_tests_that_passed_in_a_run(store: Any) -> None:
    joined = "select o.id from {open_orders} o left join {daily} d on d.customer_id = o.customer_id"
    cases = [(("success", "pass"), "none"), (("success", "fail"), "breaking"), ((), "breaking")]
    for number, (statuses, category) in enumerate(cases):
        base = measured(f"base{number}", *statuses, after_star=joined.partition(" left")[0])
        current = measured(f"current{number}", after_star=joined)
        (change,) = whole_diff(base, current, NOTHING_MORE).changed

        assert change.category == category
        assert [fact.name for fact in change.facts] == (["unique_daily"] if category == "none" else [])
        for project in (base, current):
            record_run(store.adapter.at(store.schema), project)
        ids = (base.run.run_id, current.run.run_id)
        found = comparing.diff(lambda: store.adapter.at(store.schema), *ids, project="shop")
        assert [(one.category, one.facts, one.category_reasons) for one in found.changed] == [
            (change.category, change.facts, change.category_reasons)
        ]
