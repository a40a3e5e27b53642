"""Any result as text, Markdown, HTML or JSON: the command's own report, else its rows as a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial, singledispatch
from html import escape
from typing import TypeAlias, cast

from recce_meta import report
from recce_meta.api.demo import Demo
from recce_meta.api.public.data import DataComparison
from recce_meta.api.runs import RunSummary
from recce_meta.errors import UnknownNameError, UsageError
from recce_meta.models import Check, RunDiff, RunMetadata
from recce_meta.models.change import ScanReport
from recce_meta.models.checks import CheckReport
from recce_meta.models.data_diff import AnyDataDiff, DataDiff, RowCountDiff
from recce_meta.models.lineage import ImpactView, LineageView
from recce_meta.models.marks.annotation import Annotation, AnnotationEvent, annotations_of
from recce_meta.models.quality import QualityRun
from recce_meta.models.rows import ResultList, RowTable, Tabular
from recce_meta.models.run import FsckResult
from recce_meta.quality.compare import QualityHistory, QualityResult
from recce_meta.report.data.markdown import md_table
from recce_meta.report.json import data_tree
from recce_meta.report.terminal import Span, code, grid, heading_row, pretty_json, render
from recce_meta.store.prune import PruneResult
from recce_meta.tables.rows import html_table, text, title_of

FORMATS = ("text", "markdown", "html", "json")
ROWS_SCHEMA = "recce_meta/rows/v1"
Writers: TypeAlias = Mapping[str, Callable[[], str]]
"""Functions that write a result, by format. A missing format is a table of the rows."""
Result: TypeAlias = Tabular | Sequence[Tabular]


def render_report(
    result: Tabular | Sequence[Tabular], format: str = "markdown", *, width: int = 120, title: str = ""
) -> str:
    """Return *result* of any function as a report in *format*: text, markdown, html or json.

    The report is that of the command: `render_report(diff_runs(adapter))` is the output of
    `recce-meta diff --format markdown`, without stored reviews and data diffs. Several data diffs may be
    given as one sequence. A result without a report in *format* becomes a table of its rows. *width* is that
    of text, in characters; 0 is unlimited. *title* is the heading of an HTML page. Raises UnknownNameError
    for an unknown format.
    """
    if format not in FORMATS:
        raise UnknownNameError("format", format, FORMATS)
    write = _writers(result, width, title).get(format)
    return write() if write is not None else _rows_as(result, format, width, title)


@singledispatch
def _writers(result: Result, width: int, title: str) -> Writers:
    return {}


@_writers.register
def _(result: RunDiff, width: int, title: str) -> Writers:
    return {
        "text": partial(report.diff_text, result, width=width, color=False),
        "markdown": partial(report.diff_markdown, result),
        "html": partial(report.html_report, title or "Diff", result, (), None),
        "json": partial(report.diff_json, result),
    }


@_writers.register(DataComparison)
@_writers.register(Demo)
def _(result: DataComparison | Demo, width: int, title: str) -> Writers:
    return {
        "text": partial(
            report.whole_text, result.diff, result.data, None, details=False, width=width, color=False
        ),
        "markdown": partial(report.pull_request_markdown, result.diff, result.data, None),
        "html": partial(report.html_report, title or "Diff", result.diff, result.data, None),
        "json": partial(report.diff_json, result.diff, result.data),
    }


@_writers.register(DataDiff)
@_writers.register(RowCountDiff)
def _(result: AnyDataDiff, width: int, title: str) -> Writers:
    return _of_data([result], width, title)


def _of_data(results: Sequence[AnyDataDiff], width: int, title: str) -> Writers:
    return {
        "text": partial(report.data_text, results, width=width, color=False),
        "markdown": partial(report.data_markdown, results),
        "html": partial(report.html_report, title or "Data diff", None, results, None),
        "json": partial(report.data_json, results),
    }


@_writers.register
def _(result: CheckReport, width: int, title: str) -> Writers:
    return {
        "text": partial(report.check_report_text, result, width=width, color=False),
        "markdown": partial(report.pull_request_markdown, None, (), result),
        "html": partial(report.html_report, title or "Checks", None, (), result, result.choice),
        "json": partial(report.check_report_json, result),
    }


_NAMES: Mapping[type[Tabular], str] = {
    LineageView: "lineage",
    ImpactView: "impact",
    ScanReport: "scan",
    QualityResult: "quality",
    QualityHistory: "quality_history",
}
"""First part of the names of the functions of `report` for results that they take as they are."""


@_writers.register(LineageView)
@_writers.register(ImpactView)
@_writers.register(ScanReport)
@_writers.register(QualityResult)
@_writers.register(QualityHistory)
def _(result: Tabular, width: int, title: str) -> Writers:
    name = _NAMES[type(result)]
    return {
        "text": partial(getattr(report, f"{name}_text"), result, width=width, color=False),
        "markdown": partial(getattr(report, f"{name}_markdown"), result),
        "json": partial(getattr(report, f"{name}_json"), result),
    }


@_writers.register
def _(result: RunSummary, width: int, title: str) -> Writers:
    parts = (result.run, result.counts, result.results, result.statistics, result.annotations)
    return {
        "text": partial(report.run_text, *parts, width=width, color=False),
        "markdown": partial(report.run_markdown, *parts),
        "json": partial(report.run_json, *parts),
    }


@_writers.register
def _(result: Annotation, width: int, title: str) -> Writers:
    return _of_notes(Annotation, [result], width)


@_writers.register
def _(result: PruneResult, width: int, title: str) -> Writers:
    runs = result.runs
    return {
        "text": partial(
            report.prune_text,
            runs,
            dry_run=result.dry_run,
            travelling=len(result.tombstones),
            width=width,
            color=False,
        ),
        "markdown": partial(report.runs_markdown, runs),
        "json": partial(report.runs_json, runs),
    }


@_writers.register
def _(result: FsckResult, width: int, title: str) -> Writers:
    return {
        "text": partial(report.fsck_text, result, color=False),
        "json": partial(report.fsck_json, result),
    }


@_writers.register(list)
@_writers.register(tuple)
def _(result: Sequence[Tabular], width: int, title: str) -> Writers:
    if result and all(isinstance(one, (DataDiff, RowCountDiff)) for one in result):
        return _of_data(cast("Sequence[AnyDataDiff]", result), width, title)
    kind = _item_type(result)
    if kind is RunMetadata:
        runs = cast("Sequence[RunMetadata]", result)
        return {
            "text": partial(report.runs_text, runs, width=width, color=False),
            "markdown": partial(report.runs_markdown, runs),
            "json": partial(report.runs_json, runs),
        }
    if kind is QualityRun:
        measured = cast("Sequence[QualityRun]", result)
        return {
            "text": partial(report.quality_runs_text, measured, width=width, color=False),
            "markdown": partial(report.quality_runs_markdown, measured),
            "json": partial(report.quality_runs_json, measured),
        }
    if kind is Check:
        checks = cast("Sequence[Check]", result)
        return {
            "text": partial(report.checks_text, checks, color=False),
            "json": partial(report.checks_json, checks),
        }
    return _of_notes(kind, result, width)


def _of_notes(kind: type[Tabular], result: Sequence[Tabular], width: int) -> Writers:
    if kind is Annotation:
        notes = cast("Sequence[Annotation]", result)
        return {
            "text": partial(report.notes_text, notes, width=width, color=False),
            "json": partial(report.notes_json, notes),
        }
    if kind is AnnotationEvent:
        events = cast("Sequence[AnnotationEvent]", result)
        return {
            "text": partial(report.note_history_text, events, width=width, color=False),
            "json": lambda: report.notes_json(annotations_of(events), events),
        }
    return {}


def _item_type(results: Sequence[Tabular]) -> type[Tabular]:
    """Return the type of the items of *results*. Raises UsageError for a mixed or empty plain sequence."""
    if isinstance(results, ResultList):
        return results.item_type
    kinds = {type(one) for one in results}
    if len(kinds) != 1 or not issubclass(kind := kinds.pop(), Tabular):
        raise UsageError(
            "A report requires results of one type", hint="pass one result, or data diffs as one list"
        )
    return kind


def _rows_as(result: Result, format: str, width: int, title: str) -> str:
    """Return the rows of *result* as a table in *format*."""
    if isinstance(result, Tabular):
        kind, table = type(result), result.to_table()
    else:
        kind = _item_type(result)
        table = ResultList(kind, result).to_table()
    heading = title or title_of(kind)
    if format == "json":
        rows = [data_tree(row) for row in table.to_dicts()]
        return pretty_json({"schema": ROWS_SCHEMA, "result": kind.__name__, "rows": rows})
    if format == "html":
        return _page(heading, html_table(table, heading, getattr(result, "notes", ()), most=None))
    cells = [["" if cell is None else text(cell) for cell in row] for row in table.rows]
    if format == "markdown":
        return _markdown(table, cells)
    lines = [heading_row(*table.types), *([Span(cell) for cell in row] for row in cells)]
    return render(grid(lines, width=width, indent=0), width=width, color=False)


def _markdown(table: RowTable, cells: Sequence[Sequence[str]]) -> str:
    return md_table(list(table.types), [[code(cell) if cell else "" for cell in row] for row in cells])


def _page(title: str, body: str) -> str:
    policy = "default-src 'none'"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"<title>{escape(title)}</title>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )
