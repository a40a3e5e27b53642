"""Results of data diffs, one frozen type per kind of diff, and stored data diffs.

Cell values are built-in types: None, bool, int, float, Decimal, str, bytes, date, time, datetime, timedelta,
UUID, list, dict. Shares are fractions from 0 to 1. Figures of a side without a relation are None, not zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.models.explanations import Why
from recce_meta.models.rows import Tabular, published

Value: TypeAlias = Any
"""Value of a cell, as the driver returns it."""


class DataSide(str, Enum):
    """Side of a diff."""

    BASE = "base"
    CURRENT = "current"


PRECISIONS = (
    *("microsecond", "millisecond", "second", "minute", "hour"),
    *("day", "week", "month", "quarter", "year"),
)
"""Units to which points in time can be truncated before comparison, the finest first."""


class Moment(Struct, frozen=True):
    """A moment in the history of a table: a time, or a version of the table."""

    at: datetime | None = None
    version: int | None = None

    def __str__(self) -> str:
        """Return `2026-11-25 08:00 UTC`, with the digits that it has, or `version 42`."""
        if self.at is None:
            return f"version {self.version}"
        unit = "microseconds" if self.at.microsecond else "seconds" if self.at.second else "minutes"
        return f"{self.at.replace(tzinfo=None).isoformat(' ', unit)} UTC"

    @property
    def word(self) -> str:
        """TIMESTAMP or VERSION, as the clauses of most warehouses begin."""
        return "VERSION" if self.at is None else "TIMESTAMP"


class Subject(Struct, frozen=True, kw_only=True):
    """Compared object: a node, a relation, or a query."""

    name: str
    """Label of the node, name of the relation, or `query`."""
    unique_id: str | None = None
    base: str | None = None
    """Name of the relation in SQL; None if base has no relation, or is a query."""
    current: str | None = None
    base_stale: str | None = None
    """Why base lacks the data of its run: `its build failed`. None if there is no sign of that."""
    current_stale: str | None = None
    hidden: str | None = None
    """Policies that hide rows or values from the role; None if none is known."""

    @published
    def is_stale(self) -> bool:
        """True if a side lacks the data of its run."""
        return bool(self.base_stale or self.current_stale)

    def without_stale(self, side: str) -> Subject:
        """Return the subject if the relation of *side* does not exist: it holds no data of any build."""
        return replace(self, **{f"{side}_stale": None})


class DataDiff(Tabular, frozen=True, kw_only=True):
    """Fields of every result."""

    subject: Subject
    """Compared node, relation or query."""
    notes: tuple[str, ...] = ()
    """One sentence for each fact needed to interpret the figures."""


class RowComparison(DataDiff, frozen=True, kw_only=True):
    """Comparison of rows, with the options that narrow it."""

    where: str | None = None
    """Condition on the compared rows."""
    sample: float | None = None
    """Share of compared keys or rows in percent; None for all."""
    excluded: tuple[str, ...] = ()
    """Columns excluded by an option or a setting."""
    tolerance: float | Decimal = 0.0
    """Largest difference of numbers that count as equal."""
    relative_tolerance: float | Decimal = 0.0
    """Largest difference, as a share of the larger number, of numbers that count as equal."""
    timestamp_precision: str | None = None
    """Unit to which times are truncated before the comparison."""
    ignore_case: bool = False
    """True if strings are compared in lower case."""
    ignore_trailing_blanks: bool = False
    """True if strings are compared without trailing spaces."""
    cast: tuple[str, ...] = ()
    """Columns that both sides cast before the comparison, with the type: `price=decimal(12,2)`."""

    @published
    def is_narrowed(self) -> bool:
        """True if an option excludes rows, columns or differences."""
        return bool(
            self.subject.hidden
            or self.where is not None
            or (self.sample is not None and self.sample < 100)
            or self.excluded
            or self.tolerates
        )

    @property
    def tolerates(self) -> bool:
        """True if an option lets different values count as equal."""
        others = ("subject", "notes", "where", "sample", "excluded")
        return any(getattr(self, name) for name in RowComparison.__struct_fields__ if name not in others)


COMPARE_REASON = "the node has compare: "
"""Start of the reason why a node is not compared if its settings exclude it."""


class RowCount(Struct, frozen=True, kw_only=True):
    """Row counts of one subject on both sides."""

    subject: Subject
    base: int | None = None
    current: int | None = None
    base_reason: str | None = None
    """Why base could not be counted; None if it was counted."""
    current_reason: str | None = None
    base_kept_at: datetime | None = None
    """Time of base's count if it was stored with a run; None if it was counted now."""
    current_kept_at: datetime | None = None
    where: str | None = None
    """Condition on the counted rows; None if all rows were counted."""

    @published
    def delta(self) -> int | None:
        """Current minus base; None unless both are known."""
        return None if self.base is None or self.current is None else self.current - self.base

    @published
    def change(self) -> float | None:
        """Delta as a share of base; None if a count is unknown, or if base is empty and current is not."""
        if self.delta is None:
            return None
        return self.delta / self.base if self.base else None if self.delta else 0.0


