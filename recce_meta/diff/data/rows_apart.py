"""Rows of two targets compared without a key; neither warehouse reads the other, nothing is fetched whole.

1. Each side hashes its rows with MD5, over texts that are written alike everywhere (`portable`), and sums the
   hashes up in 4,096 buckets.
2. Of buckets that differ, hashes are fetched with how often each is there. So the counts are exact.
3. The rows of some of the hashes that differ are fetched to be shown.

How many hashes the second step fetches is known before: where it would be too many, the diff says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from msgspec import structs
from sqlglot import exp

from recce_meta.dialects import Sql
from recce_meta.diff.data.plan import Plan, Query, Rows, rows_of
from recce_meta.diff.data.source import Source
from recce_meta.diff.data.sql import aliased, selecting
from recce_meta.diff.data.whole import HASH, Whole, with_rows
from recce_meta.errors import UsageError
from recce_meta.models.data_diff import DataSide, RowsDiff

BUCKET_DIGITS = 3
"""Hexadecimal digits of a hash that name its bucket."""
SLICES = ((4, 14), (18, 15))
"""Where the two numbers that are summed begin in a hash, and their digits."""
HASHES_AT_ONCE = 500_000
"""How many are fetched of a side with one statement: some hundred bytes each in memory."""
MOST_HASHES = 20_000_000
"""How many are fetched of both sides altogether."""
HASHES_TO_MENTION = 100_000

Sums: TypeAlias = dict[str, tuple[int, ...]]
"""By bucket: rows, and the sums of their hashes."""


def rows_diff_apart(sides: Whole) -> Plan[RowsDiff]:
    """The rows that one side has, or has more often; the sides are in two targets."""
    base, current = sides.pair.sides
    answers = yield [_buckets(sides, source) for source in (base, current)]
    before, after = (_sums(rows_of(answer)) for answer in answers)
    differing = sorted(bucket for bucket in before.keys() | after if before.get(bucket) != after.get(bucket))
    to_fetch = sum(side.get(bucket, (0,))[0] for bucket in differing for side in (before, after))
    if to_fetch > MOST_HASHES:
        raise UsageError(
            f"{sides.pair.subject.name} differs in so many places that the hashes of {to_fetch:,} rows would "
            "have to be fetched",
            hint="compare a sample, or restrict the rows with a condition",
        )
    common = sum(before[bucket][0] for bucket in before if before[bucket] == after.get(bucket))
    counts: dict[str, tuple[int, int]] = {}
    for part in _parts(differing, before, after):
        answers = yield [_hashes(sides, source, part) for source in (base, current)]
        found = _merged(*(rows_of(answer) for answer in answers))
        common += sum(min(pair) for pair in found.values())
        wanted = sides.options.limit + 1 - len(counts)
        unequal = sorted(key for key, (left, right) in found.items() if left != right)
        counts |= {key: found[key] for key in unequal[:wanted]}
    result = sides.answer(_rows(before), _rows(after), common)
    if to_fetch > HASHES_TO_MENTION:
        note = f"the hashes of {to_fetch:,} rows were fetched, because their places in the two targets differ"
        result = structs.replace(result, notes=(*result.notes, note))
    first = list(counts)[: result.limit]
    chosen = {
        side: [key for key in first if counts[key][place]]
        for place, side in enumerate((DataSide.BASE, DataSide.CURRENT))
    }
    return (yield from with_rows(sides, result, counts, chosen))


def _buckets(sides: Whole, source: Source) -> Query:
    """For each bucket: its rows, and the sums of two slices of their hashes."""
    dialect = source.dialect
    bucket = _bucket("t")
    sums = [
        aliased(exp.Sum(this=dialect.decimal(dialect.hex_number(_digits("t", start, length)), 0)), f"sum_{i}")
        for i, (start, length) in enumerate(SLICES)
    ]
    count = aliased(exp.Count(this=exp.Star()), "n")
    return Query(
        expression=selecting(aliased(bucket, "bucket"), count, *sums)
        .from_(sides.sampled(source).subquery("t", copy=False), copy=False)
        .group_by(bucket.copy(), copy=False),
        dialect=dialect,
        side=source.side,
        about=f"rows of {source.name} in {16**BUCKET_DIGITS:,} buckets",
        assumed=[("000", 1, int(source.side is DataSide.BASE), 0)],
    )


def _hashes(sides: Whole, source: Source, buckets: Sequence[str]) -> Query:
    """The hashes in *buckets*, and how often each is there."""
    among = exp.In(this=_bucket("t"), expressions=[exp.Literal.string(each) for each in buckets])
    h = exp.column(HASH, table="t")
    select = selecting(h, aliased(exp.Count(this=exp.Star()), "n")).from_(
        sides.sampled(source).subquery("t", copy=False), copy=False
    )
    return Query(
        expression=(
            select if len(buckets) == 16**BUCKET_DIGITS else select.where(among, copy=False)
        ).group_by(h.copy(), copy=False),
        dialect=source.dialect,
        side=source.side,
        about=f"hashes of {source.name} in {len(buckets):,} buckets",
        assumed=[("0" * 31 + str(int(source.side is DataSide.BASE)), 1)],
    )


def _parts(differing: Sequence[str], before: Sums, after: Sums) -> Iterator[list[str]]:
    """The buckets *differing* in parts that can be fetched at once."""
    part: list[str] = []
    rows = 0
    for bucket in differing:
        more = max(side.get(bucket, (0,))[0] for side in (before, after))
        if part and rows + more > HASHES_AT_ONCE:
            yield part
            part, rows = [], 0
        part.append(bucket)
        rows += more
    if part:
        yield part


def _merged(base: Rows, current: Rows) -> dict[str, tuple[int, int]]:
    before = {str(key): int(count) for key, count in base}
    after = {str(key): int(count) for key, count in current}
    return {key: (before.get(key, 0), after.get(key, 0)) for key in before.keys() | after}


def _sums(rows: Iterable[Sequence[object]]) -> Sums:
    return {str(row[0]): tuple(int(str(figure)) for figure in row[1:]) for row in rows}


def _rows(sums: Sums) -> int:
    return sum(figures[0] for figures in sums.values())


def _bucket(alias: str) -> Sql:
    return _digits(alias, 1, BUCKET_DIGITS)


def _digits(alias: str, start: int, length: int) -> Sql:
    return exp.Substring(
        this=exp.column(HASH, table=alias),
        start=exp.Literal.number(start),
        length=exp.Literal.number(length),
    )
