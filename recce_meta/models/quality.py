"""Results of a data quality measurement, and the user's rules: conditions, custom metrics, expectations.

Shares are fractions from 0 to 1, scores are from 0 to 100 (docs/reference/quality.md has the formulas). Cell
values are built-in types, as in data diffs. All times are time-zone aware, in UTC. `quality.file` reads the
rules, `quality.conditions` evaluates conditions such as `>= 95%`, `between 1 and 5`, `null_share > +5%`.

A bound is a number, a percentage, a date or time in ISO 8601, a quoted string, true, false or null. In
`--fail-on`, a bound with a sign applies to the change from an earlier measurement; elsewhere the sign is part
of the number.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import TypeAlias

from msgspec import Struct

from recce_meta.errors import UnknownNameError, UsageError
from recce_meta.models.data_diff import Profile, Value
from recce_meta.models.rows import Tabular, published


class Sample(Struct, frozen=True, kw_only=True):
    """Sample of a table's rows."""

    percent: float | None = None
    """Probability of each row in percent; None if a number of rows was requested."""
    rows: int | None = None
    seed: int = 0

    def __str__(self) -> str:
        return f"{self.percent:g}%" if self.rows is None else f"{self.rows} rows"


class ValueCount(Struct, frozen=True, kw_only=True):
    """Frequent value with its number of rows."""

    value: Value
    count: int


class MetricResult(Struct, frozen=True, kw_only=True):
    """Result of a custom metric of a table or column."""

    name: str
    value: Value = None
    """A number, string, boolean, date or time; None if the metric is NULL or failed."""
    threshold: str | None = None
    """Condition as written; None if the metric has no condition."""
    holds: bool | None = None
    """True if it meets its threshold; None without a threshold, or if it could not be measured."""
    reason: str | None = None
    """Why it could not be measured."""


class ColumnQuality(Struct, frozen=True, kw_only=True):
    """Quality of one column."""

    name: str
    profile: Profile | None = None
    """None if the column could not be measured."""
    blank_count: int | None = None
    """Rows with an empty or blank string: not NULL, but counted as incomplete."""
    is_declared_unique: bool = False
    """True if a primary key, unique constraint or unique test covers exactly this column."""
    top_values: tuple[ValueCount, ...] = ()
    """Most frequent values first; empty if values are not stored."""
    is_private: bool = False
    """True if its values are withheld: minimum, maximum, mean, median and true_count are then missing."""
    score: float | None = None
    metrics: tuple[MetricResult, ...] = ()
    reason: str | None = None
    """Why some figures are missing."""

    @published
    def null_count(self) -> int | None:
        """Rows without a value."""
        return None if self.profile is None else self.profile.row_count - self.profile.not_null_count

    @published
    def null_share(self) -> float | None:
        """Rows without a value as a share of all rows; None without rows."""
        profile = self.profile
        if profile is None or not profile.row_count:
            return None
        return (profile.row_count - profile.not_null_count) / profile.row_count

    @published
    def distinct_share(self) -> float | None:
        """Distinct values as a share of rows with a value; None if there are no such rows."""
        profile = self.profile
        if profile is None or profile.distinct_count is None or not profile.not_null_count:
            return None
        return profile.distinct_count / profile.not_null_count


class TableQuality(Struct, frozen=True, kw_only=True):
    """Quality of one table."""

    unique_id: str
    name: str
    relation: str
    """Name of the relation in SQL."""
    measured_at: datetime
    row_count: int | None = None
    """All rows, even if only a sample was measured; None if they could not be counted."""
    sampled_rows: int | None = None
    """Number of measured rows; None if all rows were measured."""
    columns: tuple[ColumnQuality, ...] = ()
    """Columns in the order of the relation."""
    metrics: tuple[MetricResult, ...] = ()
    score: float | None = None
    reason: str | None = None
    """Why the table could not be measured; it then has no columns."""
    notes: tuple[str, ...] = ()

    @published
    def column_count(self) -> int:
        """Number of measured columns."""
        return len(self.columns)


class QualityRun(Tabular, frozen=True, kw_only=True):
    """Measurement of tables of one recorded run."""

    quality_run_id: str
    run_id: str
    """Run of the measured nodes."""
    project_name: str
    environment: str
    started_at: datetime
    finished_at: datetime
    target_name: str | None = None
    sample: Sample | None = None
    keeps_values: bool = True
    """True if values of columns that are not private are stored."""
    table_count: int = 0
    failed_count: int = 0
    """Tables that could not be measured."""
    score: float | None = None
    """Mean of the tables' scores."""
    recorder_version: str | None = None
    status: str = "complete"
    """`complete`, or `failed`: a failed measurement is stored without tables, and is never the latest."""
    reason: str | None = None
    """Why the measurement failed."""


class Quality(Tabular, frozen=True, kw_only=True):
    """A measurement with its results."""

    run: QualityRun
    tables: tuple[TableQuality, ...]
    """Tables sorted by unique id."""


