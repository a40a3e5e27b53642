"""Every type of check: its parameters, what can be expected of it, and how each of these is read.

Types, parameters and defaults are recce's (docs.reccehq.com, "Configuration"), so that a recce.yml is read as
it is. What recce has not: `expect`, several columns at once, and the options of value diffs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from recce_meta.extractors.check_values import (
    Reader,
    by_figure,
    by_name,
    cell,
    distance,
    few_rows,
    flag,
    for_columns,
    number,
    one_of,
    plain_or_by_column,
    rows,
    sample,
    text,
    texts,
    whole_from,
    words_of,
)
from recce_meta.models.change import COSMETIC, Reason
from recce_meta.models.check_expect import (
    FIGURES,
    ExpectCounts,
    ExpectDistribution,
    ExpectLineage,
    ExpectProfile,
    ExpectResult,
    ExpectRows,
    ExpectSchema,
    ExpectValues,
)
from recce_meta.models.check_params import (
    HistogramParams,
    NodesParams,
    ProfileParams,
    QueryDiffParams,
    QueryParams,
    SimpleParams,
    TopKParams,
    ValueDiffParams,
)

PRECISIONS = (
    *("microsecond", "millisecond", "second", "minute", "hour"),
    *("day", "week", "month", "quarter", "year"),
)
"""As in `diff.data.settings`."""

ROW_STATUSES = ("added", "removed", "changed")
COLUMN_STATUSES = ("added", "removed", "retyped", "moved")
VALUE_ALLOWANCES = (
    *ROW_STATUSES,
    "removed_columns",
    "incomparable_columns",
    "null_keys",
    "duplicate_keys",
)
LINEAGE_ALLOWANCES = (
    "added",
    "removed",
    "modified",
    *(reason.value for reason in Reason if reason not in COSMETIC),
)


class Field(NamedTuple):
    """One field of `params` or `expect`."""

    read: Reader
    to: str | None = None
    """The attribute that takes the value, where it has another name; empty: the value is not used."""
    is_required: bool = False


class CheckType(NamedTuple):
    """One type of check."""

    params: type[Any]
    fields: Mapping[str, Field]
    expect: type[Any] | None = None
    """None: there is nothing to expect."""
    thresholds: Mapping[str, Field] = {}
    has_sides: bool = True
    """Whether base and current are compared, so that `expect: equal` means something."""


_QUERY = {"sql_template": Field(text, is_required=True)}
_QUERY_DIFF = {
    "sql_template": Field(text, is_required=True),
    "base_sql_template": Field(text),
    "primary_keys": Field(texts),
    "current_model": Field(text),
}
_NODES = {
    "node_names": Field(texts, to="names"),
    "node_ids": Field(texts, to="ids"),
    "select": Field(text),
    "exclude": Field(text),
    "packages": Field(texts),
    "view_mode": Field(one_of("all", "changed_models")),
}
_VALUE_DIFF = {
    "model": Field(text, is_required=True),
    "primary_key": Field(texts),
    "columns": Field(texts),
    "exclude_columns": Field(texts),
    "where": Field(text),
    "sample": Field(sample),
    "tolerance": Field(number),
    "relative_tolerance": Field(number),
    "timestamp_precision": Field(one_of(*PRECISIONS)),
    "ignore_case": Field(flag),
    "ignore_trailing_blanks": Field(flag),
}
_PROFILE = {"model": Field(text, is_required=True), "columns": Field(texts)}
_COLUMN = {
    "model": Field(text, is_required=True),
    "column_name": Field(texts, to="columns", is_required=True),
    "columns": Field(texts),
}

_EXPECT_RESULT = {
    "rows": Field(whole_from(0)),
    "min_rows": Field(whole_from(0)),
    "max_rows": Field(whole_from(0)),
    "value": Field(cell),
}
_EXPECT_ROWS = {"max_differing_rows": Field(rows), "allow": Field(words_of(*ROW_STATUSES))}
_EXPECT_DETAIL = {
    "max_differing_rows": Field(few_rows),
    "allow": Field(words_of(*VALUE_ALLOWANCES)),
}
_EXPECT_VALUES = {
    "max_mismatch": Field(plain_or_by_column(rows)),
    "max_added": Field(rows),
    "max_removed": Field(rows),
    "allow": Field(words_of(*VALUE_ALLOWANCES)),
}
_EXPECT_COUNT = {"min_rows": Field(whole_from(0)), "max_rows": Field(whole_from(0))}
_EXPECT_COUNTS = {
    "row_count_change": Field(rows),
    "max_increase": Field(rows),
    "max_decrease": Field(rows),
    **_EXPECT_COUNT,
    "allow": Field(words_of("added", "removed")),
}
_EXPECT_PROFILE = {
    "max_change": Field(by_figure(FIGURES)),
    "columns": Field(by_name(by_figure(FIGURES), "column")),
    "allow": Field(words_of("added", "removed")),
}
_EXPECT_DISTRIBUTION = {"max_distance": Field(for_columns(distance), is_required=True)}

TYPES: Mapping[str, CheckType] = {
    "query": CheckType(QueryParams, _QUERY, ExpectResult, _EXPECT_RESULT, has_sides=False),
    "query_base": CheckType(QueryParams, _QUERY, ExpectResult, _EXPECT_RESULT, has_sides=False),
    "query_diff": CheckType(QueryDiffParams, _QUERY_DIFF, ExpectRows, _EXPECT_ROWS),
    "value_diff": CheckType(ValueDiffParams, _VALUE_DIFF, ExpectValues, _EXPECT_VALUES),
    "value_diff_detail": CheckType(
        ValueDiffParams, {**_VALUE_DIFF, "limit": Field(whole_from(1))}, ExpectRows, _EXPECT_DETAIL
    ),
    "schema_diff": CheckType(
        NodesParams,
        {"node_id": Field(texts, to="ids"), **_NODES},
        ExpectSchema,
        {"allow": Field(words_of(*COLUMN_STATUSES))},
    ),
    "row_count": CheckType(NodesParams, _NODES, ExpectCounts, _EXPECT_COUNT, has_sides=False),
    "row_count_diff": CheckType(NodesParams, _NODES, ExpectCounts, _EXPECT_COUNTS),
    "profile": CheckType(ProfileParams, _PROFILE, has_sides=False),
    "profile_diff": CheckType(ProfileParams, _PROFILE, ExpectProfile, _EXPECT_PROFILE),
    "top_k_diff": CheckType(
        TopKParams, {**_COLUMN, "k": Field(whole_from(1))}, ExpectDistribution, _EXPECT_DISTRIBUTION
    ),
    "histogram_diff": CheckType(
        HistogramParams,
        {**_COLUMN, "column_type": Field(text, to=""), "num_bins": Field(whole_from(1))},
        ExpectDistribution,
        _EXPECT_DISTRIBUTION,
    ),
    "lineage_diff": CheckType(
        NodesParams, _NODES, ExpectLineage, {"allow": Field(words_of(*LINEAGE_ALLOWANCES))}
    ),
    "simple": CheckType(SimpleParams, {}, has_sides=False),
}
