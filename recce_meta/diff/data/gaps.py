"""Parts of data diffs that were not compared, each with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from msgspec import Struct

from recce_meta.models.data_diff import (
    AnyDataDiff,
    Failed,
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
    ValueDetail,
    ValueDiff,
    is_rounded,
)

AS_DOUBLES = "as doubles, to 15 digits"
ODD_KEYS = "NULL or repeated keys"
NAMES_SHOWN = 8


class Gap(Struct, frozen=True, kw_only=True):
    """A part of one diff that was not compared."""

    subject: Subject
    diff: str
    """Which: value_diff, row_count_diff, …"""
    reason: str


def gaps(results: Iterable[AnyDataDiff]) -> list[Gap]:
    """Every part of *results* that was not compared, in their order."""
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
            if (reason := uncounted(count))
        ]
    kind = str(type(result).__struct_config__.tag)
    return [Gap(subject=result.subject, diff=kind, reason=reason) for reason in limits_of(result)]


def uncounted(count: RowCount) -> str:
    """Why a relation that exists was not counted; empty if every relation of *count* was."""
    sides = (
        ("base", count.subject.base, count.base, count.base_reason),
        ("current", count.subject.current, count.current, count.current_reason),
    )
    told = [
        f"{side}: {reason or 'not counted'}"
        for side, relation, rows, reason in sides
        if relation is not None and rows is None
    ]
    return "; ".join(told)


def limits_of(result: AnyDataDiff) -> list[str]:
    """Everything that *result*, which was made, leaves out of its claim: one phrase each."""
    if isinstance(result, QueryDiff):
        answer = result.values or result.rows or result.detail
        return [] if answer is None else limits_of(answer)
    if isinstance(result, (ProfileDiff, TopKDiff, HistogramDiff)):
        return figures_limited_by(result) + _without_figures(result)
    if isinstance(result, SchemaDiff):
        return list(result.notes)
    if not isinstance(result, RowComparison):
        return []
    return [*narrowed_by(result), *_left_out_rows(result), *_left_out_columns(result)]


def figures_limited_by(result: ProfileDiff | TopKDiff | HistogramDiff) -> list[str]:
    """What limits a claim about figures of columns: a condition, an earlier time, estimates."""
    told = [f"where {result.where}"] if result.where else []
    if isinstance(result, TopKDiff):
        rounded = [column.name for column in result.columns if column.is_rounded]
        told += [f"{_counted(rounded, 'column')} compared {AS_DOUBLES}"] if rounded else []
    if isinstance(result, ProfileDiff):
        sides = (("base", result.base_kept_at), ("current", result.current_kept_at))
        told += [f"figures of {side} are of an earlier time" for side, kept_at in sides if kept_at]
        profiles = [side for column in result.columns for side in (column.base, column.current)]
        is_estimate = any(profile is not None and profile.is_approximate for profile in profiles)
        told += ["distinct counts are estimates"] if is_estimate else []
    return told


def _without_figures(result: ProfileDiff | TopKDiff | HistogramDiff) -> list[str]:
    if not result.columns:
        return ["no column"]
    return [f"column {column.name}: {column.reason}" for column in result.columns if column.reason]


def narrowed_by(result: RowComparison) -> list[str]:
    """The options that narrow the claim of *result*."""
    told = [f"where {result.where}"] if result.where else []
    if result.sample is not None:
        what = "rows" if isinstance(result, RowsDiff) else "keys"
        told.append(f"a sample of {result.sample:g}% of the {what}")
    if result.excluded:
        told.append(f"without {_counted(result.excluded, 'column')}")
    if result.tolerance:
        told.append(f"numbers within {_written(result.tolerance)} count as equal")
    if result.relative_tolerance:
        told.append(f"numbers within {_written(result.relative_tolerance)} of the larger count as equal")
    if result.timestamp_precision:
        told.append(f"times cut to the {result.timestamp_precision}")
    ignored = [
        *(["case"] if result.ignore_case else []),
        *(["trailing blanks"] if result.ignore_trailing_blanks else []),
    ]
    return told + ([f"{' and '.join(ignored)} ignored"] if ignored else [])


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
    told = [f"{_counted(names, 'column')} not compared: no common type"] if names else []
    if isinstance(result, ValueDiff):
        rounded: Sequence[str] = [column.name for column in result.columns if is_rounded(column)]
    else:
        rounded = result.rounded if isinstance(result, (ValueDetail, RowsDiff)) else ()
    if rounded:
        how = "to 15 digits or microseconds" if isinstance(result, RowsDiff) else AS_DOUBLES
        told.append(f"{_counted(rounded, 'column')} compared {how}")
    return told


def _written(number: float | Decimal) -> str:
    """*number* in its own digits."""
    return f"{Decimal(repr(number)) if isinstance(number, float) else number:g}"


def _counted(names: Sequence[str], noun: str) -> str:
    """`2 columns (a, b)`."""
    more = f" and {len(names) - NAMES_SHOWN:,} more" if len(names) > NAMES_SHOWN else ""
    plural = noun if len(names) == 1 else f"{noun}s"
    return f"{len(names):,} {plural} ({', '.join(names[:NAMES_SHOWN])}{more})"
