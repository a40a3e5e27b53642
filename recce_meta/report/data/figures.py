"""Counts, shares and differences as people read them; rounding never hides that something differs."""

from __future__ import annotations

import math
import sys
from decimal import Decimal

from recce_meta.models.data_diff import ColumnValues

UNKNOWN = "–"
"""In place of a figure that is not there."""


def count(number: int | None) -> str:
    """`12,345`."""
    return UNKNOWN if number is None else f"{number:,}"


def signed(number: int | None) -> str:
    """`+12`, `-3`, `0`."""
    return UNKNOWN if number is None else f"{number:+,}" if number else "0"


def percent(share: float | None) -> str:
    """A share of 1 in per cent; only all is 100 %, and only none is 0 %.

    >>> percent(0.5), percent(0.99999), percent(0.00001), percent(1.0), percent(None)
    ('50.0%', '>99.9%', '<0.1%', '100%', '–')
    """
    if share is None:
        return UNKNOWN
    if share in (0, 1):
        return f"{share:.0%}"
    text = f"{share:,.1%}"
    if text == "100.0%":
        return ">99.9%" if share < 1 else text
    return "<0.1%" if text in ("0.0%", "-0.0%") else text


def change_percent(share: float | None) -> str:
    """A change in per cent with its sign; empty where there is none to tell."""
    if not share:
        return ""
    text = f"{share:+,.1%}"
    return text if text[1:] != "0.0%" else f"{text[0]}<0.1%"


def figure(number: float | Decimal | None, digits: int = 6) -> str:
    """A computed number with *digits* significant digits, without an exponent where it is readable.

    >>> figure(1234567.891), figure(0.125), figure(1e-9), figure(float("nan"))
    ('1,234,568', '0.125', '1e-09', 'NaN')
    """
    if number is None:
        return UNKNOWN
    if isinstance(number, (int, Decimal)) and not _fits_float(number):
        return f"{Decimal(number):.{digits - 1}e}"
    number = float(number)
    if not math.isfinite(number):
        return "NaN" if number != number else "Infinity" if number > 0 else "-Infinity"
    if number == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(number)))
    if not -5 <= magnitude < 15:
        return f"{number:.{digits}g}"
    text = f"{number:,.{max(digits - 1 - magnitude, 0)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _fits_float(number: int | Decimal) -> bool:
    """Whether *number* is 0, NaN or infinite, or a float is near to it."""
    exact = Decimal(number)
    return not exact or not exact.is_finite() or abs(exact.adjusted()) < sys.float_info.max_10_exp


def signed_figure(number: float | Decimal | None) -> str:
    """`figure`, with a plus where the number is above zero."""
    text = figure(number)
    return f"+{text}" if number is not None and number > 0 else text


def difference_figures(column: ColumnValues) -> tuple[str, str]:
    """The mean and the largest difference of *column*; ≈ stands before what doubles have rounded."""
    mark = "≈" if column.is_difference_rounded else ""
    mean, largest = column.mean_difference, column.largest_difference
    return (
        "" if mean is None else mark + signed_figure(mean),
        "" if largest is None else mark + figure(largest),
    )


def figures_apart(base: float | Decimal, current: float | Decimal) -> tuple[str, str]:
    """Both numbers, with as many digits as it takes to see which is which.

    >>> figures_apart(1.00000001, 1.0)
    ('1.00000001', '1')
    """
    for digits in (6, 9, 12, 17):
        texts = figure(base, digits), figure(current, digits)
        if texts[0] != texts[1] or base == current:
            break
    return texts
