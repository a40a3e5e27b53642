"""A part of a run, as a run of its own: the nodes that a selection names, and the edges among them. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import msgspec
from msgspec.structs import replace

from recce_meta.errors import SelectorError
from recce_meta.graph import build_lineage_graph, select
from recce_meta.models import NodeMetadata, Project
from recce_meta.models.export import ColumnLineage, CutFrom, Export
from recce_meta.models.quality import Quality
from recce_meta.store import content


def cut(export: Export, selection: Sequence[str], exclude: Sequence[str]) -> Export:
    """The part of *export* that *selection* names and *exclude* does not, in dbt's selection grammar.

    It has an id that follows from the whole run's and from which nodes there are. What is kept with the
    nodes comes along, all macros too; kept data diffs do not, since they compared the whole run. A selection
    that names every node gives *export* as it is.

    Raises SelectorError where the selection cannot be read, or names no node.
    """
    project = export.project
    chosen = _chosen(project, selection, exclude)
    if not chosen:
        raise SelectorError(
            f"The selection names no node of run {project.run.run_id}",
            hint="recce-meta show and recce-meta lineage tell what there is",
        )
    if len(chosen) == len(project.nodes):
        return export
    run_id = content.digest(msgspec.json.encode(["cut", project.run.run_id, sorted(chosen)]))
    lineage = _columns(export.column_lineage, chosen)
    part = _part(project, chosen, run_id, lineage[0] if lineage else None)
    pieces = content.contents(part)
    return replace(
        export,
        project=replace(part, run=replace(part.run, graph_id=pieces.graph_id)),
        graph={
            name: {str(row[0]): str(row[1]) for row in pieces.parts[name]} for name in sorted(pieces.parts)
        },
        column_lineage=lineage[1] if lineage else None,
        statistics=tuple(node for node in export.statistics if node.unique_id in chosen),
        quality=tuple(_quality(export.quality, chosen, run_id)),
        data_diffs=(),
        check_results=(),
        cut_from=CutFrom(
            run_id=project.run.run_id,
            select=tuple(selection),
            exclude=tuple(exclude),
            node_count=len(project.nodes),
        ),
    )


def _chosen(project: Project, selection: Sequence[str], exclude: Sequence[str]) -> frozenset[str]:
    return select(
        selection,
        {node.unique_id: node for node in project.nodes},
        build_lineage_graph(project.nodes, project.edges),
        exclude=exclude,
        results={result.unique_id: result for result in project.results},
        project_name=project.run.project_name,
        dbt_version=project.run.dbt_version,
    )


def _part(project: Project, chosen: Collection[str], run_id: str, column_graph_id: str | None) -> Project:
    nodes = tuple(_among(node, chosen) for node in project.nodes if node.unique_id in chosen)
    groups = {node.group_name for node in nodes}
    run = replace(
        project.run,
        run_id=run_id,
        node_count=len(nodes),
        edge_count=sum(len(node.parents) for node in nodes),
        column_graph_id=column_graph_id,
    )
    return replace(
        project,
        run=run,
        nodes=nodes,
        groups=tuple(group for group in project.groups if group.name in groups),
        results=tuple(result for result in project.results if result.unique_id in chosen),
        facts=tuple(fact for fact in project.facts if fact.unique_id in chosen),
    )


def _among(node: NodeMetadata, chosen: Collection[str]) -> NodeMetadata:
    """*node* without edges that lead out of *chosen*."""
    parents = tuple(parent for parent in node.parents if parent in chosen)
    if len(parents) == len(node.parents):
        return node
    origins = {parent: origin for parent, origin in node.edge_origins.items() if parent in chosen}
    return replace(node, parents=parents, edge_origins=origins)


def _columns(lineage: ColumnLineage | None, chosen: Collection[str]) -> tuple[str, ColumnLineage] | None:
    """The id and the rest of what is left of *lineage*; analyses stay as they are, whatever they read."""
    if lineage is None:
        return None
    ids = {
        unique_id: lineage_id
        for members in lineage.parts.values()
        for unique_id, lineage_id in members.items()
        if unique_id in chosen
    }
    parts = content.parts_of(sorted(ids.items()))
    left = set(ids.values())
    return content.tree_id(parts), ColumnLineage(
        parts={name: {str(row[0]): str(row[1]) for row in parts[name]} for name in sorted(parts)},
        analyses=tuple(analysis for analysis in lineage.analyses if analysis.lineage_id in left),
    )


def _quality(measured: Iterable[Quality], chosen: Collection[str], run_id: str) -> Iterable[Quality]:
    """What was measured of *chosen*, with an id and a summary of its own."""
    for one in measured:
        tables = tuple(table for table in one.tables if table.unique_id in chosen)
        if not tables:
            continue
        scores = [table.score for table in tables if table.score is not None]
        run = replace(
            one.run,
            quality_run_id=content.digest(msgspec.json.encode(["cut", one.run.quality_run_id, run_id])),
            run_id=run_id,
            table_count=len(tables),
            failed_count=sum(table.reason is not None for table in tables),
            score=sum(scores) / len(scores) if scores else None,
        )
        yield replace(one, run=run, tables=tables)
