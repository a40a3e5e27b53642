"""Everything about one node in one place: what changed in its code, and what that did to its data."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

from recce_meta.models.category import Category
from recce_meta.models.change import Change, ChangeDetail, Reason, RunDiff, Status
from recce_meta.models.data_diff import AnyDataDiff, NotCompared, RowCountDiff
from recce_meta.report.characters import shorten
from recce_meta.report.code_delta import unified_diff
from recce_meta.report.data.summary import ASPECTS, Key, NodeSummary, key_of, summarise_nodes
from recce_meta.report.data.wording import Outcome, Verdict, stale_phrase
from recce_meta.report.details import detail_phrases, is_text
from recce_meta.report.effects import column_phrases, effect_of, reached_phrase
from recce_meta.report.html.markup import EMPTY, Child, Markup, el, join, source
from recce_meta.report.html.results import CLASSES, badge, result_block
from recce_meta.report.html.tables import fold, names, quiet, table
from recce_meta.report.wording import TESTS, by_kind, more, node_label, weighty_reasons

ROWS_IN_VIEW = 25
"""Of the overview; a longer one scrolls on its own."""

DIFF_LINES = 400
DIFF_WIDTH = 400
PHRASES_SHOWN = 60
TESTS_SHOWN = 200
COLUMNS_SHOWN = 8
CHANGE_SIGNS = {Status.ADDED: "+", Status.REMOVED: "−", Status.MODIFIED: "~"}
_TONES = {"+": "line-added", "-": "line-removed", "@": "line-place"}
_EFFECT_CLASSES = {
    Category.BREAKING: "removed",
    Category.UNKNOWN: "modified",
    Category.PARTIAL_BREAKING: "modified",
    Category.NON_BREAKING: "added",
    Category.NONE: "none",
    None: "none",
}
_RANK = {
    Outcome.FAILED: 0,
    Outcome.DIFFERENT: 1,
    Outcome.NOT_COMPARED: 2,
    Outcome.PARTIAL: 2,
    Outcome.ONE_SIDED: 4,
    Outcome.EQUAL: 5,
}
_CHANGED_RANK = 3


class Node(NamedTuple):
    """One line of the overview, and the section that it leads to."""

    anchor: str
    name: str
    unique_id: str
    change: Change | None
    summary: NodeSummary | None
    results: Sequence[AnyDataDiff]

    @property
    def has_section(self) -> bool:
        """Whether there is more to say than what the overview and the row counts say."""
        return bool(self.results or (self.change and self.change.details))

    @property
    def state(self) -> str:
        """The class by which the page filters; a node without data counts by its code."""
        return CLASSES[self.summary.outcome] if self.summary else "code"


def nodes_of(diff: RunDiff | None, results: Sequence[AnyDataDiff]) -> list[Node]:
    """What failed or differs first, then what changed in code alone, then what is the same; without tests."""
    changes = {
        change.unique_id: change
        for kind, group in by_kind(diff.changed if diff else ()).items()
        for change in group
        if kind not in TESTS
    }
    found: list[tuple[str, str, Change | None, NodeSummary | None, list[AnyDataDiff]]] = []
    by_subject = _by_subject(results)
    for summary in summarise_nodes(results):
        subject = summary.subject
        change = changes.pop(subject.unique_id or "", None)
        own = by_subject.get(key_of(subject), [])
        found.append((subject.name, subject.unique_id or "", change, summary, own))
    found += [(node_label(change), key, change, None, []) for key, change in changes.items()]
    found.sort(key=lambda node: _RANK[node[3].outcome] if node[3] else _CHANGED_RANK)
    return [Node(f"node-{index}", *node) for index, node in enumerate(found, 1)]


def _by_subject(results: Sequence[AnyDataDiff]) -> dict[Key, list[AnyDataDiff]]:
    """The results that have a block of their own; row counts stand in one table, reasons in the overview."""
    found: dict[Key, list[AnyDataDiff]] = {}
    for result in results:
        if not isinstance(result, (RowCountDiff, NotCompared)):
            found.setdefault(key_of(result.subject), []).append(result)
    return found


def overview(nodes: Sequence[Node]) -> Markup:
    """The table of all nodes; columns that nothing is known of are left out."""
    aspects = [aspect for aspect in ASPECTS if any(n.summary and aspect in n.summary.aspects for n in nodes)]
    has_code = any(node.change for node in nodes)
    heads = ["node", *(["code"] if has_code else []), *aspects]
    rows = [
        el(
            "tr",
            el("th", _state(node), _link(node), _stale(node), scope="row"),
            el("td", _code(node.change), _touched(node.change), data_label="code") if has_code else None,
            [_aspect(node, aspect) for aspect in aspects],
            class_="node-row",
            data_name=f"{node.name} {node.unique_id}".lower(),
            data_state=node.state,
        )
        for node in nodes
    ]
    is_long = len(nodes) > ROWS_IN_VIEW
    return el("div", table(heads, rows, label="Nodes"), class_="cards long" if is_long else "cards")


def _link(node: Node) -> Markup:
    """To the node's section, where there is more to say than in the overview."""
    return el("a", node.name, href=f"#{node.anchor}") if node.has_section else el("span", node.name)


