"""Nodes in the drawer of a report: its parts are those of the review page of the server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from markupsafe import Markup, escape

from recce_meta.models.change import Change, Impact, RunDiff
from recce_meta.models.data_diff import (
    AnyDataDiff,
    FiguresDiff,
    QueryDiff,
)
from recce_meta.redaction import neutralise
from recce_meta.report.html.code import CODE_CHARACTERS, code_sentence, codes_of, size_of
from recce_meta.report.html.listing import ReviewList, ReviewRow
from recce_meta.report.html.nodes import PageNode
from recce_meta.report.html.side_by_side import CodeDiff
from recce_meta.report.html.templates import PACKAGE, template_environment

ROWS_SHOWN, TESTS_SHOWN = 1_000, 100
"""Rows of a file, and those of tests; each has its part of the drawer."""
MANY_NODES, CODE_ROOM, DATA_ROOM = 100, 250_000, 300_000
"""Number of nodes above which a file has a limited size, and characters of their code and data diffs."""
WITHOUT_TABLES = "Its tables are not in this file of many nodes: recce-meta diff --data --select shows them."


class DrawerNode(NamedTuple):
    """Node in the drawer."""

    anchor: str
    row: ReviewRow | None
    """None if the node is not part of the diff."""
    node: PageNode
    impact: Impact | None
    about: str
    codes: Sequence[tuple[str, CodeDiff]]
    tabs: Sequence[tuple[str, Sequence[Markup]]]
    """Data diffs of each tab, as HTML."""


class FileLinks(NamedTuple):
    """Addresses within the file."""

    anchors: Mapping[str, str]
    """Anchor of each node by the key of its row and by its unique id."""

    def node(self, key: str, tab: str = "") -> str:
        """Return the address of a node or of one of its tabs; the list if the file does not have it."""
        anchor = self.anchors.get(key, "nodes")
        return f"#{anchor}-{tab}" if tab and key in self.anchors else f"#{anchor}"


def shown_in_file(found: ReviewList) -> tuple[list[ReviewRow], list[ReviewRow]]:
    """Return the first rows of *found*, and the first of its tests."""
    return [*found.changed, *found.affected][:ROWS_SHOWN], [*found.tests[:TESTS_SHOWN]]


class Room:
    """Characters that a file of many nodes still has for code and for data diffs."""

    def __init__(self, nodes: int) -> None:
        """Create the room of a file with *nodes*; that of a few is not limited."""
        is_limited = nodes > MANY_NODES
        self.code: int | None = CODE_ROOM if is_limited else None
        self.data: int | None = DATA_ROOM if is_limited else None
        self._parts: Any = template_environment(PACKAGE).get_template("diff_parts.html").module

    def codes(self, change: Change, code: str | None) -> list[tuple[str, CodeDiff]]:
        """Return the code of a node, with fewer rows if the file has no room for them."""
        found = codes_of(change, code, _plain, room=CODE_CHARACTERS if self.code is None else self.code)
        if self.code is not None:
            self.code -= sum(size_of(row) for _, one in found for row in one.rows)
        return found

    def block(self, result: AnyDataDiff) -> Markup:
        """Return *result* as HTML, as a sentence if the file has no room for it."""
        html = Markup(self._parts.result(result, result, True))
        if self.data is None:
            return html
        if len(html) > self.data:
            return Markup(self._parts.result(result, None, True, WITHOUT_TABLES))
        self.data -= len(html)
        return html


def drawer_of(
    diff: RunDiff, found: ReviewList, nodes: Sequence[PageNode], code: Mapping[str, str]
) -> tuple[list[DrawerNode], FileLinks]:
    """Return the rows that a file shows and all other *nodes* with their parts, and their addresses.

    *code* is the source of nodes that only one run has, by unique id.
    """
    changes = {one.unique_id: one for one in diff.changes}
    impacts = {one.unique_id: one for one in diff.impacted}
    by_id = {node.unique_id: node for node in nodes if node.unique_id}
    rows, tests = shown_in_file(found)
    listed: list[tuple[ReviewRow | None, PageNode]] = []
    for number, row in enumerate([*rows, *tests], len(nodes) + 1):
        node = by_id.get(row.unique_id)
        listed.append((row, node or PageNode(f"node-{number}", row.name, row.unique_id, None, None, ())))
    known = {row.unique_id for row in found.rows}
    listed += [(None, node) for node in nodes if node.unique_id not in known]
    room, parts = Room(len(listed)), []
    for shown, node in listed:
        change, impact = changes.get(node.unique_id), impacts.get(node.unique_id)
        about = code_sentence(diff, change, impact, node.unique_id) if node.unique_id else ""
        codes = room.codes(change, code.get(node.unique_id)) if change else []
        tabs = [(tab, [room.block(one) for one in some]) for tab, some in _tabs(shown, node)]
        parts.append(DrawerNode(node.anchor, shown, node._replace(change=change), impact, about, codes, tabs))
    anchors = {key: node.anchor for row, node in listed if row for key in (row.key, row.unique_id)}
    return parts, FileLinks(anchors)


def _tabs(row: ReviewRow | None, node: PageNode) -> list[tuple[str, list[AnyDataDiff]]]:
    """Return the data diffs of each tab that the node has."""
    found: dict[str, list[AnyDataDiff]] = {"data": [], "profile": [], "query": []}
    for one in node.results:
        is_query, is_profile = isinstance(one, QueryDiff), isinstance(one, FiguresDiff)
        found["query" if is_query else "profile" if is_profile else "data"].append(one)
    has_data = node.summary is not None or (row is not None and row.has_rows)
    return [(tab, some) for tab, some in found.items() if some or (tab == "data" and has_data)]


def _plain(text: str) -> Markup:
    return escape(neutralise(text, keep="\n\t"))
