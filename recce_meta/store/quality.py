"""Measurements of quality in and out of the store.

A measurement belongs to the run whose nodes it measured, and goes when that run is pruned. Its own row is
written last and readers start from it, so that nobody sees half a measurement.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from recce_meta._version import __version__
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.errors import StoreError
from recce_meta.models.data_diff import Profile, Value
from recce_meta.models.quality import (
    ColumnQuality,
    MetricResult,
    Quality,
    QualityRun,
    TableQuality,
    ValueCount,
)
from recce_meta.models.run import COMPLETE
from recce_meta.store.content import Row
from recce_meta.store.files import DEFAULT_SCHEMA
from recce_meta.store.migrate import StoreSession, open_store
from recce_meta.store.quality_select import find_quality_run, find_quality_runs
from recce_meta.store.read import run_by_id
from recce_meta.store.retry import retrying
from recce_meta.store.rows import in_utc
from recce_meta.store.values import kind_and_text, number_of, storable, value_of

RUN_COLUMNS = (
    "quality_run_id", "run_id", "project_name", "environment", "started_at", "finished_at", "target_name",
    "sample_percent", "sample_rows", "sample_seed", "keeps_values", "table_count", "failed_count", "score",
    "recorder_version", "status", "reason",
)  # fmt: skip
TABLE_COLUMNS = (
    "quality_run_id", "unique_id", "name", "relation", "measured_at", "row_count", "sampled_rows",
    "column_count", "score", "reason", "notes",
)  # fmt: skip
FIGURES = ("min", "max", "average", "median")
"""What is kept as text and as a number; `value_kinds` has these names."""
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
OF_THE_TABLE = 0
"""The place of a column that stands for the table itself."""

_kinds = msgspec.json.Decoder(dict[str, str]).decode
_notes = msgspec.json.Decoder(tuple[str, ...]).decode


class QualityWritten(Struct, frozen=True, kw_only=True):
    """What `write_quality` did."""

    run: QualityRun
    """The measurement as it is stored."""
    written: bool
    """Whether it is new; otherwise nothing was written."""


def write_quality(
    adapter: UnifiedSqlAdapter, quality: Quality, *, schema: str = DEFAULT_SCHEMA
) -> QualityWritten:
    """Write *quality*, in one transaction; one whose id is stored already is left as it is.

    Other writers are waited for. Raises StoreError where the run whose nodes were measured is not in the
    store.
    """
    run = replace(quality.run, recorder_version=__version__)

    def work() -> QualityWritten:
        with open_store(adapter, schema, writes=True) as store:
            if run_by_id(store, run.run_id) is None:
                raise StoreError(
                    f"Run {run.run_id} is not in the store: no quality can be kept with it",
                    hint="recce-meta scan writes a run, recce-meta runs lists those that are there",
                )
            stored = find_quality_runs(store, quality_run_id=run.quality_run_id, status=None)
            if stored:
                return QualityWritten(run=stored[0], written=False)
            insert_quality(store, run, quality.tables)
        return QualityWritten(run=run, written=True)

    return retrying(work)


def load_quality(
    adapter: UnifiedSqlAdapter,
    selector: str | QualityRun,
    *,
    project: str | None = None,
    environment: str | None = None,
    unique_ids: Iterable[str] | None = None,
    top_values: bool = True,
    schema: str = DEFAULT_SCHEMA,
) -> Quality:
    """The measurement that *selector* means (`quality_select`), whole, or of the tables *unique_ids* alone.

    Without *top_values* no column has its most frequent values, of which there are far more than columns.
    Raises SelectorError where there is none, or more than one.
    """
    with open_store(adapter, schema) as store:
        run = (
            selector
            if isinstance(selector, QualityRun)
            else find_quality_run(store, selector, project=project, environment=environment)
        )
        return read_quality(store, run, unique_ids, top_values=top_values)


def resolve_quality_run(
    adapter: UnifiedSqlAdapter,
    selector: str,
    *,
    project: str | None = None,
    environment: str | None = None,
    schema: str = DEFAULT_SCHEMA,
) -> QualityRun:
    """The measurement that *selector* means, without its tables; raises as `load_quality` does."""
    with open_store(adapter, schema) as store:
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
    schema: str = DEFAULT_SCHEMA,
) -> list[QualityRun]:
    """Return measurements, newest first: of a project, an environment, a run, or of one of some tables.

    Failed measurements are included with *with_failed*.
    """
    with open_store(adapter, schema) as store:
        return find_quality_runs(
            store,
            project=project,
            environment=environment,
            run_id=run_id,
            ids=None if unique_ids is None else "\n".join(unique_ids),
            most=2**31 if limit is None else limit,
            status=None if with_failed else COMPLETE,
        )


def previous_quality(
    adapter: UnifiedSqlAdapter,
    run: QualityRun,
    *,
    unique_ids: Iterable[str] | None = None,
    top_values: bool = True,
    schema: str = DEFAULT_SCHEMA,
) -> Quality | None:
    """The measurement before *run* in its project and environment, to compare with; None for the first.

    With *unique_ids*, the latest one before it that looked at one of these tables, and of them alone. *run*
    need not be stored.
    """
    ids = None if unique_ids is None else tuple(unique_ids)
    with open_store(adapter, schema) as store:
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
    """Write a measurement that is not there, within the open transaction of a writer."""
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
        *_figures(column.profile),
        column.blank_count,
        column.is_declared_unique,
        column.is_private,
        column.score,
        column.reason and storable(column.reason),
    )


def _figures(profile: Profile | None) -> Row:
    """From `column_type` to `average_length`."""
    if profile is None:
        return (*(None,) * 13, "{}", *(None,) * 4)
    values = (profile.min, profile.max, profile.avg, profile.median)
    texts = [None if value is None else kind_and_text(value) for value in values]
    kinds = {name: text[0] for name, text in zip(FIGURES, texts, strict=True) if text}
    return (
        storable(profile.type),
        profile.row_count,
        profile.not_null_count,
        profile.distinct_count,
        profile.is_approximate,
        *(text and text[1] for text in texts),
        *map(number_of, values),
        msgspec.json.encode(kinds).decode(),
        profile.true_count,
        profile.min_length,
        profile.max_length,
        profile.avg_length,
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
    """The measurement *run* from an open store, whole, or of the tables *unique_ids* alone."""
    binds = {
        "quality_run_id": run.quality_run_id,
        "ids": None if unique_ids is None else "\n".join(unique_ids),
    }
    top: dict[tuple[str, int], list[ValueCount]] = {}
    frequent = store.query("column_top_values", **binds) if top_values else []
    for unique_id, ordinal, text, kind, count in frequent:
        value = ValueCount(value=_value(kind, text), count=int(str(count)))
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
        profile=_profile_of(*figures),
        blank_count=blank_count,
        is_declared_unique=is_declared_unique,
        is_private=is_private,
        score=score,
        reason=reason,
    )


def _profile_of(
    column_type: str | None,
    row_count: int,
    not_null_count: int,
    distinct_count: int | None,
    is_approximate: bool,
    *rest: Any,
) -> Profile | None:
    if column_type is None:
        return None
    *texts, value_kinds, true_count, min_length, max_length, average_length = rest
    kinds = _kinds(value_kinds)
    smallest, largest, average, median = (
        _value(kinds.get(figure), text) for figure, text in zip(FIGURES, texts, strict=True)
    )
    return Profile(
        type=column_type,
        row_count=row_count,
        not_null_count=not_null_count,
        distinct_count=distinct_count,
        is_approximate=is_approximate,
        min=smallest,
        max=largest,
        avg=average,
        median=median,
        true_count=true_count,
        min_length=min_length,
        max_length=max_length,
        avg_length=average_length,
    )


def _metric_of(name: Any, text: Any, kind: Any, threshold: Any, holds: Any, reason: Any) -> MetricResult:
    return MetricResult(name=name, value=_value(kind, text), threshold=threshold, holds=holds, reason=reason)


def _value(kind: object, text: object) -> Value:
    return None if kind is None or text is None else value_of(str(kind), str(text))
