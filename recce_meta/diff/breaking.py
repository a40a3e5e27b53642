"""Breaking changes: how much a change can break, which columns it affects, and the diff of two runs.

A modified node may have changed for several reasons. Each has a category, and the most severe counts. Code is
judged by the compiled SQL of both sides, with relations replaced by unique ids. Other changes are judged by
the tables below; unlisted config keys are `unknown`. A change is breaking unless it is provably safe.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from msgspec.structs import replace

from recce_meta.diff.causes import Causes, causes_of
from recce_meta.diff.changes import modified_node, node_details
from recce_meta.diff.code import variable_calls
from recce_meta.diff.disabled import disabled_effect, disabled_pairs
from recce_meta.diff.macro_reach import GRAPH
from recce_meta.diff.materializations import REBUILT, materialization_effect, seed_effects, table_effects
from recce_meta.diff.project_side import ProjectSide
from recce_meta.diff.properties import converted_columns, declares_table
from recce_meta.diff.same_sql import BRANCH
from recce_meta.diff.scan_models import scanned_effects
from recce_meta.diff.table_config import config_effect
from recce_meta.diff.variant_effects import (
    CompareSql,
    caller_effects,
    failure_effects,
    macro_effects,
    unknown_effect,
    variant_effects,
)
from recce_meta.graph import LineageGraph, is_ephemeral
from recce_meta.models import (
    Change,
    ChangeDetail,
    Impact,
    LineageEdge,
    NodeMetadata,
    Reason,
    RunDiff,
    RunMetadata,
    Status,
)
from recce_meta.models.catalog import RELATIONS, VIEWS
from recce_meta.models.change import (
    AS_LONG_AS,
    BY_GUESS,
    CERTAIN,
    EXISTING,
    SEVERITY,
    Category,
    ColumnChange,
    Reach,
    ReachedBy,
    SqlChange,
    condition_of,
)
from recce_meta.models.relation_tokens import CLOSING, OPENING
from recce_meta.sql_lineage.project.nodes import elements
from recce_meta.sql_lineage.project.semantics import SEMANTIC_MODEL
from recce_meta.sql_lineage.propagation import AffectedNode
from recce_meta.warehouses.builds import names_in
from recce_meta.warehouses.hooks import HOOKS, OPERATION, hook_texts, hooks_and_macros, removes_rows

READ = frozenset("model seed snapshot source metric semantic_model saved_query function".split()) | RELATIONS
"""Resource types that other nodes can read, and whose changes have a category."""

_UNREAD = frozenset(["test", OPERATION])
"""Resource types without readers, which may fail."""

SQL_BUILT = frozenset(["model", "snapshot"]) | VIEWS
"""Resource types whose rows and columns follow from compiled SQL."""

METADATA_CONFIG = frozenset(
    """tags meta group access docs persist_docs description labels query_tag freshness loaded_at_field
    loaded_at_query loader label source_meta deprecation_date latest_version snowflake_warehouse
    databricks_compute static_analysis owner url maturity constraints concurrent_batches copy_grants
    kms_key_name resource_tags table_tag snowflake_initialization_warehouse""".split()
)
"""Config keys that do not affect the node's data. Constraints without a contract are not enforced;
those with one are compared as part of the contract."""

DOCUMENTED = frozenset(["data_type", "constraints", "quote", "description", "tags", "meta"])
"""Keys of columns that only document them, if no contract is enforced."""

STORAGE_CONFIG = frozenset(
    """cluster_by partition_by indexes sort sort_type dist transient automatic_clustering file_format
    liquid_clustered_by buckets clustered_by unlogged backup""".split()
)
"""Config keys that affect only how the warehouse stores a table, not its rows and columns."""

ROW_CONFIG = frozenset(
    """unique_key incremental_strategy incremental_predicates on_schema_change merge_update_columns
    merge_exclude_columns full_refresh begin lookback batch_size strategy updated_at check_cols
    invalidate_hard_deletes hard_deletes dbt_valid_to_current""".split()
)
"""Config keys that determine which rows the next build adds, retains and overwrites.