def _stale(node: Node) -> Child:
    """The remark that a side holds data of an earlier build."""
    told = stale_phrase(node.summary.subject) if node.summary else ""
    return el("div", el("small", told)) if told else None


def _state(node: Node) -> Child:
    return [badge(node.summary.outcome), " "] if node.summary else el("span", "·", class_="badge none")


def _code(change: Change | None) -> Child:
    if change is None:
        return EMPTY
    tag = el("span", f"{CHANGE_SIGNS.get(change.status, '')} {change.status}", class_=f"tag {change.status}")
    about = ", ".join(weighty_reasons(change)) if change.status is Status.MODIFIED else change.path
    told: list[Child] = [tag, *([" ", effect_tag(change)] if effect_of(change) else [])]
    return [*told, " ", el("small", about)] if about else told


def effect_tag(change: Change) -> Markup:
    """What *change* does to its readers."""
    told = effect_of(change)
    reasons = "; ".join(change.category_reasons)
    return el("span", told, class_=f"tag {_EFFECT_CLASSES[change.category]}", title=reasons or None)


def _touched(change: Change | None) -> Child:
    """The columns that *change* touches, and what reaches the node from others, in lines of their own."""
    if change is None or change.status is not Status.MODIFIED:
        return None
    phrases = column_phrases(change)
    lines = []
    if phrases:
        rest = f" {more(len(phrases) - COLUMNS_SHOWN)}" if len(phrases) > COLUMNS_SHOWN else ""
        shown = join([el("code", one) for one in phrases[:COLUMNS_SHOWN]], ", ")
        lines.append(el("div", shown, rest, class_="touched"))
    if reached := reached_phrase(change):
        lines.append(el("div", reached, class_="touched"))
    return lines


def _aspect(node: Node, aspect: str) -> Markup:
    verdicts = node.summary.aspects.get(aspect, []) if node.summary else []
    return el("td", join([_told(found) for found in verdicts], " "), data_label=aspect)


def _told(found: Verdict) -> Markup:
    return el("div", shorten(found.text, 200), class_=f"aspect {CLASSES[found.outcome]}")


def section(node: Node, *, is_open: bool) -> Markup:
    """One node: its relations, its code, its data, which *is_open* where it differs."""
    return el(
        "article",
        el("h3", _state(node), el("span", node.name), " ", _code(node.change)),
        _place(node),
        _stale(node),
        [result_block(result, is_open=is_open) for result in node.results],
        _changes(node.change) if node.change else None,
        id=node.anchor,
        class_="node",
        data_name=f"{node.name} {node.unique_id}".lower(),
        data_state=node.state,
    )


def tests_changed(diff: RunDiff) -> Markup:
    """The tests that changed, by their status; nothing where none did."""
    found = [change for change in diff.changed if change.resource_type in TESTS]
    if not found:
        return EMPTY
    lines = []
    for status, sign in CHANGE_SIGNS.items():
        listed = [node_label(change) for change in found if change.status is status]
        if listed:
            tag = el("span", f"{sign} {len(listed):,} {status}", class_=f"tag {status}")
            lines.append(el("p", tag, " ", names(listed, TESTS_SHOWN)))
    told = f"{len(found):,} tests changed" if len(found) > 1 else "1 test changed"
    return el("article", fold(el("b", told), lines), class_="node")


def _place(node: Node) -> Child:
    subject = node.summary.subject if node.summary else None
    told = []
    if node.change and node.change.path:
        told.append(el("code", node.change.path))
    if subject and (subject.base or subject.current):
        sides = [el("code", side) for side in (subject.base, subject.current) if side]
        told.append(join(sides, " → "))
    return quiet(join(told, " · ")) if told else None


def _changes(change: Change) -> Child:
    phrases = detail_phrases(change)
    items = [el("li", el("code", phrase)) for phrase in phrases[:PHRASES_SHOWN]]
    if len(phrases) > PHRASES_SHOWN:
        items.append(el("li", more(len(phrases) - PHRASES_SHOWN)))
    wanted = Reason.BODY if Reason.BODY in change.reasons else Reason.COMPILED
    blocks = [code_diff(detail) for detail in change.details if detail.reason is wanted and is_text(detail)]
    if not items and not any(blocks):
        return None
    told = ", ".join(weighty_reasons(change))
    summary = [
        el("span", "~", class_="badge code"),
        " ",
        el("b", "Code"),
        " ",
        el("span", told, class_="told"),
    ]
    return fold(summary, [el("ul", items, class_="phrases") if items else None, blocks], class_="result")


def code_diff(detail: ChangeDetail) -> Markup:
    """The lines of a text that differ, with what stands around them."""
    lines = unified_diff(detail.base, detail.current)
    shown = [
        el("span", source(f"{shorten(line, DIFF_WIDTH)}\n"), class_=_TONES.get(line[:1]))
        for line in islice(lines, DIFF_LINES)
    ]
    rest = sum(1 for _line in lines)
    if not shown:
        return EMPTY
    told = el("pre", el("code", shown), class_="diff", tabindex=0)
    return Markup(told + quiet(f"{more(rest)} lines")) if rest else told
