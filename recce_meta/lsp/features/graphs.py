"""Graphs of the indexed run, as the editor's page draws them."""

from __future__ import annotations

from functools import cached_property

from msgspec.structs import replace

from recce_meta.api.browse.graph import places_of, run_graph, whole_graph
from recce_meta.api.browse.graph_columns import column_path, graph_columns
from recce_meta.api.browse.graph_opening import opening_of
from recce_meta.api.browse.graph_query import GraphQuery, WholeGraph
from recce_meta.api.run_reader import StoredRunReader
from recce_meta.lsp.project.index import ProjectIndex
from recce_meta.models.graph_view import ColumnPath, GraphColumns, GraphView

MOST_VIEWS = 50
"""Graphs that are remembered for each index."""


class EditorGraph:
    """Graph of the indexed run, with the parts of it that were drawn; used in the thread of long analyses."""

    def __init__(self, index: ProjectIndex) -> None:
        """Create the graph of *index*; nothing is read yet."""
        self.index, self._reader = index, index.reader
        self._views: dict[GraphQuery, GraphView] = {}

    @cached_property
    def _graph(self) -> WholeGraph:
        return whole_graph(self._reader)

    def shown(self, query: GraphQuery) -> GraphView:
        """Return the part of the graph that *query* names; its nodes link to their files."""
        found = self._views.get(query)
        if found is None:
            if len(self._views) >= MOST_VIEWS:
                self._views.clear()
            found = self._views[query] = self._drawn(query)
        return found

    def _drawn(self, query: GraphQuery) -> GraphView:
        opening = None
        if not (query.node or query.select or query.has_filter) and isinstance(self._reader, StoredRunReader):
            opening = opening_of(self._reader.adapter, self._reader.run, self._graph)
        found = run_graph(
            self._reader,
            query,
            graph=self._graph,
            opened=None if opening is None else opening.ids,
            # The nodes of the view before an expansion must not move.
            earlier=places_of(self.shown(replace(query, expand=()))) if query.expand else None,
            link=self.link,
        )
        return found if opening is None else replace(found, focus=opening.focus)

    def link(self, unique_id: str, _column: str = "") -> str:
        """Return the URI of the file of a node; empty without a file."""
        node = self.index.names.get(unique_id)
        file = self.index.file_of(node) if node is not None else None
        return file.as_uri() if file is not None else ""

    def columns(self, node: str, search: str, page: int) -> GraphColumns:
        """Return a page of the columns of *node* whose names contain *search*."""
        return graph_columns(self._reader, node, search, page)

    def path(self, node: str, column: str) -> ColumnPath:
        """Return what *column* of *node* comes from, and what comes from it."""
        return column_path(self._reader, node, column, link=self.link)
