"""Figures of profiles, top values and histograms as text, and whether they differ."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NamedTuple

from recce_meta.errors import plural
from recce_meta.models.data_diff import (
    ColumnHistogram,
    ColumnProfile,
    ColumnTopK,
    DataSide,
    Profile,
    ProfileDiff,
    Value,
)
from recce_meta.report.values import are_same, cell_text, count, figure, figures_apart, percent
from recce_meta.tables.gaps import is_near_figure

_UNIQUE = {None: "", True: "yes", False: "no"}


class ComparedFigure(NamedTuple):
    """One figure on both sides; empty if a side has none."""

    name: str
    base: str
    current: str
    differs: bool


def compared_figures(column: ColumnProfile) -> list[ComparedFigure]:
    """Return every figure of *column*; `not null` and `distinct` include their share of the rows."""
    base, current = column.base, column.current

    def plain(name: str, text_of: Callable[[Profile], str]) -> ComparedFigure:
        before, after = (side and text_of(side) for side in (base, current))
        return ComparedFigure(name, before or "", after or "", (before or "") != (after or ""))

    def of_value(name: str, describe: Callable[[str, Value, Value], ComparedFigure]) -> ComparedFigure:
        field = name.replace(" ", "_")
        return describe(name, getattr(base, field, None), getattr(current, field, None))

    types = plain("type", lambda side: side.type)
    # Two kinds of warehouses write equal types differently.
    if column.is_same_type is not None:
        types = types._replace(differs=not column.is_same_type)
    metrics = [
        types,
        plain("rows", lambda side: count(side.row_count)),
        plain("not null", lambda side: _part(side.not_null_count, side.not_null_proportion)),
        plain("distinct", _distinct),
        plain("unique", lambda side: _UNIQUE[side.is_unique]),
        of_value("min", _outermost),
        of_value("max", _outermost),
        of_value("avg", _computed),
        of_value("median", _computed),
        plain("true", lambda side: _known(side.true_count)),
        plain("min length", lambda side: _known(side.min_length)),
        plain("max length", lambda side: _known(side.max_length)),
        of_value("avg length", _computed),
    ]
    found = [metric for metric in metrics if metric.base or metric.current]
    if column.reason is None:
        return found
    # A figure that one side could not compute, such as before the budget ended, does not differ.
    return [one._replace(differs=one.differs and bool(one.base and one.current)) for one in found]


def differing_columns(result: ProfileDiff) -> list[ColumnProfile]:
    """Return the columns with a figure that differs."""
    return [column for column in result.columns if column_differs(column)]


def column_differs(column: ColumnProfile) -> bool:
    """Return True if any figure differs, or only one side has the column; False if it was not compared."""
    if any(map(column.lacks, DataSide)):
        return True
    return not column.unread and any(metric.differs for metric in compared_figures(column))


def _known(number: int | None) -> str:
    return "" if number is None else count(number)


def _part(number: int, share: float | None) -> str:
    return f"{count(number)} ({percent(share)})" if share is not None else count(number)


def _distinct(side: Profile) -> str:
    if side.distinct_count is None:
        return ""
    sign = "≈ " if side.is_approximate else ""
    return sign + _part(side.distinct_count, side.distinct_proportion)


def _outermost(name: str, base: Value, current: Value) -> ComparedFigure:
    before, after = ("" if value is None else cell_text(value) for value in (base, current))
    return ComparedFigure(name, before, after, not are_same(base, current))


def _computed(name: str, base: Value, current: Value) -> ComparedFigure:
    """Return an average or median, rounded unless both sides would be shown as equal."""
    if _is_number(base) and _is_number(current):
        if are_same(base, current) or is_near_figure(name.replace(" ", "_"), base, current):
            return ComparedFigure(name, figure(base), figure(current), False)
        return ComparedFigure(name, *figures_apart(base, current), True)
    texts = (_computed_text(base), _computed_text(current))
    return ComparedFigure(name, *texts, not are_same(base, current))


def _computed_text(value: Value) -> str:
    if value is None:
        return ""
    return figure(value) if _is_number(value) else cell_text(value)


def _is_number(value: Value) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


VALUE_WIDTH = 32


class TopLine(NamedTuple):
    """One value, all other values, or NULL: rows and share of all rows on each side.

    Figures of a side that was not counted are None.
    """

    text: str
    base: int | None
    current: int | None
    base_share: float | None
    current_share: float | None
    is_value: bool = True
    """False for all others and for NULL."""


def top_lines(column: ColumnTopK) -> list[TopLine]:
    """Return the values of *column*, then the rows with other values, then NULL.

    Shares are of all rows of a side, including NULL.
    """
    has_base, has_current = column.base_total is not None, column.current_total is not None
    lines = [
        _line(cell_text(one.value, VALUE_WIDTH), one.base if has_base else None,
              one.current if has_current else None, column)
        for one in column.values
    ]  # fmt: skip
    others = [
        _less(column.base_valid, sum(one.base for one in column.values)),
        _less(column.current_valid, sum(one.current for one in column.values)),
    ]
    nulls = [_less(column.base_total, column.base_valid), _less(column.current_total, column.current_valid)]
    for text, (base, current) in (("all others", others), ("NULL", nulls)):
        if base or current:
            lines.append(_line(text, base, current, column)._replace(is_value=False))
    return lines


def highest_share(lines: Sequence[TopLine]) -> float:
    """Return the largest share on either side, the common scale of both."""
    return max((share or 0 for line in lines for share in (line.base_share, line.current_share)), default=0)


def rows_phrases(column: ColumnHistogram) -> tuple[str, str]:
    """Return `1,000 rows, 3 NaN or infinite, 20 NULL` of each side: rows in bins and in none."""
    outside = "NaN or infinite" if column.kind == "number" else "outside the years 1 to 9999"

    def phrase(total: int | None, beyond: int, nulls: int | None) -> str:
        more = [f"{count(number)} {word}" for number, word in ((beyond, outside), (nulls, "NULL")) if number]
        return ", ".join([plural(total or 0, "row"), *more])

    return (
        phrase(column.base_total, column.base_outside, column.base_nulls),
        phrase(column.current_total, column.current_outside, column.current_nulls),
    )


def _line(text: str, base: int | None, current: int | None, column: ColumnTopK) -> TopLine:
    return TopLine(
        text, base, current, _share(base, column.base_total), _share(current, column.current_total)
    )


def _share(number: int | None, total: int | None) -> float | None:
    return None if number is None or not total else number / total


def _less(total: int | None, valid: int | None) -> int | None:
    return None if total is None or valid is None else total - valid


class Shift(NamedTuple):
    """A bin, counted from 0, and its share on each side of `whole`."""

    bin: int
    base: float
    current: float
    whole: str


def largest_shift(column: ColumnHistogram) -> Shift | None:
    """Return the bin whose share changed most; None if none did or a side has no rows."""
    if column.base is None or column.current is None:
        return None
    # Shares make sides of different sizes comparable.
    nulls = column.base_nulls, column.current_nulls
    # Results of earlier versions did not count NULL.
    whole = "rows with a value" if None in nulls else "all rows"
    sums = (
        sum(column.base) + column.base_outside + (nulls[0] or 0),
        sum(column.current) + column.current_outside + (nulls[1] or 0),
    )
    if not all(sums) or not column.base:
        return None
    shifts = [
        Shift(index, before / sums[0], after / sums[1], whole)
        for index, (before, after) in enumerate(zip(column.base, column.current, strict=True))
    ]
    largest = max(shifts, key=lambda shift: abs(shift.current - shift.base))
    return largest if largest.base != largest.current else None


def highest_count(column: ColumnHistogram) -> int:
    """Return the rows of the largest bin on either side, the common scale of both."""
    return max((*(column.base or ()), *(column.current or ())), default=0)


def edge_text(edge: Value) -> str:
    """Return an edge at the axis: numbers rounded, other values in full."""
    if isinstance(edge, bool) or not isinstance(edge, (int, float, Decimal)):
        return cell_text(edge)
    return figure(float(edge)) if _is_double(edge) else f"{Decimal(edge):.3e}"


def _is_double(edge: float | Decimal) -> bool:
    """Return True if *edge* is in the range of a double."""
    number = Decimal(edge)
    return number.is_nan() or abs(number) <= Decimal(sys.float_info.max)  # NaN has no order


def bin_text(column: ColumnHistogram, index: int) -> str:
    """Return `10 to 20`, rounded no further than the two edges differ."""
    low, high = column.edges[index], column.edges[index + 1]
    if all(isinstance(edge, (int, float, Decimal)) for edge in (low, high)):
        if _is_double(low) and _is_double(high):
            return " to ".join(figures_apart(float(low), float(high)))
        return f"{edge_text(low)} to {edge_text(high)}"
    return f"{cell_text(low)} to {cell_text(high)}"
