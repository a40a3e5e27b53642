"""Drawings of lineage graphs, read back from Mermaid, SVG and JSON, and compared with edges of two runs."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from recce_meta.models.graph_view import ADDED, BACKWARD, INDIRECT, REMOVED, UNCERTAIN

Pair = tuple[str, str]
"""Parent and child."""
TESTS = ("test", "unit_test")
LINES = {"-->": 0, "-- added -->": ADDED, "-- removed -->": REMOVED}
WORDS = {
    ADDED: "only in current",
    REMOVED: "only in base",
    INDIRECT: "through nodes that are not shown",
    UNCERTAIN: "not certain",
    BACKWARD: "closes a cycle",
}
GONE = "source.shop.gone.x"
"""Parent without a node, which pages name by its id."""


class Picture(NamedTuple):
    """Drawing as it was read back."""

    labels: Mapping[str, str]
    """Label of each drawn node by unique id."""
    edges: Sequence[tuple[str, str, int]]
    """Parent, child and flags of each line."""


def label_of(unique_id: str) -> str:
    """Return the label that a drawing must have, as of the unique id."""
    kind, _, rest = unique_id.split(".", 2)
    return rest.rsplit(".", 1)[0] if kind == "test" else rest


def kind_of(unique_id: str) -> str:
    """Return the resource type."""
    return unique_id.split(".")[0]


def ids_by_label(labels: Iterable[str]) -> dict[str, str]:
    """Return the unique id of each label; the generated labels differ."""
    found: dict[str, str] = {}
    for one in labels:
        assert label_of(one) not in found, label_of(one)
        found[label_of(one)] = one
    return found


class Chart(NamedTuple):
    """Mermaid graph as it was read back."""

    picture: Picture
    styles: Mapping[str, str]
    rest: str
    """Text below the graph, up to an empty line."""


_VERTEX = re.compile(r'  (n\d+)(?:\[\("|\(\["|\[")(.*)(?:"\)\]|"\]\)|"\]):::(\w+)')
_LINE = re.compile(r"  (n\d+) (-->|-\.->|-- \w+ -->|-\. \w+ \.->) (n\d+)")


def read_mermaid(text: str, known: Mapping[str, str]) -> Chart | None:
    """Return the Mermaid graph in *text*; None without one."""
    if "```mermaid\n" not in text:
        return None
    block, rest = text.split("```mermaid\n", 1)[1].split("\n```\n", 1)
    numbers: dict[str, str] = {}
    labels: dict[str, str] = {}
    styles: dict[str, str] = {}
    edges = []
    for line in block.splitlines()[1:]:
        if vertex := _VERTEX.fullmatch(line):
            label = html.unescape(re.sub(r"#(\d+);", r"&#\1;", vertex[2].split("<br/>")[0]))
            one = numbers[vertex[1]] = known[label]
            labels[one], styles[one] = label, vertex[3]
        elif edge := _LINE.fullmatch(line):
            arrow = edge[2].replace("-. ", "-- ").replace(" .->", " -->").replace("-.->", "-->")
            flags = LINES[arrow] | (INDIRECT if ".->" in edge[2] else 0)
            edges.append((numbers[edge[1]], numbers[edge[3]], flags))
        else:
            assert line.startswith("  classDef "), line
    return Chart(Picture(labels, edges), styles, rest.split("\n\n")[0].strip())


_BOX = re.compile(
    r'<a class="box[^"]*"[^>]*><title>(.*?) \((\w+), (.*?)\)</title>\s*'
    r'<rect x="(-?\d+)" y="(-?\d+)" width="(\d+)" height="(\d+)"', re.S
)  # fmt: skip
_PATH = re.compile(r'<path d="M(\d+) (\d+) C.*? (\d+) (\d+)" class="([^"]*)"><title>(.*?)</title></path>')
_SIGN = re.compile(r'<text x="\d+" y="\d+" class="sign ([^"]*)"[^>]*>(.)</text>')


def read_svg(page: str, known: Mapping[str, str]) -> tuple[Picture, dict[str, str]]:
    """Return the drawing in a page, and the status of each of its nodes."""
    labels: dict[str, str] = {}
    states: dict[str, str] = {}
    ends: dict[tuple[int, int], str] = {}
    starts: dict[tuple[int, int], str] = {}
    for title, kind, words, *numbers in _BOX.findall(page):
        label = html.unescape(title)
        one = known[label]
        x, y, width, height = map(int, numbers)
        labels[one], states[one] = label, re.split("[,:]", words)[0].replace("affected", "impacted")
        starts[x + width, y + height // 2] = ends[x, y + height // 2] = one
        assert kind == kind_of(one), (kind, one)
    edges = []
    signs: Counter[str] = Counter(sign for _, sign in _SIGN.findall(page))
    for x1, y1, x2, y2, class_, title in _PATH.findall(page):
        found = set(class_.split())
        flags = INDIRECT * ("far" in found) | ADDED * ("added" in found) | REMOVED * ("removed" in found)
        start, end = (int(x1), int(y1)), (int(x2), int(y2))
        if start not in starts:  # the second line between two nodes
            start, end = (start[0], start[1] - 8), (end[0], end[1] - 8)
        parent, child = starts[start], ends[end]
        edges.append((parent, child, flags))
        assert html.unescape(title).startswith(f"{label_of(parent)} → {label_of(child)}: "), title
    assert signs["+"] == sum(bool(flags & ADDED) for *_, flags in edges)
    assert signs["−"] == sum(bool(flags & REMOVED) for *_, flags in edges)
    return Picture(labels, edges), states


def read_view(view: Mapping[str, Any]) -> Picture:
    """Return the picture that the JSON of a graph describes."""
    ids = [node["id"] for node in view["nodes"]]
    return Picture(
        {node["id"]: node["name"] for node in view["nodes"]},
        [(ids[edge[0]], ids[edge[1]], edge[2] if len(edge) > 2 else 0) for edge in view["edges"]],
    )


def reachable(
    start: str, children: Mapping[str, Collection[str]], through: Callable[[str], bool]
) -> set[str]:
    """Return the nodes that paths from *start* lead to; only nodes that *through* accepts are followed."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            if child not in found:
                found.add(child)
                if through(child):
                    waiting.append(child)
    return found


