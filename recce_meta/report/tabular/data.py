"""Data diffs of several nodes as one table.

Rows that differ have one row for each cell, because nodes have different columns; the result of one node,
whose rows are those of the relation, is `to_table()`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from recce_meta.models.data_diff import AnyDataDiff, DetailRow, QueryDiff, RowCountDiff, RowsDiff, ValueDetail
from recce_meta.models.rows import RowTable, Scalar
from recce_meta.report.values import are_same
from recce_meta.tables import data as data_tables
from recce_meta.tables.data import REMARKS, SUBJECT, named, remarks_of
from recce_meta.tables.rows import scalar

CELLS: Mapping[str, type] = {
    "row": int,
    "status": str,
    "key": str,
    "column": str,
    "base": object,
    "current": object,
    "base_count": int,
    "current_count": int,
}
"""Columns of rows that differ, between those of the subject and the remarks."""
OF_CELLS = ("value_diff_detail", "query_diff")
CUT = "more rows differ than are listed: raise --limit"

Row = tuple[Scalar, ...]


def data_table(results: Sequence[AnyDataDiff], kind: str) -> RowTable:
    """Return *results* as the table of *kind*: `row_count_diff`, `value_diff`, `value_diff_detail`, …"""
    if kind not in OF_CELLS:
        return data_tables.data_table(results, kind)
    return RowTable({**SUBJECT, **CELLS, **REMARKS}, [row for result in results for row in _rows(result)])


def _rows(result: AnyDataDiff) -> Iterator[Row]:
    if isinstance(result, RowCountDiff):
        return
    found = (result.detail or result.rows) if isinstance(result, QueryDiff) else result
    listed = found if isinstance(found, (ValueDetail, RowsDiff)) else None
    first, last = named(result.subject), remarks_of(result, [CUT] if listed and listed.is_cut else [])
    key = listed.key if isinstance(listed, ValueDetail) else ()
    rows = [
        cell
        for number, row in enumerate(() if listed is None else listed.rows, 1)
        for cell in _cells(number, row, key, listed.columns if listed else ())
    ]
    # A remark or an error must not be lost for lack of a cell.
    if not rows and any(last):
        rows = [(None,) * len(CELLS)]
    for cells in rows:
        yield (*first, *cells, *last)


def _cells(number: int, row: DetailRow, key: Sequence[str], columns: Sequence[str]) -> Iterator[Row]:
    """Yield the cells of a row that differ, or one without a column; all cells of a row of one side only."""
    values = dict(zip(key, row.key, strict=False))
    first = (number, row.status, scalar(values) if values else None)
    last = (row.base_count, row.current_count)
    shown = False
    for place, column in enumerate(columns):
        base = None if row.base is None else row.base[place]
        current = None if row.current is None else row.current[place]
        if row.status != "changed" or not are_same(base, current):
            shown = True
            yield (*first, column, scalar(base), scalar(current), *last)
    # The row is there without columns, and if all that differs is withheld.
    if not shown:
        yield (*first, None, None, None, *last)
