"""Proof that an answer that rests on facts is right for all rows with these facts: both queries are executed.

    python -m tests.proofs.facts [--seconds 600] [--seed 1]

A case draws tables of several types, facts about them (unique columns, columns without NULL), a query, and an
edit that facts may excuse: `coalesce`, `count`, `is not null`, `distinct`, a left join on a column, a test of
membership (`in`, `exists`, an anti join) in another form. DuckDB
executes both queries on rows that have the facts that the answer names, and break all other facts if they
can: duplicates, NULLs, texts that are equal as numbers, numbers that are equal as DOUBLE. Prints each answer
that the rows contradict; exits with 1 if there is one. Also counts how often rows that break one named fact,
and no other, show a difference: a fact that is never needed should not be named.
"""

from __future__ import annotations

import copy
import re
import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from random import Random

import duckdb
from msgspec.structs import replace

from recce_meta.models.change import DataFact, FactKind, FactSource, SqlChange, TableFacts
from recce_meta.sql_diff import compare_sql
from tests.proofs.clock import Clock
from tests.property.categories_queries import NAMES, TABLES, Item, Maker, Query
from tests.property.test_categories_by_execution import Answer, agrees

VALUES: Mapping[str, tuple[object, ...]] = {
    "int": (0, 1, 1, 2, 3),
    "bigint": (0, 1, 2, 9007199254740992, 9007199254740993),
    "smallint": (0, 1, 2, 3),
    "double": (0, 1, 2, 9007199254740992, float("nan")),
    "decimal(18,3)": (0, 1, 2, "1.500"),
    "decimal(4,2)": (0, 1, 2, "1.5"),
    "varchar": ("1", "01", "a", "A", "2", ""),
    "date": ("2024-01-01", "2024-01-02"),
}
TYPES = ("int",) * 8 + tuple(VALUES)
DATA = 6
"""Sets of rows for each pair; half of them break every fact that is not named."""
TRIES_TO_NEED = 12
Rows = dict[str, list[tuple[object, ...]]]


