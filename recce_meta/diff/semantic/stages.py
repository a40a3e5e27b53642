"""Stages of a query: which clauses of a SELECT go on where its subquery ends, as if both were one query.

SQL computes a query in this order: FROM and WHERE, GROUP BY and HAVING, window functions, QUALIFY, DISTINCT,
ORDER BY, LIMIT. A query over a subquery can be written as one query if none of its own clauses comes before
the last clause of the subquery.
"""

from __future__ import annotations

from collections.abc import Iterable, Set

from recce_meta.diff.semantic.expressions import conjuncts, is_always
from recce_meta.diff.semantic.frames import Keyed
from recce_meta.diff.semantic.known_functions import row_makers
from recce_meta.graph.columns.query import Select, SetOperation
from recce_meta.graph.columns.tree import NODE

FLAT = frozenset({"tables", "joins", "filter"})
GROUPED = FLAT | {"grouping", "having"}
LATE = frozenset({"qualify", "distinct", "order", "limit"})
"""Clauses that are computed after window functions, or with them."""
CUTS = ("limit", "offset", "fetch", "sample")
Parts = dict[str, tuple[str, ...]]


def own_stages(query: Select, *, groups: bool, others: Iterable[str], dialect: str) -> frozenset[str]:
    """Return the parts that *query* adds to what it reads; *others* are arguments that have no stage."""
    node = query.node
    found = {
        "filter": not all(is_always(one, True) for clause in query.where for one in conjuncts(clause.node)),
        "grouping": groups or bool(query.group) or query.group_all or bool(node.args.get("group")),
        "having": bool(query.having),
        "qualify": bool(query.qualify),
        "distinct": query.distinct or bool(query.distinct_on),
        "order": bool(node.args.get("order")),
        "limit": any(node.args.get(name) for name in CUTS),
        "query": any(_is_written(node.args.get(name)) for name in others),
        "functions": any(output.node and row_makers(output.node, dialect) for output in query.outputs),
    }
    return frozenset(name for name, is_there in found.items() if is_there)


def _is_written(value: object) -> bool:
    return isinstance(value, NODE) or bool(value)


def goes_on(own: Set[str], below: Keyed, query: Select) -> bool:
    """Return whether *query*, whose parts are *own*, is one query with its only source, *below*."""
    core, has = below.core or below.query, {name for name, keys in below.parts.items() if keys}
    if not isinstance(core, (Select, SetOperation)) or "recursion" in has or "query" in own:
        return False
    if not own:
        return True
    if not has.isdisjoint({"query", "order", "limit", "functions"}):
        return False
    if isinstance(core, SetOperation):
        return own <= {"order", "limit"} and not _has_windows(query)
    if has <= FLAT:
        return True
    if own <= LATE and has <= GROUPED:
        return True
    if _has_windows(query) or below.parts.get("distinct", ("",))[0] == "on":
        return False
    later = {"order", "limit"} if "distinct" in has else {"distinct", "order", "limit"}
    return own <= later


def _has_windows(query: Select) -> bool:
    clauses = (*query.qualify, *query.distinct_on, *query.order)
    reads = [output.reads for output in query.outputs] + [clause.reads for clause in clauses]
    return any(one.windows for one in reads)


def continued(below: Parts, own: Parts) -> Parts:
    """Return the parts of one query that does what *below* does and then *own*."""
    added = {name: keys for name, keys in own.items() if keys and name not in ("tables", "joins")}
    parts = {**added, **{name: keys for name, keys in below.items() if keys}}
    parts["filter"] = tuple(sorted((*below.get("filter", ()), *own.get("filter", ()))))
    return parts
