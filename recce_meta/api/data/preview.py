"""Previews: what edits of model files do to the data, before a build.

The SQL of base and that of the working tree run over the relations of base, and are compared as two queries.
Edited nodes that a previewed node reads, and all nodes between them, are part of the SQL on both sides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.read_only import require_query
from recce_meta.api.comparison import Comparison
from recce_meta.api.data.execution import Job
from recce_meta.api.data.jobs import known, values
from recce_meta.api.data.node_settings import resolve_settings
from recce_meta.api.diff import NOTHING_MORE, diff_of_pair
from recce_meta.api.edited_project import PYTHON, SNAPSHOT, EditedProject, read_edited_project
from recce_meta.api.run_choice import RunDefaults, select_edited, with_builds
from recce_meta.api.run_reader import PREFIX, MemoryRunReader, RunReader, folder_of, open_run
from recce_meta.api.runs import RunPair
from recce_meta.config.nodes import EffectiveSettings
from recce_meta.data_diff.detail import chance_notes, query_rows
from recce_meta.data_diff.options import ValueOptions, declared_keys
from recce_meta.data_diff.plan import Answer, Plan, Queries, failure, watched
from recce_meta.data_diff.schema import schema_diff
from recce_meta.data_diff.source import Pair
from recce_meta.errors import (
    PermissionDenied,
    QueryTimeout,
    RecceMetaError,
    StoreNotFound,
    UsageError,
    first_of,
)
from recce_meta.extractors.artifact import find_artifact
from recce_meta.graph import LineageGraph, build_lineage_graph
from recce_meta.models import NodeMetadata, RunDiff, Status
from recce_meta.models.change import Category, Reach
from recce_meta.models.data_diff import (
    AnyDataDiff,
    DataSide,
    Failed,
    NotCompared,
    RowsDiff,
    SchemaDiff,
    Subject,
    ValueDiff,
)
from recce_meta.models.diff_kinds import PREVIEW
from recce_meta.models.run import RunChoice
from recce_meta.profiles import find_project_dir, read_target_path
from recce_meta.quality.privacy import Privacy
from recce_meta.quality.private_outputs import with_private_outputs
from recce_meta.sql_diff.functions import VARYING_TEXT
from recce_meta.warehouses import Warehouse

KIND = PREVIEW.diff
OF_COLUMNS = "schema_diff"
NEW_FAILS = "the new SQL fails"
FAILS_ABOVE = "whose new SQL fails"
VARIABLES = "it reads variables, whose values a run does not have"
LONGEST_SQL = 400_000
"""Characters of the SQL of one side from which a node is not previewed."""
WHOLE = "Previewed as a full build: an incremental build keeps rows that the table has"
EACH_TIME = "{} differ, not by this edit: the SQL gives other results each time"
_SAME_ROWS = (Category.NONE, Category.NON_BREAKING, Category.PARTIAL_BREAKING)
_MOST_NAMED = 5


class Edits(NamedTuple):
    """Run of base, and the files edited since as the other run."""

    runs: RunPair
    choice: RunChoice
    """How base was chosen."""
    edited: EditedProject

    def preview(self) -> Preview:
        """Return the preview of the edits."""
        return Preview(self.edited, diff_of_pair(self.runs.base, self.runs.current, NOTHING_MORE))


def read_edits(
    store: Callable[[], UnifiedSqlAdapter],
    base: str | None,
    root: Path,
    *,
    defaults: RunDefaults,
    project: str | None = None,
) -> Edits:
    """Return the run that the selector *base* names, and the project in *root* as its files are now.

    By default, base is the artifacts that dbt wrote last, else the run that `select_base` chooses by
    *defaults* and *project*. *store* connects to the store, and is called only if base needs it. Raises
    StoreNotFound, and the errors of `read_edited_project`.
    """
    selector = base or artifacts_of(root)
    try:
        chosen = select_edited(store, selector, defaults=defaults, project=project)
    except StoreNotFound as error:
        if selector is None:
            error.hint = f"build the project with dbt, which writes {read_target_path(root)}, or record a run"
        raise
    opened = open_run(store, chosen.base.selector, project=project)
    is_on_disk = folder_of(selector) is not None
    edited = read_edited_project(opened.project, root, read_at=opened.run.run_at if is_on_disk else None)
    choice = with_builds(store, chosen.choice, opened.run, opened.run)
    return Edits(RunPair(MemoryRunReader(edited.base), MemoryRunReader(edited.current)), choice, edited)


def project_root(project_dir: Path | None) -> Path:
    """Return the folder of dbt_project.yml in *project_dir* or above. Raises UsageError if there is none."""
    root = find_project_dir(project_dir)
    if root is None:
        raise UsageError("No dbt_project.yml in this folder or above", hint="pass --project-dir DIR")
    return root


def artifacts_of(root: Path) -> str | None:
    """Return the selector of the artifacts that dbt wrote last; None if there are none."""
    folder = read_target_path(root)
    return f"{PREFIX}{folder}" if find_artifact(folder, "manifest.json") is not None else None


class Preview:
    """Edits of a project, and the jobs that preview them."""

    def __init__(self, edited: EditedProject, diff: RunDiff) -> None:
        """Create the preview of *edited*; *diff* has the changes from its base to it."""
        self.edited, self.diff = edited, diff
        self._old = {node.unique_id: node for node in edited.base.nodes}
        self._new = {node.unique_id: node for node in edited.current.nodes}

    @cached_property
    def changed(self) -> list[str]:
        """Edited nodes, parents first; without those of which only the formatting differs."""
        found = {change.unique_id for change in self.diff.changed if change.resource_type == "model"}
        found |= self.edited.problems.keys()
        return self._ordered(found)

    @cached_property
    def readers(self) -> list[str]:
        """Models and snapshots that may get other rows or columns than in base; parents first."""
        found = {*(one.unique_id for one in self.diff.impacted), *self.diff.reshaped}
        # What nodes without SQL do to the data is unknown.
        found |= self._graph.downstream(self.edited.problems)
        built = (one for one in found.difference(self.changed) if one.startswith(("model.", "snapshot.")))
        return self._ordered(one for one in built if one in self._new)

    @cached_property
    def proven(self) -> Mapping[str, frozenset[str]]:
        """Columns that may differ, in lower case, of each node whose rows stay the same by the SQL."""
        has_facts = any(change.facts for change in self.diff.changed)
        found: dict[str, frozenset[str]] = {}
        for change in self.diff.changed:
            reached = change.reached
            is_sure = change.category in _SAME_ROWS and not change.facts and change.status is Status.MODIFIED
            if is_sure and (reached is None or (reached.reach is Reach.COLUMNS and not has_facts)):
                names = [one.name for one in change.columns] + list(reached.columns if reached else ())
                found[change.unique_id] = frozenset(map(str.lower, names))
        for one in self.diff.impacted:
            if one.reach is Reach.COLUMNS and one.confidence >= 1 and not has_facts:
                found[one.unique_id] = frozenset(map(str.lower, one.columns))
        return found

    @property
    def fixed(self) -> Mapping[str, frozenset[str]]:
        """`proven` without nodes whose SQL reads the time or random values: a build may give other values."""

        def is_fixed(unique_id: str) -> bool:
            nodes = [self.node(one) for one in (unique_id, *self.inlined(unique_id))]
            codes = [one.compiled_code or one.raw_code for one in nodes]
            return not any(code is None or VARYING_TEXT.search(code) for code in codes)

        return {one: columns for one, columns in self.proven.items() if is_fixed(one)}

    def inlined(self, unique_id: str) -> set[str]:
        """Return the edited nodes upstream of a node, and all nodes between them and it."""
        return self._touched.intersection(self._graph.ancestors(unique_id))

    def node(self, unique_id: str) -> NodeMetadata:
        """Return a node, that of the working tree if it is there."""
        return self._new.get(unique_id) or self._old[unique_id]

    @cached_property
    def _graph(self) -> LineageGraph:
        return build_lineage_graph([], {*self.edited.base.edges, *self.edited.current.edges})

    @cached_property
    def _touched(self) -> set[str]:
        return self._graph.downstream(self.changed)

    def _ordered(self, ids: Iterable[str]) -> list[str]:
        depth = {one: len(self._graph.ancestors(one)) for one in ids}
        return sorted(depth, key=lambda one: (depth[one], one))

    def privacy_of(self, ids: Iterable[str], privacy: Privacy) -> dict[str, Privacy]:
        """Return *privacy* for each of *ids*, with the columns that are private on one side by lineage.

        A node without column lineage shows no values.
        """
        wanted = list(ids)
        upstream = self._graph.upstream(wanted)
        sides = []
        for project in (self.edited.base, self.edited.current):
            known = upstream.intersection(node.unique_id for node in project.nodes)
            sides.append({**dict.fromkeys(known), **MemoryRunReader(project).columns_of(known)})
        return with_private_outputs(privacy, wanted, sides)

    def chosen(
        self, runs: RunPair, selection: Sequence[str], exclude: Sequence[str], *, downstream: bool = False
    ) -> list[str]:
        """Return the edited nodes, with *downstream* or a *selection* also their readers; parents first.

        *selection* and *exclude* limit them, in dbt's grammar.
        """
        ids = [*self.changed, *(self.readers if downstream or selection else ())]
        if not (selection or exclude):
            return ids
        selected = runs.matching(selection, exclude)
        return [one for one in ids if one in selected]

    def results(self, jobs: Sequence[Job], session: Comparison) -> list[AnyDataDiff]:
        """Return the result of each of *jobs*, without values of columns that are private by lineage."""
        ids = [job.subject.unique_id for job in jobs if job.subject.unique_id is not None]
        private = {} if session.privacy is None else self.privacy_of(ids, session.privacy)
        return list(self._without_repeats(session.run_each(jobs, private)))

    def _without_repeats(self, results: Sequence[AnyDataDiff]) -> Iterator[AnyDataDiff]:
        """Yield *results*; the readers of a node whose new SQL fails name the node, not its error again."""
        failed = [one for one in results if isinstance(one, Failed)]
        failing = {one.subject.unique_id: one.error for one in failed if one.error.startswith(NEW_FAILS)}
        for result in results:
            if isinstance(result, Failed) and result.subject.unique_id in failing:
                above = self._ordered(self.inlined(result.subject.unique_id or ""))
                first = next((one for one in above if failing.get(one) == result.error), None)
                if first is not None:
                    reason = f"it reads {self.node(first).label}, {FAILS_ABOVE}"
                    result = NotCompared(subject=result.subject, diff=result.diff, reason=reason)
            yield result

    def jobs(self, ids: Iterable[str], session: Comparison, options: ValueOptions | None) -> list[Job]:
        """Return a job for each of *ids*, which compares its SQL on both sides as `value` compares tables.

        Without *options*, only names and types of the columns are compared, which reads no rows.
        *session* reads the relations of base; the rules of its warehouse for queries apply to the SQL. A node
        that cannot be previewed has a job whose result says why.
        """
        return [self._job(one, session, options) for one in ids]

    def _job(self, unique_id: str, session: Comparison, options: ValueOptions | None) -> Job:
        kind = OF_COLUMNS if options is None else KIND
        node = self.node(unique_id)
        subject = Subject(name=node.label, unique_id=unique_id)
        resolved = resolve_settings(node, session.globs, is_named=False)
        reason = self._reason(unique_id) or resolved.skip_reason(kind)
        if reason is not None:
            result = NotCompared(subject=subject, diff=kind, reason=reason)
            return Job(kind, subject, partial(known, result))
        try:
            if resolved.problem is not None:
                raise resolved.problem
            old, new = self._queries(unique_id, session.current.warehouse)
        except RecceMetaError as error:
            failed = Failed(subject=subject, diff=kind, error=error.message, hint=error.hint)
            return Job(kind, subject, partial(known, failed))
        assert session.runs is not None, "base is a run"
        base = session.runs.base
        pair = replace(session.runner.places.queries(old or new, new, name=node.label), subject=subject)
        notes = tuple(self._notes(node, base))
        if options is None:
            pair = pair if old is not None else replace(pair, base=None)
            return Job(kind, subject, partial(_columns, pair, notes))
        notes += tuple(chance_notes(pair, old or new, new))
        if old is None:
            return Job(KIND, subject, partial(_first_rows, pair, new, options.limit, notes))
        asked = replace(options, candidates=declared_keys(node, base.tests_of([unique_id])))
        if asked.why is not None:
            asked = replace(asked, why=replace(asked.why, queries=(old, new)))
        plan = partial(_compared, pair, asked, resolved.settings, self.proven.get(unique_id), notes)
        return Job(KIND, subject, plan)

    def _reason(self, unique_id: str) -> str | None:
        """Return why a node cannot be previewed; None if it can."""
        if problem := self.edited.problems.get(unique_id):
            return problem if unique_id in self._new else problem + self._still_reading(unique_id)
        if (node := self.node(unique_id)).language == "python":
            return PYTHON
        if node.resource_type == "snapshot":
            return SNAPSHOT
        if self.edited.settings is None and self.edited.reads_variables(unique_id, self.inlined(unique_id)):
            return VARIABLES
        for parent in sorted(self.inlined(unique_id)):
            node = self.node(parent)
            problem = self.edited.problems.get(parent)
            if problem is None and (node.resource_type != "model" or node.language == "python"):
                problem = f"a {'Python model' if node.resource_type == 'model' else node.resource_type}"
            if problem is not None:
                return f"it reads {node.label}, which cannot be previewed: {problem}"
        return None

    def _still_reading(self, unique_id: str) -> str:
        """Return the nodes that read the removed node *unique_id*, in words; empty if there are none."""
        edges = self.edited.current.edges
        names = [self.node(edge.node_id).label for edge in edges if edge.parent_id == unique_id]
        return f", and these still read it: {first_of(names, _MOST_NAMED)}" if names else ""

    def _queries(self, unique_id: str, warehouse: Warehouse) -> tuple[str | None, str]:
        """Return the SQL of both sides; that of base is None for a new node.

        Raises TemplateError, and UsageError for SQL that does more than read.
        """
        old, new = self.edited.sides(unique_id, self.inlined(unique_id))
        assert new is not None, "a removed node has a reason"
        for sql in (old, new):
            if sql is not None and len(sql) > LONGEST_SQL:
                raise RecceMetaError(
                    f"Its SQL with what it reads has {len(sql):,} characters", hint="build it to compare it"
                )
        # A final semicolon would end the subquery.
        before = None if old is None else require_query(old, warehouse, is_guarded=True)
        return before, require_query(new, warehouse, is_guarded=True)

    def _notes(self, node: NodeMetadata, base: RunReader) -> Iterator[str]:
        """Yield what a reader of the figures must know of *node*."""
        nodes = [self.node(one) for one in (node.unique_id, *sorted(self.inlined(node.unique_id)))]
        if any(one.materialized == "incremental" for one in nodes):
            yield WHOLE
        if remark := self.edited.remarks.get(node.unique_id):
            yield f"{remark[0].upper()}{remark[1:]}"
        read = {parent for one in nodes for parent in one.parents}.difference(one.unique_id for one in nodes)
        for parent in sorted(read & base.stale.keys()):
            yield f"{base.names[parent].label} in base: {base.stale[parent]}"


def _compared(
    pair: Pair,
    options: ValueOptions,
    settings: EffectiveSettings,
    proven: frozenset[str] | None,
    notes: tuple[str, ...],
) -> Plan[ValueDiff | RowsDiff]:
    """Compare both queries; *proven* are the columns that may differ if the rows stay the same by the SQL."""
    found = yield from watched(values(pair, options, settings), _name_side)
    if proven is not None and (number := _unexplained(found, proven)):
        # The control: SQL that gives other results each time differs from itself.
        base = pair.base
        assert base is not None, "a pair of queries has both sides"
        twice = replace(pair, current=replace(base, side=DataSide.CURRENT))
        control = yield from values(twice, replace(options, examples=0), settings)
        if control.is_equal is False:
            notes = (EACH_TIME.format(f"{number:,} rows"), *notes)
    return replace(found, notes=(*found.notes, *notes))


def _unexplained(found: ValueDiff | RowsDiff, proven: frozenset[str]) -> int:
    """Return the number of rows that differ although the SQL proves that they are the same."""
    if isinstance(found, RowsDiff):
        return 0 if proven else max(found.added, found.removed)
    moved = found.added + found.removed
    others = [one.mismatched or 0 for one in found.columns if one.name.lower() not in proven]
    return max([moved, *others], default=0)


def _name_side(batch: Queries, answers: Sequence[Answer]) -> None:
    """Raise the error of a description, with which SQL fails."""
    for query, answer in zip(batch, answers, strict=True):
        # Time that is up, or a missing right, proves nothing about the SQL.
        unproven = (PermissionDenied, QueryTimeout)
        if query.describes and (error := failure(answer)) and not isinstance(error, unproven):
            whose = NEW_FAILS if query.side is DataSide.CURRENT else "the SQL of base fails"
            error.message = f"{whose}: {error.message}"
            raise error


def _columns(pair: Pair, notes: tuple[str, ...]) -> Plan[SchemaDiff]:
    """Compare the names and types that the warehouse describes, which reads no rows."""
    found = yield from watched(schema_diff(pair), _name_side)
    return replace(found, notes=(*found.notes, *notes))


def _first_rows(pair: Pair, sql: str, limit: int, notes: tuple[str, ...]) -> Plan[RowsDiff]:
    """Return the number of rows, the columns and the first rows of a new node."""
    assert pair.current is not None, "a pair of queries has both sides"
    found = yield from watched(query_rows(pair.current, pair.subject, sql, limit=limit), _name_side)
    assert found.rows is not None, "the rows of one query"
    return replace(found.rows, subject=pair.subject, notes=(*notes, *found.notes, *found.rows.notes))
