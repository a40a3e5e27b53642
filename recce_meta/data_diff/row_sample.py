"""Sample rows of both sides of a subject."""

from __future__ import annotations

from msgspec import Struct

from recce_meta.models.data_diff import Subject, Value


class SampleRow(Struct, frozen=True, kw_only=True):
    """Row of a sample: one key on both sides, or a row of one side if rows are not matched."""

    key: tuple[Value, ...] = ()
    base: tuple[Value, ...] | None = None
    """Values in the order of `columns`; None if the side has no such row, or rows are not matched."""
    current: tuple[Value, ...] | None = None
    differs: tuple[bool, ...] = ()
    """True for each column that differs; empty unless both sides have the row and are compared."""


class RowSample(Struct, frozen=True, kw_only=True, tag_field="type", tag="row_sample"):
    """First rows of both sides, with the same keys if a key is known. It does not show that sides are equal.

    `columns` are those of the values, without the key. Rows are ordered by key. Without a key, the rows are
    any of each side, in any order, and are not compared.
    """

    subject: Subject
    key: tuple[str, ...] = ()
    """Names of the key columns; empty if rows are not matched."""
    key_source: str | None = None
    columns: tuple[str, ...]
    rows: tuple[SampleRow, ...] = ()
    limit: int
    """Maximum number of keys, or of rows of each side without a key."""
    is_cut: bool = False
    """True if there are more rows."""
    where: str | None = None
    base_only: tuple[str, ...] = ()
    """Columns that current does not have."""
    current_only: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """One sentence for each fact needed to interpret the rows."""
