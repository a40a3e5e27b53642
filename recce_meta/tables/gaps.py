"""What data diffs found and what they left out: whether counts differ, and gaps with their reasons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from msgspec import Struct

from recce_meta.models.data_diff import (
    AnyDataDiff,
    ColumnProfile,
    ColumnValues,
    Failed,
    FiguresDiff,
    HistogramDiff,
    NotCompared,
    ProfileDiff,
    QueryDiff,
    RowComparison,
    RowCount,
    RowCountDiff,
    RowsDiff,
    SchemaDiff,
    Subject,
    TopKDiff,
    Value,
    ValueDetail,
    ValueDiff,
    is_rounded,
)
from recce_meta.models.diff_kinds import IGNORED
from recce_meta.models.numbers import are_near

AS_DOUBLES = "as doubles, to 15 digits"
FIGURE_DIGITS = {"avg": 9, "avg_length": 9, "median": 15}
"""Digits of computed figures that are compared: a sum of floats depends on the order of its rows."""
ODD_KEYS = "NULL or repeated keys"
NAMES_SHOWN = 8
SAME_RELATION = "both sides are the same relation"
"""Reason why nothing is compared if base and current read one relation, or run one query, at one time."""


class Gap(Struct, frozen=True, kw_only=True):
    """Part of one diff that was not compared."""

    subject: Subject
    diff: str
    """Kind of diff: value_diff, row_count_diff, …"""
    reason: str


def gaps(results: Iterable[AnyDataDiff]) -> list[Gap]:
    """Return every part of *results* that was not compared, in their order."""
    return [gap for result in results for gap in _of(result)]


def _of(result: AnyDataDiff) -> list[Gap]:
    if isinstance(result, Failed):
        return [Gap(subject=result.subject, diff=result.diff, reason=result.error)]
    if isinstance(result, NotCompared):
        return [Gap(subject=result.subject, diff=result.diff, reason=result.reason)]
    if isinstance(result, RowCountDiff):
        return [
            Gap(subject=count.subject, diff="row_count_diff", reason=reason)
            for count in result.counts
            for reason in (count_gap(count), count_limit(count))
            if reason
        ]
    # The tag is the kind of the diff in JSON and in the store.
    kind = str(type(result).__struct_config__.tag)
    return [Gap(subject=result.subject, diff=kind, reason=reason) for reason in limits_of(result)]


def count_gap(count: RowCount) -> str:
    """Return why an existing relation was not counted, or an empty string if all were."""
    sides = (
        ("base", count.subject.base, count.base, count.base_reason),
        ("current", count.subject.current, count.current, count.current_reason),
    )
    phrases = [
        f"{side}: {reason or 'not counted'}"
        for side, relation, rows, reason in sides
        if relation is not None and rows is None
    ]
    return "; ".join(phrases)


def stale_phrase(subject: Subject) -> str:
    """Return `current lacks the data of its run: its build failed`; empty if no side does."""
    sides = (("base", subject.base_stale), ("current", subject.current_stale))
    phrases = [f"{side} lacks the data of its run: {reason}" for side, reason in sides if reason]
    return "; ".join(phrases)


def count_limit(count: RowCount) -> str:
    """Return what limits the counted rows, or an empty string if all rows were counted."""
    return "; ".join(_rows_limited_by(count))


def role_sees(hidden: str) -> str:
    """Return `only what the role may see (row security of sales.orders)`; *hidden* are the policies."""
    return f"only what the role may see ({hidden})"


def _rows_limited_by(result: RowCount | RowComparison | FiguresDiff) -> list[str]:
    """Return which rows and values can be in *result*: policies and the condition."""
    hidden = result.subject.hidden
    return [
        *([role_sees(hidden)] if hidden else []),
        *([f"where {result.where}"] if result.where else []),
    ]


def limits_of(result: AnyDataDiff) -> list[str]:
    """Return everything that a successful *result* does not cover, one phrase each."""
    if isinstance(result, QueryDiff):
        answer = result.values or result.rows or result.detail
        return [] if answer is None else limits_of(answer)
    if isinstance(result, FiguresDiff):
        return figures_limited_by(result) + _without_figures(result)
    if isinstance(result, SchemaDiff):
        return list(result.notes)
    if not isinstance(result, RowComparison):
        return []
    return [*narrowed_by(result), *_left_out_rows(result), *_left_out_columns(result)]


def figures_limited_by(result: FiguresDiff) -> list[str]:
    """Return what limits figures: policies, a condition, excluded columns, an earlier time, estimates."""
    phrases = _rows_limited_by(result)
    phrases += [f"without {_counted(result.excluded, 'column')}"] if result.excluded else []
    if isinstance(result, HistogramDiff) and result.left_out:
        phrases.append(f"{_counted(result.left_out, 'column')} not compared: no number, date or timestamp")
    if isinstance(result, TopKDiff):
        rounded = [column.name for column in result.columns if column.is_rounded]
        phrases += [f"{_counted(rounded, 'column')} compared {AS_DOUBLES}"] if rounded else []
    if isinstance(result, ProfileDiff):
        sides = (("base", result.base_kept_at), ("current", result.current_kept_at))
        phrases += [f"figures of {side} were stored earlier" for side, kept_at in sides if kept_at]
        profiles = [side for column in result.columns for side in (column.base, column.current)]
        is_estimate = any(profile is not None and profile.is_approximate for profile in profiles)
        phrases += ["distinct counts are estimates"] if is_estimate else []
        phrases += _near_figures(result.columns)
    return phrases


def is_near_figure(name: str, base: Value, current: Value) -> bool:
    """Return True if the figure *name* of a profile is equal to its `FIGURE_DIGITS`; both are numbers."""
    return name in FIGURE_DIGITS and are_near(base, current, 10.0 ** -FIGURE_DIGITS[name])


def _near_figures(columns: Iterable[ColumnProfile]) -> Iterator[str]:
    """Yield `avg of 1 column (v) equal to 9 digits only` for figures that differ in later digits."""
    for name, digits in FIGURE_DIGITS.items():
        near = [
            column.name
            for column in columns
            if isinstance(before := getattr(column.base, name, None), (int, float, Decimal))
            and isinstance(after := getattr(column.current, name, None), (int, float, Decimal))
            and before != after
            and is_near_figure(name, before, after)
        ]
        if near:
            yield f"{name.replace('_', ' ')} of {_counted(near, 'column')} equal to {digits} digits only"


def _without_figures(result: FiguresDiff) -> list[str]:
    if not result.columns:
        return ["no column"]
    return [f"column {column.name}: {column.reason}" for column in result.columns if column.reason]


def narrowed_by(result: RowComparison) -> list[str]:
    """Return phrases for the options that narrow *result*."""
    phrases = _rows_limited_by(result)
    if result.sample is not None:
        what = "rows" if isinstance(result, RowsDiff) else "keys"
        phrases.append(f"a sample of {result.sample:g}% of the {what}")
    if result.excluded:
        phrases.append(f"without {_counted(result.excluded, 'column')}")
    if result.tolerance:
        phrases.append(f"numbers within {_written(result.tolerance)} count as equal")
    if result.relative_tolerance:
        phrases.append(f"numbers within {_written(result.relative_tolerance)} of the larger count as equal")
    if result.timestamp_precision:
        phrases.append(f"timestamps truncated to the {result.timestamp_precision}")
    phrases += [f"{column} cast to {of}" for column, _, of in (one.partition("=") for one in result.cast)]
    ignored = [words for name, words in IGNORED.items() if getattr(result, name)]
    return phrases + ([f"{' and '.join(ignored)} ignored"] if ignored else [])


def _left_out_rows(result: RowComparison) -> list[str]:
    if not isinstance(result, (ValueDiff, ValueDetail)) or not result.left_out:
        return []
    noun = "row" if result.left_out == 1 else "rows"
    return [f"{result.left_out:,} {noun} not compared: {ODD_KEYS}"]


def _left_out_columns(result: RowComparison) -> list[str]:
    if isinstance(result, ValueDiff):
        names: Sequence[str] = [column.name for column in result.columns if column.reason]
    else:
        names = result.incomparable if isinstance(result, (ValueDetail, RowsDiff)) else ()
    phrases = [f"{_counted(names, 'column')} not compared: no common type, see --cast"] if names else []
    found = rounded_columns(result)
    for how in dict.fromkeys(found.values()):
        names = [name for name, rounding in found.items() if rounding == how]
        phrases.append(f"{_counted(names, 'column')} compared {how}")
    return phrases


def rounded_columns(result: RowComparison) -> dict[str, str]:
    """Return how *result* compares each of its rounded columns."""
    if isinstance(result, ValueDiff):
        return {column.name: rounding_of(column) for column in result.columns if is_rounded(column)}
    names = result.rounded if isinstance(result, (ValueDetail, RowsDiff)) else ()
    return dict.fromkeys(names, "to 15 digits or microseconds")


def rounding_of(column: ColumnValues) -> str:
    """Return how *column*, which is rounded, was compared."""
    is_moment = (column.compared_as or "").startswith("timestamp")
    return "to the microsecond" if is_moment else AS_DOUBLES


def _written(number: float | Decimal) -> str:
    """Format *number* with its own digits."""
    # By `repr`, because the float 0.1 has 55 digits as a decimal.
    return f"{Decimal(repr(number)) if isinstance(number, float) else number:g}"


def _counted(names: Sequence[str], noun: str) -> str:
    """Return `2 columns (a, b)`."""
    more = f" and {len(names) - NAMES_SHOWN:,} more" if len(names) > NAMES_SHOWN else ""
    plural = noun if len(names) == 1 else f"{noun}s"
    return f"{len(names):,} {plural} ({', '.join(names[:NAMES_SHOWN])}{more})"
