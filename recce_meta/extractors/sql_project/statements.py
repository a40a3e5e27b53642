"""Plain SQL files as nodes: what each statement builds, and which relations it reads.

sqlglot parses; it is loaded only when there is a file to parse.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from recce_meta.dialects.named_in_text import put_named_relations, strings_of_calls
from recce_meta.errors import SqlNotAnalysed
from recce_meta.extractors.named_relations import (
    Name,
    built_by,
    relations_named,
    statements_in,
    words_of,
)
from recce_meta.extractors.sql_project.trees import (
    PART_SEPARATOR,
    Statement,
    Unreadable,
    statements_of,
    unloaded,
)

_SILENCE = logging.NullHandler()


def read_statements(text: str, dialect: str) -> Iterator[Statement | Unreadable]:
    """The statements of *text* that build or ask something, in order; others are passed over."""
    from recce_meta.dialects.tokens import STUMBLES

    for piece, line in split(text, dialect):
        try:
            tree = _parsed(piece, dialect)
        except STUMBLES as error:
            problem = _unreadable(error, line)
            yield _by_words(piece, dialect, problem) or problem
            continue
        yield from _of_tree(tree, piece, dialect, line)


def _of_tree(tree: Any, piece: str, dialect: str, line: int) -> Iterator[Statement | Unreadable]:
    """Yield the statements that *tree*, parsed from *piece*, means."""
    from sqlglot import exp

    if isinstance(tree, exp.Command):
        query = unloaded(tree)
        if query is not None:
            yield from read_statements(query, dialect)
            return
        problem = Unreadable(line, f"{tree.name or 'the statement'} is not understood")
        found = _by_words(piece, dialect, problem)
        if found is not None:
            yield found
        return
    try:
        put_named_relations(tree, dialect)
    except SqlNotAnalysed as error:
        named = {_names_of(name) for text in strings_of_calls(tree, dialect) for name in _in_string(text)}
        for found in statements_of(tree, piece, line):
            reads = tuple(sorted({*found.reads, *named} - {found.target}))
            yield replace(found, reads=reads, problem=Unreadable(line, error.reason))
        return
    yield from statements_of(tree, piece, line)


def _parsed(piece: str, dialect: str) -> Any:
    from sqlglot.dialects.dialect import Dialect
    from sqlglot.errors import ParseError

    from recce_meta.dialects.tokens import unambiguous

    logging.getLogger("sqlglot").addHandler(_SILENCE)  # its warning of a Command names no file
    reader = Dialect.get_or_raise(dialect or None)
    trees = reader.parser().parse(unambiguous(reader.tokenize(piece), dialect), piece)
    if not trees or trees[0] is None:
        raise ParseError("No statement")
    return trees[0]


def _by_words(piece: str, dialect: str, problem: Unreadable) -> Statement | None:
    """Return the statement *piece*, which cannot be parsed, by its words; None if it builds nothing."""
    words = words_of(piece, dialect)
    built = built_by(words)
    if built is None:
        return None
    target = _names_of(built.target)
    reads = {_names_of(name) for name in relations_named(words)}
    return Statement(
        text=piece,
        target=target or None,
        materialized=built.materialized,
        reads=tuple(sorted(reads - {target})),
        problem=problem,
    )


def _names_of(name: Name) -> tuple[str, ...]:
    return tuple(part for word in name for part in word.text.split(PART_SEPARATOR))


def _in_string(text: str) -> list[Name]:
    """Return the relations that a string names: those of a query, or the one that it is."""
    words = words_of(text)
    is_name = bool(words) and all(word.text == "." for word in words[1::2])
    return [tuple(words[::2])] if is_name else relations_named(words)


def _unreadable(error: Exception, line: int) -> Unreadable:
    """Where and why, without the parser's colours and inner words."""
    found = getattr(error, "errors", None) or [{}]
    reason = str(found[0].get("description") or error).partition(" but got ")[0]
    return Unreadable(line + (found[0].get("line") or 1) - 1, " ".join(reason.split())[:200])


def split(text: str, dialect: str) -> Iterator[tuple[str, int]]:
    """The statements of *text* as they are written, each with the line on which it begins."""
    from sqlglot import TokenError, tokenize

    try:
        tokens = tokenize(text, read=dialect or None)
    except TokenError:
        yield from statements_in(text, dialect)
        return
    first = None
    for token in tokens:
        if token.token_type.name == "SEMICOLON":
            if first is not None:
                yield text[first.start : token.start].strip(), first.line
            first = None
        elif first is None:
            first = token
    if first is not None:
        yield text[first.start :].strip(), first.line
