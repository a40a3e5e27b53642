"""What functions do to rows: which make several of one, which make one of many, and which cannot be told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlglot import exp

from recce_meta.dialects.types import Sql
from recce_meta.graph.columns.query import Column, Query, Select, SetOperation, Source
from recce_meta.graph.columns.scope import is_open
from recce_meta.graph.columns.tree import args

AGGREGATES = frozenset(
    """
    any_value array_concat_agg arbitrary bit_and bit_or bit_xor bitstring_agg bool_and bool_or collect_list
    collect_set count_if count_star entropy every favg fsum geometric_mean group_concat hash_agg histogram
    json_agg json_group_array json_group_object json_object_agg jsonb_agg jsonb_object_agg kahan_sum
    kurtosis_pop listagg mad map_union max_by min_by object_agg product reservoir_quantile sumkahan string_agg
    xmlagg
    """.split()
)
"""Aggregates for which some versions of sqlglot have no class. Of a name that is not here nobody knows."""


def in_this_query(node: Sql) -> Iterator[Sql]:
    """*node* and all below it, without the queries that are nested in it."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        for child in current.iter_expressions():
            if not isinstance(child, exp.Query):
                stack.append(child)


def aggregates(node: Sql) -> bool | None:
    """Whether *node* makes one row of many; None where it calls a function of which nobody knows.

    An aggregate over a window gives a value for each row, and does not count; aggregates in its arguments do.
    """
    unknown = False
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, exp.Window):
            stack.extend(window_arguments(current))
            continue
        known = is_aggregate(current)
        if known:
            return True
        unknown = unknown or known is None
        stack.extend(child for child in current.iter_expressions() if not isinstance(child, exp.Query))
    return None if unknown else False


def aggregates_of_outer(queries: Iterable[Query], sources: Sequence[Source]) -> bool:
    """Whether an aggregate in *queries* is one of the query around them, whose sources are *sources*.

    Standard SQL: an aggregate belongs to the query that the columns in its arguments come from.
    """
    stack = list(queries)
    while stack:
        query = stack.pop()
        if isinstance(query, SetOperation):
            stack += query.operands
        elif isinstance(query, Select):
            for node in (output.node for output in query.outputs if output.node is not None):
                for call in in_this_query(node):
                    is_one = is_aggregate(call) is not False and not isinstance(call.parent, exp.Window)
                    if is_one and _is_of(call, query, sources):
                        return True
            stack += [below for output in query.outputs for below in output.reads.subqueries]
    return False


def _is_of(call: Sql, query: Select, sources: Sequence[Source]) -> bool:
    """Whether all columns in *call* are surely of *sources*, though it stands in *query*."""
    columns = list(call.find_all(exp.Column))
    are_known = not any(is_open(source) for source in query.sources)
    references = [query.references.get(id(column)) for column in columns]
    return bool(columns) and all(
        isinstance(one, Column)
        and any(one.source is source for source in sources)
        and (are_known or column.args.get("table") is not None)
        for one, column in zip(references, columns, strict=True)
    )


def window_arguments(window: exp.Window) -> Iterator[Sql]:
    """What is computed before the window: its own function's arguments, its partition and its order."""
    for child in window.iter_expressions():
        if child is not window.this:
            yield child
    call: Sql = window.this
    while isinstance(call, (exp.IgnoreNulls, exp.RespectNulls, exp.Filter, exp.WithinGroup)):
        for beside in call.iter_expressions():
            if beside is not call.this:
                yield beside
        call = call.this
    if isinstance(call, Sql):
        yield from call.iter_expressions()


def is_aggregate(node: Sql) -> bool | None:
    """Whether this one call is an aggregate; None where nobody knows."""
    if isinstance(node, (exp.Max, exp.Min)) and node.expressions:
        return None  # of several arguments: the greatest of one row, in SQLite
    if isinstance(node, (exp.AggFunc, exp.WithinGroup)):
        return True
    if isinstance(node, exp.Anonymous):
        return True if node.name.lower() in AGGREGATES else None
    return False


def has_unknown_calls_only(node: Sql) -> bool:
    """Whether no column of *node* stands outside a call of an unknown function."""
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, exp.Anonymous):
            continue
        if isinstance(current, (exp.Column, exp.Star)):
            return False
        stack.extend(child for child in current.iter_expressions() if not isinstance(child, exp.Query))
    return True


def rolls_up(group: Sql) -> bool:
    """Return whether `group by a, b with rollup` makes subtotals, for which the order of columns counts."""
    return group.args.get("rollup") is True or any(not one.expressions for one in args(group, "rollup"))
