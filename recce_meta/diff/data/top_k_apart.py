"""The most frequent values of columns where no statement reads both sides.

Each side is asked for its own first *k*, and then for the values that the other side alone has listed. Values
that share their current count with the last one shown are told apart by their base count only as far as base
has listed them. Nested values of two kinds of warehouses are equal if they are written alike. JSON and
intervals of two kinds are not compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from struct import pack, unpack
from typing import NamedTuple, TypeAlias

from sqlglot import exp

from recce_meta.dialects import ColumnType, Kind, Sql
from recce_meta.diff.data.choice import SideColumn
from recce_meta.diff.data.failures import failure, first_line
from recce_meta.diff.data.plan import Plan, Query, Rows, rows_of
from recce_meta.diff.data.reading import read, sample
from recce_meta.diff.data.same_value import Same, fits, literal_of, place_of, same_of, texts_of
from recce_meta.diff.data.source import LiveColumn, Pair, Source
from recce_meta.diff.data.sql import any_of
from recce_meta.diff.data.top_keys import Counted, Totals, counted, totals
from recce_meta.models.data_diff import ColumnTopK, DataSide, TopValue, Value


class Listed(NamedTuple):
    """A value that one side has listed."""

    value: Value
    text: str
    """The value as that side's warehouse writes it."""
    rows: int


Counts: TypeAlias = dict[Same, Listed]


def top_k_apart(
    pair: Pair, wanted: Sequence[SideColumn], k: int, where: str | None
) -> Plan[list[ColumnTopK]]:
    """The answer about each of *wanted*, in its order."""
    columns, reasons = counted(pair, wanted)
    asked = [(source, column) for source in pair.sides for column in columns if column.on(source.side)]
    answers = yield [
        *(_first(source, column, k, where) for source, column in asked),
        *(totals([source], wanted, where) for source in pair.sides),
    ]
    rows = Totals()
    for answer in answers[len(asked) :]:
        rows.add(rows_of(answer), wanted)
    counts: dict[tuple[DataSide, int], Counts] = {}
    for (source, column), answer in zip(asked, answers, strict=False):
        error = failure(answer)
        if error is not None:
            reasons[column.name] = first_line(error)
        else:
            counts[source.side, column.number] = _counts(rows_of(answer), column, source)
    missing = [
        (source, column, values)
        for source, column in asked
        if column.name not in reasons and (values := _missing(column, source, counts))
    ]
    answers = yield [_rest(source, column, values, where) for source, column, values in missing]
    for (source, column, _), answer in zip(missing, answers, strict=True):
        error = failure(answer)
        if error is not None:
            reasons[column.name] = first_line(error)
        else:
            counts[source.side, column.number] |= _counts(rows_of(answer), column, source)
    by_name = {column.name: column for column in columns}
    return [
        rows.of(column, reason=reasons[column.name])
        if column.name in reasons
        else rows.of(column, _merged(by_name[column.name], counts)[:k])
        for column in wanted
    ]


def _first(source: Source, column: Counted, k: int, where: str | None) -> Query:
    """The first *k* of one side by its own count, then by value."""
    grouped = _grouped(source, column, where)
    value = source.dialect.group_sorted(exp.column("v", table="c"), _own(column, source).type)
    first = (
        exp.select("c.v", "c.row_count")
        .from_(grouped.subquery("c"))
        .order_by(exp.Ordered(this=exp.column("row_count", table="c"), desc=True), exp.Ordered(this=value))
        .limit(k)
    )
    return _query(first, source, column, "most frequent values")


def _rest(source: Source, column: Counted, listed: Sequence[Listed], where: str | None) -> Query:
    """How often the values *listed* by the other side are there.

    Some are found by a literal, some by their text. Values found beyond those do no harm.
    """
    own, dialect = _own(column, source), source.dialect
    literals = [(one, literal_of(one.value, own.type, dialect)) for one in listed]
    texts = dict.fromkeys(
        text for one, literal in literals if literal is None for text in texts_of(one.value, one.text)
    )
    among: list[Sql] = []
    if values := [literal for _, literal in literals if literal is not None]:
        among.append(exp.In(this=own.of("t"), expressions=values))
    if texts:
        text = dialect.group_text(dialect.groupable(own.of("t"), own.type), own.type)
        among.append(exp.In(this=text, expressions=[exp.Literal.string(each) for each in texts]))
    return _query(_grouped(source, column, where).where(any_of(among)), source, column, "other side's values")


def _grouped(source: Source, column: Counted, where: str | None) -> exp.Select:
    return column.keys(source, where, exp.alias_(exp.Count(this=exp.Star()), "row_count")).group_by("1")


def _own(column: Counted, source: Source) -> LiveColumn:
    own = column.on(source.side)
    assert own is not None, "only sides that have the column are asked"
    return own


def _query(grouped: exp.Select, source: Source, column: Counted, about: str) -> Query:
    own = _own(column, source)
    text = source.dialect.group_text(exp.column("v", table="f"), own.type)
    return Query(
        expression=exp.select(exp.alias_(text, "value"), "f.row_count").from_(grouped.subquery("f")),
        dialect=source.dialect,
        side=source.side,
        about=f"{about} of {source.name}.{own.name}",
        # Only current has rows where nothing is run, so that base is then seen to be asked for them.
        assumed=[(sample(own.type), 1)] if source.side is DataSide.CURRENT else [],
    )


def _counts(rows: Rows, column: Counted, source: Source) -> Counts:
    of = _own(column, source).type
    widens = _is_single(of) and not all(
        own is None or _is_single(own.type) for own in map(column.on, DataSide)
    )
    found: Counts = {}
    for text, count in rows:
        value = read(text, of)
        if widens and isinstance(value, float) and isfinite(value):
            (value,) = unpack("f", pack("f", value))  # 0.1 of 32 bits is not 0.1 of 64
        same = same_of(value, of)
        before = found[same].rows if same in found else 0
        found[same] = Listed(value, str(text), int(count) + before)
    return found


def _is_single(of: ColumnType) -> bool:
    return of.kind is Kind.FLOAT and of.precision == 32


def _missing(column: Counted, source: Source, counts: dict[tuple[DataSide, int], Counts]) -> list[Listed]:
    """The values that the other side alone has listed, and that *source* could hold."""
    other = next(one for one in DataSide if one is not source.side)
    here, there = (counts.get((side, column.number), {}) for side in (source.side, other))
    of = _own(column, source).type
    return [one for same, one in there.items() if same not in here and fits(one.value, of, source.dialect)]


def _merged(column: Counted, counts: dict[tuple[DataSide, int], Counts]) -> list[TopValue]:
    base, current = (counts.get((side, column.number), {}) for side in DataSide)
    both = {**base, **current}
    values = [
        (one, base[same].rows if same in base else 0, current[same].rows if same in current else 0)
        for same, one in both.items()
    ]
    of = column.key.type
    values.sort(key=lambda found: (-found[2], -found[1], place_of(found[0].value, found[0].text, of)))
    return [TopValue(value=one.value, base=before, current=after) for one, before, after in values]
