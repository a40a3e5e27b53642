"""Values by key across two targets: rows that may differ are fetched and compared in a scratch database.

1. The columns of both sides are looked up, and rows and keys counted on each side.
2. Each side sums the hashes of its rows in buckets: the first digits of the hash of the key, or the remainder
   of a key that is one whole number, which needs no second hash. Rows whose key is NULL take no part. If a
   key is repeated, its bucket counts as different.
3. The rows of buckets that differ are fetched as one text each (`portable`) into the scratch database. There,
   a column gets the type of its kind if every value of that type gives its text back, else it stays text.
4. The plans for sides of one connection compare them there, so that all figures and options mean the same.
   Rows of equal buckets are added to their result.
5. The texts are compared as well (`_verify`): values with different texts are equal only by an option.

A bucket that differs looks equal once in a million million times. Sums have 40 bits, as SQLite's are limited
to 63, and are not combined by XOR, which equal rows would leave unchanged.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cached_property
from typing import Any, TypeVar

from msgspec import structs
from sqlglot import exp

from recce_meta.data_diff.compare import no_common_type
from recce_meta.data_diff.keyed import (
    chosen_key,
    excluded_names,
    keyed_sides,
    uniqueness,
    unlike_keys,
    wanted_names,
)
from recce_meta.data_diff.options import ValueOptions
from recce_meta.data_diff.plan import Loaded, Plan, Query, rows_of, run_locally
from recce_meta.data_diff.portable import (
    PortableValue,
    common_kind,
    is_rounded_text,
    parse_portable,
    portable_value,
)
from recce_meta.data_diff.source import (
    ColumnPair,
    LiveColumn,
    MatchedColumns,
    Pair,
    SideRelation,
    condition,
    describe,
    is_not_null,
    matched_columns,
    select_of,
    verbatim,
    with_alias,
)
from recce_meta.errors import RecceMetaError, UsageError
from recce_meta.models.data_diff import (
    ColumnValues,
    DataSide,
    DetailRow,
    KeyCounts,
    Value,
    ValueDetail,
    ValueDiff,
    rounded_label,
)
from recce_meta.warehouses.arithmetic import all_of, any_of
from recce_meta.warehouses.dialect import LINE_BREAKS, PORTABLE_ESCAPES, dialect_named
from recce_meta.warehouses.types import ColumnType, Kind, Sql

FEW_ROWS = 20_000
"""Rows of a side up to which all are fetched, as sums would cost another scan."""
_ASSUMED_ROWS = FEW_ROWS + 1
"""Rows of each side of a printed plan, so that it shows the sums."""
MANY_ROWS = 1_000_000
"""Rows of a side above which buckets have one digit more: PostgreSQL would spill so many groups to disk."""
_PRIMES = {3: 4_093, 4: 65_521}
"""Divisors of whole numbers, by digits of hashes: of nearly as many buckets, which multiples do not share."""
MOST_ROWS = 10_000_000
"""Maximum number of rows fetched from a side."""
SUMMED = (4, 10)
"""Start and length of the digits of a row's hash that are summed; the first ones are the same in a bucket."""
BUCKETS_IN_LIST = 10_000
"""Values of one IN; Snowflake refuses more than 16,384."""

_SCRATCH = dialect_named("duckdb")
_TYPES = {
    Kind.INTEGER: "HUGEINT",
    Kind.FLOAT: "DOUBLE",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.DATE: "DATE",
    Kind.TIMESTAMP: "TIMESTAMP",
    # Its text is in UTC, and a session has a zone of its own.
    Kind.TIMESTAMPTZ: "TIMESTAMP",
    Kind.TIME: "TIME",
    Kind.UUID: "UUID",
}
"""Types of the scratch database. Decimals have the scale of their values; all others are texts."""
_DECIMAL_DIGITS = 38
_ENCODED = frozenset([Kind.ARRAY, Kind.STRUCT, Kind.MAP, Kind.INTERVAL])
"""Kinds whose canonical text may be a code, after which their lines have the text to read."""
_BEFORE_TEXT = "~S"
# `decimal` would round silently, so its texts are examined instead of cast.
_IS_DECIMAL = r"'-?[0-9]+(\.[0-9]+)?'"

