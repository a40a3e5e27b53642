"""Analysis of an edited model: its rendered SQL, its columns, and what it breaks.

The text in the editor and the text it is compared with are rendered by the same renderer, with the same
macros: a difference between renderers never shows as a change. What could not be rendered or analysed on
both sides is not compared, and says why.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, partial
from threading import Lock
from time import monotonic
from weakref import WeakKeyDictionary, proxy

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.api.change_effects import Effects
from recce_meta.api.run_reader import RunReader, StoredRunReader
from recce_meta.diff.breaking import SQL_BUILT, changed_ids, run_diff
from recce_meta.diff.changes import compare
from recce_meta.diff.project_side import ProjectSide
from recce_meta.errors import TemplateError
from recce_meta.graph import LineageGraph, build_lineage_graph, is_ephemeral
from recce_meta.lsp.edited_run import EditedRun
from recce_meta.lsp.project import ProjectIndex
from recce_meta.lsp.rendering import LiveRenderer, LiveSql
from recce_meta.models import NodeMetadata, code_hash
from recce_meta.models.change import Category, Impact, SqlChange
from recce_meta.models.lineage import (
    ColumnEdge,
    ColumnOutput,
    Direction,
    FailingNode,
    Kind,
    NodeColumns,
    Stop,
    Tier,
)
from recce_meta.sql_lineage.impact import COLUMNS, ColumnRef, Step, impact_view, removal, walk
from recce_meta.sql_lineage.project.columns import (
    PYTHON,
    AnalysisJob,
    Failure,
    analyse_job,
    attempt,
)
from recce_meta.sql_lineage.project.names import QueryNames, RelationFinder, canonical_name
from recce_meta.sql_lineage.project.nodes import (
    EVERYTHING,
    ConversionSettings,
    Spelling,
    node_columns,
    snapshot_columns,
    test_columns,
)
from recce_meta.store.read import load_differences

SECONDS = 2.0
"""Time limit for all work on one version of a text."""
_LEAST = 0.3
"""Seconds that the analysis has in any case, after a slow rendering."""
_UNCHANGED = (Kind.PASSTHROUGH, Kind.RENAMED)


class LiveModel(Struct, frozen=True, kw_only=True):
    """Rendered and analysed text of one model."""

    unique_id: str
    text: str
    """Template that was rendered."""
    sql: str | None = None
    """Rendered SQL; None if rendering failed."""
    parents: tuple[str, ...] = ()
    """Unique ids of the nodes that the template refers to, sorted."""
    columns: NodeColumns | None = None
    """Column lineage; parents are unique ids. None if the SQL does not parse."""
    reason: str | None = None
    """Why there is no SQL, or no column lineage, in one sentence."""

    @property
    def names(self) -> tuple[str, ...] | None:
        """Names of the output columns in order; None unless all are known."""
        found = () if self.columns is None else tuple(dict.fromkeys(self.columns.names))
        return None if not found or EVERYTHING in found else found


Others = Mapping[str, LiveModel]
"""Analyses of other open texts with unsaved edits, by unique id."""


class RemovedColumn(Struct, frozen=True, kw_only=True):
    """Column of the saved model that the text no longer has."""

    name: str
    fails: tuple[FailingNode, ...]
    """Nodes that fail without it, nearest first."""
    renamed_to: str | None = None
    """Column of the text with the same expression, if exactly one is new."""
    unchecked: str | None = None
    """Why further nodes may fail, in one sentence."""


class Effect(Struct, frozen=True, kw_only=True):
    """Change of the text against the same model in another run."""

    change: SqlChange
    """Category, columns and reasons."""
    impacted: tuple[Impact, ...] = ()
    """Downstream nodes that the change affects, nearest first."""


class LiveProject:
    """Everything that the analysis of a text needs of one index; built once."""

    def __init__(self, index: ProjectIndex) -> None:
        # Weak, because this object lives as long as the index.
        self.index: ProjectIndex = proxy(index)
        self.renderer = self._renderer_of(index.reader)
        self._finder: RelationFinder | None = None
        self._saved: dict[str, LiveModel] = {}
        self._children: dict[str, list[ColumnEdge]] = {}
        self._base_code: dict[str, LiveSql | str] = {}
        self._lock = Lock()

    def _renderer_of(self, reader: RunReader) -> LiveRenderer:
        index = self.index
        return LiveRenderer(reader, index.run, index.lock, lambda: index.settings)

    @property
    def finder(self) -> RelationFinder:
        """Finder of the relations in the SQL of current."""
        with self._lock:
            if self._finder is None:
                self._finder = RelationFinder(self.renderer.known.values(), self.index.dialect)
            return self._finder

    def saved(self, node: NodeMetadata) -> LiveModel:
        """Return the analysis of the recorded text of *node*."""
        found = self._saved.get(node.unique_id)
        if found is None:
            text = (self.renderer.nodes([node.unique_id]).get(node.unique_id) or node).raw_code
            found = (
                LiveModel(unique_id=node.unique_id, text="", reason="the run has no code of it")
                if text is None
                else self.model(node, text, {})
            )
            self._saved[node.unique_id] = found
        return found

    def model(self, node: NodeMetadata, text: str, others: Others) -> LiveModel:
        """Render and analyse *text*."""
        failed = partial(LiveModel, unique_id=node.unique_id, text=text)
        if node.language == "python":
            return failed(reason=PYTHON)
        start = monotonic()
        try:
            found = self.renderer.render(text, node)
        except TemplateError as error:
            return failed(reason=f"not rendered: {error.problem}")
        parents = tuple(sorted(found.parents))
        written = replace(node, compiled_code=found.sql, parents=parents)
        rendered = partial(failed, sql=found.sql, parents=parents)
        if not found.sql.strip():
            return rendered(reason="it renders to no SQL")
        left = max(SECONDS - (monotonic() - start), _LEAST)
        columns = self.analysed(written, others, left, is_exact=found.is_exact)
        return rendered(reason=columns.reason) if isinstance(columns, Failure) else rendered(columns=columns)

    def analysed(
        self, node: NodeMetadata, others: Others, timeout: float, *, is_exact: bool = True
    ) -> NodeColumns | Failure:
        """Return the columns of the compiled SQL of *node*; its parents have the columns of *others*."""
        names = self.finder.of(node)
        schemas: dict[str, Mapping[str, str]] = {}
        for unique_id, keys in names.keys().items():
            if types := self.types(unique_id, others):
                schemas.update(dict.fromkeys(keys, types))
        found = analyse_job(AnalysisJob(names.sql, self.index.dialect, schemas), timeout)
        if isinstance(found, Failure):
            return Failure(names.readable(found.reason), found.is_late)
        columns = node_columns(found, self._reading(names, others, is_exact))
        if node.resource_type == "test":
            return test_columns(columns)
        if node.resource_type == "snapshot" and columns.outputs:
            return replace(columns, outputs=(*columns.outputs, *snapshot_columns(node, columns.outputs)))
        return columns

    def types(self, unique_id: str, others: Others) -> Mapping[str, str]:
        """Return the known columns of a parent with their types, and `*` if it may have more."""
        known = self.index.columns(unique_id)
        types = {name: text or "" for name, text in known.types.items()}
        edited = others.get(unique_id)
        names = None if edited is None else edited.names
        if names is not None:
            folded = {self.folded(name): text for name, text in types.items()}
            return {name: folded.get(self.folded(name), "") for name in names}
        if not known.are_all or edited is not None:
            return {**types, EVERYTHING: ""} if types else {}
        return types

    def _reading(self, names: QueryNames, others: Others, is_exact: bool) -> ConversionSettings:
        def spelling_of(unique_id: str) -> Spelling | None:
            known = [name for name in self.types(unique_id, others) if name != EVERYTHING]
            return Spelling(known) if known else None

        return ConversionSettings(
            names=names,
            spelling_of=spelling_of,
            tier=Tier.GOLD if is_exact else Tier.SILVER,
            certainty=1.0 if is_exact else 0.9,
            dialect=self.index.dialect,
        )

    def folded(self, name: str) -> str:
        """Return *name* in the spelling in which two names of a column are equal."""
        return canonical_name(name, self.index.dialect)

    @cached_property
    def base_renderer(self) -> LiveRenderer | None:
        """Renderer of the texts of base, with the variables and the target of current; None without base."""
        return None if self.index.base is None else self._renderer_of(self.index.base)

    def base_code(self, node: NodeMetadata) -> LiveSql | str:
        """Return the recorded text of the node of base, rendered; the reason if that failed."""
        found = self._base_code.get(node.unique_id)
        if found is None:
            found = self._base_code[node.unique_id] = self._rendered_base(node)
        return found

    def _rendered_base(self, node: NodeMetadata) -> LiveSql | str:
        if self.base_renderer is None or node.raw_code is None:
            return "base has no code of it"
        try:
            return self.base_renderer.render(node.raw_code, node)
        except TemplateError as error:
            return f"not rendered in base: {error.problem}"

    @cached_property
    def differing(self) -> frozenset[str]:
        """Unique ids of the nodes that differ between base and the recorded run."""
        base, current = self.index.base, self.index.reader
        if base is None:
            return frozenset()
        with self.index.lock:
            if (
                isinstance(base, StoredRunReader)
                and isinstance(current, StoredRunReader)
                and (base.adapter, base.schema) == (current.adapter, current.schema)
            ):
                found = load_differences(base.adapter, base.run, current.run, schema=base.schema)
                sides = [
                    ProjectSide({node.unique_id: node for node in nodes}, {}, run, tokenised=True)
                    for nodes, run in zip(found, (base.run, current.run), strict=True)
                ]
            else:
                sides = [ProjectSide.of(base.project), ProjectSide.of(current.project)]
        return frozenset(changed_ids(compare(*sides)))

    @cached_property
    def graph(self) -> LineageGraph:
        """Graph of the edges of both runs: only base has those of removed nodes."""
        base = self.index.base
        with self.index.lock:
            edges = {*self.index.reader.edges, *(base.edges if base is not None else ())}
        return build_lineage_graph([], edges)

    def children(self, ids: Iterable[str]) -> list[ColumnEdge]:
        """Return every edge from a column of *ids* to a node that reads it."""
        wanted = list(ids)
        new = [unique_id for unique_id in wanted if unique_id not in self._children]
        if new:
            with self.index.lock:
                found = list(self.index.reader.column_children(new))
            self._children.update((unique_id, []) for unique_id in new)
            for edge in found:
                self._children[edge.parent_id].append(edge)
        return [edge for unique_id in wanted for edge in self._children[unique_id]]

    def failing(self, unique_id: str, column: str) -> tuple[FailingNode, ...]:
        """Return the nodes that fail without a column, nearest first, by the recorded lineage."""
        starts = [ColumnRef(unique_id, COLUMNS, column)]
        asked, edges = {unique_id}, self.children([unique_id])
        found = walk(starts, removal(edges))
        # Only a `*` passes the removal on, so few nodes below are read.
        while new := {ref.unique_id for ref in found.distances if ref.reach == COLUMNS} - asked:
            asked |= new
            edges = self.children(asked)
            found = walk(starts, removal(edges))
        view = impact_view(
            unique_id,
            column,
            Direction.DOWNSTREAM,
            {Direction.DOWNSTREAM: walk(starts, _no_steps)},
            self.index.names,
            removed=found,
        )
        return view.fails or ()


def _no_steps(_: ColumnRef) -> Iterable[Step]:
    return ()


_PROJECTS: WeakKeyDictionary[ProjectIndex, LiveProject] = WeakKeyDictionary()
_LOCK = Lock()


def project_of(index: ProjectIndex) -> LiveProject:
    """Return what is kept for *index* while it is in use."""
    with _LOCK:
        found = _PROJECTS.get(index)
        if found is None:
            found = _PROJECTS[index] = LiveProject(index)
        return found


NO_OTHERS: Others = {}


def live_model(index: ProjectIndex, node: NodeMetadata, text: str, others: Others = NO_OTHERS) -> LiveModel:
    """Render and analyse *text* as the code of *node*. Never raises: the reason is in the result.

    The columns of *others* replace the recorded ones of these models.
    """
    found = attempt(lambda: project_of(index).model(node, text, others))
    if isinstance(found, Failure):
        return LiveModel(unique_id=node.unique_id, text=text, reason=found.reason)
    return found


NO_REFERENCES = "References not checked: the run was recorded without them"
INLINED = "References not checked: the model is ephemeral, so its SQL is part of its readers"


def removed_columns(
    index: ProjectIndex, node: NodeMetadata, live: LiveModel, others: Others = NO_OTHERS
) -> tuple[RemovedColumn, ...]:
    """Return the columns that *live* lacks, compared with the recorded model, and the nodes that fail.

    Empty unless all columns of both are known. A node that no longer refers to a column in its text of
    *others* is not one of those that fail.
    """
    found = attempt(lambda: tuple(_removed(project_of(index), node, live, others)))
    return () if isinstance(found, Failure) else found


def _removed(
    project: LiveProject, node: NodeMetadata, live: LiveModel, others: Others
) -> Iterator[RemovedColumn]:
    recorded = project.index.columns(node.unique_id)
    if live.names is None or live.columns is None or not recorded.are_all:
        return
    now = {project.folded(name) for name in live.names}
    # A column that only a catalog or our renderer finds may be out of date, or be named by the warehouse.
    lost = [name for name in recorded.types if project.folded(name) not in now]
    if not lost:
        return
    saved = project.saved(node)
    if saved.names is None or saved.columns is None:
        return
    before = {project.folded(output.name): output for output in saved.columns.outputs}
    added = [output for output in live.columns.outputs if project.folded(output.name) not in before]
    renamed = _renamed([before[key] for name in lost if (key := project.folded(name)) in before], added)
    for name in lost:
        output = before.get(project.folded(name))
        if output is not None:
            yield _removed_column(project, node, name, renamed.get(output.name), others)


def _removed_column(
    project: LiveProject, node: NodeMetadata, name: str, renamed_to: str | None, others: Others
) -> RemovedColumn:
    if node.is_ephemeral:
        return RemovedColumn(name=name, fails=(), renamed_to=renamed_to, unchecked=INLINED)
    if not project.index.reader.has_references:
        return RemovedColumn(name=name, fails=(), renamed_to=renamed_to, unchecked=NO_REFERENCES)
    fails = _with_edits(project, node, name, project.failing(node.unique_id, name), others)
    return RemovedColumn(name=name, fails=tuple(fails), renamed_to=renamed_to)


def _with_edits(
    project: LiveProject,
    node: NodeMetadata,
    column: str,
    fails: Iterable[FailingNode],
    others: Others,
) -> Iterator[FailingNode]:
    """Yield the nodes that fail with the texts of *others*; *fails* are those of the recorded texts."""
    recorded = {failing.unique_id: failing for failing in fails}
    for unique_id, edited in others.items():
        places = recorded[unique_id].references if unique_id in recorded else ()
        named = _references(project, edited, {node.unique_id, *(stop.unique_id for stop in places)})
        if named is None or unique_id == node.unique_id:
            continue
        wanted = {(stop.unique_id, project.folded(stop.column or "")) for stop in places}
        if recorded.get(unique_id) is not None:
            if not wanted & named:
                del recorded[unique_id]
        elif (node.unique_id, project.folded(column)) in named:
            known = project.index.names.get(unique_id)
            stops = (Stop(node.unique_id, column), Stop(unique_id))
            recorded[unique_id] = FailingNode(
                unique_id=unique_id,
                name=known.label if known else unique_id,
                resource_type=known.resource_type if known else "model",
                distance=1,
                confidence=1.0,
                path=stops,
                references=stops[:1],
            )
    yield from sorted(recorded.values(), key=lambda failing: (failing.distance, failing.unique_id))


def _references(project: LiveProject, edited: LiveModel, parents: set[str]) -> set[tuple[str, str]] | None:
    """Return the columns that an edited text refers to; None if unknown or none is of *parents*.

    The parents have their recorded columns, because a removed column has no parent among those that are left.
    """
    known = project.index.names.get(edited.unique_id)
    if edited.sql is None or edited.columns is None:
        return None
    if not parents.intersection(edited.parents):
        return set()
    node = known or NodeMetadata(unique_id=edited.unique_id, name=edited.unique_id, resource_type="model")
    written = replace(node, compiled_code=edited.sql, parents=edited.parents)
    columns = project.analysed(written, {}, SECONDS)
    if isinstance(columns, Failure):
        return None
    return {(source.parent, project.folded(source.column)) for source in columns.references}


def _renamed(lost: list[ColumnOutput], added: list[ColumnOutput]) -> dict[str, str]:
    """Return the new name of each lost output whose expression exactly one new output has."""
    found: dict[str, str] = {}
    for output in lost:
        same = [other.name for other in added if _is_same(output, other)]
        rivals = [other for other in lost if _is_same(output, other)]
        if len(same) == len(rivals) == 1:
            found[output.name] = same[0]
    return found


def _is_same(one: ColumnOutput, other: ColumnOutput) -> bool:
    if {(source.parent, source.column) for source in one.sources} != {
        (source.parent, source.column) for source in other.sources
    }:
        return False
    if one.kind in _UNCHANGED or other.kind in _UNCHANGED:
        return one.kind in _UNCHANGED and other.kind in _UNCHANGED and bool(one.sources)
    return one.kind is other.kind and one.expression == other.expression is not None


EDITED_CONFIG = "config() is edited; its effect is compared when the file is saved"
OTHER_CONFIG = "config() differs, and only one side was read from dbt's manifest"
MANY_READERS = "the model is ephemeral, and more than {} nodes inline it"
MOST_INLINED = 20
"""Readers of an ephemeral model that are rendered and compared."""
_CONFIG = re.compile(r"\bconfig\s*\((?:[^()]|\([^()]*\))*\)")


def effect_on_base(
    index: ProjectIndex, node: NodeMetadata, live: LiveModel, others: Others = NO_OTHERS
) -> Effect | None:
    """Return the change of *live* against the run `index.base`, as a diff shows it; None without that run.

    A model that base does not have is an addition. The category is `unknown`, with the reason, if either side
    could not be rendered. None for nodes without rows, such as tests.
    """
    if index.base is None or node.resource_type not in SQL_BUILT:
        return None
    found = attempt(lambda: _effect(project_of(index), node, live, others))
    return _unknown(found.reason) if isinstance(found, Failure) else found


def _unknown(reason: str | None) -> Effect:
    return Effect(change=SqlChange(category=Category.UNKNOWN, reasons=(reason or "not analysed",)))


def _effect(project: LiveProject, node: NodeMetadata, live: LiveModel, others: Others) -> Effect:
    renderer, unique_id = project.base_renderer, node.unique_id
    if renderer is None or project.index.base is None or live.sql is None:
        return _unknown(live.reason)
    recorded = project.renderer.nodes([unique_id]).get(unique_id)
    if recorded is not None and _configs(recorded.raw_code or "") != _configs(live.text):
        return _unknown(EDITED_CONFIG)
    after = replace(
        recorded or node,
        raw_code=live.text,
        compiled_code=live.sql,
        code_hash=code_hash(live.text),
        parents=live.parents,
    )
    before = renderer.nodes([unique_id]).get(unique_id)
    if before is not None:
        code = project.base_code(before)
        if isinstance(code, str):
            return _unknown(code)
        if _is_from_files(before) != _is_from_files(after):
            if _configs(before.raw_code or "") != _configs(live.text):
                return _unknown(OTHER_CONFIG)
            # dbt and our own reader have different settings for equal files.
            before = replace(after, raw_code=before.raw_code, code_hash=before.code_hash)
        before = replace(before, compiled_code=code.sql, parents=tuple(sorted(code.parents)))
    sides = ({} if before is None else {unique_id: before}, {unique_id: after})
    effect = _compared(project, *sides, live, others)
    if effect.change.category is Category.NONE or before is None or not after.is_ephemeral:
        return effect
    inlining = _inlining(project, before, after)
    if len(inlining[0]) > MOST_INLINED:
        return _unknown(MANY_READERS.format(MOST_INLINED))
    return _compared(project, {**sides[0], **inlining[0]}, {**sides[1], **inlining[1]}, live, others)


def _inlining(
    project: LiveProject, before: NodeMetadata, after: NodeMetadata
) -> tuple[dict[str, NodeMetadata], dict[str, NodeMetadata]]:
    """Return the nodes of each side that inline an ephemeral model, with their code; at most one too many."""
    through = partial(is_ephemeral, nodes=project.index.names)
    ids = [*project.graph.descendants(after.unique_id, through=through)]
    found: list[dict[str, NodeMetadata]] = []
    for renderer, edited in ((project.base_renderer, before), (project.renderer, after)):
        nodes = {} if renderer is None else renderer.nodes(ids)
        built = {one: node for one, node in nodes.items() if node.resource_type in SQL_BUILT}
        if renderer is None or len(built) > MOST_INLINED:
            found.append(built)
            continue
        codes = renderer.render_readers(edited, built.values())
        found.append({one: replace(node, compiled_code=codes[one]) for one, node in built.items()})
    both = found[0].keys() & found[1].keys()
    return {one: found[0][one] for one in both}, {one: found[1][one] for one in both}


def _is_from_files(node: NodeMetadata) -> bool:
    """Return True if our own reader read the node: dbt's nodes have a checksum."""
    return node.checksum is None