Bound: TypeAlias = Decimal | bool | str | date | datetime | None
"""Value that a figure is compared with; shares are fractions (0.05 for `5%`), None is NULL."""


class Operator(str, Enum):
    """Comparison operator."""

    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="
    EQUAL = "="
    UNEQUAL = "!="
    BETWEEN = "between"


class Condition(Struct, frozen=True, kw_only=True):
    """A comparison such as `>= 95%`, `between 1 and 5` or `> +5%`."""

    operator: Operator
    bound: Bound
    upper: Bound = None
    """Upper bound of `between`, which includes both ends."""
    is_percent: bool = False
    """True if the bound was written in percent."""
    is_change: bool = False
    """True if it applies to the difference from an earlier measurement: the bound has a sign."""
    text: str
    """The condition as written."""

    def __str__(self) -> str:
        return self.text


class Expectation(Struct, frozen=True, kw_only=True):
    """Expectation for one of the built-in figures."""

    figure: str
    """row_count, null_share, score, …"""
    condition: Condition
    line: int
    """Line number in the file, from 1."""


class CustomMetric(Struct, frozen=True, kw_only=True):
    """User-defined figure."""

    name: str
    sql: str
    """Aggregate expression over the table, in the warehouse's SQL."""
    condition: Condition | None = None
    line: int


