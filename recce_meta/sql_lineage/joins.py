"""Table operators after an item of FROM: `PIVOT`, `UNPIVOT` and `MATCH_RECOGNIZE`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product
from math import prod

from sqlglot import exp

from recce_meta.sql_lineage.expressions import SET_OPERATION, alias_names, arg, args, unwrapped
from recce_meta.sql_lineage.fields import ExpressionReader
from recce_meta.sql_lineage.query import (
    STAR,
    Alias,
    Match,
    Member,
    Merged,
    Output,
    Pivot,
    QuerySource,
    Reads,
    Reference,
    Select,
    SourceColumn,
    Star,
    Table,
)
from recce_meta.sql_lineage.scope import Scope, column_at, is_open
from recce_meta.warehouses.types import Sql

_NAMED = (exp.PivotAlias, exp.Alias, exp.Literal, exp.Column, exp.Identifier)
"""Values that name the columns they become."""
_MOST_NAMES = 10_000
"""Exceeds the number of columns that any warehouse allows in a table."""


def apply_pivot(node: Sql, source: QuerySource, scope: Scope, reader: ExpressionReader) -> QuerySource:
    """Return *source* transformed by *node*, the PIVOT or UNPIVOT after it."""
    alias, columns = alias_names(node)
    inner = Scope(Select(node), scope.ctes, scope.outer)
    inner.add(source)
    if node.args.get("unpivot"):
        made = _unpivot(node, source, inner, reader)
    else:
        made = _pivot(node, source, inner, reader)
    made.references = inner.select.references
    # The join applies to the pivoted rows, not to the source inside.
    join, source.join = source.join, None
    return QuerySource(alias or source.alias, made, node, join=join, columns=columns)


def resolve_pivot_statement(node: Sql, scope: Scope, reader: ExpressionReader) -> Pivot:
    """Return DuckDB's `PIVOT t ON … USING …` or `UNPIVOT t ON …` over the only source of *scope*."""
    source = scope.sources[0]
    made = (
        _unpivot(node, source, scope, reader)
        if node.args.get("unpivot")
        else _pivot(node, source, scope, reader)
    )
    made.references = scope.select.references
    return made


def _pivot(node: Sql, source: QuerySource, scope: Scope, reader: ExpressionReader) -> Pivot:
    using = args(node, "using")
    aggregates = using or args(node, "expressions")
    read = [reader.read(aggregate, scope, "join") for aggregate in aggregates]
    fields = args(node, "fields") or args(node, "field")
    keys = [field.this for field in fields] or (args(node, "expressions") if using else [])
    turned = [reader.read(key, scope, "join") for key in keys]
    references = tuple(reference for reads in turned for reference in reads.references)
    made = Pivot(node, source, False, Reads(references))
    chosen = [query for field in fields for query in _queries(field)]
    chosen_by = [reader.read(query, scope, "join") for query in chosen]
    made.consumed = frozenset(name for reads in (*read, *turned) for name in _names(reads.references))
    group = arg(node, "group")
    if group is not None:
        for key in args(group, "expressions"):
            reads = reader.read(key, scope, "group")
            made.outputs.append(Output(key.alias_or_name, len(made.outputs), key, reads))
    else:
        pass_on(made, source)
    # It groups by the columns that it passes on.
    keys_of_rows = (Alias(output) for output in made.outputs)
    subqueries = tuple(query for reads in chosen_by for query in reads.subqueries)
    made.reads = Reads((*made.reads.references, *keys_of_rows), subqueries)
    listed = fields or (args(node, "expressions") if using else [])
    names = [name.name for name in args(node, "columns")] or _value_names(listed, aggregates)
    # A subquery in IN makes the names depend on data, so names from the text would be wrong.
    names = [] if chosen else names
    every = Reads(tuple(reference for reads in read for reference in reads.references), aggregates=True)
    for place, name in enumerate(names):
        # The aggregate varies fastest in the list of names: `a_sum, a_avg, b_sum, b_avg`.
        reads = read[place % len(read)] if read else every
        aggregate = aggregates[place % len(aggregates)] if aggregates else node
        made.outputs.append(
            Output(name, len(made.outputs), aggregate, Reads(reads.references, aggregates=True))
        )
    if not names:
        made.dynamic = every
        made.outputs.append(Output(STAR, len(made.outputs), node, every, star=Star(())))
    return made


def _unpivot(node: Sql, source: QuerySource, scope: Scope, reader: ExpressionReader) -> Pivot:
    into = arg(node, "into")
    fields = args(node, "fields") or args(node, "field")
    if into is not None or not fields:
        columns, name = args(node, "expressions"), (into.this.name if into is not None else "name")
        values = [[value.name] for value in args(into, "expressions")] if into is not None else [["value"]]
        values = [[name for value in values for name in value]]
    else:
        columns, name = args(fields[0], "expressions"), fields[0].this.name
        values = [[part.name for part in _parts(value)] for value in args(node, "expressions")]
    slots: list[list[Reference]] = []
    for column in columns:
        for place, part in enumerate(_parts(_bare(column))):
            if place >= len(slots):
                slots.append([])
            slots[place] += reader.read(part, scope, "join").references
    everything = tuple(reference for slot in slots for reference in slot)
    # Rows without a value are left out.
    made = Pivot(node, source, True, Reads() if node.args.get("include_nulls") else Reads(everything))
    made.consumed = frozenset(_names(everything))
    pass_on(made, source)
    flat = [value for group in values for value in group]
    outputs = [
        Output(
            value, 0, node, Reads(tuple(slots[place]) if place < len(slots) and len(flat) > 1 else everything)
        )
        for place, value in enumerate(flat)
    ]
    named = Output(name, 0, node, Reads(everything))
    ordered = [*outputs, named] if reader.puts_values_first else [named, *outputs]
    for output in ordered:
        output.ordinal = len(made.outputs)
        made.outputs.append(output)
    return made


