"""Records a run: what the store does not have yet, in one transaction, the run's own row last."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone

from msgspec import Struct
from msgspec.structs import replace

from recce_meta._version import __version__
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.masking import without_passwords
from recce_meta.models import NodeResult, Project, RunMetadata
from recce_meta.models.catalog import RelationFacts
from recce_meta.models.column_lineage import Analyse, ColumnGraph, KnownColumns, shortened
from recce_meta.models.run import with_build
from recce_meta.models.statistics import NodeStatistics
from recce_meta.store import content
from recce_meta.store.changes import store_changes
from recce_meta.store.columns import (
    AnalysesGone,
    ColumnPieces,
    FoundGraph,
    column_pieces,
    find_column_graph,
    known_columns,
    references_known,
    write_columns,
)
from recce_meta.store.content import Contents, contents
from recce_meta.store.edges import add_origins
from recce_meta.store.facts import write_facts
from recce_meta.store.files import DEFAULT_SCHEMA
from recce_meta.store.migrate import StoreSession, open_store
from recce_meta.store.read import run_by_id
from recce_meta.store.retry import retrying
from recce_meta.store.rows import names_of, run_row
from recce_meta.store.statistics import StatisticsWritten, add_statistics

RUN_COLUMNS = RunMetadata.__struct_fields__
RESULT_COLUMNS = (
    "run_id", "unique_id", "status", "seconds", "rows_affected", "bytes_processed", "failures", "message",
    "completed_at",
)  # fmt: skip

MANY_VERSIONS = 500
"""From how many new node versions on a server's planner is told of them: its own look may be minutes away."""


class RecordResult(Struct, frozen=True, kw_only=True):
    """What `record_run` did."""

    run: RunMetadata
    """The run as it is stored."""
    written: bool
    """Whether the run is new; otherwise nothing was written."""
    differs: bool = False
    """Whether the run that is stored under this id has other contents than the one that was to be written."""
    new_graph: bool = False
    """Whether any node differs from every graph recorded before."""
    versions_written: int = 0
    macros_written: int = 0
    code_sent: int = 0
    """Characters of code, raw and compiled, that were sent for nodes and macros."""
    statistics: StatisticsWritten = StatisticsWritten()
    """What was written of statistics, also with a run that was there before."""
    analyses_written: int = 0
    """Analyses of nodes' SQL that the store did not have, whoever made them first."""
    columns_added: bool = False
    """Whether a run that was there before, without column lineage or with an outdated one, has it now."""
    column_gaps: tuple[str, ...] = ()
    """Unique ids of nodes without columns, where all columns are those of an earlier run."""
    column_warnings: tuple[str, ...] = ()
    """One sentence with the node for each whose columns could not be told now."""


class _Entry(Struct, frozen=True):
    """What is to be recorded."""

    run: RunMetadata
    pieces: Contents
    results: Sequence[NodeResult]
    facts: Sequence[RelationFacts]
    statistics: Sequence[NodeStatistics]
    has_columns: bool
    """Whether the run is to have column lineage."""
    column_warnings: tuple[str, ...] = ()
    """Warnings of the analysis that this recorder made for the run."""


