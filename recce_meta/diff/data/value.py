"""`value_diff`: rows matched by key, every column's values compared, in one full outer join.

1. The columns of both sides are looked up.
2. Rows and keys are counted on each side (`key_facts`). A key that is NULL or repeated takes no part.
3. One join brings the sides together, and only rows that differ are aggregated: how many, and per column how
   many differ, how far, and the first and last key where they do. What is equal follows by arithmetic.
4. The cells of those keys are fetched as examples.

`value_diff_detail` is in `detail`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sqlglot import exp

from recce_meta.dialects import Sql
from recce_meta.dialects.arithmetic import Distances
from recce_meta.diff.data.compare import no_common_type
from recce_meta.diff.data.examples import Found, fetched_examples
from recce_meta.diff.data.key_facts import KeyFacts, key_facts
from recce_meta.diff.data.keyed import BASE, CURRENT, Keyed, is_missing, keyed
from recce_meta.diff.data.plan import Plan, Query, rows_of
from recce_meta.diff.data.settings import ValueOptions
from recce_meta.diff.data.source import ColumnPair, Pair
from recce_meta.diff.data.sql import aliased, all_of, is_null, negated, selecting
from recce_meta.diff.data.token import token_assumed, token_of
from recce_meta.models.data_diff import ColumnValues, DataSide, Example, ValueDiff

PARTS = "xyz"
"""Letters of the columns that hold what a row contributes to the figures of its differences."""


class Cells(NamedTuple):
    """What the join says of one column."""

    mismatched: int = 0
    null_to_value: int = 0
    value_to_null: int = 0
    first_token: object = None
    last_token: object = None
    distances: tuple[object, ...] = ()
    """Figures of the differences of numbers, as the column's arithmetic reads them."""


class Totals(NamedTuple):
    """What the join says of rows."""

    added: int = 0
    removed: int = 0
    changed: int = 0


def value_diff(pair: Pair, options: ValueOptions) -> Plan[ValueDiff]:
    """How the values of *pair* differ, row by row of equal key.

    A side that is missing makes all rows of the other added or removed. Raises UsageError where there is no
    key on both sides, or its types have none in common, and whatever a statement raises.
    """
    pair.check_joined("value diff")
    sides = yield from keyed(pair, options)
    facts = yield from key_facts(sides)
    return (yield from value_diff_of(pair, sides, facts))


def value_diff_of(pair: Pair, sides: Keyed, facts: KeyFacts) -> Plan[ValueDiff]:
    """The same, where the columns are known and the keys counted."""
    if sides.base is None or sides.current is None:
        return _one_sided(pair, sides, facts)
    before, after = facts.of(DataSide.BASE).compared, facts.of(DataSide.CURRENT).compared
    if not (before and after):
        totals, cells = Totals(added=after, removed=before), [Cells()] * len(sides.compared)
    else:
        totals, cells = yield from _compared(sides, facts)
    common = before - totals.removed
    examples = yield from _examples(sides, facts, cells)
    columns = {
        how.pair.name: _column(sides, i, common, cells[i], examples.get(i, ()))
        for i, how in enumerate(sides.compared)
    }
    columns |= {each.name: _incomparable(each) for each in sides.incomparable}
    in_key = [_key_column(part.pair, part.common.label, common) for part in sides.key]
    return _answer(
        pair, sides, facts, totals, common, (*in_key, *(columns[each.name] for each in sides.pairs))
    )


def _compared(sides: Keyed, facts: KeyFacts) -> Plan[tuple[Totals, list[Cells]]]:
    """What the join finds. A warehouse that gives too few columns at once is asked several times."""
    everything = range(len(sides.compared))
    parts = _parts(sides)
    answers = yield [
        Query(
            expression=_join(sides, facts, part, everything if not i else part),
            dialect=sides.dialect,
            about=f"values of {sides.name}" + (f", part {i + 1} of {len(parts)}" if len(parts) > 1 else ""),
            assumed=[_assumed(sides, part)],
        )
        for i, part in enumerate(parts)
    ]
    cells: list[Cells] = []
    totals = Totals()
    for i, (part, answer) in enumerate(zip(parts, answers, strict=True)):
        figures = iter(rows_of(answer)[0])
        found = Totals(*(int(next(figures)) for _ in Totals._fields))
        totals = totals if i else found
        cells += [_cells(sides, index, figures) for index in part]
    return totals, cells


