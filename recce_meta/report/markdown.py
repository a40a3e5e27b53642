"""A diff as a comment on a pull request.

What a reviewer needs first stands open: the verdict, the table, the graph. The rest is folded away, and
is what gives way when the comment would become longer than its host takes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from recce_meta.models.category import Category
from recce_meta.models.change import COSMETIC, Change, ChangeDetail, Impact, Reach, Reason, RunDiff, Status
from recce_meta.models.run import RunMetadata
from recce_meta.report.characters import shorten
from recce_meta.report.code_delta import unified_diff
from recce_meta.report.details import detail_phrases, is_text
from recce_meta.report.effects import FAILS, column_phrases, effect_of, is_judged, is_unsure, reached_phrase
from recce_meta.report.escape import code, fenced, html_code, prose, words
from recce_meta.report.mermaid import diff_flowchart
from recce_meta.report.scan_details import is_column
from recce_meta.report.wording import (
    KINDS,
    SEVERE,
    TESTS,
    UNMARKED,
    DiffSummary,
    build_problems,
    by_kind,
    count_of,
    counts_by_kind,
    dirty_legend,
    downstream_phrase,
    fail_phrases,
    join_words,
    kind_order,
    moment,
    more,
    node_label,
    node_part,
    revision,
    severe_phrases,
    short_run_id,
    summarise,
    summary_phrases,
    weighty_reasons,
)

MAX_CHARS = 60_000
"""GitHub takes 65,536 characters in a comment; the rest is for whoever adds a line of their own."""

MARKER = "<!-- recce_meta diff -->"
"""The first line, by which a bot finds its comment again to replace it."""

ROWS_OPEN = 20
COLUMNS_IN_ROW = 5
REASONS_IN_ROW = 3
IMPACTED_OPEN = 12
TESTS_OPEN = 3
DETAILS_OPEN = 8
MACROS_SHOWN = 10
PHRASES_SHOWN = 30
DIFF_LINES = 60
DIFF_WIDTH = 240
NAMES_PER_DISTANCE = 50
NOTES_SHOWN = 20

_TOLD_BY_NAME = COSMETIC | {Reason.DATA}
"""Reasons whose details say no more than their name."""

_STATUS = {Status.ADDED: "🟢 added", Status.REMOVED: "🔴 removed", Status.MODIFIED: "🟡 modified"}
_TABLE_HEAD = "| | node | type | what changed |\n|---|---|---|---|\n"
_JUDGED_HEAD = "| | node | type | effect | what changed |\n|---|---|---|---|---|\n"


def diff_markdown(diff: RunDiff, *, max_chars: int = MAX_CHARS) -> str:
    """*diff* for people who review it, in at most *max_chars* characters (8,000 at least)."""
    text = _head(diff)
    return text + diff_body(diff, max_chars - len(text))


def diff_body(diff: RunDiff, room: int) -> str:
    """Everything under the head, in at most *room* characters (7,000 at least)."""
    changes = [change for group in by_kind(diff.changed).values() for change in group]
    nodes, tests = _parted(changes)
    judged = is_judged(diff)
    in_view = nodes[:ROWS_OPEN] + (tests if len(tests) <= TESTS_OPEN else [])
    folded_rows = nodes[ROWS_OPEN:] + (tests if len(tests) > TESTS_OPEN else [])
    text = "".join(
        (
            _table(in_view, room // 4, judged),
            _downstream(diff, room // 8) if judged else "",
            _notes(diff.notes, room // 8),
            _graph(diff, room // 5),
            _more_rows(folded_rows, room // 6, judged),
            "" if judged else _downstream(diff, room // 8),
        )
    )
    text += _macros(changes, (room - len(text)) // 4)
    return text + _details(changes, room - len(text))


def _parted(changes: Sequence[Change]) -> tuple[list[Change], list[Change]]:
    """The nodes, and the tests: these follow a model by the dozen and would bury the others."""
    nodes = [change for change in changes if change.resource_type not in TESTS]
    return nodes, [change for change in changes if change.resource_type in TESTS]


def _head(diff: RunDiff) -> str:
    phrases = summary_phrases(summarise(diff), severe=False)[0 if diff.changed else 1 :]
    return (
        f"{MARKER}\n### {' '.join(diff_verdict(diff))}\n\n"
        + (f"**{' · '.join(phrases)}**\n\n" if phrases else "")
        + sides_line(diff)
    )


def sides_line(diff: RunDiff) -> str:
    """Return the projects and the two runs, failed builds, and what a `*` after a commit means."""
    projects = dict.fromkeys((diff.base.project_name, diff.current.project_name))
    names = " → ".join(code(name, 60) for name in projects)
    notes = "".join(f"\n⚠️ {problem}\n" for problem in build_problems(diff))
    if legend := dirty_legend(diff.base, diff.current):
        notes += f"\n{prose(legend)}\n"
    return f"{names}: {_side(diff.base)} → {_side(diff.current)}\n{notes}"


def diff_verdict(diff: RunDiff) -> tuple[str, str]:
    """A sign, and what a reviewer has to know first."""
    summary = summarise(diff)
    changed = summary.added + summary.removed + summary.modified
    if not changed:
        return ("⚪", "No changes found, not all was compared") if diff.notes else ("✅", "No changes")
    told = count_of(changed, "node") + " changed, "
    told += downstream_phrase(summary) if summary.downstream else "nothing downstream"
    worst = ": ".join(filter(None, (_dangers(summary), _losses(diff))))
    worst = " · ".join(filter(None, (worst, *fail_phrases(summary))))
    return ("⚠️", f"{worst} ({told})") if worst else ("🔎", told)


def _dangers(summary: DiffSummary) -> str:
    """`2 breaking and 1 unknown changes`, `1 breaking change`."""
    severe = severe_phrases(summary)
    total = sum(summary.categories.get(category.value, 0) for category in SEVERE)
    return f"{join_words(severe)} change{'s' * (total > 1)}" if severe else ""


def _losses(diff: RunDiff) -> str:
    """What those who read the relations lose: nodes, columns, the types they relied on."""
    removed = Counter(c.resource_type for c in diff.changed if c.status is Status.REMOVED)
    lost = retyped = 0
    for change, detail in ((c, d) for c in diff.changed for d in c.details if d.reason is Reason.COLUMNS):
        if is_column(change, detail):
            lost += detail.current is None
            retyped += detail.base is not None and detail.current is not None
    nodes = sum(count for kind, count in removed.items() if kind not in TESTS)
    gone = join_words([count_of(nodes, "node")] * bool(nodes) + [count_of(lost, "column")] * bool(lost))
    changed = count_of(retyped, "column") + " of another type" if retyped else ""
    return ", ".join(filter(None, (gone and f"{gone} removed", changed)))


def _side(run: RunMetadata) -> str:
    facts = [code(revision(run), 60) if revision(run) else "", moment(run.run_at)]
    return f"{code(run.environment, 60)} {code(short_run_id(run.run_id))} ({', '.join(filter(None, facts))})"


def _table(changes: Sequence[Change], room: int, has_effects: bool) -> str:
    if not changes:
        return ""
    rows = within([_row(change, has_effects) for change in changes], room)
    return (
        "\n"
        + (_JUDGED_HEAD if has_effects else _TABLE_HEAD)
        + "".join(rows)
        + _left_out(len(changes) - len(rows), "node")
    )


def _row(change: Change, has_effects: bool) -> str:
    node = f"{code(node_label(change))} | {words(change.resource_type)}"
    node += f" | {_effect(change)}" if has_effects else ""
    is_modified = change.status is Status.MODIFIED
    told = ", ".join(weighty_reasons(change)) if is_modified else change.path and code(change.path)
    if reached := reached_phrase(change, COLUMNS_IN_ROW):
        told += f" · {prose(reached)}"
    return f"| {_STATUS[change.status]} | {node} | {told} |\n"


def _effect(change: Change) -> str:
    """What it does to its readers: the columns that it touches, or what it is worse for."""
    told = effect_of(change)
    if change.category is Category.BREAKING:
        told = f"**{told}**"
    if change.category in (Category.BREAKING, Category.UNKNOWN) and change.status is Status.MODIFIED:
        reasons = ", ".join(prose(shorten(reason, 80)) for reason in change.category_reasons[:REASONS_IN_ROW])
        return f"{told}: {reasons}" if reasons else told
    columns = column_phrases(change) if change.status is Status.MODIFIED else []
    shown = ", ".join(code(phrase, 60) for phrase in columns[:COLUMNS_IN_ROW])
    shown += f" {more(len(columns) - COLUMNS_IN_ROW)}" if len(columns) > COLUMNS_IN_ROW else ""
    return f"{told}: {shown}" if told and shown else told or shown


def within(texts: Sequence[str], room: int) -> list[str]:
    """The first of *texts* that fit into *room* characters together."""
    kept = []
    for text in texts:
        room -= len(text)
        if room < 0:
            break
        kept.append(text)
    return kept


def _left_out(count: int, kind: str) -> str:
    return has_all(f"{count_of(count, kind)} more") if count else ""


def has_all(left_out: str) -> str:
    """That *left_out* is, and where it is."""
    return f"\n{left_out} left out for length; `--format json` has all.\n"


def _notes(notes: Sequence[str], room: int) -> str:
    items = within([f"- {prose(note)}\n" for note in notes[:NOTES_SHOWN]], room)
    return ("\n" + "".join(items) if items else "") + _left_out(len(notes) - len(items), "note")


def _graph(diff: RunDiff, room: int) -> str:
    chart = diff_flowchart(diff)
    text = f"\n```mermaid\n{chart.text}\n```\n"
    if not chart.edges or len(text) > room:  # nodes without an edge say no more than the table does
        return ""
    if chart.drawn < chart.total:
        text += f"\nThe graph shows {chart.drawn} of {chart.total:,} nodes.\n"
    return text


def _more_rows(changes: Sequence[Change], room: int, has_effects: bool) -> str:
    rows = within([_row(change, has_effects) for change in changes[: room // 20]], room)
    if not changes:
        return ""
    counts = Counter(change.resource_type for change in changes)
    title = f"{len(changes):,} more changed: {_kinds(counts)}"
    head = _JUDGED_HEAD if has_effects else _TABLE_HEAD
    return folded(title, head + "".join(rows) + _left_out(len(changes) - len(rows), "node"))


def folded(summary: str, body: str) -> str:
    """*body* behind *summary*, which is HTML; the blank line lets Markdown be read in the body."""
    return f"\n<details><summary>{summary}</summary>\n\n{body.rstrip()}\n\n</details>\n"


def _downstream(diff: RunDiff, room: int) -> str:
    """What is reached: open where it is short, since a reviewer looks for it first."""
    impacted = diff.impacted
    if not impacted:
        return ""
    counts = Counter(impact.resource_type for impact in impacted)
    named: dict[int, list[Impact]] = {}
    for impact in impacted:
        if impact.resource_type not in TESTS:
            named.setdefault(impact.distance, []).append(impact)
    lines = within([_distance_line(distance, group) for distance, group in named.items()], room)
    body = "".join(lines) + _left_out(len(named) - len(lines), "line") or "Tests alone.\n"
    if not is_judged(diff):
        return folded(f"{len(impacted):,} downstream: {_kinds(counts)}", body)
    of = f" of {len(impacted) + diff.unreached:,}" if diff.unreached else ""
    title = f"{len(impacted):,}{of} downstream impacted: {_kinds(counts)}"
    if sum(map(len, named.values())) > IMPACTED_OPEN:
        return folded(title, body)
    return f"\n**{title}**\n" + (f"\n{body}" if named else "")


def _kinds(counts: Counter[str]) -> str:
    known = {kind: count for kind, count in counts.items() if kind in KINDS}
    told = counts_by_kind(known)
    other = sum(counts.values()) - sum(known.values())
    return ", ".join(filter(None, (told, f"{other:,} other" if other else "")))


def _distance_line(distance: int, group: Sequence[Impact]) -> str:
    group = sorted(group, key=lambda impact: (not impact.fails, kind_order(impact.resource_type)))
    names = [_impact_name(impact) for impact in group[:NAMES_PER_DISTANCE]]
    rest = f" {more(len(group) - len(names))}" if len(names) < len(group) else ""
    return f"- {distance} away: {', '.join(names)}{rest}\n"


def _impact_name(impact: Impact) -> str:
    name = code(node_label(impact), 80)
    about = ["perhaps"] if is_unsure(impact) else []
    if impact.fails:
        about.append(f"**{FAILS}**")
    elif impact.reach is Reach.UNKNOWN:
        about = ["unknown"]
    elif impact.columns:
        about.append(", ".join(code(column, 60) for column in impact.columns[:COLUMNS_IN_ROW]))
        hidden = len(impact.columns) - COLUMNS_IN_ROW
        about += [more(hidden)] if hidden > 0 else []
    name += f" ({' '.join(about)})" if about else ""
    return name if impact.resource_type in UNMARKED else f"{words(impact.resource_type)} {name}"


def _macros(changes: Sequence[Change], room: int) -> str:
    """Each changed macro once, however many nodes it changed."""
    found: dict[str, ChangeDetail] = {}
    readers: Counter[str] = Counter()
    for detail in (d for change in changes for d in change.details if d.reason is Reason.MACROS):
        found.setdefault(detail.key, detail)
        readers[detail.key] += 1
    folds = [
        folded(f"{html_code(node_part(key))} · macro of {count_of(readers[key], 'node')}", block)
        for key, detail in islice(found.items(), MACROS_SHOWN)
        for block in _code_blocks_of(detail)
    ]
    return "".join(within(folds, room))


def _details(changes: Sequence[Change], room: int) -> str:
    """One fold per modified node while there is room; all but the first few share one more fold."""
    telling = [change for change in changes if change.status is Status.MODIFIED and _is_telling(change)]
    room -= 300  # for the outer fold and the sentence about what is left out
    blocks: list[str] = []
    for change in telling:
        block = _block_within(change, min(room, max(room // 3, 2_000)))
        if not block:
            break
        blocks.append(block)
        room -= len(block)
    text = "".join(blocks[:DETAILS_OPEN])
    rest, left_out = blocks[DETAILS_OPEN:], len(telling) - len(blocks)
    if rest:
        text += folded(f"Details of {count_of(len(rest), 'node')} more", "".join(rest))
    return text + (has_all(f"Details of {count_of(left_out, 'node')}") if left_out else "")


def _is_telling(change: Change) -> bool:
    return any(detail.reason not in _TOLD_BY_NAME for detail in change.details)


def _block_within(change: Change, room: int) -> str:
    """The details of *change* with its code, or without where that is too long, or nothing."""
    if room < 200:
        return ""
    for with_code in (True, False):
        block = _block(change, with_code=with_code)
        if len(block) <= room:
            return block
    return ""


def _block(change: Change, *, with_code: bool) -> str:
    phrases = detail_phrases(change)
    items = [f"- {code(phrase, 200)}" for phrase in phrases[:PHRASES_SHOWN]]
    items += [f"- {more(len(phrases) - len(items))}"] if len(items) < len(phrases) else []
    parts = [code(change.path)] if change.path else []
    parts += ["\n".join(items)] if items else []
    parts += _code_blocks(change) if with_code else []
    summary = f"{html_code(node_label(change))} · {', '.join(weighty_reasons(change))}"
    return folded(summary, "\n\n".join(parts))


def _code_blocks(change: Change) -> Iterator[str]:
    """The source's diff; the compiled SQL's only where the source is the same, since it follows from it."""
    wanted = Reason.BODY if Reason.BODY in change.reasons else Reason.COMPILED
    for detail in change.details:
        if detail.reason is wanted:
            yield from _code_blocks_of(detail)


def _code_blocks_of(detail: ChangeDetail) -> Iterator[str]:
    if not is_text(detail):
        return
    lines = unified_diff(detail.base, detail.current)
    shown = [shorten(line, DIFF_WIDTH) for line in islice(lines, DIFF_LINES)]
    rest = sum(1 for _line in lines)
    if shown:
        yield fenced(shown, "diff") + (f"\n\n{more(rest)} lines" if rest else "")
