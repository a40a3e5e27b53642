"""How far apart two numbers are, as SQL: in the type's own arithmetic, and exact where that allows it.

An `Arithmetic` serves one pair of columns. It says when two numbers count as equal within a tolerance, which
columns a row that differs adds to a query, how these are aggregated, and what the aggregates come to. Nothing
in it overflows: where a result could need more digits than the warehouse has, the values are measured first.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from decimal import ROUND_FLOOR, Context, Decimal, Inexact
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, TypeAlias

from sqlglot import exp

from recce_meta.dialects.types import ColumnType, Kind, Sql
from recce_meta.models.data_diff import MEAN_DIGITS

if TYPE_CHECKING:
    from recce_meta.dialects.base import Dialect

Figure: TypeAlias = int | float | Decimal

PRODUCT = 3
"""Digits by which a difference and a product outgrow what they are made of."""
LARGEST_NEAR = "1e290"
"""The sum of any number of differences of such doubles fits into a double."""
WHOLE_DIGITS = 18
"""A whole number of so many digits fits into 64 bits."""
LARGEST = "1.7976931348623157e308"
SCALED = 2**64
"""Larger doubles are divided by it before they are summed."""
_CAUTION = Decimal("0.999999999999")
"""What a relative tolerance is multiplied by where doubles stand for decimals of more digits."""


class Distances(NamedTuple):
    """What the differences of a column come to."""

    mean: Figure | None = None
    largest: Figure | None = None
    is_rounded: bool = False
    """Whether doubles stand for numbers of more digits."""


class Arithmetic(ABC):
    """Distances of two columns, *base* and *current*, either of which may be NULL."""

    @abstractmethod
    def is_close(self, base: Sql, current: Sql, absolute: Decimal, relative: Decimal) -> Sql:
        """Whether |c - b| <= max(relative * max(|b|, |c|), absolute); NULL counts as no."""

    @abstractmethod
    def parts(self, base: Sql, current: Sql) -> list[Sql]:
        """What a row contributes; NULL where the difference is not a finite number."""

    @abstractmethod
    def aggregates(self, parts: Sequence[Sql]) -> list[Sql]:
        """Figures over rows, of the columns that `parts` made."""

    @abstractmethod
    def read(self, figures: Sequence[Any]) -> Distances:
        """What the `aggregates` come to."""

    def assumed(self) -> list[int]:
        """Figures to go on with where nothing is run."""
        return [1] * len(self.aggregates([exp.null() for _ in self.parts(exp.null(), exp.null())]))


def arithmetic_of(dialect: Dialect, base: ColumnType, current: ColumnType, kind: Kind) -> Arithmetic:
    """The arithmetic of two columns that are compared as a *kind* of number."""
    if kind is Kind.FLOAT:
        return Doubles(dialect)
    return dialect.arithmetic(base, current)


def whole_digits(of: ColumnType) -> int:
    """Digits before the point of the largest value of *of*."""
    if of.kind is Kind.BOOLEAN:
        return 1
    if of.kind is Kind.INTEGER and of.scale is None:
        return len(str(2 ** (of.precision or 64)))
    return (of.precision or 38) - (of.scale or 0)


def mean_of(total: Fraction, count: int) -> Decimal:
    """The mean, exact if it has an end, else with 38 digits.

    >>> mean_of(Fraction(1, 10), 1), mean_of(Fraction(3), 2)
    (Decimal('0.1'), Decimal('1.5'))
    """
    mean = total / count
    top, bottom = Decimal(mean.numerator), Decimal(mean.denominator)
    exact = Context(prec=len(top.as_tuple().digits) + 4 * len(bottom.as_tuple().digits) + 1)
    found = exact.divide(top, bottom)
    if exact.flags[Inexact]:
        whole = max(top.adjusted() - bottom.adjusted() + 1, 0)
        found = Context(prec=whole + MEAN_DIGITS).divide(top, bottom)
    return found


class Doubles(Arithmetic):
    """Doubles. Those that a sum would overflow are summed apart, scaled down."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def is_close(self, base: Sql, current: Sql, absolute: Decimal, relative: Decimal) -> Sql:
        """The relative distance is divided, not multiplied: a quotient of numbers that differ cannot fall
        below what a double can hold, which PostgreSQL takes for an error. Large numbers are halved.
        """
        left, right = self._dialect.double(base.copy()), self._dialect.double(current.copy())
        half_left, half_right = (
            exp.Div(this=value.copy(), expression=self._double("2")) for value in (left, right)
        )
        near = self._near(left, right, absolute, relative)
        far = self._near(half_left, half_right, absolute / 2, relative)
        within = all_of(_between(value, "8e307") for value in (base, current))
        finite = all_of(_between(value, LARGEST) for value in (base, current))
        return exp.Case().when(within, near, copy=False).when(finite, far, copy=False)

    def _near(self, left: Sql, right: Sql, absolute: Decimal, relative: Decimal) -> Sql:
        distance = _abs(minus(right.copy(), left.copy()))
        near: list[Sql] = []
        if absolute:
            near.append(exp.LTE(this=distance.copy(), expression=self._bound(absolute)))
        if relative:
            larger = exp.Nullif(this=_larger(_abs(left), _abs(right)), expression=exp.Literal.number(0))
            share = exp.Div(this=distance, expression=larger)
            near.append(exp.LTE(this=share, expression=digits(relative)))
        return any_of(near)

    def _bound(self, absolute: Decimal) -> Sql:
        """A literal; cast where it has more digits than BigQuery takes for a whole number."""
        if absolute.adjusted() < WHOLE_DIGITS:
            return digits(absolute)
        return self._double(digits_of(absolute))

    def parts(self, base: Sql, current: Sql) -> list[Sql]:
        """The difference, and where it might be too large to be summed, the same scaled."""
        near = all_of(_between(value, LARGEST_NEAR) for value in (base, current))
        finite = all_of(_between(value, LARGEST) for value in (base, current))
        left, right = self._dialect.double(base.copy()), self._dialect.double(current.copy())
        far = (
            exp.Case()
            .when(near.copy(), exp.null())
            .when(finite, minus(self._scaled(right.copy()), self._scaled(left.copy())), copy=False)
        )
        return [exp.Case().when(near, minus(right, left), copy=False), far]

    def aggregates(self, parts: Sequence[Sql]) -> list[Sql]:
        """How many there are; the sum and the largest of both parts."""
        near, far = parts
        count = exp.Count(this=exp.func("COALESCE", near.copy(), far.copy()))
        return [count, *(each for part in parts for each in (_sum(part), _max(_abs(part.copy()))))]

    def read(self, figures: Sequence[Any]) -> Distances:
        """Floats; what is beyond them is a decimal."""
        count = int(figures[0])
        if not count:
            return Distances()
        near, most_near, far, most_far = (None if each is None else float(each) for each in figures[1:])
        if far is None or most_far is None:
            return Distances((near or 0.0) / count, most_near)
        total = Fraction(near or 0.0) + Fraction(far) * SCALED
        return Distances(_float(total / count), _float(Fraction(most_far) * SCALED))

    def _scaled(self, value: Sql) -> Sql:
        """*value* scaled; what would be lost beside the other is 0, as PostgreSQL refuses to underflow."""
        scaled = exp.Mul(this=value.copy(), expression=self._double(repr(1 / SCALED)))
        small = exp.Between(this=value, low=exp.Neg(this=exp.Literal.number(1)), high=exp.Literal.number(1))
        return exp.paren(exp.Case().when(small, self._double("0")).else_(scaled), copy=False)

    def _double(self, text: str) -> Sql:
        return self._dialect.double(exp.Literal.string(text))


