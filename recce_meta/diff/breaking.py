"""What a change can break: its category, and the columns that it touches.

A modified node may have changed for several reasons. Each has a category, and the most severe counts. Code
is judged by the SQL that both sides compiled to, with relations by unique id; whatever else changed, by the
tables below. What they do not know is unknown: a change is breaking unless it is provably safe.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from msgspec.structs import replace

from recce_meta.diff.causes import Causes
from recce_meta.diff.code import branch_tokens, branches
from recce_meta.diff.scanned_effects import scanned_effects
from recce_meta.diff.side import Side
from recce_meta.graph import LineageGraph
from recce_meta.models import Change, ChangeDetail, NodeMetadata, Reason, Status
from recce_meta.models.category import Category, ColumnChange, SqlChange
from recce_meta.models.kinds import RELATIONS, VIEWS

CompareSql: TypeAlias = Callable[[NodeMetadata, str, NodeMetadata, str], SqlChange]
"""Compares two versions of a node's compiled SQL: base's node and SQL, current's node and SQL."""

READ = frozenset("model seed snapshot source metric semantic_model saved_query function".split()) | RELATIONS
"""Resource types that others read, and whose changes have a category."""

SQL_BUILT = frozenset(["model", "snapshot"]) | VIEWS
"""Resource types whose rows and columns compiled SQL tells."""

SEVERITY = {
    Category.NONE: 0,
    Category.NON_BREAKING: 1,
    Category.PARTIAL_BREAKING: 2,
    Category.UNKNOWN: 3,
    Category.BREAKING: 4,
}
"""What is known to break outweighs what cannot be told."""

SAYS_NOTHING_OF_DATA = frozenset(
    """tags meta group access docs persist_docs description labels query_tag freshness loaded_at_field
    loaded_at_query loader label source_meta deprecation_date latest_version snowflake_warehouse
    databricks_compute static_analysis owner url maturity constraints batch_size concurrent_batches""".split()
)
"""Configuration that is about the node, or about how it is run. Constraints without a contract are not
enforced, and those with one are a contract's."""

ONLY_HOW_IT_IS_KEPT = frozenset(
    """cluster_by partition_by indexes sort sort_type dist transient automatic_clustering file_format
    liquid_clustered_by buckets clustered_by unlogged backup""".split()
)
"""Configuration of how a table lies in the warehouse: the same rows and columns come out of it."""

DECIDES_OVER_ROWS = frozenset(
    """unique_key incremental_strategy incremental_predicates on_schema_change merge_update_columns
    merge_exclude_columns full_refresh event_time begin lookback strategy updated_at check_cols
    invalidate_hard_deletes hard_deletes dbt_valid_to_current""".split()
)
"""Configuration of what is added, kept and overwritten by the next build."""

BUILT_AFRESH = frozenset(["view", "table"])
"""Materializations that hold what the query gives, neither more nor less."""

_NOTHING = SqlChange(category=Category.NONE)
_MOVED = SqlChange(category=Category.BREAKING, reasons=("moved",))
"""Of tables that are built afresh; what only adds to its table starts again in another place."""
_COLUMN_RANK = {Status.REMOVED: 0, Status.MODIFIED: 1, Status.ADDED: 2}


class Judged(NamedTuple):
    """Changes, and what of them those that read the nodes in the project get to see."""

    changes: dict[str, Change]
    """By unique id, each that somebody may read with its category, and the columns that it touches."""
    effects: dict[str, SqlChange]
    """Of what is read in the project: models follow a table through `ref` that is merely somewhere else."""
    moved: tuple[str, ...]
    """What is somewhere else, and so gone for those who name the table."""


def with_categories(changes: Mapping[str, Change], base: Side, current: Side, compare: CompareSql) -> Judged:
    """What each of *changes* can break.

    Nodes of the two sides must have their code wherever it is known; *compare* is only called for nodes
    whose SQL differs.
    """
    causes = Causes(base, current)
    effects = {
        unique_id: list(_all_effects(change, causes, compare)) for unique_id, change in changes.items()
    }
    return Judged(
        {unique_id: _judged(change, effects[unique_id]) for unique_id, change in changes.items()},
        {
            unique_id: merged(effect for effect in found if effect is not _MOVED)
            for unique_id, found in effects.items()
            if found and changes[unique_id].status is not Status.ADDED
        },
        tuple(unique_id for unique_id, found in effects.items() if any(one is _MOVED for one in found)),
    )


