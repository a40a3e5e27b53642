"""What data diffs answer: one frozen type per kind of diff, the same for terminal, JSON and store.

Values of cells are Python's own: None, bool, int, float, Decimal, str, bytes, date, time, datetime,
timedelta, UUID, list, dict. Shares are fractions from 0 to 1. A side that has no relation is None, and
never a zero.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, TypeAlias

from msgspec import Struct

Value: TypeAlias = Any
"""A cell's value, as the driver gives it."""


class DataSide(str, Enum):
    """The two sides of every diff."""

    BASE = "base"
    CURRENT = "current"


class Subject(Struct, frozen=True, kw_only=True):
    """What was compared: a node, a relation, or a query."""

    name: str
    """The node's label, the relation's name, or `query`."""
    unique_id: str | None = None
    base: str | None = None
    """The relation, as SQL names it; None where base has none, or is a query."""
    current: str | None = None
    base_stale: str | None = None
    """Why base holds data of an earlier build: `its build failed`. None if nothing says so."""
    current_stale: str | None = None

    @property
    def is_stale(self) -> bool:
        """Whether a side holds data of an earlier build."""
        return bool(self.base_stale or self.current_stale)


class DataDiff(Struct, frozen=True, kw_only=True):
    """What every answer has."""

    subject: Subject
    notes: tuple[str, ...] = ()
    """What a reader has to know to read the figures right, one sentence each."""


class RowComparison(DataDiff, frozen=True, kw_only=True):
    """A comparison of rows, with the options that narrow what it can claim."""

    where: str | None = None
    """The condition on the rows compared."""
    sample: float | None = None
    """The share of keys or rows compared, in per cent; None for all."""
    excluded: tuple[str, ...] = ()
    """Columns that an option leaves out."""
    tolerance: float | Decimal = 0.0
    """Numbers no further apart than this count as equal."""
    relative_tolerance: float | Decimal = 0.0
    timestamp_precision: str | None = None
    """The unit that times are cut to before they are compared."""
    ignore_case: bool = False
    ignore_trailing_blanks: bool = False

    @property
    def is_narrowed(self) -> bool:
        """Whether an option leaves rows, columns or differences out."""
        return bool(
            self.where is not None
            or (self.sample is not None and self.sample < 100)
            or self.excluded
            or self.tolerance
            or self.relative_tolerance
            or self.timestamp_precision
            or self.ignore_case
            or self.ignore_trailing_blanks
        )


class RowCount(Struct, frozen=True, kw_only=True):
    """The rows of one subject on both sides."""

    subject: Subject
    base: int | None = None
    current: int | None = None
    base_reason: str | None = None
    """Why base could not be counted; None where it was."""
    current_reason: str | None = None
    base_kept_at: datetime | None = None
    """When the figure was taken, where it was kept with a run and not counted now."""
    current_kept_at: datetime | None = None

    @property
    def delta(self) -> int | None:
        """Current less base; None unless both are known."""
        return None if self.base is None or self.current is None else self.current - self.base

    @property
    def change(self) -> float | None:
        """The delta as a share of base; None where base is unknown or empty and current is not."""
        if self.delta is None:
            return None
        if not self.base:
            return 0.0 if not self.delta else None
        return self.delta / self.base


class RowCountDiff(Struct, frozen=True, kw_only=True, tag_field="type", tag="row_count_diff"):
    """Row counts of many subjects."""

    counts: tuple[RowCount, ...]
    notes: tuple[str, ...] = ()


class ColumnDelta(Struct, frozen=True, kw_only=True):
    """One column of two schemas."""

    name: str
    status: str
    """added, removed, retyped, moved (another order among the columns of both sides), or unchanged."""
    base_type: str | None = None
    current_type: str | None = None
    base_position: int | None = None
    """From 1."""
    current_position: int | None = None


class SchemaDiff(DataDiff, frozen=True, kw_only=True, tag_field="type", tag="schema_diff"):
    """The columns of both sides, in current order, removed ones where they stood."""

    columns: tuple[ColumnDelta, ...]
    source: str = "live"
    """`live`, asked of the warehouse now, or `stored`, as recorded with the runs."""

    @property
    def changed(self) -> tuple[ColumnDelta, ...]:
        """The columns that differ."""
        return tuple(column for column in self.columns if column.status != "unchanged")


