"""Trials of edits: which differing values each edit of a query gives alone, over the data of base.

The query of base, that of current and that of base with each single edit run over the relations of base. One
query joins their rows to the rows that differ, and counts them by pattern; no value leaves the warehouse. A
value is attributed if the query of base gives that of base, and the query of current that of current.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace
from sqlglot import exp

from recce_meta.data_diff.keyed import BASE, CURRENT, KeyedSides, KeyFacts, is_missing
from recce_meta.data_diff.plan import Plan, Query, Rows, failure, rows_of
from recce_meta.data_diff.slice_search import ADDED, CHANGED, REMOVED, SliceTarget
from recce_meta.data_diff.source import (
    SideRelation,
    description_query,
    is_not_null,
    negation,
    parse_description,
    query,
    select_of,
    with_alias,
)
from recce_meta.errors import QueryTimeout, RecceMetaError, first_line
from recce_meta.models.data_diff import DataSide
from recce_meta.models.explanations import EditEffect, EditRest, TriedEdit, TriedEdits
from recce_meta.sql_diff.edits import MOST_EDITS, SqlEdit, separate_edits
from recce_meta.warehouses.arithmetic import all_of, any_of
from recce_meta.warehouses.types import Sql

OLD, NEW = "v0", "v1"
"""Aliases of the rows of both queries; those of edits follow."""
_ROWS = (ADDED, REMOVED)


def try_edits(
    sides: KeyedSides, facts: KeyFacts, targets: Sequence[SliceTarget], texts: tuple[str, str]
) -> Plan[TriedEdits]:
    """Return what each edit between *texts*, both over the relations of base, gives of *targets* alone."""
    try:
        return (yield from _tried(sides, facts, targets, *texts))
    except QueryTimeout as error:
        return TriedEdits(note=f"not tried: {first_line(error)}")
    except RecceMetaError:
        # Its message may have values of private columns.
        return TriedEdits(note="not tried: a query with an edit fails on the data of base")


def _tried(
    sides: KeyedSides, facts: KeyFacts, targets: Sequence[SliceTarget], old: str, new: str
) -> Plan[TriedEdits]:
    columns: dict[str, Mapping[str, str]] = {}

    def bind(texts: Sequence[str]) -> Plan[list[bool]]:
        relations = [_relation(sides, one) for one in texts]
        answers = yield [description_query(one) for one in relations]
        for text, relation, answer in zip(texts, relations, answers, strict=True):
            if isinstance(answer, QueryTimeout):
                raise answer
            if failure(answer) is None:
                described = parse_description(relation, answer)
                columns[text] = {one.name: one.type.text for one in described}
        return [text in columns for text in texts]

    for name, runs in zip(("base", "current"), (yield from bind([old, new])), strict=True):
        if not runs:
            return TriedEdits(note=f"not tried: the query of {name} does not run on the data of base")
    separated = separate_edits(old, new, sides.dialect.name)
    batch = next(separated, None)
    edits: tuple[SqlEdit, ...] = ()
    while batch is not None:
        is_bound = yield from bind(batch)
        try:
            batch = separated.send(is_bound)
        except StopIteration as done:
            edits, batch = done.value, None
    if not 0 < len(edits) <= MOST_EDITS:
        return TriedEdits(note="not tried: the two queries have too many differences")
    keys = {part.pair.base.name for part in sides.key}
    if any(not keys <= columns[one].keys() for one in (old, new, *(edit.sql for edit in edits))):
        return TriedEdits(note="not tried: an edit removes the key")
    trial = _Trial(
        sides, facts, tuple(one for one in targets if one.name != CHANGED), old, new, edits, columns
    )
    (answer,) = yield [trial.query()]
    return _read(rows_of(answer), trial.targets, edits)


def _relation(sides: KeyedSides, sql: str) -> SideRelation:
    base = sides.side(DataSide.BASE)
    return replace(base, relation=query(sql), name=f"{sides.name} with an edit", text="")


@dataclass(frozen=True)
class _Trial:
    """The query of one trial."""

    sides: KeyedSides
    facts: KeyFacts
    targets: tuple[SliceTarget, ...]
    old: str
    new: str
    edits: Sequence[SqlEdit]
    columns: Mapping[str, Mapping[str, str]]
    """Columns of each text, with their types."""

    @property
    def indexes(self) -> list[int]:
        """Return the compared columns that are targets."""
        names = {one.name for one in self.targets}
        return [index for index, how in enumerate(self.sides.compared) if how.pair.name in names]

    def query(self) -> Query:
        """Return the query that counts rows by which of the texts give their values."""
        keys = self.sides.joined_key()
        values = [
            with_alias(exp.column(f"c{index}", table=alias), f"{alias}{index}")
            for alias in (BASE, CURRENT)
            for index in self.indexes
        ]
        differing = self.sides.join(
            *(
                self.sides.rows(side, self.indexes, excluded=self.facts.excluded)
                for side in (DataSide.BASE, DataSide.CURRENT)
            )
        )
        differing = differing.select(
            *(with_alias(key, f"k{i}") for i, key in enumerate(keys)),
            with_alias(is_missing(BASE), "is_added"),
            with_alias(is_missing(CURRENT), "is_removed"),
            *values,
            copy=False,
        ).where(self.sides.row_differs(self.indexes), copy=False)
        texts = [self.old, self.new, *(edit.sql for edit in self.edits)]
        names = [with_alias(self._bits(target), f"b{i}") for i, target in enumerate(self.targets)]
        inner = select_of(*names, with_alias(self._is_repeated(len(texts)), "repeated"))
        inner = inner.from_(differing.subquery("x", copy=False), copy=False)
        for number, text in enumerate(texts):
            alias = f"v{number}"
            equal = [
                exp.EQ(this=one, expression=other)
                for one, other in zip(self.sides.key_columns("x"), self.sides.key_columns(alias), strict=True)
            ]
            rows = self._rows(text).subquery(alias, copy=False)
            inner = inner.join(rows, on=all_of(equal), join_type="left", copy=False)
        columns = [*(one.alias for one in names), "repeated"]
        groups: list[Sql] = [exp.column(name, table="z") for name in columns]
        select = select_of(*groups, with_alias(exp.Count(this=exp.Star()), "n"))
        select = select.from_(inner.subquery("z", copy=False), copy=False)
        select = select.group_by(*(one.copy() for one in groups), copy=False)
        return Query(
            expression=self.sides.with_repeated(select, self.facts.excluded),
            dialect=self.sides.dialect,
            about=f"edits of {self.sides.name}",
            assumed=[],
        )

    def _rows(self, text: str) -> exp.Select:
        """Select the rows of the query *text*, with the number of rows of each key."""
        variant = dataclasses.replace(self.sides, base=_relation(self.sides, text))
        known = {index: side for index in self.indexes if (side := self._read_as(index, text))}
        of_base = [index for index, side in known.items() if side is DataSide.BASE]
        of_current = [index for index in known if index not in of_base]
        extra = [(f"c{index}", self.sides.compared[index].current_value("t")) for index in of_current]
        rows = variant.rows(DataSide.BASE, of_base, extra=extra)
        keys = self.sides.key_columns("s")
        number = exp.Window(this=exp.Count(this=exp.Star()), partition_by=keys)
        columns = [exp.column(f"c{index}", table="s") for index in known]
        select = select_of(*(key.copy() for key in keys), *columns, with_alias(number, "rows_of_key"))
        return select.from_(rows.subquery("s", copy=False), copy=False)

    def _read_as(self, index: int, text: str) -> DataSide | None:
        """Return the side as whose the column *index* of the query *text* is read, by its type."""
        pair = self.sides.compared[index].pair
        if self.columns[text].get(pair.base.name) == pair.base.type.text:
            return DataSide.BASE
        is_current = self.columns[text].get(pair.current.name) == pair.current.type.text
        return DataSide.CURRENT if is_current else None

    def _is_repeated(self, texts: int) -> Sql:
        more = any_of(
            exp.GT(this=exp.column("rows_of_key", table=f"v{i}"), expression=exp.Literal.number(1))
            for i in range(texts)
        )
        case = exp.Case().when(more, exp.Literal.number(1), copy=False)
        return case.else_(exp.Literal.number(0), copy=False)

    def _bits(self, target: SliceTarget) -> Sql:
        """Return bits of a row: it differs, old as in base, new as in current, old as new, an edit as new."""
        aliases = [OLD, *(f"v{2 + number}" for number in range(len(self.edits)))]
        texts = [self.old, *(edit.sql for edit in self.edits)]
        if target.name in _ROWS:
            is_added = target.name == ADDED
            differs: Sql = exp.column("is_added" if is_added else "is_removed", table="x")
            is_there = _is_there(NEW)
            tests: list[Sql] = [
                negation(_is_there(OLD)) if is_added else _is_there(OLD),
                is_there if is_added else negation(is_there),
                *(_are_alike(_is_there(one), is_there) for one in aliases),
            ]
            return _as_bits(differs, tests)
        index = next(i for i in self.indexes if self.sides.compared[i].pair.name == target.name)
        if None in (self._read_as(index, self.old), self._read_as(index, self.new)):
            return exp.Literal.number(0)
        before: Sql = exp.column(f"{BASE}{index}", table="x")
        after: Sql = exp.column(f"{CURRENT}{index}", table="x")
        both = [negation(exp.column(one, table="x")) for one in ("is_added", "is_removed")]
        differs = all_of([*both, self.sides.compared[index].differ(before, after)])
        new: Sql = exp.column(f"c{index}", table=NEW)
        as_new = (
            all_of([_is_there(NEW), self._same(index, alias, text, new)])
            for alias, text in zip(aliases, texts, strict=True)
        )
        tests = [self._same(index, OLD, self.old, before), self._same(index, NEW, self.new, after)]
        return _as_bits(differs, [*tests, *as_new])

    def _same(self, index: int, alias: str, text: str, value: Sql) -> Sql:
        """Return SQL that is true if the row of *alias*, of the query *text*, exists and has *value*."""
        if self._read_as(index, text) is None:
            return exp.false()
        own = exp.column(f"c{index}", table=alias)
        return all_of([_is_there(alias), negation(self.sides.compared[index].differ(own, value.copy()))])


def _is_there(alias: str) -> Sql:
    return is_not_null(exp.column("k0", table=alias))


def _are_alike(one: Sql, other: Sql) -> Sql:
    return any_of([all_of([one, other.copy()]), negation(any_of([one.copy(), other.copy()]))])


def _as_bits(differs: Sql, tests: Iterable[Sql]) -> Sql:
    """Return 0 for a row that is not of the target, else 1 and a bit for each of *tests*."""
    total: Sql = exp.Literal.number(1)
    for place, test in enumerate(tests, 1):
        bit = exp.Case().when(test, exp.Literal.number(1 << place), copy=False)
        total = exp.Add(this=total, expression=bit.else_(exp.Literal.number(0), copy=False))
    case = exp.Case().when(differs, total, copy=False)
    return case.else_(exp.Literal.number(0), copy=False)


_BASE, _CURRENT, _UNCHANGED = 2, 4, 8
"""Bits of `_as_bits`: the old query gives the value of base, the new one that of current, both the same."""
_FIRST = 4
"""Place of the bit of the first edit."""


def _read(rows: Rows, targets: Sequence[SliceTarget], edits: Sequence[SqlEdit]) -> TriedEdits:
    effects: list[list[EditEffect]] = [[] for _ in edits]
    rests: list[EditRest] = []
    for place, target in enumerate(targets):
        gives, counts = [0] * len(edits), Counter[str]()
        for row in rows:
            bits, is_repeated, number = int(row[place]), int(row[-2]), int(row[-1])
            full = [i for i in range(len(edits)) if bits >> (_FIRST + i) & 1]
            if not bits or is_repeated or not bits & _BASE:
                # What is not counted here was not tried.
                continue
            if bits & _UNCHANGED:
                counts["unchanged"] += number
            elif not bits & _CURRENT:
                counts["mixed"] += number
            elif len(full) == 1:
                gives[full[0]] += number
            else:
                counts["either" if full else "together"] += number
        for i, number in enumerate(gives):
            if number:
                effects[i].append(EditEffect(target=target.name, changed=target.changed, gives=number))
        tried = sum(gives) + counts.total()
        rests.append(
            EditRest(target=target.name, changed=target.changed, not_tried=target.changed - tried, **counts)
        )
    return TriedEdits(
        edits=tuple(
            TriedEdit(old=edit.old, new=edit.new, line=edit.line, effects=tuple(found))
            for edit, found in zip(edits, effects, strict=True)
        ),
        rests=tuple(rests),
    )