class RowCountDiff(Tabular, frozen=True, kw_only=True, tag_field="type", tag="row_count_diff"):
    """Row counts of many subjects."""

    counts: tuple[RowCount, ...]
    """One for each subject."""
    notes: tuple[str, ...] = ()
    """One sentence for each fact needed to interpret the counts."""


class ColumnDelta(Struct, frozen=True, kw_only=True):
    """One column of both schemas."""

    name: str
    status: str
    """added, removed, retyped, moved (relative to the other common columns), or unchanged."""
    base_type: str | None = None
    current_type: str | None = None
    base_position: int | None = None
    """Position from 1."""
    current_position: int | None = None


class SchemaDiff(DataDiff, frozen=True, kw_only=True, tag_field="type", tag="schema_diff"):
    """Comparison of the columns of both sides."""

    columns: tuple[ColumnDelta, ...]
    """Columns in current's order, with removed columns at their old positions."""
    source: str = "live"
    """`live` if read from the warehouse now, `stored` if recorded with the runs."""

    @published
    def changed(self) -> tuple[ColumnDelta, ...]:
        """Columns that differ."""
        return tuple(column for column in self.columns if column.status != "unchanged")


class KeyCounts(Struct, frozen=True, kw_only=True):
    """Counts of rows and unusable keys on one side."""

    rows: int
    """All rows of the side (after `where` and sampling)."""
    null_keys: int = 0
    """Rows with NULL in a key column; they are not compared."""
    duplicate_keys: int = 0
    """Keys with more than one row on this side."""
    duplicate_rows: int = 0
    """Rows of this side that are not compared because their key has several rows on either side."""

    @published
    def compared(self) -> int:
        """Number of compared rows."""
        return self.rows - self.null_keys - self.duplicate_rows


class Example(Struct, frozen=True, kw_only=True):
    """Cell that differs."""

    key: tuple[Value, ...]
    base: Value
    current: Value


_ROUNDED = ", rounded"
ROUNDED_DOUBLE = f"double{_ROUNDED}"
"""Common type of numbers that doubles cannot represent exactly."""


def rounded_label(label: str) -> str:
    """Return the common type *label* of values whose last digits were not compared."""
    return f"{label}{_ROUNDED}"


MEAN_DIGITS = 38
"""Digits of the mean of decimals if it is not a finite decimal."""


