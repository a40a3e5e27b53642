"""Results of data diffs in Markdown: a table of nodes first, then a fold for each diff that says more.

What does not fit is left out from the least important end, and the text says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from recce_meta.models.data_diff import (
    AnyDataDiff,
    Failed,
    HistogramDiff,
    NotCompared,
    ProfileDiff,
    QueryDiff,
    RowCountDiff,
    RowsDiff,
    SchemaDiff,
    TopKDiff,
    ValueDetail,
    ValueDiff,
)
from recce_meta.report.data.markdown_blocks import md_table, names_code, result_markdown
from recce_meta.report.data.summary import (
    ASPECTS,
    NodeSummary,
    data_verdict,
    same_by_claim,
    summarise_nodes,
)
from recce_meta.report.data.wording import (
    Outcome,
    Verdict,
    plural,
    stale_phrase,
    subject_of,
    title_of,
    verdict,
)
from recce_meta.report.escape import code, html_code, prose
from recce_meta.report.markdown import MAX_CHARS, folded, has_all, within

SIGNS = {
    Outcome.EQUAL: "✅",
    Outcome.DIFFERENT: "🟡",
    Outcome.PARTIAL: "❔",
    Outcome.ONE_SIDED: "⚪",
    Outcome.NOT_COMPARED: "❔",
    Outcome.FAILED: "❗",
}
NODES_SHOWN = 40
VERDICT_WIDTH = 160
NAME_WIDTH = 80

_WEIGHT = (
    Failed,
    ValueDiff,
    QueryDiff,
    RowsDiff,
    SchemaDiff,
    ValueDetail,
    RowCountDiff,
    ProfileDiff,
    TopKDiff,
    HistogramDiff,
)
"""The first are left out last."""


class Fold(NamedTuple):
    """A piece that can be left out: the less its rank, the later."""

    rank: int
    text: str


def data_markdown(results: Sequence[AnyDataDiff], *, max_chars: int = MAX_CHARS) -> str:
    """*results* for people who review them, in at most *max_chars* characters (8,000 at least)."""
    nodes = summarise_nodes(results)
    outcome, told = data_verdict(nodes)
    text = f"### {SIGNS[outcome]} {told[:1].upper()}{told[1:]}\n" if nodes else "### No data was compared\n"
    text += nodes_section(nodes, max_chars // 3)
    return text + fitted(result_folds(results), max_chars - len(text))


def nodes_section(nodes: Sequence[NodeSummary], room: int) -> str:
    """The table of nodes, and the names of those without a difference, by what was compared."""
    telling = [node for node in nodes if node.outcome is not Outcome.EQUAL]
    shown = [aspect for aspect in ASPECTS if any(aspect in node.aspects for node in telling)]
    rows = [_row(node, shown) for node in telling[:NODES_SHOWN]]
    text = ""
    if rows:
        head = md_table(["", "node", *shown], [])
        kept = within(rows, room - len(head) - 600)
        text = "\n" + head + "".join(kept)
        hidden = len(telling) - len(kept)
        text += has_all(f"{hidden:,} more node{'s' * (hidden != 1)}") if hidden else ""
    for claim, same in same_by_claim(nodes).items():
        names = names_within([node.subject.name for node in same], room // 4)
        text += f"\n✅ Same {claim} in {plural(len(same), 'node')}{names}\n"
    return text


def names_within(names: Sequence[str], room: int) -> str:
    """`: a, b`, with as many of *names* as a line takes; nothing where that is longer than *room*."""
    told = names_code(names, 8)
    return f": {told}" if len(told) <= room else ""


def _row(node: NodeSummary, aspects: Sequence[str]) -> str:
    stale = prose(stale_phrase(node.subject))
    cells = [SIGNS[node.outcome], "<br>".join(filter(None, (code(node.subject.name, NAME_WIDTH), stale)))]
    cells += ["<br>".join(map(_told, node.aspects.get(aspect, ()))) for aspect in aspects]
    return f"| {' | '.join(cells)} |\n"


def _told(found: Verdict) -> str:
    return prose(_short(found.text))


def _short(text: str) -> str:
    return text if len(text) <= VERDICT_WIDTH else f"{text[:VERDICT_WIDTH]}…"


def result_folds(results: Sequence[AnyDataDiff], of: str = "") -> list[Fold]:
    """Return a fold for each result that found something, in the order given; *of* begins their titles."""
    lead = f"{prose(of)} · " if of else ""
    folds = []
    for result in results:
        found = verdict(result)
        if found.outcome is not Outcome.EQUAL and not isinstance(result, NotCompared):
            subject = subject_of(result)
            name = f"{html_code(subject.name, NAME_WIDTH)} · " if subject else ""
            kind = title_of(result)
            title = "" if isinstance(result, Failed) or kind == (subject and subject.name) else kind
            told = f"{name}{prose(': '.join(filter(None, (title, _short(found.text)))))}"
            folds.append(Fold(_WEIGHT.index(type(result)), folded(lead + told, result_markdown(result))))
    return folds


def fitted(folds: Sequence[Fold], room: int) -> str:
    """The most important of *folds* that fit into *room*, in their order, and how many are left out."""
    room -= 120
    kept: set[int] = set()
    for index in sorted(range(len(folds)), key=lambda index: folds[index].rank):
        if len(folds[index].text) <= room:
            kept.add(index)
            room -= len(folds[index].text)
    hidden = len(folds) - len(kept)
    told = has_all(f"{hidden:,} detail{'s' * (hidden != 1)}") if hidden else ""
    return "".join(folds[index].text for index in sorted(kept)) + told
