"""Positions in a text: offsets in code points, spans, and the positions of the language server protocol."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import Literal, NamedTuple

PositionEncoding = Literal["utf-8", "utf-16", "utf-32"]
"""Unit of `character` in a position, which client and server negotiate; UTF-16 without negotiation."""

# https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/#textDocuments
_LINE_END = re.compile(r"\r\n|\n|\r")


class TextSpan(NamedTuple):
    """Half-open range of offsets, in code points."""

    start: int
    end: int

    def __contains__(self, offset: object) -> bool:
        """Return True if *offset* is in the span or at its end, where a cursor still touches the word."""
        return isinstance(offset, int) and self.start <= offset <= self.end


class TextPosition(NamedTuple):
    """Position of the protocol: line from 0, and character in units of the encoding."""

    line: int
    character: int


class Lines:
    """Lines of a text, for conversions between offsets and positions."""

    def __init__(self, text: str, encoding: PositionEncoding = "utf-16") -> None:
        """Index *text*; *encoding* is the unit of characters."""
        self.text, self.encoding = text, encoding
        self._starts = [0, *(match.end() for match in _LINE_END.finditer(text))]

    def __len__(self) -> int:
        return len(self._starts)

    def offset(self, line: int, character: int) -> int:
        """Return the offset of a position; one behind the end of a line or of the text is its end."""
        if line >= len(self._starts):
            return len(self.text)
        start, end = self._starts[line], self._end(line)
        if self.encoding == "utf-32":
            return min(start + character, end)
        units = 0
        for offset in range(start, end):
            if units >= character:
                return offset
            units += self._units(self.text[offset])
        return end

    def place(self, offset: int) -> TextPosition:
        """Return the position of *offset*."""
        offset = max(0, min(offset, len(self.text)))
        line = bisect_right(self._starts, offset) - 1
        before = self.text[self._starts[line] : offset]
        if self.encoding == "utf-32" or before.isascii():
            return TextPosition(line, len(before))
        return TextPosition(line, sum(map(self._units, before)))

    def line_span(self, line: int) -> TextSpan:
        """Return the span of a line without its end."""
        return TextSpan(self._starts[line], self._end(line))

    def _end(self, line: int) -> int:
        end = self._starts[line + 1] if line + 1 < len(self._starts) else len(self.text)
        while end > self._starts[line] and self.text[end - 1] in "\r\n":
            end -= 1
        return end

    def _units(self, char: str) -> int:
        code = ord(char)
        if self.encoding == "utf-16":
            return 1 if code < 0x10000 else 2
        if self.encoding == "utf-8":
            return 1 if code < 0x80 else 2 if code < 0x800 else 3 if code < 0x10000 else 4
        return 1