class ColumnValues(Struct, frozen=True, kw_only=True):
    """Comparison of one column's values in common rows."""

    name: str
    base_type: str
    current_type: str
    compared_as: str | None = None
    """Common type, if the two types differ."""
    reason: str | None = None
    """Why the values could not be compared; the figures are then None."""
    matched: int | None = None
    mismatched: int | None = None
    null_to_value: int | None = None
    """Mismatches with NULL in base."""
    value_to_null: int | None = None
    mean_difference: float | Decimal | None = None
    """For numbers: the mean of current minus base over mismatches without NULL, NaN and infinities.

    A decimal for integers and decimals: exact if it is a finite decimal, else with 38 digits. A float for
    floats.
    """
    largest_difference: float | int | Decimal | None = None
    """For numbers: the largest absolute difference of these mismatches; exact, except for floats."""
    is_difference_rounded: bool = False
    """True if both differences are doubles that approximate numbers with more digits."""
    examples: tuple[Example, ...] = ()

    @published
    def match_share(self) -> float | None:
        """Matched rows as a share of common rows; None without common rows."""
        common = 0 if self.mismatched is None else (self.matched or 0) + self.mismatched
        return None if self.matched is None or not common else self.matched / common


def is_rounded(column: ColumnValues) -> bool:
    """Return True if rounding may have made different values of *column* equal."""
    return (column.compared_as or "").endswith(_ROUNDED)


class DetailRow(Struct, frozen=True, kw_only=True):
    """Row that differs."""

    status: str
    """added, removed, or changed."""
    key: tuple[Value, ...]
    base: tuple[Value, ...] | None = None
    """Values in the order of `columns`; None if the side has no such row."""
    current: tuple[Value, ...] | None = None
    base_count: int = 1
    """Number of equal rows, if rows are compared without a key."""
    current_count: int = 1


class ValueDiff(RowComparison, frozen=True, kw_only=True, tag_field="type", tag="value_diff"):
    """Comparison of every column's values in rows matched by key.

    `base` and `current` count all rows. `added`, `removed` and `common` count only keys that are not NULL and
    have a single row on each side where they occur.
    """

    key: tuple[str, ...]
    """Names of the key columns."""
    key_source: str
    """Origin of the key: option, unique_key, unique test, …"""
    base: KeyCounts | None
    current: KeyCounts | None
    added: int = 0
    removed: int = 0
    common: int = 0
    changed: int = 0
    """Common rows with at least one different value."""
    columns: tuple[ColumnValues, ...] = ()
    """Columns of both sides, with their figures."""
    base_only: tuple[str, ...] = ()
    """Columns that current does not have."""
    current_only: tuple[str, ...] = ()
    """Columns that base does not have."""
    why: Why | None = None
    """Slices that hold the rows that differ; None if they were not searched."""

    @published
    def total(self) -> int:
        """Keys on either side."""
        return self.common + self.added + self.removed

    @published
    def left_out(self) -> int:
        """Rows not compared because of their keys, on the side with more such rows."""
        return _left_out(self.base, self.current)

    @published
    def is_equal(self) -> bool | None:
        """True if everything was compared and is equal, False if a difference was found, else None."""
        # Rows with unusable keys are not compared, but different numbers of them are a difference.
        differs = bool(
            self.added or self.removed or self.changed or self.base_only or self.current_only
        ) or _keys_differ(self.base, self.current)
        is_partial = any(column.reason or is_rounded(column) for column in self.columns)
        is_whole = not (self.is_narrowed or self.left_out or is_partial)
        return False if differs else True if is_whole else None


def _left_out(*sides: KeyCounts | None) -> int:
    return max((side.rows - side.compared for side in sides if side is not None), default=0)


def _keys_differ(base: KeyCounts | None, current: KeyCounts | None) -> bool:
    """Return True if a side is missing, or the sides have different counts of unusable keys."""
    if base is None or current is None:
        return True
    return (base.null_keys, base.duplicate_keys, base.duplicate_rows) != (
        current.null_keys,
        current.duplicate_keys,
        current.duplicate_rows,
    )


