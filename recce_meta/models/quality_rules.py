"""What users measure besides, and what they expect of figures: the file of metrics, and `--fail-on`.

`extractors.quality_file` reads the first, `diff.quality_conditions` reads conditions and judges with them.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import TypeAlias

from msgspec import Struct

Bound: TypeAlias = Decimal | bool | str | date | datetime | None
"""What a figure is compared with; shares are fractions (0.05 for `5%`), None is NULL."""


class Operator(str, Enum):
    """How a figure is compared."""

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
    """Of `between`, whose both ends belong to it."""
    is_percent: bool = False
    """Whether the bound was written in per cent."""
    is_change: bool = False
    """Whether it is about the difference from an earlier measurement: the bound has a sign."""
    text: str
    """As it was written."""

    def __str__(self) -> str:
        return self.text


class Expectation(Struct, frozen=True, kw_only=True):
    """What is expected of one of the figures that are measured anyway."""

    figure: str
    """row_count, null_share, score, …"""
    condition: Condition
    line: int
    """Where it stands in the file, from 1."""


class CustomMetric(Struct, frozen=True, kw_only=True):
    """A figure of the user's own."""

    name: str
    sql: str
    """An aggregate expression over the table, in the warehouse's SQL."""
    condition: Condition | None = None
    line: int


class ColumnRules(Struct, frozen=True, kw_only=True):
    """What the file says of one column."""

    name: str
    metrics: tuple[CustomMetric, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    is_private: bool | None = None
    """Whether its values are withheld; None: as its name says."""
    line: int


class TableRules(Struct, frozen=True, kw_only=True):
    """What the file says of one table, or of those that a selection names."""

    name: str | None = None
    """A node's name, `schema.table`, or a unique id; None where `select` says which."""
    select: str | None = None
    """In dbt's selection grammar."""
    metrics: tuple[CustomMetric, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    columns: tuple[ColumnRules, ...] = ()
    line: int


class QualityRules(Struct, frozen=True, kw_only=True):
    """A file of metrics."""

    path: str
    tables: tuple[TableRules, ...] = ()
    private: tuple[str, ...] = ()
    """Patterns of columns whose values are withheld, beside those that always are."""


class FailOn(Struct, frozen=True, kw_only=True):
    """One condition of `--fail-on`."""

    figure: str
    condition: Condition | None
    """None of `regression`, which has none."""
    subject: str | None = None
    """`film` or `film.rating`, with `*` for any letters; None: everything that was measured."""
    text: str
    """As it was written."""
