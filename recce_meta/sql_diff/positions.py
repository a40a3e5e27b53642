"""Position dependence: queries that read a relation's columns in order, or fail by their number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from sqlglot import exp

from recce_meta.sql_lineage.fields import BY_PLACE
from recce_meta.sql_lineage.query import (
    Alias,
    Clause,
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
from recce_meta.warehouses.types import Sql


def reads_by_position(query: Query, table: str) -> bool:
    """Return whether *query* depends on the column order of *table* anywhere in it.

    That is a set operation over `select * from table`, names given by position (`table as t (a, b)`, a CTE
    with a column list over a star), `#1`, `group by 1`, `order by 1` or `order by all` after a star, and a
    whole row as a value. An `INSERT` or an incremental model also depends on the order of every column; the
    caller must check that.
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


class Fault(NamedTuple):
    """Reason why a warehouse refuses a query, given the columns of the relations that it reads."""

    text: str
    is_certain: bool = True
    """False if the columns of a relation that decides are unknown."""
    columns: tuple[str | int, ...] = ()
    """Names or numbers of the columns, which distinguish faults of two queries."""
    line: int | None = None
    """Line of the template, from 1, if a database says it and the query has as many lines."""


def faults(query: Query, *, names_are_unique: bool = False) -> set[Fault]:
    """Return the faults of *query*; with *names_are_unique*, its result may not repeat a column name."""
    found = {fault for one in queries_in(query) for fault in _faults_of(one)}
    names = [output.name for output in query.outputs if output.star is None and output.name]
    repeated = sorted(name for name, count in Counter(map(str.lower, names)).items() if count > 1)
    if names_are_unique and repeated:
        # Some warehouses keep "Status" and status apart.
        spelt = Counter(name for name in names if name.lower() in repeated)
        text = f"two columns of its result are called {repeated[0]}"
        found.add(Fault(text, max(spelt.values()) > 1, tuple(repeated)))
    return found


def _faults_of(query: Query) -> Iterator[Fault]:
    if isinstance(query, (Select, SetOperation, Pivot)):
        for column in chain.from_iterable(map(_columns_of, query.references.values())):
            if column.ambiguity:
                text = f"{column.name} without a qualifier means columns of two relations"
                yield Fault(text, column.ambiguity == 1.0, (column.name.lower(),))
    if isinstance(query, SetOperation) and not query.by_name:
        counts = sorted({len(one.outputs) for one in query.operands if _is_closed(one)})
        if len(counts) > 1:
            yield Fault("a set operation combines queries with different numbers of columns")
        elif counts and not all(map(_is_closed, query.operands)):
            yield Fault("a set operation combines queries whose columns are not all known", False, (*counts,))
    if isinstance(query, Select):
        several = [one for one in query.subqueries.values() if _is_closed(one) and len(one.outputs) > 1]
        wanted = [_has_too_many_columns(one) for one in several]
        if any(found is not False for found in wanted):
            counts = sorted({len(one.outputs) for one in several})
            yield Fault("a subquery returns more than one column", True in wanted, (*counts,))


def _is_closed(query: Query) -> bool:
    return bool(query.outputs) and all(output.star is None for output in query.outputs)


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
    if not isinstance(query, (Select, SetOperation)):
        return False
    combines = isinstance(query, SetOperation) and not query.by_name
    for one in query.operands if combines and isinstance(query, SetOperation) else ():
        if any(_is_starred(output, table) for output in one.outputs):
            return True
    keys = (*query.order, *query.group) if isinstance(query, Select) else query.order
    if any(map(_is_place, keys)) and any(_is_starred(output, table) for output in query.outputs):
        return True
    if not isinstance(query, Select):
        return False
    if any(isinstance(one, WholeRow) and _has(one.source, table) for one in _references(query)):
        return True
    has_place = isinstance(query.node, exp.Select) and query.node.find(BY_PLACE) is not None
    if any((source.columns or has_place) and _has(source, table) for source in query.sources):
        return True
    return any(
        # `(a, b) IN (SELECT * FROM t)` compares by position.
        len(nested.outputs) > 1 and any(_is_starred(output, table) for output in nested.outputs)
        for nested in query.subqueries.values()
        if not _is_tested(nested)
    )


def _is_place(key: Clause) -> bool:
    """Return whether *key* of GROUP BY or ORDER BY is a position, or `ALL` in the order of the columns."""
    if isinstance(key.node, exp.Literal):
        return isinstance(key.reads.plain, Alias)
    return isinstance(key.node, exp.Var) and key.node.name.upper() == "ALL"


def _references(query: Select) -> Iterator[Reference]:
    """Yield what *query* reads, also through a `*` inside an expression."""
    yield from query.references.values()
    for output in query.outputs:
        yield from output.reads.references
    clauses = (query.where, query.group, query.having, query.qualify, query.order, query.limit_by)
    for clause in chain(query.distinct_on, *clauses):
        yield from clause.reads.references
    for source in query.sources:
        if source.join is not None and source.join.on is not None:
            yield from source.join.on.reads.references


def _is_tested(query: Query) -> bool:
    """Return whether *query* is inside `EXISTS`, which ignores columns."""
    return isinstance(_around(query)[1], exp.Exists)


def _has_too_many_columns(query: Query) -> bool | None:
    """Return whether *query* has more columns than its use allows; None if that may be a struct."""
    node, user = _around(query)
    is_struct = isinstance(query, Select) and query.node.args.get("kind") == "STRUCT"
    if is_struct or node is None or isinstance(user, exp.Exists):
        return False
    while isinstance(user, (exp.Any, exp.All, exp.Subquery)):
        node, user = user, user.parent
    if not isinstance(user, exp.Predicate):
        return True
    other = user.expression if user.this is node else user.this
    if isinstance(other, exp.Tuple):
        return len(other.expressions) != len(query.outputs)
    return True if isinstance(other, exp.Literal) else None if isinstance(other, exp.Column) else False


def _around(query: Query) -> tuple[Sql | None, Sql | None]:
    """Return the node of *query* with its parentheses, and what it is in."""
    node = getattr(query, "node", None)
    while node is not None and isinstance(node.parent, exp.Subquery):
        node = node.parent
    return node, node.parent if node is not None else None


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