def _configs(text: str) -> list[str]:
    return ["".join(found.split()) for found in _CONFIG.findall(text)]


def _compared(
    project: LiveProject,
    before: Mapping[str, NodeMetadata],
    after: Mapping[str, NodeMetadata],
    live: LiveModel,
    others: Others,
) -> Effect:
    """Return the effect of the change by the rules of a diff, in which no other node changes.

    *before* and *after* are the edited node on each side, and the nodes that inline it, with their code.
    """
    index, base, unique_id = project.index, project.index.base, live.unique_id
    if base is None or project.base_renderer is None:
        return _unknown(None)
    edited = {unique_id: live, **others}

    def columns_of(one: str) -> NodeColumns | None:
        if one in edited or one not in after:
            return edited[one].columns if one in edited else None
        found = project.analysed(after[one], others, SECONDS)
        return None if isinstance(found, Failure) else found

    runs = (
        EditedRun(base, project.base_renderer, index.lock, project.graph, before, lambda _: None),
        EditedRun(index.reader, project.renderer, index.lock, project.graph, after, columns_of),
    )
    runs[0].other_side, runs[1].other_side = runs[1], runs[0]
    sides = []
    for run, nodes, renderer in zip(
        runs, (before, after), (project.base_renderer, project.renderer), strict=True
    ):
        coded = {one: replace(node, compiled_code=run.code(one)) for one, node in nodes.items()}
        sides.append(ProjectSide(coded, renderer.macros, run.run, tokenised=True))
    changes = compare(*sides)
    changed = {unique_id, *project.differing, *others}
    effects = Effects((sides[0], sides[1]), runs, project.graph, changed)
    judged, reached = effects.of(changes)
    names = {**runs[0].names, **index.names, unique_id: after[unique_id]}
    found = run_diff(base.run, index.run, judged, project.graph, names, reached=reached)
    change = judged.get(unique_id)
    return Effect(
        change=SqlChange(category=Category.NONE)
        if change is None
        else SqlChange(
            category=change.category or Category.NONE,
            columns=change.columns,
            reasons=change.category_reasons,
            moved=change.columns_moved,
        ),
        impacted=found.impacted,
    )
