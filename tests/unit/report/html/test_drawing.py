"""Geometry of the drawing of a lineage: no line runs behind a box that it does not end in."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any

import pytest

from recce_meta.graph.hidden_paths import DrawnEdge
from recce_meta.models.graph_view import BOX_HEIGHT, BOX_WIDTH, GraphNode
from recce_meta.report.html.graph import Box, draw_lineage, placed

SAMPLES = 40


def points(path: str) -> Iterator[tuple[float, float]]:
    """Yield points of a path of moves, curves and horizontal lines."""
    x = y = 0.0
    for command, text in re.findall(r"([MCHL])([^MCHL]+)", path):
        numbers: list[Any] = [float(one) for one in text.split()]
        if command == "M":
            x, y = numbers
        elif command in "HL":
            to_x, to_y = numbers if command == "L" else (numbers[0], y)
            shares = [step / SAMPLES for step in range(SAMPLES + 1)]
            yield from ((x + (to_x - x) * share, y + (to_y - y) * share) for share in shares)
            x, y = to_x, to_y
        else:
            x1, y1, x2, y2, x3, y3 = numbers
            for share in (step / SAMPLES for step in range(SAMPLES + 1)):
                rest = 1 - share
                weights = rest**3, 3 * rest**2 * share, 3 * rest * share**2, share**3
                xs, ys = (x, x1, x2, x3), (y, y1, y2, y3)
                yield (
                    sum(a * b for a, b in zip(weights, xs, strict=True)),
                    sum(a * b for a, b in zip(weights, ys, strict=True)),
                )
            x, y = x3, y3


def covers(box: Box, x: float, y: float) -> bool:
    return box.x < x < box.x + BOX_WIDTH and box.y < y < box.y + BOX_HEIGHT


@pytest.mark.parametrize("seed", range(6))
def test_no_line_runs_behind_a_box_that_it_does_not_end_in(seed: int) -> None:
    chance = random.Random(seed)
    names = [f"model.shop.m{number:02}" for number in range(30)]
    edges = [
        DrawnEdge(parent, child)
        for place, child in enumerate(names)
        for parent in sorted(
            {chance.choice(names[:place]) for _ in range(chance.randrange(3))} if place else ()
        )
    ]
    nodes = [GraphNode(id=one, name=one, type="model", x=0, y=0) for one in names]
    drawing = draw_lineage(placed(nodes, edges, len(nodes)))

    assert drawing is not None and any(" H" in edge.path for edge in drawing.edges)
    behind = {
        (edge.parent, edge.child, box.id)
        for edge in drawing.edges
        for box in drawing.boxes
        if box.id not in (edge.parent, edge.child) and any(covers(box, *point) for point in points(edge.path))
    }
    assert not behind
