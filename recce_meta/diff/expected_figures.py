"""What of profiles and distributions is not as expected."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from recce_meta.diff.sentences import allowed, cell, limit_for, percent, unknown_columns
from recce_meta.models.check_expect import NONE, Amount, ExpectDistribution, ExpectProfile
from recce_meta.models.data_diff import (
    ColumnHistogram,
    ColumnProfile,
    ColumnTopK,
    HistogramDiff,
    Profile,
    ProfileDiff,
    TopKDiff,
    Value,
)
from recce_meta.models.numbers import are_near, digits_of, is_finite, rounded

PROPORTIONS = frozenset({"not_null_proportion", "distinct_proportion"})
"""Figures that are shares themselves: a limit in per cent is in points of them."""

NOTHING_COUNTED = "no column was counted"

FLOAT_NOISE = 1e-9
"""Floats that differ by less, relatively, are equal: a sum depends on the order of its rows."""


def profile_violations(expect: ExpectProfile, diff: ProfileDiff) -> list[str]:
    """Return figures beyond their limit, and limits of all columns that no figure was held against."""
    return _beyond_limits(expect, diff) or _without_figure(expect, diff)


def profile_differences(diff: ProfileDiff, figures: Sequence[str]) -> list[str]:
    """Every figure that is not equal on both sides."""
    expect = ExpectProfile(max_change=dict.fromkeys(figures, NONE), allow=frozenset())
    return _beyond_limits(expect, diff)


def _beyond_limits(expect: ExpectProfile, diff: ProfileDiff) -> list[str]:
    name = diff.subject.name
    found = unknown_columns(name, list(expect.columns), [column.name for column in diff.columns], "profiled")
    found += [] if diff.columns else [f"{name}: has no column, so that nothing was profiled"]
    for column in diff.columns:
        if column.base is None or column.current is None:
            status, side = ("added", "base") if column.base is None else ("removed", "current")
            if status not in expect.allow:
                found.append(f"{name}: column {column.name} is not in {side}, and {status} is not allowed")
            continue
        own = limit_for(column.name, expect.columns) or {}
        limits = {**expect.max_change, **own}
        if column.reason and any(_is_missing(column, figure) for figure in limits):
            found.append(f"{name}: column {column.name} was not profiled in full: {column.reason}")
        for figure, limit in limits.items():
            found += _figure(name, column, figure, limit, is_own=figure in own)
    return found


def _without_figure(expect: ExpectProfile, diff: ProfileDiff) -> list[str]:
    """Return a sentence for each limit of all columns that was held against no figure of any column."""
    found, name = [], diff.subject.name
    for figure, limit in expect.max_change.items():
        values = [
            tuple(_value(side, figure) for side in (column.base, column.current) if side is not None)
            for column in diff.columns
        ]
        if all(value is None for pair in values for value in pair):
            found.append(f"{name}: no column has the figure {figure}, so that its limit cannot be judged")
        elif not any(_can_be_judged(pair, limit) for pair in values):
            found.append(
                f"{name}: {figure} of no column is a number, so that its limit cannot be judged; only 0 can"
            )
    return found


def _can_be_judged(values: Sequence[Value], limit: Amount) -> bool:
    """Return True for equal values, for numbers, and for any values if the limit is 0."""
    if any(value is None for value in values):
        return False
    return not limit.value or all(map(_is_number, values)) or _is_same(values[0], values[-1])


def _is_missing(column: ColumnProfile, figure: str) -> bool:
    return any(side is not None and _value(side, figure) is None for side in (column.base, column.current))


def _figure(name: str, column: ColumnProfile, figure: str, limit: Amount, *, is_own: bool) -> list[str]:
    """The violation of one limit, if it is one; a limit for all columns passes over what is no number."""
    assert column.base is not None and column.current is not None
    before, after = _value(column.base, figure), _value(column.current, figure)
    what = f"{name}: {figure} of column {column.name}"
    if before is None and after is None and is_own:
        return [f"{what} is unknown on both sides"]
    if _is_same(before, after):
        return []
    if before is None or after is None or not limit.value:
        return [f"{what} went {_from_to(before, after, figure)}, {allowed(limit)}"]
    if not (_is_number(before) and _is_number(after)):
        sentence = f"{what} is no number, so that {allowed(limit)} cannot be judged; only 0 can"
        return [sentence] if is_own else []
    if not _is_beyond(before, after, limit, figure):
        return []
    return [
        f"{what} went {_from_to(before, after, figure)} "
        f"({_change(before, after, limit, figure)}), {_allowed(limit, figure)}"
    ]


def _value(profile: Profile, figure: str) -> Value:
    return getattr(profile, figure)


def _is_number(value: Value) -> bool:
    return isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)


def _is_same(before: Value, after: Value) -> bool:
    if before is None or after is None:
        return before is after
    if before != before and after != after:
        return True
    has_noise = isinstance(before, float) or isinstance(after, float)
    if has_noise and _is_number(before) and _is_number(after):
        return are_near(before, after, FLOAT_NOISE)
    return bool(before == after)


def _is_beyond(before: Value, after: Value, limit: Amount, figure: str) -> bool:
    """Whether two numbers are farther apart than *limit*."""
    if not (is_finite(before) and is_finite(after)):
        return True
    start, end = Fraction(before), Fraction(after)
    scale = abs(start) if limit.is_share and figure not in PROPORTIONS else 1
    return abs(end - start) > Fraction(limit.value) * scale * (1 + Fraction(FLOAT_NOISE))


def _from_to(before: Value, after: Value, figure: str) -> str:
    """`from 10 to 12`, with all digits where fewer would show two equal figures."""
    texts = _shown(before, figure), _shown(after, figure)
    if texts[0] == texts[1]:
        texts = _in_full(before), _in_full(after)
    return f"from {texts[0]} to {texts[1]}"


def _in_full(value: Value) -> str:
    return digits_of(value) if isinstance(value, int) else str(value)


def _shown(value: Value, figure: str) -> str:
    if value is None:
        return "none"
    return f"{value * 100:.6g}%" if figure in PROPORTIONS else cell(value)


def _change(before: Value, after: Value, limit: Amount, figure: str) -> str:
    """By how much, in the unit of the limit."""
    if not (is_finite(before) and is_finite(after)):
        return "not finite"
    change = rounded(Fraction(after) - Fraction(before))
    if figure in PROPORTIONS:
        return f"{change * 100:+.3g} points"
    if not limit.is_share:
        return f"{change:+,.6g}"
    if not before:
        return "from 0"
    share = rounded(abs((Fraction(after) - Fraction(before)) / Fraction(before)))
    text = percent(share, limit) if isinstance(share, float) else f"{share * 100:.3g}%"
    return ("+" if change > 0 else "−") + text


def _allowed(limit: Amount, figure: str) -> str:
    if figure not in PROPORTIONS:
        return allowed(limit)
    points = limit.value * 100
    return f"at most {Amount(points)} point{'' if points == 1 else 's'} allowed"


def distribution_violations(expect: ExpectDistribution, diff: HistogramDiff | TopKDiff) -> list[str]:
    """Columns whose distributions are farther apart than their limit."""
    name = diff.subject.name
    columns: Sequence[ColumnHistogram | ColumnTopK] = diff.columns
    found = unknown_columns(name, list(expect.max_distance), [column.name for column in columns], "counted")
    found += [] if columns else [f"{name}: {NOTHING_COUNTED}"]
    for column in columns:
        limit = limit_for(column.name, expect.max_distance)
        if limit is not None:
            found += _distribution(name, column, limit)
    return found


def _distribution(name: str, column: ColumnHistogram | ColumnTopK, limit: Amount) -> list[str]:
    if column.reason:
        return [f"{name}: column {column.name} was not counted: {column.reason}"]
    sides = _sides(column)
    if sides is None:
        return [f"{name}: column {column.name} was counted on one side only"]
    distance = distribution_distance(*sides)
    if distance <= Fraction(limit.value):
        return []
    moved = percent(float(distance), limit)
    return [f"{name}: {moved} of the distribution of column {column.name} moved, {allowed(limit)}"]


def _sides(column: ColumnHistogram | ColumnTopK) -> tuple[list[int], list[int]] | None:
    """How many rows each side has in every bin or value, the last for all that has none of its own."""
    if isinstance(column, ColumnTopK):
        if column.base_valid is None or column.current_valid is None:
            return None
        base, current = [v.base for v in column.values], [v.current for v in column.values]
        return [*base, column.base_valid - sum(base)], [*current, column.current_valid - sum(current)]
    if column.base is None or column.current is None:
        return None
    return [*column.base, column.base_outside], [*column.current, column.current_outside]


def distribution_distance(base: Sequence[int], current: Sequence[int]) -> Fraction:
    """The total variation distance: the share of rows that would have to move for both to be alike.

    Each side counts as a whole, so that having more rows of the same kind is no distance. From 0 to 1; two
    sides without rows are alike, and one is as far as can be from one with rows.

    >>> distribution_distance([5, 5], [50, 50]), distribution_distance([10, 0], [9, 1])
    (Fraction(0, 1), Fraction(1, 10))
    """
    before, after = sum(base), sum(current)
    if not before or not after:
        return Fraction(bool(before or after))
    return (
        sum(
            (abs(Fraction(b, before) - Fraction(c, after)) for b, c in zip(base, current, strict=True)),
            Fraction(),
        )
        / 2
    )


def distribution_differences(diff: HistogramDiff | TopKDiff) -> list[str]:
    """Columns that do not have the same counts on both sides, bin by bin or value by value."""
    columns: Sequence[ColumnHistogram | ColumnTopK] = diff.columns
    found = [] if columns else [f"{diff.subject.name}: {NOTHING_COUNTED}"]
    for column in columns:
        sides = None if column.reason else _sides(column)
        if sides is None or sides[0] != sides[1]:
            problem = (
                f"was not counted: {column.reason}" if column.reason else "is not distributed as in base"
            )
            found.append(f"{diff.subject.name}: column {column.name} {problem}")
    return found
