"""Recording of a run: writes the missing data in one transaction, its own row last; then its changes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timezone

from msgspec import Struct
from msgspec.structs import replace

from recce_meta._version import __version__
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.waiting import retrying
from recce_meta.errors import ConnectionLost, QueryTimeout, StoreLocked
from recce_meta.models import NodeResult, Project, RunMetadata
from recce_meta.models.catalog import RelationFacts
from recce_meta.models.lineage import Analyse, ColumnGraph, KnownColumns, first_warnings
from recce_meta.models.node import SourceFreshness
from recce_meta.models.rows import Tabular
from recce_meta.models.run import with_build
from recce_meta.models.stored import NodeStatistics
from recce_meta.redaction import without_passwords
from recce_meta.store import content, run_hash
from recce_meta.store.columns import (
    AnalysesGone,
    ColumnPieces,
    FoundGraph,
    column_pieces,
    find_column_graph,
    has_stored_references,
    known_columns,
    write_columns,
)
from recce_meta.store.content import Contents, contents
from recce_meta.store.graphs import add_origins, store_changes
from recce_meta.store.prune import free_id, refuse_deleted
from recce_meta.store.read import in_utc, names_of, run_by_id, run_row, write_facts, write_freshness
from recce_meta.store.run_hash import content_hash
from recce_meta.store.session import StoreSession, open_store
from recce_meta.store.statistics import StatisticsWritten, add_statistics
from recce_meta.store.values import masked_json, storable

_LOG = logging.getLogger(__name__)
RUN_COLUMNS = RunMetadata.__struct_fields__
RESULT_COLUMNS = (
    "run_id", "unique_id", "status", "seconds", "rows_affected", "bytes_processed", "failures", "message",
    "completed_at", "compile_started_at", "compile_completed_at", "execute_started_at",
    "execute_completed_at", "thread_id", "query_id", "adapter_response",
    "failed_rows",
)  # fmt: skip

MANY_VERSIONS = 500
"""Run ANALYZE after inserting at least this many versions, because autovacuum may lag by minutes."""


class RecordResult(Tabular, frozen=True, kw_only=True):
    """Result of `record_run`."""

    run: RunMetadata
    """The stored run."""
    written: bool
    """True if the run is new; otherwise nothing was written."""
    differs: bool = False
    """True if the stored run with this id has other contents than the run to record."""
    new_graph: bool = False
    """True if no run with the same graph was recorded before."""
    versions_written: int = 0
    macros_written: int = 0
    code_sent: int = 0
    """Characters of raw and compiled code sent for nodes and macros."""
    statistics: StatisticsWritten = StatisticsWritten()
    """Statistics written, also for a run that was already stored."""
    analyses_written: int = 0
    """Number of analyses of SQL that the store did not have."""
    columns_added: bool = False
    """True if column lineage was added to, or updated in, a run that was already stored."""
    column_gaps: tuple[str, ...] = ()
    """Unique ids of nodes without columns, if the column graph of an earlier run is reused."""
    column_warnings: tuple[str, ...] = ()
    """One sentence for each node whose columns could not be determined by this recording."""


Guard = Callable[[], AbstractContextManager[None]]
"""Returns the context of one transaction, which may refuse it by an exception."""


class _Entry(Struct, frozen=True):
    """Data to record."""

    run: RunMetadata
    pieces: Contents
    results: Sequence[NodeResult]
    facts: Sequence[RelationFacts]
    freshness: Sequence[SourceFreshness]
    statistics: Sequence[NodeStatistics]
    has_columns: bool
    """True if the run gets column lineage."""
    column_warnings: tuple[str, ...] = ()
    """Warnings from the column analysis of this recording."""
    id_of_contents: bool = False
    """True if the id of the run follows from its contents."""
    is_compiled: bool = True
    """True if the run has the SQL of all its nodes, so that its column graph follows from its graph."""
    asks_warehouse: bool = False
    """True if the time of recording is the warehouse's, should the clock of this machine be ahead."""


