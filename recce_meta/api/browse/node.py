"""One node of a run: tests, results, row counts, changes and quality over time, and lineage of its columns.

Histories are of the project and environment of the run, newest first. Each function takes a fixed number of
statements, whatever the number of runs and nodes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.partial_run import NOT_BUILT, STORING, Build, CodeChanges
from recce_meta.models import NodeMetadata, NodeResult, RunMetadata
from recce_meta.models.lineage import REFERENCED, ColumnOutput, ColumnSource, ColumnUse, NodeColumns
from recce_meta.models.node import find_named, matching_name
from recce_meta.models.quality import QualityRun, TableQuality
from recce_meta.models.rows import ResultList, Tabular
from recce_meta.models.run import DBT, PART
from recce_meta.store import columns as column_store
from recce_meta.store.quality import read_quality
from recce_meta.store.read import in_utc, result_of, run_by_id
from recce_meta.store.select import find_quality_runs
from recce_meta.store.session import StoreSession, open_store

MOST_RUNS = 500
"""Largest number of runs in a history."""
MOST_MEASUREMENTS = 30
MOST_STEPS = 150
"""Largest number of columns on the way of one column."""
MOST_LEVELS = 25
ANY = "*"
"""Name of a column in lineage if a query reads all columns of a relation that are unknown."""


class NodeOutcome(Tabular, frozen=True):
    """Result and row count of a node in one run."""

    run_id: str
    run_at: datetime
    status: str | None
    """dbt's status; None if dbt did not run the node."""
    seconds: float | None
    rows_affected: int | None
    failures: int | None
    message: str | None
    row_count: int | None
    """Rows of the relation, if the run was recorded with statistics."""


class Measurement(Struct, frozen=True, kw_only=True):
    """Run that measured a node last: the shown run, else an earlier one of its environment and target."""

    run_id: str
    run_at: datetime
    is_own: bool
    """True if the shown run measured the node."""
    since: str | None = None
    """What has, or may have, changed since the measurement or *built_at*; None if nothing has."""
    is_certain: bool = True
    """False if it only may have changed."""
    built_at: datetime | None = None
    """When the counted rows were built, if by a run before the one that counted."""
    is_build_known: bool = True
    """False if it is unknown which run built the counted rows."""

    @classmethod
    def of(cls, run: RunMetadata) -> Measurement:
        """Return the measurement by the shown *run* itself."""
        return cls(run_id=run.run_id, run_at=run.run_at, is_own=True, since=_part(run.command or ""))


def _part(command: str) -> str | None:
    """Return which option of dbt's *command* limited the rows; None without one."""
    return next((f"built only with {one}" for one in sorted(PART.intersection(command.split()))), None)


class LastResult(Struct, frozen=True, kw_only=True):
    """Last result of a node in dbt."""

    result: NodeResult
    measured: Measurement


class LastCount(Struct, frozen=True, kw_only=True):
    """Last row count of a node."""

    row_count: int
    measured: Measurement


class NodeHistoryEntry(Tabular, frozen=True):
    """Difference of a node from the previous run."""

    run_id: str
    previous_run_id: str
    run_at: datetime
    previous_run_at: datetime | None
    status: str
    """added, removed, modified, moved or rewritten."""
    code_changed: bool | None
    compiled_changed: bool | None
    config_changed: bool | None
    columns_changed: bool | None
    description_changed: bool | None
    contract_changed: bool | None
    place_changed: bool | None

    @property
    def parts(self) -> tuple[str, ...]:
        """Words for what differs; empty if the node was added or removed."""
        return tuple(word for name, word in _PARTS.items() if getattr(self, name))


_PARTS = {
    "code_changed": "code",
    "compiled_changed": "compiled SQL",
    "config_changed": "config",
    "columns_changed": "columns",
    "description_changed": "description",
    "contract_changed": "contract",
    "place_changed": "relation",
}


class ColumnHistoryEntry(Tabular, frozen=True):
    """Difference of a column from the previous run."""

    run_id: str
    previous_run_id: str
    run_at: datetime
    column_name: str
    status: str
    """added, removed, retyped, altered or reordered."""
    column_type: str | None
    previous_column_type: str | None
    node_status: str


class CodeVersion(NamedTuple):
    """Distinct code of a node: the first run that has it."""

    run_id: str
    run_at: datetime | None


