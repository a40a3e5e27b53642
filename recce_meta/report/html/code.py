"""Code of a node on both sides, which keeps a limit of size."""

from __future__ import annotations

from collections.abc import Sequence

from recce_meta.errors import agree
from recce_meta.models.change import Change, Impact, Reason, RunDiff, Status
from recce_meta.report.diff_details import CONTEXT, is_text
from recce_meta.report.html.side_by_side import CodeDiff, CodeRow, Highlight, side_by_side
from recce_meta.report.labels import unaffected

CODE_ROWS = 500
"""Rows of each text."""
CODE_CHARACTERS = 70_000
ROW_CHARACTERS = 90
"""Size of a row of code without its lines."""
_TITLES = {Reason.BODY: "Code", Reason.COMPILED: "Compiled code"}


def codes_of(
    change: Change,
    code: str | None,
    highlight: Highlight,
    context: int | None = CONTEXT,
    room: int = CODE_CHARACTERS,
) -> list[tuple[str, CodeDiff]]:
    """Return source, compiled SQL and macros that differ, or *code*, the source of one side.

    *context* is the number of unchanged lines around changed ones; None for all. *room* is the number of
    characters of all code.
    """
    if change.status in (Status.ADDED, Status.REMOVED):
        if not code:
            return []
        base, current = (None, code) if change.status is Status.ADDED else (code, None)
        whole = side_by_side(base, current, highlight, most=CODE_ROWS)
        shown, _ = _fitting(whole.rows, room)
        return [("Code", CodeDiff(shown, whole.hidden + len(whole.rows) - len(shown)))]
    wanted = (Reason.BODY, Reason.COMPILED, Reason.MACROS)
    details = [one for one in change.details if one.reason in wanted and is_text(one)]
    found = []
    for detail in details:
        one = side_by_side(detail.base, detail.current, highlight, most=CODE_ROWS, context=context)
        if any(row.is_changed for row in one.rows):
            rows, room = _fitting(one.rows, room)
            title = _TITLES.get(detail.reason) or f"Macro {detail.key}"
            found.append((title, CodeDiff(rows, one.hidden + len(one.rows) - len(rows))))
    return found


def size_of(row: CodeRow) -> int:
    """Return the number of characters of a row as HTML, about."""
    return ROW_CHARACTERS + sum(len(line.html) for line in (row.base, row.current) if line)


def _fitting(rows: Sequence[CodeRow], room: int) -> tuple[Sequence[CodeRow], int]:
    """Return the first of *rows* that fit into *room* characters of HTML, and the rest of it."""
    for number, row in enumerate(rows):
        room -= size_of(row)
        if room < 0:
            return rows[:number], 0
    return rows, room


def code_sentence(diff: RunDiff, change: Change | None, impact: Impact | None, unique_id: str) -> str:
    """Return what is known of a node without a change; empty for a changed node."""
    if change is not None and change.status is not Status.UNCHANGED:
        return ""
    if change is not None and change.reasons:
        differ = agree(len(change.reasons), "differ")
        about = f"The node has the same meaning on both sides: only {', '.join(change.reasons)} {differ}."
    else:
        is_seed = unique_id.startswith("seed.")
        gaps = [note for note in diff.notes if is_seed and note.startswith("Rows not compared")]
        about = f"No change is known. {'. '.join(gaps)}." if gaps else "The node did not change."
    return about if impact else f"{about} {unaffected(diff.notes)}"
