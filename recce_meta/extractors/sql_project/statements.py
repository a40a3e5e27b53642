"""Reader of the statements in plain SQL files: the relation each one builds, and the relations it reads.

sqlglot is loaded only if there is a file to parse.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.errors import SqlNotAnalysed
from recce_meta.extractors.named_relations import (
    Name,
    built_by,
    find_relation_names,
    sql_words,
    statements_in,
)
from recce_meta.lazy import LazyModule
from recce_meta.warehouses.parsing import put_named_relations, strings_of_calls

if TYPE_CHECKING:
    from recce_meta.warehouses import parsing
else:
    parsing = LazyModule("recce_meta.warehouses.parsing")  # imports sqlglot, which many runs do not need

PART_SEPARATOR = "."


class Unreadable(Struct, frozen=True):
    """A statement that could not be parsed, with its line and the reason."""

    line: int
    reason: str


class SqlStatement(Struct, frozen=True, kw_only=True):
    """A statement that builds a relation, or a query."""

    text: str
    target: tuple[str, ...] | None
    """Name parts of the relation that it builds or fills; None for a query."""
    materialized: str
    """`table`, `view`, or `incremental` for relations filled by inserts and merges."""
    reads: tuple[tuple[str, ...], ...]
    """Name parts of every relation that it reads, sorted."""
    columns: tuple[tuple[str, str], ...] = ()
    """Column names and types of a table definition."""
    is_query: bool = True
    """Whether a query produces its rows."""
    is_deletion: bool = False
    """Whether it only removes rows, and so does not build its target."""
    problem: Unreadable | None = None
    """Reason why it could not be parsed; `reads` then has the relations that it names."""


_QUERIES = frozenset({"Pivot", "Summarize", "Values"})
"""Kinds of trees that are queries, although sqlglot does not derive them from Query."""
_LEAVING = frozenset(
    """
    Alter AlterSession Analyze Attach Comment Commit Create Declare Describe Detach Drop
    Fetch Get Grant Kill LoadData Lock Pragma Put Refresh Revoke Rollback Set Show Transaction
    TruncateTable Uncache Use
    """.split()
)
"""Kinds of trees that neither fill a relation from other relations nor are queries."""


def statements_of(tree: Any, text: str, line: int) -> Iterator[SqlStatement]:
    """Yield the statements of *tree*, parsed from *text* at *line*: one for each relation that it fills."""
    from sqlglot import exp

    kind = type(tree).__name__
    if isinstance(tree, exp.Query):
        into = tree.find(exp.Into)
        filled = into.this if into is not None and isinstance(into.this, exp.Table) else None
        yield _query(tree, text) if filled is None else _filling(tree, filled, text, "table")
    elif isinstance(tree, exp.Create) and tree.kind in ("TABLE", "VIEW"):
        yield from _created(tree, text)
    elif isinstance(tree, (exp.Insert, exp.Merge, exp.Update, exp.Delete)):
        filled = _filled(tree)
        if filled is not None:
            # Literal rows have no query with columns to trace.
            is_plain = isinstance(tree, exp.Insert) and not isinstance(tree.expression, exp.Query)
            found = _filling(tree, filled, text, "incremental")
            is_deletion = isinstance(tree, exp.Delete)
            yield replace(found, is_query=not is_plain or bool(found.reads), is_deletion=is_deletion)
    elif kind == "MultitableInserts":
        yield from _inserted(tree, text, line)
    elif kind == "Copy":
        yield from _copied(tree, text)
    elif isinstance(tree, exp.Cache):
        if isinstance(tree.this, exp.Table) and tree.expression is not None:
            yield _filling(tree, tree.this, text, "view")
    elif kind in _QUERIES or (kind not in _LEAVING and _reads(tree)):
        yield _query(tree, text)


def unloaded(command: Any) -> str | None:
    """Return the query of *command* if it is `UNLOAD ('SELECT …') TO …`, else None."""
    said = command.args.get("expression")
    found = _UNLOADED.match(str(getattr(said, "name", said) or ""))
    is_unload = str(command.this).upper() == "UNLOAD"
    return found[1].replace("''", "'") if is_unload and found is not None else None


_UNLOADED = re.compile(r"(?s)\s*\(\s*'((?:[^']|'')*)'")


def _query(tree: Any, text: str) -> SqlStatement:
    return SqlStatement(text=text, target=None, materialized="view", reads=_reads(tree))


def _filling(tree: Any, filled: Any, text: str, materialized: str) -> SqlStatement:
    reads = _reads(tree, filled, *(tree.args.get("tables") or ()))
    return SqlStatement(text=text, target=_parts(filled), materialized=materialized, reads=reads)


def _filled(tree: Any) -> Any:
    """Return the target table of *tree*; None if the target is not a table, but a function, for example."""
    from sqlglot import exp

    filled = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    if isinstance(tree, exp.Delete) and not filled:
        filled = next(iter(tree.args.get("tables") or ()), None)  # BigQuery's `DELETE t WHERE …`
    return filled if isinstance(filled, exp.Table) else None


def _created(tree: Any, text: str) -> Iterator[SqlStatement]:
    from sqlglot import exp

    filled, query = _filled(tree), tree.expression
    columns = tree.this.find_all(exp.ColumnDef) if isinstance(tree.this, exp.Schema) else ()
    # A clone has the rows of its source, although it has no query.
    source = tree.args.get("clone") if query is None else query
    if filled is None or (query is None and tree.kind == "VIEW"):
        return
    yield SqlStatement(
        text=text,
        target=_parts(filled),
        materialized=tree.kind.lower(),
        reads=_reads(source) if source is not None else (),
        columns=tuple((column.name, column.kind.sql() if column.kind else "") for column in columns),
        is_query=query is not None,
    )


def _inserted(tree: Any, text: str, line: int) -> Iterator[SqlStatement]:
    """Yield a statement for each relation that one INSERT fills; columns are traced only if it is single."""
    from sqlglot import exp

    filled = [table for insert in tree.find_all(exp.Insert) if (table := _filled(insert)) is not None]
    targets = sorted({_parts(table) for table in filled} - {()})
    problem = Unreadable(line, "one statement fills several tables") if len(targets) > 1 else None
    for target in targets:
        yield SqlStatement(
            text=text,
            target=target,
            materialized="incremental",
            reads=_reads(tree, *filled),
            is_query=problem is None,
            problem=problem,
        )


def _copied(tree: Any, text: str) -> Iterator[SqlStatement]:
    """Yield the query of a COPY, or the table that it fills; nothing for a load of files."""
    from sqlglot import exp

    filled = tree.this if isinstance(tree.this, exp.Table) and tree.args.get("kind") else None
    if filled is None or not _parts(filled):
        if _reads(tree):
            yield _query(tree, text)
    elif _reads(tree, filled):
        yield _filling(tree, filled, text, "incremental")


def _reads(tree: Any, *targets: Any) -> tuple[tuple[str, ...], ...]:
    from sqlglot import exp

    found = set()
    for table in tree.find_all(exp.Table):
        parts = _parts(table)
        if any(table is one for one in targets) or not parts or _is_local(table, parts):
            continue
        found.add(parts)
    return tuple(sorted(found))


def _parts(table: Any) -> tuple[str, ...]:
    """Return the name parts of *table*; empty for a function or another expression in a table's position."""
    from sqlglot import exp

    parts = table.parts
    if not all(isinstance(part, exp.Identifier) for part in parts):
        return ()
    # BigQuery quotes a whole dotted name.
    return tuple(name for part in parts for name in part.name.split(PART_SEPARATOR))