Compared = TypeVar("Compared", ValueDiff, ValueDetail)


@dataclass(frozen=True)
class _WrittenColumn:
    """Column of both sides that can be written alike."""

    pair: ColumnPair
    kind: Kind
    """Kind as which both sides are written."""
    hashed: PortableValue
    """Text that is equal if the options make the values equal."""
    shown: PortableValue
    """Text with all that the options ignore."""
    is_encoded: bool
    """True if `shown` has two parts: what is compared, and what is read."""

    def own(self, side: DataSide) -> LiveColumn:
        """Return the column of *side*."""
        return self.pair.base if side is DataSide.BASE else self.pair.current


@dataclass(frozen=True)
class _SeparateSides:
    """Both sides with their columns, the key's first."""

    pair: Pair
    options: ValueOptions
    matched: MatchedColumns
    key: tuple[_WrittenColumn, ...]
    key_source: str
    values: tuple[_WrittenColumn, ...]
    common: tuple[ColumnPair, ...]
    """Columns of both sides, which may not be written alike, without the key."""
    wanted: Collection[str]

    @property
    def columns(self) -> tuple[_WrittenColumn, ...]:
        return (*self.key, *self.values)

    @property
    def is_key_rounded(self) -> bool:
        """Return True if different keys may have one text."""
        return any(is_rounded_text(column.pair) for column in self.key)

    @cached_property
    def sources(self) -> tuple[SideRelation, ...]:
        """Return the rows of each side that the options leave."""
        return tuple(map(self._narrowed, self.pair.sides))

    def _narrowed(self, source: SideRelation) -> SideRelation:
        conditions = [condition(self.options.where)] if self.options.where else []
        if self.options.takes_sample:
            hashed = source.dialect.canonical.hash(_texts(self.key, source))
            conditions.append(source.dialect.canonical.sampled(hashed, self.options.sample or 100))
        if not conditions:
            return source
        rows = source.select(exp.Star()).where(*conditions, copy=False)
        return structs.replace(source, relation=rows.subquery(copy=False))

    def count(self, source: SideRelation) -> Query:
        """Count rows, rows without NULL in the key, and distinct keys of *source*."""
        is_base = source.side is DataSide.BASE
        alone = Pair(
            subject=self.pair.subject, base=source if is_base else None, current=None if is_base else source
        )
        names = tuple(column.own(source.side).name for column in self.key)
        live = self.matched.base if is_base else self.matched.current
        counted = uniqueness(
            keyed_sides(alone, ValueOptions(key=names, columns=names), live, live), source.side
        )
        return structs.replace(counted, assumed=[(_ASSUMED_ROWS,) * 3])

    def _rows(self, source: SideRelation, *others: Sql) -> exp.Select:
        """Select *others* of each row with a key."""
        keys = [is_not_null(column.own(source.side).of("t")) for column in self.key]
        return source.select(*others).where(all_of(keys), copy=False)

    def number_of_buckets(self, digits: int) -> int:
        return _PRIMES[digits] if self.is_key_whole else 16**digits

    @property
    def is_key_whole(self) -> bool:
        types = [column.own(side).type for column in self.key for side in DataSide]
        return len(self.key) == 1 and all(of.kind is Kind.INTEGER for of in types)

    def _bucket(self, source: SideRelation, digits: int) -> Sql:
        if self.is_key_whole:
            divisor = exp.Literal.number(_PRIMES[digits])
            rest = exp.Mod(this=self.key[0].own(source.side).of("t"), expression=divisor)
            return with_alias(exp.Abs(this=rest), "b")
        return with_alias(_digits(source.dialect.canonical.hash(_texts(self.key, source)), 1, digits), "b")

    def sums(self, source: SideRelation, digits: int, *, counts_keys: bool) -> Query:
        """Select each bucket with its rows and the sum of their hashes, and the number of keys if asked."""
        dialect = source.dialect
        row = with_alias(dialect.canonical.hash(_texts(self.columns, source)), "h")
        keys = [with_alias(dialect.canonical.hash(_texts(self.key, source)), "k")] if counts_keys else []
        rows = self._rows(source, self._bucket(source, digits), row, *keys)
        figures: list[Sql] = [
            exp.Count(this=exp.Star()),
            exp.Sum(this=dialect.hex_number(_digits(exp.column("h", table="t"), *SUMMED))),
        ]
        if counts_keys:
            figures.append(exp.Count(this=exp.Distinct(expressions=[exp.column("k", table="t")])))
        bucket = exp.column("b", table="t")
        return Query(
            expression=select_of(bucket, *(with_alias(one, f"f{i}") for i, one in enumerate(figures)))
            .from_(dialect.evaluated_once(rows).subquery("t", copy=False), copy=False)
            .group_by(bucket.copy(), copy=False),
            dialect=dialect,
            side=source.side,
            about=f"rows of {source.name} in {self.number_of_buckets(digits):,} parts",
            assumed=[
                (
                    0 if self.is_key_whole else "0" * digits,
                    _ASSUMED_ROWS,
                    int(source.side is DataSide.BASE),
                    _ASSUMED_ROWS,
                )
            ],
        )

    def lines(self, source: SideRelation, buckets: Sequence[str | int] | None, digits: int) -> Query:
        """Select each row as one text, of all rows with a key or only those in *buckets*."""
        line = with_alias(source.dialect.canonical.line(_texts(self.columns, source, is_shown=True)), "line")
        about = f"rows of {source.name}"
        expression = self._rows(source, line)
        if buckets is not None:
            about += " that may differ"
            rows = self._rows(source, self._bucket(source, digits), line).subquery("t", copy=False)
            among = [
                exp.In(
                    this=exp.column("b", table="t"),
                    expressions=[exp.convert(one) for one in buckets[at : at + BUCKETS_IN_LIST]],
                )
                for at in range(0, len(buckets), BUCKETS_IN_LIST)
            ]
            expression = select_of(exp.column("line", table="t")).from_(rows, copy=False)
            expression = expression.where(any_of(among), copy=False)
        return Query(
            expression=expression,
            dialect=source.dialect,
            side=source.side,
            about=about,
            assumed=[(_ASSUMED_ROWS,)],
            loads=self.loaded(source),
        )

    def loaded(self, source: SideRelation) -> Loaded:
        """Return the table of the scratch database for the lines of *source*."""
        return Loaded(f"{source.side.value}_lines", len(self.columns))


