"""A diff on one screen of a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from textwrap import wrap
from typing import NamedTuple

from recce_meta.models.category import Category
from recce_meta.models.change import Change, Impact, RunDiff, Status
from recce_meta.models.run import RunMetadata
from recce_meta.report.characters import display_width, neutralise, shorten
from recce_meta.report.details import detail_phrases
from recce_meta.report.effects import effect_of, impact_label, is_judged
from recce_meta.report.terminal import BLANK, Line, Span, Style, plain, render, table
from recce_meta.report.wording import (
    TESTS,
    UNMARKED,
    build_problems,
    by_kind,
    counts_by_kind,
    dirty_legend,
    fail_phrases,
    kind_plural,
    moment,
    more,
    node_label,
    pull_request,
    revision,
    severe_phrases,
    short_run_id,
    summarise,
    summary_phrases,
    weighty_reasons,
)

SCREEN = 40
"""Lines that a diff takes unless told otherwise."""

LEAST_BODY = 10
"""Lines that the changed nodes get however much else there is to say."""

TESTS_SHOWN = 3
NOTES_SHOWN = 4
DISTANCES_SHOWN = 4

_MORE_WIDTH = len(" " + more(99_999))

MARKS = {
    Status.ADDED: Span("+", Style.GREEN),
    Status.REMOVED: Span("-", Style.RED),
    Status.MODIFIED: Span("~", Style.YELLOW),
    Status.UNCHANGED: Span("=", Style.DIM),
}


_EFFECT_STYLES = {
    Category.BREAKING: Style.RED,
    Category.UNKNOWN: Style.YELLOW,
    Category.PARTIAL_BREAKING: Style.YELLOW,
    Category.NON_BREAKING: Style.GREEN,
    Category.NONE: Style.DIM,
    None: Style.DIM,
}


class Density(NamedTuple):
    """How many lines the details of one node may take, and whether phrases share a line."""

    lines: int
    shared: bool


DENSITIES = (Density(30, False), Density(6, True), Density(3, True), Density(1, True), Density(0, True))
"""From roomy to terse; the first that fits is used."""


def diff_text(diff: RunDiff, *, width: int, color: bool, max_lines: int | None = SCREEN) -> str:
    """*diff* for people, in about *max_lines* lines of *width* cells (None, 0: without limit)."""
    head = [*_header(diff), BLANK, *summary_lines(diff, width)]
    rest = change_lines(diff, width=width, max_lines=max_lines, taken=len(head))
    return render([*head, *rest], width=width, color=color)


def change_lines(diff: RunDiff, *, width: int, max_lines: int | None, taken: int) -> list[Line]:
    """What changed, what that reaches, and notes: as much as *max_lines* leave beside *taken*."""
    tail = [*_downstream(diff, width, max_lines), *_notes(diff.notes, width, max_lines)]
    groups = by_kind(diff.changed)
    room = None if max_lines is None else max(max_lines - taken - len(tail) - 1, LEAST_BODY)
    body = [BLANK, *_changed_nodes(groups, width, room)] if groups else []
    return [*body, *tail]


def _header(diff: RunDiff) -> list[Line]:
    projects = dict.fromkeys((diff.base.project_name, diff.current.project_name))
    sides = [_run_cells("base", diff.base), _run_cells("current", diff.current)]
    if diff.base.environment == "base" and diff.current.environment == "current":
        sides = [[*cells[:1], Span(""), *cells[2:]] for cells in sides]
    problems: list[Line] = [(Span(f"  {problem}", Style.RED),) for problem in build_problems(diff)]
    legend = dirty_legend(diff.base, diff.current)
    notes: list[Line] = [(Span(f"  {legend}", Style.DIM),)] if legend else []
    return [(Span(" → ".join(projects), Style.BOLD),), *table(sides), *problems, *notes]


def _run_cells(side: str, run: RunMetadata) -> list[Span]:
    return [
        Span(side, Style.DIM),
        Span(run.environment),
        Span(short_run_id(run.run_id), Style.CYAN),
        Span(moment(run.run_at)),
        Span(revision(run)),
        Span(pull_request(run)),
    ]


def summary_lines(diff: RunDiff, width: int) -> list[Line]:
    """One line; where it is too wide, what changed, what that does, and what is no change have one each."""
    summary = summarise(diff)
    phrases = summary_phrases(summary)
    if not width or display_width(" · ".join(phrases)) <= width:
        return [_summary_line(phrases)]
    only = [phrase for phrase in phrases if phrase.endswith("only")]
    hurts = {*severe_phrases(summary), *fail_phrases(summary)}
    effects = [phrase for phrase in phrases if phrase in hurts or "downstream" in phrase]
    changed = [phrase for phrase in phrases if phrase not in (*only, *effects)]
    if display_width(" · ".join([*changed, *effects])) <= width:
        changed, effects = [*changed, *effects], []
    return [_summary_line(part) for part in (changed, effects, only) if part]


def _summary_line(phrases: Sequence[str]) -> Line:
    styles = {
        "modified": Style.YELLOW,
        "added": Style.GREEN,
        "removed": Style.RED,
        "changes": Style.GREEN,
        "breaking": Style.RED,
        "unknown": Style.YELLOW,
    }
    spans: list[Span] = []
    for phrase in phrases:
        style = styles.get(phrase.rpartition(" ")[2], Style.BOLD if "downstream" in phrase else Style.DIM)
        spans += [Span(" · ", Style.DIM), Span(phrase, style)]
    return spans[1:]


def _changed_nodes(groups: dict[str, list[Change]], width: int, room: int | None) -> list[Line]:
    if room is None:
        return _laid_out(groups, width, Density(10_000, False), every_test=True)
    least = sum(1 + len(group) for kind, group in groups.items() if kind not in TESTS)
    if least <= room:
        for density in DENSITIES:
            lines = _laid_out(groups, width, density)
            if len(lines) <= room:
                return lines
    return _cut_to(groups, room)


def _laid_out(
    groups: dict[str, list[Change]], width: int, density: Density, *, every_test: bool = False
) -> list[Line]:
    lines: list[Line] = []
    for kind, group in groups.items():
        is_long = kind in TESTS and len(group) > TESTS_SHOWN + 1 and not every_test
        shown = group[:TESTS_SHOWN] if is_long else group
        lines += [_group_title(kind, group), *_group_lines(shown, width, density)]
        if len(shown) < len(group):
            lines.append(_more_line(len(group) - len(shown)))
    return lines


def _cut_to(groups: dict[str, list[Change]], room: int) -> list[Line]:
    """Every group with its title and a fair share of the lines."""
    wanted = {
        kind: min(len(group), TESTS_SHOWN if kind in TESTS else len(group)) for kind, group in groups.items()
    }
    shares = _fair_shares(list(wanted.values()), room - 2 * len(groups))
    lines: list[Line] = []
    for (kind, group), share in zip(groups.items(), shares, strict=True):
        lines += [_group_title(kind, group), *_group_lines(group[:share], 0, Density(0, True))]
        if share < len(group):
            lines.append(_more_line(len(group) - share))
    return lines


def _fair_shares(wanted: Sequence[int], room: int) -> list[int]:
    """*room* divided so that small wishes are met in full and the large ones share the rest.

    >>> _fair_shares([5000, 2, 10], 20)
    [9, 2, 9]
    """
    shares = [0] * len(wanted)
    for rank, index in enumerate(sorted(range(len(wanted)), key=lambda index: wanted[index])):
        shares[index] = max(1, min(wanted[index], (room - sum(shares)) // (len(wanted) - rank)))
    return shares


def _group_title(kind: str, group: Sequence[Change]) -> Line:
    return Span(kind_plural(kind).capitalize(), Style.BOLD), Span(f" ({len(group):,})", Style.DIM)


def _more_line(hidden: int) -> Line:
    return (Span(f"  {more(hidden, hint=True)}", Style.DIM),)


def _group_lines(group: Sequence[Change], width: int, density: Density) -> list[Line]:
    lines: list[Line] = []
    has_effects = any(map(effect_of, group))
    titles = table([_title_cells(change, has_effects) for change in group], gap=2)
    for change, title in zip(group, titles, strict=True):
        lines.append(title)
        if density.lines:
            lines += [(Span(" " * 6), Span(text)) for text in _detail_lines(change, width - 6, density)]
    return lines


def _title_cells(change: Change, has_effects: bool) -> list[Span]:
    mark = MARKS[change.status]
    label = Span(f"{mark.text} {node_label(change)}", mark.style)
    about = change.path if change.status is not Status.MODIFIED else ", ".join(weighty_reasons(change))
    effect = [Span(effect_of(change), _EFFECT_STYLES[change.category])] if has_effects else []
    return [label, *effect, Span(about, Style.DIM)]


def _detail_lines(change: Change, width: int, density: Density) -> list[str]:
    phrases = [neutralise(phrase) for phrase in detail_phrases(change)]
    if not density.shared:
        shown = phrases if len(phrases) <= density.lines else phrases[: density.lines - 1]
        return shown + ([more(len(phrases) - len(shown))] if len(shown) < len(phrases) else [])
    lines: list[str] = []
    for index, phrase in enumerate(phrases):
        is_last = len(lines) == density.lines and index < len(phrases) - 1
        if lines and display_width(f"{lines[-1]} · {phrase}") <= width - (_MORE_WIDTH if is_last else 0):
            lines[-1] += f" · {phrase}"
        elif len(lines) < density.lines:
            lines.append(phrase)
        else:
            lines[-1] = f"{shorten(lines[-1], max(width - _MORE_WIDTH, 8))} {more(len(phrases) - index)}"
            break
    return lines


def _downstream(diff: RunDiff, width: int, max_lines: int | None) -> list[Line]:
    impacted = diff.impacted
    if not impacted:
        return []
    counts = Counter(impact.resource_type for impact in impacted)
    rows: dict[str, list[str]] = {}
    for impact in sorted(impacted, key=lambda impact: (impact.distance, not impact.fails)):
        if impact.resource_type not in TESTS | {"exposure"}:
            rows.setdefault(_distance(impact.distance, max_lines), []).append(_downstream_name(impact))
    exposures = [impact_label(impact) for impact in impacted if impact.resource_type == "exposure"]
    if exposures:
        rows["exposures"] = exposures
    room = width - 15 if width and max_lines is not None else 0
    title = (
        Span("Impact" if is_judged(diff) else "Downstream", Style.BOLD),
        Span(f"  {counts_by_kind(counts)}"),
    )
    return [
        BLANK,
        title,
        *table([[Span(key, Style.DIM), Span(_fitted(names, room))] for key, names in rows.items()]),
    ]


def _distance(distance: int, max_lines: int | None) -> str:
    if max_lines is not None and distance >= DISTANCES_SHOWN:
        return f"{DISTANCES_SHOWN}+ away"
    return f"{distance} away"


def _downstream_name(impact: Impact) -> str:
    label = impact_label(impact)
    return label if impact.resource_type in UNMARKED else f"{impact.resource_type}:{label}"


def _fitted(names: Sequence[str], width: int) -> str:
    """As many of *names* as *width* cells take (0: all), and how many more there are."""
    line = ""
    for index, name in enumerate(names):
        joined = f"{line}, {name}" if line else name
        hidden = len(names) - index - 1
        if width and line and display_width(f"{joined} {more(hidden)}" if hidden else joined) > width:
            return f"{line} {more(len(names) - index)}"
        line = joined
    return line


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
    pieces = wrap(neutralise(note), width - 4) if width > 8 else [note]
    return [plain(f"  {'  ' if index else ''}{piece}") for index, piece in enumerate(pieces)]
