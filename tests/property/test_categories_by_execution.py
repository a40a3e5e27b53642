"""Execution as the oracle of categories: what is said not to change is the same when both queries are run.

RECCE_META_CATEGORY_EXAMPLES sets how many pairs of queries are tried, RECCE_META_CATEGORY_SEED the first one.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from random import Random
from typing import Any

import duckdb
import pytest
from sqlglot import exp, parse_one

from recce_meta.models.change import Category, SqlChange, Status
from recce_meta.sql_diff import compare_sql
from tests.proofs import sampled
from tests.property import harmful_edits, harmless_edits
from tests.property.categories_queries import TABLES, Maker

EXAMPLES = int(os.environ.get("RECCE_META_CATEGORY_EXAMPLES", sampled("120", "64")))
FIRST = int(os.environ.get("RECCE_META_CATEGORY_SEED", "0"))
SCHEMAS = {table: dict.fromkeys(columns, "int") for table, columns in TABLES.items()}
LEAST_HARMLESS = 0.9
"""Share of the harmless edits of each kind that must be called `none`."""
DATA = 3
"""Sets of rows that each pair is run on: one set alone often shows no difference."""


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    """Small tables with NULLs and duplicates."""
    connection = duckdb.connect(config={"threads": 1})
    random = Random(5)
    for number in range(DATA):
        connection.execute(f"create schema d{number}")
        for table, columns in TABLES.items():
            connection.execute(
                f"create table d{number}.{table} ({', '.join(f'{one} int' for one in columns)})"
            )
            for _ in range(random.randint(3, 7)):
                row = [random.choice([None, 0, 1, 1, 2, 3]) for _ in columns]
                connection.execute(f"insert into d{number}.{table} values ({', '.join('?' * len(row))})", row)
    connection.execute("use d0")
    yield connection
    connection.close()


class Answer:
    """What a query gave."""

    def __init__(self, names: list[str], rows: list[tuple[Any, ...]]) -> None:
        self.rows = rows
        self.places: dict[tuple[str, int], int] = {}
        numbers: Counter[str] = Counter()
        for place, name in enumerate(names):
            self.places[name.lower(), numbers[name.lower()]] = place
            numbers[name.lower()] += 1

    def columns(self, names: list[tuple[str, int]]) -> Counter[tuple[str, ...]]:
        """The rows with these columns alone, without their order."""
        places = [self.places[name] for name in names]
        return Counter(tuple(repr(row[place]) for place in places) for row in self.rows)


def answer(database: duckdb.DuckDBPyConnection, sql: str) -> Answer | None:
    """What *sql* gives; None where it does not run."""
    try:
        found = database.execute(sql)
    except duckdb.Error:
        return None
    return Answer([column[0] for column in found.description or ()], found.fetchall())


def agrees(change: SqlChange, old: Answer, new: Answer) -> bool:
    """Whether two answers differ no more than *change* says."""
    if change.category in (Category.BREAKING, Category.UNKNOWN):
        return True
    if change.category is Category.NONE:
        return list(old.places) == list(new.places) and old.columns([*old.places]) == new.columns(
            [*old.places]
        )
    changed = {column.name.lower() for column in change.columns if column.status is not Status.ADDED}
    if "*" in changed:
        return len(old.rows) == len(new.rows)  # any column can be among those of an unknown table
    # The second of two columns called x is x_1 to DuckDB, further out.
    kept = [name for name in old.places if re.sub(r"_\d+$", "", name[0]) not in changed]
    if change.category is Category.NON_BREAKING and changed:
        return False
    if not set(kept) <= set(new.places) or len(old.rows) != len(new.rows):
        return False
    return old.columns(kept) == new.columns(kept)


def is_named_twice(change: SqlChange, old: Answer) -> bool:
    """Whether a column stands in a star already, which nobody can know without schemas."""
    return any(number for _, number in old.places) or any(
        (column.name.lower(), 0) in old.places for column in change.columns if column.status is Status.ADDED
    )


def tried(database: duckdb.DuckDBPyConnection, seed: int) -> tuple[str, str | None]:
    """The category of one pair of queries, or that it does not run; and what is wrong with it."""
    maker = Maker(Random(seed))
    query = maker.query()
    old_sql = query.sql()
    if answer(database, old_sql) is None:
        return "not run", None
    for _ in range(maker.count()):
        query = maker.edit(query)
    new_sql = query.sql()
    if answer(database, new_sql) is None:
        return "not run", None
    schemas = SCHEMAS if seed % 2 else {}
    change = compare_sql(old_sql, new_sql, "duckdb", schemas)
    for number in range(DATA):
        database.execute(f"use d{number}")
        old, new = answer(database, old_sql), answer(database, new_sql)
        if old is None or new is None or (not schemas and is_named_twice(change, old)):
            break
        if not agrees(change, old, new):
            said = f"{seed}: {change.category} {[(one.name, str(one.status)) for one in change.columns]}"
            return change.category.value, f"{said}\n{old_sql}\n=>\n{new_sql}\n{old.rows}\n{new.rows}"
    return change.category.value, None


def test_what_is_said_to_stay_is_the_same_when_it_is_run(database: duckdb.DuckDBPyConnection) -> None:
    results = [tried(database, seed) for seed in range(FIRST, FIRST + EXAMPLES)]

    wrong = [problem for _, problem in results if problem is not None]
    assert not wrong, f"{len(wrong)} of {EXAMPLES}\n\n" + "\n\n".join(wrong[:10])
    seen = Counter(category for category, _ in results)
    assert all(seen[category] for category in ("none", "non_breaking", "partial_breaking", "breaking")), seen


def made(database: duckdb.DuckDBPyConnection, random: Random) -> exp.Expression | None:
    """A random query, parsed; None if it does not run."""
    sql = Maker(random).query().sql()
    return parse_one(sql, dialect="duckdb") if answer(database, sql) is not None else None


def compared(
    database: duckdb.DuckDBPyConnection, old: exp.Expression, new: exp.Expression, random: Random
) -> tuple[Category | None, bool, str | None]:
    """The category of an edit, whether the answers are equal, and what is wrong; None if one does not run."""
    old_sql, new_sql = old.sql("duckdb"), new.sql("duckdb")
    schemas = SCHEMAS if random.random() < 0.7 else {}
    change = compare_sql(old_sql, new_sql, "duckdb", schemas)
    is_same = True
    for number in range(DATA):
        database.execute(f"use d{number}")
        before, after = answer(database, old_sql), answer(database, new_sql)
        if before is None or after is None:
            return None, False, None
        is_same = is_same and agrees(SqlChange(category=Category.NONE), before, after)
        if not schemas and (is_named_twice(change, before) or is_named_twice(change, after)):
            continue
        if not agrees(change, before, after):
            told = f"{change.category} {[(one.name, str(one.status)) for one in change.columns]}"
            return change.category, is_same, f"{told}\n{old_sql}\n=>\n{new_sql}\n{before.rows}\n{after.rows}"
    return change.category, is_same, None


def harmlessly_edited(tree: exp.Expression, random: Random) -> exp.Expression:
    """*tree* with up to two edits that change nothing."""
    for _ in range(random.choice([0, 0, 1, 1, 2])):
        edited = random.choice(list(harmless_edits.KINDS.values()))(tree, random)
        tree = tree if edited is None else edited
    return tree


def test_most_edits_that_change_nothing_are_called_none(database: duckdb.DuckDBPyConnection) -> None:
    called: dict[str, Counter[bool]] = {kind: Counter() for kind in harmless_edits.KINDS}
    wrong = []
    for seed in range(FIRST, FIRST + EXAMPLES // 8):
        random = Random(seed)
        tree = made(database, random)
        for kind, edit in harmless_edits.KINDS.items() if tree is not None else ():
            edited = edit(tree, random)
            if edited is not None:
                category, is_same, problem = compared(database, tree, edited, random)
                wrong += [f"{seed} {kind}: {problem}"] if problem else []
                if is_same:
                    called[kind][category is Category.NONE] += 1

    assert not wrong, "\n\n".join(wrong[:10])
    shares = {kind: numbers[True] / numbers.total() for kind, numbers in called.items()}
    assert min(shares.values()) >= LEAST_HARMLESS, shares


def test_an_edit_that_looks_like_a_wrap_is_never_called_milder_than_it_is(
    database: duckdb.DuckDBPyConnection,
) -> None:
    wrong = []
    seen: Counter[Category | None] = Counter()
    for seed in range(FIRST, FIRST + EXAMPLES // 8):
        random = Random(seed)
        tree = made(database, random)
        for kind, edit in harmful_edits.KINDS.items() if tree is not None else ():
            old = harmlessly_edited(tree, random)
            edited = edit(old, random)
            if edited is not None:
                category, _, problem = compared(database, old, harmlessly_edited(edited, random), random)
                seen[category] += 1
                wrong += [f"{seed} {kind}: {problem}"] if problem else []

    assert not wrong, f"{len(wrong)} of {seen.total()}\n\n" + "\n\n".join(wrong[:10])
    assert all(seen[one] for one in Category if one is not Category.UNKNOWN), seen


def test_an_expression_inlined_under_an_outer_join_is_none_only_if_it_is_null_there(
    database: duckdb.DuckDBPyConnection,
) -> None:
    wrong, seen = [], Counter[Category | None]()
    for seed in range(FIRST, FIRST + EXAMPLES // 4):
        random = Random(seed)
        old, new = (
            parse_one(one, dialect="duckdb") for one in harmful_edits.inlined_under_outer_join(random)
        )
        category, _, problem = compared(database, old, harmlessly_edited(new, random), random)
        seen[category] += 1
        wrong += [f"{seed}: {problem}"] if problem else []

    assert not wrong, f"{len(wrong)} of {seen.total()}\n\n" + "\n\n".join(wrong[:10])
    assert seen[Category.NONE] and seen[Category.PARTIAL_BREAKING] and seen[Category.BREAKING], seen
