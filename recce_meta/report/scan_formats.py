"""What a scan found, as JSON and as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct

from recce_meta.models.run import RunMetadata
from recce_meta.models.scan import ScanCounts, ScanReport, Tally
from recce_meta.report.as_json import diff_json
from recce_meta.report.characters import pretty_json
from recce_meta.report.escape import code
from recce_meta.report.markdown import diff_markdown
from recce_meta.report.scan_screen import counts_phrase, first_scan, not_recorded, since, tallied
from recce_meta.report.wording import moment, short_run_id

SCAN_SCHEMA = "recce_meta/scan/v1"


class ScanDocument(Struct, kw_only=True):
    """What `scan --format json` prints."""

    schema: str = SCAN_SCHEMA
    run: RunMetadata
    is_new: bool
    counts: ScanCounts
    previous: RunMetadata | None
    tallies: Mapping[str, Tally]
    diff: msgspec.Raw | None
    """As `diff --format json` prints it; null where there is no scan before."""
    warnings: Sequence[str]


def scan_json(report: ScanReport) -> str:
    """*report* as a document of schema `recce_meta/scan/v1`; nothing is cut."""
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
    """*report* for a comment in a review: what was found, figures, and the diff below them."""
    run = report.run
    title = f"## Scan of {code(run.project_name)} as {code(run.environment)}"
    told = [f"{code(short_run_id(run.run_id))}, {moment(run.run_at)}: {counts_phrase(report.counts)}"]
    told += [not_recorded(report).capitalize()] if not_recorded(report) else []
    parts = [title, "  \n".join(told)]
    if report.diff is None:
        return "\n\n".join([*parts, first_scan(report)]) + "\n"
    rows = [
        f"| {name} | {tally.added:,} | {tally.removed:,} | {tally.modified:,} | {tally.unchanged:,} |"
        for name, tally in tallied(report)
    ]
    heads = [
        f"| {since(report)} | added | removed | modified | unchanged |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    return "\n\n".join([*parts, "\n".join([*heads, *rows]), diff_markdown(report.diff)])
