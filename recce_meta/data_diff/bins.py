"""Bin edges of histograms, computed without rounding from the smallest and largest value of both sides.

Numbers: about as many bins as requested, with a width of 1, 2, 2.5, 5 or 10 times a power of ten (at least 1
for whole numbers, of which each then has its own bin). They begin at a multiple of the width, or at 0 if the
smallest value is within the first bin. Dates and timestamps: over four years by years (or several years, to
stay within the requested number of bins), over 60 days by months, else by days. Timestamps within 60 days use
the shortest of `SHORT_UNITS` that does not exceed the requested number, in UTC. The rules for numbers, years,
months and days are recce's, so that users get the same bins; recce puts the largest two whole numbers into
one.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import TypeAlias

from msgspec import Struct

from recce_meta.models.data_diff import Value
from recce_meta.models.numbers import digits_of, round_number
from recce_meta.warehouses.types import ColumnType, Kind

Moment: TypeAlias = "date | datetime"

FACTORS = (Fraction(1), Fraction(2), Fraction(5, 2), Fraction(5), Fraction(10))
YEARS_FROM = timedelta(days=365 * 4)
MONTHS_FROM = timedelta(days=60)

_MICROSECOND = timedelta(microseconds=1)
_SECOND = timedelta(seconds=1)
_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_MILLISECOND = timedelta(milliseconds=1)
SHORT_UNITS = tuple(
    (size * unit, f"{size} {name}" if size == 1 else f"{size} {name}s")
    for unit, name, sizes in (
        (_MICROSECOND, "microsecond", (1, 10, 100)),
        (_MILLISECOND, "millisecond", (1, 10, 100)),
        (_SECOND, "second", (1, 5, 15, 30)),
        (_MINUTE, "minute", (1, 5, 15, 30)),
        (_HOUR, "hour", (1, 3, 6, 12)),
        (_DAY, "day", (1,)),
    )
    for size in sizes
)
"""Bin widths for ranges within 60 days, each a fraction of a day, with their names."""


class Bins(Struct, frozen=True):
    """Bins of one column."""

    kind: str
    """number, date or timestamp."""
    edges: tuple[Value, ...]
    """Edges as shown and compared: at least two, in strictly ascending order."""
    unit: str | None = None

    def __len__(self) -> int:
        return len(self.edges) - 1

    def boundary(self, number: int, of: ColumnType) -> str:
        """Return the smallest value of type *of* in bin *number* or a later one, as text.

        Comparing with it is equivalent to comparing with the edge, and it never leaves the type's range.
        """
        edge = self.edges[number]
        if self.kind == "number":
            return _number_text(Fraction(edge), of)
        if of.kind is Kind.DATE:
            return _first_day(edge).isoformat()
        return f"{naive(edge).isoformat(sep=' ', timespec='microseconds')}"


# Numbers


def number_bins(
    smallest: float | Decimal, largest: float | Decimal, wanted: int, kinds: Iterable[Kind]
) -> Bins:
    """Return bins for numbers from *smallest* to *largest*, both finite, of columns of these *kinds*.

    Edges are floats if any column contains floats. Otherwise they are ints if whole, floats if exact, and
    else decimals.

    >>> number_bins(3, 97, 10, [Kind.INTEGER]).edges
    (0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100)
    """
    has_floats = Kind.FLOAT in kinds
    first, last = _exactly(smallest), _exactly(largest)
    width = nice_width((last - first) / wanted)
    # A narrower bin would contain no whole number.
    if is_whole := set(kinds) == {Kind.INTEGER}:
        width = max(width, Fraction(1))
    start = math.floor(first / width) * width
    if 0 <= first <= width:
        start = Fraction(0)
    # A single value on an edge leaves no distance, but needs one bin.
    count = max(1, math.ceil((last - start) / width))
    # The last bin includes its upper edge: 0 and 1 would share it.
    if is_whole and width == 1 and start + count == last:
        count += 1
    exact = [start + number * width for number in range(count + 1)]
    if not has_floats:
        return Bins("number", tuple(map(_plain, exact)))
    return Bins("number", _distinct_floats(exact, _float(first)))


def nice_width(least: Fraction) -> Fraction:
    """Return the first width in the series that is at least *least*; 1 for 0.

    >>> nice_width(Fraction(3, 100))
    Fraction(1, 20)
    """
    if least <= 0:
        return Fraction(1)
    scale = Fraction(10) ** _exponent(least)
    return next(factor * scale for factor in FACTORS if factor * scale >= least)


def _exponent(number: Fraction) -> int:
    """Return the exponent of the leading power of ten of *number*: 2 for 345."""
    # Python refuses to format integers of more than 4,300 digits, so this estimates from the bit length.
    bits = number.numerator.bit_length() - number.denominator.bit_length()
    guess = math.floor((bits + 1) * math.log10(2)) + 1
    while Fraction(10) ** guess > number:
        guess -= 1
    return guess


def _exactly(number: float | Decimal) -> Fraction:
    """Convert *number* exactly; a float by its printed form: 0.1 is a tenth."""
    return Fraction(repr(number)) if isinstance(number, float) else Fraction(number)


def _plain(edge: Fraction) -> Value:
    if edge.denominator == 1:
        return int(edge)
    near = round_number(edge)
    # A float serves only if it is exact, because values are compared with the edge that is shown.
    return near if isinstance(near, float) and Fraction(near) == edge else _decimal(edge)


def _decimal(number: Fraction) -> Decimal:
    """Convert *number*, whose denominator has no prime factors but 2 and 5."""
    with localcontext() as context:
        # Python refuses to format integers of more than 4,300 digits, so the precision comes from the bits.
        context.prec = number.numerator.bit_length() + number.denominator.bit_length() * 4
        return Decimal(number.numerator) / Decimal(number.denominator)


def _distinct_floats(exact: Sequence[Fraction], smallest: float) -> tuple[float, ...]:
    """Convert *exact* to floats, merging equal neighbours and clamping to the range of floats."""
    floats = [_float(edge) for edge in exact]
    # Several edges round to one double if the values are close, but a bin needs two different edges.
    edges = tuple(dict.fromkeys(floats))
    if len(edges) > 1:
        return edges
    above = math.nextafter(smallest, math.inf)
    return (smallest, above) if math.isfinite(above) else (math.nextafter(smallest, 0), smallest)


def _float(number: Fraction) -> float:
    """Convert *number* to a float, clamped to the range of floats."""
    most = Fraction(sys.float_info.max)
    return float(max(min(number, most), -most))


def _number_text(edge: Fraction, of: ColumnType) -> str:
    if of.kind is Kind.FLOAT:
        return repr(float(edge))
    # No value of the column lies between the edge and the next representable number, so rounding up is exact.
    if of.kind is Kind.INTEGER:
        return digits_of(math.ceil(edge))
    if of.scale is not None:
        edge = Fraction(math.ceil(edge * 10**of.scale), 10**of.scale)
    return f"{_decimal(edge):f}"


# Dates and timestamps


def moment_bins(first: Moment, last: Moment, wanted: int, kinds: Iterable[Kind]) -> Bins:
    """Return bins for points in time from *first* to *last*, of columns of these *kinds*.

    >>> [str(edge) for edge in moment_bins(date(2026, 1, 30), date(2026, 2, 1), 50, [Kind.DATE]).edges]
    ['2026-01-30', '2026-01-31', '2026-02-01', '2026-02-02']
    """
    start, end = naive(first), naive(last)
    # Only whole days decide, as in recce.
    if (end - start).days > YEARS_FROM.days:
        edges, unit = _years(start, end, wanted)
    elif (end - start).days > MONTHS_FROM.days:
        edges, unit = _months(start, end)
    elif set(kinds) == {Kind.DATE}:
        edges, unit = _steps(start, end, _DAY), "1 day"
    else:
        width, unit = _short_width(end - start, wanted)
        edges = _steps(start, end, width)
    if set(kinds) == {Kind.DATE}:
        return Bins("date", _distinct_days(edges), unit)
    if Kind.TIMESTAMPTZ in kinds:
        edges = [edge.replace(tzinfo=timezone.utc) for edge in edges]
    return Bins("timestamp", tuple(edges), unit)


def _years(first: datetime, last: datetime, wanted: int) -> tuple[list[datetime], str]:
    # Python's calendar ends with the year 9999, so its last moment closes the last bin.
    final = datetime(last.year + 1, 1, 1) if last.year < datetime.max.year else datetime.max
    step = max(1, math.ceil((final.year - first.year) / wanted))
    years = range(first.year, min(last.year, final.year - 1) + 1, step)
    edges = [datetime(year, 1, 1) for year in years]
    return [*edges, final], "1 year" if step == 1 else f"{step} years"


def _months(first: datetime, last: datetime) -> tuple[list[datetime], str]:
    months = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    edges = [datetime(month // 12, month % 12 + 1, 1) for month in months]
    # 31 days after the first day of a month are always in the next month.
    after = edges[-1] + timedelta(days=31) if last < datetime(9999, 12, 1) else datetime.max
    return [*edges, after if after == datetime.max else after.replace(day=1)], "1 month"


def _distinct_days(edges: Iterable[datetime]) -> tuple[date, ...]:
    """Convert *edges* to dates; the last representable day closes the bin before it."""
    days = tuple(dict.fromkeys(edge.date() for edge in edges))
    return days if len(days) > 1 else (days[0] - _DAY, *days)


def _short_width(span: timedelta, wanted: int) -> tuple[timedelta, str]:
    if not span:
        return _SECOND, "1 second"
    return next(((width, unit) for width, unit in SHORT_UNITS if width * wanted >= span), SHORT_UNITS[-1])


def _steps(first: datetime, last: datetime, width: timedelta) -> list[datetime]:
    """Return multiples of *width* from the last one up to *first* to the first one after *last*."""
    # datetime.min is a midnight and every width divides a day, so edges are on whole minutes, hours or days.
    start = first - (first - datetime.min) % width
    edges = [start]
    while edges[-1] <= last:
        # Adding beyond datetime.max raises OverflowError.
        room = datetime.max - edges[-1]
        edges.append(edges[-1] + width if room >= width else datetime.max)
        if edges[-1] == datetime.max:
            break
    return edges


def naive(moment: Moment) -> datetime:
    """Convert *moment* to UTC without a time zone; a date becomes its midnight."""
    if not isinstance(moment, datetime):
        return datetime(moment.year, moment.month, moment.day)
    return moment if moment.tzinfo is None else moment.astimezone(timezone.utc).replace(tzinfo=None)


def _first_day(moment: Moment) -> date:
    """Return the first day that does not begin before *moment*."""
    instant = naive(moment)
    day = instant.date()
    return day if instant == naive(day) or day == date.max else day + _DAY
