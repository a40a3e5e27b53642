"""Scan of a database as text, Markdown and JSON, with changes since the previous scan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from msgspec import Struct

from recce_meta.models.change import ScanCounts, ScanReport, Tally
from recce_meta.models.run import RunMetadata
from recce_meta.report.json import DiffDocument, EncodedAs, diff_json
from recce_meta.report.labels import UNCHANGED, count_of, moment, short_run_id
from recce_meta.report.markdown import diff_markdown
from recce_meta.report.terminal import BLANK, Line, Span, Style, code, plain_line, pretty_json, render, table
from recce_meta.report.text import SCREEN, change_lines, verdict_lines

NAMES = {
    "schemas": "schema",
    "tables": "table",
    "views": "view",
    "columns": "column",
    "constraints": "constraint",
    "indexes": "index",
    "edges": "edge",
}
"""Counted objects in the order of the report, with their singular."""

_PLURALS = {"index": "indexes"}
_TALLY = ("added", "removed", "modified", "unchanged")
_STYLES = {"added": Style.GREEN, "removed": Style.RED, "modified": Style.YELLOW, "unchanged": Style.DIM}


def scan_text(report: ScanReport, *, width: int, color: bool, max_lines: int | None = SCREEN) -> str:
    """Return *report* in about *max_lines* lines of *width* cells (None and 0: no limit)."""
    head = _header(report)
    if report.diff is None or report.previous is None:
        return render([*head, BLANK, plain_line(first_scan_text(report))], width=width, color=color)
    head += [BLANK, *_tallies(report), BLANK, *verdict_lines(report.diff, width=width)]
    rest = change_lines(report.diff, width=width, max_lines=max_lines, taken=len(head) + 2)
    hint: list[Line] = [BLANK, (Span(diff_command(report), Style.DIM),)] if report.diff.changed else []
    return render([*head, *rest, *(hint if report.is_new else [])], width=width, color=color)


def _header(report: ScanReport) -> list[Line]:
    run = report.run
    title = [Span(run.project_name, Style.BOLD), Span(f"  {run.environment}")]
    title += [Span("  "), Span(short_run_id(run.run_id), Style.CYAN), Span(f"  {moment(run.run_at)}")]
    facts: list[Line] = [plain_line(f"  {counts_phrase(report.counts)}")]
    text = recording_text(report)
    return [title, *facts, *([plain_line(f"  {text}")] if text else [])]


def counts_phrase(counts: ScanCounts) -> str:
    """Return `2 schemas, 15 tables, 45 constraints (12 foreign keys)`; zeros only for tables."""
    phrases = []
    for name, word in NAMES.items():
        count = getattr(counts, name)
        if count or name == "tables":
            phrases.append(_count(count, word))
        if name == "constraints" and counts.foreign_keys:
            phrases[-1] += f" ({_count(counts.foreign_keys, 'foreign key')})"
    return ", ".join(phrases)


def _count(count: int, name: str) -> str:
    return f"{count:,} {_PLURALS[name]}" if name in _PLURALS and count != 1 else count_of(count, name)


def first_scan_text(report: ScanReport) -> str:
    """Return the sentence for a scan without a previous one."""
    run = report.run
    return f"First scan of {run.project_name} as {run.environment}; changes are shown from the next scan on"


def recording_text(report: ScanReport) -> str:
    """Return why no run was recorded; empty if one was."""
    if report.is_new:
        return ""
    return "already recorded; nothing written" if report.run.recorded_at else "not recorded"


def diff_command(report: ScanReport) -> str:
    """Return the command that shows all changes."""
    previous = "" if report.previous is None else short_run_id(report.previous.run_id)
    return f"All changes: recce-meta diff {previous} {short_run_id(report.run.run_id)} --details"


def since_phrase(report: ScanReport) -> str:
    """Return `since 9f8e7d6c of 2026-11-19 08:00 UTC`."""
    previous = report.previous
    return "" if previous is None else f"since {short_run_id(previous.run_id)} of {moment(previous.run_at)}"


def _tallies(report: ScanReport) -> list[Line]:
    heads = [Span(since_phrase(report), Style.DIM), *(Span(word, Style.DIM) for word in _TALLY)]
    rows = [
        [Span(name), *(_figure(word, getattr(tally, word)) for word in _TALLY)]
        for name, tally in tally_rows(report)
    ]
    return table([heads, *rows])


def tally_rows(report: ScanReport) -> list[tuple[str, Tally]]:
    """Return the counts of changes in the order of the report."""
    return [(name, report.tallies[name]) for name in NAMES if name in report.tallies]


def _figure(word: str, count: int) -> Span:
    text = f"{count:,}".rjust(len(word))
    return Span(text, _STYLES[word] if count else Style.DIM)


SCAN_SCHEMA = "recce_meta/scan/v1"


class ScanDocument(Struct, kw_only=True):
    """Output of `scan --format json`."""

    schema: str = SCAN_SCHEMA
    run: RunMetadata
    is_new: bool
    counts: ScanCounts
    previous: RunMetadata | None
    tallies: Mapping[str, Tally]
    diff: Annotated[msgspec.Raw, EncodedAs(DiffDocument)] | None
    """Output of `diff --format json`; null for the first scan."""
    warnings: Sequence[str]


def scan_json(report: ScanReport) -> str:
    """Return *report* as a document of schema `recce_meta/scan/v1`."""
    # Embedded as text, so that the diff is the same as that of `diff --format json`.
    document = ScanDocument(
        run=report.run,
        is_new=report.is_new,
        counts=report.counts,
        previous=report.previous,
        tallies=report.tallies,
        diff=None if report.diff is None else msgspec.Raw(diff_json(report.diff).encode()),
        warnings=report.warnings,
    )
    return pretty_json(document, is_sorted=True)


def scan_markdown(report: ScanReport) -> str:
    """Return *report* as Markdown: counts, changes, and the diff."""
    run = report.run
    title = f"## Scan of {code(run.project_name)} as {code(run.environment)}"
    phrases = [f"{code(short_run_id(run.run_id))}, {moment(run.run_at)}: {counts_phrase(report.counts)}"]
    phrases += [recording_text(report).capitalize()] if recording_text(report) else []
    parts = [title, "  \n".join(phrases)]
    if report.diff is None:
        return "\n\n".join([*parts, first_scan_text(report)]) + "\n"
    rows = [
        f"| {name} | {tally.added:,} | {tally.removed:,} | {tally.modified:,} | {tally.unchanged:,} |"
        for name, tally in tally_rows(report)
    ]
    heads = [
        f"| {since_phrase(report)} | added | removed | modified | {UNCHANGED} |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    return "\n\n".join([*parts, "\n".join([*heads, *rows]), diff_markdown(report.diff)])
