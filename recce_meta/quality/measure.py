"""Quality measurement of one table: its sample, the figures and most frequent values of its columns, scores.

Figures are those of profiles (`figures`), most frequent values those of `top_k`. They and the metrics are
queried together: the queries are independent, so several connections can share them. A part that cannot be
measured has a reason, and all other parts are measured.

A sample is the same in every query. A table is sampled by its warehouse's own method
(`Dialect.sampled_rows`). If there is none, and for views, whose rows have no order, a hash of each row
decides. It is a hash of the key if known, else of the first hundred columns, so equal rows are either all in
the sample or not at all. A number of rows is converted to a share of the counted rows: each row has the same
probability, and about that many are selected.

A score, from 0 to 100, is 100 times the mean of the parts that apply (docs/reference/quality.md):

- completeness: rows with a value as a share of rows; an empty or blank text is not a value;
- uniqueness: distinct values as a share of rows with a value, for columns that are declared unique;
- validity: metrics that meet their threshold as a share of those that have one; a metric that could not be
  measured does not meet it.

A table's parts are the mean completeness of its columns, the mean uniqueness of its columns that are declared
unique, and the validity of its metrics and its columns' metrics together. A table without rows has no score.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace
from sqlglot import exp

from recce_meta.data_diff.options import check_percentage, declared_keys
from recce_meta.data_diff.plan import OF_ALL, Answer, Plan, Query, failure, rows_of, run_both
from recce_meta.data_diff.profile import BLANKS, FigureOptions, Figures, figures, notes_on_medians
from recce_meta.data_diff.source import (
    LiveColumn,
    Pair,
    SideColumn,
    SideRelation,
    description_query,
    parse_description,
)
from recce_meta.data_diff.top_k import TopValues, top_values
from recce_meta.errors import QueryTimeout, RecceMetaError, UsageError, WarehouseError, first_line
from recce_meta.models import NodeMetadata
from recce_meta.models.data_diff import Subject
from recce_meta.models.node import matching_name
from recce_meta.models.quality import ColumnQuality, MetricResult, Sample, TableQuality, ValueCount
from recce_meta.quality.metrics import (
    MetricQuery,
    mentions_name,
    metric_values,
    names_in,
    reads_unnamed_columns,
)
from recce_meta.quality.privacy import NO_CHOICES, Privacy, failure_reason
from recce_meta.warehouses.dialect import rows_where
from recce_meta.warehouses.types import Sql

LARGEST_SEED = 2**31 - 1
"""Largest seed that every warehouse accepts."""
ABOUT = "Each row was sampled with a probability of {percent:.4g} %: about {rows} of {row_count}"
BY_HASH = "Rows were sampled by a hash of {what}"
EQUAL_ROWS = "{columns}: rows equal in these are either all in the sample or not at all"
MOST_HASHED = 100
"""Number of columns to hash if no key is known: some warehouses fail on deeper expressions."""
DEFAULT_TOP = 10
EMPTY_SAMPLE = "The sample of {name} had no rows: all rows were measured"
NO_SAMPLE = "No sample of {name} could be read, e.g. if a column cannot be computed: all rows were measured"
WHOLE_ROW = "t"
"""Alias of the table in queries. Used alone in SQL, it can mean all columns."""
NO_SEED = "{dialect} samples without a seed: queries use different rows, and so does the next measurement"


class Rows(Struct, frozen=True, kw_only=True):
    """Rows to measure."""

    source: SideRelation
    columns: tuple[LiveColumn, ...]
    """Columns of the relation."""
    row_count: int | None = None
    """Number of all rows; None if the measurement counts them."""
    notes: tuple[str, ...] = ()
    is_sample: bool = False
    """True if they are a sample."""
    error: WarehouseError | None = None
    """Why they could not be counted; may quote values."""


def check_sample(sample: Sample) -> None:
    """Raise UsageError for an invalid sample."""
    if (sample.percent is None) == (sample.rows is None):
        raise UsageError("Sample invalid: give rows or a percentage, not both", hint="use e.g. 10000 or 10%")
    check_percentage(sample.percent)
    if sample.rows is not None and sample.rows < 1:
        raise UsageError(f"Sample size invalid: {sample.rows} rows", hint="use 1 or more")
    if not 0 <= sample.seed <= LARGEST_SEED:
        raise UsageError(f"Seed invalid: {sample.seed}", hint=f"use 0 to {LARGEST_SEED}")


def select_rows(
    source: SideRelation, sample: Sample | None, *, is_view: bool, key: Sequence[str]
) -> Plan[Rows]:
    """Return the rows of *source* in *sample*, or all rows, and its columns.

    *key* names columns that identify a row, if known. Raises errors from describing the relation, which quote
    no values, and UsageError if the dialect cannot take a sample.
    """
    if sample is None:
        (answer,) = yield [description_query(source)]
        if columns := parse_description(source, answer):
            return Rows(source=source, columns=columns)
        (answer,) = yield [count_query(source)]  # PostgreSQL has tables without any column
        return _counted(source, (), answer)
    # Any share will do here, because describing the sample only shows if it can be taken.
    own = None if is_view else _sampled(source, sample.percent or 1.0, sample.seed)
    answers = yield [
        description_query(source),
        count_query(source, sample),
        *([description_query(own)] if own else []),
    ]
    columns = parse_description(source, answers[0])
    rows = _counted(source, columns, answers[1])
    row_count = rows.row_count or 0
    percent = sample.percent or (100 * (sample.rows or 0) / row_count if row_count else 100.0)
    # A sample of everything would only be slower.
    if percent >= 100 or not row_count or not columns:
        return rows
    notes = []
    if sample.rows is not None:
        notes.append(ABOUT.format(percent=percent, rows=sample.rows, row_count=row_count))
    # A view that is not known to be one already fails when its sample is described.
    if own is not None and failure(answers[2]) is None:
        own = _sampled(source, percent, sample.seed)
        if not source.dialect.samples_by_seed:
            notes.append(NO_SEED.format(dialect=source.dialect.name))
    else:
        own, note = _hashed(source, columns, key, percent, sample.seed)
        notes.append(note)
    return replace(rows, source=own or source, notes=tuple(notes), is_sample=True)


def _counted(source: SideRelation, columns: tuple[LiveColumn, ...], answer: Answer) -> Rows:
    """Return all rows of *source*, with the count in *answer*."""
    error = failure(answer)
    if error is not None:
        return Rows(source=source, columns=columns, error=error)
    return Rows(source=source, columns=columns, row_count=int(rows_of(answer)[0][0]))


def count_query(source: SideRelation, sample: Sample | None = None) -> Query:
    """Return a query that counts rows; a printed plan assumes ten times the sample size."""
    return Query(
        expression=source.select(exp.alias_(exp.Count(this=exp.Star()), "row_count")),
        dialect=source.dialect,
        side=source.side,
        about=f"rows of {source.name}",
        assumed=[((sample.rows or 1) * 10 if sample is not None else 0,)],
    )


def _sampled(source: SideRelation, percent: float, seed: int) -> SideRelation | None:
    relation = source.dialect.sampled_rows(source.relation, percent, seed)
    return None if relation is None else replace(source, relation=relation, text="")


def _hashed(
    source: SideRelation, columns: Sequence[LiveColumn], key: Sequence[str], percent: float, seed: int
) -> tuple[SideRelation, str]:
    """Return the rows whose hash is within *percent* of all, and a note about it."""
    dialect = source.dialect
    names = {dialect.fold(name) for name in key}
    hashed = [column for column in columns if dialect.fold(column.name) in names]
    has_key = bool(names) and len(hashed) == len(names)
    # A key is short and identifies a row, so equal rows do not matter.
    hashed = hashed if has_key else list(columns[:MOST_HASHED])
    # The seed is part of the hash, so that another seed selects other rows.
    values: list[Sql] = [exp.Literal.number(seed)]
    values += [
        dialect.hashable(dialect.comparable(column.of("t"), column.type), column.type) for column in hashed
    ]
    relation = rows_where(source.relation, dialect.sampled(values, percent))
    some = "all their columns" if len(hashed) == len(columns) else f"their first {MOST_HASHED} columns"
    what = "their key" if has_key else EQUAL_ROWS.format(columns=some)
    return replace(source, relation=relation, text=""), BY_HASH.format(what=what)


def with_scores(table: TableQuality) -> TableQuality:
    """Return *table* with scores computed from its other fields."""
    columns = tuple(replace(column, score=column_score(column)) for column in table.columns)
    return replace(table, columns=columns, score=table_score(replace(table, columns=columns)))


def column_score(column: ColumnQuality) -> float | None:
    """Return the score of *column*, or None if it was not measured or has no rows."""
    complete = completeness(column)
    if complete is None:
        return None
    return _score([complete, uniqueness(column), validity(column.metrics)])


def table_score(table: TableQuality) -> float | None:
    """Return the score of *table*, or None if no column was measured or there are no rows."""
    complete = _mean(completeness(column) for column in table.columns)
    if complete is None:
        return None
    metrics = [*table.metrics, *(metric for column in table.columns for metric in column.metrics)]
    unique = _mean(uniqueness(column) for column in table.columns)
    return _score([complete, unique, validity(metrics)])


def mean_score(tables: Iterable[TableQuality]) -> float | None:
    """Return the mean score of the *tables* that have one, or None if none has."""
    return _mean(table.score for table in tables)


def completeness(column: ColumnQuality) -> float | None:
    """Return the share of rows with a value that is not blank, or None if unknown."""
    profile = column.profile
    if profile is None or not profile.row_count:
        return None
    return (profile.not_null_count - (column.blank_count or 0)) / profile.row_count


def uniqueness(column: ColumnQuality) -> float | None:
    """Return distinct values as a share of rows with one, or None unless the column is declared unique."""
    share = column.distinct_share if column.is_declared_unique else None
    # An approximate count of distinct values may exceed the number of rows.
    return None if share is None else min(share, 1.0)


def validity(metrics: Sequence[MetricResult]) -> float | None:
    """Return the share of *metrics* with a threshold that meet it, or None if none has one."""
    judged = [metric for metric in metrics if metric.threshold is not None]
    return sum(metric.holds is True for metric in judged) / len(judged) if judged else None


def _score(parts: Iterable[float | None]) -> float | None:
    mean = _mean(parts)
    return None if mean is None else 100 * mean


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


class QualityTarget(Struct, frozen=True, kw_only=True):
    """Table to measure."""

    source: SideRelation
    unique_id: str
    name: str
    is_view: bool = False
    """True if it is known to be a view, which has no row order."""
    keys: tuple[tuple[str, ...], ...] = ()
    """Columns that are declared to identify a row, the most trustworthy first."""
    metrics: tuple[MetricQuery, ...] = ()
    private: Mapping[str, bool] = NO_CHOICES
    """Whether values are withheld, by column name; for other columns the name patterns decide."""


class QualitySettings(Struct, frozen=True, kw_only=True):
    """Options of a measurement."""

    sample: Sample | None = None
    """None to measure all rows."""
    privacy: Privacy = Privacy()
    top: int = DEFAULT_TOP
    """Number of most frequent values to list; 0 for none."""

    def __post_init__(self) -> None:
        if self.sample is not None:
            check_sample(self.sample)
        if self.top < 0:
            raise UsageError(f"Number of most frequent values invalid: {self.top}", hint="use 0 or more")


def declared_unique(node: NodeMetadata, tests: Iterable[NodeMetadata] = ()) -> tuple[tuple[str, ...], ...]:
    """Return the columns of *node*'s keys and unique constraints, the best first, each set once.

    *tests* may be all nodes of the run.
    """
    keys = [key.columns for key in declared_keys(node, tests)]
    places = [node.properties.get("constraints") or (), *(column.constraints for column in node.columns)]
    for number, constraints in enumerate(places):
        for constraint in constraints:
            if isinstance(constraint, dict) and constraint.get("type") == "unique":
                # A constraint of a column names no columns of its own.
                own = constraint.get("columns") or ([node.columns[number - 1].name] if number else [])
                keys.append(tuple(str(name) for name in own))
    first: dict[frozenset[str], tuple[str, ...]] = {}
    for key in filter(None, keys):
        first.setdefault(frozenset(map(str.casefold, key)), key)
    return tuple(first.values())


def table_quality(
    table: QualityTarget, settings: QualitySettings, *, measured_at: datetime
) -> Plan[TableQuality]:
    """Measure *table* and return its quality with scores; *measured_at* is the start, timezone-aware.

    A table that cannot be read has a reason and no columns. Raises QueryCancelled, ConnectionFailed and
    StoreLocked.
    """
    empty = TableQuality(
        unique_id=table.unique_id,
        name=table.name,
        relation=table.source.text or table.source.dialect.render(table.source.relation),
        measured_at=measured_at,
    )
    key = next(iter(table.keys), ())
    try:
        rows = yield from select_rows(table.source, settings.sample, is_view=table.is_view, key=key)
    except OF_ALL:
        raise
    except RecceMetaError as error:
        return replace(empty, reason=first_line(error))
    withheld = frozenset(
        column.name for column in rows.columns if settings.privacy.withholds(column.name, table.private)
    )
    if rows.error is not None:
        return replace(empty, reason=failure_reason(rows.error, is_withheld=bool(withheld) or table.is_view))
    return (yield from _measured(table, settings, rows, withheld, empty))


def _measured(
    table: QualityTarget,
    settings: QualitySettings,
    rows: Rows,
    withheld: frozenset[str],
    empty: TableQuality,
) -> Plan[TableQuality]:
    scope = FigureOptions(withheld=withheld, has_blanks=True)
    pair = Pair(subject=Subject(name=table.name), base=None, current=rows.source)
    shown = [SideColumn(None, column) for column in rows.columns if column.name not in withheld]
    may_quote = not withheld and not table.is_view  # a view's names may hide what it computes

    (found, top), results = yield from run_both(
        run_both(
            figures([(rows.source, rows.columns)], scope),
            top_values(
                pair,
                shown if settings.top else (),
                settings.top,
                most=rows.source.dialect.aggregates.top_lists_per_statement,
            ),
        ),
        metric_values(
            table.source, table.metrics, _withholding(table, settings.privacy, withheld), may_quote=may_quote
        ),
    )
    row_count = found.rows.get(rows.source.side) if rows.row_count is None else rows.row_count
    if rows.columns and not found.rows:  # nothing could be read
        # All rows are not a sample, so this recurses once. After a timeout, more rows would only take longer.
        error = found.problems[0].error
        if rows.is_sample and not isinstance(error, QueryTimeout):  # the hash may be uncomputable
            return (yield from _measured(table, settings, _all(table, rows, NO_SAMPLE), withheld, empty))
        reason = failure_reason(error, is_withheld=not may_quote)
        return replace(empty, row_count=row_count, metrics=tuple(results), notes=rows.notes, reason=reason)
    looked_at_rows = found.rows.get(rows.source.side) if rows.is_sample else None
    if looked_at_rows == 0:  # the table is small, or nearly
        return (yield from _measured(table, settings, _all(table, rows, EMPTY_SAMPLE), withheld, empty))
    by_column: dict[str | None, list[MetricResult]] = {}
    for metric, result in zip(table.metrics, results, strict=True):
        by_column.setdefault(_home(metric, rows.columns), []).append(result)
    columns = [
        _column(table, column, rows.source, found, top, withheld, by_column.get(column.name, ()))
        for column in rows.columns
    ]
    return with_scores(
        replace(
            empty,
            row_count=row_count,
            sampled_rows=looked_at_rows,
            columns=tuple(columns),
            metrics=tuple(by_column.get(None, ())),
            notes=(*rows.notes, *_medians(rows, withheld)),
        )
    )


def _all(table: QualityTarget, rows: Rows, note: str) -> Rows:
    """Return all rows in place of a sample, for the reason in *note*."""
    return Rows(
        source=table.source,
        columns=rows.columns,
        row_count=rows.row_count,
        notes=(note.format(name=table.name),),
    )


def _withholding(
    table: QualityTarget, privacy: Privacy, withheld: frozenset[str]
) -> Callable[[MetricQuery], bool]:
    """Return a test for metrics of *table* that may reveal a withheld value."""
    own = [*withheld, WHOLE_ROW] if withheld else []

    def is_withheld(metric: MetricQuery) -> bool:
        return (
            not privacy.keeps_values
            or metric.column in withheld
            or mentions_name(metric.sql, own)
            or reads_unnamed_columns(metric.sql, table.source.dialect)
            or any(privacy.withholds(name, table.private) for name in names_in(metric.sql))
        )

    return is_withheld


def _medians(rows: Rows, withheld: frozenset[str]) -> list[str]:
    shown = [column for column in rows.columns if column.name not in withheld]
    return notes_on_medians([(rows.source, shown)])


def _home(metric: MetricQuery, columns: Sequence[LiveColumn]) -> str | None:
    """Return the column that *metric* is stored with, or None for the table."""
    return metric.column and matching_name(metric.column, [column.name for column in columns])


def _column(
    table: QualityTarget,
    column: LiveColumn,
    source: SideRelation,
    found: Figures,
    top: TopValues,
    withheld: frozenset[str],
    metrics: Sequence[MetricResult],
) -> ColumnQuality:
    is_private = column.name in withheld
    is_shown = not withheld and not table.is_view  # a query may compute the view's other columns
    profile = found.profile(source, column)
    problems = [(one.what, one.error) for one in found.problems if one.column == column.name]
    if profile is not None and column.name in top.errors:
        problems.append(("No most frequent values", top.errors[column.name]))
    reasons = [f"{what}: {failure_reason(error, is_withheld=not is_shown)}" for what, error in problems]
    # A column of a composite key may repeat its values.
    alone = {source.dialect.fold(key[0]) for key in table.keys if len(key) == 1}
    return ColumnQuality(
        name=column.name,
        profile=profile,
        blank_count=found.values.get((source.side, column.name), {}).get(BLANKS),
        is_declared_unique=source.dialect.fold(column.name) in alone,
        top_values=tuple(
            ValueCount(value=one.value, count=one.current) for one in top.values.get(column.name, ())
        ),
        is_private=is_private,
        metrics=tuple(metrics),
        reason="; ".join(reasons) or None,
    )
