"""Two sides matched by a key: which columns take part, and the SQL that brings the rows of both together.

Every statement reads each side through a subquery that gives the key's columns as k0, k1, … and the
compared ones as c0, c1, …, already in their common types. So names of the user's columns, whatever they are,
meet neither each other nor ours. Engines read through such a subquery as if it was not there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from msgspec import Struct
from sqlglot import exp

from recce_meta.dialects import ColumnType, Dialect, Kind, Sql
from recce_meta.diff.data.choice import sides_of
from recce_meta.diff.data.common_type import hashed_type
from recce_meta.diff.data.compare import Comparison, comparison, no_common_type
from recce_meta.diff.data.keys import Key, NoKey, fitting_key
from recce_meta.diff.data.plan import Plan
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
    named,
)
from recce_meta.diff.data.sql import aliased, all_of, any_of, is_not_null, is_null, selecting
from recce_meta.errors import UnknownNameError, UsageError
from recce_meta.models.data_diff import ROUNDED_DOUBLE, DataSide

BASE, CURRENT = "a", "b"
"""What statements call the sides."""
REPEATED = "recce_repeated_keys"
"""What statements call the keys that have several rows on a side."""


class Excluded(Struct, frozen=True):
    """Which rows a comparison has to leave out."""

    null_keys: bool = False
    repeated_keys: bool = False


@dataclass(frozen=True)
class Keyed:
    """Both sides of a diff with the columns that it compares; where one side is missing, it is None."""

    name: str
    base: Source | None
    current: Source | None
    key: tuple[Comparison, ...]
    key_source: str
    compared: tuple[Comparison, ...]
    incomparable: tuple[ColumnPair, ...]
    pairs: tuple[ColumnPair, ...]
    """What is compared or incomparable, in base order, without the key."""
    base_only: tuple[str, ...]
    current_only: tuple[str, ...]
    excluded: tuple[str, ...]
    """Columns of both sides that the options leave out."""
    options: ValueOptions
    dialect: Dialect

    @property
    def key_names(self) -> tuple[str, ...]:
        """The key's columns, as current calls them."""
        return tuple(part.pair.name for part in self.key)

    @property
    def retyped_key(self) -> list[int]:
        """Which columns of the key are of another type in current than in base, where both are there."""
        return [
            i
            for i, part in enumerate(self.key)
            if len(self.sides) == 2 and part.pair.base.type.text != part.pair.current.type.text
        ]

    @property
    def rounded(self) -> tuple[str, ...]:
        """The names of the columns whose values are compared as doubles that do not hold all their digits."""
        columns = (*self.key, *self.compared)
        return tuple(how.pair.name for how in columns if how.common.label == ROUNDED_DOUBLE)

    def side(self, side: DataSide) -> Source:
        """The source of *side*, which is there."""
        source = self.base if side is DataSide.BASE else self.current
        assert source is not None, f"{self.name} has no {side.value}"
        return source

    def rows(
        self,
        side: DataSide,
        wanted: Iterable[int] = (),
        *,
        raw: Iterable[int] = (),
        own_key: bool = False,
        excluded: Excluded | None = None,
        keep: Sql | None = None,
    ) -> exp.Select:
        """The key, the *wanted* compared columns, and the *raw* ones as they are, of the rows of *side*.

        With *own_key*, columns of the key whose types differ are also there as they are, as o0, o1, …
        *keep* is a condition on the relation called `t`.
        """
        excluded = excluded or Excluded()
        columns = [(f"k{i}", _value(part, side)) for i, part in enumerate(self.key)]
        columns += [(f"c{i}", _value(self.compared[i], side)) for i in wanted]
        columns += [(f"r{i}", _column(self.compared[i], side)) for i in raw]
        if own_key:
            columns += [(f"o{i}", _column(self.key[i], side)) for i in self.retyped_key]
        select = self.side(side).select(*(aliased(value, name) for name, value in columns))
        conditions = self._conditions(side)
        if excluded.null_keys:
            conditions += [is_not_null(_column(part, side)) for part in self.key]
        if keep is not None:
            conditions.append(keep)
        if conditions:
            select = select.where(*conditions, copy=False)
        return (
            self._without_repeated(select, [name for name, _ in columns])
            if excluded.repeated_keys
            else select
        )

    def keys_of(self, side: DataSide, *, not_null: bool = False) -> exp.Select:
        """The keys of *side*, one row each row, as k0, k1, …"""
        return self.rows(side, excluded=Excluded(null_keys=not_null))

    def counted_keys(self, side: DataSide, *, not_null: bool = False) -> exp.Select:
        """Each key of *side*, with its rows counted as n."""
        names = self.key_columns("s")
        keys = self.keys_of(side, not_null=not_null).subquery("s", copy=False)
        return (
            selecting(*names, aliased(exp.Count(this=exp.Star()), "n"))
            .from_(keys, copy=False)
            .group_by(*(name.copy() for name in names), copy=False)
        )

    def joined(self, left: exp.Select, right: exp.Select, *, how: str = "full outer") -> exp.Select:
        """A query without columns over *left*, base, and *right*, current, matched by key."""
        equal = [
            exp.EQ(this=one, expression=other)
            for one, other in zip(self.key_columns(BASE), self.key_columns(CURRENT), strict=True)
        ]
        return (
            exp.Select()
            .from_(left.subquery(BASE, copy=False), copy=False)
            .join(right.subquery(CURRENT, copy=False), on=all_of(equal), join_type=how, copy=False)
        )

    def with_repeated(self, select: exp.Select, excluded: Excluded) -> exp.Select:
        """*select*, which can then read the keys that have several rows on a side."""
        if not excluded.repeated_keys:
            return select
        many = exp.GT(this=exp.column("n", table="g"), expression=exp.Literal.number(1))
        repeated = [
            selecting(*self.key_columns("g"))
            .from_(self.counted_keys(side, not_null=True).subquery("g", copy=False), copy=False)
            .where(many.copy(), copy=False)
            for side in self.sides
        ]
        both: Sql = repeated[0]
        for other in repeated[1:]:
            both = exp.Union(this=both, expression=other, distinct=True)
        return select.with_(REPEATED, as_=both, copy=False)

    @property
    def sides(self) -> tuple[DataSide, ...]:
        """The sides that are there."""
        found = ((DataSide.BASE, self.base), (DataSide.CURRENT, self.current))
        return tuple(side for side, source in found if source is not None)

    def key_columns(self, alias: str) -> list[Sql]:
        """The key's columns in the subquery called *alias*."""
        return [exp.column(f"k{i}", table=alias) for i in range(len(self.key))]

    def in_key_order(self, columns: Sequence[Sql]) -> list[Sql]:
        """*columns*, the key's, to sort by: texts by code point."""
        return [
            exp.Ordered(this=self.ordered(part, column.copy()), desc=False, nulls_first=False)
            for part, column in zip(self.key, columns, strict=True)
        ]

    def ordered(self, part: Comparison, column: Sql) -> Sql:
        """*column* of the key so that it sorts by code point where it is a text."""
        return self.dialect.ordered_text(column) if part.common.kind is Kind.TEXT else column

    def differ(self, index: int) -> Sql:
        """Whether the values of the compared column *index* differ, in a join."""
        name = f"c{index}"
        return self.compared[index].differ(exp.column(name, table=BASE), exp.column(name, table=CURRENT))

    def row_differs(self, wanted: Iterable[int]) -> Sql:
        """Whether a side has no such row, or any of the *wanted* columns differs, in a join."""
        return any_of([is_missing(BASE), is_missing(CURRENT), *(self.differ(i) for i in wanted)])

    def _conditions(self, side: DataSide) -> list[Sql]:
        """What the user wants the rows of *side* to meet."""
        conditions: list[Sql] = []
        if self.options.where:
            conditions.append(condition(self.options.where))
        if self.options.takes_sample:
            keys = [self._hashed(part, side) for part in self.key]
            conditions.append(self.dialect.sampled(keys, self.options.sample or 100))
        return conditions

    def _hashed(self, part: Comparison, side: DataSide) -> Sql:
        common = hashed_type(self.dialect, part.pair.base.type, part.pair.current.type)
        assert common is not None, "a key has a common type"
        value = (common.base if side is DataSide.BASE else common.current)(_column(part, side))
        return self.dialect.hashable(value, common.type or ColumnType("", common.kind))

    def _without_repeated(self, select: exp.Select, names: Sequence[str]) -> exp.Select:
        """*select* less the rows whose key is repeated: joined from without, where no name can be taken."""
        equal = [
            exp.EQ(this=one, expression=other)
            for one, other in zip(self.key_columns("s"), self.key_columns("r"), strict=True)
        ]
        return (
            selecting(*(exp.column(name, table="s") for name in names))
            .from_(select.subquery("s", copy=False), copy=False)
            .join(exp.to_table(REPEATED, alias="r"), on=all_of(equal), join_type="left", copy=False)
            .where(is_missing("r"), copy=False)
        )


