"""Any result as text, Markdown, HTML, JSON, CSV or TSV: the command's own report, else its rows as a table.

Results are known by the names of their types, so that a command imports only the report that it writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from operator import attrgetter
from typing import Any, TypeAlias

from recce_meta import report
from recce_meta.errors import UnknownNameError, UsageError
from recce_meta.lazy import LazyModule
from recce_meta.models.rows import ResultList, RowTable, Tabular

markdown: Any = LazyModule("recce_meta.report.data.markdown")
json: Any = LazyModule("recce_meta.report.json")
terminal: Any = LazyModule("recce_meta.report.terminal")
rows: Any = LazyModule("recce_meta.tables.rows")
marks: Any = LazyModule("recce_meta.models.marks.annotation")

FORMATS = ("text", "markdown", "html", "json")
ROWS_SCHEMA = "recce_meta/rows/v1"
Result: TypeAlias = Tabular | Sequence[Tabular]
Writer: TypeAlias = tuple[Any, ...]
"""Name of a function of `report`, and its arguments."""

_PARTS = attrgetter("run", "counts", "results", "statistics", "annotations")
_STEMS: Mapping[str, str] = {
    "LineageView": "lineage",
    "ImpactView": "impact",
    "ScanReport": "scan",
    "QualityResult": "quality",
    "QualityHistory": "quality_history",
    "FsckResult": "fsck",
    "BaseCheck": "base_check",
    "RunDiff": "diff",
    "CheckReport": "check_report",
}
"""First part of the names of the functions of `report` that take a result as it is."""
_STEMS_OF_LISTS: Mapping[str, str] = {"RunMetadata": "runs", "QualityRun": "quality_runs", "Check": "checks"}


def render_report(
    result: Result, format: str = "markdown", *, width: int = 120, color: bool = False, title: str = ""
) -> str:
    """Return *result* of any function as a report in *format*: text, markdown, html, json, csv or tsv.

    The report is that of the command: `render_report(diff_runs(adapter))` is the output of
    `recce-meta diff --format markdown`, without stored reviews and data diffs. Several data diffs may be
    given as one sequence. A result without a report in *format* becomes a table of its rows. *width* is that
    of text, in characters; 0 is unlimited. With *color*, text has the codes of terminals. *title* is the
    heading of an HTML page. Raises UnknownNameError for an unknown format.
    """
    if format in ("csv", "tsv"):
        return report.delimited(_table(result), format)
    if format not in FORMATS:
        raise UnknownNameError("format", format, FORMATS)
    name, *arguments = _writers(result, title).get(format, ("",))
    if name not in report.__all__:
        return _rows_as(result, format, width, title)
    size = {"width": width, "color": color} if format == "text" else {}
    text: str = getattr(report, name)(*arguments, **size)
    return text


def _writers(result: Any, title: str) -> Mapping[str, Writer]:
    """Return the functions that write *result*, by format; a missing one is a table of the rows."""
    is_one = not isinstance(result, Sequence)
    kind = type(result) if is_one else _item_type(result)
    name = kind.__name__
    if kind.__module__ == "recce_meta.models.data_diff":
        results = [result] if is_one else result
        return _all("data", results) | {"html": _page("Data diff", title, None, results, None)}
    if name in ("Annotation", "AnnotationEvent"):
        return _of_notes(name, [result] if is_one else result)
    if not is_one:
        return _all(_STEMS_OF_LISTS.get(name, ""), result)
    if name in ("DataComparison", "Demo"):
        parts = (result.diff, result.data, None)
        named = {"text": "whole_text", "markdown": "pull_request_markdown", "json": "diff_json"}
        return {style: (name, *parts) for style, name in named.items()} | {
            "html": _page("Diff", title, *parts)
        }
    if name == "RunSummary":
        return _all("run", *_PARTS(result))
    if name == "PruneResult":
        text = ("prune_text", result.runs, result.dry_run, len(result.tombstones))
        return _all("runs", result.runs) | {"text": text}
    found = _all(_STEMS.get(name, ""), result)
    if name == "RunDiff":
        found["html"] = _page("Diff", title, result, (), None)
    if name == "CheckReport":
        found["html"] = _page("Checks", title, None, (), result, result.choice)
        found["markdown"] = ("pull_request_markdown", None, (), result)
    return found


def _all(stem: str, *arguments: Any) -> dict[str, Writer]:
    return {style: (f"{stem}_{style}", *arguments) for style in ("text", "markdown", "json")}


def _page(usual: str, title: str, *arguments: Any) -> Writer:
    return ("html_report", title or usual, *arguments)


def _of_notes(name: str, notes: Any) -> Mapping[str, Writer]:
    if name == "Annotation":
        return _all("notes", notes)
    present = marks.annotations_of(notes)
    return {"text": ("note_history_text", notes), "json": ("notes_json", present, notes)}


def _table(result: Result) -> RowTable:
    return (
        result.to_table()
        if isinstance(result, Tabular)
        else ResultList(_item_type(result), result).to_table()
    )


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
    kind, table = type(result) if isinstance(result, Tabular) else _item_type(result), _table(result)
    heading = title or rows.title_of(kind)
    if format == "json":
        found = [json.data_tree(row) for row in table.to_dicts()]
        return str(terminal.pretty_json({"schema": ROWS_SCHEMA, "result": kind.__name__, "rows": found}))
    if format == "html":
        return _document(heading, rows.html_table(table, heading, getattr(result, "notes", ()), most=None))
    cells = [["" if cell is None else rows.text(cell) for cell in row] for row in table.rows]
    if format == "markdown":
        shown = [[terminal.code(cell) if cell else "" for cell in row] for row in cells]
        return str(markdown.md_table(list(table.types), shown))
    lines = [terminal.heading_row(*table.types), *([terminal.Span(cell) for cell in row] for row in cells)]
    return str(terminal.render(terminal.grid(lines, width=width, indent=0), width=width, color=False))


def _document(title: str, body: str) -> str:
    policy = "default-src 'none'"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"<title>{escape(title)}</title>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )
