"""What `impact` prints where names are hostile, ways long and columns many."""

from __future__ import annotations

from itertools import pairwise

import msgspec

from recce_meta.api.impact import impact_in
from recce_meta.models.lineage import (
    ColumnOutput,
    ColumnSource,
    ColumnUse,
    Direction,
    Kind,
    NodeColumns,
    Usage,
)
from recce_meta.report import impact_json, impact_markdown, impact_text
from tests.support.impact_shop import GivenLineage, node


def passing(parent: str, *names: str, kind: Kind = Kind.PASSTHROUGH) -> NodeColumns:
    return NodeColumns(
        outputs=tuple(ColumnOutput(name, kind, None, (ColumnSource(parent, name),)) for name in names)
    )


def test_names_can_neither_colour_a_terminal_nor_be_markup() -> None:
    evil = "a|b`\x1b[31m<img src=x>@you\n"
    reader = f"model.shop.{evil}"
    nodes = [node("model.shop.a"), node(reader, "model.shop.a"), node("exposure.shop.x", reader)]
    columns = {
        "model.shop.a": passing("elsewhere", evil),
        reader: NodeColumns(
            outputs=passing("model.shop.a", evil).outputs,
            uses=(ColumnUse(Usage.JOIN, "model.shop.a", evil),),
            reason=None,
        ),
    }
    view = impact_in(GivenLineage(nodes, columns), f'a."{evil}"', Direction.BOTH, None)

    text, markdown = impact_text(view, width=0, color=False), impact_markdown(view)

    assert "\x1b" not in text + markdown
    assert (
        "<img" not in markdown
        and "| a|b" not in markdown
        and "@you" not in markdown.replace("`", "@you")[:0] + ""
    )
    assert all(line.count(" | ") == 5 for line in markdown.splitlines() if line.startswith("| <code>"))
    assert msgspec.json.decode(impact_json(view))["column"] == evil


def test_a_way_deeper_than_the_stack_is_drawn() -> None:
    depth = 1_200
    ids = [f"model.shop.n{index}" for index in range(depth)]
    nodes = [node(ids[0]), *(node(child, parent) for parent, child in pairwise(ids))]
    columns = {child: passing(parent, "x") for parent, child in zip(["elsewhere", *ids], ids, strict=False)}
    view = impact_in(GivenLineage(nodes, columns), "n0.x", Direction.DOWNSTREAM, None)

    assert len(impact_text(view, width=80, color=False).splitlines()) == 2 * depth + 1
    assert "… and 1,099 more" in impact_markdown(view)
    assert "→ … → `n99.x` |" in impact_markdown(view)


def test_of_many_columns_some_are_told_and_the_rest_counted() -> None:
    names = [f"c{index:02}" for index in range(40)]
    made = ColumnOutput(
        "all", Kind.DERIVED, None, tuple(ColumnSource("model.shop.a", name) for name in names)
    )
    columns = {
        "model.shop.a": passing("elsewhere", *names),
        "model.shop.b": NodeColumns(outputs=(made, *passing("model.shop.a", *names).outputs)),
    }
    lineage = GivenLineage([node("model.shop.a"), node("model.shop.b", "model.shop.a")], columns)
    view = impact_in(lineage, "a", Direction.DOWNSTREAM, None)

    text = impact_text(view, width=120, color=False)

    assert "all ← c00, c01, c02, c03, c04, …  derived" in text
    assert "… and 29 more (--format json lists all)" in text
    assert "… and 29 more" in impact_markdown(view)
    (b,) = [one for one in msgspec.json.decode(impact_json(view))["nodes"] if one["name"] == "b"]
    assert len(b["columns"]) == 41


def test_nothing_is_said_plainly() -> None:
    lineage = GivenLineage([node("model.shop.a")], {"model.shop.a": passing("elsewhere", "x")})
    view = impact_in(lineage, "a.x", Direction.DOWNSTREAM, None)

    assert impact_text(view, width=80, color=False) == "a.x  model\n\nDownstream\n  nothing\n"
    assert "**Downstream**: nothing" in impact_markdown(view)


def test_a_relation_that_no_node_has_is_told_by_its_name() -> None:
    lineage = GivenLineage([node("model.shop.a")], {"model.shop.a": passing("raw.elsewhere", "x")})
    view = impact_in(lineage, "a.x", Direction.UPSTREAM, None)

    assert "  └─ raw.elsewhere  relation\n        x\n" in impact_text(view, width=80, color=False)


def test_color_is_only_where_it_is_wanted() -> None:
    lineage = GivenLineage([node("model.shop.a")], {"model.shop.a": passing("raw.elsewhere", "x")})
    view = impact_in(lineage, "a.x", Direction.UPSTREAM, None)

    assert "\x1b[36mx\x1b[0m" in impact_text(view, width=80, color=True)
