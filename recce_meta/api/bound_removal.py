"""Nodes that a database refuses if a column is removed: the same run twice, once without the column."""

from __future__ import annotations

from collections.abc import Mapping

from recce_meta.api.binding import Judgement, WholeBinding
from recce_meta.api.bound_queries import KnownRelation, Surely
from recce_meta.api.project_queries import ParentColumns, ProjectQueries
from recce_meta.api.run_reader import RunReader
from recce_meta.diff.project_side import ProjectSide
from recce_meta.graph import build_lineage_graph


class _Removal(WholeBinding):
    """Judgements on the readers of a node in current, which lacks a column there."""

    removed: tuple[str, str]
    """The node and its column in lower case."""

    def _relation(self, index: int, one: str) -> KnownRelation:
        found = super()._relation(index, one)
        if (index, one) != (1, self.removed[0]):
            return found
        left = tuple(each for each in found.columns if each[0].lower() != self.removed[1])
        return KnownRelation(left, Surely.ALL, found.is_table)


def judged_without(run: RunReader, unique_id: str, column: str) -> Mapping[str, Judgement]:
    """Return what a database says of the readers of a column that is removed; only DuckDB is asked.

    Nothing if the relation is not known to have the column.
    """
    if run.run.adapter_type != "duckdb" or run.names[unique_id].is_ephemeral:
        return {}
    graph = build_lineage_graph([], run.edges)
    runs = run, run
    columns = ParentColumns(runs, graph, [unique_id])
    if column.lower() not in map(str.lower, columns.of(0, [unique_id]).get(unique_id, ())):
        return {}
    nodes = run.nodes(graph.downstream([unique_id]))
    side = ProjectSide(nodes, run.macros, run.run)
    queries = ProjectQueries((side, side), runs, columns, graph, [unique_id])
    binding = _Removal(queries, columns.of, runs, graph, [unique_id])
    binding.removed = unique_id, column.lower()
    return binding.judgements
