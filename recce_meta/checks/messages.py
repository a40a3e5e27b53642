"""Formatting of figures and names in sentences about violated expectations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TypeVar

from recce_meta.errors import did_you_mean
from recce_meta.models.checks import OTHERS, Amount
from recce_meta.models.data_diff import Value
from recce_meta.models.node import matching_name

Limit = TypeVar("Limit")

LONGEST_CELL = 60
MOST_DIGITS = 17
"""Significant digits of a float."""


def exceeds(count: int, limit: Amount, total: int) -> bool:
    """Return True if *count* is more than *limit* allows; a share of a zero total allows 0."""
    # Exact, because three per cent of a hundred as a float may be less than three.
    allowed = Fraction(limit.value) * (total if limit.is_share else 1)
    return count > allowed


def share_of(count: int, total: int, what: str, limit: Amount | None = None) -> str:
    """Return `32 of 1,000 rows (3.2%)`, or `32 rows` if the total is zero. See `percent` for *limit*.

    >>> share_of(32, 1000, "common rows"), share_of(1, 0, "row")
    ('32 of 1,000 common rows (3.2%)', '1 row')
    """
    return (
        f"{count:,} of {total:,} {what} ({limit_percent(count / total, limit)})"
        if total
        else f"{count:,} {what}"
    )


def limit_percent(share: float, limit: Amount | None = None) -> str:
    """Format a share in per cent with three digits, or more if rounding would hide that it exceeds *limit*.

    >>> limit_percent(0.03216), limit_percent(1), limit_percent(12.5)
    ('3.22%', '100%', '1,250%')
    >>> limit_percent(76 / 900, Amount(Decimal("0.0844"), is_share=True))
    '8.444%'
    """
    text = f"{share * 100:,.0f}" if abs(share) >= 1 else f"{share * 100:.3g}"
    if limit is not None and limit.is_share and Decimal(share) > limit.value:
        digits = 3
        while Decimal(text.replace(",", "")) <= limit.value * 100 and digits < MOST_DIGITS:
            digits += 1
            text = f"{share * 100:,.{digits}g}"
    return f"{text}%"


def allowed(limit: Amount) -> str:
    """Return `none allowed` or `at most 5% allowed`."""
    return f"at most {limit} allowed" if limit.value else "none allowed"


def cell(value: Value) -> str:
    """Format a value for a sentence, truncated if it is long."""
    if value is None:
        return "NULL"
    text = f"'{value}'" if isinstance(value, str) else number(value)
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "…"


def number(value: Value) -> str:
    """Format a number with thousands separators and nine significant digits; other values with `str`."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return str(value)
    if isinstance(value, int):
        # Longer numbers are unreadable, and Python refuses to write thousands of digits.
        return f"{value:,}" if value.bit_length() < 1_024 else hex(value)
    return f"{value:,.9g}"


def limit_for(column: str, limits: Mapping[str, Limit]) -> Limit | None:
    """Return the limit of *column*, ignoring case if that is unambiguous, or else the limit of `*`."""
    return limits.get(matching_name(column, limits) or OTHERS)


def unknown_columns(subject: str, named: Sequence[str], known: Sequence[str], verb: str) -> list[str]:
    """Return a sentence for each column that has a limit but was not compared."""
    folded = {name.casefold() for name in known}
    unknown = [name for name in named if name != OTHERS and name.casefold() not in folded]
    return [
        f"{subject}: column {name} was not {verb}"
        + (f"; {near}" if (near := did_you_mean(name, known)) else "")
        for name in unknown
    ]
