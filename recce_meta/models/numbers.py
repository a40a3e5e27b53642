"""Numbers of any size: which are finite, and which are near to each other.

`math` makes doubles of decimals, so that any number beyond doubles is infinite, and fails for such integers.
"""

from __future__ import annotations

import math
from decimal import Context, Decimal
from fractions import Fraction

DOUBLE_DIGITS = 17
"""Number of significant digits that distinguish any two doubles."""


def is_finite(number: float | Decimal) -> bool:
    """Whether *number* is neither infinite nor NaN.

    >>> is_finite(Decimal("1e400")), is_finite(Decimal("inf")), is_finite(10**400)
    (True, False, True)
    """
    if isinstance(number, Decimal):
        return number.is_finite()
    return isinstance(number, int) or math.isfinite(number)


def is_infinite(number: float | Decimal | Fraction) -> bool:
    """Whether *number* is infinite."""
    if isinstance(number, Decimal):
        return number.is_infinite()
    return isinstance(number, float) and math.isinf(number)


def rounded(number: float | Decimal | Fraction) -> float | Decimal:
    """Return *number* as a double, or as a decimal of 17 digits if no double is so large.

    >>> rounded(Decimal("0.1")), rounded(Decimal("1e400"))
    (0.1, Decimal('1E+400'))
    """
    try:
        near = float(number)
    except OverflowError:
        near = math.inf
    if not math.isinf(near) or is_infinite(number):
        return near
    exact = (number.numerator, number.denominator) if isinstance(number, Fraction) else (number, 1)
    return Context(prec=DOUBLE_DIGITS).divide(*map(Decimal, exact))


def are_near(first: float | Decimal, second: float | Decimal, relative: float) -> bool:
    """Whether two numbers differ by no more than the share *relative* of the larger one, as `math.isclose`.

    >>> are_near(Decimal("1e400"), Decimal("2e400"), 1e-9)
    False
    """
    near = rounded(first), rounded(second)
    if all(isinstance(number, float) for number in near):
        return math.isclose(*near, rel_tol=relative)
    if not (is_finite(first) and is_finite(second)):
        return False
    exact = Fraction(first), Fraction(second)
    return abs(exact[0] - exact[1]) <= Fraction(relative) * max(map(abs, exact))


def digits_of(number: int) -> str:
    """Return all digits of *number*, also if they are more than the 4,300 that Python converts unasked."""
    return str(number) if number.bit_length() < 8_192 else f"{Decimal(number):f}"
