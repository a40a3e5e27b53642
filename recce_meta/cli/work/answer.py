"""What every data diff command does with its plans: run or print them, and tell the results."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from recce_meta import report
from recce_meta.api.comparing_data import Comparison, Job
from recce_meta.cli.data_options import DataOptions, Opened, Output
from recce_meta.cli.options import say, screen, write
from recce_meta.cli.progress import progress
from recce_meta.cli.work.keeping import check_keepable, check_store, keep
from recce_meta.errors import RecceMetaError
from recce_meta.models.data_diff import AnyDataDiff, Failed, RowCountDiff

Jobs = Callable[[Opened], list[Job]]


def answer(data: DataOptions, output: Output, jobs: Jobs) -> None:
    """Make the diffs that *jobs* gives, and tell them; exits with 3 where one of several failed.

    A single one that fails is an error like any other.
    """
    if output.save:
        check_keepable(data)
    with data.open() as opened:
        comparison, wanted = opened.comparison, jobs(opened)
        if not wanted:
            say("No node with data is selected")  # which is no error: a change may well touch none
        if output.show_sql:
            write(_statements(comparison, wanted) or "-- nothing but columns is asked for", output.output)
            return
        if output.save:
            check_store(data, opened)
        with progress("comparing"):
            results = [comparison.run(wanted[0].plan())] if len(wanted) == 1 else comparison.run_all(wanted)
        if output.save:
            keep(data, opened, results)
    write(rendered(results, output.style, to_file=output.output is not None), output.output)
    failures = [result for result in results if isinstance(result, Failed)]
    if failures:
        raise RecceMetaError(f"{len(failures)} of {len(results)} could not be compared")
    for result in results:
        if isinstance(result, RowCountDiff) and _is_uncounted(result):
            raise RecceMetaError("Nothing could be counted")


def _is_uncounted(result: RowCountDiff) -> bool:
    """Whether not one relation of several could be counted."""
    is_counted = any(count.base is not None or count.current is not None for count in result.counts)
    return not is_counted and any(count.subject.base or count.subject.current for count in result.counts)


def rendered(results: Sequence[AnyDataDiff], style: str, *, to_file: bool = False) -> str:
    """The results in the format *style*."""
    if style == "json":
        return report.data_json(results)
    if style == "markdown":
        return report.data_markdown(results)
    if style == "html":
        return report.html_report("Data diff", None, results, None)
    return report.data_text(results, **({"width": 0, "color": False} if to_file else screen()))


def _statements(comparison: Comparison, jobs: Sequence[Job]) -> str:
    """What would run, each statement after a comment that says what for, and on which of two targets."""
    parts = []
    for query in comparison.statements(jobs):
        place = "" if comparison.places.is_joined else f" ({query.side.value})"
        parts.append(f"-- {query.about}{place}\n{query.sql};\n")
    return "\n".join(parts)
