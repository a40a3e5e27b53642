"""Definitions and references, at exact positions of the text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from lsprotocol.types import Location

from recce_meta import demo_data
from recce_meta.api.run_reader import MemoryRunReader, read_run
from recce_meta.lsp.documents import TextView, path_of
from recce_meta.lsp.features.navigation import definitions, references
from recce_meta.lsp.features.symbols import symbols_at
from recce_meta.lsp.features.usages import Usages
from recce_meta.lsp.project.index import ProjectIndex
from recce_meta.lsp.text.file_texts import FileText
from recce_meta.lsp.text.positions import Lines
from tests.unit.lsp.conftest import RecordProject, ViewOf, view

Written = tuple[str, int, str]
"""File, line from 0, and text of a place."""
WriteProject = Callable[[Mapping[str, str]], Path]


def cut(text: str) -> tuple[str, int]:
    """Return *text* without the mark of the cursor, and the offset of the mark."""
    before, _, after = text.partition("¦")
    return before + after, len(before)


def written(
    view: TextView, places: Sequence[Location], texts: Mapping[Path, str] | None = None
) -> list[Written]:
    """Return the places as a reader sees them."""
    found = []
    for place in places:
        path = path_of(place.uri)
        assert path is not None
        open_text = view.document.text if path == view.document.path else (texts or {}).get(path)
        lines = Lines(path.read_bytes().decode() if open_text is None else open_text)
        start = lines.offset(place.range.start.line, place.range.start.character)
        end = lines.offset(place.range.end.line, place.range.end.character)
        root = view.index.root if view.index is not None else path.parent
        found.append((path.relative_to(root).as_posix(), place.range.start.line, lines.text[start:end]))
    return found


def defined(
    view_of: ViewOf, marked: str, *, path: str = "", index: ProjectIndex | None = None
) -> list[Written]:
    """Return the definitions at the mark in the text."""
    text, offset = cut(marked)
    view = view_of(text, path=path, index=index)
    return written(view, definitions(view, offset, {}))


def used(
    view_of: ViewOf,
    marked: str,
    *,
    path: str = "",
    index: ProjectIndex | None = None,
    declaration: bool = False,
) -> list[Written]:
    """Return the references at the mark in the text."""
    text, offset = cut(marked)
    view = view_of(text, path=path, index=index)
    return written(view, references(view, offset, {}, declaration=declaration))


NEW = "models/new_model.sql"
AMOUNT = ("models/marts/orders.sql", 15, "amount")


@pytest.mark.parametrize(
    ("call", "place"),
    [
        ("{{ ref('¦orders') }}", ("models/marts/orders.sql", 0, "")),
        ("{{ ref('orders¦') }}", ("models/marts/orders.sql", 0, "")),
        ("{{ r¦ef('orders') }}", ("models/marts/orders.sql", 0, "")),
        ("{{ ref('raw_¦orders') }}", ("seeds/raw_orders.csv", 0, "")),
        ("{{ ref('prices¦') }}", ("models/marts/prices_v2.sql", 0, "")),
        ("{{ ref('prices¦', v=1) }}", ("models/marts/prices_v1.sql", 0, "")),
        ("{{ ref('tools', 'stg_¦orders') }}", ("dbt_packages/tools/models/stg_orders.sql", 0, "")),
        ("{{ source('crm', 'custo¦mers') }}", ("models/sources.yml", 5, "customers")),
        ("{{ source('crm¦', 'contacts') }}", ("models/sources.yml", 10, "contacts")),
    ],
)
def test_ref_and_source_lead_to_the_definition_of_the_node(
    view_of: ViewOf, call: str, place: Written
) -> None:
    assert defined(view_of, f"select 1 as one\nfrom {call}") == [place]


def test_an_unknown_name_has_no_definition(view_of: ViewOf) -> None:
    assert defined(view_of, "select 1 from {{ ref('no_¦such') }}") == []
    assert defined(view_of, "select 1 from {{ source('crm', 'no_¦such') }}") == []
    assert defined(view_of, "select 1 from warehouse.no_¦such") == []


def test_macros_and_variables_lead_to_their_names(view_of: ViewOf) -> None:
    own = ("macros/cents_to_dollars.sql", 1, "cents_to_dollars")
    assert defined(view_of, "select {{ cents_to_¦dollars('a') }} as a") == [own]
    installed = ("dbt_packages/tools/macros/shout.sql", 1, "shout")
    assert defined(view_of, "select {{ tools.sh¦out('a') }} as a") == [installed]
    assert defined(view_of, "select '{{ var('first¦_day') }}' as a") == [("dbt_project.yml", 14, "first_day")]
    assert defined(view_of, "select '{{ var('reg¦ion') }}' as a") == [("dbt_project.yml", 16, "region")]
    assert defined(view_of, "select '{{ var('no¦ne') }}' as a") == []


def test_this_leads_to_the_file_itself(view_of: ViewOf) -> None:
    text = "select 1 as one from {{ th¦is }}"
    assert defined(view_of, text, path="models/marts/orders.sql") == [("models/marts/orders.sql", 0, "")]
    assert defined(view_of, text) == [(NEW, 0, "")]


@pytest.mark.parametrize("name", ["¦amount", "amo¦unt", "amount¦"])
def test_a_column_leads_to_the_output_of_the_model_it_comes_from(view_of: ViewOf, name: str) -> None:
    text = f"select\n    o.order_id,\n    o.{name} * 2 as twice\nfrom {{{{ ref('orders') }}}} as o"
    assert defined(view_of, text) == [AMOUNT]


def test_a_column_of_a_cte_leads_to_the_output_of_the_cte(view_of: ViewOf) -> None:
    text = "with paid as (select amount as a from {{ ref('orders') }})\nselect paid.¦a from paid"
    assert defined(view_of, text) == [(NEW, 0, "a")]
    assert defined(view_of, text.replace("¦", "").replace("select amount", "select ¦amount")) == [AMOUNT]


def test_a_star_is_followed_once(view_of: ViewOf) -> None:
    imported = "with o as (select * from {{ ref('orders') }})\nselect o.am¦ount from o"
    assert defined(view_of, imported) == [AMOUNT]
    twice = "with o as (select * from {{ ref('orders') }}), p as (select * from o)\nselect am¦ount from p"
    assert defined(view_of, twice) == [(NEW, 0, "*")]


def test_a_star_leads_to_the_tables_it_reads(view_of: ViewOf) -> None:
    text = "with o as (select 1 as a)\nselect o.¦*, c.* from o cross join {{ ref('customers') }} as c"
    assert defined(view_of, text) == [(NEW, 0, "o")]
    assert defined(view_of, text.replace("¦", "").replace("c.*", "c.¦*")) == [
        ("models/marts/customers.sql", 0, "")
    ]


def test_a_star_of_another_model_is_followed_inside_its_file(
    view_of: ViewOf, record_project: RecordProject, write_project: WriteProject
) -> None:
    root = write_project(
        {
            "models/a.sql": "with final as (\n  select 1 as id, 2 as n\n)\nselect * from final\n",
            "models/b.sql": "select * from {{ ref('a') }}\n",
            "models/c.sql": "select id from {{ ref('a') }}",
            "models/d.sql": "select id from {{ ref('b') }}",
        }
    )
    index = record_project(root)
    assert defined(view_of, "select ¦n from {{ ref('a') }}", path="models/c.sql", index=index) == [
        ("models/a.sql", 1, "n")
    ]
    assert defined(view_of, "select ¦n from {{ ref('b') }}", path="models/d.sql", index=index) == [
        ("models/b.sql", 0, "*")
    ]


def test_a_column_that_a_macro_makes_leads_to_the_file(
    view_of: ViewOf, record_project: RecordProject, write_project: WriteProject
) -> None:
    macro = "{% macro pair() %}1 as low, 2 as high{% endmacro %}"
    root = write_project({"models/a.sql": "\nselect {{ pair() }}\n", "macros/pair.sql": macro})
    index = record_project(root)
    text = "select ¦high from {{ ref('a') }}"
    assert defined(view_of, text, path="models/b.sql", index=index) == [("models/a.sql", 0, "")]


def test_a_column_of_a_cte_that_a_macro_fills_leads_to_the_cte(view_of: ViewOf) -> None:
    text = (
        "with made as (\n  select {{ fill() }} from {{ ref('orders') }}\n)\nselect made.lo¦w, high from made"
    )
    assert defined(view_of, text) == [(NEW, 0, "made")]
    assert used(view_of, text) == [(NEW, 3, "low")]


def test_a_source_column_leads_to_its_entry_and_a_seed_column_to_the_header(view_of: ViewOf) -> None:
    source = "select c.{} from {{{{ source('crm', 'customers') }}}} c"
    assert defined(view_of, source.format("¦id")) == [("models/sources.yml", 8, "id")]
    assert defined(view_of, source.format('"Full¦Name"')) == [("models/sources.yml", 9, "FullName")]
    assert defined(view_of, source.format("pho¦ne")) == [("models/sources.yml", 5, "customers")]
    seed = "select {} from {{{{ ref('raw_orders') }}}}"
    assert defined(view_of, seed.format("store¦_id")) == [("seeds/raw_orders.csv", 0, "store_id")]
    assert defined(view_of, seed.format("¦id")) == [("seeds/raw_orders.csv", 0, "id")]


def test_the_documented_column_of_a_seed_comes_before_its_header(
    view_of: ViewOf, record_project: RecordProject, write_project: WriteProject
) -> None:
    described = (
        "seeds:\n  - name: codes\n    columns:\n      - name: 'code'\n        description: The code.\n"
    )
    root = write_project(
        {
            "seeds/codes.csv": "code,label\n1,one\n",
            "seeds/codes.yml": described,
            "models/a.sql": "select 1 as a",
        }
    )
    index = record_project(root)
    text = "select {} from {{{{ ref('codes') }}}}"
    documented = defined(view_of, text.format("¦code"), path="models/a.sql", index=index)
    assert documented == [("seeds/codes.yml", 3, "code")]
    other = defined(view_of, text.format("¦label"), path="models/a.sql", index=index)
    assert other == [("seeds/codes.csv", 0, "label")]


def test_a_cte_and_an_alias_lead_to_what_they_name(view_of: ViewOf) -> None:
    text = "with paid as (select 1 as a)\nselect p.a, x.order_id from ¦paid as p, {{ ref('orders') }} x"
    plain = text.replace("¦", "")
    assert defined(view_of, text) == [(NEW, 0, "paid")]
    assert defined(view_of, plain.replace("as (select", "¦as (select")) == []
    assert defined(view_of, plain.replace("with paid", "with paid¦")) == [(NEW, 0, "paid")]
    assert defined(view_of, plain.replace("p.a", "p¦.a")) == [(NEW, 1, "paid")]
    assert defined(view_of, plain.replace("as p,", "as ¦p,")) == [(NEW, 0, "paid")]
    assert defined(view_of, plain.replace("x.order", "¦x.order")) == [(NEW, 1, "{{ ref('orders') }}")]
    assert defined(view_of, plain.replace("}} x", "}} x¦")) == [("models/marts/orders.sql", 0, "")]


def test_the_name_of_a_model_qualifies_its_columns(view_of: ViewOf) -> None:
    text = "select order¦s.amount from {{ ref('orders') }}"
    assert defined(view_of, text) == [("models/marts/orders.sql", 0, "")]


def test_a_column_of_using_leads_to_all_its_sources(view_of: ViewOf) -> None:
    text = (
        "select ¦order_id from {{ ref('stg_orders') }} join {{ ref('int_order_payments') }} using (order_id)"
    )
    assert sorted(defined(view_of, text)) == [
        ("models/intermediate/int_order_payments.sql", 3, "order_id"),
        ("models/staging/stg_orders.sql", 1, "order_id"),
    ]


def test_columns_of_unions_and_subqueries_lead_to_their_operand(view_of: ViewOf) -> None:
    text = (
        "select status from (\n  select status, amount as paid from {{ ref('orders') }}\n) as inside\n"
        "where inside.pa¦id > 0\nunion all\nselect email from {{ ref('customers') }}"
    )
    assert defined(view_of, text) == [(NEW, 1, "paid")]
    second = text.replace("¦", "").replace("select email", "select em¦ail")
    assert defined(view_of, second) == [("models/marts/customers.sql", 16, "email")]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_positions_count_utf16_units_and_keep_line_ends(view_of: ViewOf, end: str) -> None:
    lines = [
        "with paid as (",
        "  select '🧾 é' as note, 1 as total /* 🧾 */",
        ")",
        "select '🧾', paid.to¦tal from paid",
    ]
    text, offset = cut(end.join(lines))
    view = view_of(text)
    (place,) = definitions(view, offset, {})
    # The emoji before it counts twice.
    assert (place.range.start.line, place.range.start.character) == (1, lines[1].index("total") + 1)
    assert written(view, [place]) == [(NEW, 1, "total")]


def test_quoted_names_are_found(view_of: ViewOf) -> None:
    text = 'with "My CTE" as (select 1 as "Total Sum")\nselect m."Total¦ Sum" from "My CTE" as m'
    assert [place[:2] for place in defined(view_of, text)] == [(NEW, 0)]
    assert defined(view_of, text)[0][2].strip('"') == "Total Sum"


def test_definitions_read_the_open_text_of_another_file(view_of: ViewOf, shop_root: Path) -> None:
    text, offset = cut("select o.am¦ount from {{ ref('orders') }} as o")
    view, path = view_of(text), shop_root / "models/marts/orders.sql"
    texts = {path: f"\n\n\n{path.read_text('utf-8')}"}
    assert written(view, definitions(view, offset, texts), texts) == [
        ("models/marts/orders.sql", 18, "amount")
    ]


def test_half_typed_text_still_has_definitions(view_of: ViewOf) -> None:
    text = "with paid as (select 1 as total)\nselect paid.total, paid. from pa¦id"
    assert defined(view_of, text) == [(NEW, 0, "paid")]
    assert defined(view_of, "select * from {{ ref('ord¦ers'") == [("models/marts/orders.sql", 0, "")]
    assert defined(view_of, "¦") == []


def test_without_a_project_only_the_text_is_searched() -> None:
    text, offset = cut("with a as (select 1 as b) select ¦b from a")
    found = definitions(view(None, Path("/nowhere/a.sql"), text), offset, {})
    assert [place.range.start.character for place in found] == [text.index("b)")]
    text, offset = cut("select 1 from {{ ref('¦b') }}")
    assert definitions(view(None, Path("/nowhere/a.sql"), text), offset, {}) == []


CALLS_OF_ORDERS = [
    ("models/marts/customers.sql", 7, "ref('orders')"),
    ("models/marts/daily_revenue.sql", 7, "ref('orders')"),
]


def test_references_of_a_model_are_the_calls_in_its_readers(view_of: ViewOf) -> None:
    from_ref = used(view_of, "select 1 as one\nfrom {{ ref('ord¦ers') }}")
    assert from_ref == [*CALLS_OF_ORDERS, (NEW, 1, "ref('orders')")]
    with_definition = used(view_of, "select 1 as one\nfrom {{ ref('ord¦ers') }}", declaration=True)
    assert with_definition == sorted([*from_ref, ("models/marts/orders.sql", 0, "")])


def test_the_first_line_of_a_model_stands_for_the_model(view_of: ViewOf, shop_root: Path) -> None:
    text = (shop_root / "models/marts/orders.sql").read_text("utf-8")
    assert used(view_of, f"¦{text}", path="models/marts/orders.sql") == CALLS_OF_ORDERS
    assert used(view_of, f"{text}¦", path="models/marts/orders.sql") == []


@pytest.mark.parametrize(
    "text",
    [
        "select * exclude (r¦n) from {{ ref('stg_orders') }}",
        "select 'wo¦rd' as a from {{ ref('stg_orders') }}",
        "{# wo¦rd #} select 1 as a from {{ ref('stg_orders') }}",
        "select -- wo¦rd\n1 as a from {{ ref('stg_orders') }}",
    ],
)
def test_a_word_without_a_known_meaning_has_no_references(view_of: ViewOf, text: str) -> None:
    assert used(view_of, text, path="models/marts/orders.sql") == []


def test_references_of_seeds_sources_and_versions_are_found(view_of: ViewOf) -> None:
    seed = used(view_of, "select 1 from {{ ref('raw_o¦rders') }}")
    assert seed == [(NEW, 0, "ref('raw_orders')"), ("models/staging/stg_orders.sql", 7, "ref('raw_orders')")]
    source = used(view_of, "select 1 from {{ source('crm', 'cust¦omers') }}")
    assert source[0] == ("models/marts/crm_customers.sql", 2, "source('crm', 'customers')")
    version = used(view_of, "select 1 from {{ ref('pri¦ces', v=2) }}")
    assert version[0] == ("models/marts/price_list.sql", 0, "ref('prices')")


def test_references_include_exposures_and_generic_tests_of_a_manifest(
    view_of: ViewOf, shop_root: Path
) -> None:
    artifacts = Path(demo_data.__file__).parent / "base"
    index = ProjectIndex(MemoryRunReader(read_run(artifacts, hash_seed_files=False)), shop_root)
    found = used(view_of, "select 1 from {{ ref('daily¦_revenue') }}", index=index)
    assert ("models/marts/marts.yml", 43, "ref('daily_revenue')") in found
    text = (shop_root / "macros/test_not_negative.sql").read_text("utf-8").replace("not_neg", "not_¦neg")
    tests = used(view_of, text, path="macros/test_not_negative.sql", index=index)
    assert tests == [("models/staging/staging.yml", 34, "not_negative")]


def test_references_of_a_macro_are_its_calls(view_of: ViewOf, shop_root: Path) -> None:
    called = ("models/staging/stg_payments.sql", 5, "cents_to_dollars")
    assert used(view_of, "select {{ cents_to¦_dollars('a') }} as a") == [(NEW, 0, "cents_to_dollars"), called]
    text = (shop_root / "macros/cents_to_dollars.sql").read_text("utf-8")
    marked = text.replace("macro cents", "macro ¦cents")
    assert used(view_of, marked, path="macros/cents_to_dollars.sql") == [called]


def test_references_of_a_macro_include_macros_that_call_it(
    view_of: ViewOf, record_project: RecordProject, write_project: WriteProject
) -> None:
    root = write_project(
        {
            "macros/a.sql": "{% macro low() %}1{% endmacro %}\n{% macro high() %}{{ low() }}{% endmacro %}",
            "models/a.sql": "select {{ high() }} as a",
            "models/b.sql": "select {{ low() }} as a",
        }
    )
    index = record_project(root)
    found = used(view_of, "select {{ lo¦w() }} as a", path="models/b.sql", index=index)
    assert found == [("macros/a.sql", 1, "low"), ("models/b.sql", 0, "low")]


def test_references_of_a_cte_are_its_uses(view_of: ViewOf) -> None:
    text = "with ¦a as (select 1 as x), b as (select x from a)\nselect a.x from a join b on b.x = a.x"
    assert used(view_of, text) == [(NEW, 0, "a"), (NEW, 1, "a")]


def test_references_of_an_alias_are_its_qualifiers(view_of: ViewOf) -> None:
    text = "select ¦o.amount\nfrom {{ ref('orders') }} as o\nwhere o.status = 'x' and 'o.' <> ''"
    assert used(view_of, text) == [(NEW, 0, "o"), (NEW, 2, "o")]


def test_references_of_an_output_are_in_the_models_that_read_it(view_of: ViewOf, shop_root: Path) -> None:
    text = (shop_root / "models/marts/orders.sql").read_text("utf-8")
    found = used(view_of, text.replace("as amount", "as amo¦unt"), path="models/marts/orders.sql")
    assert found == [
        ("models/marts/customers.sql", 6, "amount"),
        ("models/marts/daily_revenue.sql", 6, "amount"),
    ]


def test_references_of_a_column_are_in_the_text_and_in_other_readers(view_of: ViewOf) -> None:
    text = "with o as (select * from {{ ref('orders') }})\nselect count(*) as n from o"
    assert used(view_of, f"{text} where ¦amount > 1 or o.amount < 0") == [
        ("models/marts/customers.sql", 6, "amount"),
        ("models/marts/daily_revenue.sql", 6, "amount"),
        (NEW, 1, "amount"),
        (NEW, 1, "amount"),
    ]


def test_references_through_a_star_include_the_star_and_the_columns_behind_it(
    view_of: ViewOf, record_project: RecordProject, write_project: WriteProject
) -> None:
    root = write_project(
        {
            "models/a.sql": "select 1 as id, 2 as n",
            "models/b.sql": "with a as (select * from {{ ref('a') }})\nselect id, a.n + 1 as more from a",
            "models/c.sql": "select * from {{ ref('a') }}",
            "models/d.sql": "select id from {{ ref('a') }}",
        }
    )
    index = record_project(root)
    found = used(view_of, "select 1 as id, 2 as ¦n", path="models/a.sql", index=index)
    assert found == [("models/b.sql", 0, "*"), ("models/b.sql", 1, "n"), ("models/c.sql", 0, "*")]


def test_a_reader_that_does_not_parse_yields_its_call(
    view_of: ViewOf, record_project: RecordProject, write_project: WriteProject
) -> None:
    root = write_project({"models/a.sql": "select 1 as id", "models/b.sql": "select id\nfrom {{ ref('a') }}"})
    index = record_project(root)
    (root / "models/b.sql").write_text("select id id id (\nfrom {{ ref('a') }} ((", "utf-8")
    found = used(view_of, "select 1 as ¦id", path="models/a.sql", index=index)
    assert found == [("models/b.sql", 1, "ref('a')")]


def test_after_the_time_limit_readers_yield_their_calls(view_of: ViewOf) -> None:
    text, offset = cut("select count(*) as n from {{ ref('orders') }} where am¦ount > 1")
    file = FileText.of_view(view_of(text))
    found = Usages(file, {}, until=0).of(symbols_at(file, offset))
    assert sorted(written(file.view, found)) == [*CALLS_OF_ORDERS, (NEW, 0, "amount")]


def test_a_column_without_a_known_source_is_its_own_only_use(view_of: ViewOf) -> None:
    text = "select 1 as a from {{ ref('orders') }} where no¦ne = 1"
    assert used(view_of, text) == [(NEW, 0, "none")]
    assert defined(view_of, text) == []


def test_a_reader_whose_call_is_not_in_its_text_yields_its_start(
    view_of: ViewOf, record_project: RecordProject, write_project: WriteProject
) -> None:
    root = write_project(
        {
            "models/a.sql": "select 1 as id",
            "models/b.sql": "{% set name = 'a' %}\nselect id from {{ ref(name) }}",
        }
    )
    index = record_project(root)
    found = used(view_of, "¦select 1 as id", path="models/a.sql", index=index)
    assert found == [("models/b.sql", 0, "")]


def test_no_position_of_any_file_raises(view_of: ViewOf, shop_root: Path) -> None:
    for path in sorted((shop_root / "models").rglob("*.sql")):
        view = view_of(path=path.relative_to(shop_root).as_posix())
        for offset in range(0, len(view.document.text) + 1, 7):
            assert all(place.uri for place in definitions(view, offset, {}))