class ColumnRules(Struct, frozen=True, kw_only=True):
    """Rules for one column."""

    name: str
    metrics: tuple[CustomMetric, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    is_private: bool | None = None
    """True if its values are withheld; None to decide by its name."""
    line: int


class TableRules(Struct, frozen=True, kw_only=True):
    """Rules for one table, or for the tables of a selection."""

    name: str | None = None
    """A node's name, `schema.table`, or a unique id; None if `select` is given."""
    select: str | None = None
    """Selection in dbt's grammar."""
    metrics: tuple[CustomMetric, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    columns: tuple[ColumnRules, ...] = ()
    line: int


class QualityRules(Struct, frozen=True, kw_only=True):
    """Content of a metrics file."""

    path: str
    tables: tuple[TableRules, ...] = ()
    private: tuple[str, ...] = ()
    """Patterns of columns whose values are withheld, in addition to the built-in patterns."""


class FailOn(Struct, frozen=True, kw_only=True):
    """One condition of `--fail-on`."""

    figure: str
    condition: Condition | None
    """None for `regression`."""
    subject: str | None = None
    """`film` or `film.rating`, with `*` as a wildcard; None for everything that was measured."""
    text: str
    """The condition as written."""


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
"""Figures from 0 to 1: a change of `+5%` means five percentage points."""
REGRESSION = "regression"
"""Condition of `--fail-on`: a score fell, or a figure is no longer measured or misses its threshold."""

LARGEST = Decimal("1.8e308")
"""Larger than any double, and than any decimal of a warehouse."""

# A longer exponent would allow numbers of billions of digits.
_NUMBER = re.compile(r"([+-]?)((?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*(%?)")
_TEXT = re.compile(r"'((?:[^']|'')*)'|\"((?:[^\"]|\"\")*)\"")
_WORDS: dict[str, Bound] = {"true": True, "false": False, "null": None}
_OPERATION = re.compile(r"\s*(<=|>=|<>|!=|==|=|<|>|between\b)\s*(.*)", re.S | re.I)
_ENDS = re.compile(r"(.+?)\s+and\s+(.+)", re.S | re.I)
_SPELLINGS = {"==": "=", "<>": "!="}
_FIGURE = re.compile(r"\s*(\w+)\s*(.*)", re.S)
# A comma within quotes belongs to the value.
_PARTS = re.compile(r"((?:[^,'\"]|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\")+)")
_SUBJECT = re.compile(
    r"\s*(?:(?P<subject>.*\S)\s*:\s+)?(?P<rest>\w+\s*(?:[<>=!].*|between\s.*)?)", re.S | re.I
)
EXAMPLE = "write for example '>= 95%', '= 0' or 'between 1 and 5'"


def read_condition(text: str, *, has_sign: bool = False) -> Condition:
    """Parse the condition *text*; with *has_sign*, a bound with a sign is a change.

    Raises UsageError if *text* is invalid.

    >>> read_condition("<= 1%").bound, read_condition("between 1 and 5").upper
    (Decimal('0.01'), Decimal('5'))
    """
    found = _OPERATION.fullmatch(text)
    if found is None:
        raise UsageError(f"Condition '{text.strip()}' has no comparison operator", hint=EXAMPLE)
    operator = Operator(_SPELLINGS.get(found[1], found[1].lower()))
    whole = found[2].strip()
    texts = [whole]
    if operator is Operator.BETWEEN:
        ends = _ENDS.fullmatch(whole)
        if ends is None:
            raise UsageError(
                f"Condition '{text.strip()}' needs two bounds", hint="write for example 'between 1 and 5'"
            )
        texts = [ends[1], ends[2].strip()]
    bounds = [_bound(one, text) for one in texts]
    signed = [has_sign and one[0] in "+-" for one in texts]
    if any(signed) and not all(signed):
        raise UsageError(f"Condition '{text.strip()}' mixes a bound with a sign and a bound without")
    if len(bounds) > 1 and _is_empty(bounds[0], bounds[1]):
        raise UsageError(f"Condition '{text.strip()}' is never true: the first bound is above the second")
    if any(bound is None for bound in bounds) and operator not in (Operator.EQUAL, Operator.UNEQUAL):
        raise UsageError(f"Condition '{text.strip()}' compares with null", hint="use only = or != with null")
    return Condition(
        operator=operator,
        bound=bounds[0],
        upper=bounds[1] if len(bounds) > 1 else None,
        is_percent=any(one.endswith("%") for one in texts),
        is_change=all(signed),
        text=" ".join(text.split()),
    )


def _is_empty(lower: Bound, upper: Bound) -> bool:
    """Return True if *lower* is above *upper*; False if their types cannot be compared."""
    try:
        return bool(lower > upper)  # type: ignore[operator]
    except TypeError:
        return False


def _bound(text: str, condition: str) -> Bound:
    if not text:
        raise UsageError(f"Condition '{condition.strip()}' has no value to compare with", hint=EXAMPLE)
    if found := _NUMBER.fullmatch(text):
        value = Decimal(found[1] + found[2].replace("_", ""))
        if abs(value) > LARGEST:
            raise UsageError(f"Number '{text}' in condition '{condition.strip()}' is too large", hint=EXAMPLE)
        return value / 100 if found[3] else value
    if found := _TEXT.fullmatch(text):
        return found[1].replace("''", "'") if found[1] is not None else found[2].replace('""', '"')
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    moment = read_moment(text)
    if moment is None:
        raise UsageError(
            f"Invalid value '{text}': not a number, percentage, date, true, false or null",
            hint="quote strings: = 'paid'",
        )
    return moment


def read_moment(text: str) -> date | datetime | None:
    """Parse *text* as a date or time in ISO 8601; return None if it is not one."""
    # Python 3.10 does not parse `Z`.
    text = re.sub(r"[zZ]$", "+00:00", text.strip())
    if re.fullmatch(r"\d{4}-\d\d-\d\d.*", text) is None:
        return None
    try:
        return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError:
        return None


def read_fail_on(texts: Sequence[str], metrics: Sequence[str] = ()) -> tuple[FailOn, ...]:
    """Parse the conditions of `--fail-on`; each of *texts* holds one or more, separated by commas.

    A condition is `regression` or FIGURE OPERATOR BOUND, restricted to a subject if one precedes it with a
    colon. *metrics* are the names of custom metrics. Raises UsageError, also for a text without a condition.
    """
    if any(not _PARTS.search(text) or not text.replace(",", " ").strip() for text in texts):
        raise UsageError(
            "--fail-on has no condition", hint="omit it, or pass a condition such as 'null_share > +5%'"
        )
    return tuple(
        _fail_on(part.strip(), metrics) for text in texts for part in _PARTS.findall(text) if part.strip()
    )


def _fail_on(text: str, metrics: Sequence[str]) -> FailOn:
    found = _SUBJECT.fullmatch(text)
    named = _FIGURE.fullmatch(found["rest"]) if found else None
    if found is None or named is None:
        raise UsageError(
            f"Invalid --fail-on '{text}': expected FIGURE OPERATOR VALUE",
            hint="write for example 'null_share > +5%' or regression",
        )
    figure, rest = named[1], named[2].strip()
    known = [*FIGURES, REGRESSION, *metrics]
    if figure not in known:
        raise UnknownNameError("figure", figure, known, where=f"in --fail-on '{text}'")
    if figure == REGRESSION:
        if rest:
            raise UsageError(f"Invalid --fail-on '{text}': regression takes no comparison")
        return FailOn(figure=figure, condition=None, subject=found["subject"], text=text)
    if not rest:
        raise UsageError(
            f"Invalid --fail-on '{text}': no comparison", hint=f"write for example '{figure} > +5%'"
        )
    condition = read_condition(rest, has_sign=True)
    if figure in SHARES:
        _refuse_beyond_shares(condition, figure, text)
    return FailOn(figure=figure, condition=condition, subject=found["subject"], text=" ".join(text.split()))


def _refuse_beyond_shares(condition: Condition, figure: str, text: str) -> None:
    """Raise UsageError for a number that is impossible for a share, or a change of a share."""
    for bound in (condition.bound, condition.upper):
        if isinstance(bound, Decimal) and abs(bound) > 1:
            raise UsageError(
                f"Invalid --fail-on '{text}': {figure} cannot exceed 100%",
                hint=f"write shares with a percent sign: '{figure} > 5%'",
            )
