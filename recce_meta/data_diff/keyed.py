"""Two sides matched by a key: the compared columns, the join, the key's statistics, and its tokens.

Every query reads each side through a subquery that returns the key's columns as k0, k1, … and the compared
columns as c0, c1, …, already in their common types. So the user's column names never collide with each other
or with ours. Query engines optimize such a subquery away.

Key statistics are queried first, because rows with repeated keys would multiply in a join. Three counts,
cheap in every warehouse, show whether a key is unique. Only if it is not, a second query counts the repeated
keys on each side.

A token is one small, aggregatable value per key, used to fetch rows again. A key of one whole number or text
is its own token. Any other key becomes text, with its columns joined by a bar. Two keys may then have the
same token, so a token selects rows but does not identify one. Tokens are those of base. Current may write an
equal key differently, 1.0 for 1.00, and is then not filtered by them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from msgspec import Struct
from sqlglot import exp

from recce_meta.data_diff.compare import ColumnComparison, comparison, hashed_type, no_common_type
from recce_meta.data_diff.options import DeclaredKey, NoKey, ValueOptions, fitting_key, stored_name
from recce_meta.data_diff.plan import Plan, Query, rows_of
from recce_meta.data_diff.source import (
    ColumnPair,
    LiveColumn,
    MatchedColumns,
    Pair,
    SideRelation,
    condition,
    describe,
    has_column,
    is_not_null,
    is_null,
    match_columns,
    pairs_named,
    select_of,
    sides_of,
    with_alias,
)
from recce_meta.errors import UnknownNameError, UsageError
from recce_meta.models.data_diff import ROUNDED_DOUBLE, DataSide, KeyCounts
from recce_meta.warehouses.arithmetic import all_of, any_of
from recce_meta.warehouses.dialect import Dialect
from recce_meta.warehouses.types import ColumnType, Kind, Sql

BASE, CURRENT = "a", "b"
"""Aliases of the sides in queries."""
REPEATED = "recce_repeated_keys"
"""Name of the CTE of keys that have several rows on a side."""


class Excluded(Struct, frozen=True):
    """Kinds of rows that a comparison must leave out."""

    null_keys: bool = False
    repeated_keys: bool = False


@dataclass(frozen=True)
class KeyedSides:
    """Both sides of a diff with the columns that it compares; a missing side is None."""

    name: str
    base: SideRelation | None
    current: SideRelation | None
    key: tuple[ColumnComparison, ...]
    key_source: str
    compared: tuple[ColumnComparison, ...]
    incomparable: tuple[ColumnPair, ...]
    pairs: tuple[ColumnPair, ...]
    """Compared and incomparable columns in base's order, without the key."""
    base_only: tuple[str, ...]
    current_only: tuple[str, ...]
    excluded: tuple[str, ...]
    """Columns of both sides that the options exclude."""
    options: ValueOptions
    dialect: Dialect
    alone: tuple[tuple[DataSide, LiveColumn], ...] = ()
    """Columns that only one side has, with the side."""

    @property
    def key_names(self) -> tuple[str, ...]:
        """Return the key's columns by their names in current."""
        return tuple(part.pair.name for part in self.key)

    @property
    def retyped_key(self) -> list[int]:
        """Return indexes of key columns whose types differ between the sides."""
        return [
            i
            for i, part in enumerate(self.key)
            if len(self.sides) == 2 and part.pair.base.type.text != part.pair.current.type.text
        ]

    @property
    def rounded_columns(self) -> tuple[str, ...]:
        """Return the names of columns that are compared as doubles that cannot hold all their digits."""
        columns = (*self.key, *self.compared)
        return tuple(how.pair.name for how in columns if how.common.label == ROUNDED_DOUBLE)

    def side(self, side: DataSide) -> SideRelation:
        """Return the source of *side*, which must exist."""
        source = self.base if side is DataSide.BASE else self.current
        assert source is not None, f"{self.name} has no {side.value}"
        return source

    def rows(
        self,
        side: DataSide,
        wanted: Iterable[int] = (),
        *,
        raw: Iterable[int] = (),
        extra: Iterable[tuple[str, Sql]] = (),
        own_key: bool = False,
        excluded: Excluded | None = None,
        keep: Sql | None = None,
    ) -> exp.Select:
        """Select the key, the *wanted* compared columns, and the *raw* ones as stored, from *side*.

        *extra* are further names and expressions on the relation `t`. With *own_key*, retyped key columns are
        also selected as stored, as o0, o1, … *keep* is a condition on the relation `t`.
        """
        excluded = excluded or Excluded()
        columns = [(f"k{i}", _value(part, side)) for i, part in enumerate(self.key)]
        columns += [(f"c{i}", _value(self.compared[i], side)) for i in wanted]
        columns += [(f"r{i}", _column(self.compared[i], side)) for i in raw]
        columns += extra
        if own_key:
            columns += [(f"o{i}", _column(self.key[i], side)) for i in self.retyped_key]
        select = self.side(side).select(*(with_alias(value, name) for name, value in columns))
        conditions = self._conditions(side)
        if excluded.null_keys:
            conditions += [is_not_null(_column(part, side)) for part in self.key]
        if keep is not None:
            conditions.append(keep)
        if conditions:
            select = select.where(*conditions, copy=False)
        return (
            # This comes last, because it wraps the conditions, which refer to the relation `t`.
            self._without_repeated(select, [name for name, _ in columns])
            if excluded.repeated_keys
            else select
        )

    def keys_of(self, side: DataSide, *, not_null: bool = False) -> exp.Select:
        """Select the keys of *side*, one per row, as k0, k1, …"""
        return self.rows(side, excluded=Excluded(null_keys=not_null))

    def counted_keys(self, side: DataSide, *, not_null: bool = False) -> exp.Select:
        """Select each key of *side* with its row count as n."""
        names = self.key_columns("s")
        keys = self.keys_of(side, not_null=not_null).subquery("s", copy=False)
        return (
            select_of(*names, with_alias(exp.Count(this=exp.Star()), "n"))
            .from_(keys, copy=False)
            .group_by(*(name.copy() for name in names), copy=False)
        )

    def join(self, left: exp.Select, right: exp.Select, *, how: str = "full outer") -> exp.Select:
        """Return a query without columns that joins *left*, base, and *right*, current, by key."""
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
        """Add a CTE with the keys that have several rows on a side to *select*, if needed."""
        if not excluded.repeated_keys:
            return select
        many = exp.GT(this=exp.column("n", table="g"), expression=exp.Literal.number(1))
        repeated = [
            select_of(*self.key_columns("g"))
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
        """Return the sides that exist."""
        found = ((DataSide.BASE, self.base), (DataSide.CURRENT, self.current))
        return tuple(side for side, source in found if source is not None)

    def key_columns(self, alias: str) -> list[Sql]:
        """Return the key's columns in the subquery *alias*."""
        return [exp.column(f"k{i}", table=alias) for i in range(len(self.key))]

    def joined_key(self) -> list[Sql]:
        """Return the key's columns in a join of both sides, of which one may lack the row."""
        both = zip(self.key_columns(BASE), self.key_columns(CURRENT), strict=True)
        return [exp.func("COALESCE", base, current) for base, current in both]

    def in_key_order(self, columns: Sequence[Sql]) -> list[Sql]:
        """Return sort expressions for the key *columns*, with texts in code point order."""
        return [
            exp.Ordered(this=self.sort_key(part, column.copy()), desc=False, nulls_first=False)
            for part, column in zip(self.key, columns, strict=True)
        ]

    def sort_key(self, part: ColumnComparison, column: Sql) -> Sql:
        """Return the key *column* so that text sorts in code point order."""
        return self.dialect.ordered_text(column) if part.common.kind is Kind.TEXT else column

    def differ(self, index: int) -> Sql:
        """Return SQL that is true if the compared column *index* differs, in a join."""
        name = f"c{index}"
        return self.compared[index].differ(exp.column(name, table=BASE), exp.column(name, table=CURRENT))

    def row_differs(self, wanted: Iterable[int]) -> Sql:
        """Return SQL that is true if the row is one-sided or any *wanted* column differs, in a join."""
        return any_of([is_missing(BASE), is_missing(CURRENT), *(self.differ(i) for i in wanted)])

    def _conditions(self, side: DataSide) -> list[Sql]:
        """Return the user's conditions on the rows of *side*."""
        conditions: list[Sql] = []
        if self.options.where:
            conditions.append(condition(self.options.where))
        if self.options.takes_sample:
            conditions.append(self.sampled(side, self.options.sample or 100))
        return conditions

    def sampled(self, side: DataSide, percent: float) -> Sql:
        """Return the condition that *percent* of the keys of *side* meet, the same on both sides."""
        return self.dialect.sampled([self._hashed(part, side) for part in self.key], percent)

    def _hashed(self, part: ColumnComparison, side: DataSide) -> Sql:
        # Equal values of two types only hash alike in one common type.
        common = hashed_type(self.dialect, part.pair.base.type, part.pair.current.type)
        assert common is not None, "a key has a common type"
        value = (common.base if side is DataSide.BASE else common.current)(_column(part, side))
        return self.dialect.hashable(value, common.type or ColumnType("", common.kind))

    def _without_repeated(self, select: exp.Select, names: Sequence[str]) -> exp.Select:
        """Remove rows with repeated keys from *select*, by an outer join in which no names can collide."""
        equal = [
            exp.EQ(this=one, expression=other)
            for one, other in zip(self.key_columns("s"), self.key_columns("r"), strict=True)
        ]
        return (
            select_of(*(exp.column(name, table="s") for name in names))
            .from_(select.subquery("s", copy=False), copy=False)
            .join(exp.to_table(REPEATED, alias="r"), on=all_of(equal), join_type="left", copy=False)
            .where(is_missing("r"), copy=False)
        )


def is_missing(alias: str) -> Sql:
    """Return SQL that is true if an outer join found no row of *alias*: joined keys are never NULL."""
    return is_null(exp.column("k0", table=alias))


def _column(part: ColumnComparison, side: DataSide) -> Sql:
    return (part.pair.base if side is DataSide.BASE else part.pair.current).of("t")


def _value(part: ColumnComparison, side: DataSide) -> Sql:
    return part.base_value("t") if side is DataSide.BASE else part.current_value("t")


def match_by_key(pair: Pair, options: ValueOptions) -> Plan[KeyedSides]:
    """Look up the columns of both sides of *pair*, choose a key and reconcile types.

    A missing side gets the other side's columns. Raises UsageError if no key fits or its types are not
    comparable.
    """
    described = yield from describe(sides_of(pair), options.cast)
    return keyed_sides(pair, options, described[0], described[-1])


def keyed_sides(
    pair: Pair, options: ValueOptions, before: Sequence[LiveColumn], after: Sequence[LiveColumn]
) -> KeyedSides:
    """Return the sides of *pair*, whose columns are known, as `match_by_key` does."""
    dialect = sides_of(pair)[-1].dialect
    columns = match_columns(before, after, dialect.fold)
    key, key_source = chosen_key(pair, options, columns)
    parts = tuple(_key_part(pair, part, dialect) for part in key)
    wanted = wanted_names(pair, options, columns.common, (*columns.base_only, *columns.current_only))
    taken = {part.name for part in key}
    pairs = tuple(each for each in columns.common if each.name in wanted and each.name not in taken)
    found = [(each, comparison(each, dialect, options)) for each in pairs]
    return KeyedSides(
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
        alone=(
            *((DataSide.BASE, column) for column in columns.base_only if column.name in wanted),
            *((DataSide.CURRENT, column) for column in columns.current_only if column.name in wanted),
        ),
    )


def chosen_key(pair: Pair, options: ValueOptions, columns: MatchedColumns) -> tuple[list[ColumnPair], str]:
    """Return the key's columns on both sides, and the source of the key.

    Raises NoKey if none is named or declared, UnknownNameError if a side lacks a column of it.
    """
    names = [[column.name for column in side] for side in (columns.base, columns.current)]
    known = {name.casefold() for side in names for name in side}
    chosen = (
        DeclaredKey(tuple(stored_name(column, known) for column in options.key), options.key_source)
        if options.key
        else fitting_key(options.candidates, *names)
    )
    if chosen is None:
        declared = "".join(
            f"; those of {', '.join(key.columns)} ({key.source}) are not" for key in options.candidates[:1]
        )
        raise NoKey(
            f"No key found for {pair.subject.name} whose columns are on both sides{declared}",
            hint="name the key columns (--key), or compare whole rows with a query diff",
        )
    # `pairs_named` only has common columns, so its message could not name the side that lacks one.
    for column in chosen.columns:
        for side, known_there in zip(("base", "current"), names, strict=True):
            if column.casefold() not in map(str.casefold, known_there):
                raise UnknownNameError(
                    "key column", column, known_there, where=f"in {side} of {pair.subject.name}"
                )
    found = pairs_named(chosen.columns, columns.common, "key column", f"in {pair.subject.name}")
    return found, chosen.source


def _key_part(pair: Pair, part: ColumnPair, dialect: Dialect) -> ColumnComparison:
    found = comparison(part, dialect, ValueOptions())  # keys are exact, regardless of options
    if found is None:
        raise unlike_keys(pair, part)
    return found


def unlike_keys(pair: Pair, part: ColumnPair) -> UsageError:
    """Return the error for the key column *part*, whose types cannot be compared."""
    return UsageError(
        f"Key column '{part.name}' of {pair.subject.name}: {no_common_type(part.base, part.current)}",
        hint="cast it on one side, or choose another key",
    )


def excluded_names(columns: MatchedColumns, wanted: Collection[str]) -> tuple[str, ...]:
    """Return the names of the columns of either side that are not in *wanted*."""
    both = [each.name for each in columns.common]
    others = [column.name for column in (*columns.base_only, *columns.current_only)]
    return tuple(name for name in (*both, *others) if name not in wanted)


def wanted_names(
    pair: Pair, options: ValueOptions, common: Sequence[ColumnPair], others: Sequence[LiveColumn]
) -> set[str]:
    """Return the names of the columns to compare, as in current or the only side that has them."""
    # Options may name columns of one side: they are reported, though not compared.
    everything = [*common, *(ColumnPair(column, column) for column in others)]

    def names(wanted: Sequence[str]) -> set[str]:
        where = f"in {pair.subject.name}"
        return {each.name for each in pairs_named(wanted, everything, "column", where)}

    chosen = names(options.columns) if options.columns else {each.name for each in everything}
    excluded: Sequence[str] = options.exclude_columns
    if options.may_lack_excluded:
        excluded = [name for name in excluded if has_column(name, everything)]
    return chosen - names(excluded)


@dataclass(frozen=True)
class KeyFacts:
    """Key counts of the existing sides."""

    base: KeyCounts | None
    current: KeyCounts | None
    excluded: Excluded

    def of(self, side: DataSide) -> KeyCounts:
        """Return the counts of *side*, which must exist."""
        counts = self.base if side is DataSide.BASE else self.current
        assert counts is not None, f"nothing was counted in {side.value}"
        return counts


def key_facts(keyed: KeyedSides) -> Plan[KeyFacts]:
    """Return the key counts of both sides, or of the only one."""
    answers = yield [uniqueness(keyed, side) for side in keyed.sides]
    figures = [tuple(int(figure) for figure in rows_of(answer)[0]) for answer in answers]
    excluded = Excluded(
        null_keys=any(rows > not_null for rows, not_null, _ in figures),
        repeated_keys=any(not_null > keys for _, not_null, keys in figures),
    )
    repeated: Sequence[tuple[int, int]] = [(0, 0)] * len(figures)
    if excluded.repeated_keys:
        (answer,) = yield [_repetitions(keyed)]
        row = [int(figure) for figure in rows_of(answer)[0]]
        repeated = [(row[2 * i], row[2 * i + 1]) for i in range(len(figures))]
    counts = {
        side: KeyCounts(
            rows=rows, null_keys=rows - not_null, duplicate_keys=keys, duplicate_rows=repeated_rows
        )
        for side, (rows, not_null, _), (keys, repeated_rows) in zip(
            keyed.sides, figures, repeated, strict=True
        )
    }
    return KeyFacts(counts.get(DataSide.BASE), counts.get(DataSide.CURRENT), excluded)


def uniqueness(keyed: KeyedSides, side: DataSide) -> Query:
    """Count rows, rows without NULL in the key, and distinct keys of *side*."""
    source = keyed.side(side)
    return Query(
        # Not every warehouse has COUNT(DISTINCT a, b), so keys of several columns are grouped.
        expression=_of_one_column(keyed, side) if len(keyed.key) == 1 else _of_several_columns(keyed, side),
        dialect=source.dialect,
        side=side,
        about=f"key of {source.name}",
        assumed=[(1, 1, 1)],
    )


def _of_one_column(keyed: KeyedSides, side: DataSide) -> exp.Select:
    (key,) = keyed.key_columns("s")
    distinct = exp.Distinct(expressions=[keyed.sort_key(keyed.key[0], key.copy())])
    return select_of(
        with_alias(exp.Count(this=exp.Star()), "n_rows"),
        with_alias(exp.Count(this=key), "n_not_null"),
        with_alias(exp.Count(this=distinct), "n_keys"),
    ).from_(keyed.keys_of(side).subquery("s", copy=False), copy=False)


def _of_several_columns(keyed: KeyedSides, side: DataSide) -> exp.Select:
    is_whole = all_of(is_not_null(column) for column in keyed.key_columns("g"))
    rows = exp.column("n", table="g")
    return select_of(
        with_alias(keyed.dialect.aggregates.sum_of(rows.copy()), "n_rows"),
        with_alias(keyed.dialect.aggregates.sum_of(exp.Case().when(is_whole.copy(), rows)), "n_not_null"),
        with_alias(keyed.dialect.aggregates.count_if(is_whole), "n_keys"),
    ).from_(keyed.counted_keys(side).subquery("g", copy=False), copy=False)


def _repetitions(keyed: KeyedSides) -> Query:
    """Count, for each side, its repeated keys, and its rows whose key is repeated on either side."""
    aliases = {DataSide.BASE: BASE, DataSide.CURRENT: CURRENT}
    many = {side: exp.GT(this=_rows(aliases[side]), expression=_one()) for side in keyed.sides}
    # The count is NULL on the side that lacks the key, and OR then follows the other side.
    anywhere = any_of(condition.copy() for condition in many.values())
    figures: list[Sql] = []
    for side in keyed.sides:
        rows = exp.Case().when(anywhere.copy(), _rows(aliases[side]))
        figures.append(with_alias(keyed.dialect.aggregates.count_if(many[side]), f"{side.value}_keys"))
        figures.append(with_alias(keyed.dialect.aggregates.sum_of(rows), f"{side.value}_rows"))
    counted = [keyed.counted_keys(side, not_null=True) for side in keyed.sides]
    if len(counted) == 2:
        select = keyed.join(*counted).select(*figures, copy=False)
    else:
        select = select_of(*figures).from_(
            counted[0].subquery(aliases[keyed.sides[0]], copy=False), copy=False
        )
    return Query(
        expression=select,
        dialect=keyed.dialect,
        side=keyed.sides[-1],
        about=f"repeated keys of {keyed.name}",
        assumed=[(0, 0) * len(counted)],
    )


def _rows(alias: str) -> Sql:
    return exp.column("n", table=alias)


def _one() -> Sql:
    return exp.Literal.number(1)


SEPARATOR = "|"
_ONE_TEXT = frozenset(
    [
        *(Kind.BOOLEAN, Kind.INTEGER, Kind.TEXT, Kind.DATE, Kind.TIMESTAMP, Kind.TIMESTAMPTZ),
        *(Kind.UUID, Kind.BINARY, Kind.OTHER),
    ]
)


def token_of(sides: KeyedSides, alias: str) -> Sql:
    """Return the token of the key in the subquery *alias*, ordered independently of collations."""
    return _token(sides, sides.key_columns(alias), is_ordered=True)


def has_token(sides: KeyedSides, side: DataSide, tokens: Iterable[object]) -> Sql | None:
    """Return the condition that a row of *side*, relation `t`, has one of *tokens*, or None if unsafe."""
    if side is DataSide.CURRENT and not _is_number(sides) and not all(map(_is_written_alike, sides.key)):
        return None
    keys = [part.base_value("t") if side is DataSide.BASE else part.current_value("t") for part in sides.key]
    return sides.dialect.is_among(_token(sides, keys, is_ordered=False), map(_literal, tokens))


def sample_token(sides: KeyedSides) -> object:
    """Return a sample token for printed plans."""
    return 1 if _is_number(sides) else "1"


def _token(sides: KeyedSides, keys: list[Sql], *, is_ordered: bool) -> Sql:
    if _is_number(sides):
        return keys[0]
    texts = [
        key if part.common.kind is Kind.TEXT else sides.dialect.text(key)
        for part, key in zip(sides.key, keys, strict=True)
    ]
    glued = texts[0]
    for text in texts[1:]:
        bar = exp.DPipe(this=glued, expression=exp.Literal.string(SEPARATOR), safe=True)
        glued = exp.DPipe(this=bar, expression=text, safe=True)
    # COLLATE binds tighter than ||, so several texts need parentheses.
    return sides.dialect.ordered_text(exp.paren(glued) if len(texts) > 1 else glued) if is_ordered else glued


def _is_number(sides: KeyedSides) -> bool:
    return len(sides.key) == 1 and sides.key[0].common.kind is Kind.INTEGER


def _is_written_alike(part: ColumnComparison) -> bool:
    """Return True if equal values of this key column have the same text on both sides."""
    of = part.pair.current.type
    if part.pair.base.type.text != of.text:
        return False
    return of.kind in _ONE_TEXT or (of.kind is Kind.DECIMAL and of.scale is not None)


def _literal(token: object) -> Sql:
    return exp.Literal.string(token) if isinstance(token, str) else exp.Literal.number(int(str(token)))
