"""What a change of a model's SQL can break."""

from __future__ import annotations

from msgspec import Struct

from recce_meta.models.words import Status, Word


class Category(Word):
    """Whom a change can hurt; the mildest first. Rules: docs/change-categories.md."""

    NONE = "none"
    """Means the same: formatting, comments, names of aliases and CTEs, order of independent CTEs."""
    NON_BREAKING = "non_breaking"
    """Only adds columns, or moves them where nobody reads by position: old columns and rows are as before."""
    PARTIAL_BREAKING = "partial_breaking"
    """Some existing columns have other values, other names, or are gone; the rows are the same."""
    BREAKING = "breaking"
    """Rows may be others: whatever is not provably milder."""
    UNKNOWN = "unknown"
    """Cannot be told: SQL that does not parse, a Python model."""


class ColumnChange(Struct, frozen=True, gc=False):
    """What happened to one output column."""

    name: str
    status: Status
    """`added`, `removed`, or `modified` (other values). A rename is one removed and one added."""
    renamed_to: str | None = None
    """Of a removed column: the added one that has its values."""


class SqlChange(Struct, frozen=True, kw_only=True):
    """How two versions of one query differ in meaning."""

    category: Category
    columns: tuple[ColumnChange, ...] = ()
    """In the order of the new query, removed ones last."""
    reasons: tuple[str, ...] = ()
    """What made it so, one short phrase each: `filter changed`, `join added: orders`, …"""
    moved: bool = False
    """Whether columns that both have stand in another order."""