class NodeTest(Tabular, frozen=True, kw_only=True):
    """Test that reads a node, with its result in the run."""

    unique_id: str
    name: str
    test: str
    """Name of the generic test, such as `not_null`; `singular` for a query of its own."""
    column: str | None = None
    """Column that it tests, if it is attached to the node."""
    status: str | None = None
    """dbt's status; None if no run until this one has a result of it."""
    failures: int | None = None
    message: str | None = None
    run_id: str | None = None
    """Run with the result, if it is an earlier one."""
    run_at: datetime | None = None
    since: str | None = None
    """What has changed since that run; None if the code of the test and its ancestors is the same."""


class QualityFigures(Tabular, frozen=True):
    """Figures of one column in one measurement."""

    quality_run_id: str
    measured_at: datetime
    column_name: str
    row_count: int | None
    not_null_count: int | None
    score: float | None

    @property
    def null_share(self) -> float | None:
        """Rows without a value as a share of all rows."""
        if not self.row_count or self.not_null_count is None:
            return None
        return (self.row_count - self.not_null_count) / self.row_count


class NodeQuality(Struct, frozen=True, kw_only=True):
    """Measured quality of a node."""

    run: QualityRun
    """Latest measurement of the node."""
    table: TableQuality
    history: tuple[QualityFigures, ...]
    """Figures of its columns in the last measurements, newest first."""


class ColumnStep(Struct, frozen=True, kw_only=True):
    """Column on the way of a value, from the asked column to its sources."""

    unique_id: str
    column: str
    distance: int
    """Number of steps from the asked column."""
    output: ColumnOutput | None
    """How the SQL of the node computes it; None if the node was not analysed, or has no such column."""


class ColumnOrigin(Struct, frozen=True, kw_only=True):
    """Columns that a column comes from, step by step."""

    steps: tuple[ColumnStep, ...]
    """The asked column, then its sources, nearest first."""
    uses: tuple[ColumnUse, ...]
    """Columns that decide over the rows of the node: filters, joins and groups."""
    tier: str | None
    reason: str | None
    """Why the columns of the node are unknown."""
    truncated: bool
    """Whether further columns are on the way."""


class ColumnReader(Tabular, frozen=True, order=True):
    """Use of a column by a node that reads it."""

    node_id: str
    column_name: str | None
    """Column that the value flows into; None if the column decides over the rows of the node."""
    kind: str
    """passthrough, renamed, derived or aggregated; filter, join, group, order or referenced for rows."""
    parent_column: str
    confidence: float


def node_outcomes(adapter: UnifiedSqlAdapter, run: RunMetadata, unique_id: str) -> ResultList[NodeOutcome]:
    """Return the results and row counts of a node in the last `MOST_RUNS` runs."""
    rows = _rows(adapter, "node_outcomes", run, unique_id)
    return ResultList(NodeOutcome, [NodeOutcome(*map(in_utc, row)) for row in rows])


def node_history(
    adapter: UnifiedSqlAdapter, run: RunMetadata, unique_id: str
) -> ResultList[NodeHistoryEntry]:
    """Return the changes of a node in the runs of the project and environment.

    Stored changes are read first, because planning the view `node_changes` takes longer than the rest.
    """
    binds = _binds(run, unique_id)
    with open_store(adapter) as store:
        stored: list[tuple[Any, ...]] = store.query("node_steps", **binds)
        if all(is_stored for *_, is_stored in stored):
            rows = [row[:-1] for row in stored]
        else:
            rows = store.query("node_history", **binds)
    return ResultList(NodeHistoryEntry, [NodeHistoryEntry(*map(in_utc, row)) for row in rows])


def column_changes(
    adapter: UnifiedSqlAdapter,
    run: RunMetadata,
    unique_id: str,
    history: Iterable[NodeHistoryEntry],
) -> ResultList[ColumnHistoryEntry]:
    """Return the changes of the columns of a node in the runs of the project and environment.

    Pass the *history* of the node: without a change of its columns, no statement is needed.
    """
    if not any(entry.columns_changed or entry.status in ("added", "removed") for entry in history):
        return ResultList(ColumnHistoryEntry, [])
    rows = _rows(adapter, "node_column_history", run, unique_id)
    return ResultList(ColumnHistoryEntry, [ColumnHistoryEntry(*map(in_utc, row)) for row in rows])


