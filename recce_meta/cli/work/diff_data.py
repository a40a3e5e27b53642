"""`diff --data`: the diff of two runs, with that of their data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from recce_meta import report
from recce_meta.api.comparing import Question, diff_of_pair
from recce_meta.api.data_of_diff import ValueLimits, data_of_diff
from recce_meta.api.subjects import asked_by
from recce_meta.cli.data_options import DataOptions, Opened
from recce_meta.cli.options import Connection, screen, warn, write
from recce_meta.cli.progress import progress
from recce_meta.cli.work.checks import answered, refuse_failed
from recce_meta.cli.work.keeping import check_keepable, check_store, keep, kept_of
from recce_meta.diff.data.gaps import gaps
from recce_meta.extractors.check_file import read_check_file
from recce_meta.models import RunDiff
from recce_meta.models.check_result import CheckReport
from recce_meta.models.data_diff import AnyDataDiff, Failed


def diff_with_data(
    connection: Connection,
    base: str,
    current: str,
    project: str | None,
    question: Question,
    style: str,
    output: Path | None,
    *,
    with_data: bool,
    check_file: Path | None,
    data_target: str | None,
    base_target: str | None,
    threads: int | None,
    budget: float | None,
    max_rows: int | None,
    no_values: bool,
    save: bool,
) -> tuple[RunDiff, list[str]]:
    """Compare two runs and their data, run checks, and report all; data that was not compared is no error.

    Return the diff, and the names of the nodes whose data was not compared, or not in full. Raises
    ConditionFailed, after the report, if a check did not pass.
    """
    data = DataOptions(
        connection=connection,
        base=base,
        current=current,
        tables=(),
        data_target=data_target,
        base_target=base_target,
        threads=threads,
        budget=budget,
        project=project,
    )
    if save:
        check_keepable(data)
    asked = read_check_file(check_file) if check_file is not None else ()
    with data.open() as opened, progress("comparing") as tell:
        assert opened.runs is not None, "no tables are named"
        if save:
            check_store(data, opened)
        diff = diff_of_pair(opened.runs.base, opened.runs.current, question)
        limits = ValueLimits(with_values=not no_values, max_rows=max_rows)
        results = _compared(data, opened, diff, question, limits, tell) if with_data else []
        if save:
            keep(data, opened, results)
        checks = answered(data, opened, asked, check_file, tell, save=save) if check_file else None
    write(_rendered(diff, results, checks, style, to_file=output is not None), output)
    failures = [result for result in results if isinstance(result, Failed)]
    if failures:
        warn(f"the data of {len(failures)} could not be compared")
    if checks is not None:
        refuse_failed(checks)
    return diff, list(dict.fromkeys(gap.subject.name for gap in gaps(results)))


def _compared(
    data: DataOptions,
    opened: Opened,
    diff: RunDiff,
    question: Question,
    limits: ValueLimits,
    tell: Callable[[str], None],
) -> list[AnyDataDiff]:
    """Return how the data differs of what *diff* changed and touches, and of what *question* selects."""
    assert opened.runs is not None, "no tables are named"
    chosen = asked_by(diff, opened.runs, question)
    return data_of_diff(
        opened.comparison,
        opened.runs,
        chosen,
        lambda done, of: tell(f"comparing data: {done} of {of}"),
        kept=kept_of(data, opened, opened.runs, chosen),
        limits=limits,
    )


def _rendered(
    diff: RunDiff, results: Sequence[AnyDataDiff], checks: CheckReport | None, style: str, *, to_file: bool
) -> str:
    if style == "json":
        return report.diff_json(diff, results, checks)
    if style == "markdown":
        return report.pull_request_markdown(diff, results, checks)
    if style == "html":
        return report.html_report("Diff", diff, results, checks)
    size = {"width": 0, "color": False} if to_file else screen()
    parts = [
        report.diff_text(diff, **size),
        report.data_summary_text(results, **size),
        report.data_text(results, **size),
    ]
    parts += [report.check_report_text(checks, **size)] if checks is not None else []
    return "\n\n".join(part.rstrip() for part in parts if part)
