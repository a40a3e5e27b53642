"""Implementation of `diff`: compares two runs, their data on request, and runs a file of checks."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from decimal import Decimal
from functools import cache
from pathlib import Path

import click
from click.core import ParameterSource
from msgspec import Struct
from msgspec.structs import replace

from recce_meta import report
from recce_meta.adapter import UnifiedSqlAdapter
from recce_meta.api.data.stored import StoredData, stored_data
from recce_meta.api.diff import NOT_COMPARED, DiffQuestion, parse_fail_on, refuse_failing
from recce_meta.api.diff import diff as diff_runs
from recce_meta.api.kept_diffs import KeptDiffs
from recce_meta.api.reviews import reviews_of_pair
from recce_meta.api.run_choice import select_runs
from recce_meta.api.run_reader import StoredRunReader, open_run
from recce_meta.cli.connections import Connection, configured_base_branch
from recce_meta.cli.data_options import ByNode
from recce_meta.cli.options import LISTS, REMARKS, progress, report_size, say, server_pages, write
from recce_meta.errors import UsageError
from recce_meta.extractors.git import git_output
from recce_meta.lazy import load
from recce_meta.models import RunDiff, Status
from recce_meta.models.data_diff import AnyDataDiff
from recce_meta.models.marks.annotation import AnnotatedObjects
from recce_meta.models.marks.review import NO_CONTEXT, PairContext
from recce_meta.models.rows import Tabular
from recce_meta.profiles import find_project_dir
from recce_meta.quality.masking import privacy_of
from recce_meta.report.addresses import Addresses
from recce_meta.report.review.annotations import annotated_ids
from recce_meta.report.review.verdict import Checks
from recce_meta.store.check_results import checks_of_diff
from recce_meta.store.marks.annotations import list_annotations

NO_DATA = StoredData()
PRIVACY = ("no_values", "private")
"""Options about values, which stored results have, too."""


class DiffDataOptions(Struct, frozen=True, kw_only=True):
    """Options of `diff` about data and checks."""

    with_data: bool
    data_target: str | None
    base_target: str | None
    threads: int | None
    budget: float | None
    max_rows: int | None
    no_values: bool
    explains: bool
    private: tuple[str, ...]
    keys: ByNode
    conditions: ByNode
    sample: float | None
    tolerance: Decimal | None
    exclude_columns: tuple[str, ...]
    save: bool
    check_file: Path | None

    @property
    def given(self) -> bool:
        """Return True if an option is given that needs --data; privacy also applies to stored results."""
        values = [getattr(self, name) for name in self.__struct_fields__ if name not in PRIVACY]
        return any(value is not None and value is not False and value != () for value in values)


class FilesOptions(Struct, frozen=True, kw_only=True):
    """Options of `diff --files`."""

    files: bool
    dialect: str | None
    variables: str | None


class DiffRequest(Struct, frozen=True, kw_only=True):
    """Runs to compare, and the report to write."""

    connection: Connection
    base: str | None
    current: str | None
    project: str | None
    question: DiffQuestion
    style: str
    details: bool
    output: Path | None


def diff(
    connection: Connection,
    base_argument: str | None,
    current_argument: str | None,
    base: str | None,
    current: str | None,
    selection: tuple[str, ...],
    exclude: tuple[str, ...],
    allow_empty: bool,
    source: FilesOptions,
    like_dbt: bool,
    fail_on: tuple[str, ...],
    options: DiffDataOptions,
    details: bool,
    output: Path | None,
    project: str | None,
    style: str,
) -> None:
    """Compare two runs and report the changes. Raises ConditionFailed as --fail-on says."""
    conditions = parse_fail_on(",".join(fail_on), like_dbt=like_dbt, of_data=True) if fail_on else frozenset()
    if NOT_COMPARED in conditions and not options.with_data:
        raise UsageError(f"--fail-on {NOT_COMPARED} requires --data", hint="add --data")
    if options.explains and options.no_values:
        raise UsageError(
            "--why shows values, which --no-values or privacy.values of the configuration withholds",
            hint="remove --why, or pass --values",
        )
    # A gate over nothing, such as one with a mistyped selector, would always pass.
    has_gate = bool(conditions) and not allow_empty
    request = DiffRequest(
        connection=connection,
        base=_one_of("base", base_argument, _typed("base", base) if source.files else base),
        current=_one_of("current", current_argument, _typed("current", current) if source.files else current),
        project=project,
        question=DiffQuestion(selection, exclude, like_dbt, may_select_nothing=not has_gate),
        style=style,
        details=details,
        output=output,
    )
    # Refused before the comparison: a failed check without a report cannot be explained.
    if options.check_file and style in LISTS:
        raise UsageError(f"--format {style} has no place for --checks", hint="use recce-meta check run FILE")
    not_compared: list[str] = []
    if not source.files and (source.dialect or source.variables):
        raise UsageError("--dialect and --vars require --files", hint="add --files")
    if source.files:
        result = _diff_of_files(request, options, source)
    elif options.with_data or options.check_file:
        result, not_compared = load("recce_meta.cli.run.check:diff_with_data")(request, options)
    elif options.given:
        raise UsageError("Options for data diffs require --data", hint="add --data")
    else:
        result = _diff_without_data(request, options)
    refuse_failing(result, conditions, not_compared)


def _typed(name: str, option: str | None) -> str | None:
    """Return *option* if it is on the command line: the configured one names a run."""
    source = click.get_current_context().get_parameter_source(name)
    return option if source is ParameterSource.COMMANDLINE else None


def _one_of(name: str, argument: str | None, option: str | None) -> str | None:
    """Return the selector of one side: *argument* overrides a configured *option*.

    Raises UsageError if both are on the command line.
    """
    if argument is None:
        return option
    if _typed(name, option) is not None:
        raise UsageError(
            f"{name.upper()} is given twice: '{argument}' and --{name} '{option}'",
            hint=f"remove the argument or --{name}",
        )
    return argument


def _diff_of_files(request: DiffRequest, options: DiffDataOptions, source: FilesOptions) -> RunDiff:
    """Compare the files of the project with those of a commit, and report the changes."""
    if options.given or request.current is not None:
        raise UsageError(
            "--files compares the code of files only", hint="remove CURRENT and options for data"
        )
    connection = request.connection
    with progress("comparing"):
        result: RunDiff = load("recce_meta.api.diff_files:diff_files")(
            connection.project_dir or Path(),
            request.question,
            environ=os.environ,
            revision=request.base,
            base_branch=configured_base_branch(),
            options=load("recce_meta.api.record_sql:SqlOptions")(
                target_name=connection.target,
                profiles_dir=connection.profiles_dir,
                profile=connection.profile,
                dialect=source.dialect,
                variables=load("recce_meta.profiles.project_file:parse_variables")(source.variables),
            ),
        )
    _write_report(result, request)
    return result


def _diff_without_data(request: DiffRequest, options: DiffDataOptions) -> RunDiff:
    connection = request.connection
    project = connection.project_of(request.project, request.base, request.current)
    with ExitStack() as stack, progress("comparing"):
        # Runs on disk need no store, which may not even exist.
        source = cache(lambda: connection.open_existing(writes=True))
        connect = cache(lambda: stack.enter_context(source().read_only()))
        runs = select_runs(
            connect, request.base, request.current, defaults=connection.run_defaults(), project=project
        )
        sides = runs.base.selector, runs.current.selector
        kept = KeptDiffs(saves=True)
        found = diff_runs(connect, *sides, project=project, question=request.question, kept=kept)
        result = replace(found, choice=runs.choice)
        context = stored_context(result, connect, request.style)
        data = stored_results(result, connect, request.style, options)
        checks = stored_checks(result, connect, request.style)
    _write_report(result, request, data, checks, context)
    if kept.is_worth_saving:
        # Nothing waits for a file that another process has locked.
        with source().sibling(lock_timeout=0.0) as adapter:
            kept.save(adapter)
    return result


def _write_report(
    diff: RunDiff,
    request: DiffRequest,
    data: StoredData = NO_DATA,
    checks: Checks | None = None,
    context: PairContext = NO_CONTEXT,
) -> None:
    if request.style in LISTS:
        text = listed_nodes(diff, diff.notes, request.style)
    else:
        context = replace(context, taken_at=data.taken_at)
        text = rendered(diff, request, data.results or None, checks, context)
    write(text, request.output)


def listed_nodes(result: Tabular, notes: Sequence[str], style: str) -> str:
    """Return the nodes of *result* as CSV or TSV; the *notes*, which have no column, are printed."""
    for note in notes:
        say(f"note: {note}")
    return report.delimited(result.to_table(), style)


def _pages(diff: RunDiff) -> Addresses | None:
    """Return the pages of the server; None without its address, or for runs on disk."""
    choice = diff.choice
    if choice is None or None in (choice.base.run_id, choice.current.run_id):
        return None
    return server_pages()


def stored_checks(diff: RunDiff, connect: Callable[[], UnifiedSqlAdapter], style: str) -> Checks | None:
    """Return the stored check results of the runs of *diff* for a verdict in *style*, if any."""
    if style in (*LISTS, *REMARKS) or not _is_stored(diff):
        return None
    return checks_of_diff(connect(), diff) or None


def stored_context(diff: RunDiff, connect: Callable[[], UnifiedSqlAdapter], style: str) -> PairContext:
    """Return what the store has about the nodes of *diff* and a report in *style* shows."""
    if style in (*LISTS, *REMARKS) or not _is_stored(diff):
        return NO_CONTEXT
    reviews = reviews_of_pair(connect(), diff.base, diff.current)
    if style == "json":
        return PairContext(reviews=reviews)
    # One query: nodes that the report does not name may have thousands of annotations.
    project, ids = diff.current.project_name, annotated_ids(diff)
    annotations = AnnotatedObjects(list_annotations(connect(), project=project, unique_ids=ids))
    code = _sole_code(diff, connect) if style == "html" else {}
    return PairContext(reviews=reviews, annotations=annotations, code=code)


def _sole_code(diff: RunDiff, connect: Callable[[], UnifiedSqlAdapter]) -> dict[str, str]:
    """Return the source of nodes that only one run has, by unique id."""
    sources: dict[str, str] = {}
    for run, status in ((diff.base, Status.REMOVED), (diff.current, Status.ADDED)):
        ids = {change.unique_id for change in diff.changed if change.status is status}
        nodes = StoredRunReader(connect(), run).nodes(sorted(ids)) if ids else {}
        sources |= {name: nodes[name].raw_code or "" for name in ids & nodes.keys() if nodes[name].raw_code}
    return sources


def _is_stored(diff: RunDiff) -> bool:
    """Return True if both runs are in the store."""
    choice = diff.choice
    return choice is not None and None not in (choice.base.run_id, choice.current.run_id)


def stored_results(
    diff: RunDiff,
    connect: Callable[[], UnifiedSqlAdapter],
    style: str,
    options: DiffDataOptions,
) -> StoredData:
    """Return the stored data diffs of the runs of *diff* for a report, without values that are withheld.

    Changed nodes without a result are NotCompared. A list of nodes and runs on disk have no results.
    """
    if style in LISTS or not _is_stored(diff):
        return NO_DATA
    found = stored_data(connect(), diff)
    privacy = privacy_of(no_values=options.no_values, private=options.private)
    results = tuple(found.results)
    if privacy is not None and results and (choice := diff.choice) is not None:
        sides = [open_run(connect, str(one.run_id), project=None) for one in (choice.base, choice.current)]
        runs = load("recce_meta.api.runs:RunPair")(*sides)
        results = tuple(load("recce_meta.api.comparison:masked")(results, privacy, runs))
    return StoredData(results=results, taken_at=found.taken_at if results else None)


def _project_files(connection: Connection) -> tuple[Callable[[str], str | None], str]:
    """Return the reader of the project's files, and the path of the project in its repository."""
    root = find_project_dir(connection.project_dir) or connection.project_dir or Path()

    def read(path: str) -> str | None:
        try:
            return (root / path).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None  # a package's file, or that of another checkout

    return read, git_output(root, os.environ, ("rev-parse", "--show-prefix")).rstrip("\n")


def rendered(
    diff: RunDiff,
    request: DiffRequest,
    results: Sequence[AnyDataDiff] | None = None,
    checks: Checks | None = None,
    context: PairContext = NO_CONTEXT,
) -> str:
    """Return the report of *diff*; *results* is None if it has no data and no checks."""
    if request.style == "json":
        return report.diff_json(diff, results, checks, reviews=context.reviews, taken_at=context.taken_at)
    if request.style in REMARKS:
        write_remarks = report.diff_github if request.style == "github" else report.diff_codequality
        return write_remarks(diff, *_project_files(request.connection))
    to, details, size = _pages(diff), request.details, report_size(request.output)
    if request.style == "html":
        return report.html_report("Diff", diff, results or (), checks, to=to, context=context)
    if request.style == "markdown":
        if results is None:
            return report.diff_markdown(diff, checks, to=to, context=context)
        return report.pull_request_markdown(diff, results, checks, details=details, to=to, context=context)
    if results is None:
        return report.diff_text(diff, checks, details=details, context=context, **size)
    return report.whole_text(diff, results, checks, details=details, context=context, **size)
