"""Row counts and schemas on each warehouse."""

from __future__ import annotations

from typing import Any

import pytest

from recce_meta.data_diff.row_count import Countable, row_counts
from recce_meta.data_diff.schema import schema_diff
from recce_meta.errors import MissingRelation, UsageError

ONE = {"id": "integer"}


def test_views_and_empty_tables_are_counted(bench: Any) -> None:
    bench.fill("full", ONE, [(1,), (2,)])
    bench.fill("empty", ONE)
    bench.adapter.execute(f"CREATE VIEW {bench.quoted('seen')} AS SELECT * FROM {bench.quoted('full')}")

    found = bench.run(row_counts([bench.pair("full", "empty"), bench.pair("empty", "seen")]))

    assert [(count.base, count.current) for count in found.counts] == [(2, 0), (0, 2)]
    assert len(bench.asked) == 1


def test_what_was_not_built_has_a_reason_and_the_others_a_count(bench: Any) -> None:
    bench.fill("there", ONE, [(1,)])
    pairs = [bench.pair("there", "there") for _ in range(60)]
    pairs[17:17] = [bench.pair("gone", "there"), bench.pair(None, "there")]
    pairs[40:40] = [bench.pair("there", "gone too")]

    found = bench.run(row_counts(pairs)).counts

    assert (found[17].base, found[17].current) == (None, 1)
    assert found[17].base_reason.startswith("not built: ") and "gone" in found[17].base_reason
    assert found[18].base_reason == "only in current"
    assert found[40].current_reason.startswith("not built: ")
    rest = [count for number, count in enumerate(found) if number not in (17, 18, 40)]
    assert {(count.base, count.current) for count in rest} == {(1, 1)}


def test_a_condition_restricts_the_count_and_may_end_in_a_comment(bench: Any) -> None:
    bench.fill("t", ONE, [(1,), (2,), (3,)])

    (found,) = bench.run(
        row_counts([Countable(pair=bench.pair("t", "t"), where="id > 1 or false -- late")])
    ).counts

    assert (found.base, found.current) == (2, 2)


def test_a_column_that_a_condition_lacks_is_not_called_a_missing_table(bench: Any) -> None:
    bench.fill("t", ONE)

    (found,) = bench.run(row_counts([Countable(pair=bench.pair("t", "t"), where="nowhere = 1")])).counts

    assert found.base is None
    assert "nowhere" in found.base_reason and "not built" not in found.base_reason


def test_columns_come_go_change_type_and_move(bench: Any) -> None:
    bench.fill("old", {"id": "integer", "a b": "varchar", "gone": "date", "price": "decimal(10,2)"})
    bench.fill("new", {"a b": "varchar", "id": "bigint", "price": "decimal(10,2)", "order": "integer"})

    found = bench.run(schema_diff(bench.pair("old", "new")))

    assert [(column.name, column.status) for column in found.columns] == [
        ("a b", "moved"),
        ("gone", "removed"),
        ("id", "retyped"),
        ("price", "unchanged"),
        ("order", "added"),
    ]
    assert found.source == "live"


@pytest.mark.parametrize(("sides", "status"), [((None, "t"), "added"), (("t", None), "removed")])
def test_a_side_that_is_missing_is_an_answer(
    bench: Any, sides: tuple[str | None, str | None], status: str
) -> None:
    bench.fill("t", {"id": "integer", "day": "date"})

    found = bench.run(schema_diff(bench.pair(*sides)))

    assert [column.status for column in found.columns] == [status, status]


def test_a_relation_that_was_not_built_is_an_error(bench: Any) -> None:
    bench.fill("t", ONE)

    with pytest.raises(MissingRelation):
        bench.run(schema_diff(bench.pair("t", "nowhere")))
    with pytest.raises(UsageError, match="in base or current"):
        bench.run(schema_diff(bench.pair(None, None)))
