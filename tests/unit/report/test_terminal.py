"""Widths in cells: what a terminal draws, and text that is folded, cut and listed by it."""

from __future__ import annotations

import pytest

from recce_meta.report.terminal import (
    Span,
    display_width,
    fitted_names,
    fold_text,
    folded_grid,
    heading_row,
    name_lines,
    render,
    shorten,
)

WIDTHS = {
    "orders": 6,
    "é": 1,
    "e\u0301": 1,
    "数据库": 6,
    "ﾃﾞｰﾀ": 4,
    "한국": 4,
    "\u1112\u1161\u11ab": 2,
    "ก็": 1,
    "नमस्ते": 4,
    "\u20ac\u20dd": 1,
    "👍": 2,
    "👍🏽": 2,
    "👩‍👩‍👧": 2,
    "🇩🇪🇫🇷": 4,
    "❤": 1,
    "❤\ufe0f": 2,
    "❤\ufe0f‍🔥": 2,
    "1\ufe0f\u20e3": 2,
    "a\ufe0f": 1,
    "a → b · c…": 10,
    "\x1b[31mred\x1b[0m": 3,
    "\x1b[1;32m数据\x1b[0m": 4,
}
"""Cells by text, as wcwidth 0.9.4 and terminals that follow Unicode 16 count them."""


@pytest.mark.parametrize(("text", "cells"), WIDTHS.items())
def test_the_width_of_a_text_is_that_of_its_cells(text: str, cells: int) -> None:
    assert display_width(text) == cells


@pytest.mark.parametrize("width", [1, 2, 3, 5, 8, 13])
def test_a_cut_text_fits_and_keeps_what_belongs_together(width: int, subtests: pytest.Subtests) -> None:
    texts = [text for text in WIDTHS if "\x1b" not in text]
    assert texts
    for text in texts:
        with subtests.test(text=text):
            cut = shorten(text * 4, width)

            assert display_width(cut) <= width
            assert not cut.rstrip("…").endswith("\u200d")


@pytest.mark.parametrize("width", [4, 7, 20])
@pytest.mark.parametrize("text", ["数据库 of the shop", "orders_of_the_shop 한국어 👩‍👩‍👧👩‍👩‍👧", "a b c"])
def test_folded_text_loses_nothing(text: str, width: int) -> None:
    lines = fold_text(text, width)

    assert max(map(display_width, lines)) <= width
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


ROWS = [
    heading_row("node", "rows", "values"),
    [Span("客户 customers"), Span("150"), Span("56 of 150 rows changed, 1 column only in base and more")],
    [Span("o"), Span("1,284,003"), Span("")],
]


@pytest.mark.parametrize("width", [0, 40, 60, 80, 120])
def test_a_folded_table_cuts_nothing(width: int) -> None:
    text = render(folded_grid(ROWS, width=width, right={1}), width=width, color=False)

    assert not width or max(map(display_width, text.splitlines())) <= width
    assert "…" not in text
    for word in "客户 customers 150 56 of 150 rows changed, 1,284,003".split():
        assert word in text


def test_a_narrow_table_names_the_columns_in_each_entry() -> None:
    assert render(folded_grid(ROWS, width=40), width=40, color=False) == (
        "  客户 customers\n"
        "    rows: 150 · values: 56 of 150 rows\n"
        "    changed, 1 column only in base and\n"
        "    more\n"
        "  o\n"
        "    rows: 1,284,003\n"
    )


def test_names_take_one_line_and_say_how_many_are_left_out() -> None:
    names = [f"node_{number}" for number in range(12)]

    (line,) = name_lines(Span("  = "), "12 nodes equal", names, 60, is_whole=False)
    whole = name_lines(Span("  = "), "12 nodes equal", names, 60, is_whole=True)

    assert (
        render([line], width=60, color=False) == "  = 12 nodes equal: node_0, node_1, node_2 … and 9 more\n"
    )
    assert render(whole, width=60, color=False).count("node_") == 12
    assert fitted_names(["数据库数据库数据库", "b"], 24) == "数据库数据… … and 1 more"
