"""State of the analysis of edited models for one index: renderers, relations and recorded lineage.

Built once for each index. `live` has the analyses themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property, partial
from threading import Lock
from time import monotonic
from weakref import WeakKeyDictionary, proxy

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.api.run_reader import RunReader, StoredRunReader
from recce_meta.diff.breaking import changed_ids
from recce_meta.diff.changes import compare
from recce_meta.diff.project_side import ProjectSide
from recce_meta.errors import TemplateError
from recce_meta.graph import LineageGraph, build_lineage_graph
from recce_meta.lsp.project.index import ProjectIndex
from recce_meta.lsp.project.rendering import LiveRenderer, LiveSql
from recce_meta.models import NodeMetadata
from recce_meta.models.change import RunDiff, SqlChange
from recce_meta.models.lineage import (
    EVERYTHING,
    ColumnEdge,
    Direction,
    FailingNode,
    NodeColumns,
    Stop,
    Tier,
)
from recce_meta.render.build_failures import BuildFailure
from recce_meta.sql_diff import Fault
from recce_meta.sql_lineage.impact import COLUMNS, ColumnRef, Step, impact_view, removal, walk
from recce_meta.sql_lineage.project.columns import PYTHON
from recce_meta.sql_lineage.project.jobs import AnalysisJob, Failure, analyse_job
from recce_meta.sql_lineage.project.names import QueryNames, RelationFinder, canonical_name
from recce_meta.sql_lineage.project.nodes import (
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
    """Reason why the SQL or the column lineage is missing, in one sentence."""
    failure: BuildFailure | None = None
    """Reason for which dbt cannot build it."""
    refused: Fault | None = None
    """Why a database refuses its SQL, unless the recorded text has the same fault."""

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
    diff: RunDiff | None = None
    """The same change as a diff, with the nodes that it affects; None if the text was not compared."""
    text: str | None = None
    """Text of the model that was compared."""


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
            failure = self.renderer.failures.of_template(node, error)
            return failed(reason=f"not rendered: {error.problem}", failure=failure)
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
        schemas |= {name: self.types(unique_id, others) for name, unique_id in names.injected.items()}
        found = analyse_job(AnalysisJob(names.sql, self.index.dialect, schemas), timeout)
        if isinstance(found, Failure):
            return Failure(names.readable(found.reason), found.is_late)
        columns = node_columns(found, self._reading(names, others, is_exact))
        if node.resource_type == "test":
            return test_columns(columns, node)
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
                and base.adapter is current.adapter
            ):
                found = load_differences(base.adapter, base.run, current.run)
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
        if base is None:
            return self.index.graph
        with self.index.lock:
            edges = {*self.index.reader.edges, *base.edges}
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
            Stop(unique_id, column),
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
