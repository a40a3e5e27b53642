"""Views of synthetic graphs of any size, with layers as the layout makes them."""

from __future__ import annotations

import random
from typing import Any

import msgspec

from recce_meta.api.browse.graph_columns import PAGE
from recce_meta.models.graph_view import (
    ADDED,
    BACKWARD,
    INDIRECT,
    LAYER_PITCH,
    REMOVED,
    ROW_PITCH,
    UNCERTAIN,
    ColumnPath,
    GraphColumn,
    GraphColumns,
    GraphEdge,
    GraphNode,
    GraphView,
    PathColumn,
    PathRows,
)

CHANGES = (
    ("modified", "breaking"),
    ("modified", "non_breaking"),
    ("added", "non_breaking"),
    ("removed", "breaking"),
    ("modified", "partial_breaking"),
)
WORDS = ("customers", "orders", "payments", "sessions", "invoices", "refunds", "products", "stores")
HOSTILE = (
    "<script>window.hacked = 1</script>",
    '"><img src=x onerror=window.hacked=1>',
    "طلبات العملاء",
    "right\u202eleft\u0000\u001b[31m",
    "x" * 300,
    "naïve 👩‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿 emoji 🎉",
    "=1+1,\"a\"\n'b'",
    "]]>&amp;<!--",
)


