"""Diff of two runs as text that fits one screen of a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from recce_meta.errors import agree, plural
from recce_meta.models.change import Category, Change, Impact, Reason, RunDiff, Status
from recce_meta.models.data_diff import AnyDataDiff
from recce_meta.models.marks.review import NO_CONTEXT, PairContext
from recce_meta.models.run import RunMetadata
from recce_meta.redaction import neutralise
from recce_meta.report.diff_details import (
    FAILS,
    MAY_FAIL,
    detail_phrases,
    effect_label,
    first_phrases,
    impact_label,
    is_classified,
)
from recce_meta.report.labels import (
    DETAILS,
    TESTS,
    UNMARKED,
    by_harm,
    counts_by_kind,
    dirty_legend,
    failing_first,
    main_reasons,
    moment,
    more_phrase,
    node_label,
    node_part,
    pull_request,
    revision,
    short_run_id,
    steps_away,
    summary_phrases,
)
from recce_meta.report.review.annotations import owner_sentences
from recce_meta.report.review.phrases import doubt_sentences, review_sentences
from recce_meta.report.review.verdict import TONES, Checks, verdict_of
from recce_meta.report.run_choice import default_reason, header_notes, note_lines
from recce_meta.report.terminal import (
    BLANK,
    Line,
    Span,
    Style,
    display_width,
    fitted_names,
    folded_grid,
    heading_row,
    name_lines,
    render,
    shorten,
    table,
    wrap_text,
)

SCREEN = 40
"""Default maximum number of lines."""

LEAST_WIDTH = 80
"""Display width below which twice as many lines are used."""

LEAST_BODY = 10
"""Lines reserved for the changed nodes."""

LEAST_DETAILS = 8
"""Lines reserved for details."""

NODES_SHOWN = 20
"""Nodes in the table of changes; `--details` shows all."""
NOTES_SHOWN = 4
DISTANCES_SHOWN = 4
DOUBTS_SHOWN = 5
ORIGINS_IN_ROW = 2

_MORE_WIDTH = len(" " + more_phrase(99_999))

MARKS = {
    Status.ADDED: Span("+", Style.GREEN),
    Status.REMOVED: Span("-", Style.RED),
    Status.MODIFIED: Span("~", Style.YELLOW),
    Status.UNCHANGED: Span("=", Style.DIM),
}
_EQUAL = Span("  = ", Style.DIM)
_TONE_MARKS = {
    "failed": Span("! ", Style.RED),
    "differs": Span("~ ", Style.YELLOW),
    "not-compared": Span("? ", Style.CYAN),
    "one-sided": Span("? ", Style.CYAN),
    "info": Span("  ", Style.BOLD),
    "same": Span("= ", Style.GREEN),
}
"""Mark and style of a sentence of the verdict by its tone."""

_EFFECT_STYLES = {
    Category.BREAKING: Style.RED,
    Category.UNKNOWN: Style.YELLOW,
    Category.PARTIAL_BREAKING: Style.YELLOW,
    Category.NON_BREAKING: Style.GREEN,
    Category.NONE: Style.DIM,
    None: Style.DIM,
}


class Density(NamedTuple):
    """Lines for the details of one node, and whether several phrases share a line."""

    lines: int
    shared: bool


DENSITIES = (Density(30, False), Density(6, True), Density(3, True), Density(1, True))
"""Densities from high to low number of lines; the first that fits is used."""
EVERYTHING = Density(10_000, False)


def diff_text(
    diff: RunDiff,
    checks: Checks | None = None,
    *,
    width: int,
    color: bool,
    details: bool = False,
    context: PairContext = NO_CONTEXT,
) -> str:
    """Return *diff* in lines of *width* cells (0: no limit): summary, changed nodes, impact, details.

    Without *details*, about `SCREEN` lines are returned: names and details of the least harmful changes are
    left out if they do not fit. Stored *checks* are part of the verdict. *context* has the marks of
    reviewers, and the owners of nodes.
    """
    head = diff_head(diff, width, context, checks=checks)
    most = line_limit(width, details=details)
    lines = [*head, *change_lines(diff, width=width, max_lines=most, taken=len(head))]
    return render(lines, width=width, color=color)


def line_limit(width: int, *, details: bool) -> int | None:
    """Return the maximum number of lines; None with *details*."""
    if details:
        return None
    return 2 * SCREEN if 0 < width < LEAST_WIDTH else SCREEN


def diff_head(
    diff: RunDiff,
    width: int,
    context: PairContext,
    *,
    results: Sequence[AnyDataDiff] = (),
    checks: Checks | None = None,
) -> list[Line]:
    """Return both runs, the verdict, the progress of the review, and the owners to ask."""
    sentences = [*review_sentences(diff, context.reviews), *owner_sentences(diff, context.annotations)]
    further = [line for text in sentences for line in wrap_text(Span("  "), text, width)]
    # Affected nodes that may fail are listed with their reasons below.
    doubts = doubt_sentences(diff, changed_only=True)
    shown = doubts[:DOUBTS_SHOWN] + [more_phrase(len(doubts) - DOUBTS_SHOWN)] * (len(doubts) > DOUBTS_SHOWN)
    doubtful = [line for text in shown for line in wrap_text(Span("  "), text, width, Style.YELLOW)]
    lines = verdict_lines(diff, results, checks, width=width)
    return [*_header(diff, width), BLANK, *lines, *doubtful, *further]


def change_lines(diff: RunDiff, *, width: int, max_lines: int | None, taken: int) -> list[Line]:
    """Return changed nodes, impact, notes and details in the lines that *max_lines* leaves after *taken*."""
    overview = change_overview(diff, width=width, max_lines=max_lines, taken=taken)
    return [*overview, *change_details(diff, width=width, max_lines=max_lines, taken=taken + len(overview))]


def change_overview(diff: RunDiff, *, width: int, max_lines: int | None, taken: int) -> list[Line]:
    """Return a table of the changed nodes, the affected nodes, and the notes."""
    # The lines below the table have a fixed number; the table takes those that are left.
    tail = [*_downstream(diff, width, max_lines), *_notes(diff.notes, width, max_lines)]
    room = None if max_lines is None else max(max_lines - taken - len(tail) - 4, LEAST_BODY)
    return [*_changed_nodes(diff, width, room), *tail]


def _header(diff: RunDiff, width: int) -> list[Line]:
    projects = dict.fromkeys((diff.base.project_name, diff.current.project_name))
    sides = [
        [*_run_cells(side, run), Span(default_reason(diff.choice, side), Style.DIM)]
        for side, run in (("base", diff.base), ("current", diff.current))
    ]
    # The environments then only repeat the names of the sides.
    if diff.base.environment == "base" and diff.current.environment == "current":
        sides = [[*cells[:1], Span(""), *cells[2:]] for cells in sides]
    lead = Span("  ")
    legend = dirty_legend(diff.base, diff.current)
    notes = wrap_text(lead, legend, width, Style.DIM) if legend else []
    notes += note_lines(header_notes(diff), width)
    lines = table(sides)
    # The cells of a table cannot be wrapped, so that each run becomes a paragraph.
    if 0 < width < max(sum(display_width(span.text) for span in line) for line in lines):
        lines = [line for cells in sides for line in _folded_run(cells, width)]
    return [(Span(" → ".join(projects), Style.BOLD),), *lines, *notes]


def _folded_run(cells: Sequence[Span], width: int) -> list[Line]:
    lead = Span(f"  {cells[0].text:<7}  ", Style.DIM)
    return wrap_text(lead, "  ".join(cell.text for cell in cells[1:] if cell.text), width)


def _run_cells(side: str, run: RunMetadata) -> list[Span]:
    return [
        Span(side, Style.DIM),
        Span(run.environment),
        Span(short_run_id(run.run_id), Style.CYAN),
        Span(moment(run.run_at)),
        Span(revision(run)),
        Span(pull_request(run)),
    ]


def verdict_lines(
    diff: RunDiff,
    results: Sequence[AnyDataDiff] = (),
    checks: Checks | None = None,
    *,
    width: int,
) -> list[Line]:
    """Return the sentences of the verdict, the worst first, and the numbers of changes."""
    found = verdict_of(diff, results, checks)
    lines = [
        line
        for finding, text in zip(found.findings, found.sentences, strict=True)
        for mark in (_TONE_MARKS[TONES[finding.rank[0]]],)
        for line in wrap_text(mark, text, width, mark.style)
    ]
    # The names of nodes that differ in formatting or environment only are listed below.
    counts = " · ".join(summary_phrases(diff, with_equal=False))
    return [*lines, *(wrap_text(Span("  "), counts, width, Style.DIM) if counts else [])]


def _changed_nodes(diff: RunDiff, width: int, room: int | None) -> list[Line]:
    """Return the changed nodes, the most harmful first, then tests and equal nodes by name."""
    changes = by_harm(diff.changed)
    nodes = [change for change in changes if room is None or not _is_plain_test(change)]
    tests = [change for change in changes if room is not None and _is_plain_test(change)]
    equal = _equal_lines(diff, width, is_whole=room is None)
    if not changes:
        return [BLANK, *equal] if equal else []
    lines: list[Line] = [BLANK, (Span("Changed nodes", Style.BOLD), Span(f"  {len(changes):,}", Style.DIM))]
    statuses = {change.status for change in tests}
    if room is not None:
        room = max(min(NODES_SHOWN, room - len(statuses) - len(equal) - LEAST_DETAILS), LEAST_BODY)
    shown = nodes if room is None else nodes[:room]
    if shown:
        heads = heading_row("node", "type", "effect", "what changed")
        lines += folded_grid([heads, *map(_node_cells, shown)], width=width)
    if len(shown) < len(nodes):
        lines.append(_more_line(len(nodes) - len(shown)))
    for status in (Status.REMOVED, Status.MODIFIED, Status.ADDED):
        if found := [change for change in tests if change.status is status]:
            lines += _test_lines(found, status, width)
    return [*lines, *equal]


def _is_plain_test(change: Change) -> bool:
    """Return True for a test that is named rather than described: it does not fail, and may not."""
    return change.resource_type in TESTS and not (change.fails or change.may_fail)


def _test_lines(found: Sequence[Change], status: Status, width: int) -> list[Line]:
    """Return `+ 4 tests, 1 unit test added: a, b …` in one line."""
    mark = MARKS[status]
    text = f"{counts_by_kind(Counter(change.resource_type for change in found))} {status}"
    lead = Span(f"  {mark.text} ", mark.style)
    return name_lines(lead, text, [node_label(change) for change in found], width, is_whole=False)


def _equal_lines(diff: RunDiff, width: int, *, is_whole: bool) -> list[Line]:
    """Return the nodes that differ only in formatting or environment, in one line each."""
    unchanged = [change for change in diff.changes if change.status is Status.UNCHANGED]
    groups = {
        "only in formatting": [change for change in unchanged if Reason.FORMATTING in change.reasons],
        "only by environment (target, database, schema, first build)": [
            change for change in unchanged if Reason.FORMATTING not in change.reasons
        ],
    }
    lines: list[Line] = []
    for words, found in groups.items():
        if found:
            text = f"{plural(len(found), 'node')} {agree(len(found), 'differ')} {words}"
            lines += name_lines(_EQUAL, text, list(map(node_label, found)), width, is_whole=is_whole)
    return lines


def _node_cells(change: Change) -> list[Span]:
    mark = MARKS[change.status]
    return [
        Span(f"{mark.text} {node_label(change)}", mark.style),
        Span(change.resource_type.replace("_", " "), Style.DIM),
        _effect_cell(change),
        Span(_about(change), Style.DIM),
    ]


def _effect_cell(change: Change) -> Span:
    """Return the effect on readers; a node that fails itself, or may, has that first."""
    label = effect_label(change)
    if change.fails or change.may_fail:
        word, style = (FAILS, Style.RED) if change.fails else (MAY_FAIL, Style.YELLOW)
        return Span(", ".join(filter(None, (word, label))), style)
    return Span(label, _EFFECT_STYLES[change.category])


def _about(change: Change) -> str:
    """Return the reasons of a modified node, or the file of an added or removed one."""
    if change.status is not Status.MODIFIED:
        return change.path
    found = [", ".join(main_reasons(change))]
    if change.reached is not None:
        origins = list(map(node_part, change.reached.origins))
        found.append(f"affected by {first_phrases(origins, ORIGINS_IN_ROW)}")
    return "; ".join(filter(None, found))


def change_details(diff: RunDiff, *, width: int, max_lines: int | None, taken: int) -> list[Line]:
    """Return the details of the modified nodes, the most harmful first, in the lines that are left."""
    found = [
        (change, phrases)
        for change in by_harm(diff.changed)
        if change.status is Status.MODIFIED and (phrases := detail_phrases(change))
    ]
    if not found:
        return []
    if max_lines is None:
        return _described(found, width, EVERYTHING)
    room = max(max_lines - taken, LEAST_DETAILS)
    for density in DENSITIES:
        lines = _described(found, width, density)
        if len(lines) <= room:
            return lines
    # Each node takes two lines; title, blank line and remark take three.
    shown = max((room - 3) // 2, 1)
    lines = _described(found[:shown], width, DENSITIES[-1])
    text = f"  … and details of {plural(len(found) - shown, 'more node')} ({DETAILS} shows all)"
    return [*lines, (Span(text, Style.DIM),)] if shown < len(found) else lines


def _described(found: Sequence[tuple[Change, Sequence[str]]], width: int, density: Density) -> list[Line]:
    lines: list[Line] = []
    is_cut = False
    for change, phrases in found:
        mark = MARKS[change.status]
        lines.append((Span(f"  {mark.text} {node_label(change)}", mark.style),))
        texts = _fitted_phrases(phrases, width - 6, density)
        is_cut = is_cut or texts[-1].endswith(" more")
        for text in texts:
            whole = wrap_text(Span(" " * 6), text, width)
            lines += [(Span(" " * 6), Span(text))] if density.shared else whole
    hint = f"  {DETAILS} shows all" if is_cut else ""
    return [BLANK, (Span("Details of changes", Style.BOLD), Span(hint, Style.DIM)), *lines]


def _more_line(hidden: int) -> Line:
    return (Span(f"  {more_phrase(hidden, hint=True, option=DETAILS)}", Style.DIM),)


def _fitted_phrases(phrases: Sequence[str], width: int, density: Density) -> list[str]:
    """Return *phrases* in at most the lines of *density*."""
    phrases = [neutralise(phrase) for phrase in phrases]
    if not density.shared:
        shown = phrases if len(phrases) <= density.lines else phrases[: density.lines - 1]
        return shown + ([more_phrase(len(phrases) - len(shown))] if len(shown) < len(phrases) else [])
    lines: list[str] = []
    for index, phrase in enumerate(phrases):
        # The last line keeps room for the number of phrases that are left out.
        is_last = len(lines) == density.lines and index < len(phrases) - 1
        if lines and display_width(f"{lines[-1]} · {phrase}") <= width - (_MORE_WIDTH if is_last else 0):
            lines[-1] += f" · {phrase}"
        elif len(lines) < density.lines:
            lines.append(phrase)
        else:
            lines[-1] = (
                f"{shorten(lines[-1], max(width - _MORE_WIDTH, 8))} {more_phrase(len(phrases) - index)}"
            )
            break
    return lines


def _downstream(diff: RunDiff, width: int, max_lines: int | None) -> list[Line]:
    impacted = diff.impacted
    if not impacted:
        return []
    counts = Counter(impact.resource_type for impact in impacted)
    # On one screen, tests are counted, but not named.
    named = TESTS | {"exposure"} if max_lines is not None else {"exposure"}
    rows: dict[str, list[str]] = {}
    for impact in sorted(impacted, key=lambda impact: (impact.distance, failing_first(impact))):
        if impact.resource_type not in named:
            rows.setdefault(_distance(impact.distance, max_lines), []).append(_downstream_name(impact))
    exposures = [impact_label(impact) for impact in impacted if impact.resource_type == "exposure"]
    if exposures:
        rows["exposures"] = exposures
    title = (
        Span("Affected downstream" if is_classified(diff) else "Downstream", Style.BOLD),
        Span(f"  {counts_by_kind(counts)}", Style.DIM),
    )
    lead = max(map(len, rows), default=0) + 4
    lines: list[Line] = [BLANK, title]
    for key, names in rows.items():
        head = Span(f"  {key}".ljust(lead), Style.DIM)
        if max_lines is None:
            lines += wrap_text(head, ", ".join(names), width)
        else:
            lines.append((head, Span(fitted_names(names, width - lead if width else 0))))
    return lines


def _distance(distance: int, max_lines: int | None) -> str:
    if max_lines is not None and distance >= DISTANCES_SHOWN:
        return f"{DISTANCES_SHOWN} or more steps away"
    return steps_away(distance)


def _downstream_name(impact: Impact) -> str:
    label = impact_label(impact)
    return label if impact.resource_type in UNMARKED else f"{impact.resource_type}:{label}"


def _notes(notes: Sequence[str], width: int, max_lines: int | None) -> list[Line]:
    if not notes:
        return []
    shown = notes if max_lines is None or len(notes) <= NOTES_SHOWN else notes[: NOTES_SHOWN - 1]
    lines: list[Line] = [
        BLANK,
        (Span("Notes", Style.BOLD),),
        *(line for note in shown for line in _wrapped(note, width)),
    ]
    return lines if len(shown) == len(notes) else [*lines, _more_line(len(notes) - len(shown))]


def _wrapped(note: str, width: int) -> list[Line]:
    first, *rest = wrap_text(Span("  "), note, width - 2 if width else 0)
    return [first, *((Span("  "), *line) for line in rest)]