class Case:
    """Tables, facts, and two queries that DuckDB accepts."""

    def __init__(self, seed: int) -> None:
        self.draw = Random(seed)
        self.types = {
            table: {column: self.draw.choice(TYPES) for column in columns}
            for table, columns in TABLES.items()
        }
        self.facts = tuple(dict.fromkeys((*self._facts(), *self._references())))
        maker = Maker(self.draw)
        query = maker.query()
        if self.draw.random() < 0.4:
            self.old, self.new = self._tests(query)
            return
        if self.draw.random() < 0.1:
            for select in query.selects():
                if select.group and not select.group[0].isdigit():
                    form = self.draw.choice(["rollup({})", "cube({})", "grouping sets (({}), ())"])
                    select.group = [form.format(", ".join(select.group))]
        edited = query
        for _ in range(self.draw.choice([1, 1, 1, 2])):
            edited = maker.edit(query) if self.draw.random() < 0.1 else self._edited(edited)
        texts = [query.sql(), edited.sql()]
        if self.draw.random() < 0.3:
            self.draw.shuffle(texts)
        self.old, self.new = (self._counted(text) for text in texts)

    def _facts(self) -> Iterator[DataFact]:
        for table, columns in TABLES.items():
            for column in columns:
                if self.draw.random() < 0.6:
                    yield fact(table, FactKind.NOT_NULL, column)
                if self.draw.random() < 0.3:
                    yield fact(table, FactKind.UNIQUE, column)
            if self.draw.random() < 0.3:
                yield fact(table, FactKind.UNIQUE, *sorted(self.draw.sample(columns, 2)))

    def _references(self) -> Iterator[DataFact]:
        for _ in range(self.draw.choice([0, 1, 2, 3])):
            table, other = self.draw.sample(sorted(TABLES), 2)
            column, key = (self.draw.choice(TABLES[one]) for one in (table, other))
            if self.types[table][column] == self.types[other][key]:
                name = f"reference_{table}_{column}_{other}_{key}"
                one = fact(table, FactKind.REFERENCE, column)
                yield replace(one, name=name, other_id=other, other_columns=(key,))
                if self.draw.random() < 0.8:
                    yield fact(other, FactKind.UNIQUE, key)
                    yield fact(table, FactKind.NOT_NULL, column)

    def _tests(self, query: Query) -> list[str]:
        """Return *query* twice, each with a test of membership in a form of its own."""
        draw = self.draw
        number = draw.randrange(len(query.selects()))
        select = query.selects()[number]
        outer = draw.choice(
            [
                f"{item.alias}.{name}"
                for item in select.items
                for name in (TABLES.get(item.relation, ()) if isinstance(item.relation, str) else NAMES[:2])
            ]
            or ["a"]
        )
        table = draw.choice(sorted(TABLES))
        inner, *others = draw.sample(TABLES[table], len(TABLES[table]))
        where = draw.choice(["", "", f"mm.{draw.choice([inner, *others])} > 0", f"mm.{inner} is not null"])
        is_negated = draw.random() < 0.6
        texts = []
        for _ in range(2):
            edited = copy.deepcopy(query)
            if draw.random() < 0.1:
                where = draw.choice([where, f"mm.{inner} <> 1"])
            self._add_test(edited.selects()[number], outer, table, inner, where, is_negated)
            texts.append(self._counted(edited.sql()))
        return texts

    def _add_test(
        self, select: Query, outer: str, table: str, inner: str, where: str, is_negated: bool
    ) -> None:
        draw = self.draw
        also = f" and {where}" if where else ""
        relation = draw.choice(
            [table, table, f"(select * from {table})", f"(select {inner}, * from {table})"]
        )
        form = draw.choice(["in", "in", "exists", "exists", "join"])
        if form == "join" and is_negated and not select.group:
            key = draw.choice([inner, inner, draw.choice(TABLES[table])])
            on = f" on mm.{inner} = {outer}{also}"
            select.items.append(Item(table, "mm", "left join", on))
            select.where.append(f"mm.{key} is null")
            return
        if form == "in":
            limited = f" where {where}" if where else ""
            distinct = draw.choice(["", "", "distinct "])
            test = f"{outer} in (select {distinct}mm.{inner} from {relation} as mm{limited})"
        else:
            sides = draw.choice([f"mm.{inner} = {outer}", f"{outer} = mm.{inner}"])
            test = f"exists (select 1 from {relation} as mm where {sides}{also})"
        if is_negated:
            test = f"not ({test})"
        select.where.append(draw.choice(["{}", "{}", "{}", "({} or 1 = 0)", "({} or b > 1)"]).format(test))

    def _counted(self, sql: str) -> str:
        """Return *sql* with some of its counts written in another way."""
        return re.sub(
            r"count\((?!distinct)[^()*]+\)",
            lambda one: "count(*)" if self.draw.random() < 0.3 else one[0],
            sql,
        )

    def _edited(self, query: Query) -> Query:
        edited = copy.deepcopy(query)
        select = self.draw.choice(edited.selects())
        columns = [
            f"{item.alias}.{name}"
            for item in select.items
            for name in (
                TABLES.get(item.relation, NAMES[:4]) if isinstance(item.relation, str) else NAMES[:4]
            )
        ] or ["a"]
        column = self.draw.choice(columns)
        kind = self.draw.randint(0, 9)
        if kind < 2:
            place = self.draw.randrange(len(select.columns))
            expression, alias = select.columns[place]
            if expression != "*":
                wrapped = f"coalesce({expression}, {self.draw.choice(['0', '0', '1', chr(39) * 2, '0.5'])})"
                name = alias or expression.split(".")[-1]
                select.columns[place] = (wrapped, name if name.isidentifier() else "x")
        elif kind < 4:
            tests = ["{} is not null", "{} is not null", "not ({} is null)", "({} is null or b > 1)"]
            select.where.append(self.draw.choice(tests).format(column))
        elif kind == 4:
            select.distinct = not select.distinct
        elif kind == 5 and select.where:
            select.where.pop(self.draw.randrange(len(select.where)))
        else:
            self._join(select, column)
        return edited

    def _join(self, select: Query, column: str) -> None:
        draw = self.draw
        table = draw.choice(sorted(TABLES))
        keys = draw.sample(TABLES[table], draw.choice([1, 1, 2]))
        read = {item.relation: item.alias for item in select.items if isinstance(item.relation, str)}
        meant = [one for one in self.facts if one.other_id and one.unique_id in read]
        kinds = ["left join"] * 5 + ["join"]
        if meant and draw.random() < 0.5:
            one = draw.choice(meant)
            table, keys = str(one.other_id), list(one.other_columns)
            column, kinds = f"{read[one.unique_id]}.{one.columns[0]}", ["join"]
        relation: str | Query = table
        if draw.random() < 0.4:
            relation = Query(items=[Item(table, table)], columns=[(key, "") for key in TABLES[table]])
            match draw.randint(0, 3):
                case 0:
                    relation.columns = [*((key, "") for key in keys), ("count(*)", "n")]
                    relation.group = list(keys)
                case 1:
                    relation.where = [f"{TABLES[table][0]} > 0"]
                case 2:
                    relation.columns = [(key, "") for key in keys]
                    relation.distinct = True
                case _:
                    relation.columns = [(key, "") for key in TABLES[table]]
        conditions = [f"lk.{key} = {column}" for key in keys]
        if draw.random() < 0.2:
            conditions.append(draw.choice([f"{column} is not null", "lk.a > 1", f"lk.{keys[0]} is not null"]))
        on = f" on {' and '.join(conditions)}"
        if relation == table and draw.random() < 0.3:
            on = f" using ({', '.join(keys)})"
        select.items.append(Item(relation, "lk", draw.choice(kinds), on))
        if draw.random() < 0.6 and not select.group:
            select.columns.append((f"lk.{draw.choice(keys)}", draw.choice(["z", "z", "y"])))

    def rows(self, named: Collection[DataFact], draw: Random, *, broken: Collection[DataFact] = ()) -> Rows:
        """Return rows of each table that have the facts *named*; those of *broken* are broken if possible."""
        found: Rows = {}
        for table, types in self.types.items():
            own = [one for one in named if one.unique_id == table]
            rows = []
            for _ in range(draw.randint(2, 6)):
                rows.append(tuple(self._value(table, name, kind, own, draw) for name, kind in types.items()))
            if draw.random() < 0.5:
                rows += draw.sample(rows, 1)
            for one in broken:
                if one.unique_id == table and one.kind is FactKind.UNIQUE:
                    rows.append(
                        tuple(
                            rows[0][place]
                            if name in one.columns
                            else self._value(table, name, kind, own, draw)
                            for place, (name, kind) in enumerate(types.items())
                        )
                    )
            found[table] = _unique(rows, list(types), own)
        for _ in range(len(TABLES)):  # rows that are removed may be those that others refer to
            for one in named:
                if one.other_id is not None:
                    place, key = (
                        self._place(one.unique_id, one.columns),
                        self._place(one.other_id, one.other_columns),
                    )
                    values = {str(row[key]) for row in found[one.other_id]}
                    found[one.unique_id] = [
                        row for row in found[one.unique_id] if row[place] is None or str(row[place]) in values
                    ]
        return found

    def _place(self, table: str, columns: tuple[str, ...]) -> int:
        return list(self.types[table]).index(columns[0])

    @staticmethod
    def _value(table: str, name: str, kind: str, own: Collection[DataFact], draw: Random) -> object:
        never = any(one.kind is FactKind.NOT_NULL and name in one.columns for one in own)
        return None if not never and draw.random() < 0.25 else draw.choice(VALUES[kind])


