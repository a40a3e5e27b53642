"""Kept figures in the place of queries."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from recce_meta.data_diff.options import FigureScope
from recce_meta.data_diff.stored import kept_profile_diff, kept_row_counts, node_statistics
from recce_meta.errors import UnknownNameError, UsageError
from recce_meta.models.data_diff import (
    ColumnProfile,
    DataSide,
    Failed,
    Profile,
    ProfileDiff,
    RowCount,
    RowCountDiff,
    Subject,
)
from recce_meta.models.stored import ColumnStatistics, NodeStatistics
from recce_meta.warehouses.dialect import dialect_named

AT = datetime(2026, 11, 1, tzinfo=timezone.utc)
LATER = AT + timedelta(days=1)
DUCKDB = dialect_named("duckdb")


def subject(name: str) -> Subject:
    return Subject(name=name, unique_id=f"model.shop.{name}", base=f"b.{name}", current=f"c.{name}")


def kept(name: str, rows: int | None = None, **fields: Any) -> NodeStatistics:
    return NodeStatistics(unique_id=f"model.shop.{name}", row_count=rows, **{"counted_at": AT, **fields})


def by_id(*nodes: NodeStatistics) -> dict[str, NodeStatistics]:
    return {node.unique_id: node for node in nodes}


def figures(rows: int, type: str = "INTEGER") -> Profile:
    return Profile(type=type, row_count=rows, not_null_count=rows)


def columns(rows: int, *names: str) -> tuple[ColumnStatistics, ...]:
    return tuple(ColumnStatistics(name=name, profile=figures(rows)) for name in names)


def test_base_is_answered_from_its_run_and_current_from_the_warehouse() -> None:
    live = RowCountDiff(
        counts=(RowCount(subject=subject("orders"), base_reason="only in current", current=12),), notes=("n",)
    )

    answer = kept_row_counts([subject("orders")], base=by_id(kept("orders", 10)), live=live)

    assert answer == RowCountDiff(
        counts=(RowCount(subject=subject("orders"), base=10, current=12, base_kept_at=AT),), notes=("n",)
    )
    assert answer.counts[0].delta == 2


def test_both_sides_can_be_answered_without_a_query() -> None:
    answer = kept_row_counts(
        [subject("orders")],
        base=by_id(kept("orders", 0)),
        current=by_id(kept("orders", 7, counted_at=LATER)),
    )
    (count,) = answer.counts
    assert (count.base, count.base_kept_at, count.current, count.current_kept_at) == (0, AT, 7, LATER)


def test_what_was_counted_now_goes_before_what_was_kept() -> None:
    live = RowCountDiff(counts=(RowCount(subject=subject("orders"), base=11, current=12),))

    answer = kept_row_counts([subject("orders")], base=by_id(kept("orders", 10)), live=live)

    assert answer == live


def test_a_side_without_figures_says_why() -> None:
    live = RowCountDiff(counts=(RowCount(subject=subject("b"), base_reason="not built", current=1),))

    answer = kept_row_counts(
        [subject("a"), subject("b"), subject("c")],
        base=by_id(kept("a", None, reason="no permission")),
        live=live,
    )

    assert [(count.base, count.base_reason, count.base_kept_at) for count in answer.counts] == [
        (None, "no permission", None),
        (None, "not built", None),
        (None, None, None),
    ]


def test_relations_that_are_no_nodes_are_answered_live_alone() -> None:
    orders = Subject(name="orders")
    live = RowCountDiff(
        counts=(RowCount(subject=orders, current=1), RowCount(subject=subject("orders"), current=2))
    )

    answer = kept_row_counts([orders, subject("orders")], base=by_id(kept("orders", 9)), live=live)

    assert [(count.base, count.current) for count in answer.counts] == [(None, 1), (9, 2)]


def test_columns_of_a_kept_profile_stand_beside_live_ones_of_any_case() -> None:
    base = kept("orders", 10, profiled_at=AT, columns=columns(10, "ID", "gone", "amount"))
    live = ProfileDiff(
        subject=subject("orders"),
        columns=(
            ColumnProfile(name="amount", current=figures(12)),
            ColumnProfile(name="id", current=figures(12)),
            ColumnProfile(name="new", current=figures(12)),
        ),
        notes=("n",),
    )

    answer = kept_profile_diff(subject("orders"), dialect=DUCKDB, base=base, live=live)

    assert answer == ProfileDiff(
        subject=subject("orders"),
        columns=(
            ColumnProfile(name="amount", base=figures(10), current=figures(12)),
            ColumnProfile(name="id", base=figures(10), current=figures(12)),
            ColumnProfile(name="gone", base=figures(10)),
            ColumnProfile(name="new", current=figures(12)),
        ),
        notes=("n",),
        base_kept_at=AT,
    )


@pytest.mark.parametrize("stored", ["amount", "other"])
def test_a_column_that_cannot_be_read_now_keeps_its_reason(stored: str) -> None:
    base = kept("orders", 10, profiled_at=AT, columns=columns(10, stored))
    unread = {"reason": "no figures in current: overflow", "unread": (DataSide.CURRENT,)}
    live = ProfileDiff(
        subject=subject("orders"),
        columns=(ColumnProfile(name="other", current=figures(12)), ColumnProfile(name="amount", **unread)),
    )

    answer = kept_profile_diff(subject("orders"), dialect=DUCKDB, base=base, live=live)

    (found,) = [one for one in answer.columns if one.name == "amount"]
    of_base = figures(10) if stored == "amount" else None
    assert found == ColumnProfile(name="amount", base=of_base, **unread)


def test_two_kept_profiles_answer_without_a_query() -> None:
    base = kept("orders", 10, profiled_at=AT, columns=columns(10, "a"))
    current = kept("orders", 12, profiled_at=LATER, columns=columns(12, "a"))

    answer = kept_profile_diff(subject("orders"), dialect=DUCKDB, base=base, current=current)

    assert answer.columns == (ColumnProfile(name="a", base=figures(10), current=figures(12)),)
    assert (answer.base_kept_at, answer.current_kept_at) == (AT, LATER)


def test_a_live_side_is_not_mixed_with_a_kept_one() -> None:
    live = ProfileDiff(subject=subject("orders"), columns=(ColumnProfile(name="a", base=figures(1)),))
    base = kept("orders", 10, profiled_at=AT, columns=columns(10, "a", "b"))

    answer = kept_profile_diff(subject("orders"), dialect=DUCKDB, base=base, live=live)

    assert answer == live


@pytest.mark.parametrize("base", [None, kept("orders", 10)])
def test_no_profile_at_all_is_an_error_with_advice(base: NodeStatistics | None) -> None:
    with pytest.raises(UsageError, match="Profile of orders not found") as caught:
        kept_profile_diff(subject("orders"), dialect=DUCKDB, base=base)
    assert "--stats profile" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"columns": ["C", "a"]}, ["c", "a"]),
        ({"columns": ["a", "A"]}, ["a"]),
        ({"exclude_columns": ["B"]}, ["a", "c"]),
        ({"columns": ["a", "b"], "exclude_columns": ["a"]}, ["b"]),
    ],
)
def test_columns_can_be_chosen(options: dict[str, Any], names: list[str]) -> None:
    base = kept("orders", 10, profiled_at=AT, columns=columns(10, "a", "b", "c"))

    answer = kept_profile_diff(subject("orders"), dialect=DUCKDB, base=base, scope=FigureScope(**options))

    assert [column.name for column in answer.columns] == names


def test_columns_that_differ_in_case_alone_are_told_apart() -> None:
    base = kept("orders", 10, profiled_at=AT, columns=columns(10, "id", "ID"))
    postgres = dialect_named("postgres")

    answer = kept_profile_diff(
        subject("orders"), dialect=postgres, base=base, scope=FigureScope(columns=("ID",))
    )
    assert [column.name for column in answer.columns] == ["ID"]
    with pytest.raises(UnknownNameError, match="'Id' in orders"):
        kept_profile_diff(subject("orders"), dialect=postgres, base=base, scope=FigureScope(columns=("Id",)))


def test_what_was_counted_and_profiled_is_what_is_kept() -> None:
    counts = RowCountDiff(
        counts=(
            RowCount(subject=subject("a"), base=1, current=2),
            RowCount(subject=subject("b"), base=1, current_reason="not built"),
            RowCount(subject=subject("c"), base=1, current=3, current_reason=None),
            RowCount(subject=Subject(name="query"), current=9),
        )
    )
    profiles = (
        ProfileDiff(
            subject=subject("a"),
            columns=(
                ColumnProfile(name="x", base=figures(1), current=figures(2)),
                ColumnProfile(name="y", base=figures(1)),
            ),
        ),
        Failed(subject=subject("c"), diff="profile_diff", error="stopped"),
        ProfileDiff(subject=subject("d"), columns=(ColumnProfile(name="x", current=figures(5)),)),
        ProfileDiff(subject=Subject(name="query"), columns=()),
    )

    assert node_statistics(counts, profiles, taken_at=AT) == (
        kept("a", 2, profiled_at=AT, columns=columns(2, "x")),
        kept("b", None, reason="not built"),
        kept("c", 3, profile_reason="stopped"),
        kept("d", 5, profiled_at=AT, columns=columns(5, "x")),
    )
    assert node_statistics(counts, profiles, taken_at=AT, side=DataSide.BASE)[0] == kept(
        "a", 1, profiled_at=AT, columns=columns(1, "x", "y")
    )


def test_what_is_kept_is_what_answers() -> None:
    taken = node_statistics(RowCountDiff(counts=(RowCount(subject=subject("a"), current=2),)), taken_at=AT)

    (count,) = kept_row_counts([subject("a")], base=by_id(*taken)).counts

    assert (count.base, count.base_kept_at) == (2, AT)
