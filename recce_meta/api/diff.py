"""Diff of two runs, stored or on disk, and the conditions of `--fail-on`.

Two stored runs are compared in the warehouse; only changed and affected nodes are fetched.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as replace_fields
from functools import cached_property, partial
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.change_effects import Effects
from recce_meta.api.partial_run import stored_value_notes
from recce_meta.api.run_reader import MemoryRunReader, RunReader, StoredRunReader, folder_of, read_run
from recce_meta.diff.breaking import changed_ids, run_diff
from recce_meta.diff.causes import Causes, causes_of
from recce_meta.diff.changes import both_sides, compare, differing_variables, gone_ids, renamed_edges, within
from recce_meta.diff.graph_reads import graph_edits
from recce_meta.diff.macro_reach import GRAPH
from recce_meta.diff.project_side import ProjectSide, is_unseen_seed
from recce_meta.diff.scan import is_scan, nodes_in_scope, scope_note, shared_scope
from recce_meta.diff.scan_models import drift
from recce_meta.diff.unseen_values import (
    callers_reading,
    compiled_once,
    uncompared_nodes,
    uncompared_note,
    unseen_value_notes,
)
from recce_meta.errors import ConditionFailed, SelectorError, UnknownNameError, UsageError, first_of, plural
from recce_meta.graph import LineageGraph, build_lineage_graph, nearest_names, select
from recce_meta.graph.selection import definitions
from recce_meta.graph.yaml_selectors import reads_yaml_selectors
from recce_meta.lazy import LazyModule
from recce_meta.models import (
    COSMETIC,
    Change,
    LineageEdge,
    NodeMetadata,
    NodeResult,
    Project,
    Reason,
    RunDiff,
    RunMetadata,
    Status,
)
from recce_meta.models.change import Category, Impact, ReachedBy
from recce_meta.models.run import ERROR_STATUSES, FAILED
from recce_meta.report.labels import build_problem, fail_phrases, node_label, node_part, summarise
from recce_meta.report.review.phrases import doubt_sentences, failing_nodes, failure_sentences
from recce_meta.store import read
from recce_meta.store.select import RunSelector, if_renamed, resolve_complete_run
from recce_meta.store.session import open_store
from recce_meta.store.sql_files import DEFAULT_SCHEMA

if TYPE_CHECKING:
    from recce_meta.api import build_failures
    from recce_meta.api.kept_diffs import KeptDiffs
    from recce_meta.diff import dbt_state
    from recce_meta.extractors import project as project_files
    from recce_meta.graph import state_terms
else:
    build_failures = LazyModule("recce_meta.api.build_failures")
    dbt_state = LazyModule("recce_meta.diff.dbt_state")
    project_files = LazyModule("recce_meta.extractors.project")
    state_terms = LazyModule("recce_meta.graph.state_terms")

CodeField = Literal["raw_code", "compiled_code"]

UNCLEAR = frozenset([Reason.COMPILED, Reason.CONFIG, Reason.RELATION])
"""Reasons that may be due to the environment; the node's source code decides."""

BY_CODE = frozenset([Reason.BODY, Reason.COMPILED, Reason.MACROS, Reason.PARENTS])
"""Reasons with a category that depends on code."""

PROVABLE = frozenset([Reason.BODY, Reason.MACROS])
"""Reasons that do not apply if both sides compiled to the same SQL."""


def stored_diff(adapter: UnifiedSqlAdapter, base: RunMetadata, current: RunMetadata) -> RunDiff:
    """Return the changes between two runs of one store."""
    results = read.load_results(adapter, current) if current.build_status == FAILED else ()
    return _failed(_stored_diff(adapter, base, current, _not_built(results)), results)


def _failed(diff: RunDiff, results: Iterable[NodeResult]) -> RunDiff:
    """Return *diff* with those of current's *results* that have an error or are failed tests."""
    failed = (result for result in results if result.status in (*ERROR_STATUSES, "fail"))
    return replace(diff, failed_results=tuple(sorted(failed, key=lambda result: result.unique_id)))