class KeyCounts(Struct, frozen=True, kw_only=True):
    """How the key does on one side."""

    rows: int
    """All rows of the side (after `where` and sampling)."""
    null_keys: int = 0
    """Rows with NULL in a key column; they are not compared."""
    duplicate_keys: int = 0
    """Keys with more than one row on this side."""
    duplicate_rows: int = 0
    """Rows of this side that are not compared, because their key has several rows on either side."""

    @property
    def compared(self) -> int:
        """Rows that take part in the comparison."""
        return self.rows - self.null_keys - self.duplicate_rows


class Example(Struct, frozen=True, kw_only=True):
    """One cell that differs."""

    key: tuple[Value, ...]
    base: Value
    current: Value


ROUNDED_DOUBLE = "double, rounded"
"""The common type of numbers of which doubles do not hold all digits."""


MEAN_DIGITS = 38
"""Digits of the mean of decimals if it has no end."""


class ColumnValues(Struct, frozen=True, kw_only=True):
    """How one column's values do, over the rows whose key is on both sides."""

    name: str
    base_type: str
    current_type: str
    compared_as: str | None = None
    """The common type, where the two types differ."""
    reason: str | None = None
    """Why the values could not be compared; the figures are then None."""
    matched: int | None = None
    mismatched: int | None = None
    null_to_value: int | None = None
    """Of the mismatches: NULL in base."""
    value_to_null: int | None = None
    mean_difference: float | Decimal | None = None
    """For numbers: the mean of current less base over mismatches without NULL, NaN and infinities.

    A decimal for whole numbers and decimals: exact if it has an end, else with 38 digits. A float for floats.
    """
    largest_difference: float | int | Decimal | None = None
    """For numbers: the largest absolute difference of the same mismatches; exact, but for floats."""
    is_difference_rounded: bool = False
    """Whether both are doubles that stand for numbers of more digits."""
    examples: tuple[Example, ...] = ()

    @property
    def match_share(self) -> float | None:
        """Matched rows as a share of common ones; None where nothing is common."""
        if self.matched is None or self.mismatched is None or not self.matched + self.mismatched:
            return None
        return self.matched / (self.matched + self.mismatched)


def is_rounded(column: ColumnValues) -> bool:
    """Whether values of *column* that differ may have been taken for equal."""
    return column.compared_as == ROUNDED_DOUBLE


class DetailRow(Struct, frozen=True, kw_only=True):
    """One row that differs."""

    status: str
    """added, removed, or changed."""
    key: tuple[Value, ...]
    base: tuple[Value, ...] | None = None
    """Values in the order of `columns`; None where the side has no such row."""
    current: tuple[Value, ...] | None = None
    base_count: int = 1
    """How often the row is there, where rows are compared without a key."""
    current_count: int = 1


class ValueDiff(RowComparison, frozen=True, kw_only=True, tag_field="type", tag="value_diff"):
    """Rows matched by key, and every column's values compared.

    `base` and `current` count all rows; `added`, `removed`, `common` only keys that are not NULL and have one
    row on each side that has them.
    """

    key: tuple[str, ...]
    key_source: str
    """Where the key comes from: option, unique_key, unique test, …"""
    base: KeyCounts | None
    current: KeyCounts | None
    added: int = 0
    removed: int = 0
    common: int = 0
    changed: int = 0
    """Common rows with at least one value that differs."""
    columns: tuple[ColumnValues, ...] = ()
    base_only: tuple[str, ...] = ()
    """Columns that current has not."""
    current_only: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """Keys on either side."""
        return self.common + self.added + self.removed

    @property
    def left_out(self) -> int:
        """Rows of the side that has more of them that were not compared, because of their keys."""
        return _left_out(self.base, self.current)

    @property
    def is_equal(self) -> bool | None:
        """True if all was compared and is equal, False if a difference was found, else None."""
        differs = bool(
            self.added or self.removed or self.changed or self.base_only or self.current_only
        ) or _keys_differ(self.base, self.current)
        is_partial = any(column.reason or is_rounded(column) for column in self.columns)
        is_whole = not (self.is_narrowed or self.left_out or is_partial)
        return False if differs else True if is_whole else None


