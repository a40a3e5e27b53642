"""Diff of two runs as a Markdown comment on a pull request.

The verdict, the table and the graph are visible; everything else is folded, and is left out first if the
comment would become too long.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from recce_meta.errors import plural
from recce_meta.models.change import (
    BY_GUESS,
    COSMETIC,
    Category,
    Change,
    ChangeDetail,
    Impact,
    Reach,
    Reason,
    RunDiff,
    Status,
)
from recce_meta.models.marks.review import NO_CONTEXT, PairContext
from recce_meta.models.run import RunMetadata
from recce_meta.report.addresses import Addresses
from recce_meta.report.diff_details import (
    FAILS,
    MAY_FAIL,
    UNKNOWN_COLUMNS,
    column_effects,
    detail_phrases,
    effect_label,
    is_classified,
    is_text,
    reached_phrase,
    reads_other_parent,
    unified_diff,
)
from recce_meta.report.labels import (
    KINDS,
    SEVERE,
    TESTS,
    UNMARKED,
    by_harm,
    count_of,
    counts_by_kind,
    dirty_legend,
    failing_first,
    is_unsure,
    kind_order,
    main_reasons,
    moment,
    more_phrase,
    node_label,
    node_part,
    revision,
    short_run_id,
    steps_away,
    summary_phrases,
)
from recce_meta.report.mermaid import diff_flowchart
from recce_meta.report.review.annotations import annotations_markdown
from recce_meta.report.review.markdown import reviews_markdown
from recce_meta.report.review.verdict import Checks, verdict_of
from recce_meta.report.run_choice import default_reason, header_notes
from recce_meta.report.terminal import code, code_block, html_code, plain_words, prose, shorten

MAX_CHARS = 60_000
"""Default maximum length. GitHub accepts 65,536 characters; the rest is for text added by others."""

MARKER = "<!-- recce_meta diff -->"
"""First line, which lets a bot find and replace its comment."""

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

_SELF_EXPLANATORY = COSMETIC | {Reason.DATA}
"""Reasons whose details add nothing to their name."""

_STATUS = {Status.ADDED: "🟢 added", Status.REMOVED: "🔴 removed", Status.MODIFIED: "🟡 modified"}
_TABLE_HEAD = "| | node | type | what changed |\n|---|---|---|---|\n"
_JUDGED_HEAD = "| | node | type | effect | what changed |\n|---|---|---|---|---|\n"


def diff_markdown(
    diff: RunDiff,
    checks: Checks | None = None,
    *,
    max_chars: int = MAX_CHARS,
    to: Addresses | None = None,
    context: PairContext = NO_CONTEXT,
) -> str:
    """Return *diff*, with stored *checks* in the verdict, in at most *max_chars* characters (at least 8,000).

    With *to*, the report links to the page of the diff, and severe changes to those of their nodes. *context*
    has the marks of reviewers, and the owners and notes of the nodes.
    """
    text = (
        _head(diff, checks) + page_link(diff, to) + reviews_markdown(diff, context.reviews, max_chars // 10)
    )
    text += annotations_markdown(diff, context.annotations, max_chars // 10)
    return text + diff_body(diff, max_chars - len(text), to)


def page_link(diff: RunDiff, to: Addresses | None) -> str:
    """Return a paragraph that links to the page of *diff*; empty without *to*."""
    if to is None:
        return ""
    return f"\n[Open this diff in recce_meta]({to.diff(diff.base.run_id, diff.current.run_id)})\n"


def diff_body(diff: RunDiff, room: int, to: Addresses | None = None) -> str:
    """Return everything below the head in at most *room* characters (at least 7,000)."""
    names = _linked_names(diff, to)
    changes = by_harm(diff.changed)
    # A few tests are worth a row; many are folded.
    nodes, tests = _split_tests(changes)
    judged = is_classified(diff)
    in_view = nodes[:ROWS_OPEN] + (tests if len(tests) <= TESTS_OPEN else [])
    folded_rows = nodes[ROWS_OPEN:] + (tests if len(tests) > TESTS_OPEN else [])
    # Each part has a share of the room, so that none takes all; details get the rest.
    text = "".join(
        (
            _table(in_view, room // 4, judged, names),
            _downstream(diff, room // 8) if judged else "",
            _notes(diff.notes, room // 8),
            _graph(diff, room // 5),
            _more_rows(folded_rows, room // 6, judged, names),
            "" if judged else _downstream(diff, room // 8),
        )
    )
    text += _macros(changes, (room - len(text)) // 4)
    return text + _details(changes, room - len(text))


def _split_tests(changes: Sequence[Change]) -> tuple[list[Change], list[Change]]:
    """Split *changes* into nodes and tests; dozens of tests would hide the nodes."""
    nodes = [change for change in changes if change.resource_type not in TESTS]
    return nodes, [change for change in changes if change.resource_type in TESTS]


def _head(diff: RunDiff, checks: Checks | None) -> str:
    title = verdict_of(diff, (), checks).markdown
    return f"{MARKER}\n### {title}\n{counts_line(diff)}\n{sides_line(diff)}"


def counts_line(diff: RunDiff) -> str:
    """Return a paragraph with the numbers of changes by status; empty without one."""
    phrases = summary_phrases(diff)
    return f"\n**{' · '.join(phrases)}**\n" if phrases else ""


def sides_line(diff: RunDiff) -> str:
    """Return the projects, both runs, and the meaning of `*` after a commit."""
    projects = dict.fromkeys((diff.base.project_name, diff.current.project_name))
    names = " → ".join(code(name, 60) for name in projects)
    legend = dirty_legend(diff.base, diff.current)
    notes = f"\n{prose(legend)}\n" if legend else ""
    notes += "".join(f"\n{prose(note)}\n" for note in header_notes(diff))
    base = _side(diff.base, default_reason(diff.choice, "base"))
    return f"{names}: {base} → {_side(diff.current, default_reason(diff.choice, 'current'))}\n{notes}"


def _side(run: RunMetadata, reason: str) -> str:
    facts = [code(revision(run), 60) if revision(run) else "", moment(run.run_at), prose(reason)]
    return f"{code(run.environment, 60)} {code(short_run_id(run.run_id))} ({', '.join(filter(None, facts))})"


def _linked_names(diff: RunDiff, to: Addresses | None) -> Mapping[str, str]:
    """Return the names of nodes with severe changes as links to their pages; empty without *to*."""
    if to is None:
        return {}
    runs = diff.base.run_id, diff.current.run_id
    return {
        change.unique_id: _linked(code(node_label(change)), to.diff(*runs, node=change.unique_id))
        for change in diff.changed
        if change.category in SEVERE
    }


def _linked(name: str, address: str) -> str:
    """Return *name*, the result of `code`, as a link."""
    return f"[{name}]({address})" if name.startswith("`") else f'<a href="{address}">{name}</a>'


def _table(changes: Sequence[Change], room: int, has_effects: bool, names: Mapping[str, str]) -> str:
    if not changes:
        return ""
    rows = first_fitting([_row(change, has_effects, names) for change in changes], room)
    return (
        "\n"
        + (_JUDGED_HEAD if has_effects else _TABLE_HEAD)
        + "".join(rows)
        + _left_out(len(changes) - len(rows), "node")
    )


def _row(change: Change, has_effects: bool, names: Mapping[str, str]) -> str:
    name = names.get(change.unique_id) or code(node_label(change))
    node = f"{name} | {plain_words(change.resource_type)}"
    node += f" | {_effect(change)}" if has_effects else ""
    is_modified = change.status is Status.MODIFIED
    text = ", ".join(main_reasons(change)) if is_modified else change.path and code(change.path)
    if reached := reached_phrase(change, COLUMNS_IN_ROW):
        text += f" · {prose(reached)}"
    return f"| {_STATUS[change.status]} | {node} | {text} |\n"


def _effect(change: Change) -> str:
    """Return the category with its reasons, or with the affected columns."""
    text = effect_label(change)
    if change.fails:
        text = ", ".join(filter(None, (f"**{FAILS}**", text)))
    if change.category is Category.BREAKING:
        text = f"**{text}**"
    if change.status is not Status.MODIFIED:
        return text
    if change.category in (Category.BREAKING, Category.UNKNOWN):
        reasons = [reason for reason in change.category_reasons if reason not in change.remarks]
        phrases = [prose(shorten(reason, 80)) for reason in reasons[:REASONS_IN_ROW]]
    else:
        is_doubt = reads_other_parent(change)
        phrases = [
            *column_effects(
                change.columns, COLUMNS_IN_ROW, lambda name: code(name, 60), has_other_parent=is_doubt
            )
        ]
        phrases += ["columns reordered"] if change.columns_moved else []
    phrases += [prose(shorten(phrase, 120)) for phrase in change.remarks[:REASONS_IN_ROW]]
    shown = ", ".join(phrases)
    return f"{text}: {shown}" if text and shown else text or shown


def first_fitting(texts: Sequence[str], room: int) -> list[str]:
    """Return the first of *texts* that together fit into *room* characters."""
    kept = []
    for text in texts:
        room -= len(text)
        if room < 0:
            break
        kept.append(text)
    return kept


def _left_out(count: int, kind: str) -> str:
    return omission_note(f"{count_of(count, kind)} more") if count else ""


def omission_note(left_out: str) -> str:
    """Return the sentence that *left_out* was left out."""
    return f"\n{left_out} left out for length; `--format json` contains all.\n"


def _notes(notes: Sequence[str], room: int) -> str:
    items = first_fitting([f"- {prose(note)}\n" for note in notes[:NOTES_SHOWN]], room)
    return ("\n" + "".join(items) if items else "") + _left_out(len(notes) - len(items), "note")


def _graph(diff: RunDiff, room: int) -> str:
    chart = diff_flowchart(diff)
    if not chart.edges:  # nodes without an edge add nothing to the table
        return ""
    text = chart.markdown()
    return text if len(text) <= room else "\nThe graph was left out for length.\n"


def _more_rows(changes: Sequence[Change], room: int, has_effects: bool, names: Mapping[str, str]) -> str:
    # No row is shorter than 20 characters, so the others cannot fit.
    rows = first_fitting([_row(change, has_effects, names) for change in changes[: room // 20]], room)
    if not changes:
        return ""
    counts = Counter(change.resource_type for change in changes)
    title = f"{len(changes):,} more changed: {_kinds(counts)}"
    head = _JUDGED_HEAD if has_effects else _TABLE_HEAD
    return fold(title, head + "".join(rows) + _left_out(len(changes) - len(rows), "node"))


def fold(summary: str, body: str) -> str:
    """Return *body* folded behind *summary*, which is HTML.

    The blank line makes GitHub read the body as Markdown.
    """
    return f"\n<details><summary>{summary}</summary>\n\n{body.rstrip()}\n\n</details>\n"


def _downstream(diff: RunDiff, room: int) -> str:
    """Return the affected nodes, folded if there are many."""
    impacted = diff.impacted
    if not impacted:
        return ""
    counts = Counter(impact.resource_type for impact in impacted)
    named: dict[int, list[Impact]] = {}
    for impact in impacted:
        if impact.resource_type not in TESTS:
            named.setdefault(impact.distance, []).append(impact)
    lines = first_fitting([_distance_line(distance, group) for distance, group in named.items()], room)
    body = "".join(lines) + _left_out(len(named) - len(lines), "line") or "Tests only.\n"
    if not is_classified(diff):
        return fold(f"{plural(len(impacted), 'downstream node')}: {_kinds(counts)}", body)
    of = f" of {len(impacted) + diff.unreached:,}" if diff.unreached else ""
    total = len(impacted) + diff.unreached
    title = f"{len(impacted):,}{of} downstream {'node' if total == 1 else 'nodes'} affected: {_kinds(counts)}"
    if sum(map(len, named.values())) > IMPACTED_OPEN:
        return fold(title, body)
    return f"\n**{title}**\n" + (f"\n{body}" if named else "")


def _kinds(counts: Counter[str]) -> str:
    known = {kind: count for kind, count in counts.items() if kind in KINDS}
    text = counts_by_kind(known)
    other = sum(counts.values()) - sum(known.values())
    return ", ".join(filter(None, (text, f"{other:,} other" if other else "")))


def _distance_line(distance: int, group: Sequence[Impact]) -> str:
    group = sorted(group, key=lambda impact: (failing_first(impact), kind_order(impact.resource_type)))
    names = [_impact_name(impact) for impact in group[:NAMES_PER_DISTANCE]]
    rest = f" {more_phrase(len(group) - len(names))}" if len(names) < len(group) else ""
    return f"- {steps_away(distance)}: {', '.join(names)}{rest}\n"


def _impact_name(impact: Impact) -> str:
    name = code(node_label(impact), 80)
    about = ["perhaps"] if is_unsure(impact) else []
    if impact.fails or impact.may_fail == BY_GUESS:
        about.append(f"**{FAILS}**")
    elif impact.may_fail:
        about = [f"{MAY_FAIL}: {plain_words(impact.may_fail)}"]
    elif impact.reach is Reach.UNKNOWN:
        about = [UNKNOWN_COLUMNS]
    elif impact.columns:
        about.append(", ".join(code(column, 60) for column in impact.columns[:COLUMNS_IN_ROW]))
        hidden = len(impact.columns) - COLUMNS_IN_ROW
        about += [more_phrase(hidden)] if hidden > 0 else []
    name += f" ({' '.join(about)})" if about else ""
    return name if impact.resource_type in UNMARKED else f"{plain_words(impact.resource_type)} {name}"


def _macros(changes: Sequence[Change], room: int) -> str:
    """Return each changed macro once, with the number of nodes that use it."""
    found: dict[str, ChangeDetail] = {}
    readers: Counter[str] = Counter()
    for detail in (d for change in changes for d in change.details if d.reason is Reason.MACROS):
        found.setdefault(detail.key, detail)
        readers[detail.key] += 1
    folds = [
        fold(f"{html_code(node_part(key))} · macro of {count_of(readers[key], 'node')}", block)
        for key, detail in islice(found.items(), MACROS_SHOWN)
        for block in _code_blocks_of(detail)
    ]
    return "".join(first_fitting(folds, room))


def _details(changes: Sequence[Change], room: int) -> str:
    """Return a fold for each modified node; all after the first few share one outer fold."""
    telling = [change for change in changes if change.status is Status.MODIFIED and _is_telling(change)]
    room -= 300  # reserved for the outer fold and the sentence about omissions
    blocks: list[str] = []
    for change in telling:
        # One huge node must not take all the room.
        block = _block_within(change, min(room, max(room // 3, 2_000)))
        if not block:
            break
        blocks.append(block)
        room -= len(block)
    text = "".join(blocks[:DETAILS_OPEN])
    rest, left_out = blocks[DETAILS_OPEN:], len(telling) - len(blocks)
    if rest:
        text += fold(f"Details of {count_of(len(rest), 'node')} more", "".join(rest))
    return text + (omission_note(f"Details of {count_of(left_out, 'node')}") if left_out else "")


def _is_telling(change: Change) -> bool:
    return any(detail.reason not in _SELF_EXPLANATORY for detail in change.details)


def _block_within(change: Change, room: int) -> str:
    """Return the details of *change*, without code if that is too long; empty if nothing fits."""
    # Not enough for a fold with the name of a node and its reasons.
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
    items += [f"- {more_phrase(len(phrases) - len(items))}"] if len(items) < len(phrases) else []
    parts = [code(change.path)] if change.path else []
    parts += ["\n".join(items)] if items else []
    parts += _code_blocks(change) if with_code else []
    summary = f"{html_code(node_label(change))} · {', '.join(main_reasons(change))}"
    return fold(summary, "\n\n".join(parts))


def _code_blocks(change: Change) -> Iterator[str]:
    """Yield the diff of the source, or of the compiled SQL if the source is unchanged."""
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
        yield code_block(shown, "diff") + (f"\n\n{more_phrase(rest)} lines" if rest else "")
