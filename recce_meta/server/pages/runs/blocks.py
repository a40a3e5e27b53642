"""Code and data diffs of one node as parts of a page, which keep a limit of size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from markupsafe import Markup
from msgspec.structs import replace

from recce_meta.models.change import Change, Reason, Status
from recce_meta.models.data_diff import AnyDataDiff, HistogramDiff, RowsDiff, TopKDiff, ValueDetail
from recce_meta.models.run import RunMetadata
from recce_meta.report.diff_details import is_text
from recce_meta.report.html.side_by_side import CodeDiff, CodeRow, side_by_side
from recce_meta.server.site.rendering import environment, highlighted
from recce_meta.server.stores.stores import StoreView
from recce_meta.tables.gaps import counts_differ

CODE_ROWS = 500
"""Rows of each text."""
CODE_CHARACTERS = 70_000
ROW_CHARACTERS = 90
"""Size of a row of code without its lines."""
DATA_CHARACTERS = 70_000
"""Size of the data diffs."""
ROWS_SHOWN = (100, 50, 20, 5)
COLUMNS_SHOWN = (50, 20, 10, 5, 3, 1)
_CODE_TITLES = {Reason.BODY: "Code", Reason.COMPILED: "Compiled code"}


def all_codes(
    view: StoreView, change: Change, run: RunMetadata, context: int | None
) -> list[tuple[str, CodeDiff]]:
    """Return source, compiled SQL and macros that differ, or the source of an added or removed node.

    *context* is the number of unchanged lines around changed ones; None for all.
    """
    highlight = partial(highlighted, language="python" if change.path.endswith(".py") else "sql")
    # The diff has no code of nodes that only one run has: it is read for this page alone.
    if change.status in (Status.ADDED, Status.REMOVED):
        node = view.reader(run).nodes([change.unique_id]).get(change.unique_id)
        code = node.raw_code if node else None
        if not code:
            return []
        base, current = (None, code) if change.status is Status.ADDED else (code, None)
        whole = side_by_side(base, current, highlight, most=CODE_ROWS)
        shown, _ = _fitting(whole.rows, CODE_CHARACTERS)
        return [("Code", CodeDiff(shown, whole.hidden + len(whole.rows) - len(shown)))]
    wanted = (Reason.BODY, Reason.COMPILED, Reason.MACROS)
    details = [one for one in change.details if one.reason in wanted and is_text(one)]
    found, room = [], CODE_CHARACTERS
    for detail in details:
        one = side_by_side(detail.base, detail.current, highlight, most=CODE_ROWS, context=context)
        if any(row.is_changed for row in one.rows):
            rows, room = _fitting(one.rows, room)
            title = _CODE_TITLES.get(detail.reason) or f"Macro {detail.key}"
            found.append((title, CodeDiff(rows, one.hidden + len(one.rows) - len(rows))))
    return found


def _fitting(rows: Sequence[CodeRow], room: int) -> tuple[Sequence[CodeRow], int]:
    """Return the first of *rows* that fit into *room* characters of HTML, and the rest of it."""
    for number, row in enumerate(rows):
        room -= ROW_CHARACTERS + sum(len(line.html) for line in (row.base, row.current) if line)
        if room < 0:
            return rows[:number], 0
    return rows, room


def data_blocks(
    results: Sequence[AnyDataDiff],
    *,
    is_open: bool = False,
    page: tuple[ValueDetail, ValueDetail] | None = None,
) -> Iterator[Markup]:
    """Yield the data diffs of a node as HTML, with fewer rows or as a sentence if they are too long.

    With *is_open*, rows are unfolded. *page* is one of *results*, and the same with the rows to show.
    """
    parts: Any = environment().get_template("diff_parts.html").module
    room = DATA_CHARACTERS
    for result in results:
        for shown in _shortened(page[1] if page and result is page[0] else result):
            html = Markup(parts.result(result, shown, is_open))
            if len(html) <= room:
                break
        room -= len(html)
        yield html


def _shortened(result: AnyDataDiff) -> Iterator[AnyDataDiff | None]:
    """Yield *result* with fewer and fewer rows or columns; at last None, for a sentence."""
    yield result
    if isinstance(result, ValueDetail | RowsDiff):
        yield from (replace(result, rows=result.rows[:most]) for most in ROWS_SHOWN)
    elif isinstance(result, TopKDiff):
        top_values = sorted(result.columns, key=counts_differ, reverse=True)
        yield from (replace(result, columns=tuple(top_values[:most])) for most in COLUMNS_SHOWN)
    elif isinstance(result, HistogramDiff):
        histograms = sorted(result.columns, key=counts_differ, reverse=True)
        yield from (replace(result, columns=tuple(histograms[:most])) for most in COLUMNS_SHOWN)
    yield None
