"""Proof that slices hold: planted causes are found, and nothing is claimed of random changes.

    python -m tests.proofs.slices ENGINE=URL … [--seconds 600] [--seed 1]

A case draws a table of 2,000 to 6,000 rows with texts, numbers, dates, moments, booleans and NULLs, and a
rule of one or two conditions whose rows get another amount, are deleted, or are added. Every fourth case
changes random rows instead. Each slice is counted again by its own SQL. A case fails if a count is wrong,
if a private value is shown, if a slice of random rows is claimed, or if none of the first three slices of
a rule has at least 95 % of its rows in common with it. Prints the failed ones, and how many rules were
found first and in the first three.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from recce_meta import UnifiedSqlAdapter
from recce_meta.api.data.diffs import value_diff
from recce_meta.data_diff.options import Explaining, ValueOptions
from recce_meta.models.data_diff import ValueDiff
from recce_meta.models.explanations import Slice
from tests.proofs.clock import Clock
from tests.spelling import spelling_of

COLUMNS = {
    "id": "INTEGER",
    "status": "VARCHAR",
    "country": "VARCHAR",
    "sku": "VARCHAR",
    "quantity": "INTEGER",
    "weight": "DECIMAL(10,2)",
    "is_gift": "BOOLEAN",
    "ordered_on": "DATE",
    "shipped_at": "TIMESTAMP",
    "amount": "DECIMAL(12,2)",
    "email": "VARCHAR",
}
START = datetime(2025, 1, 1)


class Rule(NamedTuple):
    """Rows of the base table that a planted cause changes, as SQL."""

    sql: str
    kind: str
    """What happens to them: `changed`, `removed` or `added`."""


def rows_of(rng: random.Random) -> list[tuple[Any, ...]]:
    """Return random rows."""
    countries = ["NL", "DE", "FR", "PL", "ES", "IT", "SE"]
    found: list[tuple[Any, ...]] = []
    for number in range(rng.randint(2000, 6000)):
        at = START + timedelta(minutes=rng.randint(0, 400 * 24 * 60))
        found.append(
            (
                number,
                rng.choices(["paid", "sent", "failed", "open", None], [60, 20, 8, 9, 3])[0],
                rng.choice(countries),
                f"{rng.choice(['AB', 'CD', 'EF'])}-{rng.randint(0, 999):03}",
                rng.choice([1, 1, 1, 2, 2, 3, 4, 7]),
                round(rng.lognormvariate(3, 1), 2),
                rng.random() < 0.2,
                at.date(),
                None if rng.random() < 0.07 else at + timedelta(hours=rng.randint(1, 90)),
                round(rng.uniform(1, 500), 2),
                f"person{number}@example.com",
            )
        )
    return found


def rule_of(rng: random.Random) -> str:
    """Return a random condition."""
    low = rng.uniform(5, 60)
    day = START + timedelta(days=rng.randint(5, 360))
    return rng.choice(
        [
            f"status = '{rng.choice(['paid', 'sent', 'failed', 'open'])}'",
            "status is null",
            "shipped_at is null",
            f"country = '{rng.choice(['NL', 'PL', 'SE'])}'",
            f"country in ('NL', '{rng.choice(['DE', 'IT'])}')",
            f"quantity >= {rng.choice([3, 4])}",
            f"weight between {low:.2f} and {low * rng.uniform(1.3, 3):.2f}",
            f"weight > {low:.2f}",
            f"ordered_on = date '{day:%Y-%m-%d}'",
            f"ordered_on >= date '{day:%Y-%m-%d}'",
            f"id between {rng.randint(100, 800)} and {rng.randint(900, 1500)}",
            f"sku like '{rng.choice(['AB', 'CD', 'EF'])}%'",
            f"status = 'paid' and country = '{rng.choice(['NL', 'PL', 'SE'])}'",
            f"is_gift and country = '{rng.choice(['NL', 'PL', 'SE'])}'",
            f"weight > {low:.2f} and status = 'sent'",
        ]
    )


class Site(NamedTuple):
    """Engine with two tables."""

    adapter: UnifiedSqlAdapter
    base: str
    current: str

    def number(self, sql: str) -> int:
        """Return the number that *sql* selects."""
        ((number,),) = self.adapter.answer(sql)
        return int(number)

    def build(self, rng: random.Random) -> None:
        """Create the base table, and a copy as the current one."""
        for name in (self.base, self.current):
            self.adapter.execute(f"drop table if exists {name}")
        spelling_of(self.adapter.warehouse.name).create_table(self.adapter, self.base, COLUMNS, rows_of(rng))
        self.adapter.execute(f"create table {self.current} as select * from {self.base}")

    def plant(self, rng: random.Random) -> Rule | None:
        """Change the current table by a rule, or random rows of it, and return the rule."""
        total = self.number(f"select count(*) from {self.base}")
        if rng.random() < 0.25:
            chosen = rng.sample(range(total), rng.choice([3, 10, 100, 1000]))
            where = f"id in ({', '.join(map(str, chosen))})"
            self.adapter.execute(f"update {self.current} set amount = amount + 1 where {where}")
            return None
        rule = rule_of(rng)
        while not 3 <= self.number(f"select count(*) from {self.base} where {rule}") <= total // 2:
            rule = rule_of(rng)
        kind = rng.choice(["changed", "changed", "removed", "added"])
        if kind == "changed":
            self.adapter.execute(f"update {self.current} set amount = amount * 2 + 1 where {rule}")
        else:
            table = self.current if kind == "removed" else self.base
            self.adapter.execute(f"delete from {table} where {rule}")
        return Rule(rule, kind)

    def compare(self) -> ValueDiff:
        """Return the value diff with its slices."""
        options = ValueOptions(key=("id",), why=Explaining(is_private=lambda name: name == "email"))
        found = value_diff(self.adapter, self.base, self.current, options=options)
        assert isinstance(found, ValueDiff)
        return found


def failures(site: Site, found: ValueDiff, rule: Rule | None, tally: Counter[str]) -> list[str]:
    """Return what is wrong with the slices of *found*, and count the rules that were found."""
    assert found.why is not None
    wrong = [text for one in found.why.slices if (text := miscounted(site, one))]
    wrong += [f"shows a private column: {one.sql}" for one in found.why.slices if "person" in one.sql]
    if rule is None:
        wrong += [f"claims {one.sql} of random rows" for one in found.why.slices]
        return wrong
    tally["rules"] += 1
    table = site.current if rule.kind == "added" else site.base
    slices = [one for one in found.why.slices if rule.kind in one.targets or "amount" in one.targets]
    alike = [
        2 * both / (one.in_slice + of_rule) >= 1.9 / 2
        for one in slices[:3]
        for both in [site.number(f"select count(*) from {table} where ({one.sql}) and ({rule.sql})")]
        for of_rule in [site.number(f"select count(*) from {table} where {rule.sql}")]
    ]
    tally["first"] += bool(alike and alike[0])
    tally["first three"] += any(alike)
    if not any(alike):
        said = [f"{one.sql} ({one.changed_in_slice} of {one.changed}, {one.in_slice})" for one in slices[:3]]
        wrong.append(f"missed {rule}: {said or found.why.note or 'nothing'}")
    return wrong


def miscounted(site: Site, one: Slice) -> str:
    """Return why the counts of *one* are wrong; empty if they are right."""
    base, current = site.base, site.current
    is_added = one.targets == ("added",)
    table, other = (current, base) if is_added else (base, current)
    rows = f"from {table} t where {one.sql}"
    if is_added or one.targets == ("removed",):
        hit = site.number(f"select count(*) {rows} and id not in (select id from {other})")
        met = hit + site.number(f"select count(*) {rows} and id in (select id from {other})")
    else:
        met = site.number(f"select count(*) {rows} and id in (select id from {other})")
        hit = site.number(
            f"select count(*) {rows} and exists (select 1 from {other} o where o.id = t.id"
            " and o.amount is distinct from t.amount)"
        )
    if (hit, met) == (one.changed_in_slice, one.in_slice):
        return ""
    return f"counts {one.changed_in_slice} of {one.in_slice}, and not {hit} of {met}: {one.sql}"


def main() -> int:
    """Run the proof."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("engines", nargs="+", metavar="ENGINE=URL")
    clock, given = Clock.of(parser)
    tally: Counter[str] = Counter()
    failed = 0
    sites = []
    for named in given.engines:
        adapter = UnifiedSqlAdapter.from_url(named.partition("=")[2])
        adapter.connect()
        sites.append(Site(adapter, "slices_base", "slices_current"))
    for seed in clock.seeds():
        rng = random.Random(seed)
        site = sites[seed % len(sites)]
        site.build(rng)
        rule = site.plant(rng)
        for text in failures(site, site.compare(), rule, tally):
            failed += 1
            print(f"seed {seed}: {text}")
    for site in sites:
        site.adapter.close()
    print(
        f"found first {tally['first']} of {tally['rules']} rules, in the first three {tally['first three']}"
    )
    print(clock.report(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
