"""Parsed statements: what each builds, and which relations it reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

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
    is_deletion: bool = False
    """Whether it only removes rows, and so does not build its target."""
    problem: Unreadable | None = None
    """Why it could not be parsed: then what it reads are the relations that it names."""


_QUERIES = frozenset({"Pivot", "Summarize", "Values"})
"""Kinds of trees that are queries, though sqlglot does not count them among these."""
_LEAVING = frozenset(
    """
    Alter AlterSession Analyze Attach Comment Commit Create Declare Describe Detach Drop
    Fetch Get Grant Kill LoadData Lock Pragma Put Refresh Revoke Rollback Set Show Transaction
    TruncateTable Uncache Use
    """.split()
)
"""Kinds of trees that neither fill a relation with what they read nor ask anything."""


def statements_of(tree: Any, text: str, line: int) -> Iterator[Statement]:
    """Yield the statements that *tree* means, parsed from *text* at *line*: several if it fills several."""
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
    """Return the query that *command* unloads, if it is `UNLOAD ('SELECT …') TO …`."""
    said = command.args.get("expression")
    found = _UNLOADED.match(str(getattr(said, "name", said) or ""))
    is_unload = str(command.this).upper() == "UNLOAD"
    return found[1].replace("''", "'") if is_unload and found is not None else None


_UNLOADED = re.compile(r"(?s)\s*\(\s*'((?:[^']|'')*)'")


def _query(tree: Any, text: str) -> Statement:
    return Statement(text=text, target=None, materialized="view", reads=_reads(tree))


def _filling(tree: Any, filled: Any, text: str, materialized: str) -> Statement:
    reads = _reads(tree, filled, *(tree.args.get("tables") or ()))
    return Statement(text=text, target=_parts(filled), materialized=materialized, reads=reads)


def _filled(tree: Any) -> Any:
    """Return the table that *tree* names as its target; None for another target, such as a function."""
    from sqlglot import exp

    filled = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    if isinstance(tree, exp.Delete) and not filled:
        filled = next(iter(tree.args.get("tables") or ()), None)  # BigQuery's `DELETE t WHERE …`
    return filled if isinstance(filled, exp.Table) else None


def _created(tree: Any, text: str) -> Iterator[Statement]:
    from sqlglot import exp

    filled, query = _filled(tree), tree.expression
    columns = tree.this.find_all(exp.ColumnDef) if isinstance(tree.this, exp.Schema) else ()
    source = tree.args.get("clone") if query is None else query
    if filled is None or (query is None and tree.kind == "VIEW"):
        return
    yield Statement(
        text=text,
        target=_parts(filled),
        materialized=tree.kind.lower(),
        reads=_reads(source) if source is not None else (),
        columns=tuple((column.name, column.kind.sql() if column.kind else "") for column in columns),
        is_query=query is not None,
    )


def _inserted(tree: Any, text: str, line: int) -> Iterator[Statement]:
    """Yield a statement for each relation that one INSERT fills; columns of one alone are traced."""
    from sqlglot import exp

    filled = [table for insert in tree.find_all(exp.Insert) if (table := _filled(insert)) is not None]
    targets = sorted({_parts(table) for table in filled} - {()})
    problem = Unreadable(line, "one statement fills several tables") if len(targets) > 1 else None
    for target in targets:
        yield Statement(
            text=text,
            target=target,
            materialized="incremental",
            reads=_reads(tree, *filled),
            is_query=problem is None,
            problem=problem,
        )


def _copied(tree: Any, text: str) -> Iterator[Statement]:
    """Yield what COPY asks, or the table that it fills from others; a load of files reads no relation."""
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
    """The names that *table* is made of; none for a function or anything else in a table's place."""
    from sqlglot import exp

    parts = table.parts
    if not all(isinstance(part, exp.Identifier) for part in parts):
        return ()
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
    """The names by which other relations of *select* go."""
    from sqlglot import exp

    found = set()
    for key in ("from", "from_", "joins"):
        value = select.args.get(key)
        for one in value if isinstance(value, list) else [value] if value is not None else []:
            if isinstance(one.this, exp.Table) and one.this is not table and one.this.alias:
                found.add(one.this.alias.lower())
    return found
