"""Distances between two numbers as SQL, exact if the column type allows it.

An `Arithmetic` serves one pair of columns. It builds the condition for "equal within a tolerance", the
columns that each differing row adds to a query, and their aggregates; it also reads the aggregates back. No
expression overflows: if a result may need more digits than the warehouse has, the SQL checks the size of the
values first.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from decimal import ROUND_FLOOR, Context, Decimal, Inexact
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any, ClassVar, NamedTuple, TypeAlias

from sqlglot import exp

from recce_meta.models.data_diff import MEAN_DIGITS
from recce_meta.warehouses.types import ColumnType, Kind, Sql

Figure: TypeAlias = int | float | Decimal

PRODUCT = 3
"""Extra digits that a difference and a product need beyond their operands."""
LARGEST_NEAR = "1e290"
"""The sum of any number of differences of such doubles fits into a double."""
WHOLE_DIGITS = 18
"""A whole number of this many digits fits into 64 bits."""
LARGEST = "1.7976931348623157e308"
SCALED = 2**64
"""Divisor for larger doubles before they are summed."""
_CAUTION = Decimal("0.999999999999")
"""Factor for a relative tolerance when doubles stand in for wider decimals."""


class Distances(NamedTuple):
    """Aggregated differences of one column."""

    mean: Figure | None = None
    largest: Figure | None = None
    is_rounded: bool = False
    """True if doubles were used in place of numbers with more digits."""


@lru_cache(maxsize=256)
def _type(text: str, dialect: str) -> exp.DataType:
    """Return the type that *dialect* writes as *text*. Callers must copy it."""
    return exp.DataType.build(text, dialect=dialect)


class NumberDialect(ABC):
    """SQL of numbers: the standard, and PostgreSQL where it is silent."""

    name: ClassVar[str] = ""
    """sqlglot's name of the dialect, also the name of its folder."""
    decimal_digits: ClassVar[int | None] = 38
    """Digits of the widest decimal; None if there is no relevant limit."""
    keeps_scale: ClassVar[bool] = True
    """True if a difference that may exceed the maximum digits keeps all digits after the point."""
    double_type: ClassVar[str] = "DOUBLE"
    text_type: ClassVar[str] = "TEXT"

    @abstractmethod
    def is_within(self, value: Sql, of: ColumnType) -> Sql | None:
        """Build the condition that *value* is finite, or in the years 1 to 9999; None if every value is."""

    def text(self, value: Sql) -> Sql:
        """Cast *value* to text."""
        return exp.cast(value, _type(self.text_type, self.name), dialect=self.name)

    def double(self, value: Sql) -> Sql:
        """Cast *value* to a double."""
        return exp.cast(value, _type(self.double_type, self.name), dialect=self.name)

    def decimal(self, value: Sql, scale: int) -> Sql:
        """Cast *value* to the widest decimal with *scale* digits after the point."""
        digits = self.decimal_digits or 1000
        return exp.cast(value, f"DECIMAL({digits}, {scale})", dialect=self.name)

    def arithmetic(self, base: ColumnType, current: ColumnType) -> Arithmetic:
        """Return the arithmetic for two whole numbers or decimals of these types."""
        types = (base, current)
        return Decimals(self, max(map(whole_digits, types)), max(of.scale or 0 for of in types))

    def exact(self, value: Sql, digits: int, scale: int, *, more: int = 0) -> Sql:
        """Cast *value*, which fits, to a decimal of *digits*. It may be multiplied by up to *more* digits."""
        return exp.cast(value, _type(f"DECIMAL({digits}, {scale})", self.name), dialect=self.name)

    def exact_number(self, digits: str) -> Sql:
        """Return the number in *digits*, without an exponent, as a decimal and never as a double."""
        literal = exp.Literal.number(digits.lstrip("-"))
        return exp.Neg(this=literal) if digits.startswith("-") else literal


