"""Comparison functions for numbers of any size.

`math` converts decimals to doubles: larger numbers become infinite, and larger integers raise an error.
"""

from __future__ import annotations

import math
from decimal import Context, Decimal
from fractions import Fraction

DOUBLE_DIGITS = 17
"""Number of significant digits that distinguish any two doubles."""


def is_finite(number: float | Decimal) -> bool:
    """Return True if *number* is neither infinite nor NaN.

    >>> is_finite(Decimal("1e400")), is_finite(Decimal("inf")), is_finite(10**400)
    (True, False, True)
    """
    if isinstance(number, Decimal):
        return number.is_finite()
    return isinstance(number, int) or math.isfinite(number)


def is_infinite(number: float | Decimal | Fraction) -> bool:
    """Return True if *number* is infinite."""
    if isinstance(number, Decimal):
        return number.is_infinite()
    return isinstance(number, float) and math.isinf(number)


def round_number(number: float | Decimal | Fraction) -> float | Decimal:
    """Return *number* as a double, or as a decimal of 17 digits if it is too large for a double.

    >>> round_number(Decimal("0.1")), round_number(Decimal("1e400"))
    (0.1, Decimal('1E+400'))
    """
    try:
        # Large integers and fractions raise OverflowError, large decimals become infinite.
        near = float(number)
    except OverflowError:
        near = math.inf
    if not math.isinf(near) or is_infinite(number):
        return near
    exact = (number.numerator, number.denominator) if isinstance(number, Fraction) else (number, 1)
    # Not the default context, which the calling program may have changed.
    return Context(prec=DOUBLE_DIGITS).divide(*map(Decimal, exact))


def are_near(first: float | Decimal, second: float | Decimal, relative: float) -> bool:
    """Return True if two numbers differ by at most *relative* times the larger one, like `math.isclose`.

    >>> are_near(Decimal("1e400"), Decimal("2e400"), 1e-9)
    False
    """
    near = round_number(first), round_number(second)
    if all(isinstance(number, float) for number in near):
        return math.isclose(*near, rel_tol=relative)
    if not (is_finite(first) and is_finite(second)):
        return False
    exact = Fraction(first), Fraction(second)
    return abs(exact[0] - exact[1]) <= Fraction(relative) * max(map(abs, exact))


def digits_of(number: int) -> str:
    """Return all digits of *number*, even beyond Python's default limit of 4,300 digits."""
    return str(number) if number.bit_length() < 8_192 else f"{Decimal(number):f}"
