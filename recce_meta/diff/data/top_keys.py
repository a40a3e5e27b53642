"""What the most frequent values of a column are grouped, sorted and sent by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct
from sqlglot import exp

from recce_meta.dialects import ColumnType, Dialect, Kind, Sql
from recce_meta.dialects.base import GROUPED_BY_TEXT
from recce_meta.diff.data.choice import SideColumn
from recce_meta.diff.data.common_type import common_type
from recce_meta.diff.data.plan import Query, Rows
from recce_meta.diff.data.source import LiveColumn, Pair, Source, restricted
from recce_meta.models.data_diff import ROUNDED_DOUBLE, ColumnTopK, DataSide, TopValue

_WRITTEN = {Kind.JSON: "JSON", Kind.INTERVAL: "intervals"}
"""Kinds of which equal values have other texts in another kind of warehouse."""
NO_VALUES = "no row has a value"
NUMBERS = frozenset([Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT])

Cast = Callable[[Sql], Sql]


class Key(Struct, frozen=True):
    """What a column's values are grouped by."""

    type: ColumnType
    casts: dict[DataSide, Cast]
    """How a value of either side becomes one; a side that has no such column is missing."""
    is_rounded: bool = False
    """Whether doubles stand for the values, so that two of them may share one."""

    def text(self, key: Sql, dialect: Dialect) -> Sql:
        """*key*, as it travels."""
        return dialect.group_text(key, self.type)

    def sorted(self, key: Sql, dialect: Dialect) -> Sql:
        """*key*, as it sorts."""
        return dialect.group_sorted(key, self.type)


class Counted(Struct, frozen=True):
    """A column whose values are counted."""

    number: int
    """Tells its rows in a result from those of other columns."""
    column: SideColumn
    key: Key

    @property
    def name(self) -> str:
        """The column's name."""
        return self.column.name

    def on(self, side: DataSide) -> LiveColumn | None:
        """The column of *side*."""
        own: LiveColumn | None = getattr(self.column, side.value)
        return own

    def keys(self, source: Source, where: str | None, *others: Sql) -> exp.Select:
        """The keys `v` of *source*'s rows that have a value, and *others* beside them."""
        own = self.on(source.side)
        assert own is not None, f"{self.name} is not in {source.side.value}"
        key = self.key.casts[source.side](own.of("t"))
        selected = source.select(exp.alias_(key, "v", copy=False), *others).where(
            exp.Not(this=exp.Is(this=own.of("t"), expression=exp.null())), copy=False
        )
        return restricted(selected, where)


def counted(pair: Pair, columns: Sequence[SideColumn]) -> tuple[list[Counted], dict[str, str]]:
    """*columns* that can be counted, and why the others cannot, by name."""
    found, reasons = [], {}
    for number, column in enumerate(columns):
        key = _key(pair, column)
        if isinstance(key, str):
            reasons[column.name] = key
        else:
            found.append(Counted(number, column, key))
    return found, reasons


def _key(pair: Pair, column: SideColumn) -> Key | str:
    """The key of *column*, or why it has none."""
    own = {
        source.side: (source.dialect, live.type)
        for source in pair.sides
        if (live := getattr(column, source.side.value)) is not None
    }
    if len(own) == 1:
        ((side, (dialect, of)),) = own.items()
        return Key(of, {side: _as_it_is(dialect, of)})
    (base_dialect, base), (dialect, current) = own[DataSide.BASE], own[DataSide.CURRENT]
    incomparable = f"{base.text} in base and {current.text} in current have nothing in common"
    if not pair.is_joined:
        if base.kind is current.kind and base.kind in _WRITTEN and base_dialect.name != dialect.name:
            return f"{base_dialect.name} and {dialect.name} write {_WRITTEN[base.kind]} in two ways"
        are_alike = base.kind is current.kind or {base.kind, current.kind} <= NUMBERS
        casts = {DataSide.BASE: _as_it_is(base_dialect, base), DataSide.CURRENT: _as_it_is(dialect, current)}
        return Key(current, casts) if are_alike else incomparable
    common = common_type(dialect, base, current)
    if common is None:
        return incomparable
    if common.kind in GROUPED_BY_TEXT:
        casts = {
            DataSide.BASE: _aligned(dialect, base, current),
            DataSide.CURRENT: _aligned(dialect, current, base),
        }
        return Key(current, casts)
    of = common.type if common.type and common.type.kind is common.kind else ColumnType("", common.kind)
    casts = {DataSide.BASE: common.base, DataSide.CURRENT: common.current}
    return Key(of, casts, is_rounded=common.label == ROUNDED_DOUBLE)


def _as_it_is(dialect: Dialect, of: ColumnType) -> Cast:
    return lambda value: dialect.groupable(value, of)


def _aligned(dialect: Dialect, own: ColumnType, other: ColumnType) -> Cast:
    """Return the key of a column of which the other side has another type of the same kind."""
    if own.text == other.text:
        return _as_it_is(dialect, own)
    return lambda value: dialect.groupable(dialect.aligned(value, own, other), own)


def totals(sources: Sequence[Source], columns: Sequence[SideColumn], where: str | None) -> Query:
    """All rows of each of *sources*, and those with a value in each of *columns*: one row for each source."""
    selects = []
    for source in sources:
        values = [
            exp.Literal.number(0) if own is None else exp.Count(this=own.of("t"))
            for own in (getattr(column, source.side.value) for column in columns)
        ]
        selected = source.select(
            exp.alias_(exp.Literal.number(list(DataSide).index(source.side)), "side"),
            exp.alias_(exp.Count(this=exp.Star()), "row_count"),
            *(exp.alias_(value, f"c{place}_valid") for place, value in enumerate(values)),
        )
        selects.append(restricted(selected, where))
    return Query(
        expression=exp.union(*selects, distinct=False, copy=False) if len(selects) > 1 else selects[0],
        dialect=sources[-1].dialect,
        side=sources[-1].side,
        about=f"values of {sources[-1].name}",
        assumed=[(number, 0, *(0 for _ in columns)) for number in range(len(sources))],
    )


class Totals(Struct):
    """Rows of both sides, and those with a value in each column."""

    rows: dict[DataSide, int] = {}
    valid: dict[tuple[DataSide, str], int] = {}

    def add(self, answer: Rows, columns: Sequence[SideColumn]) -> None:
        """Take in what `totals` found of *columns*."""
        for number, rows, *valid in answer:
            side = list(DataSide)[int(number)]
            self.rows[side] = int(rows)
            for column, count in zip(columns, valid, strict=True):
                if getattr(column, side.value) is not None:
                    self.valid[side, column.name] = int(count)

    def of(
        self, column: SideColumn, values: Iterable[TopValue] = (), reason: str | None = None
    ) -> ColumnTopK:
        """The answer about *column*."""
        base, current = (DataSide.BASE, column.name), (DataSide.CURRENT, column.name)
        if reason is None and self._saw_nothing(column):
            reason = NO_VALUES
        return ColumnTopK(
            name=column.name,
            values=tuple(values),
            base_valid=self.valid.get(base),
            base_total=self.rows[DataSide.BASE] if base in self.valid else None,
            current_valid=self.valid.get(current),
            current_total=self.rows[DataSide.CURRENT] if current in self.valid else None,
            reason=reason,
        )

    def _saw_nothing(self, column: SideColumn) -> bool:
        """Return True if no row has a value, and a side has no rows.

        NULL in all rows of both sides is an answer.
        """
        sides = [side for side in DataSide if (side, column.name) in self.valid]
        has_values = any(self.valid[side, column.name] for side in sides)
        return not has_values and not all(self.rows[side] for side in sides)