class Arithmetic(ABC):
    """Distances of two columns, *base* and *current*, either of which may be NULL."""

    @abstractmethod
    def is_close(self, base: Sql, current: Sql, absolute: Decimal, relative: Decimal) -> Sql:
        """Build |c - b| <= max(relative * max(|b|, |c|), absolute); NULL counts as false."""

    @abstractmethod
    def parts(self, base: Sql, current: Sql) -> list[Sql]:
        """Build the columns that a row contributes; NULL if the difference is not a finite number."""

    @abstractmethod
    def aggregates(self, parts: Sequence[Sql]) -> list[Sql]:
        """Build aggregates of the columns that `parts` returned."""

    @abstractmethod
    def read(self, figures: Sequence[Any]) -> Distances:
        """Return the distances from the results of the `aggregates`."""

    @cached_property
    def counts(self) -> tuple[int, int]:
        """Numbers of `parts` and of `aggregates`, which do not depend on the columns."""
        parts = self.parts(exp.null(), exp.null())
        return len(parts), len(self.aggregates([exp.null() for _ in parts]))

    def assumed(self) -> list[int]:
        """Return placeholder figures for a run that executes no queries."""
        return [1] * self.counts[1]


def arithmetic_of(dialect: NumberDialect, base: ColumnType, current: ColumnType, kind: Kind) -> Arithmetic:
    """Return the arithmetic for two columns that are compared as a *kind* of number."""
    if kind is Kind.FLOAT:
        return Doubles(dialect)
    return dialect.arithmetic(base, current)


def whole_digits(of: ColumnType) -> int:
    """Return the number of digits before the point of the largest value of *of*."""
    if of.kind is Kind.BOOLEAN:
        return 1
    if of.kind is Kind.INTEGER and of.scale is None:
        return len(str(2 ** (of.precision or 64)))
    return (of.precision or 38) - (of.scale or 0)


def mean_of(total: Fraction, count: int) -> Decimal:
    """Return the mean: exact if it is a finite decimal, else with 38 digits.

    >>> mean_of(Fraction(1, 10), 1), mean_of(Fraction(3), 2)
    (Decimal('0.1'), Decimal('1.5'))
    """
    mean = total / count
    top, bottom = Decimal(mean.numerator), Decimal(mean.denominator)
    # A quotient ends after 3.33 digits for each digit of the denominator, or never.
    exact = Context(prec=len(top.as_tuple().digits) + 4 * len(bottom.as_tuple().digits) + 1)
    found = exact.divide(top, bottom)
    if exact.flags[Inexact]:
        whole = max(top.adjusted() - bottom.adjusted() + 1, 0)
        found = Context(prec=whole + MEAN_DIGITS).divide(top, bottom)
    return found