def merged(found: Iterable[SqlChange]) -> SqlChange:
    """All of *found* as one: the most severe category, every column once, with its worst."""
    effects = list(found)
    columns: dict[str, ColumnChange] = {}
    for column in (column for effect in effects for column in effect.columns):
        earlier = columns.get(column.name.lower())
        if earlier is None or _COLUMN_RANK[column.status] < _COLUMN_RANK[earlier.status]:
            columns[column.name.lower()] = column
    worst = max((effect.category for effect in effects), key=SEVERITY.__getitem__, default=Category.NONE)
    return SqlChange(
        category=worst,
        columns=tuple(sorted(columns.values(), key=lambda column: column.status is Status.REMOVED)),
        reasons=tuple(dict.fromkeys(reason for effect in effects for reason in effect.reasons)),
        moved=any(effect.moved for effect in effects),
    )


def readers_of_ephemeral(
    changes: Mapping[str, Change], base: Side, current: Side, graph: LineageGraph, compare: CompareSql
) -> dict[str, tuple[str, int, SqlChange]]:
    """What changed in those that an ephemeral model's code is put into, by reader.

    Told are that model, how many edges lead from it to the reader, and the effect.

    Such a change shows in the readers' compiled SQL, though they did not change themselves.
    """
    causes = Causes(base, current)
    found: dict[str, tuple[str, int, SqlChange]] = {}
    for unique_id, change in changes.items():
        if change.category in (None, Category.NONE) or not _is_ephemeral(current.nodes.get(unique_id)):
            continue
        waiting, seen = deque([(unique_id, 0)]), {unique_id}
        while waiting:
            parent, distance = waiting.popleft()
            for child in graph.children(parent):
                before, after = base.nodes.get(child), current.nodes.get(child)
                if child in seen:
                    continue
                seen.add(child)
                if _is_ephemeral(after):
                    waiting.append((child, distance + 1))
                elif before and after and after.resource_type in SQL_BUILT:
                    effect = _of_sql(before, after, causes, compare)
                    found[child] = (unique_id, distance + 1, effect)
    return found


def _is_ephemeral(node: NodeMetadata | None) -> bool:
    return node is not None and node.materialized == "ephemeral"


def _judged(change: Change, effects: Sequence[SqlChange]) -> Change:
    if not effects:
        return change
    effect = merged(effects)
    return replace(
        change,
        category=effect.category,
        category_reasons=effect.reasons,
        columns=effect.columns,
        columns_moved=effect.moved,
    )


def _all_effects(change: Change, causes: Causes, compare: CompareSql) -> Iterator[SqlChange]:
    """What a change does to those that read the node; nothing where nobody does."""
    if change.resource_type not in READ or change.status is Status.UNCHANGED:
        return
    if change.status is Status.ADDED:
        yield SqlChange(category=Category.NON_BREAKING)
    elif change.status is Status.REMOVED:
        yield _breaking("removed")
    else:
        before, after = causes.base.nodes[change.unique_id], causes.current.nodes[change.unique_id]
        yield _NOTHING
        yield from _effects(change, before, after, causes, compare)


def _effects(
    change: Change, before: NodeMetadata, after: NodeMetadata, causes: Causes, compare: CompareSql
) -> Iterator[SqlChange]:
    """The effect of each reason."""
    if after.resource_type in RELATIONS:
        yield from scanned_effects(change, before, after, lambda: _of_sql(before, after, causes, compare))
        return
    has_sql = after.resource_type in SQL_BUILT and after.language != "python"
    reasons = set(change.reasons)
    if has_sql and reasons & {Reason.BODY, Reason.COMPILED, Reason.MACROS, Reason.PARENTS}:
        yield _of_sql(before, after, causes, compare)
    if Reason.BODY in reasons:
        yield _of_body(before, after, causes) if has_sql else _without_sql(after)
    unseen = causes.unseen_macros(before, after) if Reason.MACROS in reasons else frozenset()
    for detail in change.details:
        match detail.reason:
            case Reason.COMPILED if detail.key != "compiled_code":
                yield _breaking("reads another relation" if has_sql else "definition changed")
            case Reason.MACROS if detail.key in unseen or not has_sql:
                yield _unknown(f"macro {detail.key.rpartition('.')[2]} runs outside of the query")
            case Reason.CONFIG:
                yield _of_config(detail)
            case Reason.RELATION:
                afresh = after.resource_type == "seed" or after.materialized in BUILT_AFRESH
                yield _MOVED if afresh else _breaking("moved")
            case Reason.DATA:
                yield _breaking("other rows")
            case Reason.COLUMNS | Reason.CONTRACT:
                yield _of_columns(detail)
            case _:
                pass


