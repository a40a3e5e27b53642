"""The blocks of a file of dbt's: macros and snapshots, with the text between their tags."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

_QUOTES = "'\""
_NAMED = {"macro", "snapshot", "test", "data_test", "materialization"}


class Tag(Struct, frozen=True):
    """One `{% … %}`."""

    word: str
    rest: str
    start: int
    end: int


class Block(Struct, frozen=True):
    """One named block."""

    kind: str
    name: str
    text: str
    """With its tags."""
    body: str
    """Between its tags."""


def blocks_of(source: str) -> list[Block]:
    """The outermost named blocks in *source*; one that is not closed is left out."""
    found: list[Block] = []
    opened: Tag | None = None
    depth = 0
    for tag in _tags(source):
        if opened is None and tag.word in _NAMED:
            opened, depth = tag, 0
        elif opened is not None and tag.word == opened.word:
            depth += 1
        elif opened is not None and tag.word == f"end{opened.word}":
            if depth:
                depth -= 1
                continue
            name = opened.rest.split("(")[0].split(",")[0].strip()
            text = source[opened.start : tag.end]
            found.append(Block(opened.word, name, text, source[opened.end : tag.start]))
            opened = None
    return found


def _tags(source: str) -> Iterator[Tag]:
    """Every tag in *source*, comments and raw text passed over."""
    position = 0
    while (start := source.find("{", position)) >= 0:
        opening = source[start : start + 2]
        if opening == "{#":
            end = source.find("#}", start)
            position = len(source) if end < 0 else end + 2
        elif opening in ("{{", "{%"):
            position = _end(source, start + 2, "}}" if opening == "{{" else "%}")
            if opening == "{%":
                word, _, rest = source[start + 2 : position - 2].strip("+- \t\r\n").partition(" ")
                if word == "raw":
                    position = _end_of_raw(source, position)
                else:
                    yield Tag(word, rest, start, position)
        else:
            position = start + 1


def _end(source: str, position: int, closing: str) -> int:
    """Where the tag ends that *position* is in: text in quotes may hold what looks like its end."""
    quote = ""
    while position < len(source):
        character = source[position]
        if quote:
            if character == "\\":
                position += 1
            elif character == quote:
                quote = ""
        elif character in _QUOTES:
            quote = character
        elif source.startswith(closing, position):
            return position + 2
        position += 1
    return len(source)


def _end_of_raw(source: str, position: int) -> int:
    while (start := source.find("{%", position)) >= 0:
        position = _end(source, start + 2, "%}")
        if source[start + 2 : position - 2].strip("+- \t\r\n") == "endraw":
            return position
    return len(source)