def _not_built(results: Iterable[NodeResult]) -> list[str]:
    return [result.unique_id for result in results if result.status in ERROR_STATUSES]


def _stored_diff(
    adapter: UnifiedSqlAdapter, base: RunMetadata, current: RunMetadata, not_built: Collection[str]
) -> RunDiff:
    pair = _Pair(adapter, base, current)
    changes = compare(*pair.sides)
    unclear, touched, edited = pair.unclear(changes), pair.touched(changes), pair.edited(changes)
    # Nodes with equal versions, or equal code, are only fetched if they may have changed all the same.
    if unclear or touched or edited:
        pair.add_text(unclear, "raw_code")
        pair.add_text(edited, "compiled_code")
        pair.add(touched)
        changes = compare(*pair.sides)
    if hooked := pair.hooked(changes):
        pair.add(hooked)
        changes = compare(*pair.sides)
    notes = pair.notes(changes)
    if not changed_ids(changes):
        return run_diff(base, current, changes, build_lineage_graph([]), {}, pair.unseen_seeds(), notes)
    pair.add_code(changes)
    graph = pair.graph
    runs = (pair.earlier.with_graph(graph), pair.later.with_graph(graph))
    sides = pair.sides[0], pair.sides[1]
    effects = Effects(sides, runs, graph, changed_ids(changes), gone_ids(changes), not_built)
    judged, reached = effects.of(changes)
    names = pair.names(judged, effects.graph, runs[1].names)
    notes += effects.notes()
    return run_diff(
        base, current, judged, effects.graph, names, pair.unseen_seeds(), notes, (), reached, pair.edges
    )


