"""Figures and names in the sentences that say what is not as expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TypeVar

from recce_meta.errors import did_you_mean
from recce_meta.models.check_expect import OTHERS, Amount
from recce_meta.models.data_diff import Value

Limit = TypeVar("Limit")

LONGEST_CELL = 60
MOST_DIGITS = 17
"""Of a float."""


def exceeds(count: int, limit: Amount, total: int) -> bool:
    """Whether *count* of *total* is more than *limit* allows; any is, of none."""
    allowed = Fraction(limit.value) * (total if limit.is_share else 1)
    return count > allowed


def share_of(count: int, total: int, what: str, limit: Amount | None = None) -> str:
    """`32 of 1,000 rows (3.2%)`; without a total to compare with, `32 rows`. See `percent` for *limit*.

    >>> share_of(32, 1000, "common rows"), share_of(1, 0, "row")
    ('32 of 1,000 common rows (3.2%)', '1 row')
    """
    return (
        f"{count:,} of {total:,} {what} ({percent(count / total, limit)})" if total else f"{count:,} {what}"
    )


def percent(share: float, limit: Amount | None = None) -> str:
    """A share in per cent with three digits; with more, where it is beyond *limit* and would not look so.

    >>> percent(0.03216), percent(1), percent(12.5)
    ('3.22%', '100%', '1,250%')
    >>> percent(76 / 900, Amount(Decimal("0.0844"), is_share=True))
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
    """`none allowed`, `at most 5% allowed`."""
    return f"at most {limit} allowed" if limit.value else "none allowed"


def count_of(count: int, noun: str) -> str:
    """`1 row`, `2 rows`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def cell(value: Value) -> str:
    """A value in a sentence, cut where it is long."""
    if value is None:
        return "NULL"
    text = f"'{value}'" if isinstance(value, str) else number(value)
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "…"


def number(value: Value) -> str:
    """A number with thousands separated and nine digits of a fraction; anything else as Python has it."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}" if value.bit_length() < 1_024 else hex(value)
    return f"{value:,.9g}"


def limit_for(column: str, limits: Mapping[str, Limit]) -> Limit | None:
    """The limit of *column*: its own, in any case of letters where only one is so named, or that of `*`."""
    if column in limits:
        return limits[column]
    alike = [name for name in limits if name.casefold() == column.casefold()]
    return limits[alike[0]] if len(alike) == 1 else limits.get(OTHERS)


def unknown_columns(subject: str, named: Sequence[str], known: Sequence[str], verb: str) -> list[str]:
    """A sentence for each column that has a limit and was not looked at: its limit would hold unseen."""
    folded = {name.casefold() for name in known}
    unknown = [name for name in named if name != OTHERS and name.casefold() not in folded]
    return [
        f"{subject}: column {name} was not {verb}"
        + (f"; {near}" if (near := did_you_mean(name, known)) else "")
        for name in unknown
    ]
