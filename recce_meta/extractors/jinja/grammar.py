"""Parser of dbt's Jinja and of dbt's own blocks, such as macros and snapshots."""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from msgspec import Struct


class DbtBlocks(Extension):
    """Extension for dbt's blocks `snapshot`, `test`, `data_test`, `materialization` and `docs`."""

    tags = {"snapshot", "test", "data_test", "materialization", "docs"}  # noqa: RUF012

    def parse(self, parser: Parser) -> nodes.Node:
        """Parse a block: a snapshot as a scope that runs, other blocks as macros that only dbt calls."""
        token = next(parser.stream)
        name = parser.parse_assign_target(name_only=True).name
        if token.value == "snapshot":
            body = parser.parse_statements(("name:endsnapshot",), drop_needle=True)
            return nodes.Scope(body, lineno=token.lineno)
        macro = nodes.Macro(lineno=token.lineno)
        # A name with a space, which no template can call.
        macro.name, macro.args, macro.defaults = f"{token.value} {name}", [], []
        if token.value == "materialization":
            while parser.stream.skip_if("comma"):
                # `parse_expression` stops at the equals sign of `adapter='duckdb'`.
                parser.parse_expression() if parser.stream.look().type != "assign" else _skip_keyword(parser)
        elif token.value != "docs":
            parser.parse_signature(macro)
        macro.body = parser.parse_statements((f"name:end{token.value}",), drop_needle=True)
        return macro


def _skip_keyword(parser: Parser) -> None:
    parser.stream.skip(2)
    parser.parse_expression()


ENVIRONMENT = Environment(
    extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols", DbtBlocks], cache_size=0, autoescape=False
)
"""Environment used only for parsing: it never compiles or runs a template."""


_QUOTES = "'\""
_PARSED = {"macro", "test"}
_NAMED = {"macro", "snapshot", "test", "data_test", "materialization"}


class Tag(Struct, frozen=True):
    """A tag `{% … %}`."""

    word: str
    rest: str
    start: int
    end: int


class Block(Struct, frozen=True):
    """A named block."""

    kind: str
    name: str
    text: str
    """The text with its tags."""
    body: str
    """The text between its tags."""


def blocks_of(source: str) -> list[Block]:
    """Return the outermost named blocks in *source*; an unclosed block is skipped."""
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


def broken_block(source: str) -> str | None:
    """Return why dbt refuses *source*, a file of macros and generic tests; None if it may accept it.

    dbt parses each block, whether it is used or not, and nothing around them.
    """
    rest = source
    for block in blocks_of(source):
        rest = rest.replace(block.text, "", 1)
        if block.kind not in _PARSED:
            continue
        try:
            ENVIRONMENT.parse(block.text)
        except TemplateSyntaxError as error:
            return f"the {block.kind} '{block.name}' is not valid Jinja: {error.message}"
        except RecursionError:
            # Deeper than this process can parse; dbt may.
            return None
    opened = next((tag for tag in _tags(rest) if tag.word in _PARSED), None)
    return None if opened is None else f"the {opened.word} '{opened.rest.split('(')[0].strip()}' has no end"


def _tags(source: str) -> Iterator[Tag]:
    """Yield every tag in *source* outside of comments and raw blocks."""
    position = 0
    while (start := source.find("{", position)) >= 0:
        opening = source[start : start + 2]
        if opening == "{#":
            end = source.find("#}", start)
            position = len(source) if end < 0 else end + 2
        elif opening in ("{{", "{%"):
            position = _end(source, start + 2, "}}" if opening == "{{" else "%}")
            if opening == "{%":
                # The signs control white space: `{%-` and `{%+`.
                word, _, rest = source[start + 2 : position - 2].strip("+- \t\r\n").partition(" ")
                if word == "raw":
                    position = _end_of_raw(source, position)
                else:
                    yield Tag(word, rest, start, position)
        else:
            position = start + 1


def _end(source: str, position: int, closing: str) -> int:
    """Return the end of the tag at *position*; quoted text can contain the closing characters."""
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