class Decimals(Arithmetic):
    """Whole numbers and decimals of up to *whole* digits before the point and *scale* behind it.

    Casts are as wide as results need, and no wider: where a type of more digits than the warehouse has would
    result, some cut digits off the end. If the warehouse has too few digits for all values of the type,
    those that leave room are computed with exactly, and the others as doubles, which the figures then say.
    """

    most: ClassVar[int | None] = None
    """Digits of the widest type, if they are not the dialect's."""
    rows: ClassVar[int] = 10
    """Digits of the number of rows whose differences a sum has room for."""

    def __init__(self, dialect: Dialect, whole: int, scale: int, *, may_be_infinite: bool = False) -> None:
        self._dialect = dialect
        self._digits = whole + scale
        self._scale = scale
        self._may_be_infinite = may_be_infinite
        self._most = self.most or dialect.decimal_digits

    def is_close(self, base: Sql, current: Sql, absolute: Decimal, relative: Decimal) -> Sql:
        """Either of both distances."""
        near: list[Sql] = []
        if absolute:
            near.append(self._is_near(base, current, absolute))
        if relative:
            near.append(self._is_relatively_near(base, current, relative))
        return self._finite(base, current, any_of(near))

    def _is_near(self, base: Sql, current: Sql, absolute: Decimal) -> Sql:
        most = self._most
        if most is not None:
            absolute = floored(absolute, self._scale)
            if absolute >= self._farthest(most):
                return both_there(base, current)
        return self._distance_is(base, current, absolute)

    def _farthest(self, most: int) -> Decimal:
        """A tolerance that no distance exceeds. Numbers of *most* digits can be twice the largest apart.

        Fewer digits leave room for every distance.
        """
        if self._has_room(2):
            return Decimal((0, (1,), most - self._scale))
        return Decimal((0, (1, *(9,) * (most - 1), 8), -self._scale))

    def _distance_is(self, base: Sql, current: Sql, absolute: Decimal) -> Sql:
        """Whether the distance is *absolute* at most, which has no more digits after the point."""
        if self._has_room(2):
            return self._plainly_near(base, current, absolute, self._digits + 1)
        assert self._most is not None, "without a limit there is room"
        far = self._far_absolute(base, current, absolute)
        if not self._is_type(self._most - 1):
            return far
        if absolute.adjusted() >= self._most - self._scale:
            near = both_there(base, current)
        else:
            near = self._plainly_near(base, current, absolute, self._most - 1)
        return exp.Case().when(self._both_within(base, current, self._most - 2), near).else_(far)

    def _plainly_near(self, base: Sql, current: Sql, absolute: Decimal, room: int) -> Sql:
        left, right = (self._exact(value, room) for value in (base, current))
        bound = self._dialect.exact_number(digits_of(absolute))
        return exp.LTE(this=_abs(minus(right, left)), expression=bound)

    def _far_absolute(self, base: Sql, current: Sql, absolute: Decimal) -> Sql:
        """The larger one less the tolerance is no larger than the smaller one, or would underflow.

        The tolerance may have a digit more than the warehouse has. Its halves have not.
        """
        assert self._most is not None, "what has no limit is near"
        if self._scale and not self._dialect.keeps_scale:
            return exp.false()
        smallest = -Decimal((0, (9,) * self._most, -self._scale))
        context = Context(prec=self._most + 2)
        left, right = (self._exact(value, self._most) for value in (base, current))
        smaller, larger = _smaller(left, right), _larger(left, right)
        edge = self._dialect.exact_number(digits_of(context.add(smallest, absolute)))
        half = floored(context.divide(absolute, Decimal(2)), self._scale)
        less = larger.copy()
        for part in (half, context.subtract(absolute, half)):
            less = minus(less, self._dialect.exact_number(digits_of(part)))
        return (
            exp.Case()
            .when(exp.LTE(this=larger, expression=edge), exp.true())
            .else_(exp.LTE(this=less, expression=smaller))
        )

    def _is_relatively_near(self, base: Sql, current: Sql, relative: Decimal) -> Sql:
        if relative >= 2:
            return both_there(base, current)
        top, bottom = Fraction(relative).as_integer_ratio()
        factor = len(str(max(top, bottom)))
        return self._share_is(base, current, (top, bottom), factor)

    def _share_is(self, base: Sql, current: Sql, ratio: tuple[int, int], factor: int) -> Sql:
        """Whether the distance is no larger a share than *ratio*, whose numbers have *factor* digits."""
        if self._has_room(factor + PRODUCT):
            return self._plain_share(base, current, ratio, factor, self._digits + 1)
        assert self._most is not None, "without a limit there is room"
        room = self._most - factor - PRODUCT
        left, right = (self._dialect.double(value.copy()) for value in (base, current))
        larger = exp.Nullif(this=_larger(_abs(left), _abs(right)), expression=exp.Literal.number(0))
        share = exp.Div(this=_abs(minus(right.copy(), left.copy())), expression=larger)
        most = Decimal(ratio[0]) / Decimal(ratio[1]) * _CAUTION
        far = exp.LTE(this=share, expression=digits(most))
        if not self._is_type(room + 1):
            return far
        near = self._plain_share(base, current, ratio, factor, room + 1)
        return exp.Case().when(self._both_within(base, current, room), near).else_(far)

    def _plain_share(self, base: Sql, current: Sql, ratio: tuple[int, int], factor: int, room: int) -> Sql:
        """The distance times the denominator against the larger one times the numerator."""
        left, right = (self._exact(value, room, more=factor) for value in (base, current))
        top, bottom = (
            self._dialect.exact(self._dialect.exact_number(str(each)), factor, 0, more=room) for each in ratio
        )
        distance = _abs(minus(right.copy(), left.copy()))
        return exp.LTE(
            this=exp.Mul(this=distance, expression=bottom),
            expression=exp.Mul(this=_larger(_abs(left), _abs(right)), expression=top),
        )

    def parts(self, base: Sql, current: Sql) -> list[Sql]:
        """The difference; if there may be values too large for it, theirs as doubles."""
        if self._has_room(self.rows + 1):
            left, right = (self._exact(value, self._digits + 1) for value in (base, current))
            difference = minus(right, left)
            return [self._finite(base, current, difference) if self._may_be_infinite else difference]
        assert self._most is not None, "without a limit there is room"
        room = self._most - self.rows - 1
        doubles = [self._dialect.double(value.copy()) for value in (base, current)]
        if not self._is_type(room + 1):
            return [self._dialect.exact(exp.null(), 1, 0), minus(doubles[1], doubles[0])]
        within = self._both_within(base, current, room)
        left, right = (self._exact(value, room + 1) for value in (base, current))
        far = exp.Case().when(within.copy(), exp.null()).else_(minus(doubles[1], doubles[0]))
        return [exp.Case().when(within, minus(right, left), copy=False), far]

    def aggregates(self, parts: Sequence[Sql]) -> list[Sql]:
        """How many there are, the sum and the largest: of each part."""
        return [
            each
            for part in parts
            for each in (exp.Count(this=part.copy()), _sum(part), _max(_abs(part.copy())))
        ]

    def read(self, figures: Sequence[Any]) -> Distances:
        """Exact numbers, unless some were too large."""
        count, total, largest = int(figures[0]), number_of(figures[1]), number_of(figures[2])
        if len(figures) == 3 or not int(figures[3]):
            return distances(count, total, largest)
        far, of_far, largest_far = int(figures[3]), float(figures[4]), float(figures[5])
        mean = (Fraction(of_far) + Fraction(total or 0)) / (count + far)
        return Distances(float(mean), max(largest_far, float(largest or 0)), is_rounded=True)

    def _has_room(self, more: int) -> bool:
        """Whether the warehouse has a type of so many digits more than the values have."""
        return self._most is None or self._digits + more <= self._most

    def _is_type(self, digits: int) -> bool:
        """Whether a decimal can have so many digits: not fewer than there are behind the point."""
        return digits >= self._scale

    def _exact(self, value: Sql, room: int, *, more: int = 0) -> Sql:
        return self._dialect.exact(value.copy(), room, self._scale, more=more)

    def _both_within(self, base: Sql, current: Sql, room: int) -> Sql:
        """Whether neither has more than *room* digits."""
        bound = digits_of(Decimal((0, (1,), room - self._scale)))
        high, low = (self._dialect.exact_number(text) for text in (bound, f"-{bound}"))
        return all_of(
            condition
            for value in (base, current)
            for condition in (
                exp.LT(this=value.copy(), expression=high.copy()),
                exp.GT(this=value.copy(), expression=low.copy()),
            )
        )

    def _finite(self, base: Sql, current: Sql, value: Sql) -> Sql:
        if not self._may_be_infinite:
            return value
        of = ColumnType("", Kind.DECIMAL)
        within = [self._dialect.is_within(each, of) for each in (base, current)]
        return exp.Case().when(all_of(each for each in within if each is not None), value, copy=False)


