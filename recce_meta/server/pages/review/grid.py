"""Rows that differ, in pages: filtered by words, by key or the largest change first, and as CSV or JSON."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from msgspec.structs import replace

from recce_meta.api.data.requests import AnyAnswer
from recce_meta.errors import UsageError, did_you_mean, quoted
from recce_meta.models.data_diff import DetailRow, Value, ValueDetail
from recce_meta.models.diff_kinds import DETAIL
from recce_meta.report.values import are_same
from recce_meta.server.access.problems import NotFound
from recce_meta.server.pages.runs.pair import ReportedPair, pair_of
from recce_meta.server.pages.runs.results import QUESTION, asked_job
from recce_meta.server.site.handlers import PageSet, Parameters, Request
from recce_meta.server.site.listing import ListColumn, Listing, shown, whole_number
from recce_meta.tables.data import detail_table

pages = PageSet()
CELLS = 2_000
"""Cells of a page, so that it stays below 100 kB."""
MOST_ROWS = 100
SORTS = ("key", "size")
OF_GRID = ("find", "sort", "page")
"""Parameters of an address that choose rows."""


class Grid(NamedTuple):
    """Page of the rows that differ."""

    result: ValueDetail
    rows: Sequence[DetailRow]
    """Matching rows in their order."""
    page: int
    size: int

    @property
    def pages(self) -> int:
        """Number of pages."""
        return max(1, -(-len(self.rows) // self.size))

    @property
    def part(self) -> ValueDetail:
        """The result with the rows of the page; columns that differ in any row are first."""
        first, columns = (self.page - 1) * self.size, self.result.columns
        differing = {
            place
            for row in self.rows
            for place, (before, after) in enumerate(zip(row.base or (), row.current or (), strict=False))
            if not are_same(before, after)
        }
        order = sorted(range(len(columns)), key=lambda place: place not in differing)
        return replace(
            self.result,
            columns=tuple(columns[place] for place in order),
            rows=tuple(
                replace(row, base=_ordered(row.base, order), current=_ordered(row.current, order))
                for row in self.rows[first : first + self.size]
            ),
        )


def _ordered(values: tuple[Value, ...] | None, order: Sequence[int]) -> tuple[Value, ...] | None:
    return None if values is None else tuple(values[place] for place in order)


def grid_of(query: Parameters, results: Sequence[AnyAnswer]) -> Grid | None:
    """Return the page that *query* asks for of the first of *results* with rows; None without one."""
    result = next((one for one in results if isinstance(one, ValueDetail) and one.rows), None)
    if result is None:
        return None
    words = query.get("find", "").casefold().split()
    sort = query.get("sort", SORTS[0])
    if sort not in SORTS:
        hint = did_you_mean(sort, SORTS) or "sort is key or size"
        raise UsageError(f"Invalid sort: {quoted(sort)}", hint=hint)
    rows = [row for row in result.rows if all(word in _text(row) for word in words)]
    if sort == "size":
        rows.sort(key=_size, reverse=True)
    size = min(MOST_ROWS, max(10, CELLS // (len(result.columns) + len(result.key))))
    return Grid(result, rows, whole_number(query, "page", 1, 10**6), size)


def _text(row: DetailRow) -> str:
    return " ".join(map(shown, (row.status, *row.key, *(row.base or ()), *(row.current or ())))).casefold()


def _size(row: DetailRow) -> Decimal:
    """Return the largest change of a number; rows of one side are larger than all others."""
    if row.base is None or row.current is None:
        return Decimal("Infinity")
    pairs = [(_number(before), _number(after)) for before, after in zip(row.base, row.current, strict=True)]
    return max((abs(b - a) for a, b in pairs if a is not None and b is not None), default=Decimal(0))


def _number(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return None
    found = Decimal(value)
    return found if found.is_finite() else None


def details_of(request: Request, pair: ReportedPair, unique_id: str) -> Sequence[AnyAnswer]:
    """Return the answer to the question of the address if it lists rows, then stored results."""
    job = asked_job(request, pair, [DETAIL.name], unique_id)
    answer = job.result if job is not None and isinstance(job.result, ValueDetail) else None
    stored = [one for node in pair.nodes if node.unique_id == unique_id for one in node.results]
    return stored if answer is None else [answer, *stored]


@pages.table("/diff/{base}/{current}/rows")
def rows_table(request: Request) -> Listing:
    """List all rows that differ and match the words of the address."""
    query = request.query
    found = grid_of(
        query.without("sort", "page"), details_of(request, pair_of(request), query.get("node", ""))
    )
    if found is None:
        raise NotFound(
            "No rows that differ are stored or in memory for this node",
            hint="compare its differing rows on the page of the diff",
        )
    table = detail_table(replace(found.result, rows=tuple(found.rows)))
    given = {name: query[name] for name in ("node", "find", *QUESTION) if name in query}
    columns = [ListColumn(name, name) for name in table.types]
    return Listing("Rows that differ", columns, table.to_dicts(), parameters=given, is_kept=False)


def grid_values(request: Request, pair: ReportedPair, unique_id: str, grid: Grid) -> dict[str, Any]:
    """Return what the template shows above the rows."""
    kept = [(name, value) for name, value in request.query.pairs if name in ("find", *QUESTION)]
    query = Parameters([*kept, ("node", unique_id)]).encoded()
    return {
        "page": grid.page,
        "pages": grid.pages,
        "count": len(grid.rows),
        "total": len(grid.result.rows),
        "is_cut": grid.result.is_cut,
        "find": request.query.get("find", ""),
        "sort": request.query.get("sort", SORTS[0]),
        "hidden": [one for one in request.query.pairs if one[0] not in OF_GRID],
        "csv": pair.part("rows.csv") + query,
        "json": pair.part("rows.json") + query,
    }