def _of_sql(before: NodeMetadata, after: NodeMetadata, causes: Causes, compare: CompareSql) -> SqlChange:
    old, new = causes.base.compiled(before), causes.current.compiled(after)
    if old is None or new is None:
        same = before.compiled_code is after.compiled_code is None and before.code_hash == after.code_hash
        return _NOTHING if same and before.code_hash else _unknown("not compiled on both sides")
    if old == new:
        return _NOTHING
    return compare(before, old, after, new)


def _of_body(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> SqlChange:
    """What of an edit the compiled SQL cannot show: Jinja chose one of two branches when it was compiled."""
    texts = (before.raw_code or "", after.raw_code or "")
    if not any(map(branches, texts)):
        return _NOTHING
    alike = branch_tokens(texts[0], causes.adapter) == branch_tokens(texts[1], causes.adapter)
    if alike and causes.base.compiled(before) != causes.current.compiled(after):
        return _NOTHING
    return _unknown("a branch that was not compiled")


def _without_sql(node: NodeMetadata) -> SqlChange:
    if node.language == "python" or node.resource_type == "function":
        return _unknown("Python" if node.language == "python" else "body changed")
    return _breaking("definition changed")


def _of_config(detail: ChangeDetail) -> SqlChange:
    parts = detail.key.split(".")
    key = parts[0]
    if key in SAYS_NOTHING_OF_DATA or parts[-1] == "label" or "meta" in parts:
        return _NOTHING
    if key == "columns":  # documented, without a contract
        return _NOTHING
    if key in ONLY_HOW_IT_IS_KEPT:
        return SqlChange(category=Category.NON_BREAKING, reasons=(f"{key} changed",))
    if key in DECIDES_OVER_ROWS:
        return _breaking(f"{key} changed")
    if key == "materialized":
        return _of_materialization(detail)
    if key == "column_types" and detail.key != key:  # of a seed
        return _touching(detail.key.removeprefix("column_types."), Status.MODIFIED, f"{detail.key} changed")
    return _unknown(f"{key} changed")


def _of_materialization(detail: ChangeDetail) -> SqlChange:
    base, current = str(detail.base or "view"), str(detail.current or "view")
    reason = f"materialized: {detail.base} → {detail.current}"
    if {base, current} <= BUILT_AFRESH or (base == "ephemeral" and current in BUILT_AFRESH):
        return SqlChange(category=Category.NON_BREAKING, reasons=(reason,))
    return _breaking(reason)


def _of_columns(detail: ChangeDetail) -> SqlChange:
    """Of columns as the catalog has them, or as a contract promises them."""
    if detail.key == "(order)":
        return SqlChange(category=Category.NON_BREAKING, moved=True)
    if detail.reason is Reason.CONTRACT and (
        detail.key in ("enforced", "constraints") or detail.key.startswith("columns.")
    ):
        return SqlChange(category=Category.NON_BREAKING, reasons=("contract changed",))
    if detail.base is None:
        return _touching(detail.key, Status.ADDED)
    if detail.current is None:
        return _touching(detail.key, Status.REMOVED)
    return _touching(detail.key, Status.MODIFIED, f"type of {detail.key} changed")


def _touching(column: str, status: Status, *reasons: str) -> SqlChange:
    milder = status is Status.ADDED
    return SqlChange(
        category=Category.NON_BREAKING if milder else Category.PARTIAL_BREAKING,
        columns=(ColumnChange(column, status),),
        reasons=reasons,
    )


def _breaking(*reasons: str) -> SqlChange:
    return SqlChange(category=Category.BREAKING, reasons=reasons)


def _unknown(*reasons: str) -> SqlChange:
    return SqlChange(category=Category.UNKNOWN, reasons=reasons)
