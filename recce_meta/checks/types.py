"""Table of check types: the parameters and expectations of each, and the reader of each field.

Types, parameters and defaults are recce's (docs.reccehq.com, "Configuration"), so that a recce.yml is read
unchanged. Additions to recce: `expect`, multiple columns in one check, and the options of value diffs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from recce_meta.errors import did_you_mean
from recce_meta.models.change import COSMETIC, Reason
from recce_meta.models.checks import (
    FIGURES,
    OTHERS,
    Amount,
    ExpectCounts,
    ExpectDistribution,
    ExpectLineage,
    ExpectProfile,
    ExpectResult,
    ExpectRows,
    ExpectSchema,
    ExpectValues,
    FigureParams,
    NodesParams,
    QueryDiffParams,
    QueryParams,
    SimpleParams,
    ValueDiffParams,
)
from recce_meta.models.diff_kinds import DETAIL, FIGURE_KINDS, PROFILE, VALUE, DiffKind, Door, OptionType
from recce_meta.profiles.lined_yaml import (
    Lined,
    MalformedValue,
    Reader,
    flag,
    number,
    number_of,
    one_of,
    sample,
    share_of,
    string,
    strings,
    whole_from,
)


def rows(value: object) -> Amount:
    """Return a number of rows, or a share of them."""
    share = share_of(value)
    if share is not None:
        return Amount(share, is_share=True)
    hint = None
    if isinstance(value, float) and 0 < value < 1:
        # A fraction is more likely a share than a mistyped number of rows.
        hint = f"write {float(str(value)) * 100:.6g}% for that share of the rows"
    return _rows(value, "a number of rows such as 10 or a share such as 1%", hint)


def few_rows(value: object) -> Amount:
    """Return a number of rows; a share is not allowed."""
    return _rows(value, "a number of rows such as 10")


def _rows(value: object, expected: str, hint: str | None = None) -> Amount:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return Amount(Decimal(value))
    raise MalformedValue.instead_of(expected, value, hint)


def difference(value: object) -> Amount:
    """Return a difference of two figures, or a share of the first."""
    share = share_of(value)
    given = number_of(value) if share is None else share
    if given is None:
        raise MalformedValue.instead_of("a difference such as 0.5 or a share such as 1%", value)
    return Amount(given, is_share=share is not None)


def distance(value: object) -> Amount:
    """Return a share from 0 to 1; a percentage is allowed."""
    share = share_of(value)
    share = number_of(value) if share is None else share
    if share is None or share > 1:
        raise MalformedValue.instead_of("a share from 0 to 1 such as 0.05 or 5%", value)
    return Amount(share, is_share=True)


def by_name(read: Reader, what: str) -> Reader:
    """Return a reader of a non-empty mapping by name, which reads each value with *read*."""

    def read_mapping(value: object) -> Mapping[str, Any]:
        # An empty mapping is more likely a mistake than a wish for no limit.
        if not isinstance(value, Mapping) or not value:
            raise MalformedValue.instead_of(f"a mapping by {what}", value or None)
        return {str(key): _entry(read, value, key) for key in value}

    return read_mapping


def plain_or_by_column(read: Reader) -> Reader:
    """Return a reader of one value, or of a mapping of values by column."""
    by_column = by_name(read, "column")
    return lambda value: by_column(value) if isinstance(value, Mapping) else read(value)


def for_columns(read: Reader) -> Reader:
    """Return a reader of one value for all columns, or of values by column; it always returns a mapping."""
    by_column = by_name(read, "column")
    return lambda value: by_column(value) if isinstance(value, Mapping) else {OTHERS: read(value)}


def by_figure(figures: tuple[str, ...]) -> Reader:
    """Return a reader of a mapping from *figures* to differences."""
    differences = by_name(difference, "figure")

    def read(value: object) -> Mapping[str, Amount]:
        limits: Mapping[str, Amount] = differences(value)
        for name in limits:
            if name not in figures:
                hint = did_you_mean(name, figures) or f"one of: {', '.join(figures)}"
                raise MalformedValue(f"has no figure '{name}'", hint=hint, line=_line(value, name))
        return limits

    return read


def list_of_words(*words: str) -> Reader:
    """Return a reader of a list of *words*; a single word is a list of one."""

    def read(value: object) -> frozenset[str]:
        if value == []:
            return frozenset()
        given = strings(value)
        for word in given:
            if word not in words:
                hint = did_you_mean(word, words) or f"any of: {', '.join(words)}"
                raise MalformedValue(f"cannot have '{word}'", hint=hint)
        return frozenset(given)

    return read


def cell(value: object) -> Any:
    """Return a single value of any YAML type."""
    if value is None or isinstance(value, (str, bool, int, float, date, datetime)):
        # A plain float instead of the subclass that keeps the text of the file.
        return float(value) if isinstance(value, float) else value
    raise MalformedValue.instead_of("a single value", value)


def _entry(read: Reader, mapping: Mapping[Any, Any], key: Any) -> Any:
    """Return the value of *key*. Raises MalformedValue, with the key and its line."""
    try:
        return read(mapping[key])
    except MalformedValue as error:
        # The innermost line is the most exact.
        line = error.line or _line(mapping, key)
        raise MalformedValue(f".{error.message_of(key)}", hint=error.hint, line=line) from error


def _line(mapping: object, key: Any) -> int | None:
    return mapping.lines.get(key) if isinstance(mapping, Lined) else None


ROW_STATUSES = ("added", "removed", "changed")
COLUMN_STATUSES = ("added", "removed", "retyped", "moved")
VALUE_ALLOWANCES = (
    *ROW_STATUSES,
    "removed_columns",
    "incomparable_columns",
    "null_keys",
    "duplicate_keys",
)
# Formatting and environment never make a change, so they need not be allowed.
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
    """The attribute for the value, if its name differs; empty if the value is not used."""
    is_required: bool = False


class CheckType(NamedTuple):
    """One type of check."""

    params: type[Any]
    fields: Mapping[str, Field]
    expect: type[Any] | None = None
    """None if the type does not support `expect`."""
    thresholds: Mapping[str, Field] = {}
    has_sides: bool = True
    """Whether base and current are compared, so that `expect: equal` is allowed."""


_QUERY = {"sql_template": Field(string, is_required=True)}
_QUERY_DIFF = {
    **_QUERY,
    "base_sql_template": Field(string),
    "primary_keys": Field(strings),
    "current_model": Field(string),
}
_READERS = {
    OptionType.NAMES: strings,
    OptionType.SQL: string,
    OptionType.PERCENT: sample,
    OptionType.NUMBER: number,
    OptionType.FLAG: flag,
    OptionType.CASTS: by_name(string, "column"),
}


def _options_of(kind: DiffKind) -> dict[str, Field]:
    """Return the fields of a check of a node for the options of *kind*, by the names that recce has."""
    found = {"model": Field(string, is_required=True)}
    for option in kind.at(Door.CHECK):
        name = option.checks[0] if option.checks else option.name
        if option.type is OptionType.WHOLE:
            to = "number" if option is kind.number else None
            found[name] = Field(whole_from(1, option.most), to=to)
        else:
            found[name] = Field(one_of(*option.choices) if option.choices else _READERS[option.type])
    return found


_NODES = {
    "node_names": Field(strings, to="names"),
    "node_ids": Field(strings, to="ids"),
    "select": Field(string),
    "exclude": Field(string),
    "packages": Field(strings),
    "view_mode": Field(one_of("all", "changed_models")),
}
_COLUMN = {
    "model": Field(string, is_required=True),
    "column_name": Field(strings, to="columns", is_required=True),
    # recce's type of a column is not used, because the warehouse's is known.
    "column_type": Field(string, to=""),
}

_EXPECT_RESULT = {
    "rows": Field(whole_from(0)),
    "min_rows": Field(whole_from(0)),
    "max_rows": Field(whole_from(0)),
    "value": Field(cell),
}
_EXPECT_ROWS = {"max_differing_rows": Field(rows), "allow": Field(list_of_words(*ROW_STATUSES))}
_EXPECT_DETAIL = {
    "max_differing_rows": Field(few_rows),
    "allow": Field(list_of_words(*VALUE_ALLOWANCES)),
}
_EXPECT_VALUES = {
    "max_mismatch": Field(plain_or_by_column(rows)),
    "max_added": Field(rows),
    "max_removed": Field(rows),
    "allow": Field(list_of_words(*VALUE_ALLOWANCES)),
}
_EXPECT_COUNT = {"min_rows": Field(whole_from(0)), "max_rows": Field(whole_from(0))}
_EXPECT_COUNTS = {
    "row_count_change": Field(rows),
    "max_increase": Field(rows),
    "max_decrease": Field(rows),
    **_EXPECT_COUNT,
    "allow": Field(list_of_words("added", "removed")),
}
_EXPECT_PROFILE = {
    "max_change": Field(by_figure(FIGURES)),
    "columns": Field(by_name(by_figure(FIGURES), "column")),
    "allow": Field(list_of_words("added", "removed")),
}
_EXPECT_DISTRIBUTION = {"max_distance": Field(for_columns(distance), is_required=True)}

TYPES: Mapping[str, CheckType] = {
    "query": CheckType(QueryParams, _QUERY, ExpectResult, _EXPECT_RESULT, has_sides=False),
    "query_base": CheckType(QueryParams, _QUERY, ExpectResult, _EXPECT_RESULT, has_sides=False),
    "query_diff": CheckType(QueryDiffParams, _QUERY_DIFF, ExpectRows, _EXPECT_ROWS),
    "value_diff": CheckType(ValueDiffParams, _options_of(VALUE), ExpectValues, _EXPECT_VALUES),
    "value_diff_detail": CheckType(ValueDiffParams, _options_of(DETAIL), ExpectRows, _EXPECT_DETAIL),
    "schema_diff": CheckType(
        NodesParams,
        {"node_id": Field(strings, to="ids"), **_NODES},
        ExpectSchema,
        {"allow": Field(list_of_words(*COLUMN_STATUSES))},
    ),
    "row_count": CheckType(NodesParams, _NODES, ExpectCounts, _EXPECT_COUNT, has_sides=False),
    "row_count_diff": CheckType(NodesParams, _NODES, ExpectCounts, _EXPECT_COUNTS),
    "profile": CheckType(FigureParams, _options_of(PROFILE), has_sides=False),
    "profile_diff": CheckType(FigureParams, _options_of(PROFILE), ExpectProfile, _EXPECT_PROFILE),
    **{
        kind.diff: CheckType(
            FigureParams,
            # Last, so that stored results have their names of the columns.
            {**_COLUMN, **_options_of(kind)},
            ExpectDistribution,
            _EXPECT_DISTRIBUTION,
        )
        for kind in FIGURE_KINDS.values()
        if kind.number is not None
    },
    "lineage_diff": CheckType(
        NodesParams, _NODES, ExpectLineage, {"allow": Field(list_of_words(*LINEAGE_ALLOWANCES))}
    ),
    "simple": CheckType(SimpleParams, {}, has_sides=False),
}