def _is_local(table: Any, parts: tuple[str, ...]) -> bool:
    """Return True if *table* is a CTE in scope, or the array of a relation in the same FROM."""
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
    """Return the aliases of the relations of *select* except *table*."""
    from sqlglot import exp

    found = set()
    for key in ("from", "from_", "joins"):
        value = select.args.get(key)
        for one in value if isinstance(value, list) else [value] if value is not None else []:
            if isinstance(one.this, exp.Table) and one.this is not table and one.this.alias:
                found.add(one.this.alias.lower())
    return found


_SILENCE = logging.NullHandler()


def read_statements(text: str, dialect: str) -> Iterator[SqlStatement | Unreadable]:
    """Yield the statements of *text* that build a relation or are queries, in order; skip all other ones."""
    for piece, line in split(text, dialect):
        try:
            tree = _parsed(piece, dialect)
        except parsing.STUMBLES as error:
            problem = _unreadable(error, line)
            yield _by_words(piece, dialect, problem) or problem
            continue
        yield from _of_tree(tree, piece, dialect, line)


def _of_tree(tree: Any, piece: str, dialect: str, line: int) -> Iterator[SqlStatement | Unreadable]:
    """Yield the statements of *tree*, which was parsed from *piece*."""
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

    logging.getLogger("sqlglot").addHandler(_SILENCE)  # its warning about a Command does not name the file
    reader = Dialect.get_or_raise(dialect or None)
    trees = reader.parser().parse(parsing.unambiguous(reader.tokenize(piece), dialect), piece)
    if not trees or trees[0] is None:
        raise ParseError("No statement")
    return trees[0]


def _by_words(piece: str, dialect: str, problem: Unreadable) -> SqlStatement | None:
    """Return the unparsable statement *piece*, read by its words; None if it neither builds nor queries."""
    words = sql_words(piece, dialect)
    built = built_by(words)
    if built is None:
        return None
    target = _names_of(built.target)
    reads = {_names_of(name) for name in find_relation_names(words)}
    return SqlStatement(
        text=piece,
        target=target or None,
        materialized=built.materialized,
        reads=tuple(sorted(reads - {target})),
        problem=problem,
    )


def _names_of(name: Name) -> tuple[str, ...]:
    return tuple(part for word in name for part in word.text.split(PART_SEPARATOR))


def _in_string(text: str) -> list[Name]:
    """Return the relations that a string names: the string is a query or a relation's name."""
    words = sql_words(text)
    is_name = bool(words) and all(word.text == "." for word in words[1::2])
    return [tuple(words[::2])] if is_name else find_relation_names(words)


def _unreadable(error: Exception, line: int) -> Unreadable:
    """Return the line and reason of *error*, without the parser's colours and internal terms."""
    found = getattr(error, "errors", None) or [{}]
    reason = str(found[0].get("description") or error).partition(" but got ")[0]
    return Unreadable(line + (found[0].get("line") or 1) - 1, " ".join(reason.split())[:200])


def split(text: str, dialect: str) -> Iterator[tuple[str, int]]:
    """Yield the statements of *text* as written, each with its first line number."""
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
