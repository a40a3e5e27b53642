"""What was imported from a state of recce, as text and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from recce_meta.models import RunMetadata
from recce_meta.report.characters import pretty_json
from recce_meta.report.terminal import Line, Span, Style, plain, render, table
from recce_meta.report.wording import short_run_id

SCHEMA = "recce_meta/import-recce/v1"


class _Run(Protocol):
    @property
    def run(self) -> RunMetadata: ...
    @property
    def is_new(self) -> bool: ...


class _LeftOut(Protocol):
    @property
    def what(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def reason(self) -> str: ...


class Imported(Protocol):
    """Counts of what was imported, and what was not."""

    @property
    def origin(self) -> str: ...
    @property
    def runs(self) -> Sequence[_Run]: ...
    @property
    def checks(self) -> int: ...
    @property
    def new_checks(self) -> int: ...
    @property
    def data_diffs(self) -> int: ...
    @property
    def new_data_diffs(self) -> int: ...
    @property
    def left_out(self) -> Sequence[_LeftOut]: ...


def recce_import_json(found: Imported) -> str:
    """Return *found* as a document of schema `recce_meta/import-recce/v1`."""
    document = {
        "schema": SCHEMA,
        "origin": found.origin,
        "runs": [{"run": one.run, "is_new": one.is_new} for one in found.runs],
        "checks": found.checks,
        "new_checks": found.new_checks,
        "data_diffs": found.data_diffs,
        "new_data_diffs": found.new_data_diffs,
        "left_out": [{"what": one.what, "name": one.name, "reason": one.reason} for one in found.left_out],
    }
    return pretty_json(document)


def recce_import_text(found: Imported, *, width: int, color: bool) -> str:
    """Return a line for each run, the counts, and what was left out with its reason."""
    lines: list[Line] = []
    for one in found.runs:
        run, state = one.run, "recorded" if one.is_new else "was there before"
        name = Span(short_run_id(run.run_id), Style.CYAN)
        lines.append((Span("Run "), name, Span(f" of {run.project_name} as {run.environment}: {state}")))
    for word, total, new in (
        ("results of checks", found.checks, found.new_checks),
        ("data diffs", found.data_diffs, found.new_data_diffs),
    ):
        lines.append(plain(f"{total:,} {word} of {found.origin}, {new:,} of them new"))
    if found.left_out:
        lines.append(plain(f"{len(found.left_out):,} without an equivalent:"))
        lines += table(
            [[Span(one.what), Span(one.name), Span(one.reason, Style.DIM)] for one in found.left_out]
        )
    return render(lines, width=width, color=color)