`materializations` has exceptions by materialization and strategy.
"""

_FINDS_PARENTS = frozenset(["ref", "source", "graph", "model", "context", "builtins"])
"""Words by which a template may find a parent without its name."""

_NOTHING = SqlChange(category=Category.NONE)
_MOVED = SqlChange(category=Category.BREAKING, reasons=("moved",))
"""For tables that are rebuilt on every run. An incremental table starts empty at its new location."""
_RESTARTED = SqlChange(
    category=Category.BREAKING,
    reasons=("moved", f"{EXISTING} stay in the old relation: the new one is built afresh"),
)
_REDIRECTED = SqlChange(category=Category.BREAKING, reasons=("readers read another relation",))
"""For sources, which dbt does not build."""
_COLUMN_RANK = {Status.REMOVED: 0, Status.MODIFIED: 1, Status.ADDED: 2}


class CategorisedChanges(NamedTuple):
    """Changes with their categories, and the effects that nodes inside the project see."""

    changes: dict[str, Change]
    """Changes by unique id. Those of readable nodes have a category and the affected columns."""
    effects: dict[str, SqlChange]
    """Effects on readers inside the project, which follow a relocated table through `ref`."""
    moved: tuple[str, ...]
    """Nodes whose relation moved, which breaks queries that name the table directly."""
    elsewhere: dict[str, tuple[str, SqlChange]]
    """Unedited nodes that a macro changes on other targets only, each with the macro and the effect."""


def categorise(
    changes: Mapping[str, Change], base: ProjectSide, current: ProjectSide, compare: CompareSql
) -> CategorisedChanges:
    """Return *changes* with the category of each.

    Nodes of both sides must include their code if it is stored. *compare* is called only for nodes whose SQL
    differs.
    """
    causes = causes_of(base, current)
    disabled = dict(disabled_pairs(causes))
    callers = {
        macro: dict(caller_effects(macro, ids, causes, compare))
        for macro, ids in causes.acting_elsewhere.items()
        if macro in changes
    }
    effects = {
        unique_id: list(
            disabled_effect(change, disabled[unique_id])
            if unique_id in disabled and change.resource_type in READ
            else macro_effects(callers[unique_id], causes)
            if unique_id in callers
            else failure_effects(change, causes) or _all_effects(change, causes, compare)
        )
        for unique_id, change in changes.items()
    }
    return CategorisedChanges(
        {unique_id: _judged(change, effects[unique_id]) for unique_id, change in changes.items()},
        {
            # By identity: the move of an incremental table is an equal effect, but its readers do see it.
            base.heirs.get(unique_id, unique_id): merge_effects(one for one in found if one is not _MOVED)
            for unique_id, found in effects.items()
            if found and unique_id not in callers and changes[unique_id].status is not Status.ADDED
        },
        tuple(unique_id for unique_id, found in effects.items() if any(one is _MOVED for one in found)),
        {one: (macro, merge_effects(on)) for macro, found in callers.items() for one, on in found.items()},
    )


def merge_effects(found: Iterable[SqlChange]) -> SqlChange:
    """Merge *found* into one effect: the most severe category, and each column once with its worst status."""
    effects = list(found)
    columns: dict[str, ColumnChange] = {}
    for column in (column for effect in effects for column in effect.columns):
        earlier = columns.get(column.name.lower())
        if earlier is None or _COLUMN_RANK[column.status] < _COLUMN_RANK[earlier.status]:
            columns[column.name.lower()] = column
    worst = max((effect.category for effect in effects), key=SEVERITY.__getitem__, default=Category.NONE)
    # What breaks, or is unknown, does so whatever holds for the rows.
    facts = (
        {fact for effect in effects for fact in effect.facts}
        if SEVERITY[worst] < SEVERITY[Category.UNKNOWN]
        else set()
    )
    reasons = [reason for effect in effects for reason in effect.reasons]
    conditions = [condition_of(sorted(facts))] if facts else []
    return SqlChange(
        category=worst,
        columns=tuple(sorted(columns.values(), key=lambda column: column.status is Status.REMOVED)),
        reasons=(*dict.fromkeys(r for r in reasons if not r.startswith(AS_LONG_AS)), *conditions),
        moved=any(effect.moved for effect in effects),
        retyped=tuple(dict.fromkeys(name for effect in effects for name in effect.retyped)),
        lost_fields=tuple(dict.fromkeys(name for effect in effects for name in effect.lost_fields)),
        facts=tuple(sorted(facts)),
    )


def readers_of_ephemeral(
    changes: Mapping[str, Change],
    base: ProjectSide,
    current: ProjectSide,
    graph: LineageGraph,
    compare: CompareSql,
) -> dict[str, tuple[str, int, SqlChange]]:
    """Return the effects of changed ephemeral models on the nodes that inline them, by reader.

    Each value is the ephemeral model, the number of edges from it to the reader, and the effect. The change
    shows in the readers' compiled SQL although the readers did not change themselves.
    """
    causes = causes_of(base, current)
    found: dict[str, tuple[str, int, SqlChange]] = {}
    for unique_id, change in changes.items():
        if change.category in (None, Category.NONE) or not is_ephemeral(unique_id, current.nodes):
            continue
        # A reader that is ephemeral itself is inlined in turn.
        through = partial(is_ephemeral, nodes=current.nodes)
        for child, distance in graph.descendants(unique_id, through=through).items():
            before, after = base.nodes.get(child), current.nodes.get(child)
            if before and after and after.resource_type in SQL_BUILT and not after.is_ephemeral:
                # The text of the ephemeral model is in compiled SQL only.
                query = _of_shown(before, after, causes, compare)
                words = causes.deciding_words(before, after)
                effects = [query, *table_effects(before, after, query, (), causes.adapter, *words)]
                found[child] = (unique_id, distance, merge_effects(effects))
    return found


def _judged(change: Change, effects: Sequence[SqlChange]) -> Change:
    if not effects:
        return change
    effect = merge_effects(effects)
    return replace(
        change,
        category=None if change.resource_type in _UNREAD else effect.category,
        category_reasons=effect.reasons,
        columns=effect.columns,
        columns_moved=effect.moved,
        facts=effect.facts,
    )


def _all_effects(change: Change, causes: Causes, compare: CompareSql) -> Iterator[SqlChange]:
    """Yield the effects of a change on the node's readers; nothing if the resource type has no readers."""
    if change.resource_type not in READ or change.status is Status.UNCHANGED:
        return
    if change.status is Status.ADDED:
        yield SqlChange(category=Category.NON_BREAKING)
    elif change.status is Status.REMOVED and change.unique_id not in causes.base.heirs:
        yield _breaking("removed")
    elif change.status is Status.REMOVED:
        before = causes.base.nodes[change.unique_id]
        after = causes.current.nodes[causes.base.heirs[change.unique_id]]
        yield replace(_NOTHING, reasons=(f"{after.label} has its relation",))
        as_one = modified_node(after, node_details(before, after, causes))
        yield from _effects(as_one, before, after, causes, compare)
    else:
        before, after = causes.base.nodes[change.unique_id], causes.current.nodes[change.unique_id]
        yield _NOTHING
        yield from _effects(change, before, after, causes, compare)