def record_run(
    adapter: UnifiedSqlAdapter,
    project: Project,
    *,
    now: datetime | None = None,
    statistics: Sequence[NodeStatistics] = (),
    analyse: Analyse | None = None,
    id_of_contents: bool = False,
    is_compiled: bool = True,
    guard: Guard = nullcontext,
) -> RecordResult:
    """Write *project* as one run, with *statistics* of its nodes; create the store if it does not exist.

    A stored run is not changed; only missing *statistics* and column lineage are added, unless its
    contents differ from *project*. Waits for other recorders. *guard* is entered for each transaction.

    Raises StoreError if a run with this id was pruned. With *id_of_contents*, the id follows from the
    contents, which may occur again: the run then gets another id.

    With *analyse*, the run gets column lineage. *analyse* is called outside of any transaction, with the
    contents of the project's latest column graphs. It is not called if the same recorder version has
    already stored a column graph of the same graph without timeouts, and *is_compiled* says that the graph
    has the SQL of all its nodes. It is called a second time, with an empty mapping, if analyses that it left
    out were pruned in the meantime.
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
    entry = _Entry(
        run,
        pieces,
        project.results,
        project.facts,
        project.freshness,
        statistics,
        has_columns=analyse is not None,
        id_of_contents=id_of_contents,
        is_compiled=is_compiled,
        asks_warehouse=now is None and not adapter.warehouse.is_in_process,
    )
    # Analysing columns can take minutes, so the first transaction only finds out whether they are stored.
    done = _guarded(guard, adapter, entry, None)
    if isinstance(done, RecordResult) or analyse is None:
        return _whole(done)
    # The analysis takes minutes, in which DuckDB would keep the file locked.
    adapter.release_file()
    try:
        return _record_with(guard, adapter, entry, analyse(done))
    except AnalysesGone:
        # The second attempt refers to no stored analysis, so that no prune can break it.
        return _record_with(guard, adapter, entry, analyse({}))


def _guarded(
    guard: Guard, adapter: UnifiedSqlAdapter, entry: _Entry, columns: ColumnPieces | None
) -> RecordResult | KnownColumns:
    with guard():
        done = retrying(adapter, lambda: _record(adapter, entry, columns))
    if isinstance(done, RecordResult) and done.written:
        _store_derived(adapter, is_large=max(done.versions_written, done.analyses_written) >= MANY_VERSIONS)
    return done


def _store_derived(adapter: UnifiedSqlAdapter, *, is_large: bool) -> None:
    """Store the changes of the recorded run in a transaction of its own, so that other writers wait less.

    What fails is computed by the views, and stored by the next recorder.
    """

    def work() -> None:
        with open_store(adapter, writes=True) as store:
            store_changes(store)
            store.refresh_statistics(is_large=is_large)

    if adapter.warehouse.stores_changes or is_large:
        try:
            retrying(adapter, work)
        except (ConnectionLost, QueryTimeout, StoreLocked) as error:
            _LOG.warning("The changes of the run are left to the next recorder: %s", error.message)


def _record_with(
    guard: Guard, adapter: UnifiedSqlAdapter, entry: _Entry, columns: ColumnGraph
) -> RecordResult:
    pieces = column_pieces(columns)
    entry = replace(entry, column_warnings=first_warnings(columns.warnings))
    done = _whole(_guarded(guard, adapter, entry, pieces))
    return replace(done, column_warnings=columns.warnings) if done.written or done.columns_added else done


def _record(
    adapter: UnifiedSqlAdapter, entry: _Entry, columns: ColumnPieces | None
) -> RecordResult | KnownColumns:
    """Record in one transaction; or return the known columns if column lineage must be computed first."""
    pieces = entry.pieces
    with open_store(adapter, create=True, writes=True) as store:
        entry, stored = _admit(store, entry)
        run = entry.run
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
        if entry.asks_warehouse:
            [(present, _)] = store.query("store_clock")
            clocks = (run.recorded_at, in_utc(present))
            run = replace(run, recorded_at=min(time for time in clocks if isinstance(time, datetime)))
        new_graph = not store.query("graph_stored", graph_id=pieces.graph_id)
        versions, code = write_graph(store, pieces) if new_graph else (0, 0)
        # New versions are written with their origins, so only stored ones may lack some.
        if versions < len(pieces.versions):
            add_origins(store, run, pieces)
        macros, macro_code = write_macros(store, pieces)
        analyses = write_columns(store, columns) if columns else 0
        results = [result_row(run, result) for result in entry.results]
        if results:
            store.insert("run_results", RESULT_COLUMNS, results)
        fact_parts = write_facts(store, run.run_id, entry.facts)
        write_freshness(store, run.run_id, entry.freshness)
        added = add_statistics(store, run.run_id, entry.statistics)
        own = run_row(run)
        store.insert("run_hashes", run_hash.COLUMNS, [(run.run_id, content_hash(own, results, fact_parts))])
        store.insert("runs", RUN_COLUMNS, [own])
        if (first := _recorded_by_another(store, run)) is not None:
            return RecordResult(run=first, written=False, differs=first.graph_id != run.graph_id)
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


def _admit(store: StoreSession, entry: _Entry) -> tuple[_Entry, RunMetadata | None]:
    """Return *entry* with an id that was not deleted, and the run that is stored under this id."""
    run_id = entry.run.run_id
    stored = run_by_id(store, run_id)
    if stored is not None:
        return entry, stored
    if not entry.id_of_contents:
        refuse_deleted(store, run_id, hint="record it under another id with --run-id")
        return entry, None
    free = free_id(store, run_id)
    if free == run_id:
        return entry, None
    return replace(entry, run=replace(entry.run, run_id=free)), run_by_id(store, free)


def _column_graph(store: StoreSession, entry: _Entry, columns: ColumnPieces | None) -> FoundGraph | None:
    """Return the run's column graph: the computed one, else that of an earlier run."""
    if columns is not None:
        return FoundGraph(columns.column_graph_id)
    # SQL that comes from another run is not part of the graph.
    return find_column_graph(store, entry.run) if entry.has_columns and entry.is_compiled else None


