"""Changes that reach unedited nodes with rows of earlier runs: what the next run does with those rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.diff import NOTHING_MORE, failing_changes, stored_diff, whole_diff
from recce_meta.api.record import record_run
from recce_meta.models import MacroMetadata, NodeMetadata, Project, RunDiff, RunMetadata
from recce_meta.models.change import BY_GUESS, Category
from recce_meta.models.lineage import Usage
from recce_meta.sql_lineage.project.columns import PYTHON, analyse_project
from recce_meta.sql_lineage.project.nodes import OTHER_FIXTURE
from recce_meta.sql_lineage.propagation import (
    KEPT_ABOVE,
    NOT_ADDED_ABOVE,
    NOT_TRACED,
    SKIPPED,
    TYPE_KEPT_ABOVE,
    UNTRACED_ABOVE,
)
from tests.support.once import empty_store

CHECK = {"materialized": "snapshot", "strategy": "check", "check_cols": ["a"], "unique_key": "id"}
CHECK_ALL = {**CHECK, "check_cols": "all"}
TIMESTAMP = {"materialized": "snapshot", "strategy": "timestamp", "updated_at": "ts", "unique_key": "id"}
KEYED = {"materialized": "incremental", "unique_key": "id"}
APPEND = {"materialized": "incremental", "incremental_strategy": "append"}
NEWER = "{% if is_incremental() %} where ts > (select max(ts) from {{ this }}) {% endif %}"
SINCE = f"select id, a, ts from p {NEWER}"


def node(name: str, sql: str, *parents: str, raw: str = "", macros: Any = (), **config: Any) -> NodeMetadata:
    kind = "snapshot" if config.get("materialized") == "snapshot" else "model"
    relation = '"d"."s"."{}"'.format
    for parent in parents:
        sql = sql.replace(f" {parent.split('.')[-1]}", " " + relation(parent.split(".")[-1]))
    return NodeMetadata(
        unique_id=f"{kind}.shop.{name}", name=name, resource_type=kind, package_name="shop", language="sql",
        database_name="d", schema_name="s", identifier=name, relation_name=relation(name),
        materialized=config.get("materialized", "table"), config=config, raw_code=raw or sql,
        compiled_code=sql, parents=parents, macros=macros,
    )  # fmt: skip


def project(run_id: str, *nodes: NodeMetadata, adapter: str = "duckdb", macros: Any = ()) -> Project:
    run = RunMetadata(
        run_id=run_id, project_name="shop", environment="dev", adapter_type=adapter, extractor="dbt",
        run_at=datetime(2026, 1, 1 + len(run_id), tzinfo=timezone.utc),
    )  # fmt: skip
    return Project(run=run, nodes=nodes, macros=macros)


P = "select id, a, b, ts from raw"
K = "select id, a, b, ts from p"


def reached(edited: str, config: dict[str, Any], adapter: str = "duckdb", sql: str = K, **more: Any) -> str:
    """What of a reader of `other` of the unedited node is affected if its parent becomes *edited*."""
    kept = node("k", sql, "model.shop.p", **more, **config)
    reader = node("r", "select b from k", kept.unique_id)
    sides = [
        project(run_id, node("p", parent), kept, reader, adapter=adapter)
        for run_id, parent in (("b", P), ("bc", edited))
    ]
    found = {one.name: one for one in whole_diff(*sides, NOTHING_MORE).impacted}
    return "fails" if "k" in found and found["k"].fails else str(found["r"].reach) if "r" in found else ""


VALUE_A, VALUE_ID = P.replace("a,", "a + 1 as a,"), P.replace("id,", "id + 1 as id,")
VALUE_TS = P.replace(" ts ", " ts + 1 as ts ")
MORE, LESS = P.replace(", ts", ", ts, c"), P.replace("a, ", "")
STAR = "select * from p"
CASES = [
    (VALUE_A, CHECK, "duckdb", K, "rows"),
    (VALUE_A, CHECK_ALL, "duckdb", K, "rows"),
    (VALUE_A, {**CHECK, "check_cols": ["ts"]}, "duckdb", K, ""),
    (VALUE_A, {**CHECK, "check_cols": ['"a"']}, "duckdb", K, "rows"),
    (VALUE_A, TIMESTAMP, "duckdb", K, ""),
    (VALUE_TS, TIMESTAMP, "duckdb", K, "rows"),
    (VALUE_A, {**CHECK, "strategy": "own"}, "duckdb", K, "unknown"),
    (VALUE_ID, KEYED, "duckdb", K, "rows"),
    (VALUE_ID, APPEND, "duckdb", K, ""),
    (VALUE_A, KEYED, "duckdb", K, ""),
    (VALUE_A, {**KEYED, "incremental_predicates": ["dest.a > 1"]}, "duckdb", K, "rows"),
    (VALUE_A, {**KEYED, "incremental_strategy": "own"}, "duckdb", K, "unknown"),
    (VALUE_A, KEYED, "oracle", K, "unknown"),
    (VALUE_A, {"materialized": "own"}, "duckdb", K, "unknown"),
    (VALUE_A, {"materialized": "table"}, "duckdb", K, ""),
    (
        VALUE_A,
        {**APPEND, "incremental_strategy": "insert_overwrite", "partition_by": {"field": "a"}},
        "bigquery",
        K,
        "rows",
    ),
    (MORE, CHECK_ALL, "duckdb", STAR, "rows"),
    (MORE, {**KEYED, "on_schema_change": "fail"}, "duckdb", STAR, "fails"),
    (VALUE_A, {**KEYED, "on_schema_change": "fail"}, "duckdb", K, "unknown"),
    (MORE, KEYED, "duckdb", STAR, ""),
    (LESS, KEYED, "duckdb", STAR, "fails"),
    (LESS, {**KEYED, "on_schema_change": "sync_all_columns"}, "duckdb", STAR, ""),
    (LESS, CHECK, "duckdb", STAR, "fails"),
]


def test_a_changed_column_reaches_all_columns_if_it_decides_which_rows_are_replaced(
    subtests: pytest.Subtests,
) -> None:
    for edited, config, adapter, sql, expected in CASES:
        with subtests.test(edited=edited, config=config, adapter=adapter):
            assert reached(edited, config, adapter, sql) == expected


def test_a_column_that_an_incremental_run_selects_by_decides_its_rows(subtests: pytest.Subtests) -> None:
    macro = "{% macro recent() %}{% if is_incremental() %} where ts > 1 {% endif %}{% endmacro %}"
    for edited, raw, expected in (
        (VALUE_TS, SINCE, "rows"),
        (VALUE_A, SINCE, ""),
        (VALUE_A, "{{ config(post_hook='grant select on {{ this }} to x') }}" + SINCE, ""),
        (VALUE_A, K + " where {{ 'ts > 1' if is_incremental() else true }}", "rows"),
    ):
        with subtests.test(edited=edited, raw=raw):
            assert reached(edited, APPEND, raw=raw) == expected
    kept = node("k", K, "model.shop.p", raw=K + " {{ recent() }}", macros=("macro.shop.recent",), **APPEND)
    named = MacroMetadata(unique_id="macro.shop.recent", name="recent", package_name="shop", macro_sql=macro)
    sides = [project(one, node("p", sql), kept, macros=(named,)) for one, sql in (("b", P), ("bc", VALUE_TS))]
    (impact,) = whole_diff(*sides, NOTHING_MORE).impacted
    assert impact.reach == "rows"


def test_the_deciding_columns_are_stored_as_column_edges() -> None:
    edges = {}
    for name, config in (("check", CHECK), ("all", CHECK_ALL), ("keyed", KEYED), ("append", APPEND)):
        kept = node("k", "select id, a from p", "model.shop.p", **config)
        graph = analyse_project(project("b", node("p", P), kept))
        found = graph.analyses[graph.lineage_ids[kept.unique_id]]
        edges[name] = {(use.usage, use.column) for use in found.uses}
    assert edges["check"] == {(Usage.JOIN, "id"), (Usage.FILTER, "a")}
    assert edges["all"] == {(Usage.JOIN, "id"), (Usage.FILTER, "a"), (Usage.FILTER, "id")}
    assert edges["keyed"] == {(Usage.JOIN, "id")}
    assert edges["append"] == set()


@pytest.fixture
def store() -> Iterator[UnifiedSqlAdapter]:
    with empty_store() as adapter:
        yield adapter


def test_a_table_that_becomes_a_view_is_unstable_if_a_view_above_it_is(subtests: pytest.Subtests) -> None:
    for sql, above, expected in (
        ("select id, random() as x from raw", "view", "breaking"),
        ("select id, random() as x from raw", "table", "non_breaking"),
        ("select id, 1 as x from raw", "view", "non_breaking"),
    ):
        with subtests.test(sql=sql, above=above), empty_store() as store:
            nodes = [
                node("p", sql, materialized=above),
                node("q", "select id, x from p", "model.shop.p", materialized="view"),
            ]
            sides = [
                project(one, *nodes, node("k", "select x from q", "model.shop.q", materialized=kind))
                for one, kind in (("b", "table"), ("bc", "view"))
            ]
            runs = [record_run(store, side).run for side in sides]
            diffs = [whole_diff(*sides, NOTHING_MORE), stored_diff(store, *runs)]
            for diff in diffs:
                (change,) = diff.changed
                assert change.category == expected, change.category_reasons


def test_a_key_is_not_harmless_if_a_macro_that_builds_the_node_reads_it(subtests: pytest.Subtests) -> None:
    def macro(name: str, body: str) -> MacroMetadata:
        text = f"{{% macro {name}() %}}{body}{{% endmacro %}}"
        return MacroMetadata(unique_id=f"macro.shop.{name}", name=name, package_name="shop", macro_sql=text)

    by_config = macro("materialization_own_default", "{{ config.get('persist_docs') }}")
    hooked = macro("note", "{{ model.config.cluster_by }}")
    for key, kind, macros, hook, expected in (
        ("persist_docs", "own", [by_config], [], "unknown"),
        ("persist_docs", "table", [by_config], [], "none"),
        ("cluster_by", "table", [hooked], [{"sql": "{{ note() }}"}], "unknown"),
        ("cluster_by", "table", [hooked], [], "non_breaking"),
        ("cluster_by", "table", [], [{"sql": "select '{{ config.get('cluster_by') }}'"}], "unknown"),
    ):
        with subtests.test(key=key, kind=kind, hook=hook):
            config = {"materialized": kind, "post-hook": hook}
            sides = [
                project(one, node("k", "select 1 as a", **config, **{key: value}), macros=macros)
                for one, value in (("b", {"x": 1}), ("bc", {"x": 2}))
            ]
            (change,) = whole_diff(*sides, NOTHING_MORE).changed
            assert change.category == expected, change.category_reasons


def test_a_column_that_an_element_of_a_semantic_model_reads_makes_it_fail_if_it_is_removed() -> None:
    elements = {
        "entities": [{"name": "id", "type": "primary"}],
        "dimensions": [{"name": "day", "expr": "date_trunc('day', ts)"}],
        "measures": [{"name": "cost", "agg": "sum", "expr": "a"}, {"name": "n", "agg": "sum", "expr": "1"}],
    }
    semantic = NodeMetadata(
        unique_id="semantic_model.shop.s", name="s", resource_type="semantic_model", package_name="shop",
        parents=("model.shop.p",), properties=elements,
    )  # fmt: skip
    metric = NodeMetadata(
        unique_id="metric.shop.m", name="m", resource_type="metric", parents=(semantic.unique_id,),
        properties={"type": "simple", "type_params": {"measure": {"name": "n"}}},
    )  # fmt: skip

    def compared(edited: str) -> RunDiff:
        sides = [project(one, node("p", sql), semantic, metric) for one, sql in (("b", P), ("bc", edited))]
        return whole_diff(*sides, NOTHING_MORE)

    def affected(edited: str) -> dict[str, tuple[str, bool]]:
        return {one.name: (str(one.reach), one.fails) for one in compared(edited).impacted}

    # The metric needs another element than the one that fails.
    assert affected(LESS) == {"s": ("columns", True)}
    assert affected(P.replace("b,", "b + 1 as b,")) == {}
    assert affected(VALUE_A) == {"s": ("columns", False)}
    assert affected(VALUE_TS)["s"] == ("columns", False)
    elements["measures"].append({"name": "odd", "expr": "sum("})
    less = compared(LESS)
    assert {one.name: (one.fails, bool(one.may_fail)) for one in less.impacted} == {
        "s": (False, True),
        "m": (False, True),
    }
    assert not failing_changes(less, frozenset(["fails"]))
    assert [one.name for one in failing_changes(less, frozenset(["may_fail"]))] == ["p"]
    assert affected(P.replace("b,", "b + 1 as b,"))["s"] == ("unknown", False)


@pytest.mark.parametrize(
    ("listed", "edited", "expected"),
    [
        ({"p": ["a"]}, LESS, (True, "")),
        ({"p": ["b"]}, LESS, None),
        ({"p": ["A", "b"]}, LESS, (True, "")),
        ({"p": ["b"]}, VALUE_A, None),
        ({"p": ["a"]}, VALUE_A, (False, "")),
        (None, LESS, (False, NOT_TRACED)),
        (["p.a"], LESS, (False, "meta.recce_meta.columns does not map models to columns")),
        (
            {"q": ["a"]},
            LESS,
            (
                False,
                "meta.recce_meta.columns names 'q', not a parent, or not with a list of columns",
            ),
        ),
    ],
)
def test_an_exposure_reads_the_columns_that_its_meta_lists(
    listed: Any, edited: str, expected: tuple[bool, str] | None
) -> None:
    board = NodeMetadata(
        unique_id="exposure.shop.board",
        name="board",
        resource_type="exposure",
        parents=("model.shop.p",),
        meta={"recce_meta": {"columns": listed}} if listed is not None else {},
    )
    sides = [project(one, node("p", sql), board) for one, sql in (("b", P), ("bc", edited))]

    found = {one.name: (one.fails, one.may_fail) for one in whole_diff(*sides, NOTHING_MORE).impacted}
    assert found.get("board") == expected


PYTHON_CODES = [
    ("session.sql('select a from d.s.p')", True),
    ("session.table('P').project('a')", True),
    ("query = 'select a ' + 'from s.p'; session.sql(query)", True),
    ("session.sql('select a from d.s.' + name('p'))", True),
    ("con.execute(f'select {x} from p')", True),
    ("df['p']", False),
    ("session.sql('select a from other.p2')", False),
    ("'''select a from d.s.p'''", False),
    ("session.sql('select a from d.s.p'", True),  # does not parse
]


@pytest.mark.cases(6)
@pytest.mark.parametrize("is_stored", [False, True])
@pytest.mark.parametrize(("code", "reads"), PYTHON_CODES)
def test_python_that_names_a_relation_without_ref_may_fail_and_so_may_its_readers(
    code: str, reads: bool, is_stored: bool, store: UnifiedSqlAdapter
) -> None:
    python = NodeMetadata(
        unique_id="model.shop.py", name="py", resource_type="model", language="python",
        relation_name='"d"."s"."py"', raw_code=f"def model(dbt, session):\n    {code}",
    )  # fmt: skip
    reader = node("r", "select a from py", python.unique_id)
    # It names p without ref, so that dbt knows of no edge.
    hard = node("hard", "select a from d.s.p")
    sides = [project(one, node("p", sql), python, reader, hard) for one, sql in (("b", P), ("bc", LESS))]
    if is_stored:
        runs = [record_run(store, one).run for one in sides]
        diff = stored_diff(store, runs[0], runs[1])
    else:
        diff = whole_diff(*sides, NOTHING_MORE)

    found = {one.name: (one.fails, one.may_fail) for one in diff.impacted}
    expected = {"py": (False, PYTHON), "r": (False, UNTRACED_ABOVE)} if reads else {}
    assert found == {**expected, "hard": (True, "")}


def test_nodes_whose_reading_of_a_removed_column_is_not_known_may_fail() -> None:
    python = NodeMetadata(
        unique_id="model.shop.py",
        name="py",
        resource_type="model",
        language="python",
        raw_code="def model(dbt, session):\n    return dbt.ref('p')",
        parents=("model.shop.p",),
    )
    unit = NodeMetadata(
        unique_id="unit_test.shop.u", name="u", resource_type="unit_test", parents=("model.shop.p",)
    )
    sides = [project(one, node("p", sql), python, unit) for one, sql in (("b", P), ("bc", LESS))]

    found = {one.name: (one.fails, one.may_fail) for one in whole_diff(*sides, NOTHING_MORE).impacted}
    assert found == {"py": (False, PYTHON), "u": (False, OTHER_FIXTURE)}


def failing_readers(sql: str, edited: str = LESS, reader: str = "select a from k", **config: Any) -> Any:
    """Return `fails` and `may_fail` of a model with *sql*, of a view of it, and of a *reader* of the view."""
    kept = node("k", sql, "model.shop.p", "model.shop.q", **config)
    view = node("v", "select * from k", kept.unique_id, materialized="view")
    last = node("r", reader.replace("k", "v"), view.unique_id)
    also = node("q", "select * from p", "model.shop.p", materialized="view")
    sides = [project(one, node("p", up), also, kept, view, last) for one, up in (("b", P), ("bc", edited))]
    found = {one.name: (one.fails, one.may_fail) for one in whole_diff(*sides, NOTHING_MORE).impacted}
    return [found.get(name) for name in ("k", "v", "r")]


WORKS, FAILS, KEPT, GUESSED = (False, ""), (True, ""), (False, KEPT_ABOVE), (False, BY_GUESS)
LATER = (False, f"it references a; {SKIPPED}")
APPENDED = "append_new_columns"
RENAMED = P.replace("a,", "a as z,")


@pytest.mark.cases(5)
@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"on_schema_change": "append_new_columns"}, [WORKS, WORKS, KEPT]),
        ({"on_schema_change": "sync_all_columns"}, [WORKS, WORKS, FAILS]),
        ({"on_schema_change": "ignore"}, [FAILS, WORKS, LATER]),
        ({"on_schema_change": "fail"}, [FAILS, WORKS, LATER]),
        (CHECK, [FAILS, WORKS, LATER]),
        ({"incremental_strategy": "merge"}, [WORKS, WORKS, KEPT]),
        ({"full_refresh": True}, [WORKS, WORKS, FAILS]),
        (TIMESTAMP, [WORKS, WORKS, KEPT]),
        (CHECK_ALL, [WORKS, WORKS, KEPT]),
    ],
)
def test_readers_of_a_column_that_a_table_keeps_may_fail(config: dict[str, Any], expected: object) -> None:
    assert failing_readers(STAR, **{**KEYED, **config}) == expected


@pytest.mark.parametrize(
    ("config", "is_failing"),
    [
        (KEYED, True),
        ({**KEYED, "on_schema_change": "fail"}, True),
        ({**KEYED, "unique_key": "a", "on_schema_change": "sync_all_columns"}, True),
        ({**KEYED, "on_schema_change": "append_new_columns"}, False),
        (CHECK, True),
        (CHECK_ALL, False),
    ],
)
def test_an_edited_model_whose_build_fails_is_found_by_fail_on(
    config: dict[str, Any], is_failing: bool
) -> None:
    sides = []
    for run_id, sql in (("b", K), ("bc", K.replace("a, ", ""))):
        kept = node("k", sql, "model.shop.p", **config)
        sides.append(project(run_id, node("p", P), kept, node("r", "select a from k", kept.unique_id)))
    diff = whole_diff(*sides, NOTHING_MORE)

    assert [(one.fails, one.may_fail) for one in diff.impacted] == [LATER if is_failing else KEPT]
    found = [one.name for one in failing_changes(diff, frozenset({"fails"}))]
    assert found == (["k"] if is_failing else [])


TEXT = P.replace("a,", "cast(a as varchar) as a,")
VIEW_OF_WAREHOUSE = {"materialized": "materialized_view"}


@pytest.mark.cases(8)
@pytest.mark.parametrize(
    ("edited", "column", "config", "expected"),
    [
        (MORE, "c", KEYED, NOT_ADDED_ABOVE),
        (MORE, "c", {**APPEND, "on_schema_change": "append_new_columns"}, ""),
        (MORE, "c", {**KEYED, "on_schema_change": "sync_all_columns"}, ""),
        (MORE, "c", {**KEYED, "full_refresh": True}, ""),
        (MORE, "c", TIMESTAMP, ""),
        (MORE, "c", {"materialized": "table"}, ""),
        (MORE + " where id > 1", "c", KEYED, NOT_ADDED_ABOVE),
        (MORE, "c", VIEW_OF_WAREHOUSE, NOT_ADDED_ABOVE),
        (TEXT, "lower(a)", KEYED, TYPE_KEPT_ABOVE),
        (TEXT, "lower(a)", TIMESTAMP, TYPE_KEPT_ABOVE),
        (TEXT, "lower(a)", {**KEYED, "on_schema_change": "sync_all_columns"}, ""),
    ],
)
@pytest.mark.parametrize("is_direct", [True, False], ids=["edited", "through_a_parent"])
def test_readers_of_a_column_that_does_not_arrive_may_fail(
    edited: str, column: str, config: dict[str, Any], expected: str, is_direct: bool
) -> None:
    # A parent that is rebuilt takes the view with it.
    is_direct = is_direct or config is VIEW_OF_WAREHOUSE
    sides = []
    for run_id, sql in (("b", P), ("bc", edited)):
        kept = node("k", sql if is_direct else STAR, "model.shop.p", **config)
        view = node("v", "select * from k", kept.unique_id, materialized="view")
        asked = "1" if run_id == "b" else column
        readers = [
            node("edited", f"select id, {asked} as x from v", view.unique_id),
            node("unedited", "select id, a from v", view.unique_id),
        ]
        new = [node("new", f"select {column} as x from v", view.unique_id)] if run_id == "bc" else []
        sides.append(
            project(
                run_id, node("p", P if is_direct else sql), kept, view, *readers, *new, adapter="postgres"
            )
        )
    diff = whole_diff(*sides, NOTHING_MORE)
    found = {one.name: one.reached.may_fail for one in diff.changed if one.reached is not None}
    assert {name: found.get(name, "") for name in ("edited", "new")} == {"edited": expected, "new": expected}
    assert not any(one.may_fail or one.fails for one in diff.impacted)
    (causing,) = {one.name for one in failing_changes(diff, frozenset({"may_fail"}))} or {""}
    assert causing == ("" if not expected else "k" if is_direct else "p")


def test_a_new_table_has_all_columns_of_its_query() -> None:
    sides = []
    for run_id, sql, kind in (("b", P, "view"), ("bc", MORE, "incremental")):
        kept = node("k", STAR, "model.shop.p", **{**KEYED, "materialized": kind})
        asked = "1 as c" if run_id == "b" else "c"
        sides.append(
            project(run_id, node("p", sql), kept, node("r", f"select {asked} from k", kept.unique_id))
        )
    diff = whole_diff(*sides, NOTHING_MORE)
    assert not failing_changes(diff, frozenset({"may_fail"}))


@pytest.mark.parametrize(
    ("key", "strategy", "expected"),
    [
        ("a", "delete+insert", [WORKS, WORKS, KEPT]),
        (["a"], "delete+insert", [FAILS, WORKS, LATER]),
        ("a", "merge", [FAILS, WORKS, LATER]),
    ],
)
def test_a_removed_key_that_the_table_keeps_deletes_all_rows(
    key: object, strategy: str, expected: object
) -> None:
    config = {**KEYED, "unique_key": key, "incremental_strategy": strategy, "on_schema_change": APPENDED}
    assert failing_readers(STAR, **config) == expected
    assert reached(LESS, config, sql=STAR) == ("fails" if expected == [FAILS, WORKS, LATER] else "rows")


@pytest.mark.cases(5)
@pytest.mark.parametrize(
    ("sql", "edited", "reader", "expected"),
    [
        ("select * from p except select * from q", LESS, "select a from k", [GUESSED, WORKS, FAILS]),
        ("select * from p except select 1, 2, 3, 4", LESS, "select a from k", [FAILS, WORKS, WORKS]),
        ("select * from p except select 1, 2, 3, 4", RENAMED, "select a from k", [GUESSED, WORKS, FAILS]),
        ("select * from p group by 1, 2, 3, 4", RENAMED, "select b from k", [GUESSED, WORKS, WORKS]),
        ("select * from p group by 1, 2, 3, 4", LESS, "select b from k", [FAILS, WORKS, WORKS]),
        ("select * rename (a as x) from p", LESS, "select x from k", [WORKS, WORKS, FAILS]),
        ("select columns('^[ab]$') from p", LESS, "select b from k", [WORKS, WORKS, None]),
        ("select columns(lambda c: c = 'a') from p", LESS, "select 1 from k", [FAILS, WORKS, WORKS]),
        ("select columns(lambda c: c = 'a') from p", RENAMED, "select 1 from k", [FAILS, WORKS, WORKS]),
        ("select id from p order by columns('^[az]$')", RENAMED, "select id from k", [GUESSED, WORKS, WORKS]),
    ],
)
def test_positions_and_patterns_of_names_fail_only_if_no_column_is_left(
    sql: str, edited: str, reader: str, expected: object
) -> None:
    assert failing_readers(sql, edited, reader) == expected


def test_another_type_of_a_parents_column_stops_a_table_that_keeps_its_type(
    subtests: pytest.Subtests,
) -> None:
    text = P.replace("a,", "cast(a as varchar) as a,")
    for edited, config, expected in (
        (text, KEYED, "rows"),
        (text, {**KEYED, "on_schema_change": "sync_all_columns"}, ""),
        (text, {"materialized": "table"}, ""),
        (text, TIMESTAMP, "rows"),
        (VALUE_A, KEYED, ""),
    ):
        with subtests.test(edited=edited, config=config):
            assert reached(edited, config) == expected


def test_builds_of_an_incremental_model_are_compared_by_branch_in_memory_and_in_a_store(
    store: UnifiedSqlAdapter,
) -> None:
    since = " where ts > {{ var('since') }}"
    branch = f"{{% if is_incremental() %}}{since}{{% endif %}}"
    macro = MacroMetadata(unique_id="macro.dbt.is_incremental", name="is_incremental", package_name="dbt")

    def built(name: str, sql: str, shown: str) -> NodeMetadata:
        raw = sql.replace("p", "{{ ref('p') }}") + branch
        return replace(node(name, sql + shown, "model.shop.p", raw=raw, **KEYED), code_hash=raw)

    kept, edited = "select id from p", "select id, a from p"
    sides = [
        project("b", node("p", P), *(built(one, kept, " where ts > 3") for one in "ek"), macros=(macro,)),
        project("bc", node("p", P), built("e", edited, ""), built("k", kept, ""), macros=(macro,)),
    ]
    runs = [record_run(store, side).run for side in sides]

    for diff in (whole_diff(*sides, NOTHING_MORE), stored_diff(store, *runs)):
        assert [(one.name, one.category) for one in diff.changed] == [("e", Category.NON_BREAKING)]
        assert next(note for note in diff.notes if "is_incremental()" in note).endswith("(e, k)")