def _effects(
    change: Change, before: NodeMetadata, after: NodeMetadata, causes: Causes, compare: CompareSql
) -> Iterator[SqlChange]:
    """Yield the effect of each reason."""
    if after.resource_type in RELATIONS:
        yield from scanned_effects(change, before, after, lambda: _of_sql(before, after, causes, compare))
        return
    has_sql = after.resource_type in SQL_BUILT and after.language != "python"
    reasons = set(change.reasons)
    if has_sql and reasons & {Reason.BODY, Reason.COMPILED, Reason.MACROS, Reason.PARENTS}:
        query = _of_sql(before, after, causes, compare)
        yield query
        words = causes.deciding_words(before, after)
        yield from table_effects(before, after, query, change.details, causes.adapter, *words)
    if after.resource_type == SEMANTIC_MODEL and (lost := _lost_elements(before, after)):
        columns = tuple(ColumnChange(name, Status.REMOVED) for name in lost)
        yield SqlChange(category=Category.PARTIAL_BREAKING, columns=columns)
    if has_sql and not reasons.isdisjoint((Reason.BODY, Reason.MACROS)):
        shown = _of_sql(before, after, causes, compare)
        yield from variant_effects(shown, change.details, before, after, causes, compare)
        if causes.macros.sends_otherwise(before, after):
            yield unknown_effect("a statement that may write rows is sent while the node is rendered")
    elif Reason.BODY in reasons:
        yield from _of_elements(change) if after.resource_type == SEMANTIC_MODEL else (_without_sql(after),)
    yield from _of_contract(before, after, causes)
    unseen = causes.macros.unseen(before, after) if Reason.MACROS in reasons else frozenset()
    for detail in change.details:
        match detail.reason:
            case Reason.COMPILED if detail.key != "compiled_code":
                # The details of a redirected source or a redefined measure.
                yield _breaking("reads another relation" if has_sql else "definition changed")
            case Reason.MACROS if detail.key in unseen or not has_sql:
                yield unknown_effect(f"macro {detail.key.rpartition('.')[2]} runs outside of the query")
            case Reason.CONFIG:
                yield _of_config(detail, before, after, causes)
            case Reason.RELATION if after.resource_type == "source":
                yield _REDIRECTED
            case Reason.RELATION:
                # A relation that is rebuilt is complete at its new location.
                afresh = after.resource_type in ("seed", "function") or after.materialized in REBUILT
                yield _MOVED if afresh else _RESTARTED
            case Reason.DESCRIPTIONS:
                yield _unless_read(_NOTHING, "description", before, after, causes)
            case Reason.DATA:
                yield _breaking("other rows")
                if Reason.RELATION not in reasons:
                    yield from seed_effects(before, after, change.details, causes.adapter)
            case Reason.COLUMNS | Reason.CONTRACT:
                yield _of_columns(detail, after)
            case Reason.PARENTS if _is_read_out_of_sight(detail.key, before, after, causes):
                yield unknown_effect(f"a hook, statement or branch may read {detail.key.split('.', 1)[1]}")
            case _:
                pass


