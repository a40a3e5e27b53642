"""Slices of a value diff: conditions that the rows that differ meet, with exact counts."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.data_diff.options import Explaining, ValueOptions
from recce_meta.data_diff.value import value_diff
from recce_meta.quality.masking import mask_results
from recce_meta.quality.privacy import Privacy
from recce_meta.report.data.verdicts import why_phrases

COLUMNS = {"id": "INTEGER", "status": "VARCHAR", "amount": "INTEGER", "day": "DATE", "email": "VARCHAR"}
OPTIONS = ValueOptions(key=("id",), why=Explaining(is_private=lambda name: name == "email"))
STATUSES = ("paid", "sent", "open", None)
Row = tuple[int, str | None, int, date, str]
ROWS: list[Row] = [
    (i, STATUSES[i * i % 13 % 4], i * 37 % 500, date(2026, 1, 1) + timedelta(days=i * 7 % 90), f"p{i % 3}@x")
    for i in range(400)
]


def changed(where: Any) -> list[Row]:
    """ROWS with another amount where *where* holds."""
    return [
        (i, s, amount + 1000 if where(row) else amount, d, e) for row in ROWS for i, s, amount, d, e in [row]
    ]


@pytest.mark.parametrize(
    ("where", "words"),
    [
        (lambda row: row[1] == "sent", "status = 'sent'; no other row has"),
        (lambda row: row[1] is None, "status is null; no other row has"),
        (lambda row: 100 <= row[2] < 200, "amount from 100 to 199; no other row has"),
        (lambda row: row[0] >= 300, "id >= 300; no other row has"),
        (lambda row: row[1] != "sent", "status is distinct from 'sent'; no other row has"),
        (
            lambda row: row[1] == "paid" and row[2] >= 250,
            "status = 'paid' and amount >= 250; no other row has",
        ),
    ],
)
def test_all_changed_rows_meet_the_planted_condition(site: Any, tables: Any, where: Any, words: str) -> None:
    tables(COLUMNS, ROWS, changed(where))

    diff = site.run(value_diff(site.pair(), OPTIONS))

    (first, *_) = why_phrases(diff)
    assert first.startswith(f"all {diff.changed} changed rows have ") and words in first
    assert diff.changed == sum(map(where, ROWS)) == diff.why.slices[0].in_slice


def test_added_and_removed_rows_are_told_apart(site: Any, tables: Any) -> None:
    base = [row for row in ROWS if row[1] != "open"]
    current = [row for row in ROWS if row[0] < 350]
    tables(COLUMNS, base, current)

    found = why_phrases(site.run(value_diff(site.pair(), OPTIONS)))

    assert any("added rows have status = 'open'; no other row has" in one for one in found)
    assert any("removed rows have id >= 350; no other row has" in one for one in found)


def test_a_value_that_changed_rows_have_as_well_is_not_that_of_added_ones(site: Any, tables: Any) -> None:
    new = [(i, "new", a, d, e) for i, _, a, d, e in ROWS]
    tables(COLUMNS, ROWS[:300], new)

    found = why_phrases(site.run(value_diff(site.pair(), OPTIONS)))

    (added,) = (one for one in found if "added rows" in one)
    assert added.startswith("all 100 added rows have id >= 300; no other row has")
    assert "new" not in added


@pytest.mark.cases(2)
@pytest.mark.parametrize("step", [2, 17, 100])
def test_nothing_is_claimed_of_rows_without_a_pattern(site: Any, tables: Any, step: int) -> None:
    picked = {i * 7919 % 400 for i in range(0, 400, step)}
    tables(COLUMNS, ROWS, changed(lambda row: row[0] in picked))

    diff = site.run(value_diff(site.pair(), OPTIONS))

    assert diff.why.slices == ()
    assert why_phrases(diff) == ["no slice found in 5 columns"]


@pytest.mark.parametrize(
    ("where", "note"),
    [
        (lambda row: row[0] < 2, "not searched: 2 differing rows are too few"),
        (lambda row: True, "every compared row differs"),
    ],
)
def test_too_few_and_all_rows_have_a_note(site: Any, tables: Any, where: Any, note: str) -> None:
    tables(COLUMNS, ROWS, changed(where))

    assert why_phrases(site.run(value_diff(site.pair(), OPTIONS))) == [note]


def test_two_removed_rows_are_not_searched_beside_many_changed_ones(site: Any, tables: Any) -> None:
    lost = [(i, "lost" if i < 2 else s, amount, d, e) for i, s, amount, d, e in ROWS]
    tables(COLUMNS, lost, changed(lambda row: row[1] == "sent")[2:])

    diff = site.run(value_diff(site.pair(), OPTIONS))

    assert diff.removed == 2
    assert {name for one in diff.why.slices for name in one.targets} == {"changed", "amount"}


def test_values_of_private_columns_are_neither_searched_nor_shown(site: Any, tables: Any) -> None:
    tables(COLUMNS, ROWS, changed(lambda row: row[4] == "p1@x"))

    hidden = site.run(value_diff(site.pair(), OPTIONS))
    shown = site.run(value_diff(site.pair(), replace(OPTIONS, why=Explaining())))
    (masked,) = mask_results([shown], Privacy())

    assert "p1@x" in why_phrases(shown)[0]
    assert "p1@x" not in repr(hidden.why) and "p1@x" not in repr(masked.why)


def test_both_sides_swapped_give_the_same_slice(site: Any, tables: Any) -> None:
    tables(COLUMNS, ROWS, changed(lambda row: row[1] == "sent"))

    found = [
        site.run(value_diff(site.pair(*names), OPTIONS)).why.slices[0]
        for names in (("base", "current"), ("current", "base"))
    ]

    assert [(one.sql, one.changed, one.in_slice) for one in found[:1]] == [
        (one.sql, one.changed, one.in_slice) for one in found[1:]
    ]
