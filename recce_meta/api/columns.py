"""Column lineage of nodes that are at hand: for `record`, which keeps it, and for whoever asks about them."""

from __future__ import annotations

from collections.abc import Callable, Collection

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.graph import build_lineage_graph
from recce_meta.graph.columns.project import QUERIES, SECONDS, analyse_project
from recce_meta.models import Project
from recce_meta.models.column_lineage import ColumnGraph, KnownColumns, NodeColumns

Tell = Callable[[str], None]


class ColumnsKept(Struct, frozen=True):
    """Of how many models, snapshots and analyses the columns were traced when a run was recorded."""

    traced: int = 0
    """Those whose SQL was analysed now."""
    reused: int = 0
    """Those whose SQL and parents' columns are as in an earlier run."""
    not_traced: int = 0
    """Those that could not be analysed, now or then."""


class Tracer:
    """Computes a project's column lineage when the store asks for it, and keeps how that went."""

    def __init__(self, project: Project, timeout: float | None = SECONDS, tell: Tell | None = None) -> None:
        self._project = project
        self._timeout = timeout
        self._tell = tell
        self._kept: ColumnsKept | None = None

    def __call__(self, known: KnownColumns) -> ColumnGraph:
        """The column lineage of the project, but for what is *known*."""
        if self._tell is not None:
            self._tell(f"tracing columns of {len(self._project.nodes):,} nodes")
        graph = analyse_project(self._project, known, timeout=self._timeout)
        self._kept = self._counted(graph, known)
        return graph

    def kept(self, gaps: Collection[str] = ()) -> ColumnsKept:
        """How it went; where nobody asked, all is as in an earlier run, where *gaps* had no columns."""
        if self._kept is not None:
            return self._kept
        queries = {node.unique_id for node in self._project.nodes if node.resource_type in QUERIES}
        missing = len(queries.intersection(gaps))
        return ColumnsKept(reused=len(queries) - missing, not_traced=missing)

    def _counted(self, graph: ColumnGraph, known: KnownColumns) -> ColumnsKept:
        traced = reused = not_traced = 0
        for node in self._project.nodes:
            if node.resource_type not in QUERIES:
                continue
            lineage_id = graph.lineage_ids[node.unique_id]
            found = graph.analyses.get(lineage_id)
            if found.outputs if found is not None else known.get(lineage_id):
                traced += found is not None
                reused += found is None
            else:
                not_traced += 1
        return ColumnsKept(traced, reused, not_traced)


def columns_of_project(
    project: Project, *, node_ids: Collection[str] | None = None, timeout: float | None = SECONDS
) -> dict[str, NodeColumns]:
    """The column lineage of *project* by unique id, computed now: of *node_ids*, or of all nodes.

    *timeout* is in seconds for each node. Nodes that have no columns, such as exposures, are left out.
    """
    if node_ids is not None:
        needed = build_lineage_graph(project.nodes).upstream(node_ids)
        project = replace(project, nodes=tuple(n for n in project.nodes if n.unique_id in needed))
    graph = analyse_project(project, timeout=timeout)
    return {
        unique_id: graph.analyses[lineage_id]
        for unique_id, lineage_id in graph.lineage_ids.items()
        if node_ids is None or unique_id in node_ids
    }
