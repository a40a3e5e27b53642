"""Execution as the oracle of names: no column hides from lineage, and no other in its place is called none.

Random queries hold columns where parsers hide them: under arrows, method calls, in units of time, in lambdas.
One occurrence of a column is exchanged for another column of its type; if the rows differ, the category is
not `none`. The values of one column are changed; if the rows differ, lineage lists it.

RECCE_META_SWAP_EXAMPLES sets how many queries are tried on each engine, RECCE_META_SWAP_SEED the first one.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any
from uuid import uuid4

import duckdb
import psycopg
import pytest

from recce_meta import classify_change
from recce_meta.sql_lineage import analyse_query

EXAMPLES = int(os.environ.get("RECCE_META_SWAP_EXAMPLES", "40"))
FIRST = int(os.environ.get("RECCE_META_SWAP_SEED", "0"))
COLUMNS = {
    "jp": "json",
    "jq": "json",
    "ta": "text",
    "tb": "text",
    "na": "int",
    "nb": "int",
    "da": "unit",
    "db": "unit",
}
BY_TYPE = {
    kind: [name for name, one in COLUMNS.items() if one == kind] for kind in ("json", "text", "int", "unit")
}
SCHEMAS = {"t": dict(COLUMNS)}
TYPES = {"json": {"duckdb": "json", "postgres": "jsonb"}, "text": {}, "int": {}, "unit": {}}
AT = "timestamp '2024-02-13 11:22:33'"
TEXTS = {
    "duckdb": (
        "coalesce({json} ->> 'k', {text})",
        "({json} -> 'k')::text",
        "{text}.upper()",
        "({text} || {text}).lower()",
        "concat({json} -> 'k', {text})",
        "(case when {int} > 1 then {text} else 'z' end).reverse()",
        "date_trunc({unit}, {at})::text",
        "[{int}, {int}].list_transform(lambda x: x + {int})::text",
        "[{int}].list_extract(1)::text",
        "list_filter([{int}, {int}], lambda v: v > {int})::text",
        "(select max(u.{text}) from t as u where u.{int} >= t.{int})",
        "{text}.concat({json} ->> 'k').lower()",
        "json_array_length({json} -> 'l')::text",
        "coalesce(t.{json} -> 'k', {json})::text",
        "{{'x': {text}}}.x.upper()",
        "string_agg({text}, ',' order by {int}, {text}) over ()",
    ),
    "postgres": (
        "coalesce({json} ->> 'k', {text})",
        "({json} -> 'k')::text",
        "upper({text})",
        "concat({json} -> 'k', {text})",
        "date_trunc({unit}, {at})::text",
        "jsonb_array_length({json} -> 'l')::text",
        "({json} #> array['l', '0'])::text",
        "(select max(u.{text}) from t as u where u.{int} >= t.{int})",
        "coalesce(t.{json} -> 'k', {json})::text",
        "({json} -> lower('K'))::text",
        "coalesce({json} -> lower('K'), {json})::text",
        "({json} || {json})::text",
        "(array[{int}, {int}])[1]::text",
        "string_agg({text}, ',') over (order by {int}, {text})",
        "jsonb_build_object({text}, {json} -> 'k')::text",
        "case when {json} @> '{{\"k\": 1}}' then {text} end",
    ),
}
CONDITIONS = {
    "duckdb": ("json_array_length({json} -> 'l') > 1", "{text}.upper() > 'B'", "{int} > {int}",
               "coalesce({json} ->> 'k', 'x') <> {text}"),
    "postgres": ("jsonb_array_length({json} -> 'l') > 1", "upper({text}) > 'B'", "{int} > {int}",
                 "coalesce({json} -> 'k', {json}) <> '1'"),
}  # fmt: skip
SHAPES = (
    "select {text1} as x, {text2} as y from t{where}",
    "with q as (select {text1} as x, t.* from t{where}) select x, {text2} as y from q as t",
    "select {text1} as x, count(*) as n from t{where} group by 1",
    "select x from (select {text1} as x, {text2} as y from t{where}) as s where y is not null",
)
Run = Callable[[str], list[tuple[Any, ...]]]


def value(random: Random, kind: str) -> str:
    if kind == "json":
        numbers = ", ".join(str(random.randint(0, 3)) for _ in range(random.randint(0, 3)))
        return f'\'{{"k": {random.randint(0, 4)}, "l": [{numbers}]}}\''
    if kind == "unit":
        return random.choice(["'day'", "'hour'", "'month'", "'year'"])
    return f"'{random.choice('AbCdE')}'" if kind == "text" else str(random.randint(0, 4))


def values(random: Random, changed: str = "") -> str:
    rows = [{name: value(random, kind) for name, kind in COLUMNS.items()} for _ in range(6)]
    for row in rows if changed else ():
        row[changed] = value(random, COLUMNS[changed])
    return ", ".join(f"({', '.join(row.values())})" for row in rows)


@contextmanager
def engine(name: str, url: str) -> Iterator[Run]:
    """Run queries on tables of their own, made by `create` and filled by `insert` statements."""
    if name == "duckdb":
        connection = duckdb.connect(config={"threads": 1})
        yield lambda sql: connection.execute(sql).fetchall()
        connection.close()
        return
    schema = f"swaps_{uuid4().hex[:8]}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"create schema {schema}")  # type: ignore[arg-type]
        server.execute(f"set search_path = {schema}")  # type: ignore[arg-type]

        def run(sql: str) -> list[tuple[Any, ...]]:
            cursor = server.execute(sql)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

        yield run
        server.execute(f"drop schema {schema} cascade")  # type: ignore[arg-type]


def query(random: Random, name: str) -> str:
    """A query whose columns are still written as `{{type}}`, so that each is chosen by itself."""
    texts = [random.choice(TEXTS[name]) for _ in range(2)]
    where = f" where {random.choice(CONDITIONS[name])}" if random.random() < 0.5 else ""
    shape = random.choice(SHAPES)
    if " over (" in texts[0] and "group by" in shape:
        texts[0] = "upper({text})"
    sql = shape.replace("{text1}", texts[0]).replace("{text2}", texts[1]).replace("{where}", where)
    sql = re.sub(r"\{(json|text|int|unit)\}", lambda found: f"⟨{random.choice(BY_TYPE[found[1]])}⟩", sql)
    return sql.replace("{at}", AT).replace("{{", "{").replace("}}", "}")


def swapped(random: Random, sql: str) -> str:
    """*sql* with one of its marked columns exchanged for another one of its type."""
    places = list(re.finditer(r"⟨(\w+)⟩", sql))
    place = random.choice(places)
    other = random.choice([one for one in BY_TYPE[COLUMNS[place[1]]] if one != place[1]])
    return f"{sql[: place.start()]}⟨{other}⟩{sql[place.end() :]}"


def plain(sql: str) -> str:
    return sql.replace("⟨", "").replace("⟩", "")


def bag(rows: list[tuple[Any, ...]]) -> Counter[str]:
    return Counter(map(repr, rows))


@pytest.mark.parametrize("name", ["duckdb", "postgres"])
def test_no_column_hides_and_no_other_one_in_its_place_is_none(name: str, postgres_url: str) -> None:
    url = postgres_url.replace("postgresql+psycopg", "postgresql")
    wrong, ran, swaps = [], 0, 0
    columns = ", ".join(
        f"{one} {TYPES[kind].get(name, 'text' if kind == 'unit' else kind)}" for one, kind in COLUMNS.items()
    )
    with engine(name, url) as run:
        run(f"create table t ({columns})")

        def fill(seed: int, changed: str = "") -> None:
            run("delete from t")
            run(f"insert into t values {values(Random(seed), changed)}")

        for seed in range(FIRST, FIRST + EXAMPLES):
            random = Random(seed)
            marked = query(random, name)
            old, new = plain(marked), plain(swapped(random, marked))
            fill(seed)
            try:
                before, after = run(old), run(new)
            except (duckdb.Error, psycopg.Error):
                continue
            ran += 1
            if bag(before) != bag(after):
                swaps += 1
                if classify_change(old, new, name, SCHEMAS) == "none":
                    wrong.append(f"{seed} is none\n{old}\n{new}")
            found = analyse_query(old, name, SCHEMAS)
            listed = {source.column for output in found.outputs for source in output.sources}
            listed |= {use.column for use in found.uses}
            for column in {*re.findall(r"⟨(\w+)⟩", marked)} - listed:
                fill(seed, column)
                try:
                    if bag(run(old)) != bag(before):
                        wrong.append(f"{seed} {column} is not listed\n{old}")
                except (duckdb.Error, psycopg.Error):
                    continue
    print(f"{name}: {ran} of {EXAMPLES} run, {swaps} swaps changed the rows, {len(wrong)} wrong")
    assert not wrong, "\n\n".join(wrong[:10])
    assert ran > EXAMPLES / 2
    assert swaps > EXAMPLES / 8