def record_run(
    adapter: UnifiedSqlAdapter,
    project: Project,
    *,
    schema: str = DEFAULT_SCHEMA,
    now: datetime | None = None,
    statistics: Sequence[NodeStatistics] = (),
    analyse: Analyse | None = None,
) -> RecordResult:
    """Write *project* as one run, with *statistics* of its nodes, creating the store where there is none.

    A run whose id is stored already is left as it is; of *statistics* and column lineage, what it lacks is
    added, unless it holds other contents than *project*. Other recorders are waited for.

    With *analyse*, the run has column lineage. It is called outside of any transaction, with what the
    project's latest column graph holds, and not at all where this recorder made one of the same graph before
    in which no query had too little time; a second time, with nothing known, where what it left out was
    pruned meanwhile.
    """
    pieces = contents(project)
    run = replace(
        with_build(project.run, project.results),
        node_count=len(project.nodes),
        edge_count=sum(len(node.parents) for node in project.nodes),
        recorded_at=now or datetime.now(timezone.utc),
        recorder_version=__version__,
        graph_id=pieces.graph_id,
        macro_set_id=pieces.macro_set_id,
        warnings=project.warnings or project.run.warnings,
    )
    entry = _Entry(run, pieces, project.results, project.facts, statistics, analyse is not None)
    done = retrying(lambda: _record(adapter, schema, entry, None))
    if isinstance(done, RecordResult) or analyse is None:
        return _whole(done)
    if adapter.warehouse.is_in_process and adapter.is_shareable:
        adapter.close()  # others may have the file meanwhile
    try:
        return _record_with(adapter, schema, entry, analyse(done))
    except AnalysesGone:
        return _record_with(adapter, schema, entry, analyse({}))


def _record_with(
    adapter: UnifiedSqlAdapter, schema: str, entry: _Entry, columns: ColumnGraph
) -> RecordResult:
    pieces = column_pieces(columns)
    entry = replace(entry, column_warnings=shortened(columns.warnings))
    done = _whole(retrying(lambda: _record(adapter, schema, entry, pieces)))
    return replace(done, column_warnings=columns.warnings) if done.written or done.columns_added else done


def _record(
    adapter: UnifiedSqlAdapter, schema: str, entry: _Entry, columns: ColumnPieces | None
) -> RecordResult | KnownColumns:
    """Record in one transaction; or, where column lineage has to be computed first, what is known of it."""
    run, pieces = entry.run, entry.pieces
    with open_store(adapter, schema, create=True, writes=True) as store:
        stored = run_by_id(store, run.run_id)
        if stored is not None:
            return _complete(store, entry, stored, columns)
        found = _column_graph(store, entry, columns)
        if entry.has_columns:
            if found is None:
                return known_columns(store, run)
            run = replace(
                run,
                column_graph_id=found.column_graph_id,
                warnings=(*run.warnings, *entry.column_warnings),
            )
        new_graph = not store.query("graph_stored", graph_id=pieces.graph_id)
        versions, code = write_graph(store, pieces) if new_graph else (0, 0)
        if versions < len(pieces.versions):
            add_origins(store, run, pieces)
        macros, macro_code = write_macros(store, pieces)
        analyses = write_columns(store, columns) if columns else 0
        if entry.results:
            store.insert("run_results", RESULT_COLUMNS, (result_row(run, result) for result in entry.results))
        write_facts(store, run.run_id, entry.facts)
        added = add_statistics(store, run.run_id, entry.statistics)
        store.insert("runs", RUN_COLUMNS, [run_row(run)])
        if (first := _recorded_by_another(store, run)) is not None:
            return RecordResult(run=first, written=False, differs=first.graph_id != run.graph_id)
        store_changes(store)
        if max(versions, analyses) >= MANY_VERSIONS:
            store.execute("refresh_statistics")
    return RecordResult(
        run=run,
        written=True,
        new_graph=new_graph,
        versions_written=versions,
        macros_written=macros,
        code_sent=code + macro_code,
        statistics=added,
        analyses_written=analyses,
        column_gaps=found.gaps if found else (),
    )


def _column_graph(store: StoreSession, entry: _Entry, columns: ColumnPieces | None) -> FoundGraph | None:
    """The column graph that the run is to have: of what was computed, else of an earlier run."""
    if columns is not None:
        return FoundGraph(columns.column_graph_id)
    return find_column_graph(store, entry.run) if entry.has_columns else None


