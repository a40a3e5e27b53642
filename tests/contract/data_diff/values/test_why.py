"""Why rows differ: shapes of values, changed rows of parents, and edits tried one by one."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from recce_meta.data_diff.options import Explaining, ValueOptions
from recce_meta.data_diff.value import value_diff
from recce_meta.models.data_diff import ValueDiff
from recce_meta.quality.masking import mask_results
from recce_meta.quality.privacy import Privacy
from recce_meta.report.data.verdicts import edit_phrases, parent_phrases, shape_phrases, why_phrases

COLUMNS = {"id": "INTEGER", "kind": "VARCHAR", "cents": "INTEGER", "day": "DATE"}
ROWS = [(i, "abc"[i % 3], i % 50 + 1, date(2026, 1, 1) + timedelta(days=i % 90)) for i in range(120)]
OPTIONS = ValueOptions(key=("id",), why=Explaining())
OLD = "select id, kind, cents * 2 as total, day from {parent} where cents > 5"


@pytest.fixture
def shop(site: Any) -> Any:
    """The table `parent`, and a function that builds base and current by two queries over it."""
    site.create("parent", COLUMNS, ROWS)

    def build(old: str, new: str, *, later: str = "parent", **why: Any) -> ValueDiff:
        parent, later = site.relation("parent"), site.relation(later)
        for name, sql in (("base", old.format(parent=parent)), ("current", new.format(parent=later))):
            site.adapter.execute(f"CREATE TABLE {site.relation(name)} AS {sql}")
        texts = old.format(parent=parent), new.format(parent=parent)
        asked = replace(OPTIONS, why=Explaining(queries=texts, **why))
        return site.run(value_diff(site.pair(), asked))

    return build


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda k, c, d: (k, c * 100, d), "cents: × 100 in all 120 changed values"),
        (lambda k, c, d: (k, c + 7, d), "cents: + 7 in all 120 changed values"),
        (lambda k, c, d: (k.upper(), c, d), "kind: letter case only in all 120 changed values"),
        (lambda k, c, d: (k + " ", c, d), "kind: blanks around only in all 120 changed values"),
        (lambda k, c, d: (k, c, d - timedelta(days=1)), "day: - 1 day in all 120 changed values"),
        (lambda k, c, d: (None, c, d), "kind: a value → NULL in all 120 changed values"),
        (lambda k, c, d: ("z" if k == "a" else k, c, d), "kind: 'a' → 'z' in all 40 changed values"),
        (lambda k, c, d: (k, c * c + 100, d), None),
    ],
)
def test_one_shape_of_all_values_is_named(site: Any, tables: Any, change: Any, said: str | None) -> None:
    tables(COLUMNS, ROWS, [(i, *change(k, c, d)) for i, k, c, d in ROWS])

    diff = site.run(value_diff(site.pair(), OPTIONS))
    (masked,) = mask_results([diff], Privacy(patterns=("kind", "cents", "day")))

    assert shape_phrases(diff) == ([said] if said else [])
    assert masked.why.shapes == ()


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (
            OLD.replace("* 2", "* 3"),
            ["cents * 2 as total → cents * 3 as total: gives all 105 changed values"],
        ),
        (OLD.upper().replace("{PARENT}", "{parent}").replace(" FROM", "\n-- note\n FROM"), []),
        (
            OLD.replace("> 5", "> 10").replace("kind,", "upper(kind) as kind,"),
            [
                "line 1, kind → upper(kind) as kind: gives all 90 changed values of kind",
                "line 1, cents > 5 → cents > 10: gives all 15 removed rows",
            ],
        ),
        (
            f"with late as (select * from {{parent}} where day < '2026-03-01')\n{OLD}".replace(
                "from {parent} where cents", "from late where cents"
            ),
            ["gives all "],
        ),
    ],
)
def test_each_edit_is_tried_alone(shop: Any, new: str, said: list[str]) -> None:
    diff = shop(OLD, new)

    found = edit_phrases(diff)
    assert len(found) == len(said) and all(one in other for one, other in zip(said, found, strict=True))


@pytest.mark.parametrize(
    ("new", "field"),
    [
        (
            "select id, kind, cents * 2 as total, day from (select * from {parent} where kind <> 'a') as p"
            " where cents > 5 and upper(kind) <> 'A'",
            "either",
        ),
        (
            OLD.replace("kind,", "case when 1 = 0 then 'x' else kind end as kind,").replace("1 = 0", "1 = 1"),
            "",
        ),
    ],
)
def test_rows_that_each_of_several_edits_gives_are_counted(shop: Any, new: str, field: str) -> None:
    (rest, *_) = shop(OLD, new).why.edits.rests

    counted = (rest.either, rest.together, rest.unchanged, rest.mixed, rest.not_tried)
    assert counted == ((rest.changed, 0, 0, 0, 0) if field else (0, 0, 0, 0, 0))


def test_other_data_is_no_effect_of_an_edit(site: Any, shop: Any) -> None:
    site.create("later", COLUMNS, [(i, k, c + 1 if i < 60 else c, d) for i, k, c, d in ROWS])

    diff = shop(OLD, OLD.replace("kind,", "upper(kind) as kind,"), later="later")

    (total,) = (one for one in diff.why.edits.rests if one.target == "total")
    assert total.unchanged == total.changed > 0
    assert any("gives all" in one and "of kind" in one for one in edit_phrases(diff))


def test_data_that_changed_since_base_is_not_tried(site: Any, shop: Any) -> None:
    new = OLD.replace("* 2", "* 3")
    site.create("later", COLUMNS, ROWS)
    site.adapter.execute(
        f"CREATE TABLE {site.relation('base')} AS {OLD.format(parent=site.relation('later'))}"
    )
    site.adapter.execute(
        f"CREATE TABLE {site.relation('current')} AS {new.format(parent=site.relation('later'))}"
    )
    site.adapter.execute(f"UPDATE {site.relation('parent')} SET cents = cents + 100")
    texts = tuple(one.format(parent=site.relation("parent")) for one in (OLD, new))

    diff = site.run(value_diff(site.pair(), replace(OPTIONS, why=Explaining(queries=texts))))

    assert edit_phrases(diff) == [
        "not tried: all 105 changed values of total, for which the query of base gives other values or types"
        " on its data now"
    ]


@pytest.mark.parametrize(
    ("new", "note"),
    [
        ("select cents as id, kind, cents as total, day from {parent} where cents > 5 limit 1", "edit"),
        ("select id, kind, gone as total, day from {parent}", "not tried: the query of current does not run"),
    ],
)
def test_edits_that_cannot_be_tried_have_a_note(site: Any, new: str, note: str) -> None:
    site.create("parent", COLUMNS, ROWS)
    site.create("base", {"id": "INTEGER", "total": "INTEGER"}, [(i, i) for i in range(9)])
    site.create("current", {"id": "INTEGER", "total": "INTEGER"}, [(i, i + 1) for i in range(9)])
    texts = tuple(one.format(parent=site.relation("parent")) for one in (OLD, new))

    diff = site.run(value_diff(site.pair(), replace(OPTIONS, why=Explaining(queries=texts))))

    assert any("not tried" in one for one in edit_phrases(diff))
    if note != "edit":
        assert edit_phrases(diff)[0].startswith(note)


def test_changed_rows_of_a_parent_are_counted_and_its_values_searched(site: Any, tables: Any) -> None:
    gifts = {number * 37 % 100 for number in range(20)}
    items = [(i, i % 100, "gift" if i % 100 in gifts else "plain", i) for i in range(300)]
    later = [(i, order, kind, price * 2 if kind == "gift" else price) for i, order, kind, price in items]
    names = {"item": "INTEGER", "id": "INTEGER", "sort": "VARCHAR", "price": "INTEGER"}
    site.create("items", names, items)
    site.create("later_items", names, later)

    def totals(rows: list[tuple[int, int, str, int]]) -> list[tuple[int, int]]:
        return [(order, sum(one[3] for one in rows if one[1] == order)) for order in range(100)]

    tables({"id": "INTEGER", "total": "INTEGER"}, totals(items), totals(later))
    parent = site.pair("items", "later_items")
    asked = replace(OPTIONS, why=Explaining(parents=(parent,)))

    diff = site.run(value_diff(site.pair(), asked))
    hidden = site.run(
        value_diff(site.pair(), replace(OPTIONS, why=Explaining(parents=(parent,), shows_parents=False)))
    )
    (masked,) = mask_results([diff], Privacy())

    assert parent_phrases(diff) == [
        "all 20 changed rows have a changed row of orders, by id; no equal row has"
    ]
    assert "lowest sort of orders = 'gift'; no other row has" in " ".join(why_phrases(diff))
    assert "gift" not in repr(hidden.why) and "gift" not in repr(masked.why)
    exact = next(one for one in diff.why.slices if one.conditions[0].relation)
    _, (row,) = site.adapter.execute(f"SELECT count(*) FROM {site.relation('base')} WHERE {exact.sql}")
    assert row[0] == exact.in_slice == 20


def test_an_edit_that_fails_on_the_data_shows_no_value(site: Any, shop: Any) -> None:
    site.create("later", COLUMNS, [(i, str(c), c, d) for i, _, c, d in ROWS])

    diff = shop(OLD, OLD.replace("kind,", "cast(kind as integer) as kind,"), later="later")

    assert edit_phrases(diff) == ["not tried: a query with an edit fails on the data of base"]
