"""Reads a run with all that is kept with it, and writes that into another store, row for row."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timezone
from typing import Any

from msgspec import Raw, Struct
from msgspec.structs import asdict, replace

from recce_meta._version import __version__
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import StoreError
from recce_meta.models import NodeMetadata, Project, RunMetadata
from recce_meta.models.column_lineage import Tier
from recce_meta.models.data_diff import AnyDataDiff
from recce_meta.models.export import Analysis, AnalysisEdge, ColumnLineage, Export, ExportedDiff
from recce_meta.models.quality import Quality
from recce_meta.models.tokens import readable_relations, tokenise
from recce_meta.store import (
    check_results,
    columns,
    content,
    data_diffs,
    quality,
    read,
    rows,
    statistics,
    write,
)
from recce_meta.store.changes import store_changes
from recce_meta.store.content import Contents, Row
from recce_meta.store.edges import add_origins
from recce_meta.store.facts import write_facts
from recce_meta.store.files import DEFAULT_SCHEMA
from recce_meta.store.migrate import StoreSession, open_store
from recce_meta.store.quality_select import find_quality_runs
from recce_meta.store.results import column_rows, result_of
from recce_meta.store.retry import retrying
from recce_meta.store.rows import names_of
from recce_meta.store.values import storable

OF_THE_RECORDER = frozenset(["recorded_at", "recorder_version", "column_graph_id", "git_proven", "warnings"])
"""Fields that may differ between two records of one run: when, by whom and how it was recorded."""


class Written(Struct, frozen=True, kw_only=True):
    """What `write_export` did."""

    run: RunMetadata
    """The run as it is stored."""
    is_new: bool
    """Whether the run was not there before."""
    added: tuple[str, ...] = ()
    """What a run that was there before lacked, and has now: column lineage, statistics, …"""


def read_export(store: StoreSession, run: RunMetadata) -> Export:
    """*run* with all that is kept with it.

    Raises StoreError where a part of it is gone, because it is pruned meanwhile.
    """
    kept = statistics.kept_statistics(store, run.run_id, None)
    measured = sorted(
        find_quality_runs(store, run_id=run.run_id, status=None),
        key=lambda one: (one.started_at, one.quality_run_id),
    )
    project = read.load_project(store, run)
    graph = _tree(store.query("export_graph", graph_id=run.graph_id))
    placed = sum(map(len, graph.values()))
    if placed != len(project.nodes) + len(project.groups) or (run.node_count and not placed):
        raise StoreError(
            f"Run {run.run_id} is not whole any more", hint="recce-meta runs tells if it was pruned"
        )
    return Export(
        project=project,
        graph=graph,
        macro_ids=_pairs(store.query("export_macro_ids", macro_set_id=run.macro_set_id)),
        column_lineage=_column_lineage(store, run),
        statistics=tuple(kept[unique_id] for unique_id in sorted(kept)),
        quality=tuple(quality.read_quality(store, one, None) for one in measured),
        data_diffs=_data_diffs(store, run),
        check_results=tuple(reversed(check_results.find_checks(store, run_id=run.run_id))),
        producer=__version__,
    )


def write_export(adapter: UnifiedSqlAdapter, export: Export, *, schema: str = DEFAULT_SCHEMA) -> Written:
    """Write *export* in one transaction, creating the store where there is none.

    A run whose id is stored already is left as it is; what it lacks of column lineage, statistics, quality
    and data diffs is added. Other writers are waited for. Raises StoreError where the run that is stored
    under this id has other contents.
    """
    pieces = _contents(export)

    def work() -> Written:
        with open_store(adapter, schema, create=True, writes=True) as store:
            stored = read.run_by_id(store, export.project.run.run_id)
            if stored is None:
                return _write(store, export, pieces)
            _require_same(store, stored, export.project)
            return _add(store, export, stored)

    return retrying(work)


def _write(store: StoreSession, export: Export, pieces: Contents) -> Written:
    project = export.project
    run = project.run
    if not store.query("graph_stored", graph_id=pieces.graph_id):
        write.write_graph(store, pieces)
    add_origins(store, run, pieces)
    write.write_macros(store, pieces)
    if export.column_lineage is not None and run.column_graph_id is not None:
        _write_columns(store, run.column_graph_id, export.column_lineage)
    if project.results:
        results = (write.result_row(run, result) for result in project.results)
        store.insert("run_results", write.RESULT_COLUMNS, results)
    write_facts(store, run.run_id, project.facts)
    _add_kept(store, export)
    store.insert("runs", write.RUN_COLUMNS, [rows.run_row(run)])
    store_changes(store)
    if len(pieces.versions) >= write.MANY_VERSIONS:
        store.execute("refresh_statistics")
    return Written(run=run, is_new=True)


def _add(store: StoreSession, export: Export, stored: RunMetadata) -> Written:
    """Add what the run that is *stored* lacks of what *export* keeps with it."""
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
    """Write what may be kept with a run after it was recorded, as far as it is not there; what that was."""
    written = statistics.add_statistics(store, export.project.run.run_id, export.statistics)
    added = {
        "statistics": written.nodes_counted + written.nodes_profiled,
        "quality": _add_quality(store, export.quality),
        "data diffs": _add_diffs(store, export.data_diffs),
        "check results": check_results.insert_checks(store, export.check_results),
    }
    return [what for what, count in added.items() if count]


def _contents(export: Export) -> Contents:
    """The pieces that the store keeps of *export*, under the ids that they had."""
    project = export.project
    nodes = (*project.nodes, *project.groups)
    by_id = {node.unique_id: node for node in nodes}
    relations = readable_relations(nodes)
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
    differing = [
        name for name, value in before.items() if name not in OF_THE_RECORDER and value != after[name]
    ]
    if not differing:
        results = map(rows.result_of, store.query("results", run_id=stored.run_id))
        if {result.unique_id: result for result in results} != {
            result.unique_id: result for result in project.results
        }:
            differing.append("results")
    if differing:
        raise StoreError(
            f"Run {stored.run_id} is in this store with other contents: {', '.join(differing)} "
            f"differ{'s' if len(differing) == 1 else ''}",
            hint="recce-meta show tells what is there; another --schema keeps both",
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
    """Write what is missing of a column graph."""
    if store.query("column_graph_stored", column_graph_id=graph_id):
        return
    store.insert("column_parts", columns.PART_COLUMNS, ((graph_id, part) for part in lineage.parts))
    missing = names_of(store.query("missing_column_parts", column_graph_id=graph_id))
    rows = ((part, [*lineage.parts[part].items()]) for part in missing)
    store.insert("column_part_nodes", columns.NODE_COLUMNS, content.part_rows(rows))
    new = set(names_of(store.query("missing_analyses", column_graph_id=graph_id)))
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
    """Write those of *diffs* that are not there; how many."""
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
    """The row of `data_diffs`, with the texts and the recorder that it had."""
    runs = (diff.base_run_id, diff.current_run_id)
    *row, _, _ = data_diffs.diff_row(
        diff.diff_id, runs, diff.taken_at, bytes(diff.parameters).decode(), result
    )
    return (*row, bytes(diff.result).decode(), diff.recorder_version)


def _add_quality(store: StoreSession, measured: Iterable[Quality]) -> int:
    """Write those measurements that are not there; how many."""
    new = [
        one
        for one in measured
        if not find_quality_runs(store, quality_run_id=one.run.quality_run_id, status=None)
    ]
    for one in new:
        quality.insert_quality(store, one.run, one.tables)
    return len(new)


def _tree(rows: Iterable[tuple[object, ...]]) -> dict[str, dict[str, str]]:
    """(part, node, id) rows as ids by node, by part; both sorted."""
    parts: dict[str, dict[str, str]] = {}
    for part, unique_id, identity in sorted(rows, key=lambda row: (str(row[0]), str(row[1]))):
        parts.setdefault(str(part), {})[str(unique_id)] = str(identity)
    return parts


def _pairs(rows: Iterable[tuple[object, ...]]) -> dict[str, str]:
    return {str(key): str(value) for key, value in sorted(rows, key=lambda row: str(row[0]))}


def _first(row: tuple[Any, ...]) -> int:
    return int(row[0])
