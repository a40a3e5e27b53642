"""The page: what a reviewer has to know first, then the nodes, the lineage, the checks, and all details.

The file is complete: its policy forbids every request, and allows the one style and the one script in it by
their hashes. It can be read without the script, which only sorts, filters, and opens what is printed.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files

from recce_meta.models.category import Category
from recce_meta.models.change import Impact, RunDiff
from recce_meta.models.check_result import CheckReport
from recce_meta.models.data_diff import AnyDataDiff, RowCountDiff
from recce_meta.models.run import RunMetadata
from recce_meta.report.data.summary import NodeSummary, data_summary
from recce_meta.report.data.wording import Outcome, verdict
from recce_meta.report.effects import reach_of
from recce_meta.report.html.checks import check_tiles, checks_section
from recce_meta.report.html.lineage import Mark, lineage_svg
from recce_meta.report.html.markup import EMPTY, Markup, el, join, text
from recce_meta.report.html.nodes import Node, nodes_of, overview, section, tests_changed
from recce_meta.report.html.results import CLASSES, badge, notes, result_body
from recce_meta.report.html.tables import fold
from recce_meta.report.pull_request import verdicts
from recce_meta.report.wording import (
    SEVERE,
    TESTS,
    DiffSummary,
    build_problems,
    counts_by_kind,
    dirty_legend,
    fail_phrases,
    kind_order,
    moment,
    node_label,
    pull_request,
    revision,
    severe_phrases,
    short_run_id,
    summarise,
)

OPEN_NODES = 40

_PLACE = re.compile(r"\{\{ (\w+) \}\}")
_TONES = {
    "❌": "failed",
    "❗": "failed",
    "⚠️": "differs",
    "🟡": "differs",
    "🔎": "info",
    "❔": "not-compared",
    "⚪": "one-sided",
    "✅": "same",
}
_FILTERS = {
    "": "all",
    "differs": "differs",
    "failed": "failed",
    "not-compared": "not compared",
    "partial": "partly compared",
    "one-sided": "one-sided",
    "same": "same",
    "code": "code only",
}


def html_report(
    title: str,
    diff: RunDiff | None = None,
    results: Sequence[AnyDataDiff] = (),
    checks: CheckReport | None = None,
) -> str:
    """One HTML document about all that is given; *title* names it in the tab and at the top.

    Every name and value is text: none can become markup or script.
    """
    nodes = nodes_of(diff, results)
    counts = [result for result in results if isinstance(result, RowCountDiff)]
    parts = {
        "Nodes": (overview(nodes) if nodes else EMPTY),
        "Checks": checks_section(checks),
        "Lineage": _lineage(diff, nodes),
        "Row counts": join([_row_counts(result) for result in counts]),
        "Details": join([*_details(nodes), *_tests(diff)]),
        "Downstream": _downstream(diff) if diff else EMPTY,
        "Notes": notes(diff.notes) if diff else EMPTY,
    }
    parts = {name: part for name, part in parts.items() if part}
    style, script = _static("report.css"), _static("report.js")
    return _filled(
        _static("page.html"),
        {
            "policy": text(_policy(style, script)),
            "title": text(title),
            "style": style,
            "script": script,
            "head": _head(title, diff, results, checks, nodes),
            "navigation": _navigation(parts, nodes),
            "main": join([_section(name, part) for name, part in parts.items()]),
        },
    )


@cache
def _static(name: str) -> str:
    """A file beside this module; part of the program, like its code."""
    return files("recce_meta.report.html").joinpath("static").joinpath(name).read_text(encoding="utf-8")


def _filled(template: str, parts: Mapping[str, str]) -> str:
    """*template* with its places filled in one pass, so that what is filled in is never read as a place."""
    return _PLACE.sub(lambda place: parts[place[1]], template)


def _policy(style: str, script: str) -> str:
    """The Content Security Policy: see https://www.w3.org/TR/CSP3/#source-list-syntax for hashes."""
    return (
        f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(inline: str) -> str:
    return f"'sha256-{b64encode(sha256(inline.encode()).digest()).decode()}'"


def _section(name: str, part: Markup) -> Markup:
    return el("section", el("h2", name), part, id=_anchor(name))


def _anchor(name: str) -> str:
    return name.lower().replace(" ", "-")


def _head(
    title: str,
    diff: RunDiff | None,
    results: Sequence[AnyDataDiff],
    checks: CheckReport | None,
    nodes: Sequence[Node],
) -> Markup:
    told = verdicts(diff, results, checks)
    sign = _TONES[told[0][0]] if told else "one-sided"
    sentence = told[0][1] if told else "Nothing was compared"
    return el(
        "header",
        el("p", title, class_="title"),
        el("h1", el("span", _capital(sentence), class_=f"verdict {sign}")),
        el("p", join([_capital(one) for _sign, one in told[1:]], " · "), class_="also") if told[1:] else None,
        _runs(diff) if diff else None,
        *(_run_notes(diff) if diff else ()),
        el("div", _tiles(diff, checks, nodes), class_="tiles"),
    )


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _run_notes(diff: RunDiff) -> list[Markup]:
    """Return failed builds, and what a `*` after a commit means."""
    notes = [*build_problems(diff), dirty_legend(diff.base, diff.current)]
    return [el("p", note, class_="also") for note in notes if note]


def _runs(diff: RunDiff) -> Markup:
    project = " → ".join(dict.fromkeys((diff.base.project_name, diff.current.project_name)))
    return el(
        "p", el("b", project), " ", _run("base", diff.base), el("span", " → "), _run("current", diff.current),
        class_="runs",
    )  # fmt: skip


def _run(side: str, run: RunMetadata) -> Markup:
    facts = [short_run_id(run.run_id), revision(run), pull_request(run), moment(run.run_at)]
    name = run.environment or side
    return el(
        "span", el("span", class_=f"swatch {side}"), el("b", name), " ", " · ".join(filter(None, facts))
    )


def _tiles(diff: RunDiff | None, checks: CheckReport | None, nodes: Sequence[Node]) -> list[Markup]:
    tiles = [_tile("checks", figure, told, tone) for figure, told, tone in check_tiles(checks)]
    tiles += _data_tiles([node.summary for node in nodes if node.summary])
    if diff is not None:
        summary = summarise(diff)
        changed = {"modified": summary.modified, "added": summary.added, "removed": summary.removed}
        told = " · ".join(f"{number:,} {word}" for word, number in changed.items() if number)
        tiles.append(
            _tile(
                "details" if any(node.has_section for node in nodes) else "nodes" if nodes else "",
                sum(changed.values()),
                f"nodes changed: {told}" if told else "nodes changed",
                "info",
            )
        )
        tiles += [_severe_tile(summary)] if severe_phrases(summary) else []
        told = (
            f"of {summary.downstream:,} nodes downstream impacted" if diff.unreached else "nodes downstream"
        )
        told = " · ".join([told, *fail_phrases(summary)])
        tiles.append(_tile("downstream" if summary.downstream else "", summary.impacted, told, "quiet"))
    return tiles


def _data_tiles(compared: Sequence[NodeSummary]) -> list[Markup]:
    """Nodes whose data differs, and nodes not compared; green only if all are equal."""
    if not compared:
        return []
    counts = data_summary(compared)
    tone = "differs" if counts.different else "same" if counts.same == counts.nodes else "quiet"
    tiles = [_tile("nodes", counts.different, f"of {counts.nodes:,} nodes differ in data", tone)]
    failed = sum(node.outcome is Outcome.FAILED for node in compared)
    if failed:
        tiles.append(_tile("nodes", failed, "could not be compared", "failed"))
    if counts.not_compared > failed:
        told = "not compared, or not in full"
        tiles.append(_tile("nodes", counts.not_compared - failed, told, "not-compared"))
    return tiles


def _severe_tile(summary: DiffSummary) -> Markup:
    """How many changes can hurt somebody, and how."""
    counts = [summary.categories.get(category.value, 0) for category in SEVERE]
    told = " · ".join(severe_phrases(summary))
    tone = "failed" if summary.categories.get(Category.BREAKING.value) else "differs"
    return _tile("nodes", sum(counts), f"of them can hurt: {told}", tone)


def _tile(target: str, figure: int, told: str, tone: str) -> Markup:
    inner = [el("b", figure), el("span", told)]
    if not target:
        return el("div", inner, class_=f"tile {tone}")
    return el("a", inner, class_=f"tile {tone}", href=f"#{target}")


def _navigation(parts: Mapping[str, Markup], nodes: Sequence[Node]) -> Markup:
    """Links to the sections; the filter is shown by the script, without which it does nothing."""
    links = [el("a", name, href=f"#{_anchor(name)}") for name in parts]
    states = Counter(node.state for node in nodes)
    chips = [
        el(
            "button",
            f"{label} {states[state] if state else len(nodes):,}",
            type="button",
            data_filter=state,
            aria_pressed="false" if state else "true",
        )
        for state, label in _FILTERS.items()
        if not state or states[state]
    ]
    search = el(
        "input", type="search", id="filter", placeholder="Filter nodes  /", aria_label="Filter nodes",
        autocomplete="off",
    )  # fmt: skip
    tools = [
        search,
        el("span", chips, class_="chips"),
        el("button", "Expand all", type="button", id="expand"),
    ]
    return el(
        "nav",
        el("div", links, class_="links"),
        el("div", tools, class_="tools", hidden=True),
        aria_label="Page",
    )


def _details(nodes: Sequence[Node]) -> list[Markup]:
    """The sections of nodes; of many, all are folded, so that the page stays short and quick."""
    telling = [node for node in nodes if node.has_section]
    return [section(node, is_open=len(telling) <= OPEN_NODES) for node in telling]


def _tests(diff: RunDiff | None) -> list[Markup]:
    return [tests_changed(diff)] if diff else []


def _row_counts(result: RowCountDiff) -> Markup:
    outcome, told = verdict(result)
    return join([el("p", badge(outcome), told), result_body(result)])


def _lineage(diff: RunDiff | None, nodes: Sequence[Node]) -> Markup:
    if diff is None:
        return EMPTY
    marks = {
        node.unique_id: Mark(
            CLASSES[node.summary.outcome] if node.summary else "", node.anchor if node.has_section else ""
        )
        for node in nodes
        if node.unique_id
    }
    return lineage_svg(diff, marks)


def _downstream(diff: RunDiff) -> Markup:
    """Each distance in a line, tests only counted."""
    impacted = diff.impacted
    if not impacted:
        told = f"Of {diff.unreached:,} nodes downstream none is impacted."
        return el("p", told, class_="quiet") if diff.unreached else EMPTY
    shown = [impact for impact in impacted if impact.resource_type not in TESTS]
    lines = []
    for distance in sorted({impact.distance for impact in shown}):
        group = sorted(
            (impact for impact in shown if impact.distance == distance),
            key=lambda impact: (not impact.fails, kind_order(impact.resource_type), node_label(impact)),
        )
        rest = f" and {len(group) - 200:,} more" if len(group) > 200 else ""
        told = join([_impacted(impact) for impact in group[:200]], ", ")
        lines.append(el("li", f"{distance} away: ", told, rest))
    counts = counts_by_kind(Counter(impact.resource_type for impact in impacted))
    of = f"{len(impacted):,} of {len(impacted) + diff.unreached:,} impacted: " if diff.unreached else ""
    return fold(of + counts, el("ul", lines), is_open=len(shown) <= 40, class_="result")


def _impacted(impact: Impact) -> Markup:
    """The node, with its columns that are reached where not all of it is."""
    about = reach_of(impact, 8)
    told = [el("code", node_label(impact)), el("span", f" ({about})", class_="quiet") if about else None]
    return join(told)