class Doubles(Arithmetic):
    """Doubles. Differences whose sum would overflow are scaled down and summed separately."""

    def __init__(self, dialect: NumberDialect) -> None:
        self._dialect = dialect

    def is_close(self, base: Sql, current: Sql, absolute: Decimal, relative: Decimal) -> Sql:
        """Divide the relative distance instead of multiplying the tolerance.

        A quotient of different numbers cannot underflow, which PostgreSQL reports as an error. Large numbers
        are halved first.
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
        """Build a literal; cast it if it has more digits than BigQuery accepts in a whole number."""
        if absolute.adjusted() < WHOLE_DIGITS:
            return digits(absolute)
        return self._double(digits_of(absolute))

    def parts(self, base: Sql, current: Sql) -> list[Sql]:
        """Build the difference, and a scaled difference for values that may be too large to sum."""
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
        """Build the count of differences, then the sum and the maximum of both parts."""
        near, far = parts
        count = exp.Count(this=exp.func("COALESCE", near.copy(), far.copy()))
        return [count, *(each for part in parts for each in (_sum(part), _max(_abs(part.copy()))))]

    def read(self, figures: Sequence[Any]) -> Distances:
        """Return floats, or decimals for results beyond the range of a double."""
        count = int(figures[0])
        if not count:
            return Distances()
        near, most_near, far, most_far = (None if each is None else float(each) for each in figures[1:])
        if far is None or most_far is None:
            return Distances((near or 0.0) / count, most_near)
        total = Fraction(near or 0.0) + Fraction(far) * SCALED
        return Distances(_float(total / count), _float(Fraction(most_far) * SCALED))

    def _scaled(self, value: Sql) -> Sql:
        """Scale *value*. Values in [-1, 1] become 0, since PostgreSQL raises an error on underflow."""
        scaled = exp.Mul(this=value.copy(), expression=self._double(repr(1 / SCALED)))
        small = exp.Between(this=value, low=exp.Neg(this=exp.Literal.number(1)), high=exp.Literal.number(1))
        return exp.paren(exp.Case().when(small, self._double("0")).else_(scaled), copy=False)

    def _double(self, text: str) -> Sql:
        return self._dialect.double(exp.Literal.string(text))


class Decimals(Arithmetic):
    """Whole numbers and decimals of up to *whole* digits before the point and *scale* after it.

    Casts are exactly as wide as the result needs: if a result type would exceed the limit of the warehouse,
    some warehouses truncate digits. If the limit is too small for all values of the type, small values are
    computed exactly and large ones as doubles. The figures then say that they are rounded.
    """

    most: ClassVar[int | None] = None
    """Maximum digits of the widest type, if not the dialect's."""
    rows: ClassVar[int] = 10
    """Digits of the number of rows whose differences can be summed."""

    def __init__(
        self, dialect: NumberDialect, whole: int, scale: int, *, may_be_infinite: bool = False
    ) -> None:
        self._dialect = dialect
        self._digits = whole + scale
        self._scale = scale
        self._may_be_infinite = may_be_infinite
        self._most = self.most or dialect.decimal_digits

    def is_close(self, base: Sql, current: Sql, absolute: Decimal, relative: Decimal) -> Sql:
        """Build the condition that the distance is within either tolerance."""
        near: list[Sql] = []
        if absolute:
            near.append(self._is_near(base, current, absolute))
        if relative:
            near.append(self._is_relatively_near(base, current, relative))
        return self._finite(base, current, any_of(near))

    def _is_near(self, base: Sql, current: Sql, absolute: Decimal) -> Sql:
        most = self._most
        if most is not None:
            # Distances have no more digits after the point than the columns, so rounding changes no answer.
            absolute = round_down(absolute, self._scale)
            if absolute >= self._farthest(most):
                return both_there(base, current)
        return self._distance_is(base, current, absolute)

    def _farthest(self, most: int) -> Decimal:
        """Return a tolerance that no distance exceeds.

        Numbers of *most* digits can be twice the largest value apart. With fewer digits there is room for
        every distance.
        """
        if self._has_room(2):
            return Decimal((0, (1,), most - self._scale))
        return Decimal((0, (1, *(9,) * (most - 1), 8), -self._scale))

    def _distance_is(self, base: Sql, current: Sql, absolute: Decimal) -> Sql:
        """Build distance <= *absolute*, which has no more digits after the point than the columns."""
        if self._has_room(2):
            return self._plainly_near(base, current, absolute, self._digits + 1)
        assert self._most is not None, "no limit means room"
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
        """Build larger - tolerance <= smaller, true if the left side would underflow.

        The tolerance may have one digit more than the warehouse allows, so it is subtracted in two halves.
        """
        assert self._most is not None, "only called with a limit"
        if self._scale and not self._dialect.keeps_scale:
            return exp.false()
        smallest = -Decimal((0, (9,) * self._most, -self._scale))
        context = Context(prec=self._most + 2)
        left, right = (self._exact(value, self._most) for value in (base, current))
        smaller, larger = _smaller(left, right), _larger(left, right)
        edge = self._dialect.exact_number(digits_of(context.add(smallest, absolute)))
        half = round_down(context.divide(absolute, Decimal(2)), self._scale)
        less = larger.copy()
        for part in (half, context.subtract(absolute, half)):
            less = minus(less, self._dialect.exact_number(digits_of(part)))
        return (
            exp.Case()
            .when(exp.LTE(this=larger, expression=edge), exp.true())
            .else_(exp.LTE(this=less, expression=smaller))
        )

    def _is_relatively_near(self, base: Sql, current: Sql, relative: Decimal) -> Sql:
        # Two numbers are never further apart than twice the larger one.
        if relative >= 2:
            return both_there(base, current)
        top, bottom = Fraction(relative).as_integer_ratio()
        factor = len(str(max(top, bottom)))
        return self._share_is(base, current, (top, bottom), factor)

    def _share_is(self, base: Sql, current: Sql, ratio: tuple[int, int], factor: int) -> Sql:
        """Build distance / larger <= *ratio*, whose numbers have *factor* digits."""
        if self._has_room(factor + PRODUCT):
            return self._plain_share(base, current, ratio, factor, self._digits + 1)
        assert self._most is not None, "no limit means room"
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
        """Build distance * denominator <= larger * numerator."""
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
        """Build the difference; if some values may be too large for it, add their difference as doubles."""
        if self._has_room(self.rows + 1):
            left, right = (self._exact(value, self._digits + 1) for value in (base, current))
            difference = minus(right, left)
            return [self._finite(base, current, difference) if self._may_be_infinite else difference]
        assert self._most is not None, "no limit means room"
        room = self._most - self.rows - 1
        doubles = [self._dialect.double(value.copy()) for value in (base, current)]
        if not self._is_type(room + 1):
            return [self._dialect.exact(exp.null(), 1, 0), minus(doubles[1], doubles[0])]
        within = self._both_within(base, current, room)
        left, right = (self._exact(value, room + 1) for value in (base, current))
        far = exp.Case().when(within.copy(), exp.null()).else_(minus(doubles[1], doubles[0]))
        return [exp.Case().when(within, minus(right, left), copy=False), far]

    def aggregates(self, parts: Sequence[Sql]) -> list[Sql]:
        """Build the count, the sum and the maximum of each part."""
        return [
            each
            for part in parts
            for each in (exp.Count(this=part.copy()), _sum(part), _max(_abs(part.copy())))
        ]

    def read(self, figures: Sequence[Any]) -> Distances:
        """Return exact numbers, or rounded ones if some values were too large."""
        count, total, largest = int(figures[0]), number_of(figures[1]), number_of(figures[2])
        if len(figures) == 3 or not int(figures[3]):
            return distances(count, total, largest)
        far, of_far, largest_far = int(figures[3]), float(figures[4]), float(figures[5])
        mean = (Fraction(of_far) + Fraction(total or 0)) / (count + far)
        return Distances(float(mean), max(largest_far, float(largest or 0)), is_rounded=True)

    def _has_room(self, more: int) -> bool:
        """Return True if the warehouse has a type with *more* digits than the values."""
        return self._most is None or self._digits + more <= self._most

    def _is_type(self, digits: int) -> bool:
        """Return True if *digits* are enough for the digits after the point."""
        return digits >= self._scale

    def _exact(self, value: Sql, room: int, *, more: int = 0) -> Sql:
        return self._dialect.exact(value.copy(), room, self._scale, more=more)

    def _both_within(self, base: Sql, current: Sql, room: int) -> Sql:
        """Build the condition that both values have at most *room* digits."""
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
    """Return the distances of *count* exact differences."""
    if not count or total is None or largest is None:
        return Distances()
    return Distances(mean_of(Fraction(total), count), largest)


