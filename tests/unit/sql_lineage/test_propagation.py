"""How far a change travels: through values to columns, through filters to rows, and no further."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pytest

from recce_meta.graph import build_lineage_graph
from recce_meta.models import LineageEdge, Status
from recce_meta.models.change import Category, ColumnChange, Reach, SqlChange
from recce_meta.models.lineage import ColumnOutput, ColumnSource, ColumnUse, Kind, NodeColumns, Usage
from recce_meta.sql_lineage.propagation import AffectedNode, LineageSource, ParentRead, Start, propagate


def columns(*uses: str, **outputs: str) -> NodeColumns:
    """`columns("a.x", y="a.x a.z")`: a column y made of two of a, and a filter on one."""
    return NodeColumns(
        outputs=tuple(
            ColumnOutput(name, Kind.DERIVED, None, tuple(map(source, made_of.split())))
            for name, made_of in outputs.items()
        ),
        uses=tuple(ColumnUse(Usage.FILTER, *use.split(".")) for use in uses),
    )


def source(text: str) -> ColumnSource:
    parent, column, *confidence = text.split(".", 2)
    return ColumnSource(parent, column, float(confidence[0]) if confidence else 1.0)


def walk(
    starts: Mapping[str, SqlChange],
    edges: str,
    now: Mapping[str, NodeColumns] | None = None,
    before: Mapping[str, NodeColumns] | None = None,
    readings: Mapping[tuple[str, str], ParentRead] | None = None,
    naming: str = "",
) -> dict[str, AffectedNode]:
    """The walk over *edges*, written `a>b b>c`; a node that *before* lacks was as it is now."""
    graph = build_lineage_graph([], [LineageEdge(*reversed(edge.split(">"))) for edge in edges.split()])
    current = now or {}
    base = {**current, **(before or {})}

    def chosen(all_of: Mapping[str, NodeColumns]) -> object:
        def load(ids: Collection[str]) -> dict[str, NodeColumns]:
            through = graph.children("ephemeral") if "ephemeral" in ids else ()
            return {unique_id: all_of[unique_id] for unique_id in (*ids, *through) if unique_id in all_of}

        return load

    def read(edges: Collection[LineageEdge]) -> dict[LineageEdge, ParentRead]:
        return {edge: (readings or {}).get((edge.node_id, edge.parent_id), ParentRead()) for edge in edges}

    def named(parent: str, children: Collection[str]) -> list[str]:
        return [child for child in children if f"{child}<{parent}" in naming.split()]

    readers = LineageSource(chosen(current), chosen(base), read, named)  # type: ignore[arg-type]
    return propagate([Start(name, effect, name) for name, effect in starts.items()], graph, readers)


def partial(*changed: str, removed: str = "", added: str = "") -> SqlChange:
    return SqlChange(
        category=Category.PARTIAL_BREAKING,
        columns=(
            *(ColumnChange(name, Status.MODIFIED) for name in changed),
            *(ColumnChange(name, Status.ADDED) for name in added.split()),
            *(ColumnChange(name, Status.REMOVED) for name in removed.split()),
        ),
    )


def adding(*names: str, moved: bool = False) -> SqlChange:
    added = tuple(ColumnChange(name, Status.ADDED) for name in names)
    return SqlChange(category=Category.NON_BREAKING, columns=added, moved=moved)


def told(found: Mapping[str, AffectedNode]) -> dict[str, str]:
    """`{"b": "y z", "c": "rows"}`."""
    return {
        name: " ".join(sorted(one.columns)) if one.reach is Reach.COLUMNS else one.reach.value
        for name, one in found.items()
    }


BREAKING = SqlChange(category=Category.BREAKING)


def test_a_change_of_rows_reaches_the_rows_of_everything_below() -> None:
    found = walk({"a": BREAKING}, "a>b b>c x>c x>d", {"b": columns(y="a.x"), "c": columns(z="b.y")})

    assert told(found) == {"b": "rows", "c": "rows"}
    assert [(one.distance, one.origin) for one in found.values()] == [(1, "a"), (2, "a")]


def test_an_unknown_change_reaches_everything_below_and_says_that_nobody_knows() -> None:
    assert told(walk({"a": SqlChange(category=Category.UNKNOWN)}, "a>b b>c")) == {
        "b": "unknown",
        "c": "unknown",
    }


def test_values_carry_a_change_to_the_columns_that_are_made_of_it_and_no_further() -> None:
    found = walk(
        {"a": partial("x")},
        "a>b a>other b>c",
        {"b": columns(y="a.x a.k", k="a.k"), "other": columns(k="a.k"), "c": columns(z="b.y", k="b.k")},
    )

    assert told(found) == {"b": "y", "c": "z"}


def test_a_filter_carries_a_change_of_values_to_rows_and_so_to_every_column_below() -> None:
    found = walk({"a": partial("x")}, "a>b b>c", {"b": columns("a.x", k="a.k"), "c": columns(k="b.k")})

    assert told(found) == {"b": "rows", "c": "rows"}


def test_a_field_that_a_catalog_lists_reaches_whoever_reads_its_struct() -> None:
    found = walk({"a": partial("st.x")}, "a>b", {"b": columns(y="a.st", z="a.other")})

    assert found["b"].columns == {"y": 1.0}


def test_columns_are_found_whatever_their_case() -> None:
    assert told(walk({"a": partial("AMOUNT")}, "a>b", {"b": columns(y="a.amount")})) == {"b": "y"}


@pytest.mark.parametrize("unread", [None, NodeColumns(reason="Python")])
def test_what_was_not_analysed_is_reached_as_a_whole_and_so_is_what_reads_it(
    unread: NodeColumns | None,
) -> None:
    now = {"c": columns(z="b.y")} | ({"b": unread} if unread else {})

    assert told(walk({"a": partial("x")}, "a>b b>c", now)) == {"b": "unknown", "c": "unknown"}


def test_a_reader_without_any_edge_to_its_parent_may_read_it_where_nobody_sees() -> None:
    found = walk({"a": partial("x")}, "a>b p>b", {"b": columns(y="p.x")})

    assert told(found) == {"b": "unknown"}


def test_a_reader_that_names_its_parent_and_none_of_its_columns_reads_only_its_rows() -> None:
    """`select p.x, (select count(*) from a) from p`."""
    now = {"b": columns(x="p.x")}

    assert walk({"a": partial("x")}, "a>b p>b", now, naming="b<a") == {}
    assert told(walk({"a": BREAKING}, "a>b p>b", now, naming="b<a")) == {"b": "rows"}


def test_a_star_that_nothing_expands_may_be_any_column() -> None:
    now = {"b": columns(**{"*": "a.*"}), "c": columns(z="b.z")}

    assert told(walk({"a": partial("x")}, "a>b b>c", now)) == {"b": "*", "c": "z"}


def test_a_removed_column_is_followed_along_what_base_read() -> None:
    found = walk(
        {"a": partial(removed="x")},
        "a>b b>c",
        now={"b": columns(k="a.k"), "c": columns(k="b.k")},
        before={"b": columns(k="a.k", x="a.x"), "c": columns(k="b.k", x="b.x")},
    )

    assert told(found) == {"b": "x", "c": "x"}


def test_without_the_columns_of_base_whoever_may_have_read_a_removed_column_is_reached() -> None:
    """`select *` has nothing to tell of it any more."""
    graph = build_lineage_graph([], [LineageEdge("b", "a"), LineageEdge("c", "a")])
    now = {"b": columns(k="a.k"), "c": columns(x="a.x")}
    readers = LineageSource(lambda _ids: now, lambda _ids: {}, lambda _edges: {}, lambda _parent, ids: ids)

    found = propagate([Start("a", partial(removed="x"), "a")], graph, readers)

    assert told(found) == {"b": "unknown", "c": "x"}


def test_a_new_column_reaches_nobody_who_only_gains_it() -> None:
    found = walk(
        {"a": adding("n")},
        "a>b b>c a>exposure",
        now={"b": columns(k="a.k", n="a.n"), "c": columns(k="b.k", n="b.n")},
        before={"b": columns(k="a.k"), "c": columns(k="b.k")},
    )

    assert found == {}


def test_a_new_column_that_takes_the_place_of_another_parents_is_a_change_of_values() -> None:
    found = walk(
        {"a": adding("n")},
        "a>b p>b",
        now={"b": columns(k="a.k", n="a.n.0.5")},
        before={"b": columns(k="a.k", n="p.n")},
    )

    assert told(found) == {"b": "n"}
    assert found["b"].confidence == 0.5


def test_a_new_column_under_distinct_changes_rows() -> None:
    now = {"b": columns("a.k", "a.n", k="a.k", n="a.n")}

    assert told(walk({"a": adding("n")}, "a>b", now, {"b": columns("a.k", k="a.k")})) == {"b": "rows"}


@pytest.mark.parametrize("effect", [adding("n"), adding(moved=True), partial(removed="gone")])
def test_a_reader_by_position_loses_its_rows_when_columns_come_go_or_move(effect: SqlChange) -> None:
    now = {"b": columns(k="a.k"), "c": columns(k="a.k")}
    positional = {("b", "a"): ParentRead(by_position=True)}

    assert told(walk({"a": effect}, "a>b a>c", now, readings=positional)) == {"b": "rows"}


def test_order_is_passed_on_by_those_that_take_over_every_column() -> None:
    readings = {("b", "a"): ParentRead(whole=True), ("c", "b"): ParentRead(by_position=True)}
    now = {"b": columns(k="a.k"), "c": columns(k="b.k"), "d": columns(k="c.k")}

    found = walk({"a": adding(moved=True)}, "a>b b>c c>d", now, readings=readings)

    assert [(name, one.is_reshaped) for name, one in found.items() if not one.confidence] == [("b", True)]
    del found["b"]
    assert told(found) == {"c": "rows", "d": "rows"}
    assert found["c"].distance == 2


def test_the_surest_way_counts_and_of_it_the_weakest_edge() -> None:
    now = {
        "b": columns(y="a.x.0.5"),
        "c": columns(y="a.x.0.9"),
        "d": columns(z="b.y.1.0 c.y.0.8"),
    }

    found = walk({"a": partial("x")}, "a>b a>c b>d c>d", now)

    assert {name: one.confidence for name, one in found.items()} == {"b": 0.5, "c": 0.9, "d": 0.8}


def test_the_nearest_change_is_the_origin_if_it_reaches_the_node_at_all() -> None:
    now = {"b": columns(y="a.x", k="a.k"), "c": columns(y="b.y", k="b.k"), "d": columns(k="b.k")}

    found = walk({"a": partial("x"), "b": partial("k")}, "a>b b>c b>d", now)

    assert {name: (one.distance, one.origin) for name, one in found.items()} == {
        "b": (1, "a"),
        "c": (1, "b"),
        "d": (1, "b"),
    }
    assert told(found) == {"b": "y", "c": "k y", "d": "k"}


def test_readers_of_an_ephemeral_model_are_not_asked_for_edges_to_it() -> None:
    """Its code is part of theirs, and leads to what is behind it."""
    now = {"ephemeral": columns(y="a.x", k="a.k"), "b": columns(y="a.x"), "c": columns(k="a.k")}

    found = walk({"a": partial("x")}, "a>ephemeral ephemeral>b ephemeral>c", now)

    assert told(found) == {"ephemeral": "y", "b": "y"}


def test_a_test_that_names_no_column_is_not_affected_by_one() -> None:
    found = walk(
        {"a": partial("x")}, "a>test.a a>b", {"test.a": columns(), "b": columns()}, naming="test.a<a"
    )

    assert told(found) == {"b": "unknown"}


def test_a_start_beside_its_origin_is_itself_reached() -> None:
    graph = build_lineage_graph([], [LineageEdge("b", "ephemeral"), LineageEdge("c", "b")])
    known = {"b": columns(y="a.x"), "c": columns(z="b.y")}
    readers = LineageSource(
        lambda _ids: known, lambda _ids: known, lambda _edges: {}, lambda _parent, _ids: []
    )

    found = propagate([Start("b", partial("y"), "ephemeral", 1)], graph, readers)

    assert told(found) == {"b": "y", "c": "z"}
    assert {one.origin for one in found.values()} == {"ephemeral"}
    assert [one.distance for one in found.values()] == [1, 2]


def test_circles_end() -> None:
    now = {"b": columns(y="a.x c.z"), "c": columns(z="b.y")}

    assert told(walk({"a": partial("x")}, "a>b b>c c>b", now)) == {"b": "y", "c": "z"}


def test_all_that_reaches_a_node_on_ways_of_its_own_is_named() -> None:
    found = walk({"a": partial("x"), "b": partial("x")}, "a>c b>c", {"c": columns(y="a.x b.x")})

    assert found["c"].origins == {"a", "b"}


def test_of_what_reaches_a_node_on_one_way_the_nearest_is_named() -> None:
    now = {"b": columns(x="a.x"), "c": columns(x="b.x")}

    assert walk({"a": partial("x"), "b": partial("x")}, "a>b b>c", now)["c"].origins == {"b"}


def test_a_column_that_the_node_itself_adds_has_no_other_values_for_anyone() -> None:
    now = {"b": columns(x="a.x", new="a.x"), "c": columns(x="b.x", new="b.new")}
    before = {"b": columns(x="a.x"), "c": columns(x="b.x")}

    found = walk({"a": partial("x"), "b": partial(added="new")}, "a>b b>c", now, before)

    assert {node: set(what.columns) for node, what in found.items()} == {"b": {"x"}, "c": {"x"}}