def pass_on(made: Pivot, source: QuerySource) -> None:
    """Add the columns of *source* to *made* that it does not consume."""
    relation = source.relation
    count = len(relation.columns or ()) if isinstance(relation, Table) else len(relation.outputs)
    for place in range(count):
        column = column_at(source, place)
        if column is None or column.name.lower() in made.consumed or column.name == STAR:
            continue
        spelt = source.columns[place] if place < len(source.columns) else column.name
        if spelt.lower() in made.consumed:
            continue
        made.outputs.append(
            Output(spelt, len(made.outputs), None, Reads((column,), plain=column), from_star=True)
        )
    # Columns that are not known may pass through as well.
    if is_open(source):
        made.outputs.append(Output(STAR, len(made.outputs), None, star=Star((source,), made.consumed)))


def _queries(field: Sql) -> list[Sql]:
    """Return the queries that select which values of *field* become columns: `FOR a IN (SELECT …)`."""
    values = [*args(field, "expressions"), arg(field, "query")]
    return [value for value in values if isinstance(value, (exp.Select, exp.Subquery, SET_OPERATION))]


def _names(references: Sequence[Reference]) -> list[str]:
    names: list[str] = []
    for found in references:
        reference = found.whole if isinstance(found, Member) else found
        if isinstance(reference, SourceColumn):
            names.append(reference.name.lower())
            place = reference.source.columns
            if reference.output is not None and 0 <= reference.output.ordinal < len(place):
                names.append(place[reference.output.ordinal].lower())
        elif isinstance(reference, Merged):
            names += [column.name.lower() for column in reference.columns]
    return names


def _parts(node: Sql) -> list[Sql]:
    return args(node, "expressions") if isinstance(node, exp.Tuple) else [unwrapped(node)]


def _bare(node: Sql) -> Sql:
    """Return *node* without its alias for the name column."""
    return node.this if isinstance(node, (exp.PivotAlias, exp.Alias)) else node


def _value_names(fields: Sequence[Sql], aggregates: Sequence[Sql]) -> list[str]:
    """Return the column names for the values of *fields*, used if sqlglot gives none."""
    values = [args(field, "expressions") if isinstance(field, exp.In) else [] for field in fields]
    tails = [aggregate.alias for aggregate in aggregates]
    written = all(isinstance(value, _NAMED) for each in values for value in each)
    # Warehouses name several aggregates without aliases by different rules.
    if not values or not all(values) or not written or (len(tails) > 1 and not all(tails)):
        return []
    if prod(len(each) for each in values) > _MOST_NAMES:
        return []
    heads = ("_".join(value.alias_or_name for value in chosen) for chosen in product(*values))
    return [f"{head}_{tail}" if tail else head for head in heads for tail in tails or [""]]


_WORD = re.compile(r"[A-Za-z_]\w*")
_EVERY_ROW = "ALL ROWS"


def apply_match_recognize(
    node: Sql, source: QuerySource, scope: Scope, reader: ExpressionReader
) -> QuerySource:
    """Return *source* after *node*: its PARTITION BY columns, or all columns, and the measures.

    Inside, columns may be qualified with the pattern's variables. Each variable stands for some of the rows.
    """
    alias, columns = alias_names(node)
    inner = Scope(Select(node), scope.ctes, scope.outer)
    inner.add(source)
    for variable in _WORD.findall(str(node.args.get("pattern") or "")):
        inner.aliases.setdefault(variable.lower(), source)
    order = arg(node, "order")
    keys = _together([reader.read(key, inner, "join") for key in _partition(node)])
    made = Match(node, source, False, keys)
    made.define = _together([reader.read(unwrapped(each), inner, "join") for each in args(node, "define")])
    made.order = reader.read(order, inner, "join") if order is not None else made.order
    if _EVERY_ROW in str(node.args.get("rows") or "").upper():
        pass_on(made, source)
    else:
        for key in _partition(node):
            reads = reader.read(key, inner, "join")
            made.outputs.append(Output(key.name, len(made.outputs), None, reads, from_star=True))
    for measure in args(node, "measures"):
        named = measure.this
        reads = reader.read(named, inner, "join")
        value = Reads(reads.references, reads.subqueries, reads.tests, None, reads.aggregates, windows=True)
        made.outputs.append(Output(named.alias_or_name, len(made.outputs), unwrapped(named), value))
    made.references = inner.select.references
    # The join applies to the matches, not to the source inside.
    join, source.join = source.join, None
    return QuerySource(alias or source.alias, made, node, join=join, columns=columns)


def _partition(node: Sql) -> list[Sql]:
    return [key for key in args(node, "partition_by") if isinstance(key, exp.Column)]


def _together(read: list[Reads]) -> Reads:
    return Reads(
        tuple(reference for reads in read for reference in reads.references),
        tuple(query for reads in read for query in reads.subqueries),
        tuple(query for reads in read for query in reads.tests),
    )