class _Pair:
    """Both runs, read incrementally."""

    def __init__(self, adapter: UnifiedSqlAdapter, base: RunMetadata, current: RunMetadata) -> None:
        self.adapter, self.base, self.current = adapter, base, current
        self.earlier, self.later = StoredRunReader(adapter, base), StoredRunReader(adapter, current)
        self._macro_notes: list[str] = []
        before, after = read.load_differences(adapter, base, current)
        self._seen = shared_scope(base, current, adapter.schema)
        if self._seen is not None:
            before, after = nodes_in_scope(before, self._seen), nodes_in_scope(after, self._seen)
        # Without a difference, no macro is looked up.
        differs = before or after or base.macro_set_id != current.macro_set_id
        with open_store(adapter) as store:
            macros = read.macros_by_id(store, *((base, current) if differs else (None, None)))
        sides = (
            ProjectSide({node.unique_id: node for node in nodes}, texts, run, tokenised=True)
            for nodes, texts, run in zip((before, after), macros, (base, current), strict=True)
        )
        self.sides = both_sides(*sides)

    @cached_property
    def edges(self) -> tuple[set[LineageEdge], set[LineageEdge]]:
        """Return the edges of base and of current that both runs could have recorded."""
        after = self._in_scope(self.later.edges)
        if self.base.graph_id == self.current.graph_id:
            return after, after
        before = self._in_scope(self.earlier.edges)
        return renamed_edges(before, *self.sides), after

    def _in_scope(self, edges: Iterable[LineageEdge]) -> set[LineageEdge]:
        seen = self._seen
        if seen is None:
            return set(edges)
        return {edge for edge in edges if seen(edge.node_id) and seen(edge.parent_id)}

    @cached_property
    def graph(self) -> LineageGraph:
        """Return the graph of both runs' edges: only base has the edges of removed nodes."""
        before, after = self.edges
        return build_lineage_graph([], before | after)

    def unclear(self, changes: Mapping[str, Change]) -> list[str]:
        """Return nodes with a change that may be due to the environment, if their source is not read yet."""
        nodes = self.sides[1].nodes
        found = self._unread(changes, UNCLEAR, "raw_code")
        return [unique_id for unique_id in found if nodes[unique_id].code_hash is not None]

    def edited(self, changes: Mapping[str, Change]) -> list[str]:
        """Return nodes with changed source or macros but equal compiled SQL that is not read yet."""
        return self._unread(changes, PROVABLE, "compiled_code")

    def _unread(
        self, changes: Mapping[str, Change], reasons: frozenset[Reason], field: CodeField
    ) -> list[str]:
        """Return nodes changed for one of *reasons* with *field* equal on both sides and thus not read."""
        return self._lacking((one for one, change in changes.items() if reasons & {*change.reasons}), field)

    def _lacking(self, ids: Iterable[str], field: CodeField) -> list[str]:
        sides = [side.nodes for side in self.sides]
        # One side may lack a node that dbt renamed: a unit test, which has no code.
        return [one for one in ids if all(one in n and getattr(n[one], field) is None for n in sides)]

    def add_text(self, ids: Sequence[str], field: CodeField) -> None:
        """Read *field* of *ids*, which is equal on both sides, into both sides."""
        if not ids:
            return
        texts = read.load_code(self.adapter, self.current, field, ids)
        self.sides = [
            replace_fields(
                side,
                nodes={
                    unique_id: replace(node, **{field: texts[unique_id]}) if unique_id in texts else node
                    for unique_id, node in side.nodes.items()
                },
            )
            for side in self.sides
        ]

    def add_code(self, changes: Mapping[str, Change]) -> None:
        """Read the code that is equal on both sides but may determine the category of a change."""
        for field in ("raw_code", "compiled_code"):
            self.add_text(self._unread(changes, BY_CODE | {Reason.CONFIG}, field), field)

    def touched(self, changes: Mapping[str, Change]) -> set[str]:
        """Return nodes with equal versions on both sides that may still have changed.

        They read a changed source or semantic model, or call a changed macro.
        """
        ids: set[str] = set()
        for unique_id, change in changes.items():
            moved = change.resource_type == "source" and Reason.RELATION in change.reasons
            if moved or (change.resource_type == "semantic_model" and change.details):
                ids.update(self.graph.children(unique_id))
        causes = causes_of(self.sides[0], self.sides[1])
        if causes.macros.changed:
            ids |= self._callers(causes)
        return ids - self.sides[0].nodes.keys() - self.sides[1].nodes.keys()

    def _callers(self, causes: Causes) -> set[str]:
        """Return nodes that call a changed macro, directly or indirectly, or may call one in a hook."""
        current = self.sides[1]
        found = read.load_narrow_nodes(self.adapter, self.current)
        self._macro_notes = causes.macros.unattributed(found)
        callers = {
            node.unique_id
            for node in found
            if current.closure(node.macros) & causes.macros.changed or causes.macros.may_build(node)
        }
        return callers | set(read.load_hooked(self.adapter, self.current, ""))

    def hooked(self, changes: Mapping[str, Change]) -> set[str]:
        """Return nodes that may read a variable or, in `graph`, a node that differs, if not all is read."""
        causes = causes_of(*self.sides)
        calls, edits = differing_variables(changes, causes), graph_edits(changes, causes)
        if not calls and not edits:
            return set()
        (base, side), word = self.sides, "" if calls else GRAPH
        found = partial(read.load_narrow_nodes, self.adapter, self.current)
        callers = callers_reading(calls, bool(edits), found, side)
        callers.update(read.load_hooked(self.adapter, self.current, word))
        return {*self._lacking(callers, "raw_code")} | callers - base.nodes.keys() - side.nodes.keys()

    def add(self, ids: set[str]) -> None:
        """Read the nodes *ids*, or what is equal of their code on both sides, into both sides."""
        known = ids & self.sides[1].nodes.keys()
        for field in ("raw_code", "compiled_code"):
            self.add_text(self._lacking(known, field), field)
        nodes = read.load_nodes_by_id(self.adapter, self.current, sorted(ids - known))
        more = {node.unique_id: node for node in nodes}
        self.sides = [replace_fields(side, nodes={**side.nodes, **more}) for side in self.sides]

    def names(
        self, changes: Mapping[str, Change], graph: LineageGraph, later: Mapping[str, NodeMetadata]
    ) -> dict[str, NodeMetadata]:
        """Return every node that the changes affect, with at least the fields that name it.

        *later* has nodes of current that were read already.
        """
        named = {**self.sides[0].nodes, **self.sides[1].nodes}
        changed = changed_ids(changes)
        wanted = {*graph.impact(changed), *(child for parent in changed for child in graph.children(parent))}
        named |= {one: read.label_of(later[one]) for one in wanted & later.keys() - named.keys()}
        missing = sorted(wanted - named.keys())
        for run in (self.current, self.base):
            if missing:
                found = read.load_names(self.adapter, run, missing)
                named.update((node.unique_id, node) for node in found)
                missing = [unique_id for unique_id in missing if unique_id not in named]
        return named

    def notes(self, changes: Mapping[str, Change]) -> list[str]:
        """Return notes on parts of the two runs that are not compared."""
        scope = [] if self._seen is None else [scope_note(self.base, self.current)]
        once = compiled_once(self.sides[0], self.sides[1]).difference(changed_ids(changes))
        self.add_text([one for one in once if self.sides[1].nodes[one].raw_code is None], "raw_code")
        unsure = uncompared_nodes(self.sides[0], self.sides[1], once)
        notes = [*scope, *self._macro_notes, *uncompared_note(unsure)]
        return [*notes, *stored_value_notes(self.adapter, self.sides, changed_ids(changes))]

    def unseen_seeds(self) -> list[str]:
        """Return the seeds of both runs whose contents neither dbt nor the recorder read."""
        binds = {"graph_id": self.base.graph_id, "other_graph_id": self.current.graph_id}
        with open_store(self.adapter) as store:
            return read.names_of(store.query("unseen_seeds", **binds))


