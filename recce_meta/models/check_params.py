"""The parameters of checks: one struct for each shape, shared by the types of check that have it."""

from __future__ import annotations

from decimal import Decimal
from typing import TypeAlias

from msgspec import Struct


class QueryParams(Struct, frozen=True, kw_only=True):
    """Of `query` and `query_base`."""

    sql_template: str


class QueryDiffParams(Struct, frozen=True, kw_only=True):
    """Of `query_diff`."""

    sql_template: str
    base_sql_template: str | None = None
    """What to run on base; None: the same as on current."""
    current_model: str | None = None
    """The model of current whose rows are compared with the query's on current, instead of base."""
    primary_keys: tuple[str, ...] = ()
    """Empty: the results are compared as multisets."""


class ValueDiffParams(Struct, frozen=True, kw_only=True):
    """Of `value_diff` and `value_diff_detail`."""

    model: str
    primary_key: tuple[str, ...] = ()
    """Empty: found from the project (`unique_key`, tests, constraints)."""
    columns: tuple[str, ...] = ()
    """Empty: all."""
    exclude_columns: tuple[str, ...] = ()
    where: str | None = None
    sample: float | None = None
    """The share of keys to compare, in per cent; None: all."""
    tolerance: Decimal | None = None
    """The absolute difference of two numbers up to which they count as equal."""
    relative_tolerance: Decimal | None = None
    """Likewise, as a fraction of the larger of both."""
    timestamp_precision: str | None = None
    """The unit in which timestamps are compared: second, minute, …"""
    ignore_case: bool = False
    ignore_trailing_blanks: bool = False
    limit: int = 1000
    """The most rows of `value_diff_detail`."""


class NodesParams(Struct, frozen=True, kw_only=True):
    """Of `row_count`, `row_count_diff`, `schema_diff` and `lineage_diff`: which nodes."""

    names: tuple[str, ...] = ()
    """`node_names`."""
    ids: tuple[str, ...] = ()
    """`node_ids`, or `node_id`."""
    select: str | None = None
    """dbt's selection grammar."""
    exclude: str | None = None
    packages: tuple[str, ...] | None = None
    """Of a selection; None: the project's own package, as in recce. Empty: all packages."""
    view_mode: str | None = None
    """`all`, or `changed_models`: what changed, its parents, and what is downstream; None: as `all`."""


class ProfileParams(Struct, frozen=True, kw_only=True):
    """Of `profile` and `profile_diff`."""

    model: str
    columns: tuple[str, ...] = ()
    """Empty: all."""


class TopKParams(Struct, frozen=True, kw_only=True):
    """Of `top_k_diff`."""

    model: str
    columns: tuple[str, ...]
    """`column_name`, or `columns`."""
    k: int = 10


class HistogramParams(Struct, frozen=True, kw_only=True):
    """Of `histogram_diff`."""

    model: str
    columns: tuple[str, ...]
    """`column_name`, or `columns`."""
    num_bins: int = 50


class SimpleParams(Struct, frozen=True, kw_only=True):
    """Of `simple`: an entry of recce's checklist that people tick. There is nothing to run."""


CheckParams: TypeAlias = (
    QueryParams
    | QueryDiffParams
    | ValueDiffParams
    | NodesParams
    | ProfileParams
    | TopKParams
    | HistogramParams
    | SimpleParams
)
