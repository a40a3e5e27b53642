"""Proof that edits are separated and tried: each differing value belongs to the edits that give it.

    python -m tests.proofs.edits [ENGINE=URL …] [--seconds 600] [--seed 1]

A case draws a query of ten places, of which two or three are edited; a third of the new texts is formatted
anew, and in a third of the cases current has other data as well. The oracle reads the rows of the old query,
the new one, and the old one with each edited place, and compares them in Python. A case fails if the number
of edits is another, or if a count of an edit or of the rest differs.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections import Counter
from typing import Any, NamedTuple

from recce_meta import UnifiedSqlAdapter
from recce_meta.api.data.diffs import value_diff
from recce_meta.data_diff.options import Explaining, ValueOptions
from recce_meta.models.data_diff import ValueDiff
from recce_meta.models.explanations import TriedEdits
from tests.proofs.clock import Clock

PLACES: list[list[str]] = [
    ["amount", "amount * 2", "round(amount, 1)", "amount + tax", "abs(amount)"],
    ["tax", "coalesce(tax, 0)", "case when kind = 'a' then tax else 0 end", "tax * 0.5"],
    ["kind", "upper(kind)", "kind || 'x'", "case kind when 'a' then 'z' else kind end"],
    ["number + 1", "number", "number + 2", "greatest(number, 3)"],
    ["sum(price)", "max(price)", "sum(price) + 1", "count(*)"],
    ["price > 2", "price > 3", "price >= 2"],
    ["left join", "join"],
    ["amount > 5", "amount > 20", "amount > 5 and kind <> 'b'", "not amount <= 5"],
    ["number < 90", "number < 80", "number <= 90"],
    ["", "-- a note\n", "/* other */ "],
]
QUERY = """with lines as (
    select order_id, {4} as total from {{lines}} where {5} group by order_id
)
{9}select o.id, {0} as amount, {1} as tax, {2} as kind,
    {3} as number, lines.total as total