def _of_sql(before: NodeMetadata, after: NodeMetadata, causes: Causes, compare: CompareSql) -> SqlChange:
    """Return the effect of other SQL, by branch if only one run found the table of the node."""
    is_equal = causes.base.compiled(before) == causes.current.compiled(after)
    found = None if is_equal else causes.every_target.branches(before, after)
    if found is None:
        return _of_shown(before, after, causes, compare)
    first, later = (
        compare(replace(before, compiled_code=old), old, replace(after, compiled_code=new), new)
        for old, new in (found.first, found.later)
    )
    if first == later:
        return first
    return merge_effects(
        replace(effect, reasons=tuple(_with_condition(reason, when) for reason in effect.reasons))
        for when, effect in ((f"not {BRANCH}()", first), (f"{BRANCH}()", later))
    )


def _with_condition(reason: str, when: str) -> str:
    return reason if reason.startswith(AS_LONG_AS) else f"if {when}: {reason}"


def _of_shown(before: NodeMetadata, after: NodeMetadata, causes: Causes, compare: CompareSql) -> SqlChange:
    """Return the effect of other compiled SQL."""
    old, new = causes.base.compiled(before), causes.current.compiled(after)
    if old is None or new is None:
        # Without compiled SQL, equal templates prove that the query is the same if they call equal macros and
        # find the same parents: `ref` without a version depends on `latest_version`.
        same = before.compiled_code is after.compiled_code is None and before.code_hash == after.code_hash
        same = same and set(before.parents) == set(after.parents)
        is_proven = same and before.code_hash and not causes.macros.behind(after, before)
        return _NOTHING if is_proven else unknown_effect("not compiled on both sides")
    if old == new:
        return _NOTHING
    return compare(before, old, after, new)


