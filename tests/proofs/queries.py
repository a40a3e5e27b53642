"""Proof that no edit of a query is called milder than its rows, and the share of harmless ones called `none`.

    python -m tests.proofs.queries [--seconds 600] [--seed 1] [--show]

A case draws a query and an edit from `tests.property.categories_queries`. DuckDB executes both on 24 sets of
rows with NULLs, duplicates and empty tables. Prints each answer that is milder than the rows show; exits with
1 if there is one. An edit that changes no row of any set counts as harmless; `--show` prints those that are
not called `none`.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from random import Random

import duckdb

from recce_meta.models.change import Category, SqlChange
from recce_meta.sql_diff import compare_sql
from tests.proofs.clock import Clock
from tests.property.categories_queries import TABLES, Maker
from tests.property.test_categories_by_execution import SCHEMAS, agrees, answer

SETS = 24
NONE = SqlChange(category=Category.NONE)


class Database:
    """Sets of rows, and the pairs of queries that were executed on them."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.harmless: list[tuple[int, Category, str]] = []
        self._database = duckdb.connect(config={"threads": 1})
        draw = Random(11)
        for number in range(SETS):
            self._database.execute(f"create schema d{number}")
            for table, columns in TABLES.items():
                listed = ", ".join(f"{one} int" for one in columns)
                self._database.execute(f"create table d{number}.{table} ({listed})")
                values = draw.choice([[None, 0, 1, 1, 2, 3], [0, 1, 2, 3, 4, -1], [*range(12)]])
                for _ in range(draw.choice([0, 2, 5, 9, 14])):
                    row = [draw.choice(values) for _ in columns]
                    marks = ", ".join("?" * len(row))
                    self._database.execute(f"insert into d{number}.{table} values ({marks})", row)

    def failures(self, seed: int) -> Iterator[str]:
        """Draw the case of *seed* and yield what is wrong with its answer."""
        maker = Maker(Random(seed))
        query = maker.query()
        sqls = query.sql(), maker.edit(query).sql()
        if sqls[0] == sqls[1]:
            return
        change = compare_sql(*sqls, "duckdb", SCHEMAS)
        is_same = has_rows = False
        for number in range(SETS):
            self._database.execute(f"use d{number}")
            old, new = (answer(self._database, sql) for sql in sqls)
            if old is None or new is None:
                self.counts["not run"] += 1
                return
            is_same = (is_same or not number) and agrees(NONE, old, new)
            has_rows = has_rows or bool(old.rows)
            if not agrees(change, old, new):
                columns = [(one.name, str(one.status)) for one in change.columns]
                shown = f"{sqls[0]}\n=>\n{sqls[1]}\n{old.rows}\n{new.rows}"
                yield f"case {seed}: {change.category} {columns}\n{shown}"
                return
        self.counts[str(change.category)] += 1
        if is_same and has_rows:
            self.harmless.append((seed, change.category, f"{sqls[0]}\n=>\n{sqls[1]}\n{change.reasons}"))


def main() -> None:
    """Run the cases that the command line asks for."""
    parser = ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--show", action="store_true", help="print harmless edits that are not called none")
    clock, given = Clock.of(parser)
    database, failed = Database(), 0
    for seed in clock.seeds():
        for problem in database.failures(seed):
            failed += 1
            print(problem, flush=True)
    for number, category, text in database.harmless if given.show else ():
        if category is not Category.NONE:
            print(f"case {number}: harmless, {category}\n{text}\n")
    for name, count in database.counts.most_common():
        print(f"{count:7} {name}")
    called = sum(category is Category.NONE for _, category, _ in database.harmless)
    print(f"{called} of {len(database.harmless)} harmless edits are called none")
    print(clock.report(failed))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
