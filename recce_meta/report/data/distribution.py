"""What reports draw of a distribution: shares of values and bins, and the texts at the axis."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from recce_meta.models.data_diff import ColumnHistogram, ColumnTopK, Value
from recce_meta.report.data.cells import cell_text
from recce_meta.report.data.figures import count, figure, figures_apart

VALUE_WIDTH = 32


class TopLine(NamedTuple):
    """One value, all others, or NULL: its rows on each side, and their share of all rows.

    None where a side was not counted.
    """

    text: str
    base: int | None
    current: int | None
    base_share: float | None
    current_share: float | None
    is_value: bool = True
    """False for all others and for NULL."""


def top_lines(column: ColumnTopK) -> list[TopLine]:
    """The values of *column*, then what is left of the rows with a value, then NULL where there is any.

    Shares are of all rows of a side, so that NULLs count.
    """
    has_base, has_current = column.base_total is not None, column.current_total is not None
    lines = [
        _line(cell_text(one.value, VALUE_WIDTH), one.base if has_base else None,
              one.current if has_current else None, column)
        for one in column.values
    ]  # fmt: skip
    others = [
        _left(column.base_valid, [one.base for one in column.values]),
        _left(column.current_valid, [one.current for one in column.values]),
    ]
    nulls = [_less(column.base_total, column.base_valid), _less(column.current_total, column.current_valid)]
    for text, (base, current) in (("all others", others), ("NULL", nulls)):
        if base or current:
            lines.append(_line(text, base, current, column)._replace(is_value=False))
    return lines


def outside_phrase(column: ColumnHistogram, rows: int) -> str:
    """Return `3 NaN or infinite`: the rows that no bin holds; an empty string for no such row."""
    if not rows:
        return ""
    return f"{count(rows)} {'NaN or infinite' if column.kind == 'number' else 'outside the years 1 to 9999'}"


def _line(text: str, base: int | None, current: int | None, column: ColumnTopK) -> TopLine:
    return TopLine(
        text, base, current, _share(base, column.base_total), _share(current, column.current_total)
    )


def _share(number: int | None, total: int | None) -> float | None:
    return None if number is None or not total else number / total


def _left(valid: int | None, counted: Sequence[int]) -> int | None:
    return None if valid is None else valid - sum(counted)


def _less(total: int | None, valid: int | None) -> int | None:
    return None if total is None or valid is None else total - valid


class Shift(NamedTuple):
    """A bin, from 0, and the share of rows it holds on each side."""

    bin: int
    base: float
    current: float


def largest_shift(column: ColumnHistogram) -> Shift | None:
    """The bin whose share changed most; None where none did, or a side has no rows."""
    if column.base is None or column.current is None:
        return None
    sums = sum(column.base), sum(column.current)
    if not all(sums) or not column.base:
        return None
    shifts = [
        Shift(index, before / sums[0], after / sums[1])
        for index, (before, after) in enumerate(zip(column.base, column.current, strict=True))
    ]
    largest = max(shifts, key=lambda shift: abs(shift.current - shift.base))
    return largest if largest.base != largest.current else None


def highest_count(column: ColumnHistogram) -> int:
    """The rows of the fullest bin on either side: both sides are drawn on one scale."""
    return max((*(column.base or ()), *(column.current or ())), default=0)


def edge_text(edge: Value) -> str:
    """Return an edge at the axis: numbers rounded, everything else in full."""
    if isinstance(edge, bool) or not isinstance(edge, (int, float, Decimal)):
        return cell_text(edge)
    return figure(float(edge)) if _is_double(edge) else f"{Decimal(edge):.3e}"


def _is_double(edge: float | Decimal) -> bool:
    """Return whether *edge* is in the range of a double."""
    return abs(Decimal(edge)) <= Decimal(sys.float_info.max)


def bin_text(column: ColumnHistogram, index: int) -> str:
    """`10 to 20`; rounded only so far that the two edges differ."""
    low, high = column.edges[index], column.edges[index + 1]
    if all(isinstance(edge, (int, float, Decimal)) for edge in (low, high)):
        if _is_double(low) and _is_double(high):
            return " to ".join(figures_apart(float(low), float(high)))
        return f"{edge_text(low)} to {edge_text(high)}"
    return f"{cell_text(low)} to {cell_text(high)}"