@dataclass(frozen=True)
class Differences:
    """Rows that may differ, in the scratch database, and what is known of all others."""

    sides: _SeparateSides
    counts: Mapping[DataSide, tuple[int, int]]
    """Rows of each side, and those with a key."""
    equal: int
    """Rows of equal buckets."""
    types: Mapping[str, str | None]
    """Type of each column c0, c1, … in the scratch database; None for texts."""
    differing: int
    """Number of buckets that differ; 0 if all rows were fetched."""
    note: str
    texts: dict[tuple[int, str], str | None] = field(default_factory=dict)
    """Text of each encoded value of the results, by the index of its column; None if not yet read."""

    def compare(self, plan: Callable[[Pair, ValueOptions], Plan[Compared]]) -> Plan[Compared]:
        """Compare the rows by *plan*, for sides of one connection, and add the rows that are equal."""
        sides = self.sides
        sources = (
            SideRelation(
                relation=exp.to_table(f"{source.side.value}_rows"),
                dialect=_SCRATCH,
                side=source.side,
                name=source.name,
            )
            for source in sides.pair.sides
        )
        base, current = sources
        local = Pair(subject=sides.pair.subject, base=base, current=current)
        # Each row is in the scratch database because the options let it through.
        options = structs.replace(
            sides.options,
            key=tuple(f"c{i}" for i in range(len(sides.key))),
            columns=(),
            exclude_columns=(),
            where=None,
            sample=None,
            cast=(),
        )
        found = yield from run_locally(plan(local, options))
        yield from self._verify(found)
        written = self._detail if isinstance(found, ValueDetail) else self._values
        if any(column.is_encoded for column in self.sides.columns):
            written(found)  # notes which values need a text
            yield from self._read_texts()
        return written(found)

    def _verify(self, found: ValueDiff | ValueDetail) -> Plan[None]:
        """Raise RecceMetaError if *found* calls different texts of one key equal, unexplained by options."""
        columns = range(len(self.sides.key), len(self.sides.columns))
        (answer,) = yield [_local(self._unlike_texts(columns, has_repeated=bool(found.left_out)))]
        changed, *unlike = (int(number) for number in rows_of(answer)[0])
        exact = [i for i in columns if not self._is_explained(self.sides.columns[i])]
        is_exact = len(exact) == len(columns)
        if isinstance(found, ValueDiff):
            counted = {i: found.columns[i].mismatched for i in exact}
            is_wrong = any(number not in (None, unlike[i - columns.start]) for i, number in counted.items())
        else:
            shown = sum(row.status == "changed" for row in found.rows)
            is_wrong = is_exact and not found.is_cut and shown != changed
        # A row whose key is repeated may differ although no row with a key of its own does.
        is_lost = self.differing and found.is_equal is not False and is_exact and not found.left_out
        if is_wrong or is_lost:
            raise RecceMetaError(
                f"Comparison of {self.sides.pair.subject.name} failed: different texts count as equal",
                hint="this is a bug, please report it with the types of the columns",
            )

    def _is_explained(self, column: _WrittenColumn) -> bool:
        """Return True if an option makes different values of *column* equal."""
        options = self.sides.options
        if column.kind.is_number:
            return options.has_tolerance
        if column.kind.is_point_in_time:
            return options.timestamp_precision is not None
        return column.kind is Kind.TEXT and options.ignores_in_texts

    def _unlike_texts(self, columns: Sequence[int], *, has_repeated: bool) -> Sql:
        """Count the rows of both sides with one key and different texts: in any and in each of *columns*."""
        keys = [f"{_value(f'c{i}', self.types[f'c{i}'])} AS k{i}" for i in range(len(self.sides.key))]
        names = ", ".join(f"k{i}" for i in range(len(keys)))
        texts = [
            f"{_part(f'c{i}', 1) if self.sides.columns[i].is_encoded else f'c{i}'} AS t{i}" for i in columns
        ]
        sides = [select_of(*map(verbatim, (*keys, *texts))).from_(f"{side.value}_lines") for side in DataSide]
        if has_repeated:
            # DuckDB 2.0 loses rows in a join of two subqueries with a window.
            only = [verbatim(f"any_value(t{i}) AS t{i}") for i in columns]
            sides = [
                select_of(verbatim(names), *(one.copy() for one in only))
                .from_(side.subquery(copy=False))
                .group_by(verbatim(names))
                .having(exp.Count(this=exp.Star()).eq(1), copy=False)
                for side in sides
            ]
        differ = [f"a.t{i} IS DISTINCT FROM b.t{i}" for i in columns]
        counts = [
            verbatim(f"count(*) FILTER (WHERE {one})") for one in (" OR ".join(differ) or "false", *differ)
        ]
        base, current = (side.subquery(alias, copy=False) for side, alias in zip(sides, "ab", strict=True))
        return select_of(*counts).from_(base).join(current, using=[*names.split(", ")])

    def _read_texts(self) -> Plan[None]:
        """Read the texts of the encoded values that were met."""
        for index in {index for (index, _), text in self.texts.items() if text is None}:
            code, text = (verbatim(_text(f"c{index}", part)) for part in (1, 2))
            met = exp.In(
                this=code, expressions=[exp.Literal.string(of) for at, of in self.texts if at == index]
            )
            found = select_of(code, exp.Min(this=text)).from_(_lines_of_both(), copy=False)
            (answer,) = yield [_local(found.where(met, copy=False).group_by(code, copy=False))]
            self.texts.update({(index, of): text for of, text in rows_of(answer)})

    def _shared(self, found: ValueDiff | ValueDetail) -> dict[str, Any]:
        """Return the fields that both kinds of results have."""
        sides, taken = self.sides, {column.pair.name for column in self.sides.key}
        one_sided = (
            tuple(column.name for column in columns if column.name in sides.wanted)
            for columns in (sides.matched.base_only, sides.matched.current_only)
        )
        exact = [
            column.pair.name
            for i, column in enumerate(sides.values, len(sides.key))
            if column.kind.is_number and self.types[f"c{i}"] is None
        ]
        notes = [f"the tolerance was not used for {', '.join(exact)}: not every value is a number"] * (
            bool(exact) and sides.options.has_tolerance
        )
        return {
            "notes": (*found.notes, *notes, self.note),
            "key": tuple(column.pair.name for column in sides.key),
            "key_source": sides.key_source,
            "base": self._counts(DataSide.BASE, found.base),
            "current": self._counts(DataSide.CURRENT, found.current),
            **dict(zip(("base_only", "current_only"), one_sided, strict=True)),
            **sides.options.narrowing(excluded_names(sides.matched, {*sides.wanted, *taken})),
        }

    def _detail(self, found: ValueDetail) -> ValueDetail:
        sides = self.sides
        written = {column.pair.name for column in sides.values}
        return structs.replace(
            found,
            columns=tuple(column.pair.name for column in sides.values),
            rows=tuple(map(self._row, found.rows)),
            incomparable=tuple(one.name for one in sides.common if one.name not in written),
            rounded=tuple(column.pair.name for column in sides.columns if is_rounded_text(column.pair)),
            **self._shared(found),
        )

    def _values(self, found: ValueDiff) -> ValueDiff:
        sides = self.sides
        figures = {
            column.pair.name: self._column(i, values)
            for i, (column, values) in enumerate(zip(sides.columns, found.columns, strict=True))
        }
        return structs.replace(
            found,
            common=found.common + self.equal,
            columns=(
                *(figures[column.pair.name] for column in sides.key),
                *(figures.get(one.name) or _unlike(one) for one in sides.common),
            ),
            **self._shared(found),
        )

    def _counts(self, side: DataSide, found: KeyCounts | None) -> KeyCounts | None:
        if found is None:
            return None
        rows, with_key = self.counts[side]
        return structs.replace(found, rows=rows, null_keys=rows - with_key)

    def _column(self, index: int, found: ColumnValues) -> ColumnValues:
        column = self.sides.columns[index]
        keys = range(len(self.sides.key))
        return structs.replace(
            found,
            name=column.pair.name,
            base_type=column.pair.base.type.text,
            current_type=column.pair.current.type.text,
            compared_as=self._label(index),
            is_difference_rounded=found.is_difference_rounded
            or (is_rounded_text(column.pair) and found.largest_difference is not None),
            matched=(found.matched or 0) + self.equal,
            examples=tuple(
                structs.replace(
                    example,
                    key=tuple(self._value(i, example.key[i]) for i in keys),
                    base=self._value(index, example.base),
                    current=self._value(index, example.current),
                )
                for example in found.examples
            ),
        )

    def _label(self, index: int) -> str | None:
        column = self.sides.columns[index]
        kinds = {column.kind, column.pair.base.type.kind, column.pair.current.type.kind}
        of = self.types[f"c{index}"]
        if is_rounded_text(column.pair) or (of == _TYPES[Kind.FLOAT] and Kind.FLOAT not in kinds):
            return rounded_label("double" if of == _TYPES[Kind.FLOAT] else column.kind.value)
        if of is None and (column.kind in _TYPES or column.kind is Kind.DECIMAL):
            return Kind.TEXT.value
        return column.kind.value if len(kinds) > 1 else None

    def _row(self, row: DetailRow) -> DetailRow:
        begin = len(self.sides.key)

        def shown(values: Sequence[Value] | None, start: int) -> tuple[Value, ...] | None:
            if values is None:
                return None
            return tuple(self._value(i, value) for i, value in enumerate(values, start))

        return structs.replace(
            row, key=shown(row.key, 0), base=shown(row.base, begin), current=shown(row.current, begin)
        )

    def _value(self, index: int, value: Value) -> Value:
        """Return a *value* of the scratch database as the warehouses' value."""
        kind = self.sides.columns[index].kind
        if isinstance(value, str) and self.sides.columns[index].is_encoded:
            value = self.texts.setdefault((index, value), None)
        if isinstance(value, str):
            return parse_portable(value, ColumnType(kind.value, kind))
        if kind is Kind.TIMESTAMPTZ and isinstance(value, datetime):
            return value.replace(tzinfo=timezone.utc)
        return value