REFUSABLE = (Category.BREAKING, Category.PARTIAL_BREAKING, Category.UNKNOWN)
"""Categories accepted by `--fail-on`."""
FAILS = "fails"
"""Condition of `--fail-on` for changes that make a downstream node fail."""
MAY_FAIL = "may_fail"
"""Condition of `--fail-on` for changes of which it is not known whether a downstream node fails."""
EFFECTS = (FAILS, MAY_FAIL, *(category.value for category in REFUSABLE))
"""Effects accepted by `--fail-on`."""
NOT_COMPARED = "not-compared"
"""Condition of `--fail-on` for data that was not, or only partly, compared."""
SHOWN = 5
"""Maximum number of names in the message of a failed condition."""


@dataclass(frozen=True)
class DiffQuestion:
    """Options of a diff in addition to its two runs."""

    selection: Sequence[str] = ()
    exclude: Sequence[str] = ()
    like_dbt: bool = False
    finds_removed: bool = False
    """Whether `state:modified` in the selection includes removed nodes, which dbt never lists."""

    may_select_nothing: bool = True
    """Whether a selection may match no node of either run; if False, that is an error."""
    typed: Sequence[str] | None = None
    """Selection as the user wrote it, for messages; None if it is `selection`."""
    empty_hint: str = "--allow-empty accepts an empty selection"
    """Hint of the error for a selection without nodes."""

    @property
    def needs_whole_runs(self) -> bool:
        """Return True if the diff needs both complete runs, not only what differs."""
        return bool(self.selection or self.exclude or self.like_dbt)


NOTHING_MORE = DiffQuestion()


def diff(
    connect: Callable[[], UnifiedSqlAdapter],
    base: RunSelector,
    current: RunSelector,
    *,
    project: str | None = None,
    question: DiffQuestion = NOTHING_MORE,
    kept: KeptDiffs | None = None,
) -> RunDiff:
    """Return the changes from *base* to *current*: run selectors (see `recce_meta.store.select`) or runs.

    One run may be a scan of a database and the other a dbt run, even of another project.

    `path:DIR` reads artifacts from disk; *connect* is called only if a stored run is named. Two stored runs
    are compared in the warehouse, and only what differs is fetched. A diff that *kept*, those of the store,
    has is not computed again.
    """
    before, after = _open_both(connect, base, current, project)
    if not (isinstance(before, StoredRunReader) and isinstance(after, StoredRunReader)):
        return _whole_diff(before, after, question)
    adapter, sides = before.adapter, (before.run, after.run)
    is_mixed = is_scan(before.run) != is_scan(after.run)
    if not is_mixed:
        _same_project(before.run.project_name, after.run.project_name)

    def compute() -> RunDiff:
        if is_mixed or question.needs_whole_runs:
            return _whole_diff(before, after, question)
        return stored_diff(adapter, *sides)

    if kept is None or (question.needs_whole_runs and reads_yaml_selectors()):
        return compute()
    return kept.get_or_compute(diff_key(*sides, question), adapter, compute)


