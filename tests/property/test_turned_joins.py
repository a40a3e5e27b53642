"""Execution as the oracle of joins whose sides turn round: none of them is called `none` if the rows differ.

Random queries join tables, subqueries and one table twice. Their items change places, with the kinds of joins
turned as well, left as they are, or drawn again. DuckDB executes both queries on tables with NULLs and
repeated keys.

RECCE_META_JOIN_EXAMPLES sets how many queries are tried, RECCE_META_JOIN_SEED the first one.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, replace
from random import Random

import duckdb
import pytest

from recce_meta import classify_change

EXAMPLES = int(os.environ.get("RECCE_META_JOIN_EXAMPLES", "150"))
FIRST = int(os.environ.get("RECCE_META_JOIN_SEED", "0"))
COLUMNS = ("a", "b", "c")
SCHEMAS = {table: dict.fromkeys(COLUMNS, "int") for table in "tuv"}
KINDS = ("join", "cross join", "left join", "right join", "full join")
TURNED = {"left join": "right join", "right join": "left join"}
SHAPES = (
    "select {columns} from {items}{where}",
    "with q as (select {columns} from {items}{where}) select x, count(*) as n, sum(y) as s from q group by x",
    "select {columns} from {items}{where} order by all limit 3",
    "select count(*) as n, max({first}) as m from {items}{where}",
    "select x from (select {columns} from {items}) as s where y is null or x > 1",
)


@dataclass(frozen=True)
class Item:
    """Item of FROM, with its join to the items before it."""

    alias: str
    text: str
    kind: str = ""
    on: str = ""


@dataclass(frozen=True)
class Drawn:
    shape: str
    columns: str
    where: str
    items: tuple[Item, ...]

    @property
    def sql(self) -> str:
        text = self.items[0].text
        for one in self.items[1:]:
            text += f" {one.kind} {one.text}" + (f" on {one.on}" if one.kind != "cross join" else "")
        first = self.columns.split(" as ")[0]
        return self.shape.format(columns=self.columns, items=text, where=self.where, first=first)


def draw(random: Random) -> Drawn:
    """Draw a query of two to four items."""
    items: list[Item] = []
    for alias in ("p", "q", "r", "s")[: random.randint(2, 4)]:
        table = random.choice("tuv")
        made = f"(select a, coalesce(b, 0) as b, c from {table} where a is not null) as {alias}"
        text = made if random.random() < 0.2 else f"{table} as {alias}"
        on = "true"
        if items:
            other = random.choice(items).alias
            on = f"{other}.{random.choice(COLUMNS)} = {alias}.{random.choice(COLUMNS)}"
            on += f" and {random.choice((alias, other))}.c > 1" if random.random() < 0.3 else ""
        items.append(Item(alias, text, random.choice(KINDS), on))

    def column() -> str:
        name = f"{random.choice(items).alias}.{random.choice(COLUMNS)}"
        return f"coalesce({name}, 7)" if random.random() < 0.3 else name

    where = f" where {column()} > 1 or {column()} is null" if random.random() < 0.3 else ""
    columns = ", ".join(f"{column()} as {name}" for name in "xyz")
    return Drawn(random.choice(SHAPES), columns, where, tuple(items))


def turned(old: Drawn) -> Drawn:
    """Return *old* with its first two items in each other's place, and the same rows."""
    first, second, *rest = old.items
    kind = TURNED.get(second.kind, second.kind)
    items = (replace(second, kind="", on=""), replace(first, kind=kind, on=second.on), *rest)
    return replace(old, items=items)


def edited(random: Random, old: Drawn) -> Drawn:
    """Return *old* with items in other places, or with another kind of join."""
    items = [*old.items]
    at, to = random.sample(range(len(items)), 2)
    match random.choice(("items", "texts", "kinds", "kind", "all")):
        case "items":  # a condition may then name a later item, which is an error
            items[at], items[to] = items[to], items[at]
        case "texts":
            one, other = items[at], items[to]
            items[at] = replace(one, text=other.text, alias=other.alias)
            items[to] = replace(other, text=one.text, alias=one.alias)
        case "kinds":
            one, other = items[at], items[to]
            items[at], items[to] = replace(one, kind=other.kind), replace(other, kind=one.kind)
        case "kind":
            items[-1] = replace(items[-1], kind=random.choice(KINDS))
        case _:
            random.shuffle(items)
            items = [
                replace(one, kind=random.choice((one.kind, TURNED.get(one.kind, "join")))) for one in items
            ]
    return replace(old, items=tuple(items))


def fill(connection: duckdb.DuckDBPyConnection, random: Random) -> None:
    """Fill the tables with other rows."""
    for table in SCHEMAS:
        connection.execute(f"delete from {table}")
        values = ("null", "0", "1", "2", "3")
        rows = [random.choices(values, k=len(COLUMNS)) for _ in range(random.randint(0, 5))]
        if rows:
            listed = ", ".join(f"({', '.join(row)})" for row in rows)
            connection.execute(f"insert into {table} values {listed}")


@pytest.mark.parametrize(
    "seeds",
    [
        pytest.param(range(FIRST, FIRST + 20), id="first"),
        pytest.param(range(FIRST + 20, FIRST + EXAMPLES), id="more", marks=pytest.mark.extensive),
    ],
)
def test_joins_are_none_only_if_their_rows_are_equal(seeds: range) -> None:
    wrong: list[str] = []
    counts: Counter[str] = Counter()
    with duckdb.connect(config={"threads": 1}) as connection:
        for table in SCHEMAS:
            connection.execute(f"create table {table} (a int, b int, c int)")

        def rows(sql: str) -> Counter[str] | None:
            try:
                return Counter(map(repr, connection.execute(sql).fetchall()))
            except duckdb.Error:
                return None

        for seed in seeds:
            random = Random(seed)
            old = draw(random)
            pairs = [("turned", turned(old)), *(("edited", edited(random, old)) for _ in range(3))]
            news = [(name, new.sql) for name, new in pairs if new.sql != old.sql]
            answers: list[list[Counter[str] | None]] = []
            for _ in range(5):
                fill(connection, random)
                answers.append([rows(sql) for sql in (old.sql, *(sql for _, sql in news))])
            for at, (name, sql) in enumerate(news, 1):
                if any(each[0] is None or each[at] is None for each in answers):
                    continue
                differs = any(each[0] != each[at] for each in answers)
                category = classify_change(old.sql, sql, "duckdb", SCHEMAS)
                counts[f"{name} {'differs' if differs else category}"] += 1
                if differs and category == "none":
                    wrong.append(f"{seed}\n{old.sql}\n{sql}")
    print(dict(counts))
    assert not wrong, "\n\n".join(wrong[:10])
    assert counts["turned none"] > len(seeds) / 3
    assert counts["edited differs"] > len(seeds) / 2