from {{orders}} as o {6} lines on lines.order_id = o.id
where {7} and {8}"""
ORDERS = "id integer, amount numeric(10,2), tax numeric(10,2), kind varchar(9), number integer"
COLUMNS = ("amount", "tax", "kind", "number", "total")


class Case(NamedTuple):
    """Two queries, and the old one with each edited place that changes anything."""

    old: str
    new: str
    alone: list[str]
    has_other_data: bool


def case_of(rng: random.Random) -> Case:
    """Return a random case."""
    old = [place[0] for place in PLACES]
    chosen = rng.sample(range(len(PLACES)), rng.choice([2, 3]))
    new = [rng.choice(PLACES[i][1:]) if i in chosen else text for i, text in enumerate(old)]
    real = [i for i in chosen if i != len(PLACES) - 1]
    alone = [QUERY.format(*(new[i] if i == one else text for i, text in enumerate(old))) for one in real]
    text = QUERY.format(*new)
    if rng.random() < 1 / 3:
        text = re.sub(r"\b(select|from|where|and|as|group by)\b", lambda found: found[0].upper(), text)
        text = re.sub(r", ", ",\n      ", text)
    return Case(QUERY.format(*old), text, alone, rng.random() < 1 / 3)


def build(adapter: UnifiedSqlAdapter, rng: random.Random) -> None:
    """Create the tables that the queries read."""
    number = rng.randint(50, 400)
    orders = ", ".join(
        f"({i}, {rng.randint(-200, 900) / 10}, {rng.choice(['null', rng.randint(0, 50) / 10])},"
        f" '{rng.choice('abc')}', {rng.randint(0, 100)})"
        for i in range(number)
    )
    lines = ", ".join(f"({rng.randrange(number)}, {rng.randint(0, 90) / 10})" for _ in range(number * 2))
    for name, columns, rows in (
        (
            "orders",
            "id integer, amount numeric(10,2), tax numeric(10,2), kind varchar(9), number integer",
            orders,
        ),
        ("lines", "order_id integer, price numeric(10,2)", lines),
    ):
        for table in (f"edits_{name}", f"edits_later_{name}"):
            adapter.execute(f"drop table if exists {table}")
            adapter.execute(f"create table {table} ({columns})")
            adapter.execute(f"insert into {table} values {rows}")
    adapter.execute("update edits_later_orders set amount = amount + 3 where mod(id, 7) = 0")


def rows_of(adapter: UnifiedSqlAdapter, sql: str, tables: str = "edits_") -> dict[Any, tuple[Any, ...]]:
    """Return the rows of *sql* by key."""
    text = sql.format(orders=f"{tables}orders", lines=f"{tables}lines")
    return {row[0]: tuple(row[1:]) for row in adapter.answer(f"select * from ({text}) as q")}


def expected(
    base: dict[Any, tuple[Any, ...]],
    current: dict[Any, tuple[Any, ...]],
    new: dict[Any, tuple[Any, ...]],
    alone: list[dict[Any, tuple[Any, ...]]],
) -> dict[str, Counter[str]]:
    """Return for each target how many values each edit gives, by number, and the rest by name."""
    found: dict[str, Counter[str]] = {}

    def add(target: str, old_value: Any, new_value: Any, values: list[Any], current_value: Any) -> None:
        full = [i for i, value in enumerate(values) if value == new_value]
        name = (
            "unchanged"
            if old_value == new_value
            else "mixed"
            if new_value != current_value
            else str(full[0])
            if len(full) == 1
            else "either"
            if full
            else "together"
        )
        found.setdefault(target, Counter())[name] += 1

    for key in base.keys() | current.keys():
        if key in base and key in current:
            for i, name in enumerate(COLUMNS):
                if base[key][i] != current[key][i]:
                    value = [rows[key][i] if key in rows else _ABSENT for rows in (base, new, *alone)]
                    add(name, value[0], value[1], value[2:], current[key][i])
        else:
            is_there = [key in rows for rows in (base, new, *alone)]
            add(
                "added" if key in current else "removed",
                is_there[0],
                is_there[1],
                is_there[2:],
                key in current,
            )
    return found


_ABSENT = object()


def counted(tried: TriedEdits) -> dict[str, Counter[str]]:
    """Return the figures of *tried* in the form of `expected`; edits are known by their counts alone."""
    found: dict[str, Counter[str]] = {}
    for rest in tried.rests:
        fields = ("either", "together", "unchanged", "mixed", "not_tried")
        found[rest.target] = Counter({name: getattr(rest, name) for name in fields if getattr(rest, name)})
    for number, edit in enumerate(tried.edits):
        for effect in edit.effects:
            found[effect.target][f"edit {number}"] += effect.gives
    return found


def failures(adapter: UnifiedSqlAdapter, case: Case, tally: Counter[str]) -> list[str]:
    """Return what is wrong with the edits of *case*."""
    later = "edits_later_" if case.has_other_data else "edits_"
    base, current = rows_of(adapter, case.old), rows_of(adapter, case.new, later)
    for name, sql, tables in (("base", case.old, "edits_"), ("current", case.new, later)):
        adapter.execute(f"drop table if exists edits_{name}")
        text = sql.format(orders=f"{tables}orders", lines=f"{tables}lines")
        adapter.execute(f"create table edits_{name} as {text}")
    texts = [one.format(orders="edits_orders", lines="edits_lines") for one in (case.old, case.new)]
    options = ValueOptions(key=("id",), why=Explaining(queries=(texts[0], texts[1])))
    found = value_diff(adapter, "edits_base", "edits_current", options=options)
    assert isinstance(found, ValueDiff)
    if found.is_equal:
        return []
    assert found.why is not None and found.why.edits is not None
    tried = found.why.edits
    if tried.note:
        return [f"not tried: {tried.note}"]
    alone = [rows_of(adapter, one) for one in case.alone]
    wanted = expected(base, current, rows_of(adapter, case.new), alone)
    got = counted(tried)
    wrong = []
    tally["separated"] += len(tried.edits) == len(case.alone)
    tally["tried"] += 1
    if len(tried.edits) != len(case.alone):
        wrong.append(f"{len(case.alone)} edits became {[(one.old, one.new) for one in tried.edits]}")
    for target, figures in wanted.items():
        tally["values"] += figures.total()
        tally["attributed"] += sum(number for name, number in figures.items() if name.isdigit())
        one = sorted(number for name, number in figures.items() if name.isdigit())
        other = sorted(
            number for name, number in got.get(target, Counter()).items() if name.startswith("edit")
        )
        rest = {name: number for name, number in figures.items() if not name.isdigit()}
        got_rest = {
            name: number for name, number in got.get(target, {}).items() if not name.startswith("edit")
        }
        if (one, rest) != (other, got_rest) and target in got:
            wrong.append(f"{target}: {dict(figures)}, and not {dict(got[target])}")
    return wrong


def main() -> int:
    """Run the proof."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("engines", nargs="*", metavar="ENGINE=URL", default=["duckdb=duckdb:///:memory:"])
    clock, given = Clock.of(parser)
    tally: Counter[str] = Counter()
    adapters = [UnifiedSqlAdapter.from_url(named.partition("=")[2]) for named in given.engines]
    failed = 0
    for seed in clock.seeds():
        rng = random.Random(seed)
        adapter = adapters[seed % len(adapters)]
        build(adapter, rng)
        case = case_of(rng)
        for text in failures(adapter, case, tally):
            failed += 1
            print(f"seed {seed}: {text}")
    for adapter in adapters:
        adapter.close()
    given_by_one = f"{tally['attributed']} of {tally['values']} values given by one edit"
    print(f"separated {tally['separated']} of {tally['tried']} cases; {given_by_one}")
    print(clock.report(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
