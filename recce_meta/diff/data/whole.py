"""Rows compared whole: which columns take part, and the SQL that gives each row's hash and values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from msgspec import structs
from sqlglot import exp

from recce_meta.dialects import ColumnType, Kind, Sql
from recce_meta.diff.data.cells import as_read, fetched
from recce_meta.diff.data.choice import sides_of
from recce_meta.diff.data.common_type import hashed_type
from recce_meta.diff.data.compare import Comparison, comparison
from recce_meta.diff.data.keyed import excluded_names, wanted_names
from recce_meta.diff.data.plan import Plan, Query, Rows, rows_of
from recce_meta.diff.data.portable import portable_value
from recce_meta.diff.data.settings import ValueOptions
from recce_meta.diff.data.source import (
    ColumnPair,
    Columns,
    LiveColumn,
    Pair,
    Source,
    condition,
    describe,
    matched,
)
from recce_meta.diff.data.sql import aliased, selecting
from recce_meta.errors import UsageError
from recce_meta.models.data_diff import ROUNDED_DOUBLE, DataSide, DetailRow, RowsDiff

HASH = "h"
MICROSECONDS = 6
"""Digits of a second in a portable text."""
Values = Callable[[DataSide], Sql]


@dataclass(frozen=True)
class RowColumn:
    """A column that takes part in the comparison of whole rows."""

    pair: ColumnPair
    value: Values
    """Its value in the relation called `t`, in a form that is the same for equal values of either side."""
    is_rounded: bool = False
    """Whether that form is a double, which does not hold all digits of both types."""

    def own(self, side: DataSide) -> LiveColumn:
        """The column of *side*."""
        return self.pair.base if side is DataSide.BASE else self.pair.current


@dataclass(frozen=True)
class Whole:
    """Both sides of a comparison of whole rows; where one is missing, it is None."""

    pair: Pair
    columns: tuple[RowColumn, ...]
    incomparable: tuple[str, ...]
    base_only: tuple[str, ...]
    current_only: tuple[str, ...]
    excluded: tuple[str, ...]
    """Columns that the options leave out."""
    options: ValueOptions

    def hashed(self, source: Source, *others: Sql) -> exp.Select:
        """The hash h of each row of *source* that the user wants, and *others*, of the relation `t`."""
        values = [column.value(source.side) for column in self.columns]
        row_hash = (
            source.dialect.row_hash(values) if self._is_within_one else source.dialect.portable_hash(values)
        )
        select = source.select(aliased(row_hash, HASH), *others)
        if self.options.where:
            select = select.where(condition(self.options.where), copy=False)
        return select

    def sampled(self, source: Source, *others: Sql) -> exp.Select:
        """The same, of the share of rows that the user wants: equal rows are all in it, or none of them."""
        select = self.hashed(source, *others)
        if not self.options.takes_sample:
            return select
        percent = self.options.sample or 100
        if self._is_within_one:
            values = [column.value(source.side) for column in self.columns]
            return select.where(source.dialect.sampled(values, percent), copy=False)
        inner = select.subquery("s", copy=False)
        names = [exp.column(each.alias_or_name, table="s") for each in select.selects]
        taken = source.dialect.portable_sampled(exp.column(HASH, table="s"), percent)
        return selecting(*names).from_(inner, copy=False).where(taken, copy=False)

    def chosen(self, source: Source, hashes: Iterable[object]) -> Query:
        """One row of *source* for each of *hashes*: the hash, then the stored values."""
        cells = [aliased(column.own(source.side).of("t"), f"r{i}") for i, column in enumerate(self.columns)]
        rows = self.sampled(source, *cells).subquery("t", copy=False)
        h = exp.column(HASH, table="t")
        number = exp.Window(
            this=exp.RowNumber(),
            partition_by=[h.copy()],
            order=exp.Order(expressions=[exp.Ordered(this=h.copy())]),
        )
        numbered = (
            selecting(h, *(exp.column(f"r{i}", table="t") for i in range(len(cells))), aliased(number, "n"))
            .from_(rows, copy=False)
            .where(exp.In(this=h.copy(), expressions=[_literal(each) for each in hashes]), copy=False)
        )
        shown = [
            aliased(
                fetched(exp.column(f"r{i}", table="d"), column.own(source.side).type, source.dialect), f"r{i}"
            )
            for i, column in enumerate(self.columns)
        ]
        is_first = exp.EQ(this=exp.column("n", table="d"), expression=exp.Literal.number(1))
        return Query(
            expression=selecting(exp.column(HASH, table="d"), *shown)
            .from_(numbered.subquery("d", copy=False), copy=False)
            .where(is_first, copy=False),
            dialect=source.dialect,
            side=source.side,
            about=f"rows of {source.name} that differ",
            assumed=[],
        )

    def read(self, side: DataSide, rows: Rows) -> dict[object, tuple[object, ...]]:
        """What came of `chosen`: values by hash."""
        return {
            row[0]: tuple(
                as_read(value, column.own(side).type)
                for column, value in zip(self.columns, row[1:], strict=True)
            )
            for row in rows
        }

    def answer(self, base_rows: int | None, current_rows: int | None, common: int) -> RowsDiff:
        """The answer without any rows."""
        one_sided = self.pair.base is None or self.pair.current is None
        return RowsDiff(
            subject=self.pair.subject,
            notes=(self.pair.one_sided_note,) if one_sided else (),
            columns=tuple(column.pair.name for column in self.columns),
            base_rows=base_rows,
            current_rows=current_rows,
            common=common,
            added=(current_rows or 0) - common,
            removed=(base_rows or 0) - common,
            base_only=self.base_only,
            current_only=self.current_only,
            incomparable=self.incomparable,
            rounded=tuple(
                column.pair.name
                for column in self.columns
                if (column.is_rounded if self._is_within_one else _is_rounded_text(column))
            ),
            limit=self.options.limit,
            **self.options.narrowing(self.excluded),
        )

    @property
    def _is_within_one(self) -> bool:
        """Whether hashes are compared within one warehouse."""
        return not self.pair.is_apart


def whole(pair: Pair, options: ValueOptions) -> Plan[Whole]:
    """The sides of *pair* with their columns looked up, matched, and brought into forms that compare.

    Raises UsageError where no column of both sides can be compared, and for options that need a key.
    """
    if options.has_tolerance:
        raise UsageError("Rows without a key are equal or not: a tolerance needs a key", hint="name a key")
    sources = sides_of(pair)
    described = yield from describe(sources)
    columns = _matched(described[0], described[-1], sources)
    wanted = wanted_names(pair, options, columns.common, (*columns.base_only, *columns.current_only))
    pairs = [each for each in columns.common if each.name in wanted]
    find = _apart if pair.is_apart else _within
    found = [(each, find(each, pair, options)) for each in pairs]
    compared = tuple(column for _, column in found if column is not None)
    if not compared:
        raise UsageError(
            f"{pair.subject.name} has no column that is on both sides and can be compared",
            hint="compare the schemas",
        )
    return Whole(
        pair=pair,
        columns=compared,
        incomparable=tuple(each.name for each, column in found if column is None),
        base_only=tuple(column.name for column in columns.base_only if column.name in wanted),
        current_only=tuple(column.name for column in columns.current_only if column.name in wanted),
        excluded=excluded_names(columns, wanted),
        options=options,
    )


def with_rows(
    sides: Whole,
    result: RowsDiff,
    counts: Mapping[Any, tuple[int, int]],
    wanted: Mapping[DataSide, Sequence[object]],
) -> Plan[RowsDiff]:
    """*result* with the rows whose hashes are the keys of *counts*, in that order.

    *counts* says how often each side has a hash, *wanted* are the hashes that each side is asked for. One
    more than the limit may be counted.
    """
    asked = [source for source in sides.pair.sides if wanted.get(source.side)]
    answers = yield [sides.chosen(source, wanted[source.side]) for source in asked]
    values = {
        source.side: sides.read(source.side, rows_of(answer))
        for source, answer in zip(asked, answers, strict=True)
    }
    before, after = (values.get(side, {}) for side in (DataSide.BASE, DataSide.CURRENT))
    rows = [_detail_row(*counts[key], before.get(key), after.get(key)) for key in counts]
    return structs.replace(result, rows=tuple(rows[: result.limit]), is_cut=len(rows) > result.limit)


def _detail_row(
    base_count: int,
    current_count: int,
    base: tuple[object, ...] | None,
    current: tuple[object, ...] | None,
) -> DetailRow:
    """A row that one side has more often than the other."""
    return DetailRow(
        status="added" if current_count > base_count else "removed",
        key=(),
        base=base,
        current=current,
        base_count=base_count,
        current_count=current_count,
    )


def _within(each: ColumnPair, pair: Pair, options: ValueOptions) -> RowColumn | None:
    """A column of two sides that one statement reads."""
    dialect = sides_of(pair)[-1].dialect
    how = comparison(each, dialect, options)
    is_cut = options.timestamp_precision is not None
    common = hashed_type(dialect, each.base.type, each.current.type, is_cut=is_cut)
    if how is None or common is None:
        return None
    return RowColumn(each, _values(replace(how, common=common)), common.label == ROUNDED_DOUBLE)


def _values(how: Comparison) -> Values:
    of = how.common.type or ColumnType("", how.common.kind)

    def value(side: DataSide) -> Sql:
        own = how.base_value("t") if side is DataSide.BASE else how.current_value("t")
        return how.dialect.hashable(own, of)

    return value


def _apart(each: ColumnPair, pair: Pair, options: ValueOptions) -> RowColumn | None:
    """A column of two sides that are in two places: its text, written alike in both."""
    base, current = sides_of(pair)
    texts = portable_value(each, base.dialect, current.dialect, options)
    return None if texts is None else RowColumn(each, lambda side: texts(side, "t"))


def _is_rounded_text(column: RowColumn) -> bool:
    """Whether the portable text of *column* lacks digits."""
    types = (column.pair.base.type, column.pair.current.type)
    is_float = any(of.kind is Kind.FLOAT for of in types)
    is_fine = any(
        of.kind.is_point_in_time and ((of.precision or 0) > MICROSECONDS or "_NS" in of.text.upper())
        for of in types
    )
    return is_float or is_fine


def _matched(base: Sequence[LiveColumn], current: Sequence[LiveColumn], sources: Sequence[Source]) -> Columns:
    """Columns of both sides paired; those of two kinds of warehouses in any case, where that is clear."""
    fold: Callable[[str], str] = sources[-1].dialect.fold
    if sources[0].dialect.name != sources[-1].dialect.name:
        sides = [[column.name.casefold() for column in side] for side in (base, current)]
        if all(len(set(names)) == len(names) for names in sides):
            fold = str.casefold
    return matched(base, current, fold)


def _literal(value: object) -> Sql:
    return exp.Literal.string(value) if isinstance(value, str) else exp.Literal.number(int(str(value)))