def _left_out(*sides: KeyCounts | None) -> int:
    return max((side.rows - side.compared for side in sides if side is not None), default=0)


def _keys_differ(base: KeyCounts | None, current: KeyCounts | None) -> bool:
    """Whether a side is missing, or the rows that the key cannot match are others in number."""
    if base is None or current is None:
        return True
    return (base.null_keys, base.duplicate_keys, base.duplicate_rows) != (
        current.null_keys,
        current.duplicate_keys,
        current.duplicate_rows,
    )


class ValueDetail(RowComparison, frozen=True, kw_only=True, tag_field="type", tag="value_diff_detail"):
    """The rows that differ, ordered by key."""

    key: tuple[str, ...]
    key_source: str
    base: KeyCounts | None = None
    current: KeyCounts | None = None
    columns: tuple[str, ...]
    """Names of the values in each row, without the key's."""
    rows: tuple[DetailRow, ...] = ()
    limit: int
    is_cut: bool = False
    """Whether there are more rows than `limit`."""
    base_only: tuple[str, ...] = ()
    """Columns that current has not."""
    current_only: tuple[str, ...] = ()
    incomparable: tuple[str, ...] = ()
    """Columns left out, because their types have no common one."""
    rounded: tuple[str, ...] = ()
    """Columns compared as doubles, which do not hold all digits of both types."""

    @property
    def left_out(self) -> int:
        """Rows of the side that has more of them that were not compared, because of their keys."""
        return _left_out(self.base, self.current)

    @property
    def is_equal(self) -> bool | None:
        """True if all was compared and is equal, False if a difference was found, else None."""
        if self.rows or self.is_cut or self.base_only or self.current_only:
            return False
        if self.base is None and self.current is None:  # of a version that did not keep the counts
            return None
        if _keys_differ(self.base, self.current):
            return False
        is_partial = self.is_narrowed or self.left_out or self.incomparable or self.rounded
        return None if is_partial else True


class RowsDiff(RowComparison, frozen=True, kw_only=True, tag_field="type", tag="rows_diff"):
    """Two multisets of rows, compared whole: for relations and queries without a key."""

    columns: tuple[str, ...]
    base_rows: int | None
    current_rows: int | None
    common: int = 0
    """Rows that both sides have, each counted as often as the side with fewer has it."""
    added: int = 0
    removed: int = 0
    base_only: tuple[str, ...] = ()
    current_only: tuple[str, ...] = ()
    incomparable: tuple[str, ...] = ()
    """Columns left out, because their types have no common one."""
    rounded: tuple[str, ...] = ()
    """Columns compared as doubles, to 15 digits, or to the microsecond: not exactly."""
    rows: tuple[DetailRow, ...] = ()
    """Some of the rows that differ; `key` is empty."""
    limit: int = 0
    is_cut: bool = False

    @property
    def is_equal(self) -> bool | None:
        """True if all was compared and is equal, False if a difference was found, else None."""
        if self.added or self.removed or self.base_only or self.current_only:
            return False
        return None if self.is_narrowed or self.incomparable or self.rounded else True


class QueryDiff(DataDiff, frozen=True, kw_only=True, tag_field="type", tag="query_diff"):
    """The results of a query on both sides: by key (`values`, `detail`) or as multisets (`rows`)."""

    base_sql: str
    current_sql: str
    values: ValueDiff | None = None
    detail: ValueDetail | None = None
    rows: RowsDiff | None = None

    @property
    def is_equal(self) -> bool | None:
        """True if all was compared and is equal, False if a difference was found, else None."""
        answer = self.values or self.rows
        return None if answer is None else answer.is_equal


class Profile(Struct, frozen=True, kw_only=True):
    """The figures of one column on one side. None where a figure makes no sense for the type."""

    type: str
    row_count: int
    not_null_count: int
    distinct_count: int | None = None
    is_approximate: bool = False
    """Whether `distinct_count` (and `median`) are estimates."""
    min: Value = None
    max: Value = None
    avg: Value = None
    median: Value = None
    true_count: int | None = None
    """Of booleans."""
    min_length: int | None = None
    """Of texts in characters, of binary in bytes, of arrays in elements."""
    max_length: int | None = None
    avg_length: float | None = None

    @property
    def not_null_proportion(self) -> float | None:
        """The share of rows with a value; None for no rows."""
        return self.not_null_count / self.row_count if self.row_count else None

    @property
    def distinct_proportion(self) -> float | None:
        """Distinct values by rows; None for no rows, or where they were not counted."""
        return (
            self.distinct_count / self.row_count
            if self.row_count and self.distinct_count is not None
            else None
        )

    @property
    def is_unique(self) -> bool | None:
        """Whether no two rows share a value and none is NULL; None for no rows, or an estimate."""
        if not self.row_count or self.distinct_count is None or self.is_approximate:
            return None
        return self.distinct_count == self.row_count