def _unlike(pair: ColumnPair) -> ColumnValues:
    """Return the result of a column that cannot be written alike."""
    base, current = pair.base.type, pair.current.type
    reason = no_common_type(pair.base, pair.current)
    if base.kind is current.kind:
        reason = reason.replace("common type", "common text")
    return ColumnValues(name=pair.name, base_type=base.text, current_type=current.text, reason=reason)


def load_differences(pair: Pair, options: ValueOptions) -> Plan[Differences]:
    """Fetch the rows of *pair*, whose sides are in two targets, that may differ.

    Raises NoKey if no key fits both sides, UsageError if its types have no common text or if too many rows
    differ, RecceMetaError if a side changes meanwhile, and the queries' errors.
    """
    sides = yield from _matched(pair, options)
    answers = yield [sides.count(source) for source in sides.sources]
    figures = [tuple(int(figure) for figure in rows_of(answer)[0]) for answer in answers]
    counts = {
        source.side: (rows, with_key)
        for source, (rows, with_key, _) in zip(sides.sources, figures, strict=True)
    }
    most = max(with_key for _, with_key in counts.values())
    expected = {side: with_key for side, (_, with_key) in counts.items()}
    equal, differing, buckets, note = 0, 0, None, ""
    digits = 3 if most <= MANY_ROWS else 4
    if most > FEW_ROWS:
        counts_keys = sides.is_key_rounded or any(with_key > keys for _, with_key, keys in figures)
        answers = yield [sides.sums(source, digits, counts_keys=counts_keys) for source in sides.sources]
        bucket_of: type[int | str] = int if sides.is_key_whole else str
        before, after = (
            {bucket_of(row[0]): tuple(int(figure) for figure in row[1:]) for row in rows_of(answer)}
            for answer in answers
        )
        buckets = sorted(
            one
            for one in before.keys() | after
            if before.get(one) != after.get(one) or (counts_keys and before[one][0] > before[one][2])
        )
        if [sum(rows for rows, *_ in found.values()) for found in (before, after)] != [*expected.values()]:
            raise _changed_meanwhile(pair)
        equal = sum(before[one][0] for one in before.keys() - set(buckets))
        differing = sum(before.get(one) != after.get(one) for one in buckets)
        expected = {
            side: sum(found[one][0] for one in buckets if one in found)
            for side, found in zip(counts, (before, after), strict=True)
        }
        note = f", {len(buckets):,} of {sides.number_of_buckets(digits):,} parts differ"
    yield from _load(sides, buckets, digits, expected)
    note = f"compared across two targets: {sum(expected.values()):,} rows fetched{note}"
    types = yield from _typed(sides)
    return Differences(sides, counts, equal, types, differing, note)


