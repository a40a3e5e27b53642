"""Profiles, top values and histograms whose statements fail. Answers are given by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import duckdb
import pytest

from recce_meta.data_diff.histogram import histogram_diff
from recce_meta.data_diff.options import ValueOptions
from recce_meta.data_diff.plan import Answer, Plan, Queries, Query, run_plan
from recce_meta.data_diff.profile import profile_diff
from recce_meta.data_diff.source import Pair, SideRelation, table
from recce_meta.data_diff.top_k import NO_VALUES, top_k_diff
from recce_meta.data_diff.value import value_diff
from recce_meta.errors import ConnectionFailed, QueryCancelled, QueryTimeout, UsageError, WarehouseError
from recce_meta.models.data_diff import DataSide, Subject
from recce_meta.warehouses.dialect import dialect_named, dialect_names

PLANS = (profile_diff, top_k_diff, histogram_diff)
COLUMNS = [("fine", "INTEGER"), ("broken", "INTEGER"), ("last", "INTEGER")]

Failing = Callable[[Query], WarehouseError | None]


def pair(dialect_name: str = "duckdb", *, is_joined: bool = True) -> Pair:
    dialect = dialect_named(dialect_name)
    base, current = (
        SideRelation(
            relation=table(dialect, f"{side.value}.orders"), dialect=dialect, side=side, name="orders"
        )
        for side in DataSide
    )
    return Pair(subject=Subject(name="orders"), base=base, current=current, is_joined=is_joined)


def result(plan: Plan[Any], failing: Failing) -> tuple[Any, list[Query]]:
    """What comes of *plan* where some statements fail, and what it asked; all others give what is assumed."""
    asked: list[Query] = []

    def ask(queries: Queries) -> list[Answer]:
        asked.extend(query for query in queries if not query.describes)
        return [COLUMNS if query.describes else (failing(query) or query.assumed or []) for query in queries]

    return run_plan(plan, ask), asked


@pytest.mark.parametrize("is_joined", [True, False])
def test_a_column_at_fault_has_a_reason_and_the_others_go_on(is_joined: bool) -> None:
    for plan, unseen in ((top_k_diff, NO_VALUES), (histogram_diff, None)):  # whose rows are none here
        found, _ = result(plan(pair(is_joined=is_joined), ["fine", "broken", "last"]), broken_anywhere)

        reasons = [unseen, "Conversion Error: not a number", unseen]
        assert [column.reason for column in found.columns] == reasons


def broken_anywhere(query: Query) -> WarehouseError | None:
    """Fails whatever groups or bins the column `broken`."""
    groups = '"broken" AS v' in query.sql or 'MIN(t."broken")' in query.sql
    return WarehouseError("Conversion Error: not a number\nLINE 1: …") if groups else None


def test_a_histogram_whose_second_statement_fails_has_a_reason() -> None:
    def failing(query: Query) -> WarehouseError | None:
        is_second = "GROUPING SETS" in query.sql and '"broken"' in query.sql
        return WarehouseError("out of memory") if is_second else None

    found, asked = result(histogram_diff(pair(), ["fine", "broken"]), failing)

    assert [column.reason for column in found.columns] == [None, "out of memory"]
    assert len(asked) == 1 + 1 + 2


@pytest.mark.parametrize("plan", PLANS)
def test_time_that_ends_within_a_relation_leaves_what_is_finished(plan: Callable[[Pair], Plan[Any]]) -> None:
    def failing(query: Query) -> WarehouseError | None:
        if broken_anywhere(query) is None:
            return None
        return WarehouseError("overflow") if '"fine"' in query.sql else QueryTimeout("The budget is used up")

    found, _ = result(plan(pair()), failing)

    reasons = {column.name: column.reason or "" for column in found.columns}
    assert [name for name, reason in reasons.items() if "The budget is used up" in reason] == ["broken"]


LATE = "The budget is used up"


@pytest.mark.parametrize(
    ("late", "expected", "notes"),
    [
        ("examples", {"fine": 0, "broken": 9, "last": 0}, (f"No examples: {LATE}",)),
        ("values of orders, part 2", {"fine": 0, "broken": 9, "last": LATE}, ()),
    ],
)
def test_a_budget_that_ends_before_the_last_statement_leaves_the_other_figures(
    late: str, expected: dict[str, object], notes: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(dialect_named("duckdb")), "columns_per_statement", 12)
    with duckdb.connect() as connection:
        for side, shift in (("base", 0), ("current", 1)):
            connection.execute(f"create schema {side}")
            connection.execute(
                f"create table {side}.orders as select i as fine, i + {shift} as broken, 1 as last "
                "from range(9) r (i)"
            )

        def ask(queries: Queries) -> list[Answer]:
            return [
                COLUMNS
                if query.describes
                else QueryTimeout(LATE)
                if query.about.startswith(late)
                else connection.execute(query.sql).fetchall()
                for query in queries
            ]

        found = run_plan(value_diff(pair(), ValueOptions(key=("fine",))), ask)

    figures = {one.name: one.mismatched if one.reason is None else one.reason for one in found.columns}
    assert (figures, found.changed, found.notes, found.is_equal) == (expected, 9, notes, False)


def test_a_profile_keeps_the_counts_of_a_column_at_fault() -> None:
    def failing(query: Query) -> WarehouseError | None:
        return WarehouseError("overflow") if 'AVG(t."broken")' in query.sql else None

    found, _ = result(profile_diff(pair()), failing)

    fine, at_fault, last = found.columns
    assert (at_fault.base.row_count, at_fault.base.not_null_count, at_fault.base.distinct_count) == (1, 0, 0)
    assert fine.base.row_count == last.current.row_count == 1
    assert found.notes == (
        "Only the counts of broken in base: overflow",
        "Only the counts of broken in current: overflow",
    )


def test_a_column_that_cannot_be_read_has_one_reason_on_each_side() -> None:
    def failing(query: Query) -> WarehouseError | None:
        return WarehouseError("overflow") if 't."broken"' in query.sql else None

    found, _ = result(profile_diff(pair()), failing)

    fine, at_fault, _last = found.columns
    assert (fine.unread, at_fault.base, at_fault.current) == ((), None, None)
    assert at_fault.unread == (DataSide.BASE, DataSide.CURRENT)
    assert at_fault.reason == "no figures in base: overflow; no figures in current: overflow"
    assert found.notes == (
        "No figures of broken in base: overflow",
        "No figures of broken in current: overflow",
    )


def test_a_distinct_count_that_fails_is_missing_and_told() -> None:
    def failing(query: Query) -> WarehouseError | None:
        return WarehouseError("out of memory") if 'DISTINCT t."broken"' in query.sql else None

    found, _ = result(profile_diff(pair(), ["broken"]), failing)

    assert found.columns[0].current.distinct_count is None
    assert found.columns[0].current.is_unique is None
    assert found.notes[-1] == "No distinct count of broken in current: out of memory"


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("error", [QueryCancelled("stopped"), ConnectionFailed("gone"), QueryTimeout("late")])
def test_what_stops_every_statement_is_raised(
    plan: Callable[[Pair], Plan[Any]], error: WarehouseError
) -> None:
    with pytest.raises(type(error)):
        result(plan(pair()), lambda query: error)


@pytest.mark.parametrize("plan", PLANS)
def test_a_relation_that_cannot_be_read_at_all_is_no_answer(plan: Callable[[Pair], Plan[Any]]) -> None:
    denied = WarehouseError("permission denied")

    try:
        found, _ = result(plan(pair()), lambda query: denied)
    except WarehouseError as error:
        assert error is denied
    else:
        assert all(column.reason == "permission denied" for column in found.columns)


@pytest.mark.parametrize("plan", PLANS)
def test_neither_side_is_nothing_to_read(plan: Callable[[Pair], Plan[Any]]) -> None:
    with pytest.raises(UsageError, match="No relation of orders found"):
        result(plan(Pair(subject=Subject(name="orders"), base=None, current=None)), lambda query: None)


@pytest.mark.cases(12)
@pytest.mark.parametrize("dialect_name", dialect_names())
@pytest.mark.parametrize("plan", PLANS)
def test_every_statement_says_what_it_is_about_and_can_be_printed(
    plan: Callable[[Pair], Plan[Any]], dialect_name: str
) -> None:
    for is_joined in (True, False):
        _, asked = result(plan(pair(dialect_name, is_joined=is_joined)), lambda query: None)

        assert asked
        assert all(query.about and query.assumed is not None and query.sql for query in asked)


def test_statements_do_not_grow_with_the_columns() -> None:
    counts = []
    for columns in (["fine"], ["fine", "broken", "last"]):
        for plan in (top_k_diff, histogram_diff):
            counts.append(len(result(plan(pair(), columns), lambda query: None)[1]))

    assert counts == [2, 2, 2, 2]


def names(found: Any) -> Sequence[str]:
    return [column.name for column in found.columns]


def test_medians_that_are_estimates_are_told() -> None:
    found, _ = result(profile_diff(pair("bigquery")), lambda query: None)

    assert names(found) == ["fine", "broken", "last"]
    assert found.notes == ("Medians are estimates: bigquery has no exact aggregate for them",)
