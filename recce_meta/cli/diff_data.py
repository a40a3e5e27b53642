"""`diff --data`: the diff of two runs, with that of their data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from recce_meta import report
from recce_meta.api.comparing import Question, whole_diff
from recce_meta.api.data_of_diff import data_of_diff
from recce_meta.api.subjects import touched_by
from recce_meta.cli.data_options import DataOptions
from recce_meta.cli.keeping import check_keepable, keep, kept_of
from recce_meta.cli.options import Connection, screen, warn, write
from recce_meta.cli.progress import progress
from recce_meta.models import RunDiff
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
    data_target: str | None,
    base_target: str | None,
    threads: int | None,
    budget: float | None,
    save: bool,
) -> RunDiff:
    """Compare two runs and their data, and tell both; what could not be compared is told, and is no error."""
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
    with data.open() as opened, progress("comparing") as tell:
        assert opened.runs is not None, "no tables are named"
        diff = whole_diff(opened.runs.base.project, opened.runs.current.project, question)
        chosen = touched_by(diff, opened.runs)
        results = data_of_diff(
            opened.comparison,
            opened.runs,
            chosen,
            lambda done, of: tell(f"comparing data: {done} of {of}"),
            kept=kept_of(data, opened, opened.runs, chosen),
        )
        if save:
            keep(data, opened, results)
    write(_rendered(diff, results, style, to_file=output is not None), output)
    failures = [result for result in results if isinstance(result, Failed)]
    if failures:
        warn(f"the data of {len(failures)} could not be compared")
    return diff


def _rendered(diff: RunDiff, results: Sequence[AnyDataDiff], style: str, *, to_file: bool) -> str:
    if style == "json":
        return report.diff_json(diff, results)
    if style == "markdown":
        return report.pull_request_markdown(diff, results, None)
    if style == "html":
        return report.html_report("Diff", diff, results, None)
    size = {"width": 0, "color": False} if to_file else screen()
    return f"{report.diff_text(diff, **size).rstrip()}\n\n{report.data_text(results, **size)}"