def distances(count: int, total: Decimal | int | None, largest: Decimal | int | None) -> Distances:
    """The figures of *count* exact differences."""
    if not count or total is None or largest is None:
        return Distances()
    return Distances(mean_of(Fraction(total), count), largest)


def number_of(value: Any) -> Decimal | int | None:
    """*value*, an exact number as the driver gives it; a whole one is an int."""
    if value is None:
        return None
    found = value if isinstance(value, (int, Decimal)) else Decimal(str(value))
    return int(found) if found == int(found) else found


def _float(value: Fraction) -> Figure:
    try:
        return float(value)
    except OverflowError:
        return Context(prec=17).divide(Decimal(value.numerator), Decimal(value.denominator))


# Pieces of SQL


def digits_of(value: Decimal) -> str:
    """*value* in digits alone: with an exponent it would be a double."""
    return f"{value:f}"


def digits(value: Decimal) -> Sql:
    """*value* as a literal."""
    return exp.Literal.number(digits_of(value))


def floored(value: Decimal, scale: int) -> Decimal:
    """*value* with *scale* digits after the point, no larger.

    >>> floored(Decimal("0.019"), 2)
    Decimal('0.01')
    """
    context = Context(prec=max(value.adjusted(), 0) + scale + 2)
    return value.quantize(Decimal((0, (1,), -scale)), rounding=ROUND_FLOOR, context=context)