def _changed_meanwhile(pair: Pair) -> RecceMetaError:
    name = pair.subject.name
    return RecceMetaError(f"Rows of {name} changed while they were compared", hint="compare again")


def _matched(pair: Pair, options: ValueOptions) -> Plan[_SeparateSides]:
    """Look up the columns of both sides and choose the key."""
    base, current = yield from describe(pair.sides, options.cast)
    matched = matched_columns(pair.sides, base, current)
    key, key_source = chosen_key(pair, options, matched)
    wanted = wanted_names(pair, options, matched.common, (*matched.base_only, *matched.current_only))
    taken = {part.name for part in key}
    common = tuple(each for each in matched.common if each.name in wanted and each.name not in taken)
    found = [(each, _column(pair, each, options)) for each in common]
    return _SeparateSides(
        pair=pair,
        options=options,
        matched=matched,
        key=tuple(_key_column(pair, part) for part in key),
        key_source=key_source,
        values=tuple(column for _, column in found if column is not None),
        common=common,
        wanted=wanted,
    )


def _column(pair: Pair, each: ColumnPair, options: ValueOptions) -> _WrittenColumn | None:
    base, current = (source.dialect for source in pair.sides)
    hashed = portable_value(each, base, current, options)
    shown = portable_value(each, base, current, ValueOptions())
    kind = common_kind(each.base.type, each.current.type, is_same=base.name == current.name)
    if hashed is None or shown is None or kind is None:
        return None
    of = each.base.type
    if kind not in _ENCODED or base.canonical.text(exp.null(), of) == base.portable_text(exp.null(), of):
        return _WrittenColumn(each, kind, hashed, shown, is_encoded=False)

    def with_text(side: DataSide, alias: str) -> Sql:
        value = (each.base if side is DataSide.BASE else each.current).of(alias)
        part = base.canonical.part(base.portable_text(value, of))
        text = exp.func("COALESCE", part, exp.Literal.string(""))
        code = exp.DPipe(this=hashed(side, alias), expression=exp.Literal.string(_BEFORE_TEXT), safe=True)
        return exp.DPipe(this=code, expression=text, safe=True)

    return _WrittenColumn(each, kind, hashed, with_text, is_encoded=True)


