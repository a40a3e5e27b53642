"""Columns and rows of data diffs.

The last two columns of a table are what was not compared, and notes on the figures. A diff without rows that
has one of them is one row. Rows that differ have the columns of the compared relations instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from recce_meta.models.data_diff import (
    AnyDataDiff,
    ColumnTopK,
    ColumnValues,
    DetailRow,
    Failed,
    HistogramDiff,
    NotCompared,
    Profile,
    ProfileDiff,
    QueryDiff,
    RowCount,
    RowCountDiff,
    RowsDiff,
    SchemaDiff,
    Subject,
    TopKDiff,
    ValueDetail,
    ValueDiff,
)
from recce_meta.models.rows import RowTable, Scalar
from recce_meta.tables.gaps import count_gap, count_limit, gaps, stale_phrase
from recce_meta.tables.rows import distinct_names, field_row, joined, scalar

Row = tuple[Scalar, ...]

SUBJECT: Mapping[str, type] = {
    "unique_id": str,
    "node": str,
    "base_relation": str,
    "current_relation": str,
}
"""First columns of a data diff."""
REMARKS: Mapping[str, type] = {"not_compared": str, "notes": str}
"""Last columns of a data diff."""
FIGURES: Mapping[str, type] = {
    "type": str,
    "row_count": int,
    "not_null_count": int,
    "distinct_count": int,
    "is_approximate": bool,
    "min": object,
    "max": object,
    "avg": object,
    "median": object,
    "true_count": int,
    "min_length": int,
    "max_length": int,
    "avg_length": float,
    "not_null_proportion": float,
    "distinct_proportion": float,
    "is_unique": bool,
}
"""Figures of one side of a profile."""
COLUMNS: Mapping[str, Mapping[str, type]] = {
    "row_count_diff": {
        "base_rows": int,
        "current_rows": int,
        "difference": int,
        "change": float,
        "base_counted_at": datetime,
        "current_counted_at": datetime,
        "base_reason": str,
        "current_reason": str,
    },
    "schema_diff": {
        "column": str,
        "status": str,
        "base_type": str,
        "current_type": str,
        "base_position": int,
        "current_position": int,
    },
    "value_diff": {
        "column": str,
        "status": str,
        "base_type": str,
        "current_type": str,
        "matched": int,
        "mismatched": int,
        "match_share": float,
        "null_to_value": int,
        "value_to_null": int,
        "mean_difference": float,
        "largest_difference": float,
        "reason": str,
        "key": str,
        "base_rows": int,
        "current_rows": int,
        "rows_added": int,
        "rows_removed": int,
        "rows_common": int,
        "rows_changed": int,
        "rows_left_out": int,
    },
    "profile_diff": {
        "column": str,
        **{f"{side}_{name}": kind for side in ("base", "current") for name, kind in FIGURES.items()},
        "reason": str,
    },
    "top_k_diff": {
        "column": str,
        "value": object,
        "base_rows": int,
        "current_rows": int,
        "base_share": float,
        "current_share": float,
        "base_total": int,
        "current_total": int,
        "reason": str,
    },
    "histogram_diff": {
        "column": str,
        "lower": object,
        "upper": object,
        "base_rows": int,
        "current_rows": int,
        "reason": str,
    },
}
"""Columns of each type of diff between those of the subject and the remarks.

`status` of a value diff is key, equal, different, not_compared, only_in_base or only_in_current; its counts
of rows are those of the whole diff."""


def data_types(kind: str) -> Mapping[str, type]:
    """Return all columns of the diff *kind*: `row_count_diff`, `value_diff`, …"""
    return {**SUBJECT, **COLUMNS[kind], **REMARKS}


def data_table(results: Iterable[AnyDataDiff], kind: str) -> RowTable:
    """Return *results* as one table of the diff *kind*; a failed or skipped diff is a row with the reason."""
    return RowTable(data_types(kind), [row for result in results for row in _rows(result, kind)])


def _rows(result: AnyDataDiff, kind: str) -> Iterator[Row]:
    if isinstance(result, RowCountDiff):
        for count in result.counts:
            limits = [limit for limit in (count_gap(count), count_limit(count)) if limit]
            yield (*named(count.subject), *_counts(count), *remarks(count.subject, limits, result.notes))
        return
    subject, last = named(result.subject), remarks_of(result)
    rows = list(_cells(result))
    if not rows and any(last):
        rows = [(None,) * len(COLUMNS[kind])]
    for row in rows:
        yield (*subject, *row, *last)


def named(subject: Subject) -> Row:
    """Return the values of the columns SUBJECT."""
    return subject.unique_id, subject.name, subject.base, subject.current


def remarks_of(result: AnyDataDiff, notes: Sequence[str] = ()) -> Row:
    """Return the values of the columns REMARKS for *result*, about one subject, with more *notes*."""
    assert not isinstance(result, RowCountDiff), "it has several subjects"
    return remarks(result.subject, [gap.reason for gap in gaps([result])], (*result.notes, *notes))


def remarks(subject: Subject, limits: Sequence[str], notes: Sequence[str]) -> Row:
    """Return the values of the columns REMARKS: what was not compared, and notes, each once."""
    noted = [*notes, *filter(None, [stale_phrase(subject)])]
    return joined(dict.fromkeys(limits)), joined(dict.fromkeys(noted))


def _counts(count: RowCount) -> Row:
    return (
        *(count.base, count.current, count.delta, count.change, count.base_kept_at, count.current_kept_at),
        *(count.base_reason, count.current_reason),
    )


def _cells(result: AnyDataDiff) -> Iterator[Row]:
    """Yield the rows of *result* without subject and remarks; none of a failed or skipped diff."""
    if isinstance(result, SchemaDiff):
        yield from (field_row(column) for column in result.columns)
    elif isinstance(result, ValueDiff):
        yield from _values(result)
    elif isinstance(result, RowsDiff):
        # Without a key, only the counts of rows apply.
        yield _value_row(_row_counts(result, result.base_rows, result.current_rows))
    elif isinstance(result, ProfileDiff):
        for profile in result.columns:
            yield (profile.name, *_figures(profile.base), *_figures(profile.current), profile.reason)
    elif isinstance(result, TopKDiff):
        yield from ((column.name, *row) for column in result.columns for row in _top(column))
    elif isinstance(result, HistogramDiff):
        yield from _bins(result)


def _values(result: ValueDiff) -> Iterator[Row]:
    sides = (None if side is None else side.rows for side in (result.base, result.current))
    counts = {
        **_row_counts(result, *sides),
        "key": joined(result.key),
        "rows_changed": result.changed,
        "rows_left_out": result.left_out,
    }
    # A column of the key that was compared already has a row with figures.
    compared = {one.name for one in result.columns}
    known: list[tuple[str, str, ColumnValues | None]]
    known = [(name, "key", None) for name in result.key if name not in compared]
    known += [(one.name, _status(one, result.key), one) for one in result.columns]
    known += [(name, "only_in_base", None) for name in result.base_only]
    known += [(name, "only_in_current", None) for name in result.current_only]
    for name, status, figures in known:
        yield _value_row({"column": name, "status": status, **counts}, figures)


def _row_counts(result: ValueDiff | RowsDiff, base: int | None, current: int | None) -> dict[str, Scalar]:
    return {
        "base_rows": base,
        "current_rows": current,
        "rows_added": result.added,
        "rows_removed": result.removed,
        "rows_common": result.common,
    }


def _value_row(known: Mapping[str, Scalar], figures: ColumnValues | None = None) -> Row:
    """Return a row of a value diff: what is *known* by column, then *figures* with the column's name."""
    return tuple(
        known[name] if name in known else getattr(figures, name, None) for name in COLUMNS["value_diff"]
    )