def _is_read_out_of_sight(parent: str, before: NodeMetadata, after: NodeMetadata, causes: Causes) -> bool:
    """Return True if code that compiled SQL does not show may read *parent*, which only one side has."""
    if after.language == "python" or after.resource_type == "function":
        return True
    sides = ((causes.base, before), (causes.current, after))
    names = set(parent.lower().split(".")[2:])
    names |= {(side.nodes[parent].identifier or "").lower() for side, _ in sides if parent in side.nodes}
    if not any(f"{OPENING}{parent}{CLOSING}" in (side.compiled(node) or "") for side, node in sides):
        # The query does not explain the edge: code that finds parents without their names may do so.
        names |= _FINDS_PARENTS
    texts = [text for side, node in sides for text in hooks_and_macros(node, side.macros)]
    return not names.isdisjoint(names_in([*texts, *causes.macros.texts_out_of_sight(after)]))


def _lost_elements(before: NodeMetadata, after: NodeMetadata) -> list[str]:
    """Return the names of elements that a semantic model had: metrics and saved queries may name them."""
    kept = {name for name, _ in elements(after) or ()}
    return [name for name, _ in elements(before) or () if name not in kept]


def _of_elements(change: Change) -> Iterator[SqlChange]:
    """Yield the effect of changed elements of a semantic model, each by its column.

    Entities decide how semantic models are joined, so that each metric may have other rows.
    """
    for detail in change.details:
        if detail.reason is not Reason.BODY:
            continue
        section, _, path = detail.key.partition(".")
        name, _, inner = path.partition(".")
        if section not in ("measures", "dimensions") or not name:
            yield _breaking("definition changed")
        elif not inner and (detail.base is None or detail.current is None):
            yield _touching(name, Status.ADDED if detail.base is None else Status.REMOVED)
        else:
            yield _touching(name, Status.MODIFIED, f"{section[:-1]} {name} changed")


def _without_sql(node: NodeMetadata) -> SqlChange:
    if node.language == "python" or node.resource_type == "function":
        return unknown_effect("Python" if node.language == "python" else "body changed")
    return _breaking("definition changed")


def _of_config(detail: ChangeDetail, before: NodeMetadata, after: NodeMetadata, causes: Causes) -> SqlChange:
    parts = detail.key.split(".")
    key = parts[0]
    if variable_calls(detail.key) or key == GRAPH:
        return unknown_effect(
            f"a hook, statement, branch or materialization reads {detail.key}, which may differ"
        )
    templates = [node.unrendered_config.keys() - node.config.keys() for node in (before, after)]
    if key in set().union(*templates) - METADATA_CONFIG:
        return unknown_effect(f"{key} changed, which only dbt can render")
    if (effect := config_effect(before, after, detail, causes.adapter)) is not None:
        return _unless_read(effect, key, before, after, causes)
    if key == "columns" and parts[2:3] and parts[2] in DOCUMENTED:  # without a contract
        is_named = causes.macros.reader_of(parts[2], before, after) is not None
        return _unless_read(_NOTHING, key, before, after, causes) if is_named else _NOTHING
    if key in METADATA_CONFIG or parts[-1] == "label" or "meta" in parts:
        return _unless_read(_NOTHING, key, before, after, causes)
    if key in STORAGE_CONFIG:
        stored = SqlChange(category=Category.NON_BREAKING, reasons=(f"{key} changed",))
        return _unless_read(stored, key, before, after, causes)
    if key in ROW_CONFIG:
        return _breaking(f"{key} changed")
    if key == "materialized":
        unstable = causes.unstable(before, after)
        effect = materialization_effect(before, after, detail, causes.adapter, unstable)
        is_milder = SEVERITY[effect.category] < SEVERITY[Category.UNKNOWN]
        if is_milder and causes.has_own_materialization(before, after):
            return unknown_effect(
                f"materialized: {detail.base} → {detail.current}, by a macro of the project"
            )
        return effect
    if key in HOOKS and _removes_rows(detail):
        return _breaking(f"{key} changed, which deletes, truncates or drops")
    if key == "column_types" and detail.key != key:  # seeds only
        return _touching(detail.key.removeprefix("column_types."), Status.MODIFIED, f"{detail.key} changed")
    return unknown_effect(f"{detail.key if key == 'columns' else key} changed")