def _rows(adapter: UnifiedSqlAdapter, query: str, run: RunMetadata, unique_id: str) -> list[tuple[Any, ...]]:
    with open_store(adapter) as store:
        return store.query(query, **_binds(run, unique_id))


def _binds(run: RunMetadata, unique_id: str) -> dict[str, Any]:
    return {
        "project": run.project_name,
        "environment": run.environment,
        "unique_id": unique_id,
        "most": MOST_RUNS,
    }


def code_versions(history: Iterable[NodeHistoryEntry]) -> list[CodeVersion]:
    """Return the runs that changed the code of a node, newest first, then the run with its first code."""
    found: list[CodeVersion] = []
    first: CodeVersion | None = None
    for entry in history:
        if entry.status == "added" or entry.code_changed or entry.compiled_changed:
            found.append(CodeVersion(entry.run_id, entry.run_at))
            first = (
                None if entry.status == "added" else CodeVersion(entry.previous_run_id, entry.previous_run_at)
            )
    return [*found, first] if first else found


def last_results(
    adapter: UnifiedSqlAdapter,
    run: RunMetadata,
    ids: Collection[str],
    nodes: Mapping[str, NodeMetadata],
    parents: Mapping[str, Sequence[str]],
) -> dict[str, LastResult]:
    """Return dbt's last result of each of *ids* until *run*, by unique id.

    *nodes* and *parents* are those of the whole run. A result of *run* comes before those of other runs.
    """
    own = Measurement.of(run)
    with open_store(adapter) as store:
        rows = store.query("results_by_id", run_id=run.run_id, ids="\n".join(ids))
        found = {one.unique_id: LastResult(result=one, measured=own) for one in map(result_of, rows)}
        missing = [one for one in ids if one not in found]
        if not missing or run.extractor != DBT:
            return found
        earlier = [
            (result_of(tuple(result)), str(run_id), Build.of(graph_id, macro_set_id, at, command))
            for *result, run_id, at, graph_id, macro_set_id, command in store.query(
                "last_results", run_id=run.run_id, ids="\n".join(missing)
            )
        ]
        changes = CodeChanges(store, run, [build for _, _, build in earlier], nodes)
        for result, run_id, build in earlier:
            measured = _measured(changes, run_id, build, result.unique_id, nodes, parents)
            found[result.unique_id] = LastResult(result=result, measured=measured)
        return found


def last_success(adapter: UnifiedSqlAdapter, run: RunMetadata, unique_id: str) -> Measurement | None:
    """Return the last run until *run* that built a node in its environment and target; None if none did."""
    with open_store(adapter) as store:
        rows = store.query(
            "builds_before",
            run_id=run.run_id,
            builds=f"{unique_id} {run.run_id}",
            run_ids=run.run_id,
        )
    if not rows:
        return None
    *_, run_at, _, run_id = rows[0]
    return Measurement(run_id=str(run_id), run_at=in_utc(run_at), is_own=run_id == run.run_id)


def last_count(
    adapter: UnifiedSqlAdapter,
    run: RunMetadata,
    materialized: str | None,
    outcomes: Iterable[NodeOutcome],
    built: LastResult | None,
) -> LastCount | None:
    """Return the last row count of a node until *run*, from its *outcomes*; None if it was never counted.

    *built* is the node's last result until *run*. *materialized* says whether each read computes the rows.
    """
    counted = [one for one in outcomes if one.row_count is not None and one.run_at <= run.counted_at]
    last = next((one for one in counted if one.run_id == run.run_id), counted[0] if counted else None)
    if last is None or last.row_count is None:
        return None
    if last.run_id == run.run_id:
        own = Measurement.of(run)
        measured = own if run.extractor != DBT else _of_build(own, run, run, built)
        return LastCount(row_count=last.row_count, measured=measured)
    with open_store(adapter) as store:
        other = run_by_id(store, last.run_id)
    if other is None:
        return None
    found = Measurement(run_id=other.run_id, run_at=other.counted_at, is_own=False)
    measured = found if run.extractor != DBT else _of_build(found, run, other, built)
    if run.extractor != DBT or (measured.since is None and materialized not in STORING):
        measured = replace(measured, since="may have changed", is_certain=False)
    return LastCount(row_count=last.row_count, measured=measured)