def view(size: int, *, is_diff: bool = True, seed: int = 1) -> GraphView:
    """Return a graph of *size* nodes in layers, of which a few are changed if *is_diff*."""
    chance = random.Random(seed)
    depth = max(2, min(14, round(size**0.4)))
    layers: list[list[int]] = [[] for _ in range(depth)]
    for index in range(size):
        layers[
            index if index < depth else min(int(chance.triangular(0, depth, depth / 3)), depth - 1)
        ].append(index)
    layer_of = {index: place for place, layer in enumerate(layers) for index in layer}
    changes = set(chance.sample(range(size), max(1, size // 14))) if is_diff else set()
    tallest = max(len(layer) for layer in layers)
    nodes = []
    for index in range(size):
        place = layer_of[index]
        row = layers[place].index(index)
        nodes.append(_node(index, place, row, tallest - len(layers[place]), index in changes, chance))
    edges = []
    for child in range(size):
        place = layer_of[child]
        if place:
            near = layers[place - 1] if chance.random() < 0.85 else layers[chance.randrange(place)]
            count = min(len(near), chance.choice((1, 1, 2, 2, 3)))
            at = min(int(layers[place].index(child) * len(near) / len(layers[place])), len(near) - count)
            edges += [GraphEdge(near[at + step], child, _flags(chance, is_diff)) for step in range(count)]
    focus = tuple(nodes[index].id for index in sorted(changes))
    return GraphView(nodes=tuple(nodes), edges=tuple(edges), total=size, focus=focus)


def _node(
    index: int, place: int, row: int, missing: int, is_changed: bool, chance: random.Random
) -> GraphNode:
    kind = (
        "source"
        if place == 0
        else "exposure"
        if index % 41 == 40
        else "seed"
        if index % 29 == 28
        else "model"
    )
    prefix = ("raw", "stg", "int")[place] if place < 3 else "fct"
    name = f"{prefix}_{chance.choice(WORDS)}_{chance.choice(WORDS)}_{index}"
    status, category = CHANGES[index % len(CHANGES)] if is_changed else ("", "")
    words = f"{status}, {category.replace('_', ' ')}" if status else ""
    if not status and index % 9 == 4:
        status, words = "impacted", "impacted"
    tone = ("passed", "", "passed", "failed", "warned")[index % 5] if index % 3 else ""
    return GraphNode(
        id=f"{kind}.shop.{name}",
        name=name,
        type=kind,
        x=place * LAYER_PITCH,
        y=row * ROW_PITCH + missing * ROW_PITCH // 2,
        materialized=("table", "view", "incremental")[index % 3] if kind == "model" else "",
        package="shop",
        path=f"models/{prefix}/{name}.sql",
        owner="finance" if index % 4 == 0 else "",
        tags=("daily", "core") if index % 5 == 0 else (),
        relation=f"prod.shop.{name}",
        status=status,
        category=category,
        words=words,
        tests={
            "passed": "4 tests passed",
            "failed": "1 of 4 tests failed",
            "warned": "1 of 4 tests warned",
        }.get(tone, ""),
        tests_tone=tone,
        review="approved by Ann" if index % 17 == 3 else "",
        columns=0 if kind == "exposure" else 3 + index % 40,
        parents=index % 4 if index % 11 == 0 else 0,
        children=1500 if index == 5 else index % 5 if index % 7 == 0 else 0,
        layer=place,
        href=f"/s/shop/runs/1/nodes/{index}",
    )


def _flags(chance: random.Random, is_diff: bool) -> int:
    if chance.random() > 0.12:
        return 0
    return chance.choice((ADDED, REMOVED, INDIRECT, UNCERTAIN) if is_diff else (INDIRECT, UNCERTAIN))


def hostile() -> GraphView:
    """Return a graph whose names are hostile, with cycles and addresses of scripts."""
    nodes = tuple(
        GraphNode(
            id=f"model.{name}",
            name=name,
            type=name if index == 0 else "model",
            x=(index // 3) * LAYER_PITCH,
            y=(index % 3) * ROW_PITCH,
            words=name if index % 2 else "",
            status="modified" if index % 2 else "",
            tags=(name,),
            owner=name,
            columns=4,
            href="javascript:window.hacked=1",
        )
        for index, name in enumerate(HOSTILE)
    )
    edges = (
        GraphEdge(0, 3),
        GraphEdge(3, 6),
        GraphEdge(6, 0, BACKWARD),
        GraphEdge(1, 4, ADDED),
        GraphEdge(4, 1, BACKWARD | UNCERTAIN),
        GraphEdge(5, 5, BACKWARD),
        GraphEdge(2, 7, REMOVED | INDIRECT),
    )
    return GraphView(nodes=nodes, edges=edges, total=len(nodes), notes=HOSTILE, hidden_hubs=HOSTILE)


def hub(children: int) -> GraphView:
    """Return a graph of one node that *children* nodes read."""
    nodes = [
        GraphNode(id="model.hub", name="hub", type="model", x=0, y=children * ROW_PITCH // 2),
        *(
            GraphNode(
                id=f"model.c{index}", name=f"c{index}", type="model", x=LAYER_PITCH, y=index * ROW_PITCH
            )
            for index in range(children)
        ),
    ]
    edges = tuple(GraphEdge(0, index + 1) for index in range(children))
    return GraphView(nodes=tuple(nodes), edges=edges, total=children + 1, focus=("model.hub",))


def columns(node: GraphNode, search: str = "", page: int = 1) -> GraphColumns:
    """Return a page of the columns of *node*."""
    every = [
        GraphColumn(
            name=f"column_{place}",
            type=("bigint", "varchar(16)", "timestamp")[place % 3],
            status=("", "", "modified", "added")[place % 4],
            about="changes its type" if place % 4 == 2 else "",
        )
        for place in range(node.columns)
        if search in f"column_{place}"
    ]
    start = (page - 1) * PAGE
    return GraphColumns(
        node=node.id,
        columns=tuple(every[start : start + PAGE]),
        total=len(every),
        page=page,
        pages=max(1, -(-len(every) // PAGE)),
        note="" if every else "No column matches.",
    )


def column_path(view: GraphView, node: str, column: str, most: int = 200, width: int = 3) -> ColumnPath:
    """Return a path of at most *most* columns, *width* of each shown node, and one of a node not shown."""
    index = {found.id: place for place, found in enumerate(view.nodes)}
    if node not in index:
        asked = PathColumn(node=node, name=node, column=column)
        return ColumnPath(node=node, column=column, columns=(asked,), edges=())
    found: list[PathColumn] = []
    edges: list[tuple[int, int]] = []
    places: dict[tuple[int, str], int] = {}

    def add(place: int, name: str, side: str) -> int:
        if (place, name) not in places:
            places[place, name] = len(found)
            at = view.nodes[place]
            found.append(
                PathColumn(
                    node=at.id,
                    name=at.name,
                    column=name,
                    type="bigint",
                    side=side,
                    expression="" if place % 2 else f"sum({name}) over (partition by id)",
                    kind="passthrough" if place % 2 else "derived",
                    href=at.href,
                )
            )
        return places[place, name]

    def walk(side: str) -> None:
        front = [(index[node], column)]
        while front and len(found) < most:
            at, name = front.pop(0)
            for edge in view.edges:
                near, far = (edge.child, edge.parent) if side == "up" else (edge.parent, edge.child)
                if near != at or len(found) >= most:
                    continue
                for step in range(width):
                    other = f"column_{step}"
                    if (far, other) not in places and len(found) < most:
                        place, own = add(far, other, side), places[at, name]
                        edges.append((place, own) if side == "up" else (own, place))
                        front.append((far, other))

    add(index[node], column, "")
    walk("up")
    walk("down")
    hidden = PathColumn(node="model.hidden", name="hidden", column="id", side="up", expression="id + 1")
    edges.append((len(found), 0))
    rows = tuple(
        PathRows(node=step.node, column="status", reader=node, usage=usage)
        for step, usage in zip(found[1:4], ("filter", "join", "group"), strict=False)
    )
    return ColumnPath(node=node, column=column, columns=(*found, hidden), edges=tuple(edges), rows=rows)


def tree(value: Any) -> Any:
    """Return *value* as the page reads it from JSON."""
    return msgspec.json.decode(msgspec.json.encode(value))
