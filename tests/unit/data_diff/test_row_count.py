"""Row counts: which statements are asked, and what their failures cost. Answers are given by hand."""

from __future__ import annotations

import re
from collections.abc import Collection

import pytest

from recce_meta.data_diff.plan import Answer, Queries, Query, run_plan
from recce_meta.data_diff.row_count import Countable, row_counts
from recce_meta.data_diff.source import Pair, SideRelation, table
from recce_meta.errors import (
    ConnectionFailed,
    MissingRelation,
    PermissionDenied,
    QueryCancelled,
    QueryTimeout,
)
from recce_meta.models.data_diff import DataSide, RowCount, RowCountDiff, Subject
from recce_meta.warehouses.dialect import dialect_named

DUCKDB = dialect_named("duckdb")


def source(name: str | None, side: DataSide) -> SideRelation | None:
    if name is None:
        return None
    return SideRelation(relation=table(DUCKDB, name), dialect=DUCKDB, side=side, name=name)


def pair(base: str | None, current: str | None, *, is_joined: bool = True) -> Pair:
    return Pair(
        subject=Subject(name=current or base or "?"),
        base=source(base, DataSide.BASE),
        current=source(current, DataSide.CURRENT),
        is_joined=is_joined,
    )


class Warehouse:
    """Counts 7 rows in everything but what is *missing*."""

    def __init__(self, missing: Collection[str] = ()) -> None:
        self.missing = missing
        self.batches: list[list[Query]] = []

    def ask(self, queries: Queries) -> list[Answer]:
        self.batches.append(list(queries))
        return [self._answer(query) for query in queries]

    def _answer(self, query: Query) -> Answer:
        relations = re.findall(r"FROM (\S+) AS t", query.sql)
        gone = [name for name in relations if name in self.missing]
        if gone:
            return MissingRelation(f"there is no {gone[0]}\nLINE 1: …")
        return [(number, 7) for number in range(len(relations))]

    @property
    def statements(self) -> int:
        return sum(map(len, self.batches))


def counted(warehouse: Warehouse, *pairs: Pair | Countable) -> tuple[RowCount, ...]:
    found: RowCountDiff = run_plan(row_counts(pairs), warehouse.ask)
    return found.counts


def test_fifty_relations_are_one_statement() -> None:
    warehouse = Warehouse()

    found = counted(warehouse, *(pair(f"prod.m{number}", f"dev.m{number}") for number in range(50)))

    assert {(one.base, one.current) for one in found} == {(7, 7)}
    assert [len(batch) for batch in warehouse.batches] == [2]


def test_what_both_sides_share_is_counted_once() -> None:
    warehouse = Warehouse()

    counted(warehouse, pair("raw.orders", "raw.orders"), pair("raw.orders", "raw.orders"))

    assert warehouse.batches[0][0].sql.count("COUNT(*)") == 1


def test_two_targets_are_asked_each() -> None:
    warehouse = Warehouse()

    counted(warehouse, pair("raw.orders", "raw.orders", is_joined=False))

    assert [query.side for query in warehouse.batches[0]] == [DataSide.BASE, DataSide.CURRENT]


def test_one_broken_relation_of_fifty_costs_fifteen_statements() -> None:
    warehouse = Warehouse({"dev.m13"})

    found = counted(warehouse, *(pair(None, f"dev.m{number}") for number in range(50)))

    assert found[13].current_reason == "not built: there is no dev.m13"
    assert [one.current for one in found].count(7) == 49
    assert warehouse.statements == 1 + 8 + 7


def test_nothing_built_at_all_is_told_for_each() -> None:
    warehouse = Warehouse({f"dev.m{number}" for number in range(50)})

    found = counted(warehouse, *(pair(None, f"dev.m{number}") for number in range(50)))

    assert all(one.current is None and one.current_reason for one in found)
    assert len(warehouse.batches) == 3


def test_reasons_are_those_given_or_the_obvious_ones() -> None:
    given = Countable(pair=pair(None, "dev.a"), base_reason="ephemeral: no relation")

    found = counted(Warehouse(), given, pair("prod.b", None), pair(None, None))

    assert [(one.base_reason, one.current_reason) for one in found] == [
        ("ephemeral: no relation", None),
        (None, "only in base"),
        ("no relation", "no relation"),
    ]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PermissionDenied("permission denied for table a"), "no permission: permission denied for table a"),
        (QueryTimeout("stopped after 5 s"), "stopped: stopped after 5 s"),
    ],
)
def test_other_failures_are_reasons_too(error: Exception, reason: str) -> None:
    found = run_plan(row_counts([pair(None, "dev.a")]), lambda queries: [error for _ in queries])  # type: ignore[misc]

    assert found.counts[0].current_reason == reason


@pytest.mark.parametrize("error", [QueryCancelled("stopped"), ConnectionFailed("gone")])
def test_what_stops_every_statement_is_raised(error: Exception) -> None:
    with pytest.raises(type(error)):
        run_plan(row_counts([pair(None, "dev.a")]), lambda queries: [error for _ in queries])  # type: ignore[misc]


def test_nothing_to_count_asks_nothing() -> None:
    warehouse = Warehouse()

    assert counted(warehouse) == ()
    assert warehouse.statements == 0