def by_parent(edges: Iterable[Pair]) -> dict[str, set[str]]:
    """Return the children of each parent."""
    found: dict[str, set[str]] = {}
    for parent, child in edges:
        found.setdefault(parent, set()).add(child)
    return found


def wrong_edges(
    picture: Picture, base: set[Pair], current: set[Pair], hidden: Collection[str], *, left_out: bool = False
) -> Iterator[str]:
    """Yield what is wrong with the lines of *picture*, which may draw paths through *hidden* nodes.

    With *left_out*, the drawing says that it lacks some lines.
    """
    shown = set(picture.labels)
    for one, label in picture.labels.items():
        if label != label_of(one) and (one, label) != (GONE, GONE):
            yield f"label {label!r} of {one}"
    lines = [(parent, child, flags & INDIRECT) for parent, child, flags in picture.edges]
    if len(set(lines)) < len(lines):
        yield "a line is drawn twice"
    if any(flags & ADDED and flags & REMOVED for *_, flags in picture.edges):
        yield "a line is both added and removed"
    for name, run, other, mark in (("base", base, ADDED, REMOVED), ("current", current, REMOVED, ADDED)):
        opposite = current if name == "base" else base
        drawn = [(parent, child, flags) for parent, child, flags in picture.edges if not flags & other]
        direct = {(parent, child) for parent, child, flags in drawn if not flags & INDIRECT}
        expected = {edge for edge in run if shown >= {*edge}}
        if direct - expected or (expected - direct and not left_out):
            yield f"{name}: {sorted(direct - expected)} drawn, {sorted(expected - direct)} not drawn"
        children = by_parent(run)
        paths = {(parent, child) for parent, child, flags in drawn if flags & INDIRECT}
        for parent, child in sorted(paths):
            middle = {one for one in children.get(parent, ()) if one in hidden}
            if not any(child in reachable(one, children, lambda x: x in hidden) for one in middle):
                yield f"{name}: {parent} - - → {child} is no path through hidden nodes"
        if left_out:
            continue
        seen = by_parent(direct | paths)
        for one in shown:
            there = reachable(one, children, lambda x: x in shown or x in hidden) & shown
            here = reachable(one, seen, lambda _: True)
            if here - {one} != there - {one}:
                yield f"{name}: {one} leads to {sorted(there - here)} unseen, {sorted(here - there)} falsely"
        for parent, child, flags in drawn:
            if flags & INDIRECT and flags & mark:
                middle = {one for one in by_parent(opposite).get(parent, ()) if one in hidden}
                if any(child in reachable(one, by_parent(opposite), lambda x: x in hidden) for one in middle):
                    yield f"{name}: {parent} - - → {child} is marked, but both runs have such a path"
    if not left_out:
        yield from _needless(picture, base, current)


