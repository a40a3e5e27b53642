"""Runs as text, Markdown and JSON: lists, details, and messages of commands that write runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from recce_meta.errors import first_line, first_of
from recce_meta.models.marks.annotation import Annotation
from recce_meta.models.node import NodeResult
from recce_meta.models.run import FAILED as RUN_FAILED
from recce_meta.models.run import Check, CutFrom, Extraction, RunMetadata
from recce_meta.models.stored import StatisticsSummary
from recce_meta.report.labels import (
    build_outcome,
    count_of,
    counts_by_kind,
    dirty_legend,
    moment,
    more_phrase,
    node_part,
    revision,
    run_problem,
    short_run_id,
    short_sha,
)
from recce_meta.report.review.notes import note_lines, notes_markdown
from recce_meta.report.terminal import (
    BLANK,
    Line,
    Span,
    Style,
    code,
    md_table,
    one_line,
    plain_line,
    plain_words,
    pretty_json,
    prose,
    render,
    table,
)

SLOWEST_SHOWN = 5
FAILURES_SHOWN = 10

FAILED = frozenset({"error", "runtime error", "fail", "partial success"})
"""Result statuses of dbt that mean failure."""

_HEADINGS = ("run", "status", "environment", "branch", "sha", "run at", "PR", "nodes", "project", "dbt")
"""Narrow terminals cut columns at the end."""


def runs_text(runs: Sequence[RunMetadata], *, width: int, color: bool) -> str:
    """Return one line per run in the order given, and what a `*` after a commit means."""
    if not runs:
        return render([plain_line("No runs recorded")], width=width, color=color)
    legend = dirty_legend(*runs)
    notes: list[Line] = [(Span(legend, Style.DIM),)] if legend else []
    return render([*table(run_rows(runs), indent=0), *notes], width=width, color=color)


def run_rows(runs: Sequence[RunMetadata]) -> list[list[Span]]:
    """Return a row of headings and one per run; a column without values has no heading."""
    rows = [_run_row(run) for run in runs]
    headings = [
        Span(heading if any(row[index].text for row in rows) else "", Style.DIM)
        for index, heading in enumerate(_HEADINGS)
    ]
    return [headings, *rows]


def _run_row(run: RunMetadata) -> list[Span]:
    return [
        Span(short_run_id(run.run_id), Style.CYAN),
        Span(run_problem(run), Style.RED),
        Span(run.environment),
        Span(run.branch or ""),
        Span(short_sha(run.git_sha) + ("*" if run.git_dirty and run.git_sha else "")),
        Span(moment(run.run_at)),
        Span(run.pull_request or ""),
        Span(f"{run.node_count:,}"),
        Span(run.project_name),
        Span(run.dbt_version or ""),
    ]


def run_text(
    run: RunMetadata,
    counts: Mapping[str, int],
    results: Sequence[NodeResult] = (),
    statistics: StatisticsSummary | None = None,
    annotations: Sequence[Annotation] = (),
    *,
    width: int,
    color: bool,
) -> str:
    """Return one run: origin, contents, failures, slowest nodes and notes."""
    title = (Span(run.project_name, Style.BOLD), Span(f"  {run.environment}"))
    rows = [
        [Span(label, Style.DIM), Span(value)] for label, value in run_facts(run, counts, statistics) if value
    ]
    lines = [
        title,
        *table(rows),
        *_warnings(run),
        *_outcome(results),
        *_failures(results),
        *_slowest(results),
        *note_lines(annotations, {}),
    ]
    return render(lines, width=width, color=color)


def _warnings(run: RunMetadata) -> list[Line]:
    if not run.warnings:
        return []
    return [BLANK, (Span("Warnings", Style.BOLD),), *(plain_line(f"  {warning}") for warning in run.warnings)]


def run_facts(
    run: RunMetadata, counts: Mapping[str, int], statistics: StatisticsSummary | None = None
) -> list[tuple[str, str]]:
    """Return the properties of *run* as labels and values; unknown values are empty."""
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
        # The label already contains this word.
        ("build", build_outcome(run).removeprefix("build ")),
        ("nodes", counts_by_kind(counts) or f"{run.node_count:,}"),
        ("edges", f"{run.edge_count:,}"),
        ("columns", "with lineage" if run.column_graph_id else ""),
        ("statistics", "" if statistics is None else statistics_fact(statistics)),
        *([] if run.extraction is None else _extraction_facts(run.extraction)),
    ]


def _extraction_facts(extraction: Extraction) -> list[tuple[str, str]]:
    """Return how a run was extracted from a connected repository, as labels and values."""
    reason = f": {one_line(extraction.fallback)}" if extraction.fallback else ""
    isolation = "" if extraction.isolation is None else extraction.isolation.value
    parser = " as a stand-in" if extraction.is_stand_in else ""
    return [
        ("connection", extraction.connection),
        ("job", extraction.job),
        ("requested", f"{extraction.trigger.value} by {extraction.requested_by}"),
        ("tier", f"{extraction.tier.value}{reason}"),
        ("isolation", isolation),
        ("parsed with", f"{extraction.adapter}{parser}" if extraction.adapter else ""),
    ]


def statistics_fact(statistics: StatisticsSummary) -> str:
    """Return `rows of 12 nodes, profiles of 3 nodes, from 2026-11-19 08:00 UTC`; empty if there are none."""
    if not (statistics.nodes_counted or statistics.nodes_profiled):
        return ""
    phrases = [f"rows of {count_of(statistics.nodes_counted, 'node')}"]
    phrases += (
        [f"profiles of {count_of(statistics.nodes_profiled, 'node')}"] if statistics.nodes_profiled else []
    )
    phrases += [f"from {moment(statistics.last_counted_at)}"] if statistics.last_counted_at else []
    return ", ".join(phrases)


def failures(results: Sequence[NodeResult]) -> list[NodeResult]:
    """Return the failed results, by unique id."""
    return sorted((r for r in results if r.status in FAILED), key=lambda result: result.unique_id)


def slowest(results: Sequence[NodeResult]) -> list[NodeResult]:
    """Return the slowest results, slowest first."""
    timed = [result for result in results if result.seconds]
    return sorted(timed, key=lambda result: (-(result.seconds or 0), result.unique_id))[:SLOWEST_SHOWN]


def outcome(results: Sequence[NodeResult]) -> str:
    """Return `12 success, 1 error · 34.2 s of work`; the time is a sum over nodes, not elapsed time."""
    counts = Counter(result.status for result in results)
    return outcome_of(counts, sum(result.seconds or 0 for result in results))


def outcome_of(counts: Mapping[str, int], seconds: float) -> str:
    """Return `outcome` of the number of results by status and the sum of their seconds."""
    text = ", ".join(
        f"{count:,} {status}" for status, count in sorted(counts.items(), key=lambda i: (-i[1], i[0]))
    )
    return f"{text} · {seconds:,.1f} s of work"


def _outcome(results: Sequence[NodeResult]) -> list[Line]:
    return [BLANK, (Span("Results", Style.BOLD), Span(f"  {outcome(results)}"))] if results else []


def _failures(results: Sequence[NodeResult]) -> list[Line]:
    failed = failures(results)
    rows = [
        [
            Span(result.status, Style.RED),
            Span(node_part(result.unique_id)),
            Span(first_line(result.message or ""), Style.DIM),
        ]
        for result in failed[:FAILURES_SHOWN]
    ]
    if not rows:
        return []
    hidden = len(failed) - len(rows)
    rest: list[Line] = [(Span(f"  {more_phrase(hidden, hint=True)}", Style.DIM),)] if hidden else []
    return [BLANK, (Span("Failed", Style.BOLD),), *table(rows), *rest]


def _slowest(results: Sequence[NodeResult]) -> list[Line]:
    rows = [[Span(f"{r.seconds or 0:>8,.2f} s"), Span(node_part(r.unique_id))] for r in slowest(results)]
    return [BLANK, (Span("Slowest", Style.BOLD),), *table(rows)] if rows else []


MARKDOWN_FAILURES_SHOWN = 50


def runs_markdown(runs: Sequence[RunMetadata]) -> str:
    """Return a table of *runs* in the order given."""
    if not runs:
        return "No runs recorded\n"
    legend = dirty_legend(*runs)
    notes = f"\n{prose(legend)}\n" if legend else ""
    rows = [[code(cell.text) if cell.text else "" for cell in _run_row(run)] for run in runs]
    return md_table(_HEADINGS, rows) + notes


def run_markdown(
    run: RunMetadata,
    counts: Mapping[str, int],
    results: Sequence[NodeResult] = (),
    statistics: StatisticsSummary | None = None,
    annotations: Sequence[Annotation] = (),
) -> str:
    """Return one run: origin, contents, failures, slowest nodes and notes."""
    facts = "".join(
        f"- {label}: {code(value)}\n" for label, value in run_facts(run, counts, statistics) if value
    )
    text = f"### {code(run.project_name)} {code(run.environment)}\n\n{facts}"
    if run.warnings:
        text += "\n**Warnings**\n\n" + "".join(f"- {prose(warning)}\n" for warning in run.warnings)
    if results:
        text += f"\n**Results**: {code(outcome(results))}\n"
    text += _markdown_failures(failures(results)) + _markdown_slowest(slowest(results))
    return text + notes_markdown(annotations, {})


def _markdown_failures(failed: Sequence[NodeResult]) -> str:
    if not failed:
        return ""
    rows = [_failure_row(result) for result in failed[:MARKDOWN_FAILURES_SHOWN]]
    rest = f"\n{more_phrase(len(failed) - len(rows))}\n" if len(rows) < len(failed) else ""
    return "\n" + md_table(("status", "failed", "message"), rows) + rest


def _failure_row(result: NodeResult) -> list[str]:
    message = code(one_line(result.message), 160) if result.message else ""
    return [plain_words(result.status), code(node_part(result.unique_id)), message]


def _markdown_slowest(results: Sequence[NodeResult]) -> str:
    rows = [[f"{result.seconds or 0:,.2f}", code(node_part(result.unique_id))] for result in results]
    return "\n" + md_table(("seconds", "slowest"), rows, right={0}) if rows else ""


WHOLE = 0
"""No width limit: a diagnosis often has its cause at the end of the line."""

_VERDICTS = {
    True: Span("ok", Style.GREEN),
    False: Span("failed", Style.RED),
    None: Span("skipped", Style.DIM),
}


def checks_text(checks: Sequence[Check], *, color: bool, width: int = 0) -> str:
    """Return a line per check of `doctor`, hints, and a verdict."""
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
    statistics: Mapping[str, int] = {},
    columns: Mapping[str, int] | None = None,
) -> str:
    """Return a confirmation of the recorded run, its statistics and its columns.

    *statistics* is the number of nodes by what is stored of them, such as `row counts`. *columns* is the
    number of nodes whose columns were `traced`, `reused` and `not_traced`.
    """
    name = Span(short_run_id(run.run_id), Style.CYAN)
    where = Span(f" of {run.project_name} as {run.environment}")
    figures = [f"{what} of {count_of(nodes, 'node')}" for what, nodes in statistics.items() if nodes]
    facts = [text for text in (", ".join(figures), columns_fact(columns or {})) if text]
    if not is_new:
        written = f"added {'; '.join(facts)}" if facts else "nothing written"
        line: Line = (Span("Run "), name, where, Span(f" was already recorded; {written}"))
        return render([line], width=width, color=color)
    phrase = counts_by_kind(counts) or count_of(run.node_count, "node")
    lines: list[Line] = [(Span("Recorded run "), name, where), plain_line(f"  {phrase}")]
    lines += [plain_line(f"  {text}") for text in facts]
    return render(lines, width=width, color=color)


def columns_fact(columns: Mapping[str, int]) -> str:
    """Return `columns traced for 3 nodes, reused for 97 nodes`; empty if there are none."""
    words = {"traced": "traced", "reused": "reused", "not_traced": "not traced"}
    phrases = [
        f"{word} for {count_of(columns[key], 'node')}" for key, word in words.items() if columns.get(key)
    ]
    return f"columns {', '.join(phrases)}" if phrases else ""


def prune_text(
    runs: Sequence[RunMetadata], dry_run: bool, travelling: int = 0, *, width: int, color: bool
) -> str:
    """Return the runs that were removed, or that would be; *travelling* is the number of tombstones."""
    if not runs:
        return render([plain_line("Nothing to prune")], width=width, color=color)
    verb = "Would remove" if dry_run else "Removed"
    title = (Span(f"{verb} {count_of(len(runs), 'run')}", Style.BOLD),)
    lines = [title, *table(run_rows(runs))]
    if travelling:
        future = "would reach" if dry_run else "will reach"
        note = f"{count_of(travelling, 'deletion')} {future} other stores with push, pull and sync"
        lines += [plain_line(""), plain_line(note)]
    return render(lines, width=width, color=color)


IMPORT_SCHEMA = "recce_meta/import/v1"


class TransferredRun(Struct, frozen=True, kw_only=True):
    """Result of importing or copying one run."""

    run: RunMetadata
    """The run as stored."""
    is_new: bool
    """False if the run existed before."""
    added: tuple[str, ...] = ()
    """Parts added to a run that existed before."""
    cut_from: CutFrom | None = None
    """The run that this run is a part of; None for a complete run."""


class ImportDocument(Struct, kw_only=True):
    """Output of `import --format json`."""

    schema: str = IMPORT_SCHEMA
    runs: Sequence[TransferredRun]


def transfer_json(runs: Sequence[TransferredRun]) -> str:
    """Return *runs* in the order given."""
    return pretty_json(ImportDocument(runs=runs))


def transfer_text(runs: Sequence[TransferredRun], verb: str, *, width: int, color: bool) -> str:
    """Return a line for each of *runs*; *verb* describes the action on new ones."""
    return render([_line(one, verb) for one in runs], width=width, color=color)


def exported_text(runs: Sequence[RunMetadata], paths: Sequence[Path], *, width: int, color: bool) -> str:
    """Return which runs were written to which files."""
    lines: list[Line] = [
        (*_named("Exported run ", run), Span(f", {count_of(run.node_count, 'node')}")) for run in runs
    ]
    if len(paths) == 1:
        lines.append(plain_line(f"  {paths[0]}"))
    elif paths:
        folders = sorted({str(path.parent) for path in paths})
        lines.append(plain_line(f"  {count_of(len(paths), 'file')} in {first_of(folders, 3)}"))
    return render(lines, width=width, color=color)


def _line(one: TransferredRun, verb: str) -> Line:
    if one.is_new:
        whole = one.cut_from
        of = "" if whole is None else f" of the {whole.node_count} of {short_run_id(whole.run_id)}"
        return (*_named(f"{verb} run ", one.run), Span(f", {count_of(one.run.node_count, 'node')}{of}"))
    written = f"added {', '.join(one.added)}" if one.added else "nothing written"
    return (*_named("Run ", one.run), Span(f" already exists; {written}"))


def _named(before: str, run: RunMetadata) -> Line:
    name = Span(short_run_id(run.run_id), Style.CYAN)
    return (Span(before), name, Span(f" of {run.project_name} as {run.environment}"))


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


class RecceImport(Protocol):
    """Numbers of imported and skipped objects."""

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


class ImportedRun(Struct, kw_only=True):
    """Run of a recce_state.json."""

    run: RunMetadata
    is_new: bool
    """False if the run existed before."""


class OmittedObject(Struct, kw_only=True):
    """Object of a recce_state.json without an equivalent in the store."""

    what: str
    name: str
    reason: str


class RecceImportDocument(Struct, kw_only=True):
    """Output of `import --format json` for a recce_state.json."""

    schema: str = SCHEMA
    origin: str
    """`recce` and its version."""
    runs: Sequence[ImportedRun]
    checks: int
    """Results of checks in the file."""
    new_checks: int
    """Results of checks that were not stored before."""
    data_diffs: int
    new_data_diffs: int
    left_out: Sequence[OmittedObject]


def recce_import_json(found: RecceImport) -> str:
    """Return *found* as a document of schema `recce_meta/import-recce/v1`."""
    document = RecceImportDocument(
        origin=found.origin,
        runs=[ImportedRun(run=one.run, is_new=one.is_new) for one in found.runs],
        checks=found.checks,
        new_checks=found.new_checks,
        data_diffs=found.data_diffs,
        new_data_diffs=found.new_data_diffs,
        left_out=[OmittedObject(what=one.what, name=one.name, reason=one.reason) for one in found.left_out],
    )
    return pretty_json(document)


def recce_import_text(found: RecceImport, *, width: int, color: bool) -> str:
    """Return a line for each run, the counts, and the skipped objects with reasons."""
    lines: list[Line] = []
    for one in found.runs:
        run, state = one.run, "recorded" if one.is_new else "already exists"
        name = Span(short_run_id(run.run_id), Style.CYAN)
        lines.append((Span("Run "), name, Span(f" of {run.project_name} as {run.environment}: {state}")))
    for word, total, new in (
        ("results of checks", found.checks, found.new_checks),
        ("data diffs", found.data_diffs, found.new_data_diffs),
    ):
        lines.append(plain_line(f"{total:,} {word} of {found.origin}, {new:,} of them new"))
    if found.left_out:
        lines.append(plain_line(f"{len(found.left_out):,} without an equivalent:"))
        lines += table(
            [[Span(one.what), Span(one.name), Span(one.reason, Style.DIM)] for one in found.left_out]
        )
    return render(lines, width=width, color=color)
