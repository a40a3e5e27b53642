"""Edits of templates that the compiled SQL of the run's target does not show."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta import render_report
from recce_meta.api.diff import NOTHING_MORE, DiffQuestion, diff_of_pair, failing_changes, whole_diff
from recce_meta.api.run_reader import MemoryRunReader
from recce_meta.models import (
    Change,
    Column,
    MacroMetadata,
    NodeMetadata,
    Project,
    RunDiff,
    Status,
    code_hash,
)
from recce_meta.models.change import Category, Reach
from recce_meta.models.run import RunMetadata
from tests.proofs.targets import Proof

SOURCE = NodeMetadata(
    unique_id="model.shop.orders",
    name="orders",
    resource_type="model",
    package_name="shop",
    relation_name='"db"."dev"."orders"',
    database_name="db",
    schema_name="dev",
    identifier="orders",
    materialized="table",
    config={"materialized": "table"},
    language="sql",
    raw_code="select 1 as id",
    compiled_code="select 1 as id",
    columns_from="catalog",
    columns=tuple(Column(name, type="INTEGER") for name in ("id", "amount", "k", "day")),
)


BLOCK_OF_PROD = "{{% if target.name == 'prod' %}}{{{{ {} }}}}{{% else %}}{{{{ ref('orders') }}}}{{% endif %}}"


def project(template: str, compiled: str, config: dict[str, Any] | None = None, **macros: str) -> Project:
    """A project of a table and a model with *template* above it."""
    given = {"materialized": "table", **(config or {})}
    model = NodeMetadata(
        unique_id="model.shop.totals",
        name="totals",
        resource_type="model",
        package_name="shop",
        relation_name='"db"."dev"."totals"',
        database_name="db",
        schema_name="dev",
        identifier="totals",
        language="sql",
        materialized=given["materialized"],
        config=given,
        raw_code=template,
        compiled_code=compiled.replace("orders", '"db"."dev"."orders"'),
        code_hash=code_hash(template),
        parents=(SOURCE.unique_id,),
        macros=tuple(f"macro.shop.{name}" for name in macros if name in template),
    )
    return Project(
        run=RunMetadata(
            run_id="r",
            run_at=datetime(2026, 1, 1, tzinfo=timezone.utc),
            project_name="shop",
            adapter_type="duckdb",
            dbt_version="1.10.0",
            target_name="dev",
            target_database="db",
            target_schema="dev",
        ),
        nodes=(SOURCE, model),
        macros=tuple(
            MacroMetadata(
                unique_id=f"macro.shop.{name}",
                name=name,
                package_name="shop",
                macro_sql=text,
                macros=tuple(f"macro.shop.{other}" for other in macros if other != name and other in text),
            )
            for name, text in macros.items()
        ),
    )


def edited(base: str, current: str, compiled: str = "select id from orders", **given: Any) -> Change | None:
    """The change from template *base* to *current*, which both compile to *compiled*."""
    readers = [MemoryRunReader(project(text, compiled, **given)) for text in (base, current)]
    (change, *_) = [*diff_of_pair(readers[0], readers[1], NOTHING_MORE).changes, None]
    return change


@pytest.mark.parametrize(
    ("call", "category"),
    [
        ("{{{{ dbt_utils.star(ref('orders'), except=['{}']) }}}}", Category.UNKNOWN),
        ("distinct '{{{{ dbt_utils.get_column_values(ref('orders'), '{}')[0] }}}}' as k", Category.BREAKING),
    ],
)
def test_sql_that_dbt_did_not_compile_proves_nothing_of_unknown_macros(call: str, category: Category) -> None:
    texts = [SELECT.format(call.format(one)) for one in "ab"]
    sides = [project(text, "select * from orders") for text in texts]
    for extractor, is_claimed in (("dbt", True), ("dbt-sql", False)):
        base, current = (replace(one, run=replace(one.run, extractor=extractor)) for one in sides)
        (change,) = whole_diff(base, current, NOTHING_MORE).changes
        assert change.category is category
        assert ("unchanged for the target of this run" in change.category_reasons) is is_claimed


SELECT = "select {} from {{{{ ref('orders') }}}}"
DAY = "select id from {{ ref('orders') }}{% if is_incremental() %} where day > {} {% endif %}"


@pytest.mark.parametrize(
    ("base", "current", "category", "reason"),
    [
        (
            SELECT.format("{{ {'prod': 'amount', 'dev': 'k'}[target.name] }} as id"),
            SELECT.format("{{ {'prod': 'amount+1', 'dev': 'k'}[target.name] }} as id"),
            Category.PARTIAL_BREAKING,
            "if target.name = 'prod': column modified: id",
        ),
        (
            SELECT.format("{{ {'prod': 1}.get(target.name, 100) }} as id"),
            SELECT.format("{{ {'prod': 2}.get(target.name, 100) }} as id"),
            Category.PARTIAL_BREAKING,
            "if target.name = 'prod': column modified: id",
        ),
        (
            SELECT.format("{{ env_var('XX', 'a') }} as id"),
            SELECT.format("{{ env_var('YY', 'a') }} as id"),
            Category.UNKNOWN,
            "{{ env_var('YY') }} may act on other targets",
        ),
        (
            SELECT.format("'{{ var('XX', 'a') }}' as id"),
            SELECT.format("'{{ var('YY', 'a') }}' as id"),
            Category.PARTIAL_BREAKING,
            "if var('XX') has its default and var('YY') is set: column modified: id",
        ),
        (
            SELECT.format("id") + "{% if target.name == 'prod' %} where id > 1{% endif %}",
            SELECT.format("id") + "{% if target.name == 'prod' %} where id > 2{% endif %}",
            Category.BREAKING,
            "if target.name = 'prod': filter changed",
        ),
        (
            SELECT.format("id") + "{% if is_incremental() %} where day > {{ var('y') }}{% endif %}",
            SELECT.format("id") + "{% if is_incremental() %} where day > {{ var('z') }}{% endif %}",
            Category.UNKNOWN,  # both may have one value
            "{{ var('z') }} may act on other targets",
        ),
        (
            SELECT.format("id") + "{% if is_incremental() %} where day > 1{% endif %}",
            SELECT.format("id") + "{% if is_incremental() %} where day > 2{% endif %}",
            Category.BREAKING,
            "if is_incremental(): filter changed",
        ),
        (
            SELECT.format("'{{ target.name[:4] }}' as id"),
            SELECT.format("'{{ target.name[:5] }}' as id"),
            Category.PARTIAL_BREAKING,
            "column modified: id",
        ),
        (
            SELECT.format("id{% for c in run_query('a').columns %}, {{ c }}{% endfor %}"),
            SELECT.format("id{% for c in run_query('b').columns %}, {{ c }}{% endfor %}"),
            Category.UNKNOWN,
            "{{ run_query('a').columns }} may act on other targets",
        ),
        (
            "{{ config(materialized='table') }}" + SELECT.format("id"),
            "{{ config(materialized='table' if target.name == 'dev' else 'view') }}" + SELECT.format("id"),
            Category.UNKNOWN,
            "other materialized",
        ),
    ],
)
def test_an_edit_that_acts_elsewhere_is_a_change(
    base: str, current: str, category: Category, reason: str
) -> None:
    change = edited(base, current)

    assert change is not None
    assert change.status is Status.MODIFIED
    assert (change.category, change.category_reasons[0]) == (category, "unchanged for the target of this run")
    assert reason in change.category_reasons


@pytest.mark.parametrize(
    ("base", "current"),
    [
        (SELECT.format("id"), 'select id from {{ ref( "orders" ) }}'),
        (SELECT.format("id"), "{# a table #}\n" + SELECT.format("id")),
        (
            SELECT.format("id") + "{% if target.name == 'prod' %} limit 1{% else %} limit 2{% endif %}",
            SELECT.format("id") + " limit {{ 1 if 'prod' == target.name else 2 }}",
        ),
        (
            SELECT.format("id") + "{% if is_incremental() %} where day > 1{% endif %}",
            SELECT.format("id") + "{%- if not is_incremental() -%}{%- else %} WHERE day  > 1 {% endif %}",
        ),
        (
            SELECT.format("'{{ target.name ~ '_x' }}' as id"),
            SELECT.format("{% set name %}{{ target.name }}_x{% endset %}'{{ name }}' as id"),
        ),
        (
            SELECT.format("{{ env_var('X', 'id') }}"),
            SELECT.format("{{ env_var( \"X\", default='id' ) }}"),
        ),
        (
            SELECT.format("{% for c in ['id', 'k'] %}{{ c }},{% endfor %} {{ target.schema }} as s"),
            SELECT.format("id, k, {{ target['schema'] }} as s"),
        ),
    ],
)
def test_templates_that_are_equal_for_every_target_are_formatting(base: str, current: str) -> None:
    change = edited(base, current)

    assert change is not None and change.status is Status.UNCHANGED


@pytest.mark.parametrize(
    "sent",
    [
        "{{% if flags.WHICH == 'run' %}}{{% do run_query('insert into t values ({})') %}}{{% endif %}}",
        "{{% if execute %}}{{% do run_query('insert into t values ({})') %}}{{% endif %}}",
        "{{% if execute %}}{{% do adapter.execute('insert into t values ({})') %}}{{% endif %}}",
        "{{% if target.name == 'prod' %}}{{% set _ = wipe({}) %}}{{% endif %}}",
    ],
)
def test_a_statement_that_a_template_sends_is_no_formatting(sent: str) -> None:
    wipe = "{% macro wipe(n) %}{% do run_query('delete from t where n = ' ~ n) %}{% endmacro %}"

    change = edited(*(sent.format(number) + SELECT.format("id") for number in (1, 2)), wipe=wipe)

    assert change is not None and change.category is Category.UNKNOWN


@pytest.mark.parametrize(
    "seeds",
    [(1, 2, 3, 4, 10, 11), pytest.param((*range(5, 10), *range(12, 41)), marks=pytest.mark.extensive)],
    ids=["few", "many"],
)
def test_no_edit_that_acts_elsewhere_is_called_unchanged_or_milder_than_its_results(
    seeds: Sequence[int],
) -> None:
    proof = Proof()

    assert [failure for seed in seeds for failure in proof.failures(seed)] == []

    assert proof.counts["hidden edit with a category"] > 1
    assert proof.counts["harmless, formatting"] > 1
    assert not any(kind.startswith("alarm") for kind in proof.counts)


LATER = "select id, amount from {{ ref('orders') }}{% if is_incremental() %} where day > {} {% endif %}"
FIRST_SQL = "select id, amount from orders"
LATER_SQL = FIRST_SQL + " where day > 3"


@pytest.mark.parametrize(
    ("base", "current"),
    [
        (
            "{% if is_incremental() %}\nwhere id > 7\n{% endif %}",
            "/* {% if is_incremental() %}\nwhere id > 7\n{% endif %} */",
        ),
        (
            "where 1=1 {% if is_incremental() %} and id > 7 {% endif %}",
            "where 1=1 -- {% if is_incremental() %} and id > 7 {% endif %}",
        ),
        (
            "-- {% if is_incremental() %}\n where id > 7 {% endif %}",
            "-- {% if is_incremental() %} where id > 7 {% endif %}",
        ),
        (
            "{% if is_incremental() %}\n where id > 7\n{% endif %}",
            "-- {% if is_incremental() %}where id > 7\n{% endif %}",
        ),
    ],
)
def test_a_branch_that_becomes_a_comment_is_an_edit_of_the_branch(base: str, current: str) -> None:
    code = "select id from {{ ref('orders') }} "

    for one, other in ((base, current), (current, base)):
        change = edited(code + one, code + other)
        assert change is not None and change.category is Category.BREAKING


def built_later(base: str, current: str, base_sql: str, current_sql: str, **macros: str) -> RunDiff:
    """The diff of an incremental model that base built later than its table, and current first."""
    dbt = MacroMetadata(unique_id="macro.dbt.is_incremental", name="is_incremental", package_name="dbt")
    sides = [
        project(code, sql, {"materialized": "incremental"}, **macros)
        for code, sql in ((base, base_sql), (current, current_sql))
    ]
    return whole_diff(*(replace(side, macros=(*side.macros, dbt)) for side in sides), NOTHING_MORE)


@pytest.mark.cases(3)
@pytest.mark.parametrize(
    ("base", "current", "base_sql", "current_sql", "category", "reasons"),
    [
        (
            LATER.replace("{}", "3"),
            LATER.replace("{}", "3").replace("amount", "amount, k"),
            LATER_SQL,
            FIRST_SQL.replace("amount", "amount, k"),
            Category.NON_BREAKING,
            ("existing rows do not get the new column, nor do new ones, until a full refresh",),
        ),
        (
            LATER.replace("{}", "{{ var('day', 3) }}"),
            LATER.replace("{}", "{{ var('day', 3) }}").replace("amount", "amount + 1 as amount"),
            LATER_SQL,
            FIRST_SQL.replace("amount", "amount + 1 as amount"),
            Category.PARTIAL_BREAKING,
            ("column modified: amount",),
        ),
        (
            LATER.replace("{}", "3"),
            LATER.replace("> {}", ">= 3"),
            LATER_SQL,
            FIRST_SQL,
            Category.BREAKING,
            ("if is_incremental(): filter changed",),
        ),
        (
            LATER.replace("{}", "{{ var('day', 3) }}"),
            LATER.replace("{}", "{{ var('day', 4) }}"),
            LATER_SQL,
            FIRST_SQL,
            Category.BREAKING,
            ("filter removed",),
        ),
        (
            LATER.replace("{}", "{{ var('day') }}"),
            LATER.replace("{}", "{{ var('hour') }}"),
            LATER_SQL,
            FIRST_SQL,
            Category.BREAKING,
            ("if is_incremental(): filter changed",),
        ),
        (
            LATER.replace("{}", "{{ var('day') }} and 1 = {{ var('one') }}"),
            LATER.replace("amount", "{{ var('one') }} as amount").replace("{}", "{{ var('day') }} and 1 = 1"),
            LATER_SQL + " and 1 = 1",
            FIRST_SQL.replace("amount", "2 as amount"),
            Category.BREAKING,
            ("column modified: amount", "if is_incremental(): filter changed"),
        ),
        (
            LATER.replace("{}", "{{ run_query('select 3').rows[0][0] }}"),
            LATER.replace("{}", "{{ run_query('select 3').rows[0][0] }}").replace("amount", "amount, k"),
            LATER_SQL,
            FIRST_SQL.replace("amount", "amount, k"),
            Category.BREAKING,
            ("filter removed",),
        ),
    ],
)
def test_an_edit_is_judged_by_branch_if_one_run_built_the_table_and_one_added_to_it(
    base: str, current: str, base_sql: str, current_sql: str, category: Category, reasons: tuple[str, ...]
) -> None:
    found = [
        built_later(base, current, base_sql, current_sql).changes[0],
        built_later(current, base, current_sql, base_sql).changes[0],
    ]

    assert found[0].category is category
    assert {*reasons} <= {*found[0].category_reasons}
    # A column that is removed is worse than one that is added; all else is as severe in the other direction.
    assert found[1].category is (Category.BREAKING if category is Category.NON_BREAKING else category)


def test_a_macro_that_acts_elsewhere_is_found_between_a_later_and_a_first_build() -> None:
    code = LATER.replace("{}", "3") + "{{ limited() }}"
    macros = [
        f"{{% macro limited() %}}{{% if target.name == '{one}' %}} limit 1{{% endif %}}{{% endmacro %}}"
        for one in ("prod", "ci")
    ]
    sides = [
        project(code, sql, {"materialized": "incremental"}, limited=macro)
        for sql, macro in zip((LATER_SQL, FIRST_SQL), macros, strict=True)
    ]
    dbt = MacroMetadata(unique_id="macro.dbt.is_incremental", name="is_incremental", package_name="dbt")

    found = whole_diff(*(replace(side, macros=(*side.macros, dbt)) for side in sides), NOTHING_MORE)

    assert [(one.name, one.category) for one in found.changed] == [("limited", Category.BREAKING)]


@pytest.mark.parametrize(
    ("code", "sql", "noted"),
    [
        (LATER.replace("{}", "3"), LATER_SQL, False),
        (LATER.replace("{}", "{{ var('day') }}"), LATER_SQL, True),
        (LATER.replace("{}", "{{ var('day', 3) }}"), LATER_SQL, True),
        (LATER.replace("{}", "'{{ env_var('DAY') }}'"), FIRST_SQL + " where day > '-3'", True),
        (LATER.replace("{% if ", "{% if not flags.FULL_REFRESH and ").replace("{}", "3"), LATER_SQL, False),
        (LATER.replace("{}", "{{ since() }}"), LATER_SQL, True),
    ],
)
def test_equal_code_differs_by_its_branch_alone(code: str, sql: str, noted: bool) -> None:
    since = "{% macro since() %}{{ var('day') }}{% endmacro %}"

    # A comment is no other code, but other text than that of base.
    found = built_later(code, "{# note #}" + code, sql, FIRST_SQL, since=since)

    assert [change.status for change in found.changes] == [Status.UNCHANGED]
    assert found.notes == (
        (
            "Variables of 1 node not compared: a branch of is_incremental() that a run did not compile reads "
            "them, and no artifact has their values (totals)",
        )
        if noted
        else ()
    )


@pytest.mark.parametrize(
    ("code", "sql"),
    [
        (LATER.replace("{}", "{{ var('day') }}"), FIRST_SQL + " where day > 3 and id > 2"),
        (LATER.replace("{}", "{{ model.name }}"), FIRST_SQL + " where day > totals"),
        (LATER.replace("{% if ", "{% if var('on') and ").replace("{}", "3"), LATER_SQL + " or true"),
        ("{% for one in var('days') %}{{ one }}{% endfor %}" + LATER.replace("{}", "3"), LATER_SQL),
    ],
)
def test_sql_that_the_template_does_not_explain_is_a_change(code: str, sql: str) -> None:
    (change,) = built_later(code, code, sql, FIRST_SQL).changed

    assert change.category is Category.BREAKING


@pytest.mark.parametrize(
    "seeds", [range(1, 60), pytest.param(range(60, 600), marks=pytest.mark.extensive)], ids=str
)
def test_no_edit_between_a_later_and_a_first_build_is_called_milder_than_its_results(seeds: range) -> None:
    proof = Proof(branches=True)

    assert [failure for seed in seeds for failure in proof.failures(seed)] == []

    assert proof.counts["hidden edit with a category"] > 1
    assert proof.counts["harmless, formatting"] > 1


def test_a_visible_edit_is_judged_for_other_targets_as_well() -> None:
    code = (
        "select id{} from {{{{ ref('orders') }}}}{{% if target.name == 'prod' %}} where id > {}{{% endif %}}"
    )
    readers = [
        MemoryRunReader(project(code.format(*parts), f"select id{parts[0]} from orders"))
        for parts in (("", 1), (", k", 2))
    ]

    (change,) = diff_of_pair(readers[0], readers[1], NOTHING_MORE).changes

    assert change.category is Category.BREAKING
    assert "if target.name = 'prod': filter changed" in change.category_reasons
    assert "unchanged for the target of this run" not in change.category_reasons


def test_a_template_that_can_tell_more_values_apart_than_are_tried_is_unknown() -> None:
    branches = "".join(f"{{% if var('v{n}') %}}{n},{{% endif %}}" for n in range(7))

    change = edited(SELECT.format(f"{branches} id"), SELECT.format(f"{branches}{{{{ var('w', '') }}}} id"))

    assert change is not None and change.category is Category.UNKNOWN


def test_what_acts_elsewhere_counts_for_fail_on() -> None:
    codes = [
        SELECT.format("id") + f"{{% if target.name == 'prod' %}} where id > {n}{{% endif %}}" for n in (1, 2)
    ]
    readers = [MemoryRunReader(project(code, "select id from orders")) for code in codes]

    found = diff_of_pair(readers[0], readers[1], NOTHING_MORE)

    assert [change.name for change in failing_changes(found, frozenset(["breaking"]))] == ["totals"]
    assert [change.name for change in failing_changes(found, frozenset(["any"]))] == ["totals"]


def test_a_macro_with_another_argument_is_followed() -> None:
    macro = "{% macro limit(n) %}{% if target.name == 'prod' %}limit {{ n }}{% endif %}{% endmacro %}"
    codes = [SELECT.format("id") + f" {{{{ limit({n}) }}}}" for n in (1, 2)]

    change = edited(*codes, limit=macro)

    assert change is not None and change.category is Category.BREAKING
    assert re.search("if target.name = 'prod': limit", " ".join(change.category_reasons))


ON_PROD = (
    "{{% macro limited() %}}{{% if target.name == 'prod' %}} where id > {} {{% endif %}}{{% endmacro %}}"
)


def shop_of(count: int, macro: str, code: str = SELECT.format("id") + "{{ limited() }}") -> Project:
    """A project of *count* models that call the macro `limited`."""
    one = project(code, "select id from orders", limited=macro)
    (model,) = [node for node in one.nodes if node.name == "totals"]
    models = [
        replace(
            model,
            unique_id=f"model.shop.totals_{number}",
            name=f"totals_{number}",
            identifier=f"totals_{number}",
            relation_name=f'"db"."dev"."totals_{number}"',
        )
        for number in range(count)
    ]
    return replace(one, nodes=(SOURCE, *models))


DEFAULT = "{{ target.schema if custom is none else target.schema ~ '_' ~ custom | trim }}"


@pytest.mark.parametrize(
    ("name", "body", "is_unknown"),
    [
        ("generate_schema_name", "{{ 'evil' if target.name == 'prod' else target.schema }}", True),
        ("generate_schema_name", "{{ 'evil' if flags.WHICH == 'run' else target.schema }}", True),
        ("generate_schema_name", "{{ var('place', target.schema) }}", True),
        ("generate_schema_name", DEFAULT, False),
        ("generate_schema_name", "{{ custom or target.schema }}", False),
        ("generate_alias_name", "{{ model.name ~ '_x' if target.name == 'prod' else model.name }}", True),
        ("generate_alias_name", "{{ custom or model.name }}", False),
    ],
)
def test_a_macro_that_may_move_nodes_on_other_targets_only_is_a_change(
    name: str, body: str, is_unknown: bool
) -> None:
    dbt = {"generate_schema_name": DEFAULT, "generate_alias_name": "{{ custom or model.name }}"}
    texts = {key: f"{{% macro {key}(custom, model) %}}{text}{{% endmacro %}}" for key, text in dbt.items()}
    built_in = tuple(
        MacroMetadata(unique_id=f"macro.dbt.{key}", name=key, package_name="dbt", macro_sql=text)
        for key, text in texts.items()
    )
    base, current = (shop_of(2, ON_PROD.format(1)) for _ in range(2))
    text = f"{{% macro {name}(custom, model) %}}{body}{{% endmacro %}}"
    own = MacroMetadata(
        unique_id=f"macro.shop.{name}", name=name, package_name="shop", macro_sql=text, path="macros/g.sql"
    )
    base = replace(base, macros=(*base.macros, *built_in))
    current = replace(current, macros=(*current.macros, *built_in, own))

    found = whole_diff(base, current, NOTHING_MORE)

    names = ["orders", "totals_0", "totals_1"]
    why = f"in 3 nodes that reach it: {', '.join(names)}"
    assert [(one.unique_id, one.category, one.category_reasons) for one in found.changes] == (
        [
            (
                f"macro.shop.{name}",
                Category.UNKNOWN,
                (f"unchanged for the target of this run, {why}", "relations may move on other targets"),
            )
        ]
        if is_unknown
        else []
    )
    assert {(one.name, one.reach) for one in found.impacted} == (
        {(name, Reach.UNKNOWN) for name in names} if is_unknown else set()
    )
    assert found.notes == ()


def test_a_macro_that_acts_elsewhere_is_one_change_for_all_nodes_that_reach_it() -> None:
    base, current = (shop_of(7, ON_PROD.format(number)) for number in (1, 2))

    found = whole_diff(base, current, NOTHING_MORE)

    (change,) = found.changes
    assert (change.unique_id, change.resource_type, change.name) == ("macro.shop.limited", "macro", "limited")
    assert (change.status, change.category) == (Status.MODIFIED, Category.BREAKING)
    assert change.category_reasons == (
        "unchanged for the target of this run, in 7 nodes that reach it: "
        "totals_0, totals_1, totals_2, totals_3, totals_4, …",
        "if target.name = 'prod': filter changed",
    )
    assert {(one.name, one.origin, one.reach) for one in found.impacted} == {
        (f"totals_{number}", change.unique_id, Reach.ROWS) for number in range(7)
    }
    assert failing_changes(found, frozenset(["breaking"])) == [change]
    for format in ("text", "markdown", "html", "json"):
        assert "limited" in render_report(found, format)


def test_a_macro_is_a_change_in_a_selection_of_a_node_that_reaches_it() -> None:
    base, current = (shop_of(2, ON_PROD.format(number)) for number in (1, 2))

    selected = [
        [change.name for change in whole_diff(base, current, DiffQuestion(selection=[name])).changes]
        for name in ("totals_1", "orders")
    ]

    assert selected == [["limited"], []]


@pytest.mark.parametrize(
    "macro",
    [
        ON_PROD.format(1).replace("'prod'", '"prod"').replace("where", "\n  where"),
        "{% macro limited() %}{{ ' where id > 1' if 'prod' == target.name }}{% endmacro %}",
    ],
)
def test_a_refactored_macro_is_no_change(macro: str) -> None:
    assert whole_diff(shop_of(2, ON_PROD.format(1)), shop_of(2, macro), NOTHING_MORE).changes == ()


def test_a_macro_in_a_branch_that_dbt_did_not_take_is_found() -> None:
    code = SELECT.format("id") + "{% if target.name == 'prod' %}{{ limited() }}{% endif %}"
    base, current = (
        shop_of(1, f"{{% macro limited() %}} limit {number}{{% endmacro %}}", code) for number in (1, 2)
    )
    unlisted = [
        replace(side, nodes=tuple(replace(node, macros=()) for node in side.nodes))
        for side in (base, current)
    ]

    (change,) = whole_diff(*unlisted, NOTHING_MORE).changes

    assert (change.name, change.category) == ("limited", Category.BREAKING)


def test_a_macro_in_the_place_of_dbts_that_a_branch_of_a_macro_calls_is_judged() -> None:
    branch = "{% if is_incremental() %}where id > {{ dbt.length('k') }}{% endif %}"
    dispatching = MacroMetadata(
        unique_id="macro.dbt.length",
        name="length",
        package_name="dbt",
        macro_sql="{% macro length(e) %}{{ return(adapter.dispatch('length', 'dbt')(e)) }}{% endmacro %}",
        macros=("macro.shop.duckdb__length",),
    )
    sides = []
    for text in ("length({{ e }})", "length({{ e }}) + 1"):
        own = f"{{% macro duckdb__length(e) %}}{text}{{% endmacro %}}"
        found = project(
            "select id from {{ ref('orders') }} {{ limited() }}",
            "select id from orders ",
            {"materialized": "incremental"},
            limited=f"{{% macro limited() %}}{branch}{{% endmacro %}}",
            duckdb__length=own,
        )
        caller = [
            replace(one, macros=("macro.dbt.length",)) if one.name == "limited" else one
            for one in found.macros
        ]
        sides.append(replace(found, macros=(*caller, dispatching)))

    (change,) = whole_diff(*sides, NOTHING_MORE).changes

    assert (change.name, change.category) == ("duckdb__length", Category.BREAKING)


@pytest.mark.parametrize(
    ("base", "current", "is_changed"),
    [
        ("ref('other', 'orders')", "ref('shop', 'orders')", True),
        ("ref('other', 'orders')", "ref('orders')", True),
        ("ref('other', 'orders', v=1)", "ref('third', 'orders', v=1)", True),
        ("ref('orders')", "ref('shop', 'orders')", False),
        ("ref('shop', \"orders\")", "ref( 'orders' )", False),
    ],
)
@pytest.mark.parametrize(
    "branch", ["{{{{ {} if target.name == 'prod' else ref('orders') }}}}", BLOCK_OF_PROD]
)
def test_a_reference_to_another_package_in_a_branch_is_an_edit(
    base: str, current: str, branch: str, *, is_changed: bool
) -> None:
    found = edited(*(f"select id from {branch.format(one)}" for one in (base, current)))

    assert found is not None
    assert found.status is (Status.MODIFIED if is_changed else Status.UNCHANGED)
    if is_changed:
        here, reason = found.category_reasons
        assert here == "unchanged for the target of this run"
        assert f"{{{{ {base} }}}}" in reason or f"{{{{ {current} }}}} may act on other targets" in reason


def test_a_reference_that_an_edge_shows_is_the_same_with_its_package() -> None:
    def of(reference: str, package: str = "other") -> Project:
        found = project(f"select id from {{{{ {reference} }}}}", "select id from orders")
        source = replace(SOURCE, unique_id=f"model.{package}.orders", package_name=package)
        return replace(found, nodes=(source, replace(found.nodes[1], parents=(source.unique_id,))))

    packaged = of("ref('other', 'orders')")
    for current in (of("ref('orders')"), of("ref('third', 'orders')", "third")):
        changes = whole_diff(packaged, current, NOTHING_MORE).changes

        assert {one.status for one in changes if one.name == "totals"} <= {Status.UNCHANGED}


@pytest.mark.parametrize(
    ("current", "reason"),
    [
        (
            "ref('shop', 'orders')",
            "if target.name = 'prod': reads orders instead of {{ ref('other', 'orders') }}",
        ),
        ("ref('third', 'orders')", "{{ ref('third', 'orders') }} may act on other targets"),
    ],
)
def test_a_reference_of_a_macro_to_another_package_in_a_branch_is_an_edit(current: str, reason: str) -> None:
    def of(reference: str) -> Project:
        text = f"{{{{ {reference} if target.name == 'prod' else ref('orders') }}}}"
        macro = f"{{% macro above() %}}{text}{{% endmacro %}}"
        return project("select id from {{ above() }}", "select id from orders", above=macro)

    (found,) = whole_diff(of("ref('other', 'orders')"), of(current), NOTHING_MORE).changes
    same = whole_diff(of("ref('orders')"), of("ref('shop', 'orders')"), NOTHING_MORE).changes

    assert (found.name, found.status, same) == ("above", Status.MODIFIED, ())
    assert reason in found.category_reasons