def _unique(
    rows: list[tuple[object, ...]], names: list[str], own: Collection[DataFact]
) -> list[tuple[object, ...]]:
    kept: list[tuple[object, ...]] = []
    keys = [[names.index(name) for name in one.columns] for one in own if one.kind is FactKind.UNIQUE]
    seen: set[tuple[int, tuple[str, ...]]] = set()
    for row in rows:
        mine = {
            (number, tuple(str(row[place]) for place in places))
            for number, places in enumerate(keys)
            if all(row[place] is not None for place in places)
        }
        if not mine & seen:
            seen |= mine
            kept.append(row)
    return kept


def fact(table: str, kind: FactKind, *columns: str) -> DataFact:
    """Return a fact of *table*, as a test that passed."""
    name = f"{kind.value}_{table}_{'_'.join(columns)}"
    return DataFact(name=name, unique_id=table, kind=kind, columns=columns, source=FactSource.TEST)


class Proof:
    """Cases, and what was found of them."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._database = duckdb.connect(config={"threads": 1})

    def failures(self, seed: int) -> Iterator[str]:
        """Draw the case of *seed* and yield what is wrong with its answer."""
        case = Case(seed)
        self._create(case)
        if self._answer(case.old) is None or self._answer(case.new) is None:
            self.counts["not run"] += 1
            return
        known = {
            table: TableFacts(
                unique_id=table,
                facts=tuple(one for one in case.facts if one.unique_id == table),
                is_typed=True,
            )
            for table in TABLES
        }
        plain = compare_sql(case.old, case.new, "duckdb", case.types)
        change = compare_sql(case.old, case.new, "duckdb", case.types, facts=lambda names: known)
        if change == plain:
            self.counts["facts do not matter"] += 1
            return
        self.counts[f"{plain.category} to {change.category}{'' if change.facts else ' for all rows'}"] += 1
        for number in range(DATA):
            others = [one for one in case.facts if one not in change.facts]
            rows = case.rows(change.facts, Random(seed * DATA + number), broken=others if number % 2 else ())
            differs = self._contradicts(case, change, rows)
            if differs:
                columns = [(one.name, str(one.status)) for one in change.columns]
                names = [one.name for one in change.facts]
                yield f"case {seed}: {change.category} {columns}, {names}\n{case.types}"
                yield f"{case.old}\n=>\n{case.new}\n{differs}"
                return
        for one in change.facts:
            is_needed = any(
                self._is_needed(case, change, one, seed + number) for number in range(TRIES_TO_NEED)
            )
            self.counts[
                f"{one.kind} is named, {'and needed' if is_needed else 'not shown to be needed'}"
            ] += 1

    def _is_needed(self, case: Case, change: SqlChange, one: DataFact, seed: int) -> bool:
        others = [other for other in change.facts if other is not one]
        return bool(self._contradicts(case, change, case.rows(others, Random(seed), broken=[one])))

    def _contradicts(self, case: Case, change: SqlChange, rows: Rows) -> str:
        """Return the rows that contradict *change*; empty if there are none, or a query fails."""
        for table, listed in rows.items():
            self._database.execute(f"delete from {table}")
            for row in listed:
                self._database.execute(f"insert into {table} values ({', '.join('?' * len(row))})", row)
        old, new = self._answer(case.old), self._answer(case.new)
        if old is None or new is None or agrees(change, old, new):
            return ""
        return f"{rows}\n{old.rows}\n{new.rows}"

    def _answer(self, sql: str) -> Answer | None:
        """Return what *sql* yields; None if it cannot be run with these rows."""
        try:
            found = self._database.execute(sql)
            return Answer([column[0] for column in found.description or ()], found.fetchall())
        except duckdb.Error:
            return None

    def _create(self, case: Case) -> None:
        for table, types in case.types.items():
            listed = ", ".join(f"{name} {kind}" for name, kind in types.items())
            self._database.execute(f"create or replace table {table} ({listed})")


def main() -> None:
    """Run the cases that the command line asks for."""
    clock, _ = Clock.of(ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None))
    proof, failed = Proof(), 0
    for seed in clock.seeds():
        for problem in proof.failures(seed):
            failed += 1
            print(problem, flush=True)
    for name, count in proof.counts.most_common():
        print(f"{count:7} {name}")
    print(clock.report(failed))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