def number_of(value: Any) -> Decimal | int | None:
    """Return *value*, an exact number as the driver returns it, as an int if it is whole."""
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
    """Return *value* without an exponent, which would make it a double."""
    return f"{value:f}"


def digits(value: Decimal) -> Sql:
    """Return *value* as a literal."""
    return exp.Literal.number(digits_of(value))


def round_down(value: Decimal, scale: int) -> Decimal:
    """Return *value* rounded down to *scale* digits after the point.

    >>> round_down(Decimal("0.019"), 2)
    Decimal('0.01')
    """
    context = Context(prec=max(value.adjusted(), 0) + scale + 2)
    return value.quantize(Decimal((0, (1,), -scale)), rounding=ROUND_FLOOR, context=context)


def all_of(conditions: Any) -> Sql:
    """Build the conjunction of *conditions*."""
    return exp.and_(*conditions, copy=False)


def any_of(conditions: Any) -> Sql:
    """Build the disjunction of *conditions*."""
    return exp.or_(*conditions, copy=False)


def both_there(base: Sql, current: Sql) -> Sql:
    """Build the condition that neither value is NULL."""
    return all_of(exp.not_(exp.Is(this=value.copy(), expression=exp.null())) for value in (base, current))


def minus(left: Sql, right: Sql) -> Sql:
    """Build *left* minus *right*."""
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
    """Build -bound <= value <= bound. It is false for NaN, which sorts above every number."""
    high = exp.Literal.number(bound)
    return exp.Between(this=value.copy(), low=exp.Neg(this=high.copy()), high=high)