def is_missing(alias: str) -> Sql:
    """Whether an outer join found no row of *alias*: keys that are joined are never NULL."""
    return is_null(exp.column("k0", table=alias))


def _column(part: Comparison, side: DataSide) -> Sql:
    return (part.pair.base if side is DataSide.BASE else part.pair.current).of("t")


def _value(part: Comparison, side: DataSide) -> Sql:
    return part.base_value("t") if side is DataSide.BASE else part.current_value("t")


def keyed(pair: Pair, options: ValueOptions) -> Plan[Keyed]:
    """The sides of *pair* with their columns looked up, a key chosen and types reconciled.

    A side that is missing takes the other's columns. Raises UsageError where there is no key that fits, or
    where the key's types have nothing in common.
    """
    sources = sides_of(pair)
    described = yield from describe(sources)
    before, after = described[0], described[-1]
    dialect = sources[-1].dialect
    columns = matched(before, after, dialect.fold)
    key, key_source = _chosen_key(pair, options, before, after, columns.common)
    parts = tuple(_key_part(pair, part, dialect) for part in key)
    wanted = wanted_names(pair, options, columns.common, (*columns.base_only, *columns.current_only))
    taken = {part.name for part in key}
    pairs = tuple(each for each in columns.common if each.name in wanted and each.name not in taken)
    found = [(each, comparison(each, dialect, options)) for each in pairs]
    return Keyed(
        name=pair.subject.name,
        base=pair.base,
        current=pair.current,
        key=parts,
        key_source=key_source,
        compared=tuple(how for _, how in found if how is not None),
        incomparable=tuple(each for each, how in found if how is None),
        pairs=pairs,
        base_only=tuple(column.name for column in columns.base_only if column.name in wanted),
        current_only=tuple(column.name for column in columns.current_only if column.name in wanted),
        excluded=excluded_names(columns, wanted | taken),
        options=options,
        dialect=dialect,
    )


