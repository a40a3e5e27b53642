"""Results of data diffs as JSON that loses nothing, and as the figures that SQL users ask for. Pure.

In the JSON a struct is an object of its fields under their names, with its tag as `type`; values are as
`recce_meta.store.values` writes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from functools import singledispatch

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from recce_meta.errors import StoreError
from recce_meta.models.data_diff import (
    AnyDataDiff,
    ColumnHistogram,
    ColumnTopK,
    ColumnValues,
    Failed,
    HistogramDiff,
    NotCompared,
    ProfileDiff,
    QueryDiff,
    RowCountDiff,
    RowsDiff,
    SchemaDiff,
    Subject,
    TopKDiff,
    Value,
    ValueDetail,
    ValueDiff,
)
from recce_meta.models.kept_diff import Headline
from recce_meta.store.values import JsonTree, number_of, tree_of, value_of_tree

ColumnRow = tuple[object, ...]
"""One row of `column_diffs` from `column_name` on."""


def result_text(result: AnyDataDiff) -> str:
    """*result* as JSON text; equal results give equal texts."""
    return msgspec.json.encode(_tree(result)).decode()


def result_of(text: str) -> AnyDataDiff:
    """The result that `result_text` made *text* of.

    Raises StoreError where this recce-meta knows no such result.
    """
    tree = value_of_tree(msgspec.json.decode(text))
    try:
        result: AnyDataDiff = msgspec.convert(tree, AnyDataDiff)
    except msgspec.ValidationError as error:
        raise StoreError(
            f"A kept data diff cannot be read: {error}",
            hint="a later recce-meta may have kept it: upgrade this one",
        ) from error
    return result


def one_subject_each(results: Iterable[AnyDataDiff]) -> Iterator[AnyDataDiff]:
    """*results* with one subject each: row counts of many nodes become as many results."""
    for result in results:
        if isinstance(result, RowCountDiff):
            for count in result.counts:
                yield replace(result, counts=(count,))
        else:
            yield result


def subject_of(result: AnyDataDiff) -> Subject:
    """What *result*, which has one subject, is about."""
    return result.counts[0].subject if isinstance(result, RowCountDiff) else result.subject


def type_of(result: AnyDataDiff) -> str:
    """The kind of diff that *result* is, or was to be."""
    return (
        result.diff if isinstance(result, (Failed, NotCompared)) else str(type(result).__struct_config__.tag)
    )


@singledispatch
def headline_of(result: AnyDataDiff) -> Headline:
    """The figures of *result* that history is made of."""
    raise TypeError(f"Not a result of a data diff: {type(result).__name__}")


@headline_of.register
def _(result: RowCountDiff) -> Headline:
    (count,) = result.counts
    return Headline(
        is_equal=None if count.delta is None else count.delta == 0,
        base_rows=count.base,
        current_rows=count.current,
        error=count.base_reason or count.current_reason,
    )


@headline_of.register
def _(result: SchemaDiff) -> Headline:
    return Headline(is_equal=not result.changed, differing_columns=len(result.changed))


@headline_of.register
def _(result: ValueDiff) -> Headline:
    return Headline(
        is_equal=result.is_equal,
        base_rows=None if result.base is None else result.base.rows,
        current_rows=None if result.current is None else result.current.rows,
        added_rows=result.added,
        removed_rows=result.removed,
        common_rows=result.common,
        changed_rows=result.changed,
        differing_columns=sum(row[1] != "equal" for row in column_rows(result)),
    )


@headline_of.register
def _(result: ValueDetail) -> Headline:
    # A list that was cut tells that there are differences, and not how many.
    counted = {status: sum(row.status == status for row in result.rows) for status in _ROW_STATUSES}
    known = {} if result.is_cut else counted
    return Headline(
        is_equal=result.is_equal,
        added_rows=known.get("added"),
        removed_rows=known.get("removed"),
        changed_rows=known.get("changed"),
    )


@headline_of.register
def _(result: RowsDiff) -> Headline:
    return Headline(
        is_equal=result.is_equal,
        base_rows=result.base_rows,
        current_rows=result.current_rows,
        added_rows=result.added,
        removed_rows=result.removed,
        common_rows=result.common,
        differing_columns=len(result.base_only) + len(result.current_only) + len(result.incomparable),
    )


@headline_of.register
def _(result: QueryDiff) -> Headline:
    answer = result.values or result.rows or result.detail
    return Headline() if answer is None else headline_of(answer)


@headline_of.register
def _(result: ProfileDiff) -> Headline:
    differing = sum(_tree(column.base) != _tree(column.current) for column in result.columns)
    base = (column.base.row_count for column in result.columns if column.base)
    current = (column.current.row_count for column in result.columns if column.current)
    return Headline(
        is_equal=_known(not differing, result.where),
        base_rows=next(base, None),
        current_rows=next(current, None),
        differing_columns=differing,
    )


@headline_of.register
def _(result: TopKDiff) -> Headline:
    return replace(
        _distributions(result.columns, result.where),
        base_rows=next((column.base_total for column in result.columns), None),
        current_rows=next((column.current_total for column in result.columns), None),
    )


@headline_of.register
def _(result: HistogramDiff) -> Headline:
    return _distributions(result.columns, result.where)


@headline_of.register
def _(result: Failed) -> Headline:
    return Headline(error=result.error)


@headline_of.register
def _(result: NotCompared) -> Headline:
    return Headline(error=result.reason)


def column_rows(result: AnyDataDiff) -> list[ColumnRow]:
    """Rows of `column_diffs` from `column_name` on; none where *result* compares no values by key."""
    values = result.values if isinstance(result, QueryDiff) else result
    if not isinstance(values, ValueDiff):
        return []
    return [
        *(_column_row(column) for column in values.columns),
        *((name, "removed", *_NOTHING_KNOWN) for name in values.base_only),
        *((name, "added", *_NOTHING_KNOWN) for name in values.current_only),
    ]


_ROW_STATUSES = ("added", "removed", "changed")
_NOTHING_KNOWN = (None,) * 10
"""Of a column that one side alone has: types, figures and reason."""


def _column_row(column: ColumnValues) -> ColumnRow:
    status = "incomparable" if column.reason else "changed" if column.mismatched else "equal"
    return (
        column.name,
        status,
        column.base_type,
        column.current_type,
        column.compared_as,
        column.matched,
        column.mismatched,
        column.null_to_value,
        column.value_to_null,
        number_of(column.mean_difference),
        number_of(column.largest_difference),
        column.reason,
    )


def _known(is_equal: bool, where: str | None) -> bool | None:
    """False if a difference was found; of equal figures, None if a condition left rows out."""
    return None if is_equal and where else is_equal


def _distributions(columns: Sequence[ColumnTopK] | Sequence[ColumnHistogram], where: str | None) -> Headline:
    """Whether the same was counted on both sides; a column that could not be counted leaves that open."""
    unknown = sum(bool(column.reason) for column in columns)
    differing = sum(not column.reason and not _is_same(column) for column in columns)
    return Headline(
        is_equal=False if differing else None if unknown else _known(True, where),
        differing_columns=differing + unknown,
    )


def _is_same(column: ColumnTopK | ColumnHistogram) -> bool:
    if isinstance(column, ColumnHistogram):
        base = (column.base, column.base_total, column.base_outside)
        return base == (column.current, column.current_total, column.current_outside)
    totals = (column.base_valid, column.base_total) == (column.current_valid, column.current_total)
    return totals and all(value.base == value.current for value in column.values)


def _tree(value: Struct | Value) -> JsonTree:
    """*value* as JSON has it: structs, and tuples that hold them, are not values of cells."""
    if isinstance(value, Struct):
        tag = type(value).__struct_config__.tag
        fields = {name: _tree(getattr(value, name)) for name in value.__struct_fields__}
        return {"type": tag} | fields if tag else fields
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (tuple, list)):
        return [_tree(item) for item in value]
    return tree_of(value)
