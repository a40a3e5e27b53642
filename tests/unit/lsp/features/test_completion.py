"""Completion of names in tags and in SQL, also of half-typed text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from lsprotocol.types import CompletionItem, CompletionList, TextEdit

from recce_meta.lsp.features.completion import MOST_ITEMS, completions
from recce_meta.lsp.text.positions import Lines
from tests.unit.lsp.conftest import RecordProject, ViewOf, view

WriteProject = Callable[[Mapping[str, str]], Path]

REFS = ["crm_customers", "customers", "daily_revenue", "int_order_payments", "orders", "payment_mix"]
"""First names that `ref` accepts in the shop."""


def complete(view_of: ViewOf, marked: str, *, path: str = "") -> CompletionList:
    """Return the answer at the mark in the text."""
    before, _, after = marked.partition("¦")
    return completions(view_of(before + after, path=path), len(before))


def labels(view_of: ViewOf, marked: str, *, path: str = "") -> list[str]:
    """Return the labels at the mark in the text, as the editor sorts them."""
    items = complete(view_of, marked, path=path).items
    return [item.label for item in sorted(items, key=lambda item: item.sort_text or "")]


def item(view_of: ViewOf, marked: str, label: str) -> CompletionItem:
    """Return the item *label* at the mark in the text."""
    (found,) = [one for one in complete(view_of, marked).items if one.label == label]
    return found


def chosen(view_of: ViewOf, marked: str, label: str) -> str:
    """Return the text after the item *label* is chosen at the mark."""
    edit = item(view_of, marked, label).text_edit
    assert isinstance(edit, TextEdit)
    lines = Lines(marked.replace("¦", ""))
    start, end = edit.range.start, edit.range.end
    assert start.line == end.line
    before = lines.text[: lines.offset(start.line, start.character)]
    return before + edit.new_text + lines.text[lines.offset(end.line, end.character) :]


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("{{ ref('¦", "{{ ref('orders"),
        ("{{ ref('ord¦", "{{ ref('orders"),
        ("{{ ref('ord¦') }}", "{{ ref('orders') }}"),
        ("{{ ref('o¦rd') }}", "{{ ref('orders') }}"),
        ('{{ref("¦")}}', '{{ref("orders")}}'),
        ("{{ ref(¦", "{{ ref('orders'"),
        ("{{ ref(¦) }}", "{{ ref('orders') }}"),
        ("{{ ref(ord¦) }}", "{{ ref('orders') }}"),
        ("{{ ref('tools', 'x') }} join {{ ref('¦", "{{ ref('tools', 'x') }} join {{ ref('orders"),
        ("{% set a = ref('¦') %}", "{% set a = ref('orders') %}"),
        ("{{ wrap(ref('¦'), 1) }}", "{{ wrap(ref('orders'), 1) }}"),
    ],
)
@pytest.mark.parametrize("after", ["", "\nwhere a = 1 and b = '{{ var(\"x\") }}'"])
def test_ref_completes_the_names_of_nodes(view_of: ViewOf, typed: str, text: str, after: str) -> None:
    marked = f"select 1\nfrom {typed}{after}"
    assert [label for label in labels(view_of, marked) if label in REFS] == REFS
    assert chosen(view_of, marked, "orders") == f"select 1\nfrom {text}{after}"


def test_ref_describes_the_nodes(view_of: ViewOf) -> None:
    orders = item(view_of, "select 1 from {{ ref('ord¦') }}", "orders")
    assert (orders.detail, orders.documentation) == (
        "model, table",
        "One row per order, with what was paid for it.",
    )
    assert item(view_of, "select 1 from {{ ref('ord¦') }}", "raw_orders").detail == "seed"
    installed = item(view_of, "select 1 from {{ ref('¦') }}", "tool_log")
    assert installed.label_details is not None
    assert installed.label_details.description == "tools"


def test_ref_offers_packages_and_then_their_models(view_of: ViewOf) -> None:
    found = labels(view_of, "select 1 from {{ ref('¦') }}")
    assert found[-2:] == ["jaffle_shop", "tools"]
    assert labels(view_of, "select 1 from {{ ref('¦', 'stg_orders') }}") == ["jaffle_shop", "tools"]
    assert labels(view_of, "select 1 from {{ ref('tools', '¦') }}") == ["stg_orders", "tool_log"]
    assert labels(view_of, "select 1 from {{ ref('tools', ¦") == ["stg_orders", "tool_log"]
    assert labels(view_of, "select 1 from {{ ref('tools', 'stg_orders', '¦') }}") == []


def test_a_name_of_several_packages_is_offered_with_each(view_of: ViewOf) -> None:
    marked = "select 1 from {{ ref('st¦') }}"
    assert chosen(view_of, marked, "tools.stg_orders") == "select 1 from {{ ref('tools', 'stg_orders') }}"


def test_source_completes_sources_and_tables(view_of: ViewOf) -> None:
    assert labels(view_of, "select 1 from {{ source('¦") == ["crm"]
    assert labels(view_of, "select 1 from {{ source('crm', '¦') }}") == ["contacts", "customers"]
    assert labels(view_of, "select 1 from {{ source('none', '¦') }}") == []
    marked = "select 1 from {{ source('crm', 'cu¦"
    assert chosen(view_of, marked, "customers") == "select 1 from {{ source('crm', 'customers"
    assert item(view_of, marked, "customers").documentation == "Customers as sales knows them."


def test_var_completes_variables_also_in_a_string_of_sql(view_of: ViewOf) -> None:
    assert labels(view_of, "select '{{ var('¦') }}'") == ["first_day", "region"]
    assert chosen(view_of, "select '{{ var(\"f¦\") }}'", "first_day") == "select '{{ var(\"first_day\") }}'"


def test_tags_complete_macros_and_packages(view_of: ViewOf) -> None:
    found = labels(view_of, "select {{ ¦ }}")
    assert found[:3] == ["ref", "source", "var"]
    assert {"cents_to_dollars", "tools"} <= set(found)
    # A test is not called by name.
    assert "not_negative" not in found
    assert "test_not_negative" not in found
    assert labels(view_of, "select {{ tools.¦") == ["cents_to_dollars", "shout"]
    assert chosen(view_of, "select {{ tools.sh¦ }}", "shout") == "select {{ tools.shout }}"
    assert item(view_of, "select {{ tools.¦", "shout").detail == "shout(text, marks=3)"
    assert labels(view_of, "{{ config(mat¦) }}") == []


@pytest.mark.parametrize(
    "marked",
    [
        "select 1 -- o.¦\nfrom {{ ref('orders') }} o",
        "select 1 /* o.¦ */ from {{ ref('orders') }} o",
        "select 'o.¦' from {{ ref('orders') }} o",
        "select 'o.¦\nfrom {{ ref('orders') }} o",
        "-- {{ ref('¦') }}",
        "{# {{ ref('¦') }} #}",
        "select 1 from {{ ref('orders') }}¦",
        "select 1 ¦",
        "select amount as ¦ from {{ ref('orders') }}",
        "select amount ¦ from {{ ref('orders') }}",
        "select * ¦ from {{ ref('orders') }}",
        "select 1 from {{ ref('orders') }} ¦",
        "select 1 from {{ ref('orders') }} limit ¦",
        "select 1.¦ from {{ ref('orders') }}",
        "select nothing.¦ from {{ ref('orders') }}",
        "¦",
        "{% raw %}{{ ref('¦') }}{% endraw %}",
    ],
)
def test_nothing_is_offered_where_no_name_of_ours_belongs(view_of: ViewOf, marked: str) -> None:
    assert labels(view_of, marked) == []


@pytest.mark.parametrize(
    "marked",
    [
        "select o.¦ from {{ ref('orders') }} o",
        "select o.¦\nfrom {{ ref('orders') }} as o",
        "select o.st¦ from {{ ref('orders') }} o",
        "select o.¦store_id from {{ ref('orders') }} o",
        "select count(o.¦ from {{ ref('orders') }} o where o.status = 'x'",
        "select 1 from {{ ref('customers') }} c join {{ ref('orders') }} o on o.¦",
        "select 1 from {{ ref('orders') }} o where (o.status = 'x' and o.¦)",
        "with a as (select o.¦ from {{ ref('orders') }} o) select 1 from a",
        "select orders.¦ from {{ ref('orders') }}",
        "select a from x union all select o.¦ from {{ ref('orders') }} as o",
        "with o as (select * from {{ ref('orders') }}) select o.¦ from o",
        "select o.¦ from (select * from {{ ref('orders') }}) as o",
        "select 1 from {{ ref('orders') }} o where exists (select 1 from b where b.id = o.¦)",
        "select '🧾' as x, o.¦ from {{ ref('orders') }} o",
    ],
)
def test_a_qualifier_completes_the_columns_of_its_table(view_of: ViewOf, marked: str) -> None:
    found = labels(view_of, marked)
    assert found[:3] == ["order_id", "customer_id", "store_id"]
    assert len(found) == 11
    after = chosen(view_of, marked, "status")
    assert "o.status" in after or "orders.status" in after
    assert "store_id" not in after


def test_columns_have_types_and_descriptions(view_of: ViewOf) -> None:
    name = item(view_of, "select c.¦ from {{ source('crm', 'customers') }} c", "id")
    assert (name.detail, name.documentation) == ("integer", "Number of the customer.")
    through = "with c as (select id as number from {{ source('crm', 'customers') }}) select c.¦ from c"
    assert item(view_of, through, "number").detail == "integer"
    star = "with c as (select * from {{ source('crm', 'customers') }}) select c.¦ from c"
    assert item(view_of, star, "id").detail == "integer"


def test_columns_of_a_cte_that_is_half_typed_elsewhere_are_known(view_of: ViewOf) -> None:
    marked = "with a as (select 1 as x, 2 as y), b as (select from where) select a.¦ from a join b on"
    assert labels(view_of, marked) == ["x", "y"]


def test_columns_of_a_subquery_and_of_a_union_are_known(view_of: ViewOf) -> None:
    marked = "with a as (select 1 as x union all select 2) select s.¦ from (select x, 3 as z from a) s"
    assert labels(view_of, marked) == ["x", "z"]
    assert labels(view_of, marked.replace("s.¦", "1").replace("from a)", "from a where a.¦)")) == ["x"]


def test_without_a_qualifier_the_columns_of_all_tables_in_scope_are_offered(view_of: ViewOf) -> None:
    marked = "select ¦ from {{ ref('orders') }} o join {{ ref('customers') }} c on true"
    found = complete(view_of, marked).items
    assert [one.label for one in found].count("customer_id") == 2
    texts = [one.text_edit.new_text for one in found if isinstance(one.text_edit, TextEdit)]
    # Only a name of both tables needs a qualifier.
    assert {"o.customer_id", "c.customer_id", "amount", "email"} <= set(texts)


@pytest.mark.parametrize(
    "clause",
    [
        "where ¦",
        "where a = 1 and ¦",
        "where a is not distinct from ¦",
        "where extract(year from ¦",
        "where a is distinct from o.status and ¦",
        "group by ¦",
        "order by ¦",
        "where coalesce(¦",
        "group by 1 having ¦",
        "where st¦",
    ],
)
def test_clauses_complete_columns(view_of: ViewOf, clause: str) -> None:
    assert "status" in labels(view_of, f"select 1 from {{{{ ref('orders') }}}} {clause}")


def test_columns_of_other_queries_are_not_in_scope(view_of: ViewOf) -> None:
    marked = "with a as (select 1 as x), b as (select ¦ from a) select 2 as y from {{ ref('orders') }}"
    assert labels(view_of, marked) == ["x"]


def test_names_that_need_quotes_get_them(view_of: ViewOf) -> None:
    marked = 'with a as (select 1 as "Total Sum") select a.¦ from a'
    assert chosen(view_of, marked, "Total Sum").endswith('select a."Total Sum" from a')
    quoted = 'with a as (select 1 as "Total Sum") select a."To¦" from a'
    assert chosen(view_of, quoted, "Total Sum").endswith('select a."Total Sum" from a')
    assert item(view_of, quoted, "Total Sum").filter_text == '"Total Sum'


@pytest.mark.parametrize("typed", ["¦", "ord¦"])
@pytest.mark.parametrize("before", ["from ", "from a join ", "from a, ", "from a left join\n  "])
def test_tables_complete_ctes_and_calls(view_of: ViewOf, before: str, typed: str) -> None:
    marked = f"with a as (select 1 as x), paid as (select 2 as y) select 1 {before}{typed}"
    assert labels(view_of, marked)[:2] == ["a", "paid"]
    assert chosen(view_of, marked, "orders").endswith(f"{before}{{{{ ref('orders') }}}}")
    assert chosen(view_of, marked, "contacts").endswith("{{ source('crm', 'contacts') }}")


def test_a_cte_is_offered_only_after_its_definition(view_of: ViewOf) -> None:
    marked = "with a as (select 1 as x), b as (select 1 from ¦), c as (select 3 as z) select 1 from c"
    found = labels(view_of, marked)
    assert found[0] == "a"
    assert not {"b", "c"} & set(found)


def test_a_model_does_not_offer_itself(view_of: ViewOf) -> None:
    assert "orders" not in labels(view_of, "select 1 from ¦", path="models/marts/orders.sql")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_replaced_text_counts_utf16_units(view_of: ViewOf, end: str) -> None:
    marked = end.join(["select", "  '🧾' as 🧾, o.amo¦", "from {{ ref('orders') }} as o"])
    edit = item(view_of, marked, "amount").text_edit
    assert isinstance(edit, TextEdit)
    assert (edit.range.start.line, edit.range.start.character, edit.range.end.character) == (1, 16, 19)
    assert chosen(view_of, marked, "amount") == marked.replace("amo¦", "amount")


def test_columns_of_an_unsaved_edit_of_another_model_are_offered(view_of: ViewOf) -> None:
    from recce_meta.lsp.project.live import live_model

    edited = view_of("select 1 as order_id, 2 as brand_new", path="models/marts/orders.sql")
    assert edited.index is not None
    assert edited.node is not None
    live = live_model(edited.index, edited.node, edited.document.text)
    text = "select o. from {{ ref('orders') }} o"
    found = completions(view_of(text, others={edited.node.unique_id: live}), len("select o."))
    assert [one.label for one in found.items] == ["order_id", "brand_new"]


def test_before_the_project_is_known_the_answer_is_incomplete() -> None:
    text = "select 1 from {{ ref('') }}"
    found = completions(view(None, Path("/nowhere/a.sql"), text), text.index("')"))
    assert (found.is_incomplete, list(found.items)) == (True, [])


def test_many_names_are_cut_to_those_that_match(
    view_of: ViewOf, record_project: RecordProject, write_project: WriteProject
) -> None:
    files = {f"models/m_{number:03}.sql": "select 1 as a" for number in range(MOST_ITEMS + 50)}
    index = record_project(write_project({**files, "models/zebra.sql": "select 1 as b"}))
    text = "select 1 from {{ ref('') }}"
    place = text.index("')")
    found = completions(view_of(text, index=index), place)
    assert (found.is_incomplete, len(found.items)) == (True, MOST_ITEMS)
    typed = completions(view_of(text.replace("''", "'zeb'"), index=index), place + 3)
    assert (typed.is_incomplete, [one.label for one in typed.items]) == (True, ["zebra"])


def test_no_position_of_any_file_raises(view_of: ViewOf, shop_root: Path) -> None:
    for path in sorted((shop_root / "models").rglob("*.sql")):
        opened = view_of(path=path.relative_to(shop_root).as_posix())
        for offset in range(len(opened.document.text) + 1):
            assert completions(opened, offset) is not None
