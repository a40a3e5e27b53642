"""How one difference is told in a few words."""

from __future__ import annotations

import pytest

from recce_meta.models import Change, ChangeDetail, Json, Reason, Status
from recce_meta.models.change import Category, ColumnChange
from recce_meta.report.diff_details import (
    LARGEST_MATCH,
    detail_phrases,
    effect_phrases,
    line_counts,
    unified_diff,
)


def told(*found: tuple[Reason, str, Json, Json]) -> list[str]:
    change = Change(
        unique_id="model.shop.a",
        name="a",
        resource_type="model",
        status=Status.MODIFIED,
        details=tuple(ChangeDetail(*detail) for detail in found),
    )
    return detail_phrases(change)


@pytest.mark.parametrize(
    ("detail", "phrase"),
    [
        ((Reason.CONFIG, "materialized", "view", "table"), "materialized: view → table"),
        ((Reason.CONFIG, "enabled", True, False), "enabled: true → false"),
        ((Reason.CONFIG, "meta.owner", None, "finance"), "+ meta.owner: finance"),
        ((Reason.CONFIG, "meta.owner", "finance", None), "- meta.owner: finance"),
        ((Reason.CONFIG, "alias", "", "a b"), 'alias: "" → a b'),
        ((Reason.CONFIG, "tags", ["daily", "old"], ["daily", "pii"]), "tags: + pii, - old"),
        ((Reason.CONFIG, "tags", ["a", "b"], ["b", "a"]), "tags: reordered"),
        ((Reason.COLUMNS, "amount", None, "DOUBLE"), "+ column amount DOUBLE"),
        ((Reason.COLUMNS, "amount", "DOUBLE", None), "- column amount DOUBLE"),
        ((Reason.COLUMNS, "amount", None, ""), "+ column amount"),
        ((Reason.COLUMNS, "status", "VARCHAR", "INTEGER"), "column status: VARCHAR → INTEGER"),
        ((Reason.COLUMNS, "(order)", ["a", "b"], ["b", "a"]), "columns reordered"),
        ((Reason.DESCRIPTIONS, "(model)", "", "Orders"), "+ description: Orders"),
        ((Reason.DESCRIPTIONS, "id", "a", "b"), "description of id changed"),
        ((Reason.RELATION, "schema_name", "a", "b"), "schema: a → b"),
        ((Reason.RELATION, "relation_name", '"a"', '"b"'), 'relation: "a" → "b"'),
        ((Reason.PARENTS, "model.shop.stg", None, True), "parents + model.stg"),
        ((Reason.PARENTS, "model.shop.stg", True, None), "parents - model.stg"),
        ((Reason.MACROS, "macro.shop.net_amount", None, None), "macro net_amount"),
        ((Reason.BODY, "raw_code", "a\nb\n", "a\nc\nd\n"), "body: 2 lines added, 1 removed"),
        ((Reason.BODY, "raw_code", "a\n", "a\nb\n"), "body: 1 line added"),
        ((Reason.COMPILED, "compiled_code", None, "a"), "compiled SQL: 1 line added"),
        ((Reason.CONTRACT, "enforced", False, True), "contract enforced: false → true"),
        ((Reason.CONTRACT, "(order)", ["a", "b"], ["b", "a"]), "contract: columns reordered"),
        ((Reason.CONTRACT, "id", "INT", None), "contract - column id INT"),
        (
            (Reason.CONTRACT, "columns.id.constraints", [], [{"type": "not_null"}]),
            'contract id.constraints: [] → [{"type":"not_null"}]',
        ),
        ((Reason.DESCRIPTIONS, "(source)", "a", "b"), "description of the source: a → b"),
        ((Reason.COMPILED, "model.shop.moved", True, True), "through model.moved"),
        ((Reason.BODY, "raw_code", None, None), "body changed"),
    ],
)
def test_a_detail_is_told_in_a_phrase(detail: tuple[Reason, str, Json, Json], phrase: str) -> None:
    assert told(detail) == [phrase]


@pytest.mark.parametrize("reason", [Reason.DATA, Reason.FORMATTING, Reason.ENVIRONMENT])
def test_what_the_reason_says_already_is_not_told_again(reason: Reason) -> None:
    assert told((reason, "raw_code", "a", "b")) == []


def test_the_relation_is_not_told_beside_its_parts() -> None:
    phrases = told(
        (Reason.RELATION, "schema_name", "a", "b"), (Reason.RELATION, "relation_name", "a.x", "b.x")
    )

    assert phrases == ["schema: a → b"]


def test_many_parents_share_one_phrase() -> None:
    phrases = told(*((Reason.PARENTS, f"model.shop.m{index}", None, True) for index in range(6)))

    assert phrases == ["parents + model.m0, + model.m1, + model.m2, + model.m3 … and 2 more"]


def test_parents_of_one_name_are_shown_with_their_packages() -> None:
    found = told(
        (Reason.PARENTS, "model.kit.orders", None, True), (Reason.PARENTS, "model.shop.orders", True, None)
    )

    assert found == ["parents + model.kit.orders, - model.shop.orders"]


@pytest.mark.parametrize(("added", "phrase"), [(True, "may change"), (None, "change")])
def test_values_may_be_the_same_if_a_parent_is_replaced(added: bool | None, phrase: str) -> None:
    parents = {"model.shop.old": (True, None), "model.shop.new": (None, added)}
    change = Change(
        unique_id="model.shop.a",
        name="a",
        resource_type="model",
        status=Status.MODIFIED,
        category=Category.PARTIAL_BREAKING,
        columns=(ColumnChange("id", Status.MODIFIED),),
        details=tuple(
            ChangeDetail(Reason.PARENTS, key, *sides) for key, sides in parents.items() if any(sides)
        ),
    )

    assert [*effect_phrases(change)] == [f"values of id {phrase}"]


def test_phrases_follow_the_order_of_reasons() -> None:
    phrases = told((Reason.COLUMNS, "a", None, "INT"), (Reason.BODY, "raw_code", "a", "b"))

    assert phrases == ["body: 1 line added, 1 removed", "+ column a INT"]


def test_a_unified_diff_reads_as_diff_writes_it() -> None:
    old = "".join(f"{number}\n" for number in range(1, 21))
    new = old.replace("\n2\n", "\ntwo\n").replace("\n19\n", "\n")

    lines = list(unified_diff(old, new))

    assert lines == [
        *("@@ -1,5 +1,5 @@", " 1", "-2", "+two", " 3", " 4", " 5"),
        *("@@ -16,5 +16,4 @@", " 16", " 17", " 18", "-19", " 20"),
    ]


def test_line_ends_are_no_difference_between_lines() -> None:
    assert line_counts("a\r\nb\r\n", "a\nb\n") == (0, 0)


def test_very_long_texts_are_told_as_replaced() -> None:
    size = int(LARGEST_MATCH**0.5) + 1
    old = "\n".join(["same", *("x", "y") * size])
    new = "\n".join(["same", *("y", "x") * size])

    assert line_counts(old, new) == (2 * size, 2 * size)