class ValueDetail(RowComparison, frozen=True, kw_only=True, tag_field="type", tag="value_diff_detail"):
    """Rows that differ, ordered by key.

    `key` and `key_source` are as in a value diff. `base` and `current` count the rows of each side.
    """

    key: tuple[str, ...]
    key_source: str
    base: KeyCounts | None = None
    current: KeyCounts | None = None
    columns: tuple[str, ...]
    """Names of the values in each row, without the key columns."""
    rows: tuple[DetailRow, ...] = ()
    """Rows that differ, at most `limit`."""
    limit: int
    """Maximum number of rows."""
    is_cut: bool = False
    """True if there are more rows than `limit`."""
    base_only: tuple[str, ...] = ()
    """Columns that current does not have."""
    current_only: tuple[str, ...] = ()
    """Columns that base does not have."""
    incomparable: tuple[str, ...] = ()
    """Columns not compared because their types have no common type."""
    rounded: tuple[str, ...] = ()
    """Columns compared as doubles, which cannot represent both types exactly."""

    @published
    def left_out(self) -> int:
        """Rows not compared because of their keys, on the side with more such rows."""
        return _left_out(self.base, self.current)

    @published
    def is_equal(self) -> bool | None:
        """True if everything was compared and is equal, False if a difference was found, else None."""
        if self.rows or self.is_cut or self.base_only or self.current_only:
            return False
        if self.base is None and self.current is None:  # stored by a version without counts
            return None
        if _keys_differ(self.base, self.current):
            return False
        is_partial = self.is_narrowed or self.left_out or self.incomparable or self.rounded
        return None if is_partial else True


class RowsDiff(RowComparison, frozen=True, kw_only=True, tag_field="type", tag="rows_diff"):
    """Comparison of two multisets of whole rows, for relations and queries without a key.

    `columns` are the common columns. `base_only` and `current_only` are the columns of one side. `base_rows`
    and `current_rows` count all rows, `added` and `removed` those of one side. `rows` has at most `limit`
    rows; `is_cut` is true if there are more.
    """

    columns: tuple[str, ...]
    base_rows: int | None
    current_rows: int | None
    common: int = 0
    """Common rows; duplicates count as often as on the side with fewer of them."""
    added: int = 0
    removed: int = 0
    base_only: tuple[str, ...] = ()
    current_only: tuple[str, ...] = ()
    incomparable: tuple[str, ...] = ()
    """Columns not compared because their types have no common type."""
    rounded: tuple[str, ...] = ()
    """Columns compared inexactly: as doubles, to 15 digits, or to the microsecond."""
    retyped: tuple[str, ...] = ()
    """Compared columns with another type in current, within one warehouse."""
    rows: tuple[DetailRow, ...] = ()
    """Some of the rows that differ; `key` is empty."""
    limit: int = 0
    is_cut: bool = False

    @published
    def is_equal(self) -> bool | None:
        """True if everything was compared and is equal, False if a difference was found, else None."""
        if self.added or self.removed or self.base_only or self.current_only:
            return False
        return None if self.is_narrowed or self.incomparable or self.rounded else True


class QueryDiff(DataDiff, frozen=True, kw_only=True, tag_field="type", tag="query_diff"):
    """Comparison of a query's results on both sides: by key (`values`, `detail`) or as multisets (`rows`).

    `base_sql` and `current_sql` are the queries.
    """

    base_sql: str
    current_sql: str
    values: ValueDiff | None = None
    detail: ValueDetail | None = None
    rows: RowsDiff | None = None

    @published
    def is_equal(self) -> bool | None:
        """True if everything was compared and is equal, False if a difference was found, else None."""
        answer = self.values or self.rows
        return None if answer is None else answer.is_equal


class Profile(Struct, frozen=True, kw_only=True):
    """Figures of one column on one side; a figure is None if it does not apply to the type."""

    type: str
    row_count: int
    not_null_count: int
    distinct_count: int | None = None
    is_approximate: bool = False
    """True if `distinct_count` (and `median`) are estimates."""
    min: Value = None
    max: Value = None
    avg: Value = None
    median: Value = None
    true_count: int | None = None
    """Number of true values of a boolean column."""
    min_length: int | None = None
    """Length of strings in characters, of binary values in bytes, of arrays in elements."""
    max_length: int | None = None
    avg_length: float | None = None

    @published
    def not_null_proportion(self) -> float | None:
        """Share of rows with a value; None without rows."""
        return self.not_null_count / self.row_count if self.row_count else None

    @published
    def distinct_proportion(self) -> float | None:
        """Distinct values as a share of rows; None without rows, or if they were not counted."""
        return (
            self.distinct_count / self.row_count
            if self.row_count and self.distinct_count is not None
            else None
        )

    @published
    def is_unique(self) -> bool | None:
        """True if all values are distinct and not NULL; None without rows, or for an estimate."""
        if not self.row_count or self.distinct_count is None or self.is_approximate:
            return None
        return self.distinct_count == self.row_count