def _removes_rows(detail: ChangeDetail) -> bool:
    """Return True if a hook that was added, removed or edited deletes, truncates or drops."""
    before, after = (hook_texts(hooks) for hooks in (detail.base, detail.current))
    changed = [one for one in (*before, *after) if one not in before or one not in after]
    return removes_rows(changed)


def _unless_read(
    effect: SqlChange, key: str, before: NodeMetadata, after: NodeMetadata, causes: Causes
) -> SqlChange:
    """Return *effect*, or an unknown one if a macro of the project that builds the node may read *key*."""
    is_milder = SEVERITY[effect.category] < SEVERITY[Category.UNKNOWN]
    reader = causes.macros.reader_of(key, before, after) if is_milder else None
    return unknown_effect(f"{reader} reads {key}") if reader else effect


def _of_columns(detail: ChangeDetail, after: NodeMetadata) -> SqlChange:
    """Return the effect of a column change in the catalog or in a contract."""
    if detail.key == "(order)":
        return SqlChange(category=Category.NON_BREAKING, moved=True)
    parts = detail.key.split(".")
    is_new = parts[-1] == "constraints" and bool(detail.current) and declares_table(after)
    if detail.reason is Reason.CONTRACT and is_new:
        return unknown_effect("the rows of the next build may break the constraints of its contract")
    if detail.reason is Reason.CONTRACT and parts[0] == "columns" and parts[-1] == "name":
        return unknown_effect("its contract spells a column in another letter case")
    if detail.reason is Reason.CONTRACT and (
        detail.key in ("enforced", "constraints", "alias_types") or detail.key.startswith("columns.")
    ):
        return SqlChange(category=Category.NON_BREAKING, reasons=("contract changed",))
    if detail.base is None:
        return _touching(detail.key, Status.ADDED)
    if detail.current is None:
        return _touching(detail.key, Status.REMOVED)
    return _touching(detail.key, Status.MODIFIED, f"type of {detail.key} changed")


def _of_contract(before: NodeMetadata, after: NodeMetadata, causes: Causes) -> Iterator[SqlChange]:
    """Yield the effect on values if only one side's table has the types that its contract declares."""
    if names := converted_columns(before, after, causes):
        columns = tuple(ColumnChange(name, Status.MODIFIED) for name in names)
        reason = "its contract may declare other types than its query has, which dbt refuses or converts"
        yield SqlChange(category=Category.PARTIAL_BREAKING, columns=columns, reasons=(reason,))


def _touching(column: str, status: Status, *reasons: str) -> SqlChange:
    milder = status is Status.ADDED
    return SqlChange(
        category=Category.NON_BREAKING if milder else Category.PARTIAL_BREAKING,
        columns=(ColumnChange(column, status),),
        reasons=reasons,
    )


def _breaking(*reasons: str) -> SqlChange:
    return SqlChange(category=Category.BREAKING, reasons=reasons)


def changed_ids(changes: Mapping[str, Change]) -> list[str]:
    """Return the ids of added, removed and modified nodes."""
    return [unique_id for unique_id, change in changes.items() if change.status is not Status.UNCHANGED]