def _status(column: ColumnValues, key: Sequence[str]) -> str:
    if column.name in key:
        return "key"
    if column.matched is None:
        return "not_compared"
    return "different" if column.mismatched else "equal"


def _figures(profile: Profile | None) -> Row:
    return tuple(None if profile is None else scalar(getattr(profile, name)) for name in FIGURES)


def _top(column: ColumnTopK) -> Iterator[Row]:
    totals = (column.base_total, column.current_total)
    if column.reason is not None:
        yield (*[None] * 5, *totals, column.reason)
    for one in column.values:
        shares = (_share(one.base, column.base_valid), _share(one.current, column.current_valid))
        yield (scalar(one.value), one.base, one.current, *shares, *totals, None)


def _share(count: int, total: int | None) -> float | None:
    return count / total if total else None


def _bins(result: HistogramDiff) -> Iterator[Row]:
    for column in result.columns:
        if column.reason is not None:
            yield (column.name, None, None, None, None, column.reason)
        for place, (lower, upper) in enumerate(zip(column.edges, column.edges[1:], strict=False)):
            counts = (None if side is None else side[place] for side in (column.base, column.current))
            yield (column.name, scalar(lower), scalar(upper), *counts, None)


def detail_table(result: ValueDetail) -> RowTable:
    """Return the rows that differ, with the values of each column on both sides."""
    names = ["row_status", *result.key]
    names += [f"{name}_{side}" for name in result.columns for side in ("base", "current")]
    missing = (None,) * len(result.columns)
    rows = []
    for one in result.rows:
        pairs = zip(one.base or missing, one.current or missing, strict=True)
        rows.append((one.status, *map(scalar, one.key), *(scalar(cell) for pair in pairs for cell in pair)))
    return RowTable(_value_types(names, 1), rows)


def rows_table(result: RowsDiff) -> RowTable:
    """Return the rows that only one side has, or one side has more often."""
    names = ["row_status", "base_count", "current_count", *result.columns]
    rows = [(one.status, one.base_count, one.current_count, *_whole_row(one)) for one in result.rows]
    return RowTable(_value_types(names, 3), rows)


def _whole_row(row: DetailRow) -> Row:
    """Return the values of a row that is equal on all sides that have it."""
    return tuple(map(scalar, (row.base if row.current is None else row.current) or ()))


def _value_types(names: Sequence[str], count: int) -> dict[str, type]:
    """Return the types of columns: the first *count* describe the row, the others hold values."""
    own = {0: str, 1: int, 2: int}
    # A column of the relation may have the name of one of ours.
    return {name: own[place] if place < count else object for place, name in enumerate(distinct_names(names))}


def query_table(result: QueryDiff) -> RowTable:
    """Return the rows that differ, or the columns if only values were compared."""
    if result.detail is not None:
        return detail_table(result.detail)
    if result.rows is not None:
        return rows_table(result.rows)
    if result.values is not None:
        return data_table([result.values], "value_diff")
    return RowTable({"row_status": str}, [])


def unfinished_table(result: Failed | NotCompared) -> RowTable:
    """Return the reason of a failed or skipped diff."""
    first = (*named(result.subject), result.diff)
    if isinstance(result, Failed):
        types = {**SUBJECT, "diff": str, "error": str, "hint": str}
        return RowTable(types, [(*first, result.error, result.hint)])
    return RowTable({**SUBJECT, "diff": str, "reason": str}, [(*first, result.reason)])
