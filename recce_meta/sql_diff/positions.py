"""Position dependence of queries: which of them read a relation's columns in order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from sqlglot import exp

from recce_meta.sql_lineage.query import (
    Alias,
    Function,
    Merged,
    Output,
    Pivot,
    Query,
    QuerySource,
    Reads,
    Reference,
    Select,
    SetOperation,
    SourceColumn,
    Table,
    Values,
    WholeRow,
)


def reads_by_position(query: Query, table: str) -> bool:
    """Return whether *query* depends on the column order of *table* anywhere in it.

    That is a set operation over `select * from table`, names given by position (`table as t (a, b)`, a CTE
    with a column list over a star), `group by 1` or `order by 1` after a star, and a whole row as a value. An
    `INSERT` or an incremental model also depends on the order of every column; the caller must check that.
    *table* is the relation's name as in `Table.name`, in any case.
    """
    return any(_takes_places(one, table.lower()) for one in queries_in(query))


def reads_star(query: Query, table: str) -> bool:
    """Return whether a `*` passes columns of *table* on to the result of *query*, so also new columns."""
    nested = list(queries_in(query))
    # A pivot groups by columns that it does not name.
    has_pivot = any(isinstance(one, Pivot) for one in nested)
    return any(
        _is_starred(output, table.lower())
        for one in (nested if has_pivot else [query])
        for output in one.outputs
    )


def queries_in(query: Query) -> Iterator[Query]:
    """Yield *query* and every query that it reads, each once: sources, operands, subqueries."""
    seen: set[int] = set()
    stack = [query]
    while stack:
        current = stack.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        stack += _read_by(current)


def _read_by(query: Query) -> Iterator[Query]:
    if isinstance(query, Select):
        for source in query.sources:
            if not isinstance(source.relation, Table):
                yield source.relation
        yield from query.subqueries.values()
    elif isinstance(query, SetOperation):
        yield from query.operands
        yield from query.subqueries.values()
    elif isinstance(query, Pivot):
        if not isinstance(query.source.relation, Table):
            yield query.source.relation
    elif isinstance(query, Function):
        yield from _nested(query.reads)
    elif isinstance(query, Values):
        for output in query.outputs:
            yield from _nested(output.reads)


def _nested(reads: Reads) -> Iterator[Query]:
    yield from reads.subqueries
    yield from reads.tests


def _takes_places(query: Query, table: str) -> bool:
    if isinstance(query, SetOperation):
        return not query.by_name and any(
            _is_starred(output, table) for operand in query.operands for output in operand.outputs
        )
    if not isinstance(query, Select):
        return False
    if any(_is_named_by_place(source, table) for source in query.sources):
        return True
    if any(isinstance(one, WholeRow) and _has(one.source, table) for one in query.references.values()):
        return True
    return any(
        isinstance(clause.node, exp.Literal)
        and isinstance(clause.reads.plain, Alias)
        and any(_is_starred(output, table) for output in query.outputs)
        for clause in (*query.group, *query.order)
    ) or any(
        # `(a, b) IN (SELECT * FROM t)` compares by position.
        len(nested.outputs) > 1 and any(_is_starred(output, table) for output in nested.outputs)
        for nested in query.subqueries.values()
        if not _is_tested(nested)
    )


def _is_tested(query: Query) -> bool:
    """Return whether *query* is inside `EXISTS`, which ignores columns."""
    node = getattr(query, "node", None)
    while node is not None and isinstance(node.parent, exp.Subquery):
        node = node.parent
    return node is not None and isinstance(node.parent, exp.Exists)


def _is_named_by_place(source: QuerySource, table: str) -> bool:
    return bool(source.columns) and _has(source, table)


def _has(source: QuerySource, table: str) -> bool:
    """Return whether the columns of *source* follow the column order of *table*."""
    if isinstance(source.relation, Table):
        return source.relation.name.lower() == table
    return any(_is_starred(output, table) for output in source.relation.outputs)


def _columns_of(reference: Reference) -> tuple[SourceColumn, ...]:
    if isinstance(reference, Merged):
        return reference.columns
    return (reference,) if isinstance(reference, SourceColumn) else ()


def _is_starred(output: Output, table: str) -> bool:
    """Return whether the position of *output* depends on the column order of *table*."""
    seen: set[int] = set()
    stack = [output]
    while stack:
        current = stack.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        stack += current.branches
        if current.star is not None and any(_has(source, table) for source in current.star.sources):
            return True
        if not current.from_star:
            continue
        # The expression is more than a column in `max(columns(*))`.
        for column in chain.from_iterable(map(_columns_of, current.reads.references)):
            if column.output is not None:
                stack.append(column.output)
            elif isinstance(column.source.relation, Table) and column.source.relation.name.lower() == table:
                return True
    return False
