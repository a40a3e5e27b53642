"""Results of data diffs without the values that privacy withholds.

Counts of rows, matches and NULLs stay. Values of private columns become `***`; figures that are values of the
column (smallest, largest, mean, most frequent, bins) are left out, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any, TypeVar

from msgspec.structs import replace

from recce_meta.data_diff.row_sample import RowSample
from recce_meta.models.data_diff import (
    AnyDataDiff,
    ColumnDistribution,
    ColumnProfile,
    ColumnValues,
    DataDiff,
    DetailRow,
    DistributionDiff,
    Profile,
    ProfileDiff,
    QueryDiff,
    RowsDiff,
    Value,
    ValueDetail,
    ValueDiff,
)
from recce_meta.models.explanations import SliceCondition, Why
from recce_meta.models.stored import NodeStatistics
from recce_meta.quality.privacy import DEFAULT_PATTERNS, Privacy, read_patterns
from recce_meta.redaction import MASK

Made = TypeVar("Made", bound=DataDiff | RowSample)

REASON = "its values are withheld: the column is private"
"""Why a private column has no bins and no most frequent values, and is not reported as equal."""


NO_VALUES = "Values are withheld"
"""Note of a result if no values are shown."""


def privacy_of(*, no_values: bool, private: Sequence[str]) -> Privacy | None:
    """Return the privacy that the options ask for; None if every value may be shown.

    The built-in patterns apply as soon as *private* names a pattern.
    """
    if not no_values and not private:
        return None
    patterns = (*DEFAULT_PATTERNS, *read_patterns(private)) if private else DEFAULT_PATTERNS
    return Privacy(keeps_values=not no_values, patterns=patterns)


def mask_results(results: Sequence[AnyDataDiff], privacy: Privacy | None) -> list[AnyDataDiff]:
    """Return *results* without the values that *privacy* withholds."""
    return list(results) if privacy is None else [_masked(result, privacy) for result in results]


def mask_statistics(
    statistics: Sequence[NodeStatistics], privacy: Mapping[str, Privacy]
) -> tuple[NodeStatistics, ...]:
    """Return *statistics* without the values of private columns; *privacy* is that of each node."""
    return tuple(
        replace(
            node,
            columns=tuple(
                replace(column, profile=_counts_of(column.profile))
                if privacy[node.unique_id].withholds(column.name)
                else column
                for column in node.columns
            ),
        )
        for node in statistics
    )


def _masked(result: Any, privacy: Privacy) -> Any:
    mask = next((_MASKS[kind] for kind in type(result).__mro__ if kind in _MASKS), None)
    return result if mask is None else mask(result, privacy)


def _with_note(result: Made, hidden: Set[str], privacy: Privacy) -> Made:
    """Return *result* with a note about the columns in *hidden*."""
    if not hidden:
        return result
    names = ", ".join(sorted(hidden))
    note = (
        f"Values of private columns are withheld: {names}"
        if privacy.keeps_values
        else ": ".join(filter(None, (NO_VALUES, privacy.why)))
    )
    made: Made = replace(result, notes=(*result.notes, note))
    return made


def _hidden(names: Sequence[str], privacy: Privacy) -> frozenset[str]:
    return frozenset(name for name in names if privacy.withholds(name))


def _value_diff(result: ValueDiff, privacy: Privacy) -> ValueDiff:
    """Remove differing cells and sizes of differences; an example also shows the values of the key."""
    hides_key = bool(_hidden(result.key, privacy))

    def column(one: ColumnValues) -> ColumnValues:
        if privacy.withholds(one.name):
            # The size of a difference reveals values, above all if few rows differ.
            return replace(one, examples=(), mean_difference=None, largest_difference=None)
        if not hides_key:
            return one
        key = tuple(MASK if privacy.withholds(name) else None for name in result.key)
        examples = (
            replace(example, key=tuple(mask or cell for mask, cell in zip(key, example.key, strict=False)))
            for example in one.examples
        )
        return replace(one, examples=tuple(examples))

    made: ValueDiff = replace(
        result, columns=tuple(map(column, result.columns)), why=_why(result.why, privacy)
    )
    names = [one.name for one in result.columns if one.mismatched]
    return _with_note(made, _hidden([*result.key, *names], privacy), privacy)


def _why(why: Why | None, privacy: Privacy) -> Why | None:
    """Remove slices with values of private columns; that a value is NULL stays."""
    if why is None:
        return None

    def is_shown(conditions: Sequence[SliceCondition]) -> bool:
        if any(one.relation for one in conditions):
            # Which columns of a parent are private is not known here.
            return False
        tested = (one for one in conditions if one.operator not in ("null", "not null"))
        return not any(privacy.withholds(one.column) for one in tested if one.figure != "null")

    slices = (
        replace(one, same_rows=tuple(filter(is_shown, one.same_rows)))
        for one in why.slices
        if is_shown(one.conditions)
    )
    shapes = tuple(one for one in why.shapes if not privacy.withholds(one.column))
    return replace(why, slices=tuple(slices), shapes=shapes)


def _detail(result: ValueDetail, privacy: Privacy) -> ValueDetail:
    rows = _rows(result.rows, result.key, result.columns, privacy)
    made: ValueDetail = replace(result, rows=rows)
    return _with_note(made, _hidden([*result.key, *result.columns], privacy), privacy) if rows else made


def _rows_diff(result: RowsDiff, privacy: Privacy) -> RowsDiff:
    rows = _rows(result.rows, (), result.columns, privacy)
    # Without a key and without values, all rows look alike.
    made: RowsDiff = replace(result, rows=rows if privacy.keeps_values else ())
    return _with_note(made, _hidden(result.columns, privacy), privacy) if rows else made


def _query_diff(result: QueryDiff, privacy: Privacy) -> QueryDiff:
    return replace(
        result,
        values=None if result.values is None else _value_diff(result.values, privacy),
        detail=None if result.detail is None else _detail(result.detail, privacy),
        rows=None if result.rows is None else _rows_diff(result.rows, privacy),
    )


def _rows(
    rows: Sequence[DetailRow], key: Sequence[str], columns: Sequence[str], privacy: Privacy
) -> tuple[DetailRow, ...]:
    """Return *rows* with MASK in the cells of private columns."""
    of_key, of_columns = ([privacy.withholds(name) for name in names] for names in (key, columns))
    return tuple(
        replace(
            row,
            key=_cells(row.key, of_key),
            base=None if row.base is None else _cells(row.base, of_columns),
            current=None if row.current is None else _cells(row.current, of_columns),
        )
        for row in rows
    )


def _cells(cells: Sequence[Value], are_hidden: Sequence[bool]) -> tuple[Value, ...]:
    return tuple(MASK if is_hidden else cell for cell, is_hidden in zip(cells, are_hidden, strict=True))


def _profile_diff(result: ProfileDiff, privacy: Privacy) -> ProfileDiff:
    hidden = _hidden([column.name for column in result.columns], privacy)

    def column(one: ColumnProfile) -> ColumnProfile:
        if one.name not in hidden:
            return one
        # Counts of rows, NULLs and distinct values stay, because they are not values.
        sides = (None if side is None else _counts_of(side) for side in (one.base, one.current))
        base, current = sides
        is_whole = (base, current) == (one.base, one.current)
        return one if is_whole else replace(one, base=base, current=current, reason=one.reason or REASON)

    made: ProfileDiff = replace(result, columns=tuple(map(column, result.columns)))
    return _with_note(made, hidden, privacy)


def _counts_of(profile: Profile) -> Profile:
    """Return *profile* without figures that are values."""
    return replace(profile, min=None, max=None, avg=None, median=None, true_count=None)


def _is_hidden(column: ColumnDistribution, privacy: Privacy) -> bool:
    """Return True if values of *column* are withheld; an expression is private like each column it reads."""
    return privacy.withholds(column.name) or any(
        name == "*" or privacy.withholds(name) for name in column.reads
    )


def _distributions(result: DistributionDiff, privacy: Privacy) -> DistributionDiff:
    columns = (
        column.withheld(REASON) if _is_hidden(column, privacy) else column for column in result.columns
    )
    return replace(result, columns=tuple(columns))


def mask_sample(sample: RowSample, privacy: Privacy | None) -> RowSample:
    """Return *sample* without the values that *privacy* withholds."""
    if privacy is None:
        return sample
    of_key, of_columns = (
        [privacy.withholds(name) for name in names] for names in (sample.key, sample.columns)
    )
    rows = tuple(
        replace(
            row,
            key=_cells(row.key, of_key),
            base=None if row.base is None else _cells(row.base, of_columns),
            current=None if row.current is None else _cells(row.current, of_columns),
        )
        for row in sample.rows
    )
    hidden = _hidden([*sample.key, *sample.columns], privacy)
    return _with_note(replace(sample, rows=rows), hidden, privacy)


_MASKS: Mapping[type, Callable[[Any, Privacy], Any]] = {
    ValueDiff: _value_diff,
    ValueDetail: _detail,
    RowsDiff: _rows_diff,
    QueryDiff: _query_diff,
    ProfileDiff: _profile_diff,
    DistributionDiff: _distributions,
}
"""Function that masks each type of result; other types contain no values."""