def diff_key(base: RunMetadata, current: RunMetadata, question: DiffQuestion = NOTHING_MORE) -> bytes:
    """Return a key of the diff of two runs of one store: equal keys have equal diffs.

    It has all that is known of both runs, with the digests of their contents: a run that is recorded anew, or
    built, differs.
    """
    named = {**definitions()} if question.needs_whole_runs else {}
    return msgspec.json.encode((base, current, question, named))


def diff_of_pair(base: RunReader, current: RunReader, question: DiffQuestion) -> RunDiff:
    """Return the diff of two runs that will be read completely, and may have their data compared.

    Raises UsageError for a scan and a dbt run: they have no nodes in common.
    """
    if is_scan(base.run) != is_scan(current.run):
        raise UsageError(
            "Data of a scan and a dbt run cannot be compared: they have no nodes in common",
            hint="remove --data and --checks, or use row-count or value with --tables BASE CURRENT",
        )
    return _whole_diff(base, current, question)


def parse_fail_on(text: str, *, like_dbt: bool = False, of_data: bool = False) -> frozenset[str]:
    """Parse the value of `--fail-on`, such as `removed,breaking`: statuses, reasons, effects and `any`.

    Raises UnknownNameError for an unknown word, UsageError if there is no word, and for an effect with
    *like_dbt*, which has no effects.
    """
    changes = [status.value for status in Status if status is not Status.UNCHANGED]
    reasons = [reason.value for reason in Reason if reason not in COSMETIC]
    known = [*changes, *EFFECTS, *reasons, *([NOT_COMPARED] if of_data else []), "any"]
    words = [word.strip().lower() for word in text.split(",") if word.strip()]
    for word in words:
        if word not in known:
            raise UnknownNameError("condition", word, known, where="in --fail-on")
    if not words:
        raise UsageError("Missing condition in --fail-on", hint=f"use one of: {', '.join(known)}")
    effects = [effect for effect in EFFECTS if effect in words]
    if like_dbt and effects:
        raise UsageError(
            f"--fail-on {','.join(effects)} would never fail: --like-dbt does not determine effects",
            hint="remove --like-dbt, or use a status or a reason",
        )
    return frozenset(words)


def failing_changes(diff: RunDiff, conditions: frozenset[str]) -> list[Change]:
    """Return the changes with a status, a category or a reason in *conditions*.

    `fails` matches changes with which a node certainly fails, `may_fail` also those that may make one fail.
    `any` matches every change except SQL rewritten with the same meaning.
    Raises UsageError for an effect in a diff of a scan and a dbt run, which has no effects.
    """
    effects = sorted(conditions.intersection(EFFECTS))
    if effects and is_scan(diff.base) != is_scan(diff.current):
        raise UsageError(
            f"--fail-on {','.join(effects)} would never fail: a diff of a scan and a dbt run does not "
            "determine effects",
            hint="use a status or a reason: added, removed, modified, columns, config",
        )
    harms = not conditions.isdisjoint((FAILS, MAY_FAIL))
    reached: list[tuple[Impact | ReachedBy, tuple[str, ...]]]
    reached = [(one.reached, one.reached.origins) for one in diff.changed if one.reached is not None]
    origins = {
        origin
        for one, found in [*((one, (one.origin,)) for one in diff.impacted), *reached]
        if (one.fails and harms) or (one.may_fail and MAY_FAIL in conditions)
        for origin in found
    }
    return [
        change
        for change in diff.changed
        if change.unique_id in origins
        or (harms and change.build_failure)
        or (change.build_doubt and MAY_FAIL in conditions)
        or ("any" in conditions and not change.is_rewritten)
        or change.status.value in conditions
        or (change.category is not None and change.category.value in conditions)
        or not conditions.isdisjoint(reason.value for reason in change.reasons)
    ]