def _key_column(pair: Pair, part: ColumnPair) -> _WrittenColumn:
    column = _column(pair, part, ValueOptions())  # keys are exact, regardless of options
    if column is None:
        raise unlike_keys(pair, part)
    return column


def _texts(columns: Sequence[_WrittenColumn], source: SideRelation, *, is_shown: bool = False) -> list[Sql]:
    return [(column.shown if is_shown else column.hashed)(source.side, "t") for column in columns]


def _digits(text: Sql, start: int, length: int) -> Sql:
    return exp.Substring(this=text, start=exp.Literal.number(start), length=exp.Literal.number(length))


def _load(
    sides: _SeparateSides,
    buckets: Sequence[str | int] | None,
    digits: int,
    expected: Mapping[DataSide, int],
) -> Plan[None]:
    """Load the rows of *buckets*, or all, whose number is *expected*, into the scratch database."""
    name, most = sides.pair.subject.name, max(expected.values())
    if most > MOST_ROWS:
        raise UsageError(
            f"Diff of {name} too large: up to {most:,} rows differ",
            hint=f"compare a sample: --sample {max(1, 100 * MOST_ROWS // most)}",
        )
    if buckets == []:
        nothing = [with_alias(verbatim("CAST(NULL AS VARCHAR)"), f"c{i}") for i in range(len(sides.columns))]
        yield [
            _local(select_of(*nothing).where(exp.false()), sides.loaded(source)) for source in sides.sources
        ]
        return
    answers = yield [sides.lines(source, buckets, digits) for source in sides.sources]
    for source, answer in zip(sides.sources, answers, strict=True):
        if rows_of(answer)[0][0] != expected[source.side]:
            raise _changed_meanwhile(sides.pair)


