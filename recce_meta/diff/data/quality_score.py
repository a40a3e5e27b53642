"""Scores of columns and tables, from 0 to 100 (docs/quality.md).

A score is 100 times the mean of the parts that apply:

- completeness: rows with a value as a share of rows; a text that is empty or of spaces alone is none;
- uniqueness: distinct values as a share of rows with a value, of columns that are declared unique;
- validity: metrics that meet their threshold as a share of those that have one; one that could not be
  measured does not meet it.

A table's parts are the mean completeness of its columns, the mean uniqueness of those that are declared
unique, and the validity of all its metrics and its columns' together. Of no rows there is no score.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from recce_meta.models.quality import ColumnQuality, MetricResult, TableQuality


def scored(table: TableQuality) -> TableQuality:
    """*table* with the scores that follow from everything else in it."""
    columns = tuple(replace(column, score=column_score(column)) for column in table.columns)
    return replace(table, columns=columns, score=table_score(replace(table, columns=columns)))


def column_score(column: ColumnQuality) -> float | None:
    """The score of *column*; None where it was not measured, or has no rows."""
    complete = completeness(column)
    if complete is None:
        return None
    return _score([complete, uniqueness(column), validity(column.metrics)])


def table_score(table: TableQuality) -> float | None:
    """The score of *table*; None where no column was measured, or there are no rows."""
    complete = _mean(completeness(column) for column in table.columns)
    if complete is None:
        return None
    metrics = [*table.metrics, *(metric for column in table.columns for metric in column.metrics)]
    unique = _mean(uniqueness(column) for column in table.columns)
    return _score([complete, unique, validity(metrics)])


def mean_score(tables: Iterable[TableQuality]) -> float | None:
    """The mean of the scores of those *tables* that have one; None where none has."""
    return _mean(table.score for table in tables)


def completeness(column: ColumnQuality) -> float | None:
    """The share of rows with a value that is not blank; None where nobody knows."""
    profile = column.profile
    if profile is None or not profile.row_count:
        return None
    return (profile.not_null_count - (column.blank_count or 0)) / profile.row_count


def uniqueness(column: ColumnQuality) -> float | None:
    """Distinct values as a share of rows with one; None unless the column is declared unique."""
    share = column.distinct_share if column.is_declared_unique else None
    return None if share is None else min(share, 1.0)


def validity(metrics: Sequence[MetricResult]) -> float | None:
    """The share of *metrics* with a threshold that meet it; None where none has one."""
    judged = [metric for metric in metrics if metric.threshold is not None]
    return sum(metric.holds is True for metric in judged) / len(judged) if judged else None


def _score(parts: Iterable[float | None]) -> float | None:
    mean = _mean(parts)
    return None if mean is None else 100 * mean


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
