"""Storage of quality measurements: writing and reading.

A measurement belongs to the run whose nodes it measured, and is pruned with that run. Its own row is
written last and readers start from it, so no reader sees an incomplete measurement.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from recce_meta._version import __version__
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.adapter.waiting import retrying
from recce_meta.models.data_diff import Value
from recce_meta.models.quality import (
    ColumnQuality,
    MetricResult,
    Quality,
    QualityRun,
    TableQuality,
    ValueCount,
)
from recce_meta.models.rows import ResultList
from recce_meta.models.run import COMPLETE
from recce_meta.store.content import Row
from recce_meta.store.read import in_utc, require_run
from recce_meta.store.select import find_quality_run, find_quality_runs
from recce_meta.store.session import StoreSession, open_store
from recce_meta.store.values import (
    FIGURES,
    kind_and_text,
    number_of,
    profile_fields,
    profile_from,
    storable,
    value_from,
)

RUN_COLUMNS = (
    "quality_run_id", "run_id", "project_name", "environment", "started_at", "finished_at", "target_name",
    "sample_percent", "sample_rows", "sample_seed", "keeps_values", "table_count", "failed_count", "score",
    "recorder_version", "status", "reason",
)  # fmt: skip
TABLE_COLUMNS = (
    "quality_run_id", "unique_id", "name", "relation", "measured_at", "row_count", "sampled_rows",
    "column_count", "score", "reason", "notes",
)  # fmt: skip
COLUMN_COLUMNS = (
    "quality_run_id", "unique_id", "ordinal", "column_name", "column_type", "row_count", "not_null_count",
    "distinct_count", "is_approximate", *(f"{name}_value" for name in FIGURES),
    *(f"{name}_number" for name in FIGURES), "value_kinds", "true_count", "min_length", "max_length",
    "average_length", "blank_count", "is_declared_unique", "is_private", "score", "reason",
)  # fmt: skip
VALUE_COLUMNS = (
    "quality_run_id", "unique_id", "ordinal", "place", "column_name", "value", "value_kind", "value_count",
)  # fmt: skip
METRIC_COLUMNS = (
    "quality_run_id", "unique_id", "ordinal", "place", "column_name", "metric_name", "value", "value_kind",
    "value_number", "threshold", "holds", "reason",
)  # fmt: skip
# As many cells as `profile_fields` returns; `{}` is an empty mapping of kinds of values.
_NO_PROFILE = (*(None,) * 13, "{}", *(None,) * 4)
OF_THE_TABLE = 0
"""Ordinal that represents the table itself instead of a column."""

_notes = msgspec.json.Decoder(tuple[str, ...]).decode


class QualityWritten(Struct, frozen=True, kw_only=True):
    """Result of `write_quality`."""

    run: QualityRun
    """The stored measurement."""
    written: bool
    """True if the measurement is new; otherwise nothing was written."""


def write_quality(adapter: UnifiedSqlAdapter, quality: Quality) -> QualityWritten:
    """Write *quality* in one transaction; a measurement with the same id is not changed.

    Waits for other writers. Raises StoreError if the measured run is not in the store.
    """
    run = replace(quality.run, recorder_version=__version__)

    def work() -> QualityWritten:
        with open_store(adapter, writes=True) as store:
            require_run(store, run.run_id, "quality", command="scan")
            stored = find_quality_runs(store, quality_run_id=run.quality_run_id, status=None)
            if stored:
                return QualityWritten(run=stored[0], written=False)
            insert_quality(store, run, quality.tables)
        return QualityWritten(run=run, written=True)

    return retrying(adapter, work)


def load_quality(
    adapter: UnifiedSqlAdapter,
    selector: str | QualityRun,
    *,
    project: str | None = None,
    environment: str | None = None,
    unique_ids: Iterable[str] | None = None,
    top_values: bool = True,
) -> Quality:
    """Return the measurement that *selector* means (`find_quality_run`); only of *unique_ids* if given.

    Without *top_values*, the most frequent values of columns are left out, because there are many.
    Raises SelectorError if none or several measurements match.
    """
    with open_store(adapter) as store:
        run = (
            selector
            if isinstance(selector, QualityRun)
            else find_quality_run(store, selector, project=project, environment=environment)
        )
        return read_quality(store, run, unique_ids, top_values=top_values)


def resolve_quality_run(
    adapter: UnifiedSqlAdapter, selector: str, *, project: str | None = None, environment: str | None = None
) -> QualityRun:
    """Return the measurement that *selector* means, without its tables; raises as `load_quality` does."""
    with open_store(adapter) as store:
        return find_quality_run(store, selector, project=project, environment=environment)


def list_quality_runs(
    adapter: UnifiedSqlAdapter,
    *,
    project: str | None = None,
    environment: str | None = None,
    run_id: str | None = None,
    unique_ids: Iterable[str] | None = None,
    limit: int | None = None,
    with_failed: bool = False,
) -> ResultList[QualityRun]:
    """Return the stored quality measurements, newest first, at most *limit*.

    *project*, *environment* and *run_id* select measurements by equality (default: all); *unique_ids* selects
    those of at least one of these tables. Failed measurements are listed only with *with_failed*. *adapter*
    connects to the store.
    """
    with open_store(adapter) as store:
        found = find_quality_runs(
            store,
            project=project,
            environment=environment,
            run_id=run_id,
            ids=None if unique_ids is None else "\n".join(unique_ids),
            most=2**31 if limit is None else limit,
            status=None if with_failed else COMPLETE,
        )
    return ResultList(QualityRun, found)


def previous_quality(
    adapter: UnifiedSqlAdapter,
    run: QualityRun,
    *,
    unique_ids: Iterable[str] | None = None,
    top_values: bool = True,
) -> Quality | None:
    """Return the previous measurement in the project and environment of *run*; None if *run* is the first.

    With *unique_ids*, return the previous measurement of at least one of these tables, limited to them.
    *run* need not be stored.
    """
    ids = None if unique_ids is None else tuple(unique_ids)
    with open_store(adapter) as store:
        found = find_quality_runs(
            store,
            project=run.project_name,
            environment=run.environment,
            ids=None if ids is None else "\n".join(ids),
            before=run.started_at,
            most=1,
        )
        return read_quality(store, found[0], ids, top_values=top_values) if found else None


def insert_quality(store: StoreSession, run: QualityRun, tables: tuple[TableQuality, ...]) -> None:
    """Write a new measurement within the open transaction of a writer."""
    run_id = run.quality_run_id
    places = [(table, ordinal, column) for table in tables for ordinal, column in enumerate(table.columns, 1)]
    store.insert(
        "column_top_values", VALUE_COLUMNS, (row for place in places for row in _top(run_id, *place))
    )
    store.insert("quality_metrics", METRIC_COLUMNS, _metric_rows(run_id, tables))
    store.insert("column_quality", COLUMN_COLUMNS, (_column_row(run_id, *place) for place in places))
    store.insert("table_quality", TABLE_COLUMNS, (_table_row(run_id, table) for table in tables))
    store.insert("quality_runs", RUN_COLUMNS, [_run_row(run)])


def _run_row(run: QualityRun) -> Row:
    sample = run.sample
    return (
        run.quality_run_id,
        run.run_id,
        run.project_name,
        run.environment,
        run.started_at,
        run.finished_at,
        run.target_name,
        sample and sample.percent,
        sample and sample.rows,
        sample and sample.seed,
        run.keeps_values,
        run.table_count,
        run.failed_count,
        run.score,
        run.recorder_version,
        run.status,
        run.reason and storable(run.reason),
    )


def _table_row(run_id: str, table: TableQuality) -> Row:
    return (
        run_id,
        table.unique_id,
        storable(table.name),
        storable(table.relation),
        table.measured_at,
        table.row_count,
        table.sampled_rows,
        table.column_count,
        table.score,
        table.reason and storable(table.reason),
        msgspec.json.encode([storable(note) for note in table.notes]).decode(),
    )


def _column_row(run_id: str, table: TableQuality, ordinal: int, column: ColumnQuality) -> Row:
    return (
        run_id,
        table.unique_id,
        ordinal,
        storable(column.name),
        *(_NO_PROFILE if column.profile is None else profile_fields(column.profile)),
        column.blank_count,
        column.is_declared_unique,
        column.is_private,
        column.score,
        column.reason and storable(column.reason),
    )


def _top(run_id: str, table: TableQuality, ordinal: int, column: ColumnQuality) -> Iterator[Row]:
    for place, top in enumerate(column.top_values, 1):
        kind, text = _text_of(top.value)
        yield (run_id, table.unique_id, ordinal, place, storable(column.name), text, kind, top.count)


def _metric_rows(run_id: str, tables: Iterable[TableQuality]) -> Iterator[Row]:
    for table in tables:
        yield from _metrics(run_id, table.unique_id, OF_THE_TABLE, None, table.metrics)
        for ordinal, column in enumerate(table.columns, 1):
            yield from _metrics(run_id, table.unique_id, ordinal, column.name, column.metrics)


def _metrics(
    run_id: str, unique_id: str, ordinal: int, column: str | None, metrics: Iterable[MetricResult]
) -> Iterator[Row]:
    for place, metric in enumerate(metrics, 1):
        kind, text = _text_of(metric.value)
        yield (
            run_id,
            unique_id,
            ordinal,
            place,
            column and storable(column),
            storable(metric.name),
            text,
            kind,
            number_of(metric.value),
            metric.threshold and storable(metric.threshold),
            metric.holds,
            metric.reason and storable(metric.reason),
        )


def _text_of(value: Value) -> tuple[str | None, str | None]:
    return (None, None) if value is None else kind_and_text(value)


def read_quality(
    store: StoreSession, run: QualityRun, unique_ids: Iterable[str] | None, *, top_values: bool = True
) -> Quality:
    """Return the measurement *run* from an open store; only of the tables *unique_ids* if given."""
    binds = {
        "quality_run_id": run.quality_run_id,
        "ids": None if unique_ids is None else "\n".join(unique_ids),
    }
    top: dict[tuple[str, int], list[ValueCount]] = {}
    frequent = store.query("column_top_values", **binds) if top_values else []
    for unique_id, ordinal, text, kind, count in frequent:
        value = ValueCount(value=value_from(kind, text), count=int(str(count)))
        top.setdefault((str(unique_id), int(str(ordinal))), []).append(value)
    metrics: dict[tuple[str, int], list[MetricResult]] = {}
    for unique_id, ordinal, *rest in store.query("quality_metrics", **binds):
        metrics.setdefault((str(unique_id), int(str(ordinal))), []).append(_metric_of(*rest))
    columns: dict[str, list[ColumnQuality]] = {}
    for unique_id, ordinal, *rest in store.query("column_quality", **binds):
        key = (str(unique_id), int(str(ordinal)))
        column = _column_of(tuple(rest))
        column = replace(column, top_values=tuple(top.get(key, ())), metrics=tuple(metrics.get(key, ())))
        columns.setdefault(key[0], []).append(column)
    tables = [_table_of(row, columns, metrics) for row in store.query("table_quality", **binds)]
    return Quality(run=run, tables=tuple(sorted(tables, key=lambda table: table.unique_id)))


def _table_of(
    row: tuple[Any, ...],
    columns: Mapping[str, list[ColumnQuality]],
    metrics: Mapping[tuple[str, int], list[MetricResult]],
) -> TableQuality:
    unique_id, name, relation, measured_at, row_count, sampled_rows, score, reason, notes = row
    return TableQuality(
        unique_id=unique_id,
        name=name,
        relation=relation,
        measured_at=in_utc(measured_at),
        row_count=row_count,
        sampled_rows=sampled_rows,
        columns=tuple(columns.get(unique_id, ())),
        metrics=tuple(metrics.get((unique_id, OF_THE_TABLE), ())),
        score=score,
        reason=reason,
        notes=_notes(notes),
    )


def _column_of(row: tuple[Any, ...]) -> ColumnQuality:
    name, *figures, blank_count, is_declared_unique, is_private, score, reason = row
    return ColumnQuality(
        name=name,
        profile=None if figures[0] is None else profile_from(figures),
        blank_count=blank_count,
        is_declared_unique=is_declared_unique,
        is_private=is_private,
        score=score,
        reason=reason,
    )


def _metric_of(name: Any, text: Any, kind: Any, threshold: Any, holds: Any, reason: Any) -> MetricResult:
    return MetricResult(
        name=name, value=value_from(kind, text), threshold=threshold, holds=holds, reason=reason
    )


def load_column_history(
    adapter: UnifiedSqlAdapter, runs: Iterable[QualityRun], unique_id: str, column_name: str
) -> dict[str, ColumnQuality]:
    """Return the quality of one column in those of *runs* that measured it, by the id of the measurement."""
    binds = {
        "unique_id": unique_id,
        # Names are stored in this form.
        "column_name": storable(column_name),
        "run_ids": "\n".join(run.quality_run_id for run in runs),
    }
    top: dict[str, list[ValueCount]] = {}
    metrics: dict[str, list[MetricResult]] = {}
    with open_store(adapter) as store:
        for run_id, text, kind, count in store.query("column_values_over_time", **binds):
            value = ValueCount(value=value_from(kind, text), count=int(str(count)))
            top.setdefault(str(run_id), []).append(value)
        for run_id, *rest in store.query("column_metrics_over_time", **binds):
            metrics.setdefault(str(run_id), []).append(_metric_of(*rest))
        columns = {
            str(run_id): _column_of(tuple(rest))
            for run_id, *rest in store.query("column_quality_over_time", **binds)
        }
    return {
        run_id: replace(column, top_values=tuple(top.get(run_id, ())), metrics=tuple(metrics.get(run_id, ())))
        for run_id, column in columns.items()
    }
