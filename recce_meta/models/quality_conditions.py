"""Conditions on figures of quality as users write them: `>= 95%`, `between 1 and 5`, `null_share > +5%`.

A bound is a number, a share in per cent, a date or time in ISO 8601, a text in quotes, true, false or null.
In `--fail-on` a bound with a sign is about the change from an earlier measurement; elsewhere it is a number
below zero.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from recce_meta.errors import UnknownNameError, UsageError
from recce_meta.models.quality_rules import Bound, Condition, FailOn, Operator

TABLE_FIGURES = ("row_count", "column_count", "score")
COLUMN_FIGURES = (
    "null_count",
    "null_share",
    "blank_count",
    "distinct_count",
    "distinct_share",
    "min",
    "max",
    "mean",
    "median",
    "true_count",
    "min_length",
    "max_length",
    "avg_length",
    "score",
)
FIGURES = tuple(dict.fromkeys((*TABLE_FIGURES, *COLUMN_FIGURES)))
SHARES = frozenset(["null_share", "distinct_share"])
"""Figures from 0 to 1: a change of `+5%` is one of five percentage points."""
REGRESSION = "regression"
"""What `--fail-on` calls a score that fell, and what is not measured or does not hold any more."""

LARGEST = Decimal("1.8e308")
"""Doubles end before it, and no decimal is as large."""

_NUMBER = re.compile(r"([+-]?)((?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*(%?)")
_TEXT = re.compile(r"'((?:[^']|'')*)'|\"((?:[^\"]|\"\")*)\"")
_WORDS: dict[str, Bound] = {"true": True, "false": False, "null": None}
_OPERATION = re.compile(r"\s*(<=|>=|<>|!=|==|=|<|>|between\b)\s*(.*)", re.S | re.I)
_ENDS = re.compile(r"(.+?)\s+and\s+(.+)", re.S | re.I)
_SPELLINGS = {"==": "=", "<>": "!="}
_FIGURE = re.compile(r"\s*(\w+)\s*(.*)", re.S)
_PARTS = re.compile(r"((?:[^,'\"]|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")+)")
_SUBJECT = re.compile(
    r"\s*(?:(?P<subject>.*\S)\s*:\s+)?(?P<rest>\w+\s*(?:[<>=!].*|between\s.*)?)", re.S | re.I
)
EXAMPLE = "such as '>= 95%', '= 0' or 'between 1 and 5'"


def read_condition(text: str, *, has_sign: bool = False) -> Condition:
    """The condition that *text* is; with *has_sign* a bound with a sign is a change.

    Raises UsageError, whose message says what is wrong with it.

    >>> read_condition("<= 1%").bound, read_condition("between 1 and 5").upper
    (Decimal('0.01'), Decimal('5'))
    """
    found = _OPERATION.fullmatch(text)
    if found is None:
        raise UsageError(f"'{text.strip()}' has no comparison", hint=EXAMPLE)
    operator = Operator(_SPELLINGS.get(found[1], found[1].lower()))
    whole = found[2].strip()
    texts = [whole]
    if operator is Operator.BETWEEN:
        ends = _ENDS.fullmatch(whole)
        if ends is None:
            raise UsageError(f"'{text.strip()}' has no two ends", hint="such as 'between 1 and 5'")
        texts = [ends[1], ends[2].strip()]
    bounds = [_bound(one, text) for one in texts]
    signed = [has_sign and one[0] in "+-" for one in texts]
    if any(signed) and not all(signed):
        raise UsageError(f"In '{text.strip()}' one end is a change and the other is not")
    if len(bounds) > 1 and _is_empty(bounds[0], bounds[1]):
        raise UsageError(f"In '{text.strip()}' the first end is above the second: nothing lies between")
    if any(bound is None for bound in bounds) and operator not in (Operator.EQUAL, Operator.UNEQUAL):
        raise UsageError(f"'{text.strip()}' compares with null", hint="null can be = or !=")
    return Condition(
        operator=operator,
        bound=bounds[0],
        upper=bounds[1] if len(bounds) > 1 else None,
        is_percent=any(one.endswith("%") for one in texts),
        is_change=all(signed),
        text=" ".join(text.split()),
    )


def _is_empty(lower: Bound, upper: Bound) -> bool:
    """Whether nothing lies between them; of two kinds of bounds nobody knows."""
    try:
        return bool(lower > upper)  # type: ignore[operator]
    except TypeError:
        return False


def _bound(text: str, condition: str) -> Bound:
    if not text:
        raise UsageError(f"'{condition.strip()}' compares with nothing", hint=EXAMPLE)
    if found := _NUMBER.fullmatch(text):
        value = Decimal(found[1] + found[2].replace("_", ""))
        if abs(value) > LARGEST:
            raise UsageError(f"'{text}' in '{condition.strip()}' is beyond every figure", hint=EXAMPLE)
        return value / 100 if found[3] else value
    if found := _TEXT.fullmatch(text):
        return found[1].replace("''", "'") if found[1] is not None else found[2].replace('""', '"')
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    moment = read_moment(text)
    if moment is None:
        raise UsageError(
            f"'{text}' is no number, share, date, true, false or null", hint="texts stand in quotes: = 'paid'"
        )
    return moment


def read_moment(text: str) -> date | datetime | None:
    """The date or time that *text* is in ISO 8601; None where it is none."""
    text = re.sub(r"[zZ]$", "+00:00", text.strip())
    if re.fullmatch(r"\d{4}-\d\d-\d\d.*", text) is None:
        return None
    try:
        return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError:
        return None


def read_fail_on(texts: Sequence[str], metrics: Sequence[str] = ()) -> tuple[FailOn, ...]:
    """The conditions of `--fail-on`: each of *texts* is one, or several with commas between them.

    A condition is FIGURE OPERATOR BOUND, after a subject and a colon where it is not about everything; or
    `regression`. *metrics* are the names of users' own figures. Raises UsageError, also
    for a text that holds none.
    """
    if any(not _PARTS.search(text) or not text.replace(",", " ").strip() for text in texts):
        raise UsageError(
            "--fail-on has no condition", hint="leave it out, or give one such as 'null_share > +5%'"
        )
    return tuple(
        _fail_on(part.strip(), metrics) for text in texts for part in _PARTS.findall(text) if part.strip()
    )


def _fail_on(text: str, metrics: Sequence[str]) -> FailOn:
    found = _SUBJECT.fullmatch(text)
    named = _FIGURE.fullmatch(found["rest"]) if found else None
    if found is None or named is None:
        raise UsageError(
            f"--fail-on '{text}' is not FIGURE OPERATOR VALUE",
            hint="such as 'null_share > +5%' or regression",
        )
    figure, rest = named[1], named[2].strip()
    known = [*FIGURES, REGRESSION, *metrics]
    if figure not in known:
        raise UnknownNameError("figure", figure, known, where=f"in --fail-on '{text}'")
    if figure == REGRESSION:
        if rest:
            raise UsageError(f"--fail-on '{text}': regression is compared with nothing")
        return FailOn(figure=figure, condition=None, subject=found["subject"], text=text)
    if not rest:
        raise UsageError(f"--fail-on '{text}' has no comparison", hint=f"such as '{figure} > +5%'")
    condition = read_condition(rest, has_sign=True)
    if figure in SHARES:
        _refuse_beyond_shares(condition, figure, text)
    return FailOn(figure=figure, condition=condition, subject=found["subject"], text=" ".join(text.split()))


def _refuse_beyond_shares(condition: Condition, figure: str, text: str) -> None:
    """Raise UsageError for a number that no share, or change of a share, can be."""
    for bound in (condition.bound, condition.upper):
        if isinstance(bound, Decimal) and abs(bound) > 1:
            raise UsageError(
                f"--fail-on '{text}' compares with more than 100%, which {figure} cannot be",
                hint=f"shares are written with a percent sign: '{figure} > 5%'",
            )
