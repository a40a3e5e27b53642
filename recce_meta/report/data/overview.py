"""Overview of data diffs as text: a table of nodes, the equal nodes, and what was not compared."""

from __future__ import annotations

from collections.abc import Sequence

from recce_meta.errors import plural
from recce_meta.models.data_diff import AnyDataDiff, kind_of
from recce_meta.report.data.summary import (
    ASPECTS,
    NodeSummary,
    data_verdict,
    named_nodes,
    summarise_nodes,
)
from recce_meta.report.data.verdicts import DiffVerdict, Outcome, title_of, words_for
from recce_meta.report.terminal import (
    Line,
    Span,
    Style,
    folded_grid,
    heading_row,
    name_lines,
    shorten,
    wrap_text,
)
from recce_meta.tables.gaps import stale_phrase

NODES_SHOWN = 40
"""Nodes in the table; `--details` shows all."""
ERROR_WIDTH = 120
"""Display width of an error in the table; its block has all of it."""

OUTCOME_MARKS = {
    Outcome.EQUAL: Span("= ", Style.GREEN),
    Outcome.DIFFERENT: Span("~ ", Style.YELLOW),
    Outcome.PARTIAL: Span("? ", Style.CYAN),
    Outcome.ONE_SIDED: Span("? ", Style.CYAN),
    Outcome.NOT_COMPARED: Span("? ", Style.CYAN),
    Outcome.FAILED: Span("! ", Style.RED),
}


def overview_lines(results: Sequence[AnyDataDiff], width: int, *, details: bool) -> list[Line]:
    """Return the verdict, the nodes that differ or were not compared, and the names of the equal nodes."""
    nodes = summarise_nodes(results)
    kinds = {kind_of(result) for result in results}
    title = title_of(results[0]).capitalize() if len(kinds) == 1 else "Data"
    return [
        (Span(title, Style.BOLD),),
        *verdict_lines(*data_verdict(nodes), width),
        *_table(nodes, width, details=details),
        *_gap_lines(nodes, width, details=details),
        *(
            line
            for outcome, phrase, names in named_nodes(nodes)
            for line in name_lines(outcome_lead(outcome), phrase, names, width, is_whole=details)
        ),
    ]


def outcome_lead(outcome: Outcome) -> Span:
    """Return the mark of *outcome* at the beginning of a line."""
    mark = OUTCOME_MARKS[outcome]
    return Span(f"  {mark.text}", mark.style)


def verdict_lines(outcome: Outcome, text: str, width: int) -> list[Line]:
    """Return *text* behind the mark of *outcome*, and in its style."""
    return wrap_text(outcome_lead(outcome), text, width, OUTCOME_MARKS[outcome].style)


def _table(nodes: Sequence[NodeSummary], width: int, *, details: bool) -> list[Line]:
    found = [node for node in nodes if details or node.outcome is not Outcome.EQUAL]
    if not found:
        return []
    aspects = [aspect for aspect in ASPECTS if any(aspect in node.aspects for node in found)]
    shown = found if details else found[:NODES_SHOWN]
    lines = folded_grid(
        [heading_row("node", *aspects, "remark"), *(_cells(node, aspects) for node in shown)], width=width
    )
    if len(shown) < len(found):
        hidden = plural(len(found) - len(shown), "more node")
        lines.append((Span(f"  … and {hidden} (--details shows all)", Style.DIM),))
    return lines


def _cells(node: NodeSummary, aspects: Sequence[str]) -> list[Span]:
    mark = OUTCOME_MARKS[node.outcome]
    cells = ["; ".join(map(_cell, node.aspects.get(aspect, ()))) for aspect in aspects]
    return [
        Span(mark.text + node.subject.name, mark.style),
        *map(Span, cells),
        Span(stale_phrase(node.subject), Style.YELLOW),
    ]


def _cell(found: DiffVerdict) -> str:
    """Return the text of a verdict; the reason why nothing was compared is below the table."""
    head, separator, _reason = found.text.partition(" not compared: ")
    if found.outcome is Outcome.NOT_COMPARED and separator and " " not in head:
        return "not compared"
    return shorten(found.text, ERROR_WIDTH) if found.outcome is Outcome.FAILED else found.text


def _gap_lines(nodes: Sequence[NodeSummary], width: int, *, details: bool) -> list[Line]:
    """Return what was not compared, grouped by reason, unless the table contains the reason."""
    groups: dict[tuple[str, str], list[str]] = {}
    for node in nodes:
        found = node.verdicts
        shown = " ".join(map(_cell, found))
        reasons: dict[str, list[str]] = {}
        for gap in node.gaps:
            is_failed = any(one.outcome is Outcome.FAILED and gap.reason in one.text for one in found)
            # The table or the node's own block shows the other reasons.
            if gap.reason not in shown and not is_failed:
                is_whole = any(
                    one.outcome is Outcome.NOT_COMPARED and gap.reason in one.text for one in found
                )
                title = f"{words_for(gap.diff).title} not compared{'' if is_whole else ' in full'}"
                reasons.setdefault(title, []).append(gap.reason)
        for title, texts in reasons.items():
            groups.setdefault((title, "; ".join(texts)), []).append(node.subject.name)
    lines: list[Line] = []
    for (title, reason), names in groups.items():
        lines += verdict_lines(Outcome.NOT_COMPARED, f"{title}: {reason}", width)
        lines += name_lines(Span("    "), plural(len(names), "node"), names, width, is_whole=details)
    return lines
