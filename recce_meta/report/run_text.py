"""Runs on a terminal: the list of `runs`, and one of them for `show`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from recce_meta.models.node import NodeResult
from recce_meta.models.run import FAILED as RUN_FAILED
from recce_meta.models.run import RunMetadata
from recce_meta.models.statistics import StatisticsKept
from recce_meta.report.characters import one_line
from recce_meta.report.terminal import BLANK, Line, Span, Style, plain, render, table
from recce_meta.report.wording import (
    build_outcome,
    count_of,
    counts_by_kind,
    dirty_legend,
    moment,
    more,
    node_part,
    revision,
    run_problem,
    short_run_id,
    short_sha,
)

SLOWEST_SHOWN = 5
FAILURES_SHOWN = 10

FAILED = frozenset({"error", "runtime error", "fail", "partial success"})
"""dbt's words for a node that did not do what it should."""

_HEADINGS = ("run", "project", "environment", "run at", "branch", "sha", "PR", "nodes", "dbt", "status")


def runs_text(runs: Sequence[RunMetadata], *, width: int, color: bool) -> str:
    """Return one line per run in the order given, and what a `*` after a commit means."""
    if not runs:
        return render([plain("No runs recorded")], width=width, color=color)
    legend = dirty_legend(*runs)
    notes: list[Line] = [(Span(legend, Style.DIM),)] if legend else []
    return render([*table(run_rows(runs), indent=0), *notes], width=width, color=color)


def run_rows(runs: Sequence[RunMetadata]) -> list[list[Span]]:
    """A row of headings and one per run; a column that no run fills has no heading either."""
    rows = [_run_row(run) for run in runs]
    headings = [
        Span(heading if any(row[index].text for row in rows) else "", Style.DIM)
        for index, heading in enumerate(_HEADINGS)
    ]
    return [headings, *rows]


def _run_row(run: RunMetadata) -> list[Span]:
    return [
        Span(short_run_id(run.run_id), Style.CYAN),
        Span(run.project_name),
        Span(run.environment),
        Span(moment(run.run_at)),
        Span(run.branch or ""),
        Span(short_sha(run.git_sha) + ("*" if run.git_dirty else "")),
        Span(run.pull_request or ""),
        Span(f"{run.node_count:,}"),
        Span(run.dbt_version or ""),
        Span(run_problem(run), Style.RED),
    ]


def run_text(
    run: RunMetadata,
    counts: Mapping[str, int],
    results: Sequence[NodeResult] = (),
    kept: StatisticsKept | None = None,
    *,
    width: int,
    color: bool,
) -> str:
    """One run: where it comes from, what it holds, what failed and what took longest."""
    title = (Span(run.project_name, Style.BOLD), Span(f"  {run.environment}"))
    rows = [[Span(label, Style.DIM), Span(value)] for label, value in run_facts(run, counts, kept) if value]
    lines = [
        title,
        *table(rows),
        *_warnings(run),
        *_outcome(results),
        *_failures(results),
        *_slowest(results),
    ]
    return render(lines, width=width, color=color)


def _warnings(run: RunMetadata) -> list[Line]:
    if not run.warnings:
        return []
    return [BLANK, (Span("Warnings", Style.BOLD),), *(plain(f"  {warning}") for warning in run.warnings)]


def run_facts(
    run: RunMetadata, counts: Mapping[str, int], kept: StatisticsKept | None = None
) -> list[tuple[str, str]]:
    """What is known about *run* as labels and values; unknown values are empty."""
    dbt = " ".join(
        filter(None, (run.dbt_version, run.manifest_version and f"(manifest {run.manifest_version})"))
    )
    target = ".".join(filter(None, (run.target_database, run.target_schema)))
    legend = dirty_legend(run)
    return [
        ("run", run.run_id),
        ("run at", moment(run.run_at)),
        ("recorded at", moment(run.recorded_at)),
        ("status", f"failed: {one_line(run.reason or 'reason unknown')}" if run.status == RUN_FAILED else ""),
        ("git", " ".join(filter(None, (revision(run), legend and f"({legend})")))),
        ("pull request", run.pull_request or ""),
        ("dbt", dbt),
        ("target", " ".join(filter(None, (run.target_name, run.adapter_type, target)))),
        ("command", run.command or ""),
        ("build", build_outcome(run).removeprefix("build ")),
        ("nodes", counts_by_kind(counts) or f"{run.node_count:,}"),
        ("edges", f"{run.edge_count:,}"),
        ("columns", "with lineage" if run.column_graph_id else ""),
        ("statistics", "" if kept is None else statistics_fact(kept)),
    ]


def statistics_fact(kept: StatisticsKept) -> str:
    """`rows of 12 nodes, profiles of 3 nodes, from 2026-11-19 08:00 UTC`; empty where nothing is kept."""
    if not (kept.nodes_counted or kept.nodes_profiled):
        return ""
    told = [f"rows of {count_of(kept.nodes_counted, 'node')}"]
    told += [f"profiles of {count_of(kept.nodes_profiled, 'node')}"] if kept.nodes_profiled else []
    told += [f"from {moment(kept.last_counted_at)}"] if kept.last_counted_at else []
    return ", ".join(told)


def failures(results: Sequence[NodeResult]) -> list[NodeResult]:
    """The results that are failures, by unique id."""
    return sorted((r for r in results if r.status in FAILED), key=lambda result: result.unique_id)


def slowest(results: Sequence[NodeResult]) -> list[NodeResult]:
    """The results that took longest, longest first."""
    timed = [result for result in results if result.seconds]
    return sorted(timed, key=lambda result: (-(result.seconds or 0), result.unique_id))[:SLOWEST_SHOWN]


def outcome(results: Sequence[NodeResult]) -> str:
    """`12 success, 1 error · 34.2 s`; the seconds are the sum over nodes, not the time that passed."""
    counts = Counter(result.status for result in results)
    told = ", ".join(
        f"{count:,} {status}" for status, count in sorted(counts.items(), key=lambda i: (-i[1], i[0]))
    )
    return f"{told} · {sum(result.seconds or 0 for result in results):,.1f} s of work"


def _outcome(results: Sequence[NodeResult]) -> list[Line]:
    return [BLANK, (Span("Results", Style.BOLD), Span(f"  {outcome(results)}"))] if results else []


def _failures(results: Sequence[NodeResult]) -> list[Line]:
    failed = failures(results)
    rows = [
        [
            Span(result.status, Style.RED),
            Span(node_part(result.unique_id)),
            Span(_first_line(result.message), Style.DIM),
        ]
        for result in failed[:FAILURES_SHOWN]
    ]
    if not rows:
        return []
    hidden = len(failed) - len(rows)
    rest: list[Line] = [(Span(f"  {more(hidden, hint=True)}", Style.DIM),)] if hidden else []
    return [BLANK, (Span("Failed", Style.BOLD),), *table(rows), *rest]


def _first_line(message: str | None) -> str:
    return next((line.strip() for line in (message or "").splitlines() if line.strip()), "")


def _slowest(results: Sequence[NodeResult]) -> list[Line]:
    rows = [[Span(f"{r.seconds or 0:>8,.2f} s"), Span(node_part(r.unique_id))] for r in slowest(results)]
    return [BLANK, (Span("Slowest", Style.BOLD),), *table(rows)] if rows else []
