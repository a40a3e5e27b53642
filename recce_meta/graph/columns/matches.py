"""`MATCH_RECOGNIZE`: rows that make a pattern, as one row or all of them."""

from __future__ import annotations

import re

from sqlglot import exp

from recce_meta.dialects.types import Sql
from recce_meta.graph.columns.functions import alias_names
from recce_meta.graph.columns.pivots import pass_on
from recce_meta.graph.columns.query import Match, Output, Reads, Select, Source
from recce_meta.graph.columns.reading import Reader
from recce_meta.graph.columns.scope import Scope
from recce_meta.graph.columns.tree import arg, args, unwrapped

_WORD = re.compile(r"[A-Za-z_]\w*")
_EVERY_ROW = "ALL ROWS"


def matched(node: Sql, source: Source, scope: Scope, reader: Reader) -> Source:
    """*source* as *node* turns it: the columns that it is partitioned by, or all, and the measures.

    Inside, columns may be qualified with the pattern's variables, each of which stands for some of the rows.
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
    join, source.join = source.join, None
    return Source(alias or source.alias, made, node, join=join, columns=columns)


def _partition(node: Sql) -> list[Sql]:
    return [key for key in args(node, "partition_by") if isinstance(key, exp.Column)]


def _together(read: list[Reads]) -> Reads:
    return Reads(
        tuple(reference for reads in read for reference in reads.references),
        tuple(query for reads in read for query in reads.subqueries),
        tuple(query for reads in read for query in reads.tests),
    )
