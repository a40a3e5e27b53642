"""Parents of a node in a value diff, linked to its rows by the columns of its key.

The rows of a parent that have the key of a row of the node belong to that row, if the parent has all columns
of the key with the same types. `read_changed` counts the rows that differ, and the others, with a changed row
in a parent. Its rows are compared as a whole (EXCEPT), so a row that only occurs more often is not found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlglot import exp

from recce_meta.data_diff.keyed import BASE, CURRENT, KeyedSides, KeyFacts, is_missing
from recce_meta.data_diff.plan import Plan, Query, failure, rows_of
from recce_meta.data_diff.slice_search import ADDED, CHANGED, REMOVED, SliceTarget
from recce_meta.data_diff.source import (
    LiveColumn,
    Pair,
    SideRelation,
    description_query,
    is_not_null,
    parse_description,
    select_of,
    with_alias,
)
from recce_meta.models.data_diff import DataSide
from recce_meta.models.explanations import ParentRows
from recce_meta.warehouses.arithmetic import all_of
from recce_meta.warehouses.types import Kind, Sql

MOST_PARENTS = 5
SORTED = frozenset([Kind.INTEGER, Kind.DECIMAL, Kind.FLOAT, Kind.TEXT, Kind.DATE, Kind.TIMESTAMP])
"""Types of columns that have a lowest and a highest value in every warehouse."""
_COMPARABLE = SORTED | {Kind.BOOLEAN, Kind.TIMESTAMPTZ}
"""Types of columns that EXCEPT compares in every warehouse."""


class Parent(NamedTuple):
    """Parent that has the columns of the key."""

    name: str
    pair: Pair
    base: SideRelation
    columns: tuple[LiveColumn, ...]
    """Columns of base, without the key."""
    common: tuple[str, ...]
    """Columns that both sides have with one type that can be compared, without the key."""

    def rows(
        self, sides: KeyedSides, relation: SideRelation, extra: Iterable[tuple[str, Sql]] = ()
    ) -> exp.Select:
        """Select the key of the rows of *relation* as k0, k1, …, and *extra* expressions on `t`."""
        keys = [(f"k{i}", part.base_value("t")) for i, part in enumerate(sides.key)]
        return relation.select(*(with_alias(value, name) for name, value in (*keys, *extra)))


def linked_parents(sides: KeyedSides, pairs: Sequence[Pair]) -> Plan[list[Parent]]:
    """Return the parents among *pairs* that have the key of *sides*, without those that cannot be read."""
    read = [pair for pair in pairs if pair.base is not None][:MOST_PARENTS]
    relations = [side for pair in read for side in (pair.base, pair.current) if side is not None]
    if not relations:
        return []
    answers = yield [description_query(one) for one in relations]
    described = {
        id(one): {} if failure(answer) else {column.name: column for column in parse_description(one, answer)}
        for one, answer in zip(relations, answers, strict=True)
    }
    key = {part.pair.base.name: part.pair.base.type.text for part in sides.key}
    found = []
    for pair in read:
        before, after = (described.get(id(side), {}) for side in (pair.base, pair.current))
        has_key = [
            all(name in columns and columns[name].type.text == of for name, of in key.items())
            for columns in (before, after)
        ]
        if pair.base is None or not has_key[0]:
            continue
        common = (
            name
            for name, column in before.items()
            if all(has_key)
            and name in after
            and name not in key
            and after[name].type.text == column.type.text
            and column.type.kind in _COMPARABLE
        )
        columns = tuple(column for name, column in before.items() if name not in key)
        found.append(Parent(pair.subject.name, pair, pair.base, columns, tuple(common)))
    return found


def read_changed(
    sides: KeyedSides,
    facts: KeyFacts,
    targets: Sequence[SliceTarget],
    differing: Sequence[int],
    parents: Sequence[Parent],
) -> Plan[tuple[ParentRows, ...]]:
    """Return how many rows of *targets*, and how many others, have a changed row in each of *parents*."""
    asked = [one for one in parents if one.common and not one.pair.is_same]
    if not asked:
        return ()
    answers = yield [_query(sides, facts, differing, one) for one in asked]
    wanted = {one.name: one.changed for one in targets if one.name in (ADDED, REMOVED, CHANGED)}
    found = []
    for parent, answer in zip(asked, answers, strict=True):
        if failure(answer):
            continue
        counts = {(int(row[0]), int(row[1])): int(row[2]) for row in rows_of(answer)}
        others, others_reading = counts.get((0, 0), 0), counts.get((0, 1), 0)
        for code, name in enumerate((CHANGED, ADDED, REMOVED), 1):
            reading = counts.get((code, 1), 0)
            if name in wanted and reading:
                found.append(
                    ParentRows(
                        parent=parent.name,
                        key=sides.key_names,
                        target=name,
                        changed=wanted[name],
                        reading=reading,
                        others=others + others_reading,
                        others_reading=others_reading,
                    )
                )
    return tuple(found)


def _query(sides: KeyedSides, facts: KeyFacts, differing: Sequence[int], parent: Parent) -> Query:
    """Count the rows by kind (0 equal, 1 changed, 2 added, 3 removed) and by changed rows of *parent*."""
    base, current = parent.pair.base, parent.pair.current
    assert base is not None and current is not None, "common columns are those of both sides"
    columns = {column.name: column for column in parent.columns}
    extra = [(f"p{i}", columns[name].of("t")) for i, name in enumerate(parent.common)]

    def rows(side: SideRelation) -> exp.Select:
        return parent.rows(sides, side, [(name, value.copy()) for name, value in extra])

    changed = exp.union(
        *(
            select_of(*sides.key_columns(alias)).from_(
                exp.Except(this=rows(one), expression=rows(other), distinct=True).subquery(alias, copy=False),
                copy=False,
            )
            for alias, one, other in (("o", base, current), ("n", current, base))
        )
    )
    kind = exp.Case()
    for number, test in (
        (2, is_missing(BASE)),
        (3, is_missing(CURRENT)),
        (1, sides.row_differs(differing)),
    ):
        kind = kind.when(test, exp.Literal.number(number), copy=False)
    is_reading = exp.Case().when(is_not_null(exp.column("k0", table="p")), exp.Literal.number(1), copy=False)
    equal = [
        exp.EQ(this=one, expression=other)
        for one, other in zip(sides.joined_key(), sides.key_columns("p"), strict=True)
    ]
    inner = sides.join(
        *(sides.rows(side, differing, excluded=facts.excluded) for side in (DataSide.BASE, DataSide.CURRENT))
    ).join(changed.subquery("p", copy=False), on=all_of(equal), join_type="left", copy=False)
    inner = inner.select(
        with_alias(kind.else_(exp.Literal.number(0), copy=False), "kind"),
        with_alias(is_reading.else_(exp.Literal.number(0), copy=False), "reading"),
        copy=False,
    )
    groups: list[Sql] = [exp.column(name, table="z") for name in ("kind", "reading")]
    select = select_of(*groups, with_alias(exp.Count(this=exp.Star()), "n"))
    select = select.from_(inner.subquery("z", copy=False), copy=False)
    select = select.group_by(*(one.copy() for one in groups), copy=False)
    return Query(
        expression=sides.with_repeated(select, facts.excluded),
        dialect=sides.dialect,
        about=f"changed rows of {parent.name}",
        assumed=[],
    )