def all_of(conditions: Any) -> Sql:
    """Whether all *conditions* hold."""
    return exp.and_(*conditions, copy=False)


def any_of(conditions: Any) -> Sql:
    """Whether any of *conditions* holds."""
    return exp.or_(*conditions, copy=False)


def both_there(base: Sql, current: Sql) -> Sql:
    """Whether neither is NULL."""
    return all_of(exp.not_(exp.Is(this=value.copy(), expression=exp.null())) for value in (base, current))


def minus(left: Sql, right: Sql) -> Sql:
    """*left* less *right*."""
    return exp.paren(exp.Sub(this=left, expression=right), copy=False)


def _abs(value: Sql) -> Sql:
    return exp.Abs(this=value.this if isinstance(value, exp.Paren) else value)


def _sum(value: Sql) -> Sql:
    return exp.Sum(this=value.copy())


def _max(value: Sql) -> Sql:
    return exp.Max(this=value)


def _larger(left: Sql, right: Sql) -> Sql:
    return exp.Greatest(this=left.copy(), expressions=[right.copy()], ignore_nulls=False)


def _smaller(left: Sql, right: Sql) -> Sql:
    return exp.Least(this=left.copy(), expressions=[right.copy()], ignore_nulls=False)


def _between(value: Sql, bound: str) -> Sql:
    """Whether *value* is no further from 0 than *bound*: not so for NaN, which sorts above every number."""
    high = exp.Literal.number(bound)
    return exp.Between(this=value.copy(), low=exp.Neg(this=high.copy()), high=high)
