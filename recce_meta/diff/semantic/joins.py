"""Joins of one query: which rows they pad, how they are written, and in which brackets they stand."""

from __future__ import annotations

from sqlglot import exp

from recce_meta.graph.columns.query import Join, Source

INNER = frozenset({"INNER", "CROSS", ""})
NEVER_PADS = INNER | {"NATURAL", "NATURAL INNER"}
"""Joins that only have rows of both sides."""


def padded_by(join: Join | None, sources: list[Source], place: int) -> set[int]:
    """The sources, by `id`, that get rows of NULLs where the *join* at *place* finds no row of theirs."""
    if join is None or join.kind in NEVER_PADS:
        return set()
    if set(join.kind.split()) & {"LEFT", "SEMI", "ANTI"}:
        return {id(sources[place])}
    return {id(source) for source in sources[: place + ("RIGHT" not in join.kind)]}


def is_asof(join: Join) -> bool:
    """Return whether *join* finds the nearest row, by an inequality of one column."""
    return "ASOF" in join.kind.split()


def kind_of(join: Join | None) -> str:
    """How a source joins those before it; a comma binds them less than any word does."""
    if join is None:
        return "first"
    said = (
        any(join.node.args.get(name) for name in ("kind", "side", "method", "on", "using"))
        if join.node
        else False
    )
    return join.kind if said or not isinstance(join.node, exp.Join) else "comma"


def brackets_of(source: Source, seen: dict[int, int]) -> list[int]:
    """The brackets in which *source* stands, and the items whose own joins it is among."""
    found = []
    node = source.node.parent
    while node is not None and not isinstance(node, exp.Select):
        if isinstance(node, (exp.Subquery, exp.Table)):
            found.append(seen.setdefault(id(node), len(seen)))
        node = node.parent
    return found
