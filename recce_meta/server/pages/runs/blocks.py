"""Code and data diffs of one node as parts of a page, which keep a limit of size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from markupsafe import Markup
from msgspec.structs import replace

from recce_meta.models.change import Change, Status
from recce_meta.models.data_diff import AnyDataDiff, DistributionDiff, RowsDiff, ValueDetail
from recce_meta.models.run import RunMetadata
from recce_meta.report.html.code import codes_of
from recce_meta.report.html.side_by_side import CodeDiff
from recce_meta.server.site.rendering import environment, highlighted
from recce_meta.server.stores.stores import StoreView

DATA_CHARACTERS = 70_000
"""Size of the data diffs."""
ROW_LIMITS = (100, 50, 20, 5)
COLUMN_LIMITS = (50, 20, 10, 5, 3, 1)


def all_codes(
    view: StoreView, change: Change, run: RunMetadata, context: int | None
) -> list[tuple[str, CodeDiff]]:
    """Return the code of a node that differs, or that of one side, as `codes_of` does."""
    code = None
    # The diff has no code of nodes that only one run has: it is read for this page alone.
    if change.status in (Status.ADDED, Status.REMOVED):
        node = view.reader(run).nodes([change.unique_id]).get(change.unique_id)
        code = node.raw_code if node else None
    language = "python" if change.path.endswith(".py") else "sql"
    return codes_of(change, code, partial(highlighted, language=language), context)


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
        yield from (replace(result, rows=result.rows[:most]) for most in ROW_LIMITS)
    elif isinstance(result, DistributionDiff):
        columns = sorted(result.columns, key=lambda column: column.differs(), reverse=True)
        yield from (replace(result, columns=tuple(columns[:most])) for most in COLUMN_LIMITS)
    yield None
