"""Comparison of rows without a key, as two multisets: the number of times each row occurs on either side.

Rows are grouped by a 64-bit hash of their values, with one scan per side. Rows that one side has more often
are added or removed. Two different rows with the same hash could hide a difference; among a hundred million
rows, the odds of any such pair are one in a few thousand.

If the sides are in two targets, neither warehouse can read the other:

1. Each side hashes its rows with MD5, over text that every warehouse writes alike (`portable`), and sums the
   hashes in 4,096 buckets.
2. For buckets that differ, the hashes and their counts are fetched. So the result is exact.
3. The rows of some differing hashes are fetched for display.

The number of hashes in the second step is known in advance; if it is too large, the diff fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, TypeAlias

from msgspec import structs
from sqlglot import exp

from recce_meta.data_diff.compare import ColumnComparison, comparison, hashed_type
from recce_meta.data_diff.keyed import excluded_names, wanted_names
from recce_meta.data_diff.options import ValueOptions
from recce_meta.data_diff.plan import Plan, Query, Rows, rows_of
from recce_meta.data_diff.portable import is_rounded_text, portable_value
from recce_meta.data_diff.source import (
    ColumnPair,
    LiveColumn,
    Pair,
    SideRelation,
    condition,
    describe,
    matched_columns,
    select_of,
    sides_of,
    with_alias,
)
from recce_meta.data_diff.value import fetchable, parse_fetched
from recce_meta.errors import UsageError, first_of
from recce_meta.models.data_diff import ROUNDED_DOUBLE, DataSide, DetailRow, RowsDiff
from recce_meta.warehouses.dialect import Dialect
from recce_meta.warehouses.types import ColumnType, Sql

MOST_RETYPED = 5
"""Most columns whose types a note names."""
GONE = "some of the rows that differ were not found again: each query computes other values"
HASH = "h"
Values = Callable[[DataSide], Sql]


@dataclass(frozen=True)
class RowColumn:
    """Column that is part of a whole-row comparison."""

    pair: ColumnPair
    value: Values
    """Value in the relation `t`, in a form that is identical for equal values of both sides."""
    is_rounded: bool = False
    """True if that form is a double that cannot hold all digits of both types."""

    def own(self, side: DataSide) -> LiveColumn:
        """Return the column of *side*."""
        return self.pair.base if side is DataSide.BASE else self.pair.current


@dataclass(frozen=True)
class RowHashes:
    """Both sides of a whole-row comparison; a missing side is None."""

    pair: Pair
    columns: tuple[RowColumn, ...]
    incomparable: tuple[str, ...]
    base_only: tuple[str, ...]
    current_only: tuple[str, ...]
    excluded: tuple[str, ...]
    """Columns that the options exclude."""
    options: ValueOptions

    def hashes_of(self, source: SideRelation, *others: Sql) -> exp.Select:
        """Select the hash h of each wanted row of *source*, and *others*, from the relation `t`."""
        values = [column.value(source.side) for column in self.columns]
        row_hash = (
            source.dialect.row_hash(values) if self._is_within_one else source.dialect.canonical.hash(values)
        )
        select = source.select(with_alias(row_hash, HASH), *others)
        if self.options.where:
            select = select.where(condition(self.options.where), copy=False)
        return select

    def sampled_hashes(self, source: SideRelation, *others: Sql) -> exp.Select:
        """Apply the sample to `hashes_of`: equal rows are either all in it or not at all."""
        select = self.hashes_of(source, *others)
        if not self.options.takes_sample:
            return select
        percent = self.options.sample or 100
        if self._is_within_one:
            values = [column.value(source.side) for column in self.columns]
            return select.where(source.dialect.sampled(values, percent), copy=False)
        inner = select.subquery("s", copy=False)
        names = [exp.column(each.alias_or_name, table="s") for each in select.selects]
        taken = source.dialect.canonical.sampled(exp.column(HASH, table="s"), percent)
        return select_of(*names).from_(inner, copy=False).where(taken, copy=False)

    def row_query(self, source: SideRelation, hashes: Iterable[object]) -> Query:
        """Select one row of *source* for each of *hashes*: the hash, then the stored values."""
        cells = [
            with_alias(column.own(source.side).of("t"), f"r{i}") for i, column in enumerate(self.columns)
        ]
        rows = self.sampled_hashes(source, *cells).subquery("t", copy=False)
        h = exp.column(HASH, table="t")
        # Snowflake requires an order for ROW_NUMBER. Rows with one hash are equal, so any order serves.
        number = exp.Window(
            this=exp.RowNumber(),
            partition_by=[h.copy()],
            order=exp.Order(expressions=[exp.Ordered(this=h.copy())]),
        )
        numbered = (
            select_of(
                h, *(exp.column(f"r{i}", table="t") for i in range(len(cells))), with_alias(number, "n")
            )
            .from_(rows, copy=False)
            .where(exp.In(this=h.copy(), expressions=[_literal(each) for each in hashes]), copy=False)
        )
        shown = [
            with_alias(
                fetchable(exp.column(f"r{i}", table="d"), column.own(source.side).type, source.dialect),
                f"r{i}",
            )
            for i, column in enumerate(self.columns)
        ]
        is_first = exp.EQ(this=exp.column("n", table="d"), expression=exp.Literal.number(1))
        return Query(
            expression=select_of(exp.column(HASH, table="d"), *shown)
            .from_(numbered.subquery("d", copy=False), copy=False)
            .where(is_first, copy=False),
            dialect=source.dialect,
            side=source.side,
            about=f"rows of {source.name} that differ",
            assumed=[],
        )

    def read(self, side: DataSide, rows: Rows) -> dict[object, tuple[object, ...]]:
        """Convert the rows of `row_query` to values by hash."""
        return {
            row[0]: tuple(
                parse_fetched(value, column.own(side).type)
                for column, value in zip(self.columns, row[1:], strict=True)
            )
            for row in rows
        }

    def answer(self, base_rows: int | None, current_rows: int | None, common: int) -> RowsDiff:
        """Return the result without any rows."""
        one_sided = self.pair.base is None or self.pair.current is None
        types = {
            column.pair.name: (column.pair.base.type.text, column.pair.current.type.text)
            for column in self.columns
            if self._is_within_one
        }
        retyped = {name: f"{name} ({a} → {b})" for name, (a, b) in types.items() if a != b}
        notes = [self.pair.one_sided_note] if one_sided else []
        if retyped:
            named = first_of(list(retyped.values()), MOST_RETYPED)
            notes.append(f"Values of other types compared: {named}")
        return RowsDiff(
            subject=self.pair.subject,
            notes=tuple(notes),
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
                if (column.is_rounded if self._is_within_one else is_rounded_text(column.pair))
            ),
            retyped=tuple(retyped),
            limit=self.options.limit,
            **self.options.narrowing(self.excluded),
        )

    @property
    def _is_within_one(self) -> bool:
        """Return True if hashes are compared within one warehouse."""
        return not self.pair.is_cross_warehouse


def row_hashes(pair: Pair, options: ValueOptions) -> Plan[RowHashes]:
    """Look up and match the columns of both sides of *pair*, in forms that can be compared.

    Raises UsageError if no column of both sides can be compared, and for options that need a key.
    """
    # Hashes find equal values only, and closeness is not transitive.
    if options.has_tolerance:
        raise UsageError("A tolerance requires a key", hint="name the key columns (--key)")
    sources = sides_of(pair)
    described = yield from describe(sources, options.cast)
    columns = matched_columns(sources, described[0], described[-1])
    wanted = wanted_names(pair, options, columns.common, (*columns.base_only, *columns.current_only))
    pairs = [each for each in columns.common if each.name in wanted]
    find = _apart if pair.is_cross_warehouse else _within
    found = [(each, find(each, pair, options)) for each in pairs]
    compared = tuple(column for _, column in found if column is not None)
    if not compared:
        raise UsageError(
            f"No comparable column of {pair.subject.name} found on both sides",
            hint="compare the schemas",
        )
    return RowHashes(
        pair=pair,
        columns=compared,
        incomparable=tuple(each.name for each, column in found if column is None),
        base_only=tuple(column.name for column in columns.base_only if column.name in wanted),
        current_only=tuple(column.name for column in columns.current_only if column.name in wanted),
        excluded=excluded_names(columns, wanted),
        options=options,
    )


def add_rows(
    sides: RowHashes,
    result: RowsDiff,
    counts: Mapping[Any, tuple[int, int]],
    wanted: Mapping[DataSide, Sequence[object]],
) -> Plan[RowsDiff]:
    """Add to *result* the rows whose hashes are the keys of *counts*, sorted by their values.

    *counts* contains the count of each hash on both sides, *wanted* the hashes to fetch from each side.
    *counts* may contain one more than the limit.
    """
    asked = [source for source in sides.pair.sides if wanted.get(source.side)]
    answers = yield [sides.row_query(source, wanted[source.side]) for source in asked]
    values = {
        source.side: sides.read(source.side, rows_of(answer))
        for source, answer in zip(asked, answers, strict=True)
    }
    before, after = (values.get(side, {}) for side in (DataSide.BASE, DataSide.CURRENT))
    asked_for = list(counts)[: result.limit]
    rows = [_detail_row(*counts[key], before.get(key), after.get(key)) for key in asked_for]
    found = sorted((row for row in rows if _own_values(row) is not None), key=_place)
    are_gone = len(found) < len(rows)
    return structs.replace(
        result,
        rows=tuple(found),
        is_cut=len(counts) > result.limit or are_gone,
        notes=(*result.notes, *[GONE] * are_gone),
    )


def _own_values(row: DetailRow) -> tuple[object, ...] | None:
    return row.base if row.status == "removed" else row.current


def _place(row: DetailRow) -> tuple[object, ...]:
    """Return the sort key of *row*: its values, NULL last, so that a removed row precedes a similar one."""
    return (*map(_sortable, _own_values(row) or ()), row.status == "added")


def _sortable(value: object) -> tuple[int, Any]:
    """Return *value* comparable with any other: numbers first, then texts, then None."""
    if value is None:
        return 2, 0
    if isinstance(value, (int, float, Decimal)) and value == value and not isinstance(value, bool):
        return 0, value
    return 1, str(value)


def _detail_row(
    base_count: int,
    current_count: int,
    base: tuple[object, ...] | None,
    current: tuple[object, ...] | None,
) -> DetailRow:
    """Return a row that one side has more often than the other."""
    return DetailRow(
        status="added" if current_count > base_count else "removed",
        key=(),
        base=base,
        current=current,
        base_count=base_count,
        current_count=current_count,
    )


def _within(each: ColumnPair, pair: Pair, options: ValueOptions) -> RowColumn | None:
    """Return a column of two sides that one query can read."""
    dialect = sides_of(pair)[-1].dialect
    how = comparison(each, dialect, options)
    is_cut = options.timestamp_precision is not None
    common = hashed_type(dialect, each.base.type, each.current.type, is_cut=is_cut)
    if how is None or common is None:
        return None
    return RowColumn(each, _values(replace(how, common=common)), common.label == ROUNDED_DOUBLE)


def _values(how: ColumnComparison) -> Values:
    of = how.common.type or ColumnType("", how.common.kind)

    def value(side: DataSide) -> Sql:
        own = how.base_value("t") if side is DataSide.BASE else how.current_value("t")
        return how.dialect.hashable(own, of)

    return value


def _apart(each: ColumnPair, pair: Pair, options: ValueOptions) -> RowColumn | None:
    """Return a column of two separate sides: its text, written alike in both."""
    base, current = sides_of(pair)
    texts = portable_value(each, base.dialect, current.dialect, options)
    return None if texts is None else RowColumn(each, lambda side: texts(side, "t"))


def _literal(value: object) -> Sql:
    return exp.Literal.string(value) if isinstance(value, str) else exp.Literal.number(int(str(value)))


# More buckets would send more sums for equal tables; fewer would fetch more hashes for one different row.
BUCKET_DIGITS = 3
"""Number of leading hexadecimal digits of a hash that name its bucket."""
# Three digits are the same within a bucket. Sums of 10 digits fit into 64 bits up to 8 million rows a bucket.
SLICES = ((4, 10), (14, 10), (24, 9))
"""Start and length of the slices of a hash that are summed."""
HASHES_AT_ONCE = 500_000
"""Maximum number of hashes fetched from a side by one query; each takes some hundred bytes of memory."""
MOST_HASHES = 20_000_000
"""Maximum number of hashes fetched from both sides in total."""
HASHES_TO_MENTION = 100_000

Sums: TypeAlias = dict[str, tuple[int, ...]]
"""Row count and hash sums by bucket."""


def cross_warehouse_rows_diff(sides: RowHashes) -> Plan[RowsDiff]:
    """Return the rows that one side has more often, for sides in two targets."""
    base, current = sides.pair.sides
    answers = yield [_buckets(sides, source) for source in (base, current)]
    before, after = (_sums(rows_of(answer)) for answer in answers)
    differing = sorted(bucket for bucket in before.keys() | after if before.get(bucket) != after.get(bucket))
    to_fetch = sum(side.get(bucket, (0,))[0] for bucket in differing for side in (before, after))
    if to_fetch > MOST_HASHES:
        raise UsageError(
            f"Diff of {sides.pair.subject.name} too large: the hashes of {to_fetch:,} rows would have to be "
            "fetched",
            hint="compare a sample, or restrict the rows with a condition",
        )
    common = sum(before[bucket][0] for bucket in before if before[bucket] == after.get(bucket))
    counts: dict[str, tuple[int, int]] = {}
    for part in _parts(differing, before, after):
        answers = yield [_hashes(sides, source, part) for source in (base, current)]
        found = _merged(*(rows_of(answer) for answer in answers))
        common += sum(min(pair) for pair in found.values())
        wanted = sides.options.limit + 1 - len(counts)
        # Buckets are prefixes of hashes and come in order, so all first rows are the smallest hashes.
        unequal = sorted(key for key, (left, right) in found.items() if left != right)
        counts |= {key: found[key] for key in unequal[:wanted]}
    result = sides.answer(_rows(before), _rows(after), common)
    if to_fetch > HASHES_TO_MENTION:
        note = f"the hashes of {to_fetch:,} rows were fetched, because their buckets differ"
        result = structs.replace(result, notes=(*result.notes, note))
    first = list(counts)[: result.limit]
    chosen = {
        side: [key for key in first if counts[key][place]]
        for place, side in enumerate((DataSide.BASE, DataSide.CURRENT))
    }
    return (yield from add_rows(sides, result, counts, chosen))


def _buckets(sides: RowHashes, source: SideRelation) -> Query:
    """Select each bucket with its row count and the sums of two slices of its hashes."""
    dialect = source.dialect
    bucket = _bucket("t")
    sums = [
        with_alias(exp.Sum(this=dialect.hex_number(_digits("t", start, length))), f"sum_{i}")
        for i, (start, length) in enumerate(SLICES)
    ]
    count = with_alias(exp.Count(this=exp.Star()), "n")
    return Query(
        expression=select_of(with_alias(bucket, "bucket"), count, *sums)
        .from_(dialect.evaluated_once(sides.sampled_hashes(source)).subquery("t", copy=False), copy=False)
        .group_by(bucket.copy(), copy=False),
        dialect=dialect,
        side=source.side,
        about=f"rows of {source.name} in {16**BUCKET_DIGITS:,} buckets",
        assumed=[("000", 1, int(source.side is DataSide.BASE), *(0 for _ in SLICES[1:]))],
    )


def _hashes(sides: RowHashes, source: SideRelation, buckets: Sequence[str]) -> Query:
    """Select the hashes in *buckets* with their counts."""
    among = exp.In(this=_bucket("t"), expressions=[exp.Literal.string(each) for each in buckets])
    h = exp.column(HASH, table="t")
    select = select_of(h, with_alias(exp.Count(this=exp.Star()), "n")).from_(
        sides.sampled_hashes(source).subquery("t", copy=False), copy=False
    )
    return Query(
        expression=(
            select if len(buckets) == 16**BUCKET_DIGITS else select.where(among, copy=False)
        ).group_by(h.copy(), copy=False),
        dialect=source.dialect,
        side=source.side,
        about=f"hashes of {source.name} in {len(buckets):,} buckets",
        assumed=[("0" * 31 + str(int(source.side is DataSide.BASE)), 1)],
    )


def _parts(differing: Sequence[str], before: Sums, after: Sums) -> Iterator[list[str]]:
    """Split the *differing* buckets into parts that can be fetched by one query each."""
    part: list[str] = []
    rows = 0
    for bucket in differing:
        # Each side is a query of its own, so the larger side counts.
        more = max(side.get(bucket, (0,))[0] for side in (before, after))
        if part and rows + more > HASHES_AT_ONCE:
            yield part
            part, rows = [], 0
        part.append(bucket)
        rows += more
    if part:
        yield part


def _merged(base: Rows, current: Rows) -> dict[str, tuple[int, int]]:
    before = {str(key): int(count) for key, count in base}
    after = {str(key): int(count) for key, count in current}
    return {key: (before.get(key, 0), after.get(key, 0)) for key in before.keys() | after}


def _sums(rows: Iterable[Sequence[object]]) -> Sums:
    return {str(row[0]): tuple(int(str(figure)) for figure in row[1:]) for row in rows}


def _rows(sums: Sums) -> int:
    return sum(figures[0] for figures in sums.values())


def _bucket(alias: str) -> Sql:
    return _digits(alias, 1, BUCKET_DIGITS)


def _digits(alias: str, start: int, length: int) -> Sql:
    return exp.Substring(
        this=exp.column(HASH, table=alias),
        start=exp.Literal.number(start),
        length=exp.Literal.number(length),
    )


COUNTS = {DataSide.BASE: "n_base", DataSide.CURRENT: "n_current"}


def rows_diff(pair: Pair, options: ValueOptions) -> Plan[RowsDiff]:
    """Return the rows of *pair* that one side has more often than the other.

    The sides may be in two targets. If a side is missing, all rows of the other are added or removed. Raises
    UsageError if no column can be compared, or for a tolerance, and the queries' errors.
    """
    sides = yield from row_hashes(pair, options)
    if pair.is_cross_warehouse:
        return (yield from cross_warehouse_rows_diff(sides))
    dialect = pair.sides[-1].dialect
    (answer,) = yield [_totals(sides, dialect)]
    base, current, common = (int(figure) for figure in rows_of(answer)[0])
    result = sides.answer(
        None if pair.base is None else base, None if pair.current is None else current, common
    )
    if not options.limit or not (result.added or result.removed):
        return result
    (answer,) = yield [_differing(sides, dialect)]
    counts = {row[0]: (int(row[1]), int(row[2])) for row in rows_of(answer)}
    first = list(counts)[: result.limit]
    return (yield from add_rows(sides, result, counts, dict.fromkeys(DataSide, first)))


def _grouped(sides: RowHashes, dialect: Dialect) -> exp.Select:
    """Select each hash with its count on either side."""
    parts = []
    for source in sides.pair.sides:
        numbers = [
            with_alias(exp.Literal.number(int(source.side is side)), name) for side, name in COUNTS.items()
        ]
        hashes = sides.sampled_hashes(source).subquery("t", copy=False)
        parts.append(select_of(exp.column(HASH, table="t"), *numbers).from_(hashes, copy=False))
    both: exp.Select | exp.Union = parts[0]
    for part in parts[1:]:
        both = exp.Union(this=both, expression=part, distinct=False)
    h = exp.column(HASH, table="u")
    sums = [with_alias(exp.Sum(this=exp.column(name, table="u")), name) for name in COUNTS.values()]
    return (
        select_of(h, *sums).from_(both.subquery("u", copy=False), copy=False).group_by(h.copy(), copy=False)
    )


def _totals(sides: RowHashes, dialect: Dialect) -> Query:
    """Count the rows of base, the rows of current, and the rows that both have."""
    base, current = (exp.column(name, table="g") for name in COUNTS.values())
    fewer = exp.Case().when(exp.LT(this=base.copy(), expression=current.copy()), base.copy())
    common = fewer.else_(current.copy())
    figures = {"base_rows": base, "current_rows": current, "common": common}
    return Query(
        expression=select_of(
            *(with_alias(dialect.aggregates.sum_of(figure), name) for name, figure in figures.items())
        ).from_(_grouped(sides, dialect).subquery("g", copy=False), copy=False),
        dialect=dialect,
        about=f"rows of {sides.pair.subject.name}",
        side=sides.pair.sides[-1].side,
        assumed=[(1, 1, 0)],
    )


def _differing(sides: RowHashes, dialect: Dialect) -> Query:
    """Select the first hashes that one side has more often."""
    names = (HASH, *COUNTS.values())
    base, current = (exp.column(name, table="g") for name in COUNTS.values())
    return Query(
        expression=select_of(*(exp.column(name, table="g") for name in names))
        .from_(_grouped(sides, dialect).subquery("g", copy=False), copy=False)
        .where(exp.NEQ(this=base, expression=current), copy=False)
        .order_by(exp.Ordered(this=exp.column(HASH, table="g"), desc=False, nulls_first=False), copy=False)
        .limit(sides.options.limit + 1, copy=False),
        dialect=dialect,
        about=f"rows of {sides.pair.subject.name} that differ",
        side=sides.pair.sides[-1].side,
        assumed=[(1, 0, 1)],
    )
