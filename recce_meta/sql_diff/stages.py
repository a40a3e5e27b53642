"""Stages of a query: clauses of a SELECT that can continue its subquery, as if both were one query.

SQL computes a query in this order: FROM and WHERE, GROUP BY and HAVING, window functions, QUALIFY, DISTINCT,
ORDER BY, LIMIT. A query over a subquery can be written as one query if none of its own clauses comes before
the last clause of the subquery. In the first stage, the NULL-extended sides, kinds and parentheses of joins
count. The end of the module names the outputs, operands and sources of queries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set
from itertools import zip_longest
from typing import NamedTuple

from sqlglot import exp

from recce_meta.sql_diff.expressions import ANYWHERE, QueryFingerprint, conjuncts, names_and_values, short
from recce_meta.sql_diff.functions import row_makers
from recce_meta.sql_lineage.expressions import NODE
from recce_meta.sql_lineage.query import (
    STAR,
    Function,
    Join,
    Output,
    Query,
    QuerySource,
    Select,
    SetOperation,
    Table,
)
from recce_meta.sql_lineage.scope import outputs_by_name
from recce_meta.warehouses.types import Sql

FLAT = frozenset({"tables", "joins", "filter"})
GROUPED = FLAT | {"grouping", "having"}
LATE = frozenset({"qualify", "distinct", "order", "limit"})
"""Clauses that are computed after window functions, or with them."""
CUTS = ("limit", "offset", "fetch", "sample")
Parts = dict[str, tuple[str, ...]]


def own_stages(
    query: Select,
    *,
    groups: bool,
    distinct: bool,
    others: Iterable[str],
    dialect: str,
    is_true: Callable[[Sql], bool],
) -> frozenset[str]:
    """Return the parts that *query* adds to its source; *others* are arguments without a stage.

    *is_true* decides which conditions hold in each row.
    """
    node = query.node
    found = {
        "filter": not all(is_true(one) for clause in query.where for one in conjuncts(clause.node)),
        "grouping": groups or bool(query.group) or query.group_all or bool(node.args.get("group")),
        "having": bool(query.having),
        "qualify": bool(query.qualify),
        "distinct": distinct or bool(query.distinct_on),
        "order": bool(node.args.get("order")),
        "limit": any(node.args.get(name) for name in CUTS),
        "query": any(isinstance(value := node.args.get(name), NODE) or value for name in others),
        "functions": any(output.node and row_makers(output.node, dialect) for output in query.outputs),
    }
    return frozenset(name for name, is_there in found.items() if is_there)


def can_merge(own: Set[str], below: QueryFingerprint, query: Select) -> bool:
    """Return whether *query*, whose parts are *own*, can be merged with its only source, *below*."""
    core, has = below.core or below.query, {name for name, keys in below.parts.items() if keys}
    if not isinstance(core, (Select, SetOperation)) or "recursion" in has or "query" in own:
        return False
    if not own:
        return True
    # In one query, the reader's clauses would come before this limit instead of after it.
    if not has.isdisjoint({"query", "order", "limit", "functions"}):
        return False
    if isinstance(core, SetOperation):
        return own <= {"order", "limit"} and not _has_windows(query)
    if has <= FLAT:
        return True
    if own <= LATE and has <= GROUPED:
        return True
    # In one query, window functions would be computed before DISTINCT removes rows.
    if _has_windows(query) or below.parts.get("distinct", ("",))[0] == "on":
        return False
    # Two DISTINCTs may compare different columns, so they are not one.
    later = {"order", "limit"} if "distinct" in has else {"distinct", "order", "limit"}
    return own <= later


def _has_windows(query: Select) -> bool:
    clauses = (*query.qualify, *query.distinct_on, *query.order)
    reads = [output.reads for output in query.outputs] + [clause.reads for clause in clauses]
    return any(one.windows for one in reads)


def merge_parts(below: Parts, own: Parts) -> Parts:
    """Return the parts of one query that does what *below* does and then *own*."""
    added = {name: keys for name, keys in own.items() if keys and name not in ("tables", "joins")}
    parts = {**added, **{name: keys for name, keys in below.items() if keys}}
    parts["filter"] = once((*below.get("filter", ()), *own.get("filter", ())))
    return parts


EACH_TIME = "each time "
"""Start of the keys of conditions that may have another value whenever they are computed."""


def once(keys: Iterable[str]) -> tuple[str, ...]:
    """Return the conditions *keys* in order, each once: `a and a` is `a`."""
    listed = sorted(keys)
    return tuple(
        key for place, key in enumerate(listed) if key not in listed[:place] or key.startswith(EACH_TIME)
    )


def rows_of_operand(keyed: QueryFingerprint, operation: SetOperation) -> str:
    """Return the rows key of an operand; if a `union` removes duplicates, a DISTINCT in it does not count."""
    parts = {name: keys for name, keys in keyed.parts.items() if keys}
    is_set = operation.kind == "union" and operation.distinct and not operation.by_name
    is_distinct = parts.get("distinct", ("",))[0] == "all" and "limit" not in parts
    if not is_set or not is_distinct or not isinstance(keyed.query, Select):
        return keyed.rows
    del parts["distinct"]
    is_through = list(parts) == ["tables"] and len(keyed.inputs) == 1 and keyed.outermost == ANYWHERE
    return keyed.inputs[0][1] if is_through else digest(parts)


def digest(parts: dict[str, tuple[str, ...]]) -> str:
    """Return one key for all of *parts*. Empty parts count as absent."""
    found = [f"{name}={list(keys)}" for name, keys in sorted(parts.items()) if keys]
    # A SELECT without FROM has no parts.
    return short("|".join(found) or "one row")


INNER = frozenset({"INNER", "CROSS", ""})
NEVER_PADS = INNER | {"NATURAL", "NATURAL INNER"}
"""Joins that only yield matching rows."""


def padded_by(join: Join | None, sources: list[QuerySource], place: int) -> set[int]:
    """Return the sources, by `id`, that are filled with NULLs if the *join* at *place* finds no match."""
    if join is None or join.kind in NEVER_PADS:
        return set()
    if set(join.kind.split()) & {"LEFT", "SEMI", "ANTI"}:
        return {id(sources[place])}
    # RIGHT fills every earlier item with NULLs, and FULL its own as well.
    return {id(source) for source in sources[: place + ("RIGHT" not in join.kind)]}


class FirstJoin(NamedTuple):
    """First items of FROM, if the same join can be written with them in another order."""

    size: int
    kind: str
    """`INNER` if any order means the same, or `LEFT` for the two items of a RIGHT join, turned round."""


_SIDED = frozenset({"LEFT", "RIGHT", "FULL"})


def first_join(sources: list[QuerySource]) -> FirstJoin | None:
    """Return the first items of *sources* if another order of them yields the same rows.

    They are the items of inner joins, or both items of a RIGHT join; later joins see the same rows. A FULL
    join stays as it is: turned round, its rows arrive in another order, which decides between equal keys of
    windows. No item may depend on an earlier one, and no comma or bracket may decide what a join includes.
    """
    joins = [source.join for source in sources[1:] if source.join is not None]
    if len(joins) + 1 < len(sources) or any(brackets_of(source, {}) for source in sources):
        return None
    if any(source.lateral or isinstance(source.relation, Function) for source in sources):
        return None
    if not all(isinstance(join.node, exp.Join) and kind_of(join) in _SIDED | INNER for join in joins):
        return None
    inner = next((place for place, join in enumerate(joins) if join.kind not in INNER), len(joins))
    if inner:
        return FirstJoin(inner + 1, "INNER")
    # A column of USING has the value of one side.
    if not joins or joins[0].using or joins[0].kind != "RIGHT":
        return None
    return FirstJoin(2, "LEFT")


def is_asof(join: Join) -> bool:
    """Return whether *join* finds the nearest row, by an inequality of one column."""
    return "ASOF" in join.kind.split()


def kind_of(join: Join | None) -> str:
    """Return how a source joins the items before it. A comma has a lower precedence than JOIN."""
    if join is None:
        return "first"
    said = (
        any(join.node.args.get(name) for name in ("kind", "side", "method", "on", "using"))
        if join.node
        else False
    )
    return join.kind if said or not isinstance(join.node, exp.Join) else "comma"


def brackets_of(source: QuerySource, seen: dict[int, int]) -> list[int]:
    """Return the brackets around *source*, and the items whose own joins include it."""
    found = []
    node = source.node.parent
    while node is not None and not isinstance(node, exp.Select):
        if isinstance(node, (exp.Subquery, exp.Table)):
            found.append(seen.setdefault(id(node), len(seen)))
        node = node.parent
    return found


def brackets_around(operand: Query, kind: str) -> str:
    """Return a mark for brackets if warehouses, or versions of sqlglot, disagree on precedence."""
    if not isinstance(operand, SetOperation) or "intersect" not in (kind, operand.kind):
        return ""
    return ".bracketed" if isinstance(operand.node.parent, exp.Subquery) else ""


def computed_outputs(query: Select) -> list[Sql]:
    """Return the output expressions that are more than a column."""
    return [one.node for one in query.outputs if one.node is not None and one.reads.plain is None]


def has_a_name_twice(query: Query) -> bool:
    """Return whether two columns of *query* share a name. Dialects differ on the meaning of such a name."""
    names = [name for output in query.outputs if (name := output.name.lower()) not in ("", STAR)]
    stars = [output.star for output in query.outputs if output.star is not None]
    tables = [
        source.relation.name
        for star in stars
        for source in star.sources
        if isinstance(source.relation, Table) and star.passes is None
    ]
    return len(set(names)) < len(names) or len(set(tables)) < len(tables)


def across(output: Output, query: SetOperation, slots: list[str], key_of: Callable[[Output], str]) -> str:
    """Return the key of a set operation's column: the values from each operand."""
    branches = enumerate(output.branches)
    found = {slots[operand_of(branch, place, query)]: key_of(branch) for place, branch in branches}
    key = str(sorted(found.items()))
    if any(STAR in outputs_by_name(operand) for operand in query.operands):
        # Columns are paired by position, which depends on all columns before them.
        end = output.ordinal + 1 if output.ordinal >= 0 else None
        before = [
            (slot, [key_of(one) for one in operand.outputs[:end]])
            for slot, operand in zip(slots, query.operands, strict=True)
        ]
        # The first operand determines the names.
        is_certain = output.star is None and STAR not in outputs_by_name(query.operands[0])
        name = output.name.lower() if is_certain else f"{output.name.lower()} of {slots[0]}"
        key = f"{key};{name!r};{sorted(before)}"
    return short(f"across({key})")


def operand_pairs(query: SetOperation, slots: list[str], operands: list[QueryFingerprint]) -> tuple[str, ...]:
    """Return what determines duplicate rows: the columns of all operands, paired."""
    is_open_somewhere = any(STAR in outputs_by_name(operand) for operand in query.operands)
    if query.by_name or is_open_somewhere:
        return tuple(
            sorted(f"{slot}={names_and_values(one)}" for slot, one in zip(slots, operands, strict=True))
        )
    transposed = zip_longest(*(operand.values for operand in operands), fillvalue="")
    return tuple(sorted({short(str(sorted(zip(slots, values, strict=True)))) for values in transposed}))


def operand_of(branch: Output, place: int, query: SetOperation) -> int:
    """Return the number of the operand that *branch* is a column of."""
    if place < len(query.operands) and any(branch is one for one in query.operands[place].outputs):
        return place
    for number, operand in enumerate(query.operands):
        if any(branch is one for one in (*operand.outputs, *operand.implied.values())):
            return number
    return place


def label(source: QuerySource) -> str:
    """Return the name of *source* in a reason."""
    if isinstance(source.relation, Table):
        return source.relation.name
    return source.cte.name if source.cte is not None else source.alias