def _complete(
    store: StoreSession, entry: _Entry, stored: RunMetadata, columns: ColumnPieces | None
) -> RecordResult | KnownColumns:
    """Add what the run that is *stored* lacks; or, as `_record`, what is known of its column lineage."""
    if stored.graph_id != entry.run.graph_id:
        nothing = add_statistics(store, stored.run_id, ())
        return RecordResult(run=stored, written=False, differs=True, statistics=nothing)
    found, analyses = None, 0
    outdated = stored.column_graph_id
    if entry.has_columns and (outdated is None or not references_known(store, outdated)):
        found = _column_graph(store, entry, columns)
        if found is None:
            return known_columns(store, entry.run)
        analyses = write_columns(store, columns) if columns else 0
        changed = {"column_graph_id": found.column_graph_id, "outdated": outdated}
        store.execute("set_column_graph", run_id=stored.run_id, **changed)
        stored = replace(stored, column_graph_id=found.column_graph_id)
    return RecordResult(
        run=stored,
        written=False,
        statistics=add_statistics(store, stored.run_id, entry.statistics),
        analyses_written=analyses,
        columns_added=found is not None,
        column_gaps=found.gaps if found else (),
    )


def _whole(done: RecordResult | KnownColumns) -> RecordResult:
    """*done*, where all that recording needs was there."""
    if not isinstance(done, RecordResult):
        raise TypeError("A run was to be recorded without its column lineage")
    return done


def _recorded_by_another(store: StoreSession, run: RunMetadata) -> RunMetadata | None:
    """The run under this id that another recorder was faster with, where no transaction kept it waiting."""
    if store.has_transactions:
        return None
    kept = run_by_id(store, run.run_id)
    return kept if kept is not None and kept.recorded_at != run.recorded_at else None


def write_graph(store: StoreSession, pieces: Contents) -> tuple[int, int]:
    """Write what is missing of a graph; how many node versions were, and how long their code is."""
    graph_id = pieces.graph_id
    store.insert("graph_parts", content.PART_COLUMNS, ((graph_id, part) for part in pieces.parts))
    missing = names_of(store.query("missing_parts", graph_id=graph_id))
    store.insert(
        "part_nodes", content.NODE_COLUMNS, content.part_rows((part, pieces.parts[part]) for part in missing)
    )
    versions = {
        identity: pieces.versions[identity]
        for identity in names_of(store.query("missing_versions", graph_id=graph_id))
    }
    store.insert("node_versions", content.VERSION_COLUMNS, content.version_rows(versions))
    edges = content.parent_rows((identity, node) for identity, (node, _) in versions.items())
    store.insert("version_parents", content.PARENT_COLUMNS, edges)
    references = content.reference_rows((identity, node) for identity, (node, _) in versions.items())
    store.insert("version_references", content.REFERENCE_COLUMNS, references)
    code = sum(len(node.raw_code or "") + len(compiled or "") for node, compiled in versions.values())
    return len(versions), code


def write_macros(store: StoreSession, pieces: Contents) -> tuple[int, int]:
    """Write what is missing of a set of macros; how many macros were, and how long their code is."""
    set_id = pieces.macro_set_id
    if not pieces.macros or store.query("macro_set_stored", macro_set_id=set_id):
        return 0, 0
    store.insert("macro_sets", content.MACRO_SET_COLUMNS, ((set_id, identity) for identity in pieces.macros))
    missing = names_of(store.query("missing_macros", macro_set_id=set_id))
    macros = {identity: pieces.macros[identity] for identity in missing}
    store.insert("macros", content.MACRO_COLUMNS, (content.macro_row(*macro) for macro in macros.items()))
    return len(macros), sum(len(macro.macro_sql) for macro in macros.values())


def result_row(run: RunMetadata, result: NodeResult) -> content.Row:
    """The row of `run_results`, in the order of `RESULT_COLUMNS`."""
    return (
        run.run_id,
        result.unique_id,
        result.status,
        result.seconds,
        result.rows,
        result.bytes,
        result.failures,
        result.message and without_passwords(content.without_nul(result.message)),
        result.completed_at,
    )