def failed_text(diff: RunDiff, conditions: frozenset[str]) -> str:
    """Return `4 nodes fail: a, b, …; --fail-on breaking found 1 change: orders`; empty if no condition holds.

    Without such a change, `fails` and `may_fail` hold for a node that dbt could not build, or skipped because
    of a failed test.
    """
    found = failing_changes(diff, conditions)
    broken = [node_part(one.unique_id) for one in diff.failed_results if one.status in ERROR_STATUSES]
    has_skipped = diff.current.build_status == FAILED and diff.current.build_skipped
    if not found:
        if conditions.isdisjoint((FAILS, MAY_FAIL)) or not (broken or has_skipped):
            return ""
        text = f"current: {build_problem(diff.current)}"
        return f"{text}; {first_of(broken, SHOWN)} failed" if broken else text
    failing = [node_label(one) for one in failing_nodes(diff)]
    parts = [f"{fail_phrases(summarise(diff))[0]}: {first_of(failing, SHOWN)}"] if failing else []
    names = first_of([change.name for change in found], SHOWN)
    met = f"--fail-on {','.join(sorted(conditions))} found {plural(len(found), 'change')}: {names}"
    return "; ".join([*parts, met])


def refuse_failing(diff: RunDiff, conditions: frozenset[str], not_compared: Sequence[str] = ()) -> None:
    """Raise ConditionFailed if changes of *diff* meet one of *conditions*, or data was *not_compared*.
    *not_compared* are the names of nodes with data that was not, or only partly, compared.
    """
    if text := failed_text(diff, conditions):
        sentences = failure_sentences(diff)
        sentences += doubt_sentences(diff) if MAY_FAIL in conditions else []
        raise ConditionFailed("; ".join([text, *sentences[:SHOWN]]))
    if NOT_COMPARED in conditions and not_compared:
        names = first_of(not_compared, SHOWN)
        raise ConditionFailed(f"--fail-on {NOT_COMPARED} found {len(not_compared)}: {names}")


def _open_both(
    connect: Callable[[], UnifiedSqlAdapter], base: RunSelector, current: RunSelector, project: str | None
) -> tuple[RunReader, RunReader]:
    """Open both runs. Seed files are not hashed if the artifacts of both share one checkout."""
    selectors = (base, current)
    paths = [path for path in map(folder_of, selectors) if path is not None]
    roots = [project_files.project_above(path) for path in paths]
    # Two runs of one checkout would hash the same files, which proves nothing about their data.
    shared = len(roots) == 2 and roots[0] is not None and roots[0] == roots[1]
    read_runs = [read_run(path, hash_seed_files=not shared) for path in paths]
    on_disk = (
        [MemoryRunReader(one) for one in build_failures.with_build_failures(read_runs, roots, os.environ)]
        if paths
        else []
    )
    if len(on_disk) == 2:
        return on_disk[0], on_disk[1]
    adapter = connect()
    before, after = (
        StoredRunReader(adapter, resolve_complete_run(adapter, name, project=project))
        if folder_of(name) is None
        else on_disk[0]
        for name in selectors
    )
    return before, after


def _same_project(base: str, current: str) -> None:
    if base != current:
        raise UsageError(
            f"Runs of different projects cannot be compared: '{base}' and '{current}'",
            hint=f"select two runs of one project; {if_renamed(current)}",
        )


def whole_diff(
    base: Project, current: Project, question: DiffQuestion, store_schema: str = DEFAULT_SCHEMA
) -> RunDiff:
    """Return the diff of two runs in memory; *store_schema* is the schema of the store that scans leave out.

    The diff of a scan and a dbt run has the differences between the database and the project. Raises
    UsageError for `like_dbt` with a scan.
    """
    before, after = MemoryRunReader(base), MemoryRunReader(current)
    before.store_schema = store_schema
    return _whole_diff(before, after, question)