def _parts(sides: Keyed) -> list[list[int]]:
    """The columns that each statement is asked of, by how many figures they have."""
    most = sides.dialect.columns_per_statement or math.inf
    parts: list[list[int]] = [[]]
    used = len(Totals._fields)
    for index in range(len(sides.compared)):
        size = len(_figures(sides, index))
        if parts[-1] and used + size > most:
            parts.append([])
            used = len(Totals._fields)
        parts[-1].append(index)
        used += size
    return parts


def _cells(sides: Keyed, index: int, figures: Iterator[object]) -> Cells:
    """What the next of *figures* say of one column."""
    found = {name: next(figures) for name in _figures(sides, index)}
    plain = {name: found.pop(name) for name in Cells._fields if name in found}
    return Cells(**plain, distances=tuple(found.values()))  # type: ignore[arg-type]


def _join(sides: Keyed, facts: KeyFacts, part: Sequence[int], differing: Sequence[int]) -> exp.Select:
    """The aggregates of columns *part*, over rows that differ in one of the columns *differing*."""
    flags: list[Sql] = [
        aliased(is_missing(BASE), "is_added"),
        aliased(is_missing(CURRENT), "is_removed"),
    ]
    if sides.options.examples and part:
        flags.append(aliased(token_of(sides, BASE), "token"))
    for index in part:
        flags += _cell_flags(sides, index)
    rows = sides.joined(
        sides.rows(DataSide.BASE, differing, excluded=facts.excluded),
        sides.rows(DataSide.CURRENT, differing, excluded=facts.excluded),
    )
    rows = rows.select(*flags, copy=False).where(sides.row_differs(differing), copy=False)
    figures = [
        *_total_figures(sides),
        *(figure for index in part for figure in _figures(sides, index).values()),
    ]
    select = selecting(*figures).from_(
        sides.dialect.evaluated_once(rows).subquery("d", copy=False), copy=False
    )
    return sides.with_repeated(select, facts.excluded)


def _cell_flags(sides: Keyed, index: int) -> list[Sql]:
    """Of one column in one row: whether it differs in rows that both sides have, and how."""
    how = sides.compared[index]
    before, after = exp.column(f"c{index}", table=BASE), exp.column(f"c{index}", table=CURRENT)
    # Rows of one side alone have no k0 on the other, which no equality holds with.
    is_common = exp.EQ(this=exp.column("k0", table=BASE), expression=exp.column("k0", table=CURRENT))
    flags: list[Sql] = [
        aliased(all_of([is_common, sides.differ(index)]), f"d{index}"),
        aliased(is_null(before.copy()), f"e{index}"),
        aliased(is_null(after.copy()), f"f{index}"),
    ]
    if how.has_difference:
        parts = how.arithmetic.parts(before, after)
        flags += [aliased(part, f"{letter}{index}") for letter, part in zip(PARTS, parts, strict=False)]
    return flags


def _total_figures(sides: Keyed) -> list[Sql]:
    added, removed = exp.column("is_added", table="d"), exp.column("is_removed", table="d")
    changed = all_of([negated(added.copy()), negated(removed.copy())])
    return [
        aliased(sides.dialect.count_if(condition), name)
        for name, condition in zip(Totals._fields, (added, removed, changed), strict=True)
    ]


