"""`diff`: two runs, stored or on disk, and what changed between them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.effects import Effects
from recce_meta.api.on_disk import folder_of, read_run
from recce_meta.api.one_run import OneRun, StoredRun
from recce_meta.api.run_facts import FactsAtHand, RunFacts, StoredFacts
from recce_meta.api.stored import stored_diff
from recce_meta.diff.causes import Causes
from recce_meta.diff.changes import compare, renamed_by_dbt
from recce_meta.diff.dbt_changes import dbt_changes, dbt_notes
from recce_meta.diff.like_dbt import dbt_state_resolver, diff_state_resolver
from recce_meta.diff.scanned_models import drift
from recce_meta.diff.scanned_scope import is_scan, narrowed, scope_note, seen_by_both
from recce_meta.diff.scanned_state import scan_state_resolver
from recce_meta.diff.side import Side
from recce_meta.diff.summary import changed_ids, is_unseen_seed, run_diff
from recce_meta.errors import SelectorError, UnknownNameError, UsageError
from recce_meta.extractors.project import project_above
from recce_meta.graph import LineageGraph, build_lineage_graph, nearest_names, select
from recce_meta.models import COSMETIC, Change, Project, Reason, RunDiff, Status
from recce_meta.models.category import Category
from recce_meta.store.files import DEFAULT_SCHEMA
from recce_meta.store.select import load_run, resolve_complete_run

REFUSABLE = (Category.BREAKING, Category.PARTIAL_BREAKING, Category.UNKNOWN)
"""Categories that `--fail-on` knows."""
FAILS = "fails"
"""The word of `--fail-on` for changes that make a node downstream fail."""
EFFECTS = (FAILS, *(category.value for category in REFUSABLE))
"""The effects that `--fail-on` knows."""
NOT_COMPARED = "not-compared"
"""The condition of `--fail-on` that data was not compared, or not in full."""

_OF_STATE = re.compile(r"[\d+@]*(state|result|source_status):")
"""Methods of selection whose answer may well be empty: nothing was modified, nothing failed."""


@dataclass(frozen=True)
class Question:
    """What a diff is asked for beside its two runs."""

    selection: Sequence[str] = ()
    exclude: Sequence[str] = ()
    like_dbt: bool = False
    finds_removed: bool = False
    """Whether `state:modified` in the selection means removed nodes, too, which dbt never lists."""

    may_select_nothing: bool = True
    """False: a selection that names no node of either run is an error."""

    @property
    def needs_whole_runs(self) -> bool:
        """Whether all of both runs is needed, and not only what differs."""
        return bool(self.selection or self.exclude or self.like_dbt)


NOTHING_MORE = Question()

FactsOf = Callable[[Project, LineageGraph, Collection[str]], RunFacts]


def diff(
    connect: Callable[[], UnifiedSqlAdapter],
    base: str,
    current: str,
    *,
    project: str | None = None,
    schema: str = DEFAULT_SCHEMA,
    question: Question = NOTHING_MORE,
) -> RunDiff:
    """What changed from *base* to *current*, which are run selectors (see `recce_meta.store.select`).

    One may be a scan of a database and the other a run of dbt, also of another project.

    `path:DIR` reads artifacts from disk; *connect* is called only where a stored run is named. Two
    stored runs are compared in the warehouse, and only what differs is fetched.
    """
    paths = [folder_of(name) for name in (base, current)]
    read = _from_disk(paths)
    if len(read) == 2:
        return whole_diff(read[0], read[1], question)
    adapter = connect()
    stored = [
        resolve_complete_run(adapter, name, project=project, schema=schema)
        for name, path in zip((base, current), paths, strict=True)
        if path is None
    ]
    if len(stored) == 2:
        is_mixed = is_scan(stored[0]) != is_scan(stored[1])
        if not is_mixed:
            _same_project(stored[0].project_name, stored[1].project_name)
        if not (is_mixed or question.needs_whole_runs):
            return stored_diff(adapter, stored[0], stored[1], schema)
    loaded = [load_run(adapter, run, schema=schema) for run in stored]
    sides = [loaded.pop(0) if path is None else read.pop(0) for path in paths]
    return whole_diff(
        sides[0], sides[1], question, _facts_of({run.run_id: (adapter, schema) for run in stored})
    )


def diff_of_pair(base: OneRun, current: OneRun, question: Question) -> RunDiff:
    """The diff of two runs of which all will be read, and whose data may be compared.

    Raises UsageError for a scan and a run of dbt: no node of one is a node of the other.
    """
    if is_scan(base.run) != is_scan(current.run):
        raise UsageError(
            "A scan and a dbt run have no nodes in common whose data could be compared",
            hint="leave out --data and --checks; row-count and value compare any --tables BASE CURRENT",
        )
    places = {
        one.run.run_id: (one.adapter, one.schema) for one in (base, current) if isinstance(one, StoredRun)
    }
    return whole_diff(base.project, current.project, question, _facts_of(places))


def _facts_of(places: Mapping[str, tuple[UnifiedSqlAdapter, str]]) -> FactsOf:
    """What tells of runs, of which *places* says by id where they are stored.

    Of one that was recorded with its columns, they need not be computed again.
    """

    def facts(project: Project, graph: LineageGraph, changed: Collection[str]) -> RunFacts:
        run = project.run
        if run.column_graph_id is None or run.run_id not in places:
            return FactsAtHand(project, graph, changed)
        adapter, schema = places[run.run_id]
        return StoredFacts(adapter, run, schema, graph)

    return facts


def parse_fail_on(text: str, *, like_dbt: bool = False, of_data: bool = False) -> frozenset[str]:
    """`removed,breaking` as the statuses, reasons and categories of `--fail-on`, and `any`.

    Raises UnknownNameError for a word that is none of them, UsageError where there is no word at all, and
    for a category in a diff *like_dbt*, which has none.
    """
    changes = [status.value for status in Status if status is not Status.UNCHANGED]
    reasons = [reason.value for reason in Reason if reason not in COSMETIC]
    known = [
        *changes,
        *EFFECTS,
        *reasons,
        *([NOT_COMPARED] if of_data else []),
        "any",
    ]
    words = [word.strip().lower() for word in text.split(",") if word.strip()]
    for word in words:
        if word not in known:
            raise UnknownNameError("condition", word, known, where="in --fail-on")
    if not words:
        raise UsageError("--fail-on names no condition", hint=f"one of: {', '.join(known)}")
    effects = [effect for effect in EFFECTS if effect in words]
    if like_dbt and effects:
        raise UsageError(
            f"--fail-on {','.join(effects)} would never fail: with --like-dbt nothing is said of effects",
            hint="leave out --like-dbt, or name a status or a reason",
        )
    return frozenset(words)


def failing(diff: RunDiff, conditions: frozenset[str]) -> list[Change]:
    """The changes that have a status, a category or a reason of *conditions*.

    `fails` finds the changes without whose removed or renamed columns a node fails.
    `any` finds every change but SQL that was rewritten and means the same.

    Raises UsageError for an effect where a scan is compared with a run of dbt, which has none.
    """
    effects = sorted(conditions.intersection(EFFECTS))
    if effects and is_scan(diff.base) != is_scan(diff.current):
        raise UsageError(
            f"--fail-on {','.join(effects)} would never fail: between a scan and a dbt run nothing is said "
            "of effects",
            hint="name a status or a reason: added, removed, modified, columns, config",
        )
    origins = {impact.origin for impact in diff.impacted if impact.fails} | {
        origin for one in diff.changed if one.reached and one.reached.fails for origin in one.reached.origins
    }
    return [
        change
        for change in diff.changed
        if (FAILS in conditions and change.unique_id in origins)
        or ("any" in conditions and not change.is_rewritten)
        or change.status.value in conditions
        or (change.category is not None and change.category.value in conditions)
        or not conditions.isdisjoint(reason.value for reason in change.reasons)
    ]


def _from_disk(paths: Iterable[Path | None]) -> list[Project]:
    """The projects at *paths*. Seeds of one checkout cannot belong to two runs, and are not hashed then."""
    found = [path for path in paths if path is not None]
    roots = [project_above(path) for path in found]
    shared = len(roots) == 2 and roots[0] is not None and roots[0] == roots[1]
    return [read_run(path, hash_seed_files=not shared) for path in found]


def _same_project(base: str, current: str) -> None:
    if base != current:
        raise UsageError(
            f"'{base}' and '{current}' are two projects", hint="diff compares two runs of one project"
        )


def whole_diff(
    base: Project, current: Project, question: Question, facts_of: FactsOf = FactsAtHand
) -> RunDiff:
    """The diff of two runs that are here whole; *facts_of* each of them are its SQL and columns.

    Of a scan and a run of dbt, what differs between the database and what the project says of it. Raises
    UsageError where dbt is asked about a scan.
    """
    if question.like_dbt and (is_scan(base.run) or is_scan(current.run)):
        raise UsageError("dbt has no answer about a scan of a database", hint="leave out --like-dbt")
    if is_scan(base.run) != is_scan(current.run):
        return _drift_diff(base, current, question)
    _same_project(base.run.project_name, current.run.project_name)
    notes = [*dbt_notes(base, current)] if question.like_dbt else []
    if (seen := seen_by_both(base.run, current.run, DEFAULT_SCHEMA)) is not None:
        base, current = (replace(side, nodes=tuple(narrowed(side.nodes, seen))) for side in (base, current))
        notes.append(scope_note(base.run, current.run))
    before, after = Side.of(base), Side.of(current)
    changes: Mapping[str, Change] = (
        dbt_changes(base, current) if question.like_dbt else compare(before, after)
    )
    unselected: set[str] = set()
    if question.selection or question.exclude:
        chosen = _selected(base, current, question)
        unselected = set(changed_ids(changes)) - chosen
        changes = {unique_id: change for unique_id, change in changes.items() if unique_id in chosen}
        if not chosen:
            notes.append(nothing_selected(question, base, current))
        elif len(" ".join(question.selection).split()) > 1:
            notes += unknown_terms(question.selection, base, current)
    nodes = {**before.nodes, **after.nodes}
    unseen = [
        unique_id
        for unique_id in before.nodes.keys() & after.nodes.keys()
        if is_unseen_seed(before.nodes[unique_id], after.nodes[unique_id])
    ]
    renamed = set(renamed_by_dbt(before, after).values())
    edges = {*current.edges, *(edge for edge in base.edges if edge.node_id not in renamed)}
    graph = build_lineage_graph(nodes.values(), edges)
    if question.like_dbt:
        return run_diff(base.run, current.run, changes, graph, nodes, unseen, notes, unselected)
    notes += Causes(before, after).unattributed_macros([*before.nodes.values(), *after.nodes.values()])
    facts = (facts_of(base, graph, changes), facts_of(current, graph, changes))
    effects = Effects((before, after), facts, graph, {*changed_ids(changes), *unselected})
    judged, reached = effects.of(changes)
    return run_diff(
        base.run,
        current.run,
        judged,
        graph,
        nodes,
        unseen,
        [*notes, *effects.notes()],
        unselected,
        reached,
    )


def _drift_diff(base: Project, current: Project, question: Question) -> RunDiff:
    """What is there that no node makes, and what nodes claim that is not; nobody's effect is told.

    What is downstream is as the project has it.
    """
    found = drift(base, current)
    nodes = {node.unique_id: node for project in (base, current) for node in project.nodes}
    changes: Mapping[str, Change] = found.changes
    notes = [*found.notes]
    if question.selection or question.exclude:
        graph = build_lineage_graph(nodes.values(), {*base.edges, *current.edges})
        chosen = select(question.selection, nodes, graph, exclude=question.exclude)
        changes = {unique_id: change for unique_id, change in changes.items() if unique_id in chosen}
        notes += [] if chosen else [nothing_selected(question, base, current)]
    project = base if is_scan(current.run) else current
    downstream = build_lineage_graph(project.nodes, project.edges)
    unselected = found.changes.keys() - changes.keys()
    return run_diff(base.run, current.run, changes, downstream, nodes, notes=notes, unselected=unselected)


def nothing_selected(question: Question, base: Project, current: Project) -> str:
    """Return the note on a selection without nodes, or raise SelectorError if it must have some."""
    text = "The selection names no node of either run"
    terms = [term.split(",") for terms in question.selection for term in terms.split()]
    if question.may_select_nothing or any(_may_be_empty(term, base, current) for term in terms):
        return text
    names = sorted({node.name for project in (base, current) for node in project.nodes})
    raise SelectorError(
        f"{text}: {' '.join(question.selection) or '--exclude leaves no node'}",
        hint="; ".join(
            [*nearest_names(question.selection, names), "--allow-empty accepts an empty selection"]
        ),
    )


def unknown_terms(selection: Sequence[str], base: Project, current: Project) -> list[str]:
    """Return a note for each term of *selection* that names no node, and is not about states."""
    terms = list(dict.fromkeys(term for text in selection for term in text.split()))
    names = sorted({node.name for project in (base, current) for node in project.nodes})
    notes = []
    for term in terms:
        if _may_be_empty(term.split(","), base, current) or _selected(base, current, Question([term])):
            continue
        notes.append("; ".join([f"'{term}' selects no node of either run", *nearest_names([term], names)]))
    return notes


def _may_be_empty(term: Sequence[str], base: Project, current: Project) -> bool:
    """Return True if the parts of *term* name nodes, but none in the state that one of them asks for."""
    fixed = [part for part in term if not _OF_STATE.match(part)]
    if len(fixed) == len(term):
        return False
    return not fixed or bool(_selected(base, current, Question([",".join(fixed)])))


def _selected(base: Project, current: Project, question: Question) -> frozenset[str]:
    """The nodes of either side that the question's selectors name."""
    nodes = {node.unique_id: node for project in (base, current) for node in project.nodes}
    resolver = diff_state_resolver if question.finds_removed else dbt_state_resolver
    return select(
        question.selection,
        nodes,
        build_lineage_graph(nodes.values(), {*base.edges, *current.edges}),
        exclude=question.exclude,
        state=(scan_state_resolver if is_scan(current.run) else resolver)(base, current),
        results={result.unique_id: result for result in current.results},
        project_name=current.run.project_name,
        dbt_version=current.run.dbt_version,
    )
