"""Implementation of `check run`, `diff --checks` and `diff --data`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec.structs import replace

from recce_meta import report
from recce_meta.api.checks import default_check_file, refuse_failed
from recce_meta.api.comparison import Comparison
from recce_meta.api.data.jobs import selected_pairs
from recce_meta.api.diff import diff_of_pair
from recce_meta.api.public.data import DataComparison
from recce_meta.api.render import Templates
from recce_meta.checks.file import read_check_file
from recce_meta.cli.node_options import option_globs, refuse_unknown_nodes, warn_unused
from recce_meta.cli.notifications import Receivers
from recce_meta.cli.options import LISTS, progress, report_size, warn, write
from recce_meta.cli.run.data import DataOptions, say_saved
from recce_meta.cli.run.diff import (
    DiffDataOptions,
    DiffRequest,
    listed_nodes,
    rendered,
    stored_checks,
    stored_context,
    stored_results,
)
from recce_meta.models import RunDiff
from recce_meta.models.checks import AnyCheck, CheckReport
from recce_meta.models.data_diff import AnyDataDiff, Failed
from recce_meta.report.data.summary import summarise_nodes
from recce_meta.report.labels import unbuilt_notes
from recce_meta.report.review.verdict import Checks

NO_DATA_COMPARED = (
    "No data was compared: {}. Rows may differ for other reasons; --select compares chosen nodes"
)


def report_checks(
    data: DataOptions,
    file: Path | None,
    *,
    details: bool,
    junit: Path | None,
    json_file: Path | None,
    output: Path | None,
    save: bool,
    receivers: Receivers,
    style: str,
) -> None:
    """Run the checks of *file*, by default of the file in the current folder; report and save the results."""
    outbox = receivers.read()
    path = file or default_check_file()
    checks = read_check_file(path)
    if save:
        data.refuse_unsaveable()
    with data.open(writes=save) as session, progress("checking") as tell:
        if save:
            session.refuse_newer_store()
        result = run_check_file(session, data, checks, path, tell, save=save)
        assert session.runs is not None, "run_check_file has refused tables"
        sides = session.runs.base.run, session.runs.current.run
    if junit is not None:
        junit.write_text(report.check_report_junit(result), encoding="utf-8")
    if json_file is not None:
        json_file.write_text(report.check_report_json(result), encoding="utf-8")
    write(_rendered(result, style, output, details=details), output)
    unsent = outbox.send("recce_meta.report.review.notices:checks_notice", result, *sides)
    # After the report, which explains the exit code.
    refuse_failed(result)
    outbox.refuse(unsent)


def run_check_file(
    session: Comparison,
    data: DataOptions,
    checks: Sequence[AnyCheck],
    path: Path,
    tell: Callable[[str], None],
    *,
    save: bool,
) -> CheckReport:
    """Run *checks*, read from *path*, and store their results if *save* is set."""
    templates = Templates(session.runs, environ=os.environ, project_dir=data.connection.project_dir)
    result = session.check(
        checks, path, templates, lambda done, of, name: tell(f"{done} of {of} checks  {name}")
    )
    if save:
        say_saved(session.save_checks(result, checks), "check result")
    return result


def _rendered(result: CheckReport, style: str, output: Path | None, *, details: bool) -> str:
    if style in LISTS:
        return report.delimited(result.to_table(), style)
    if style == "json":
        return report.check_report_json(result)
    if style == "markdown":
        return report.pull_request_markdown(None, (), result, details=details)
    if style == "html":
        return report.html_report("Checks", None, (), result, result.choice)
    return report.check_report_text(result, details=details, **report_size(output))


def diff_with_data(request: DiffRequest, options: DiffDataOptions) -> tuple[RunDiff, list[str]]:
    """Compare two runs and their data, run checks, and report all of it.

    Return the diff, and the names of nodes with data that was not, or only partly, compared, or that may be
    of an earlier build; these are not errors.

    Raises ConditionFailed, after the report, if a check did not pass.
    """
    data, file = _data_of(request, options), options.check_file
    if options.save:
        data.refuse_unsaveable()
    # An invalid file is an error before any query runs.
    asked = read_check_file(file) if file is not None else ()
    with data.open(writes=options.save) as session, progress("comparing") as tell:
        assert session.runs is not None, "no tables are named"
        if options.save:
            session.refuse_newer_store()
        found = diff_of_pair(session.runs.base, session.runs.current, request.question)
        diff = replace(found, choice=session.choice)
        results, taken_at = [], None
        if options.with_data:
            results = _compared(session, diff, request, options, tell)
            if not results and diff.choice is not None:
                is_part = request.question.selection or request.question.exclude
                why = "nothing selected has data" if is_part else "no known change affects a node with data"
                notes = (*diff.choice.notes, NO_DATA_COMPARED.format(why))
                diff = replace(diff, choice=replace(diff.choice, notes=notes))
            if options.save:
                say_saved(session.save(results))
        else:
            stored = stored_results(diff, session.store, request.style, options)
            results, taken_at = list(stored.results), stored.taken_at
        run = run_check_file(session, data, asked, file, tell, save=options.save) if file else None
        checks: Checks | None = run
        if run is None:
            checks = stored_checks(diff, session.store, request.style)
        context = replace(stored_context(diff, session.store, request.style), taken_at=taken_at)
    if context.reviews is not None and run is not None and not options.save:
        # Marks are about stored results, and the results of this report are not.
        context = replace(context, reviews=replace(context.reviews, checks={}))
    if request.style in LISTS:
        comparison = DataComparison(diff=diff, data=tuple(results))
        text = listed_nodes(comparison, diff.notes, request.style)
    else:
        text = rendered(diff, request, results, checks, context)
    write(text, request.output)
    failures = [result for result in results if isinstance(result, Failed)]
    if failures and options.with_data:
        warn(f"{len(failures)} data comparison{'' if len(failures) == 1 else 's'} failed")
    if run is not None:
        refuse_failed(run)
    nodes = summarise_nodes(results)
    is_unbuilt = bool(unbuilt_notes(diff))
    return diff, [node.subject.name for node in nodes if is_unbuilt or node.gaps or node.subject.is_stale]


def _data_of(request: DiffRequest, options: DiffDataOptions) -> DataOptions:
    return DataOptions(
        connection=request.connection,
        base=request.base,
        current=request.current,
        tables=(),
        data_target=options.data_target,
        base_target=options.base_target,
        threads=options.threads,
        budget=options.budget,
        no_values=options.no_values,
        private=options.private,
        project=request.project,
    )


def _compared(
    session: Comparison,
    diff: RunDiff,
    request: DiffRequest,
    options: DiffDataOptions,
    tell: Callable[[str], None],
) -> list[AnyDataDiff]:
    """Compare the data of nodes that *diff* changed or affects, or that *request* selects."""
    assert session.runs is not None, "no tables are named"
    given = option_globs(options)
    refuse_unknown_nodes(options, session.runs)
    chosen = selected_pairs(diff, session.runs, request.question, [*session.globs, *given])
    warn_unused(options, chosen)
    return session.data_of(
        chosen,
        given,
        options.max_rows,
        lambda done, of: tell(f"comparing data: {done} of {of}"),
        explains=options.explains,
    )
