"""Thresholds of checks: one struct for each shape, shared by the types of check that have it.

A limit that is None was not given; what that means is said at each of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeAlias

from msgspec import UNSET, Struct, field

OTHERS = "*"
"""The key of a mapping by column that stands for every column without an own one."""


FIGURES = (
    "row_count",
    "not_null_count",
    "not_null_proportion",
    "distinct_count",
    "distinct_proportion",
    "is_unique",
    "min",
    "max",
    "avg",
    "median",
    "true_count",
    "min_length",
    "max_length",
    "avg_length",
)
"""Figures of a profile that can have a limit."""


class Amount(Struct, frozen=True):
    """An upper limit: a count or a difference, or a share of something.

    Decimal, because 29 % of 100 is 29 rows, and no float is 0.29.

    >>> str(Amount(Decimal("0.05"), is_share=True)), str(Amount(Decimal(1000)))
    ('5%', '1,000')
    """

    value: Decimal
    """The figure itself, or the share as a fraction (0.05 for `5%`)."""
    is_share: bool = False

    def __str__(self) -> str:
        value = (self.value * 100 if self.is_share else self.value).normalize()
        return f"{value:,f}%" if self.is_share else f"{value:,f}"


NONE = Amount(Decimal(0))


class ExpectEqual(Struct, frozen=True):
    """`expect: equal`: nothing at all may differ."""


class ExpectValues(Struct, frozen=True, kw_only=True):
    """Of `value_diff`. What is neither allowed nor within a limit may not differ at all."""

    max_mismatch: Amount | Mapping[str, Amount] = NONE
    """Common rows with at least one value that differs; shares are of common rows. By column: rows whose
    value differs in it; a column that is not named, and that `*` does not stand for, may not differ."""
    max_added: Amount = NONE
    """Rows that only current has; shares are of base's rows."""
    max_removed: Amount = NONE
    """Rows that only base has, likewise."""
    allow: frozenset[str] = frozenset()


class ExpectRows(Struct, frozen=True, kw_only=True):
    """Of `value_diff_detail` and `query_diff`: how many rows may differ."""

    max_differing_rows: Amount = NONE
    """Rows added, removed and changed; shares are of the rows on either side, each counted once."""
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

    max_distance: Mapping[str, Amount]
    """By column (`*` for all others): the share of rows that would have to move to another bin or value.
    A column that is not named, and that `*` does not stand for, is not looked at."""


class ExpectResult(Struct, frozen=True, kw_only=True):
    """Of `query` and `query_base`. A limit that was not given is not looked at."""

    rows: int | None = None
    """Exactly so many."""
    min_rows: int | None = None
    max_rows: int | None = None
    value: Any = UNSET
    """The only value of the only row; None for NULL."""


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
