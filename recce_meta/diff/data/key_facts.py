"""How the key does on each side: asked first, because rows whose key is repeated would multiply in a join.

Whether a key is unique takes three counts, which every warehouse does well. Only where it is not, a second
statement counts what is repeated, on which side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from recce_meta.dialects import Sql
from recce_meta.diff.data.keyed import BASE, CURRENT, Excluded, Keyed
from recce_meta.diff.data.plan import Plan, Query, rows_of
from recce_meta.diff.data.sql import aliased, all_of, any_of, is_not_null, selecting
from recce_meta.models.data_diff import DataSide, KeyCounts


@dataclass(frozen=True)
class KeyFacts:
    """The key on the sides that are there."""

    base: KeyCounts | None
    current: KeyCounts | None
    excluded: Excluded

    def of(self, side: DataSide) -> KeyCounts:
        """The counts of *side*, which is there."""
        counts = self.base if side is DataSide.BASE else self.current
        assert counts is not None, f"nothing was counted in {side.value}"
        return counts


def key_facts(keyed: Keyed) -> Plan[KeyFacts]:
    """The counts of both sides, or of the one that is there."""
    answers = yield [_uniqueness(keyed, side) for side in keyed.sides]
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


def _uniqueness(keyed: Keyed, side: DataSide) -> Query:
    """Rows, rows without NULL in the key, and different keys of *side*."""
    source = keyed.side(side)
    return Query(
        expression=_of_one_column(keyed, side) if len(keyed.key) == 1 else _of_several_columns(keyed, side),
        dialect=source.dialect,
        side=side,
        about=f"key of {source.name}",
        assumed=[(1, 1, 1)],
    )


def _of_one_column(keyed: Keyed, side: DataSide) -> exp.Select:
    (key,) = keyed.key_columns("s")
    distinct = exp.Distinct(expressions=[keyed.ordered(keyed.key[0], key.copy())])
    return selecting(
        aliased(exp.Count(this=exp.Star()), "n_rows"),
        aliased(exp.Count(this=key), "n_not_null"),
        aliased(exp.Count(this=distinct), "n_keys"),
    ).from_(keyed.keys_of(side).subquery("s", copy=False), copy=False)


def _of_several_columns(keyed: Keyed, side: DataSide) -> exp.Select:
    is_whole = all_of(is_not_null(column) for column in keyed.key_columns("g"))
    rows = exp.column("n", table="g")
    return selecting(
        aliased(keyed.dialect.sum_of(rows.copy()), "n_rows"),
        aliased(keyed.dialect.sum_of(exp.Case().when(is_whole.copy(), rows)), "n_not_null"),
        aliased(keyed.dialect.count_if(is_whole), "n_keys"),
    ).from_(keyed.counted_keys(side).subquery("g", copy=False), copy=False)


def _repetitions(keyed: Keyed) -> Query:
    """For each side, its keys with several rows, and its rows whose key has several on either side."""
    aliases = {DataSide.BASE: BASE, DataSide.CURRENT: CURRENT}
    many = {side: exp.GT(this=_rows(aliases[side]), expression=_one()) for side in keyed.sides}
    anywhere = any_of(condition.copy() for condition in many.values())
    figures: list[Sql] = []
    for side in keyed.sides:
        rows = exp.Case().when(anywhere.copy(), _rows(aliases[side]))
        figures.append(aliased(keyed.dialect.count_if(many[side]), f"{side.value}_keys"))
        figures.append(aliased(keyed.dialect.sum_of(rows), f"{side.value}_rows"))
    counted = [keyed.counted_keys(side, not_null=True) for side in keyed.sides]
    if len(counted) == 2:
        select = keyed.joined(*counted).select(*figures, copy=False)
    else:
        select = selecting(*figures).from_(
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
