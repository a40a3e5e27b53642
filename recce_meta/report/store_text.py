"""What `record`, `prune` and `doctor` say on a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from recce_meta.models.check import Check
from recce_meta.models.run import RunMetadata
from recce_meta.report.characters import one_line
from recce_meta.report.run_text import run_rows
from recce_meta.report.terminal import BLANK, Line, Span, Style, plain, render, table
from recce_meta.report.wording import count_of, counts_by_kind, short_run_id

WHOLE = 0
"""A diagnosis is never cut: what is wrong stands at the end of a line as often as not."""

_VERDICTS = {
    True: Span("ok", Style.GREEN),
    False: Span("failed", Style.RED),
    None: Span("skipped", Style.DIM),
}


def checks_text(checks: Sequence[Check], *, color: bool) -> str:
    """One line per check, hints below the table, and a last line with the verdict."""
    rows = [
        [_VERDICTS[check.ok], Span(check.name), Span(one_line(check.detail), Style.DIM)] for check in checks
    ]
    hints = [
        (Span("hint: ", Style.YELLOW), Span(f"{check.name}: {one_line(check.hint)}"))
        for check in checks
        if check.hint and not check.ok
    ]
    failed = sum(check.ok is False for check in checks)
    skipped = sum(check.ok is None for check in checks)
    rest = f", {skipped:,} not checked" if skipped else ""
    verdict = (
        Span(f"{count_of(failed, 'check')} failed", Style.RED)
        if failed
        else Span(f"No problems found{rest}", Style.PLAIN if skipped else Style.GREEN)
    )
    lines: list[Line] = [*table(rows, indent=0), BLANK, *hints, (verdict,)]
    return render(lines, width=WHOLE, color=color)


def record_text(
    run: RunMetadata,
    counts: Mapping[str, int],
    *,
    is_new: bool,
    width: int,
    color: bool,
    counted: int = 0,
    profiled: int = 0,
    columns: Mapping[str, int] | None = None,
) -> str:
    """What was recorded, or that it had been before; of how many nodes rows and profiles were kept.

    *columns* says of how many nodes columns were `traced`, `reused` and `not_traced`.
    """
    name = Span(short_run_id(run.run_id), Style.CYAN)
    where = Span(f" of {run.project_name} as {run.environment}")
    figures = {"row counts": counted, "profiles": profiled}
    kept = ", ".join(f"{what} of {count_of(nodes, 'node')}" for what, nodes in figures.items() if nodes)
    if not is_new:
        added = [text for text in (kept, columns_fact(columns or {})) if text]
        written = f"added {'; '.join(added)}" if added else "nothing written"
        line: Line = (Span("Run "), name, where, Span(f" was recorded before; {written}"))
        return render([line], width=width, color=color)
    told = counts_by_kind(counts) or count_of(run.node_count, "node")
    lines: list[Line] = [(Span("Recorded run "), name, where), plain(f"  {told}")]
    lines += [plain(f"  {text}") for text in (kept, columns_fact(columns or {})) if text]
    return render(lines, width=width, color=color)


def columns_fact(columns: Mapping[str, int]) -> str:
    """`columns traced of 3 nodes, as before of 97 nodes`; empty where there are neither, nor failures."""
    words = {"traced": "traced", "reused": "as before", "not_traced": "not traced"}
    told = [f"{word} of {count_of(columns[key], 'node')}" for key, word in words.items() if columns.get(key)]
    return f"columns {', '.join(told)}" if told else ""


def prune_text(runs: Sequence[RunMetadata], *, dry_run: bool, width: int, color: bool) -> str:
    """The runs that were removed, or that would be."""
    if not runs:
        return render([plain("Nothing to prune")], width=width, color=color)
    verb = "Would remove" if dry_run else "Removed"
    title = (Span(f"{verb} {count_of(len(runs), 'run')}", Style.BOLD),)
    return render([title, *table(run_rows(runs))], width=width, color=color)
