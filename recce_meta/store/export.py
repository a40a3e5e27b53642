"""Copy of a run between stores: reads a run with all its stored data and writes it to another store."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timezone
from typing import Any

from msgspec import Raw
from msgspec.structs import asdict, astuple, replace

from recce_meta._version import __version__
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.waiting import retrying
from recce_meta.errors import StoreError
from recce_meta.models import NodeMetadata, Project, RunMetadata
from recce_meta.models.data_diff import AnyDataDiff
from recce_meta.models.export import Analysis, AnalysisEdge, ColumnLineage, Export, ExportedDiff
from recce_meta.models.lineage import Tier
from recce_meta.models.quality import Quality
from recce_meta.models.relation_tokens import readable_relations, tokenise
from recce_meta.models.rows import Tabular
from recce_meta.store import check_results, columns, data_diffs, quality, read, run_hash, statistics, write
from recce_meta.store.content import Contents, Row
from recce_meta.store.data_diffs import column_rows, result_of
from recce_meta.store.graphs import add_origins, store_changes
from recce_meta.store.marks import reviews
from recce_meta.store.prune import OTHER_STORE, refuse_deleted
from recce_meta.store.read import names_of, write_facts, write_freshness
from recce_meta.store.run_hash import OF_THE_RECORDER
from recce_meta.store.select import find_quality_runs
from recce_meta.store.session import StoreSession, open_store
from recce_meta.store.values import storable


class Written(Tabular, frozen=True, kw_only=True):
    """Result of `write_export`."""

    run: RunMetadata
    """The run as it is stored."""
    is_new: bool
    """True if the store did not contain the run before."""
    added: tuple[str, ...] = ()
    """Kinds of data added to a run that was already stored: column lineage, statistics, …"""


def read_export(store: StoreSession, run: RunMetadata) -> Export:
    """Return *run* with all its stored data.

    Raises StoreError if a part is missing because another process has pruned the run.
    """
    kept = statistics.read_statistics(store, run.run_id, None)
    # Equal runs must give equal exports, byte for byte.
    measured = sorted(
        find_quality_runs(store, run_id=run.run_id, status=None),
        key=lambda one: (one.started_at, one.quality_run_id),
    )
    project = read.load_project(store, run)
    graph = _tree(store.query("export_graph", graph_id=run.graph_id))
    placed = sum(map(len, graph.values()))
    # Warehouses without snapshots can show a run that another process prunes meanwhile.
    if placed != len(project.nodes) + len(project.groups) or (run.node_count and not placed):
        raise StoreError(
            f"Run {run.run_id} is incomplete: it may have been pruned",
            hint="list the runs with recce-meta runs",
        )
    return Export(
        project=project,
        graph=graph,
        macro_ids=_pairs(store.query("export_macro_ids", macro_set_id=run.macro_set_id)),
        column_lineage=_column_lineage(store, run),
        statistics=tuple(kept[unique_id] for unique_id in sorted(kept)),
        quality=tuple(quality.read_quality(store, one, None) for one in measured),
        data_diffs=_data_diffs(store, run),
        # The queries return the newest first, an export lists the oldest first.
        check_results=tuple(reversed(check_results.find_checks(store, run_id=run.run_id))),
        reviews=tuple(reversed(reviews.find_reviews(store, run_id=run.run_id))),
        producer=__version__,
    )


def write_export(adapter: UnifiedSqlAdapter, export: Export) -> Written:
    """Write *export* in one transaction; create the store if it does not exist.

    A run whose id is already stored is not changed; only missing column lineage, statistics, quality,
    data diffs, check results and reviews are added. Waits for other writers. Raises StoreError if the stored
    run with this id has other contents, or if a run with this id was pruned.
    """
    pieces = _contents(export)

    def work() -> Written:
        with open_store(adapter, create=True, writes=True) as store:
            stored = read.run_by_id(store, export.project.run.run_id)
            if stored is None:
                refuse_deleted(store, export.project.run.run_id, hint=OTHER_STORE)
                return _write(store, export, pieces)
            _require_same(store, stored, export.project)
            return _add(store, export, stored)

    return retrying(adapter, work)


def _write(store: StoreSession, export: Export, pieces: Contents) -> Written:
    project = export.project
    run = project.run
    # Another run may have the same graph, and its parts would be written twice.
    if not store.query("graph_stored", graph_id=pieces.graph_id):
        write.write_graph(store, pieces)
    add_origins(store, run, pieces)
    write.write_macros(store, pieces)
    if export.column_lineage is not None and run.column_graph_id is not None:
        _write_columns(store, run.column_graph_id, export.column_lineage)
    results = [write.result_row(run, result) for result in project.results]
    if results:
        store.insert("run_results", write.RESULT_COLUMNS, results)
    fact_parts = write_facts(store, run.run_id, project.facts)
    write_freshness(store, run.run_id, project.freshness)
    _add_kept(store, export)
    # Readers start from the run's own row, so it is written last.
    own = read.run_row(run)
    content_hash = run_hash.content_hash(own, results, fact_parts)
    store.insert("run_hashes", run_hash.COLUMNS, [(run.run_id, content_hash)])
    store.insert("runs", write.RUN_COLUMNS, [own])
    store_changes(store)
    store.refresh_statistics(is_large=len(pieces.versions) >= write.MANY_VERSIONS)
    return Written(run=run, is_new=True)


def _add(store: StoreSession, export: Export, stored: RunMetadata) -> Written:
    """Add the data of *export* that the *stored* run lacks."""
    added: list[str] = []
    graph_id = export.project.run.column_graph_id
    if stored.column_graph_id is None and graph_id is not None and export.column_lineage is not None:
        _write_columns(store, graph_id, export.column_lineage)
        store.execute("set_column_graph", run_id=stored.run_id, column_graph_id=graph_id, outdated=None)
        stored = replace(stored, column_graph_id=graph_id)
        added.append("column lineage")
    added += _add_kept(store, export)
    return Written(run=stored, is_new=False, added=tuple(added))


def _add_kept(store: StoreSession, export: Export) -> list[str]:
    """Write the missing data that is stored after recording a run. Return the kinds of data written."""
    written = statistics.add_statistics(store, export.project.run.run_id, export.statistics)
    added = {
        "statistics": written.nodes_counted + written.nodes_profiled,
        "quality": _add_quality(store, export.quality),
        "data diffs": _add_diffs(store, export.data_diffs),
        "check results": check_results.insert_checks(store, export.check_results),
        "reviews": reviews.insert_reviews(store, export.reviews),
    }
    return [what for what, count in added.items() if count]


def _contents(export: Export) -> Contents:
    """Return the pieces of *export* to store, under their original ids."""
    project = export.project
    nodes = (*project.nodes, *project.groups)
    by_id = {node.unique_id: node for node in nodes}
    relations = readable_relations(nodes)
    # Ids are not computed again: another version of recce_meta may have hashed other fields.
    versions: dict[str, tuple[NodeMetadata, str | None]] = {}
    parts: dict[str, list[Row]] = {}
    for part, members in export.graph.items():
        for unique_id, version_id in sorted(members.items()):
            node = by_id[unique_id]
            code = node.compiled_code
            versions[version_id] = node, code and tokenise(code, relations.relations_of(node))
            place = (node.database_name, node.schema_name, node.identifier, node.relation_name)
            parts.setdefault(part, []).append((unique_id, version_id, *place))
    return Contents(
        graph_id=str(project.run.graph_id),
        parts=parts,
        versions=versions,
        macro_set_id=str(project.run.macro_set_id),
        macros={export.macro_ids[macro.unique_id]: macro for macro in project.macros},
    )


def _require_same(store: StoreSession, stored: RunMetadata, project: Project) -> None:
    before, after = asdict(stored), asdict(project.run)
    # Equal ids do not prove equal runs: a user may choose the id.
    differing = [
        name for name, value in before.items() if name not in OF_THE_RECORDER and value != after[name]
    ]
    if not differing:
        results = map(read.result_of, store.query("results", run_id=stored.run_id))
        # Documents of earlier versions have no other fields.
        kept, given = ({astuple(one)[:8] for one in some} for some in (results, project.results))
        if kept != given:
            differing.append("results")
    if differing:
        raise StoreError(
            f"Run {stored.run_id} is already stored with other contents: {', '.join(differing)} "
            f"differ{'s' if len(differing) == 1 else ''}",
            hint="show the stored run with recce-meta show, or import into another store with --schema",
        )


def _column_lineage(store: StoreSession, run: RunMetadata) -> ColumnLineage | None:
    if run.column_graph_id is None:
        return None
    binds = {"column_graph_id": run.column_graph_id}
    edges: dict[str, list[tuple[Any, ...]]] = {}
    for lineage_id, *edge in store.query("export_column_edges", **binds):
        edges.setdefault(str(lineage_id), []).append(tuple(edge))
    analyses: list[tuple[Any, ...]] = sorted(store.query("export_column_analyses", **binds))
    return ColumnLineage(
        parts=_tree(store.query("export_column_graph", **binds)),
        analyses=tuple(
            Analysis(
                lineage_id=lineage_id,
                tier=Tier(tier),
                reason=reason,
                edges=tuple(
                    AnalysisEdge(*edge) for _, *edge in sorted(edges.get(lineage_id, ()), key=_first)
                ),
            )
            for lineage_id, tier, reason in analyses
        ),
    )


def _write_columns(store: StoreSession, graph_id: str, lineage: ColumnLineage) -> None:
    """Write the missing parts of a column graph."""
    parts = {part: [*ids.items()] for part, ids in lineage.parts.items()}
    new = set(columns.write_column_parts(store, graph_id, parts))
    if not new:
        return
    analyses = [analysis for analysis in lineage.analyses if analysis.lineage_id in new]
    store.insert("column_edges", columns.EDGE_COLUMNS, _edge_rows(analyses))
    store.insert(
        "column_analyses",
        columns.ANALYSIS_COLUMNS,
        ((analysis.lineage_id, analysis.tier.value, analysis.reason) for analysis in analyses),
    )


def _edge_rows(analyses: Iterable[Analysis]) -> Iterable[Row]:
    for analysis in analyses:
        for ordinal, edge in enumerate(analysis.edges, 1):
            place = (edge.column_name, edge.parent_id, edge.parent_column)
            yield (analysis.lineage_id, ordinal, *place, edge.kind, edge.expression, edge.confidence)


def _data_diffs(store: StoreSession, run: RunMetadata) -> tuple[ExportedDiff, ...]:
    found: list[tuple[Any, ...]] = store.query("export_data_diffs", run_id=run.run_id)
    diffs = (
        ExportedDiff(
            diff_id=diff_id,
            taken_at=taken_at.astimezone(timezone.utc),
            base_run_id=base,
            current_run_id=current,
            parameters=Raw(parameters.encode()),
            result=Raw(result.encode()),
            recorder_version=version,
        )
        for diff_id, taken_at, base, current, parameters, result, version in found
    )
    return tuple(sorted(diffs, key=lambda diff: (diff.taken_at, diff.diff_id)))


def _add_diffs(store: StoreSession, diffs: Iterable[ExportedDiff]) -> int:
    """Write those of *diffs* that are not stored yet. Return their number."""
    wanted = {diff.diff_id: diff for diff in diffs}
    if not wanted:
        return 0
    known = set(names_of(store.query("stored_data_diffs", ids="\n".join(wanted))))
    results = [
        (diff, result_of(bytes(diff.result).decode())) for key, diff in wanted.items() if key not in known
    ]
    store.insert(
        "column_diffs",
        data_diffs.COLUMN_COLUMNS,
        (
            (diff.diff_id, ordinal, storable(str(name)), *figures)
            for diff, result in results
            for ordinal, (name, *figures) in enumerate(column_rows(result), 1)
        ),
    )
    store.insert(
        "data_diffs",
        data_diffs.DIFF_COLUMNS,
        (_diff_row(diff, result) for diff, result in results),
    )
    return len(results)


def _diff_row(diff: ExportedDiff, result: AnyDataDiff) -> Row:
    """Return the row of `data_diffs`, with its original JSON texts and recorder version."""
    runs = (diff.base_run_id, diff.current_run_id)
    *row, _, _ = data_diffs.diff_row(
        diff.diff_id, runs, diff.taken_at, bytes(diff.parameters).decode(), result
    )
    return (*row, bytes(diff.result).decode(), diff.recorder_version)


def _add_quality(store: StoreSession, measured: Iterable[Quality]) -> int:
    """Write the measurements that are not stored yet. Return their number."""
    new = [
        one
        for one in measured
        if not find_quality_runs(store, quality_run_id=one.run.quality_run_id, status=None)
    ]
    for one in new:
        quality.insert_quality(store, one.run, one.tables)
    return len(new)


def _tree(rows: Iterable[tuple[object, ...]]) -> dict[str, dict[str, str]]:
    """Return (part, node, id) rows as a mapping of part to node to id, sorted."""
    parts: dict[str, dict[str, str]] = {}
    for part, unique_id, identity in sorted(rows, key=lambda row: (str(row[0]), str(row[1]))):
        parts.setdefault(str(part), {})[str(unique_id)] = str(identity)
    return parts


def _pairs(rows: Iterable[tuple[object, ...]]) -> dict[str, str]:
    return {str(key): str(value) for key, value in sorted(rows, key=lambda row: str(row[0]))}


def _first(row: tuple[Any, ...]) -> int:
    return int(row[0])