def _of_build(
    counted: Measurement, run: RunMetadata, counting: RunMetadata, built: LastResult | None
) -> Measurement:
    """Return *counted*, by *counting*, with the build of its rows: *built*, as *run* shows it."""
    if (
        built is None
        or built.result.status.lower() in NOT_BUILT
        or counting.target_database != run.target_database
        or counting.target_schema != run.target_schema
    ):
        return replace(counted, is_build_known=False)
    last = built.measured
    if last.run_id == counting.run_id:
        return replace(counted, since=last.since, is_certain=last.is_certain)
    if last.run_at > counting.counted_at:
        return replace(counted, since="built again", is_certain=False)
    return replace(counted, built_at=last.run_at, since=last.since, is_certain=last.is_certain)


def _measured(
    changes: CodeChanges,
    run_id: str,
    build: Build,
    unique_id: str,
    nodes: Mapping[str, NodeMetadata],
    parents: Mapping[str, Sequence[str]],
) -> Measurement:
    node = nodes.get(unique_id)
    since = "the node was removed" if node is None else changes.since(build, node, nodes, parents)
    since = since or _part(build.command)
    may = None if node is None or since else changes.may_have_changed(build, node, parents)
    return Measurement(run_id=run_id, run_at=build.at, is_own=False, since=since or may, is_certain=not may)


def node_tests(
    unique_id: str, tests: Iterable[NodeMetadata], results: Mapping[str, LastResult]
) -> list[NodeTest]:
    """Return *tests* that read the node *unique_id*, failures first, with their last *results*."""
    found = []
    for test in tests:
        last = results.get(test.unique_id)
        result, measured = (last.result, last.measured) if last is not None else (None, None)
        # A test of two nodes, such as `relationships`, names a column of the node that it is attached to.
        is_own = test.properties.get("attached_node") in (None, unique_id)
        generic = test.properties.get("test_metadata")
        name = generic.get("name") if isinstance(generic, dict) else None
        column = test.properties.get("column_name") if is_own else None
        is_earlier = measured is not None and not measured.is_own
        found.append(
            NodeTest(
                unique_id=test.unique_id,
                name=test.name,
                test=str(name) if name else "singular",
                column=column if isinstance(column, str) else None,
                status=result.status if result else None,
                failures=result.failures if result else None,
                message=result.message if result else None,
                run_id=measured.run_id if measured and is_earlier else None,
                run_at=measured.run_at if measured and is_earlier else None,
                since=measured.since if measured else None,
            )
        )
    return sorted(found, key=lambda test: (_PASSED.get(test.status or "", 0), test.name))


_PASSED = {"pass": 2, "success": 2, "skipped": 1, "": 1}


def node_quality(adapter: UnifiedSqlAdapter, run: RunMetadata, unique_id: str) -> NodeQuality | None:
    """Return the measured quality of a node; None if it was never measured."""
    with open_store(adapter) as store:
        runs = find_quality_runs(
            store,
            project=run.project_name,
            environment=run.environment,
            ids=unique_id,
            most=MOST_MEASUREMENTS,
        )
        if not runs:
            return None
        # `ids` above selects measurements of this node, so that each has its table.
        (table,) = read_quality(store, runs[0], [unique_id]).tables
        return NodeQuality(run=runs[0], table=table, history=_figures(store, run, unique_id, runs))


def _figures(
    store: StoreSession, run: RunMetadata, unique_id: str, runs: Sequence[QualityRun]
) -> tuple[QualityFigures, ...]:
    found = store.query(
        "node_quality_history",
        project=run.project_name,
        environment=run.environment,
        unique_id=unique_id,
        run_ids="\n".join(one.quality_run_id for one in runs),
    )
    rows: list[tuple[Any, ...]] = list(found)
    return tuple(QualityFigures(*map(in_utc, row)) for row in rows)


def node_columns(adapter: UnifiedSqlAdapter, run: RunMetadata, unique_id: str) -> NodeColumns | None:
    """Return the column lineage of a node; None if its SQL was not analysed."""
    if run.column_graph_id is None:
        return None
    with open_store(adapter) as store:
        return column_store.columns_of(store, run, [unique_id]).get(unique_id)


