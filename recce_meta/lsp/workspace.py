"""Session of one editor: views of its open texts, their analyses, and the projects that the texts are in.

The event loop owns the texts. One thread builds views and answers requests; another analyses edits, so that
a hover never waits for an analysis. Each thread has its own index, because a reader is for one thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from recce_meta.lazy import LazyModule
from recce_meta.lsp.client import EditorClient
from recce_meta.lsp.documents import EditorText, OpenFiles, OpenText, TextEdit, TextView
from recce_meta.lsp.project.index import ProjectIndex
from recce_meta.lsp.projects import (
    CALM,
    PROJECT_FILE,
    OpenProject,
    Processes,
    Workers,
    changes_index,
    named_projects,
    project_root,
)
from recce_meta.lsp.text.file_texts import known_columns, read_query
from recce_meta.lsp.text.positions import Lines
from recce_meta.lsp.text.query_text import Columns, moved
from recce_meta.lsp.text.template import ModelTemplate, read_template
from recce_meta.models import NodeMetadata

if TYPE_CHECKING:
    from lsprotocol.types import Diagnostic

    from recce_meta.lsp.features import diagnostics, graphs
    from recce_meta.lsp.features.graphs import EditorGraph
    from recce_meta.lsp.project import live
    from recce_meta.lsp.project.live import Effect, LiveModel, RemovedColumn
else:
    diagnostics = LazyModule("recce_meta.lsp.features.diagnostics")
    graphs = LazyModule("recce_meta.lsp.features.graphs")
    live = LazyModule("recce_meta.lsp.project.live")

QUIET = 0.15
"""Seconds without an edit after which a text is analysed."""

Answer = TypeVar("Answer")


class TextVersion(NamedTuple):
    """One version of a text, with the edits since the version that was read before it."""

    uri: str
    path: Path
    version: int
    lines: Lines
    edits: tuple[TextEdit, ...]


class TextAnalysis(NamedTuple):
    """Analysis of one version of a text."""

    live: LiveModel
    removed: tuple[RemovedColumn, ...]
    effect: Effect | None


@dataclass
class TextFacts:
    """What is known about one open text."""

    text: EditorText
    project: OpenProject | None
    view: TextView | None = None
    """Last view, of the thread of short requests; without its analysis."""
    reads: frozenset[str] = frozenset()
    """Unique ids of the tables of `view`."""
    used: tuple[LiveModel, ...] = ()
    """Analyses of other texts whose columns `view` uses."""
    analysis: TextAnalysis | None = None
    is_ahead: bool = False
    """True if the text may be newer than the index: until it is saved and the project was read again."""
    pending: asyncio.Task[None] | None = field(default=None, repr=False)


class EditorSession:
    """Open texts and projects of one editor."""

    def __init__(self, client: EditorClient, texts: OpenFiles, options: Sequence[str]) -> None:
        """Create a session of *texts*, which the caller changes; *options* are connection options."""
        self.client, self.texts, self.options = client, texts, tuple(options)
        self.workers, self.processes = Workers(), Processes()
        self.projects: dict[Path, OpenProject] = {}
        self._known: dict[str, TextFacts] = {}
        self._graphs: dict[Path, EditorGraph] = {}
        self._recent: OpenProject | None = None
        self.showing: asyncio.Task[None] | None = None
        """Result of a command that is being shown; a task without a reference may be lost."""

    async def open_folders(self, folders: Sequence[Path]) -> None:
        """Open the projects that the editor's folders are in; others are opened with their first file."""
        for root in named_projects(folders):
            self._open(root)

    def _open(self, root: Path) -> OpenProject:
        project = self.projects.get(root)
        if project is None:
            project = self.projects[root] = OpenProject(
                root, self.client, self.workers, self.processes, self.options, self._swapped
            )
            project.open()
        return project

    def project_of(self, path: Path | None) -> OpenProject | None:
        """Return the project of the file or folder *path*, which is opened if it is new."""
        root = project_root(path) if path is not None else None
        if root is None:
            return None
        self._recent = self._open(root)
        return self._recent

    def recent_project(self) -> OpenProject | None:
        """Return the project that was used last, else the first one; None if none is open."""
        return self._recent or next(iter(self.projects.values()), None)

    def graph_of(self, root: Path, index: ProjectIndex) -> EditorGraph:
        """Return the graph of *index*, the current one of the project in *root*."""
        found = self._graphs.get(root)
        if found is None or found.index is not index:
            found = self._graphs[root] = graphs.EditorGraph(index)
        return found

    async def opened(self, text: EditorText) -> None:
        """Analyse a text that was opened."""
        if text.is_analysed:
            self._known[text.uri] = TextFacts(text, self.project_of(text.path))
            # The editor asks about a new text first.
            self._schedule(text.uri, QUIET)

    async def changed(self, text: EditorText) -> None:
        """Analyse a text that was edited, after a pause."""
        known = self._known.get(text.uri)
        if known is not None:
            known.is_ahead = True
        self._schedule(text.uri, QUIET)

    async def closed(self, text: EditorText) -> None:
        """Forget a text, and remove its diagnostics from the editor."""
        known = self._known.pop(text.uri, None)
        if known is not None:
            self.client.publish(text.uri, None, (), is_open=False)
            if text.is_edited:
                # Its unsaved columns are gone.
                self._schedule_readers(known)

    async def files_changed(self, paths: Iterable[Path]) -> None:
        """Read projects again whose files have changed, and find the projects of texts that had none."""
        found = list(paths)
        for path in found:
            for root, project in self.projects.items():
                if path.is_relative_to(root) and changes_index(root, path):
                    project.refresh(CALM)
        if any(path.name == PROJECT_FILE for path in found):
            for uri, known in self._known.items():
                if known.project is None:
                    known.project = self.project_of(known.text.path)
                    self._schedule(uri, 0.0)

    async def ask(self, text: EditorText, answer: Callable[[TextView], Answer]) -> Answer | None:
        """Return *answer* of the view of *text*; None for a text that is not analysed."""
        known = self._known.get(text.uri)
        if known is None:
            return None
        self._recent = known.project or self._recent
        if known.project is not None and not self.client.abilities.watches:
            known.project.look()
        work = partial(self._answer, known, _taken(text), self._others(known), answer)
        return await self.workers.run(self.workers.quick, work)

    def _answer(
        self,
        known: TextFacts,
        version: TextVersion,
        others: dict[str, LiveModel],
        answer: Callable[[TextView], Answer],
    ) -> Answer:
        view = self._view(known, version, others)
        analysis = known.analysis
        if analysis is None:
            return answer(replace(view, others=others))
        return answer(
            replace(
                view,
                live=analysis.live,
                removed=analysis.removed,
                effect=analysis.effect,
                others=others,
            )
        )

    def _view(self, known: TextFacts, version: TextVersion, others: dict[str, LiveModel]) -> TextView:
        """Return the view of a version, in the thread of short requests."""
        index = known.project.quick if known.project is not None else None
        view = known.view
        if (
            view is not None
            and view.document.lines is version.lines
            and view.index is index
            # Compared by identity: equal analyses are rare, and comparing them is slow.
            and list(map(id, known.used)) == [id(others[one]) for one in known.reads if one in others]
        ):
            return view
        # If reading fails, an earlier query would have the wrong offsets.
        known.view = None
        known.view, known.reads = read_view(version, index, others, view)
        known.used = tuple(others[one] for one in known.reads if one in others)
        return known.view

    def _others(self, known: TextFacts) -> dict[str, LiveModel]:
        """Return the analyses of the other texts of the project that are newer than its index."""
        return {
            one.analysis.live.unique_id: one.analysis.live
            for one in self._known.values()
            if one is not known and one.project is known.project and one.is_ahead and one.analysis is not None
        }

    def _swapped(self, project: OpenProject) -> None:
        """Analyse the open texts of *project* with its new index."""
        for uri, known in self._known.items():
            if known.project is project:
                known.is_ahead = known.is_ahead and (known.text.is_edited or project.is_due)
                self._schedule(uri, 0.0)
        self.client.refresh_lenses()

    def _schedule_readers(self, known: TextFacts) -> None:
        """Analyse the other texts that read the model of *known*."""
        if known.analysis is not None:
            for uri, other in self._known.items():
                if known.analysis.live.unique_id in other.reads and other.project is known.project:
                    self._schedule(uri, 0.0)

    def _schedule(self, uri: str, delay: float) -> None:
        """Analyse a text after *delay* seconds, unless it is edited again."""
        known = self._known.get(uri)
        if known is not None:
            if known.pending is not None:
                known.pending.cancel()
            known.pending = asyncio.ensure_future(self._pause(known, delay))

    async def _pause(self, known: TextFacts, delay: float) -> None:
        await asyncio.sleep(delay)
        # From here on it is not cancelled: a thread has work that cannot be stopped.
        known.pending = None
        analysing = asyncio.ensure_future(self._analyse(known))
        [failure] = await asyncio.gather(analysing, return_exceptions=True)
        if isinstance(failure, Exception):
            self.client.log(f"analysis of {known.text.path} failed: {type(failure).__name__}: {failure}")

    async def _analyse(self, known: TextFacts) -> None:
        """Analyse the current version of a text, and publish its diagnostics."""
        text, lines, number = known.text, known.text.lines, known.text.version
        others = self._others(known)
        view = await self.workers.run(self.workers.quick, partial(self._view, known, _taken(text), others))
        view = replace(view, others=others)
        found = await self.workers.run(self.workers.slow, partial(self._find, known, view, lines))
        if found is None or not self._is_current(known, lines):
            return
        before, known.analysis = known.analysis, found[0]
        if found[1] is not None:
            self.client.publish(text.uri, number, found[1])
        if _names(before) != _names(known.analysis) and (before is not None or known.is_ahead):
            self._schedule_readers(known)
        if known.analysis is not None:
            # Only lenses show the change since base, which takes longer to find.
            known.analysis = known.analysis._replace(effect=before.effect if before is not None else None)
            comparing = partial(self._compare, known, view, lines, known.analysis)
            compared = await self.workers.run(self.workers.slow, comparing)
            if compared is None or not self._is_current(known, lines):
                return
            known.analysis = compared
        if _shown(before) != _shown(known.analysis):
            self.client.refresh_lenses()

    def _is_current(self, known: TextFacts, lines: Lines) -> bool:
        return known.text.lines is lines and self._known.get(known.text.uri) is known

    def _find(
        self, known: TextFacts, view: TextView, lines: Lines
    ) -> tuple[TextAnalysis | None, Sequence[Diagnostic] | None] | None:
        """Return the analysis and the diagnostics of a view; None for a text that is not the current one.

        The diagnostics are None while the text is half-typed: the editor keeps those before.
        """
        if not self._is_current(known, lines):
            return None
        index = known.project.slow if known.project is not None else None
        view = replace(view, index=index)
        analysis = None
        if index is not None and view.node is not None:
            edited = live.live_model(index, view.node, view.document.text, view.others)
            analysis = TextAnalysis(
                edited,
                live.removed_columns(index, view.node, edited, view.others),
                None,
            )
            view = replace(view, live=edited, removed=analysis.removed)
        return analysis, diagnostics.diagnostics(view, self.saved_and_open())

    def _compare(
        self, known: TextFacts, view: TextView, lines: Lines, analysis: TextAnalysis
    ) -> TextAnalysis | None:
        """Return *analysis* with the change since base; None for a text that is not the current one."""
        index = known.project.slow if known.project is not None else None
        if index is None or view.node is None or not self._is_current(known, lines):
            return None
        effect = live.effect_on_base(index, view.node, analysis.live, view.others)
        return analysis._replace(effect=effect)

    def saved_and_open(self) -> Mapping[Path, str]:
        """Return the open texts by path."""
        return {text.path: text.lines.text for text in list(self.texts.values()) if text.path is not None}

    def kill(self) -> None:
        """End all processes and start no more work."""
        for project in self.projects.values():
            project.close()
        self.processes.kill()
        self.workers.close()

    async def close(self) -> None:
        """End the session."""
        for known in self._known.values():
            if known.pending is not None:
                known.pending.cancel()
        self.kill()


