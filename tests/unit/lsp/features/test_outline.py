"""Symbols of models and macro files, and the nesting of their ranges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from lsprotocol.types import DocumentSymbol, Range, SymbolKind

from recce_meta.lsp.documents import TextView
from recce_meta.lsp.features.outline import document_symbols
from tests.unit.lsp.conftest import ViewOf


def tree(symbols: Sequence[DocumentSymbol] | None) -> list[object]:
    """Return the names, each followed by those of its children."""
    found: list[object] = []
    for symbol in symbols or ():
        found.append(symbol.name)
        if symbol.children:
            found.append(tree(symbol.children))
    return found


def selected(view: TextView, symbols: Sequence[DocumentSymbol]) -> list[str]:
    """Return the texts that editors select for the symbols and all symbols in them."""
    return [_text(view, symbol.selection_range) for symbol in _all(symbols)]


def _text(view: TextView, place: Range) -> str:
    lines = view.document.lines
    start = lines.offset(place.start.line, place.start.character)
    return lines.text[start : lines.offset(place.end.line, place.end.character)]


def _all(symbols: Sequence[DocumentSymbol]) -> Iterator[DocumentSymbol]:
    for symbol in symbols:
        yield symbol
        yield from _all(symbol.children or ())


def require_nested(symbols: Sequence[DocumentSymbol], around: Range | None = None) -> None:
    """Fail unless each selection is inside its range, and each range inside that of its parent."""
    for symbol in symbols:
        assert symbol.name.strip()
        whole, selection = symbol.range, symbol.selection_range
        assert whole.start <= selection.start <= selection.end <= whole.end, symbol.name
        if around is not None:
            assert around.start <= whole.start <= whole.end <= around.end, symbol.name
        require_nested(symbol.children or (), whole)


TEXT = """with paid as (
    select order_id as id, sum(amount) as total from {{ ref('orders') }} group by 1
),

"Two Words" as (select * from paid)

select id, "Two Words".total * 2 as twice, {{ cents_to_dollars('total') }}, '🧾' as note
from "Two Words"
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_model_has_its_ctes_and_columns(view_of: ViewOf, end: str) -> None:
    view = view_of(TEXT.replace("\n", end), path="models/marts/orders.sql")
    symbols = document_symbols(view)
    assert tree(symbols) == [
        "orders",
        [
            "paid",
            ["id", "total"],
            "Two Words",
            ["*"],
            "id",
            "twice",
            "{{ cents_to_dollars('total') }}",
            "note",
        ],
    ]
    require_nested(symbols)
    assert selected(view, symbols)[1:4] == ["paid", "id", "total"]
    (model,) = symbols
    assert (model.kind, model.detail) == (SymbolKind.Module, "model")
    paid = (model.children or [])[0]
    assert _text(view, paid.range).endswith(f"group by 1{end})")
    total = (paid.children or [])[1]
    assert _text(view, total.range) == "sum(amount) as total"


def test_a_star_lists_its_columns(view_of: ViewOf) -> None:
    view = view_of("select * from {{ ref('orders') }}")
    (model,) = document_symbols(view)
    (star,) = model.children or ()
    assert (star.name, star.detail) == ("*", "order_id, customer_id, store_id, ordered_at, ordered_on, …")
    assert _text(view, star.range) == "*"


def test_a_new_file_is_named_after_its_file(view_of: ViewOf) -> None:
    assert tree(document_symbols(view_of("select 1 as a"))) == ["new_model", ["a"]]


def test_an_empty_model_is_still_a_symbol(view_of: ViewOf) -> None:
    assert tree(document_symbols(view_of("", path="models/marts/orders.sql"))) == ["orders"]
    assert document_symbols(view_of("")) == []


def test_a_macro_file_has_its_macros(view_of: ViewOf) -> None:
    text = (
        "{# {% macro first(a) %}x{% endmacro %} #}\n{% macro first(a) %}x{% endmacro %}\n"
        "{%- test positive(model) -%}\nselect 1\n{%- endtest -%}\n"
    )
    view = view_of(text, path="macros/first.sql")
    symbols = document_symbols(view)
    assert tree(symbols) == ["first", "positive"]
    assert [symbol.detail for symbol in symbols] == ["macro", "test"]
    assert selected(view, symbols) == ["first", "positive"]
    assert [symbol.range.start.line for symbol in symbols] == [1, 2]
    require_nested(symbols)


def test_the_macros_of_a_model_come_before_it(view_of: ViewOf) -> None:
    text = "{% macro one() %}1{% endmacro %}\nselect {{ one() }} as a"
    symbols = document_symbols(view_of(text, path="models/marts/orders.sql"))
    assert tree(symbols) == ["one", "orders", ["a"]]


def test_a_snapshot_is_named_after_its_block(view_of: ViewOf) -> None:
    text = "{% snapshot history %}\nselect 1 as a\n{% endsnapshot %}\n"
    view = view_of(text, path="snapshots/history.sql")
    symbols = document_symbols(view)
    assert tree(symbols) == ["history", ["a"]]
    assert selected(view, symbols) == ["history", "a"]
    require_nested(symbols)


def test_half_typed_text_keeps_what_parses(view_of: ViewOf) -> None:
    text = "with a as (select 1 as x), b as (select from where) select x, from a join"
    symbols = document_symbols(view_of(text))
    require_nested(symbols)
    assert "a" in [symbol.name for symbol in _all(symbols)]


def test_unions_show_the_columns_of_the_first_operand(view_of: ViewOf) -> None:
    symbols = document_symbols(view_of("select 1 as a\nunion all\nselect 2 as b"))
    assert tree(symbols) == ["new_model", ["a"]]


def test_ranges_are_nested_in_every_file_and_in_every_cut_of_it(view_of: ViewOf, shop_root: Path) -> None:
    for path in sorted(shop_root.rglob("*.sql")):
        text = path.read_text("utf-8")
        for length in range(0, len(text) + 1, 37):
            require_nested(document_symbols(view_of(text[:length])))
        require_nested(document_symbols(view_of(text, path=path.relative_to(shop_root).as_posix())))
