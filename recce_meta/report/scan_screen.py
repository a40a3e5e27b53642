"""What a scan found, and what differs from the scan before, on one screen of a terminal."""

from __future__ import annotations

from recce_meta.models.scan import ScanCounts, ScanReport, Tally
from recce_meta.report.terminal import BLANK, Line, Span, Style, plain, render, table
from recce_meta.report.text import SCREEN, change_lines, summary_lines
from recce_meta.report.wording import count_of, moment, short_run_id

NAMES = {
    "schemas": "schema",
    "tables": "table",
    "views": "view",
    "columns": "column",
    "constraints": "constraint",
    "indexes": "index",
    "edges": "edge",
}
"""What is counted, in this order, and what one of it is called."""

_PLURALS = {"index": "indexes"}
_TALLY = ("added", "removed", "modified", "unchanged")
_STYLES = {"added": Style.GREEN, "removed": Style.RED, "modified": Style.YELLOW, "unchanged": Style.DIM}


def scan_text(report: ScanReport, *, width: int, color: bool, max_lines: int | None = SCREEN) -> str:
    """*report* for people, in about *max_lines* lines of *width* cells (None, 0: without limit)."""
    head = _header(report)
    if report.diff is None or report.previous is None:
        return render([*head, BLANK, plain(first_scan(report))], width=width, color=color)
    head += [BLANK, *_tallies(report), BLANK, *summary_lines(report.diff, width)]
    rest = change_lines(report.diff, width=width, max_lines=max_lines, taken=len(head) + 2)
    hint: list[Line] = [BLANK, (Span(whole_diff(report), Style.DIM),)] if report.diff.changed else []
    return render([*head, *rest, *(hint if report.is_new else [])], width=width, color=color)


def _header(report: ScanReport) -> list[Line]:
    run = report.run
    title = [Span(run.project_name, Style.BOLD), Span(f"  {run.environment}")]
    title += [Span("  "), Span(short_run_id(run.run_id), Style.CYAN), Span(f"  {moment(run.run_at)}")]
    facts: list[Line] = [plain(f"  {counts_phrase(report.counts)}")]
    told = not_recorded(report)
    return [title, *facts, *([plain(f"  {told}")] if told else [])]


def counts_phrase(counts: ScanCounts) -> str:
    """`2 schemas, 15 tables, 45 constraints (12 foreign keys)`: what is not zero, and tables always."""
    told = []
    for name, word in NAMES.items():
        count = getattr(counts, name)
        if count or name == "tables":
            told.append(_count(count, word))
        if name == "constraints" and counts.foreign_keys:
            told[-1] += f" ({_count(counts.foreign_keys, 'foreign key')})"
    return ", ".join(told)


def _count(count: int, name: str) -> str:
    return f"{count:,} {_PLURALS[name]}" if name in _PLURALS and count != 1 else count_of(count, name)


def first_scan(report: ScanReport) -> str:
    """That there is nothing to compare with."""
    run = report.run
    return f"The first scan of {run.project_name} as {run.environment}: the next one tells what differs"


def not_recorded(report: ScanReport) -> str:
    """Why no run was written; empty where one was."""
    if report.is_new:
        return ""
    return "recorded before; nothing written" if report.run.recorded_at else "not recorded"


def whole_diff(report: ScanReport) -> str:
    """The command that tells all that differs."""
    previous = "" if report.previous is None else short_run_id(report.previous.run_id)
    return f"All of it: recce-meta diff {previous} {short_run_id(report.run.run_id)}"


def since(report: ScanReport) -> str:
    """`since 9f8e7d6c of 2026-11-19 08:00 UTC`."""
    previous = report.previous
    return "" if previous is None else f"since {short_run_id(previous.run_id)} of {moment(previous.run_at)}"


def _tallies(report: ScanReport) -> list[Line]:
    heads = [Span(since(report), Style.DIM), *(Span(word, Style.DIM) for word in _TALLY)]
    rows = [
        [Span(name), *(_figure(word, getattr(tally, word)) for word in _TALLY)]
        for name, tally in tallied(report)
    ]
    return table([heads, *rows])


def tallied(report: ScanReport) -> list[tuple[str, Tally]]:
    """The figures against the scan before, in the order in which they are told."""
    return [(name, report.tallies[name]) for name in NAMES if name in report.tallies]


def _figure(word: str, count: int) -> Span:
    text = f"{count:,}".rjust(len(word))
    return Span(text, _STYLES[word] if count else Style.DIM)