class ColumnProfile(Struct, frozen=True, kw_only=True):
    """Figures of one column on both sides; None if a side has no such column, or it could not be read."""

    name: str
    base: Profile | None = None
    current: Profile | None = None
    is_same_type: bool | None = None
    """Cross-warehouse, where type names differ: True if both types are equivalent. Otherwise None."""
    reason: str | None = None
    """Why figures are missing: the failed step and its error."""
    unread: tuple[DataSide, ...] = ()
    """Sides that have the column, but no figure of it could be computed: it is then not compared."""

    def lacks(self, side: DataSide) -> bool:
        """Return True if *side* has no such column."""
        return getattr(self, side.value) is None and side not in self.unread


class ProfileDiff(DataDiff, frozen=True, kw_only=True, tag_field="type", tag="profile_diff"):
    """Column figures of both sides."""

    columns: tuple[ColumnProfile, ...]
    """Columns of either side."""
    where: str | None = None
    """Condition on the measured rows."""
    excluded: tuple[str, ...] = ()
    """Columns excluded by an option or a setting."""
    base_kept_at: datetime | None = None
    """Time of base's figures if they were stored with a run; None if they were computed now."""
    current_kept_at: datetime | None = None
    """Time of current's figures, in the same way."""


class TopValue(Struct, frozen=True, kw_only=True):
    """Value with its number of rows on both sides."""

    value: Value
    base: int
    current: int


class ColumnDistribution(Struct, frozen=True, kw_only=True):
    """Counts of the values of one column."""

    name: str
    reason: str | None = None
    """Why the column could not be counted."""
    reads: tuple[str, ...] = ()
    """Columns that an expression reads, `*` if it may read others; empty for a column."""

    def sides(self) -> tuple[list[int], list[int]] | None:
        """Return each side's rows per bin or value, all others last; None if a side is missing."""
        raise NotImplementedError

    def differs(self) -> bool:
        """Return True if the number of rows with a value or with NULL, in a bin or in none, differs."""
        raise NotImplementedError

    def withheld(self, reason: str) -> ColumnDistribution:
        """Return the column without values, for *reason*."""
        return type(self)(name=self.name, reason=reason, reads=self.reads)


class DistributionDiff(DataDiff, frozen=True, kw_only=True):
    """Distributions of `columns`."""

    columns: tuple[Any, ...]
    where: str | None = None
    """Condition on the counted rows."""
    excluded: tuple[str, ...] = ()
    """Columns excluded by a setting."""


class ColumnTopK(ColumnDistribution, frozen=True, kw_only=True):
    """Most frequent values of one column, sorted by current count, base count, and value."""

    values: tuple[TopValue, ...] = ()
    base_valid: int | None = None
    """Rows of base with a value."""
    base_total: int | None = None
    current_valid: int | None = None
    current_total: int | None = None
    is_rounded: bool = False
    """True if both sides were counted as doubles, so that rounding may merge different values."""

    def sides(self) -> tuple[list[int], list[int]] | None:
        """Return the rows of each value, then of all others."""
        if self.base_valid is None or self.current_valid is None:
            return None
        base, current = [v.base for v in self.values], [v.current for v in self.values]
        return [*base, self.base_valid - sum(base)], [*current, self.current_valid - sum(current)]

    def differs(self) -> bool:
        """Return True if the rows of a value, with a value, or in all differ."""
        return (self.base_valid, self.base_total) != (self.current_valid, self.current_total) or any(
            one.base != one.current for one in self.values
        )


