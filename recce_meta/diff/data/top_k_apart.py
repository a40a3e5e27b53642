"""The most frequent values of columns where no statement reads both sides.

Each side is asked for its own first *k*, and then for the values that the other side alone has listed. Values
that share their current count with the last one shown are told apart by their base count only as far as base
has listed them. JSON and nested values of two kinds of warehouses are equal where they are written alike.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from datetime import date, time
from decimal import Decimal
from typing import TypeAlias

from sqlglot import exp

from recce_meta.dialects import ColumnType, Dialect, Kind, Sql
from recce_meta.diff.data.choice import SideColumn
from recce_meta.diff.data.failures import failure, first_line
from recce_meta.diff.data.plan import Plan, Query, Rows, rows_of
from recce_meta.diff.data.reading import read, sample
from recce_meta.diff.data.source import Pair, Source
from recce_meta.diff.data.top_keys import BY_TEXT, Counted, Totals, counted, totals
from recce_meta.models.data_diff import ColumnTopK, DataSide, TopValue, Value

LARGEST_DECIMAL = 10**38

Same: TypeAlias = "str | int | float | bool | Decimal | date | time | tuple[str, str]"
"""What equal values of two warehouses have in common."""
Counts: TypeAlias = dict[Same, tuple[Value, int]]


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
        if column.name not in reasons and (values := _missing(column, source.side, counts))
    ]
    answers = yield [_rest(source, column, values, where) for source, column, values in missing]
    for (source, column, _), answer in zip(missing, answers, strict=True):
        error = failure(answer)
        if error is not None:
            reasons[column.name] = first_line(error)
        else:
            counts[source.side, column.number] |= _counts(rows_of(answer), column, source)
    numbers = {column.name: column.number for column in columns}
    return [
        rows.of(column, reason=reasons[column.name])
        if column.name in reasons
        else rows.of(column, _merged(numbers[column.name], counts)[:k])
        for column in wanted
    ]


def _first(source: Source, column: Counted, k: int, where: str | None) -> Query:
    """The first *k* of one side by its own count, then by value."""
    grouped = _grouped(source, column, where)
    value = column.key.sorted(exp.column("v", table="c"), source.dialect)
    first = (
        exp.select("c.v", "c.row_count")
        .from_(grouped.subquery("c"))
        .order_by(exp.Ordered(this=exp.column("row_count", table="c"), desc=True), exp.Ordered(this=value))
        .limit(k)
    )
    return _query(first, source, column, "most frequent values")


def _rest(source: Source, column: Counted, values: Sequence[Value], where: str | None) -> Query:
    """How often *values*, which the other side has listed, are there."""
    own = column.on(source.side)
    assert own is not None, "only sides that have the column are asked"
    grouped = _grouped(source, column, where)
    literals = [_literal(value, own.type, source.dialect) for value in values]
    if None in literals:  # what has no literal is told by its text
        texts = [exp.Literal.string(_text(value)) for value in values]
        among = exp.In(this=source.dialect.portable_text(own.of("t"), own.type), expressions=texts)
    else:
        among = exp.In(this=own.of("t"), expressions=literals)
    return _query(grouped.where(among), source, column, "other side's values")


def _grouped(source: Source, column: Counted, where: str | None) -> exp.Select:
    return column.keys(source, where, exp.alias_(exp.Count(this=exp.Star()), "row_count")).group_by("1")


def _query(grouped: exp.Select, source: Source, column: Counted, about: str) -> Query:
    own = column.on(source.side)
    assert own is not None, "only sides that have the column are asked"
    value = exp.column("v", table="f")
    text = value if own.type.kind in BY_TEXT else source.dialect.portable_text(value, own.type)
    return Query(
        expression=exp.select(exp.alias_(text, "value"), "f.row_count").from_(grouped.subquery("f")),
        dialect=source.dialect,
        side=source.side,
        about=f"{about} of {source.name}.{own.name}",
        # Only current has rows where nothing is run, so that base is then seen to be asked for them.
        assumed=[(sample(own.type), 1)] if source.side is DataSide.CURRENT else [],
    )


def _counts(rows: Rows, column: Counted, source: Source) -> Counts:
    own = column.on(source.side)
    assert own is not None, "only sides that have the column are asked"
    values = [(read(text, own.type), int(count)) for text, count in rows]
    return {_same(value): (value, count) for value, count in values}


def _missing(column: Counted, side: DataSide, counts: dict[tuple[DataSide, int], Counts]) -> list[Value]:
    """The values that the other side alone has listed, and that *side* could hold."""
    own = column.on(side)
    assert own is not None, "only sides that have the column are asked"
    other = next(one for one in DataSide if one is not side)
    here, there = (counts.get((one, column.number), {}) for one in (side, other))
    return [value for same, (value, _) in there.items() if same not in here and _fits(value, own.type)]


def _fits(value: Value, of: ColumnType) -> bool:
    """Whether a column of this type could hold *value* at all: there are doubles that no decimal holds."""
    if of.kind not in (Kind.INTEGER, Kind.DECIMAL) or not isinstance(value, (int, float, Decimal)):
        return True
    number = Decimal(value)
    return number.is_finite() and abs(number) < LARGEST_DECIMAL


def _merged(number: int, counts: dict[tuple[DataSide, int], Counts]) -> list[TopValue]:
    base, current = (counts.get((side, number), {}) for side in DataSide)
    values = [
        TopValue(
            value=(current.get(same) or base[same])[0],
            base=base.get(same, (None, 0))[1],
            current=current.get(same, (None, 0))[1],
        )
        for same in {**current, **base}
    ]
    return sorted(values, key=lambda one: (-one.current, -one.base, _place(one.value)))


def _same(value: Value) -> Same:
    """What *value* has in common with every equal value."""
    if isinstance(value, (list, dict)):
        return ("json", _text(value))
    if isinstance(value, float):
        return ("nan", "") if math.isnan(value) else Decimal(repr(value))
    found: Same = value
    return found


def _place(value: Value) -> tuple[int, Value]:
    """Where *value* sorts in its column: NaN, and what has no value in Python but its text, last."""
    if isinstance(value, (list, dict)):
        return 1, _text(value)
    if isinstance(value, (float, Decimal)) and math.isnan(value):
        return 2, 0
    if isinstance(value, str):
        return (-1 if value == "-infinity" else 1), value
    return 0, value


def _literal(value: Value, of: ColumnType, dialect: Dialect) -> Sql | None:
    """*value* as SQL; None where only its text can be compared."""
    if isinstance(value, bool):
        return exp.true() if value else exp.false()
    if isinstance(value, (int, float, Decimal)) and of.kind.is_number:
        return dialect.number(_text(value), of)
    if isinstance(value, date) and of.kind.is_point_in_time:
        text = value.isoformat() if of.kind is Kind.DATE else f"{value:%Y-%m-%d %H:%M:%S.%f}"
        return dialect.moment(text.rjust(10, "0"), of)
    if isinstance(value, time):
        return exp.cast(exp.Literal.string(value.isoformat()), "TIME")
    return exp.Literal.string(value) if of.kind is Kind.TEXT else None


def _text(value: Value) -> str:
    """*value* as text, the same for equal values."""
    if isinstance(value, (list, dict)):
        return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str, ensure_ascii=False)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    return repr(value) if isinstance(value, float) else str(value)
