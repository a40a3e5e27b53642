"""Plain SQL files as nodes: what each statement builds, and which relations it reads.

sqlglot parses; it is loaded only when there is a file to parse.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from recce_meta.extractors.named_relations import built_by, relations_named, statements_in, words_of

PART_SEPARATOR = "."


class Unreadable(Struct, frozen=True):
    """A statement that could not be parsed, and why."""

    line: int
    reason: str


class Statement(Struct, frozen=True, kw_only=True):
    """One statement that builds something, or asks something."""

    text: str
    target: tuple[str, ...] | None
    """The parts of the relation that it builds or fills; None for a query alone."""
    materialized: str
    """table, view, or incremental for what is filled by inserts and merges."""
    reads: tuple[tuple[str, ...], ...]
    """The parts of every relation that it reads, sorted."""
    columns: tuple[tuple[str, str], ...] = ()
    """Names and types that a definition lists."""
    is_query: bool = True
    """Whether the rows it builds are those of a query."""
    problem: Unreadable | None = None
    """Why it could not be parsed: then what it reads are the relations that it names."""


def read_statements(text: str, dialect: str) -> Iterator[Statement | Unreadable]:
    """The statements of *text* that build or ask something, in order; others are passed over."""
    from sqlglot import exp

    from recce_meta.dialects.tokens import STUMBLES

    for piece, line in split(text, dialect):
        try:
            tree = _parsed(piece, dialect)
        except STUMBLES as error:
            problem = _unreadable(error, line)
            yield _by_words(piece, dialect, problem) or problem
            continue
        if isinstance(tree, exp.Command):
            problem = Unreadable(line, f"{tree.name or 'the statement'} is not understood")
            found = _by_words(piece, dialect, problem)
        else:
            found = _statement(tree, piece)
        if found is not None:
            yield found


def _parsed(piece: str, dialect: str) -> Any:
    from sqlglot.dialects.dialect import Dialect
    from sqlglot.errors import ParseError

    from recce_meta.dialects.tokens import unambiguous

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
    target = tuple(name for part in built.target for name in part.text.split(PART_SEPARATOR))
    reads = {tuple(n for part in name for n in part.text.split(".")) for name in relations_named(words)}
    return Statement(
        text=piece,
        target=target or None,
        materialized=built.materialized,
        reads=tuple(sorted(reads - {target})),
        problem=problem,
    )


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


def _statement(tree: Any, text: str) -> Statement | None:
    from sqlglot import exp

    if isinstance(tree, exp.Query):
        into = tree.find(exp.Into)
        if into is not None and isinstance(into.this, exp.Table):
            return Statement(
                text=text, target=_parts(into.this), materialized="table", reads=_reads(tree, into.this)
            )
        return Statement(text=text, target=None, materialized="view", reads=_reads(tree, None))
    if isinstance(tree, exp.Create) and tree.kind in ("TABLE", "VIEW"):
        target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
        columns = tree.this.find_all(exp.ColumnDef) if isinstance(tree.this, exp.Schema) else ()
        query = tree.expression
        source = tree.args.get("clone") if query is None else query
        if not isinstance(target, exp.Table) or (query is None and tree.kind == "VIEW"):
            return None
        return Statement(
            text=text,
            target=_parts(target),
            materialized=tree.kind.lower(),
            reads=_reads(source, None) if source is not None else (),
            columns=tuple((column.name, column.kind.sql() if column.kind else "") for column in columns),
            is_query=query is not None,
        )
    if isinstance(tree, (exp.Insert, exp.Merge, exp.Update)):
        target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
        if not isinstance(target, exp.Table):
            return None
        is_query = not isinstance(tree, exp.Insert) or isinstance(tree.expression, exp.Query)
        return Statement(
            text=text,
            target=_parts(target),
            materialized="incremental",
            reads=_reads(tree, target),
            is_query=is_query and not isinstance(tree, exp.Update),
        )
    return None


def _reads(tree: Any, target: Any) -> tuple[tuple[str, ...], ...]:
    from sqlglot import exp

    found = set()
    for table in tree.find_all(exp.Table):
        parts = _parts(table)
        if table is target or not parts or _is_local(table, parts):
            continue
        found.add(parts)
    return tuple(sorted(found))


def _parts(table: Any) -> tuple[str, ...]:
    """The names that *table* is made of; none for a function or anything else in a table's place."""
    from sqlglot import exp

    parts = table.parts
    if not all(isinstance(part, exp.Identifier) for part in parts):
        return ()
    return tuple(name for part in parts for name in part.name.split(PART_SEPARATOR))


def _is_local(table: Any, parts: tuple[str, ...]) -> bool:
    """Whether *table* is a CTE in whose reach it is, or the array of a relation beside it."""
    from sqlglot import exp

    name = parts[0].lower()
    child, parent = table, table.parent
    while parent is not None:
        if len(parts) == 1:
            with_ = next((arg for key, arg in parent.args.items() if key in ("with", "with_") and arg), None)
            if with_ is not None and with_ is not child and name in _names(with_.expressions):
                return True
            if isinstance(parent, exp.With):
                before = [cte for cte in parent.expressions if cte is not child]
                index = next((i for i, cte in enumerate(parent.expressions) if cte is child), 0)
                visible = before if parent.recursive else parent.expressions[:index]
                if name in _names(visible) or (parent.recursive and name == child.alias.lower()):
                    return True
        elif isinstance(parent, exp.Select) and name in _beside(parent, table):
            return True
        child, parent = parent, parent.parent
    return False


def _names(ctes: Any) -> set[str]:
    return {cte.alias.lower() for cte in ctes}


def _beside(select: Any, table: Any) -> set[str]:
    """The names by which other relations of *select* go."""
    from sqlglot import exp

    found = set()
    for key in ("from", "from_", "joins"):
        value = select.args.get(key)
        for one in value if isinstance(value, list) else [value] if value is not None else []:
            if isinstance(one.this, exp.Table) and one.this is not table and one.this.alias:
                found.add(one.this.alias.lower())
    return found
