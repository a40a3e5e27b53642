"""What a user can ask of diffs that compare rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import TypedDict

from msgspec import Struct

from recce_meta.diff.data.keys import Key
from recce_meta.errors import UnknownNameError, UsageError, quoted

PRECISIONS = (
    *("microsecond", "millisecond", "second", "minute", "hour"),
    *("day", "week", "month", "quarter", "year"),
)
"""Units that points in time can be cut to before they are compared, the finest first."""

DEFAULT_EXAMPLES = 2
DEFAULT_LIMIT = 100
RELATIVE_DIGITS = 18
"""Digits after the point that a relative tolerance may have, so that products are exact."""
ABSOLUTE_DIGITS = 400
"""Digits after the point that an absolute tolerance may have: more than doubles need."""


class Narrowing(TypedDict):
    """Fields of a `RowComparison` that say what an option leaves out."""

    where: str | None
    sample: float | None
    excluded: tuple[str, ...]
    tolerance: float | Decimal
    relative_tolerance: float | Decimal
    timestamp_precision: str | None
    ignore_case: bool
    ignore_trailing_blanks: bool


class ValueOptions(Struct, frozen=True, kw_only=True):
    """How rows and values are compared. Raises UsageError for what makes no sense."""

    key: tuple[str, ...] | None = None
    """Columns that identify a row, as the user names them; None to take the first fitting of `candidates`."""
    candidates: tuple[Key, ...] = ()
    """Keys that the project declares, the most trustworthy first (`keys.declared_keys`)."""
    columns: tuple[str, ...] = ()
    """The columns to compare, beside the key; none named for all."""
    exclude_columns: tuple[str, ...] = ()
    where: str | None = None
    """A condition in the warehouse's SQL that rows of both sides have to meet, sent as it is written."""
    sample: float | None = None
    """The share of keys to compare, in per cent; the same keys on both sides."""
    limit: int = DEFAULT_LIMIT
    """How many rows are fetched at most, where rows are asked for."""
    examples: int = DEFAULT_EXAMPLES
    """Cells that differ, to be fetched for each column. More than two cost another join."""
    absolute: float | Decimal = 0.0
    """Numbers no further apart than this are equal."""
    relative: float | Decimal = 0.0
    """Numbers no further apart than this share of the larger one are equal, as in PEP 485."""
    timestamp_precision: str | None = None
    """The unit that points in time are cut to: one of PRECISIONS."""
    ignore_case: bool = False
    """Whether texts are compared in lower case; those of the key never are."""
    ignore_trailing_blanks: bool = False

    def __post_init__(self) -> None:
        self._check_types()
        if self.key is not None and not self.key:
            raise UsageError("The key names no column", hint="name at least one column")
        if self.sample is not None and not 0 < self.sample <= 100:
            raise UsageError(f"A sample of {self.sample:g} % cannot be taken", hint="above 0, up to 100")
        for name, amount in (("limit", self.limit), ("number of examples", self.examples)):
            if amount < 0:
                raise UsageError(f"A {name} of {amount} makes no sense", hint="0 or more")
        self._check_tolerances()
        if self.timestamp_precision is not None and self.timestamp_precision not in PRECISIONS:
            raise UnknownNameError("precision", self.timestamp_precision, PRECISIONS)

    @property
    def ignores_in_texts(self) -> bool:
        """Whether texts that differ can be equal."""
        return self.ignore_case or self.ignore_trailing_blanks

    def _check_tolerances(self) -> None:
        for name, tolerance in (("absolute", self.absolute), ("relative", self.relative)):
            if not math.isfinite(tolerance) or tolerance < 0 or not math.isfinite(float(tolerance)):
                raise UsageError(f"Invalid {name} tolerance: {tolerance:g}", hint="give a number from 0 on")
        for name, exact, most in (
            ("absolute", self.exact_absolute, ABSOLUTE_DIGITS),
            ("relative", self.exact_relative, RELATIVE_DIGITS),
        ):
            if -int(exact.normalize().as_tuple().exponent) > most:
                raise UsageError(
                    f"Invalid {name} tolerance: {exact:g} has more than {most} digits after the point",
                    hint="give a rounder number",
                )

    def _check_types(self) -> None:
        """That numbers are numbers, which callers from Python may get wrong: `sample="10%"`."""
        wanted: dict[str, tuple[object, type | tuple[type, ...]]] = {
            "sample": (0 if self.sample is None else self.sample, (int, float)),
            "absolute tolerance": (self.absolute, (int, float, Decimal)),
            "relative tolerance": (self.relative, (int, float, Decimal)),
            "limit": (self.limit, int),
            "number of examples": (self.examples, int),
        }
        for name, (value, kind) in wanted.items():
            if not isinstance(value, kind):
                noun = "a whole number" if kind is int else "a number"
                hint = "in per cent: 10 for 10 %" if name == "sample" else None
                raise UsageError(f"The {name} {quoted(value)} is not {noun}", hint=hint)
        if self.where is not None and not isinstance(self.where, str):
            raise UsageError(f"The condition {quoted(self.where)} is no text", hint="SQL, as behind WHERE")

    def narrowing(self, excluded: Sequence[str]) -> Narrowing:
        """The options that narrow a claim, as fields of a `RowComparison`, and the columns left out."""
        return Narrowing(
            where=self.where,
            sample=self.sample,
            excluded=tuple(excluded),
            tolerance=_plain(self.absolute),
            relative_tolerance=_plain(self.relative),
            timestamp_precision=self.timestamp_precision,
            ignore_case=self.ignore_case,
            ignore_trailing_blanks=self.ignore_trailing_blanks,
        )

    @property
    def has_tolerance(self) -> bool:
        """Whether numbers that differ can count as equal."""
        return bool(self.absolute or self.relative)

    @property
    def exact_absolute(self) -> Decimal:
        """The absolute tolerance as it was written."""
        return _as_written(self.absolute)

    @property
    def exact_relative(self) -> Decimal:
        """The relative tolerance as it was written."""
        return _as_written(self.relative)

    @property
    def takes_sample(self) -> bool:
        """Whether only some of the keys are compared."""
        return self.sample is not None and self.sample < 100


def _as_written(number: float | Decimal) -> Decimal:
    """*number* in the digits that wrote it: 0.001 is a thousandth, though no double is.

    >>> _as_written(0.001)
    Decimal('0.001')
    """
    return number if isinstance(number, Decimal) else Decimal(repr(number))


def _plain(number: float | Decimal) -> float | Decimal:
    """*number* as a float if that is written alike."""
    return float(number) if _as_written(float(number)) == _as_written(number) else number
