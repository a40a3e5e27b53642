"""Cells that differ, with their keys: a few for each column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from sqlglot import exp

from recce_meta.dialects import Sql
from recce_meta.diff.data.cells import cell, key_cells, raw_columns, read_cell, read_key, stored
from recce_meta.diff.data.key_facts import KeyFacts
from recce_meta.diff.data.keyed import BASE, CURRENT, Keyed
from recce_meta.diff.data.plan import Plan, Query, Rows, rows_of
from recce_meta.diff.data.sql import aliased, all_of, any_of, selecting
from recce_meta.diff.data.token import has_token
from recce_meta.models.data_diff import DataSide, Example

VALUES_PER_COLUMN = 3
"""Whether it differs, base's value, current's value."""
COLUMNS_AT_ONCE = 250
"""Where a warehouse sets no limit: more would make statements that nobody can read."""


class Found(NamedTuple):
    """A column that differs somewhere, and two keys where it does."""

    column: int
    first_token: object
    last_token: object


def fetched_examples(
    sides: Keyed, facts: KeyFacts, found: Sequence[Found]
) -> Plan[dict[int, tuple[Example, ...]]]:
    """Examples by the index of their column: the first by key, or the first and the last.

    Two are found again by their tokens; for more, the sides are joined once more.
    """
    if not found:
        return {}
    size = sides.dialect.columns_per_statement or COLUMNS_AT_ONCE * VALUES_PER_COLUMN
    size = max(1, (size - len(sides.key)) // VALUES_PER_COLUMN)
    parts = [found[start : start + size] for start in range(0, len(found), size)]
    by_token = sides.options.examples <= 2
    answers = yield [
        Query(
            expression=_by_token(sides, part) if by_token else _by_rank(sides, facts, part),
            dialect=sides.dialect,
            about=f"examples of {sides.name}",
            assumed=[],
        )
        for part in parts
    ]
    examples: dict[int, tuple[Example, ...]] = {}
    for part, answer in zip(parts, answers, strict=True):
        examples |= _read(sides, part, rows_of(answer))
    return examples


def _by_token(sides: Keyed, found: Sequence[Found]) -> exp.Select:
    """The rows that one of the tokens chooses."""
    is_one = sides.options.examples == 1
    tokens = {token: None for each in found for token in ((each.first_token, each.last_token)[: 2 - is_one])}
    wanted = [each.column for each in found]
    chosen = [
        sides.rows(side, wanted, raw=raw_columns(sides, wanted), keep=has_token(sides, side, tokens))
        for side in (DataSide.BASE, DataSide.CURRENT)
    ]
    flags = [aliased(sides.differ(index), f"d{index}") for index in wanted]
    select = sides.joined(*chosen, how="inner").select(
        *key_cells(sides, sides.key_columns(BASE)), *_cells(sides, wanted, flags), copy=False
    )
    return select.order_by(*sides.in_key_order(sides.key_columns(BASE)), copy=False)


def _by_rank(sides: Keyed, facts: KeyFacts, found: Sequence[Found]) -> exp.Select:
    """The first rows by key of those that differ, for each column."""
    wanted = [each.column for each in found]
    raw = raw_columns(sides, wanted)
    rows = [
        sides.rows(side, wanted, raw=raw, excluded=facts.excluded)
        for side in (DataSide.BASE, DataSide.CURRENT)
    ]
    keys = sides.key_columns(BASE)
    ranks: list[Sql] = []
    for index in wanted:
        order = exp.Order(expressions=sides.in_key_order(keys))
        rank = exp.Window(this=exp.RowNumber(), partition_by=[sides.differ(index)], order=order)
        ranks.append(aliased(rank, f"n{index}"))
    ranked = sides.joined(*rows, how="inner").where(
        any_of(sides.differ(index) for index in wanted), copy=False
    )
    flags = [aliased(sides.differ(index), f"d{index}") for index in wanted]
    ranked = ranked.select(*keys, *key_cells(sides, keys), *_cells(sides, wanted, flags), *ranks, copy=False)
    is_first = [
        all_of(
            [
                exp.column(f"d{index}", table="d"),
                exp.LTE(
                    this=exp.column(f"n{index}", table="d"),
                    expression=exp.Literal.number(sides.options.examples),
                ),
            ]
        )
        for index in wanted
    ]
    names = [f"key_{i}" for i in range(len(keys))]
    names += [name for index in wanted for name in (f"d{index}", f"base_{index}", f"current_{index}")]
    select = (
        selecting(*(exp.column(name, table="d") for name in names))
        .from_(ranked.subquery("d", copy=False), copy=False)
        .where(any_of(is_first), copy=False)
        .order_by(*sides.in_key_order(sides.key_columns("d")), copy=False)
    )
    return sides.with_repeated(select, facts.excluded)


def _cells(sides: Keyed, wanted: Sequence[int], flags: Sequence[Sql]) -> list[Sql]:
    raw = raw_columns(sides, wanted)
    cells: list[Sql] = []
    for index, flag in zip(wanted, flags, strict=True):
        cells.append(flag)
        cells.append(cell(sides, index, DataSide.BASE, stored(index, BASE, raw)))
        cells.append(cell(sides, index, DataSide.CURRENT, stored(index, CURRENT, raw)))
    return cells


def _read(sides: Keyed, found: Sequence[Found], rows: Rows) -> dict[int, tuple[Example, ...]]:
    """*rows* as examples. A key that came twice is repeated: another one's token chose it by chance."""
    width = len(sides.key)
    times = Counter(repr(row[:width]) for row in rows)
    once = [row for row in rows if times[repr(row[:width])] == 1]
    examples: dict[int, tuple[Example, ...]] = {}
    for place, each in enumerate(found):
        at = width + place * VALUES_PER_COLUMN
        cells = [
            Example(
                key=read_key(sides, row[:width]),
                base=read_cell(sides, each.column, DataSide.BASE, row[at + 1]),
                current=read_cell(sides, each.column, DataSide.CURRENT, row[at + 2]),
            )
            for row in once
            if row[at]
        ]
        wanted = sides.options.examples
        chosen = (cells[0], cells[-1]) if wanted == 2 and len(cells) > 2 else cells[:wanted]
        examples[each.column] = tuple(chosen)
    return examples
