"""Private outputs of queries by column lineage: what is computed of a private column is private, too.

A name alone does not show that `lower(email) as contact` has the values of a private column.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace
from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from recce_meta.errors import SqlNotAnalysed
from recce_meta.models.data_diff import QueryDiff
from recce_meta.models.lineage import EVERYTHING, ColumnOutput, NodeColumns
from recce_meta.quality.privacy import Privacy
from recce_meta.sql_lineage import analyse_query

_WITH_SQL = ("model.", "snapshot.", "analysis.")
SECONDS = 10.0
"""Maximum time of the analysis of a query."""
UNTRACED = "it is unknown which columns they are computed of"


def with_private_outputs(
    privacy: Privacy, ids: Iterable[str], sides: Sequence[Mapping[str, NodeColumns | None]]
) -> dict[str, Privacy]:
    """Return *privacy* for each of *ids*, with the columns that are private on one of *sides* by lineage.

    Each side has the lineage of its nodes, *ids* and all upstream; None for one that is not traced. A node
    with SQL that is not traced shows no values.
    """
    outputs = []
    for side in sides:
        traced = {unique_id: columns for unique_id, columns in side.items() if columns is not None}
        outputs.append({**dict.fromkeys(side), **private_outputs(traced, privacy)})
    found = {}
    for one in ids:
        names = [side[one] for side in outputs if one in side] if one.startswith(_WITH_SQL) else []
        hidden = privacy.columns.union(*(part for part in names if part is not None))
        found[one] = replace(privacy, columns=hidden)
        if None in names and privacy.keeps_values:
            found[one] = replace(found[one], keeps_values=False, why=UNTRACED)
    return found


def of_query(result: QueryDiff, privacy: Privacy, dialects: Sequence[str | None]) -> Privacy:
    """Return *privacy* with the columns of *result* that its queries compute of private ones.

    *dialects* are those of base and current. No values are shown if a query is not traced, or if a private
    output is not found by the name that the warehouse gives it.
    """
    parts = [part for part in (result.values, result.detail, result.rows) if part is not None]
    names = {name.casefold() for part in parts for name in (*part.base_only, *part.current_only)}
    names |= {
        (one if isinstance(one, str) else one.name).casefold() for part in parts for one in part.columns
    }
    names |= {name.casefold() for part in (result.values, result.detail) if part for name in part.key}
    hidden: set[str] = set()
    for sql, dialect in zip((result.base_sql, result.current_sql), dialects, strict=True):
        try:
            outputs = analyse_query(sql, dialect, timeout=SECONDS).outputs
        except SqlNotAnalysed:
            return replace(privacy, keeps_values=False, why=UNTRACED)
        hidden |= {one.name.casefold() for one in outputs if _reads_private(one, privacy)}
    if hidden - names:
        return replace(privacy, keeps_values=False, why=UNTRACED)
    return replace(privacy, columns=privacy.columns | hidden)


def _reads_private(output: ColumnOutput, privacy: Privacy) -> bool:
    """Return True if *output* of a query is computed of a private column, or of columns that are unknown."""
    if output.name == EVERYTHING or _is_count(output.expression):
        return False
    return any(one.column == EVERYTHING or privacy.withholds(one.column) for one in output.sources)


def private_outputs(columns: Mapping[str, NodeColumns], privacy: Privacy) -> dict[str, frozenset[str] | None]:
    """Return the private outputs of each node of *columns*, in folded case; None if they are not traced.

    An output is private if its own name is, or that of a column that it is computed of, in any node
    upstream. A plain `count(…)` is not. Columns that no SQL builds, such as those of seeds, are private by
    their names.
    """
    found: dict[str, frozenset[str] | None] = {}
    for unique_id in columns:
        _fill(unique_id, columns, privacy, found)
    return found


def _fill(
    unique_id: str,
    columns: Mapping[str, NodeColumns],
    privacy: Privacy,
    found: dict[str, frozenset[str] | None],
) -> None:
    """Add the private outputs of a node, and of all nodes that it reads, to *found*."""
    waiting = [unique_id]
    while waiting:
        node = columns.get(waiting[-1])
        if waiting[-1] in found or node is None or not node.outputs:
            found.setdefault(waiting.pop(), None)
            continue
        sources = {source.parent for output in node.outputs for source in output.sources}
        # A node that is waiting already reads itself: it is not traced.
        missing = [one for one in sources if one not in found and one in columns and one not in waiting]
        if missing:
            waiting += missing
            continue
        names = {output.name.casefold() for output in node.outputs if _is_private(output, privacy, found)}
        # The columns of a private `*` have names that are not known.
        found[waiting.pop()] = None if EVERYTHING in names else frozenset(names)


def _is_private(
    output: ColumnOutput,
    privacy: Privacy,
    found: Mapping[str, frozenset[str] | None],
) -> bool:
    if privacy.withholds(output.name):
        return True
    if _is_count(output.expression):
        return False
    for source in output.sources:
        names = found.get(source.parent) if source.parent.startswith(_WITH_SQL) else frozenset[str]()
        if names is None or source.column.casefold() in names or privacy.withholds(source.column):
            return True
        # A `*` passes columns on under their names; anything else may be computed of a private one.
        if source.column == EVERYTHING and (names or output.name != EVERYTHING):
            return True
    return False


def _is_count(expression: str | None) -> bool:
    """Return True if *expression* is a count alone: of rows, of values, or of distinct values."""
    if expression is None or not expression.lstrip().lower().startswith("count"):
        return False
    try:
        tree = parse_one(expression)
    except SqlglotError:
        return False
    return isinstance(tree, exp.Count)
