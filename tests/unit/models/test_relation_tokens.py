"""Compiled SQL without its environment, and back to the byte."""

from __future__ import annotations

import pytest

from recce_meta.models import NodeMetadata
from recce_meta.models.relation_tokens import readable_relations, resolve, tokenise


@pytest.mark.parametrize(
    ("code", "relations", "tokenised"),
    [
        ('select * from "db"."s"."a"', {'"db"."s"."a"': "m.a"}, "select * from ⟦m.a⟧"),
        ("select * from db.s.a join db.s.a_v2", {"db.s.a": "m.a"}, "select * from ⟦m.a⟧ join db.s.a_v2"),
        ("db.s.a,db.s.a_v2;db.s.a", {"db.s.a": "1", "db.s.a_v2": "2"}, "⟦1⟧,⟦2⟧;⟦1⟧"),
        ("select db.s.a.id from db.s.a", {"db.s.a": "1"}, "select ⟦1⟧.id from ⟦1⟧"),
        (
            "x_db.s.a other.db.s.a db.s.ab db.s.a$ db.s.a1",
            {"db.s.a": "1"},
            "x_db.s.a other.db.s.a db.s.ab db.s.a$ db.s.a1",
        ),
        ("from`p`.`s`.`a`", {"`p`.`s`.`a`": "1"}, "from⟦1⟧"),
        ('db.s."A" db.s."A"', {'db.s."A"': "1"}, "⟦1⟧ ⟦1⟧"),
        ("db.s.é db.s.éa", {"db.s.é": "1"}, "⟦1⟧ db.s.éa"),
        ("⟦m.a⟧ ⟦ ⟧ db.s.a", {"db.s.a": "m.a"}, "⟦⟧m.a⟧ ⟦⟧ ⟧ ⟦m.a⟧"),
        ("nothing here", {}, "nothing here"),
        ("db.s.adb.s.a", {"db.s.a": "1"}, "db.s.adb.s.a"),
    ],
)
def test_relations_become_tokens_and_come_back(code, relations, tokenised):
    assert tokenise(code, relations) == tokenised
    assert resolve(tokenised, {unique_id: relation for relation, unique_id in relations.items()}) == code


def test_a_shorter_relation_does_not_match_inside_a_token():
    relations = {"model.shop.orders": "1", "shop.orders": "2", "db.x": "model.shop.orders"}
    code = "db.x model.shop.orders shop.orders"
    tokenised = tokenise(code, relations)
    assert tokenised == "⟦model.shop.orders⟧ ⟦1⟧ ⟦2⟧"
    assert resolve(tokenised, {v: k for k, v in relations.items()}) == code


def test_a_token_of_an_unknown_node_stays():
    assert resolve("select ⟦model.gone⟧", {}) == "select ⟦model.gone⟧"


def node(unique_id, relation=None, parents=()):
    return NodeMetadata(
        unique_id=unique_id, name=unique_id, resource_type="model", relation_name=relation, parents=parents
    )


def test_a_node_may_name_itself_its_parents_and_those_behind_ephemeral_ones():
    nodes = [
        node("source", "db.raw"),
        node("far", "db.far"),
        node("inner", None, ("far",)),
        node("ephemeral", None, ("inner", "source")),
        node("parent", "db.parent", ("far",)),
        node("child", "db.child", ("ephemeral", "missing", "parent")),
    ]
    index = readable_relations(nodes)

    assert index.relations_of(nodes[-1]) == {
        "db.child": "child",
        "db.far": "far",
        "db.parent": "parent",
        "db.raw": "source",
    }


def test_ephemeral_nodes_in_a_circle_come_to_an_end():
    nodes = [node("a", None, ("b",)), node("b", None, ("a", "t")), node("t", "db.t")]
    assert readable_relations(nodes).relations_of(nodes[0]) == {"db.t": "t"}


def test_ids_that_hold_the_brackets_are_no_tokens():
    nodes = [node("a⟧", "db.a"), node("b", "db.b", ("a⟧",))]
    assert readable_relations(nodes).relations_of(nodes[1]) == {"db.b": "b"}