def _typed(sides: _SeparateSides) -> Plan[dict[str, str | None]]:
    """Give each column of the lines the type of its values, and return the types."""
    kinds = {f"c{i}": column.kind for i, column in enumerate(sides.columns)}
    figures = [figure for name, kind in kinds.items() for figure in _type_figures(name, kind)]
    # The count is there if all columns are texts: a query needs a column, and an aggregate one row.
    selected = select_of(*map(verbatim, (*figures, "count(*)")))
    (answer,) = yield [_local(selected.from_(_lines_of_both()))]
    found = iter(rows_of(answer)[0])
    types = {
        name: _type(kind, [next(found) for _ in _type_figures(name, kind)], sides.options)
        for name, kind in kinds.items()
    }
    values = [verbatim(f"{_value(name, of)} AS {name}") for name, of in types.items()]
    yield [
        _local(
            select_of(*values).from_(f"{source.side.value}_lines"),
            Loaded(f"{source.side.value}_rows", len(types)),
        )
        for source in sides.sources
    ]
    return types


def _local(expression: Sql, loads: Loaded | None = None) -> Query:
    return Query(expression=expression, dialect=_SCRATCH, loads=loads, is_local=True)


def _lines_of_both() -> Sql:
    lines = [exp.select("*").from_(f"{side.value}_lines") for side in DataSide]
    return exp.Union(this=lines[0], expression=lines[1], distinct=False).subquery("t")


