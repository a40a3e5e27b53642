"""`query`: the rows of a query on one side, for checks that expect some number of them, or none."""

from __future__ import annotations

from sqlglot import exp

from recce_meta.diff.data.plan import Plan, Query, rows_of
from recce_meta.diff.data.source import Source, describe
from recce_meta.models.data_diff import DataSide, DetailRow, QueryDiff, RowsDiff, Subject

LIMIT = 100


def query_rows(source: Source, subject: Subject, sql: str, *, limit: int = LIMIT) -> Plan[QueryDiff]:
    """How many rows the query of *source*, whose text is *sql*, gives, and the first *limit* of them.

    In `rows`, the other side has no count. Raises whatever the statement raises.
    """
    (columns,) = yield from describe([source])
    everything = source.select(*(exp.alias_(column.of("t"), column.name, quoted=True) for column in columns))
    counted, fetched = yield [
        Query(
            expression=source.select(exp.Count(this=exp.Star())),
            dialect=source.dialect,
            side=source.side,
            about="rows of the query",
            assumed=[(0,)],
        ),
        Query(
            expression=everything.limit(limit),
            dialect=source.dialect,
            side=source.side,
            about="the query",
            assumed=[],
        ),
    ]
    count = int(rows_of(counted)[0][0])
    is_base = source.side is DataSide.BASE
    found = tuple(
        DetailRow(
            status="removed" if is_base else "added",
            key=(),
            base=tuple(row) if is_base else None,
            current=None if is_base else tuple(row),
            base_count=int(is_base),
            current_count=int(not is_base),
        )
        for row in rows_of(fetched)
    )
    rows = RowsDiff(
        subject=subject,
        columns=tuple(column.name for column in columns),
        base_rows=count if is_base else None,
        current_rows=None if is_base else count,
        rows=found,
        limit=limit,
        is_cut=count > limit,
    )
    return QueryDiff(
        subject=subject, base_sql=sql if is_base else "", current_sql="" if is_base else sql, rows=rows
    )
