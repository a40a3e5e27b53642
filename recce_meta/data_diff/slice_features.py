"""Features of the rows of a value diff, with their SQL: values, ranges, lengths, first letters and forms.

They are those of the stored columns of the node, or those of its parents by the key. `slice_search` finds
conditions on features, and `SliceProperty.test` is their SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import islice
from typing import NamedTuple

from sqlglot import exp

from recce_meta.data_diff.keyed import BASE, CURRENT, KeyedSides, is_missing
from recce_meta.data_diff.parents import SORTED, Parent
from recce_meta.data_diff.slice_search import (
    ADDED,
    OTHER_FORM,
    REMOVED,
    Feature,
    SliceTarget,
    SliceTest,
)
from recce_meta.data_diff.source import is_not_null, is_null, negation
from recce_meta.models.data_diff import DataSide
from recce_meta.models.diff_kinds import LENIENT
from recce_meta.warehouses.arithmetic import all_of
from recce_meta.warehouses.dialect import Dialect, epoch
from recce_meta.warehouses.types import ColumnType, Kind, Sql

_MOST_OF_PARENTS = 60
"""Figures of parents that are searched."""
_ONLY_NULL = frozenset(
    [Kind.ARRAY, Kind.STRUCT, Kind.MAP, Kind.JSON, Kind.BINARY, Kind.INTERVAL, Kind.TIME, Kind.OTHER]
)
"""Types of which no value is a feature."""
FORMS = ("is empty", "has blanks around", "is in lower case", "is in upper case")


class SliceSource(NamedTuple):
    """Column whose values are features: an expression in the join, and its stored name."""

    name: str
    type: ColumnType
    value: Sql
    of_base: Sql | None
    """The same for a row that base has, without current; None if current alone has the column."""
    is_key: bool = False
    parent: Parent | None = None
    aggregate: Sql | None = None
    """Figure of the rows of the parent with one key, on its relation `t`."""


class SliceProperty(NamedTuple):
    """Feature with its SQL."""

    feature: Feature
    source: SliceSource
    build: Callable[[Sql], Sql]

    @property
    def sql(self) -> Sql:
        return self.build(self.source.value.copy())

    def test(self, condition: SliceTest, value: Sql | None = None) -> Sql:
        """Return *condition* as SQL on the stored *value*, by default that of the source.

        Whole numbers and dates are compared as such, which is faster than as texts.
        """
        stored = (self.source.value if value is None else value).copy()
        literal = _LITERALS.get(self.source.type.kind) if self.feature.figure == "value" else None
        if literal is None or condition.operator not in ("in", "not in"):
            return _test(condition, self.build(stored))
        return _in(condition, stored, [literal(str(one)) for one in condition.values])


def properties_of(
    sides: KeyedSides,
    targets: Sequence[SliceTarget],
    differing: Sequence[int],
    is_private: Callable[[str], bool],
    parents: Sequence[Parent],
) -> Iterable[SliceProperty]:
    """Yield the features of the rows of *sides*, or of *parents* instead if there are some.

    *differing* are the compared columns with differences. A column that *is_private* accepts is only tested
    for NULL.
    """
    is_lenient = any(getattr(sides.options, name) for name in LENIENT)
    changed = {how.pair.name for i, how in enumerate(sides.compared) if is_lenient or i in differing}
    for source in _sources(sides, targets, parents):
        differs = source.parent is None and not source.is_key and source.name in changed
        if is_private(source.name) or source.type.kind in _ONLY_NULL:
            if not source.is_key:
                yield SliceProperty(
                    Feature(source.name, "null", False, differs=differs), source, _is_null_text
                )
            continue
        for figure, is_number, build in _figures(sides.dialect, source):
            is_time = figure == "range" and source.type.kind.is_point_in_time
            yield SliceProperty(Feature(source.name, figure, is_number, is_time, differs), source, build)


def _sources(
    sides: KeyedSides, targets: Sequence[SliceTarget], parents: Sequence[Parent]
) -> Iterable[SliceSource]:
    """Yield the key, the compared columns, and the columns of one side that its target has."""
    if parents:
        yield from islice(_parent_sources(sides, parents), _MOST_OF_PARENTS)
        return
    names = {one.name for one in targets}
    keys = zip(sides.joined_key(), sides.key_columns(BASE), strict=True)
    for part, (value, of_base) in zip(sides.key, keys, strict=True):
        of = part.common.type or part.pair.current.type
        yield SliceSource(part.pair.name, of, value, of_base, is_key=True)
    for index, how in enumerate(sides.compared):
        before, after = exp.column(f"v{index}", table=BASE), exp.column(f"v{index}", table=CURRENT)
        base_type, current_type = how.pair.base.type, how.pair.current.type
        if ADDED not in names:
            yield SliceSource(how.pair.name, base_type, before, before)
        elif base_type.text == current_type.text:
            value = exp.Case().when(is_missing(BASE), after, copy=False).else_(before, copy=False)
            yield SliceSource(how.pair.name, base_type, value, before)
    for index, (side, column) in enumerate(sides.alone):
        # Rows of the other side have no value, which is not worth a slice.
        if (ADDED if side is DataSide.BASE else REMOVED) not in names:
            is_base = side is DataSide.BASE
            value = exp.column(f"u{index}", table=BASE if is_base else CURRENT)
            yield SliceSource(column.name, column.type, value, value if is_base else None)


def _parent_sources(sides: KeyedSides, parents: Sequence[Parent]) -> Iterable[SliceSource]:
    """Yield the number of rows, and the lowest and highest values, that the parents have for a key."""
    known = {how.pair.base.name for how in sides.compared}
    for place, parent in enumerate(parents):
        alias = f"p{place}"
        number, rows = exp.Count(this=exp.Star()), exp.column("n", table=alias)
        whole = ColumnType("BIGINT", Kind.INTEGER)
        yield SliceSource(
            f"number of rows of {parent.name}", whole, rows, rows, parent=parent, aggregate=number
        )
        for index, column in enumerate(parent.columns):
            # A column of the same name has been searched in the node.
            if column.type.kind not in SORTED or column.name in known:
                continue
            for figure, name, aggregate in (("lowest", "a", exp.Min), ("highest", "z", exp.Max)):
                value = exp.column(f"{name}{index}", table=alias)
                yield SliceSource(
                    f"{figure} {column.name} of {parent.name}",
                    column.type,
                    value,
                    value,
                    parent=parent,
                    aggregate=aggregate(this=column.of("t")),
                )


def _figures(dialect: Dialect, source: SliceSource) -> Iterable[tuple[str, bool, Callable[[Sql], Sql]]]:
    """Yield the name of each feature of a column, whether it is a number, and its SQL."""
    of, kind = source.type, source.type.kind

    def text(value: Sql) -> Sql:
        return dialect.exact_text(dialect.portable_text(value, of))

    def plain(value: Sql) -> Sql:
        return dialect.exact_text(dialect.plain_text(value))

    def prefix(value: Sql, size: int) -> Sql:
        return plain(exp.Left(this=value, expression=number_literal(size)))

    if kind.is_number:
        yield "range", True, dialect.double
    elif kind.is_point_in_time:
        yield "range", True, lambda value: dialect.double(epoch(value))
        if kind is Kind.TIMESTAMP:
            yield "hour", True, lambda value: dialect.double(_extract("HOUR", value))
        if kind is not Kind.TIMESTAMPTZ:
            yield "day", True, lambda value: dialect.double(_extract("DAY", value))
    if source.is_key:
        return
    if kind is Kind.TEXT:
        yield "value", False, plain
        yield "length", True, lambda value: dialect.double(dialect.aggregates.length(value, of) or value)
        for size in (3, 6):
            yield "prefix", False, partial(prefix, size=size)
        yield "form", False, lambda value: _form(dialect, dialect.plain_text(value))
    elif not kind.is_point_in_time or kind is Kind.DATE:
        yield "value", False, text


def _extract(unit: str, value: Sql) -> Sql:
    return exp.Extract(this=exp.var(unit), expression=value)


def _form(dialect: Dialect, value: Sql) -> Sql:
    """Return one of `FORMS` as text, or another text for other strings; NULL for NULL."""
    exact = dialect.exact_text
    trimmed, lower, upper = (exact(one(this=value.copy())) for one in (exp.Trim, exp.Lower, exp.Upper))
    is_lower = exp.EQ(this=exact(value.copy()), expression=lower)
    is_upper = exp.EQ(this=exact(value.copy()), expression=upper)
    case = exp.Case().when(is_null(value.copy()), exp.null(), copy=False)
    tests = (
        exp.EQ(this=exact(value.copy()), expression=exp.Literal.string("")),
        exp.NEQ(this=exact(value.copy()), expression=trimmed),
        all_of([is_lower, negation(is_upper.copy())]),
        all_of([is_upper.copy(), negation(is_lower.copy())]),
    )
    for test, form in zip(tests, FORMS, strict=True):
        case = case.when(test, exp.Literal.string(form), copy=False)
    return exact(case.else_(exp.Literal.string(OTHER_FORM), copy=False))


def _is_null_text(value: Sql) -> Sql:
    case = exp.Case().when(is_null(value), exp.Literal.string("yes"), copy=False)
    return case.else_(exp.Literal.string("no"), copy=False)


def number_literal(value: float) -> Sql:
    literal = exp.Literal.number(repr(abs(value)))
    return exp.Neg(this=literal) if value < 0 else literal


def _test(condition: SliceTest, value: Sql) -> Sql:
    """Return *condition* as SQL on the feature *value*."""
    if condition.operator in ("null", "not null"):
        return is_null(value) if condition.operator == "null" else is_not_null(value)
    if condition.operator == "between":
        low, high, is_open = condition.values
        ends: list[Sql] = []
        if isinstance(low, float):
            ends.append(exp.GTE(this=value.copy(), expression=number_literal(low)))
        if isinstance(high, float):
            below = exp.LT if is_open else exp.LTE
            ends.append(below(this=value.copy(), expression=number_literal(high)))
        return all_of(ends)
    return _in(condition, value, [exp.Literal.string(str(one)) for one in condition.values])


def _in(condition: SliceTest, value: Sql, literals: list[Sql]) -> Sql:
    found = exp.In(this=value, expressions=literals)
    return found if condition.operator == "in" else exp.func("COALESCE", negation(found), exp.true())


_LITERALS: dict[Kind, Callable[[str], Sql]] = {
    Kind.INTEGER: lambda text: exp.Literal.number(text) if text[:1] != "-" else -exp.Literal.number(text[1:]),
    Kind.DATE: lambda text: exp.cast(exp.Literal.string(text), "DATE"),
}
"""Literals of the types whose texts are the same in every warehouse."""