def _taken(text: EditorText) -> TextVersion:
    """Return the current version of *text*, and forget its edits."""
    if text.path is None:
        raise ValueError(f"{text.uri} is not a file")
    return TextVersion(text.uri, text.path, text.version, text.lines, text.take_edits())


def _names(analysis: TextAnalysis | None) -> object:
    return None if analysis is None else analysis.live.names


def _shown(analysis: TextAnalysis | None) -> object:
    """Return the part of an analysis that code lenses show."""
    if analysis is None:
        return None
    return analysis.removed, analysis.effect, analysis.live.names, analysis.live.reason


def read_view(
    version: TextVersion,
    index: ProjectIndex | None,
    others: dict[str, LiveModel],
    before: TextView | None,
) -> tuple[TextView, frozenset[str]]:
    """Return the view of a version of a text, and the unique ids of its tables.

    *before* is the view of an earlier version.
    """
    template = read_template(version.lines.text)
    node = index.node_of_file(version.path) if index is not None else None
    tables = _tables(template, index, node) if index is not None else {}
    earlier = before.query if before is not None else None
    for edit in version.edits:
        earlier = moved(earlier, *edit) if earlier is not None else None
    last = version.edits[-1] if version.edits else None
    query = read_query(
        template,
        index.dialect if index is not None else "",
        _schemas(tables, index, others) if index is not None else {},
        earlier=earlier,
        cursor=last.start + last.inserted if last is not None else None,
    )
    document = OpenText(version.uri, version.path, version.version, version.lines, template)
    return TextView(document, query, index, node), frozenset(tables.values())


def _tables(template: ModelTemplate, index: ProjectIndex, node: NodeMetadata | None) -> dict[str, str]:
    """Return the unique ids of the tables in the mask."""
    package = node.package_name if node is not None else index.run.project_name
    found = {mask: index.relation(call, package, node) for mask, call in template.masks.items()}
    return {mask: table.unique_id for mask, table in found.items() if table is not None}


def _schemas(
    tables: Mapping[str, str], index: ProjectIndex, others: Mapping[str, LiveModel]
) -> dict[str, Columns]:
    """Return the columns of *tables*; those whose columns are not all known are left out."""
    found: dict[str, Columns] = {}
    for mask, unique_id in tables.items():
        types, are_all = known_columns(index, unique_id, others)
        if are_all:
            found[mask] = types
    return found