def _needless(picture: Picture, base: set[Pair], current: set[Pair]) -> Iterator[str]:
    """Yield the paths that other lines show in each run, unless a run has cycles."""
    sides = [
        {(parent, child, flags & INDIRECT) for parent, child, flags in picture.edges if not flags & other}
        for other in (ADDED, REMOVED)
    ]
    if any(has_cycle(run) for run in (base, current)):
        return
    if any(flags & BACKWARD for *_, flags in picture.edges):
        yield "a line closes a cycle, but no run has one"
    for parent, child, flags in picture.edges:
        line = (parent, child, flags & INDIRECT)
        if flags & INDIRECT and all(
            line not in drawn
            or child in reachable(parent, by_parent(edge[:2] for edge in drawn - {line}), lambda _: True)
            for drawn in sides
        ):
            yield f"{parent} - - → {child} is needless"


def has_cycle(edges: set[Pair]) -> bool:
    """Return True if a node leads to itself."""
    children = by_parent(edges)
    return any(one in reachable(one, children, lambda _: True) for one in children)


def wrong_chart(
    chart: Chart, runs: tuple[set[Pair], set[Pair]], whole: set[str], candidates: set[str], nodes: str = ""
) -> Iterator[str]:
    """Yield what is wrong with a Mermaid graph that could show *candidates*, and its sentences."""
    picture = chart.picture
    shown = len(picture.labels)
    yield from wrong_nodes(picture, candidates)
    sentences = chart.rest
    edges = re.search(r"(\d+) of ([\d,]+) edges", sentences)
    hidden = whole - {*picture.labels}
    yield from wrong_edges(picture, *runs, hidden, left_out=edges is not None)
    if edges:
        direct = sum(picture.labels.keys() >= {*edge} for edge in {*runs[0], *runs[1]})
        if int(edges[1]) != len(picture.edges) or int(edges[2].replace(",", "")) < direct:
            yield f"says {edges[0]}, draws {len(picture.edges)} of at least {direct}"
    count = f"{nodes}{shown} of {len(candidates):,} nodes"
    if (shown < len(candidates)) != (count in sentences):
        yield f"counts {shown} of {len(candidates)}: {sentences!r}"
    if any(flags & INDIRECT for *_, flags in picture.edges) != ("dotted line" in sentences):
        yield f"dotted lines: {sentences!r}"


def around(query: Mapping[str, Any], edges: set[Pair], listed: Collection[str]) -> set[str]:
    """Return the nodes that a query around a node names before its filter."""
    found = {query["node"]}
    sides = (by_parent((child, parent) for parent, child in edges), by_parent(edges))
    for near, steps in zip(sides, (query["up"], query["down"]), strict=True):
        front = seen = {query["node"]}
        for _ in range(steps):
            front = {one for start in front for one in near.get(start, ()) if one in listed} - seen
            seen = seen | front
        found |= seen
    for text in query.get("expand", ()):
        one, side = text.rsplit(":", 1)
        found |= {one, *(near for near in sides[side == "down"].get(one, ()) if near in listed)}
    return found


def wrong_nodes(picture: Picture, candidates: set[str]) -> Iterator[str]:
    """Yield drawn nodes that are no candidates."""
    if picture.labels.keys() - candidates:
        yield f"{sorted(picture.labels.keys() - candidates)} are drawn"


def wrong_states(drawn: Mapping[str, str], changed: Mapping[str, str]) -> Iterator[str]:
    """Yield drawn nodes whose mark is not that of their change, or of an affected node."""
    for one, state in drawn.items():
        if state != changed.get(one, "impacted"):
            yield f"{one} is drawn as {state}, not {changed.get(one, 'impacted')}"


def wrong_rows(rows: Sequence[Mapping[str, Any]], picture: Picture) -> Iterator[str]:
    """Yield what is wrong with the table of the edges of *picture*."""
    found = sorted((row["parent_id"], row["child_id"], row["about"] or "") for row in rows)
    expected = sorted(
        (parent, child, ", ".join(words for flag, words in WORDS.items() if flags & flag))
        for parent, child, flags in picture.edges
    )
    if found != expected:
        yield "the table of edges differs from the drawing"
