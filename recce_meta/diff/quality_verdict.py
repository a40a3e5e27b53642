"""What a measurement is found to be: the conditions that are not met, and what could not be looked at."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal
from fractions import Fraction

from msgspec import Struct

from recce_meta.diff.sentences import cell, percent
from recce_meta.models.data_diff import Value
from recce_meta.models.quality_conditions import SHARES


class Violation(Struct, frozen=True, kw_only=True):
    """One condition that is not met."""

    unique_id: str | None
    """None where what the condition names is not there at all."""
    column: str | None = None
    figure: str
    condition: str
    """As it was written."""
    value: Value = None
    base: Value = None
    """What the figure was before, of a condition on its change."""
    message: str
    """The whole in one sentence."""


class Verdict(Struct, frozen=True):
    """What a measurement is found to be."""

    violations: tuple[Violation, ...] = ()
    notes: tuple[str, ...] = ()


def plain(value: Value) -> Value:
    """*value* as drivers give values, and as the store keeps them."""
    return float(value) if isinstance(value, Fraction) else value


def figure_text(figure: str, value: Value) -> str:
    """A figure in a sentence: shares in per cent."""
    if value is None:
        return "not known"
    if figure in SHARES:
        return percent(float(value))
    if figure == "score":
        # Rounded down: 89.999 is not 90.
        return f"{Decimal(value).quantize(Decimal('0.01'), ROUND_FLOOR).normalize():f}"
    return cell(float(value) if isinstance(value, Fraction) else value)
