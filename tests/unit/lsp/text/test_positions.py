"""Positions of the protocol in texts with wide characters and all line ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recce_meta.lsp.text.positions import Lines, PositionEncoding, TextPosition, TextSpan

ENCODINGS: tuple[PositionEncoding, ...] = ("utf-8", "utf-16", "utf-32")
TEXT = "aä€😀b\tc\r\n\rd\n"


@pytest.mark.parametrize(
    ("encoding", "characters"),
    [
        ("utf-8", [0, 1, 3, 6, 10, 11, 12, 13]),
        ("utf-16", [0, 1, 2, 3, 5, 6, 7, 8]),
        ("utf-32", [0, 1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_characters_are_counted_in_units_of_the_encoding(
    encoding: PositionEncoding, characters: list[int]
) -> None:
    lines = Lines(TEXT, encoding)
    assert [lines.place(offset) for offset in range(8)] == [TextPosition(0, each) for each in characters]
    assert [lines.offset(0, each) for each in characters] == list(range(8))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_crlf_a_lone_cr_and_lf_each_end_one_line(encoding: PositionEncoding) -> None:
    lines = Lines(TEXT, encoding)
    assert len(lines) == 4
    assert [TEXT[slice(*lines.line_span(line))] for line in range(4)] == ["aä€😀b\tc", "", "d", ""]
    assert lines.place(TEXT.index("d")) == TextPosition(2, 0)
    assert lines.offset(2, 0) == TEXT.index("d")
    assert lines.place(len(TEXT)) == TextPosition(3, 0)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_line_separator_of_unicode_ends_no_line(encoding: PositionEncoding) -> None:
    assert len(Lines("a\u2028b\x0bc\x85d", encoding)) == 1


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_positions_behind_the_end_are_the_end(encoding: PositionEncoding) -> None:
    lines = Lines("ab\r\nc", encoding)
    assert lines.offset(0, 99) == 2
    assert lines.offset(1, 99) == 5
    assert lines.offset(99, 0) == 5
    assert lines.place(99) == TextPosition(1, 1)
    assert lines.place(-1) == TextPosition(0, 0)


def test_a_position_inside_of_a_surrogate_pair_is_after_the_character() -> None:
    assert Lines("😀x").offset(0, 1) == 1


def test_an_offset_between_cr_and_lf_is_on_the_line_that_they_end() -> None:
    lines = Lines("ab\r\nc")
    assert lines.place(3).line == 0


def test_an_empty_text_has_one_line() -> None:
    lines = Lines("")
    assert (len(lines), lines.offset(0, 0), lines.place(0)) == (1, 0, TextPosition(0, 0))
    assert lines.line_span(0) == TextSpan(0, 0)


def test_a_span_contains_a_cursor_at_its_end() -> None:
    span = TextSpan(2, 4)
    assert [offset in span for offset in (1, 2, 3, 4, 5)] == [False, True, True, True, False]
    assert "2" not in span


@given(st.text(alphabet="aä€😀\t\r\n '"), st.sampled_from(ENCODINGS))
def test_every_offset_outside_of_line_ends_survives_a_round_trip(
    text: str, encoding: PositionEncoding
) -> None:
    lines = Lines(text, encoding)
    for offset in range(len(text) + 1):
        place = lines.place(offset)
        if offset in lines.line_span(place.line):
            assert lines.offset(*place) == offset


@given(st.text(alphabet="aä€😀\t\r\n"))
def test_utf_16_counts_as_the_encoder_does(text: str) -> None:
    lines = Lines(text, "utf-16")
    for offset in range(len(text) + 1):
        line, character = lines.place(offset)
        start = lines.line_span(line).start
        assert character == len(text[start:offset].encode("utf-16-le")) // 2