def _type_figures(name: str, kind: Kind) -> list[str]:
    """Return SQL for what `_type` must know of all values of the column *name*."""
    if kind not in _TYPES and kind is not Kind.DECIMAL:
        return []

    def are_all(condition: str) -> str:
        # Without FILTER, NULL would make the whole column a text.
        return f"coalesce(bool_and({condition}) FILTER (WHERE {name} IS NOT NULL), true)"

    if kind is Kind.DECIMAL:
        fraction = f"length({name}) - strpos({name}, '.')"
        figures = [
            are_all(f"regexp_full_match({name}, {_IS_DECIMAL})"),
            f"coalesce(max(length(split_part(ltrim({name}, '-'), '.', 1))), 0)",
            f"coalesce(max({fraction}) FILTER (WHERE {name} LIKE '%.%'), 0)",
        ]
    else:
        figures = [are_all(f"coalesce({_rewritten(name, kind)} = {name}, false)")]
    return [*figures, are_all(f"TRY_CAST({name} AS DOUBLE) IS NOT NULL")] if kind.is_number else figures


def _type(kind: Kind, figures: Sequence[Any], options: ValueOptions) -> str | None:
    """Return the type that holds every value of a column of *kind*, or None if only text does.

    With a tolerance, numbers that fit no exact type are doubles: texts have no distance.
    """
    if not figures:
        return None
    fits, *digits, are_doubles = figures if kind.is_number else (*figures, False)
    if fits and kind is not Kind.DECIMAL:
        return _TYPES[kind]
    if fits and sum(digits) <= _DECIMAL_DIGITS:
        return f"DECIMAL({_DECIMAL_DIGITS}, {digits[1]})"
    return _TYPES[Kind.FLOAT] if are_doubles and options.has_tolerance else None


def _rewritten(name: str, kind: Kind) -> str:
    """Return SQL for the text of the column *name* after a cast to the type of *kind*."""
    # Points in time with a zone are written in UTC.
    of = ColumnType(_TYPES[kind], Kind.TIMESTAMP if kind is Kind.TIMESTAMPTZ else kind)
    return _SCRATCH.render(_SCRATCH.canonical.text(verbatim(f"TRY_CAST({name} AS {of.text})"), of))


def _value(name: str, of: str | None) -> str:
    """Return SQL for the value of the column *name* of a line: of the type *of*, or its text."""
    return f"CAST({name} AS {of})" if of else _text(name)


def _part(name: str, part: int) -> str:
    return f"split_part({name}, '{_BEFORE_TEXT}', {part})"


def _text(name: str, part: int = 1) -> str:
    """Return the text of a column, which has a second part if it is encoded."""
    text = _part(name, part)
    # The code of ~ itself comes last, since its text may look like another one.
    for character, code in reversed((*PORTABLE_ESCAPES, *LINE_BREAKS)):
        text = f"replace({text}, '{code}', chr({ord(character)}))"
    return text