class ColumnProfile(Struct, frozen=True, kw_only=True):
    """One column's figures on both sides; None where a side has no such column."""

    name: str
    base: Profile | None = None
    current: Profile | None = None
    is_same_type: bool | None = None
    """In two kinds of warehouses, which write types differently: whether both hold the same. Else None."""
    reason: str | None = None
    """Why figures are missing: what failed, and with which error."""


class ProfileDiff(DataDiff, frozen=True, kw_only=True, tag_field="type", tag="profile_diff"):
    """Figures of columns, side by side."""

    columns: tuple[ColumnProfile, ...]
    where: str | None = None
    """The condition on the rows measured."""
    base_kept_at: datetime | None = None
    """When base's figures were taken, where they were kept with a run and not computed now."""
    current_kept_at: datetime | None = None


class TopValue(Struct, frozen=True, kw_only=True):
    """One value and how often it is there."""

    value: Value
    base: int
    current: int


class ColumnTopK(Struct, frozen=True, kw_only=True):
    """The most frequent values of one column: by current count, then base count, then value."""

    name: str
    values: tuple[TopValue, ...] = ()
    base_valid: int | None = None
    """Rows of base with a value."""
    base_total: int | None = None
    current_valid: int | None = None
    current_total: int | None = None
    reason: str | None = None
    """Why the column could not be counted."""
    is_rounded: bool = False
    """Whether both sides were counted as doubles, which do not hold all digits: two values may be one."""


class TopKDiff(DataDiff, frozen=True, kw_only=True, tag_field="type", tag="top_k_diff"):
    """The most frequent values of columns."""

    k: int
    columns: tuple[ColumnTopK, ...]
    where: str | None = None
    """The condition on the rows counted."""


class ColumnHistogram(Struct, frozen=True, kw_only=True):
    """One column's values counted in the same bins on both sides.

    Bin i holds values from edge i up to, but not including, edge i+1; the last one holds its upper edge too.
    """

    name: str
    kind: str = "number"
    """number, date or timestamp."""
    edges: tuple[Value, ...] = ()
    unit: str | None = None
    """Of dates and timestamps: how wide a bin is (`1 day`, `3 months`, `15 minutes`)."""
    base: tuple[int, ...] | None = None
    current: tuple[int, ...] | None = None
    min: Value = None
    max: Value = None
    base_total: int | None = None
    """Rows of base with a value that a bin can hold."""
    current_total: int | None = None
    base_outside: int = 0
    """Values of base that no bin holds: NaN, infinities, and dates outside the years 1 to 9999."""
    current_outside: int = 0
    reason: str | None = None
    """Why there are no bins."""


class HistogramDiff(DataDiff, frozen=True, kw_only=True, tag_field="type", tag="histogram_diff"):
    """Distributions of columns."""

    columns: tuple[ColumnHistogram, ...]
    where: str | None = None
    """The condition on the rows counted."""


class Failed(DataDiff, frozen=True, kw_only=True, tag_field="type", tag="failed"):
    """A diff that could not be made; the others go on."""

    diff: str
    """Which: value_diff, profile_diff, …"""
    error: str
    hint: str | None = None


class NotCompared(DataDiff, frozen=True, kw_only=True, tag_field="type", tag="not_compared"):
    """A diff that was left out on purpose: by an option, or by a limit."""

    diff: str
    """Which: value_diff, …"""
    reason: str


AnyDataDiff: TypeAlias = (
    RowCountDiff
    | SchemaDiff
    | ValueDiff
    | ValueDetail
    | RowsDiff
    | QueryDiff
    | ProfileDiff
    | TopKDiff
    | HistogramDiff
    | Failed
    | NotCompared
)