def _whole_diff(before_run: RunReader, after_run: RunReader, question: DiffQuestion) -> RunDiff:
    """Return the diff of two runs that are read completely; the columns of a stored run are not analysed."""
    base, current = before_run.project, after_run.project
    if question.like_dbt and (is_scan(base.run) or is_scan(current.run)):
        raise UsageError("--like-dbt cannot be combined with a scan", hint="remove --like-dbt")
    if is_scan(base.run) != is_scan(current.run):
        return _drift_diff(base, current, question)
    _same_project(base.run.project_name, current.run.project_name)
    notes = [*dbt_state.dbt_notes(base, current)] if question.like_dbt else []
    if (seen := shared_scope(base.run, current.run, before_run.store_schema)) is not None:
        base, current = (
            replace(side, nodes=tuple(nodes_in_scope(side.nodes, seen))) for side in (base, current)
        )
        notes.append(scope_note(base.run, current.run))
    before, after = both_sides(ProjectSide.of(base), ProjectSide.of(current))
    changes = dbt_state.dbt_changes(base, current) if question.like_dbt else compare(before, after)
    unselected: set[str] = set()
    chosen: frozenset[str] = frozenset()
    is_empty = False
    if is_part := bool(question.selection or question.exclude):
        chosen = _selected(base, current, question)
        is_empty = not chosen and not _is_about_states(question, base, current)
        unselected = set(changed_ids(changes)) - chosen
        changes = within(chosen, changes, causes_of(before, after))
        if not chosen:
            notes.append(nothing_selected(question, base, current))
        elif len(" ".join(question.selection).split()) > 1:
            notes += unknown_terms(question.selection, base, current)
    nodes = {**before.nodes, **after.nodes}
    common = before.nodes.keys() & after.nodes.keys()
    unseen = [one for one in common if is_unseen_seed(before.nodes[one], after.nodes[one])]
    edges = renamed_edges(base.edges, before, after), set(current.edges)
    graph = build_lineage_graph(nodes.values(), edges[0] | edges[1])
    notes += _below_unselected(graph, {*chosen}.difference(changed_ids(changes)), unselected, nodes)
    if question.like_dbt:
        found = run_diff(base.run, current.run, changes, graph, nodes, unseen, notes, unselected, edges=edges)
        return replace(found, selected=chosen if is_part else None, has_empty_selection=is_empty)
    once = compiled_once(before, after).difference(changed_ids(changes))
    unsure = uncompared_nodes(before, after, once & chosen if is_part else once)
    notes += uncompared_note(unsure)
    notes += unseen_value_notes(before, after, changed_ids(changes), chosen if is_part else None)
    notes += causes_of(before, after).macros.unattributed([*before.nodes.values(), *after.nodes.values()])
    runs = (before_run.for_diff(base, graph, changes), after_run.for_diff(current, graph, changes))
    differing = {*changed_ids(changes), *unselected}  # the columns of both sides differ all the same
    not_built = _not_built(current.results)
    effects = Effects((before, after), runs, graph, differing, gone_ids(changes), not_built)
    judged, reached = effects.of(changes)
    notes += effects.notes()
    found = run_diff(
        base.run, current.run, judged, effects.graph, nodes, unseen, notes, unselected, reached, edges
    )
    # What current did not compile, it did not build either.
    uncompared = tuple(one.unique_id for one in unsure if one.compiled_code is not None)
    found = replace(_failed(found, current.results), uncompared=uncompared)
    return replace(found, selected=chosen if is_part else None, has_empty_selection=is_empty)


