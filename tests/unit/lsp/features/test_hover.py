"""A hover explains names by the text, and by the recorded run, which it says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from copy import copy
from datetime import datetime, timezone
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from lsprotocol.types import MarkupContent
from markdown_it import MarkdownIt
from msgspec.structs import replace

from recce_meta.api.run_reader import StoredRunReader
from recce_meta.lsp.documents import TextView
from recce_meta.lsp.features.hover import hover
from recce_meta.lsp.features.markdown import LONGEST_TEXT, code, escaped
from recce_meta.lsp.project.artifact_times import ArtifactTimes
from recce_meta.lsp.project.index import ProjectIndex
from recce_meta.lsp.project.live import Effect, LiveModel
from recce_meta.models.change import Category, ColumnChange, SqlChange, Status
from recce_meta.models.lineage import ColumnOutput, ColumnSource, Kind, NodeColumns
from recce_meta.models.marks.annotation import AnnotationTarget
from recce_meta.store.marks.annotations import AnnotationChange, add_annotations

SCHEMA = "main"
ViewOf = Callable[..., TextView]
WriteProject = Callable[[Mapping[str, str]], Path]


class RecordProject(Protocol):
    def __call__(self, root: Path, *, dialect: str = "duckdb") -> ProjectIndex: ...


def at(view: TextView, marked: str) -> str:
    """Return the hover at the `|` in *marked*, a part of the text; empty without a hover."""
    part = marked.replace("|", "")
    text = view.document.text
    assert text.count(part) == 1, f"{part!r} is {text.count(part)} times in the text"
    found = hover(view, text.index(part) + marked.index("|"))
    if found is None:
        return ""
    assert isinstance(found.contents, MarkupContent)
    for mask, call in view.document.template.masks.items():
        assert mask not in found.contents.value, call
    return found.contents.value


def range_at(view: TextView, marked: str) -> str:
    """Return the text that the hover at the `|` in *marked* is about."""
    text = view.document.text
    found = hover(view, text.index(marked.replace("|", "")) + marked.index("|"))
    assert found is not None
    assert found.range is not None
    lines = view.document.lines
    start, end = found.range.start, found.range.end
    return text[lines.offset(start.line, start.character) : lines.offset(end.line, end.character)]


def test_a_column_of_a_table_shows_its_source_type_description_and_readers(view_of: ViewOf) -> None:
    view = view_of(path="models/marts/crm_customers.sql")
    shown = at(view, "where customers.i|d")
    assert "**`id`** · column · `integer`" in shown
    assert "- `crm.customers.id` (source)" in shown
    assert "Number of the customer." in shown
    assert "1 reader of `crm.customers.id`: `crm_customers`" in shown
    assert "*type, description, readers as of run" in shown
    assert range_at(view, "where customers.i|d") == "id"


def test_a_quoted_column_is_shown_as_the_warehouse_spells_it(view_of: ViewOf) -> None:
    view = view_of(path="models/marts/crm_customers.sql")
    shown = at(view, 'customers."Full|Name"')
    assert "**`FullName`** · column · `text`" in shown
    assert "`crm.customers.FullName` (source)" in shown


def test_an_alias_shows_the_output_and_its_readers(view_of: ViewOf) -> None:
    view = view_of(path="models/marts/orders.sql")
    shown = at(view, "as amou|nt")
    assert "**`amount`** · output of `orders`" in shown
    assert "- `payments.attempted_amount`\n  - `int_order_payments.attempted_amount` (model)" in shown
    assert "What the customer paid, in dollars." in shown
    assert "2 readers of `orders.amount`: `customers`, `daily_revenue`" in shown


def test_a_column_is_followed_through_ctes_and_their_stars(view_of: ViewOf) -> None:
    view = view_of(
        "with a as (select * from {{ ref('stg_payments') }}), b as (select amount * 2 as twice from a)\n"
        "select twice as result, b.twice from b"
    )
    shown = at(view, "as res|ult")
    assert "- `b.twice` = `amount * 2`\n  - `a.amount`\n    - `stg_payments.amount` (model)" in shown
    shown = at(view, "(select am|ount * 2")
    assert "- `a.amount`\n  - `stg_payments.amount` (model)" in shown
    assert "`stg_payments.amount` = `CAST(amount_cents / 100.0 AS DECIMAL(16, 2))`" in shown


def test_the_origin_behind_a_macro_is_that_of_the_run_and_says_so(view_of: ViewOf) -> None:
    shown = at(view_of(path="models/staging/stg_payments.sql"), "as amou|nt")
    assert "{{ cents_to_dollars('amount_cents') }}" in shown
    assert "From, as of run 20" in shown
    assert "- `raw_payments.amount_cents`" in shown


def test_the_origin_behind_a_new_macro_call_is_not_guessed(view_of: ViewOf) -> None:
    text = "with a as (select {{ my_macro('x') }} as hidden from {{ ref('orders') }}) select hidden from a"
    view = view_of(text)
    assert "Origin known only after rendering." in at(view, "as hid|den")
    shown = at(view, "select hid|den")
    assert "`a.hidden` = `{{ my_macro('x') }}` (known only after rendering)" in shown
    assert "orders" not in shown


def test_the_rendered_text_shows_the_origin_behind_a_macro(view_of: ViewOf) -> None:
    path = "models/staging/stg_payments.sql"
    view = view_of(path=path)
    output = ColumnOutput(
        "amount", Kind.DERIVED, None, (ColumnSource("seed.jaffle_shop.raw_payments", "status", 1.0),)
    )
    live = LiveModel(
        unique_id="model.jaffle_shop.stg_payments",
        text=view.document.text,
        sql="select …",
        columns=NodeColumns(outputs=(output,)),
    )
    assert "From\n\n- `raw_payments.status`" in at(view_of(path=path, live=live), "as amou|nt")
    # The rendering of an earlier text does not count.
    earlier = view_of(path=path, live=replace(live, text="select 1"))
    assert "raw_payments.status" not in at(earlier, "as amou|nt")


def test_columns_in_a_subquery_are_not_taken_for_sources(view_of: ViewOf) -> None:
    view = view_of(
        "select customer_id, (select max(amount) from {{ ref('orders') }} where status = 'x') as top\n"
        "from {{ ref('customers') }}"
    )
    shown = at(view, "as to|p")
    assert "Origin not traced through the subquery." in shown
    assert "orders.status" not in shown


UNION = "select amount from {{ ref('orders') }} union all select amount from {{ ref('stg_payments') }}"


@pytest.mark.parametrize(
    ("query", "note"),
    [
        (UNION, "only the first part of the set operation"),
        (UNION.replace("union all", "{{ my_union() }}"), "more may be known only after rendering"),
        (
            "select amount from {{ ref('orders') }}"
            "{% if x %} union all select amount from {{ ref('stg_payments') }}{% endif %}",
            "known only after rendering",
        ),
        (
            "select amount from {% if x %}{{ ref('orders') }}{% else %}"
            "(select 1 as amount from {{ ref('stg_payments') }}){% endif %}",
            "more may be known only after rendering",
        ),
        (
            "{% for x in ['orders', 'stg_payments'] %}select amount from {{ ref(x) }}"
            "{% if not loop.last %} union all {% endif %}{% endfor %}",
            "known only after rendering",
        ),
    ],
)
def test_an_origin_that_is_not_the_only_one_says_so(view_of: ViewOf, query: str, note: str) -> None:
    view = view_of(f"with a as ({query}) select a.amount as result from a")
    shown = at(view, "as res|ult")
    assert f"`a.amount` ({note})" in shown
    assert "What the customer paid" not in shown


def test_a_part_of_a_set_operation_shows_the_recorded_origin_of_all_parts(
    view_of: ViewOf, write_project: WriteProject, record_project: RecordProject
) -> None:
    union = "select id from {{ ref('a') }} union all select id from {{ ref('b') }}"
    root = write_project(
        {"models/a.sql": "select 1 as id", "models/b.sql": "select 2 as id", "models/c.sql": union}
    )
    index = record_project(root)
    shown = at(view_of(path="models/c.sql", index=index), "select i|d from {{ ref('a') }}")
    assert "From, as of run" in shown
    assert "- `a.id`\n- `b.id`" in shown
    shown = at(view_of(union, index=index), "select i|d from {{ ref('a') }}")
    assert "From (only the first part of the set operation)\n\n- `a.id` (model)" in shown


def test_several_possible_sources_are_all_shown_as_possible(view_of: ViewOf) -> None:
    view = view_of(
        "select city from {{ source('crm', 'contacts') }} as a\n"
        "cross join {{ source('crm', 'customers') }} as b"
    )
    shown = at(view, "select ci|ty")
    assert "`crm.contacts.city` (source) (possible)" in shown
    assert "`crm.customers.city` (source) (possible)" in shown


def test_a_column_with_millions_of_paths_is_shown_in_part(view_of: ViewOf) -> None:
    steps = [
        f"c{n} as (select a + b + c as a, a * b * c as b, a - b - c as c from c{n - 1})" for n in range(1, 30)
    ]
    first = "c0 as (select order_id as a, customer_id as b, store_id as c from {{ ref('orders') }})"
    shown = at(view_of(f"with {', '.join([first, *steps])} select a as result from c29"), "as res|ult")
    assert "- `c29.a` = `a + b + c`" in shown
    assert "- … and more" in shown


def test_a_table_that_a_macro_makes_is_shown_as_its_tag(view_of: ViewOf) -> None:
    shown = at(view_of("select x.city from {{ my_table('y') }} as x"), "x.ci|ty")
    assert "`city` of `{{ my_table('y') }}`" in shown


def test_a_missing_column_is_said_to_be_missing_with_similar_names(view_of: ViewOf) -> None:
    shown = at(view_of("select ordr_id from {{ ref('stg_orders') }}"), "ordr|_id")
    assert "No table in scope has this column. Similar: `order_id`" in shown


def test_columns_of_an_ephemeral_model_have_readers(view_of: ViewOf) -> None:
    shown = at(view_of(path="models/marts/orders.sql"), "payments.attempted|_amount")
    assert "1 reader of `int_order_payments.attempted_amount`: `orders`" in shown


def test_a_column_without_readers_says_so(view_of: ViewOf) -> None:
    shown = at(view_of(path="models/marts/price_list.sql"), "price|_id")
    assert "No node reads `price_list.price_id`." in shown


def test_a_change_against_base_is_shown_for_the_column(view_of: ViewOf) -> None:
    path = "models/marts/orders.sql"
    change = SqlChange(
        category=Category.PARTIAL_BREAKING, columns=(ColumnChange("amount", Status.MODIFIED),), reasons=()
    )
    view = view_of(path=path, effect=Effect(change=change))
    assert "Change: other values than base" in at(view, "as amou|nt")
    assert "Change" not in at(view, "orders.sta|tus")


def test_a_cte_shows_its_columns_and_those_that_are_unknown(view_of: ViewOf) -> None:
    view = view_of(
        "with a as (select price_id, {{ dbt_utils.star(ref('orders')) }} from {{ ref('prices') }}),\n"
        "b as (select * from {{ source('crm', 'contacts') }}) select 1 as one from a cross join b"
    )
    shown = at(view, "with a| as")
    assert "**`a`** · CTE\n\n```text\nprice_id\n```" in shown
    assert "Further columns are known only after rendering." in shown
    assert "Its columns are unknown." in at(view, "b| as (select")
    assert "`a`" in at(view, "from a| cross")


def test_a_star_lists_its_columns(view_of: ViewOf) -> None:
    shown = at(view_of("select *| from {{ ref('prices') }}".replace("|", "")), "select *| from")
    assert "price_id\nprice" in shown


def test_ref_shows_the_node(view_of: ViewOf) -> None:
    view = view_of("select 1 as x from {{ ref('orders') }}")
    shown = at(view, "ref('ord|ers')")
    assert '**`orders`** · table model · `"jaffle_shop"."prod"."orders"`' in shown
    assert "One row per order, with what was paid for it." in shown
    assert "order_id\ncustomer_id" in shown
    assert "2 parents · 2 readers · 1 test: `orders_are_paid_once` · tags: `mart`" in shown
    assert range_at(view, "ref('ord|ers')") == "ref('orders')"


def test_ref_of_a_versioned_model_is_that_of_the_latest_version(view_of: ViewOf) -> None:
    assert "`prices.v2`" in at(view_of("select 1 as x from {{ ref('prices') }}"), "ref('pri|ces')")
    assert "`prices.v1`" in at(view_of("select 1 as x from {{ ref('prices', v=1) }}"), "ref('pri|ces'")


def test_a_source_is_not_a_model_of_the_same_name(view_of: ViewOf) -> None:
    view = view_of("select 1 as x from {{ source('crm', 'customers') }}")
    shown = at(view, "'cust|omers'")
    assert "**`crm.customers`** · source" in shown
    assert "id        integer\nFullName  text" in shown
    assert "It may have further columns." in shown


def test_unknown_names_are_reported_with_similar_ones(view_of: ViewOf) -> None:
    view = view_of("select 1 as x from {{ ref('ordes') }} cross join {{ source('crm', 'customer') }}")
    assert "'ordes' not found; did you mean 'orders'" in at(view, "ref('ord|es')")
    assert "no table 'customer'; did you mean 'customers'?" in at(view, "'custo|mer'")


def test_this_and_config_show_the_model_of_the_file(view_of: ViewOf) -> None:
    text = "{{ config(materialized='table') }} select 1 as x from {{ this }}"
    view = view_of(text, path="models/marts/orders.sql")
    assert "**`orders`** · table model" in at(view, "{{ th|is }}")
    assert "materialized: `table`" in at(view, "con|fig(")


def test_a_macro_shows_its_signature_documentation_package_and_file(view_of: ViewOf) -> None:
    view = view_of("select {{ cents_to_dollars('a') }} as x, {{ tools.shout('b') }} as y")
    shown = at(view, "cents_to|_dollars")
    assert "macro cents_to_dollars(column)" in shown
    assert "Converts cents to dollars." in shown
    assert "- `column` `string`: Column with cents." in shown
    assert "Package `jaffle_shop` · `macros/cents_to_dollars.sql`" in shown
    shown = at(view, "tools.sho|ut")
    assert "macro shout(text, marks=3)" in shown
    assert "Package `tools` · `dbt_packages/tools/macros/shout.sql`" in shown


def test_a_macro_without_a_description_shows_the_comment_before_it(
    view_of: ViewOf, write_project: WriteProject, record_project: RecordProject
) -> None:
    comment = "{# Not this one. #}\n{% macro first() %}1{% endmacro %}\n{# Adds one. #}\n"
    root = write_project(
        {
            "models/a.sql": "select 1 as id",
            "macros/add.sql": comment
            + "{% macro add(x='%}') %}1{% endmacro %}\n{% macro last() %}1{% endmacro %}",
        }
    )
    index = record_project(root)
    view = view_of("select {{ add(1) }} as x, {{ last() }} as y, {{ first() }} as z", index=index)
    shown = at(view, "ad|d(1)")
    assert "macro add(x='%}')" in shown
    assert "Adds one." in shown
    assert "Not this one." not in shown
    assert "Adds" not in at(view, "la|st()")
    assert "Not this one." in at(view, "fir|st()")


def test_a_variable_shows_its_value_and_its_line_or_that_it_is_not_set(view_of: ViewOf) -> None:
    view = view_of("select '{{ var('first_day') }}' as a, {{ var('other', 3) }} as b")
    shown = at(view, "'first|_day'")
    assert "```yaml\n2024-01-01\n```" in shown
    assert "Set in `dbt_project.yml`, line 15." in shown
    shown = at(view, "var('oth|er'")
    assert "Not set in dbt\\_project.yml." in shown
    assert "The default of the call counts" in shown


def test_values_of_secrets_are_never_shown(
    view_of: ViewOf,
    write_project: WriteProject,
    record_project: RecordProject,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("API_TOKEN", "from-the-environment")
    url = "'postgresql://user:hunter2@host/db'"
    variables = f"vars: {{api_password: hunter2, url: {url}, login: {{user: ann, password: hunter2}}}}\n"
    root = write_project({"dbt_project.yml": f"name: shop\n{variables}", "models/a.sql": "select 1 as id"})
    view = view_of(
        "select {{ env_var('API_TOKEN') }} as a, {{ var('api_password') }} as b, {{ var('url') }} as c,\n"
        "{{ var('login') }} as d",
        index=record_project(root),
    )
    shown = [at(view, part) for part in ("'API_|TOKEN'", "'api_|password'", "var('ur|l')", "'log|in'")]
    assert "**`API_TOKEN`** · environment variable" in shown[0]
    assert all(shown)
    assert not [text for text in shown if "hunter2" in text or "from-the-environment" in text]


def inline_of(markdown: str) -> tuple[set[str], str]:
    """Return the kinds of inline content in *markdown*, which is one paragraph, and its shown text."""
    parser = MarkdownIt("gfm-like", {"html": True, "linkify": False})
    tokens = parser.parse(f"before\n\n{markdown}\n\nafter")
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"] * 3
    inline = tokens[4].children or []
    return {token.type for token in inline}, "".join(token.content for token in inline)


HOSTILE = (
    "![x](http://e.vil/p.png) [click](command:run) <img src=x onerror=y> <http://e.vil> http://e.vil "
    "www.e.vil a@e.vil `ok` ```not``` **b** _i_ ~s~ &lt; | $x$ \\[y](http://z) [r]\n[r]: http://e.vil"
)


@pytest.mark.parametrize(
    "before", ["", "# ", "1. ", "- ", "+ ", "> ", "=== ", "    ", "``", "`", "\\", "<!-- "]
)
def test_descriptions_have_no_links_images_or_html(before: str) -> None:
    kinds, shown = inline_of(escaped(before + HOSTILE))
    assert kinds <= {"text", "code_inline"}
    assert "command:run" in shown
    for address in ("http://", "www."):
        assert address not in escaped(HOSTILE)


@given(st.text(alphabet="aA1 \n\t`*_[]()<>&;~|$@:/.!#+-=\\\"'{}^", max_size=40))
def test_any_description_is_shown_as_written(text: str) -> None:
    assume(text.strip())
    kinds, shown = inline_of(escaped(text))
    assert kinds <= {"text", "code_inline"}
    # The ends of code in a line may lose a space.
    assert "".join(shown.replace("`", "").split()) == "".join(text.replace("`", "").split())
    kinds, shown = inline_of(code(text))
    assert kinds == {"code_inline"}


def test_long_descriptions_are_cut() -> None:
    assert len(escaped("word " * 1_000)) <= LONGEST_TEXT


def test_a_hostile_description_of_a_model_stays_text(
    view_of: ViewOf, write_project: WriteProject, record_project: RecordProject
) -> None:
    properties = {
        "models": [{"name": "a", "description": HOSTILE, "columns": [{"name": "id", "description": HOSTILE}]}]
    }
    root = write_project({"models/a.sql": "select 1 as id", "models/a.yml": json.dumps(properties)})
    view = view_of("select id from {{ ref('a') }}", index=record_project(root))
    for part in ("ref('|a')", "select i|d"):
        shown = at(view, part)
        assert "command:run" in shown
        tokens = MarkdownIt("commonmark").parse(shown)
        kinds = {child.type for token in tokens for child in token.children or ()}
        assert kinds.isdisjoint({"link_open", "image", "html_inline"})
        assert "html_block" not in {token.type for token in tokens}


def test_owners_and_notes_are_shown(
    view_of: ViewOf, write_project: WriteProject, record_project: RecordProject
) -> None:
    index = record_project(write_project({"models/a.sql": "select 1 as id"}))
    reader = index.reader
    assert isinstance(reader, StoredRunReader)
    target = AnnotationTarget(project_name="shop", unique_id="model.shop.a")
    column = replace(target, column_name="id")
    changes = [
        AnnotationChange(target, "owner", "Ann", "true"),
        AnnotationChange(target, "note", value="Ask *Ann* first."),
        AnnotationChange(column, "note", value="Never null."),
    ]
    add_annotations(reader.adapter.at(SCHEMA), changes, author="bob")
    view = view_of("select id from {{ ref('a') }}", index=index)
    shown = at(view, "ref('|a')")
    assert "Owner: Ann\n\nNote: Ask \\*Ann\\* first." in shown
    assert "Never null." not in shown
    assert "Note: Never null." in at(view, "select i|d")


def test_bigquery_names_in_backticks_are_followed(
    view_of: ViewOf, write_project: WriteProject, record_project: RecordProject
) -> None:
    root = write_project(
        {
            "models/a.sql": "select 1 as `Order Id`, 2 as amount",
            "models/b.sql": "with c as (select `Order Id` as oid, amount from {{ ref('a') }})\n"
            "select c.oid, c.`amount` from c",
        }
    )
    index = record_project(root, dialect="bigquery")
    assert index.dialect == "bigquery"
    view = view_of(path="models/b.sql", index=index)
    assert "- `c.oid`\n  - `a.Order Id` (model)" in at(view, "c.oi|d,")
    shown = at(view, "select `Order| Id`")
    assert "**`Order Id`**" in shown
    assert "1 reader of `a.Order Id`: `b`" in shown
    assert "- `c.amount`\n  - `a.amount` (model)" in at(view, "c.`amou|nt`")


def test_of_two_packages_the_file_of_the_other_package_shows_the_model_that_dbt_takes(
    view_of: ViewOf,
) -> None:
    shown = at(view_of(path="dbt_packages/tools/models/tool_log.sql"), "ref('stg|_orders')")
    assert "One row per order, whatever became of it." in shown
    shown = at(view_of("select 1 as x from {{ ref('tools', 'stg_orders') }}"), "'stg|_orders'")
    assert "Package `tools`" in shown
    assert "tool_id" in shown


def test_edited_columns_of_another_open_text_replace_the_recorded_ones(view_of: ViewOf) -> None:
    outputs = (ColumnOutput("price_id", Kind.RENAMED), ColumnOutput("new_price", Kind.RENAMED))
    edited = LiveModel(
        unique_id="model.jaffle_shop.prices.v2",
        text="…",
        sql="…",
        columns=NodeColumns(outputs=outputs),
    )
    view = view_of("select 1 as x from {{ ref('prices') }}", others={edited.unique_id: edited})
    shown = at(view, "ref('pri|ces')")
    assert "price_id   integer\nnew_price" in shown


@pytest.mark.extensive
def test_no_position_of_any_file_shows_a_mask_or_fails(view_of: ViewOf, shop_index: ProjectIndex) -> None:
    for file in sorted(shop_index.root.rglob("*.sql")):
        view = view_of(path=file.relative_to(shop_index.root).as_posix())
        for offset in range(len(view.document.text) + 1):
            found = hover(view, offset)
            assert found is None or isinstance(found.contents, MarkupContent)
            for mask in view.document.template.masks:
                assert found is None or mask not in str(found.contents)


def test_a_text_without_an_index_still_shows_what_the_text_says(view_of: ViewOf) -> None:
    text = "with a as (select b as c from t) select c as d, {{ env_var('X') }} as e from a"
    known = view_of(text)
    view = TextView(known.document, known.query)
    assert "- `a.c`\n  - `t.b`" in at(view, "as d|")
    assert "environment variable" in at(view, "env_|var")
    assert at(view_of("select 1 as x from {{ ref('a') }}"), "select| 1") == ""


def test_facts_of_a_manifest_are_of_the_time_of_dbts_run(shop_index: ProjectIndex, view_of: ViewOf) -> None:
    days = (datetime(2026, 11, day, tzinfo=timezone.utc) for day in (2, 1))
    times = ArtifactTimes(*days)
    reader = copy(shop_index.reader)
    for source, since in (("manifest", ""), ("both", ", and the files that changed since, read 20")):
        reader.run = replace(shop_index.run, run_id=f"editor-1a{times.mark}-{source}")
        view = view_of(path="models/marts/crm_customers.sql", index=ProjectIndex(reader, shop_index.root))
        column, node = at(view, "where customers.i|d"), at(view, "source('crm', 'cust|omers')")
        assert "*type as of the catalog of 2026-11-01 00:00 UTC*" in column
        assert f"*description, readers as of run 2026-11-02 00:00 UTC (dbt's manifest){since}" in column
        assert f"*as of run 2026-11-02 00:00 UTC (dbt's manifest){since}" in node
        assert node.endswith("; types as of the catalog of 2026-11-01 00:00 UTC*")