def _complete(
    store: StoreSession, entry: _Entry, stored: RunMetadata, columns: ColumnPieces | None
) -> RecordResult | KnownColumns:
    """Add the data that the *stored* run lacks; or return the known columns, like `_record`."""
    # Statistics and lineage of other contents must not be added to this run.
    if stored.graph_id != entry.run.graph_id:
        nothing = add_statistics(store, stored.run_id, ())
        return RecordResult(run=stored, written=False, differs=True, statistics=nothing)
    found, analyses = None, 0
    outdated = stored.column_graph_id
    if entry.has_columns and (outdated is None or not has_stored_references(store, outdated)):
        found = _column_graph(store, entry, columns)
        if found is None:
            return known_columns(store, entry.run)
        analyses = write_columns(store, columns) if columns else 0
        # Only replaces the graph that was read: another recorder may have set a newer one.
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
    """Return *done*; raise TypeError if column lineage is still missing."""
    if not isinstance(done, RecordResult):
        raise TypeError("A run was to be recorded without its column lineage")
    return done


def _recorded_by_another(store: StoreSession, run: RunMetadata) -> RunMetadata | None:
    """Return the run that another recorder wrote first under this id, in a warehouse without transactions."""
    if store.has_transactions:
        return None
    kept = run_by_id(store, run.run_id)
    # The id is the same, but the time of recording identifies this process's row.
    return kept if kept is not None and kept.recorded_at != run.recorded_at else None


def write_graph(store: StoreSession, pieces: Contents) -> tuple[int, int]:
    """Write the missing parts of a graph. Return the number of new versions and the length of their code."""
    graph_id = pieces.graph_id
    # Written first, so that the queries for missing rows need no list of ids.
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
    """Write the missing macros of a set. Return their number and the length of their code."""
    set_id = pieces.macro_set_id
    if not pieces.macros or store.query("macro_set_stored", macro_set_id=set_id):
        return 0, 0
    # Written first, as the parts of a graph are.
    store.insert("macro_sets", content.MACRO_SET_COLUMNS, ((set_id, identity) for identity in pieces.macros))
    missing = names_of(store.query("missing_macros", macro_set_id=set_id))
    macros = {identity: pieces.macros[identity] for identity in missing}
    store.insert("macros", content.MACRO_COLUMNS, (content.macro_row(*macro) for macro in macros.items()))
    return len(macros), sum(len(macro.macro_sql) for macro in macros.values())


def result_row(run: RunMetadata, result: NodeResult) -> content.Row:
    """Return the row of `run_results`, in the order of `RESULT_COLUMNS`."""
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
        result.compile_started_at,
        result.compile_completed_at,
        result.execute_started_at,
        result.execute_completed_at,
        result.thread_id and storable(result.thread_id),
        result.query_id and storable(result.query_id),
        result.adapter_response and masked_json(result.adapter_response),
        None if result.failed_rows is None else masked_json(result.failed_rows),
    )