def _below_unselected(
    graph: LineageGraph, chosen: Iterable[str], unselected: Collection[str], nodes: Mapping[str, NodeMetadata]
) -> list[str]:
    """Return a note on selected nodes whose changed ancestors are not selected: they may be affected."""
    below = sorted(nodes[one].label for one in graph.impact(unselected).keys() & {*chosen} if one in nodes)
    if not below:
        return []
    verb = "is" if len(below) == 1 else "are"
    return [
        f"{plural(len(below), 'selected node')} {verb} downstream of changes outside the selection, "
        f"and may be affected: {first_of(below, SHOWN)}"
    ]


def _drift_diff(base: Project, current: Project, question: DiffQuestion) -> RunDiff:
    """Return relations without a node, and nodes without a relation; effects are not determined.

    Downstream nodes come from the project.
    """
    found = drift(base, current)
    nodes = {node.unique_id: node for project in (base, current) for node in project.nodes}
    changes: Mapping[str, Change] = found.changes
    notes = [*found.notes]
    chosen, is_empty = None, False
    if question.selection or question.exclude:
        graph = build_lineage_graph(nodes.values(), {*base.edges, *current.edges})
        chosen = frozenset(select(question.selection, nodes, graph, exclude=question.exclude))
        changes = {unique_id: change for unique_id, change in changes.items() if unique_id in chosen}
        is_empty = not chosen and not _is_about_states(question, base, current)
        notes += [] if chosen else [nothing_selected(question, base, current)]
    project = base if is_scan(current.run) else current
    downstream = build_lineage_graph(project.nodes, project.edges)
    unselected = found.changes.keys() - changes.keys()
    result = run_diff(base.run, current.run, changes, downstream, nodes, notes=notes, unselected=unselected)
    return replace(result, selected=chosen, has_empty_selection=is_empty)


def nothing_selected(question: DiffQuestion, base: Project, current: Project) -> str:
    """Return the note on a selection without nodes, or raise SelectorError if it may not be empty."""
    text = "The selection matches no node of either run"
    if _is_about_states(question, base, current):
        return text
    given = question.selection if question.typed is None else question.typed
    hints = nearest_names(given, [*base.nodes, *current.nodes])
    if question.may_select_nothing:
        return "; ".join([text, *hints])
    raise SelectorError(
        f"{text}: {' '.join(given) or '--exclude leaves no node'}",
        hint="; ".join([*hints, *([question.empty_hint] if question.empty_hint else [])]) or None,
    )


def _is_about_states(question: DiffQuestion, base: Project, current: Project) -> bool:
    """Return True if a term of the selection is about states, so that an empty result is an answer."""
    return any(_may_be_empty(term.split(","), base, current) for term in " ".join(question.selection).split())


def unknown_terms(selection: Sequence[str], base: Project, current: Project) -> list[str]:
    """Return a note for each term of *selection* that matches no node and is not about states."""
    terms = list(dict.fromkeys(term for text in selection for term in text.split()))
    nodes = [*base.nodes, *current.nodes]
    notes = []
    for term in terms:
        if _may_be_empty(term.split(","), base, current) or _selected(base, current, DiffQuestion([term])):
            continue
        notes.append("; ".join([f"'{term}' matches no node of either run", *nearest_names([term], nodes)]))
    return notes


def _may_be_empty(term: Sequence[str], base: Project, current: Project) -> bool:
    """Return True if *term* has a part about states and its other parts match nodes."""
    fixed = [part for part in term if not state_terms.is_of_state(part)]
    if len(fixed) == len(term):
        return False
    return not fixed or bool(_selected(base, current, DiffQuestion([",".join(fixed)])))


def _selected(base: Project, current: Project, question: DiffQuestion) -> frozenset[str]:
    """Return the nodes of both sides that the selectors of *question* match."""
    nodes = {node.unique_id: node for project in (base, current) for node in project.nodes}
    resolver = dbt_state.diff_state_resolver if question.finds_removed else dbt_state.dbt_state_resolver
    return select(
        question.selection,
        nodes,
        build_lineage_graph(nodes.values(), {*base.edges, *current.edges}),
        exclude=question.exclude,
        state=(dbt_state.scan_state_resolver if is_scan(current.run) else resolver)(base, current),
        project=current,
    )