def run_diff(
    base: RunMetadata,
    current: RunMetadata,
    changes: Mapping[str, Change],
    graph: LineageGraph,
    named: Mapping[str, NodeMetadata],
    unseen: Iterable[str] = (),
    notes: Iterable[str] = (),
    unselected: Collection[str] = (),
    reached: Mapping[str, AffectedNode] | None = None,
    edges: tuple[Collection[LineageEdge], Collection[LineageEdge]] = ((), ()),
) -> RunDiff:
    """Return the diff with *changes* and their impact in *graph*, which has the edges of both runs.

    *named* contains at least every node that the changes affect. *unseen* are seeds whose rows appear in no
    artifact. *notes* come before the notes about these. *unselected* nodes also changed but were not
    requested. Only *reached* nodes are impacted; without it, all downstream nodes are. *edges* are those of
    base and of current.
    """
    changed = changed_ids(changes)
    below = graph.impact(changed)
    downstream = {
        unique_id: place
        for unique_id, place in below.items()
        if unique_id in named and unique_id not in unselected
    }
    impacted = list(_impacts(downstream, named, reached))
    children = [LineageEdge(child, parent) for parent in changed for child in graph.children(parent)]
    drawn = sorted(
        LineageEdge(child, parent) for parent in {*changed, *below} for child in graph.children(parent)
    )
    before, after = edges
    return RunDiff(
        base=base,
        current=current,
        changes=tuple(
            _with_reach(changes[unique_id], (reached or {}).get(unique_id)) for unique_id in sorted(changes)
        ),
        impacted=tuple(sorted(impacted, key=lambda impact: (impact.distance, impact.unique_id))),
        unreached=len(downstream) - len(impacted),
        reshaped=tuple(sorted(one for one, found in (reached or {}).items() if found.is_reshaped)),
        edges=tuple(drawn),
        # The graph may have edges that neither run records.
        added_edges=tuple(edge for edge in drawn if edge in after and edge not in before),
        removed_edges=tuple(edge for edge in drawn if edge in before and edge not in after),
        names={
            unique_id: named[unique_id].label
            for edge in children
            for unique_id in (edge.node_id, edge.parent_id)
            if unique_id in named
        },
        notes=(*notes, *_notes(sorted(unseen))),
    )


def _impacts(
    downstream: Mapping[str, tuple[int, str]],
    named: Mapping[str, NodeMetadata],
    reached: Mapping[str, AffectedNode] | None,
) -> Iterator[Impact]:
    for unique_id, (distance, origin) in downstream.items():
        node = named[unique_id]
        impact = Impact(
            unique_id=unique_id,
            name=node.label,
            resource_type=node.resource_type,
            distance=distance,
            origin=origin,
        )
        if reached is None:
            yield impact
        elif (found := reached.get(unique_id)) and found.confidence:
            yield replace(
                impact,
                distance=found.distance,
                origin=found.origin,
                reach=found.reach,
                columns=tuple(sorted(found.columns)) if found.reach is Reach.COLUMNS else (),
                # A failure is the worst effect, so its confidence is shown even if another effect is surer.
                confidence=found.fails or found.confidence,
                fails=found.fails >= CERTAIN,
                may_fail=_may_fail(found),
                failure=found.failure if found.fails >= CERTAIN else "",
            )


def _may_fail(found: AffectedNode) -> str:
    if found.fails >= CERTAIN:
        return ""
    return BY_GUESS if found.fails else found.may_fail


def _with_reach(change: Change, found: AffectedNode | None) -> Change:
    """Add the effects of other changes to *change*; to that of a new node only if it fails or may fail."""
    if found is None or not found.confidence or change.status is Status.REMOVED:
        return change
    if change.status is Status.ADDED and not (found.fails or found.may_fail):
        return change
    return replace(
        change,
        reached=ReachedBy(
            origins=tuple(sorted(found.origins)),
            reach=found.reach,
            columns=tuple(sorted(found.columns)) if found.reach is Reach.COLUMNS else (),
            confidence=found.fails or found.confidence,
            fails=found.fails >= CERTAIN,
            may_fail=_may_fail(found),
            failure=found.failure if found.fails >= CERTAIN else "",
        ),
    )


def _notes(unseen: list[str]) -> Iterable[str]:
    if unseen:
        names = ", ".join(unique_id.split(".", 2)[-1] for unique_id in unseen)
        yield (
            f"Rows not compared: {names} (over 1 MiB, which dbt does not hash; "
            "record in the directory that contains the seed files)"
        )