def column_readers(
    adapter: UnifiedSqlAdapter,
    run: RunMetadata,
    unique_id: str,
    column: str | None = None,
) -> ResultList[ColumnReader]:
    """Return what reads the columns of a node directly, or its column *column*, sorted by node.

    A node that refers to a column and also computes something from it is returned for the latter only.
    """
    if run.column_graph_id is None:
        return ResultList(ColumnReader, [])
    with open_store(adapter) as store:
        edges = column_store.column_children(store, run, [unique_id])
    found = {
        ColumnReader(edge.node_id, edge.column_name, edge.kind, edge.parent_column, edge.confidence)
        for edge in edges
        if column is None or reads(edge.parent_column, column)
    }
    used = {(one.node_id, one.parent_column) for one in found if one.kind != REFERENCED}
    kept = [one for one in found if one.kind != REFERENCED or (one.node_id, one.parent_column) not in used]
    return ResultList(ColumnReader, sorted(kept, key=_reader_order))


def unknown_readers(adapter: UnifiedSqlAdapter, run: RunMetadata, child_ids: Sequence[str]) -> list[str]:
    """Return those of *child_ids*, nodes that read a node, of which no column is known that they read."""
    if run.column_graph_id is None or not child_ids:
        return []
    with open_store(adapter) as store:
        known = column_store.column_analyses(store, run, child_ids)
    return [one for one in child_ids if one not in known or known[one][1] is not None]


def _reader_order(reader: ColumnReader) -> tuple[bool, str, str, str]:
    return reader.column_name is None, reader.node_id, reader.column_name or "", reader.kind


def reads(parent_column: str, column: str) -> bool:
    """Return True if a query that reads *parent_column* reads *column*: itself, its struct, or a field.

    >>> reads("ID", "id"), reads("*", "id"), reads("address.city", "address"), reads("idle", "id")
    (True, True, True, False)
    """
    one, other = parent_column.casefold(), column.casefold()
    return one in (other, ANY) or one.startswith(f"{other}.") or other.startswith(f"{one}.")


def column_origin(
    adapter: UnifiedSqlAdapter,
    run: RunMetadata,
    unique_id: str,
    column: str,
) -> ColumnOrigin | None:
    """Return the columns that *column* of a node comes from; None if the run has no column lineage.

    One statement reads each level, and at most `MOST_STEPS` columns are returned.
    """
    if run.column_graph_id is None:
        return None
    loaded: dict[str, NodeColumns] = {}
    steps: list[ColumnStep] = []
    waiting = [(unique_id, column)]
    # Lineage can have a circle, such as an incremental model that reads itself.
    seen = set(waiting)
    with open_store(adapter) as store:
        for distance in range(MOST_LEVELS):
            missing = {node for node, _ in waiting} - loaded.keys()
            loaded |= column_store.columns_of(store, run, sorted(missing)) if missing else {}
            found = [_step(place, distance, loaded) for place in waiting]
            steps += found
            sources = (source for step in found if step.output for source in step.output.sources)
            waiting = [place for place in dict.fromkeys(map(_place, sources)) if place not in seen]
            seen.update(waiting)
            if not waiting or len(steps) >= MOST_STEPS:
                break
    own = loaded.get(unique_id)
    return ColumnOrigin(
        steps=tuple(steps[:MOST_STEPS]),
        uses=own.uses if own else (),
        tier=own.tier.value if own else None,
        reason=own.reason if own else None,
        truncated=bool(waiting) or len(steps) > MOST_STEPS,
    )


def _place(source: ColumnSource) -> tuple[str, str]:
    return source.parent, source.column


def _step(place: tuple[str, str], distance: int, loaded: Mapping[str, NodeColumns]) -> ColumnStep:
    unique_id, column = place
    outputs = loaded[unique_id].outputs if unique_id in loaded else ()
    output = find_named(column, outputs, lambda one: (one.name,))
    # A field of a struct comes from the column that is the struct.
    if output is None and "." in column:
        output = find_named(column.split(".")[0], outputs, lambda one: (one.name,))
    return ColumnStep(unique_id=unique_id, column=column, distance=distance, output=output)


def column_name(name: str, node: NodeMetadata, lineage: NodeColumns | None) -> str | None:
    """Return *name* as the node spells its column: in the catalog or YAML, else in its SQL."""
    return matching_name(name, column_names(node, lineage))


def column_names(node: NodeMetadata, lineage: NodeColumns | None) -> list[str]:
    """Return the columns of a node: those of the catalog or YAML, then further ones in its SQL."""
    names = {column.name: column.name.casefold() for column in node.columns}
    folded = set(names.values())
    further = [name for name in lineage.names if name.casefold() not in folded] if lineage else []
    return list(dict.fromkeys([*names, *further]))
