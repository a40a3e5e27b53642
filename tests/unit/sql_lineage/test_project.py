"""Column lineage of whole projects: small ones made here, and what dbt left behind of a real one."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from recce_meta.errors import RecceMetaError
from recce_meta.extractors.git import GitState
from recce_meta.extractors.project import extract_project
from recce_meta.models import Column, MacroMetadata, NodeMetadata, Project, RunMetadata
from recce_meta.models.lineage import ColumnGraph, Kind, KnownColumns, NodeColumns, Tier, Usage
from recce_meta.sql_lineage.project import jobs
from recce_meta.sql_lineage.project.columns import EMPTY, NOT_COMPILED, PYTHON, analyse_project

ARTIFACTS = Path(__file__).parents[2] / "data" / "artifacts"
JAFFLE = ARTIFACTS / "generated" / "jaffle_ext_full" / "dbt_1.10"


def relation(name: str, schema: str = "prod") -> str:
    return f'"shop"."{schema}"."{name}"'


def node(name: str, sql: str | None = None, *parents: str, **fields: object) -> NodeMetadata:
    """A model called *name* with *sql*, in which `{x}` stands for the relation of the parent x."""
    schema = str(fields.get("schema_name", "prod"))
    kind = str(fields.pop("resource_type", "model"))
    unique_id = f"{kind}.shop.{name}"
    code = sql and sql.format(
        this=relation(name, schema),
        **{parent.split(".")[-1]: relation(parent.split(".")[-1], schema) for parent in parents},
    )
    made = NodeMetadata(
        unique_id=unique_id,
        name=name,
        resource_type=kind,
        database_name="shop",
        schema_name="prod",
        identifier=name,
        relation_name=None if kind in ("test", "analysis") else relation(name, schema),
        language=None if kind in ("source", "seed") else "sql",
        compiled_code=code,
        parents=tuple(sorted(parents)),
    )
    return replace(made, **fields)


def source(name: str, *columns: str, known: str | None = "catalog", **fields: object) -> NodeMetadata:
    return node(
        name,
        resource_type="source",
        columns=tuple(Column(column, "text") for column in columns),
        columns_from=known,
        **fields,
    )


def project(*nodes: NodeMetadata, adapter_type: str = "duckdb", extractor: str = "dbt") -> Project:
    run = RunMetadata(
        run_id="r",
        run_at=datetime(2026, 1, 1, tzinfo=timezone.utc),
        project_name="shop",
        adapter_type=adapter_type,
        extractor=extractor,
    )
    return Project(run=run, nodes=tuple(sorted(nodes, key=lambda one: one.unique_id)))


def columns_of(graph: ColumnGraph, unique_id: str) -> NodeColumns:
    return graph.analyses[graph.lineage_ids[unique_id]]


def sources(graph: ColumnGraph, unique_id: str) -> dict[str, list[str]]:
    """`parent.column` of each output column, the parent by its short name."""
    return {
        output.name: [f"{source.parent.split('.', 2)[-1]}.{source.column}" for source in output.sources]
        for output in columns_of(graph, unique_id).outputs
    }


def known_from(graph: ColumnGraph) -> KnownColumns:
    return {lineage_id: columns.names for lineage_id, columns in graph.analyses.items()}


RAW = source("raw", "id", "name", "amount")
STAGED = node("staged", "select * from {raw}", RAW.unique_id)
CLEAN = node("clean", "select id as order_id, name, amount from {staged}", STAGED.unique_id)
REPORT = node(
    "report",
    "select name, sum(amount) as total from {clean} where order_id > 0 group by name",
    CLEAN.unique_id,
)
SHOP = (RAW, STAGED, CLEAN, REPORT)


def test_a_star_is_followed_through_layers_that_no_catalog_knows() -> None:
    top = node("top", "select * from {clean}", CLEAN.unique_id)

    graph = analyse_project(project(*SHOP, top))

    assert sources(graph, "model.shop.staged") == {
        "id": ["raw.id"],
        "name": ["raw.name"],
        "amount": ["raw.amount"],
    }
    assert sources(graph, "model.shop.top") == {
        "order_id": ["clean.order_id"],
        "name": ["clean.name"],
        "amount": ["clean.amount"],
    }
    assert graph.warnings == ()


def test_a_value_and_what_decides_over_rows_are_kept_apart() -> None:
    found = columns_of(analyse_project(project(*SHOP)), "model.shop.report")

    assert [(output.name, output.kind) for output in found.outputs] == [
        ("name", Kind.PASSTHROUGH),
        ("total", Kind.AGGREGATED),
    ]
    assert {(use.usage, use.parent, use.column) for use in found.uses} == {
        (Usage.FILTER, "model.shop.clean", "order_id"),
        (Usage.GROUP, "model.shop.clean", "name"),
    }


def test_columns_may_be_qualified_by_the_relations_own_name() -> None:
    child = node("child", "select raw.id, raw.name from {raw}", RAW.unique_id)

    graph = analyse_project(project(RAW, child))

    assert sources(graph, "model.shop.child") == {"id": ["raw.id"], "name": ["raw.name"]}


@pytest.mark.parametrize(
    ("adapter_type", "quote"),
    [("bigquery", "`{}`"), ("snowflake", "{}"), ("databricks", "`{}`"), ("sqlserver", '"{}"')],
)
def test_relations_are_found_in_the_words_of_each_warehouse(adapter_type: str, quote: str) -> None:
    name = ".".join(quote.format(part) for part in ("my_db", "my_schema", "orders"))
    raw = source("orders", "id", "amount", relation_name=name, database_name="my_db", schema_name="my_schema")
    child = node("child", f"select orders.id, amount * 2 as twice from {name}", relation_name=None)
    child = replace(child, parents=(raw.unique_id,))

    graph = analyse_project(project(raw, child, adapter_type=adapter_type))

    found = columns_of(graph, "model.shop.child")
    assert [output.name.lower() for output in found.outputs] == ["id", "twice"]
    assert [[(s.parent, s.column, s.confidence) for s in output.sources] for output in found.outputs] == [
        [(raw.unique_id, "id", 1.0)],
        [(raw.unique_id, "amount", 1.0)],
    ]


def test_the_environment_makes_no_other_lineage() -> None:
    def shop(schema: str) -> Project:
        raw = source("raw", "id", "name", "amount", schema_name=schema)
        staged = node("staged", "select raw.* from {raw}", raw.unique_id, schema_name=schema)
        return project(raw, staged)

    production, change = analyse_project(shop("prod")), analyse_project(shop("pr_12"))

    assert shop("prod").nodes[0].compiled_code != shop("pr_12").nodes[0].compiled_code
    assert production == change


def test_what_is_known_is_not_analysed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    first = analyse_project(project(*SHOP))
    monkeypatch.setattr(jobs, "_analyse", lambda *_: pytest.fail("analysed again"))

    again = analyse_project(project(*SHOP), known_from(first))

    assert again.lineage_ids == first.lineage_ids
    assert again.analyses == {}
    assert again.warnings == ()


def test_what_is_known_leads_to_the_same_ids_where_a_query_has_a_name_twice() -> None:
    twice = node("twice", "select id, name, amount as id from {raw}", RAW.unique_id)
    child = node("child", "select name from {twice}", twice.unique_id)
    first = analyse_project(project(RAW, twice, child))
    known = {
        lineage_id: tuple(dict.fromkeys(names)) for lineage_id, names in known_from(first).items()
    }  # as the store keeps them

    again = analyse_project(project(RAW, twice, child), known)

    assert again.lineage_ids == first.lineage_ids


def test_text_that_no_encoding_knows_costs_its_own_node_alone() -> None:
    odd = node("odd", "select '\ud800' as a from {raw}", RAW.unique_id)

    graph = analyse_project(project(*SHOP, odd))

    assert columns_of(graph, "model.shop.odd").reason is not None
    assert len(graph.warnings) == 1
    assert sources(graph, "model.shop.report")["name"] == ["clean.name"]


def test_a_change_is_analysed_with_those_alone_whose_parents_have_other_columns_now() -> None:
    known = known_from(analyse_project(project(*SHOP)))
    same_columns = replace(CLEAN, compiled_code=CLEAN.compiled_code + " where amount > 0")
    more_columns = replace(CLEAN, compiled_code=CLEAN.compiled_code.replace("name", "name, 1 as one"))

    def analysed_now(changed: NodeMetadata) -> set[str]:
        graph = analyse_project(project(RAW, STAGED, changed, REPORT), known)
        return {unique_id for unique_id, id_ in graph.lineage_ids.items() if id_ in graph.analyses}

    assert analysed_now(same_columns) == {"model.shop.clean"}
    assert analysed_now(more_columns) == {"model.shop.clean", "model.shop.report"}


def test_nothing_is_parsed_and_no_parser_loaded_where_all_is_known() -> None:
    code = (
        "import sys, msgspec\n"
        "from recce_meta.models import Project\n"
        "from recce_meta.sql_lineage.project.columns import analyse_project\n"
        "shop, known = msgspec.json.decode(sys.stdin.read(), type=tuple[Project, dict[str, tuple]])\n"
        "graph = analyse_project(shop, known)\n"
        "assert len(graph.lineage_ids) == 4 and not graph.analyses, graph\n"
        "assert 'sqlglot' not in sys.modules\n"
    )
    shop = project(*SHOP)
    given = msgspec.json.encode((shop, known_from(analyse_project(shop))))

    ran = subprocess.run([sys.executable, "-c", code], input=given, capture_output=True, check=False)

    assert ran.returncode == 0, ran.stderr.decode()


def test_sql_that_does_not_parse_costs_its_own_columns_alone() -> None:
    broken = node("staged", "select from where ( {raw}", RAW.unique_id)

    graph = analyse_project(project(RAW, broken, CLEAN, REPORT))

    assert columns_of(graph, "model.shop.staged").outputs == ()
    (warning,) = graph.warnings
    assert warning.startswith("Columns of model.shop.staged are not traced: ")
    assert columns_of(graph, "model.shop.staged").reason in warning
    assert sources(graph, "model.shop.clean")["order_id"] == ["staged.id"]
    assert columns_of(graph, "model.shop.clean").outputs[0].sources[0].confidence < 1
    assert sources(graph, "model.shop.report")["total"] == ["clean.amount"]


@pytest.mark.parametrize(
    "error",
    [
        RecursionError("too deep"),
        MemoryError("all used"),
        ZeroDivisionError("oops"),
        RecceMetaError("no time left"),
    ],
)
def test_whatever_goes_wrong_with_one_query_the_others_are_analysed(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = jobs._analyse

    def analyse(query: jobs.AnalysisJob, timeout: float | None) -> object:
        if "sum(" in query.sql:
            raise error
        return real(query, timeout)

    monkeypatch.setattr(jobs, "_analyse", analyse)

    graph = analyse_project(project(*SHOP))

    internal = "" if isinstance(error, RecceMetaError) else f"internal: {type(error).__name__}: "
    assert columns_of(graph, "model.shop.report").reason == f"{internal}{error}"
    assert graph.warnings == (f"Columns of model.shop.report are not traced: {internal}{error}",)
    assert sources(graph, "model.shop.clean")["order_id"] == ["staged.id"]


def test_more_time_is_worth_another_try_and_the_same_time_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_slow(query: jobs.AnalysisJob, timeout: float | None) -> jobs.Failure:
        return jobs.Failure(f"no result within {timeout:g} s", is_late=True)

    monkeypatch.setattr("recce_meta.sql_lineage.project.jobs.analyse_job", too_slow)
    known = known_from(analyse_project(project(RAW, STAGED), timeout=1))
    monkeypatch.undo()

    again = analyse_project(project(RAW, STAGED), known, timeout=1)
    longer = analyse_project(project(RAW, STAGED), known, timeout=10)

    assert (again.analyses, again.warnings) == ({}, ())
    assert sources(longer, "model.shop.staged")["id"] == ["raw.id"]


def test_a_test_reads_columns_and_has_none() -> None:
    arguments = {"test_metadata": {"name": "unique", "kwargs": {"column_name": "ORDER_ID"}}}
    generic = node(
        "generic",
        None,
        CLEAN.unique_id,
        resource_type="test",
        properties={**arguments, "attached_node": CLEAN.unique_id},
    )
    singular = node(
        "singular", "select name from {clean} where amount < 0", CLEAN.unique_id, resource_type="test"
    )

    summed = node(
        "summed",
        "select amount as a, name as b from {clean}",
        CLEAN.unique_id,
        resource_type="test",
        config={"fail_calc": "sum(a)"},
    )
    graph = analyse_project(project(*SHOP, generic, singular, summed))

    def read_by(unique_id: str) -> list[tuple[Usage, str, str]]:
        found = columns_of(graph, unique_id)
        assert found.outputs == ()
        return [(use.usage, use.parent, use.column) for use in found.uses]

    assert read_by("test.shop.generic") == [(Usage.FILTER, CLEAN.unique_id, "order_id")]
    assert read_by("test.shop.singular") == [(Usage.FILTER, CLEAN.unique_id, "amount")]
    assert read_by("test.shop.summed") == [
        (Usage.FILTER, CLEAN.unique_id, "amount"),
        (Usage.FILTER, CLEAN.unique_id, "name"),
    ]


def test_a_contract_puts_columns_into_its_own_order() -> None:
    promised = node(
        "promised",
        "select name, id from {raw}",
        RAW.unique_id,
        columns=(Column("id", "int"), Column("name", "text")),
        contract={"enforced": True},
    )

    assert list(sources(analyse_project(project(RAW, promised)), "model.shop.promised")) == ["id", "name"]


def test_metadata_of_another_shape_costs_its_own_node_alone() -> None:
    odd = node("odd", "select 1 as a", resource_type="snapshot", config={"unique_key": 3, "strategy": []})

    graph = analyse_project(project(*SHOP, odd))

    assert (
        columns_of(graph, "snapshot.shop.odd").reason is not None
        or columns_of(graph, "snapshot.shop.odd").outputs
    )
    assert sources(graph, "model.shop.report")["name"] == ["clean.name"]


def test_a_circle_ends_and_is_told() -> None:
    one = node("one", "select a from {two}", "model.shop.two")
    two = node("two", "select a from {one}", "model.shop.one")

    graph = analyse_project(project(one, two))

    assert len(graph.warnings) == 1
    assert "model.shop.one, model.shop.two" in graph.warnings[0]
    assert sources(graph, "model.shop.one") == {"a": ["two.a"]}
    assert sources(graph, "model.shop.two") == {"a": ["one.a"]}


def test_a_chain_of_thousands_does_not_exhaust_the_stack() -> None:
    chain = [replace(RAW, unique_id="source.shop.n0", identifier="n0", relation_name=relation("n0"))]
    for number in range(1, 3_000):
        parent = f"{'source' if number == 1 else 'model'}.shop.n{number - 1}"
        chain.append(node(f"n{number}", None, parent, language="python"))

    graph = analyse_project(project(*chain))

    assert len(graph.lineage_ids) == 3_000


def test_python_models_and_what_is_not_compiled_are_told_apart() -> None:
    python = node("python", "def model(dbt, session): ...", language="python")
    plain = [node(f"plain_{number}", None) for number in range(5)]

    graph = analyse_project(project(python, node("empty", " "), *plain))

    assert columns_of(graph, "model.shop.python").reason == PYTHON
    assert {columns_of(graph, one.unique_id).reason for one in plain} == {NOT_COMPILED[Tier.GOLD]}
    empty, warning = graph.warnings
    assert "5 nodes" in warning
    assert "model.shop.plain_0" in warning
    assert columns_of(graph, "model.shop.empty").reason == EMPTY
    assert empty == f"Columns of model.shop.empty are not traced: {EMPTY}"


def test_a_relation_that_is_named_in_words_of_its_own_is_found_with_less_confidence() -> None:
    sneaky = node(
        "sneaky", "select s.id, x.a from SHOP.prod.raw as s join elsewhere.tables.x as x using (id)"
    )

    graph = analyse_project(project(RAW, sneaky))

    outputs = columns_of(graph, "model.shop.sneaky").outputs
    assert [(one.parent, one.column, one.confidence) for one in outputs[0].sources] == [
        (RAW.unique_id, "id", 0.9)
    ]
    assert [(one.parent, one.column) for one in outputs[1].sources] == [("elsewhere.tables.x", "a")]


def test_documented_columns_need_not_be_all_unless_a_contract_says_so() -> None:
    told = source("told", "id", known="manifest")
    child = node("child", "select * from {told}", told.unique_id)
    promised = node("promised", None, columns=(Column("id", "int"),), contract={"enforced": True})
    grandchild = node("grandchild", "select * from {promised}", promised.unique_id)

    graph = analyse_project(project(told, child, promised, grandchild))

    assert sources(graph, told.unique_id) == {"id": []}
    assert sources(graph, "model.shop.child") == {"*": ["told.*"]}
    assert sources(graph, "model.shop.grandchild") == {"id": ["promised.id"]}


def test_of_two_relations_that_may_have_a_column_the_one_that_documents_it_has_it() -> None:
    def found(*documented: str) -> list[tuple[str, str, float]]:
        orders = source("orders", known=None)
        people = source("people", *documented, known="manifest")
        child = node(
            "child",
            "select full_name from {orders} as o join {people} as p on o.id = p.id",
            orders.unique_id,
            people.unique_id,
        )
        (output,) = columns_of(analyse_project(project(orders, people, child)), "model.shop.child").outputs
        return [(one.parent, one.column, one.confidence) for one in output.sources]

    assert found() == [
        ("source.shop.orders", "full_name", 0.5),
        ("source.shop.people", "full_name", 0.5),
    ]
    assert found("Full_Name") == [("source.shop.people", "Full_Name", 0.9)]


def test_the_catalog_spells_names_and_tells_what_a_star_holds() -> None:
    raw = source("raw", known=None)
    child = node(
        "child",
        "select *, 1 as one from {raw}",
        raw.unique_id,
        columns=(Column("ID"), Column("Name"), Column("ONE")),
        columns_from="catalog",
    )
    grandchild = node("grandchild", "select id, name from {child}", child.unique_id)

    graph = analyse_project(project(raw, child, grandchild))

    assert sources(graph, "model.shop.child") == {"ID": ["raw.id"], "Name": ["raw.name"], "ONE": []}
    assert {tuple(found) for found in sources(graph, "model.shop.grandchild").values()} == {
        ("child.ID",),
        ("child.Name",),
    }


def test_columns_that_are_newer_than_the_catalog_are_known_to_children() -> None:
    stale = replace(STAGED, columns=(Column("id"), Column("name")), columns_from="catalog")

    graph = analyse_project(project(RAW, stale, CLEAN))

    amount = columns_of(graph, "model.shop.clean").outputs[2]
    assert [(one.column, one.confidence) for one in amount.sources] == [("amount", 1.0)]


@pytest.mark.parametrize(
    ("adapter_type", "materialized", "config", "named"),
    [
        ("duckdb", "table", {"indexes": [{"columns": ["Amount"], "unique": True}]}, {"amount": 1.0}),
        ("duckdb", "incremental", {"indexes": [{"columns": ["id"]}]}, {"id": 0.5}),
        ("duckdb", "table", {"cluster_by": ["amount"]}, {}),
        ("snowflake", "view", {"cluster_by": ["amount"]}, {}),
        ("snowflake", "table", {"cluster_by": ["amount", "to_date(name)"]}, {"amount": 1.0, "name": 0.5}),
        ("bigquery", "table", {"partition_by": {"field": "id", "data_type": "int64"}}, {"id": 1.0}),
        ("redshift", "table", {"sort": "id", "dist": "name"}, {"id": 1.0, "name": 1.0}),
        ("duckdb", "table", {"post-hook": [{"sql": "update {{ this }} set id = 1"}]}, {"id": 0.5}),
        ("duckdb", "table", {"tags": ["amount"]}, {}),
    ],
)
def test_a_star_names_the_columns_in_the_configuration_of_its_table(
    adapter_type: str, materialized: str, config: dict[str, object], named: dict[str, float]
) -> None:
    config = {**config, "materialized": materialized, "on_schema_change": "append_new_columns"}
    table = node("table", "select * from {raw}", RAW.unique_id, config=config, materialized=materialized)

    graph = analyse_project(project(RAW, table, adapter_type=adapter_type))

    found = columns_of(graph, "model.shop.table").references
    assert {one.column: one.confidence for one in found} == named


TOUCH = {
    "touch": "{% macro touch(table, c) %}update {{ table }} set {{ c }} = 1{% endmacro %}",
    "touch_id": "{% macro touch_id(table) %}{{ touch(table, 'id') }}{% endmacro %}",
    "touch_key": "{% macro touch_key(table) %}{{ touch(table, config.get('key')) }}{% endmacro %}",
    "note": "{% macro note() %}insert into {{ var('schema') }}.notes '{{ var('x') }}'{% endmacro %}",
    "joined": "{% macro joined() %}{{ 'delete from ' + (this|string) + ' where id = 1' }}{% endmacro %}",
    "unused": "{% macro unused() %}select name, {{ var('x') }}{% endmacro %}",
}
NAMED = ["amount", "id", "name"]


@pytest.mark.parametrize(
    ("hook", "named", "deciding"),
    [
        ("{{ touch(this, 'amount') }}", ["amount"], ["amount"]),
        ("{{ touch_id(this) }}", ["id"], ["id"]),
        ("{{ touch_key(this) }}", ["name"], ["name"]),
        ("{{ touch(this, var('column')) }}", NAMED, NAMED),
        ("{{ touch(this, 'am' ~ 'ount') }}", NAMED, NAMED),
        ("update {{ this }} set {{ env_var('COLUMN') }} = 1", NAMED, NAMED),
        ("{{ var('statement') }}", NAMED, NAMED),
        ("grant insert, update on {{ this }} to {{ var('role') }}", [], []),
        ("update {{ this }} set note = '{{ var('id') }}'", ["id"], ["id"]),
        ("{% if var('x') ~ 'y' %}select 1{% endif %}", [], []),
        ("select * from {{ this }} where kind ~ 'a'", [], NAMED),
        ("{{ note() }}", [], []),
        ("update {{ ref('staged') }} set amount = 1", ["amount"], []),
        ("update {{ target.schema }}.table set amount = 1", ["amount"], ["amount"]),
        ("create index on {{ this }} (id) -- delete from", ["id"], []),
        ("alter table {{ this }} add foreign key (id) references x on delete cascade", ["id"], []),
        ("insert into {{ target.schema }}.audit select id from {{ this }}", ["id"], []),
        ("insert into {{ model.schema }}.{{ model.alias }} select id from x", ["id", "name"], NAMED),
        ("create table tmp as select id from x; insert into {{ this }} select 1", ["id"], NAMED),
        ("create or replace table {{ this }} as select 1 as id", ["id"], NAMED),
        ("alter table {{ this }} add row access policy p on (name)", ["name"], NAMED),
        ("select purge('id')", ["id"], NAMED),
        ("{{ joined() }}", ["id"], NAMED),
        ("delete from {{ this }} t where t::varchar like '%x%'", [], NAMED),
        ("delete from {{ this }} where table = row(1)", [], NAMED),
        ("create table t2 as select id from {{ this }}; alter table t2 rename to t", ["id"], NAMED),
        ("{% for c in columns %}delete from {{ this }} where {{ c.name }} = 1{% endfor %}", ["name"], NAMED),
        (
            "delete from {{ this }} where exists (select 1 from {{ ref('staged') }} p where p = row(1))",
            NAMED,
            NAMED,
        ),
        ("insert into {{ this }} select * from {{ ref('staged') }}", NAMED, NAMED),
    ],
)
def test_a_hook_may_name_columns_and_decide_rows_by_them(
    hook: str, named: list[str], deciding: list[str]
) -> None:
    macros = tuple(
        MacroMetadata(
            unique_id=f"macro.shop.{name}",
            name=name,
            package_name="shop",
            macro_sql=sql,
            macros=("macro.shop.touch",) if name in ("touch_id", "touch_key") else (),
        )
        for name, sql in TOUCH.items()
    )
    config = {"post-hook": [{"sql": hook}], "key": "name"}
    called = tuple(one.unique_id for one in macros)
    for query in ("select * from {staged}", "select count(*) as n from {staged}"):
        table = node("table", query, STAGED.unique_id, config=config, materialized="table", macros=called)

        graph = analyse_project(replace(project(RAW, STAGED, table), macros=macros))

        found = columns_of(graph, "model.shop.table")
        is_read = query.startswith("select *") or "ref(" in hook
        assert [(one.column, one.confidence) for one in found.references] == [
            (name, 0.5) for name in named if is_read
        ]
        assert [(one.column, one.confidence) for one in found.uses] == [
            (name, 0.5) for name in deciding if is_read
        ]


@pytest.mark.parametrize(
    "target",
    [
        {"to": '"shop"."prod"."clean"', "to_columns": ["ORDER_ID"]},
        {"to": "ref('clean')", "to_columns": ["ORDER_ID"]},
        {"expression": "prod.clean (ORDER_ID)"},
        {"expression": '"shop"."prod"."clean" ( "order_id" ) on delete cascade'},
        {"expression": "references Clean(order_id)"},
    ],
)
def test_a_foreign_key_of_a_contract_names_the_columns_of_its_parent(target: dict[str, object]) -> None:
    key = {"type": "foreign_key", "columns": ["a"], **target}
    table = node("table", "select 1 as a", CLEAN.unique_id, properties={"constraints": [key]})

    for contract, named in ((None, []), ({"enforced": True}, [("model.shop.clean", "order_id")])):
        graph = analyse_project(project(*SHOP, replace(table, contract=contract)))
        found = columns_of(graph, "model.shop.table").references
        assert [(one.parent, one.column) for one in found] == named


@pytest.mark.parametrize(
    ("given", "expect", "named"),
    [
        (
            [{"input": "ref('staged')", "rows": [{"id": 1}, {"NAME": "a"}]}],
            {"rows": [{"order_id": 1}]},
            "clean.order_id staged.id staged.name",
        ),
        ([], {"rows": "order_id, amount\n1,2\n", "format": "csv"}, "clean.amount clean.order_id"),
        ([{"input": "this", "rows": [{"name": "a"}]}], {"rows": []}, "clean.name"),
        (
            [{"input": "ref('staged')", "rows": "select 1 as id", "format": "sql"}],
            {"rows": [{"order_id": 1}]},
            "clean.order_id",
        ),
        ([], {"rows": "select 1 as order_id", "format": "sql"}, None),
        ([{"input": "ref('staged')", "rows": [], "fixture": "a_file"}], {"rows": []}, None),
        ([{"input": "ref('elsewhere')", "rows": [{"id": 1}]}], {"rows": []}, None),
    ],
)
def test_a_unit_test_names_the_columns_of_its_rows(given: object, expect: object, named: str | None) -> None:
    fixtures = {"model": "clean", "given": given, "expect": expect}
    tested = node("ut", None, CLEAN.unique_id, resource_type="unit_test", properties=fixtures)

    found = columns_of(analyse_project(project(*SHOP, tested)), tested.unique_id)

    assert (found.reason is None) == (named is not None)
    references = [f"{one.parent.rsplit('.', 1)[-1]}.{one.column}" for one in found.references]
    assert " ".join(sorted(references)) == (named or "")
    assert {use.parent for use in found.uses} <= {CLEAN.unique_id}


def test_an_incremental_model_reads_itself() -> None:
    events = node(
        "events",
        "select id from {raw} where amount > (select max(amount) from {this})",
        RAW.unique_id,
        columns=(Column("id"), Column("amount")),
        columns_from="catalog",
    )

    found = columns_of(analyse_project(project(RAW, events)), "model.shop.events")

    assert ("model.shop.events", "amount") in {(use.parent, use.column) for use in found.uses}


def test_less_is_certain_without_dbts_own_word_and_in_dialects_that_nobody_knows() -> None:
    def confidence(**options: str) -> float:
        graph = analyse_project(project(RAW, STAGED, **options))
        return columns_of(graph, "model.shop.staged").outputs[0].sources[0].confidence

    assert confidence() == 1.0
    assert confidence(extractor="dbt-sql") == 0.9
    assert confidence(extractor="sql") == 0.8
    assert confidence(adapter_type="of_tomorrow") == 0.9


def test_expressions_name_relations_as_stored_sql_does() -> None:
    child = node(
        "child",
        "select (select max(raw.amount) from {raw}) + 1 as most from {staged}",
        STAGED.unique_id,
        RAW.unique_id,
    )

    graph = analyse_project(project(RAW, STAGED, child))

    (output,) = columns_of(graph, "model.shop.child").outputs
    assert "⟦source.shop.raw⟧" in (output.expression or "")


def test_ephemeral_models_versions_and_snapshots_of_a_real_project() -> None:
    graph = analyse_project(extract_project(JAFFLE, git=GitState(), environ={}))

    assert sources(graph, "model.jaffle_ext.uses_ephemeral")["paid"] == ["eph_paid_orders.paid"]
    assert sources(graph, "model.jaffle_ext.eph_paid_orders")["paid"] == ["stg_payments.amount"]
    assert sources(graph, "model.jaffle_ext.private_model") == {
        "customer_id": ["dim_versioned.v2.customer_id"],
        "legacy_flag": ["dim_versioned.v1.legacy_flag"],
    }
    snapshot = sources(graph, "snapshot.jaffle_ext.orders_snapshot")
    assert snapshot["status"] == ["ecom.orders.status"]
    assert snapshot["dbt_scd_id"] == ["ecom.orders.id", "ecom.orders.status"]
    assert columns_of(graph, "model.jaffle_ext.py_orders").reason == PYTHON
    assert graph.warnings == ()


@pytest.mark.parametrize(
    "folder", ["generated/jaffle_ext_full/dbt_1.10", "real/colibri/duckdb", "real/dbterd/jaffle-shop"]
)
def test_names_that_are_inferred_from_sources_up_are_those_that_the_warehouse_has(folder: str) -> None:
    found = extract_project(ARTIFACTS / folder, git=GitState(), environ={})
    built = {
        one.unique_id: [column.name.lower() for column in one.columns]
        for one in found.nodes
        if one.columns_from == "catalog" and one.resource_type in ("model", "snapshot")
    }
    unknown = {unique_id: {"columns": (), "columns_from": None, "contract": None} for unique_id in built}
    nodes = [replace(one, **unknown.get(one.unique_id, {})) for one in found.nodes]

    graph = analyse_project(replace(found, nodes=tuple(nodes)))

    inferred = {
        unique_id: [name.lower() for name in columns_of(graph, unique_id).names]
        for unique_id in built
        if columns_of(graph, unique_id).reason != PYTHON
    }
    assert len(inferred) >= 10
    assert inferred == {unique_id: built[unique_id] for unique_id in inferred}


@pytest.mark.parametrize(
    ("adapter_type", "read"), [("snowflake", {"raw.id"}), ("clickhouse", {"raw.id", "raw.ID", "raw.Id"})]
)
def test_a_column_that_no_list_spells_is_one_whatever_its_capitals(adapter_type: str, read: set[str]) -> None:
    raw = source("raw", known=None)
    nodes = [raw, node("a", "select * from {raw}", raw.unique_id)]
    nodes += [node(f"x{name}", f"select {name} from {{raw}}", raw.unique_id) for name in ("id", "ID", "Id")]
    nodes += [node(f"y{name}", f"select {name} from {{a}}", "model.shop.a") for name in ("id", "ID", "Id")]
    spelt = node("z", "select * from {a}", "model.shop.a", columns=(Column("id"),), columns_from="catalog")

    graph = analyse_project(project(*nodes, spelt, adapter_type=adapter_type))

    found = {unique_id: sources(graph, unique_id) for unique_id in graph.lineage_ids}
    below = {column for name in ("id", "ID", "Id") for (column,) in found[f"model.shop.x{name}"].values()}
    assert below == read
    above = {column for name in ("id", "ID", "Id") for (column,) in found[f"model.shop.y{name}"].values()}
    assert above == {column.replace("raw", "a") for column in read}
    assert found["model.shop.z"] == {"id": ["a.id"]}


@pytest.mark.parametrize(
    "name",
    ["raw.id", "prod.raw.id", 'prod."raw".id', "PROD.Raw.id", "shop.prod.raw.id", '"shop"."prod"."raw"."id"'],
)
def test_a_column_may_be_qualified_by_schema_and_database(name: str) -> None:
    raw = source("raw", "id", "name")
    child = node("child", f"select {name} as x, 1 as y from {{raw}} where {name} > 0", raw.unique_id)

    graph = analyse_project(project(raw, child))

    assert sources(graph, "model.shop.child") == {"x": ["raw.id"], "y": []}
    assert [use.column for use in columns_of(graph, "model.shop.child").uses] == ["id"]


def test_what_follows_from_is_a_relation_whatever_its_schema_is_called() -> None:
    raw = source("raw", "id", "name")
    child = node(
        "child", "select a.id, b.x from {raw} as a join prod.raw.other as b using (id)", raw.unique_id
    )

    graph = analyse_project(project(raw, child))

    assert sources(graph, "model.shop.child") == {"id": ["raw.id"], "x": ["other.x"]}
    (read,) = columns_of(graph, "model.shop.child").outputs[1].sources
    assert read.parent == "prod.raw.other"


def test_a_view_whose_sql_is_hidden_gets_no_advice_on_dbt() -> None:
    view = NodeMetadata(unique_id="relation.a.v", name="v", resource_type="view")
    graph = analyse_project(project(view, extractor="database"))

    assert graph.warnings == ()
    assert columns_of(graph, view.unique_id).reason == "its SQL is not shown to the user who scanned"


def test_a_partition_of_a_table_is_read_from_the_node_that_has_the_table() -> None:
    orders = source("orders", "id", "amount")
    sales = node("sales", "select amount from `shop.prod.orders$20240101`", orders.unique_id)

    graph = analyse_project(project(orders, sales, adapter_type="bigquery"))

    assert sources(graph, "model.shop.sales") == {"amount": ["orders.amount"]}


def test_outputs_without_a_name_have_those_of_the_catalog() -> None:
    counted = node(
        "counted",
        "select id, count(*), max(amount), id from {raw} group by id",
        RAW.unique_id,
        columns=tuple(Column(name, "int") for name in ("id", "count_star()", "max(amount)", "id_1")),
        columns_from="catalog",
    )
    reader = node("reader", 'select "max(amount)" as most, id_1 from {counted}', counted.unique_id)

    graph = analyse_project(project(RAW, counted, reader))

    assert sources(graph, "model.shop.counted") == {
        "id": ["raw.id"],
        "count_star()": [],
        "max(amount)": ["raw.amount"],
        "id_1": ["raw.id"],
    }
    assert sources(graph, "model.shop.reader") == {"most": ["counted.max(amount)"], "id_1": ["counted.id_1"]}


def test_outputs_in_another_order_than_the_catalogs_keep_their_text() -> None:
    counted = node(
        "counted",
        "select id, count(distinct amount) from {raw} group by id",
        RAW.unique_id,
        columns=(Column("n", "int"), Column("id", "int")),
        columns_from="catalog",
    )

    graph = analyse_project(project(RAW, counted))

    assert [*sources(graph, "model.shop.counted")] == ["id", "COUNT(DISTINCT amount)"]