class TopKDiff(DistributionDiff, frozen=True, kw_only=True, tag_field="type", tag="top_k_diff"):
    """The `k` most frequent values of `columns`."""

    k: int
    columns: tuple[ColumnTopK, ...]


class ColumnHistogram(ColumnDistribution, frozen=True, kw_only=True):
    """Histogram of one column with the same bins on both sides.

    Bin i contains values from edge i up to, but excluding, edge i+1; the last bin includes its upper edge.
    """

    kind: str = "number"
    """number, date or timestamp."""
    edges: tuple[Value, ...] = ()
    unit: str | None = None
    """Width of a bin of dates or timestamps (`1 day`, `3 months`, `15 minutes`)."""
    base: tuple[int, ...] | None = None
    current: tuple[int, ...] | None = None
    min: Value = None
    max: Value = None
    base_total: int | None = None
    """Rows of base with a value in a bin."""
    current_total: int | None = None
    base_outside: int = 0
    """Values of base that are in no bin: NaN, infinities, and dates outside the years 1 to 9999."""
    current_outside: int = 0
    base_nulls: int | None = None
    """Rows of base without a value; None if they were not counted."""
    current_nulls: int | None = None

    def sides(self) -> tuple[list[int], list[int]] | None:
        """Return the rows of each bin, then of none."""
        if self.base is None or self.current is None:
            return None
        return [*self.base, self.base_outside], [*self.current, self.current_outside]

    def differs(self) -> bool:
        """Return True if the rows of a bin, in none, or with NULL differ."""
        nulls = (self.base_nulls, self.current_nulls)
        is_apart = None not in nulls and nulls[0] != nulls[1]
        return self.base != self.current or self.base_outside != self.current_outside or is_apart

    def withheld(self, reason: str) -> ColumnHistogram:
        """Return the column without bins, for *reason*."""
        return ColumnHistogram(name=self.name, reason=reason, reads=self.reads, kind=self.kind)


class HistogramDiff(DistributionDiff, frozen=True, kw_only=True, tag_field="type", tag="histogram_diff"):
    """Histograms of `columns`."""

    columns: tuple[ColumnHistogram, ...]
    left_out: tuple[str, ...] = ()
    """Columns that have no histogram because of their type; none if the columns were named."""


class Failed(DataDiff, frozen=True, kw_only=True, tag_field="type", tag="failed"):
    """Diff that failed with `error`, and a `hint` that says what to do; other diffs are not affected."""

    diff: str
    """Type of the diff: value_diff, profile_diff, …; `data_diff` for all diffs of a node."""
    error: str
    hint: str | None = None


class NotCompared(DataDiff, frozen=True, kw_only=True, tag_field="type", tag="not_compared"):
    """Diff that was skipped because of an option, a setting or a limit, which `reason` explains."""

    diff: str
    """Type of the diff: value_diff, …; `data_diff` for all diffs of a node."""
    reason: str


FiguresDiff: TypeAlias = ProfileDiff | TopKDiff | HistogramDiff
"""Figures of columns, which compare no rows."""


AnyDataDiff: TypeAlias = (
    RowCountDiff
    | SchemaDiff
    | ValueDiff
    | ValueDetail
    | RowsDiff
    | QueryDiff
    | FiguresDiff
    | Failed
    | NotCompared
)


def kind_of(result: AnyDataDiff) -> str:
    """Return `value_diff`, …; for a diff that was not made, the requested kind."""
    return (
        result.diff if isinstance(result, (Failed, NotCompared)) else str(type(result).__struct_config__.tag)
    )


def counts_by_id(results: Iterable[AnyDataDiff]) -> dict[str | None, RowCount]:
    """Return the row counts of all nodes in *results* by unique id."""
    return {
        one.subject.unique_id: one
        for result in results
        if isinstance(result, RowCountDiff)
        for one in result.counts
    }
