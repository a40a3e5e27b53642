"""Queries that follow the rename of a parent's column: DuckDB says which values differ."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
from msgspec.structs import replace

from recce_meta.api.diff import NOTHING_MORE, whole_diff
from recce_meta.models import Change
from recce_meta.models.change import Category, Status
from tests.unit.api.test_kept_rows import node, project

PARENT = "select id, {} from raw"
SAME, RENAMED = "is_delivered, n", "is_delivered as was_delivered, n"
NONE, PARTLY = Category.NONE, Category.PARTIAL_BREAKING
CASES = [
    (SAME, RENAMED, "id, case when X then 1 else 0 end as d from p", {}, NONE),
    (SAME, RENAMED, "id from p where X", {}, NONE),
    (SAME, RENAMED, "X, count(*) as c from p group by 1", {}, PARTLY),
    (SAME, RENAMED, "max(id) as m from p group by X having bool_or(X)", {}, NONE),
    (SAME, RENAMED, "p.id from p join p as q on p.X = q.X and p.id = q.id", {}, NONE),
    (SAME, RENAMED, "p.id, q.n from p join p as q using (id, X)", {}, NONE),
    (SAME, RENAMED, "id, row_number() over (partition by X order by id) as r from p", {}, NONE),
    (SAME, RENAMED, "id from p where exists (select 1 from p as q where q.id = p.id and q.X)", {}, NONE),
    # The name of a column is a value of these.
    (SAME, RENAMED, "id, cast({'X': X} as varchar) as s from p", {}, PARTLY),
    (SAME, RENAMED, "id, cast(struct_pack(X) as varchar) as s from p", {}, PARTLY),
    (SAME, RENAMED, "id, cast(p as varchar) as s from p where X or not X", {}, PARTLY),
    (SAME, RENAMED, "k from (unpivot (select id, X from p) on X into name k value v)", {}, Category.BREAKING),
    # Other values, or others in rows that the table keeps.
    (SAME, "not is_delivered as was_delivered, n", "id, X is true as d from p", {}, PARTLY),
    (SAME, "n as was_delivered, is_delivered as n", "id, X is true as d from p", {}, PARTLY),
    (SAME, RENAMED, "id, X is true as d from p", {"materialized": "incremental"}, PARTLY),
    (SAME, RENAMED, "id, X is true as d from p", {"contract": True}, PARTLY),
    (SAME, RENAMED, "id, X and n > 3 as d from p", {}, PARTLY),
]  # fmt: skip


def built(parent: str, child: str) -> dict[int, tuple[object, ...]]:
    """Return the rows of *child* by number, as DuckDB yields them."""
    with duckdb.connect() as connection:
        connection.execute(
            "create table raw as select i as id, i % 3 = 0 as is_delivered, i % 5 as n from range(9) as r (i)"
        )
        connection.execute(f"create view p as {PARENT.format(parent)}")
        rows = connection.execute(child).fetchall()
    return dict(enumerate(sorted(rows, key=repr)))


def change_of(old: str, new: str, child: str, now: str, config: dict[str, Any]) -> Change:
    sides = [
        project(
            run_id,
            node("raw", "select 1 as id, true as is_delivered, 2 as n"),
            replace(
                node("p", PARENT.format(columns), "model.shop.raw", **config),
                contract={"enforced": True} if "contract" in config else None,
            ),
            node("c", sql, "model.shop.p"),
        )
        for run_id, columns, sql in (("b", old, child), ("c", new, now))
    ]
    return next(one for one in whole_diff(*sides, NOTHING_MORE).changes if one.name == "c")


@pytest.mark.cases(8)
@pytest.mark.parametrize(("old", "new", "child", "config", "category"), CASES)
def test_a_query_that_follows_a_rename_has_the_values_that_it_had(
    old: str, new: str, child: str, config: dict[str, Any], category: Category
) -> None:
    edited = "X and n > 2" if "n > 3" in child else "X"
    before = f"select {child}".replace("X and n > 3", edited).replace("X", "is_delivered")
    after = f"select {child}".replace("X", "was_delivered")
    change = change_of(old, new, before, after, config)

    assert change.category is category
    if category is NONE:
        assert built(old, before) == built(new, after)
        assert change.reached is None
    elif not config and "count" not in child:
        assert built(old, before) != built(new, after)
    assert [one.renamed_to for one in change.columns if one.status is Status.REMOVED] == (
        ["was_delivered"] if "count" in child else []
    )


def test_a_rename_is_followed_through_several_models() -> None:
    sides = [
        project(
            run_id,
            node("raw", "select 1 as id, true as is_delivered, 2 as n"),
            node("p", PARENT.format(columns), "model.shop.raw"),
            node("c", f"select id, {first} from p", "model.shop.p"),
            node("e", f"select id from c where {last}", "model.shop.c"),
        )
        for run_id, columns, first, last in (
            ("b", SAME, "is_delivered", "is_delivered"),
            ("c", RENAMED, "was_delivered as arrived", "arrived"),
        )
    ]
    found = {one.name: one.category for one in whole_diff(*sides, NOTHING_MORE).changes}

    assert found == {"p": Category.PARTIAL_BREAKING, "c": Category.PARTIAL_BREAKING, "e": Category.NONE}