def _figures(sides: Keyed, index: int) -> dict[str, Sql]:
    """The aggregates of one column, by the names in Cells."""
    dialect = sides.dialect

    def flag(letter: str) -> Sql:
        return exp.column(f"{letter}{index}", table="d")

    found: dict[str, Sql] = {
        "mismatched": dialect.count_if(flag("d")),
        "null_to_value": dialect.count_if(all_of([flag("d"), flag("e")])),
        "value_to_null": dialect.count_if(all_of([flag("d"), flag("f")])),
    }
    if sides.compared[index].has_difference:
        arithmetic = sides.compared[index].arithmetic
        count = len(arithmetic.parts(exp.null(), exp.null()))
        parts = [exp.Case().when(flag("d"), flag(letter), copy=False) for letter in PARTS[:count]]
        found |= {f"distance_{i}": figure for i, figure in enumerate(arithmetic.aggregates(parts))}
    if sides.options.examples:
        token = exp.Case().when(flag("d"), exp.column("token", table="d"), copy=False)
        found["first_token"] = exp.Min(this=token)
        found["last_token"] = exp.Max(this=token.copy())
    return {name: aliased(figure, f"{name}_{index}") for name, figure in found.items()}


def _assumed(sides: Keyed, part: Sequence[int]) -> tuple[object, ...]:
    """One row that differs in every column, so that what follows can be shown."""
    token = token_assumed(sides)
    cells = Cells(1, 0, 0, token, token)._asdict()
    return (0, 0, 1, *(cells.get(name, 1) for index in part for name in _figures(sides, index)))


def _examples(sides: Keyed, facts: KeyFacts, cells: Sequence[Cells]) -> Plan[dict[int, tuple[Example, ...]]]:
    if not sides.options.examples:
        return {}
    found = [
        Found(index, cell.first_token, cell.last_token) for index, cell in enumerate(cells) if cell.mismatched
    ]
    return (yield from fetched_examples(sides, facts, found))


def _column(
    sides: Keyed, index: int, common: int, cell: Cells, examples: tuple[Example, ...]
) -> ColumnValues:
    how = sides.compared[index]
    found = how.arithmetic.read(cell.distances) if cell.distances else Distances()
    return ColumnValues(
        name=how.pair.name,
        base_type=how.pair.base.type.text,
        current_type=how.pair.current.type.text,
        compared_as=how.common.label,
        matched=common - int(cell.mismatched),
        mismatched=int(cell.mismatched),
        null_to_value=int(cell.null_to_value),
        value_to_null=int(cell.value_to_null),
        mean_difference=found.mean,
        largest_difference=found.largest,
        is_difference_rounded=found.is_rounded or (how.rounds and found.largest is not None),
        examples=examples,
    )


def _key_column(pair: ColumnPair, label: str | None, common: int) -> ColumnValues:
    """A column of the key matches in every row that both sides have."""
    return ColumnValues(
        name=pair.name,
        base_type=pair.base.type.text,
        current_type=pair.current.type.text,
        compared_as=label,
        matched=common,
        mismatched=0,
        null_to_value=0,
        value_to_null=0,
    )


def _incomparable(pair: ColumnPair) -> ColumnValues:
    return ColumnValues(
        name=pair.name,
        base_type=pair.base.type.text,
        current_type=pair.current.type.text,
        reason=no_common_type(pair.base, pair.current),
    )


def _one_sided(pair: Pair, sides: Keyed, facts: KeyFacts) -> ValueDiff:
    (side,) = sides.sides
    rows = facts.of(side).compared
    totals = Totals(added=rows) if side is DataSide.CURRENT else Totals(removed=rows)
    return _answer(pair, sides, facts, totals, 0, (), notes=(pair.one_sided_note,))


def _answer(
    pair: Pair,
    sides: Keyed,
    facts: KeyFacts,
    totals: Totals,
    common: int,
    columns: tuple[ColumnValues, ...],
    notes: tuple[str, ...] = (),
) -> ValueDiff:
    return ValueDiff(
        subject=pair.subject,
        notes=notes,
        key=sides.key_names,
        key_source=sides.key_source,
        base=facts.base,
        current=facts.current,
        **totals._asdict(),
        common=common,
        columns=columns,
        base_only=sides.base_only,
        current_only=sides.current_only,
        **sides.options.narrowing(sides.excluded),
    )
