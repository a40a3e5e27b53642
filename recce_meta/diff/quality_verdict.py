"""What a measurement is found to be: what fails it, and what could not be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal
from fractions import Fraction

from msgspec import Struct

from recce_meta.diff.sentences import cell, count_of, percent
from recce_meta.models.data_diff import Value
from recce_meta.models.quality_conditions import SHARES


class Violation(Struct, frozen=True, kw_only=True):
    """An expectation that is not met, or a condition of `--fail-on` that is."""

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
    is_expectation: bool = False
    """Whether the file of metrics expects it; else `--fail-on` names it."""


class Verdict(Struct, frozen=True):
    """What a measurement is found to be."""

    violations: tuple[Violation, ...] = ()
    notes: tuple[str, ...] = ()


def failed_text(violations: Sequence[Violation]) -> str:
    """How many *violations* there are of each kind.

    >>> one = Violation(unique_id="model.a", figure="score", condition="score < 9", message="a: score is 8")
    >>> failed_text([one, one])
    '2 figures meet a --fail-on condition'
    """
    expected = sum(one.is_expectation for one in violations)
    unknown = sum(one.unique_id is None for one in violations)
    met = len(violations) - expected - unknown
    parts = []
    if expected:
        parts.append(f"{count_of(expected, 'expectation')} {'is' if expected == 1 else 'are'} not met")
    if met:
        parts.append(f"{count_of(met, 'figure')} {'meets' if met == 1 else 'meet'} a --fail-on condition")
    if unknown:
        verb = "names" if unknown == 1 else "name"
        parts.append(f"{count_of(unknown, '--fail-on condition')} {verb} nothing that was measured")
    return ", ".join(parts)


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
    if isinstance(value, Decimal) and value.is_finite():  # 50 and not 50.0000000
        return f"{value.normalize():f}" if value % 1 else cell(int(value))
    return cell(float(value) if isinstance(value, Fraction) else value)
