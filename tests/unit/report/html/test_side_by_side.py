"""Code in two columns."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup, escape

from recce_meta.report.html.side_by_side import CodeDiff, marked, side_by_side


def shown(found: CodeDiff) -> list[str]:
    """Return each row as `2:b|2:B`; a gap as its number of lines."""
    return [
        str(row.gap)
        if row.gap
        else "|".join(f"{line.number}:{line.html}" if line else "" for line in (row.base, row.current))
        for row in found.rows
    ]


def lettered(text: str) -> str:
    return "\n".join(text)


def test_lines_of_both_sides_are_aligned() -> None:
    found = side_by_side(lettered("abc"), lettered("aBcd"), escape, most=100)

    assert shown(found) == ["1:a|1:a", "2:b|2:B", "3:c|3:c", "|4:d"]
    assert [row.is_changed for row in found.rows] == [False, True, False, True]


def test_unchanged_lines_far_from_a_change_are_a_gap() -> None:
    found = side_by_side(lettered("0123456789ab"), lettered("012345X6789ab"), escape, most=100, context=2)

    assert shown(found) == ["4", "5:4|5:4", "6:5|6:5", "|7:X", "7:6|8:6", "8:7|9:7", "4"]


def test_removed_lines_shift_the_numbers_of_the_lines_below() -> None:
    found = side_by_side(lettered("abcdef"), lettered("adef"), escape, most=100, context=None)

    assert shown(found) == ["1:a|1:a", "2:b|", "3:c|", "4:d|2:d", "5:e|3:e", "6:f|4:f"]


def test_a_side_may_be_missing() -> None:
    assert shown(side_by_side(None, "a\r\nb\n", escape, most=100)) == ["|1:a", "|2:b"]
    assert shown(side_by_side("a", None, escape, most=100)) == ["1:a|"]
    assert shown(side_by_side("a", "a", escape, most=100)) == ["1"]
    assert shown(side_by_side(None, None, escape, most=100)) == []


def test_rows_are_limited() -> None:
    found = side_by_side(None, lettered("abcdef"), escape, most=2)

    assert (len(found.rows), found.hidden) == (2, 4)


@pytest.mark.parametrize(
    ("base", "current", "expected"),
    [
        (
            "<b>a</b> &lt; <i>number_of_orders</i>,",
            "<b>a</b> &lt; <i>order_count</i>,",
            (
                "<b>a</b> &lt; <i><mark>number_of_orders</mark></i>,",
                "<b>a</b> &lt; <i><mark>order_count</mark></i>,",
            ),
        ),
        ("a &lt; b", "a &gt; b", ("a <mark>&lt;</mark> b", "a <mark>&gt;</mark> b")),
        ("a, b", "a, b, c", ("a, b", "a, b<mark>, c</mark>")),
        ("select 1", "from x where y", ("select 1", "from x where y")),
        ("", "a", ("", "a")),
    ],
)
def test_words_that_differ_are_marked(base: str, current: str, expected: tuple[str, str]) -> None:
    assert marked(Markup(base), Markup(current)) == expected


PIECES = st.lists(
    st.sampled_from(["a", "b", " ", "&lt;", "&amp;", ",", "<i>c</i>", "<b>d e</b>"]), max_size=12
)


@given(PIECES, PIECES)
def test_without_marks_the_line_is_the_same_and_a_mark_holds_no_tag(
    base: list[str], current: list[str]
) -> None:
    lines = Markup("".join(base)), Markup("".join(current))
    for line, shown_line in zip(lines, marked(*lines), strict=True):
        assert re.sub("</?mark>", "", shown_line) == line
        assert not re.search(r"<mark>[^<]*<(?!/mark)", shown_line)


def test_code_is_escaped_even_if_it_is_not_highlighted() -> None:
    code = f"<b>{'x' * 1000}\x1b"

    (row,) = side_by_side(None, code, lambda text: Markup(text), most=9).rows

    assert row.current is not None
    assert row.current.html.startswith("&lt;b&gt;xx")
    assert len(row.current.html) < 500


def test_a_highlighter_that_loses_lines_is_not_used() -> None:
    found = side_by_side("a\nb", "a\nc", lambda text: Markup("one line"), most=9)

    assert shown(found) == ["1:a|1:a", "2:b|2:c"]