def _chosen_key(
    pair: Pair,
    options: ValueOptions,
    before: Sequence[LiveColumn],
    after: Sequence[LiveColumn],
    common: Sequence[ColumnPair],
) -> tuple[list[ColumnPair], str]:
    """The key's columns on both sides, and where the key comes from."""
    names = [[column.name for column in side] for side in (before, after)]
    chosen = Key(options.key, "option") if options.key else fitting_key(options.candidates, *names)
    if chosen is None:
        declared = "".join(
            f"; {', '.join(key.columns)} ({key.source}) is not" for key in options.candidates[:1]
        )
        raise NoKey(
            f"{pair.subject.name} has no key whose columns are on both sides{declared}",
            hint="name the columns of one, or compare whole rows with a query diff",
        )
    for column in chosen.columns:
        for side, known in zip(("base", "current"), names, strict=True):
            if column.casefold() not in {name.casefold() for name in known}:
                raise UnknownNameError("key column", column, known, where=f"in {side} of {pair.subject.name}")
    found = named(chosen.columns, common, "key column", f"in {pair.subject.name}")
    return found, chosen.source


def _key_part(pair: Pair, part: ColumnPair, dialect: Dialect) -> Comparison:
    found = comparison(part, dialect, ValueOptions())  # whatever the options ignore, keys are exact
    if found is None:
        raise UsageError(
            f"Key column '{part.name}' of {pair.subject.name}: {no_common_type(part.base, part.current)}",
            hint="cast it in one of the two, or name another key",
        )
    return found


def excluded_names(columns: Columns, wanted: Collection[str]) -> tuple[str, ...]:
    """The names of the columns of either side that are not among *wanted*."""
    both = [each.name for each in columns.common]
    others = [column.name for column in (*columns.base_only, *columns.current_only)]
    return tuple(name for name in (*both, *others) if name not in wanted)


def wanted_names(
    pair: Pair, options: ValueOptions, common: Sequence[ColumnPair], others: Sequence[LiveColumn]
) -> set[str]:
    """The names of the columns that the user wants compared, as current, or the one side, calls them."""
    everything = [*common, *(ColumnPair(column, column) for column in others)]

    def names(wanted: Sequence[str]) -> set[str]:
        where = f"in {pair.subject.name}"
        return {each.name for each in named(wanted, everything, "column", where)}

    chosen = names(options.columns) if options.columns else {each.name for each in everything}
    return chosen - names(options.exclude_columns)
