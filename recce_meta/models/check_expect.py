"""Thresholds of checks: one struct for each shape, shared by the types of check that have it.

A limit that is None was not given; what that means is said at each of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from msgspec import Struct, field

OTHERS = "*"
"""The key of a mapping by column that stands for every column without an own one."""


class Amount(Struct, frozen=True):
    """An upper limit: a count or difference, or a share."""

    value: float
    """The figure itself, or the share as a fraction (0.05 for `5%`)."""
    is_share: bool = False

    def __str__(self) -> str:
        return f"{self.value * 100:.6g} %" if self.is_share else f"{self.value:,.12g}"


NONE = Amount(0)


class ExpectEqual(Struct, frozen=True):
    """`expect: equal`: nothing at all may differ."""


class ExpectValues(Struct, frozen=True, kw_only=True):
    """Of `value_diff`. What is neither allowed nor within a limit may not differ at all."""

    max_mismatch: Amount = NONE
    """Common rows with at least one value that differs; shares are of common rows."""
    max_mismatch_by_column: Mapping[str, Amount] = field(default_factory=dict)
    """Likewise for single columns; given instead of `max_mismatch`. A column that is not named, and that
    `*` does not stand for, may not differ."""
    max_added: Amount = NONE
    """Keys that only current has; shares are of base's keys."""
    max_removed: Amount = NONE
    """Keys that only base has, likewise."""
    allow: frozenset[str] = frozenset()


class ExpectRows(Struct, frozen=True, kw_only=True):
    """Of `value_diff_detail` and `query_diff`: how many rows may differ."""

    max_differing_rows: Amount = NONE
    """Rows added, removed and changed; shares are of all rows on either side."""
    allow: frozenset[str] = frozenset()
    """Kinds of difference that are not counted."""


class ExpectCounts(Struct, frozen=True, kw_only=True):
    """Of `row_count` and `row_count_diff`. A limit that was not given is not looked at."""

    row_count_change: Amount | None = None
    """In either direction; shares are of base's rows."""
    max_increase: Amount | None = None
    max_decrease: Amount | None = None
    min_rows: int | None = None
    """On current."""
    max_rows: int | None = None
    allow: frozenset[str] = frozenset({"added"})
    """`added`, `removed`: relations that only one side has."""


class ExpectSchema(Struct, frozen=True, kw_only=True):
    """Of `schema_diff`."""

    allow: frozenset[str] = frozenset()
    """Statuses of columns that are accepted."""


class ExpectProfile(Struct, frozen=True, kw_only=True):
    """Of `profile_diff`. A figure without a limit is not looked at."""

    max_change: Mapping[str, Amount] = field(default_factory=dict)
    """By figure (`row_count`, `avg`, …), for every column."""
    columns: Mapping[str, Mapping[str, Amount]] = field(default_factory=dict)
    """By column and figure; goes before `max_change`."""
    allow: frozenset[str] = frozenset({"added"})
    """`added`, `removed`: columns that only one side has."""


class ExpectDistribution(Struct, frozen=True, kw_only=True):
    """Of `histogram_diff` and `top_k_diff`."""

    max_distance: Mapping[str, float]
    """By column (`*` for all others): the share of rows, as a fraction, that would have to move."""


class ExpectResult(Struct, frozen=True, kw_only=True):
    """Of `query` and `query_base`. A limit that was not given is not looked at."""

    rows: int | None = None
    """Exactly so many."""
    min_rows: int | None = None
    max_rows: int | None = None
    value: Any = None
    """The only value of the only row; looked at where `has_value`."""
    has_value: bool = False


class ExpectLineage(Struct, frozen=True, kw_only=True):
    """Of `lineage_diff`."""

    allow: frozenset[str] = frozenset()
    """Statuses and reasons of changes that are accepted."""


Expect: TypeAlias = (
    ExpectEqual
    | ExpectValues
    | ExpectRows
    | ExpectCounts
    | ExpectSchema
    | ExpectProfile
    | ExpectDistribution
    | ExpectResult
    | ExpectLineage
)
